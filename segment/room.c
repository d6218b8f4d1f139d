/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "segment.h"
#include "pages.h"
#include "../base/atomic.h"
#include "../base/check.h"
#include "../base/os.h"
#include "../base/size.h"

static enum dry_status check_file_size(uint64_t file_bytes, uint64_t n, struct dry_error *err)
{
    uint64_t limit = dry_os_file_size_limit(), end;
    if (!__builtin_add_overflow(file_bytes, n, &end) && end <= limit) return DRY_OK;
    uint64_t rest = limit > file_bytes ? limit - file_bytes : 0;
    return dry_fail(err, DRY_FULL,
                    "%s are needed and %s are free below the limit of %s on one file (RLIMIT_FSIZE); raise the limit "
                    "(ulimit -f), or store less in one table",
                    dry_size_text(n).text, dry_size_text(rest).text, dry_size_text(limit).text);
}

static enum dry_status check_mount(const struct dry_os_mount *mount, uint64_t n, struct dry_error *err)
{
    bool unlimited = mount->size_bytes == 0 && mount->free_bytes == 0;
    if (unlimited || n <= mount->free_bytes) return DRY_OK;
    return dry_fail(err, DRY_FULL,
                    "%s are needed and %s are free in the %s of %s; remove tables, use --store DIR on a larger file "
                    "system, or %s",
                    dry_size_text(n).text, dry_size_text(mount->free_bytes).text, mount->type,
                    dry_size_text(mount->size_bytes).text,
                    mount->in_memory ? "raise its limit (mount -o remount,size=)" : "make it larger");
}

/* To read the cgroups and what the system has costs as much as to write several small tables. So what was seen is
 * trusted a little while, for a small part of the room that was there. */
#define TRUST_NS 100000000
#define TRUST_PART 64
static struct dry_atomic_u64 seen_ns, trusted_bytes;

static bool trusts_last_look(uint64_t n)
{
    uint64_t age = (uint64_t)dry_os_monotonic_ns() - dry_load_relaxed_u64(&seen_ns); /* X0: a hint with a date */
    uint64_t left = dry_load_relaxed_u64(&trusted_bytes);                            /* X0: the CAS checks it */
    while (age < TRUST_NS && n <= left)
        if (dry_cas_relaxed_u64(&trusted_bytes, &left, left - n)) return true; /* X0: carries nothing but itself */
    return false;
}

static void remember_look(uint64_t room)
{
    dry_store_relaxed_u64(&trusted_bytes, room / TRUST_PART);         /* X0: a hint */
    dry_store_relaxed_u64(&seen_ns, (uint64_t)dry_os_monotonic_ns()); /* X0: its date */
}

static enum dry_status no_room_in_group(const struct dry_os_cgroup *group, uint64_t n, uint64_t rest,
                                        struct dry_error *err)
{
    return dry_fail(err, DRY_FULL,
                    "%s are needed and %s are free in the memory cgroup '%s' of %s, where the kernel would kill "
                    "instead of refusing (an advisory check: others may take the room first); remove tables, use "
                    "--store DIR on a disk, or raise the limit",
                    dry_size_text(n).text, dry_size_text(rest).text, group->path,
                    dry_size_text(group->limit_bytes).text);
}

static enum dry_status no_room_in_system(uint64_t n, uint64_t left, struct dry_error *err)
{
    return dry_fail(
        err, DRY_FULL,
        "%s are needed and this system has %s of memory left, beyond which the kernel would kill instead of "
        "refusing (an advisory check: others may take it first); remove tables, end programs, or use "
        "--store DIR on a disk",
        dry_size_text(n).text, dry_size_text(left).text);
}

static enum dry_status check_memory(uint64_t n, struct dry_error *err)
{
    struct dry_os_cgroup group;
    if (trusts_last_look(n) || dry_os_cgroup(&group)) return DRY_OK; /* what cannot be seen refuses nothing */
    uint64_t rest = group.limit_bytes > group.used_bytes ? group.limit_bytes - group.used_bytes : 0;
    uint64_t left = dry_os_memory_left();
    if (!group.found) rest = UINT64_MAX;
    uint64_t least = rest < left ? rest : left;
    remember_look(n <= least ? least - n : 0);
    if (n > rest) return no_room_in_group(&group, n, rest, err);
    return n > left ? no_room_in_system(n, left, err) : DRY_OK;
}

enum dry_status dry_room_check(int fd, uint64_t file_bytes, uint64_t n, struct dry_error *err)
{
    struct dry_os_mount mount;
    DRY_TRY(check_file_size(file_bytes, n, err));
    int sys = dry_os_mount(fd, &mount);
    if (sys) return dry_fail_errno(err, sys, "the file system cannot be asked how much is free");
    DRY_TRY(check_mount(&mount, n, err));
    return mount.in_memory ? check_memory(n, err) : DRY_OK;
}

enum dry_status dry_room_check_anonymous(uint64_t file_bytes, uint64_t n, struct dry_error *err)
{
    DRY_TRY(check_file_size(file_bytes, n, err));
    return check_memory(n, err);
}

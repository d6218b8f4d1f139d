/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "inside.h"
#include "../base/check.h"
#include "../base/size.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 200u

enum dry_status dry_segment_check_own(const struct dry_segment *s, struct dry_error *err)
{
    if (s->own.fd >= 0) return DRY_OK;
    return dry_fail(err, DRY_DENIED,
                    "a segment belongs to the process that made it, and this is a child that was forked "
                    "afterwards; use the views that it inherited, or make a segment here");
}

/* ---- making ---- */
/* Without a descriptor yet. NULL: no memory. */
static struct dry_segment *make(int fd, bool in_memory, const struct dry_allocator *a)
{
    struct dry_segment *s = dry_allocate(a, sizeof *s, _Alignof(struct dry_segment));
    if (!s) return NULL;
    *s = (struct dry_segment){.allocator = a};
    dry_pages_init(&s->pages, fd, a, in_memory);
    return s;
}

static void unmake(struct dry_segment *s, bool is_child)
{
    dry_pages_fini(&s->pages, is_child);
    dry_release(s->allocator, s, sizeof *s, _Alignof(struct dry_segment));
}

static void take_over(struct dry_segment *s, int fd)
{
    dry_os_fork_hold();
    dry_own_fd_set(&s->own, fd);
    dry_os_fork_release();
}

static enum dry_status no_memory(struct dry_error *err)
{
    return dry_fail(err, DRY_NOMEM, "out of memory for a segment");
}

static enum dry_status look_at_file(int fd, struct dry_os_stat *st, struct dry_os_mount *mount, struct dry_error *err)
{
    bool writable = false;
    int sys = dry_os_stat(fd, st);
    if (!sys) sys = dry_os_mount(fd, mount);
    if (!sys) sys = dry_os_is_writable(fd, &writable);
    if (sys) return dry_fail_errno(err, sys, "the file for a segment cannot be looked at");
    if (st->kind == DRY_OS_FILE && writable) return DRY_OK;
    return dry_fail(err, DRY_INVALID, "a segment needs a regular file that is open read-write, and this is %s",
                    st->kind != DRY_OS_FILE ? "no regular file" : "open for reading only");
}

enum dry_status dry_segment_adopt_fd(int fd, const struct dry_allocator *a, struct dry_segment **out,
                                     struct dry_error *err)
{
    struct dry_os_stat st;
    struct dry_os_mount mount;
    DRY_TRY(look_at_file(fd, &st, &mount, err));
    if (st.size_bytes > 0)
        return dry_fail(err, DRY_INVALID, "a segment needs an empty file, and this one is not empty: it has %s",
                        dry_size_text(st.size_bytes).text);
    struct dry_segment *s = make(fd, mount.in_memory, a);
    if (!s) return no_memory(err);
    take_over(s, fd);
    *out = s;
    return DRY_OK;
}

/* Enough for any table, and few enough that a process may have hundreds of such segments. */
#define ADDRESSES ((uint64_t)256 << 30)

/* A description of its own from the first moment on: one that the child of a fork kept would keep lock and lease too.
 */
static int open_own(struct dry_segment *s, int fd)
{
    int own;
    dry_os_fork_hold();
    int sys = dry_os_reopen_now(fd, true, &own);
    if (!sys) dry_own_fd_set(&s->own, own);
    dry_os_fork_release();
    return sys;
}

static enum dry_status adopt_used(struct dry_segment *s, int fd, struct dry_error *err)
{
    struct dry_os_stat st;
    struct dry_os_mount mount;
    int sys = open_own(s, fd);
    if (sys) return dry_fail_errno(err, sys, "a file that is to be used again cannot be opened for writing");
    DRY_TRY(look_at_file(s->own.fd, &st, &mount, err));
    if (st.size_bytes == 0 || st.held_bytes < st.size_bytes)
        return dry_fail(err, DRY_INVALID, "a file of %s that holds %s has no pages to be used again",
                        dry_size_text(st.size_bytes).text, dry_size_text(st.held_bytes).text);
    dry_pages_init(&s->pages, s->own.fd, s->allocator, mount.in_memory);
    s->used = s->pages.size = s->pages.promised = s->pages.held = st.size_bytes;
    s->options.keep_mapped = s->finished = s->unsure = true;
    /* Whoever sets options comes too late for the window. Where addresses are rationed, it takes what it needs. */
    s->pages.addresses = s->options.address_bytes = dry_os_address_limit() == UINT64_MAX ? ADDRESSES : 0;
    sys = dry_pages_map_all(&s->pages);
    return sys ? dry_window_refused(sys, st.size_bytes, err) : DRY_OK;
}

enum dry_status dry_segment_adopt_used(int fd, const struct dry_allocator *a, struct dry_segment **out,
                                       struct dry_error *err)
{
    struct dry_os_stat st;
    DRY_TRY(dry_check_regular(fd, &st, err)); /* before it is opened: a FIFO or a device would notice */
    struct dry_segment *s = make(-1, false, a);
    if (!s) return no_memory(err);
    s->own.fd = -1;
    enum dry_status status = adopt_used(s, fd, err);
    if (status == DRY_OK) {
        *out = s;
        return DRY_OK;
    }
    dry_own_fd_close(&s->own);
    unmake(s, false);
    return status;
}

/* rule: segment.description. A lease counts the description that memfd_create gives wrongly, so it is opened once
 * more and the first one closed; between the two no child may be forked, which would keep the first one open. Others
 * get in when it is offered. */
static int open_memfd(const char *name, bool huge, int *fd)
{
    int first, own, sys = huge ? dry_os_memfd_huge(name, &first) : dry_os_memfd(name, &first);
    if (sys) return sys;
    sys = dry_os_reopen_write(first, &own);
    dry_os_close(first);
    if (sys) return sys;
    sys = dry_os_set_mode(own, 0400);
    if (sys) {
        dry_os_close(own);
        return sys;
    }
    *fd = own;
    return 0;
}

static enum dry_status new_memfd(const char *name, bool huge, const struct dry_allocator *a, struct dry_segment **out,
                                 struct dry_error *err)
{
    int fd;
    struct dry_segment *s = make(-1, true, a);
    if (!s) return no_memory(err);
    dry_os_fork_hold();
    int sys = open_memfd(name, huge, &fd);
    if (!sys) dry_own_fd_set(&s->own, fd);
    dry_os_fork_release();
    if (sys) unmake(s, false);
    if (sys == ENOENT)
        return dry_fail_sys(err, DRY_IO, sys,
                            "segment '%s' cannot be made: it has to be opened through /proc/self/fd; mount /proc",
                            name);
    if (sys) return dry_fail_errno(err, sys, "segment '%s' cannot be made (memfd)", name);
    s->pages.fd = fd;
    s->pages.reserved = huge;
    s->is_memfd = true;
    s->pages.is_anonymous = !huge;
    *out = s;
    return DRY_OK;
}

static enum dry_status check_name(const char *name, struct dry_error *err)
{
    if (strlen(name) <= NAME_BYTES) return DRY_OK;
    return dry_fail(err, DRY_INVALID, "the name of a segment has %zu bytes, and %u is the most", strlen(name),
                    NAME_BYTES);
}

enum dry_status dry_segment_new(const char *name, const struct dry_allocator *a, struct dry_segment **out,
                                struct dry_error *err)
{
    DRY_TRY(check_name(name, err));
    return new_memfd(name, false, a, out, err);
}

/* All of its pages at once, so that it is known now whether they can be had; and a window over them for good, because
 * nothing can be written otherwise. */
static enum dry_status fill_with_huge(struct dry_segment *s, uint64_t bytes, struct dry_error *err)
{
    DRY_TRY(dry_pages_hold(&s->pages, 0, err));
    return dry_segment_reserve(s, bytes, err);
}

enum dry_status dry_segment_new_huge(const char *name, uint64_t bytes, const struct dry_allocator *a,
                                     struct dry_segment **out, struct dry_error *err)
{
    struct dry_segment *s;
    DRY_TRY(check_name(name, err));
    enum dry_status status = new_memfd(name, true, a, &s, NULL);
    if (status == DRY_OK) {
        status = fill_with_huge(s, bytes, err);
        if (status == DRY_OK) {
            *out = s;
            return DRY_OK;
        }
        dry_segment_free(s);
    }
    if (status == DRY_TOO_BIG) return status;
    DRY_TRY(new_memfd(name, false, a, &s, err));
    s->missing = "reserved huge pages (not so many are free; raise vm.nr_hugepages)";
    status = dry_segment_reserve(s, bytes, err);
    if (status != DRY_OK) {
        dry_segment_free(s);
        return status;
    }
    *out = s;
    return DRY_OK;
}

void dry_segment_free(struct dry_segment *s)
{
    if (!s) return;
    dry_pieces_cut(s, 0);
    dry_release(s->allocator, s->stage, STAGE_BYTES, DRY_ALIGN);
    bool is_child = s->own.fd < 0;
    dry_own_fd_close(&s->own);
    unmake(s, is_child);
}

/* ---- options ---- */
#define THREADS_MAX 16u

enum dry_status dry_segment_set_options(struct dry_segment *s, const struct dry_segment_options *options,
                                        struct dry_error *err)
{
    DRY_TRY(dry_segment_check_own(s, err));
    if (s->used > 0 || s->finished)
        return dry_fail(err, DRY_INVALID, "options of a segment are set before its first byte, and it has %s",
                        dry_size_text(s->used).text);
    if (options->threads > THREADS_MAX)
        return dry_fail(err, DRY_INVALID, "a copy cannot be shared by %u threads, %u is the most", options->threads,
                        THREADS_MAX);
    uint64_t addresses = s->options.address_bytes;
    s->options = *options;
    if (s->pages.window.at) s->options.address_bytes = addresses;
    if (!s->pages.window.at) s->pages.addresses = options->address_bytes;
    s->pages.nodes = options->numa_nodes;
    s->pages.bind = options->numa_bind;
    if (options->numa_nodes && s->pages.promised > 0) dry_window_forgo_nodes(&s->pages, EBUSY);
    return DRY_OK;
}

/* ---- what it is ---- */
int dry_segment_fd(const struct dry_segment *s) { return s->own.fd; }

uint64_t dry_segment_size(const struct dry_segment *s) { return s->used; }

const struct dry_error *dry_segment_error(const struct dry_segment *s) { return &s->error; }

const void *dry_segment_bytes(const struct dry_segment *s)
{
    bool whole = s->own.fd >= 0 && s->staged == 0 && dry_window_covers(&s->pages, s->used);
    return whole ? s->pages.window.at : NULL;
}

const char *dry_class_name(enum dry_class c)
{
    static const char *const names[] = {"open", "named", "anonymous", "sealed"};
    return (unsigned)c < sizeof names / sizeof *names ? names[c] : "unknown";
}

static enum dry_fill fill_of(const struct dry_pages *p)
{
    if (p->reserved) return DRY_FILL_HUGETLB;
    if (p->huge_bytes > 0) return p->huge_bytes >= p->promised ? DRY_FILL_COLLAPSE : DRY_FILL_MIXED;
    return p->promised > 0 ? DRY_FILL_WRITE : DRY_FILL_NONE;
}

static void name_missing(const struct dry_segment *s, char *out, size_t size)
{
    const char *nodes = !s->pages.nodes_refused            ? NULL
                        : s->pages.nodes_refused == ENOSYS ? "NUMA nodes (this kernel has none)"
                        : s->pages.nodes_refused == EPERM  ? "NUMA nodes (not permitted)"
                        : s->pages.nodes_refused == EBUSY  ? "NUMA nodes (it had pages before)"
                                                           : "NUMA nodes (there are no such ones)";
    const char *words[] = {s->missing, nodes, s->not_prefaulted ? "prefault (this kernel cannot)" : NULL,
                           s->not_mapped ? "the writer's mapping (no addresses left)" : NULL};
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!words[i] || n >= size) continue;
        n += (size_t)snprintf(out + n, size - n, "%s%s", n ? "; " : "", words[i]);
    }
}

enum dry_status dry_segment_stat(const struct dry_segment *s, struct dry_segment_stat *out, struct dry_error *err)
{
    struct dry_os_stat st;
    DRY_TRY(dry_segment_check_own(s, err));
    int sys = dry_os_stat(s->own.fd, &st);
    if (sys) return dry_fail_errno(err, sys, "a segment cannot be looked at");
    bool named = !s->is_memfd && st.links > 0 && (st.mode & 0222) == 0;
    *out = (struct dry_segment_stat){
        .used_bytes = s->used,
        .held_bytes = st.held_bytes,
        .huge_bytes = s->pages.huge_bytes,
        .fill = fill_of(&s->pages),
        .protection = named ? DRY_CLASS_NAMED : s->protection,
        .offered = s->offered,
        .moved_bytes = s->moved_bytes,
        .lost_bytes = s->lost_bytes,
        .threads = s->threads_used,
    };
    name_missing(s, out->missing, sizeof out->missing);
    (void)dry_os_memory_group(out->charged_to, sizeof out->charged_to);
    return DRY_OK;
}

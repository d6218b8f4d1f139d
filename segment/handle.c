/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "handle.h"
#include "../base/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- text ---- */
static const char begin[] = "dry1";

/* In the order of the text, each with the largest number that can be meant. */
static const struct {
    size_t at;
    uint64_t most;
} fields[] = {
    {offsetof(struct dry_handle, pid), INT32_MAX},        {offsetof(struct dry_handle, start), UINT64_MAX},
    {offsetof(struct dry_handle, space), UINT64_MAX},     {offsetof(struct dry_handle, number), INT32_MAX},
    {offsetof(struct dry_handle, device), UINT64_MAX},    {offsetof(struct dry_handle, inode), UINT64_MAX},
    {offsetof(struct dry_handle, size_bytes), INT64_MAX}, {offsetof(struct dry_handle, generation), INT64_MAX},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static uint64_t *field_of(struct dry_handle *h, size_t i)
{
    return (uint64_t *)(void *)((char *)h + fields[i].at);
}

static char *put_number(char *to, uint64_t value)
{
    char digits[13];
    size_t n = 0;
    do {
        digits[n++] = "0123456789abcdefghijklmnopqrstuvwxyz"[value % 36];
        value /= 36;
    } while (value > 0);
    *to++ = '-';
    while (n > 0)
        *to++ = digits[--n];
    return to;
}

void dry_handle_write(const struct dry_handle *h, char out[DRY_HANDLE_SIZE])
{
    struct dry_handle copy = *h;
    char *to = out + sizeof begin - 1;
    memcpy(out, begin, sizeof begin);
    for (size_t i = 0; i < FIELDS; i++)
        to = put_number(to, *field_of(&copy, i));
    const struct dry_view text = {.data = (const uint8_t *)out, .len = (size_t)(to - out)};
    *put_number(to, dry_view_hash(&text, 0) & UINT32_MAX) = '\0';
}

/* A hyphen and digits; what would be too large, or begins with zeros, is left to the comparison with what we would
 * have written. */
static const char *take_number(const char *from, uint64_t *out)
{
    uint64_t value = 0;
    if (*from++ != '-') return NULL;
    for (;; from++) {
        uint64_t digit;
        if (*from >= '0' && *from <= '9')
            digit = (uint64_t)(*from - '0');
        else if (*from >= 'a' && *from <= 'z')
            digit = (uint64_t)(*from - 'a') + 10;
        else
            break;
        value = value * 36 + digit;
    }
    *out = value;
    return from;
}

enum dry_status dry_handle_read(const char *text, struct dry_handle *out, struct dry_error *err)
{
    struct dry_handle h = {0};
    char canonical[DRY_HANDLE_SIZE];
    const char *at = text + sizeof begin - 1;
    bool whole = true;
    if (strncmp(text, begin, sizeof begin - 1) != 0)
        return dry_fail(err, DRY_INVALID,
                        "this is no handle of drystone, or one of another version: it does not begin with '%s-'",
                        begin);
    for (size_t i = 0; i < FIELDS && at; i++) {
        at = take_number(at, field_of(&h, i));
        whole = whole && *field_of(&h, i) <= fields[i].most;
    }
    dry_handle_write(&h, canonical);
    if (!at || !whole || strcmp(text, canonical) != 0)
        return dry_fail(err, DRY_INVALID,
                        "the handle is not as it was made: characters are missing or changed; pass all of it, "
                        "as text of up to %d characters",
                        DRY_HANDLE_SIZE - 1);
    *out = h;
    return DRY_OK;
}

/* ---- making ---- */
enum dry_status dry_handle_here(uint64_t *space, struct dry_error *err)
{
    int sys = dry_os_pid_namespace(space);
    if (sys == EXDEV)
        return dry_fail(err, DRY_DENIED,
                        "/proc shows the processes of another PID namespace, and handles are found through it; "
                        "mount it anew (mount -t proc proc /proc), or pass the memory over a Unix socket");
    if (sys == ENOENT)
        return dry_fail(err, DRY_IO,
                        "/proc is not mounted, and handles are found through it; mount it (mount -t proc proc "
                        "/proc), or pass the memory over a Unix socket");
    return sys ? dry_fail_errno(err, sys, "/proc/self/ns/pid cannot be asked") : DRY_OK;
}

enum dry_status dry_handle_of(int number, bool lasting, struct dry_handle *out, struct dry_error *err)
{
    struct dry_handle h = {.pid = (uint64_t)dry_os_process(), .number = (uint64_t)number};
    struct dry_os_stat st;
    DRY_TRY(dry_handle_here(&h.space, err));
    int sys = dry_os_process_start((int64_t)h.pid, &h.start);
    if (sys) return dry_fail_errno(err, sys, "/proc/%" PRIu64 "/stat, which says when this process began", h.pid);
    sys = dry_os_stat(number, &st);
    if (sys) return dry_fail_errno(err, sys, "descriptor %d", number);
    h.device = st.device;
    h.inode = st.inode;
    h.size_bytes = st.size_bytes;
    if (lasting && st.modified_ns > 0) h.generation = (uint64_t)st.modified_ns;
    *out = h;
    return DRY_OK;
}

enum dry_status dry_segment_handle(const struct dry_segment *s, char out[DRY_HANDLE_SIZE], struct dry_error *err)
{
    struct dry_segment_stat st;
    struct dry_handle h;
    int fd = dry_segment_fd(s);
    if (fd < 0)
        return dry_fail(err, DRY_DENIED,
                        "the segment is the parent's, and this is the child of a fork: the parent makes the handle");
    DRY_TRY(dry_segment_stat(s, &st, err));
    if (st.protection == DRY_CLASS_OPEN && !st.offered)
        return dry_fail(err, DRY_INVALID,
                        "the segment is still being filled; protect, seal or offer it, and then share its handle");
    DRY_TRY(dry_handle_of(fd, st.protection != DRY_CLASS_OPEN, &h, err));
    dry_handle_write(&h, out);
    return DRY_OK;
}

/* A memfd that may still be written changes, and its time with it. */
static bool is_lasting(int fd)
{
    unsigned seals;
    const unsigned against_writers = DRY_OS_SEAL_WRITE | DRY_OS_SEAL_FUTURE_WRITE;
    bool is_sealable = dry_os_get_seals(fd, &seals) == 0 && !(seals & DRY_OS_SEAL_SEAL);
    return !is_sealable || seals & against_writers;
}

enum dry_status dry_view_handle(const struct dry_view *v, char out[DRY_HANDLE_SIZE], struct dry_error *err)
{
    struct dry_handle h;
    int fd = v->storage ? dry_segment_fd_of(v->storage) : -1;
    if (fd < 0)
        return dry_fail(err, DRY_INVALID,
                        "no descriptor belongs to these bytes: only what was attached, or is the view of a "
                        "segment, has a handle");
    DRY_TRY(dry_handle_of(fd, is_lasting(fd), &h, err));
    dry_handle_write(&h, out);
    return DRY_OK;
}

bool dry_handle_is(const char *text)
{
    struct dry_handle h;
    return dry_handle_read(text, &h, NULL) == DRY_OK;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Opening what a handle names, and what an exec'd child inherits.
 *
 * A handle is only a hint where to look. What counts is what was opened in the end: it is compared with the handle
 * once more after the open, because only from then on it stays what it is (a lease is refused while it is open).
 */
#include "handle.h"
#include "inside.h"
#include "../base/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char inherited_name[] = "DRYSTONE_INHERITED";

/* ---- one descriptor ---- */
/* Opening fails at once while the writer takes the memory back, which lasts microseconds. */
enum { PATIENCE = 10, PAUSE_NS = 500000 };

static int reopen_patiently(int from, bool writable, int *fd)
{
    const uint32_t nobody_writes = 0;
    int sys = dry_os_reopen_now(from, writable, fd);
    for (int i = 0; i < PATIENCE && sys == EAGAIN; i++) {
        (void)dry_os_futex_wait(&nobody_writes, 0, PAUSE_NS);
        sys = dry_os_reopen_now(from, writable, fd);
    }
    return sys;
}

static bool is_refusal(int sys)
{
    return sys == EACCES || sys == EPERM;
}

/* A description of its own. Where that is refused (another user's mode) or cannot be (no /proc), one that can only be
 * read may be shared: nobody locks through it. */
static int open_own_or_share(int from, bool writable, int *fd)
{
    bool through_it = true;
    int sys = reopen_patiently(from, writable, fd);
    if (writable || !(is_refusal(sys) || sys == ENOENT)) return sys;
    if (dry_os_is_writable(from, &through_it) || through_it) return sys;
    return dry_os_duplicate(from, fd);
}

static bool is_same_file(int fd, const struct dry_handle *h)
{
    struct dry_os_stat st;
    return dry_os_stat(fd, &st) == 0 && st.kind == DRY_OS_FILE && st.device == h->device && st.inode == h->inode;
}

static bool is_same_content(int fd, const struct dry_handle *h)
{
    struct dry_os_stat st;
    if (dry_os_stat(fd, &st) || st.size_bytes != h->size_bytes) return false;
    return h->generation == 0 || (st.modified_ns > 0 && (uint64_t)st.modified_ns == h->generation);
}

/* The mode says so to everybody but root; root is told here. Without seals (not a memfd) the mode alone counts. */
static bool is_offered(int fd)
{
    struct dry_os_stat st;
    unsigned seals;
    if (dry_os_stat(fd, &st) || !(st.mode & 0200)) return false;
    return dry_os_get_seals(fd, &seals) != 0 || !(seals & (DRY_OS_SEAL_WRITE | DRY_OS_SEAL_FUTURE_WRITE));
}

/* ---- words ---- */
static enum dry_status fail_not_offered(struct dry_error *err)
{
    return dry_fail(err, DRY_DENIED,
                    "the memory may only be read: it is not offered for writing (dry_segment_offer), or protected "
                    "by now; open it read-only");
}

static enum dry_status fail_ended(const struct dry_handle *h, struct dry_error *err)
{
    return dry_fail(err, DRY_NOT_FOUND,
                    "process %" PRIu64 ", which shared the memory, has ended, and the memory with it, unless "
                    "somebody still has it attached; keep that process until all have attached it, send it over "
                    "a Unix socket, or put it into a store",
                    h->pid);
}

static enum dry_status fail_refused(const struct dry_handle *h, int sys, struct dry_error *err)
{
    return dry_fail_sys(err, DRY_DENIED, sys,
                        "process %" PRIu64 ", which shared the memory, may not be looked into by user %" PRIu32
                        ": it is another user's, or in another user namespace, or has made itself private "
                        "(prctl PR_SET_DUMPABLE; a program that changed its user), or /proc hides it (hidepid); "
                        "send the memory over a Unix socket, or have it inherited",
                        h->pid, dry_os_user());
}

static enum dry_status fail_let_go(const struct dry_handle *h, struct dry_error *err)
{
    return dry_fail(err, DRY_NOT_FOUND,
                    "process %" PRIu64 " has let the memory go: its descriptor %" PRIu64 " is closed, or leads to "
                    "something else; it has to keep the segment or view until all have attached it",
                    h->pid, h->number);
}

static enum dry_status fail_open(const struct dry_handle *h, bool writable, int sys, struct dry_error *err)
{
    switch (sys) {
    case EAGAIN:
        return dry_fail(err, DRY_NOT_FOUND,
                        "the memory is being taken back by process %" PRIu64 ", which wrote it; ask it for a new "
                        "handle",
                        h->pid);
    case EMFILE:
    case ENFILE:
        return dry_fail_sys(err, DRY_IO, sys,
                            "the memory cannot be opened; close some descriptors, or raise the limit (ulimit -n)");
    case EACCES:
    case EPERM:
    case ETXTBSY:
        if (writable) return fail_not_offered(err);
        return dry_fail_sys(err, DRY_DENIED, sys,
                            "the memory is another user's, and its mode does not let user %" PRIu32 " read it; "
                            "send it over a Unix socket, or have it inherited",
                            dry_os_user());
    default:
        return dry_fail_sys(err, DRY_IO, sys, "the memory that process %" PRIu64 " shared cannot be opened", h->pid);
    }
}

/* ---- opening ---- */
/* Of what was opened in whatever way. Takes `fd` over. */
static enum dry_status accept(const struct dry_handle *h, int fd, bool writable, int *out, struct dry_error *err)
{
    enum dry_status status = DRY_OK;
    bool is_writable = !writable;
    int sys = dry_os_is_writable(fd, &is_writable);
    if (sys || is_writable != writable)
        status = dry_fail_sys(err, DRY_IO, sys, "the memory was not opened as it was asked for");
    else if (!is_same_file(fd, h) || !is_same_content(fd, h))
        status = dry_fail(err, DRY_NOT_FOUND,
                          "the memory has been taken back or changed since the handle was made; ask process %" PRIu64
                          " for a new one",
                          h->pid);
    else if (writable && !is_offered(fd))
        status = fail_not_offered(err);
    if (status)
        dry_os_close(fd);
    else
        *out = fd;
    return status;
}

/* The next number of a list "5,7"; false at its end, which is also where it is not such a list any more. */
static bool next_inherited(const char **at, int *number)
{
    int value = 0;
    const char *from = *at;
    if (!from || *from < '0' || *from > '9') return false;
    for (; *from >= '0' && *from <= '9'; from++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *from - '0', &value))
            return false;
    if (*from != ',' && *from != '\0') return false;
    *at = *from ? from + 1 : from;
    *number = value;
    return true;
}

/* NOT_FOUND: no inherited descriptor is it. */
static enum dry_status open_inherited(const struct dry_handle *h, bool writable, int *fd, struct dry_error *err)
{
    const char *at = getenv(inherited_name);
    for (int number, opened; next_inherited(&at, &number);) {
        if (!is_same_file(number, h) || !is_same_content(number, h)) continue;
        int sys = open_own_or_share(number, writable, &opened);
        return sys ? fail_open(h, writable, sys, err) : accept(h, opened, writable, fd, err);
    }
    return DRY_NOT_FOUND;
}

static enum dry_status check_creator(const struct dry_handle *h, struct dry_error *err)
{
    uint64_t start;
    int sys = dry_os_process_start((int64_t)h->pid, &start);
    if (sys == ESRCH || (!sys && start != h->start)) return fail_ended(h, err);
    if (is_refusal(sys)) return fail_refused(h, sys, err);
    return sys ? fail_open(h, false, sys, err) : DRY_OK;
}

/* What was tried on the creator's descriptor. */
struct attempt {
    int find_sys, open_sys;
    bool found_another;
    int fd;
};

static void try_found(const struct dry_handle *h, int found, bool writable, struct attempt *to)
{
    to->found_another = !is_same_file(found, h);
    to->open_sys = to->found_another ? 0 : reopen_patiently(found, writable, &to->fd);
}

/* Through /proc; and where that is refused, by asking the kernel for the description itself, which its owner would
 * share with us: it is only the way to one of our own. */
static struct attempt try_creator(const struct dry_handle *h, bool writable)
{
    struct attempt tried = {.fd = -1};
    int found = -1;
    tried.find_sys = dry_os_find_of_process((int64_t)h->pid, (int)h->number, &found);
    if (!tried.find_sys) {
        try_found(h, found, writable, &tried);
        dry_os_close(found);
    }
    if (writable || !is_refusal(tried.find_sys ? tried.find_sys : tried.open_sys)) return tried;
    if (dry_os_take_of_process((int64_t)h->pid, (int)h->number, &found)) return tried;
    tried.find_sys = 0;
    tried.found_another = !is_same_file(found, h);
    if (!tried.found_another) tried.open_sys = open_own_or_share(found, false, &tried.fd);
    dry_os_close(found);
    return tried;
}

/* Device, inode, size and generation (a time in nanoseconds, which only its writer sets) name the memory whatever process
 * it is found in. So who finds just that has found it, and need not ask whose pid it is by now. */
static bool is_found(const struct dry_handle *h, bool writable, int *fd)
{
    int found, opened;
    if (writable || h->generation == 0 || dry_os_find_of_process((int64_t)h->pid, (int)h->number, &found)) return false;
    bool good = is_same_file(found, h) && dry_os_reopen_now(found, false, &opened) == 0;
    dry_os_close(found);
    if (!good) return false;
    if (is_same_content(opened, h)) {
        *fd = opened;
        return true;
    }
    dry_os_close(opened);
    return false;
}

/* The careful way, for memory that may still be written, and to find the words where something is wrong. */
static enum dry_status open_of_creator(const struct dry_handle *h, bool writable, int *fd, struct dry_error *err)
{
    uint64_t here;
    DRY_TRY(dry_handle_here(&here, err));
    if (here != h->space)
        return dry_fail(err, DRY_DENIED,
                        "the handle was made in another PID namespace (another container), where its process %" PRIu64
                        " is another than here; send the memory over a Unix socket, or have it inherited",
                        h->pid);
    DRY_TRY(check_creator(h, err));
    struct attempt tried = try_creator(h, writable);
    /* Once more: in between it may have ended, and its pid may have become another's. */
    enum dry_status status = check_creator(h, err);
    if (status) {
        if (tried.fd >= 0) dry_os_close(tried.fd);
        return status;
    }
    if (is_refusal(tried.find_sys)) return fail_refused(h, tried.find_sys, err);
    if (tried.find_sys == ENOENT || tried.found_another) return fail_let_go(h, err);
    if (tried.find_sys || tried.open_sys)
        return fail_open(h, writable, tried.find_sys ? tried.find_sys : tried.open_sys, err);
    return accept(h, tried.fd, writable, fd, err);
}

enum dry_status dry_handle_open(const char *handle, bool writable, int *fd, struct dry_error *err)
{
    struct dry_handle h;
    DRY_TRY(dry_handle_read(handle, &h, err));
    if (is_found(&h, writable, fd)) return DRY_OK;
    enum dry_status status = open_inherited(&h, writable, fd, err);
    /* Our own descriptor, where the handle is ours, is found like anybody's. */
    return status == DRY_NOT_FOUND ? open_of_creator(&h, writable, fd, err) : status;
}

enum dry_status dry_handle_attach(const char *handle, const struct dry_attach_options *options,
                                  const struct dry_allocator *a, struct dry_view *out, struct dry_attached *about,
                                  struct dry_error *err)
{
    int fd;
    DRY_TRY(dry_handle_open(handle, false, &fd, err));
    enum dry_status status = dry_attach_own(fd, options, a, out, about, err);
    if (status != DRY_OK) dry_os_close(fd);
    return status;
}

/* ---- inheritance ---- */
static bool add_inherited(char out[DRY_INHERIT_SIZE], int number)
{
    size_t n = strlen(out);
    const char *before = n == sizeof inherited_name ? "" : ","; /* the name and "=" */
    return snprintf(out + n, DRY_INHERIT_SIZE - n, "%s%d", before, number) < (int)(DRY_INHERIT_SIZE - n);
}

/* What there was before goes on, but for what is not a file any more. */
static bool list_inherited(char out[DRY_INHERIT_SIZE], int own)
{
    struct dry_os_stat st;
    const char *at = getenv(inherited_name);
    snprintf(out, DRY_INHERIT_SIZE, "%s=", inherited_name);
    for (int number; next_inherited(&at, &number);)
        if (number != own && dry_os_stat(number, &st) == 0 && st.kind == DRY_OS_FILE && !add_inherited(out, number))
            return false;
    return add_inherited(out, own);
}

enum dry_status dry_pass_inherit(int from, int *fd, char out[DRY_INHERIT_SIZE], struct dry_error *err)
{
    struct dry_os_stat st;
    char text[DRY_INHERIT_SIZE];
    enum dry_status status;
    int own;
    int sys = dry_os_stat(from, &st);
    if (sys == EBADF || (!sys && st.kind != DRY_OS_FILE))
        return dry_fail(err, DRY_INVALID, "descriptor %d is not open, or no file and no memory", from);
    if (!sys) sys = open_own_or_share(from, false, &own);
    if (sys) return dry_fail_errno(err, sys, "descriptor %d cannot be opened once more", from);
    if (!list_inherited(text, own)) {
        status =
            dry_fail(err, DRY_FULL,
                     "more descriptors are inherited already than %s can name (%d characters); send some over a Unix "
                     "socket",
                     inherited_name, DRY_INHERIT_SIZE);
        goto failed;
    }
    sys = dry_os_set_inherited(own, true);
    if (sys) {
        status = dry_fail_errno(err, sys, "descriptor %d cannot be made to survive exec", own);
        goto failed;
    }
    memcpy(out, text, sizeof text);
    *fd = own;
    return DRY_OK;
failed:
    dry_os_close(own);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pass.h"
#include "../base/check.h"
#include "../base/os.h"

#include <errno.h>

_Static_assert(DRY_PASS_MAX == DRY_OS_PASS_MAX, "the kernel's limit");

static enum dry_status fail_socket(int sys, int socket, struct dry_error *err)
{
    switch (sys) {
    case EBADF:
    case ENOTSOCK:
    case ENOTCONN:
    case EAFNOSUPPORT:
        return dry_fail_sys(err, DRY_INVALID, sys,
                            "descriptor %d is not a connected Unix socket, or one to be passed is closed", socket);
    case EAGAIN:
        return dry_fail(err, DRY_TIMEOUT, "socket %d is not to wait, or not longer, and the other side was not ready",
                        socket);
    case EMFILE:
    case ENFILE:
        return dry_fail_sys(err, DRY_IO, sys,
                            "socket %d: a message's descriptors do not fit beside those that are open (they "
                            "are lost); close some, or raise the limit (ulimit -n)",
                            socket);
    default: return dry_fail_errno(err, sys, "socket %d", socket);
    }
}

enum dry_status dry_pass_send(int socket, const void *bytes, size_t n, const int *fds, size_t n_fds,
                              struct dry_error *err)
{
    if (n == 0 || n_fds > DRY_PASS_MAX)
        return dry_fail(err, DRY_INVALID,
                        "a message has at least one byte and at most %d descriptors, not %zu and %zu", DRY_PASS_MAX,
                        n, n_fds);
    for (size_t i = 0; i < n_fds; i++)
        if (dry_own_fd_is(fds[i]))
            return dry_fail(err, DRY_DENIED,
                            "descriptor %d is the segment's own, by which its writer writes, locks and takes back; "
                            "send the one of a view of it (dry_segment_fd_of), which only reads",
                            fds[i]);
    int sys = dry_os_send(socket, bytes, n, fds, n_fds);
    switch (sys) {
    case 0: return DRY_OK;
    case EPIPE:
    case ECONNRESET:
        return dry_fail_sys(err, DRY_IO, sys, "socket %d: nobody reads on the other side any more", socket);
    case EMSGSIZE:
        return dry_fail(err, DRY_TOO_BIG,
                        "a message of %zu bytes is more than the buffer of socket %d takes; send less, and large "
                        "data as a segment",
                        n, socket);
    case ETOOMANYREFS:
        return dry_fail_sys(err, DRY_FULL, sys,
                            "socket %d: too many descriptors of this user are on their way; let them be "
                            "received first, or raise the limit (ulimit -n)",
                            socket);
    default: return fail_socket(sys, socket, err);
    }
}

enum dry_status dry_pass_receive(int socket, void *bytes, size_t size, size_t *n, int *fds, size_t cap, size_t *n_fds,
                                 struct dry_sender *from, struct dry_error *err)
{
    struct dry_os_credentials who;
    if (size == 0) return dry_fail(err, DRY_INVALID, "a message has at least one byte, and there is room for none");
    int sys = dry_os_receive(socket, bytes, size, n, fds, cap, n_fds, &who);
    if (sys == EMSGSIZE)
        return dry_fail(err, DRY_TOO_BIG,
                        "socket %d: the message has more than %zu bytes or %zu descriptors; it was dropped", socket,
                        size, cap);
    if (sys == ECONNRESET)
        return dry_fail_sys(err, DRY_IO, sys, "socket %d: the other side went before it had read all", socket);
    if (sys) return fail_socket(sys, socket, err);
    if (from) *from = (struct dry_sender){.known = who.known, .pid = who.pid, .user = who.user, .group = who.group};
    return DRY_OK;
}

enum dry_status dry_pass_ask_sender(int socket, struct dry_error *err)
{
    int sys = dry_os_ask_credentials(socket);
    return sys ? fail_socket(sys, socket, err) : DRY_OK;
}

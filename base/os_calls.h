/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How os.c and os_share.c make system calls: faults forced by tests, calls that a signal interrupts made again, and
 * 0 or an errno instead of -1. Private to these two.
 */
#ifndef DRY_OS_CALLS_H
#define DRY_OS_CALLS_H

#include "os.h"

#include <errno.h>
#include <stdio.h>

#ifdef DRY_STEPS
static inline int fault(const char *call) { return dry_os_fault ? dry_os_fault(call) : 0; }
#else
#define fault(call) ((void)(call), 0)
#endif

#define MAY_FAIL(name)                                                                                                \
    do {                                                                                                              \
        int fault_ = fault(name);                                                                                     \
        if (fault_) return fault_;                                                                                    \
    } while (0)

/* The value of a system call that is made again as long as a signal interrupts it. */
#define UNINTERRUPTED(call)                                                                                           \
    ({                                                                                                                \
        __typeof__(call) value_;                                                                                      \
        do                                                                                                            \
            value_ = (call);                                                                                          \
        while (value_ == -1 && errno == EINTR);                                                                       \
        value_;                                                                                                       \
    })

/* The same where all that counts is whether it worked, or the descriptor that it yields: 0 or an errno. */
#define OUTCOME(call) (UNINTERRUPTED(call) < 0 ? errno : 0)
#define OPENED(call, out)                                                                                             \
    ({                                                                                                                \
        int fd_ = UNINTERRUPTED(call);                                                                                \
        if (fd_ >= 0) *(out) = fd_;                                                                                   \
        fd_ < 0 ? errno : 0;                                                                                          \
    })

/* The name under which the kernel lets a descriptor of ours be opened, linked or watched once more. */
struct fd_path {
    char text[32];
};

static inline struct fd_path path_of(int fd)
{
    struct fd_path path;
    snprintf(path.text, sizeof path.text, "/proc/self/fd/%d", fd);
    return path;
}

#endif

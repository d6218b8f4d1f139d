/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * pass: how a segment gets from one process to another. What each way needs, and how it ends: docs/sharing.md.
 *
 *     way                    needs                                          works after the creator's death
 *     a handle (text)        same user, same PID namespace, /proc           only if the opener inherited it
 *     Unix socket            a connected socket; any user, any namespace    yes: the message holds the memory
 *     inheritance            a child process (fork, or exec with the number yes
 *                            in the environment)
 *
 * A handle is at most 127 bytes of printable ASCII without spaces: it survives pickling, environment variables and
 * command lines, and may be opened by any number of processes for as long as the creator keeps the segment. It says
 * which descriptor of which process to reopen (pid and start time, PID namespace, descriptor number) and which memory
 * has to be found there (device, inode, size, generation): a recycled pid, a reused number or a segment that was
 * taken back is an error, never another's memory. It is a name, not a key: who may open it is decided by the kernel.
 *
 * Thread rules: any thread may call anything here. The environment is read (getenv) by dry_handle_open and
 * dry_pass_inherit: no other thread may be changing it then.
 */
#ifndef DRY_PASS_H
#define DRY_PASS_H

#include "segment.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- handles ---- */
#define DRY_HANDLE_SIZE 128 /* with the NUL */
/* The handle of a protected, sealed or offered segment. INVALID for another; DENIED in the child of a fork. */
DRY_API enum dry_status dry_segment_handle(const struct dry_segment *s, char out[DRY_HANDLE_SIZE],
                                           struct dry_error *err) DRY_MUST_CHECK;
/* The handle of what a view shows (all of it), through the descriptor that it holds (dry_segment_fd_of); it serves as
 * long as this process keeps the view. INVALID: there is no descriptor. */
DRY_API enum dry_status dry_view_handle(const struct dry_view *v, char out[DRY_HANDLE_SIZE],
                                        struct dry_error *err) DRY_MUST_CHECK;
/* Opens what a handle names: a new description, read-only or (where it is offered) read-write, CLOEXEC, for
 * dry_segment_attach; the caller closes it. Ways, in this order: a descriptor that this process inherited, /proc,
 * and, read-only, pidfd_getfd. INVALID: no handle, or a mutilated one; NOT_FOUND: its creator has ended, or let it
 * go, or took it back; DENIED: another user, another PID namespace, a mode, each with what to do. Waits for some
 * milliseconds at most. */
DRY_API enum dry_status dry_handle_open(const char *handle, bool writable, int *fd,
                                        struct dry_error *err) DRY_MUST_CHECK;

/* dry_handle_open and dry_segment_attach in one, with one description less to open. */
DRY_API enum dry_status dry_handle_attach(const char *handle, const struct dry_attach_options *options,
                                          const struct dry_allocator *a, struct dry_view *out,
                                          struct dry_attached *about, struct dry_error *err) DRY_MUST_CHECK;
/* Whether a text is a handle, wherever it leads. */
DRY_API bool dry_handle_is(const char *text);

/* ---- inheritance ---- */
/* Prepares a descriptor for a child that execs: a read-only description of its own that stays open over exec, and
 * `out`, "DRYSTONE_INHERITED=NUMBERS" to be put into the child's environment, in which dry_handle_open finds it (and
 * those that were there before). Every child that is started while it is open gets it, so the caller closes *fd once
 * its child has been started. INVALID: `from` is no file; FULL: the list would be too long. */
#define DRY_INHERIT_SIZE 1024
DRY_API enum dry_status dry_pass_inherit(int from, int *fd, char out[DRY_INHERIT_SIZE],
                                         struct dry_error *err) DRY_MUST_CHECK;

/* ---- Unix sockets ----
 * SOCK_SEQPACKET keeps messages apart. A SOCK_STREAM is a stream: there bytes come in other portions than they were
 * sent in, and what a receive gives are at most the descriptors of one message, with its first byte or after bytes of
 * earlier ones; let the other side answer before the next message, or send descriptors in an order that needs no
 * bytes. */
#define DRY_PASS_MAX 253 /* descriptors in one message */
struct dry_sender {
    bool known; /* false: the socket was not asked to tell when it was sent, or the sender has no pid in our namespace
                 */
    int64_t pid;
    uint32_t user, group;
};
/* One message of n >= 1 bytes, and descriptors. DENIED for a segment's own (dry_segment_fd): a description that two
 * processes share makes its locks and leases lie; send dry_segment_fd_of a view, or what dry_handle_open gave. Blocks
 * as the socket does (TIMEOUT where that does not wait), but what a stream took a part of is sent to its end. IO when
 * nobody reads; TOO_BIG for the socket's buffer; FULL: too many descriptors are under way. */
DRY_API enum dry_status dry_pass_send(int socket, const void *bytes, size_t n, const int *fds, size_t n_fds,
                                      struct dry_error *err) DRY_MUST_CHECK;
/* The next message. *n = 0: the other side has closed (or sent an empty message, which counts as that). TOO_BIG: it
 * had more bytes or descriptors than fit (those that came are closed). IO: no descriptor is free here for those that
 * it had. TIMEOUT: nothing is there, and the socket does not wait. Descriptors are CLOEXEC and the caller's. `from`
 * may be NULL. What comes is as trustworthy as its sender: attach checks it. */
DRY_API enum dry_status dry_pass_receive(int socket, void *bytes, size_t size, size_t *n, int *fds, size_t cap,
                                         size_t *n_fds, struct dry_sender *from,
                                         struct dry_error *err) DRY_MUST_CHECK;
/* Has the kernel vouch for the senders of what comes from now on. */
DRY_API enum dry_status dry_pass_ask_sender(int socket, struct dry_error *err) DRY_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The edge to the operating system: only os.c and os_share.c (what concerns other processes) make system calls, know
 * kernel constants newer than the headers, or have an #ifdef for a platform (limits.c beside them reads what the
 * kernel says in text). Private to the library.
 *
 * Every function restarts after EINTR, sets CLOEXEC on every descriptor, and answers with 0 or an errno (positive),
 * never with -1. Outputs are untouched on failure. Any thread may call anything here.
 *
 * A file that would outgrow RLIMIT_FSIZE is EFBIG and untouched: the limit is looked at before the call, because the
 * kernel's own answer is SIGXFSZ, which kills, and a library must not change its process's signal handlers.
 *
 * Tests force failures and missing kernel features through one seam: built with -DDRY_STEPS, each function first asks
 * dry_os_fault (if set) with its own name, e.g. "collapse" or "open_unnamed"; an answer other than 0 is returned as
 * its errno and the call is not made. Where a function has a newer and an older way, the newer one asks under a name
 * of its own: "memfd_noexec", "link_direct", "rename_noreplace". dry_os_clock, if set, is the clock
 * (but for the time of day).
 */
#ifndef DRY_OS_H
#define DRY_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef DRY_STEPS
extern int (*dry_os_fault)(const char *call);
extern int64_t (*dry_os_clock)(void);
#endif

/* What the kernel maps at once for a huge page, where it can; the grid of the fill path. */
#define DRY_HUGE_BYTES ((size_t)2 << 20)

/* ---- files ---- */
enum dry_os_kind { DRY_OS_FILE, DRY_OS_DIRECTORY, DRY_OS_OTHER };
struct dry_os_stat {
    enum dry_os_kind kind;
    uint64_t size_bytes;
    uint64_t held_bytes; /* pages that the file really occupies */
    uint64_t inode, device;
    uint32_t mode; /* permission bits, 07777 */
    uint32_t owner;
    uint32_t links;
    int64_t modified_ns; /* since 1970, UTC */
};
int dry_os_stat(int fd, struct dry_os_stat *out);
/* `name` relative to `dirfd`; a link is not followed (kind OTHER). */
int dry_os_stat_at(int dirfd, const char *name, struct dry_os_stat *out);
/* A directory, itself no link (ENOTDIR where it is one, also when the path ends in a slash). */
int dry_os_open_directory(const char *path, int *fd);
int dry_os_make_directory(const char *path, uint32_t mode);
/* The absolute path of the working directory; ERANGE when it does not fit in `size`. */
int dry_os_working_directory(char *out, size_t size);
/* A file in `dirfd` for reading only; never follows a link, never blocks on a FIFO (refused later by its kind). */
int dry_os_open_read(int dirfd, const char *name, int *fd);
/* Any path, for reading (may be a pipe or a link: the user named it). */
int dry_os_open_path(const char *path, int *fd);
/* A file without a name in `dirfd`, read-write, mode 0600 (O_TMPFILE). EOPNOTSUPP or EISDIR where there is no such
 * thing. */
int dry_os_open_unnamed(int dirfd, int *fd);
/* A new file of that name, read-write, mode 0600; EEXIST if the name is taken. */
int dry_os_open_new(int dirfd, const char *name, int *fd);
/* A second, read-only description of what `fd` has open (through /proc/self/fd): own offset, own locks, own lease. */
int dry_os_reopen_read(int fd, int *out);
/* The same, read-write; ETXTBSY, EACCES, EPERM where mode or seals forbid it. */
int dry_os_reopen_write(int fd, int *out);
/* Gives an unnamed file its name; EEXIST if it is taken. Needs either a kernel that lets anybody do so, or /proc. */
int dry_os_link(int fd, int dirfd, const char *name);
/* Atomically moves; with `replace` false EEXIST if `to` is there (where the file system has no such move, a second
 * name is made and the first one taken away: never a loss, but both are there for a moment). */
int dry_os_rename(int dirfd, const char *from, const char *to, bool replace);
/* Two names of one directory change their files, atomically; ENOENT if one is missing, EINVAL where the file system
 * has no such move. */
int dry_os_exchange(int dirfd, const char *a, const char *b);
int dry_os_unlink(int dirfd, const char *name);
int dry_os_set_mode(int fd, uint32_t mode);
int dry_os_set_size(int fd, uint64_t size_bytes);
/* The time of the last change, as dry_os_stat tells it. */
int dry_os_set_modified(int fd, int64_t modified_ns);
int dry_os_sync(int fd);
void dry_os_close(int fd);
/* Has the file system allocate [from, from + n) without writing, which also makes the file that long; EOPNOTSUPP
 * where it cannot. After a failure a part may be allocated. */
int dry_os_allocate(int fd, uint64_t from, uint64_t n);
/* All of `n` bytes or an errno; ENODATA when the file ends first. */
int dry_os_read_at(int fd, void *into, size_t n, uint64_t offset);
int dry_os_write_at(int fd, const void *from, size_t n, uint64_t offset);
/* At the descriptor's own position; wait where that is non-blocking. `*got` < n only at the end of the stream. */
int dry_os_read(int fd, void *into, size_t n, size_t *got);
int dry_os_write(int fd, const void *from, size_t n);
/* Whether pread works on it (a regular file), and where its position is. */
bool dry_os_is_seekable(int fd, uint64_t *position);
/* Calls `visit` for each entry's name but "." and ".."; stops at the first answer other than 0 and returns it. */
int dry_os_list(int dirfd, int (*visit)(void *self, const char *name), void *self);
/* A whole-file lock of the open file description (never of the process): exclusive needs a writable description,
 * shared a readable one. EAGAIN if somebody else's is in the way. Freed by the kernel with the last descriptor and
 * mapping of that description. */
int dry_os_lock(int fd, bool exclusive);
/* A write lease: granted only while no other description of the file is open or mapped, in any process (a memfd must
 * be a reopened description, with the original closed; dup, fork and SCM_RIGHTS of this one are not seen, O_PATH
 * neither). EAGAIN: somebody has it. While it is held, an open(2) of the file blocks (EWOULDBLOCK for O_NONBLOCK), 45 s
 * at most, and we get SIGURG, which does nothing. EACCES: the file is another user's; EINVAL: no leases here. */
int dry_os_lease(int fd);
/* Whether it is held and nobody waits for it: false as soon as somebody has asked to open the file. */
int dry_os_has_lease(int fd, bool *whole);
int dry_os_unlease(int fd);

/* ---- mapping ---- */
/* Maps [0, n) of `fd` read-only and shared at an address that is a multiple of 2 MiB when n is at least 1 MiB (so
 * that huge pages stay huge in the reader). */
int dry_os_map_read(int fd, size_t n, void **at);
/* Maps [offset, offset + n), offset a multiple of 2 MiB, read-write and shared, aligned as map_read does, not inherited
 * over fork. Not within dry_os_fork_hold, which it takes itself. */
int dry_os_map_write(int fd, uint64_t offset, size_t n, void **at);
/* Makes such a mapping longer (both sizes multiples of the page size), at the same place if it is free and as
 * aligned as map_write would, else at a multiple of 2 MiB: page tables move, bytes do not. *at is untouched on failure. */
int dry_os_map_grow(void **at, size_t old_size, size_t new_size);
/* Takes n addresses, at a multiple of 2 MiB, in which nothing can be read or written; dry_os_unmap gives them back. */
int dry_os_reserve_addresses(size_t n, void **at);
/* As dry_os_map_write, over addresses that were reserved. */
int dry_os_map_write_over(int fd, uint64_t offset, size_t n, void *at);
/* As dry_os_map_write from 0, for a file that is somebody else's: inherited over fork like any mapping. */
int dry_os_map_shared(int fd, size_t n, void **at);
void dry_os_unmap(void *at, size_t n);
/* MADV_COLLAPSE of a mapped 2 MiB range. EINVAL: not this range; ENOSYS: this kernel does not know it (probed
 * once). */
int dry_os_collapse(void *at, size_t n);
/* Faults pages in without touching them (MADV_POPULATE_READ / _WRITE); ENOSYS where unknown. */
int dry_os_populate(void *at, size_t n, bool for_writing);
size_t dry_os_page_bytes(void);
/* Where the pages of a shared mapping are to come from: the NUMA nodes in the mask (bit i = node i), strictly (`bind`) or
 * in turn. EINVAL: no such node; ENOSYS: this kernel has no NUMA. */
int dry_os_bind_memory(void *at, size_t n, uint64_t nodes, bool bind);
/* How many pages of a mapping are in memory, in bytes; of a file that is not this user's: all (the kernel tells
 * nothing). */
int dry_os_resident(const void *at, size_t n, uint64_t *bytes);
/* RLIMIT_AS; UINT64_MAX = none. */
uint64_t dry_os_address_limit(void);

/* ---- memfd ---- */
/* Sealable, CLOEXEC, and NOEXEC_SEAL where the kernel knows it. */
int dry_os_memfd(const char *name, int *fd);
/* The same out of the system's reserved 2 MiB pages: sizes are multiples of 2 MiB, write(2) does not work, allocate
 * says ENOSPC when none is left. */
int dry_os_memfd_huge(const char *name, int *fd);
enum {
    DRY_OS_SEAL_SEAL = 1,
    DRY_OS_SEAL_SHRINK = 2,
    DRY_OS_SEAL_GROW = 4,
    DRY_OS_SEAL_WRITE = 8,
    DRY_OS_SEAL_FUTURE_WRITE = 16
};
int dry_os_add_seals(int fd, unsigned seals);
int dry_os_get_seals(int fd, unsigned *seals);

/* ---- room ---- */
struct dry_os_mount {
    uint64_t size_bytes, free_bytes; /* free: what this user may still use; both 0 where the mount has no limit */
    bool in_memory;                  /* tmpfs or ramfs: nothing to sync, gone at reboot */
    bool read_only;
    char type[16]; /* "tmpfs", "ext4", "overlay" ...; "?" if unknown */
};
int dry_os_mount(int fd, struct dry_os_mount *out);
/* Sets type and in_memory from the kernel's number for a file system. */
void dry_os_name_mount(uint32_t magic, struct dry_os_mount *mount);
/* RLIMIT_FSIZE; UINT64_MAX = none. */
uint64_t dry_os_file_size_limit(void);
/* The tightest memory cgroup above this process, v2 and v1, its ancestors included. found = false: none has a
 * limit. */
struct dry_os_cgroup {
    bool found;
    uint64_t limit_bytes, used_bytes; /* used without file pages that the kernel can drop at once */
    char path[256];
};
int dry_os_cgroup(struct dry_os_cgroup *out);
/* The same with proc/ and sys/ below `root` ("" = the real ones). A file that is missing says nothing. */
int dry_os_cgroup_under(const char *root, struct dry_os_cgroup *out);
/* What the system could still give, at the cost of its caches and of swap; UINT64_MAX where it does not say. */
uint64_t dry_os_memory_left(void);
uint64_t dry_os_memory_left_under(const char *root);
/* The path of the memory cgroup that this process is in, as /proc/self/cgroup says it; "" where there is none, cut where
 * it does not fit. */
int dry_os_memory_group(char *out, size_t size);
int dry_os_memory_group_under(const char *root, char *out, size_t size);

/* ---- events ---- */
/* inotify on a directory for names that appear (created or moved in) or go (deleted or moved out). The descriptor is
 * non-blocking and pollable. EMFILE = fs.inotify.max_user_instances, ENOSPC = max_user_watches. */
int dry_os_watch(int dirfd, int *fd);
/* Reads what is there. `visit` gets each name and whether it appeared (false: went); name NULL = events were lost, or
 * the directory itself went: look at it. EAGAIN = nothing there. */
int dry_os_watch_read(int fd, void (*visit)(void *self, const char *name, bool appeared), void *self);
/* Waits until `fd` is readable (or at its end); timeout in ms, negative = for ever. ETIMEDOUT. */
int dry_os_poll(int fd, int64_t timeout_ms);

/* ---- the rest ---- */
uint32_t dry_os_user(void);
int64_t dry_os_monotonic_ns(void);
int64_t dry_os_thread_ns(void);   /* processor time of the calling thread, in the kernel too */
int64_t dry_os_realtime_ns(void); /* since 1970, UTC: the clock of modified_ns */
/* `n` bytes that no other process guesses. */
int dry_os_random(void *into, size_t n);

/* ---- other processes (os_share.c) ---- */
/* When the process began, in clock ticks since boot: with the pid it names a process for good. ESRCH: there is none,
 * or it has ended and nobody has waited for it yet; EACCES, EPERM: /proc hides it. Read from /proc. */
int dry_os_process_start(int64_t pid, uint64_t *ticks);
int64_t dry_os_process(void);
/* The inode of this process's PID namespace: in another one a pid means another process. ENOENT: /proc is not mounted;
 * EXDEV: it is, but for another namespace, so that /proc/PID is not who it seems. */
int dry_os_pid_namespace(uint64_t *inode);
/* What descriptor `number` of process `pid` leads to, as a descriptor that can be looked at (dry_os_stat), not read:
 * nothing is opened, so that a device, a FIFO and a lease do not notice. ENOENT: it is closed there, or there is no
 * such process; EACCES: not this process's to look at. */
int dry_os_find_of_process(int64_t pid, int number, int *fd);
/* A new description of what `fd` leads to (also one that was only found), at once: EAGAIN while somebody else has a
 * lease on it; on a FIFO it does not wait. EACCES, EPERM: the mode of the file. */
int dry_os_reopen_now(int fd, bool writable, int *out);
/* The description itself, through pidfd_getfd: shared with its owner, so never for locks or leases. EPERM: needs the
 * rights of a debugger; ENOSYS, in containers EPERM. */
int dry_os_take_of_process(int64_t pid, int number, int *fd);
/* Whether a descriptor survives exec. */
int dry_os_set_inherited(int fd, bool inherited);
/* Whether the description, which can be read, may be written through as well. EACCES: it cannot be read. */
int dry_os_is_writable(int fd, bool *writable);
int dry_os_duplicate(int fd, int *out);
enum { DRY_OS_PASS_MAX = 253 }; /* descriptors in one message: the kernel's limit */
struct dry_os_credentials {
    bool known;
    int64_t pid;
    uint32_t user, group;
};
/* One message of `n` bytes (at least 1) and descriptors, never SIGPIPE. EPIPE: nobody reads any more; EAGAIN: nothing
 * was sent; EAFNOSUPPORT: not a Unix socket, and descriptors. */
int dry_os_send(int socket, const void *bytes, size_t n, const int *fds, size_t n_fds);
/* The next message: at most `size` bytes and `cap` descriptors, CLOEXEC. `*n` 0: the other side has closed (or sent an
 * empty message, whose descriptors are closed). EMSGSIZE: it had more of either; EMFILE: not all of its descriptors
 * could be opened here; what came is closed. `from`, if not NULL: who sent it, as the kernel vouches (the socket must
 * have been asked to by dry_os_ask_credentials before it was sent; unknown is also who has no pid in this namespace). */
int dry_os_receive(int socket, void *bytes, size_t size, size_t *n, int *fds, size_t cap, size_t *n_fds,
                   struct dry_os_credentials *from);
int dry_os_ask_credentials(int socket);

/* ---- fork ----
 * Descriptors that the child of a fork must not keep: a private description that outlived its process in a child would
 * hold locks and memory. The child closes them before fork returns and finds -1 in them. (A child made by a raw clone,
 * or by vfork, is not reached: it must exec, and the descriptors are CLOEXEC.) */
struct dry_own_fd {
    int fd; /* -1: none, or this is a child */
    struct dry_own_fd *next, **back;
};
/* Between the two no fork happens in another thread: open, and register, in one go. Short, never nested. */
void dry_os_fork_hold(void);
void dry_os_fork_release(void);
/* Takes the descriptor over; within hold and release. `own` stays where it is until dry_own_fd_close. */
void dry_own_fd_set(struct dry_own_fd *own, int fd);
/* Whether `fd` is such a one. O(number of them). */
bool dry_own_fd_is(int fd);
/* Closes it, if it is there. */
void dry_own_fd_close(struct dry_own_fd *own);

/* ---- threads ----
 * Calls `work(self, i)` for each i in [0, n), 1 <= n <= 64, each in a thread of its own but the first, which runs here;
 * returns when all have ended. Where no thread can be made, the caller's does the work. */
void dry_os_in_parallel(unsigned n, void (*work)(void *self, unsigned i), void *self);

/* ---- a word in shared memory ---- */
/* Sleeps while the aligned uint32_t at `word` is `expected`, at most `timeout_ns`. EAGAIN: it is another; ETIMEDOUT; 0 =
 * woken, or by nothing at all (here a signal ends the call). */
int dry_os_futex_wait(const void *word, uint32_t expected, int64_t timeout_ns);
/* Wakes all that sleep on it, in any process. */
void dry_os_futex_wake(const void *word);

#endif

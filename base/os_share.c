/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The part of the edge that concerns other processes: descriptors that travel, processes by name, leases, mappings
 * that grow, what a fork's child must not keep.
 */
#define _GNU_SOURCE
#include "check.h"
#include "os_calls.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Younger than the headers of some systems that have the kernel for them. */
enum { MOVE_EXCHANGE = 2, SCM_IS_PIDFD = 4 };
enum {
    MEMFD_CLOEXEC = 1,
    MEMFD_ALLOW_SEALING = 2,
    MEMFD_HUGETLB = 4,
    MEMFD_NOEXEC_SEAL = 8,
    MEMFD_HUGE_2M = 21 << 26
};
enum { CALL_PIDFD_OPEN = 434, CALL_PIDFD_GETFD = 438 };
enum { POLICY_BIND = 2, POLICY_INTERLEAVE = 3 };

/* ---- files ---- */
int dry_os_reopen_write(int fd, int *out)
{
    MAY_FAIL("reopen_write");
    return OPENED(open(path_of(fd).text, O_RDWR | O_CLOEXEC), out);
}

int dry_os_exchange(int dirfd, const char *a, const char *b)
{
    MAY_FAIL("exchange");
    return OUTCOME(syscall(SYS_renameat2, dirfd, a, dirfd, b, MOVE_EXCHANGE));
}

int dry_os_set_modified(int fd, int64_t modified_ns)
{
    MAY_FAIL("set_modified");
    int64_t seconds = modified_ns / 1000000000, rest = modified_ns % 1000000000;
    if (rest < 0) { /* before 1970 */
        seconds--;
        rest += 1000000000;
    }
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = rest}};
    return OUTCOME(futimens(fd, times));
}

/* SIGIO, which the kernel sends when somebody opens the file, ends a process that does not expect it; so another
 * signal is chosen before the lease, one that is ignored by default, and the addressee is taken away after it. */
int dry_os_lease(int fd)
{
    MAY_FAIL("lease");
    int sys = OUTCOME(fcntl(fd, F_SETSIG, SIGURG));
    if (!sys) sys = OUTCOME(fcntl(fd, F_SETLEASE, F_WRLCK));
    if (!sys) (void)fcntl(fd, F_SETOWN, 0);
    return sys;
}

int dry_os_has_lease(int fd, bool *whole)
{
    MAY_FAIL("has_lease");
    int now = UNINTERRUPTED(fcntl(fd, F_GETLEASE));
    if (now < 0) return errno;
    *whole = now == F_WRLCK;
    return 0;
}

int dry_os_unlease(int fd)
{
    MAY_FAIL("unlease");
    return OUTCOME(fcntl(fd, F_SETLEASE, F_UNLCK));
}

int dry_os_memfd_huge(const char *name, int *fd)
{
    const unsigned flags = MEMFD_CLOEXEC | MEMFD_ALLOW_SEALING | MEMFD_HUGETLB | (unsigned)MEMFD_HUGE_2M;
    MAY_FAIL("memfd_huge");
    int sys = fault("memfd_noexec");
    if (!sys) sys = OPENED(memfd_create(name, flags | MEMFD_NOEXEC_SEAL), fd);
    return sys == EINVAL ? OPENED(memfd_create(name, flags), fd) : sys;
}

int dry_os_set_inherited(int fd, bool inherited)
{
    MAY_FAIL("set_inherited");
    return OUTCOME(fcntl(fd, F_SETFD, inherited ? 0 : FD_CLOEXEC));
}

int dry_os_is_writable(int fd, bool *writable)
{
    MAY_FAIL("is_writable");
    int flags = UNINTERRUPTED(fcntl(fd, F_GETFL));
    if (flags < 0) return errno;
    if ((flags & O_ACCMODE) == O_WRONLY || flags & O_PATH) return EACCES;
    *writable = (flags & O_ACCMODE) == O_RDWR;
    return 0;
}

int dry_os_duplicate(int fd, int *out)
{
    MAY_FAIL("duplicate");
    return OPENED(fcntl(fd, F_DUPFD_CLOEXEC, 0), out);
}

/* ---- mappings ---- */
int dry_os_map_shared(int fd, size_t n, void **at)
{
    void *start;
    MAY_FAIL("map_shared");
    int sys = dry_os_map_write(fd, 0, n, &start);
    if (sys) return sys;
    if (madvise(start, n, MADV_DOFORK) < 0) {
        sys = errno;
        munmap(start, n);
        return sys;
    }
    *at = start;
    return 0;
}

/* Takes one huge page too many, and gives the ends back. */
int dry_os_reserve_addresses(size_t n, void **at)
{
    size_t whole;
    MAY_FAIL("reserve_addresses");
    if (dry_add_overflows(n, DRY_HUGE_BYTES, &whole)) return ENOMEM;
    uint8_t *room = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return errno;
    size_t before = (size_t)(-(uintptr_t)room & (DRY_HUGE_BYTES - 1));
    if (before) munmap(room, before);
    munmap(room + before + n, whole - before - n);
    (void)madvise(room + before, n, MADV_DONTFORK); /* a child has no use for them, but they would do no harm */
    *at = room + before;
    return 0;
}

int dry_os_map_write_over(int fd, uint64_t offset, size_t n, void *at)
{
    MAY_FAIL("map_write_over");
    dry_os_fork_hold(); /* a child that is forked between the two would keep the mapping */
    void *got = mmap(at, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, (off_t)offset);
    int sys = got == MAP_FAILED ? errno : OUTCOME(madvise(at, n, MADV_DONTFORK));
    dry_os_fork_release();
    return sys;
}

static int move_mapping(void *from, size_t old_size, size_t new_size, void **at)
{
    size_t whole;
    if (dry_add_overflows(new_size, DRY_HUGE_BYTES, &whole)) return ENOMEM;
    uint8_t *room = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return errno;
    size_t before = (size_t)(-(uintptr_t)room & (DRY_HUGE_BYTES - 1));
    uint8_t *start = room + before;
    if (mremap(from, old_size, new_size, MREMAP_MAYMOVE | MREMAP_FIXED, start) == MAP_FAILED) {
        int sys = errno;
        munmap(room, before);
        munmap(start + new_size, whole - before - new_size);
        /* The kernel may have taken [start, start + new_size) away before it failed; then it is not ours to unmap. */
        return sys;
    }
    if (before) munmap(room, before);
    munmap(start + new_size, whole - before - new_size);
    *at = start;
    return 0;
}

int dry_os_map_grow(void **at, size_t old_size, size_t new_size)
{
    MAY_FAIL("map_grow");
    bool stays = new_size < DRY_HUGE_BYTES / 2 || (uintptr_t)*at % DRY_HUGE_BYTES == 0;
    if (stays && !fault("map_grow_in_place") && mremap(*at, old_size, new_size, 0) != MAP_FAILED) return 0;
    return move_mapping(*at, old_size, new_size, at);
}

int dry_os_bind_memory(void *at, size_t n, uint64_t nodes, bool bind)
{
    unsigned long mask[2] = {(unsigned long)nodes, 0};
    MAY_FAIL("bind_memory");
    return OUTCOME(syscall(SYS_mbind, at, n, bind ? POLICY_BIND : POLICY_INTERLEAVE, mask, 65, 0));
}

int dry_os_resident(const void *at, size_t n, uint64_t *bytes)
{
    unsigned char seen[4096];
    size_t page = dry_os_page_bytes();
    const uint8_t *next = (const uint8_t *)((uintptr_t)at & ~(uintptr_t)(page - 1));
    const uint8_t *end = (const uint8_t *)at + n;
    uint64_t pages = 0;
    MAY_FAIL("resident");
    if (n == 0) end = next;
    while (next < end) {
        size_t left = (size_t)(end - next + (ptrdiff_t)page - 1) / page;
        size_t some = left < sizeof seen ? left : sizeof seen;
        if (mincore((void *)(uintptr_t)next, some * page, seen) < 0) return errno;
        for (size_t i = 0; i < some; i++)
            pages += seen[i] & 1;
        next += some * page;
    }
    *bytes = pages * page;
    return 0;
}

uint64_t dry_os_address_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
    return limit.rlim_cur;
}

/* ---- processes ---- */
int64_t dry_os_process(void)
{
    return getpid();
}

/* Field 22 of /proc/PID/stat. The second is the command in parentheses, which may hold anything: count behind it. */
int dry_os_process_start(int64_t pid, uint64_t *ticks)
{
    char path[48], text[1024];
    size_t got = 0;
    int fd;
    MAY_FAIL("process_start");
    if (pid < 1 || pid > INT_MAX) return ESRCH;
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    int sys = dry_os_open_path(path, &fd);
    /* hidepid hides the living. */
    if (sys == ENOENT) return kill((pid_t)pid, 0) < 0 && errno == ESRCH ? ESRCH : EACCES;
    if (sys) return sys;
    sys = dry_os_read(fd, text, sizeof text - 1, &got);
    dry_os_close(fd);
    if (sys) return sys;
    text[got] = '\0';
    const char *at = strrchr(text, ')');
    if (!at || strncmp(at, ") Z", 3) == 0 || strncmp(at, ") X", 3) == 0) return ESRCH; /* dead, not yet waited for */
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at) return ESRCH;
    *ticks = strtoull(at + 1, NULL, 10);
    return 0;
}

int dry_os_pid_namespace(uint64_t *inode)
{
    struct stat st;
    char self[24] = {0};
    MAY_FAIL("pid_namespace");
    if (readlink("/proc/self", self, sizeof self - 1) < 0 || stat("/proc/self/ns/pid", &st) < 0) return errno;
    if (strtoll(self, NULL, 10) != getpid()) return EXDEV;
    *inode = st.st_ino;
    return 0;
}

int dry_os_find_of_process(int64_t pid, int number, int *fd)
{
    char path[64];
    MAY_FAIL("find_of_process");
    snprintf(path, sizeof path, "/proc/%lld/fd/%d", (long long)pid, number);
    return OPENED(open(path, O_PATH | O_CLOEXEC), fd);
}

int dry_os_reopen_now(int fd, bool writable, int *out)
{
    MAY_FAIL("reopen_now");
    return OPENED(open(path_of(fd).text, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), out);
}

int dry_os_take_of_process(int64_t pid, int number, int *fd)
{
    int pidfd = -1, sys;
    MAY_FAIL("take_of_process");
    sys = OPENED((int)syscall(CALL_PIDFD_OPEN, (pid_t)pid, 0), &pidfd);
    if (sys) return sys;
    sys = OPENED((int)syscall(CALL_PIDFD_GETFD, pidfd, number, 0), fd);
    close(pidfd);
    return sys;
}

/* ---- sockets ---- */
/* What a stream socket did not take at once: what was begun has to be sent whole, also where it would not wait. */
static int send_rest(int socket, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        struct pollfd one = {.fd = socket, .events = POLLOUT};
        ssize_t sent = UNINTERRUPTED(send(socket, bytes, n, MSG_NOSIGNAL));
        if (sent < 0 && errno != EAGAIN) return errno;
        if (sent < 0 && UNINTERRUPTED(poll(&one, 1, -1)) < 0) return errno;
        if (sent < 0) continue;
        bytes += sent;
        n -= (size_t)sent;
    }
    return 0;
}

/* Others take descriptors without a word, and drop them. */
static bool is_unix_socket(int socket)
{
    int domain = 0;
    socklen_t size = sizeof domain;
    return getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 || domain == AF_UNIX;
}

int dry_os_send(int socket, const void *bytes, size_t n, const int *fds, size_t n_fds)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(DRY_OS_PASS_MAX * sizeof(int))];
    struct iovec io = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
    struct msghdr message = {.msg_iov = &io, .msg_iovlen = 1};
    MAY_FAIL("send");
    if (n == 0 || n_fds > DRY_OS_PASS_MAX) return EINVAL;
    if (n_fds > 0) {
        if (!is_unix_socket(socket)) return EAFNOSUPPORT;
        memset(control, 0, sizeof control);
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        *head = (struct cmsghdr){.cmsg_len = CMSG_LEN(n_fds * sizeof(int)),
                                 .cmsg_level = SOL_SOCKET,
                                 .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(head), fds, n_fds * sizeof(int));
    }
    ssize_t sent = UNINTERRUPTED(sendmsg(socket, &message, MSG_NOSIGNAL));
    if (sent < 0) return errno;
    /* The descriptors went with the first byte. */
    return send_rest(socket, (const uint8_t *)bytes + sent, n - (size_t)sent);
}

struct control {
    int fds[DRY_OS_PASS_MAX];
    size_t n_fds;
    struct dry_os_credentials from;
};

static void take_control(struct msghdr *message, struct control *came)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET) continue;
        if (head->cmsg_type == SCM_RIGHTS) {
            came->n_fds = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(came->fds, CMSG_DATA(head), came->n_fds * sizeof(int));
        }
        if (head->cmsg_type == SCM_CREDENTIALS) {
            struct ucred who;
            memcpy(&who, CMSG_DATA(head), sizeof who);
            /* Pid 0 and a user who is nobody: it was sent before the socket was asked to tell. */
            if (who.pid)
                came->from =
                    (struct dry_os_credentials){.known = true, .pid = who.pid, .user = who.uid, .group = who.gid};
        }
        if (head->cmsg_type == SCM_IS_PIDFD) { /* the caller's socket was told to bring one; nobody here wants it */
            int pidfd;
            memcpy(&pidfd, CMSG_DATA(head), sizeof pidfd);
            close(pidfd);
        }
    }
}

int dry_os_receive(int socket, void *bytes, size_t size, size_t *n, int *fds, size_t cap, size_t *n_fds,
                   struct dry_os_credentials *from)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(DRY_OS_PASS_MAX * sizeof(int)) +
                                          CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
    struct iovec io = {.iov_base = bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &io,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct control came = {.n_fds = 0};
    int sys = 0;
    MAY_FAIL("receive");
    ssize_t got = UNINTERRUPTED(recvmsg(socket, &message, MSG_CMSG_CLOEXEC));
    if (got < 0) return errno;
    take_control(&message, &came);
    if (came.n_fds > cap || message.msg_flags & MSG_TRUNC) sys = EMSGSIZE;
    /* There is room for all that the kernel lets through: it had no descriptor to give. */
    if (message.msg_flags & MSG_CTRUNC) sys = EMFILE;
    if (sys || got == 0) {
        for (size_t i = 0; i < came.n_fds; i++)
            close(came.fds[i]);
        came = (struct control){.n_fds = 0};
    }
    if (sys) return sys;
    if (came.n_fds) memcpy(fds, came.fds, came.n_fds * sizeof(int));
    *n_fds = came.n_fds;
    *n = (size_t)got;
    if (from) *from = came.from;
    return 0;
}

int dry_os_ask_credentials(int socket)
{
    const int on = 1;
    MAY_FAIL("ask_credentials");
    return OUTCOME(setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
}

/* ---- fork ---- */
static pthread_mutex_t own_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t own_once = PTHREAD_ONCE_INIT;
static struct dry_own_fd *own_first; /* guarded by own_lock */

static void before_fork(void)
{
    pthread_mutex_lock(&own_lock);
}

static void after_fork_in_parent(void)
{
    pthread_mutex_unlock(&own_lock);
}

static void after_fork_in_child(void)
{
    while (own_first) {
        struct dry_own_fd *own = own_first;
        own_first = own->next;
        close(own->fd); /* never an unlock: the lock is the parent's, by the same description */
        *own = (struct dry_own_fd){.fd = -1};
    }
    pthread_mutex_unlock(&own_lock);
}

/* If it cannot be had (no memory), children keep what they should not; nothing else is wrong. */
static void ask_for_forks(void)
{
    (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void dry_os_fork_hold(void)
{
    pthread_once(&own_once, ask_for_forks);
    pthread_mutex_lock(&own_lock);
}

void dry_os_fork_release(void)
{
    pthread_mutex_unlock(&own_lock);
}

void dry_own_fd_set(struct dry_own_fd *own, int fd)
{
    *own = (struct dry_own_fd){.fd = fd, .next = own_first, .back = &own_first};
    if (own_first) own_first->back = &own->next;
    own_first = own;
}

bool dry_own_fd_is(int fd)
{
    bool is = false;
    dry_os_fork_hold();
    for (const struct dry_own_fd *own = own_first; own && !is; own = own->next)
        is = own->fd == fd;
    dry_os_fork_release();
    return is;
}

void dry_own_fd_close(struct dry_own_fd *own)
{
    dry_os_fork_hold();
    if (own->fd >= 0) {
        *own->back = own->next;
        if (own->next) own->next->back = own->back;
        close(own->fd);
        *own = (struct dry_own_fd){.fd = -1};
    }
    dry_os_fork_release();
}

/* ---- threads ---- */
struct worker {
    void (*work)(void *self, unsigned i);
    void *self;
    unsigned i;
};

static void *run_worker(void *arg)
{
    const struct worker *w = arg;
    w->work(w->self, w->i);
    return NULL;
}

void dry_os_in_parallel(unsigned n, void (*work)(void *self, unsigned i), void *self)
{
    pthread_t threads[64];
    struct worker workers[64];
    bool started[64] = {false};
    sigset_t all, before;
    DRY_ASSERT(n >= 1 && n <= 64);
    if (n == 1) {
        work(self, 0);
        return;
    }
    /* The program's signals are for the program's own threads; those that a thread causes itself are for whoever
     * asked to hear of them. */
    static const int own_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    sigfillset(&all);
    for (size_t i = 0; i < sizeof own_faults / sizeof *own_faults; i++)
        sigdelset(&all, own_faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 1; i < n; i++) {
        workers[i] = (struct worker){.work = work, .self = self, .i = i};
        started[i] = !fault("thread") && pthread_create(&threads[i], NULL, run_worker, &workers[i]) == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    work(self, 0);
    for (unsigned i = 1; i < n; i++) {
        if (started[i])
            pthread_join(threads[i], NULL);
        else
            work(self, i);
    }
}

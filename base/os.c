/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "os.h"
#include "atomic.h"
#include "check.h"
#include "os_calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Younger than the headers of some systems that have the kernel for them. */
enum { ADVICE_POPULATE_READ = 22, ADVICE_POPULATE_WRITE = 23, ADVICE_COLLAPSE = 25 };
enum { MEMFD_CLOEXEC = 1, MEMFD_ALLOW_SEALING = 2, MEMFD_NOEXEC_SEAL = 8 };
enum { MOVE_NOREPLACE = 1 };

_Static_assert(DRY_OS_SEAL_SEAL == F_SEAL_SEAL && DRY_OS_SEAL_SHRINK == F_SEAL_SHRINK &&
                   DRY_OS_SEAL_GROW == F_SEAL_GROW && DRY_OS_SEAL_WRITE == F_SEAL_WRITE,
               "the seals are the kernel's own numbers");

#ifdef DRY_STEPS
int (*dry_os_fault)(const char *call);
int64_t (*dry_os_clock)(void);
#endif

static int64_t ns_of(struct timespec t) { return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec; }

/* ---- files ---- */
static enum dry_os_kind kind_of(mode_t mode)
{
    if (S_ISREG(mode)) return DRY_OS_FILE;
    return S_ISDIR(mode) ? DRY_OS_DIRECTORY : DRY_OS_OTHER;
}

static struct dry_os_stat stat_of(const struct stat *st)
{
    return (struct dry_os_stat){.kind = kind_of(st->st_mode), .size_bytes = (uint64_t)st->st_size,
                                .held_bytes = (uint64_t)st->st_blocks * 512, .inode = st->st_ino,
                                .device = st->st_dev, .mode = st->st_mode & 07777, .owner = st->st_uid,
                                .links = (uint32_t)st->st_nlink, .modified_ns = ns_of(st->st_mtim)};
}

int dry_os_stat(int fd, struct dry_os_stat *out)
{
    struct stat st;
    MAY_FAIL("stat");
    if (fstat(fd, &st) < 0) return errno;
    *out = stat_of(&st);
    return 0;
}

int dry_os_stat_at(int dirfd, const char *name, struct dry_os_stat *out)
{
    struct stat st;
    MAY_FAIL("stat_at");
    if (UNINTERRUPTED(fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW)) < 0) return errno;
    *out = stat_of(&st);
    return 0;
}

int dry_os_open_directory(const char *path, int *fd)
{
    char plain[PATH_MAX];
    size_t n = strlen(path);
    MAY_FAIL("open_directory");
    while (n > 1 && path[n - 1] == '/') n--; /* "link/" would be followed in spite of O_NOFOLLOW */
    if (n >= sizeof plain) return ENAMETOOLONG;
    memcpy(plain, path, n);
    plain[n] = '\0';
    return OPENED(open(plain, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), fd);
}

int dry_os_make_directory(const char *path, uint32_t mode)
{
    MAY_FAIL("make_directory");
    return OUTCOME(mkdir(path, mode));
}

int dry_os_working_directory(char *out, size_t size)
{
    MAY_FAIL("working_directory");
    return getcwd(out, size) ? 0 : errno;
}

int dry_os_open_read(int dirfd, const char *name, int *fd)
{
    MAY_FAIL("open_read");
    return OPENED(openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), fd);
}

int dry_os_open_path(const char *path, int *fd)
{
    MAY_FAIL("open_path");
    return OPENED(open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC), fd);
}

int dry_os_open_unnamed(int dirfd, int *fd)
{
    MAY_FAIL("open_unnamed");
    return OPENED(openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), fd);
}

int dry_os_open_new(int dirfd, const char *name, int *fd)
{
    MAY_FAIL("open_new");
    return OPENED(openat(dirfd, name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600), fd);
}

int dry_os_reopen_read(int fd, int *out)
{
    MAY_FAIL("reopen_read");
    return OPENED(open(path_of(fd).text, O_RDONLY | O_CLOEXEC), out);
}

int dry_os_link(int fd, int dirfd, const char *name)
{
    MAY_FAIL("link");
    int sys = fault("link_direct");
    if (!sys) sys = OUTCOME(linkat(fd, "", dirfd, name, AT_EMPTY_PATH));
    if (sys != ENOENT) return sys; /* an older kernel's word to the unprivileged */
    return OUTCOME(linkat(AT_FDCWD, path_of(fd).text, dirfd, name, AT_SYMLINK_FOLLOW));
}

int dry_os_rename(int dirfd, const char *from, const char *to, bool replace)
{
    MAY_FAIL("rename");
    if (replace) return OUTCOME(renameat(dirfd, from, dirfd, to));
    int sys = fault("rename_noreplace");
    if (!sys) sys = OUTCOME(syscall(SYS_renameat2, dirfd, from, dirfd, to, MOVE_NOREPLACE));
    if (sys != EINVAL && sys != ENOSYS) return sys;
    if (UNINTERRUPTED(linkat(dirfd, from, dirfd, to, 0)) < 0) return errno;
    return OUTCOME(unlinkat(dirfd, from, 0));
}

int dry_os_unlink(int dirfd, const char *name)
{
    MAY_FAIL("unlink");
    return OUTCOME(unlinkat(dirfd, name, 0));
}

int dry_os_set_mode(int fd, uint32_t mode)
{
    MAY_FAIL("set_mode");
    return OUTCOME(fchmod(fd, mode));
}

/* EFBIG when a file that ends at from + n is more than off_t or RLIMIT_FSIZE allow. */
static int check_end(uint64_t from, uint64_t n)
{
    uint64_t end;
    if (__builtin_add_overflow(from, n, &end) || end > INT64_MAX) return EFBIG;
    return n > 0 && end > dry_os_file_size_limit() ? EFBIG : 0;
}

int dry_os_set_size(int fd, uint64_t size_bytes)
{
    MAY_FAIL("set_size");
    struct stat st;
    if (fstat(fd, &st) < 0) return errno;
    if (size_bytes > (uint64_t)st.st_size && check_end(0, size_bytes)) return EFBIG;
    return OUTCOME(ftruncate(fd, (off_t)size_bytes));
}

int dry_os_sync(int fd)
{
    MAY_FAIL("sync");
    return OUTCOME(fsync(fd));
}

void dry_os_close(int fd)
{
    close(fd); /* Linux has closed it also when it says EINTR: never again */
}

int dry_os_allocate(int fd, uint64_t from, uint64_t n)
{
    /* tmpfs undoes a fallocate that a signal interrupts: in one piece, a large one would never end under an interval
     * timer. */
    const uint64_t step = (uint64_t)16 << 20;
    MAY_FAIL("allocate");
    if (check_end(from, n)) return EFBIG;
    while (n > 0) {
        uint64_t piece = n < step ? n : step;
        if (UNINTERRUPTED(fallocate(fd, 0, (off_t)from, (off_t)piece)) < 0) return errno;
        from += piece;
        n -= piece;
    }
    return 0;
}

int dry_os_read_at(int fd, void *into, size_t n, uint64_t offset)
{
    MAY_FAIL("read_at");
    for (size_t done = 0; done < n;) {
        ssize_t got = UNINTERRUPTED(pread(fd, (uint8_t *)into + done, n - done, (off_t)(offset + done)));
        if (got <= 0) return got < 0 ? errno : ENODATA;
        done += (size_t)got;
    }
    return 0;
}

int dry_os_write_at(int fd, const void *from, size_t n, uint64_t offset)
{
    MAY_FAIL("write_at");
    if (check_end(offset, n)) return EFBIG;
    for (size_t done = 0; done < n;) {
        ssize_t put = UNINTERRUPTED(pwrite(fd, (const uint8_t *)from + done, n - done, (off_t)(offset + done)));
        if (put <= 0) return put < 0 ? errno : EIO;
        done += (size_t)put;
    }
    return 0;
}

/* Waits for `events` on fd until the monotonic time `until_ns`; negative = for ever. */
static int wait_for(int fd, short events, int64_t until_ns)
{
    for (;;) {
        int64_t left_ms = -1;
        if (until_ns >= 0) {
            int64_t left_ns = until_ns - dry_os_monotonic_ns();
            left_ms = left_ns <= 0 ? 0 : (left_ns + 999999) / 1000000;
        }
        struct pollfd one = {.fd = fd, .events = events};
        int ready = poll(&one, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
        if (ready < 0 && errno != EINTR) return errno;
        if (ready > 0) return one.revents & POLLNVAL ? EBADF : 0;
        if (ready == 0 && left_ms <= INT_MAX) return ETIMEDOUT;
    }
}

int dry_os_read(int fd, void *into, size_t n, size_t *got)
{
    size_t done = 0;
    MAY_FAIL("read");
    while (done < n) {
        ssize_t more = UNINTERRUPTED(read(fd, (uint8_t *)into + done, n - done));
        if (more == 0) break;
        if (more < 0 && (errno != EAGAIN || wait_for(fd, POLLIN, -1))) return errno;
        if (more > 0) done += (size_t)more;
    }
    *got = done;
    return 0;
}

/* As check_end, for bytes that go to the descriptor's own position, which only a regular file has. */
static int check_end_at_position(int fd, size_t n)
{
    struct stat st;
    if (dry_os_file_size_limit() == UINT64_MAX) return 0;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return 0;
    off_t at = fcntl(fd, F_GETFL) & O_APPEND ? st.st_size : lseek(fd, 0, SEEK_CUR);
    return at < 0 ? 0 : check_end((uint64_t)at, n);
}

int dry_os_write(int fd, const void *from, size_t n)
{
    MAY_FAIL("write");
    if (check_end_at_position(fd, n)) return EFBIG;
    for (size_t done = 0; done < n;) {
        ssize_t put = UNINTERRUPTED(write(fd, (const uint8_t *)from + done, n - done));
        if (put == 0) return EIO;
        if (put < 0 && (errno != EAGAIN || wait_for(fd, POLLOUT, -1))) return errno;
        if (put > 0) done += (size_t)put;
    }
    return 0;
}

bool dry_os_is_seekable(int fd, uint64_t *position)
{
    struct stat st;
    if (fault("is_seekable") || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return false;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at < 0) return false;
    *position = (uint64_t)at;
    return true;
}

static int visit_entries(DIR *dir, int (*visit)(void *self, const char *name), void *self)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) return errno;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        int answer = visit(self, entry->d_name);
        if (answer) return answer;
    }
}

int dry_os_list(int dirfd, int (*visit)(void *self, const char *name), void *self)
{
    MAY_FAIL("list");
    /* A description of its own: the position of `dirfd` is the caller's, and other threads may be listing. */
    int own = UNINTERRUPTED(openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (own < 0) return errno;
    DIR *dir = fdopendir(own);
    int answer = dir ? visit_entries(dir, visit, self) : errno;
    (void)(dir ? closedir(dir) : close(own));
    return answer;
}

int dry_os_lock(int fd, bool exclusive)
{
    MAY_FAIL("lock");
    struct flock whole = {.l_type = exclusive ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
    return OUTCOME(fcntl(fd, F_OFD_SETLK, &whole));
}

/* ---- mapping ---- */
size_t dry_os_page_bytes(void) { return (size_t)sysconf(_SC_PAGESIZE); }

/* The aligned place that was let go last. It is tried first, which takes one system call instead of four. Two words
 * that need not belong together: where something else is by now, the kernel takes another place. */
static struct dry_atomic_u64 free_at, free_bytes;

static bool map_where_free(int fd, uint64_t offset, size_t len, int prot, void **at)
{
    void *guess = (void *)(uintptr_t)dry_load_relaxed_u64(&free_at); /* X0: a guess */
    if (len > dry_load_relaxed_u64(&free_bytes)) return false;       /* X0: a guess */
    dry_store_relaxed_u64(&free_bytes, 0);                           /* X0: not to be tried by the next one */
    void *start = mmap(guess, len, prot, MAP_SHARED, fd, (off_t)offset);
    if (start != guess && start != MAP_FAILED) munmap(start, len);
    if (start == guess) *at = start;
    return start == guess;
}

/* Takes address space for one huge page too many, maps over the aligned part, and gives the ends back. */
static int map_aligned(int fd, uint64_t offset, size_t len, int prot, void **at)
{
    size_t whole;
    if (dry_add_overflows(len, DRY_HUGE_BYTES, &whole)) return ENOMEM;
    uint8_t *room = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) return errno;
    size_t before = (size_t)(-(uintptr_t)room & (DRY_HUGE_BYTES - 1));
    uint8_t *start = room + before;
    if (mmap(start, len, prot, MAP_SHARED | MAP_FIXED, fd, (off_t)offset) == MAP_FAILED) {
        int sys = errno;
        munmap(room, whole);
        return sys;
    }
    if (before) munmap(room, before);
    munmap(start + len, whole - before - len);
    *at = start;
    return 0;
}

static int map_on_grid(int fd, uint64_t offset, size_t n, int prot, void **at)
{
    size_t len;
    if (dry_round_up_overflows(n, dry_os_page_bytes(), &len)) return ENOMEM;
    return map_where_free(fd, offset, len, prot, at) ? 0 : map_aligned(fd, offset, len, prot, at);
}

/* On the grid what may have a huge page. */
static int map_well(int fd, uint64_t offset, size_t n, int prot, void **at)
{
    if (n >= DRY_HUGE_BYTES / 2) return map_on_grid(fd, offset, n, prot, at);
    void *start = mmap(NULL, n, prot, MAP_SHARED, fd, (off_t)offset);
    if (start == MAP_FAILED) return errno;
    *at = start;
    return 0;
}

int dry_os_map_read(int fd, size_t n, void **at)
{
    MAY_FAIL("map_read");
    return map_well(fd, 0, n, PROT_READ, at);
}

int dry_os_map_write(int fd, uint64_t offset, size_t n, void **at)
{
    void *start;
    MAY_FAIL("map_write");
    dry_os_fork_hold(); /* a child that is forked between the two would keep the mapping */
    int sys = map_well(fd, offset, n, PROT_READ | PROT_WRITE, &start);
    if (!sys) {
        sys = OUTCOME(madvise(start, n, MADV_DONTFORK));
        if (sys) munmap(start, n);
    }
    dry_os_fork_release();
    if (!sys) *at = start;
    return sys;
}

void dry_os_unmap(void *at, size_t n)
{
    size_t page = dry_os_page_bytes();
    munmap(at, n);
    if ((uintptr_t)at % DRY_HUGE_BYTES) return;
    dry_store_relaxed_u64(&free_at, (uintptr_t)at);                   /* X0: a guess for the next one */
    dry_store_relaxed_u64(&free_bytes, (n + page - 1) / page * page); /* X0: the same */
}

/* What the running kernel knows; asked once. */
enum { UNASKED, KNOWN, UNKNOWN };
static struct dry_atomic_u32 collapse_known, populate_known;

/* An advice over no bytes is refused only where it is unknown. */
static bool kernel_knows(struct dry_atomic_u32 *known, void *at, int advice)
{
    uint32_t answer = dry_load_relaxed_u32(known); /* X0: every thread that asks gets the same answer */
    if (answer == UNASKED) {
        answer = madvise(at, 0, advice) == 0 ? KNOWN : UNKNOWN;
        dry_store_relaxed_u32(known, answer); /* X0: stands alone */
    }
    return answer == KNOWN;
}

int dry_os_collapse(void *at, size_t n)
{
    MAY_FAIL("collapse");
    if (!kernel_knows(&collapse_known, at, ADVICE_COLLAPSE)) return ENOSYS;
    return OUTCOME(madvise(at, n, ADVICE_COLLAPSE));
}

int dry_os_populate(void *at, size_t n, bool for_writing)
{
    MAY_FAIL("populate");
    if (!kernel_knows(&populate_known, at, ADVICE_POPULATE_READ)) return ENOSYS;
    return OUTCOME(madvise(at, n, for_writing ? ADVICE_POPULATE_WRITE : ADVICE_POPULATE_READ));
}

/* ---- memfd ---- */
int dry_os_memfd(const char *name, int *fd)
{
    MAY_FAIL("memfd");
    int sys = fault("memfd_noexec");
    if (!sys) sys = OPENED(memfd_create(name, MEMFD_CLOEXEC | MEMFD_ALLOW_SEALING | MEMFD_NOEXEC_SEAL), fd);
    return sys == EINVAL ? OPENED(memfd_create(name, MEMFD_CLOEXEC | MEMFD_ALLOW_SEALING), fd) : sys;
}

int dry_os_add_seals(int fd, unsigned seals)
{
    MAY_FAIL("add_seals");
    return OUTCOME(fcntl(fd, F_ADD_SEALS, seals));
}

int dry_os_get_seals(int fd, unsigned *seals)
{
    MAY_FAIL("get_seals");
    int now = UNINTERRUPTED(fcntl(fd, F_GET_SEALS));
    if (now < 0) return errno;
    *seals = (unsigned)now;
    return 0;
}

/* ---- room ---- */
int dry_os_mount(int fd, struct dry_os_mount *out)
{
    struct statfs fs;
    MAY_FAIL("mount");
    if (UNINTERRUPTED(fstatfs(fd, &fs)) < 0) return errno;
    *out = (struct dry_os_mount){.size_bytes = (uint64_t)fs.f_blocks * (uint64_t)fs.f_frsize,
                                 .free_bytes = (uint64_t)fs.f_bavail * (uint64_t)fs.f_frsize,
                                 .read_only = (fs.f_flags & ST_RDONLY) != 0};
    dry_os_name_mount((uint32_t)fs.f_type, out);
    return 0;
}

uint64_t dry_os_file_size_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
    return limit.rlim_cur;
}

int dry_os_cgroup(struct dry_os_cgroup *out)
{
    MAY_FAIL("cgroup");
    return dry_os_cgroup_under("", out);
}

/* ---- events ---- */
int dry_os_watch(int dirfd, int *fd)
{
    const uint32_t events = IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF;
    MAY_FAIL("watch");
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch < 0) return errno;
    int sys = OUTCOME(inotify_add_watch(watch, path_of(dirfd).text, events | IN_ONLYDIR));
    if (!sys) *fd = watch;
    if (sys) close(watch);
    return sys;
}

int dry_os_watch_read(int fd, void (*visit)(void *self, const char *name, bool appeared), void *self)
{
    _Alignas(struct inotify_event) char events[4096];
    int answer = EAGAIN;
    MAY_FAIL("watch_read");
    for (;;) {
        ssize_t got = UNINTERRUPTED(read(fd, events, sizeof events));
        if (got < 0) return errno == EAGAIN ? answer : errno;
        if (got == 0) return answer;
        answer = 0;
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event = (const void *)(events + at);
            visit(self, event->len ? event->name : NULL, (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0);
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
}

int dry_os_poll(int fd, int64_t timeout_ms)
{
    int64_t timeout_ns, until_ns;
    MAY_FAIL("poll");
    if (timeout_ms < 0 || __builtin_mul_overflow(timeout_ms, 1000000, &timeout_ns) ||
        __builtin_add_overflow(dry_os_monotonic_ns(), timeout_ns, &until_ns))
        until_ns = -1;
    return wait_for(fd, POLLIN, until_ns);
}

/* ---- the rest ---- */
uint32_t dry_os_user(void) { return geteuid(); }

static int64_t read_clock(clockid_t clock)
{
#ifdef DRY_STEPS
    if (dry_os_clock && clock != CLOCK_REALTIME) return dry_os_clock();
#endif
    struct timespec now;
    clock_gettime(clock, &now);
    return ns_of(now);
}

int64_t dry_os_monotonic_ns(void) { return read_clock(CLOCK_MONOTONIC); }

int64_t dry_os_thread_ns(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

int64_t dry_os_realtime_ns(void) { return read_clock(CLOCK_REALTIME); }

int dry_os_random(void *into, size_t n)
{
    MAY_FAIL("random");
    for (size_t done = 0; done < n;) {
        ssize_t got = UNINTERRUPTED(getrandom((uint8_t *)into + done, n - done, 0));
        if (got < 0) return errno;
        done += (size_t)got;
    }
    return 0;
}

/* ---- a word in shared memory ---- */
int dry_os_futex_wait(const void *word, uint32_t expected, int64_t timeout_ns)
{
    struct timespec t = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    MAY_FAIL("futex_wait");
    return syscall(SYS_futex, word, FUTEX_WAIT, expected, &t, NULL, 0) < 0 && errno != EINTR ? errno : 0;
}

void dry_os_futex_wake(const void *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); }

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the tests of segments share: fresh files, bytes that tell where they belong, an allocator that can run out,
 * and a look at what the process holds.
 */
#ifndef DRY_SEGMENT_TESTING_H
#define DRY_SEGMENT_TESTING_H

#include "segment.h"
#include "../base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define HUGE DRY_HUGE_BYTES

/* ---- files ---- */
/* A fresh file without a name in `where`. */
static inline int file_in(const char *where)
{
    char path[200];
    snprintf(path, sizeof path, "%s/drystone-segment-XXXXXX", where);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0) unlink(path);
    return fd;
}

/* Where files are in memory, if there is such a place. */
static inline const char *memory_dir(void)
{
    struct dry_os_mount mount;
    int fd;
    if (dry_os_open_directory("/dev/shm", &fd)) return "/tmp";
    bool memory = dry_os_mount(fd, &mount) == 0 && mount.in_memory && access("/dev/shm", W_OK) == 0;
    dry_os_close(fd);
    return memory ? "/dev/shm" : "/tmp";
}

/* Whether huge pages can be had by collapse in this place, asked without the code that is tested. */
static inline bool can_collapse(const char *where)
{
    void *at;
    int fd = file_in(where);
    bool can = fd >= 0 && dry_os_set_size(fd, HUGE) == 0 && dry_os_map_write(fd, 0, HUGE, &at) == 0;
    if (can) {
        can = dry_os_write_at(fd, "", 1, 0) == 0 && dry_os_collapse(at, HUGE) == 0;
        dry_os_unmap(at, HUGE);
    }
    if (fd >= 0) dry_os_close(fd);
    return can;
}

/* ---- bytes ---- */
/* The byte that belongs at `at`: no two neighbouring pages, chunks or words are alike. */
static inline uint8_t byte_at(uint64_t at)
{
    return (uint8_t)((at * 2654435761u) >> 13);
}

/* At least so many of them; valid until more are asked for. */
static inline const uint8_t *pattern(size_t n)
{
    static uint8_t *bytes;
    static size_t have;
    if (n > have) {
        have = n > 2 * have ? n : 2 * have;
        free(bytes);
        bytes = malloc(have);
        if (!bytes) abort();
        for (size_t i = 0; i < have; i++)
            bytes[i] = byte_at(i);
    }
    return bytes;
}

/* Whether the file is exactly the first `n` bytes of the pattern. */
static inline bool file_is_pattern(int fd, size_t n)
{
    struct dry_os_stat st;
    if (dry_os_stat(fd, &st) || st.size_bytes != n) return false;
    uint8_t *bytes = malloc(n + 1);
    bool same = bytes && dry_os_read_at(fd, bytes, n, 0) == 0 && memcmp(bytes, pattern(n), n) == 0;
    free(bytes);
    return same;
}

/* ---- allocator ---- */
/* Fails at its `fails_at`-th allocation (0 = never), and knows what is out. */
struct ledger {
    int asked, fails_at;
    long blocks_out;
};

static inline void *ledger_allocate(void *self, size_t size, size_t align)
{
    struct ledger *l = self;
    void *block;
    if (++l->asked == l->fails_at) return NULL;
    if (posix_memalign(&block, align < sizeof(void *) ? sizeof(void *) : align, size)) return NULL;
    l->blocks_out++;
    return block;
}

static inline void ledger_release(void *self, void *block, size_t size, size_t align)
{
    struct ledger *l = self;
    (void)size;
    (void)align;
    l->blocks_out--;
    free(block);
}

static inline struct dry_allocator allocator_of(struct ledger *l)
{
    return (struct dry_allocator){.allocate = ledger_allocate, .release = ledger_release, .self = l};
}

/* ---- processes ---- */
/* In children, where a failed assertion must not jump into the parent's test runner. */
#define CHECK(cond)                                                                                                  \
    do {                                                                                                             \
        if (!(cond)) {                                                                                               \
            fprintf(stderr, "%s:%d: in a child: %s\n", __FILE__, __LINE__, #cond);                                   \
            _exit(99);                                                                                               \
        }                                                                                                            \
    } while (0)

enum { SKIPPED = 77 };

/* A second process that does one thing after the other, each when it is told to. */
struct peer {
    pid_t pid;
    int to, from; /* pipes */
};

/* In the child: waits until it is told to go on; the other side's end is the end. */
static inline void await(int from)
{
    char word;
    if (read(from, &word, 1) != 1) _exit(0);
}

static inline void tell(int to)
{
    CHECK(write(to, "", 1) == 1);
}

/* `body` gets the pipe that tells it, and the one to answer; deadly signals are deadly. */
static inline struct peer begin_peer(void (*body)(int from, int to, void *arg), void *arg)
{
    struct peer p;
    int there[2], back[2];
    assert_int_equal(pipe2(there, O_CLOEXEC), 0);
    assert_int_equal(pipe2(back, O_CLOEXEC), 0);
    p.pid = fork();
    assert_true(p.pid >= 0);
    if (p.pid == 0) {
        signal(SIGXFSZ, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        signal(SIGSEGV, SIG_DFL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(100);
        close(there[1]);
        close(back[0]);
        body(there[0], back[1], arg);
        _exit(0);
    }
    close(there[0]);
    close(back[1]);
    p.to = there[1];
    p.from = back[0];
    return p;
}

static inline void go_on(const struct peer *p)
{
    assert_int_equal(write(p->to, "", 1), 1);
}

static inline void wait_for_answer(const struct peer *p)
{
    char word;
    assert_int_equal(read(p->from, &word, 1), 1);
}

static inline int outcome(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Its exit code, or minus the signal that killed it; `kill_it` 0: it ends by itself. */
static inline int end_peer(struct peer *p, int kill_it)
{
    if (kill_it) kill(p->pid, kill_it);
    close(p->to);
    int code = outcome(p->pid);
    close(p->from);
    return code;
}

static void (*child_body)(void);

static inline void run_child_body(int from, int to, void *arg)
{
    (void)from;
    (void)to;
    (void)arg;
    child_body();
}

/* Runs `body` in a child; its exit code, or minus the signal. */
static inline int in_child(void (*body)(void))
{
    child_body = body;
    struct peer p = begin_peer(run_child_body, NULL);
    return end_peer(&p, 0);
}

static inline void expect_done(int code, const char *what_is_not_allowed)
{
    if (code == SKIPPED)
        print_message("SKIPPED: %s\n", what_is_not_allowed);
    else
        assert_int_equal(code, 0);
}

/* Becomes an ordinary user who may look into itself; false: not allowed. */
static inline bool become_nobody(void)
{
    if (getuid() == 0 && (setresgid(1234, 1234, 1234) || setresuid(1234, 1234, 1234))) return false;
    return prctl(PR_SET_DUMPABLE, 1) == 0;
}

/* ---- what the process holds ---- */
static inline int open_fds(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static inline int mapped_segments(void)
{
    char line[512];
    int n = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps) return -1;
    while (fgets(line, sizeof line, maps))
        n += strstr(line, "drystone-segment") != NULL;
    fclose(maps);
    return n;
}

/* Setup and teardown: a test leaves neither descriptors nor mappings nor a seam in use. */
static int fds_before;

static inline int note_what_is_held(void **state)
{
    (void)state;
    (void)pattern(1);
    fds_before = open_fds();
    return 0;
}

static inline int expect_nothing_held(void **state)
{
    (void)state;
    dry_os_fault = NULL;
    dry_os_clock = NULL;
    return open_fds() != fds_before || mapped_segments() != 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the tests of shared segments have in common: segments with bytes that tell where they belong, a creator in a
 * process of its own, this program started anew, and a look at who still holds what.
 */
#ifndef DRY_PASS_TESTING_H
#define DRY_PASS_TESTING_H

#include "harness.h"
#include "../drystone.h"

#include <ctype.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

/* The name of all segments of this run of this test program and of those that it starts: what /proc shows. */
static inline const char *shared_name(void)
{
    static char name[64];
    const char *inherited = getenv("PASS_TEST_NAME");
    if (!inherited) {
        snprintf(name, sizeof name, "drystone-pass-test-%d-", (int)getpid());
        setenv("PASS_TEST_NAME", name, 1);
    }
    return inherited ? inherited : name;
}

#define SHARED_BYTES ((size_t)3000000)

/* ---- segments ---- */
static inline uint8_t shared_byte(size_t at)
{
    return (uint8_t)((at * 2654435761u) >> 13);
}

static inline bool is_shared(const struct dry_view *v)
{
    size_t same = 0;
    while (same < v->len && v->data[same] == shared_byte(same))
        same++;
    return v->len == SHARED_BYTES && same == v->len;
}

/* Finished, and not protected yet. NULL: it could not be made. */
static inline struct dry_segment *make_unprotected(void)
{
    struct dry_segment *s = NULL;
    struct dry_memory *piece;
    if (dry_segment_new(shared_name(), NULL, &s, NULL)) return NULL;
    if (dry_segment_piece(s, SHARED_BYTES, &piece, NULL)) {
        dry_segment_free(s);
        return NULL;
    }
    for (size_t i = 0; i < SHARED_BYTES; i++)
        ((uint8_t *)piece->at)[i] = shared_byte(i);
    return s;
}

static inline struct dry_segment *make_shared(void)
{
    struct dry_segment *s = make_unprotected();
    if (s && dry_segment_protect(s, NULL)) {
        dry_segment_free(s);
        return NULL;
    }
    return s;
}

/* Opens and attaches. */
static inline enum dry_status attach_handle(const char *handle, struct dry_view *out, struct dry_error *err)
{
    const struct dry_attach_options trusted = {.at_least = DRY_CLASS_ANONYMOUS};
    int fd;
    enum dry_status status = dry_handle_open(handle, false, &fd, err);
    if (status) return status;
    status = dry_segment_attach(fd, &trusted, NULL, out, NULL, err);
    close(fd);
    return status;
}

/* Attaches, compares, lets go: OK if it is all there, CORRUPT if it is something else. */
static inline enum dry_status look_at_handle(const char *handle)
{
    struct dry_view v;
    struct dry_error err = {0};
    enum dry_status status = attach_handle(handle, &v, &err);
    if (status) return status;
    status = is_shared(&v) ? DRY_OK : DRY_CORRUPT;
    dry_view_unref(&v);
    return status;
}

/* Not opened, for this reason, with words that have `part` in them. */
static inline bool is_refused(const char *handle, bool writable, enum dry_status status, const char *part)
{
    struct dry_error err = {0};
    int fd = -7;
    if (dry_handle_open(handle, writable, &fd, &err) == status && fd == -7 && strstr(err.text, part)) return true;
    fprintf(stderr, "not %s with '%s', but %s: %s\n", dry_status_name(status), part, dry_status_name(err.status),
            err.text);
    if (fd >= 0) close(fd);
    return false;
}

/* ---- who holds what ---- */
/* How many descriptors and mappings of our segments a process has. */
static inline int held_by(const char *pid)
{
    char path[400], line[4608];
    int n = 0;
    snprintf(path, sizeof path, "/proc/%s/maps", pid);
    FILE *maps = fopen(path, "re");
    while (maps && fgets(line, sizeof line, maps))
        n += strstr(line, shared_name()) != NULL;
    if (maps) fclose(maps);
    for (int fd = 0; fd < 256; fd++) {
        snprintf(path, sizeof path, "/proc/%s/fd/%d", pid, fd);
        ssize_t len = readlink(path, line, sizeof line - 1);
        line[len < 0 ? 0 : len] = '\0';
        n += strstr(line, shared_name()) != NULL;
    }
    return n;
}

static inline int held_by_pid(pid_t pid)
{
    char text[24];
    snprintf(text, sizeof text, "%d", (int)pid);
    return held_by(text);
}

static inline void add_held(void *self, const char *name)
{
    if (isdigit((unsigned char)*name)) *(int *)self += held_by(name);
}

/* The same of all processes: 0 means that the memory is gone. */
static inline int held_anywhere(void)
{
    int n = 0;
    harness_dir_each("/proc", add_held, &n);
    return n;
}

/* Setup and teardown: nothing is left, here or in any other process. */
static int fds_at_start;

static inline int note_what_is_held(void **state)
{
    (void)state;
    fds_at_start = harness_open_fds();
    unsetenv("DRYSTONE_INHERITED");
    return held_anywhere();
}

static inline int expect_nothing_held(void **state)
{
    (void)state;
    return harness_open_fds() != fds_at_start || held_anywhere() != 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, note_what_is_held, expect_nothing_held)

/* ---- a creator in a process of its own ---- */
struct creator {
    pid_t pid;
    int s[2]; /* [0] is ours */
    char handle[DRY_HANDLE_SIZE];
};

/* One letter from the other side is one thing to do; what it answers is the status. */
static inline void obey(void *arg)
{
    struct creator *c = arg;
    struct dry_segment *s = make_shared();
    char what;
    close(c->s[0]);
    CHECK(s && dry_segment_handle(s, c->handle, NULL) == DRY_OK);
    CHECK(write(c->s[1], c->handle, DRY_HANDLE_SIZE) == DRY_HANDLE_SIZE);
    while (read(c->s[1], &what, 1) == 1) {
        enum dry_status status = DRY_OK;
        if (what == 't') status = dry_segment_take_back(s, NULL);
        if (what == 'p') status = dry_segment_protect(s, NULL);
        if (what == 'h') status = dry_segment_handle(s, c->handle, NULL);
        if (what == 's') status = dry_segment_seal(s, NULL);
        if (what == 'f') {
            dry_segment_free(s);
            s = NULL;
        }
        CHECK(write(c->s[1], &status, sizeof status) == sizeof status);
        if (what == 'h') CHECK(write(c->s[1], c->handle, DRY_HANDLE_SIZE) == DRY_HANDLE_SIZE);
    }
    dry_segment_free(s);
    close(c->s[1]);
}

static inline bool creator_start_with(struct creator *c, void (*run)(void *arg))
{
    *c = (struct creator){.pid = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c->s)) return false;
    c->pid = harness_start(run, c);
    close(c->s[1]);
    return read(c->s[0], c->handle, DRY_HANDLE_SIZE) == DRY_HANDLE_SIZE;
}

static inline bool creator_start(struct creator *c)
{
    return creator_start_with(c, obey);
}

static inline enum dry_status creator_do(struct creator *c, char what)
{
    enum dry_status status = DRY_STATUS_COUNT;
    if (write(c->s[0], &what, 1) != 1 || read(c->s[0], &status, sizeof status) != sizeof status) return status;
    if (what == 'h' && read(c->s[0], c->handle, DRY_HANDLE_SIZE) != DRY_HANDLE_SIZE) return DRY_STATUS_COUNT;
    return status;
}

/* Ends by itself; its code. */
static inline int creator_end(struct creator *c)
{
    close(c->s[0]);
    return harness_end(c->pid);
}

/* Is killed; dead when this returns, and waited for if `reap`. */
static inline void creator_kill(struct creator *c, bool reap)
{
    siginfo_t info;
    kill(c->pid, SIGKILL);
    (void)waitid(P_PID, (id_t)c->pid, &info, WEXITED | (reap ? 0 : WNOWAIT));
    close(c->s[0]);
}

/* ---- this program, started anew ---- */
/* What a program does that was started with arguments: its code is 0, or 10 + the status. */
static inline int be_started(int argc, char **argv)
{
    char handle[DRY_HANDLE_SIZE] = "";
    alarm(HARNESS_CHILD_SECONDS);
    if (argc == 2 && strcmp(argv[1], "count") == 0) return held_by("self");
    if (argc == 3 && strcmp(argv[1], "handle") == 0) snprintf(handle, sizeof handle, "%s", argv[2]);
    if (argc == 2 && strcmp(argv[1], "environment") == 0) snprintf(handle, sizeof handle, "%s", getenv("HANDLE"));
    if (argc == 2 && strcmp(argv[1], "bytes") == 0 && read(0, handle, sizeof handle) != (ssize_t)sizeof handle)
        return 9;
    if (argc == 3 && strcmp(argv[1], "again") == 0) { /* once more, with what it has */
        execl("/proc/self/exe", argv[0], "handle", argv[2], (char *)NULL);
        return 9;
    }
    enum dry_status status = look_at_handle(handle);
    return status ? 10 + (int)status : 0;
}

/* Fork and exec; `environment` (NAME=VALUE) may be NULL. */
static inline pid_t start_program(const char *how, const char *arg, const char *environment)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid) return pid;
    if (environment) putenv((char *)(uintptr_t)environment);
    execl("/proc/self/exe", "started", how, arg, (char *)NULL);
    _exit(99);
}

static inline int run_program(const char *how, const char *arg, const char *environment)
{
    return harness_end(start_program(how, arg, environment));
}

#endif

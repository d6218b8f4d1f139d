/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "os_share_testing.h"

#include <sys/prctl.h>
#include <sys/stat.h>

/* ---- files ---- */
static void a_file_is_reopened_for_writing(void **state)
{
    int fd = reopened_memfd(0), again = -7;
    bool writable = false;
    (void)state;
    assert_int_equal(dry_os_is_writable(fd, &writable), 0);
    assert_true(writable);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(dry_os_reopen_read(fd, &again), 0);
    assert_int_equal(dry_os_is_writable(again, &writable), 0);
    assert_false(writable);
    dry_os_close(again);
    again = -7;
    dry_os_close(fd);
    assert_int_equal(dry_os_reopen_write(fd, &again), ENOENT);
    assert_int_equal(again, -7);
}

static void a_description_that_only_writes_is_of_no_use(void **state)
{
    bool writable = false;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)state;
    assert_int_equal(dry_os_is_writable(fd, &writable), EACCES);
    dry_os_close(fd);
    fd = open("/dev/null", O_PATH | O_CLOEXEC);
    assert_int_equal(dry_os_is_writable(fd, &writable), EACCES);
    assert_false(writable);
    dry_os_close(fd);
    assert_int_equal(dry_os_is_writable(fd, &writable), EBADF);
}

static int reopens_as_another_user(void *arg)
{
    int fd = *(int *)arg, again;
    if (setgid(1234) || setuid(1234)) return 100;
    prctl(PR_SET_DUMPABLE, 1);
    return dry_os_reopen_write(fd, &again) == EACCES && dry_os_reopen_now(fd, false, &again) == EACCES ? 0 : 1;
}

static void a_mode_decides_who_reopens(void **state)
{
    (void)state;
    if (geteuid() != 0) skip(); /* only root becomes another user */
    int fd = reopened_memfd(0);
    assert_int_equal(dry_os_set_mode(fd, 0400), 0);
    assert_int_equal(in_child(reopens_as_another_user, &fd), 0);
    dry_os_close(fd);
}

static void two_names_change_their_files(void **state)
{
    char home[] = "/tmp/drystone-os-share-XXXXXX";
    struct dry_os_stat a, b, now;
    int dir, fd;
    (void)state;
    assert_non_null(mkdtemp(home));
    assert_int_equal(dry_os_open_directory(home, &dir), 0);
    for (const char *name = "ab"; *name; name++) {
        assert_int_equal(dry_os_open_new(dir, (char[]){*name, '\0'}, &fd), 0);
        dry_os_close(fd);
    }
    assert_int_equal(dry_os_stat_at(dir, "a", &a), 0);
    assert_int_equal(dry_os_stat_at(dir, "b", &b), 0);
    int sys = dry_os_exchange(dir, "a", "b");
    if (sys != EINVAL) { /* a file system without it */
        assert_int_equal(sys, 0);
        assert_int_equal(dry_os_stat_at(dir, "a", &now), 0);
        assert_int_equal(now.inode, b.inode);
        assert_int_equal(dry_os_stat_at(dir, "b", &now), 0);
        assert_int_equal(now.inode, a.inode);
    }
    assert_int_equal(dry_os_exchange(dir, "a", "none"), ENOENT);
    assert_int_equal(dry_os_stat_at(dir, "a", &now), 0);
    assert_int_equal(dry_os_unlink(dir, "a") | dry_os_unlink(dir, "b"), 0);
    dry_os_close(dir);
    rmdir(home);
}

static void the_time_of_change_is_what_was_set(void **state)
{
    static const int64_t times[] = {0, 1, 999999999, 1000000000, 1795000000123456789, -1, -1000000001};
    struct dry_os_stat st;
    int fd = reopened_memfd(1);
    (void)state;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        assert_int_equal(dry_os_set_modified(fd, times[i]), 0);
        assert_int_equal(dry_os_stat(fd, &st), 0);
        assert_int_equal(st.modified_ns, times[i]);
    }
    dry_os_close(fd);
    assert_int_equal(dry_os_set_modified(fd, 1), EBADF);
}

static int execs_and_looks(void *arg)
{
    char number[16];
    snprintf(number, sizeof number, "/proc/self/fd/%d", *(int *)arg);
    execlp("test", "test", "-e", number, (char *)NULL);
    return 100;
}

static void a_descriptor_survives_exec_if_it_is_told_to(void **state)
{
    int fd = reopened_memfd(0);
    (void)state;
    assert_int_equal(in_child(execs_and_looks, &fd), 1);
    assert_int_equal(dry_os_set_inherited(fd, true), 0);
    assert_int_equal(in_child(execs_and_looks, &fd), 0);
    assert_int_equal(dry_os_set_inherited(fd, false), 0);
    assert_int_equal(in_child(execs_and_looks, &fd), 1);
    dry_os_close(fd);
    assert_int_equal(dry_os_set_inherited(fd, true), EBADF);
}

static void a_duplicate_shares_the_description(void **state)
{
    int fd = reopened_memfd(10), twin = -7;
    (void)state;
    assert_int_equal(dry_os_duplicate(fd, &twin), 0);
    assert_true(fcntl(twin, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
    assert_int_equal(lseek(twin, 0, SEEK_CUR), 5);
    dry_os_close(twin);
    dry_os_close(fd);
    twin = -7;
    assert_int_equal(dry_os_duplicate(fd, &twin), EBADF);
    assert_int_equal(twin, -7);
}

/* ---- leases ---- */
static void a_lease_means_that_nobody_else_has_it(void **state)
{
    int fd = reopened_memfd(4096), reader;
    bool whole = false;
    void *at;
    (void)state;
    assert_int_equal(dry_os_lease(fd), 0);
    assert_int_equal(dry_os_has_lease(fd, &whole), 0);
    assert_true(whole);
    assert_int_equal(dry_os_unlease(fd), 0);
    assert_int_equal(dry_os_has_lease(fd, &whole), 0);
    assert_false(whole);
    assert_int_equal(dry_os_reopen_read(fd, &reader), 0);
    assert_int_equal(dry_os_lease(fd), EAGAIN);
    assert_int_equal(dry_os_map_read(reader, 4096, &at), 0);
    dry_os_close(reader);
    assert_int_equal(dry_os_lease(fd), EAGAIN); /* the mapping counts alone */
    dry_os_unmap(at, 4096);
    assert_int_equal(dry_os_lease(fd), 0);
    dry_os_close(fd);
    assert_int_equal(dry_os_lease(fd), EBADF);
    assert_int_equal(dry_os_has_lease(fd, &whole), EBADF);
    assert_int_equal(dry_os_unlease(fd), EBADF);
}

static volatile sig_atomic_t signals_seen;
static void see_signal(int number)
{
    (void)number, signals_seen++;
}

static int opens_at_once(void *arg)
{
    int fd;
    return dry_os_reopen_now(*(int *)arg, false, &fd);
}

static void who_opens_breaks_the_lease_without_a_signal(void **state)
{
    int fd = reopened_memfd(0), path = -1;
    bool whole = true;
    (void)state;
    signals_seen = 0;
    signal(SIGURG, see_signal);
    signal(SIGIO, see_signal);
    assert_int_equal(dry_os_find_of_process(getpid(), fd, &path),
                     0); /* a child inherits no lease, but our description */
    assert_int_equal(dry_os_lease(fd), 0);
    assert_int_equal(in_child(opens_at_once, &path), EAGAIN);
    assert_int_equal(dry_os_has_lease(fd, &whole), 0);
    assert_false(whole);
    assert_int_equal(signals_seen, 0);
    assert_int_equal(dry_os_unlease(fd), 0);
    assert_int_equal(in_child(opens_at_once, &path), 0);
    signal(SIGURG, SIG_DFL);
    signal(SIGIO, SIG_DFL);
    dry_os_close(path);
    dry_os_close(fd);
}

/* ---- processes ---- */
static void a_process_has_a_start(void **state)
{
    uint64_t mine = 0, again = 0, untouched = 7;
    (void)state;
    assert_int_equal(dry_os_process(), getpid());
    assert_int_equal(dry_os_process_start(getpid(), &mine), 0);
    prctl(PR_SET_NAME, "a) Z (b) 1 2 3"); /* a command that looks like fields */
    assert_int_equal(dry_os_process_start(getpid(), &again), 0);
    assert_int_equal(again, mine);
    assert_int_equal(dry_os_process_start(1, &again), 0);
    assert_true(again < mine);
    static const int64_t none[] = {0,         -1,     INT64_MIN, (int64_t)INT_MAX + 1, ((int64_t)1 << 32) + 1,
                                   INT64_MAX, INT_MAX};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(dry_os_process_start(none[i], &untouched), ESRCH);
    assert_int_equal(untouched, 7);
}

static void a_dead_process_that_nobody_waited_for_is_none(void **state)
{
    uint64_t start = 7;
    siginfo_t info;
    (void)state;
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(dry_os_process_start(pid, &start), ESRCH);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(dry_os_process_start(pid, &start), ESRCH);
    assert_int_equal(start, 7);
}

static void what_another_process_has_open_is_found_and_opened(void **state)
{
    int fd = reopened_memfd(0), found = -7, again = -7;
    struct dry_os_stat a, b;
    bool writable = true;
    uint64_t space = 0;
    char byte;
    (void)state;
    assert_int_equal(dry_os_pid_namespace(&space), 0);
    assert_true(space > 0);
    assert_int_equal(dry_os_find_of_process(getpid(), fd, &found), 0);
    assert_true(fcntl(found, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(read(found, &byte, 1), -1);
    assert_int_equal(dry_os_stat(fd, &a) | dry_os_stat(found, &b), 0);
    assert_int_equal(a.inode, b.inode);
    assert_int_equal(dry_os_reopen_now(found, false, &again), 0);
    assert_int_equal(dry_os_is_writable(again, &writable), 0);
    assert_false(writable);
    dry_os_close(again);
    assert_int_equal(dry_os_reopen_now(found, true, &again), 0);
    assert_int_equal(dry_os_is_writable(again, &writable), 0);
    assert_true(writable);
    dry_os_close(again);
    dry_os_close(found);
    found = again = -7;
    dry_os_close(fd);
    assert_int_equal(dry_os_find_of_process(getpid(), fd, &found), ENOENT);
    assert_int_equal(dry_os_find_of_process(INT_MAX, 0, &found), ENOENT);
    assert_int_equal(dry_os_reopen_now(fd, false, &again), ENOENT);
    assert_int_equal(found & again, -7);
}

static void a_fifo_is_found_without_being_opened(void **state)
{
    int ends[2], found, again;
    struct dry_os_stat st;
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(dry_os_find_of_process(getpid(), ends[0], &found), 0);
    assert_int_equal(dry_os_stat(found, &st), 0);
    assert_int_equal(st.kind, DRY_OS_OTHER);
    close(ends[0]);
    /* Were the found one an open end, this could be written. */
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(write(ends[1], "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    signal(SIGPIPE, SIG_DFL);
    close(ends[1]);
    assert_int_equal(dry_os_reopen_now(found, false, &again), 0); /* no writer is there: does not wait */
    dry_os_close(again);
    dry_os_close(found);
}

static void a_description_is_taken_from_another_process(void **state)
{
    int fd = reopened_memfd(10), taken = -7;
    (void)state;
    int sys = dry_os_take_of_process(getpid(), fd, &taken);
    if (sys == ENOSYS || sys == EPERM) { /* an old kernel, or a container that forbids it */
        dry_os_close(fd);
        skip();
    }
    assert_int_equal(sys, 0);
    assert_true(fcntl(taken, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
    assert_int_equal(lseek(taken, 0, SEEK_CUR), 5);
    dry_os_close(taken);
    taken = -7;
    dry_os_close(fd);
    assert_int_equal(dry_os_take_of_process(getpid(), fd, &taken), EBADF);
    assert_int_equal(dry_os_take_of_process(INT_MAX, 0, &taken), ESRCH);
    assert_int_equal(taken, -7);
}

/* ---- every call can be made to fail, and then changes nothing ---- */
static int fail_each(const char *call, int fd)
{
    bool flag;
    int number = -7;
    uint64_t word;
    void *at = NULL;
    if (strcmp(call, "reopen_write") == 0) return dry_os_reopen_write(fd, &number);
    if (strcmp(call, "reopen_now") == 0) return dry_os_reopen_now(fd, false, &number);
    if (strcmp(call, "exchange") == 0) return dry_os_exchange(fd, "a", "b");
    if (strcmp(call, "set_modified") == 0) return dry_os_set_modified(fd, 1);
    if (strcmp(call, "lease") == 0) return dry_os_lease(fd);
    if (strcmp(call, "has_lease") == 0) return dry_os_has_lease(fd, &flag);
    if (strcmp(call, "unlease") == 0) return dry_os_unlease(fd);
    if (strcmp(call, "memfd_huge") == 0) return dry_os_memfd_huge("x", &number);
    if (strcmp(call, "set_inherited") == 0) return dry_os_set_inherited(fd, true);
    if (strcmp(call, "is_writable") == 0) return dry_os_is_writable(fd, &flag);
    if (strcmp(call, "duplicate") == 0) return dry_os_duplicate(fd, &number);
    if (strcmp(call, "map_shared") == 0) return dry_os_map_shared(fd, 1, &at);
    if (strcmp(call, "map_grow") == 0) return dry_os_map_grow(&at, 4096, 8192);
    if (strcmp(call, "reserve_addresses") == 0) return dry_os_reserve_addresses(4096, &at);
    if (strcmp(call, "map_write_over") == 0) return dry_os_map_write_over(fd, 0, 4096, at);
    if (strcmp(call, "bind_memory") == 0) return dry_os_bind_memory(at, 1, 1, false);
    if (strcmp(call, "resident") == 0) return dry_os_resident(&number, 1, &word);
    if (strcmp(call, "process_start") == 0) return dry_os_process_start(1, &word);
    if (strcmp(call, "pid_namespace") == 0) return dry_os_pid_namespace(&word);
    if (strcmp(call, "find_of_process") == 0) return dry_os_find_of_process(1, 0, &number);
    return dry_os_take_of_process(1, 0, &number);
}

static void each_call_can_be_made_to_fail(void **state)
{
    static const char *const calls[] = {"reopen_write",   "reopen_now",        "exchange",       "set_modified",
                                        "lease",          "has_lease",         "unlease",        "memfd_huge",
                                        "set_inherited",  "is_writable",       "duplicate",      "map_shared",
                                        "map_grow",       "reserve_addresses", "map_write_over", "bind_memory",
                                        "resident",       "process_start",     "pid_namespace",  "find_of_process",
                                        "take_of_process"};
    struct dry_os_stat before, after;
    int fd = reopened_memfd(1);
    (void)state;
    assert_int_equal(dry_os_stat(fd, &before), 0);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        let_fail(calls[i], EXFULL);
        assert_int_equal(fail_each(calls[i], fd), EXFULL);
    }
    dry_os_fault = NULL;
    assert_int_equal(dry_os_stat(fd, &after), 0);
    assert_int_equal(after.modified_ns, before.modified_ns);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    dry_os_close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_reopened_for_writing),
        TEST(a_description_that_only_writes_is_of_no_use),
        TEST(a_mode_decides_who_reopens),
        TEST(two_names_change_their_files),
        TEST(the_time_of_change_is_what_was_set),
        TEST(a_descriptor_survives_exec_if_it_is_told_to),
        TEST(a_duplicate_shares_the_description),
        TEST(a_lease_means_that_nobody_else_has_it),
        TEST(who_opens_breaks_the_lease_without_a_signal),
        TEST(a_process_has_a_start),
        TEST(a_dead_process_that_nobody_waited_for_is_none),
        TEST(what_another_process_has_open_is_found_and_opened),
        TEST(a_fifo_is_found_without_being_opened),
        TEST(a_description_is_taken_from_another_process),
        TEST(each_call_can_be_made_to_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

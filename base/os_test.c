/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Every test has a fresh directory, and must leave as many descriptors open as it found. */
static char home[64];
static int dirfd_, fds_before;

static int open_fds(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static int setup(void **state)
{
    (void)state;
    snprintf(home, sizeof home, "%s/drystone-os-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(home)) return -1;
    fds_before = open_fds();
    return dry_os_open_directory(home, &dirfd_);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    dry_os_fault = NULL;
    dry_os_clock = NULL;
    dry_os_close(dirfd_);
    return nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS) || open_fds() != fds_before;
}

static int fresh_file(const char *name)
{
    int fd = -1;
    assert_int_equal(dry_os_open_new(dirfd_, name, &fd), 0);
    return fd;
}

static const char *in_home(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", home, name);
    return path;
}

/* Runs `body` in a child; true when that answers true. */
static bool in_child(bool (*body)(void *), void *arg)
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(body(arg) ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* The one call that fails, and with what. */
static const char *faulty;
static int fault_errno, fault_asked;

static int one_fault(const char *call)
{
    if (strcmp(call, faulty) != 0) return 0;
    fault_asked++;
    return fault_errno;
}

static void let_fail(const char *call, int sys)
{
    faulty = call;
    fault_errno = sys;
    fault_asked = 0;
    dry_os_fault = one_fault;
}

/* ---- files ---- */
static void stat_tells_what_a_thing_is(void **state)
{
    struct dry_os_stat st;
    (void)state;
    int fd = fresh_file("f");
    assert_int_equal(dry_os_write_at(fd, "abc", 3, 100000), 0);
    assert_int_equal(dry_os_stat(fd, &st), 0);
    assert_int_equal(st.kind, DRY_OS_FILE);
    assert_int_equal(st.size_bytes, 100003);
    assert_true(st.held_bytes > 0 && st.held_bytes < 100003);
    assert_int_equal(st.mode, 0600);
    assert_int_equal(st.owner, dry_os_user());
    assert_int_equal(st.links, 1);
    assert_true(st.modified_ns > 1577836800 * (int64_t)1000000000); /* after 2020 */
    assert_true(dry_os_realtime_ns() >= st.modified_ns);
    struct dry_os_stat again;
    assert_int_equal(dry_os_stat_at(dirfd_, "f", &again), 0);
    assert_int_equal(again.inode, st.inode);
    assert_int_equal(again.device, st.device);
    assert_int_equal(dry_os_stat(dirfd_, &st), 0);
    assert_int_equal(st.kind, DRY_OS_DIRECTORY);
    assert_int_equal(symlink("f", in_home("l")), 0);
    assert_int_equal(dry_os_stat_at(dirfd_, "l", &st), 0);
    assert_int_equal(st.kind, DRY_OS_OTHER);
    assert_int_equal(dry_os_stat_at(dirfd_, "none", &st), ENOENT);
    dry_os_close(fd);
}

static void a_directory_behind_a_link_is_refused(void **state)
{
    int fd = -7;
    (void)state;
    assert_int_equal(dry_os_make_directory(in_home("d"), 0700), 0);
    assert_int_equal(dry_os_make_directory(in_home("d"), 0700), EEXIST);
    assert_int_equal(symlink("d", in_home("l")), 0);
    assert_int_equal(dry_os_open_directory(in_home("l"), &fd), ENOTDIR);
    assert_int_equal(dry_os_open_directory(in_home("l///"), &fd), ENOTDIR);
    assert_int_equal(dry_os_open_directory(in_home("none"), &fd), ENOENT);
    assert_int_equal(fd, -7); /* untouched */
    char *longest = malloc(PATH_MAX + 1);
    memset(longest, 'x', PATH_MAX);
    longest[PATH_MAX] = '\0';
    assert_int_equal(dry_os_open_directory(longest, &fd), ENAMETOOLONG);
    free(longest);
    assert_int_equal(dry_os_open_directory(in_home("d/"), &fd), 0);
    dry_os_close(fd);
    assert_int_equal(dry_os_open_directory("/", &fd), 0);
    dry_os_close(fd);
}

static void opening_for_reading_follows_no_link_and_blocks_on_no_fifo(void **state)
{
    int fd = -1;
    (void)state;
    assert_int_equal(symlink("/etc/passwd", in_home("l")), 0);
    assert_int_equal(mkfifo(in_home("p"), 0600), 0);
    assert_int_equal(dry_os_open_read(dirfd_, "l", &fd), ELOOP);
    assert_int_equal(dry_os_open_read(dirfd_, "p", &fd), 0);
    assert_false(dry_os_is_seekable(fd, &(uint64_t){0}));
    dry_os_close(fd);
    assert_int_equal(dry_os_open_path(in_home("l"), &fd), 0); /* the user named it */
    dry_os_close(fd);
}

static void no_descriptor_is_inherited_by_exec(void **state)
{
    int fds[8], n = 0;
    (void)state;
    fds[n++] = fresh_file("f");
    assert_int_equal(dry_os_open_read(dirfd_, "f", &fds[n++]), 0);
    assert_int_equal(dry_os_open_path(in_home("f"), &fds[n++]), 0);
    assert_int_equal(dry_os_reopen_read(fds[0], &fds[n++]), 0);
    assert_int_equal(dry_os_memfd("m", &fds[n++]), 0);
    assert_int_equal(dry_os_watch(dirfd_, &fds[n++]), 0);
    if (dry_os_open_unnamed(dirfd_, &fds[n]) == 0) n++;
    assert_int_equal(fcntl(dirfd_, F_GETFD), FD_CLOEXEC);
    for (int i = 0; i < n; i++) {
        assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        dry_os_close(fds[i]);
    }
}

static void a_new_file_takes_no_name_that_is_taken(void **state)
{
    int fd = -1;
    (void)state;
    dry_os_close(fresh_file("f"));
    assert_int_equal(dry_os_open_new(dirfd_, "f", &fd), EEXIST);
    assert_int_equal(symlink("elsewhere", in_home("l")), 0);
    assert_int_equal(dry_os_open_new(dirfd_, "l", &fd), EEXIST);
    assert_int_equal(dry_os_unlink(dirfd_, "f"), 0);
    assert_int_equal(dry_os_unlink(dirfd_, "f"), ENOENT);
}

static void a_second_description_has_its_own_position_and_only_reads(void **state)
{
    char text[4];
    size_t got;
    uint64_t at = 99;
    int fd = fresh_file("f"), reader;
    (void)state;
    assert_int_equal(dry_os_write(fd, "abcd", 4), 0);
    assert_int_equal(dry_os_reopen_read(fd, &reader), 0);
    assert_int_equal(dry_os_read(reader, text, 2, &got), 0);
    assert_int_equal(got, 2);
    assert_true(dry_os_is_seekable(reader, &at));
    assert_int_equal(at, 2);
    assert_true(dry_os_is_seekable(fd, &at));
    assert_int_equal(at, 4);
    assert_int_equal(dry_os_write_at(reader, "x", 1, 0), EBADF);
    dry_os_close(reader);
    dry_os_close(fd);
}

static void an_unnamed_file_gets_its_name_once(void **state)
{
    static const int answers[] = {0, ENOENT}; /* of the direct way: as it is here, and as on an older kernel */
    struct dry_os_stat st;
    (void)state;
    for (int i = 0; i < 2; i++) {
        int fd;
        char name[] = "0";
        name[0] = (char)('0' + i);
        int sys = dry_os_open_unnamed(dirfd_, &fd);
        if (sys == EOPNOTSUPP || sys == EISDIR) {
            print_message("SKIPPED: no unnamed files here\n");
            return;
        }
        assert_int_equal(sys, 0);
        if (answers[i]) let_fail("link_direct", answers[i]);
        assert_int_equal(dry_os_link(fd, dirfd_, name), 0);
        assert_int_equal(dry_os_link(fd, dirfd_, name), EEXIST);
        assert_int_equal(dry_os_stat_at(dirfd_, name, &st), 0);
        assert_int_equal(st.kind, DRY_OS_FILE);
        dry_os_close(fd);
    }
    assert_int_equal(fault_asked, 2);
}

static void a_move_replaces_only_if_it_may(void **state)
{
    static const int answers[] = {0, EINVAL, ENOSYS}; /* of renameat2 */
    struct dry_os_stat st;
    (void)state;
    for (int i = 0; i < 3; i++) {
        dry_os_close(fresh_file("a"));
        dry_os_close(fresh_file("b"));
        if (answers[i]) let_fail("rename_noreplace", answers[i]);
        assert_int_equal(dry_os_rename(dirfd_, "a", "b", false), EEXIST);
        assert_int_equal(dry_os_rename(dirfd_, "a", "c", false), 0);
        assert_int_equal(dry_os_stat_at(dirfd_, "a", &st), ENOENT);
        assert_int_equal(dry_os_rename(dirfd_, "none", "d", false), ENOENT);
        assert_int_equal(dry_os_rename(dirfd_, "b", "c", true), 0);
        assert_int_equal(dry_os_stat_at(dirfd_, "b", &st), ENOENT);
        assert_int_equal(dry_os_unlink(dirfd_, "c"), 0);
    }
}

static void sizes_modes_and_blocks_can_be_set(void **state)
{
    struct dry_os_stat st;
    int fd = fresh_file("f");
    (void)state;
    assert_int_equal(dry_os_set_size(fd, 1 << 20), 0);
    assert_int_equal(dry_os_stat(fd, &st), 0);
    assert_int_equal(st.size_bytes, 1 << 20);
    assert_int_equal(st.held_bytes, 0);
    int sys = dry_os_allocate(fd, 0, 1 << 21);
    if (sys != EOPNOTSUPP) {
        assert_int_equal(sys, 0);
        assert_int_equal(dry_os_stat(fd, &st), 0);
        assert_int_equal(st.size_bytes, 1 << 21);
        assert_true(st.held_bytes >= 1 << 21);
    }
    assert_int_equal(dry_os_set_size(fd, 0), 0);
    assert_int_equal(dry_os_set_mode(fd, 0440), 0);
    assert_int_equal(dry_os_sync(fd), 0);
    assert_int_equal(dry_os_stat(fd, &st), 0);
    assert_int_equal(st.held_bytes, 0);
    assert_int_equal(st.mode, 0440);
    assert_int_equal(dry_os_set_size(fd, UINT64_MAX), EFBIG);
    assert_int_equal(dry_os_allocate(fd, UINT64_MAX - 1, 10), EFBIG);
    assert_int_equal(dry_os_write_at(fd, "x", 1, INT64_MAX), EFBIG);
    dry_os_close(fd);
}

static void reading_ends_with_the_file(void **state)
{
    char text[8] = "";
    size_t got = 77;
    int fd = fresh_file("f");
    (void)state;
    assert_int_equal(dry_os_write_at(fd, "abcdef", 6, 0), 0);
    assert_int_equal(dry_os_read_at(fd, text, 6, 0), 0);
    assert_memory_equal(text, "abcdef", 6);
    assert_int_equal(dry_os_read_at(fd, text, 7, 0), ENODATA);
    assert_int_equal(dry_os_read_at(fd, text, 1, 6), ENODATA);
    assert_int_equal(dry_os_read_at(fd, text, 0, 600), 0);
    assert_int_equal(dry_os_read(fd, text, 8, &got), 0);
    assert_int_equal(got, 6);
    assert_int_equal(dry_os_read(-1, text, 8, &got), EBADF);
    assert_int_equal(got, 6);
    dry_os_close(fd);
}

/* ---- limits ---- */
static bool stays_below_the_limit(void *arg)
{
    int fd = *(int *)arg;
    struct rlimit limit = {1000, 1000};
    struct dry_os_stat st;
    signal(SIGXFSZ, SIG_DFL);
    if (dry_os_file_size_limit() != UINT64_MAX || setrlimit(RLIMIT_FSIZE, &limit)) return false;
    char bytes[2000] = {0};
    bool refused = dry_os_file_size_limit() == 1000 && dry_os_set_size(fd, 5001) == EFBIG &&
                   dry_os_allocate(fd, 0, 1001) == EFBIG && dry_os_write_at(fd, bytes, 2, 999) == EFBIG &&
                   dry_os_write(fd, bytes, 2000) == EFBIG;
    if (!refused || dry_os_stat(fd, &st) || st.size_bytes != 5000) return false;
    return dry_os_set_size(fd, 4000) == 0 && dry_os_write_at(fd, bytes, 1000, 0) == 0 &&
           dry_os_write(fd, bytes, 1000) == 0;
}

static void a_file_beyond_the_limit_is_an_error_and_not_a_signal(void **state)
{
    int fd = fresh_file("f");
    (void)state;
    if (dry_os_file_size_limit() != UINT64_MAX) {
        print_message("SKIPPED: this process has a limit already\n");
    } else {
        assert_int_equal(dry_os_set_size(fd, 5000), 0);
        assert_true(in_child(stays_below_the_limit, &fd));
    }
    dry_os_close(fd);
}

/* ---- streams ---- */
static void ignore_signal(int sig) { (void)sig; }

enum { STREAM_BYTES = 1 << 20 };

static bool sends_with_signals(void *arg)
{
    const int *fds = arg;
    char bytes[1024];
    for (int i = 0; i < STREAM_BYTES / 1024; i++) {
        memset(bytes, i, sizeof bytes);
        kill(getppid(), SIGUSR1);
        if (dry_os_write(fds[1], bytes, sizeof bytes)) return false;
    }
    return true;
}

/* Reads all from a pipe whose other end also sends signals that interrupt. */
static void read_among_signals(int flags)
{
    struct sigaction action = {.sa_handler = ignore_signal}, before;
    char *all = malloc(STREAM_BYTES + 1);
    size_t got = 0;
    int fds[2], status;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    assert_int_equal(pipe2(fds, O_CLOEXEC | flags), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(sends_with_signals(fds) ? 0 : 1);
    dry_os_close(fds[1]);
    assert_int_equal(dry_os_read(fds[0], all, STREAM_BYTES + 1, &got), 0);
    assert_int_equal(got, STREAM_BYTES);
    for (int i = 0; i < STREAM_BYTES; i++) assert_int_equal(all[i], (char)(i / 1024));
    while (waitpid(pid, &status, 0) != pid) assert_int_equal(errno, EINTR);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    dry_os_close(fds[0]);
    free(all);
    sigaction(SIGUSR1, &before, NULL);
}

static void signals_do_not_break_a_stream(void **state)
{
    (void)state;
    read_among_signals(0);
}

static void a_stream_that_does_not_block_is_waited_for(void **state)
{
    (void)state;
    read_among_signals(O_NONBLOCK);
}

static int see(void *self, const char *name)
{
    strcat(self, name);
    return strcmp(name, "stop") == 0 ? 55 : 0;
}

static void a_directory_is_listed_as_often_as_one_likes(void **state)
{
    char seen[64] = "";
    (void)state;
    assert_int_equal(dry_os_list(dirfd_, see, seen), 0);
    assert_string_equal(seen, "");
    dry_os_close(fresh_file("only"));
    for (int i = 0; i < 2; i++) assert_int_equal(dry_os_list(dirfd_, see, seen), 0);
    assert_string_equal(seen, "onlyonly");
    assert_int_equal(dry_os_unlink(dirfd_, "only"), 0);
    dry_os_close(fresh_file("stop"));
    assert_int_equal(dry_os_list(dirfd_, see, seen), 55);
    assert_int_equal(dry_os_list(-1, see, seen), EBADF);
}

static void a_lock_is_of_the_description(void **state)
{
    int fd = fresh_file("f"), one, two;
    (void)state;
    assert_int_equal(dry_os_reopen_read(fd, &one), 0);
    assert_int_equal(dry_os_reopen_read(fd, &two), 0);
    assert_int_equal(dry_os_lock(fd, true), 0);
    assert_int_equal(dry_os_lock(one, false), EAGAIN);
    assert_int_equal(dry_os_lock(one, true), EBADF); /* exclusive needs a writable one */
    dry_os_close(fd);
    assert_int_equal(dry_os_lock(one, false), 0);
    assert_int_equal(dry_os_lock(two, false), 0);
    dry_os_close(one);
    dry_os_close(two);
}

static void the_working_directory_is_absolute(void **state)
{
    char path[PATH_MAX], small[2];
    (void)state;
    assert_int_equal(dry_os_working_directory(path, sizeof path), 0);
    assert_int_equal(path[0], '/');
    if (strlen(path) > 1) assert_int_equal(dry_os_working_directory(small, sizeof small), ERANGE);
}

static void random_bytes_differ(void **state)
{
    uint8_t a[600] = {0}, b[600] = {0};
    (void)state;
    assert_int_equal(dry_os_random(a, sizeof a), 0);
    assert_int_equal(dry_os_random(b, sizeof b), 0);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a + 500, b + 500, 100);
}

/* ---- the seam ---- */
static void a_fault_is_returned_and_the_call_is_not_made(void **state)
{
    struct dry_os_stat st;
    int fd = fresh_file("f");
    (void)state;
    let_fail("unlink", EPERM);
    assert_int_equal(dry_os_unlink(dirfd_, "f"), EPERM);
    let_fail("set_size", EIO);
    assert_int_equal(dry_os_set_size(fd, 10), EIO);
    let_fail("write_at", ENOSPC);
    assert_int_equal(dry_os_write_at(fd, "x", 1, 0), ENOSPC);
    let_fail("stat", EIO);
    assert_int_equal(dry_os_stat(fd, &st), EIO);
    dry_os_fault = NULL;
    assert_int_equal(dry_os_stat_at(dirfd_, "f", &st), 0);
    assert_int_equal(st.size_bytes, 0);
    dry_os_close(fd);
}

static int64_t noon(void) { return 12; }

static void a_test_can_set_the_clock(void **state)
{
    int64_t before = dry_os_monotonic_ns();
    (void)state;
    assert_true(dry_os_monotonic_ns() >= before);
    dry_os_clock = noon;
    assert_int_equal(dry_os_monotonic_ns(), 12);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(stat_tells_what_a_thing_is),
        TEST(a_directory_behind_a_link_is_refused),
        TEST(opening_for_reading_follows_no_link_and_blocks_on_no_fifo),
        TEST(no_descriptor_is_inherited_by_exec),
        TEST(a_new_file_takes_no_name_that_is_taken),
        TEST(a_second_description_has_its_own_position_and_only_reads),
        TEST(an_unnamed_file_gets_its_name_once),
        TEST(a_move_replaces_only_if_it_may),
        TEST(sizes_modes_and_blocks_can_be_set),
        TEST(reading_ends_with_the_file),
        TEST(a_file_beyond_the_limit_is_an_error_and_not_a_signal),
        TEST(signals_do_not_break_a_stream),
        TEST(a_stream_that_does_not_block_is_waited_for),
        TEST(a_directory_is_listed_as_often_as_one_likes),
        TEST(a_lock_is_of_the_description),
        TEST(the_working_directory_is_absolute),
        TEST(random_bytes_differ),
        TEST(a_fault_is_returned_and_the_call_is_not_made),
        TEST(a_test_can_set_the_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

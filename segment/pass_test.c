/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Handles as text, what they open and what they refuse, seen from inside: of descriptors that are no segments, and
 * such as nobody would give out. Whole processes: tests/pass_*_test.c.
 */
#define _GNU_SOURCE
#include "pass_testing.h"

#include <sys/socket.h>
#include <sys/wait.h>

/* ---- text ---- */
static const struct dry_handle largest = {.pid = INT32_MAX,
                                          .start = UINT64_MAX,
                                          .space = UINT64_MAX,
                                          .number = INT32_MAX,
                                          .device = UINT64_MAX,
                                          .inode = UINT64_MAX,
                                          .size_bytes = INT64_MAX,
                                          .generation = INT64_MAX};

static void a_handle_fits_whatever_it_says(void **state)
{
    const struct dry_handle least = {0};
    struct dry_handle back;
    char text[DRY_HANDLE_SIZE];
    (void)state;
    dry_handle_write(&largest, text);
    assert_true(strlen(text) <= 110);
    assert_int_equal(dry_handle_read(text, &back, NULL), DRY_OK);
    assert_memory_equal(&back, &largest, sizeof back);
    dry_handle_write(&least, text);
    assert_int_equal(dry_handle_read(text, &back, NULL), DRY_OK);
    assert_memory_equal(&back, &least, sizeof back);
    assert_memory_equal(text, "dry1-0-0-0-0-0-0-0-0-", 21);
}

/* Printable, and nothing that a shell, JSON or a URL would touch. */
static void a_handle_is_plain_text(void **state)
{
    char text[DRY_HANDLE_SIZE];
    (void)state;
    dry_handle_write(&largest, text);
    assert_int_equal(strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz-"), strlen(text));
    assert_memory_equal(text, "dry1-", 5);
}

static void a_mutilated_handle_is_invalid(void **state)
{
    int fd = memory(100, 0400), opened;
    struct dry_handle h = handle_of(fd, true), back;
    char text[DRY_HANDLE_SIZE], bad[2 * DRY_HANDLE_SIZE];
    (void)state;
    dry_handle_write(&h, text);
    size_t n = strlen(text);
    for (size_t cut = 0; cut < n; cut++) { /* its begin, its end */
        memcpy(bad, text, cut);
        bad[cut] = '\0';
        assert_int_equal(dry_handle_read(bad, &back, NULL), DRY_INVALID);
        assert_int_equal(dry_handle_read(text + cut + 1, &back, NULL), DRY_INVALID);
    }
    for (size_t at = 0; at < n; at++) {
        for (int c = 1; c < 256; c++) { /* any other character in each place */
            strcpy(bad, text);
            if (bad[at] == (char)c) continue;
            bad[at] = (char)c;
            assert_int_equal(dry_handle_read(bad, &back, NULL), DRY_INVALID);
        }
        memcpy(bad, text, at); /* one more character */
        bad[at] = '0';
        strcpy(bad + at + 1, text + at);
        assert_int_equal(dry_handle_read(bad, &back, NULL), DRY_INVALID);
        strcpy(bad, text); /* two change places */
        bad[at] = text[at + 1];
        bad[at + 1] = text[at];
        if (at + 1 < n && text[at] != text[at + 1]) assert_int_equal(dry_handle_read(bad, &back, NULL), DRY_INVALID);
    }
    snprintf(bad, sizeof bad, "%s%s", text, text);
    assert_int_equal(dry_handle_open(bad, false, &opened, NULL), DRY_INVALID);
    snprintf(bad, sizeof bad, "%s\n", text);
    assert_int_equal(dry_handle_open(bad, false, &opened, NULL), DRY_INVALID);
    dry_os_close(fd);
}

/* With a correct check, so that only the number is wrong. */
static void numbers_beyond_their_kind_are_invalid(void **state)
{
    struct dry_handle h = largest, back;
    char text[DRY_HANDLE_SIZE];
    (void)state;
    uint64_t *const limited[] = {&h.pid, &h.number, &h.size_bytes, &h.generation};
    for (size_t i = 0; i < 4; i++) {
        h = largest;
        *limited[i] += 1;
        dry_handle_write(&h, text);
        assert_int_equal(dry_handle_read(text, &back, NULL), DRY_INVALID);
    }
}

static void what_is_no_handle_says_so(void **state)
{
    static const char *const texts[] = {"",
                                        "d",
                                        "dry",
                                        "dry1",
                                        "dry1-",
                                        "trades",
                                        "/dev/shm/x",
                                        "dry2-1-1-1-1-1-1-1-1-1",
                                        "dry1--1-1-1-1-1-1-1-1-1",
                                        "dry1-1-1-1-1-1-1-1-1",
                                        "DRY1-1-1-1-1-1-1-1-1-1"};
    struct dry_error err;
    int fd = -7;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        err = (struct dry_error){0};
        assert_int_equal(dry_handle_open(texts[i], false, &fd, &err), DRY_INVALID);
        assert_non_null(strstr(err.text, "handle"));
    }
    char *endless = malloc(1 << 20); /* digits without end */
    memset(endless, '9', 1 << 20);
    memcpy(endless, "dry1-", 5);
    endless[(1 << 20) - 1] = '\0';
    assert_int_equal(dry_handle_open(endless, false, &fd, &err), DRY_INVALID);
    free(endless);
    assert_int_equal(fd, -7);
}

/* ---- opening ---- */
static void our_own_handle_opens(void **state)
{
    int fd = memory(100, 0600);
    struct dry_handle h = handle_of(fd, false);
    (void)state;
    assert_int_equal(h.generation, 0);
    assert_int_equal(h.pid, getpid());
    expect_opened(&h, false);
    expect_opened(&h, true);
    assert_int_equal(dry_os_set_mode(fd, 0400), 0);
    h = handle_of(fd, true);
    assert_true(h.generation > 0);
    expect_opened(&h, false);
    dry_os_close(fd);
}

static void writing_is_for_what_is_offered(void **state)
{
    int fd = memory(100, 0400);
    struct dry_handle h = handle_of(fd, true);
    (void)state;
    expect_refused(&h, true, DRY_DENIED, "dry_segment_offer"); /* also for root, whom no mode stops */
    assert_int_equal(dry_os_set_mode(fd, 0600), 0);
    expect_opened(&h, true);
    assert_int_equal(dry_os_add_seals(fd, DRY_OS_SEAL_SHRINK | DRY_OS_SEAL_GROW | DRY_OS_SEAL_FUTURE_WRITE), 0);
    expect_refused(&h, true, DRY_DENIED, "protected by now");
    expect_opened(&h, false);
    dry_os_close(fd);
}

static void what_is_not_as_it_was_is_not_opened(void **state)
{
    int fd = memory(100, 0400), other = memory(100, 0400);
    const struct dry_handle h = handle_of(fd, true);
    struct dry_handle bad;
    (void)state;
    bad = h;
    bad.size_bytes++;
    expect_refused(&bad, false, DRY_NOT_FOUND, "ask process");
    bad = h;
    bad.generation++;
    expect_refused(&bad, false, DRY_NOT_FOUND, "taken back");
    bad = h;
    bad.inode++;
    expect_refused(&bad, false, DRY_NOT_FOUND, "leads to something else");
    bad = h;
    bad.device++;
    expect_refused(&bad, false, DRY_NOT_FOUND, "leads to something else");
    bad = h;
    bad.number = (uint64_t)other;
    expect_refused(&bad, false, DRY_NOT_FOUND, "leads to something else");
    /* The memory itself is known by its generation, whoever has it; without one it counts whose the pid is. */
    bad = h;
    bad.start++;
    bad.space++;
    expect_opened(&bad, false);
    bad = h;
    bad.generation = 0;
    bad.start++; /* the pid is somebody else's by now */
    expect_refused(&bad, false, DRY_NOT_FOUND, "has ended");
    bad = h;
    bad.pid = INT32_MAX;
    expect_refused(&bad, false, DRY_NOT_FOUND, "has ended");
    bad = h;
    bad.pid = 0;
    expect_refused(&bad, false, DRY_NOT_FOUND, "has ended");
    bad = h;
    bad.generation = 0;
    bad.space++;
    expect_refused(&bad, false, DRY_DENIED, "PID namespace");
    bad = h;
    bad.generation = 0; /* not compared */
    expect_opened(&bad, false);
    dry_os_close(fd);
    expect_refused(&h, false, DRY_NOT_FOUND, "is closed");
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    if (ends[0] != fd && ends[1] != fd) assert_int_equal(dup3(ends[0], fd, O_CLOEXEC), fd);
    expect_refused(&h, false, DRY_NOT_FOUND, "leads to something else");
    if (ends[0] != fd && ends[1] != fd) close(fd);
    close(ends[0]);
    close(ends[1]);
    dry_os_close(other);
}

/* Has something else at number `fd` until the other side closes. */
static void be_another(int socket, int fd)
{
    char byte = 0;
    int other;
    if (dry_os_memfd("drystone-segment-other", &other) || dup2(other, fd) != fd) _exit(1);
    if (write(socket, &byte, 1) != 1) _exit(2);
    _exit(read(socket, &byte, 1) != 0);
}

/* The pid is by now that of a real process, which has something else at that number. */
static void another_process_of_that_pid_is_not_the_creator(void **state)
{
    int fd = memory(100, 0400), s[2];
    struct dry_handle h = handle_of(fd, true);
    char byte;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(s[0]);
        be_another(s[1], fd);
    }
    close(s[1]);
    assert_int_equal(read(s[0], &byte, 1), 1);
    h.pid = (uint64_t)pid;
    assert_int_equal(dry_os_process_start(pid, &h.start), 0);
    expect_refused(&h, false, DRY_NOT_FOUND, "let the memory go");
    h.start--; /* what it was before */
    expect_refused(&h, false, DRY_NOT_FOUND, "has ended");
    h.start++;
    close(s[0]);
    int how;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_int_equal(how, 0);
    expect_refused(&h, false, DRY_NOT_FOUND, "has ended");
    dry_os_close(fd);
}

/* The file may be the right one and no file any more: its inode number was used again. */
static void a_fifo_is_never_opened(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct dry_handle h = handle_of(ends[0], false);
    expect_refused(&h, false, DRY_NOT_FOUND, "leads to something else");
    expect_refused(&h, true, DRY_NOT_FOUND, "leads to something else");
    close(ends[0]);
    close(ends[1]);
}

static void memory_that_is_being_taken_back_is_waited_for_briefly(void **state)
{
    int fd = memory(100, 0400);
    struct dry_handle h = handle_of(fd, true);
    (void)state;
    assert_int_equal(dry_os_lease(fd), 0);
    expect_refused(&h, false, DRY_NOT_FOUND, "being taken back");
    assert_int_equal(dry_os_unlease(fd), 0);
    expect_opened(&h, false);
    dry_os_close(fd);
}

static int opens_refused;
static int refuse_twice(const char *call)
{
    if (strcmp(call, "reopen_now") != 0) return 0;
    return opens_refused++ < 2 ? EAGAIN : 0;
}

static void a_taking_back_that_fails_lets_the_reader_in(void **state)
{
    int fd = memory(100, 0400);
    struct dry_handle h = handle_of(fd, true);
    (void)state;
    opens_refused = 0;
    dry_os_fault = refuse_twice;
    expect_opened(&h, false);
    assert_int_equal(opens_refused, 3);
    dry_os_fault = NULL;
    dry_os_close(fd);
}

/* ---- calls that fail ---- */
static void each_call_that_fails_is_told(void **state)
{
    static const struct {
        const char *call;
        int sys;
        enum dry_status status;
        const char *part;
    } failures[] = {
        {"pid_namespace", ENOENT, DRY_IO, "mount -t proc"},
        {"pid_namespace", EXDEV, DRY_DENIED, "mount it anew"},
        {"process_start", EACCES, DRY_DENIED, "hidepid"},
        {"process_start", EPERM, DRY_DENIED, "hidepid"},
        {"process_start", ESRCH, DRY_NOT_FOUND, "has ended"},
        {"process_start", EMFILE, DRY_IO, "ulimit -n"},
        {"find_of_process", ENOENT, DRY_NOT_FOUND, "let the"},
        {"find_of_process", EMFILE, DRY_IO, "ulimit -n"},
        {"find_of_process", ENFILE, DRY_IO, "ulimit -n"},
        {"reopen_now", EMFILE, DRY_IO, "ulimit -n"},
        {"reopen_now", EIO, DRY_IO, "cannot be opened"},
        {"reopen_now", EAGAIN, DRY_NOT_FOUND, "taken back"},
        {"is_writable", EIO, DRY_IO, "not opened as"},
        {"stat", EIO, DRY_NOT_FOUND, "leads to something else"},
    };
    int fd = memory(100, 0400);
    struct dry_handle h = handle_of(fd, false); /* goes the careful way */
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        let_fail(failures[i].call, NULL, failures[i].sys);
        expect_refused(&h, false, failures[i].status, failures[i].part);
    }
    dry_os_fault = NULL;
    dry_os_close(fd);
}

static void a_handle_needs_proc(void **state)
{
    static const char *const calls[] = {"pid_namespace", "process_start", "stat"};
    struct dry_error err = {0};
    struct dry_handle h = {.pid = 77};
    int fd = memory(100, 0400);
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        let_fail(calls[i], NULL, EIO);
        assert_int_equal(dry_handle_of(fd, true, &h, &err), DRY_IO);
        assert_true(err.text[0]);
    }
    assert_int_equal(h.pid, 77);
    dry_os_fault = NULL;
    dry_os_close(fd);
}

/* ---- the last way ---- */
static void a_description_is_taken_only_where_proc_refuses(void **state)
{
    int fd = memory(100, 0600), probe;
    struct dry_handle h = handle_of(fd, true);
    (void)state;
    int sys = dry_os_take_of_process(getpid(), fd, &probe);
    if (!sys) dry_os_close(probe);
    let_fail("find_of_process", NULL, EACCES);
    if (sys)
        expect_refused(&h, false, DRY_DENIED, "Unix socket");
    else
        expect_opened(&h, false); /* a description of its own, through the one that was taken */
    expect_refused(&h, true, DRY_DENIED, "Unix socket"); /* never for writing */
    let_fail("find_of_process", "take_of_process", EPERM);
    expect_refused(&h, false, DRY_DENIED, "Unix socket");
    dry_os_fault = NULL;
    dry_os_close(fd);
    if (sys) skip(); /* an old kernel, or a container that forbids it */
}

static void a_taken_description_that_writes_is_not_given_out(void **state)
{
    int fd = memory(100, 0400), reader, probe;
    struct dry_handle h = handle_of(fd, true);
    (void)state;
    assert_int_equal(dry_os_reopen_read(fd, &reader), 0);
    int sys = dry_os_take_of_process(getpid(), fd, &probe);
    if (!sys) dry_os_close(probe);
    if (!sys) {
        let_fail("find_of_process", "reopen_now", EACCES);
        expect_refused(&h, false, DRY_DENIED, "mode");
        h.number = (uint64_t)reader;
        expect_opened(&h, false); /* shared, but it reads only */
        dry_os_fault = NULL;
        dry_os_close(fd);
        let_fail("find_of_process", NULL, EACCES);
        assert_int_equal(dry_os_lease(reader), 0); /* which would not see who shares the description */
        expect_refused(&h, false, DRY_NOT_FOUND, "taken back");
        dry_os_fault = NULL;
        fd = -1;
    }
    dry_os_close(reader);
    if (fd >= 0) dry_os_close(fd);
    if (sys) skip(); /* an old kernel, or a container that forbids it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_handle_fits_whatever_it_says),
        TEST(a_handle_is_plain_text),
        TEST(a_mutilated_handle_is_invalid),
        TEST(numbers_beyond_their_kind_are_invalid),
        TEST(what_is_no_handle_says_so),
        TEST(our_own_handle_opens),
        TEST(writing_is_for_what_is_offered),
        TEST(what_is_not_as_it_was_is_not_opened),
        TEST(another_process_of_that_pid_is_not_the_creator),
        TEST(a_fifo_is_never_opened),
        TEST(memory_that_is_being_taken_back_is_waited_for_briefly),
        TEST(a_taking_back_that_fails_lets_the_reader_in),
        TEST(each_call_that_fails_is_told),
        TEST(a_handle_needs_proc),
        TEST(a_description_is_taken_only_where_proc_refuses),
        TEST(a_taken_description_that_writes_is_not_given_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Inheritance and sockets, seen from inside; with other processes: tests/pass_*_test.c.
 */
#define _GNU_SOURCE
#include "pass_testing.h"

#include <sys/socket.h>

/* ---- inheritance ---- */
/* As an exec'd child would see it: the variable is there, and the creator is not. */
static void inherit(int from, int *fd, char text[DRY_INHERIT_SIZE])
{
    struct dry_error err = {0};
    if (dry_pass_inherit(from, fd, text, &err)) print_error("%s\n", err.text);
    assert_memory_equal(text, "DRYSTONE_INHERITED=", 19);
    setenv("DRYSTONE_INHERITED", text + 19, 1);
}

static void an_inherited_descriptor_is_found_without_its_creator(void **state)
{
    int fd = memory(100, 0400), passed = -1;
    struct dry_handle h = handle_of(fd, true);
    char text[DRY_INHERIT_SIZE];
    bool writable = true;
    (void)state;
    inherit(fd, &passed, text);
    assert_int_equal(fcntl(passed, F_GETFD), 0);
    assert_true(dry_os_is_writable(passed, &writable) == 0 && !writable);
    dry_os_close(fd);
    h.pid = INT32_MAX;
    h.space++;
    expect_opened(&h, false);
    expect_refused(&h, true, DRY_DENIED, "not offered");
    let_fail("reopen_now", NULL, ENOENT); /* without /proc it is shared, as it reads only */
    expect_opened(&h, false);
    let_fail("reopen_now", NULL, EMFILE);
    expect_refused(&h, false, DRY_IO, "ulimit -n");
    dry_os_fault = NULL;
    h.generation++;
    expect_refused(&h, false, DRY_DENIED, "PID namespace"); /* passed over: it is another one */
    dry_os_close(passed);
}

static void the_list_grows_and_passes_over_what_went(void **state)
{
    int a = memory(1, 0400), b = memory(2, 0400), passed_a, passed_b, expected_n;
    const struct dry_handle ha = handle_of(a, true), hb = handle_of(b, true);
    char text[DRY_INHERIT_SIZE], expected[64];
    (void)state;
    inherit(a, &passed_a, text);
    inherit(b, &passed_b, text);
    expected_n = snprintf(expected, sizeof expected, "DRYSTONE_INHERITED=%d,%d", passed_a, passed_b);
    assert_true(expected_n > 0);
    assert_string_equal(text, expected);
    dry_os_close(a);
    dry_os_close(b);
    expect_opened(&ha, false);
    expect_opened(&hb, false);
    dry_os_close(passed_a);
    expect_refused(&ha, false, DRY_NOT_FOUND, "closed");
    expect_opened(&hb, false);
    int c = memory(3, 0400), passed_c; /* another file where `passed_a` was */
    inherit(c, &passed_c, text);
    expect_refused(&ha, false, DRY_NOT_FOUND, "closed");
    expect_opened(&hb, false);
    dry_os_close(c);
    dry_os_close(passed_c);
    dry_os_close(passed_b);
}

static void rubbish_in_the_variable_is_the_end_of_the_list(void **state)
{
    static const char *const before[] = {"",           ",",   "x",   "-1", " 3", "3 ", "99999999999999999999",
                                         "2147483648", "3;4", "3,,4"};
    int fd = memory(100, 0400), passed;
    char text[DRY_INHERIT_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        setenv("DRYSTONE_INHERITED", before[i], 1);
        struct dry_handle h = handle_of(fd, true);
        expect_opened(&h, false);
        assert_int_equal(dry_pass_inherit(fd, &passed, text, NULL), DRY_OK);
        char *end;
        assert_int_equal(strtol(strrchr(text, text[19 + 1] == ',' ? ',' : '=') + 1, &end, 10), passed);
        assert_int_equal(*end, '\0');
        dry_os_close(passed);
    }
    dry_os_close(fd);
}

static void too_long_a_list_is_refused(void **state)
{
    int fd = memory(100, 0400), passed = -7;
    char many[4 * DRY_INHERIT_SIZE], one[16], text[DRY_INHERIT_SIZE] = "as it was";
    struct dry_error err = {0};
    (void)state;
    int n = snprintf(one, sizeof one, "%d,", fd);
    for (size_t at = 0; at + (size_t)n < DRY_INHERIT_SIZE + 20; at += (size_t)n)
        strcpy(many + at, one);
    many[strlen(many) - 1] = '\0';
    setenv("DRYSTONE_INHERITED", many, 1);
    assert_int_equal(dry_pass_inherit(fd, &passed, text, &err), DRY_FULL);
    assert_non_null(strstr(err.text, "Unix socket"));
    assert_string_equal(text, "as it was");
    assert_int_equal(passed, -7);
    many[DRY_INHERIT_SIZE - 19 - 20] = '\0'; /* and just not too long */
    *strrchr(many, ',') = '\0';
    setenv("DRYSTONE_INHERITED", many, 1);
    assert_int_equal(dry_pass_inherit(fd, &passed, text, &err), DRY_OK);
    dry_os_close(passed);
    dry_os_close(fd);
}

static void only_files_are_inherited(void **state)
{
    struct dry_error err = {0};
    char text[DRY_INHERIT_SIZE];
    int ends[2], passed = -7, fd = memory(1, 0400);
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(dry_pass_inherit(ends[0], &passed, text, &err),
                     DRY_INVALID); /* and does not wait for a writer */
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(dry_pass_inherit(-1, &passed, text, &err), DRY_INVALID);
    assert_int_equal(dry_pass_inherit(ends[0], &passed, text, &err), DRY_INVALID);
    static const char *const calls[] = {"stat", "reopen_now", "set_inherited"};
    for (size_t i = 0; i < 3; i++) {
        let_fail(calls[i], NULL, EIO);
        assert_int_equal(dry_pass_inherit(fd, &passed, text, &err), DRY_IO);
    }
    dry_os_fault = NULL;
    assert_int_equal(passed, -7);
    dry_os_close(fd);
}

/* ---- sockets ---- */
static void a_segments_own_descriptor_is_not_sent(void **state)
{
    struct dry_error err = {0};
    struct dry_own_fd own;
    int s[2], fd = memory(100, 0400), reader;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
    dry_os_fork_hold();
    dry_own_fd_set(&own, fd);
    dry_os_fork_release();
    assert_int_equal(dry_os_reopen_read(fd, &reader), 0);
    assert_int_equal(dry_pass_send(s[0], "x", 1, (int[]){reader, fd}, 2, &err), DRY_DENIED);
    assert_non_null(strstr(err.text, "dry_segment_fd_of"));
    assert_int_equal(dry_pass_send(s[0], "x", 1, (int[]){reader, reader}, 2, &err), DRY_OK);
    int came[2];
    size_t n, n_fds;
    char byte;
    assert_int_equal(dry_pass_receive(s[1], &byte, 1, &n, came, 2, &n_fds, NULL, &err), DRY_OK);
    assert_true(n == 1 && n_fds == 2);
    close(came[0]);
    close(came[1]);
    dry_os_close(reader);
    dry_own_fd_close(&own);
    close(s[0]);
    close(s[1]);
}

static void what_a_socket_says_becomes_words(void **state)
{
    static const struct {
        const char *call;
        int sys;
        enum dry_status status;
        const char *part;
    } failures[] = {
        {"send", EPIPE, DRY_IO, "nobody reads"},         {"send", ECONNRESET, DRY_IO, "nobody reads"},
        {"send", EMSGSIZE, DRY_TOO_BIG, "as a segment"}, {"send", ETOOMANYREFS, DRY_FULL, "on their way"},
        {"send", ENOTSOCK, DRY_INVALID, "Unix socket"},  {"send", EAFNOSUPPORT, DRY_INVALID, "Unix socket"},
        {"send", EAGAIN, DRY_TIMEOUT, "not ready"},      {"send", ENOMEM, DRY_NOMEM, "socket"},
        {"receive", EMSGSIZE, DRY_TOO_BIG, "dropped"},   {"receive", ECONNRESET, DRY_IO, "before it had read"},
        {"receive", EMFILE, DRY_IO, "ulimit -n"},        {"receive", EAGAIN, DRY_TIMEOUT, "not ready"},
        {"receive", ENOTCONN, DRY_INVALID, "connected"},
    };
    int s[2], came[1] = {-7};
    size_t n = 9, n_fds = 9;
    char byte;
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s), 0);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        struct dry_error err = {0};
        let_fail(failures[i].call, NULL, failures[i].sys);
        enum dry_status status = strcmp(failures[i].call, "send") == 0
                                     ? dry_pass_send(s[0], "x", 1, NULL, 0, &err)
                                     : dry_pass_receive(s[1], &byte, 1, &n, came, 1, &n_fds, NULL, &err);
        assert_int_equal(status, failures[i].status);
        assert_non_null(strstr(err.text, failures[i].part));
    }
    dry_os_fault = NULL;
    assert_true(n == 9 && n_fds == 9 && came[0] == -7);
    assert_int_equal(dry_pass_send(s[0], "", 0, NULL, 0, NULL), DRY_INVALID);
    assert_int_equal(dry_pass_send(s[0], "x", 1, s, DRY_PASS_MAX + 1, NULL), DRY_INVALID);
    assert_int_equal(dry_pass_receive(s[1], &byte, 0, &n, came, 1, &n_fds, NULL, NULL), DRY_INVALID);
    assert_int_equal(dry_pass_ask_sender(s[1], NULL), DRY_OK);
    close(s[0]);
    close(s[1]);
    assert_int_equal(dry_pass_ask_sender(s[1], NULL), DRY_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_inherited_descriptor_is_found_without_its_creator),
        TEST(the_list_grows_and_passes_over_what_went),
        TEST(rubbish_in_the_variable_is_the_end_of_the_list),
        TEST(too_long_a_list_is_refused),
        TEST(only_files_are_inherited),
        TEST(a_segments_own_descriptor_is_not_sent),
        TEST(what_a_socket_says_becomes_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

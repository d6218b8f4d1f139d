/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Segments over Unix sockets, between processes of which each may end at any time, or send what it likes.
 */
#define _GNU_SOURCE
#include "pass_testing.h"

#include <sched.h>
#include <sys/mman.h>

static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};

static void pair(int type, int s[2])
{
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, s), 0);
}

static void close_pair(const int s[2])
{
    close(s[0]);
    close(s[1]);
}

/* Attaches what came, and closes it. */
static enum dry_status attach_and_close(int fd, struct dry_view *out, struct dry_error *err)
{
    const struct dry_attach_options trusted = {.at_least = DRY_CLASS_ANONYMOUS};
    enum dry_status status = dry_segment_attach(fd, &trusted, NULL, out, NULL, err);
    close(fd);
    return status;
}

/* ---- the honest ---- */
/* Two views of one segment and one of another, each with a descriptor of its own. */
static void send_three_and_end(void *arg)
{
    const int *s = arg;
    struct dry_segment *a = make_shared(), *b = make_shared();
    struct dry_view va, vb;
    CHECK(a && b);
    CHECK(dry_segment_view(a, &va, NULL) == DRY_OK && dry_segment_view(b, &vb, NULL) == DRY_OK);
    const int fds[] = {dry_segment_fd_of(va.storage), dry_segment_fd_of(vb.storage), dry_segment_fd_of(va.storage)};
    CHECK(dry_pass_send(s[1], "three", 5, fds, 3, NULL) == DRY_OK);
    kill(getpid(), SIGKILL); /* nothing is given back in order */
}

/* The message holds the memory: its sender is long dead, and nobody else has it. */
static void a_message_outlives_its_sender(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        struct dry_sender from = {0};
        struct dry_view v;
        int s[2], fds[4];
        size_t n, n_fds;
        char text[16];
        pair(types[t], s);
        assert_int_equal(dry_pass_ask_sender(s[0], NULL), DRY_OK);
        pid_t pid = harness_start(send_three_and_end, s);
        assert_int_equal(harness_end(pid), -SIGKILL);
        assert_int_equal(held_anywhere(), 0); /* as far as /proc shows */
        assert_int_equal(dry_pass_receive(s[0], text, sizeof text, &n, fds, 4, &n_fds, &from, NULL), DRY_OK);
        assert_true(n == 5 && memcmp(text, "three", 5) == 0 && n_fds == 3);
        assert_true(from.known && from.pid == pid && from.user == geteuid() && from.group == getegid());
        for (size_t i = 0; i < n_fds; i++) {
            assert_int_equal(attach_and_close(fds[i], &v, NULL), DRY_OK);
            assert_true(is_shared(&v));
            dry_view_unref(&v);
        }
        close(s[1]);
        assert_int_equal(dry_pass_receive(s[0], text, sizeof text, &n, fds, 4, &n_fds, &from, NULL), DRY_OK);
        assert_true(n == 0 && n_fds == 0 && !from.known);
        close(s[0]);
    }
}

static void a_message_that_nobody_reads_holds_nothing_for_ever(void **state)
{
    int s[2];
    (void)state;
    pair(SOCK_STREAM, s);
    assert_int_equal(harness_run(send_three_and_end, s), -SIGKILL);
    close_pair(s); /* the teardown looks whether all is gone */
}

static void send_one(void *arg)
{
    const int *s = arg;
    struct dry_segment *a = make_shared();
    struct dry_view v;
    CHECK(a && dry_segment_view(a, &v, NULL) == DRY_OK);
    CHECK(dry_pass_send(s[1], "x", 1, (int[]){dry_segment_fd_of(v.storage)}, 1, NULL) == DRY_OK);
    dry_view_unref(&v);
    dry_segment_free(a);
}

static void receive_one(const int s[2])
{
    struct dry_view v;
    int fd;
    size_t n, n_fds;
    char byte;
    CHECK(dry_pass_receive(s[0], &byte, 1, &n, &fd, 1, &n_fds, NULL, NULL) == DRY_OK && n_fds == 1);
    CHECK(attach_and_close(fd, &v, NULL) == DRY_OK);
    CHECK(is_shared(&v));
    dry_view_unref(&v);
}

static void receive_as_nobody(void *arg)
{
    CHECK(harness_become_nobody());
    receive_one(arg);
}

static void another_user_reads_what_was_sent(void **state)
{
    int s[2];
    (void)state;
    if (geteuid() != 0) skip(); /* only root becomes another user */
    pair(SOCK_SEQPACKET, s);
    assert_int_equal(harness_run(send_one, s), 0);
    assert_int_equal(harness_run(receive_as_nobody, s), 0);
    close_pair(s);
}

enum { NOT_HERE = 77 };

static void receive_in_a_namespace(void *arg)
{
    CHECK(getpid() == 1);
    receive_one(arg);
}

static void enter_a_namespace(void *arg)
{
    if (unshare(CLONE_NEWPID)) _exit(NOT_HERE);
    _exit(harness_run(receive_in_a_namespace, arg));
}

static void another_pid_namespace_reads_what_was_sent(void **state)
{
    int s[2];
    (void)state;
    pair(SOCK_STREAM, s);
    assert_int_equal(harness_run(send_one, s), 0);
    int code = harness_run(enter_a_namespace, s);
    close_pair(s);
    if (code == NOT_HERE) skip(); /* no namespaces of one's own */
    assert_int_equal(code, 0);
}

/* What came is read-only for whoever has it, and counts for the one who made it. */
static void the_maker_does_not_take_back_what_is_under_way(void **state)
{
    int s[2], fd;
    size_t n, n_fds;
    char byte;
    struct dry_view v;
    struct dry_segment *a = make_shared();
    (void)state;
    pair(SOCK_STREAM, s);
    assert_non_null(a);
    assert_int_equal(dry_segment_view(a, &v, NULL), DRY_OK);
    assert_int_equal(dry_pass_send(s[1], "x", 1, (int[]){dry_segment_fd(a)}, 1, NULL), DRY_DENIED);
    assert_int_equal(dry_pass_send(s[1], "x", 1, (int[]){dry_segment_fd_of(v.storage)}, 1, NULL), DRY_OK);
    dry_view_unref(&v);
    assert_int_equal(dry_segment_take_back(a, NULL), DRY_SHARED); /* it is in the socket only */
    assert_int_equal(dry_pass_receive(s[0], &byte, 1, &n, &fd, 1, &n_fds, NULL, NULL), DRY_OK);
    assert_int_equal(pwrite(fd, "x", 1, 0), -1);
    assert_int_equal(dry_segment_take_back(a, NULL), DRY_SHARED);
    close(fd);
    assert_int_equal(dry_segment_take_back(a, NULL), DRY_OK);
    dry_segment_free(a);
    close_pair(s);
}

/* ---- the hostile ---- */
static enum dry_status receive(const int s[2], int *fd, size_t *n_fds)
{
    size_t n;
    char text[16];
    *n_fds = 0;
    return dry_pass_receive(s[0], text, sizeof text, &n, fd, 1, n_fds, NULL, NULL);
}

static void send_raw(int socket, size_t n, const int *fds, size_t n_fds)
{
    char *bytes = calloc(1, n);
    CHECK(bytes && dry_pass_send(socket, bytes, n, fds, n_fds, NULL) == DRY_OK);
    free(bytes);
}

static void send_anything(void *arg)
{
    const int *s = arg;
    int ends[2], many[DRY_PASS_MAX];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    for (int i = 0; i < DRY_PASS_MAX; i++)
        many[i] = ends[0];
    send_raw(s[1], 1, NULL, 0);            /* no descriptor */
    send_raw(s[1], 1, ends, 1);            /* a pipe */
    send_raw(s[1], 1, &s[0], 1);           /* the socket itself */
    send_raw(s[1], 1, many, DRY_PASS_MAX); /* too many */
    send_raw(s[1], 100000, many, 1);       /* too long */
    int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), path = open("/", O_PATH | O_CLOEXEC);
    send_raw(s[1], 1, &directory, 1);
    send_raw(s[1], 1, &path, 1);
    int unsealed = (int)memfd_create(shared_name(), MFD_CLOEXEC);
    CHECK(ftruncate(unsealed, 4096) == 0);
    send_raw(s[1], 1, &unsealed, 1); /* memory that its sender can write and truncate */
}

static void what_a_hostile_sender_sends_is_refused(void **state)
{
    struct dry_error err = {0};
    struct dry_view v;
    int s[2], fd;
    size_t n_fds;
    (void)state;
    pair(SOCK_SEQPACKET, s);
    int before = harness_open_fds();
    pid_t pid = harness_start(send_anything, s);
    assert_int_equal(receive(s, &fd, &n_fds), DRY_OK);
    assert_int_equal(n_fds, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(receive(s, &fd, &n_fds), DRY_OK);
        assert_int_equal(n_fds, 1);
        assert_int_equal(attach_and_close(fd, &v, &err), DRY_INVALID);
    }
    assert_int_equal(receive(s, &fd, &n_fds), DRY_TOO_BIG);
    assert_int_equal(receive(s, &fd, &n_fds), DRY_TOO_BIG);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(receive(s, &fd, &n_fds), DRY_OK);
        assert_int_equal(attach_and_close(fd, &v, &err), DRY_INVALID);
    }
    assert_int_equal(receive(s, &fd, &n_fds), DRY_OK);
    assert_int_equal(attach_and_close(fd, &v, &err), DRY_DENIED); /* a reader who asks for protection */
    assert_int_equal(harness_end(pid), 0);
    assert_int_equal(harness_open_fds(), before);
    close_pair(s);
}

static void begin_and_be_killed(void *arg)
{
    int *s = arg;
    char *bytes = calloc(1, 1 << 22);
    struct dry_segment *a = make_shared();
    struct dry_view v;
    CHECK(bytes && a && dry_segment_view(a, &v, NULL) == DRY_OK);
    CHECK(dry_pass_send(s[1], bytes, 1 << 22, (int[]){dry_segment_fd_of(v.storage)}, 1, NULL) != DRY_OK);
    CHECK(false); /* nobody reads, so it waits until it is killed */
}

/* The first part has come, with the descriptor; the rest never does. */
static void a_sender_that_is_killed_in_the_middle_ends_the_stream(void **state)
{
    int s[2], fd;
    size_t n, n_fds, all = 0;
    char text[4096];
    struct dry_view v;
    (void)state;
    pair(SOCK_STREAM, s);
    pid_t pid = harness_start(begin_and_be_killed, s);
    close(s[1]);
    assert_int_equal(dry_pass_receive(s[0], text, sizeof text, &n, &fd, 1, &n_fds, NULL, NULL), DRY_OK);
    assert_true(n > 0 && n_fds == 1);
    kill(pid, SIGKILL);
    assert_int_equal(harness_end(pid), -SIGKILL);
    while (n > 0) {
        all += n;
        assert_int_equal(dry_pass_receive(s[0], text, sizeof text, &n, NULL, 0, &n_fds, NULL, NULL), DRY_OK);
    }
    assert_true(all < 1 << 22);
    assert_int_equal(attach_and_close(fd, &v, NULL), DRY_OK);
    assert_true(is_shared(&v));
    dry_view_unref(&v);
    close(s[0]);
}

static void a_receiver_that_goes_is_an_error_not_a_signal(void **state)
{
    int s[2];
    (void)state;
    pair(SOCK_STREAM, s);
    close(s[0]);
    struct dry_error err = {0};
    assert_int_equal(dry_pass_send(s[1], "x", 1, NULL, 0, &err), DRY_IO);
    assert_non_null(strstr(err.text, "nobody reads"));
    close(s[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_outlives_its_sender),
        TEST(a_message_that_nobody_reads_holds_nothing_for_ever),
        TEST(another_user_reads_what_was_sent),
        TEST(another_pid_namespace_reads_what_was_sent),
        TEST(the_maker_does_not_take_back_what_is_under_way),
        TEST(what_a_hostile_sender_sends_is_refused),
        TEST(a_sender_that_is_killed_in_the_middle_ends_the_stream),
        TEST(a_receiver_that_goes_is_an_error_not_a_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

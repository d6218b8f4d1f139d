/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Descriptors in messages, between programs that may be hostile.
 */
#define _GNU_SOURCE
#include "os_share_testing.h"

#include <sys/resource.h>
#include <sys/socket.h>

static void pair(int type, int s[2])
{
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, s), 0);
}

static void close_pair(const int s[2])
{
    close(s[0]);
    close(s[1]);
}

static void a_message_brings_bytes_and_descriptors(void **state)
{
    static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
    struct dry_os_stat st;
    (void)state;
    int fd = reopened_memfd(77);
    for (size_t t = 0; t < 3; t++) {
        int s[2], came[DRY_OS_PASS_MAX], many[DRY_OS_PASS_MAX];
        size_t n = 9, n_fds = 9;
        char bytes[8];
        pair(types[t], s);
        for (int i = 0; i < DRY_OS_PASS_MAX; i++)
            many[i] = fd;
        assert_int_equal(dry_os_send(s[0], "hello", 5, many, DRY_OS_PASS_MAX), 0);
        assert_int_equal(dry_os_receive(s[1], bytes, sizeof bytes, &n, came, DRY_OS_PASS_MAX, &n_fds, NULL), 0);
        assert_true(n == 5 && memcmp(bytes, "hello", 5) == 0);
        assert_int_equal(n_fds, DRY_OS_PASS_MAX);
        for (size_t i = 0; i < n_fds; i++) {
            assert_true(fcntl(came[i], F_GETFD) & FD_CLOEXEC);
            assert_true(dry_os_stat(came[i], &st) == 0 && st.size_bytes == 77);
            dry_os_close(came[i]);
        }
        assert_int_equal(dry_os_send(s[0], "x", 1, NULL, 0), 0);
        assert_int_equal(dry_os_receive(s[1], bytes, sizeof bytes, &n, NULL, 0, &n_fds, NULL), 0);
        assert_true(n == 1 && n_fds == 0);
        close_pair(s);
    }
    dry_os_close(fd);
}

static void what_cannot_be_sent_is_refused(void **state)
{
    int s[2], many[DRY_OS_PASS_MAX + 1] = {0}, closed;
    char *large = calloc(1, 1 << 20);
    (void)state;
    pair(SOCK_SEQPACKET, s);
    assert_int_equal(dry_os_send(s[0], "", 0, NULL, 0), EINVAL);
    assert_int_equal(dry_os_send(s[0], "x", 1, many, DRY_OS_PASS_MAX + 1), EINVAL);
    closed = dup(s[0]);
    close(closed);
    assert_int_equal(dry_os_send(s[0], "x", 1, &closed, 1), EBADF);
    assert_int_equal(dry_os_send(s[0], large, 1 << 20, NULL, 0), EMSGSIZE);
    close(s[1]);
    assert_int_equal(dry_os_send(s[0], "x", 1, NULL, 0), EPIPE);
    close(s[0]);
    assert_int_equal(dry_os_send(s[0], "x", 1, NULL, 0), EBADF);
    free(large);
}

/* Other sockets would take them without a word. */
static void descriptors_go_through_unix_sockets_only(void **state)
{
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)state;
    if (udp < 0) skip(); /* a machine without IPv4 */
    assert_int_equal(dry_os_send(udp, "x", 1, &udp, 1), EAFNOSUPPORT);
    close(udp);
}

static void what_is_too_much_is_closed(void **state)
{
    int s[2], came[4] = {-7, -7, -7, -7}, fds[3];
    size_t n = 9, n_fds = 9;
    char bytes[4] = "abc";
    (void)state;
    pair(SOCK_SEQPACKET, s);
    for (int i = 0; i < 3; i++)
        fds[i] = s[0];
    int before = open_fds();
    assert_int_equal(dry_os_send(s[0], "hello", 5, fds, 3), 0);
    assert_int_equal(dry_os_send(s[0], "hell", 4, fds, 3), 0);
    assert_int_equal(dry_os_send(s[0], "ok", 2, NULL, 0), 0);
    assert_int_equal(dry_os_receive(s[1], bytes, 4, &n, came, 4, &n_fds, NULL), EMSGSIZE);
    assert_int_equal(dry_os_receive(s[1], bytes, 4, &n, came, 2, &n_fds, NULL), EMSGSIZE);
    assert_true(n == 9 && n_fds == 9 && came[0] == -7);
    assert_int_equal(open_fds(), before);
    assert_int_equal(dry_os_receive(s[1], bytes, 4, &n, came, 2, &n_fds, NULL), 0);
    assert_true(n == 2 && n_fds == 0);
    close_pair(s);
}

/* With one number left of three that are needed. */
static int receives_without_room(void *arg)
{
    const int *s = arg;
    int came[3];
    size_t n, n_fds;
    char byte;
    int free_number = dup(s[0]);
    struct rlimit limit = {(rlim_t)free_number + 1, (rlim_t)free_number + 1};
    close(free_number);
    int before = open_fds();
    if (setrlimit(RLIMIT_NOFILE, &limit)) return 1;
    if (dry_os_receive(s[1], &byte, 1, &n, came, 3, &n_fds, NULL) != EMFILE) return 2;
    return open_fds() == before ? 0 : 3;
}

static void descriptors_that_find_no_room_leave_none(void **state)
{
    int s[2], fds[3];
    (void)state;
    pair(SOCK_STREAM, s);
    for (int i = 0; i < 3; i++)
        fds[i] = s[0];
    assert_int_equal(dry_os_send(s[0], "x", 1, fds, 3), 0);
    assert_int_equal(in_child(receives_without_room, s), 0);
    close_pair(s);
}

static void the_end_is_a_message_of_no_bytes(void **state)
{
    struct dry_os_credentials from;
    int s[2], came[1];
    size_t n = 9, n_fds = 9;
    char byte;
    (void)state;
    pair(SOCK_STREAM, s);
    assert_int_equal(dry_os_ask_credentials(s[1]), 0);
    assert_int_equal(dry_os_send(s[0], "x", 1, NULL, 0), 0);
    close(s[0]);
    assert_int_equal(dry_os_receive(s[1], &byte, 1, &n, came, 1, &n_fds, &from), 0);
    assert_int_equal(n, 1);
    assert_int_equal(dry_os_receive(s[1], &byte, 1, &n, came, 1, &n_fds, &from), 0);
    assert_true(n == 0 && n_fds == 0 && !from.known); /* nobody said it, least of all root */
    close(s[1]);
}

/* An empty message with a descriptor looks like the end: nobody would close what it brought. */
static void an_empty_message_brings_nothing(void **state)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr message = {.msg_control = control, .msg_controllen = sizeof control};
    int s[2], came[1] = {-7};
    size_t n = 9, n_fds = 9;
    char byte;
    (void)state;
    pair(SOCK_SEQPACKET, s);
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    *head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(head), &s[0], sizeof(int));
    assert_int_equal(sendmsg(s[0], &message, 0), 0);
    int before = open_fds();
    assert_int_equal(dry_os_receive(s[1], &byte, 1, &n, came, 1, &n_fds, NULL), 0);
    assert_true(n == 0 && n_fds == 0 && came[0] == -7);
    assert_int_equal(open_fds(), before);
    close_pair(s);
}

static void the_kernel_vouches_for_who_sent(void **state)
{
    struct dry_os_credentials from = {.pid = -7};
    int s[2], came;
    size_t n, n_fds;
    char byte;
    (void)state;
    pair(SOCK_SEQPACKET, s);
    assert_int_equal(dry_os_send(s[0], "x", 1, NULL, 0), 0);
    assert_int_equal(dry_os_receive(s[1], &byte, 1, &n, NULL, 0, &n_fds, &from), 0);
    assert_false(from.known);
    assert_int_equal(dry_os_send(s[0], "x", 1, NULL, 0), 0); /* before it was asked to */
    assert_int_equal(dry_os_ask_credentials(s[1]), 0);
    assert_int_equal(dry_os_receive(s[1], &byte, 1, &n, NULL, 0, &n_fds, &from), 0);
    assert_false(from.known);
    assert_int_equal(dry_os_send(s[0], "x", 1, &s[0], 1), 0);
    assert_int_equal(dry_os_receive(s[1], &byte, 1, &n, &came, 1, &n_fds, &from), 0);
    assert_true(from.known && from.pid == getpid() && from.user == geteuid() && from.group == getegid());
    dry_os_close(came);
    close_pair(s);
    assert_int_equal(dry_os_ask_credentials(s[1]), EBADF);
}

static void a_pidfd_that_a_socket_brings_is_closed(void **state)
{
    enum { ASK_PIDFD = 76 };
    const int on = 1;
    int s[2], many[DRY_OS_PASS_MAX], came[DRY_OS_PASS_MAX];
    size_t n, n_fds;
    char byte;
    (void)state;
    pair(SOCK_SEQPACKET, s);
    if (setsockopt(s[1], SOL_SOCKET, ASK_PIDFD, &on, sizeof on)) {
        close_pair(s);
        skip(); /* a kernel before 6.5 */
    }
    assert_int_equal(dry_os_ask_credentials(s[1]), 0);
    for (int i = 0; i < DRY_OS_PASS_MAX; i++)
        many[i] = s[0];
    int before = open_fds();
    assert_int_equal(dry_os_send(s[0], "x", 1, many, DRY_OS_PASS_MAX), 0);
    assert_int_equal(dry_os_receive(s[1], &byte, 1, &n, came, DRY_OS_PASS_MAX, &n_fds, NULL), 0);
    assert_int_equal(n_fds, DRY_OS_PASS_MAX);
    for (size_t i = 0; i < n_fds; i++)
        dry_os_close(came[i]);
    assert_int_equal(open_fds(), before);
    close_pair(s);
}

enum { LARGE = 1 << 20 };

static int reads_all(void *arg)
{
    const int *s = arg;
    char bytes[4096];
    size_t n = 1, n_fds, all = 0;
    close(s[0]);
    while (n > 0) {
        if (dry_os_receive(s[1], bytes, sizeof bytes, &n, NULL, 0, &n_fds, NULL)) return 1;
        for (size_t i = 0; i < n; i++)
            if ((uint8_t)bytes[i] != (uint8_t)((all + i) * 7)) return 2;
        all += n;
    }
    return all == LARGE ? 0 : 3;
}

/* More than a socket's buffer holds, and it does not wait: what was begun is sent to its end. */
static void a_message_is_sent_whole(void **state)
{
    uint8_t *large = malloc(LARGE);
    int s[2], how;
    (void)state;
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (uint8_t)(i * 7);
    pair(SOCK_STREAM | SOCK_NONBLOCK, s);
    assert_int_equal(fcntl(s[1], F_SETFL, 0), 0);
    pid_t pid = fork();
    if (pid == 0) _exit(reads_all(s));
    assert_int_equal(dry_os_send(s[0], large, LARGE, NULL, 0), 0);
    close_pair(s);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_int_equal(how, 0);
    free(large);
}

static void a_full_socket_that_does_not_wait_says_so(void **state)
{
    size_t n = 9, n_fds;
    char byte;
    int s[2], sys = 0;
    (void)state;
    pair(SOCK_SEQPACKET | SOCK_NONBLOCK, s);
    assert_int_equal(dry_os_receive(s[1], &byte, 1, &n, NULL, 0, &n_fds, NULL), EAGAIN);
    while (!sys)
        sys = dry_os_send(s[0], "x", 1, NULL, 0);
    assert_int_equal(sys, EAGAIN);
    close_pair(s);
}

static void each_call_can_be_made_to_fail(void **state)
{
    size_t n, n_fds;
    char byte;
    int s[2];
    (void)state;
    pair(SOCK_STREAM, s);
    let_fail("send", EXFULL);
    assert_int_equal(dry_os_send(s[0], "x", 1, NULL, 0), EXFULL);
    let_fail("receive", EXFULL);
    assert_int_equal(dry_os_receive(s[1], &byte, 1, &n, NULL, 0, &n_fds, NULL), EXFULL);
    let_fail("ask_credentials", EXFULL);
    assert_int_equal(dry_os_ask_credentials(s[1]), EXFULL);
    close_pair(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_brings_bytes_and_descriptors),   TEST(what_cannot_be_sent_is_refused),
        TEST(descriptors_go_through_unix_sockets_only), TEST(what_is_too_much_is_closed),
        TEST(descriptors_that_find_no_room_leave_none), TEST(the_end_is_a_message_of_no_bytes),
        TEST(an_empty_message_brings_nothing),          TEST(the_kernel_vouches_for_who_sent),
        TEST(a_pidfd_that_a_socket_brings_is_closed),   TEST(a_message_is_sent_whole),
        TEST(a_full_socket_that_does_not_wait_says_so), TEST(each_call_can_be_made_to_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the tests of handles, inheritance and sockets share: memory that is no segment, and handles of it.
 */
#ifndef DRY_PASS_TESTING_H
#define DRY_PASS_TESTING_H

#include "segment_testing.h"
#include "handle.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, expect_nothing_held)

static inline int setup(void **state)
{
    unsetenv("DRYSTONE_INHERITED");
    return note_what_is_held(state);
}

/* A memfd as segments have it: one description, mode as given. */
static inline int memory(size_t n, uint32_t mode)
{
    int first, fd = -1;
    assert_int_equal(dry_os_memfd("drystone-segment-test", &first), 0);
    assert_int_equal(dry_os_set_size(first, n), 0);
    assert_int_equal(dry_os_reopen_write(first, &fd), 0);
    dry_os_close(first);
    assert_int_equal(dry_os_set_mode(fd, mode), 0);
    return fd;
}

static inline struct dry_handle handle_of(int fd, bool lasting)
{
    struct dry_error err = {0};
    struct dry_handle h;
    assert_int_equal(dry_handle_of(fd, lasting, &h, &err), DRY_OK);
    return h;
}

static inline enum dry_status open_handle(const struct dry_handle *h, bool writable, int *fd, struct dry_error *err)
{
    char text[DRY_HANDLE_SIZE];
    dry_handle_write(h, text);
    return dry_handle_open(text, writable, fd, err);
}

/* Refused with this status and words that have `part` in them; nothing is opened. */
static inline void expect_refused(const struct dry_handle *h, bool writable, enum dry_status status, const char *part)
{
    struct dry_error err = {0};
    int fd = -7, before = open_fds();
    assert_int_equal(open_handle(h, writable, &fd, &err), status);
    assert_int_equal(fd, -7);
    assert_int_equal(open_fds(), before);
    if (!strstr(err.text, part)) print_error("'%s' is not in: %s\n", part, err.text);
    assert_non_null(strstr(err.text, part));
    assert_int_equal(open_handle(h, writable, &fd, NULL), status);
}

static inline void expect_opened(const struct dry_handle *h, bool writable)
{
    struct dry_error err = {0};
    struct dry_os_stat st;
    bool is_writable = !writable;
    int fd = -1;
    if (open_handle(h, writable, &fd, &err)) print_error("%s\n", err.text);
    assert_true(fd >= 0);
    assert_true(dry_os_stat(fd, &st) == 0 && st.inode == h->inode);
    assert_true(dry_os_is_writable(fd, &is_writable) == 0 && is_writable == writable);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    dry_os_close(fd);
}

static const char *faulty[2];
static int fault_errno;
static inline int two_faults(const char *call)
{
    return strcmp(call, faulty[0]) == 0 || (faulty[1] && strcmp(call, faulty[1]) == 0) ? fault_errno : 0;
}

static inline void let_fail(const char *first, const char *second, int sys)
{
    faulty[0] = first;
    faulty[1] = second;
    fault_errno = sys;
    dry_os_fault = two_faults;
}

#endif

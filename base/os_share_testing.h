/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the tests of the edge to other processes share: children, descriptors as segments have them, one call that
 * fails, and a look at what is left.
 */
#ifndef DRY_OS_SHARE_TESTING_H
#define DRY_OS_SHARE_TESTING_H

#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define MIB ((size_t)1 << 20)

static inline int open_fds(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static int fds_before;

static inline int setup(void **state)
{
    (void)state;
    fds_before = open_fds();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    dry_os_fault = NULL;
    return open_fds() != fds_before;
}

/* Runs `body` in a child: its exit code, or minus its signal. It must not use cmocka's assertions. */
static inline int in_child(int (*body)(void *), void *arg)
{
    int how;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        alarm(60);
        _exit(body(arg));
    }
    assert_int_equal(waitpid(pid, &how, 0), pid);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -WTERMSIG(how);
}

/* A memfd with our own description only, as segments have it. */
static inline int reopened_memfd(size_t n)
{
    int first, fd = -1;
    assert_int_equal(dry_os_memfd("os-share", &first), 0);
    if (n) assert_int_equal(dry_os_set_size(first, n), 0);
    assert_int_equal(dry_os_reopen_write(first, &fd), 0);
    dry_os_close(first);
    return fd;
}

/* The one call that fails, and with what. */
static const char *faulty;
static int fault_errno;

static inline int one_fault(const char *call)
{
    return strcmp(call, faulty) == 0 ? fault_errno : 0;
}

static inline void let_fail(const char *call, int sys)
{
    faulty = call;
    fault_errno = sys;
    dry_os_fault = one_fault;
}

#endif

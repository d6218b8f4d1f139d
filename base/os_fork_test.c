/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "os_share_testing.h"
#include "atomic.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* ---- mappings ---- */
/* How many mappings of our memfds this process has. */
static int mappings(void *arg)
{
    char line[512];
    int n = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    (void)arg;
    if (!maps) return 200;
    while (fgets(line, sizeof line, maps))
        n += strstr(line, "os-share") != NULL;
    fclose(maps);
    return n;
}

static int byte_through(void *arg)
{
    return **(uint8_t **)arg;
}

static void a_shared_mapping_is_inherited_and_an_own_one_is_not(void **state)
{
    int fd = reopened_memfd(3 * MIB);
    void *at = NULL;
    (void)state;
    assert_int_equal(dry_os_map_shared(fd, 3 * MIB - 100, &at), 0);
    assert_int_equal((uintptr_t)at % DRY_HUGE_BYTES, 0);
    *(uint8_t *)at = 42;
    assert_int_equal(in_child(mappings, NULL), 1);
    assert_int_equal(in_child(byte_through, &at), 42);
    dry_os_unmap(at, 3 * MIB - 100);
    assert_int_equal(dry_os_map_write(fd, 0, 3 * MIB, &at), 0);
    assert_int_equal(in_child(mappings, NULL), 0);
    dry_os_unmap(at, 3 * MIB);
    dry_os_close(fd);
    at = &fd;
    assert_int_equal(dry_os_map_shared(fd, MIB, &at), EBADF);
    assert_ptr_equal(at, &fd);
}

static void addresses_are_taken_first_and_filled_later(void **state)
{
    int fd = reopened_memfd(4 * MIB);
    void *at = NULL;
    (void)state;
    assert_int_equal(dry_os_reserve_addresses(8 * MIB, &at), 0);
    assert_int_equal((uintptr_t)at % DRY_HUGE_BYTES, 0);
    assert_int_equal(dry_os_map_write_over(fd, 0, 2 * MIB, at), 0);
    assert_int_equal(dry_os_map_write_over(fd, 2 * MIB, 2 * MIB, (uint8_t *)at + 2 * MIB), 0);
    ((uint8_t *)at)[4 * MIB - 1] = 9;
    uint8_t last = 0;
    assert_int_equal(dry_os_read_at(fd, &last, 1, 4 * MIB - 1), 0);
    assert_int_equal(last, 9);
    assert_int_equal(in_child(mappings, NULL), 0);
    dry_os_unmap(at, 8 * MIB);
    dry_os_close(fd);
    at = &fd;
    assert_int_equal(dry_os_reserve_addresses(SIZE_MAX - MIB + 1, &at), ENOMEM);
    assert_ptr_equal(at, &fd);
}

static bool has_bytes(const uint8_t *at, size_t n, uint8_t first)
{
    return at[0] == first && at[n - 1] == (uint8_t)(first + 1);
}

/* What it has stays, what comes is the file's, and a child still does not get it. */
static void grow_once(bool in_place)
{
    int fd = reopened_memfd(32 * MIB);
    void *at = NULL, *before;
    assert_int_equal(dry_os_map_write(fd, 0, DRY_HUGE_BYTES, &at), 0);
    before = at;
    ((uint8_t *)at)[0] = 7;
    ((uint8_t *)at)[DRY_HUGE_BYTES - 1] = 8;
    if (!in_place) let_fail("map_grow_in_place", ENOMEM);
    assert_int_equal(dry_os_map_grow(&at, DRY_HUGE_BYTES, 32 * MIB), 0);
    dry_os_fault = NULL;
    assert_int_equal((uintptr_t)at % DRY_HUGE_BYTES, 0);
    assert_true(in_place || at != before);
    assert_true(has_bytes(at, DRY_HUGE_BYTES, 7));
    ((uint8_t *)at)[32 * MIB - 1] = 9;
    uint8_t last = 0;
    assert_int_equal(dry_os_read_at(fd, &last, 1, 32 * MIB - 1), 0);
    assert_int_equal(last, 9);
    assert_int_equal(in_child(mappings, NULL), 0);
    dry_os_unmap(at, 32 * MIB);
    dry_os_close(fd);
}

static void a_mapping_grows_where_it_is_or_elsewhere(void **state)
{
    (void)state;
    grow_once(true);
    grow_once(false);
}

static int grows_without_room(void *arg)
{
    struct rlimit limit = {64 * MIB, 64 * MIB};
    void *at, *before;
    int fd = *(int *)arg;
    if (dry_os_map_write(fd, 0, DRY_HUGE_BYTES, &at) || setrlimit(RLIMIT_AS, &limit)) return 100;
    before = at;
    if (dry_os_address_limit() != 64 * MIB) return 1;
    if (dry_os_map_grow(&at, DRY_HUGE_BYTES, 4096 * MIB) != ENOMEM || at != before) return 2;
    return *(uint8_t *)at == 0 ? 0 : 3;
}

static void a_mapping_that_cannot_grow_is_as_it_was(void **state)
{
    int fd = reopened_memfd(DRY_HUGE_BYTES);
    void *at = &fd;
    (void)state;
    assert_int_equal(in_child(grows_without_room, &fd), 0);
    assert_int_equal(dry_os_map_write(fd, 0, DRY_HUGE_BYTES, &at), 0);
    void *before = at;
    let_fail("map_grow_in_place", ENOMEM);
    assert_int_equal(dry_os_map_grow(&at, DRY_HUGE_BYTES, SIZE_MAX - MIB + 1), ENOMEM);
    assert_ptr_equal(at, before);
    dry_os_unmap(at, DRY_HUGE_BYTES);
    dry_os_close(fd);
}

static void pages_are_bound_to_nodes_that_are_there(void **state)
{
    int fd = reopened_memfd(MIB);
    void *at;
    (void)state;
    assert_int_equal(dry_os_map_write(fd, 0, MIB, &at), 0);
    int sys = dry_os_bind_memory(at, MIB, 1, true);
    if (sys != ENOSYS) { /* a kernel without NUMA */
        assert_int_equal(sys, 0);
        assert_int_equal(dry_os_bind_memory(at, MIB, 1, false), 0);
        assert_int_equal(dry_os_bind_memory(at, MIB, (uint64_t)1 << 63, true), EINVAL);
    }
    dry_os_unmap(at, MIB);
    dry_os_close(fd);
}

static void resident_pages_are_counted(void **state)
{
    size_t page = dry_os_page_bytes();
    size_t n = 5000 * page; /* more than are asked for at once */
    int fd = reopened_memfd(n);
    uint64_t bytes = 99;
    void *at;
    (void)state;
    assert_int_equal(dry_os_map_read(fd, n, &at), 0);
    assert_int_equal(dry_os_resident(at, n, &bytes), 0);
    assert_int_equal(bytes, 0);
    assert_int_equal(dry_os_write_at(fd, "x", 1, 0), 0);
    assert_int_equal(dry_os_write_at(fd, "x", 1, 4999 * page), 0);
    assert_int_equal(dry_os_resident(at, n, &bytes), 0);
    assert_int_equal(bytes, 2 * page);
    assert_int_equal(dry_os_resident((uint8_t *)at + page - 1, 2, &bytes), 0); /* of two pages one */
    assert_int_equal(bytes, page);
    assert_int_equal(dry_os_resident((uint8_t *)at + 1, 0, &bytes), 0);
    assert_int_equal(bytes, 0);
    dry_os_unmap(at, n);
    assert_int_equal(dry_os_resident(at, n, &bytes), ENOMEM);
    dry_os_close(fd);
}

static void a_huge_memfd_has_a_fallback_for_its_flags(void **state)
{
    int fd = -7;
    (void)state;
    int sys = dry_os_memfd_huge("os-share", &fd);
    if (sys == ENODEV || sys == ENOSYS || sys == EINVAL) skip(); /* a kernel without hugetlb pages */
    assert_int_equal(sys, 0);
    dry_os_close(fd);
    let_fail("memfd_noexec", EINVAL);
    assert_int_equal(dry_os_memfd_huge("os-share", &fd), 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    dry_os_close(fd);
}

/* ---- fork ---- */
static int number_is_open(void *arg)
{
    return fcntl(*(int *)arg, F_GETFD) >= 0;
}

static int child_of_a_fork(void *arg)
{
    struct dry_own_fd *own = arg;
    return own[0].fd == -1 && own[1].fd == -1 && own[2].fd == -1 && !dry_own_fd_is(3) ? 0 : 1;
}

static void a_child_does_not_keep_what_is_its_parents(void **state)
{
    struct dry_own_fd own[3];
    int fds[3];
    (void)state;
    for (int i = 0; i < 3; i++) {
        fds[i] = reopened_memfd(0);
        dry_os_fork_hold();
        dry_own_fd_set(&own[i], fds[i]);
        dry_os_fork_release();
        assert_true(dry_own_fd_is(fds[i]));
    }
    assert_int_equal(in_child(child_of_a_fork, own), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(in_child(number_is_open, &fds[i]), 0);
    assert_int_equal(own[1].fd, fds[1]);
    static const int order[] = {1, 0, 2}; /* from the middle, the end, the only one */
    for (int i = 0; i < 3; i++) {
        dry_own_fd_close(&own[order[i]]);
        assert_int_equal(own[order[i]].fd, -1);
        assert_false(dry_own_fd_is(fds[order[i]]));
        dry_own_fd_close(&own[order[i]]); /* once is enough, twice is allowed */
    }
    assert_false(dry_own_fd_is(-1));
}

static int waits_for_lease(void *arg)
{
    int *ends = arg;
    char byte;
    close(ends[1]);
    return read(ends[0], &byte, 1) == 0 ? 0 : 1; /* until the parent closes */
}

static void a_lease_is_the_parents_while_its_child_lives(void **state)
{
    struct dry_own_fd own;
    int ends[2], how;
    (void)state;
    int fd = reopened_memfd(0);
    dry_os_fork_hold();
    dry_own_fd_set(&own, fd);
    dry_os_fork_release();
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) _exit(waits_for_lease(ends));
    assert_int_equal(dry_os_lease(fd), 0);
    dry_own_fd_close(&own);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_int_equal(how, 0);
}

/* Forks while another thread registers and closes: every child finds a whole list. */
static void *registers(void *arg)
{
    struct dry_atomic_u32 *stop = arg;
    while (!dry_load_relaxed_u32(stop)) { /* X0: brings nothing with it */
        struct dry_own_fd own;
        int fd;
        dry_os_fork_hold();
        if (dry_os_memfd("os-share", &fd)) abort();
        dry_own_fd_set(&own, fd);
        dry_os_fork_release();
        dry_own_fd_close(&own);
    }
    return NULL;
}

static int holds_and_closes(void *arg)
{
    int before = *(int *)arg;
    struct dry_own_fd own;
    int fd;
    dry_os_fork_hold(); /* free in the child, too */
    if (dry_os_memfd("os-share", &fd)) return 100;
    dry_own_fd_set(&own, fd);
    dry_os_fork_release();
    dry_own_fd_close(&own);
    return open_fds() == before ? 0 : 1;
}

static void forks_beside_other_threads_are_safe(void **state)
{
    struct dry_atomic_u32 stop = {0};
    pthread_t thread;
    int before = open_fds();
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, registers, &stop), 0);
    for (int i = 0; i < 50; i++)
        assert_int_equal(in_child(holds_and_closes, &before), 0);
    dry_store_relaxed_u32(&stop, 1); /* X0: brings nothing with it */
    pthread_join(thread, NULL);
}

/* ---- threads ---- */
struct shares {
    int done[64];
    pthread_t by[64];
};

static void do_share(void *self, unsigned i)
{
    struct shares *s = self;
    s->done[i]++;
    s->by[i] = pthread_self();
}

static void work_is_done_once_by_each(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 64; n *= 2) {
        struct shares s = {{0}, {0}};
        dry_os_in_parallel(n, do_share, &s);
        for (unsigned i = 0; i < n; i++)
            assert_int_equal(s.done[i], 1);
        assert_true(pthread_equal(s.by[0], pthread_self()));
    }
    struct shares s = {{0}, {0}};
    let_fail("thread", EAGAIN);
    dry_os_in_parallel(8, do_share, &s);
    for (unsigned i = 0; i < 8; i++)
        assert_true(s.done[i] == 1 && pthread_equal(s.by[i], pthread_self()));
}

static void note_signals(void *self, unsigned i)
{
    sigset_t *masks = self;
    pthread_sigmask(SIG_SETMASK, NULL, &masks[i]);
}

static void signals_go_to_the_programs_own_threads(void **state)
{
    sigset_t masks[2];
    (void)state;
    dry_os_in_parallel(2, note_signals, masks);
    assert_false(sigismember(&masks[0], SIGTERM));
    assert_true(sigismember(&masks[1], SIGTERM));
    assert_false(sigismember(&masks[1], SIGBUS)); /* a copy that faults tells the program's handler */
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    assert_false(sigismember(&now, SIGTERM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_shared_mapping_is_inherited_and_an_own_one_is_not),
        TEST(addresses_are_taken_first_and_filled_later),
        TEST(a_mapping_grows_where_it_is_or_elsewhere),
        TEST(a_mapping_that_cannot_grow_is_as_it_was),
        TEST(pages_are_bound_to_nodes_that_are_there),
        TEST(resident_pages_are_counted),
        TEST(a_huge_memfd_has_a_fallback_for_its_flags),
        TEST(a_child_does_not_keep_what_is_its_parents),
        TEST(a_lease_is_the_parents_while_its_child_lives),
        TEST(forks_beside_other_threads_are_safe),
        TEST(work_is_done_once_by_each),
        TEST(signals_go_to_the_programs_own_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

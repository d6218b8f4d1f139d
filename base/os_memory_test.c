/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The rest of the edge: mappings, huge pages, memfd, mounts, events.
 */
#define _GNU_SOURCE
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HUGE DRY_HUGE_BYTES

static int memfd_of(size_t n)
{
    int fd;
    assert_int_equal(dry_os_memfd("drystone-os-test", &fd), 0);
    assert_int_equal(dry_os_set_size(fd, n), 0);
    return fd;
}

/* How many mappings of the file above this process has. */
static int mappings(void)
{
    char line[512];
    int n = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) n += strstr(line, "drystone-os-test") != NULL;
    fclose(maps);
    return n;
}

static bool on_grid(const void *at) { return (uintptr_t)at % HUGE == 0; }

/* ---- mapping ---- */
static void mappings_from_half_a_huge_page_up_lie_on_the_grid(void **state)
{
    static const size_t sizes[] = {HUGE / 2, HUGE / 2 + 1, HUGE - 1, HUGE, HUGE + 1, 3 * HUGE + 12345, 9 * HUGE};
    void *at[sizeof sizes / sizeof *sizes];
    (void)state;
    int fd = memfd_of(9 * HUGE);
    for (int round = 0; round < 3; round++) { /* the second one may lie where the first one was */
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            assert_int_equal(dry_os_map_read(fd, sizes[i], &at[i]), 0);
            assert_true(on_grid(at[i]));
            assert_int_equal(((const volatile char *)at[i])[sizes[i] - 1], 0);
        }
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) dry_os_unmap(at[i], sizes[i]);
        assert_int_equal(mappings(), 0);
    }
    dry_os_close(fd);
}

static void a_place_that_was_let_go_and_is_taken_is_left_alone(void **state)
{
    void *first, *second, *third;
    (void)state;
    int fd = memfd_of(4 * HUGE);
    assert_int_equal(dry_os_map_read(fd, 4 * HUGE, &first), 0);
    dry_os_unmap(first, 4 * HUGE);
    /* Somebody else maps into the place that would be tried first. */
    char *wall = mmap((char *)first + HUGE, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(wall != MAP_FAILED);
    *wall = 'w';
    assert_int_equal(dry_os_map_read(fd, 4 * HUGE, &second), 0);
    assert_int_equal(dry_os_map_read(fd, HUGE, &third), 0);
    assert_true(on_grid(second) && on_grid(third) && second != third);
    assert_int_equal(*wall, 'w');
    assert_int_equal(mappings(), 2);
    dry_os_unmap(second, 4 * HUGE);
    dry_os_unmap(third, HUGE);
    munmap(wall, HUGE);
    assert_int_equal(mappings(), 0);
    dry_os_close(fd);
}

static void *map_and_unmap(void *arg)
{
    int fd = *(int *)arg;
    for (int i = 0; i < 300; i++) {
        void *at;
        size_t n = HUGE * (size_t)(1 + i % 3);
        if (dry_os_map_read(fd, n, &at) || !on_grid(at)) return NULL;
        if (((const volatile char *)at)[n - 1] != 0) return NULL;
        dry_os_unmap(at, n);
    }
    return arg;
}

static void threads_map_at_once(void **state)
{
    pthread_t threads[4];
    void *result;
    (void)state;
    int fd = memfd_of(3 * HUGE);
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, map_and_unmap, &fd), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
    }
    assert_int_equal(mappings(), 0);
    dry_os_close(fd);
}

static void what_cannot_be_mapped_leaves_nothing(void **state)
{
    void *at = NULL;
    int fds[2];
    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_not_equal(dry_os_map_read(fds[0], HUGE, &at), 0);
    assert_int_not_equal(dry_os_map_read(fds[0], 100, &at), 0);
    assert_int_not_equal(dry_os_map_write(fds[0], 0, HUGE, &at), 0);
    assert_int_equal(dry_os_map_read(fds[0], SIZE_MAX - 10, &at), ENOMEM);
    assert_int_equal(dry_os_map_read(fds[0], SIZE_MAX - HUGE, &at), ENOMEM);
    assert_null(at);
    dry_os_close(fds[0]);
    dry_os_close(fds[1]);
}

static void the_writable_mapping_is_not_inherited(void **state)
{
    void *at;
    int status;
    char byte = 0;
    (void)state;
    int fd = memfd_of(3 * HUGE);
    assert_int_equal(dry_os_map_write(fd, HUGE, HUGE, &at), 0);
    assert_true(on_grid(at));
    *(char *)at = 'w';
    assert_int_equal(dry_os_read_at(fd, &byte, 1, HUGE), 0);
    assert_int_equal(byte, 'w');
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(madvise(at, HUGE, MADV_NORMAL) == -1 && errno == ENOMEM ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    dry_os_unmap(at, HUGE);
    dry_os_close(fd);
}

/* ---- advice ---- */
static void a_chunk_with_one_page_collapses(void **state)
{
    struct dry_os_stat st;
    void *at;
    (void)state;
    int fd = memfd_of(HUGE);
    assert_int_equal(dry_os_map_write(fd, 0, HUGE, &at), 0);
    assert_int_equal(dry_os_write_at(fd, "", 1, 0), 0);
    int sys = dry_os_collapse(at, HUGE);
    if (sys) {
        print_message("SKIPPED: no collapse here (%s)\n", strerror(sys));
    } else {
        assert_int_equal(dry_os_stat(fd, &st), 0);
        assert_int_equal(st.held_bytes, HUGE);
    }
    dry_os_unmap(at, HUGE);
    dry_os_close(fd);
}

static void pages_can_be_faulted_in(void **state)
{
    struct dry_os_stat st;
    void *at;
    (void)state;
    int fd = memfd_of(HUGE);
    assert_int_equal(dry_os_map_write(fd, 0, HUGE, &at), 0);
    int sys = dry_os_populate(at, HUGE / 2, true);
    if (sys == ENOSYS) {
        print_message("SKIPPED: no populate here\n");
    } else {
        assert_int_equal(sys, 0);
        assert_int_equal(dry_os_stat(fd, &st), 0);
        assert_true(st.held_bytes >= HUGE / 2);
        assert_int_equal(dry_os_populate(at, HUGE / 2, false), 0);
    }
    dry_os_unmap(at, HUGE);
    dry_os_close(fd);
}

/* ---- memfd ---- */
static int without_noexec(const char *call) { return strcmp(call, "memfd_noexec") == 0 ? EINVAL : 0; }

static void a_memfd_can_be_sealed_on_old_kernels_too(void **state)
{
    unsigned seals = 0;
    (void)state;
    for (int old = 0; old < 2; old++) {
        dry_os_fault = old ? without_noexec : NULL;
        int fd = memfd_of(4096);
        assert_int_equal(dry_os_add_seals(fd, DRY_OS_SEAL_SHRINK | DRY_OS_SEAL_GROW), 0);
        assert_int_equal(dry_os_get_seals(fd, &seals), 0);
        assert_int_equal(seals & (DRY_OS_SEAL_SHRINK | DRY_OS_SEAL_GROW), DRY_OS_SEAL_SHRINK | DRY_OS_SEAL_GROW);
        assert_int_equal(dry_os_set_size(fd, 100), EPERM);
        dry_os_close(fd);
    }
    dry_os_fault = NULL;
    assert_int_equal(dry_os_get_seals(-1, &seals), EBADF);
}

/* ---- room ---- */
static void a_mount_says_what_it_is(void **state)
{
    struct dry_os_mount mount;
    int fd = memfd_of(0);
    (void)state;
    assert_int_equal(dry_os_mount(fd, &mount), 0);
    assert_true(mount.in_memory);
    assert_string_equal(mount.type, "tmpfs");
    assert_int_equal(mount.size_bytes, 0); /* a memfd's has no limit */
    assert_int_equal(mount.free_bytes, 0);
    dry_os_close(fd);
    assert_int_equal(dry_os_open_directory("/", &fd), 0);
    assert_int_equal(dry_os_mount(fd, &mount), 0);
    assert_true(mount.free_bytes <= mount.size_bytes);
    dry_os_close(fd);
    assert_int_equal(dry_os_mount(-1, &mount), EBADF);
}

static void the_real_cgroups_can_be_read_or_are_not_there(void **state)
{
    struct dry_os_cgroup group;
    (void)state;
    assert_int_equal(dry_os_cgroup(&group), 0);
    if (group.found) assert_true(group.limit_bytes > 0 && group.path[0] == '/');
}

/* ---- events ---- */
static void note(void *self, const char *name, bool appeared)
{
    char *log = self;
    sprintf(log + strlen(log), "%c%s ", appeared ? '+' : '-', name ? name : "?");
}

static void names_that_come_and_go_are_told(void **state)
{
    char home[] = "/tmp/drystone-watch-XXXXXX", log[256] = "";
    int dirfd, fd, file;
    (void)state;
    assert_non_null(mkdtemp(home));
    assert_int_equal(dry_os_open_directory(home, &dirfd), 0);
    assert_int_equal(dry_os_watch(dirfd, &fd), 0);
    assert_int_equal(dry_os_poll(fd, 0), ETIMEDOUT);
    assert_int_equal(dry_os_watch_read(fd, note, log), EAGAIN);
    assert_int_equal(dry_os_open_new(dirfd, "a", &file), 0);
    dry_os_close(file);
    assert_int_equal(dry_os_poll(fd, -1), 0);
    assert_int_equal(dry_os_watch_read(fd, note, log), 0);
    assert_string_equal(log, "+a ");
    assert_int_equal(dry_os_rename(dirfd, "a", "b", true), 0);
    assert_int_equal(dry_os_unlink(dirfd, "b"), 0);
    assert_int_equal(dry_os_poll(fd, INT64_MAX), 0);
    assert_int_equal(dry_os_watch_read(fd, note, log), 0);
    assert_string_equal(log, "+a -a +b -b ");
    *log = '\0';
    dry_os_close(dirfd);
    assert_int_equal(rmdir(home), 0); /* the directory itself goes: look */
    assert_int_equal(dry_os_poll(fd, -1), 0);
    assert_int_equal(dry_os_watch_read(fd, note, log), 0);
    assert_memory_equal(log, "-? ", 3);
    dry_os_close(fd);
}

static void waiting_has_an_end(void **state)
{
    int fds[2];
    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(dry_os_poll(fds[0], 0), ETIMEDOUT);
    assert_int_equal(dry_os_poll(fds[0], 1), ETIMEDOUT);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(dry_os_poll(fds[0], 0), 0);
    assert_int_equal(dry_os_poll(fds[0], -1), 0);
    dry_os_close(fds[0]);
    dry_os_close(fds[1]);
    assert_int_equal(dry_os_poll(fds[0], -1), EBADF);
    assert_int_equal(dry_os_watch(-1, &fds[0]), ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mappings_from_half_a_huge_page_up_lie_on_the_grid),
        cmocka_unit_test(a_place_that_was_let_go_and_is_taken_is_left_alone),
        cmocka_unit_test(threads_map_at_once),
        cmocka_unit_test(what_cannot_be_mapped_leaves_nothing),
        cmocka_unit_test(the_writable_mapping_is_not_inherited),
        cmocka_unit_test(a_chunk_with_one_page_collapses),
        cmocka_unit_test(pages_can_be_faulted_in),
        cmocka_unit_test(a_memfd_can_be_sealed_on_old_kernels_too),
        cmocka_unit_test(a_mount_says_what_it_is),
        cmocka_unit_test(the_real_cgroups_can_be_read_or_are_not_there),
        cmocka_unit_test(names_that_come_and_go_are_told),
        cmocka_unit_test(waiting_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

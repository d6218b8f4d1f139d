/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Hidden names: whose are removed, whose stay, and when it is looked for them.
 */
#include "../tests/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "../base/os.h"

#define ROWS 10
#define HIDDEN ".put-00112233445566778899aabbccddeeff"

static enum dry_status by_list(struct fixture *f)
{
    struct dry_entry *e;
    size_t n;
    enum dry_status status = dry_store_list(f->s, &e, &n, NULL);
    if (status == DRY_OK) dry_entries_free(f->s, e, n);
    return status;
}

static enum dry_status by_put(struct fixture *f)
{
    return put_count(f->s, "t", 1, ROWS, NULL);
}

static enum dry_status by_get(struct fixture *f)
{
    struct dry_table *t;
    enum dry_status status = dry_store_get(f->s, "t", DRY_CHECK_AUTO, &t, NULL);
    if (status == DRY_OK) dry_table_unref(t);
    return status;
}

static void the_next_put_get_or_list_removes_the_hidden_names_of_the_dead(void **state)
{
    struct fixture *f = *state;
    enum dry_status (*const ways[])(struct fixture *) = {by_list, by_put, by_get};
    assert_int_equal(by_put(f), DRY_OK);
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            assert_int_equal(by_get(f), DRY_OK); /* leaves a hint that there is nothing */
            fixture_write(f, HIDDEN, "half", 4, i ? 0400 : 0600);
            assert_int_equal(ways[i](f), DRY_OK);
            assert_int_equal(fixture_entries(f), 1);
        }
}

static void hidden_names_that_are_not_ours_stay(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    char path[FIXTURE_PATH_BYTES];
    fixture_write(f, ".put-", "x", 1, 0600);
    fixture_write(f, HIDDEN "0", "x", 1, 0600);
    fixture_write(f, ".put-00112233445566778899aabbccddeefg", "x", 1, 0600);
    fixture_write(f, ".hidden", "x", 1, 0600);
    fixture_path(f, ".put-00000000000000000000000000000001", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    fixture_path(f, ".put-00000000000000000000000000000002", path);
    assert_int_equal(symlink(".hidden", path), 0);
    fixture_path(f, ".put-00000000000000000000000000000003", path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(by_list(f), DRY_OK);
    assert_int_equal(put_count(f->s, "t", 1, ROWS, &err), DRY_OK);
    assert_int_equal(by_get(f), DRY_OK);
    assert_int_equal(fixture_entries(f), 8);
}

/* As if the directory had not changed for long. */
static void make_old(const struct fixture *f)
{
    const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    assert_int_equal(utimensat(AT_FDCWD, f->dir.path, times, 0), 0);
}

static void a_locked_hidden_name_stays(void **state)
{
    struct fixture *f = *state;
    char path[FIXTURE_PATH_BYTES];
    assert_int_equal(by_put(f), DRY_OK);
    fixture_write(f, HIDDEN, "half", 4, 0600);
    fixture_path(f, HIDDEN, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(dry_os_lock(fd, true), 0);
    make_old(f);
    assert_int_equal(by_list(f), DRY_OK);
    assert_int_equal(by_get(f), DRY_OK);
    assert_int_equal(fixture_entries(f), 2);
    close(fd); /* no change of the directory tells that it is litter now */
    assert_int_equal(by_get(f), DRY_OK);
    assert_int_equal(fixture_entries(f), 1);
}

static int directory_reads;

static int count_directory_reads(const char *call)
{
    if (strcmp(call, "list") == 0) directory_reads++;
    return 0;
}

static void gets_from_a_store_at_rest_read_the_directory_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(by_put(f), DRY_OK);
    make_old(f);
    directory_reads = 0;
    dry_os_fault = count_directory_reads;
    for (int i = 0; i < 5; i++)
        assert_int_equal(by_get(f), DRY_OK);
    assert_int_equal(directory_reads, 1);
}

/* In a large store a put or get does not look every time, but after so many it has. */
static void in_a_large_store_hidden_names_go_in_the_end(void **state)
{
    struct fixture *f = *state;
    char name[32];
    for (int i = 0; i < 640; i++) {
        snprintf(name, sizeof name, "f%d", i);
        fixture_write(f, name, "x", 1, 0400);
    }
    assert_int_equal(by_put(f), DRY_OK);
    fixture_write(f, HIDDEN, "half", 4, 0600);
    for (int i = 0; i <= 640 / 64 + 1; i++)
        assert_int_equal(by_get(f), DRY_OK);
    assert_int_equal(fixture_entries(f), 641);
}

#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_STORE(the_next_put_get_or_list_removes_the_hidden_names_of_the_dead),
        IN_A_STORE(hidden_names_that_are_not_ours_stay),
        IN_A_STORE(a_locked_hidden_name_stays),
        IN_A_STORE(gets_from_a_store_at_rest_read_the_directory_once),
        IN_A_STORE(in_a_large_store_hidden_names_go_in_the_end),
    };
    return cmocka_run_group_tests_name("reap", tests, NULL, NULL);
}

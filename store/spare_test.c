/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Recycled pages, in one process: when they are kept and used, when not, and that whoever reads an earlier version keeps
 * it. store/spare_failing_test.c has what goes wrong, tests/recycle_kill_test.c and tests/recycle_storm_test.c other
 * processes.
 */
#include "spare_testing.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

/* ---- used ---- */

static void two_files_take_turns(void **state)
{
    const struct fixture *f = *state;
    put(f, "t", 0, ROWS);
    ino_t a = inode_of(f, "t");
    assert_int_equal(spares(f), 0);
    put(f, "t", 1, ROWS);
    ino_t b = inode_of(f, "t");
    assert_true(a != b);
    for (int64_t i = 2; i < 8; i++) {
        struct stat before = stat_of(f, "t");
        assert_int_equal(spares(f), 1);
        put(f, "t", i, ROWS);
        struct stat now = stat_of(f, "t");
        assert_true(now.st_ino == (i % 2 ? b : a));
        assert_true(holds_count(f->s, "t", i, ROWS));
        assert_int_equal(now.st_mode & 07777, 0400);
        assert_true(now.st_mtim.tv_sec > before.st_mtim.tv_sec || now.st_mtim.tv_nsec != before.st_mtim.tv_nsec);
        assert_int_equal(fixture_entries(f), 2);
    }
}

/* Byte for byte what a new file would be, whatever was in the pages before. */
static void a_recycled_file_is_like_a_new_one(void **state)
{
    static const int64_t rows[] = {ROWS, ROWS, ROWS - 1, ROWS, 40000, ROWS + 70000, 600000, ROWS, 33000, 600001};
    const struct fixture *f = *state;
    struct dry_put_options plain = {.recycle = false};
    bool seen_again = false;
    ino_t before = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ArrowArrayStream in = count_from((int64_t)i, rows[i], 1);
        assert_int_equal(dry_store_put(f->s, "new", &in, &plain, NULL), DRY_OK);
        ino_t old = i > 0 ? inode_of(f, "t") : 0;
        put(f, "t", (int64_t)i, rows[i]);
        seen_again = seen_again || (before && inode_of(f, "t") == before);
        if (i > 1) assert_true(inode_of(f, "t") == before);
        before = old;
        char a[FIXTURE_PATH_BYTES], b[FIXTURE_PATH_BYTES], command[3 * FIXTURE_PATH_BYTES];
        fixture_path(f, "t", a);
        fixture_path(f, "new", b);
        snprintf(command, sizeof command, "cmp '%s' '%s'", a, b);
        assert_int_equal(system(command), 0);
        assert_true(stat_of(f, "t").st_size == stat_of(f, "new").st_size);
    }
    assert_true(seen_again);
}

static void names_have_spares_of_their_own(void **state)
{
    const struct fixture *f = *state;
    char name[16];
    for (int round = 0; round < 4; round++)
        for (int i = 0; i < DRY_SPARES_MAX + 2; i++) {
            snprintf(name, sizeof name, "n%d", i);
            put(f, name, 100 * round + i, 40000);
            assert_true(holds_count(f->s, name, 100 * round + i, 40000));
            assert_true(spares(f) <= DRY_SPARES_MAX);
        }
    assert_true(spares(f) > 1);
}

/* ---- readers ---- */

static void who_reads_an_earlier_version_keeps_it(void **state)
{
    const struct fixture *f = *state;
    struct dry_table *tables[6];
    for (int64_t i = 0; i < 6; i++) {
        put(f, "t", i, ROWS);
        assert_int_equal(dry_store_get(f->s, "t", DRY_CHECK_AUTO, &tables[i], NULL), DRY_OK);
        for (int64_t j = 0; j <= i; j++) assert_true(counts_from(tables[j], j, ROWS));
        assert_true(spares(f) <= 1);
    }
    for (int i = 0; i < 6; i++) dry_table_unref(tables[i]);
}

static void a_spare_that_is_read_is_let_go(void **state)
{
    const struct fixture *f = *state;
    struct dry_table *t;
    put(f, "t", 0, ROWS);
    ino_t first = inode_of(f, "t");
    assert_int_equal(dry_store_get(f->s, "t", DRY_CHECK_AUTO, &t, NULL), DRY_OK);
    put(f, "t", 1, ROWS);
    ino_t second = inode_of(f, "t");
    put(f, "t", 2, ROWS);
    assert_true(inode_of(f, "t") != first);
    assert_true(counts_from(t, 0, ROWS));
    dry_table_unref(t);
    put(f, "t", 3, ROWS);
    assert_true(inode_of(f, "t") == second);
}

/* Somebody asks for the file just when it is claimed: it may be too late to keep him out, so it is not used, and what he
 * finds is the version that it was. */
static struct {
    const struct fixture *f;
    const char *at;
    int sys;
} asker;

static void ask_at_step(const char *what)
{
    char path[FIXTURE_PATH_BYTES], hidden[HIDDEN_SIZE];
    if (strcmp(what, asker.at) != 0) return;
    hidden_name(asker.f, hidden);
    fixture_path(asker.f, hidden, path);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    asker.sys = fd < 0 ? errno : 0;
    if (fd >= 0) close(fd);
}

static void who_asks_in_the_middle_of_the_claim_has_the_spare_let_go(void **state)
{
    const struct fixture *f = *state;
    static const char *const steps[] = {"put: spare claimed", "put: spare unreadable"};
    for (int i = 0; i < 2; i++) {
        put(f, "t", 0, ROWS);
        put(f, "t", 1, ROWS);
        char hidden[HIDDEN_SIZE], path[FIXTURE_PATH_BYTES];
        hidden_name(f, hidden);
        fixture_path(f, hidden, path);
        ino_t spare = inode_of(f, hidden);
        asker.f = f;
        asker.at = steps[i];
        asker.sys = 0;
        dry_step_hook = ask_at_step;
        put(f, "t", 2, ROWS);
        dry_step_hook = NULL;
        assert_int_equal(asker.sys, EWOULDBLOCK);
        assert_true(inode_of(f, "t") != spare);
        assert_true(access(path, F_OK) < 0);
        assert_true(holds_count(f->s, "t", 2, ROWS));
    }
}

/* Somebody who found the file under the name before it was replaced, and is held up by the lease. */
struct late {
    char path[FIXTURE_PATH_BYTES];
    enum dry_status status;
    bool is_new;
    pthread_t thread;
};
static struct late late;

static void *open_late(void *arg)
{
    struct late *l = arg;
    struct dry_table *t;
    l->status = dry_table_open_path(l->path, DRY_CHECK_FULL, NULL, &t, NULL);
    if (l->status != DRY_OK) return NULL;
    l->is_new = counts_from(t, 2, ROWS);
    dry_table_unref(t);
    return NULL;
}

static bool somebody_waits_for_a_lease(void)
{
    char line[200];
    bool waits = false;
    FILE *locks = fopen("/proc/locks", "r");
    assert_non_null(locks);
    while (fgets(line, sizeof line, locks)) waits = waits || strstr(line, "BREAKING");
    fclose(locks);
    return waits;
}

static void start_late(const char *what)
{
    char hidden[HIDDEN_SIZE];
    if (strcmp(what, "put: spare ours") != 0) return;
    hidden_name(asker.f, hidden);
    fixture_path(asker.f, hidden, late.path);
    assert_int_equal(pthread_create(&late.thread, NULL, open_late, &late), 0);
    while (!somebody_waits_for_a_lease()) sched_yield();
}

static void who_opens_late_waits_and_finds_the_newer_version(void **state)
{
    const struct fixture *f = *state;
    put(f, "t", 0, ROWS);
    put(f, "t", 1, ROWS);
    asker.f = f;
    late = (struct late){.is_new = false};
    dry_step_hook = start_late;
    put(f, "t", 2, ROWS);
    dry_step_hook = NULL;
    assert_int_equal(pthread_join(late.thread, NULL), 0);
    assert_int_equal(late.status, DRY_OK);
    assert_true(late.is_new);
}

/* ---- not kept, or not used ---- */

static void small_tables_and_the_unwilling_leave_no_spares(void **state)
{
    const struct fixture *f = *state;
    struct dry_put_options off = {.recycle = false};
    for (int i = 0; i < 3; i++) {
        put(f, "small", i, 1000);
        struct ArrowArrayStream in = count_from(i, ROWS, 1);
        assert_int_equal(dry_store_put(f->s, "off", &in, &off, NULL), DRY_OK);
    }
    assert_int_equal(spares(f), 0);
    assert_int_equal(fixture_entries(f), 2);
}

static void on_a_disk_there_are_none(void **state)
{
    const struct fixture *f = *state;
    for (int i = 0; i < 3; i++) put(f, "t", i, ROWS);
    assert_int_equal(spares(f), 0);
    assert_int_equal(fixture_entries(f), 1);
}

static void the_file_of_another_is_not_kept(void **state)
{
    const struct fixture *f = *state;
    struct dry_store *other;
    assert_int_equal(dry_store_open(f->dir.path, DRY_STORE_WRITE, NULL, &other, NULL, NULL), DRY_OK);
    for (int64_t i = 0; i < 4; i++) {
        put(f, "t", i, ROWS);
        assert_int_equal(put_count(other, "t", 100 + i, ROWS, NULL), DRY_OK);
        assert_true(holds_count(f->s, "t", 100 + i, ROWS));
    }
    assert_int_equal(spares(f), 0);
    dry_store_close(other);
}

static void what_was_renamed_to_the_name_is_not_kept(void **state)
{
    const struct fixture *f = *state;
    put(f, "t", 0, ROWS);
    put(f, "u", 1, ROWS);
    assert_int_equal(dry_store_rename(f->s, "u", "t", false, NULL), DRY_OK);
    put(f, "t", 2, ROWS);
    assert_int_equal(spares(f), 0);
}

static void what_has_a_second_name_is_left_alone(void **state)
{
    const struct fixture *f = *state;
    char from[FIXTURE_PATH_BYTES], to[FIXTURE_PATH_BYTES], hidden[HIDDEN_SIZE];
    put(f, "t", 0, ROWS);
    fixture_path(f, "t", from);
    fixture_path(f, "kept", to);
    assert_int_equal(link(from, to), 0);
    put(f, "t", 1, ROWS); /* not kept: it has two names */
    assert_int_equal(spares(f), 0);
    put(f, "t", 2, ROWS);
    hidden_name(f, hidden);
    fixture_path(f, hidden, from);
    fixture_path(f, "kept too", to);
    assert_int_equal(link(from, to), 0);
    put(f, "t", 3, ROWS); /* kept, but it has got another name */
    assert_true(holds_count(f->s, "kept", 0, ROWS));
    struct dry_table *t;
    assert_int_equal(dry_table_open_path(to, DRY_CHECK_FULL, NULL, &t, NULL), DRY_OK);
    assert_true(counts_from(t, 1, ROWS));
    dry_table_unref(t);
    assert_true(holds_count(f->s, "t", 3, ROWS));
}

static void a_spare_that_was_meddled_with_is_not_used(void **state)
{
    const struct fixture *f = *state;
    char path[FIXTURE_PATH_BYTES], to[FIXTURE_PATH_BYTES], hidden[HIDDEN_SIZE];
    enum { CUT, GROWN, MOVED, REMOVED, ALL };
    for (int how = CUT; how < ALL; how++) {
        put(f, "t", 0, ROWS);
        put(f, "t", 1, ROWS);
        hidden_name(f, hidden);
        fixture_path(f, hidden, path);
        fixture_path(f, "moved", to);
        ino_t spare = inode_of(f, hidden);
        chmod(path, 0600);
        if (how == CUT) assert_int_equal(truncate(path, 5000), 0);
        if (how == GROWN) assert_int_equal(truncate(path, 50000000), 0);
        if (how == MOVED) assert_int_equal(rename(path, to), 0);
        if (how == REMOVED) assert_int_equal(unlink(path), 0);
        put(f, "t", 2, ROWS);
        assert_true(how == REMOVED || inode_of(f, "t") != spare);
        assert_true(holds_count(f->s, "t", 2, ROWS));
        if (how == MOVED) assert_true(holds_count(f->s, "moved", 0, ROWS));
    }
}

static void the_name_may_go_in_between(void **state)
{
    const struct fixture *f = *state;
    put(f, "t", 0, ROWS);
    put(f, "t", 1, ROWS);
    assert_int_equal(dry_store_remove(f->s, "t", NULL), DRY_OK);
    put(f, "t", 2, ROWS);
    assert_true(holds_count(f->s, "t", 2, ROWS));
    assert_int_equal(fixture_entries(f), 1);
}

static void closing_the_store_leaves_none(void **state)
{
    struct fixture *f = *state;
    put(f, "t", 0, ROWS);
    put(f, "t", 1, ROWS);
    assert_int_equal(fixture_entries(f), 2);
    dry_store_close(f->s);
    assert_int_equal(fixture_entries(f), 1);
    assert_int_equal(harness_mappings(f->dir.path), 0);
    assert_int_equal(dry_store_open(f->dir.path, DRY_STORE_WRITE, NULL, &f->s, NULL, NULL), DRY_OK);
    assert_true(holds_count(f->s, "t", 1, ROWS));
}

static void a_bad_source_leaves_the_old_table(void **state)
{
    const struct fixture *f = *state;
    put(f, "t", 0, ROWS);
    put(f, "t", 1, ROWS);
    struct ArrowArrayStream in = count_and_fail(2, ROWS, 1);
    const struct dry_put_options options = {.recycle = true};
    assert_int_not_equal(dry_store_put(f->s, "t", &in, &options, NULL), DRY_OK);
    assert_true(holds_count(f->s, "t", 1, ROWS));
    assert_int_equal(fixture_entries(f), 1);
    put(f, "t", 3, ROWS);
    assert_int_equal(fixture_entries(f), 2);
}

/* ---- events ---- */

static void note_event(void *self, const char *name, bool appeared)
{
    int *counts = self;
    assert_non_null(name);
    assert_string_equal(name, "t");
    counts[appeared]++;
}

static void a_replacement_is_one_event(void **state)
{
    const struct fixture *f = *state;
    int fd, counts[2] = {0, 0};
    put(f, "t", 0, ROWS);
    assert_int_equal(dry_store_watch(f->s, &fd, NULL), DRY_OK);
    for (int i = 1; i < 4; i++) {
        put(f, "t", i, ROWS);
        assert_int_equal(dry_store_events(f->s, fd, note_event, counts, NULL), DRY_OK);
        assert_int_equal(counts[true], i);
        assert_int_equal(counts[false], 0);
    }
    assert_int_equal(dry_store_remove(f->s, "t", NULL), DRY_OK);
    assert_int_equal(dry_store_events(f->s, fd, note_event, counts, NULL), DRY_OK);
    assert_int_equal(counts[false], 1);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, in_memory, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(two_files_take_turns),
        TEST(a_recycled_file_is_like_a_new_one),
        TEST(names_have_spares_of_their_own),
        TEST(who_reads_an_earlier_version_keeps_it),
        TEST(a_spare_that_is_read_is_let_go),
        TEST(who_asks_in_the_middle_of_the_claim_has_the_spare_let_go),
        TEST(who_opens_late_waits_and_finds_the_newer_version),
        TEST(small_tables_and_the_unwilling_leave_no_spares),
        cmocka_unit_test_setup_teardown(on_a_disk_there_are_none, fixture_setup_on_disk, fixture_teardown),
        TEST(the_file_of_another_is_not_kept),
        TEST(what_was_renamed_to_the_name_is_not_kept),
        TEST(what_has_a_second_name_is_left_alone),
        TEST(a_spare_that_was_meddled_with_is_not_used),
        TEST(the_name_may_go_in_between),
        TEST(closing_the_store_leaves_none),
        TEST(a_bad_source_leaves_the_old_table),
        TEST(a_replacement_is_one_event),
    };
    return cmocka_run_group_tests_name("spare", tests, NULL, NULL);
}

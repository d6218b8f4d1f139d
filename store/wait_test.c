/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Waiting for names, watching them, and who maps a table. Nothing here waits for a clock: a step of the code under
 * test makes the event happen, and the number of polls tells whether it was the event that woke it.
 */
#include "../tests/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/os.h"
#include "../base/step.h"

#define ROWS 100000
#define assert_says(err, words) assert_non_null(strstr((err).text, words))

/* ---- wait ---- */

static struct {
    struct fixture *f;
    bool has_unnamed;
    int polls;
} scene;

static int count_polls(const char *call)
{
    if (strcmp(call, "poll") == 0) scene.polls++;
    return strcmp(call, "open_unnamed") == 0 && !scene.has_unnamed ? EOPNOTSUPP : 0;
}

static void begin(struct fixture *f, void (*at_step)(const char *what))
{
    scene.f = f;
    scene.has_unnamed = true;
    scene.polls = 0;
    dry_os_fault = count_polls;
    dry_step_hook = at_step;
}

static void a_name_that_is_there_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    assert_int_equal(put_count(f->s, "t", 1, 10, &err), DRY_OK);
    begin(f, NULL);
    assert_int_equal(dry_store_wait(f->s, "t", 0, &err), DRY_OK);
    assert_int_equal(dry_store_wait(f->s, "t", -1, &err), DRY_OK);
    assert_int_equal(scene.polls, 0);
}

static void a_wait_ends_with_its_time(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    begin(f, NULL);
    assert_int_equal(dry_store_wait(f->s, "t", 0, &err), DRY_TIMEOUT);
    assert_int_equal(scene.polls, 0);
    assert_int_equal(dry_store_wait(f->s, "t", 5, &err), DRY_TIMEOUT);
    assert_true(scene.polls > 0);
    assert_says(err, "'t'");
}

static void put_after_the_look(const char *what)
{
    struct dry_error err;
    if (strcmp(what, "wait: looked") != 0) return;
    dry_step_hook = NULL;
    assert_int_equal(put_count(scene.f->s, "t", 1, 10, &err), DRY_OK);
}

static void put_over_after_the_look(const char *what)
{
    struct dry_error err;
    if (strcmp(what, "wait: looked") != 0) return;
    dry_step_hook = NULL;
    assert_int_equal(put_count(scene.f->s, "other", 1, 10, &err), DRY_OK);
    assert_int_equal(dry_store_rename(scene.f->s, "other", "t", false, &err), DRY_OK);
}

/* The name comes between the look and the sleep: its event was not lost, so the first poll already finds it. */
static void a_name_that_comes_wakes_the_waiter(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    void (*const ways[])(const char *) = {put_after_the_look, put_over_after_the_look};
    for (size_t way = 0; way < 2; way++)
        for (int unnamed = 0; unnamed < 2; unnamed++) {
            begin(f, ways[way]);
            scene.has_unnamed = unnamed;
            assert_int_equal(dry_store_wait(f->s, "t", -1, &err), DRY_OK);
            assert_int_equal(scene.polls, 1);
            assert_int_equal(dry_store_remove(f->s, "t", &err), DRY_OK);
        }
}

struct waiting {
    struct fixture *f;
    struct harness_gate looked;
};
static struct waiting *waiting;

static void tell_that_it_looked(const char *what)
{
    if (strcmp(what, "wait: looked") == 0) harness_gate_open(&waiting->looked);
}

static void wait_for_t(void *arg)
{
    struct waiting *w = arg;
    struct dry_error err;
    dry_step_hook = tell_that_it_looked;
    CHECK(dry_store_wait(w->f->s, "t", -1, &err) == DRY_OK);
    CHECK(holds_count(w->f->s, "t", 1, 10));
}

static void a_put_wakes_waiters_in_other_processes(void **state)
{
    struct waiting w = {.f = *state};
    struct dry_error err;
    pid_t pids[3];
    waiting = &w;
    assert_true(harness_gate_init(&w.looked));
    for (int i = 0; i < 3; i++)
        pids[i] = harness_start(wait_for_t, &w);
    for (int i = 0; i < 3; i++)
        assert_true(harness_gate_pass(&w.looked));
    assert_int_equal(put_count(w.f->s, "t", 1, 10, &err), DRY_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(harness_end(pids[i]), 0);
    harness_gate_fini(&w.looked);
}

static int time_passes(const char *call)
{
    return strcmp(call, "poll") == 0 ? ETIMEDOUT : 0;
}

static void remove_the_store(const char *what)
{
    if (strcmp(what, "wait: looked") == 0) rmdir(scene.f->dir.path);
}

static void the_removal_of_the_directory_ends_the_wait(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    begin(f, remove_the_store);
    dry_os_fault = time_passes;
    assert_int_equal(dry_store_wait(f->s, "t", -1, &err), DRY_NOT_FOUND);
    assert_says(err, "removed");
}

static int no_instance(const char *call)
{
    return strcmp(call, "watch") == 0 ? EMFILE : 0;
}
static int no_watch(const char *call)
{
    return strcmp(call, "watch") == 0 ? ENOSPC : 0;
}

static void the_limits_of_watching_are_named(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    int fd;
    dry_os_fault = no_instance;
    assert_int_equal(dry_store_wait(f->s, "t", 5, &err), DRY_FULL);
    assert_says(err, "fs.inotify.max_user_instances");
    dry_os_fault = no_watch;
    assert_int_equal(dry_store_watch(f->s, &fd, &err), DRY_FULL);
    assert_says(err, "fs.inotify.max_user_watches");
}

/* ---- watch ---- */

struct diary {
    int came, went, lost;
    char last[DRY_NAME_BYTES + 1];
};

static void note(void *self, const char *name, bool appeared)
{
    struct diary *d = self;
    if (!name) {
        d->lost++;
        return;
    }
    *(appeared ? &d->came : &d->went) += 1;
    snprintf(d->last, sizeof d->last, "%s", name);
}

static struct diary read_diary(struct fixture *f, int fd)
{
    struct diary d = {.came = 0};
    struct dry_error err;
    assert_int_equal(dry_store_events(f->s, fd, note, &d, &err), DRY_OK);
    return d;
}

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void a_watch_tells_what_comes_and_goes_and_hides_what_is_hidden(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    int fd;
    for (int unnamed = 0; unnamed < 2; unnamed++) {
        begin(f, NULL);
        scene.has_unnamed = unnamed;
        assert_int_equal(dry_store_watch(f->s, &fd, &err), DRY_OK);
        assert_false(is_readable(fd));
        struct diary d = read_diary(f, fd); /* nothing there, and it does not block */
        assert_int_equal(d.came + d.went + d.lost, 0);
        for (int i = 0; i < 2; i++) { /* new, then replaced */
            assert_int_equal(put_count(f->s, "t", i, 10, &err), DRY_OK);
            assert_true(is_readable(fd));
            d = read_diary(f, fd);
            assert_int_equal(d.came, 1);
            assert_int_equal(d.went, 0);
            assert_string_equal(d.last, "t");
        }
        assert_int_equal(dry_store_rename(f->s, "t", "u", false, &err), DRY_OK);
        assert_int_equal(dry_store_remove(f->s, "u", &err), DRY_OK);
        d = read_diary(f, fd);
        assert_int_equal(d.came, 1);
        assert_int_equal(d.went, 2);
        close(fd);
    }
}

static long event_limit(void)
{
    long limit = 16384;
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
    if (file && fscanf(file, "%ld", &limit) != 1) limit = 16384;
    if (file) fclose(file);
    return limit;
}

static void lost_events_are_told(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    int fd;
    long limit = event_limit();
    if (limit > 1000000) {
        print_message("skipped: fs.inotify.max_queued_events is %ld\n", limit);
        skip();
    }
    assert_int_equal(dry_store_watch(f->s, &fd, &err), DRY_OK);
    fixture_write(f, "a", "x", 1, 0400);
    for (long i = 0; i < limit / 2 + 2; i++)
        assert_int_equal(dry_store_rename(f->s, i % 2 ? "b" : "a", i % 2 ? "a" : "b", false, &err), DRY_OK);
    struct diary d = read_diary(f, fd);
    assert_int_equal(d.lost, 1);
    assert_true(d.came > 0);
    close(fd);
}

static void a_watched_directory_that_was_removed_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    struct diary d = {.came = 0};
    int fd;
    assert_int_equal(dry_store_watch(f->s, &fd, &err), DRY_OK);
    assert_int_equal(rmdir(f->dir.path), 0);
    assert_int_equal(dry_store_events(f->s, fd, note, &d, &err), DRY_NOT_FOUND);
    close(fd);
}

/* ---- who maps it ---- */

struct mapping {
    struct fixture *f;
    struct harness_gate mapped, go;
};

static void map_and_wait(void *arg)
{
    struct mapping *m = arg;
    struct dry_table *t;
    close(m->go.fds[1]);
    CHECK(dry_store_get(m->f->s, "t", DRY_CHECK_AUTO, &t, NULL) == DRY_OK);
    CHECK(counts_from(t, 1, ROWS));
    harness_gate_open(&m->mapped);
    harness_gate_pass(&m->go);
    dry_table_unref(t);
}

static const struct dry_mapper *find(const struct dry_mapper *all, size_t n, pid_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].pid == pid) return &all[i];
    return NULL;
}

static void assert_mapped_by(struct fixture *f, pid_t pid, bool expected)
{
    struct dry_mapper *all;
    struct dry_error err;
    size_t n;
    assert_int_equal(dry_store_mappers(f->s, "t", &all, &n, &err), DRY_OK);
    const struct dry_mapper *m = find(all, n, pid);
    assert_int_equal(m != NULL, expected);
    if (m) {
        assert_true(m->resident_bytes >= ROWS * 8);
        assert_true(m->share_bytes > 0 && m->share_bytes <= m->resident_bytes);
        assert_true(m->huge_bytes <= m->resident_bytes);
        assert_true(m->command[0] != '\0');
    }
    dry_mappers_free(NULL, all, n);
}

static void those_who_map_a_table_are_found(void **state)
{
    struct mapping m = {.f = *state};
    struct dry_error err;
    struct dry_table *t;
    assert_int_equal(put_count(m.f->s, "t", 1, ROWS, &err), DRY_OK);
    assert_mapped_by(m.f, getpid(), false);
    assert_true(harness_gate_init(&m.mapped) && harness_gate_init(&m.go));
    pid_t child = harness_start(map_and_wait, &m);
    assert_true(harness_gate_pass(&m.mapped));
    assert_mapped_by(m.f, child, true);
    assert_mapped_by(m.f, getpid(), false);
    assert_int_equal(dry_store_get(m.f->s, "t", DRY_CHECK_FULL, &t, &err), DRY_OK);
    assert_true(counts_from(t, 1, ROWS));
    assert_mapped_by(m.f, getpid(), true);
    dry_table_unref(t);
    harness_gate_open(&m.go);
    assert_int_equal(harness_end(child), 0);
    assert_mapped_by(m.f, child, false);
    harness_gate_fini(&m.mapped);
    harness_gate_fini(&m.go);
}

static void the_store_tells_about_itself(void **state)
{
    struct fixture *f = *state;
    struct dry_store_info info;
    struct dry_error err;
    struct dry_entry e;
    assert_int_equal(put_count(f->s, "t", 1, ROWS, &err), DRY_OK);
    fixture_write(f, ".hidden", "x", 1, 0600);
    assert_int_equal(dry_store_info(f->s, &info, &err), DRY_OK);
    assert_int_equal(dry_store_stat(f->s, "t", &e, &err), DRY_OK);
    assert_int_equal(info.tables, 1);
    assert_int_equal(info.held_bytes, e.held_bytes);
    assert_true(info.held_bytes >= ROWS * 8);
    assert_true(info.file_system[0] != '\0');
    assert_true(info.free_bytes <= info.size_bytes);
}

#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define IN_A_DISK_STORE(test) {"on disk: " #test, test, fixture_setup_on_disk, fixture_teardown, NULL}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_STORE(a_name_that_is_there_is_not_waited_for),
        IN_A_STORE(a_wait_ends_with_its_time),
        IN_A_STORE(a_name_that_comes_wakes_the_waiter),
        IN_A_DISK_STORE(a_name_that_comes_wakes_the_waiter),
        IN_A_STORE(a_put_wakes_waiters_in_other_processes),
        IN_A_STORE(the_removal_of_the_directory_ends_the_wait),
        IN_A_DISK_STORE(the_removal_of_the_directory_ends_the_wait),
        IN_A_STORE(the_limits_of_watching_are_named),
        IN_A_STORE(a_watch_tells_what_comes_and_goes_and_hides_what_is_hidden),
        IN_A_STORE(lost_events_are_told),
        IN_A_STORE(a_watched_directory_that_was_removed_is_an_error),
        IN_A_STORE(those_who_map_a_table_are_found),
        IN_A_DISK_STORE(those_who_map_a_table_are_found),
        IN_A_STORE(the_store_tells_about_itself),
    };
    return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}

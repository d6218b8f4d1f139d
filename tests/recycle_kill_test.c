/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A writer that puts in recycled pages, killed or stopped at every crash step. Meanwhile others read by name; one who
 * found the file under its name before it was replaced opens it late, and is let in by the kernel because the writer is
 * stopped for longer than fs.lease-break-time (which is lowered for that test, if that is allowed).
 */
#define _GNU_SOURCE
#include "harness.h"
#include "tables.h"
#include "../base/atomic.h"
#include "../base/step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define ROWS 60000
#define NAME "t"
/* Versions count from these; three of them differ in size, so that pages are added and given back. */
static const int64_t version_rows[] = {ROWS, ROWS, ROWS, ROWS - 5000, ROWS + 90000};
enum { VERSIONS = 5, READY = 2, BATCHES = 4 };
#define FIRST(version) ((int64_t)(version) * 1000000)

/* ---- the stage ---- */

struct stage {
    struct harness_dir dir;
    int last; /* the version that the writer puts under observation: 2, 3 or 4 */
};

/* Shared with children. */
static struct {
    int steps_left;
    char name[64];
    struct dry_atomic_u32 is_inside, may_look_again;
} *shared;

static int fds_before;
static struct harness_dir on_stage; /* for the teardown of a test that failed */

static bool raise_curtain(struct stage *st)
{
    const char *where = harness_where(true);
    if (!where) {
        print_message("skipped: no file system in memory\n");
        return false;
    }
    fds_before = harness_open_fds();
    memset(shared, 0, sizeof *shared);
    assert_true(harness_dir_make(where, &st->dir));
    on_stage = st->dir;
    return true;
}

static void fall_curtain(const struct stage *st)
{
    harness_dir_remove(st->dir.path);
    on_stage.path[0] = '\0';
    assert_int_equal(harness_open_fds(), fds_before);
    assert_int_equal(harness_mappings(st->dir.path), 0);
}

/* Between two batches, where a part of the pages is new and the rest old. */
static int step_in_between(void *self, uint64_t bytes)
{
    (void)self;
    (void)bytes;
    if (dry_step_hook) dry_step_hook("put: a batch");
    return 0;
}

static void put_version(struct dry_store *s, int v)
{
    struct ArrowArrayStream in = count_from(FIRST(v), version_rows[v] / BATCHES, BATCHES);
    struct dry_put_options options = {.recycle = true, .progress = step_in_between};
    struct dry_error err = {0};
    if (dry_store_put(s, NAME, &in, &options, &err) == DRY_OK) return;
    fprintf(stderr, "put: %s\n", err.text);
    _exit(99);
}

/* Version READY-1 has the name, READY-2 is the spare; then comes `last` under the hook. */
static void write_versions(const struct stage *st, void (*hook)(const char *what))
{
    struct dry_store *s;
    CHECK(dry_store_open(st->dir.path, DRY_STORE_WRITE, NULL, &s, NULL, NULL) == DRY_OK);
    for (int v = 0; v < READY; v++) put_version(s, v);
    dry_step_hook = hook;
    put_version(s, st->last);
    dry_step_hook = NULL;
    dry_store_close(s);
}

static void list_once(const struct stage *st)
{
    struct dry_store *s;
    struct dry_entry *entries;
    size_t n;
    assert_int_equal(dry_store_open(st->dir.path, DRY_STORE_WRITE, NULL, &s, NULL, NULL), DRY_OK);
    assert_int_equal(dry_store_list(s, &entries, &n, NULL), DRY_OK);
    assert_int_equal(n, 1);
    assert_int_equal(entries[0].status, DRY_OK);
    dry_entries_free(s, entries, n);
    dry_store_close(s);
}

/* Which version the table is, looked at value by value; -1: none. */
static int version_of(struct dry_table *t)
{
    for (int v = 0; v < VERSIONS; v++)
        if (counts_from(t, FIRST(v), version_rows[v])) return v;
    return -1;
}

static int version_by_path(const struct stage *st)
{
    char path[512];
    struct dry_table *t;
    struct dry_error err;
    snprintf(path, sizeof path, "%s/" NAME, st->dir.path);
    if (dry_table_open_path(path, DRY_CHECK_FULL, NULL, &t, &err) != DRY_OK) fail_msg("by path: %s", err.text);
    int v = version_of(t);
    dry_table_unref(t);
    return v;
}

static int version_by_name(const struct stage *st)
{
    struct dry_store *s;
    struct dry_table *t;
    struct dry_error err;
    assert_int_equal(dry_store_open(st->dir.path, DRY_STORE_READ, NULL, &s, NULL, NULL), DRY_OK);
    if (dry_store_get(s, NAME, DRY_CHECK_AUTO, &t, &err) != DRY_OK) fail_msg("by name: %s", err.text);
    int v = version_of(t);
    dry_table_unref(t);
    dry_store_close(s);
    return v;
}

static void expect_old_or_new(const struct stage *st, const char *when)
{
    int by_path = version_by_path(st), by_name = version_by_name(st);
    bool good = (by_path == READY - 1 || by_path == st->last) && by_name == by_path;
    if (!good) fail_msg("%s '%s': version %d by path, %d by name", when, shared->name, by_path, by_name);
}

/* ---- killed ---- */

static void die_at_step(const char *what)
{
    if (--shared->steps_left > 0) return;
    snprintf(shared->name, sizeof shared->name, "%s", what);
    kill(getpid(), SIGKILL);
}

static void write_and_die(void *arg)
{
    write_versions(arg, die_at_step);
}

static void a_writer_killed_at_any_step_leaves_a_whole_table_and_no_litter(void **state)
{
    (void)state;
    struct stage st;
    for (int last = READY; last < VERSIONS; last++) {
        int ended = -SIGKILL, step = 1;
        if (!raise_curtain(&st)) skip();
        st.last = last;
        for (; ended != 0; step++) {
            shared->steps_left = step;
            ended = harness_run(write_and_die, &st);
            assert_true(ended == 0 || ended == -SIGKILL);
            expect_old_or_new(&st, "killed at");
            list_once(&st);
            assert_int_equal(harness_dir_each(st.dir.path, NULL, NULL), 1);
        }
        assert_true(step > 15);
        fall_curtain(&st);
    }
}

/* ---- stopped, and read meanwhile ---- */

static void stop_at_step(const char *what)
{
    if (--shared->steps_left != 0) return;
    snprintf(shared->name, sizeof shared->name, "%s", what);
    raise(SIGSTOP);
}

static void write_and_stop(void *arg)
{
    write_versions(arg, stop_at_step);
}

/* Starts the writer; false: it has ended before it stopped. */
static bool start_until_stop(const struct stage *st, int step, pid_t *writer)
{
    int how;
    shared->steps_left = step;
    *writer = harness_start(write_and_stop, (void *)(uintptr_t)st);
    assert_true(*writer > 0);
    while (waitpid(*writer, &how, WUNTRACED) < 0 && errno == EINTR) {
    }
    if (WIFSTOPPED(how)) return true;
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    return false;
}

static void a_writer_stopped_at_any_step_keeps_nobody_waiting(void **state)
{
    (void)state;
    struct stage st;
    pid_t writer;
    if (!raise_curtain(&st)) skip();
    st.last = VERSIONS - 1;
    for (int step = 1; start_until_stop(&st, step, &writer); step++) {
        expect_old_or_new(&st, "stopped at");
        list_once(&st);
        kill(writer, SIGCONT);
        assert_int_equal(harness_end(writer), 0);
        assert_int_equal(version_by_name(&st), st.last);
        assert_int_equal(harness_dir_each(st.dir.path, NULL, NULL), 1);
    }
    fall_curtain(&st);
}

/* ---- let in by the kernel ---- */

static const char break_time[] = "/proc/sys/fs/lease-break-time";
static char break_time_before[16];

static bool write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    if (!f) return false;
    bool good = fputs(text, f) >= 0;
    return fclose(f) == 0 && good;
}

static bool lower_break_time(void)
{
    FILE *f = fopen(break_time, "r");
    bool good = f && fgets(break_time_before, sizeof break_time_before, f);
    if (f) fclose(f);
    return good && write_text(break_time, "1");
}

static int strike_the_set(void **state)
{
    (void)state;
    if (on_stage.path[0]) harness_dir_remove(on_stage.path);
    on_stage.path[0] = '\0';
    if (break_time_before[0]) (void)write_text(break_time, break_time_before);
    break_time_before[0] = '\0';
    return 0;
}

struct late {
    const struct stage *st;
    char hidden[64];
};

/* The two ways into a table: its end, and its first message (at byte 8) for who reads it as a stream. */
enum { FRONT_AT = 8, FRONT = 8 };

static bool is_open_in_front(const uint8_t *bytes)
{
    static const uint8_t marker[4] = {255, 255, 255, 255};
    return memcmp(bytes + FRONT_AT, marker, sizeof marker) == 0;
}

static bool is_open_at_the_end(const uint8_t *bytes, size_t n)
{
    return memcmp(bytes + n - 6, "ARROW1", 6) == 0;
}

static void *copy_of(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n);
    CHECK(copy);
    return memcpy(copy, bytes, n);
}

/* Not one byte has changed; but a front that was closed may have been opened, which who came by the end does not see. */
static void check_is_as_before(int fd, const uint8_t *bytes, const uint8_t *before, size_t n)
{
    struct stat st;
    char path[64];
    struct dry_table *t;
    size_t skip = is_open_in_front(before) ? 0 : FRONT_AT + FRONT;
    CHECK(fstat(fd, &st) == 0 && (size_t)st.st_size == n);
    CHECK(memcmp(bytes, before, FRONT_AT) == 0 && memcmp(bytes + skip, before + skip, n - skip) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK(dry_table_open_path(path, DRY_CHECK_FULL, NULL, &t, NULL) == DRY_OK && version_of(t) >= 0);
    dry_table_unref(t);
}

/* Gets in while the writer is stopped, and maps what is there. If there is a way into it, it stays as it is. */
static void open_late(void *arg)
{
    const struct late *late = arg;
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", late->st->dir.path, late->hidden);
    int fd = open(path, O_RDONLY | O_CLOEXEC); /* waits */
    CHECK(fd >= 0 && fstat(fd, &st) == 0);
    size_t n = (size_t)st.st_size;
    const uint8_t *bytes = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(bytes != MAP_FAILED);
    bool has_a_way_in = is_open_in_front(bytes) || is_open_at_the_end(bytes, n);
    uint8_t *before = has_a_way_in ? copy_of(bytes, n) : NULL;
    dry_store_release_u32(&shared->is_inside, 1); /* R1: pairs with A1 in let_in; the mapping is there */
    /* A2: pairs with R2 in let_in; the writer has ended */
    while (!dry_load_acquire_u32(&shared->may_look_again)) sched_yield();
    if (before) check_is_as_before(fd, bytes, before, n);
    free(before);
    close(fd);
}

static void find_hidden(void *self, const char *name)
{
    struct late *late = self;
    if (strncmp(name, ".spare-", 7) == 0) snprintf(late->hidden, sizeof late->hidden, "%s", name);
}

/* false: there is no spare at this step. */
static bool let_in(const struct stage *st, pid_t writer)
{
    struct late late = {.st = st};
    harness_dir_each(st->dir.path, find_hidden, &late);
    if (!late.hidden[0]) {
        kill(writer, SIGCONT);
        assert_int_equal(harness_end(writer), 0);
        return false;
    }
    dry_store_relaxed_u32(&shared->is_inside, 0); /* X0: the child is not born yet */
    dry_store_relaxed_u32(&shared->may_look_again, 0); /* X0: as before */
    pid_t reader = harness_start(open_late, &late);
    /* A1: pairs with R1 in open_late */
    while (!dry_load_acquire_u32(&shared->is_inside)) sched_yield();
    expect_old_or_new(st, "somebody is let in at");
    kill(writer, SIGCONT);
    assert_int_equal(harness_end(writer), 0);
    dry_store_release_u32(&shared->may_look_again, 1); /* R2: pairs with A2 in open_late */
    int ended = harness_end(reader);
    if (ended != 0) fail_msg("let in at '%s': %d", shared->name, ended);
    return true;
}

static void who_is_let_in_while_the_writer_is_stopped_reads_no_torn_table(void **state)
{
    (void)state;
    struct stage st;
    pid_t writer;
    int met = 0;
    if (!lower_break_time()) {
        print_message("skipped: %s cannot be lowered here\n", break_time);
        skip();
    }
    if (!raise_curtain(&st)) skip();
    st.last = VERSIONS - 1; /* grows: a file that shrinks under a mapping is another matter (recycled-pages.md) */
    for (int step = 1; start_until_stop(&st, step, &writer); step++) {
        met += let_in(&st, writer);
        assert_int_equal(version_by_name(&st), st.last);
    }
    assert_true(met > 10);
    fall_curtain(&st);
}

#define ON_STAGE(test) cmocka_unit_test_teardown(test, strike_the_set)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(a_writer_killed_at_any_step_leaves_a_whole_table_and_no_litter),
        ON_STAGE(a_writer_stopped_at_any_step_keeps_nobody_waiting),
        ON_STAGE(who_is_let_in_while_the_writer_is_stopped_reads_no_torn_table),
    };
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return 1;
    return cmocka_run_group_tests_name("recycle_kill", tests, NULL, NULL);
}

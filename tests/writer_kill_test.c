/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A named writer that is killed: at every crash step of its commit, and while it is filled. What is left is the old
 * table, the new one or nothing; and one list later there is nothing else.
 */
#include "harness.h"
#include "tables.h"
#include "writer_columns.h"
#include "../base/os.h"
#include "../base/step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#define ROWS 1000
#define LARGE (1 << 18) /* 2 MiB */
#define OLD 0
#define NEW 1000000
#define NAME "t"

struct scene {
    const char *why;
    bool in_memory, has_unnamed, replaces;
    int64_t rows, old_rows; /* of each half of the new table, and of the old one */
    bool recycles;          /* built in the pages of a version before the old one */
};

static const struct scene scenes[] = {
    {"new name in memory", true, true, false, ROWS, ROWS, false},
    {"replace in memory", true, true, true, ROWS, ROWS, false},
    {"replace in memory, large", true, true, true, LARGE, ROWS, false},
    {"replace in memory, recycled", true, true, true, LARGE, LARGE, true},
    {"new name in memory, no unnamed files", true, false, false, ROWS, ROWS, false},
    {"replace in memory, no unnamed files", true, false, true, ROWS, ROWS, false},
    {"new name on disk", false, true, false, ROWS, ROWS, false},
    {"replace on disk", false, true, true, ROWS, ROWS, false},
    {"replace on disk, no unnamed files", false, false, true, ROWS, ROWS, false},
};

struct stage {
    const struct scene *scene;
    struct harness_dir dir;
    struct dry_store *s;
    int fds;
};

static int no_unnamed_files(const char *call)
{
    return strcmp(call, "open_unnamed") == 0 ? EOPNOTSUPP : 0;
}

static bool raise_curtain(const struct scene *scene, struct stage *st)
{
    const char *where = harness_where(scene->in_memory);
    struct dry_error err;
    if (!where) {
        print_message("skipped: %s: no writable place %s\n", scene->why, scene->in_memory ? "in memory" : "on disk");
        return false;
    }
    st->scene = scene;
    st->fds = harness_open_fds();
    assert_true(harness_dir_make(where, &st->dir));
    assert_int_equal(dry_store_open(st->dir.path, DRY_STORE_WRITE, NULL, &st->s, NULL, &err), DRY_OK);
    return true;
}

static void fall_curtain(struct stage *st)
{
    dry_store_close(st->s);
    harness_dir_remove(st->dir.path);
    assert_int_equal(harness_open_fds(), st->fds);
    assert_int_equal(harness_mappings(st->dir.path), 0);
}

/* With a store of its own: what it keeps for recycling goes with it. */
static void set_up_name(struct stage *st)
{
    struct dry_error err;
    if (st->scene->replaces) {
        struct dry_store *own;
        assert_int_equal(dry_store_open(st->dir.path, DRY_STORE_WRITE, NULL, &own, NULL, &err), DRY_OK);
        assert_int_equal(put_count(own, NAME, OLD, st->scene->old_rows, &err), DRY_OK);
        dry_store_close(own);
    } else if (dry_store_remove(st->s, NAME, &err) != DRY_OK) {
        assert_int_equal(err.status, DRY_NOT_FOUND);
    }
}

enum outcome { NOTHING, OLD_TABLE, NEW_TABLE };

/* After a list as another process does it: a whole table or none, and nothing beside it in the directory. */
static enum outcome look_at_the_scene(const struct stage *st)
{
    struct dry_store *own;
    struct dry_entry *entries;
    struct dry_error err;
    size_t n;
    assert_int_equal(dry_store_open(st->dir.path, DRY_STORE_READ, NULL, &own, NULL, &err), DRY_OK);
    assert_int_equal(dry_store_list(own, &entries, &n, &err), DRY_OK);
    dry_entries_free(own, entries, n);
    dry_store_close(own);
    assert_int_equal(harness_dir_each(st->dir.path, NULL, NULL), n);
    if (n == 0) return NOTHING;
    assert_int_equal(n, 1);
    if (holds_count(st->s, NAME, OLD, st->scene->old_rows)) return OLD_TABLE;
    assert_true(holds_count(st->s, NAME, NEW, 2 * st->scene->rows));
    return NEW_TABLE;
}

/* ---- the act ---- */
static struct { /* shared with the child, which cannot tell any more where it died */
    int steps_left;
    char name[64];
} *death;

static void die_at_step(const char *what)
{
    if (--death->steps_left > 0) return;
    snprintf(death->name, sizeof death->name, "%s", what);
    kill(getpid(), SIGKILL);
}

/* Between the writer's own calls, too. */
#define HERE(what) die_at_step(what)

static void build_and_die(void *arg)
{
    struct stage *st = arg;
    struct dry_error err = {.text = ""};
    int64_t rows = st->scene->rows;
    if (!st->scene->has_unnamed) dry_os_fault = no_unnamed_files;
    for (int i = 0; st->scene->recycles && i < 2; i++) /* so that there are pages to spare */
        CHECK(put_count(st->s, NAME, OLD, st->scene->old_rows, &err) == DRY_OK);
    dry_step_hook = die_at_step;
    struct dry_writer *w = counter_new(st->s, NAME);
    struct dry_writer_stat stat;
    CHECK(dry_writer_stat(w, &stat, &err) == DRY_OK && (stat.recycled || !st->scene->recycles));
    HERE("writer: made");
    enum dry_status status = dry_writer_block(w, rows, &err);
    HERE("writer: block open");
    if (status == DRY_OK) {
        int64_t *n = columns_memory(w, -1, 0, DRY_BUFFER_VALUES)->at;
        for (int64_t i = 0; i < rows; i++)
            n[i] = NEW + i;
        status = dry_writer_end_block(w, rows, &err);
    }
    HERE("writer: block ended");
    struct ArrowArrayStream in = count_from(NEW + rows, rows, 1);
    if (status == DRY_OK) status = dry_writer_append_stream(w, &in, &err);
    HERE("writer: appended");
    if (status == DRY_OK) status = dry_writer_commit(w, &err);
    if (status != DRY_OK) fprintf(stderr, "writer: %s\n", err.text);
    CHECK(status == DRY_OK);
    HERE("writer: committed");
    dry_writer_free(w);
}

/* The new table is there from the moment it is named, and not before. */
static bool is_named_at(const char *step)
{
    static const char *const steps[] = {"put: exchanged", "put: named", "put: directory synced", "writer: committed"};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(step, steps[i]) == 0) return true;
    return strncmp(step, "spare: ", 7) == 0; /* what was replaced is kept after that */
}

static void kill_at_every_step(const struct scene *scene)
{
    struct stage st;
    if (!raise_curtain(scene, &st)) return;
    for (int step = 1;; step++) {
        set_up_name(&st);
        death->steps_left = step;
        int ended = harness_run(build_and_die, &st);
        if (ended == 0) {
            assert_int_equal(look_at_the_scene(&st), NEW_TABLE);
            assert_true(step > 11);
            break;
        }
        assert_int_equal(ended, -SIGKILL);
        enum outcome before = scene->replaces ? OLD_TABLE : NOTHING;
        enum outcome left = look_at_the_scene(&st);
        if (left != (is_named_at(death->name) ? NEW_TABLE : before))
            fail_msg("%s: killed at '%s': outcome %d", scene->why, death->name, (int)left);
    }
    fall_curtain(&st);
}

static void a_writer_killed_at_any_step_leaves_a_whole_table_or_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        kill_at_every_step(&scenes[i]);
}

/* ---- the memory of an anonymous one ---- */
struct shared {
    char handle[DRY_HANDLE_SIZE];
    struct harness_gate has_it, go;
};

static void share_and_wait(void *arg)
{
    struct shared *sh = arg;
    struct dry_error err;
    struct dry_writer *w = counter_new(NULL, NULL);
    CHECK(counter_block(w, NEW, ROWS, &err) == DRY_OK && dry_writer_commit(w, &err) == DRY_OK);
    CHECK(dry_writer_handle(w, sh->handle, &err) == DRY_OK);
    harness_gate_open(&sh->has_it);
    harness_gate_pass(&sh->go);
}

/* A reader that has it keeps it; a handle of the dead is one clear error. */
static void a_table_outlives_its_killed_creator_in_its_readers(void **state)
{
    (void)state;
    struct dry_table *t;
    struct dry_error err;
    struct shared *sh = mmap(NULL, sizeof *sh, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(sh != MAP_FAILED);
    int fds = harness_open_fds();
    assert_true(harness_gate_init(&sh->has_it) && harness_gate_init(&sh->go));
    pid_t pid = harness_start(share_and_wait, sh);
    assert_true(harness_gate_pass(&sh->has_it));
    assert_int_equal(dry_table_open_handle(sh->handle, DRY_CLASS_ANONYMOUS, DRY_CHECK_FULL, NULL, &t, &err), DRY_OK);
    kill(pid, SIGKILL);
    assert_int_equal(harness_end(pid), -SIGKILL);
    assert_true(counts_from(t, NEW, ROWS));
    dry_table_unref(t);
    assert_int_equal(dry_table_open_handle(sh->handle, DRY_CLASS_ANONYMOUS, DRY_CHECK_FULL, NULL, &t, &err),
                     DRY_NOT_FOUND);
    harness_gate_fini(&sh->has_it);
    harness_gate_fini(&sh->go);
    munmap(sh, sizeof *sh);
    assert_int_equal(harness_open_fds(), fds);
    assert_int_equal(harness_mappings("/memfd:"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_writer_killed_at_any_step_leaves_a_whole_table_or_none),
        cmocka_unit_test(a_table_outlives_its_killed_creator_in_its_readers),
    };
    death = mmap(NULL, sizeof *death, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (death == MAP_FAILED) return 1;
    return cmocka_run_group_tests_name("writer_kill", tests, NULL, NULL);
}

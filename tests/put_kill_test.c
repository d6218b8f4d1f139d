/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A put that is killed: at every crash step, and between every two system calls. What is left is the old table, the
 * new one or nothing; and one list later there is nothing else. Also puts that meet each other, and forks in between.
 */
#include "harness.h"
#include "tables.h"
#include "../base/os.h"
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
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#define ROWS 1000
#define OLD 0
#define NEW 1000000
#define NAME "t"

/* ---- the scenes ---- */

struct scene {
    const char *why;
    bool in_memory, has_unnamed, replaces;
};

static const struct scene scenes[] = {
    {"new name in memory", true, true, false},
    {"replace in memory", true, true, true},
    {"new name in memory, no unnamed files", true, false, false},
    {"replace in memory, no unnamed files", true, false, true},
    {"new name on disk", false, true, false},
    {"replace on disk", false, true, true},
    {"replace on disk, no unnamed files", false, false, true},
};

struct stage {
    const struct scene *scene;
    struct harness_dir dir;
    struct dry_store *s;
};

static int no_unnamed_files(const char *call)
{
    return strcmp(call, "open_unnamed") == 0 ? EOPNOTSUPP : 0;
}

/* The directory in use, for the teardown of a test that failed. */
static struct harness_dir on_stage;
static int fds_at_curtain;

/* false = there is no such place on this machine. */
static bool raise_curtain(const struct scene *scene, struct stage *st)
{
    const char *where = harness_where(scene->in_memory);
    struct dry_error err;
    if (!where) {
        print_message("skipped: %s: no writable place %s\n", scene->why, scene->in_memory ? "in memory" : "on disk");
        return false;
    }
    st->scene = scene;
    fds_at_curtain = harness_open_fds();
    assert_true(harness_dir_make(where, &st->dir));
    on_stage = st->dir;
    assert_int_equal(dry_store_open(st->dir.path, DRY_STORE_WRITE, NULL, &st->s, NULL, &err), DRY_OK);
    return true;
}

static void fall_curtain(struct stage *st)
{
    dry_store_close(st->s);
    harness_dir_remove(st->dir.path);
    on_stage.path[0] = '\0';
    assert_int_equal(harness_open_fds(), fds_at_curtain);
    assert_int_equal(harness_mappings(st->dir.path), 0);
}

static int strike_the_set(void **state)
{
    (void)state;
    dry_step_hook = NULL;
    dry_os_fault = NULL;
    if (on_stage.path[0]) harness_dir_remove(on_stage.path);
    on_stage.path[0] = '\0';
    return 0;
}

static void set_up_name(struct stage *st)
{
    struct dry_error err;
    if (st->scene->replaces) {
        assert_int_equal(put_count(st->s, NAME, OLD, ROWS, &err), DRY_OK);
    } else if (dry_store_remove(st->s, NAME, &err) != DRY_OK) {
        assert_int_equal(err.status, DRY_NOT_FOUND);
    }
}

/* One list, as another process would do it: with a store of its own. */
static void list_once(const struct stage *st, size_t *n)
{
    struct dry_store *own;
    struct dry_entry *entries;
    struct dry_error err;
    assert_int_equal(dry_store_open(st->dir.path, DRY_STORE_READ, NULL, &own, NULL, &err), DRY_OK);
    assert_int_equal(dry_store_list(own, &entries, n, &err), DRY_OK);
    dry_entries_free(own, entries, *n);
    dry_store_close(own);
}

enum outcome { NOTHING, OLD_TABLE, NEW_TABLE };

/* After a list: a whole table or none, and nothing beside it in the directory. */
static enum outcome look_at_the_scene(const struct stage *st)
{
    size_t n;
    list_once(st, &n);
    assert_int_equal(harness_dir_each(st->dir.path, NULL, NULL), n);
    if (n == 0) return NOTHING;
    assert_int_equal(n, 1);
    if (holds_count(st->s, NAME, OLD, ROWS)) return OLD_TABLE;
    assert_true(holds_count(st->s, NAME, NEW, ROWS));
    return NEW_TABLE;
}

static void put_new(void *arg)
{
    struct stage *st = arg;
    struct dry_error err;
    if (!st->scene->has_unnamed) dry_os_fault = no_unnamed_files;
    if (put_count(st->s, NAME, NEW, ROWS, &err) == DRY_OK) return;
    fprintf(stderr, "put: %s\n", err.text);
    _exit(99);
}

/* ---- killed at every crash step ---- */

/* Shared with the child, which cannot tell any more where it died. */
static struct {
    int steps_left;
    char name[64];
} *death;

static void die_at_step(const char *what)
{
    if (--death->steps_left > 0) return;
    snprintf(death->name, sizeof death->name, "%s", what);
    kill(getpid(), SIGKILL);
}

static void put_and_die(void *arg)
{
    dry_step_hook = die_at_step;
    put_new(arg);
}

/* The new table is there from the moment it is named, and not before. */
static bool is_named_at(const char *step)
{
    return strcmp(step, "put: named") == 0 || strcmp(step, "put: directory synced") == 0;
}

static void kill_at_every_step(const struct scene *scene)
{
    struct stage st;
    if (!raise_curtain(scene, &st)) return;
    for (int step = 1;; step++) {
        set_up_name(&st);
        death->steps_left = step;
        int ended = harness_run(put_and_die, &st);
        if (ended == 0) {
            assert_int_equal(look_at_the_scene(&st), NEW_TABLE);
            assert_true(step > 6);
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

static void a_put_killed_at_any_step_leaves_a_whole_table_or_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        kill_at_every_step(&scenes[i]);
}

/* ---- killed between every two system calls ---- */

static void put_traced(void *arg)
{
    CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
    raise(SIGSTOP);
    put_new(arg);
}

/* Lets the child go on to the end of its next system call; false = it has ended, with *how. */
static bool next_call(pid_t pid, int *how)
{
    for (int stops = 0; stops < 2;) { /* a stop where it enters, one where it leaves */
        if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0) return false;
        while (waitpid(pid, how, 0) < 0 && errno == EINTR) {
        }
        if (WIFEXITED(*how) || WIFSIGNALED(*how)) return false;
        if (WIFSTOPPED(*how) && WSTOPSIG(*how) == (SIGTRAP | 0x80)) stops++;
    }
    return true;
}

enum traced { KILLED, FINISHED, NOT_ALLOWED };

static enum traced kill_after_calls(struct stage *st, int calls)
{
    int how;
    pid_t pid = harness_start(put_traced, st);
    assert_true(pid > 0);
    while (waitpid(pid, &how, 0) < 0 && errno == EINTR) {
    }
    if (!WIFSTOPPED(how)) return NOT_ALLOWED;
    assert_true(ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) == 0);
    for (int i = 0; i < calls; i++) {
        if (next_call(pid, &how)) continue;
        assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
        return FINISHED;
    }
    kill(pid, SIGKILL);
    assert_int_equal(harness_end(pid), -SIGKILL);
    return KILLED;
}

static bool kill_after_every_call(const struct scene *scene)
{
    struct stage st;
    bool seen[3] = {false, false, false};
    if (!raise_curtain(scene, &st)) return true;
    for (int calls = 0;; calls++) {
        set_up_name(&st);
        enum traced how = kill_after_calls(&st, calls);
        if (how == NOT_ALLOWED) {
            fall_curtain(&st);
            return false;
        }
        enum outcome left = look_at_the_scene(&st);
        if (left == (scene->replaces ? NOTHING : OLD_TABLE) || (how == FINISHED && left != NEW_TABLE))
            fail_msg("%s: killed after %d calls: outcome %d", scene->why, calls, (int)left);
        seen[left] = true;
        if (how == FINISHED) break;
    }
    assert_true(seen[NEW_TABLE] && seen[scene->replaces ? OLD_TABLE : NOTHING]);
    fall_curtain(&st);
    return true;
}

static void a_put_killed_between_any_two_system_calls_leaves_a_whole_table_or_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        if (!kill_after_every_call(&scenes[i])) {
            print_message("skipped: ptrace is not allowed here\n");
            skip();
        }
}

/* ---- puts that meet ---- */

#define PUTS 60

struct crowd {
    struct stage st;
    struct harness_gate gate;
    int64_t first;
    bool has_unnamed;
};

static void yield_at_step(const char *what)
{
    (void)what;
    sched_yield();
}

static void put_many(void *arg)
{
    struct crowd *c = arg;
    struct dry_error err;
    if (!c->has_unnamed) dry_os_fault = no_unnamed_files;
    dry_step_hook = yield_at_step;
    CHECK(harness_gate_pass(&c->gate));
    for (int i = 0; i < PUTS; i++) {
        if (put_count(c->st.s, NAME, c->first, ROWS, &err) == DRY_OK) continue;
        fprintf(stderr, "put: %s\n", err.text);
        _exit(99);
    }
}

/* Two writers, and this process looking (and looking for litter) all the time. */
static void let_two_writers_meet(const struct scene *scene)
{
    struct crowd c = {.has_unnamed = scene->has_unnamed};
    pid_t writers[2];
    size_t n;
    if (!raise_curtain(scene, &c.st)) return;
    assert_true(harness_gate_init(&c.gate));
    for (int i = 0; i < 2; i++) {
        c.first = i == 0 ? OLD : NEW;
        writers[i] = harness_start(put_many, &c);
        assert_true(writers[i] > 0);
    }
    harness_gate_open(&c.gate);
    harness_gate_open(&c.gate);
    for (int i = 0; i < PUTS; i++)
        list_once(&c.st, &n);
    assert_int_equal(harness_end(writers[0]), 0);
    assert_int_equal(harness_end(writers[1]), 0);
    assert_int_not_equal(look_at_the_scene(&c.st), NOTHING);
    harness_gate_fini(&c.gate);
    fall_curtain(&c.st);
}

static void two_puts_of_one_name_both_succeed(void **state)
{
    (void)state;
    let_two_writers_meet(&scenes[1]);
    let_two_writers_meet(&scenes[3]);
    let_two_writers_meet(&scenes[5]);
}

/* ---- a list in the middle of a put ---- */

static struct {
    const char *at;
    const struct stage *st;
    int times_left, entries;
} meddler;

static void list_at_step(const char *what)
{
    size_t n;
    if (meddler.times_left == 0 || strcmp(what, meddler.at) != 0) return;
    meddler.times_left--;
    list_once(meddler.st, &n);
    meddler.entries = harness_dir_each(meddler.st->dir.path, NULL, NULL);
}

static void meddle(const struct scene *scene, const char *at, int entries_expected)
{
    struct stage st;
    struct dry_error err = {.status = DRY_OK};
    if (!raise_curtain(scene, &st)) return;
    set_up_name(&st);
    meddler.at = at;
    meddler.st = &st;
    meddler.times_left = 1;
    dry_step_hook = list_at_step;
    dry_os_fault = scene->has_unnamed ? NULL : no_unnamed_files;
    enum dry_status status = put_count(st.s, NAME, NEW, ROWS, &err);
    dry_step_hook = NULL;
    dry_os_fault = NULL;
    assert_int_equal(status, DRY_OK);
    assert_int_equal(meddler.times_left, 0);
    assert_int_equal(meddler.entries, entries_expected);
    assert_int_equal(look_at_the_scene(&st), NEW_TABLE);
    fall_curtain(&st);
}

static void the_hidden_name_of_a_living_writer_stays(void **state)
{
    (void)state;
    meddle(&scenes[1], "put: linked under the hidden name", 2);
    meddle(&scenes[3], "put: filled", 2);
}

/* Created, not yet locked: the list takes it for litter, and the writer begins again with another. */
static void a_hidden_file_lost_before_it_is_locked_is_made_again(void **state)
{
    (void)state;
    meddle(&scenes[2], "put: hidden file created", 0);
}

/* Somebody has locked it but not removed it yet: the writer leaves it to him. */
static int stolen = -1;

static void lock_first(void *self, const char *name)
{
    char path[512];
    const struct stage *st = self;
    if (strncmp(name, ".put-", 5) != 0) return;
    snprintf(path, sizeof path, "%s/%s", st->dir.path, name);
    stolen = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(stolen >= 0);
    assert_int_equal(dry_os_lock(stolen, false), 0);
}

static void steal_at_step(const char *what)
{
    if (stolen < 0 && strcmp(what, "put: hidden file created") == 0)
        harness_dir_each(meddler.st->dir.path, lock_first, (void *)(uintptr_t)meddler.st);
}

static void a_hidden_file_that_another_has_locked_is_left_to_him(void **state)
{
    (void)state;
    struct stage st;
    struct dry_error err;
    if (!raise_curtain(&scenes[2], &st)) skip();
    meddler.st = &st;
    dry_os_fault = no_unnamed_files;
    dry_step_hook = steal_at_step;
    enum dry_status status = put_count(st.s, NAME, NEW, ROWS, &err);
    dry_step_hook = NULL;
    dry_os_fault = NULL;
    assert_int_equal(status, DRY_OK);
    assert_true(stolen >= 0);
    close(stolen);
    stolen = -1;
    assert_int_equal(look_at_the_scene(&st), NEW_TABLE);
    fall_curtain(&st);
}

/* ---- forks ---- */

struct forked {
    struct stage st;
    struct harness_gate born, go;
};
static struct forked *forked;

/* A child that only waits does not hold the lock of its parent, who is killed. */
static void fork_and_die(const char *what)
{
    if (strcmp(what, "put: linked under the hidden name") != 0) return;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        harness_gate_open(&forked->born);
        harness_gate_pass(&forked->go);
        _exit(0);
    }
    harness_gate_pass(&forked->born);
    kill(getpid(), SIGKILL);
}

static void put_fork_and_die(void *arg)
{
    close(forked->go.fds[1]); /* so that the child notices when the test is gone */
    dry_step_hook = fork_and_die;
    put_new(arg);
}

static void a_forked_child_does_not_keep_the_lock(void **state)
{
    (void)state;
    struct forked f;
    if (!raise_curtain(&scenes[1], &f.st)) skip();
    forked = &f;
    set_up_name(&f.st);
    assert_true(harness_gate_init(&f.born) && harness_gate_init(&f.go));
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* the waiting child becomes ours when its parent dies */
    assert_int_equal(harness_run(put_fork_and_die, &f.st), -SIGKILL);
    assert_int_equal(look_at_the_scene(&f.st), OLD_TABLE);
    harness_gate_open(&f.go);
    assert_int_equal(harness_end(-1), 0);
    harness_gate_fini(&f.born);
    harness_gate_fini(&f.go);
    fall_curtain(&f.st);
}

struct inherited {
    struct stage st;
    struct dry_table *table;
};

static void use_inherited(void *arg)
{
    struct inherited *in = arg;
    struct dry_error err;
    CHECK(counts_from(in->table, OLD, ROWS));
    CHECK(holds_count(in->st.s, NAME, OLD, ROWS));
    CHECK(put_count(in->st.s, "child", NEW, ROWS, &err) == DRY_OK);
    dry_table_unref(in->table);
    dry_store_close(in->st.s);
}

static void a_forked_child_may_use_the_store_and_its_tables(void **state)
{
    (void)state;
    struct inherited in;
    struct dry_error err;
    if (!raise_curtain(&scenes[1], &in.st)) skip();
    set_up_name(&in.st);
    assert_int_equal(dry_store_get(in.st.s, NAME, DRY_CHECK_AUTO, &in.table, &err), DRY_OK);
    assert_int_equal(harness_run(use_inherited, &in), 0);
    assert_true(counts_from(in.table, OLD, ROWS));
    assert_true(holds_count(in.st.s, "child", NEW, ROWS));
    dry_table_unref(in.table);
    fall_curtain(&in.st);
}

#define ON_STAGE(test) cmocka_unit_test_teardown(test, strike_the_set)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_STAGE(a_put_killed_at_any_step_leaves_a_whole_table_or_none),
        ON_STAGE(a_put_killed_between_any_two_system_calls_leaves_a_whole_table_or_none),
        ON_STAGE(two_puts_of_one_name_both_succeed),
        ON_STAGE(the_hidden_name_of_a_living_writer_stays),
        ON_STAGE(a_hidden_file_lost_before_it_is_locked_is_made_again),
        ON_STAGE(a_hidden_file_that_another_has_locked_is_left_to_him),
        ON_STAGE(a_forked_child_does_not_keep_the_lock),
        ON_STAGE(a_forked_child_may_use_the_store_and_its_tables),
    };
    death = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (death == MAP_FAILED) return 1;
    return cmocka_run_group_tests_name("put_kill", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the child of a fork has of its parent's segments, and what a program that was started has: docs/sharing.md has
 * the table. A child never closes, unlocks or unmaps what is its parent's.
 */
#define _GNU_SOURCE
#include "pass_testing.h"

#include <pthread.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>

extern char **environ;

/* ---- a child that lives until it is told to end ---- */
struct sleeper {
    pid_t pid;
    struct harness_gate end;
};

static void sleep_until_told(void *arg)
{
    struct sleeper *s = arg;
    close(s->end.fds[1]);
    (void)harness_gate_pass(&s->end); /* or until the parent is gone */
}

static void sleeper_start(struct sleeper *s)
{
    assert_true(harness_gate_init(&s->end));
    s->pid = harness_start(sleep_until_told, s);
    assert_true(s->pid > 0);
}

static void sleeper_end(struct sleeper *s)
{
    harness_gate_fini(&s->end);
    assert_int_equal(harness_end(s->pid), 0);
}

/* ---- the writer's side is the parent's alone ---- */
/* The answer of the i-th function; OK behind the last one. */
static enum dry_status use(struct dry_segment *s, int i)
{
    const struct dry_segment_options options = {0};
    struct dry_segment_stat st;
    struct dry_memory *m;
    struct dry_view v;
    char handle[DRY_HANDLE_SIZE];
    switch (i) {
    case 0: return dry_segment_set_options(s, &options, NULL);
    case 1: return dry_segment_reserve(s, 1, NULL);
    case 2: return dry_segment_append(s, "x", 1, NULL);
    case 3: return dry_segment_append_zeros(s, 1, NULL);
    case 4: return dry_segment_write_at(s, 0, "x", 1, NULL);
    case 5: return dry_segment_finish(s, NULL);
    case 6: return dry_segment_piece(s, 1, &m, NULL);
    case 7: return dry_segment_cut(s, 0, NULL);
    case 8: return dry_segment_format(s, "x", NULL);
    case 9: return dry_segment_offer(s, true, NULL);
    case 10: return dry_segment_protect(s, NULL);
    case 11: return dry_segment_seal(s, NULL);
    case 12: return dry_segment_take_back(s, NULL);
    case 13: return dry_segment_claim(s, NULL);
    case 14: return dry_segment_rewind(s, NULL);
    case 15: return dry_segment_view(s, &v, NULL);
    case 16: return dry_segment_stat(s, &st, NULL);
    case 17: return dry_segment_handle(s, handle, NULL);
    default: return DRY_OK;
    }
}

/* Nothing of it is the child's; its own things stay where the parent's mapping was. */
static void be_denied(void *arg)
{
    struct dry_segment *s = arg;
    int i = 0;
    while (use(s, i) == DRY_DENIED)
        i++;
    CHECK(i == 18);
    CHECK(dry_segment_fd(s) == -1);
    CHECK(dry_segment_bytes(s) == NULL);
    dry_segment_give_back(s);
    dry_segment_disclaim(s);
    dry_segment_free(s);
}

static void its_functions_are_denied(void **state)
{
    struct dry_segment *s;
    struct dry_error err = {0};
    (void)state;
    assert_int_equal(dry_segment_new(shared_name(), NULL, &s, NULL), DRY_OK);
    assert_int_equal(harness_run(be_denied, s), 0); /* empty */
    assert_int_equal(dry_segment_append(s, "abc", 3, NULL), DRY_OK);
    assert_int_equal(harness_run(be_denied, s), 0); /* with bytes that are not in the file yet */
    dry_segment_free(s);
    s = make_unprotected();
    assert_non_null(s);
    assert_int_equal(harness_run(be_denied, s), 0); /* with a piece */
    assert_int_equal(dry_segment_protect(s, &err), DRY_OK);
    assert_int_equal(harness_run(be_denied, s), 0);
    assert_int_equal(dry_segment_take_back(s, NULL), DRY_OK);
    assert_int_equal(harness_run(be_denied, s), 0);
    assert_int_equal(dry_segment_seal(s, NULL), DRY_OK);
    assert_int_equal(harness_run(be_denied, s), 0);
    dry_segment_free(s);
}

struct piece_of {
    struct dry_segment *s;
    struct dry_memory *piece;
};

static void put_something_where_the_piece_was(void *arg)
{
    const struct piece_of *p = arg;
    uint8_t *at = (uint8_t *)((uintptr_t)p->piece->at & ~(uintptr_t)4095);
    uint8_t *own = mmap(at, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(own == at);
    memset(own, 42, 8192);
    CHECK(p->piece->resize(p->piece, 2 * SHARED_BYTES) != DRY_OK);
    p->piece->release(p->piece);
    dry_segment_free(p->s);
    CHECK(own[0] == 42 && own[8191] == 42);
}

/* Freed or not, what lies at those addresses in the child is the child's. */
static void it_does_not_unmap_what_is_not_there(void **state)
{
    struct piece_of p;
    (void)state;
    assert_int_equal(dry_segment_new(shared_name(), NULL, &p.s, NULL), DRY_OK);
    assert_int_equal(dry_segment_piece(p.s, SHARED_BYTES, &p.piece, NULL), DRY_OK);
    ((uint8_t *)p.piece->at)[0] = 7;
    assert_int_equal(harness_run(put_something_where_the_piece_was, &p), 0);
    assert_int_equal(((uint8_t *)p.piece->at)[0], 7);
    assert_int_equal(p.piece->resize(p.piece, 2 * SHARED_BYTES), DRY_OK); /* the parent goes on */
    dry_segment_free(p.s);
}

static void hold_nothing(void *arg)
{
    (void)arg;
    CHECK(held_by("self") == 0);
}

static void it_holds_nothing_of_the_writers(void **state)
{
    struct dry_segment *s = make_unprotected();
    (void)state;
    assert_non_null(s);
    assert_true(held_by("self") > 0);
    assert_int_equal(harness_run(hold_nothing, NULL), 0);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_int_equal(harness_run(hold_nothing, NULL), 0);
    dry_segment_free(s);
}

static void make_one_of_its_own(void *arg)
{
    char handle[DRY_HANDLE_SIZE];
    struct dry_segment *s = make_shared();
    (void)arg;
    CHECK(s && dry_segment_handle(s, handle, NULL) == DRY_OK);
    CHECK(look_at_handle(handle) == DRY_OK);
    CHECK(harness_run(be_denied, s) == 0);
    CHECK(dry_segment_take_back(s, NULL) == DRY_OK);
    dry_segment_free(s);
}

static void it_makes_segments_of_its_own(void **state)
{
    struct dry_segment *s = make_shared();
    (void)state;
    assert_non_null(s);
    assert_int_equal(harness_run(make_one_of_its_own, NULL), 0);
    assert_int_equal(dry_segment_take_back(s, NULL), DRY_OK);
    dry_segment_free(s);
}

/* ---- views are both's ---- */
struct viewed {
    struct dry_view v;
    struct harness_gate go;
};

static void read_when_told(void *arg)
{
    struct viewed *w = arg;
    char handle[DRY_HANDLE_SIZE];
    CHECK(harness_gate_pass(&w->go));
    CHECK(is_shared(&w->v));
    CHECK(dry_view_handle(&w->v, handle, NULL) == DRY_OK); /* of the child's own descriptor */
    CHECK(look_at_handle(handle) == DRY_OK);
    struct dry_view again = dry_view_ref(&w->v);
    dry_view_unref(&again);
    dry_view_unref(&w->v);
    CHECK(held_by("self") == 0);
}

static void its_views_stay_when_the_parents_go(void **state)
{
    struct viewed w;
    struct dry_segment *s = make_shared();
    (void)state;
    assert_non_null(s);
    assert_true(harness_gate_init(&w.go));
    assert_int_equal(dry_segment_view(s, &w.v, NULL), DRY_OK);
    pid_t pid = harness_start(read_when_told, &w);
    assert_int_equal(dry_segment_take_back(s, NULL), DRY_SHARED);
    dry_view_unref(&w.v);
    assert_int_equal(dry_segment_take_back(s, NULL), DRY_SHARED); /* the child's view */
    dry_segment_free(s);
    harness_gate_open(&w.go);
    assert_int_equal(harness_end(pid), 0);
    harness_gate_fini(&w.go);
}

static void let_go(void *arg)
{
    struct viewed *w = arg;
    dry_view_unref(&w->v);
}

static void be_killed(void *arg)
{
    (void)arg;
    kill(getpid(), SIGKILL);
}

static void what_it_lets_go_stays_the_parents(void **state)
{
    struct viewed w;
    struct dry_segment *s = make_shared();
    (void)state;
    assert_non_null(s);
    assert_int_equal(dry_segment_view(s, &w.v, NULL), DRY_OK);
    assert_int_equal(harness_run(let_go, &w), 0);
    assert_int_equal(harness_run(be_killed, &w), -SIGKILL);
    assert_true(is_shared(&w.v));
    dry_view_unref(&w.v);
    assert_int_equal(dry_segment_take_back(s, NULL), DRY_OK);
    dry_segment_free(s);
}

/* ---- locks and leases ---- */
static void a_lease_works_while_a_child_lives(void **state)
{
    struct sleeper child;
    struct dry_segment *s = make_shared();
    (void)state;
    assert_non_null(s);
    sleeper_start(&child);
    assert_int_equal(dry_segment_take_back(s, NULL), DRY_OK);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_int_equal(dry_segment_claim(s, NULL), DRY_OK);
    assert_int_equal(harness_run(be_killed, NULL), -SIGKILL); /* forked under the lease */
    assert_int_equal(harness_run(be_denied, s), 0);
    struct dry_view v;
    dry_segment_disclaim(s);
    assert_int_equal(dry_segment_view(s, &v, NULL), DRY_OK);
    dry_view_unref(&v);
    sleeper_end(&child);
    dry_segment_free(s);
}

static void a_worker_that_was_forked_holds_what_it_maps(void **state)
{
    char handle[DRY_HANDLE_SIZE];
    struct sleeper child;
    struct dry_memory *m;
    int fd;
    struct dry_segment *s = make_unprotected();
    (void)state;
    assert_non_null(s);
    assert_int_equal(dry_segment_offer(s, true, NULL), DRY_OK);
    assert_int_equal(dry_segment_handle(s, handle, NULL), DRY_OK);
    assert_int_equal(dry_handle_open(handle, true, &fd, NULL), DRY_OK);
    assert_int_equal(dry_segment_attach_write(fd, NULL, NULL, &m, NULL), DRY_OK);
    close(fd);
    sleeper_start(&child); /* inherits the mapping of an offered segment */
    m->release(m);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_SHARED);
    assert_int_equal(dry_segment_seal(s, NULL), DRY_SHARED);
    sleeper_end(&child);
    assert_int_equal(dry_segment_seal(s, NULL), DRY_OK);
    dry_segment_free(s);
}

/* ---- the parent ends ---- */
struct family {
    struct dry_segment *s;
    struct dry_view v;
    bool with_view;
    struct sleeper child;
};

static void have_a_child_and_be_killed(void *arg)
{
    struct family *f = arg;
    f->s = make_shared();
    CHECK(f->s);
    if (f->with_view) CHECK(dry_segment_view(f->s, &f->v, NULL) == DRY_OK);
    f->child.pid = harness_start(sleep_until_told, &f->child);
    CHECK(f->child.pid > 0);
    kill(getpid(), SIGKILL);
}

/* Its memory goes with it, but for what a child's view shows. */
static void a_killed_parents_memory_goes(void **state)
{
    (void)state;
    for (int with_view = 0; with_view < 2; with_view++) {
        struct family f = {.with_view = with_view};
        assert_true(harness_gate_init(&f.child.end));
        assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
        pid_t pid = harness_start(have_a_child_and_be_killed, &f);
        assert_int_equal(harness_end(pid), -SIGKILL);
        assert_int_equal(held_anywhere() > 0, with_view);
        harness_gate_fini(&f.child.end); /* the child, which lived on, ends */
        while (held_anywhere() > 0)
            usleep(1000);
    }
}

/* ---- programs ---- */
static void a_program_has_nothing(void **state)
{
    struct dry_view v;
    struct dry_segment *s = make_unprotected();
    char *argv[] = {"started", "count", NULL};
    pid_t pid;
    (void)state;
    assert_non_null(s);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(run_program("count", NULL, NULL), 0);
        pid = vfork();
        if (pid == 0) {
            execv("/proc/self/exe", argv);
            _exit(99);
        }
        assert_int_equal(harness_end(pid), 0);
        assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, environ), 0);
        assert_int_equal(harness_end(pid), 0);
        if (round == 0) assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
        if (round == 0)
            assert_int_equal(dry_segment_view(s, &v, NULL), DRY_OK); /* views do not survive exec either */
    }
    dry_view_unref(&v);
    assert_int_equal(dry_segment_take_back(s, NULL), DRY_OK); /* and vfork has closed nothing here */
    dry_segment_free(s);
}

/* ---- forks beside a thread that makes segments ---- */
static struct dry_atomic_u32 stop;

static void *make_and_free(void *arg)
{
    while (!dry_load_relaxed_u32(&stop)) { /* X0: brings nothing with it */
        struct dry_segment *s;
        struct dry_memory *m;
        if (dry_segment_new(shared_name(), NULL, &s, NULL) || dry_segment_piece(s, 4096, &m, NULL)) abort();
        if (dry_segment_protect(s, NULL) || dry_segment_take_back(s, NULL)) abort();
        dry_segment_free(s);
    }
    return arg;
}

static void a_fork_at_any_moment_keeps_nothing(void **state)
{
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, make_and_free, NULL), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(harness_run(hold_nothing, NULL), 0);
    dry_store_relaxed_u32(&stop, 1); /* X0: brings nothing with it */
    pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(its_functions_are_denied),           TEST(it_does_not_unmap_what_is_not_there),
        TEST(it_holds_nothing_of_the_writers),    TEST(it_makes_segments_of_its_own),
        TEST(its_views_stay_when_the_parents_go), TEST(what_it_lets_go_stays_the_parents),
        TEST(a_lease_works_while_a_child_lives),  TEST(a_worker_that_was_forked_holds_what_it_maps),
        TEST(a_killed_parents_memory_goes),       TEST(a_program_has_nothing),
        TEST(a_fork_at_any_moment_keeps_nothing),
    };
    if (argc > 1) return be_started(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

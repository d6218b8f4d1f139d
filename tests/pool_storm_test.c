/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Many peers at once, as threads of one mapping (so that the thread sanitizer sees them) and as processes that are
 * killed at random. Each payload carries a stamp in all its words: torn or foreign bytes do not agree.
 *
 * References travel through a board of plain relaxed words on purpose: they arrive torn, old and twice, no lock
 * orders anything, and the pool has to sort it out. DRY_LONG=1: minutes instead of moments.
 */
#define _GNU_SOURCE
#include "../pool/pool.h"
#include "../pool/pool_testing.h"
#include "../base/atomic.h"
#include "../base/os.h"
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

enum { WORKERS = 3, LIMITED = 2, JUDGE = 4, BOARD = 16, MINE = 6, WORDS = 8 };

static const struct dry_pool_config classes[] = {{192, 9}, {64, 90}}, further[] = {{64, 40}};
#define SLOTS (99u + 40u)

/* The pool grows in the middle of the storm; here, so that all find the memory. */
static struct dry_pool_memory more;

struct board {
    struct {
        struct dry_atomic_u64 generation, place;
    } offers[WORKERS + 1][BOARD], shared[BOARD];
    struct dry_atomic_u64 progress[WORKERS + 1];
    struct dry_atomic_u32 stop;
};

struct worker {
    struct board *board;
    struct dry_pool_memory memory;
    struct dry_pool *p;
    uint64_t random, stamp;
    uint32_t peer, rounds; /* rounds 0: until it is stopped */
    struct dry_slot held[MINE], offered[MINE], read[MINE];
    size_t held_n, offered_n, read_n;
};

static uint64_t next_random(struct worker *w)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random;
}

static struct dry_slot drop_one(struct worker *w, struct dry_slot *list, size_t *n)
{
    size_t i = next_random(w) % *n;
    struct dry_slot slot = list[i];
    list[i] = list[--*n];
    return slot;
}

/* ---- stamps and the board -------------------------------------------------------------------------------------- */

static void stamp(struct worker *w, struct dry_slot slot)
{
    void *bytes = NULL;
    CHECK(dry_pool_data_mut(w->p, slot, &bytes) == DRY_OK);
    uint64_t *words = bytes, value = (uint64_t)w->peer << 56 | ++w->stamp;
    for (size_t i = 0; i < WORDS; i++)
        words[i] = value;
}

static void check_stamp(struct worker *w, struct dry_slot slot)
{
    const void *bytes = NULL;
    CHECK(dry_pool_data(w->p, slot, &bytes) == DRY_OK);
    const uint64_t *words = bytes;
    for (size_t i = 1; i < WORDS; i++)
        CHECK(words[i] == words[0]);
}

#define POST(at, slot) \
    (dry_store_relaxed_u64(&(at).generation, (slot).generation), \
     dry_store_relaxed_u64(&(at).place, (uint64_t)(slot).class_index << 32 | (slot).index))
#define READ(at) \
    ((struct dry_slot){.generation = dry_load_relaxed_u64(&(at).generation), \
                       .index = (uint32_t)dry_load_relaxed_u64(&(at).place), \
                       .class_index = (uint16_t)(dry_load_relaxed_u64(&(at).place) >> 32)})

/* ---- what a worker does ---------------------------------------------------------------------------------------- */

static void do_allocate(struct worker *w)
{
    if (w->held_n == MINE) return;
    enum dry_status status = dry_pool_allocate(w->p, WORDS * 8, &w->held[w->held_n]);
    CHECK(status == DRY_OK || status == DRY_FULL || (status == DRY_DENIED && w->peer == LIMITED));
    if (status == DRY_OK) stamp(w, w->held[w->held_n++]);
}

static void do_free(struct worker *w)
{
    if (w->held_n == 0) return;
    struct dry_slot slot = drop_one(w, w->held, &w->held_n);
    check_stamp(w, slot);
    CHECK(dry_pool_free(w->p, slot) == DRY_OK);
    CHECK(dry_pool_free(w->p, slot) == DRY_STALE);
}

static void do_offer(struct worker *w)
{
    if (w->held_n == 0 || w->offered_n == MINE) return;
    struct dry_slot slot = drop_one(w, w->held, &w->held_n);
    uint32_t to = 1 + (uint32_t)(next_random(w) % WORKERS);
    CHECK(dry_pool_offer(w->p, slot, to, &w->offered[w->offered_n]) == DRY_OK);
    POST(w->board->offers[to][next_random(w) % BOARD], w->offered[w->offered_n]);
    w->offered_n++;
}

static void do_withdraw(struct worker *w)
{
    if (w->offered_n == 0 || w->held_n == MINE) return;
    struct dry_slot slot = drop_one(w, w->offered, &w->offered_n);
    enum dry_status status = dry_pool_withdraw(w->p, slot, &w->held[w->held_n]);
    CHECK(status == DRY_OK || status == DRY_STALE);
    if (status == DRY_OK) check_stamp(w, w->held[w->held_n++]);
}

static void do_accept(struct worker *w)
{
    if (w->held_n == MINE) return;
    struct dry_slot slot = READ(w->board->offers[w->peer][next_random(w) % BOARD]);
    if (dry_pool_accept(w->p, slot, &w->held[w->held_n]) == DRY_OK) check_stamp(w, w->held[w->held_n++]);
}

static void do_share(struct worker *w)
{
    if (w->held_n == 0 || w->read_n == MINE) return;
    struct dry_slot slot = drop_one(w, w->held, &w->held_n);
    CHECK(dry_pool_share(w->p, slot, &w->read[w->read_n]) == DRY_OK);
    POST(w->board->shared[next_random(w) % BOARD], w->read[w->read_n]);
    w->read_n++;
}

static void do_ref(struct worker *w)
{
    if (w->read_n == MINE) return;
    struct dry_slot slot = READ(w->board->shared[next_random(w) % BOARD]);
    if (dry_pool_ref(w->p, slot) != DRY_OK) return;
    check_stamp(w, slot);
    w->read[w->read_n++] = slot;
}

static void do_unref(struct worker *w)
{
    if (w->read_n == 0) return;
    struct dry_slot slot = drop_one(w, w->read, &w->read_n);
    check_stamp(w, slot);
    CHECK(dry_pool_unref(w->p, slot) == DRY_OK);
}

static void do_batch(struct worker *w)
{
    struct dry_slot slots[20];
    size_t got = 0, freed = 0;
    if (dry_pool_allocate_batch(w->p, 1, slots, 20, &got) != DRY_OK) return;
    for (size_t i = 0; i < got; i++)
        stamp(w, slots[i]);
    CHECK(dry_pool_free_batch(w->p, slots, got, &freed) == DRY_OK && freed == got);
}

/* Seldom: a rebuild, a larger or smaller cache or none, a look whether the pool has grown. */
static void do_something_rare(struct worker *w)
{
    switch (next_random(w) % 64) {
    case 0: dry_pool_rebuild(w->p); break;
    case 1: CHECK(dry_pool_cache(w->p, (uint32_t)(next_random(w) % 12), NULL) == DRY_OK); break;
    case 2:
        if (dry_pool_missing_extent(w->p)) CHECK(dry_pool_attach(w->p, 1, more, NULL) == DRY_OK);
        break;
    default: break;
    }
}

static void work(struct worker *w)
{
    static void (*const acts[])(struct worker *w) = {do_allocate, do_allocate, do_allocate, do_free,  do_free,
                                                     do_offer,    do_withdraw, do_accept,   do_share, do_ref,
                                                     do_ref,      do_unref,    do_unref,    do_batch,
                                                     do_something_rare};
    for (uint32_t i = 0; w->rounds == 0 || i < w->rounds; i++) {
        if (dry_load_relaxed_u32(&w->board->stop)) break;
        acts[next_random(w) % (sizeof acts / sizeof *acts)](w);
        dry_add_relaxed_u64(&w->board->progress[w->peer], 1);
    }
}

static void give_all_back(struct worker *w)
{
    while (w->read_n > 0)
        do_unref(w);
    while (w->offered_n > 0) {
        while (w->held_n > 0)
            do_free(w);
        do_withdraw(w);
    }
    while (w->held_n > 0)
        do_free(w);
}

/* ---- threads --------------------------------------------------------------------------------------------------- */

static void *work_in_a_thread(void *arg)
{
    struct worker *w = arg;
    work(w);
    give_all_back(w);
    CHECK(dry_pool_cache(w->p, 0, NULL) == DRY_OK);
    return NULL;
}

static void set_up(struct bench_pool *b)
{
    struct dry_error err;
    uint64_t size = 0;
    if (!bench_pool_make(b, classes, 2, 0, &err)) fail_msg("%s", err.text);
    assert_int_equal(dry_pool_extent_size(further, 1, &size, NULL), DRY_OK);
    more = (struct dry_pool_memory){.length = size};
    more.base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(more.base != MAP_FAILED);
    assert_int_equal(dry_pool_quota(b->p[JUDGE], LIMITED, 5), DRY_OK);
}

static void tear_down(struct bench_pool *b)
{
    bench_pool_drop(b);
    munmap(more.base, more.length);
}

static void grow(struct bench_pool *b)
{
    uint32_t number = 0;
    assert_int_equal(dry_pool_extend(b->p[JUDGE], more, further, 1, &number, NULL), DRY_OK);
    assert_int_equal(dry_pool_attach(b->p[JUDGE], number, more, NULL), DRY_OK);
}

static void assert_all_there(struct bench_pool *b)
{
    struct dry_slot slots[SLOTS + 1];
    struct dry_error err;
    size_t got = 0;
    if (dry_pool_check(b->p[JUDGE], &err) != DRY_OK) fail_msg("%s", err.text);
    assert_int_equal(dry_pool_allocate_batch(b->p[JUDGE], 1, slots, SLOTS + 1, &got), DRY_OK);
    assert_int_equal(got, SLOTS);
}

static void threads_of_one_mapping_agree(void **state)
{
    (void)state;
    static struct board board;
    struct bench_pool b;
    pthread_t threads[WORKERS];
    static struct worker workers[WORKERS];
    set_up(&b);
    for (uint32_t i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.board = &board, .p = b.p[i + 1], .peer = i + 1, .random = 88172645463325 + i};
        workers[i].rounds = getenv("DRY_LONG") ? 5000000 : 40000;
        assert_int_equal(pthread_create(&threads[i], NULL, work_in_a_thread, &workers[i]), 0);
    }
    grow(&b);
    for (uint32_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    dry_pool_rebuild(b.p[JUDGE]); /* hints that were old when they were found */
    assert_all_there(&b);
    tear_down(&b);
}

/* ---- processes ------------------------------------------------------------------------------------------------- */

/* A handle of its own: the last one died with whoever had the number before. */
static void work_in_a_process(void *arg)
{
    struct worker *w = arg;
    alarm(0); /* the test ends it */
    CHECK(dry_pool_open(w->memory, w->peer, NULL, &w->p, NULL) == DRY_OK);
    if (dry_pool_missing_extent(w->p)) CHECK(dry_pool_attach(w->p, 1, more, NULL) == DRY_OK);
    CHECK(dry_pool_cache(w->p, (uint32_t)(next_random(w) % 12), NULL) == DRY_OK);
    work(w);
}

static bool is_running(void *self, unsigned peer)
{
    pid_t *pids = self;
    return pids[peer] > 0; /* alive as long as it has not been waited for */
}

/* Waits for some progress of `peer`, kills it there, and gives back what it held. */
static void kill_one(struct bench_pool *b, struct board *board, pid_t *pids, uint32_t peer, uint64_t after)
{
    uint64_t until = dry_load_relaxed_u64(&board->progress[peer]) + after;
    while (dry_load_relaxed_u64(&board->progress[peer]) < until)
        sched_yield();
    assert_int_equal(dry_pool_reclaim(b->p[JUDGE], peer, is_running, pids, NULL), DRY_DENIED);
    kill(pids[peer], SIGKILL);
    assert_int_equal(harness_end(pids[peer]), -SIGKILL);
    pids[peer] = 0;
    assert_int_equal(dry_pool_reclaim(b->p[JUDGE], peer, is_running, pids, NULL), DRY_OK);
}

static void processes_killed_at_random_cost_nobody_anything(void **state)
{
    (void)state;
    struct bench_pool b;
    struct worker judge = {.random = 0x9e3779b97f4a7c15}, w = {0};
    pid_t pids[WORKERS + 1] = {0};
    int64_t until_ns = dry_os_monotonic_ns() + INT64_C(120000000000);
    uint32_t kills = 0;
    set_up(&b);
    for (uint32_t peer = 1; peer <= WORKERS; peer++) {
        dry_pool_close(b.p[peer]);
        b.p[peer] = NULL;
    }
    struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(board != MAP_FAILED);
    while (getenv("DRY_LONG") ? dry_os_monotonic_ns() < until_ns : kills < 60) {
        for (uint32_t peer = 1; peer <= WORKERS; peer++) {
            if (pids[peer]) continue;
            w = (struct worker){.board = board, .memory = b.memory, .peer = peer, .random = next_random(&judge)};
            pids[peer] = harness_start(work_in_a_process, &w);
            assert_true(pids[peer] > 0);
        }
        kill_one(&b, board, pids, 1 + kills % WORKERS, next_random(&judge) % 2000);
        if (kills++ == 5) grow(&b);
    }
    for (uint32_t peer = 1; peer <= WORKERS; peer++)
        if (pids[peer]) kill_one(&b, board, pids, peer, 0);
    for (uint32_t peer = 1; peer <= WORKERS; peer++) /* what a neighbour was doing when this one was reclaimed */
        assert_int_equal(dry_pool_reclaim(b.p[JUDGE], peer, is_running, pids, NULL), DRY_OK);
    assert_all_there(&b);
    print_message("killed %u times\n", kills);
    munmap(board, sizeof *board);
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_of_one_mapping_agree),
        cmocka_unit_test(processes_killed_at_random_cost_nobody_anything),
    };
    return cmocka_run_group_tests_name("pool_storm", tests, NULL, NULL);
}

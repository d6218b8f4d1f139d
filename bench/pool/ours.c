/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The pool's rows, a line each: row, name, nanoseconds, separated by tabs. Payloads are never touched. A pair is one
 * allocate and its free; two threads each have a handle and a peer number of their own, and a cache, except in the
 * rows "shared". Compiled with link-time optimisation and inlined into each row, as the rivals are; "called" is not.
 */
#define _GNU_SOURCE
#include "../../pool/pool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define SLOT struct dry_slot
#include "ring.h"

#define ROW __attribute__((flatten, noinline)) /* what it calls is inlined, all the way down */

/* Each row 20 times: of one thread the least counts, of two the median. */
enum { SLOTS = 16384, BATCH = 1024, PAIRS = 200 * BATCH, CACHE = 2048, TIMES = 20 };

static struct dry_pool *handles[5]; /* 1 and 2 have a cache, 3 and 4 none and are one peer */
static uint32_t order[BATCH];
static struct ring the_ring;

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static __attribute__((noinline, cold)) void fail(enum dry_status status)
{
    fprintf(stderr, "bench: %s\n", dry_status_text(status));
    exit(1);
}

static inline void must(enum dry_status status)
{
    if (__builtin_expect(status != DRY_OK, 0)) fail(status);
}

static void say(const char *row, double ns)
{
    printf("%s\tdrystone\t%.2f\n", row, ns);
}

static ROW void *pairs(void *handle)
{
    for (int i = 0; i < PAIRS; i++) {
        struct dry_slot slot;
        must(dry_pool_allocate(handle, 64, &slot));
        must(dry_pool_free(handle, slot));
    }
    return NULL;
}

/* As a program with a shared library does it. */
static enum dry_status (*volatile call_allocate)(struct dry_pool *, uint64_t, struct dry_slot *) = dry_pool_allocate;
static enum dry_status (*volatile call_free)(struct dry_pool *, struct dry_slot) = dry_pool_free;

static void *pairs_called(void *handle)
{
    for (int i = 0; i < PAIRS; i++) {
        struct dry_slot slot;
        must(call_allocate(handle, 64, &slot));
        must(call_free(handle, slot));
    }
    return NULL;
}

/* One slot at a time, freed in random order, as the rivals' rows. */
static ROW void *singles(void *handle)
{
    static _Thread_local struct dry_slot slots[BATCH];
    for (int round = 0; round < PAIRS / BATCH; round++) {
        for (int i = 0; i < BATCH; i++)
            must(dry_pool_allocate(handle, 64, &slots[i]));
        for (int i = 0; i < BATCH; i++)
            must(dry_pool_free(handle, slots[order[i]]));
    }
    return NULL;
}

static ROW void *batches(void *handle)
{
    static _Thread_local struct dry_slot slots[BATCH], mixed[BATCH];
    for (int round = 0; round < PAIRS / BATCH; round++) {
        size_t got;
        must(dry_pool_allocate_batch(handle, 64, slots, BATCH, &got));
        for (size_t i = 0; i < got; i++)
            mixed[i] = slots[order[i]];
        must(dry_pool_free_batch(handle, mixed, got, &got));
    }
    return NULL;
}

static ROW void *put_nothing(void *handle)
{
    uint64_t seen = 0;
    (void)handle;
    for (uint64_t i = 0; i < PAIRS; i++)
        ring_put(&the_ring, i, &seen, (struct dry_slot){.generation = i});
    return NULL;
}

static ROW void *get_nothing(void *handle)
{
    uint64_t seen = 0;
    (void)handle;
    for (uint64_t i = 0; i < PAIRS; i++)
        if (ring_get(&the_ring, i, &seen).generation != i) exit(1);
    return NULL;
}

static ROW void *allocate_and_offer(void *handle)
{
    uint64_t seen = 0;
    for (uint64_t i = 0; i < PAIRS; i++) {
        struct dry_slot slot, offered;
        must(dry_pool_allocate(handle, 64, &slot));
        must(dry_pool_offer(handle, slot, 2, &offered));
        ring_put(&the_ring, i, &seen, offered);
    }
    return NULL;
}

static ROW void *accept_and_free(void *handle)
{
    uint64_t seen = 0;
    for (uint64_t i = 0; i < PAIRS; i++) {
        struct dry_slot slot;
        must(dry_pool_accept(handle, ring_get(&the_ring, i, &seen), &slot));
        must(dry_pool_free(handle, slot));
    }
    return NULL;
}

/* One peer, two threads with a handle each: what the rivals' rows do, which know no holder. */
static ROW void *allocate_only(void *handle)
{
    uint64_t seen = 0;
    for (uint64_t i = 0; i < PAIRS; i++) {
        struct dry_slot slot;
        must(dry_pool_allocate(handle, 64, &slot));
        ring_put(&the_ring, i, &seen, slot);
    }
    return NULL;
}

static ROW void *free_only(void *handle)
{
    uint64_t seen = 0;
    for (uint64_t i = 0; i < PAIRS; i++)
        must(dry_pool_free(handle, ring_get(&the_ring, i, &seen)));
    return NULL;
}

/* A handle with a cache is the thread's that says so. */
struct worker {
    void *(*work)(void *handle);
    struct dry_pool *handle;
    bool cached;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    if (w->cached) must(dry_pool_cache(w->handle, CACHE, NULL));
    return w->work(w->handle);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* `two` without work: alone. */
static void row(const char *name, struct worker one, struct worker two)
{
    double ns[TIMES];
    for (int i = 0; i < TIMES; i++) {
        pthread_t other;
        the_ring.put = the_ring.got = 0;
        double start = now_ns();
        if (two.work && pthread_create(&other, NULL, work, &two)) exit(1);
        work(&one);
        if (two.work) pthread_join(other, NULL);
        ns[i] = now_ns() - start;
    }
    qsort(ns, TIMES, sizeof *ns, compare);
    say(name, ns[two.work ? TIMES / 2 : 0] / PAIRS);
}

static bool nobody_is_alive(void *self, unsigned peer)
{
    (void)self;
    (void)peer;
    return false;
}

static void reclaim_10k(void)
{
    static struct dry_slot slots[10000];
    size_t got, n;
    must(dry_pool_allocate_batch(handles[3], 64, slots, 10000, &got));
    double start = now_ns();
    must(dry_pool_reclaim(handles[1], 3, nobody_is_alive, NULL, &n));
    if (n != got) exit(1);
    say("reclaim_10000", now_ns() - start);
}

int main(void)
{
    struct dry_pool_config config = {64, SLOTS};
    struct dry_pool_memory memory = {NULL, 4 << 20, 0};
    memory.base = mmap(NULL, memory.length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory.base == MAP_FAILED) return 1;
    must(dry_pool_init(memory, &config, 1, 0, NULL));
    for (unsigned i = 1; i <= 4; i++)
        must(dry_pool_open(memory, i < 4 ? i : 3, NULL, &handles[i], NULL));
    for (uint32_t i = 0; i < BATCH; i++)
        order[i] = i;
    srand(1);
    for (uint32_t i = BATCH - 1; i > 0; i--) {
        uint32_t j = (uint32_t)rand() % (i + 1), k = order[i];
        order[i] = order[j];
        order[j] = k;
    }
#define CACHED(act, i) ((struct worker){act, handles[i], true})
#define SHARED(act, i) ((struct worker){act, handles[i], false})
#define NOBODY ((struct worker){0})
    row("pair_1t", CACHED(pairs, 1), NOBODY);
    row("pair_called", CACHED(pairs_called, 1), NOBODY);
    row("pair_shared", SHARED(pairs, 3), NOBODY);
    row("pair_2t", CACHED(pairs, 1), CACHED(pairs, 2));
    row("pair_shared_2t", SHARED(pairs, 3), SHARED(pairs, 4));
    row("batch1024_1t", CACHED(singles, 1), NOBODY);
    row("batch1024_2t", CACHED(singles, 1), CACHED(singles, 2));
    row("call1024_1t", CACHED(batches, 1), NOBODY);
    row("call1024_shared", SHARED(batches, 3), NOBODY);
    row("call1024_2t", CACHED(batches, 1), CACHED(batches, 2));
    row("handoff", CACHED(allocate_and_offer, 1), CACHED(accept_and_free, 2));
    row("handoff_shared", SHARED(allocate_only, 3), SHARED(free_only, 4));
    row("ring_alone", SHARED(put_nothing, 3), SHARED(get_nothing, 4));
    reclaim_10k();
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The pool's rows, a line each: row, name, nanoseconds, separated by tabs. Payloads are never touched. A pair is one
 * allocate and its free; two threads each have a handle and a peer number of their own; the hand-over goes through a
 * ring of 64 places, which is in the figure.
 */
#define _GNU_SOURCE
#include "../../base/atomic.h"
#include "../../pool/pool.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { SLOTS = 16384, BATCH = 1024, RING = 64, PAIRS = 2000000 };

static struct dry_pool *handles[3];
static uint32_t order[BATCH];

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void must(enum dry_status status)
{
    if (status == DRY_OK) return;
    fprintf(stderr, "bench: %s\n", dry_status_text(status));
    exit(1);
}

static void say(const char *row, double ns) { printf("%s\tdrystone\t%.2f\n", row, ns); }

static void *pairs(void *handle)
{
    struct dry_slot slot;
    for (int i = 0; i < PAIRS; i++) {
        must(dry_pool_allocate(handle, 64, &slot));
        must(dry_pool_free(handle, slot));
    }
    return NULL;
}

/* One slot at a time, freed in random order, as the rivals' rows. */
static void *singles(void *handle)
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

static void *batches(void *handle)
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

static struct {
    _Alignas(64) struct dry_atomic_u64 put;
    _Alignas(64) struct dry_atomic_u64 got;
    _Alignas(64) struct dry_slot slots[RING];
} ring;

static void *take_and_free(void *handle)
{
    for (uint64_t i = 0; i < PAIRS / 4; i++) {
        while (dry_load_acquire_u64(&ring.put) == i) {
        }
        struct dry_slot slot = ring.slots[i % RING];
        dry_store_release_u64(&ring.got, i + 1);
        must(dry_pool_free(handle, slot));
    }
    return NULL;
}

static void *allocate_and_put(void *handle)
{
    for (uint64_t i = 0; i < PAIRS / 4; i++) {
        struct dry_slot slot, offered;
        must(dry_pool_allocate(handle, 64, &slot));
        must(dry_pool_offer(handle, slot, 2, &offered));
        while (i - dry_load_acquire_u64(&ring.got) == RING) {
        }
        ring.slots[i % RING] = offered;
        dry_store_release_u64(&ring.put, i + 1);
    }
    return NULL;
}

static void *take_accept_and_free(void *handle)
{
    for (uint64_t i = 0; i < PAIRS / 4; i++) {
        struct dry_slot slot;
        while (dry_load_acquire_u64(&ring.put) == i) {
        }
        struct dry_slot offered = ring.slots[i % RING];
        dry_store_release_u64(&ring.got, i + 1);
        must(dry_pool_accept(handle, offered, &slot));
        must(dry_pool_free(handle, slot));
    }
    return NULL;
}

/* One peer, two threads with a handle each: what the rivals' rows do, which know no holder. */
static void *allocate_only(void *handle)
{
    for (uint64_t i = 0; i < PAIRS / 4; i++) {
        struct dry_slot slot;
        must(dry_pool_allocate(handle, 64, &slot));
        while (i - dry_load_acquire_u64(&ring.got) == RING) {
        }
        ring.slots[i % RING] = slot;
        dry_store_release_u64(&ring.put, i + 1);
    }
    return NULL;
}

static void together(const char *row, double n, void *(*one)(void *), void *h1, void *(*two)(void *), void *h2)
{
    pthread_t other;
    ring.put.word = ring.got.word = 0;
    double start = now_ns();
    if (pthread_create(&other, NULL, two, h2)) exit(1);
    one(h1);
    pthread_join(other, NULL);
    say(row, (now_ns() - start) / n);
}

static void alone(const char *row, double n, void *(*one)(void *))
{
    double start = now_ns();
    one(handles[1]);
    say(row, (now_ns() - start) / n);
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
    must(dry_pool_allocate_batch(handles[2], 64, slots, 10000, &got));
    double start = now_ns();
    must(dry_pool_reclaim(handles[1], 2, nobody_is_alive, NULL, &n));
    if (n != got) exit(1);
    say("reclaim_10000", now_ns() - start);
}

int main(void)
{
    struct dry_pool_config config = {64, SLOTS};
    struct dry_pool_memory memory = {NULL, 4 << 20, 0};
    struct dry_pool *same;
    memory.base = mmap(NULL, memory.length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory.base == MAP_FAILED) return 1;
    must(dry_pool_init(memory, &config, 1, 0, NULL));
    must(dry_pool_open(memory, 1, NULL, &handles[1], NULL));
    must(dry_pool_open(memory, 2, NULL, &handles[2], NULL));
    must(dry_pool_open(memory, 1, NULL, &same, NULL));
    for (uint32_t i = 0; i < BATCH; i++)
        order[i] = i;
    srand(1);
    for (uint32_t i = BATCH - 1; i > 0; i--) {
        uint32_t j = (uint32_t)rand() % (i + 1), k = order[i];
        order[i] = order[j];
        order[j] = k;
    }
    pairs(handles[1]);
    alone("pair_1t", PAIRS, pairs);
    together("pair_2t", PAIRS, pairs, handles[1], pairs, handles[2]);
    alone("batch1024_1t", PAIRS, singles);
    together("batch1024_2t", PAIRS, singles, handles[1], singles, handles[2]);
    alone("call1024_1t", PAIRS, batches);
    together("call1024_2t", PAIRS, batches, handles[1], batches, handles[2]);
    together("handoff", PAIRS / 4, allocate_only, handles[1], take_and_free, same);
    together("handoff_offered", PAIRS / 4, allocate_and_put, handles[1], take_accept_and_free, handles[2]);
    reclaim_10k();
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A peer's cache, its seat, quotas and statistics. With killed peers: kill_test.c.
 */
#define _GNU_SOURCE
#include "peers.h"
#include "unit_testing.h"

#include <pthread.h>

static const struct dry_pool_config twenty[] = {{64, 20}};

static void begin_cache(struct dry_pool *p, uint32_t slots)
{
    struct dry_error err;
    if (dry_pool_cache(p, slots, &err) != DRY_OK) fail_msg("%s", err.text);
}

static struct dry_pool_class_stats stats(struct dry_pool *p)
{
    struct dry_pool_class_stats s;
    assert_int_equal(dry_pool_class_stats(p, 0, &s), DRY_OK);
    assert_int_equal(s.free + s.cached + s.held + s.offered + s.shared + s.retired, s.slots);
    return s;
}

static void give_back(struct dry_pool *p, struct dry_slot slot)
{
    assert_int_equal(dry_pool_free(p, slot), DRY_OK);
}

/* ---- what a cache does ----------------------------------------------------------------------------------------- */

/* rule: pool.cache, pool.cache-refill */
static void a_freed_slot_stays_with_its_peer(void **state)
{
    (void)state;
    struct bench_pool b;
    set_up(&b, twenty, 1, 0);
    begin_cache(b.p[1], 4);
    struct dry_slot slot = take(b.p[1], 10);
    assert_int_equal(slot.length, 10);
    assert_int_equal(stats(b.p[2]).held, 1);
    assert_int_equal(stats(b.p[2]).cached, 1); /* half of four came with it */
    give_back(b.p[1], slot);
    assert_int_equal(stats(b.p[2]).cached, 2);
    assert_int_equal(stats(b.p[2]).free, 18);
    assert_whole(&b);
    struct dry_slot again[2] = {take(b.p[1], 1), take(b.p[1], 1)};
    assert_int_equal(stats(b.p[2]).cached, 0);
    assert_true(again[0].index == slot.index || again[1].index == slot.index);
    give_back(b.p[1], again[0]);
    give_back(b.p[1], again[1]);
    assert_whole(&b);
    bench_pool_drop(&b);
}

/* rule: pool.free, pool.cache */
static void a_double_or_stale_free_is_refused_with_a_cache_too(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot out;
    void *bytes;
    set_up(&b, twenty, 1, 0);
    begin_cache(b.p[1], 1);
    struct dry_slot slot = take(b.p[1], 1), old = slot;
    assert_int_equal(dry_pool_free(b.p[2], slot), DRY_DENIED);
    give_back(b.p[1], slot);
    assert_int_equal(dry_pool_free(b.p[1], slot), DRY_STALE);
    assert_int_equal(dry_pool_free(b.p[2], slot), DRY_STALE);
    assert_int_equal(dry_pool_data_mut(b.p[1], slot, &bytes), DRY_STALE);
    assert_int_equal(dry_pool_offer(b.p[1], slot, 2, &out), DRY_STALE);
    assert_int_equal(dry_pool_share(b.p[1], slot, &out), DRY_STALE);
    old.generation++; /* as nobody has got it */
    assert_int_equal(dry_pool_free(b.p[1], old), DRY_STALE);
    slot = take(b.p[1], 1);
    assert_int_equal(slot.index, old.index);
    assert_int_equal(slot.generation, old.generation);
    old.generation += WORD_VERSION_MAX + 1;
    assert_int_equal(dry_pool_free(b.p[1], old), DRY_STALE);
    old.generation = slot.generation - 1;
    assert_int_equal(dry_pool_free(b.p[1], old), DRY_STALE);
    give_back(b.p[1], slot);
    assert_whole(&b);
    bench_pool_drop(&b);
}

/* rule: pool.cache-return */
static void a_cache_is_bounded_and_given_back_at_its_end(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot slots[20];
    size_t got, freed;
    set_up(&b, twenty, 1, 0);
    for (int closes = 0; closes < 2; closes++) {
        begin_cache(b.p[1], 6);
        assert_int_equal(dry_pool_allocate_batch(b.p[1], 1, slots, 20, &got), DRY_OK);
        assert_int_equal(got, 20);
        assert_int_equal(dry_pool_free_batch(b.p[1], slots, 20, &freed), DRY_OK);
        assert_int_equal(freed, 20);
        assert_in_range(stats(b.p[2]).cached, 3, 6);
        assert_whole(&b);
        assert_int_equal(count_free(b.p[2], 1), 20 - stats(b.p[2]).cached);
        if (closes == 0)
            begin_cache(b.p[1], 0);
        else
            dry_pool_close(b.p[1]);
        assert_int_equal(stats(b.p[2]).free, 20);
    }
    assert_int_equal(dry_pool_open(b.memory, 1, NULL, &b.p[1], NULL), DRY_OK);
    assert_whole(&b);
    bench_pool_drop(&b);
}

/* rule: pool.cache-return */
static void who_finds_nothing_gets_what_lies_in_caches(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot slots[20], slot;
    size_t got;
    set_up(&b, twenty, 1, 0);
    for (int frees = 0; frees < 2; frees++) {
        begin_cache(b.p[1], 8);
        struct dry_slot held = take(b.p[1], 1);
        assert_int_equal(stats(b.p[2]).cached, 3);
        assert_int_equal(dry_pool_allocate_batch(b.p[2], 1, slots, 20, &got), DRY_OK);
        assert_int_equal(got, 16);
        assert_int_equal(dry_pool_allocate(b.p[2], 1, &slot), DRY_FULL);
        if (frees) {
            give_back(b.p[1], held);
        } else {
            struct dry_slot another;
            size_t one;
            assert_int_equal(dry_pool_allocate_batch(b.p[1], 1, &another, 1, &one), DRY_OK);
            assert_int_equal(stats(b.p[2]).cached, 0);
            give_back(b.p[1], another); /* nobody has asked since, so this stays */
            assert_int_equal(stats(b.p[2]).cached, 1);
            give_back(b.p[1], held);
        }
        while (dry_pool_allocate(b.p[2], 1, &slots[got]) == DRY_OK)
            got++;
        begin_cache(b.p[1], 0);
        assert_int_equal(got + count_free(b.p[3], 1), 20);
        for (size_t i = 0; i < got; i++)
            give_back(b.p[2], slots[i]);
        assert_whole(&b);
    }
    bench_pool_drop(&b);
}

struct waiter {
    struct dry_pool *p;
    enum dry_status status;
};

static void *wait_for_a_slot(void *arg)
{
    struct waiter *w = arg;
    struct dry_slot slot;
    w->status = dry_pool_allocate_wait(w->p, 1, -1, &slot);
    return NULL;
}

/* rule: pool.wait, pool.cache-return */
static void a_waiter_gets_what_a_peer_with_a_cache_frees(void **state)
{
    (void)state;
    const struct dry_pool_config one = {64, 1};
    struct bench_pool b;
    pthread_t other;
    set_up(&b, &one, 1, 0);
    begin_cache(b.p[1], 4);
    struct dry_slot slot = take(b.p[1], 1);
    struct waiter w = {b.p[2], DRY_FULL};
    uint32_t before = b.p[1]->wanted_seen;
    assert_int_equal(pthread_create(&other, NULL, wait_for_a_slot, &w), 0);
    /* It looks twice before it sleeps; what it finds nothing the second time is after the flag. */
    while (dry_load_acquire_u32(&b.p[1]->head->header.wanted) < before + 2) {
    }
    struct dry_slot none;
    size_t got;
    assert_int_equal(dry_pool_allocate_batch(b.p[1], 1, &none, 1, &got), DRY_FULL); /* gives back, but has nothing */
    give_back(b.p[1], slot);                                                        /* its last call */
    pthread_join(other, NULL);
    assert_int_equal(w.status, DRY_OK);
    assert_whole(&b);
    bench_pool_drop(&b);
}

static void a_peer_with_a_cache_may_have_every_slot(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot slot;
    set_up(&b, two_classes, 2, 0);
    begin_cache(b.p[1], 50);
    for (int i = 0; i < 73; i++)
        take(b.p[1], 1);
    assert_int_equal(dry_pool_allocate(b.p[1], 1, &slot), DRY_FULL);
    assert_int_equal(dry_pool_allocate(b.p[1], 129, &slot), DRY_FULL);
    assert_int_equal(dry_pool_allocate(b.p[1], 1025, &slot), DRY_TOO_BIG);
    assert_int_equal(dry_pool_allocate(b.p[1], UINT64_MAX, &slot), DRY_TOO_BIG);
    assert_int_equal(stats(b.p[1]).full, 1);
    assert_whole(&b);
    bench_pool_drop(&b);
}

/* rule: pool.clear */
static void a_cache_is_cleared_too(void **state)
{
    (void)state;
    struct bench_pool b;
    void *bytes;
    set_up(&b, twenty, 1, DRY_POOL_CLEAR);
    begin_cache(b.p[1], 1);
    struct dry_slot slot = take(b.p[1], 64);
    assert_int_equal(dry_pool_data_mut(b.p[1], slot, &bytes), DRY_OK);
    memset(bytes, 'x', 64);
    give_back(b.p[1], slot);
    slot = take(b.p[1], 64);
    assert_int_equal(dry_pool_data_mut(b.p[1], slot, &bytes), DRY_OK);
    assert_int_equal(*(uint8_t *)bytes, 0);
    bench_pool_drop(&b);
}

/* rule: pool.cache. What another peer wrote over a cached slot's word makes it no slot of this cache. */
static void a_list_is_never_believed(void **state)
{
    (void)state;
    struct bench_pool b;
    set_up(&b, twenty, 1, 0);
    begin_cache(b.p[1], 8);
    struct dry_slot slot = take(b.p[1], 1);
    struct pool_class *c = &b.p[1]->classes[0];
    for (uint32_t i = 0; i < c->cached_n; i++)
        c->cells[c->cached[i]].word.word = word_make(7, 2, POOL_HELD);
    size_t lost = c->cached_n;
    struct dry_slot slots[20];
    size_t got;
    assert_int_equal(dry_pool_allocate_batch(b.p[1], 1, slots, 20, &got), DRY_OK);
    assert_int_equal(got, 19 - lost);
    for (size_t i = 0; i < got; i++)
        assert_int_not_equal(slots[i].index, slot.index);
    bench_pool_drop(&b);
}

/* rule: pool.generation */
static void a_slot_with_half_its_versions_used_is_for_no_cache(void **state)
{
    (void)state;
    const struct dry_pool_config one = {64, 1};
    struct bench_pool b;
    set_up(&b, &one, 1, 0);
    struct pool_cell *cell = pool_place(b.p[1], 0, 0).cell;
    cell->word.word = word_make(UINT64_C(1) << 53, 0, POOL_FREE);
    begin_cache(b.p[1], 4);
    struct dry_slot slot = take(b.p[1], 1);
    give_back(b.p[1], slot);
    assert_true(word_is_free(cell->word.word));
    assert_whole(&b);
    give_back(b.p[2], take(b.p[2], 1));
    bench_pool_drop(&b);
}

/* ---- alone ----------------------------------------------------------------------------------------------------- */

/* rule: pool.seat */
static void a_cache_wants_its_number_alone(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_pool *other = NULL;
    struct dry_error err;
    set_up(&b, twenty, 1, 0);
    assert_int_equal(dry_pool_open(b.memory, 1, NULL, &other, &err), DRY_OK);
    assert_int_equal(dry_pool_cache(b.p[1], 4, &err), DRY_EXISTS);
    assert_non_null(strstr(err.text, "2 handles"));
    dry_pool_close(other);
    other = NULL;
    begin_cache(b.p[1], 4);
    begin_cache(b.p[1], 5);
    assert_int_equal(dry_pool_open(b.memory, 1, NULL, &other, &err), DRY_EXISTS);
    assert_null(other);
    assert_int_equal(dry_pool_cache(b.p[1], DRY_POOL_CACHE_MAX + 1, &err), DRY_INVALID);
    assert_whole(&b);
    assert_int_equal(dry_pool_reclaim(b.p[2], 1, nobody_is_alive, NULL, NULL), DRY_OK);
    assert_int_equal(dry_pool_open(b.memory, 1, NULL, &other, &err), DRY_OK);
    assert_whole(&b);
    dry_pool_close(b.p[1]); /* the dead one's */
    b.p[1] = other;
    bench_pool_drop(&b);
}

struct stranger {
    struct dry_pool *p;
    struct dry_slot slot;
};

static void *be_a_stranger(void *arg)
{
    struct stranger *s = arg;
    struct dry_slot out;
    size_t n;
    assert_int_equal(dry_pool_allocate(s->p, 1, &out), DRY_DENIED);
    assert_int_equal(dry_pool_allocate_wait(s->p, 1, -1, &out), DRY_DENIED);
    assert_int_equal(dry_pool_allocate_batch(s->p, 1, &out, 1, &n), DRY_DENIED);
    assert_int_equal(dry_pool_free(s->p, s->slot), DRY_DENIED);
    assert_int_equal(dry_pool_free_batch(s->p, &s->slot, 1, &n), DRY_DENIED);
    assert_int_equal(dry_pool_offer(s->p, s->slot, 2, &out), DRY_DENIED);
    assert_int_equal(dry_pool_accept(s->p, s->slot, &out), DRY_DENIED);
    assert_int_equal(dry_pool_withdraw(s->p, s->slot, &out), DRY_DENIED);
    assert_int_equal(dry_pool_share(s->p, s->slot, &out), DRY_DENIED);
    assert_int_equal(dry_pool_ref(s->p, s->slot), DRY_DENIED);
    assert_int_equal(dry_pool_unref(s->p, s->slot), DRY_DENIED);
    return NULL;
}

static void *take_over(void *arg)
{
    struct stranger *s = arg;
    assert_int_equal(dry_pool_cache(s->p, 4, NULL), DRY_OK);
    assert_int_equal(dry_pool_free(s->p, s->slot), DRY_OK);
    return NULL;
}

/* rule: pool.seat. So of two threads that free the same, one wins: the one that has the cache. */
static void a_handle_with_a_cache_is_one_threads(void **state)
{
    (void)state;
    struct bench_pool b;
    pthread_t other;
    set_up(&b, twenty, 1, 0);
    begin_cache(b.p[1], 4);
    struct stranger s = {b.p[1], take(b.p[1], 1)};
    assert_int_equal(pthread_create(&other, NULL, be_a_stranger, &s), 0);
    pthread_join(other, NULL);
    assert_int_equal(stats(b.p[2]).held, 1);
    assert_int_equal(pthread_create(&other, NULL, take_over, &s), 0);
    pthread_join(other, NULL);
    assert_int_equal(dry_pool_free(b.p[1], s.slot), DRY_DENIED);
    begin_cache(b.p[1], 0); /* the thread has ended, its cache has not */
    assert_int_equal(stats(b.p[2]).free, 20);
    assert_whole(&b);
    bench_pool_drop(&b);
}

/* rule: pool.give, pool.accept, pool.ref */
static void slots_change_hands_between_peers_with_caches(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot offered, own, shared;
    set_up(&b, twenty, 1, 0);
    begin_cache(b.p[1], 4);
    begin_cache(b.p[2], 4);
    assert_int_equal(dry_pool_offer(b.p[1], take(b.p[1], 1), 2, &offered), DRY_OK);
    assert_int_equal(dry_pool_accept(b.p[2], offered, &own), DRY_OK);
    assert_int_equal(dry_pool_free(b.p[1], own), DRY_DENIED);
    assert_whole(&b);
    give_back(b.p[2], own);
    assert_int_equal(dry_pool_offer(b.p[1], take(b.p[1], 1), 2, &offered), DRY_OK);
    assert_int_equal(dry_pool_withdraw(b.p[1], offered, &own), DRY_OK);
    assert_int_equal(dry_pool_share(b.p[1], own, &shared), DRY_OK);
    assert_int_equal(dry_pool_ref(b.p[2], shared), DRY_OK);
    assert_int_equal(dry_pool_unref(b.p[1], shared), DRY_OK);
    assert_int_equal(dry_pool_unref(b.p[2], shared), DRY_OK);
    assert_whole(&b);
    bench_pool_drop(&b);
}

/* rule: pool.crash-recovery */
static void the_cache_of_the_dead_is_everybodys(void **state)
{
    (void)state;
    struct bench_pool b;
    size_t n;
    set_up(&b, twenty, 1, 0);
    begin_cache(b.p[1], 8);
    take(b.p[1], 1);
    assert_int_equal(count_free(b.p[2], 1), 16);
    assert_int_equal(dry_pool_reclaim(b.p[2], 1, nobody_is_alive, NULL, &n), DRY_OK);
    assert_int_equal(n, 1);
    assert_whole(&b);
    assert_int_equal(count_free(b.p[2], 1), 20);
    bench_pool_drop(&b);
}

/* ---- quota and statistics -------------------------------------------------------------------------------------- */

/* rule: pool.quota */
static void a_quota_is_never_exceeded(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot slots[20], own;
    struct dry_pool_peer_stats s;
    for (uint32_t cache = 0; cache <= 6; cache += 3) {
        size_t got = 0;
        set_up(&b, twenty, 1, 0);
        begin_cache(b.p[1], cache);
        assert_int_equal(dry_pool_quota(b.p[2], 1, 5), DRY_OK);
        struct dry_slot first = take(b.p[1], 1);
        assert_int_equal(dry_pool_allocate_batch(b.p[1], 1, slots, 20, &got), DRY_OK);
        assert_int_equal(got, 4);
        assert_int_equal(dry_pool_allocate(b.p[1], 1, &own), DRY_DENIED);
        assert_int_equal(dry_pool_allocate_wait(b.p[1], 1, -1, &own), DRY_DENIED);
        assert_int_equal(dry_pool_offer(b.p[2], take(b.p[2], 1), 1, &slots[5]), DRY_OK);
        assert_int_equal(dry_pool_accept(b.p[1], slots[5], &own), DRY_DENIED);
        assert_int_equal(dry_pool_peer_stats(b.p[2], 1, &s), DRY_OK);
        assert_int_equal(s.held, 5);
        assert_int_equal(s.quota, 5);
        assert_int_equal(s.refused, 3);
        assert_int_equal(dry_pool_offer(b.p[1], first, 2, &slots[6]), DRY_OK); /* one fewer */
        assert_int_equal(dry_pool_accept(b.p[1], slots[5], &own), DRY_OK);
        assert_int_equal(dry_pool_withdraw(b.p[1], slots[6], &first), DRY_OK); /* which it may always */
        assert_whole(&b);
        give_back(b.p[1], first);
        give_back(b.p[1], own);
        assert_int_equal(dry_pool_quota(b.p[2], 1, 0), DRY_OK);
        assert_int_equal(dry_pool_allocate_batch(b.p[1], 1, slots + 4, 16, &got), DRY_OK);
        assert_int_equal(got, 16);
        assert_whole(&b);
        bench_pool_drop(&b);
    }
    set_up(&b, twenty, 1, 0);
    assert_int_equal(dry_pool_quota(b.p[1], 0, 1), DRY_INVALID);
    assert_int_equal(dry_pool_quota(b.p[1], 256, 1), DRY_INVALID);
    bench_pool_drop(&b);
}

static void statistics_say_what_is_where(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot out;
    struct dry_pool_peer_stats s = {.held = 77};
    struct dry_pool_class_stats c = {.slots = 77};
    set_up(&b, twenty, 1, 0);
    begin_cache(b.p[1], 4);
    take(b.p[1], 1);
    assert_int_equal(dry_pool_offer(b.p[1], take(b.p[1], 1), 2, &out), DRY_OK);
    assert_int_equal(dry_pool_share(b.p[1], take(b.p[1], 1), &out), DRY_OK);
    assert_int_equal(dry_pool_peer_stats(b.p[2], 1, &s), DRY_OK);
    assert_int_equal(s.held, 1);
    assert_int_equal(s.cached, 1);
    assert_int_equal(s.offered, 1);
    assert_int_equal(s.reading, 1);
    assert_int_equal(s.quota + s.refused, 0);
    pool_place(b.p[1], 0, 19).cell->word.word = word_make(WORD_VERSION_CLAIM_LAST, 0, POOL_FREE);
    assert_int_equal(stats(b.p[2]).retired, 1);
    assert_int_equal(stats(b.p[2]).offered, 1);
    assert_int_equal(stats(b.p[2]).shared, 1);
    assert_int_equal(dry_pool_class_stats(b.p[2], 1, &c), DRY_INVALID);
    assert_int_equal(dry_pool_peer_stats(b.p[2], 0, &s), DRY_INVALID);
    assert_int_equal(dry_pool_peer_stats(b.p[2], 256, &s), DRY_INVALID);
    assert_int_equal(c.slots, 77);
    bench_pool_drop(&b);
}

/* rule: pool.invariants */
static void check_finds_wrong_counts_and_seats(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_error err;
    set_up(&b, twenty, 1, 0);
    struct pool_peer_row *row = &b.p[1]->head->peers[7];
    row->held.word = 1;
    assert_int_equal(dry_pool_check(b.p[1], &err), DRY_CORRUPT);
    assert_non_null(strstr(err.text, "peer 7"));
    row->held.word = 0;
    row->seat.word = SEAT_ALONE | 2;
    assert_int_equal(dry_pool_check(b.p[1], &err), DRY_CORRUPT);
    row->seat.word = 0;
    assert_whole(&b);
    bench_pool_drop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_freed_slot_stays_with_its_peer),
        cmocka_unit_test(a_double_or_stale_free_is_refused_with_a_cache_too),
        cmocka_unit_test(a_cache_is_bounded_and_given_back_at_its_end),
        cmocka_unit_test(who_finds_nothing_gets_what_lies_in_caches),
        cmocka_unit_test(a_waiter_gets_what_a_peer_with_a_cache_frees),
        cmocka_unit_test(a_peer_with_a_cache_may_have_every_slot),
        cmocka_unit_test(a_cache_is_cleared_too),
        cmocka_unit_test(a_list_is_never_believed),
        cmocka_unit_test(a_slot_with_half_its_versions_used_is_for_no_cache),
        cmocka_unit_test(a_cache_wants_its_number_alone),
        cmocka_unit_test(a_handle_with_a_cache_is_one_threads),
        cmocka_unit_test(slots_change_hands_between_peers_with_caches),
        cmocka_unit_test(the_cache_of_the_dead_is_everybodys),
        cmocka_unit_test(a_quota_is_never_exceeded),
        cmocka_unit_test(statistics_say_what_is_where),
        cmocka_unit_test(check_finds_wrong_counts_and_seats),
    };
    return cmocka_run_group_tests_name("pool_cache", tests, NULL, NULL);
}

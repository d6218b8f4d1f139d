/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Growth while peers are attached. With killed peers: kill_test.c.
 */
#define _GNU_SOURCE
#include "unit_testing.h"
#include "../base/os.h"

#include <errno.h>
#include <pthread.h>

static const struct dry_pool_config small[] = {{64, 3}};
static const struct dry_pool_config further[] = {{256, 2}, {64, 70}};

/* Memory for an extent of those classes. */
static struct dry_pool_memory more(const struct dry_pool_config *configs, size_t n)
{
    uint64_t size = 0;
    assert_int_equal(dry_pool_extent_size(configs, n, &size, NULL), DRY_OK);
    struct dry_pool_memory m = {.length = size};
    m.base = mmap(NULL, m.length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(m.base != MAP_FAILED);
    return m;
}

static uint32_t extend(struct dry_pool *p, struct dry_pool_memory m, const struct dry_pool_config *configs, size_t n)
{
    struct dry_error err;
    uint32_t number = 0;
    if (dry_pool_extend(p, m, configs, n, &number, &err) != DRY_OK) fail_msg("%s", err.text);
    return number;
}

/* rule: pool.extent, pool.attach */
static void a_pool_grows_while_peers_hold_slots(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot out;
    void *bytes;
    set_up(&b, small, 1, 0);
    struct dry_slot held[3] = {take(b.p[1], 1), take(b.p[2], 1), take(b.p[2], 1)};
    assert_int_equal(dry_pool_allocate(b.p[1], 1, &out), DRY_FULL);
    struct dry_pool_memory m = more(further, 2);
    assert_int_equal(dry_pool_missing_extent(b.p[2]), 0);
    assert_int_equal(extend(b.p[1], m, further, 2), 1);
    for (unsigned peer = 1; peer <= 4; peer++) {
        assert_int_equal(dry_pool_missing_extent(b.p[peer]), 1);
        assert_int_equal(dry_pool_allocate(b.p[peer], 1, &out), DRY_FULL);
        assert_int_equal(dry_pool_attach(b.p[peer], 1, m, NULL), DRY_OK);
        assert_int_equal(dry_pool_missing_extent(b.p[peer]), 0);
    }
    struct dry_slot slot = take(b.p[1], 10), large = take(b.p[1], 65);
    assert_int_equal(slot.class_index, 65); /* the smallest that fits, over all extents */
    assert_int_equal(large.class_index, 64);
    assert_int_equal(dry_pool_data_mut(b.p[1], slot, &bytes), DRY_OK);
    assert_in_range((uintptr_t)bytes, (uintptr_t)m.base, (uintptr_t)m.base + m.length - 64);
    assert_int_equal(dry_pool_class_count(b.p[1]), 66);
    assert_int_equal(dry_pool_slot_size(b.p[1], 1), 0);
    assert_int_equal(dry_pool_slot_size(b.p[1], 64), 256);
    assert_int_equal(dry_pool_slot_count(b.p[1], 65), 70);
    assert_int_equal(dry_pool_offer(b.p[1], slot, 2, &out), DRY_OK);
    assert_int_equal(dry_pool_accept(b.p[2], out, &slot), DRY_OK);
    assert_int_equal(dry_pool_free(b.p[2], slot), DRY_OK);
    slot.class_index = 1; /* in the gap */
    assert_int_equal(dry_pool_free(b.p[2], slot), DRY_INVALID);
    assert_whole(&b);
    assert_int_equal(dry_pool_free(b.p[1], held[0]), DRY_OK);
    assert_int_equal(dry_pool_free(b.p[2], held[1]), DRY_OK);
    assert_int_equal(dry_pool_free(b.p[2], held[2]), DRY_OK);
    assert_int_equal(count_free(b.p[3], 1), 3 + 70 + 2 - 1);
    bench_pool_drop(&b);
    munmap(m.base, m.length);
}

/* rule: pool.bounds */
static void a_slot_of_an_extent_that_is_not_attached_is_none(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot out;
    set_up(&b, small, 1, 0);
    struct dry_pool_memory m = more(further, 2);
    extend(b.p[1], m, further, 2);
    assert_int_equal(dry_pool_attach(b.p[1], 1, m, NULL), DRY_OK);
    struct dry_slot slot = take(b.p[1], 200);
    assert_int_equal(dry_pool_offer(b.p[1], slot, 2, &slot), DRY_OK);
    assert_int_equal(dry_pool_accept(b.p[2], slot, &out), DRY_INVALID);
    assert_int_equal(dry_pool_attach(b.p[2], 1, m, NULL), DRY_OK);
    assert_int_equal(dry_pool_accept(b.p[2], slot, &out), DRY_OK);
    bench_pool_drop(&b);
    munmap(m.base, m.length);
}

/* rule: pool.attach */
static void attach_refuses_what_is_not_that_extent(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_error err;
    struct dry_pool *p = NULL;
    set_up(&b, small, 1, 0);
    struct dry_pool_memory one = more(further, 2), two = more(further, 2), shorter;
    assert_int_equal(dry_pool_attach(b.p[1], 1, one, &err), DRY_NOT_FOUND);
    extend(b.p[1], one, further, 2);
    assert_int_equal(extend(b.p[1], two, further, 2), 2);
    assert_int_equal(dry_pool_attach(b.p[1], 0, one, &err), DRY_INVALID);
    assert_int_equal(dry_pool_attach(b.p[1], DRY_POOL_EXTENTS_MAX, one, &err), DRY_INVALID);
    assert_int_equal(dry_pool_attach(b.p[1], 2, one, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "number 1"));
    assert_int_equal(dry_pool_attach(b.p[1], 1, b.memory, &err), DRY_NOT_FOUND);
    assert_non_null(strstr(err.text, "not an extent"));
    assert_int_equal(dry_pool_open(one, 5, NULL, &p, &err), DRY_TOO_BIG); /* shorter than a pool's head */
    shorter = one;
    shorter.length -= 64;
    assert_int_equal(dry_pool_attach(b.p[1], 1, shorter, &err), DRY_TOO_BIG);
    shorter.offset = 32;
    assert_int_equal(dry_pool_attach(b.p[1], 1, shorter, &err), DRY_INVALID);
    ((uint8_t *)one.base)[128 + 8] ^= 64; /* where its first class has its hints */
    assert_int_equal(dry_pool_attach(b.p[1], 1, one, &err), DRY_CORRUPT);
    ((uint8_t *)one.base)[128 + 8] ^= 64;
    assert_int_equal(dry_pool_attach(b.p[1], 1, one, &err), DRY_OK);
    assert_int_equal(dry_pool_attach(b.p[1], 1, one, &err), DRY_EXISTS);
    assert_int_equal(dry_pool_class_count(b.p[1]), 66);
    bench_pool_drop(&b);
    munmap(one.base, one.length);
    munmap(two.base, two.length);
}

static int no_random(const char *call)
{
    return strcmp(call, "random") == 0 ? EIO : 0;
}

/* rule: pool.extent */
static void a_refused_extent_takes_no_number(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_error err;
    uint32_t number = 77;
    const struct dry_pool_config none = {64, 0};
    set_up(&b, small, 1, 0);
    struct dry_pool_memory m = more(further, 2), shorter = m;
    shorter.length -= 64;
    assert_int_equal(dry_pool_extend(b.p[1], m, &none, 1, &number, &err), DRY_INVALID);
    assert_int_equal(dry_pool_extend(b.p[1], shorter, further, 2, &number, &err), DRY_FULL);
    assert_int_equal(dry_pool_extend(b.p[1], b.memory, further, 2, &number, &err), DRY_EXISTS);
    dry_os_fault = no_random;
    assert_int_equal(dry_pool_extend(b.p[1], m, further, 2, &number, &err), DRY_IO);
    dry_os_fault = NULL;
    assert_int_equal(number, 77);
    for (uint32_t k = 1; k < DRY_POOL_EXTENTS_MAX; k++) {
        memset(m.base, 0, m.length);
        assert_int_equal(extend(b.p[1], m, further, 2), k);
    }
    memset(m.base, 0, m.length);
    assert_int_equal(dry_pool_extend(b.p[1], m, further, 2, &number, &err), DRY_FULL);
    assert_non_null(strstr(err.text, "15 extents"));
    bench_pool_drop(&b);
    munmap(m.base, m.length);
}

/* rule: pool.crash-recovery. What the dead have in an extent is not overlooked. */
static void reclaim_wants_all_extents(void **state)
{
    (void)state;
    struct bench_pool b;
    size_t n = 77;
    set_up(&b, small, 1, 0);
    struct dry_pool_memory m = more(further, 2);
    extend(b.p[1], m, further, 2);
    assert_int_equal(dry_pool_attach(b.p[1], 1, m, NULL), DRY_OK);
    take(b.p[1], 200);
    take(b.p[1], 60);
    assert_int_equal(dry_pool_reclaim(b.p[2], 1, nobody_is_alive, NULL, &n), DRY_NOT_FOUND);
    assert_int_equal(n, 77);
    assert_int_equal(dry_pool_attach(b.p[2], 1, m, NULL), DRY_OK);
    assert_int_equal(dry_pool_reclaim(b.p[2], 1, nobody_is_alive, NULL, &n), DRY_OK);
    assert_int_equal(n, 2);
    assert_whole(&b);
    assert_int_equal(count_free(b.p[2], 1), 75);
    bench_pool_drop(&b);
    munmap(m.base, m.length);
}

static void a_cache_covers_extents(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_pool_class_stats s;
    set_up(&b, small, 1, 0);
    struct dry_pool_memory m = more(further, 2);
    assert_int_equal(dry_pool_cache(b.p[1], 6, NULL), DRY_OK);
    assert_int_equal(dry_pool_free(b.p[1], take(b.p[1], 1)), DRY_OK);
    extend(b.p[2], m, further, 2);
    assert_int_equal(dry_pool_attach(b.p[1], 1, m, NULL), DRY_OK);
    assert_int_equal(dry_pool_class_stats(b.p[1], 0, &s), DRY_OK);
    assert_int_equal(s.cached, 0); /* given back meanwhile */
    for (int i = 0; i < 3; i++)
        take(b.p[1], 1);
    struct dry_slot slot = take(b.p[1], 1);
    assert_int_equal(slot.class_index, 65);
    assert_int_equal(dry_pool_class_stats(b.p[1], 65, &s), DRY_OK);
    assert_int_equal(s.cached, 2);
    assert_int_equal(dry_pool_free(b.p[1], slot), DRY_OK);
    assert_int_equal(dry_pool_attach(b.p[2], 1, m, NULL), DRY_OK);
    assert_int_equal(dry_pool_check(b.p[2], NULL), DRY_OK);
    bench_pool_drop(&b);
    munmap(m.base, m.length);
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

/* rule: pool.wait */
static void who_waits_is_told_of_an_extent(void **state)
{
    (void)state;
    struct bench_pool b;
    pthread_t other;
    set_up(&b, small, 1, 0);
    for (int i = 0; i < 3; i++)
        take(b.p[1], 1);
    struct waiter w = {b.p[2], DRY_OK};
    assert_int_equal(pthread_create(&other, NULL, wait_for_a_slot, &w), 0);
    while (dry_load_acquire_u32(&b.p[1]->head->header.waiting) == 0) {
    }
    struct dry_pool_memory m = more(further, 2);
    extend(b.p[1], m, further, 2);
    pthread_join(other, NULL);
    assert_int_equal(w.status, DRY_FULL);
    bench_pool_drop(&b);
    munmap(m.base, m.length);
}

struct grower {
    struct dry_pool *p;
    struct dry_pool_memory memory;
    pthread_barrier_t *start;
    uint32_t number;
};

static void *grow(void *arg)
{
    struct grower *g = arg;
    pthread_barrier_wait(g->start);
    g->number = extend(g->p, g->memory, small, 1);
    return NULL;
}

/* rule: pool.extent */
static void two_who_extend_at_once_get_numbers_of_their_own(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct bench_pool b;
        pthread_t other;
        pthread_barrier_t start;
        set_up(&b, small, 1, 0);
        assert_int_equal(pthread_barrier_init(&start, NULL, 2), 0);
        struct grower g[2] = {{b.p[1], more(small, 1), &start, 0}, {b.p[2], more(small, 1), &start, 0}};
        assert_int_equal(pthread_create(&other, NULL, grow, &g[1]), 0);
        grow(&g[0]);
        pthread_join(other, NULL);
        assert_int_equal(g[0].number + g[1].number, 3);
        for (int i = 0; i < 2; i++)
            assert_int_equal(dry_pool_attach(b.p[3], g[i].number, g[i].memory, NULL), DRY_OK);
        assert_int_equal(count_free(b.p[3], 1), 9);
        pthread_barrier_destroy(&start);
        bench_pool_drop(&b);
        for (int i = 0; i < 2; i++)
            munmap(g[i].memory.base, g[i].memory.length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_grows_while_peers_hold_slots),
        cmocka_unit_test(a_slot_of_an_extent_that_is_not_attached_is_none),
        cmocka_unit_test(attach_refuses_what_is_not_that_extent),
        cmocka_unit_test(a_refused_extent_takes_no_number),
        cmocka_unit_test(reclaim_wants_all_extents),
        cmocka_unit_test(a_cache_covers_extents),
        cmocka_unit_test(who_waits_is_told_of_an_extent),
        cmocka_unit_test(two_who_extend_at_once_get_numbers_of_their_own),
    };
    return cmocka_run_group_tests_name("pool_extents", tests, NULL, NULL);
}

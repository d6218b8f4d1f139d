/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "storage.h"
#include "count.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Has `left` more answers, and knows how much is out. */
struct ledger {
    int left;
    size_t out_bytes;
};

static void *ledger_allocate(void *self, size_t size, size_t align)
{
    struct ledger *l = self;
    void *block;
    if (l->left-- <= 0 || posix_memalign(&block, align < sizeof(void *) ? sizeof(void *) : align, size)) return NULL;
    memset(block, 0xa5, size);
    l->out_bytes += size;
    return block;
}

static void ledger_release(void *self, void *block, size_t size, size_t align)
{
    struct ledger *l = self;
    (void)align;
    l->out_bytes -= size;
    free(block);
}

static struct dry_allocator allocator_of(struct ledger *l)
{
    return (struct dry_allocator){.allocate = ledger_allocate, .release = ledger_release, .self = l};
}

static void count_release(void *owner) { ++*(int *)owner; }

/* ---- storage ---- */
static void own_heap_is_one_allocation_aligned_and_padded_with_zeros(void **state)
{
    static const size_t sizes[] = {1, 63, 64, 65, 1000, 4096, 100001};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct ledger l = {.left = 1};
        struct dry_allocator a = allocator_of(&l);
        struct dry_storage *s;
        size_t n = sizes[i], padded = (n + 63) / 64 * 64;
        assert_int_equal(dry_storage_new(n, &a, &s), DRY_OK);
        assert_int_equal(dry_storage_len(s), n);
        assert_int_equal((uintptr_t)dry_storage_data(s) % DRY_ALIGN, 0);
        for (size_t k = n; k < padded; k++) assert_int_equal(((const uint8_t *)dry_storage_data(s))[k], 0);
        memset(dry_storage_try_mut(s), 1, n);
        assert_int_equal(dry_storage_refcount(s), 1);
        dry_storage_unref(s);
        assert_int_equal(l.out_bytes, 0);
    }
}

static void sizes_beyond_memory_are_refused(void **state)
{
    struct dry_storage *s = NULL;
    (void)state;
    assert_int_equal(dry_storage_new(SIZE_MAX, NULL, &s), DRY_TOO_BIG);
    assert_int_equal(dry_storage_new(SIZE_MAX - 63, NULL, &s), DRY_TOO_BIG);
    assert_null(s);
}

static void adopted_bytes_are_released_once_by_the_last_holder(void **state)
{
    static const char bytes[] = "abc";
    int released = 0;
    struct dry_storage *s;
    (void)state;
    assert_int_equal(dry_storage_adopt(bytes, 3, &released, count_release, NULL, &s), DRY_OK);
    assert_ptr_equal(dry_storage_data(s), bytes);
    assert_int_equal(dry_storage_len(s), 3);
    assert_ptr_equal(dry_storage_ref(s), s);
    assert_int_equal(dry_storage_refcount(s), 2);
    dry_storage_unref(s);
    assert_int_equal(released, 0);
    dry_storage_unref(s);
    assert_int_equal(released, 1);
    dry_storage_unref(NULL);
}

static void external_bytes_have_no_release_and_no_bytes_are_allowed(void **state)
{
    struct dry_storage *s;
    (void)state;
    assert_int_equal(dry_storage_adopt(NULL, 0, NULL, NULL, NULL, &s), DRY_OK);
    assert_int_equal(dry_storage_len(s), 0);
    dry_storage_unref(s);
}

static void without_memory_nothing_is_taken(void **state)
{
    struct ledger l = {.left = 0};
    struct dry_allocator a = allocator_of(&l);
    struct dry_storage *s = NULL;
    int released = 0;
    (void)state;
    assert_int_equal(dry_storage_new(10, &a, &s), DRY_NOMEM);
    assert_int_equal(dry_storage_adopt("x", 1, &released, count_release, &a, &s), DRY_NOMEM);
    assert_null(s);
    assert_int_equal(released, 0);
}

static void only_own_heap_of_a_sole_holder_is_writable(void **state)
{
    char bytes[4] = "abc";
    struct dry_storage *own, *foreign;
    (void)state;
    assert_int_equal(dry_storage_new(8, NULL, &own), DRY_OK);
    assert_ptr_equal(dry_storage_try_mut(own), dry_storage_data(own));
    dry_storage_ref(own);
    assert_null(dry_storage_try_mut(own));
    dry_storage_unref(own);
    assert_non_null(dry_storage_try_mut(own));
    dry_storage_unref(own);
    assert_int_equal(dry_storage_adopt(bytes, 4, NULL, NULL, NULL, &foreign), DRY_OK);
    assert_null(dry_storage_try_mut(foreign));
    dry_storage_unref(foreign);
}

static void a_count_that_reaches_its_maximum_stays(void **state)
{
    struct dry_atomic_u64 count;
    (void)state;
    dry_store_relaxed_u64(&count, COUNT_IMMORTAL - 1); /* X0: nobody else is there */
    count_up(&count);
    assert_true(count_now(&count) >= COUNT_IMMORTAL);
    for (int i = 0; i < 1000; i++) assert_false(count_down(&count));
    assert_true(count_now(&count) >= COUNT_IMMORTAL);
    for (int i = 0; i < 1000; i++) count_up(&count);
    assert_true(count_now(&count) >= COUNT_IMMORTAL);
}

/* ---- threads ---- */
enum { ROUNDS = 2000 };

struct shared {
    struct dry_storage *s;
    uint32_t *cell; /* each thread's own, written before it lets go: TSan sees whether the release is ordered after */
};

static void *hold_and_let_go(void *arg)
{
    struct shared *mine = arg;
    for (int i = 0; i < ROUNDS; i++) dry_storage_unref(dry_storage_ref(mine->s));
    *mine->cell = 1;
    dry_storage_unref(mine->s);
    return NULL;
}

struct cells {
    uint32_t cell[4], sum;
    int released;
};

static void add_up(void *owner)
{
    struct cells *c = owner;
    for (int i = 0; i < 4; i++) c->sum += c->cell[i];
    c->released++;
}

static void the_last_of_many_threads_releases_after_all_others(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct cells c = {.sum = 0};
        struct shared shared[4];
        pthread_t threads[4];
        struct dry_storage *s;
        assert_int_equal(dry_storage_adopt(&c, sizeof c, &c, add_up, NULL, &s), DRY_OK);
        for (int i = 0; i < 4; i++) shared[i] = (struct shared){dry_storage_ref(s), &c.cell[i]};
        dry_storage_unref(s);
        for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, hold_and_let_go, &shared[i]), 0);
        for (int i = 0; i < 4; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(c.released, 1);
        assert_int_equal(c.sum, 4);
    }
}

/* ---- views ---- */
static void views_hold_and_let_go(void **state)
{
    static const uint8_t bytes[100];
    int released = 0;
    struct dry_storage *s;
    struct dry_view part;
    (void)state;
    assert_int_equal(dry_storage_adopt(bytes, sizeof bytes, &released, count_release, NULL, &s), DRY_OK);
    struct dry_view all = dry_view_adopt(s);
    assert_int_equal(dry_storage_refcount(s), 1);
    struct dry_view again = dry_view_ref(&all);
    assert_int_equal(dry_view_slice(&all, 10, 20, &part), DRY_OK);
    assert_int_equal(dry_storage_refcount(s), 3);
    assert_ptr_equal(part.data, bytes + 10);
    assert_int_equal(part.len, 20);
    dry_view_unref(&all);
    assert_null(all.storage);
    assert_null(all.data);
    assert_int_equal(all.len, 0);
    dry_view_unref(&all); /* an empty view holds nothing */
    dry_view_unref(&again);
    assert_int_equal(released, 0);
    dry_view_unref(&part);
    assert_int_equal(released, 1);
}

static void a_slice_must_lie_inside(void **state)
{
    static const uint8_t bytes[100];
    static const struct {
        size_t from, len;
        enum dry_status status;
    } cases[] = {
        {0, 100, DRY_OK},      {100, 0, DRY_OK},           {0, 0, DRY_OK},        {99, 1, DRY_OK},
        {0, 101, DRY_INVALID}, {101, 0, DRY_INVALID},      {99, 2, DRY_INVALID},  {1, SIZE_MAX, DRY_INVALID},
        {SIZE_MAX, 1, DRY_INVALID}, {SIZE_MAX, SIZE_MAX, DRY_INVALID},
    };
    struct dry_storage *s;
    (void)state;
    assert_int_equal(dry_storage_adopt(bytes, sizeof bytes, NULL, NULL, NULL, &s), DRY_OK);
    struct dry_view all = dry_view_adopt(s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_view part = {0};
        assert_int_equal(dry_view_slice(&all, cases[i].from, cases[i].len, &part), cases[i].status);
        if (cases[i].status != DRY_OK) assert_null(part.storage);
        dry_view_unref(&part);
    }
    assert_int_equal(dry_storage_refcount(s), 1);
    dry_view_unref(&all);
}

static void an_empty_view_can_be_sliced_and_held(void **state)
{
    struct dry_view none = {0}, part;
    (void)state;
    assert_int_equal(dry_view_slice(&none, 0, 0, &part), DRY_OK);
    assert_int_equal(part.len, 0);
    assert_int_equal(dry_view_slice(&none, 0, 1, &part), DRY_INVALID);
    struct dry_view again = dry_view_ref(&none);
    dry_view_unref(&again);
    dry_view_unref(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_heap_is_one_allocation_aligned_and_padded_with_zeros),
        cmocka_unit_test(sizes_beyond_memory_are_refused),
        cmocka_unit_test(adopted_bytes_are_released_once_by_the_last_holder),
        cmocka_unit_test(external_bytes_have_no_release_and_no_bytes_are_allowed),
        cmocka_unit_test(without_memory_nothing_is_taken),
        cmocka_unit_test(only_own_heap_of_a_sole_holder_is_writable),
        cmocka_unit_test(a_count_that_reaches_its_maximum_stays),
        cmocka_unit_test(the_last_of_many_threads_releases_after_all_others),
        cmocka_unit_test(views_hold_and_let_go),
        cmocka_unit_test(a_slice_must_lie_inside),
        cmocka_unit_test(an_empty_view_can_be_sliced_and_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Every recipe of buffer/ freezes into a storage and comes back: buffer and storage know each other only by struct
 * dry_raw, so here is where they meet.
 */
#define _GNU_SOURCE
#include "../buffer/buffer.h"
#include "../storage/storage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DRY_NAME heap_vec
#define DRY_ELEM uint32_t
#define DRY_RECIPE GROWING
#include "../buffer/recipe.h"
#define DRY_NAME small_vec
#define DRY_ELEM uint32_t
#define DRY_RECIPE SMALL
#define DRY_COUNT 4
#include "../buffer/recipe.h"
#define DRY_NAME pooled_vec
#define DRY_ELEM uint32_t
#define DRY_RECIPE POOLED
#include "../buffer/recipe.h"

#define DRY_NAME u32_heap
#define DRY_ELEM uint32_t
#include "../buffer/heap.h"
#define DRY_NAME f64_heap
#define DRY_ELEM double
#include "../buffer/heap.h"
#define DRY_NAME ring
#define DRY_INNER u32_heap
#include "../buffer/deque.h"
#define PAIR(X) X(u32_heap, id) X(f64_heap, half)
#define DRY_NAME pair_room
#define DRY_FIELDS PAIR
#include "../buffer/soa.h"
#define DRY_NAME pairs
#define DRY_INNER pair_room
#include "../buffer/vec.h"

struct no_bytes {
};
static int ended;
static void end_no_bytes(struct no_bytes *x)
{
    (void)x;
    ended++;
}
#define DRY_NAME none_room
#define DRY_ELEM struct no_bytes
#define DRY_DROP end_no_bytes
#include "../buffer/zst.h"
#define DRY_NAME nones
#define DRY_INNER none_room
#include "../buffer/vec.h"

#define DRY_NAME lent_room
#define DRY_ELEM uint32_t
#include "../buffer/slice.h"
#define DRY_NAME lents
#define DRY_INNER lent_room
#include "../buffer/vec.h"

static void *count_allocate(void *self, size_t size, size_t align)
{
    ++*(int *)self;
    return aligned_alloc(align, (size + align - 1) / align * align);
}
static void count_free(void *self, void *block, size_t size, size_t align)
{
    (void)size, (void)align;
    --*(int *)self;
    free(block);
}

#define FREEZE_AND_BACK(vec, v)                                                                                       \
    do {                                                                                                              \
        struct dry_raw raw;                                                                                           \
        struct dry_storage *s;                                                                                        \
        for (uint32_t i = 0; i < 100; i++) assert_int_equal(vec##_push(v, i), DRY_OK);                                \
        const void *at = vec##_at(v, 0);                                                                              \
        size_t cap = vec##_cap(v);                                                                                    \
        assert_int_equal(vec##_into_raw(v, &raw), DRY_OK);                                                            \
        assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);                                                     \
        struct dry_view all = dry_view_adopt(s), part;                                                                \
        assert_ptr_equal(all.data, at);                                                                               \
        assert_int_equal(all.len, 400);                                                                               \
        assert_int_equal(dry_view_slice(&all, 40, 40, &part), DRY_OK);                                                \
        assert_int_equal(dry_view_try_detach(&all, 4, 4, &raw), DRY_SHARED);                                          \
        dry_view_unref(&part);                                                                                        \
        assert_int_equal(dry_view_try_detach(&all, 4, 4, &raw), DRY_OK);                                              \
        assert_int_equal(vec##_from_raw(v, &raw), DRY_OK);                                                            \
        assert_ptr_equal(vec##_at(v, 0), at); /* the same vec */                                                      \
        assert_int_equal(vec##_cap(v), cap);                                                                          \
        assert_int_equal(vec##_len(v), 100);                                                                          \
        assert_int_equal(vec##_push(v, 100), DRY_OK);                                                                 \
        for (uint32_t i = 0; i <= 100; i++) assert_int_equal(*vec##_at(v, i), i);                                     \
        vec##_fini(v);                                                                                                \
    } while (0)

static void a_vec_freezes_and_comes_back_the_same(void **state)
{
    struct heap_vec heap;
    struct small_vec small;
    struct pooled_vec pooled;
    int out = 0;
    const struct dry_allocator a = {count_allocate, NULL, count_free, &out};
    (void)state;
    heap_vec_init(&heap);
    FREEZE_AND_BACK(heap_vec, &heap);
    small_vec_init(&small);
    FREEZE_AND_BACK(small_vec, &small);
    pooled_vec_init_in(&pooled, &a);
    FREEZE_AND_BACK(pooled_vec, &pooled);
    assert_int_equal(out, 0);
}

static void what_is_still_inline_is_copied(void **state)
{
    struct small_vec v;
    struct dry_raw raw;
    struct dry_storage *s;
    (void)state;
    small_vec_init(&v);
    assert_int_equal(small_vec_push(&v, 7), DRY_OK);
    assert_int_equal(small_vec_into_raw(&v, &raw), DRY_OK);
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
    assert_int_equal(*(const uint32_t *)dry_storage_data(s), 7);
    assert_int_equal(dry_storage_len(s), 4);
    dry_storage_unref(s);
    small_vec_fini(&v);
}

static void soa_becomes_one_storage_a_field(void **state)
{
    struct pairs v;
    struct dry_raw raw[pairs_columns];
    struct dry_storage *s[pairs_columns];
    (void)state;
    pairs_init(&v);
    for (uint32_t i = 0; i < 10; i++) {
        pairs_elem x = {.id = i, .half = i / 2.0};
        assert_int_equal(pairs_push(&v, x), DRY_OK);
    }
    assert_int_equal(pairs_into_raw(&v, raw), DRY_OK);
    for (size_t i = 0; i < pairs_columns; i++) assert_int_equal(dry_storage_from_raw(&raw[i], &s[i]), DRY_OK);
    assert_int_equal(dry_storage_len(s[0]), 40);
    assert_int_equal(dry_storage_len(s[1]), 80);
    assert_true(((const double *)dry_storage_data(s[1]))[9] == 4.5);
    assert_int_equal(dry_storage_try_detach(&s[0], 4, 4, &raw[0]), DRY_OK);
    assert_int_equal(dry_storage_try_detach(&s[1], 8, 8, &raw[1]), DRY_OK);
    assert_int_equal(pairs_from_raw(&v, raw), DRY_OK);
    assert_int_equal(pairs_len(&v), 10);
    pairs_fini(&v);
}

static void a_deque_is_made_contiguous_first(void **state)
{
    struct ring d;
    struct dry_raw raw;
    struct dry_storage *s;
    (void)state;
    ring_init(&d);
    for (uint32_t i = 5; i < 10; i++) assert_int_equal(ring_push_back(&d, i), DRY_OK);
    for (uint32_t i = 5; i-- > 0;) assert_int_equal(ring_push_front(&d, i), DRY_OK);
    assert_int_equal(ring_into_raw(&d, &raw), DRY_OK);
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
    for (uint32_t i = 0; i < 10; i++) assert_int_equal(((const uint32_t *)dry_storage_data(s))[i], i);
    dry_storage_unref(s);
    ring_fini(&d);
}

static void elements_of_size_0_keep_their_number_and_end_once(void **state)
{
    struct nones v;
    struct dry_raw raw;
    struct dry_storage *s;
    (void)state;
    nones_init(&v);
    for (int i = 0; i < 5; i++) assert_int_equal(nones_push(&v, (struct no_bytes){}), DRY_OK);
    assert_int_equal(nones_into_raw(&v, &raw), DRY_OK);
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
    assert_int_equal(dry_storage_try_detach(&s, 0, 1, &raw), DRY_OK);
    assert_int_equal(nones_from_raw(&v, &raw), DRY_OK);
    assert_int_equal(nones_len(&v), 5);
    assert_int_equal(nones_into_raw(&v, &raw), DRY_OK);
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
    ended = 0;
    dry_storage_unref(s);
    assert_int_equal(ended, 5);
    nones_fini(&v);
}

static void borrowed_room_is_refused(void **state)
{
    uint32_t cells[4] = {1, 2, 3, 4};
    struct lents v;
    struct dry_raw raw = {.len = 99};
    (void)state;
    lents_init_in(&v, (lent_room_seed){cells, 4});
    assert_int_equal(lents_push(&v, 9), DRY_OK);
    assert_int_equal(lents_into_raw(&v, &raw), DRY_UNSUPPORTED);
    assert_int_equal(lents_len(&v), 1);
    assert_int_equal(raw.len, 99);
    lents_fini(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vec_freezes_and_comes_back_the_same),
        cmocka_unit_test(what_is_still_inline_is_copied),
        cmocka_unit_test(soa_becomes_one_storage_a_field),
        cmocka_unit_test(a_deque_is_made_contiguous_first),
        cmocka_unit_test(elements_of_size_0_keep_their_number_and_end_once),
        cmocka_unit_test(borrowed_room_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

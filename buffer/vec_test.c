/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a vec does at its edges; tests/buffer_model_test.c has the long random runs.
 */
#include "buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

struct empty {
};
static long ends;
static void end_number(uint32_t *x)
{
    (void)x;
    ends++;
}

#define DRY_NAME u32s
#define DRY_ELEM uint32_t
#include "vec.h"
#define DRY_NAME u32s
#include "order.h"
#define DRY_NAME u32s
#include "equal.h"
#define DRY_NAME growing
#define DRY_ELEM uint32_t
#define DRY_RECIPE GROWING
#include "recipe.h"
#define DRY_NAME doubles
#define DRY_ELEM double
#include "vec.h"
#define DRY_NAME doubles
#include "order.h"
#define DRY_NAME doubles
#include "equal.h"
#define DRY_NAME empties
#define DRY_ELEM struct empty
#include "vec.h"
#define DRY_NAME endings
#define DRY_ELEM uint32_t
#define DRY_DROP end_number
#include "vec.h"
#define DRY_NAME stack
#define DRY_ELEM uint32_t
#define DRY_RECIPE STACK
#define DRY_COUNT 4
#include "recipe.h"
#define DRY_NAME mapped
#define DRY_ELEM uint32_t
#define DRY_RECIPE MAPPED
#include "recipe.h"
#define DRY_NAME pooled
#define DRY_ELEM uint32_t
#define DRY_RECIPE POOLED
#include "recipe.h"
#define DRY_NAME u32_slice
#define DRY_ELEM uint32_t
#include "slice.h"
#define DRY_NAME sliced
#define DRY_INNER u32_slice
#include "vec.h"
struct item {
    uint32_t key, at;
};
static int by_key(const struct item *a, const struct item *b) { return (a->key > b->key) - (a->key < b->key); }
#define DRY_NAME items
#define DRY_ELEM struct item
#include "vec.h"
#define DRY_NAME items
#define DRY_COMPARE by_key
#include "order.h"

static void an_empty_vec_answers(void **state)
{
    struct u32s v, other;
    uint32_t x = 7, *p = &x;
    (void)state;
    u32s_init(&v);
    u32s_init(&other);
    assert_true(u32s_is_empty(&v));
    assert_false(u32s_pop(&v, &x) || u32s_get(&v, 0, &p) || u32s_first(&v, &p) || u32s_last(&v, &p));
    assert_true(x == 7 && p == &x);
    assert_null(u32s_span(&v));
    u32s_reverse(&v);
    u32s_rotate(&v, 0);
    u32s_sort(&v);
    u32s_dedup(&v);
    u32s_clear(&v);
    u32s_drain(&v, 0, 0, NULL);
    u32s_erase(&v, 0, 0);
    assert_int_equal(u32s_sort_stable(&v), DRY_OK);
    assert_int_equal(u32s_extend(&v, NULL, 0), DRY_OK);
    assert_int_equal(u32s_append(&v, &other), DRY_OK);
    assert_int_equal(u32s_clone(&v, &other), DRY_OK);
    assert_int_equal(u32s_split_off(&v, 0, &other), DRY_OK);
    assert_int_equal(u32s_splice(&v, 0, 0, NULL, 0), DRY_OK);
    assert_true(u32s_is_sorted(&v) && u32s_equals(&v, &other) && u32s_compare(&v, &other) == 0);
    assert_int_equal(u32s_lower_bound(&v, 3), 0);
    assert_false(u32s_contains(&v, 3));
    u32s_fini(&v);
    u32s_fini(&v);
    u32s_fini(&other);
}

static void first_last_get_at(void **state)
{
    struct u32s v;
    uint32_t *p;
    (void)state;
    assert_int_equal(u32s_from_array(&v, (const uint32_t[]){5, 6, 7}, 3), DRY_OK);
    assert_true(u32s_first(&v, &p) && *p == 5);
    assert_true(u32s_last(&v, &p) && *p == 7);
    assert_true(u32s_get(&v, 1, &p) && *p == 6);
    assert_false(u32s_get(&v, 3, &p) || u32s_get(&v, SIZE_MAX, &p));
    *u32s_at(&v, 1) = 60;
    assert_int_equal(u32s_span(&v)[1], 60);
    u32s_fini(&v);
}

static void exact_room_is_exact(void **state)
{
    struct growing v;
    (void)state;
    assert_int_equal(growing_with_capacity(&v, 100), DRY_OK);
    assert_int_equal(growing_cap(&v), 100);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(growing_push(&v, i), DRY_OK);
    assert_int_equal(growing_cap(&v), 100);
    assert_int_equal(growing_push(&v, 100), DRY_OK);
    assert_int_equal(growing_cap(&v), 128);
    assert_int_equal(growing_shrink_to(&v, 110), DRY_OK);
    assert_int_equal(growing_cap(&v), 110);
    assert_int_equal(growing_shrink_to_fit(&v), DRY_OK);
    assert_int_equal(growing_cap(&v), 101);
    assert_true((uintptr_t)growing_span(&v) % DRY_ALIGN == 0);
    growing_clear(&v);
    assert_int_equal(growing_shrink_to_fit(&v), DRY_OK);
    assert_int_equal(growing_cap(&v), 0);
    growing_fini(&v);
}

/* Across the size from which a block is pages of its own: what is there stays, aligned, up and down. */
static void large_blocks_are_remapped(void **state)
{
    struct growing v;
    struct dry_raw raw;
    const uint32_t n = DRY_MAP_GROWN_BYTES / sizeof(uint32_t);
    (void)state;
    growing_init(&v);
    for (uint32_t i = 0; i < 2 * n + 5; i++)
        assert_int_equal(growing_push(&v, i), DRY_OK);
    assert_true((uintptr_t)growing_span(&v) % DRY_ALIGN == 0);
    assert_int_equal(growing_reserve_exact(&v, 20 * n), DRY_OK);
    assert_int_equal(growing_shrink_to_fit(&v), DRY_OK);
    for (uint32_t i = 0; i < 2 * n + 5; i += 1000)
        assert_int_equal(*growing_at(&v, i), i);
    assert_int_equal(growing_into_raw(&v, &raw), DRY_OK);
    memset((char *)raw.at - DRY_FRONT_BYTES, 0xee, DRY_FRONT_BYTES);
    assert_int_equal(growing_from_raw(&v, &raw), DRY_OK);
    growing_truncate(&v, 100);
    assert_int_equal(growing_shrink_to_fit(&v), DRY_OK); /* malloc's again */
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(*growing_at(&v, i), i);
    growing_fini(&v);
    assert_int_equal(growing_reserve_exact(&v, 3 * n), DRY_OK);
    growing_fini(&v);
}

static void fixed_room_is_a_status(void **state)
{
    static uint32_t array[3];
    struct stack v;
    struct sliced s;
    struct dry_raw raw;
    (void)state;
    stack_init(&v);
    sliced_init_in(&s, (sliced_seed){array, 3});
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(stack_push(&v, i), DRY_OK);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(sliced_push(&s, i + 1), DRY_OK);
    assert_int_equal(stack_push(&v, 4), DRY_FIXED);
    assert_int_equal(sliced_push(&s, 4), DRY_FIXED);
    assert_int_equal(sliced_insert(&s, 0, 4), DRY_FIXED);
    assert_true(array[0] == 1 && array[1] == 2 && array[2] == 3);
    assert_int_equal(sliced_into_raw(&s, &raw), DRY_UNSUPPORTED);
    assert_int_equal(sliced_len(&s), 3);
    stack_fini(&v);
    sliced_fini(&s);
    assert_int_equal(sliced_push(&s, 9), DRY_OK); /* after fini the array is room again */
    assert_int_equal(array[0], 9);
    sliced_fini(&s);
}

static void elements_without_size_are_counted(void **state)
{
    struct empties v;
    struct empty x;
    struct dry_raw raw;
    (void)state;
    empties_init(&v);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(empties_push(&v, x), DRY_OK);
    assert_int_equal(empties_resize(&v, 5000, x), DRY_OK);
    assert_int_equal(empties_len(&v), 5000);
    (void)empties_remove(&v, 4000);
    (void)empties_swap_remove(&v, 3);
    assert_int_equal(empties_insert(&v, 17, x), DRY_OK);
    assert_int_equal(empties_cap(&v), SIZE_MAX);
    assert_int_equal(empties_into_raw(&v, &raw), DRY_OK);
    assert_true(raw.kind == DRY_RAW_NONE && raw.len == 4999 && raw.elem_size == 0);
    assert_int_equal(empties_from_raw(&v, &raw), DRY_OK);
    assert_int_equal(empties_len(&v), 4999);
    empties_fini(&v);
}

/* Sizes of the named recipes, as their table says. */
static void recipes_are_as_large_as_said(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct u32s), 48);
    assert_int_equal(sizeof(struct growing), 24);
    assert_int_equal(sizeof(struct stack), 8 + 4 * sizeof(uint32_t));
    assert_int_equal(sizeof(struct pooled), 32);
    assert_int_equal(sizeof(struct mapped), 24);
}

static void raw_parts_go_round(void **state)
{
    struct growing v;
    struct u32s spilling;
    struct mapped m;
    struct stack s;
    struct doubles wrong;
    struct dry_raw raw;
    (void)state;
    growing_init(&v);
    assert_int_equal(growing_extend(&v, (const uint32_t[]){1, 2, 3, 4, 5}, 5), DRY_OK);
    const uint32_t *before = growing_span(&v);
    assert_int_equal(growing_into_raw(&v, &raw), DRY_OK);
    assert_true(raw.kind == DRY_RAW_HEAP && raw.at == before && raw.len == 5 && raw.cap == 16 && !raw.drop);
    assert_true(growing_is_empty(&v) && growing_cap(&v) == 0);
    doubles_init(&wrong);
    assert_int_equal(doubles_from_raw(&wrong, &raw), DRY_INVALID);
    memset((char *)raw.at - DRY_FRONT_BYTES, 0xee, DRY_FRONT_BYTES); /* the room in front is the holder's */
    assert_int_equal(growing_from_raw(&v, &raw), DRY_OK);
    assert_true(growing_span(&v) == before && growing_len(&v) == 5 && growing_cap(&v) == 16);
    assert_true(raw.at == NULL);
    assert_int_equal(growing_push(&v, 6), DRY_OK);
    assert_int_equal(growing_into_raw(&v, &raw), DRY_OK);
    u32s_init(&spilling); /* the same kind of room under another vec */
    assert_int_equal(u32s_from_raw(&spilling, &raw), DRY_OK);
    assert_int_equal(*u32s_at(&spilling, 5), 6);
    u32s_truncate(&spilling, 2);
    assert_int_equal(u32s_shrink_to_fit(&spilling), DRY_OK); /* inline again: it leaves by a copy */
    assert_int_equal(u32s_into_raw(&spilling, &raw), DRY_OK);
    assert_true(raw.kind == DRY_RAW_HEAP && raw.len == 2 && ((uint32_t *)raw.at)[1] == 2);
    stack_init(&s);
    assert_int_equal(stack_from_raw(&s, &raw), DRY_OK);
    assert_int_equal(*stack_at(&s, 1), 2);
    assert_int_equal(stack_into_raw(&s, &raw), DRY_OK);
    dry_raw_release(&raw);
    mapped_init(&m);
    assert_int_equal(mapped_push(&m, 42), DRY_OK);
    assert_int_equal(mapped_into_raw(&m, &raw), DRY_OK);
    assert_true(raw.kind == DRY_RAW_MEMORY && *(uint32_t *)raw.at == 42);
    dry_raw_release(&raw);
    u32s_fini(&spilling);
    growing_fini(&v);
    doubles_fini(&wrong);
}

static void raw_parts_end_their_elements(void **state)
{
    struct endings v;
    struct dry_raw raw;
    (void)state;
    ends = 0;
    endings_init(&v);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(endings_push(&v, i), DRY_OK);
    assert_int_equal(endings_into_raw(&v, &raw), DRY_OK);
    endings_fini(&v);
    assert_int_equal(ends, 0);
    dry_raw_release(&raw);
    assert_int_equal(ends, 20);
    assert_null(raw.at);
}

static void detaching_moves_all(void **state)
{
    struct u32s v, w;
    (void)state;
    for (uint32_t n = 0; n < 20; n += 4) { /* inline and spilled */
        u32s_init(&v);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(u32s_push(&v, i), DRY_OK);
        u32s_detach(&v, &w);
        assert_true(u32s_is_empty(&v));
        assert_int_equal(u32s_push(&v, 100), DRY_OK);
        assert_int_equal(u32s_len(&w), n);
        for (uint32_t i = 0; i < n; i++)
            assert_int_equal(*u32s_at(&w, i), i);
        u32s_fini(&v);
        u32s_fini(&w);
    }
}

static void fill_and_set(void **state)
{
    struct u32s v;
    (void)state;
    assert_int_equal(u32s_from_array(&v, (const uint32_t[]){1, 2, 3}, 3), DRY_OK);
    assert_int_equal(u32s_fill(&v, 9), DRY_OK);
    u32s_set(&v, 1, 4);
    assert_memory_equal(u32s_span(&v), ((const uint32_t[]){9, 4, 9}), 12);
    u32s_fini(&v);
}

/* Sorted, reversed, equal, organ pipe, random: all inputs that quicksorts fear, around the short limit and beyond. */
static void sorting_sorts(void **state)
{
    static const uint32_t sizes[] = {0, 1, 2, 3, 15, 16, 17, 18, 100, 1000, 20000};
    struct u32s v;
    (void)state;
    u32s_init(&v);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int shape = 0; shape < 5; shape++) {
            uint32_t n = sizes[s];
            uint64_t sum = 0;
            u32s_clear(&v);
            for (uint32_t i = 0; i < n; i++) {
                uint32_t of[] = {i, n - i, 7, i < n / 2 ? i : n - i, i * 2654435761u};
                sum += of[shape];
                assert_int_equal(u32s_push(&v, of[shape]), DRY_OK);
            }
            u32s_sort(&v);
            assert_true(u32s_is_sorted(&v));
            for (uint32_t i = 0; i < n; i++)
                sum -= *u32s_at(&v, i);
            assert_int_equal(sum, 0);
        }
    }
    u32s_fini(&v);
}

/* Comparing costs at most a few times n log n, whatever the input: heapsort takes over. */
static unsigned long comparisons;
static int counting(const uint32_t *a, const uint32_t *b)
{
    comparisons++;
    return (*a > *b) - (*a < *b);
}
#define DRY_NAME counted
#define DRY_ELEM uint32_t
#include "vec.h"
#define DRY_NAME counted
#define DRY_COMPARE counting
#include "order.h"
static void sorting_never_degrades(void **state)
{
    enum { N = 1 << 14 };
    struct counted v;
    (void)state;
    counted_init(&v);
    for (uint32_t i = 0; i < N; i++) /* against the median of three */
        assert_int_equal(counted_push(&v, i % 2 ? i : i / 2 + N), DRY_OK);
    counted_sort(&v);
    assert_true(counted_is_sorted(&v));
    assert_true(comparisons < 6ul * N * 14);
    counted_sort_range(&v, 0, N, 0); /* heapsort alone */
    assert_true(counted_is_sorted(&v));
    counted_fini(&v);
}

static void stable_sorting_keeps_order(void **state)
{
    struct items v;
    (void)state;
    items_init(&v);
    for (uint32_t i = 0; i < 3000; i++)
        assert_int_equal(items_push(&v, (struct item){.key = i * 2654435761u % 37, .at = i}), DRY_OK);
    assert_int_equal(items_sort_stable(&v), DRY_OK);
    for (uint32_t i = 1; i < 3000; i++) {
        const struct item *a = items_at(&v, i - 1), *b = items_at(&v, i);
        assert_true(a->key < b->key || (a->key == b->key && a->at < b->at));
    }
    size_t at = items_lower_bound(&v, (struct item){.key = 36});
    assert_true(items_at(&v, at)->key == 36 && items_at(&v, at - 1)->key == 35);
    items_fini(&v);
}

static void order_and_hash(void **state)
{
    struct doubles a, b;
    size_t at = 99;
    (void)state;
    assert_int_equal(doubles_from_array(&a, (const double[]){-1.5, 0.0, 2.5, 2.5, 9.0}, 5), DRY_OK);
    assert_int_equal(doubles_from_array(&b, (const double[]){-1.5, -0.0, 2.5, 2.5, 9.0}, 5), DRY_OK);
    assert_true(doubles_equals(&a, &b));
    assert_true(doubles_hash(&a) == doubles_hash(&b));
    assert_true(doubles_search(&a, 2.5, &at) && at == 2);
    assert_false(doubles_search(&a, 3.0, &at));
    assert_int_equal(at, 4);
    assert_false(doubles_search(&a, 10.0, NULL));
    *doubles_at(&b, 3) = 2.6;
    assert_true(doubles_compare(&a, &b) < 0 && doubles_compare(&b, &a) > 0);
    assert_true(doubles_hash(&a) != doubles_hash(&b));
    doubles_truncate(&b, 3);
    assert_true(doubles_compare(&a, &b) > 0 && !doubles_equals(&a, &b));
    doubles_fini(&a);
    doubles_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_vec_answers),
        cmocka_unit_test(first_last_get_at),
        cmocka_unit_test(exact_room_is_exact),
        cmocka_unit_test(large_blocks_are_remapped),
        cmocka_unit_test(fixed_room_is_a_status),
        cmocka_unit_test(elements_without_size_are_counted),
        cmocka_unit_test(recipes_are_as_large_as_said),
        cmocka_unit_test(raw_parts_go_round),
        cmocka_unit_test(raw_parts_end_their_elements),
        cmocka_unit_test(detaching_moves_all),
        cmocka_unit_test(fill_and_set),
        cmocka_unit_test(sorting_sorts),
        cmocka_unit_test(sorting_never_degrades),
        cmocka_unit_test(stable_sorting_keeps_order),
        cmocka_unit_test(order_and_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

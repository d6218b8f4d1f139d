/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One test for each defect that was found in the system these buffers come from: it would have caught it.
 */
#include "buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static long ends;
static void end_number(uint32_t *x)
{
    (void)x;
    ends++;
}
struct empty {
};
static void end_empty(struct empty *x)
{
    (void)x;
    ends++;
}

#define DRY_NAME u32_heap
#define DRY_ELEM uint32_t
#include "heap.h"
#define DRY_NAME u32_pow2
#define DRY_INNER u32_heap
#include "pow2.h"
#define DRY_NAME u32s
#define DRY_INNER u32_pow2
#include "vec.h"
#define DRY_NAME ending_heap
#define DRY_ELEM uint32_t
#define DRY_DROP end_number
#include "heap.h"
#define DRY_NAME endings
#define DRY_INNER ending_heap
#include "vec.h"
#define DRY_NAME empty_zst
#define DRY_ELEM struct empty
#define DRY_DROP end_empty
#include "zst.h"
#define DRY_NAME empties
#define DRY_INNER empty_zst
#include "vec.h"
#define DRY_NAME default_u64s
#define DRY_ELEM uint64_t
#include "vec.h"
#define DRY_NAME none_svo
#define DRY_INNER u32_heap
#define DRY_COUNT 0
#include "svo.h"
#define DRY_NAME none_svos
#define DRY_INNER none_svo
#include "vec.h"
#define DRY_NAME two_inline
#define DRY_ELEM uint32_t
#define DRY_COUNT 2
#include "inline.h"
#define DRY_NAME two_columns
#define DRY_INNER two_inline
#define DRY_COUNT 3
#include "soa_array.h"
#define DRY_NAME twos
#define DRY_INNER two_columns
#include "vec.h"
#define DRY_NAME mock
#define DRY_INNER u32_heap
#include "grow_mock.h"
#define DRY_NAME mock_pow2
#define DRY_INNER mock
#include "pow2.h"
#define DRY_NAME mocked
#define DRY_INNER mock_pow2
#include "vec.h"

/* Asked for 2, 3, 5, 9 ... cells, exponential growth gave one, two, four, eight: the next push wrote behind the
 * end. */
static void growth_covers_what_is_asked(void **state)
{
    struct u32s v;
    (void)state;
    u32s_init(&v);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(u32s_push(&v, i), DRY_OK);
        assert_true(u32s_cap(&v) >= u32s_len(&v));
    }
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(*u32s_at(&v, i), i);
    u32s_fini(&v);
}

/* The slice of all elements was always empty. */
static void the_span_has_all_elements(void **state)
{
    static const uint32_t numbers[] = {3, 1, 4, 1, 5};
    struct u32s v;
    (void)state;
    assert_int_equal(u32s_from_array(&v, numbers, 5), DRY_OK);
    assert_memory_equal(u32s_span(&v), numbers, sizeof numbers);
    u32s_clear(&v);
    assert_null(u32s_span(&v));
    u32s_fini(&v);
}

/* shrink_to(min) with min < len < cap freed the storage under living elements. */
static void shrink_to_stays_above_the_elements(void **state)
{
    struct endings v;
    (void)state;
    endings_init(&v);
    assert_int_equal(endings_reserve(&v, 50), DRY_OK);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(endings_push(&v, i), DRY_OK);
    for (size_t min = 9; min-- > 0;) {
        assert_int_equal(endings_shrink_to(&v, min), DRY_OK);
        assert_int_equal(endings_cap(&v), 8);
    }
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(*endings_at(&v, i), i);
    endings_fini(&v);
}

/* An element of size 0 with a destructor was ended when it was put in, and again when it was taken out. */
static void an_element_of_no_size_ends_once(void **state)
{
    struct empties v;
    struct empty x;
    (void)state;
    ends = 0;
    empties_init(&v);
    for (int i = 0; i < 5; i++)
        assert_int_equal(empties_push(&v, x), DRY_OK);
    assert_true(empties_pop(&v, &x));
    assert_int_equal(ends, 0);
    end_empty(&x);
    empties_truncate(&v, 2);
    assert_int_equal(ends, 3);
    empties_fini(&v);
    assert_int_equal(ends, 5);
}

/* Growing an svo of no inline elements panicked. */
static void an_svo_of_zero_grows(void **state)
{
    struct none_svos v;
    (void)state;
    none_svos_init(&v);
    assert_int_equal(none_svos_cap(&v), 0);
    assert_int_equal(none_svos_push(&v, 7), DRY_OK);
    assert_int_equal(*none_svos_at(&v, 0), 7);
    none_svos_fini(&v);
}

/* A struct of arrays over fixed columns said that it had grown, and had not. */
static void columns_that_cannot_grow_say_so(void **state)
{
    struct twos v;
    (void)state;
    twos_init(&v);
    assert_int_equal(twos_reserve(&v, 10), DRY_FIXED);
    assert_int_equal(twos_cap(&v), 2);
    assert_int_equal(twos_push(&v, (twos_elem){.at = {1, 2, 3}}), DRY_OK);
    assert_int_equal(twos_push(&v, (twos_elem){.at = {4, 5, 6}}), DRY_OK);
    assert_int_equal(twos_push(&v, (twos_elem){.at = {7, 8, 9}}), DRY_FIXED);
    assert_int_equal(twos_len(&v), 2);
    assert_int_equal(*twos_at(&v, 1).at[2], 6);
    twos_fini(&v);
}

/* len + additional wrapped round, and the answer was Ok. */
static void a_reserve_that_wraps_is_refused(void **state)
{
    struct u32s v;
    struct empties e;
    (void)state;
    u32s_init(&v);
    assert_int_equal(u32s_push(&v, 1), DRY_OK);
    assert_int_equal(u32s_reserve(&v, SIZE_MAX), DRY_TOO_BIG);
    assert_int_equal(u32s_reserve_exact(&v, SIZE_MAX - 1), DRY_TOO_BIG);
    assert_int_equal(u32s_reserve(&v, SIZE_MAX / 8), DRY_TOO_BIG);
    volatile size_t more = SIZE_MAX; /* volatile: compilers would warn of the size */
    assert_int_equal(u32s_extend(&v, u32s_span(&v), more), DRY_TOO_BIG);
    assert_int_equal(u32s_len(&v), 1);
    assert_int_equal(u32s_cap(&v), 16);
    u32s_fini(&v);
    empties_init(&e);
    e.len = SIZE_MAX; /* more cannot be counted */
    assert_int_equal(empties_push(&e, (struct empty){}), DRY_TOO_BIG);
    assert_int_equal(empties_reserve(&e, 1), DRY_TOO_BIG);
    e.len = 0;
    empties_fini(&e);
}

/* The default buffer grew by one element a push, and took 2064 bytes for a vector of u64. */
static void the_default_is_small_and_doubles(void **state)
{
    struct default_u64s v;
    size_t growths = 0, cap = 0;
    (void)state;
    assert_true(sizeof v <= 64);
    default_u64s_init(&v);
    for (uint64_t i = 0; i < 100000; i++) {
        assert_int_equal(default_u64s_push(&v, i), DRY_OK);
        growths += default_u64s_cap(&v) != cap;
        cap = default_u64s_cap(&v);
    }
    assert_true(growths <= 18);
    default_u64s_fini(&v);
}

/* What the layer above asks for, seen by the test double. */
static void a_vec_asks_for_what_it_needs(void **state)
{
    struct mocked v;
    (void)state;
    mocked_init(&v);
    assert_int_equal(mocked_push(&v, 1), DRY_OK);
    assert_int_equal(v.buf.in.own.last_want, 1);
    assert_int_equal(mocked_reserve(&v, 16), DRY_OK);
    assert_int_equal(v.buf.in.own.last_want, 32);
    assert_int_equal(mocked_reserve_exact(&v, 32), DRY_OK);
    assert_int_equal(v.buf.in.own.last_want, 33);
    assert_int_equal(v.buf.in.own.grows, 3);
    assert_int_equal(mocked_reserve(&v, 8), DRY_OK);
    assert_int_equal(v.buf.in.own.grows, 3);
    assert_int_equal(mocked_shrink_to(&v, 3), DRY_OK);
    assert_int_equal(v.buf.in.own.last_want, 3);
    assert_int_equal(v.buf.in.own.shrinks, 1);
    mocked_fini(&v);
}

/* A middle insert and remove moves the rest in one go: every layer hands the shift down to memmove. */
static void shifts_reach_the_leaf(void **state)
{
    struct u32s v;
    (void)state;
    u32s_init(&v);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(u32s_push(&v, i), DRY_OK);
    assert_int_equal(u32s_insert(&v, 4, 99), DRY_OK);
    for (uint32_t i = 0; i < 11; i++)
        assert_int_equal(*u32s_at(&v, i), i < 4 ? i : i == 4 ? 99 : i - 1);
    assert_int_equal(u32s_remove(&v, 4), 99);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(*u32s_at(&v, i), i);
    u32s_fini(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth_covers_what_is_asked),
        cmocka_unit_test(the_span_has_all_elements),
        cmocka_unit_test(shrink_to_stays_above_the_elements),
        cmocka_unit_test(an_element_of_no_size_ends_once),
        cmocka_unit_test(an_svo_of_zero_grows),
        cmocka_unit_test(columns_that_cannot_grow_say_so),
        cmocka_unit_test(a_reserve_that_wraps_is_refused),
        cmocka_unit_test(the_default_is_small_and_doubles),
        cmocka_unit_test(a_vec_asks_for_what_it_needs),
        cmocka_unit_test(shifts_reach_the_leaf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The deque beside a naive model, over contiguous memory, two blocks of columns, a fixed ring, and elements of size
 * 0.
 */
#include "buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static long ends, alive;
struct tracked {
    uint32_t value;
};
static void end_tracked(struct tracked *x)
{
    ends++;
    alive--;
    x->value = 0xdeadbeef;
}
static enum dry_status copy_tracked(struct tracked *to, const struct tracked *x)
{
    *to = *x;
    alive++;
    return DRY_OK;
}

#define DRY_NAME tracked_heap
#define DRY_ELEM struct tracked
#define DRY_DROP end_tracked
#define DRY_COPY copy_tracked
#include "heap.h"
#define DRY_NAME exact
#define DRY_INNER tracked_heap
#include "deque.h"
#define DRY_NAME doubling
#define DRY_ELEM struct tracked
#define DRY_DROP end_tracked
#define DRY_COPY copy_tracked
#include "deque.h"
#define DRY_NAME tracked_ring
#define DRY_ELEM struct tracked
#define DRY_COUNT 13
#define DRY_DROP end_tracked
#define DRY_COPY copy_tracked
#include "inline.h"
#define DRY_NAME ring
#define DRY_INNER tracked_ring
#include "deque.h"
#define COLUMNS(X) X(tracked_heap, value) X(tracked_ring, again)
#define DRY_NAME columns
#define DRY_FIELDS COLUMNS
#include "soa.h"
#define DRY_NAME paired
#define DRY_INNER columns
#include "deque.h"
#define DRY_NAME u32q
#define DRY_ELEM uint32_t
#include "deque.h"
#define DRY_NAME u32q
#include "order.h"
#define DRY_NAME u32q
#include "equal.h"
struct empty {
};
#define DRY_NAME empties
#define DRY_ELEM struct empty
#include "deque.h"

enum { MODEL = 64 };
struct model {
    size_t len;
    uint32_t x[MODEL];
};

static struct tracked make(uint32_t value)
{
    alive++;
    return (struct tracked){value};
}
static paired_elem make_pair(uint32_t value) { return (paired_elem){make(value), make(value)}; }

/* One run for each kind of deque: Q its name, MAKE and READ its element and back (READ ends it). */
#define DEQUE_RUN(Q, MAKE, AT, END)                                                                                   \
    static void Q##_beside_a_model(void **state)                                                                      \
    {                                                                                                                 \
        struct Q q;                                                                                                   \
        struct model m = {.len = 0};                                                                                  \
        uint32_t next = 1, dice = 12345;                                                                              \
        Q##_elem out;                                                                                                 \
        (void)state;                                                                                                  \
        alive = 0;                                                                                                    \
        Q##_init(&q);                                                                                                 \
        for (int step = 0; step < 20000; step++) {                                                                    \
            dice = dice * 1664525u + 1013904223u;                                                                     \
            uint32_t what = dice >> 28;                                                                               \
            if (what < 8 && m.len < MODEL) {                                                                          \
                Q##_elem x = MAKE(next);                                                                              \
                bool front = what % 2;                                                                                \
                enum dry_status s = front ? Q##_push_front(&q, x) : Q##_push_back(&q, x);                             \
                if (s != DRY_OK) {                                                                                    \
                    assert_int_equal(s, DRY_FIXED);                                                                   \
                    END(&x);                                                                                          \
                } else {                                                                                              \
                    if (front) memmove(m.x + 1, m.x, m.len * sizeof *m.x);                                            \
                    m.x[front ? 0 : m.len] = next++;                                                                  \
                    m.len++;                                                                                          \
                }                                                                                                     \
            } else if (what < 12) {                                                                                   \
                bool front = what % 2, got = front ? Q##_pop_front(&q, &out) : Q##_pop_back(&q, &out);                \
                assert_int_equal(got, m.len > 0);                                                                     \
                if (got) END(&out);                                                                                   \
                if (got) m.len--;                                                                                     \
                if (got && front) memmove(m.x, m.x + 1, m.len * sizeof *m.x);                                         \
            } else if (what == 12) {                                                                                  \
                (void)Q##_shrink_to_fit(&q);                                                                          \
            } else if (what == 13) {                                                                                  \
                Q##_make_contiguous(&q);                                                                              \
            } else if (what == 14 && dice % 50 == 0) {                                                                \
                Q##_truncate(&q, m.len / 2);                                                                          \
                m.len /= 2;                                                                                           \
            } else if (what == 15 && m.len) {                                                                         \
                Q##_set(&q, dice % m.len, MAKE(next));                                                                \
                m.x[dice % m.len] = next++;                                                                           \
            }                                                                                                         \
            assert_int_equal(Q##_len(&q), m.len);                                                                     \
            for (size_t i = 0; i < m.len; i++)                                                                        \
                assert_int_equal(AT(Q##_at(&q, i)), m.x[i]);                                                          \
        }                                                                                                             \
        struct Q copy;                                                                                                \
        Q##_init(&copy);                                                                                              \
        assert_int_equal(Q##_clone(&q, &copy), DRY_OK);                                                               \
        Q##_fini(&q);                                                                                                 \
        Q##_fini(&copy);                                                                                              \
        assert_int_equal(alive, 0);                                                                                   \
    }

#define VALUE_AT(ref) ((ref)->value)
static uint32_t pair_at(paired_ref ref)
{
    assert_int_equal(ref.value->value, ref.again->value);
    return ref.again->value;
}
static void end_pair(paired_elem *x) { columns_elem_drop(x); }
DEQUE_RUN(exact, make, VALUE_AT, end_tracked)
DEQUE_RUN(doubling, make, VALUE_AT, end_tracked)
DEQUE_RUN(ring, make, VALUE_AT, end_tracked)
DEQUE_RUN(paired, make_pair, pair_at, end_pair)

static void a_wrapped_deque_becomes_one_piece(void **state)
{
    (void)state;
    for (uint32_t front = 0; front <= 16; front++) {
        struct u32q q;
        struct dry_raw raw = {0};
        assert_int_equal(u32q_with_capacity(&q, 16), DRY_OK);
        for (uint32_t i = 0; i < 16 - front; i++)
            assert_int_equal(u32q_push_back(&q, front + i), DRY_OK);
        for (uint32_t i = front; i-- > 0;)
            assert_int_equal(u32q_push_front(&q, i), DRY_OK);
        u32q_make_contiguous(&q);
        for (uint32_t i = 0; i < 16; i++)
            assert_int_equal(u32q_span(&q)[i], i);
        assert_int_equal(u32q_into_raw(&q, &raw), DRY_OK);
        assert_int_equal(((uint32_t *)raw.at)[15], 15);
        assert_int_equal(u32q_from_raw(&q, &raw), DRY_OK);
        assert_int_equal(*u32q_at(&q, 3), 3);
        u32q_fini(&q);
    }
}

static void lookups_work_over_the_ring(void **state)
{
    struct u32q q, other;
    uint32_t *x, out;
    size_t at;
    (void)state;
    u32q_init(&q);
    u32q_init(&other);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(i % 3 ? u32q_push_back(&q, i * 37 % 101) : u32q_push_front(&q, i * 37 % 101), DRY_OK);
    assert_int_equal(u32q_clone(&q, &other), DRY_OK);
    assert_true(u32q_equals(&q, &other) && u32q_hash(&q) == u32q_hash(&other));
    u32q_sort(&q);
    assert_int_equal(u32q_sort_stable(&other), DRY_OK);
    assert_true(u32q_is_sorted(&q) && u32q_compare(&q, &other) == 0);
    assert_true(u32q_search(&q, 37, &at) && *u32q_at(&q, at) == 37);
    assert_true(u32q_contains(&q, 74) && !u32q_contains(&q, 5000));
    assert_int_equal(u32q_extend(&q, (const uint32_t[]){1, 1, 1}, 3), DRY_OK);
    u32q_dedup(&q);
    assert_int_equal(u32q_len(&q), 101);
    u32q_reverse(&q);
    assert_true(u32q_first(&q, &x) && *x == 1);
    u32q_rotate(&q, 1);
    assert_true(u32q_last(&q, &x) && *x == 1);
    struct u32q_iter it = u32q_iter(&q);
    assert_true(u32q_next_back(&it, &x) && *x == 1);
    assert_true(u32q_pop_front(&q, &out));
    u32q_clear(&q);
    assert_false(u32q_pop_front(&q, &out) || u32q_pop_back(&q, &out));
    u32q_fini(&q);
    u32q_fini(&other);
}

/* The ring of elements without size goes round at SIZE_MAX. */
static void elements_without_size_go_round(void **state)
{
    struct empties q;
    struct empty x;
    (void)state;
    empties_init(&q);
    for (int i = 0; i < 10; i++)
        assert_int_equal(i % 2 ? empties_push_front(&q, x) : empties_push_back(&q, x), DRY_OK);
    empties_make_contiguous(&q);
    for (int i = 0; i < 10; i++)
        assert_true(i % 3 ? empties_pop_front(&q, &x) : empties_pop_back(&q, &x));
    assert_true(empties_is_empty(&q));
    assert_int_equal(empties_reserve(&q, SIZE_MAX), DRY_OK);
    empties_fini(&q);
}

static void growth_that_wraps_is_refused(void **state)
{
    struct u32q q;
    (void)state;
    u32q_init(&q);
    assert_int_equal(u32q_push_front(&q, 1), DRY_OK);
    assert_int_equal(u32q_reserve(&q, SIZE_MAX), DRY_TOO_BIG);
    assert_int_equal(u32q_reserve_exact(&q, SIZE_MAX / 4), DRY_TOO_BIG);
    assert_int_equal(*u32q_at(&q, 0), 1);
    u32q_fini(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_beside_a_model),
        cmocka_unit_test(doubling_beside_a_model),
        cmocka_unit_test(ring_beside_a_model),
        cmocka_unit_test(paired_beside_a_model),
        cmocka_unit_test(a_wrapped_deque_becomes_one_piece),
        cmocka_unit_test(lookups_work_over_the_ring),
        cmocka_unit_test(elements_without_size_go_round),
        cmocka_unit_test(growth_that_wraps_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

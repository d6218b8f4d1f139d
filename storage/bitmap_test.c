/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "storage_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAX = 1000 };

/* ---- a naive model: one bool a bit ---- */
static uint64_t seed = 88172645463325252u;
static uint32_t number(void) /* xorshift64, Marsaglia 2003 */
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32);
}

static size_t below(size_t n) { return number() % n; }

static void fill_bools(bool *bools, size_t n)
{
    uint32_t density = number() % 5; /* from none to all */
    for (size_t i = 0; i < n; i++) bools[i] = number() % 4 < density;
}

/* Bits `from` on of a larger bitmap, so that its ends lie anywhere. The block ends with it: the sanitizer sees a read past
 * the end. */
static struct dry_bitmap bitmap_of(const bool *bools, size_t n, size_t offset)
{
    size_t bytes = (offset + n + 7) / 8;
    uint8_t *block = malloc(bytes ? bytes : 1);
    struct dry_storage *s;
    struct dry_bitmap b;
    assert_non_null(block);
    for (size_t i = 0; i < bytes; i++) block[i] = (uint8_t)number();
    for (size_t i = 0; i < n; i++) {
        uint8_t bit = (uint8_t)(1u << (offset + i) % 8);
        uint8_t *at = block + (offset + i) / 8;
        *at = (uint8_t)(bools[i] ? *at | bit : *at & ~bit);
    }
    assert_int_equal(dry_storage_adopt(block, bytes, block, free, NULL, &s), DRY_OK);
    struct dry_view v = dry_view_adopt(s);
    assert_int_equal(dry_bitmap_from_view(&v, offset, n, &b), DRY_OK);
    dry_view_unref(&v);
    return b;
}

static void expect(struct dry_bitmap *b, const bool *want, size_t n)
{
    bool got[MAX];
    size_t unset = 0, at = 0, next;
    assert_int_equal(b->len, n);
    dry_bitmap_to_bools(b, got);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(got[i], want[i]);
        assert_int_equal(dry_bitmap_get(b, i), want[i]);
        unset += !want[i];
    }
    assert_int_equal(dry_bitmap_count_unset(b), unset);
    assert_int_equal(dry_bitmap_count_set(b), n - unset);
    struct dry_bits it = dry_bits_of(b);
    for (size_t i = 0; i < n; i++)
        if (want[i]) {
            assert_true(dry_bits_next(&it, &next));
            assert_int_equal(next, i);
        }
    assert_false(dry_bits_next(&it, &next));
    for (size_t from = 0, run; dry_bitmap_next_run(b, &from, &run); from += run) {
        for (; at < from; at++) assert_false(want[at]);
        for (; at < from + run; at++) assert_true(want[at]);
        assert_true(at == n || !want[at]);
    }
    for (; at < n; at++) assert_false(want[at]);
}

static void every_length_and_offset_reads_like_the_model(void **state)
{
    bool bools[MAX];
    (void)state;
    for (size_t n = 0; n < 200; n++)
        for (size_t offset = 0; offset < 17; offset += 1 + offset / 8) {
            fill_bools(bools, n);
            struct dry_bitmap b = bitmap_of(bools, n, offset), back;
            expect(&b, bools, n);
            assert_int_equal(dry_bitmap_from_bools(bools, n, NULL, &back), DRY_OK);
            assert_true(dry_bitmap_equals(&b, &back));
            assert_int_equal(back.unset, b.unset);
            if (n > 0) {
                size_t i = below(n);
                assert_int_equal(dry_bitmap_set(&back, i, !bools[i], NULL), DRY_OK);
                assert_false(dry_bitmap_equals(&b, &back));
            }
            dry_bitmap_unref(&b), dry_bitmap_unref(&back);
        }
}

static void and_or_xor_not_work_over_unequal_offsets(void **state)
{
    (void)state;
    for (int round = 0; round < 400; round++) {
        bool x[MAX], y[MAX], want[MAX];
        size_t n = round < 200 ? (size_t)round : below(MAX);
        fill_bools(x, n), fill_bools(y, n);
        struct dry_bitmap a = bitmap_of(x, n, round % 3 ? below(20) : 0), b = bitmap_of(y, n, round % 3 ? below(20) : 0), c;
        (void)dry_bitmap_count_unset(&a);
        assert_int_equal(dry_bitmap_and(&a, &b, NULL, &c), DRY_OK);
        for (size_t i = 0; i < n; i++) want[i] = x[i] && y[i];
        expect(&c, want, n);
        dry_bitmap_unref(&c);
        assert_int_equal(dry_bitmap_or(&a, &b, NULL, &c), DRY_OK);
        for (size_t i = 0; i < n; i++) want[i] = x[i] || y[i];
        expect(&c, want, n);
        dry_bitmap_unref(&c);
        assert_int_equal(dry_bitmap_xor(&a, &b, NULL, &c), DRY_OK);
        for (size_t i = 0; i < n; i++) want[i] = x[i] != y[i];
        expect(&c, want, n);
        dry_bitmap_unref(&c);
        assert_int_equal(dry_bitmap_not(&a, NULL, &c), DRY_OK);
        assert_int_equal(c.unset, n - a.unset); /* known without counting */
        for (size_t i = 0; i < n; i++) want[i] = !x[i];
        expect(&c, want, n);
        if (n % 8) assert_int_equal(c.bytes.data[n / 8] >> n % 8, 0);
        dry_bitmap_unref(&c), dry_bitmap_unref(&a), dry_bitmap_unref(&b);
    }
}

static void a_slice_takes_the_count_along_where_that_is_cheap(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        bool bools[MAX];
        size_t n = below(MAX), from = below(n + 1), len = below(n - from + 1);
        if (round % 2) len = n - from;
        if (round % 4 == 3) from = below(n / 10 + 1), len = n - from;
        fill_bools(bools, n);
        struct dry_bitmap b = bitmap_of(bools, n, below(20)), part;
        assert_int_equal(dry_bitmap_slice(&b, from, len, &part), DRY_OK);
        assert_true(n == 0 || part.unset == DRY_BITS_UNKNOWN);
        dry_bitmap_unref(&part);
        size_t unset = dry_bitmap_count_unset(&b), little = n / 5 > 32 ? n / 5 : 32;
        assert_int_equal(dry_bitmap_slice(&b, from, len, &part), DRY_OK);
        bool known = len == n || unset == 0 || unset == n || n - len <= little;
        assert_int_equal(part.unset != DRY_BITS_UNKNOWN, known);
        expect(&part, bools + from, len);
        assert_true(part.bytes.len <= len / 8 + 2);
        dry_bitmap_unref(&part);
        struct dry_bitmap left, right;
        assert_int_equal(dry_bitmap_split_at(&b, from, &left, &right), DRY_OK);
        expect(&left, bools, from), expect(&right, bools + from, n - from);
        dry_bitmap_unref(&left), dry_bitmap_unref(&right), dry_bitmap_unref(&b);
    }
}

static void ranges_outside_are_refused(void **state)
{
    bool bools[20] = {false};
    struct dry_bitmap b = bitmap_of(bools, 20, 3), out = {.len = 99}, out2 = out;
    (void)state;
    assert_int_equal(dry_bitmap_slice(&b, 21, 0, &out), DRY_INVALID);
    assert_int_equal(dry_bitmap_slice(&b, 1, 20, &out), DRY_INVALID);
    assert_int_equal(dry_bitmap_slice(&b, 1, SIZE_MAX, &out), DRY_INVALID);
    assert_int_equal(dry_bitmap_split_at(&b, 21, &out, &out2), DRY_INVALID);
    assert_int_equal(dry_bitmap_from_view(&b.bytes, 5, 20, &out), DRY_INVALID); /* 3 bytes have 24 bits */
    assert_int_equal(dry_bitmap_from_view(&b.bytes, SIZE_MAX, 2, &out), DRY_INVALID);
    struct dry_bitmap other;
    assert_int_equal(dry_bitmap_slice(&b, 0, 19, &other), DRY_OK);
    assert_int_equal(dry_bitmap_and(&b, &other, NULL, &out), DRY_INVALID);
    assert_int_equal(out.len, 99);
    dry_bitmap_unref(&other), dry_bitmap_unref(&b);
}

static void changing_respects_the_offset_and_leaves_the_rest_alone(void **state)
{
    bool bools[16] = {false, false, false, false, true, true, true, true, true, false};
    struct dry_bitmap b, part, other;
    uint8_t *bytes;
    (void)state;
    assert_int_equal(dry_bitmap_from_bools(bools, 16, NULL, &b), DRY_OK);
    assert_int_equal(dry_bitmap_slice(&b, 4, 4, &part), DRY_OK);
    other = dry_bitmap_ref(&part);
    dry_bitmap_unref(&b);
    assert_int_equal(dry_bitmap_make_mut(&part, NULL, &bytes), DRY_OK); /* shared: copied, realigned */
    assert_int_equal(part.offset, 0);
    expect(&part, bools + 4, 4);
    assert_int_equal(dry_bitmap_make_mut(&other, NULL, &bytes), DRY_OK); /* now alone: in place */
    assert_int_equal(other.offset, 4);
    assert_int_equal(dry_bitmap_set(&other, 1, false, NULL), DRY_OK);
    bools[5] = false;
    expect(&other, bools + 4, 4);
    assert_int_equal(bytes[0] & 0x0f, 0);
    assert_int_equal(bytes[1], 1);
    dry_bitmap_unref(&part), dry_bitmap_unref(&other);
}

static void taking_back_gives_the_bits_of_the_slice(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        bool bools[MAX];
        size_t n = below(MAX), from = below(n + 1), len = below(n - from + 1);
        struct dry_bitmap b, part;
        struct dry_raw raw = {.len = 99};
        fill_bools(bools, n);
        assert_int_equal(dry_bitmap_from_bools(bools, n, NULL, &b), DRY_OK);
        assert_int_equal(dry_bitmap_slice(&b, from, len, &part), DRY_OK);
        if (n > 0) assert_int_equal(dry_bitmap_try_detach(&part, &raw), DRY_SHARED);
        dry_bitmap_unref(&b);
        assert_int_equal(dry_bitmap_try_detach(&part, &raw), DRY_OK);
        assert_int_equal(raw.len, (len + 7) / 8);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(((const uint8_t *)raw.at)[i / 8] >> i % 8 & 1, bools[from + i]);
        if (len % 8) assert_int_equal(((const uint8_t *)raw.at)[len / 8] >> len % 8, 0);
        dry_raw_release(&raw);
    }
}

static void bits_of_one_value_know_their_count(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n++)
        for (int value = 0; value < 2; value++) {
            bool want[MAX];
            struct dry_bitmap b;
            for (size_t i = 0; i < n; i++) want[i] = value;
            assert_int_equal(dry_bitmap_new(n, value, NULL, &b), DRY_OK);
            assert_int_equal(b.unset, value ? 0 : n);
            expect(&b, want, n);
            dry_bitmap_unref(&b);
        }
    struct dry_bitmap out = {.len = 99};
    struct ledger l = {.left = 0};
    const struct dry_allocator a = allocator_of(&l);
    assert_int_equal(dry_bitmap_new(9, true, &a, &out), DRY_NOMEM);
    assert_int_equal(dry_bitmap_new(9, false, &a, &out), DRY_NOMEM);
    assert_int_equal(out.len, 99);
    assert_int_equal(dry_bitmap_new(8, true, NULL, &out), DRY_OK);
    struct dry_bitmap shared = dry_bitmap_ref(&out), none = {.len = 99};
    assert_int_equal(dry_bitmap_set(&shared, 3, false, &a), DRY_NOMEM);
    assert_int_equal(dry_bitmap_not(&shared, &a, &none), DRY_NOMEM);
    assert_true(dry_bitmap_get(&shared, 3));
    assert_int_equal(shared.unset, 0);
    assert_int_equal(none.len, 99);
    dry_bitmap_unref(&shared), dry_bitmap_unref(&out);
}

static void large_bitmaps_count_over_all_their_rounds(void **state)
{
    struct dry_bitmap b, part;
    (void)state;
    assert_int_equal(dry_bitmap_new(1 << 20, true, NULL, &b), DRY_OK);
    for (size_t i = 0; i < 1 << 20; i += 4099) assert_int_equal(dry_bitmap_set(&b, i, false, NULL), DRY_OK);
    assert_int_equal(b.unset, 256);
    for (size_t from = 0; from < 70; from++) {
        assert_int_equal(dry_bitmap_slice(&b, from, 600000, &part), DRY_OK);
        assert_int_equal(part.unset, DRY_BITS_UNKNOWN);
        size_t want = from == 0 ? 147 : 146;
        assert_int_equal(dry_bitmap_count_unset(&part), want);
        dry_bitmap_unref(&part);
    }
    dry_bitmap_unref(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_and_offset_reads_like_the_model),
        cmocka_unit_test(and_or_xor_not_work_over_unequal_offsets),
        cmocka_unit_test(a_slice_takes_the_count_along_where_that_is_cheap),
        cmocka_unit_test(ranges_outside_are_refused),
        cmocka_unit_test(changing_respects_the_offset_and_leaves_the_rest_alone),
        cmocka_unit_test(taking_back_gives_the_bits_of_the_slice),
        cmocka_unit_test(bits_of_one_value_know_their_count),
        cmocka_unit_test(large_bitmaps_count_over_all_their_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

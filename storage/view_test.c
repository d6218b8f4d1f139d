/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "storage_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define WHY(k, cond)                                                                                                  \
    do {                                                                                                              \
        if (!(cond)) fail_msg("%s: not %s", (k)->why, #cond);                                                         \
    } while (0)

/* Bytes [from, from + len) of one of the kind, alone or with a second holder. */
static struct dry_view part_of(const struct test_kind *k, size_t from, size_t len)
{
    struct dry_view v = dry_view_adopt(made(k));
    if (!k->empty) WHY(k, dry_view_narrow(&v, from, len) == DRY_OK);
    return v;
}

static const struct {
    size_t from, len;
} parts[] = {{0, 16}, {0, 8}, {8, 8}, {4, 8}, {1, 5}, {16, 0}, {3, 0}};
enum { PARTS = sizeof parts / sizeof *parts };

/* ---- each operation on each kind, whole, sliced and empty ---- */
static void ref_and_slice_allocate_nothing_and_count_one(void **state)
{
    (void)state;
    for (const struct test_kind *k = test_kinds; k < test_kinds + TEST_KINDS; k++)
        for (size_t p = 0; p < PARTS; p++) {
            struct dry_view v = part_of(k, parts[p].from, parts[p].len), more, part, left, right, tail;
            size_t heap = heap_bytes(), half = v.len / 2;
            more = dry_view_ref(&v);
            WHY(k, dry_view_slice(&v, half, v.len - half, &part) == DRY_OK);
            WHY(k, dry_view_split_at(&v, half, &left, &right) == DRY_OK);
            WHY(k, dry_view_split_off(&more, half, &tail) == DRY_OK);
            WHY(k, dry_view_is_same(&part, &right) && dry_view_is_same(&more, &left) && tail.len == right.len);
            WHY(k, left.len + right.len == v.len && (v.len == 0 || right.data == v.data + half));
            WHY(k, dry_storage_refcount(v.storage) == (k->counted ? 6 : UINT64_MAX));
            WHY(k, heap_bytes() == heap);
            WHY(k, dry_view_offset(&v) == (k->empty ? 0 : parts[p].from));
            WHY(k, dry_view_is_sliced(&v) == (!k->empty && v.len != TEST_BYTES));
            dry_view_expand(&v);
            WHY(k, v.len == (k->empty ? 0 : TEST_BYTES - parts[p].from));
            dry_view_unref(&more), dry_view_unref(&part), dry_view_unref(&left);
            dry_view_unref(&right), dry_view_unref(&tail), dry_view_unref(&v);
            WHY(k, v.storage == NULL && v.len == 0);
        }
    assert_int_equal(test_ledger.out_bytes, 0);
}

static void make_mut_copies_only_what_is_not_the_callers(void **state)
{
    (void)state;
    for (const struct test_kind *k = test_kinds; k < test_kinds + TEST_KINDS; k++)
        for (size_t p = 0; p < 2 * PARTS; p++) {
            struct dry_view v = part_of(k, parts[p / 2].from, parts[p / 2].len), was = v, other = {0};
            if (p % 2) other = dry_view_ref(&v);
            bool own = k->writable && p % 2 == 0;
            void *bytes = &was;
            WHY(k, (dry_view_try_mut(&v) != NULL) == own);
            WHY(k, dry_view_make_mut(&v, NULL, &bytes) == DRY_OK);
            WHY(k, v.len == was.len && v.data == bytes);
            WHY(k, v.len == 0 || own == (bytes == was.data));
            WHY(k, v.len == 0 || memcmp(bytes, test_bytes + parts[p / 2].from, v.len) == 0);
            if (v.len > 0) memset(bytes, 0xee, v.len); /* static bytes are in read-only memory */
            WHY(k, other.len == 0 || memcmp(other.data, test_bytes + parts[p / 2].from, other.len) == 0);
            dry_view_unref(&other), dry_view_unref(&v);
        }
    assert_int_equal(test_ledger.out_bytes, 0);
}

static void any_exclusive_slice_of_whole_elements_comes_back(void **state)
{
    (void)state;
    for (const struct test_kind *k = test_kinds; k < test_kinds + TEST_KINDS; k++)
        for (size_t p = 0; p < PARTS; p++) {
            if (!k->elem_size) continue;
            struct dry_view v = part_of(k, parts[p].from, parts[p].len), was = v;
            struct dry_raw raw = {.len = 99};
            bool whole_elements = parts[p].from % k->elem_size == 0 && parts[p].len % k->elem_size == 0;
            struct dry_view other = dry_view_ref(&v);
            WHY(k, dry_view_try_detach(&v, k->elem_size, k->elem_size, &raw) == DRY_SHARED);
            dry_view_unref(&other);
            enum dry_status status = dry_view_try_detach(&v, k->elem_size, k->elem_size, &raw);
            WHY(k, status == (whole_elements ? DRY_OK : DRY_INVALID));
            if (status != DRY_OK) {
                WHY(k, dry_view_is_same(&v, &was) && v.storage == was.storage && raw.len == 99);
                dry_view_unref(&v);
                continue;
            }
            WHY(k, !v.storage && raw.len * k->elem_size == parts[p].len); /* the slice, not all there was */
            WHY(k, raw.at == was.data - parts[p].from);                  /* in the same room */
            WHY(k, memcmp(raw.at, test_bytes + parts[p].from, parts[p].len) == 0);
            dry_raw_release(&raw);
        }
    assert_int_equal(test_ledger.out_bytes, 0);
}

static void to_raw_takes_or_copies_and_lets_go_once(void **state)
{
    (void)state;
    for (const struct test_kind *k = test_kinds; k < test_kinds + TEST_KINDS; k++)
        for (size_t p = 0; p < 2 * PARTS; p++) {
            struct dry_view v = part_of(k, parts[p / 2].from, parts[p / 2].len), was = v, other = {0};
            struct dry_raw raw = {.len = 99};
            size_t elem = k->elem_size ? k->elem_size : 1, from = parts[p / 2].from;
            if (p % 2) other = dry_view_ref(&v);
            enum dry_status status = dry_view_to_raw(&v, elem, elem, &raw);
            if (was.len % elem != 0) {
                WHY(k, status == DRY_INVALID && dry_view_is_same(&v, &was) && raw.len == 99);
                dry_view_unref(&v), dry_view_unref(&other);
                continue;
            }
            WHY(k, status == DRY_OK && raw.kind == DRY_RAW_HEAP && raw.len * elem == was.len && !v.storage);
            WHY(k, (uintptr_t)raw.at % 64 == 0 && (was.len == 0 || memcmp(raw.at, test_bytes + from, was.len) == 0));
            if (other.storage && k->counted) WHY(k, dry_storage_is_exclusive(other.storage)); /* v's one is back */
            dry_raw_release(&raw);
            dry_view_unref(&other);
        }
    assert_int_equal(test_ledger.out_bytes, 0);
}

static void small_slices_show_what_they_pin_and_let_it_go(void **state)
{
    (void)state;
    for (const struct test_kind *k = test_kinds; k < test_kinds + TEST_KINDS; k++) {
        struct dry_view v = part_of(k, 4, 4), was = v;
        size_t room = k->elem_size == 4 ? 2 * TEST_BYTES : TEST_BYTES;
        WHY(k, dry_view_pinned_bytes(&v) == (k->counted ? room - 4 : 0));
        WHY(k, dry_view_compact(&v, NULL) == DRY_OK);
        WHY(k, dry_view_pinned_bytes(&v) == 0 && v.len == was.len);
        WHY(k, k->empty || memcmp(v.data, test_bytes + 4, 4) == 0);
        WHY(k, (v.storage == was.storage) == !k->counted);
        dry_view_unref(&v);
    }
    assert_int_equal(test_ledger.out_bytes, 0);
}

/* ---- ranges ---- */
static void ranges_outside_are_refused_without_overflow(void **state)
{
    static const size_t bad[][2] = {{17, 0}, {0, 17}, {16, 1}, {1, 16}, {1, SIZE_MAX}, {SIZE_MAX, 1}, {SIZE_MAX, SIZE_MAX}};
    struct dry_view v = dry_view_adopt(make_new()), out = {.len = 99}, out2 = out, none = {0};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(dry_view_slice(&v, bad[i][0], bad[i][1], &out), DRY_INVALID);
        assert_int_equal(dry_view_narrow(&v, bad[i][0], bad[i][1]), DRY_INVALID);
    }
    assert_int_equal(dry_view_split_at(&v, 17, &out, &out2), DRY_INVALID);
    assert_int_equal(dry_view_split_off(&v, SIZE_MAX, &out), DRY_INVALID);
    assert_int_equal(out.len, 99);
    assert_int_equal(v.len, TEST_BYTES);
    assert_true(dry_storage_is_exclusive(v.storage));
    assert_int_equal(dry_view_slice(&none, 0, 0, &out), DRY_OK); /* an empty view holds nothing */
    assert_null(out.storage);
    dry_view_expand(&none);
    assert_false(dry_view_is_sliced(&none));
    assert_int_equal(dry_view_offset(&none) + dry_view_pinned_bytes(&none), 0);
    assert_null(dry_view_try_mut(&none));
    dry_view_unref(&none);
    dry_view_unref(&v);
}

static void an_empty_slice_still_holds_its_storage(void **state)
{
    int released = 0;
    struct dry_storage *s;
    (void)state;
    assert_int_equal(dry_storage_adopt("abc", 3, &released, count_release, NULL, &s), DRY_OK);
    struct dry_view v = dry_view_adopt(s), end;
    assert_int_equal(dry_view_slice(&v, 3, 0, &end), DRY_OK);
    dry_view_unref(&v);
    assert_int_equal(released, 0);
    dry_view_unref(&end);
    assert_int_equal(released, 1);
}

/* ---- as elements ---- */
static void typed_access_looks_at_the_slice_not_at_the_storage(void **state)
{
    static const struct {
        const char *why;
        size_t from, len, elem;
        enum dry_status status;
        size_t n;
    } cases[] = {
        {"whole", 0, 16, 4, DRY_OK, 4},
        {"aligned slice", 4, 8, 4, DRY_OK, 2},
        {"begins between elements", 1, 5, 4, DRY_INVALID, 0},
        {"misaligned, right length", 2, 8, 4, DRY_INVALID, 0},
        {"a tail is left over", 0, 15, 4, DRY_INVALID, 0},
        {"aligned for four, not for eight", 4, 8, 8, DRY_INVALID, 0},
        {"nothing, misaligned", 3, 0, 4, DRY_INVALID, 0},
        {"nothing, aligned", 16, 0, 8, DRY_OK, 0},
        {"bytes", 3, 5, 1, DRY_OK, 5},
        {"one element", 0, 16, 16, DRY_OK, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_view v = dry_view_adopt(make_new());
        const void *first = NULL;
        size_t n = 99;
        assert_int_equal(dry_view_narrow(&v, cases[i].from, cases[i].len), DRY_OK);
        enum dry_status status = dry_view_elements(&v, cases[i].elem, cases[i].elem, &first, &n);
        if (status != cases[i].status) fail_msg("%s: %s", cases[i].why, dry_status_name(status));
        if (n != (status == DRY_OK ? cases[i].n : 99)) fail_msg("%s: %zu elements", cases[i].why, n);
        assert_int_equal(v.len, cases[i].len);
        dry_view_unref(&v);
    }
}

static void only_a_misaligned_view_is_copied_and_only_when_asked(void **state)
{
    struct dry_view v = dry_view_adopt(make_external()), was = v;
    const void *first;
    size_t n;
    (void)state;
    assert_int_equal(dry_view_align(&v, 64, NULL), DRY_OK);
    assert_ptr_equal(v.storage, was.storage);
    assert_int_equal(dry_view_narrow(&v, 2, 8), DRY_OK);
    assert_int_equal(dry_view_elements(&v, 4, 4, &first, &n), DRY_INVALID);
    struct ledger l = {.left = 0};
    const struct dry_allocator a = allocator_of(&l);
    assert_int_equal(dry_view_align(&v, 4, &a), DRY_NOMEM);
    assert_ptr_equal(v.storage, was.storage);
    assert_int_equal(dry_view_align(&v, 128, NULL), DRY_INVALID);
    assert_int_equal(dry_view_align(&v, 4, NULL), DRY_OK);
    assert_ptr_not_equal(v.storage, was.storage);
    assert_int_equal(dry_view_elements(&v, 4, 4, &first, &n), DRY_OK);
    assert_int_equal(n, 2);
    assert_memory_equal(first, test_bytes + 2, 8);
    dry_view_unref(&v);
}

#define DRY_NAME words
#define DRY_ELEM uint32_t
#include "typed.h"

static void a_typed_view_slices_and_iterates_by_elements(void **state)
{
    struct dry_view v = dry_view_adopt(make_new());
    struct words w, part, more, kept = {.bytes = {.len = 99}};
    uint32_t sum = 0, want = 0, x;
    (void)state;
    assert_int_equal(words_of(&v, &w), DRY_OK);
    assert_int_equal(words_len(&w), 4);
    assert_int_equal(words_slice(&w, 1, 2, &part), DRY_OK);
    for (const uint32_t *p = words_begin(&part); p != words_end(&part); p++) sum += *p;
    for (size_t i = 1; i < 3; i++) {
        memcpy(&x, test_bytes + 4 * i, sizeof x);
        assert_int_equal(words_at(&w, i), x);
        want += x;
    }
    assert_int_equal(sum, want);
    assert_int_equal(words_slice(&w, 3, 2, &kept), DRY_INVALID);
    assert_int_equal(words_slice(&w, 1, SIZE_MAX / 4 + 1, &kept), DRY_INVALID); /* times four it would be 0 */
    more = words_ref(&part);
    assert_int_equal(dry_storage_refcount(v.storage), 4);
    words_unref(&more), words_unref(&part), words_unref(&w);
    assert_int_equal(dry_view_narrow(&v, 1, 8), DRY_OK);
    assert_int_equal(words_of(&v, &kept), DRY_INVALID);
    assert_int_equal(kept.bytes.len, 99);
    dry_view_unref(&v);
}

/* ---- contents ---- */
static struct dry_view text(const char *s)
{
    struct dry_storage *storage;
    if (dry_storage_copy(s, strlen(s), NULL, &storage) != DRY_OK) abort();
    return dry_view_adopt(storage);
}

static void compare_orders_like_memcmp_and_then_by_length(void **state)
{
    static const char *const sorted[] = {"", "a", "a\x80", "aa", "ab", "b", "\xff"};
    (void)state;
    for (size_t i = 0; i < 7; i++)
        for (size_t j = 0; j < 7; j++) {
            struct dry_view a = text(sorted[i]), b = text(sorted[j]);
            int order = dry_view_compare(&a, &b);
            int want = i < j ? -1 : i > j;
            if (i == 2 && j == 3) want = 1; /* bytes are unsigned: 0x80 is above 'a' */
            if (i == 3 && j == 2) want = -1;
            if (i == 2 && j == 4) want = 1;
            if (i == 4 && j == 2) want = -1;
            assert_int_equal((order > 0) - (order < 0), want);
            assert_int_equal(dry_view_equals(&a, &b), i == j);
            assert_true(i != j || dry_view_hash(&a, 7) == dry_view_hash(&b, 7));
            dry_view_unref(&a), dry_view_unref(&b);
        }
}

static void hash_is_xxh64(void **state)
{
    uint8_t bytes[101];
    static const struct {
        size_t n;
        uint64_t seed, want;
    } cases[] = { /* from the reference implementation, 0.8.1 */
        {0, 0x0, 0xef46db3751d8e999},
        {1, 0x0, 0x1f25c8d0bc1f4bb6},
        {3, 0x0, 0x31d2363f52e564c9},
        {4, 0x7, 0xc46ae2a31c149ee1},
        {5, 0x0, 0xc7608efddb7051fe},
        {8, 0x0, 0xdab99d95c6f90092},
        {12, 0x8000000000000005, 0xfc7e854dae448b1b},
        {15, 0x0, 0x1b47cb8243cc8e32},
        {31, 0x1, 0xaaca4e41ffcae21c},
        {32, 0x0, 0x23c3c17ef790fd97},
        {33, 0x0, 0x50a7cfc7ba588784},
        {63, 0x9, 0x9b12b279a06e44d5},
        {64, 0x0, 0x0eb64b3ef6eeb01f},
        {100, 0x0, 0xa61f8d4c170fe531},
        {101, 0xffffffffffffffff, 0x34eab9d2a19a4d42},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7 + 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_view v = {NULL, cases[i].n ? bytes : NULL, cases[i].n};
        if (dry_view_hash(&v, cases[i].seed) != cases[i].want) fail_msg("%zu bytes", cases[i].n);
    }
}

/* ---- destructors, editing, failures ---- */
static int dropped;
static uint64_t dropped_sum;
static void drop_u32(void *elem)
{
    uint32_t x;
    memcpy(&x, elem, sizeof x);
    dropped++;
    dropped_sum += x;
}

static void trimming_destroys_what_is_cut_off_and_nothing_else(void **state)
{
    struct dry_raw raw = raw_16(DRY_RAW_HEAP, 4), back;
    struct dry_storage *s;
    void *bytes;
    (void)state;
    raw.drop = drop_u32;
    for (uint32_t i = 0; i < 4; i++) ((uint32_t *)raw.at)[i] = i + 1;
    dropped = 0, dropped_sum = 0;
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
    struct dry_view v = dry_view_adopt(s), other = dry_view_ref(&v);
    assert_int_equal(dry_view_make_mut(&v, NULL, &bytes), DRY_UNSUPPORTED); /* bits are not a copy of such elements */
    assert_int_equal(dry_view_to_raw(&v, 4, 4, &back), DRY_UNSUPPORTED);
    dry_view_unref(&other);
    assert_int_equal(dry_view_narrow(&v, 4, 8), DRY_OK);
    assert_int_equal(dry_view_compact(&v, NULL), DRY_UNSUPPORTED);
    assert_int_equal(dry_view_try_detach(&v, 4, 4, &back), DRY_OK);
    assert_int_equal(dropped, 2);
    assert_int_equal(dropped_sum, 1 + 4);
    assert_int_equal(((uint32_t *)back.at)[0], 2);
    dry_raw_release(&back);
    assert_int_equal(dropped_sum, 1 + 4 + 2 + 3);
}

static enum dry_status append_five(struct dry_raw *raw, void *arg)
{
    enum dry_status *result = arg;
    if (*result != DRY_OK) return *result;
    if (raw->len == raw->cap) { /* grows inside: own heap only, in this test */
        void *at = dry_block_resize(raw->at, raw->len * 4, 4 * raw->cap * 2 + 64, DRY_ALIGN, DRY_FRONT_BYTES);
        if (!at) return DRY_NOMEM;
        raw->at = at;
        raw->cap = raw->cap * 2 + 16;
    }
    ((uint32_t *)raw->at)[raw->len++] = 5;
    return DRY_OK;
}

static void an_edit_writes_back_also_after_growing_and_after_an_error(void **state)
{
    (void)state;
    for (int kind = DRY_RAW_HEAP; kind <= DRY_RAW_MEMORY; kind++) {
        struct dry_view v = dry_view_adopt(from_raw_16((enum dry_raw_kind)kind)), other = dry_view_ref(&v);
        enum dry_status result = DRY_OK;
        assert_int_equal(dry_view_edit(&v, 4, 4, append_five, &result), DRY_SHARED);
        dry_view_unref(&other);
        assert_int_equal(dry_view_edit(&v, 4, 4, append_five, &result), DRY_OK);
        for (int i = 0; kind == DRY_RAW_HEAP && i < 100; i++)
            assert_int_equal(dry_view_edit(&v, 4, 4, append_five, &result), DRY_OK);
        size_t n = kind == DRY_RAW_HEAP ? 105 : 5;
        assert_int_equal(v.len, 4 * n);
        assert_memory_equal(v.data, test_bytes, TEST_BYTES);
        assert_int_equal(((const uint32_t *)(const void *)v.data)[n - 1], 5);
        result = DRY_FULL;
        assert_int_equal(dry_view_edit(&v, 4, 4, append_five, &result), DRY_FULL);
        assert_int_equal(v.len, 4 * n);
        assert_true(dry_storage_is_exclusive(v.storage));
        dry_view_unref(&v);
    }
    struct dry_view none = {0};
    enum dry_status result = DRY_OK;
    assert_int_equal(dry_view_edit(&none, 4, 4, append_five, &result), DRY_OK); /* of nothing: a new room */
    assert_int_equal(none.len, 4);
    dry_view_unref(&none);
    assert_int_equal(test_ledger.out_bytes, 0);
}

static void without_memory_a_view_stays_as_it_was(void **state)
{
    struct ledger l = {.left = 0};
    const struct dry_allocator a = allocator_of(&l);
    void *bytes = NULL;
    (void)state;
    for (const struct test_kind *k = test_kinds; k < test_kinds + TEST_KINDS; k++) {
        struct dry_view v = part_of(k, 4, 8), was = v, other = dry_view_ref(&v);
        if (k->empty) continue;
        WHY(k, dry_view_make_mut(&v, &a, &bytes) == DRY_NOMEM);
        WHY(k, dry_view_compact(&v, &a) == (k->counted ? DRY_NOMEM : DRY_OK));
        WHY(k, dry_view_is_same(&v, &was) && v.storage == was.storage && !bytes);
        WHY(k, dry_storage_refcount(v.storage) == (k->counted ? 2 : UINT64_MAX));
        dry_view_unref(&v), dry_view_unref(&other);
    }
    enum dry_status result = DRY_OK;
    struct dry_view v = dry_view_adopt(make_raw_allocator()), was = v;
    test_ledger.left = 0;
    assert_int_equal(dry_view_edit(&v, 4, 4, append_five, &result), DRY_NOMEM);
    test_ledger.left = 1 << 30;
    assert_true(dry_view_is_same(&v, &was));
    dry_view_unref(&v);
    assert_int_equal(l.out_bytes + test_ledger.out_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ref_and_slice_allocate_nothing_and_count_one),
        cmocka_unit_test(make_mut_copies_only_what_is_not_the_callers),
        cmocka_unit_test(any_exclusive_slice_of_whole_elements_comes_back),
        cmocka_unit_test(to_raw_takes_or_copies_and_lets_go_once),
        cmocka_unit_test(small_slices_show_what_they_pin_and_let_it_go),
        cmocka_unit_test(ranges_outside_are_refused_without_overflow),
        cmocka_unit_test(an_empty_slice_still_holds_its_storage),
        cmocka_unit_test(typed_access_looks_at_the_slice_not_at_the_storage),
        cmocka_unit_test(only_a_misaligned_view_is_copied_and_only_when_asked),
        cmocka_unit_test(a_typed_view_slices_and_iterates_by_elements),
        cmocka_unit_test(compare_orders_like_memcmp_and_then_by_length),
        cmocka_unit_test(hash_is_xxh64),
        cmocka_unit_test(trimming_destroys_what_is_cut_off_and_nothing_else),
        cmocka_unit_test(an_edit_writes_back_also_after_growing_and_after_an_error),
        cmocka_unit_test(without_memory_a_view_stays_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Foreign arrays: their sizes, their slices, and what is refused.
 */
#define _GNU_SOURCE
#include "array_testing.h"
#include "../base/check.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- foreign arrays ---- */
static void release_foreign(struct ArrowArray *a)
{
    a->release = NULL;
}

static struct ArrowArray foreign(int64_t length, int64_t offset, int64_t n_buffers, const void **buffers)
{
    return (struct ArrowArray){.length = length,
                               .null_count = -1,
                               .offset = offset,
                               .n_buffers = n_buffers,
                               .buffers = buffers,
                               .release = release_foreign};
}

static struct ArrowArray *parent(struct ArrowArray *a, int64_t n, struct ArrowArray **children)
{
    a->n_children = n;
    a->children = children;
    return a;
}

static const void *no_buffer[1];

/* A batch with one column. */
struct batch_of_one {
    struct ArrowArray root, *columns[1];
};

static const struct ArrowArray *batch_of(struct batch_of_one *b, struct ArrowArray *column)
{
    b->columns[0] = column;
    b->root = foreign(column ? column->length : 0, 0, 1, no_buffer);
    return parent(&b->root, 1, b->columns);
}

static void expect_import(struct test_table *t, const struct ArrowArray *in, const char *fault)
{
    struct dry_array untouched;
    memset(&untouched, 0x5a, sizeof untouched);
    memset(&t->array, 0x5a, sizeof t->array);
    enum dry_status status = dry_array_import(t->schema, in, &t->arena, &t->array, &t->err);
    if (!fault) {
        if (status != DRY_OK) fail_msg("refused: %s", t->err.text);
        return;
    }
    assert_int_equal(status, DRY_INVALID);
    if (!strstr(t->err.text, fault)) fail_msg("want '%s' in: %s", fault, t->err.text);
    assert_memory_equal(&t->array, &untouched, sizeof untouched);
    assert_int_equal(dry_array_import(t->schema, in, &t->arena, &t->array, NULL), DRY_INVALID);
}

/* ---- import: sizes ---- */
static void gives_buffers_their_sizes(void **state)
{
    (void)state;
    static const uint8_t bytes[4096]; /* offsets 0 */
    static const struct {
        const char *format;
        int64_t n_buffers, length, offset, validity, second;
    } cases[] = {
        {"b", 2, 9, 0, 2, 2},        {"b", 2, 9, 7, 2, 2},
        {"b", 2, 10, 7, 3, 3},       {"c", 2, 5, 3, 1, 8},
        {"s", 2, 5, 3, 1, 16},       {"i", 2, 5, 4, 2, 36},
        {"g", 2, 1, 0, 1, 8},        {"tin", 2, 2, 1, 1, 48},
        {"d:38,10", 2, 2, 1, 1, 48}, {"d:76,76,256", 2, 2, 1, 1, 96},
        {"w:5", 2, 3, 1, 1, 20},     {"w:0", 2, 3, 1, 1, 0},
        {"u", 3, 5, 3, 1, 36},       {"Z", 3, 5, 3, 1, 72},
        {"vu", 3, 5, 3, 1, 128},     {"e", 2, 5, 3, 1, 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test_table t;
        struct batch_of_one b;
        struct ArrowArray a =
            foreign(cases[i].length, cases[i].offset, cases[i].n_buffers, (const void *[]){bytes, bytes, bytes});
        test_open(&t, table_of(node(cases[i].format, "a")));
        expect_import(&t, batch_of(&b, &a), NULL);
        const struct dry_array *got = t.array.children;
        assert_int_equal(got->length, cases[i].length);
        assert_int_equal(got->offset, cases[i].offset);
        assert_int_equal(got->null_count, -1);
        assert_ptr_equal(got->buffers[0].data, bytes);
        assert_int_equal(got->buffers[0].len, cases[i].validity);
        assert_int_equal(got->buffers[1].len, cases[i].second);
        a.buffers = (const void *[]){NULL, bytes, bytes}; /* no bitmap: no nulls */
        expect_import(&t, batch_of(&b, &a), NULL);
        assert_int_equal(t.array.children[0].null_count, 0);
        assert_null(t.array.children[0].buffers[0].data);
        test_close(&t);
    }
}

static void reads_the_ends_of_offsets(void **state)
{
    (void)state;
    static const int32_t offsets[] = {9, 9, 2, 4, 4, 7, -3};
    struct test_table t;
    struct batch_of_one b;
    struct ArrowArray a = foreign(3, 2, 3, (const void *[]){NULL, offsets, "1234567"});
    test_open(&t, table_of(node("u", "a")));
    expect_import(&t, batch_of(&b, &a), NULL);
    assert_int_equal(t.array.children[0].buffers[1].len, 24);
    assert_int_equal(t.array.children[0].buffers[2].len, 7);
    assert_int_equal(dry_array_verify(t.schema, &t.array, NULL, &t.err), DRY_OK);
    a.buffers = (const void *[]){NULL, offsets, NULL};
    expect_import(&t, batch_of(&b, &a), "column 'a' (utf8): buffer 2 is missing (NULL)");
    a.length = 4;
    expect_import(&t, batch_of(&b, &a), "column 'a' (utf8): its offsets lead from 2 to -3");
    a.length = 1;
    a.offset = 1;
    expect_import(&t, batch_of(&b, &a), "its offsets lead from 9 to 2");
    test_close(&t);
}

static void looks_at_no_pointer_of_an_empty_array(void **state)
{
    (void)state;
    struct test_table t;
    test_open(&t, node_all_types());
    test_fill_table(&t, 0, true);
    struct ArrowArray all;
    assert_int_equal(dry_array_export(&t.array, NULL, 0, NULL, &all), DRY_OK);
    for (int64_t i = 0; i < all.n_children; i++) {
        struct ArrowArray *c = all.children[i];
        const void **was = c->buffers;
        c->buffers = NULL;
        c->offset = 77; /* of no meaning */
        expect_import(&t, &all, NULL);
        assert_int_equal(t.array.children[i].offset, 0);
        assert_int_equal(t.array.children[i].null_count, 0);
        c->buffers = was;
    }
    all.release(&all);
    test_close(&t);
}

static void imports_views_with_their_buffers(void **state)
{
    (void)state;
    static const uint8_t views[32];
    static const int64_t lengths[] = {7, 0, 1};
    const void *buffers[] = {NULL, views, "1234567", NULL, "1", lengths};
    struct test_table t;
    struct batch_of_one b;
    struct ArrowArray a = foreign(2, 0, 6, buffers);
    test_open(&t, table_of(node("vu", "a")));
    expect_import(&t, batch_of(&b, &a), NULL);
    assert_int_equal(t.array.children[0].n_variadic, 3);
    assert_int_equal(t.array.children[0].variadic[0].len, 7);
    assert_int_equal(t.array.children[0].variadic[2].len, 1);
    a.n_buffers = 3;
    buffers[2] = NULL; /* no buffers: their lengths may be missing too */
    expect_import(&t, batch_of(&b, &a), NULL);
    assert_int_equal(t.array.children[0].n_variadic, 0);
    a.n_buffers = 4;
    buffers[2] = "x";
    buffers[3] = NULL;
    expect_import(&t, batch_of(&b, &a), "the lengths of its view buffers are missing");
    buffers[3] = &(int64_t){-1};
    expect_import(&t, batch_of(&b, &a), "its view buffer 0 has -1 bytes");
    buffers[2] = NULL;
    buffers[3] = &(int64_t){1};
    expect_import(&t, batch_of(&b, &a), "its view buffer 0 has 1 bytes and is missing");
    a.n_buffers = 2;
    expect_import(&t, batch_of(&b, &a), "the array has 2 buffers, its type has 3 or more");
    test_close(&t);
}

/* Polars exports null columns so, and Arrow C++ did. */
static void null_columns_may_have_a_buffer(void **state)
{
    (void)state;
    struct test_table t;
    struct batch_of_one b;
    struct ArrowArray a = foreign(INT64_MAX, 0, 1, no_buffer);
    test_open(&t, table_of(node("n", "a")));
    expect_import(&t, batch_of(&b, &a), NULL);
    assert_int_equal(t.array.children[0].null_count, INT64_MAX);
    a.n_buffers = 0;
    a.buffers = NULL;
    expect_import(&t, batch_of(&b, &a), NULL);
    a.n_buffers = 2;
    expect_import(&t, batch_of(&b, &a), "the array has 2 buffers, its type has 0");
    test_close(&t);
}

/* ---- import: slices ---- */
/* Slices at each offset show what the whole shows there: all through struct, list, fixed-size list and bitmaps. */
static void honours_offsets(void **state)
{
    (void)state;
    enum { N = 40 };
    struct test_table t;
    struct ArrowArray all, again;
    struct dry_array back;
    test_open(&t, node_all_types());
    test_fill_table(&t, N, true);
    assert_int_equal(dry_array_export(&t.array, NULL, 0, NULL, &all), DRY_OK);
    for (int64_t from = 0; from <= N; from++)
        for (int inside = 0; inside < 2; inside++) { /* the batch is sliced, or each of its columns */
            all.offset = inside ? 0 : from;
            all.length = N - from;
            for (int64_t i = 0; i < all.n_children; i++) {
                all.children[i]->offset = inside ? from : 0;
                all.children[i]->length = inside ? N - from : N;
                all.children[i]->null_count = -1;
            }
            expect_import(&t, &all, NULL);
            assert_int_equal(t.array.offset, from == N || inside ? 0 : from);
            if (dry_array_verify(t.schema, &t.array, NULL, &t.err) != DRY_OK) fail_msg("%s", t.err.text);
            assert_int_equal(dry_array_export(&t.array, NULL, 0, NULL, &again), DRY_OK);
            assert_int_equal(dry_array_import(t.schema, &again, &t.arena, &back, &t.err), DRY_OK);
            assert_true(test_same(&t.array, &back));
            again.release(&again);
            all.length++;
            expect_import(&t, &all, "its parent needs");
        }
    all.release(&all);
    test_close(&t);
}

static void measures_children_against_sliced_parents(void **state)
{
    (void)state;
    static const uint8_t values[64];
    static const int32_t offsets[] = {0, 9, 3, 5, 8};
    static const struct {
        const char *format;
        int64_t offset, length, n_buffers, need;
    } cases[] = {
        {"+s", 3, 4, 1, 7}, {"+w:3", 2, 2, 1, 12}, {"+w:3", 0, 0, 1, 0}, {"+l", 2, 2, 2, 8}, {"+l", 2, 1, 2, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int64_t child_offset = 0; child_offset < 6; child_offset += 5)
            for (int64_t missing = 0; missing < 2; missing++) {
                struct test_table t;
                struct batch_of_one b;
                struct ArrowArray child =
                    foreign(cases[i].need - missing, child_offset, 2, (const void *[]){NULL, values});
                struct ArrowArray a =
                    foreign(cases[i].length, cases[i].offset, cases[i].n_buffers, (const void *[]){NULL, offsets});
                if (child.length < 0) continue;
                test_open(&t, table_of(with_child(node(cases[i].format, "a"), node("C", "x"))));
                parent(&a, 1, (struct ArrowArray *[]){&child});
                expect_import(&t, batch_of(&b, &a),
                              !missing                  ? NULL
                              : cases[i].n_buffers == 2 ? "its offsets lead from"
                                                        : "its parent needs");
                test_close(&t);
            }
}

/* ---- import: hostile ---- */
static void refuses_impossible_arrays(void **state)
{
    (void)state;
    static const uint8_t bytes[64];
    static const void *const buffers[] = {bytes, bytes, bytes};
    static const struct {
        const char *fault;
        struct ArrowArray a;
    } cases[] = {
        {"length -1 at offset 0", {.length = -1, .n_buffers = 2}},
        {"length 1 at offset -1", {.length = 1, .offset = -1, .n_buffers = 2}},
        {"cannot be", {.length = INT64_MAX, .offset = 1, .n_buffers = 2}},
        {"cannot be", {.length = INT64_MAX / 2, .offset = INT64_MAX / 2, .n_buffers = 2}},
        {"cannot be", {.length = INT64_MAX / 4 + 1, .n_buffers = 2}},
        {"length 3 and null count 4", {.length = 3, .null_count = 4, .n_buffers = 2}},
        {"length 3 and null count -2", {.length = 3, .null_count = -2, .n_buffers = 2}},
        {"1 buffers, its type has 2", {.length = 3, .n_buffers = 1}},
        {"3 buffers, its type has 2", {.length = 3, .n_buffers = 3}},
        {"-1 buffers, its type has 2", {.length = 3, .n_buffers = -1}},
        {"has 1 children, its type has 0", {.length = 3, .n_buffers = 2, .n_children = 1}},
        {"has -1 children, its type has 0", {.length = 3, .n_buffers = 2, .n_children = -1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test_table t;
        struct batch_of_one b;
        struct ArrowArray a = cases[i].a;
        a.buffers = (const void **)(uintptr_t)buffers;
        a.release = release_foreign;
        test_open(&t, table_of(node("i", "a")));
        batch_of(&b, &a);
        b.root.length = 0;
        expect_import(&t, &b.root, "column 'a' (int32): ");
        expect_import(&t, &b.root, cases[i].fault);
        test_close(&t);
    }
}

static void refuses_what_is_missing(void **state)
{
    (void)state;
    static const uint8_t bytes[64];
    struct test_table t;
    struct batch_of_one b;
    struct ArrowArray a = foreign(3, 0, 2, (const void *[]){NULL, bytes}), dictionary = a;
    test_open(&t, table_of(node("i", "a")));
    batch_of(&b, NULL);
    expect_import(&t, &b.root, "column 'a' (int32): the array is missing (NULL)");
    batch_of(&b, &a);
    a.release = NULL;
    expect_import(&t, &b.root, "has been released");
    a.release = release_foreign;
    a.dictionary = &dictionary;
    expect_import(&t, &b.root, "the array has a dictionary, its type has none");
    a.dictionary = NULL;
    a.null_count = 2;
    expect_import(&t, &b.root, "2 nulls but no validity bitmap");
    a.null_count = 0;
    a.buffers = (const void *[]){bytes, NULL};
    expect_import(&t, &b.root, "buffer 1 is missing (NULL)");
    a.buffers = NULL;
    expect_import(&t, &b.root, "buffers are missing (NULL)");
    a.buffers = (const void *[]){NULL, bytes};
    expect_import(&t, &b.root, NULL);
    b.root.children = NULL;
    expect_import(&t, &b.root, "children are missing (NULL)");
    b.root.release = NULL;
    expect_import(&t, &b.root, "has been released");
    test_close(&t);
}

static void refuses_bad_dictionaries(void **state)
{
    (void)state;
    static const uint8_t bytes[64];
    struct test_table t;
    struct batch_of_one b;
    struct ArrowArray values = foreign(3, 2, 3, (const void *[]){NULL, bytes, bytes});
    struct ArrowArray a = foreign(5, 1, 2, (const void *[]){NULL, bytes});
    test_open(&t, table_of(with_dictionary(node("c", "a"), node("u", ""))));
    a.dictionary = &values;
    expect_import(&t, batch_of(&b, &a), NULL);
    assert_int_equal(t.array.children[0].dictionary->length, 3);
    assert_int_equal(t.array.children[0].dictionary->offset, 2);
    assert_ptr_equal(t.array.children[0].dictionary->field, t.schema->root.children[0].values);
    values.length = -3;
    expect_import(&t, batch_of(&b, &a), "dictionary of column 'a'");
    values.release = NULL;
    expect_import(&t, batch_of(&b, &a), "has been released");
    a.dictionary = NULL;
    expect_import(&t, batch_of(&b, &a), "the array's dictionary is missing");
    test_close(&t);
}

static void counts_every_product_without_overflow(void **state)
{
    (void)state;
    static const char *const formats[] = {"i", "g", "tin", "d:76,76,256", "w:16", "u", "U", "vu"};
    static const uint8_t bytes[64];
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        for (int shift = 0; shift < 2; shift++) {
            struct test_table t;
            struct batch_of_one b;
            int64_t n = INT64_MAX >> shift, n_buffers = strchr("uUv", formats[i][0]) ? 3 : 2;
            struct ArrowArray a = foreign(n, 0, n_buffers, (const void *[]){bytes, bytes, bytes});
            test_open(&t, table_of(node(formats[i], "a")));
            batch_of(&b, &a);
            b.root.length = 0;
            expect_import(&t, &b.root, "cannot be");
            test_close(&t);
        }
    struct test_table t;
    struct batch_of_one b;
    struct ArrowArray child = foreign(3, 0, 2, (const void *[]){bytes, bytes});
    struct ArrowArray lists = foreign(INT64_MAX / 8, 0, 1, no_buffer);
    test_open(&t, table_of(with_child(node("+w:9", "a"), node("C", "x"))));
    parent(&lists, 1, (struct ArrowArray *[]){&child});
    batch_of(&b, &lists);
    b.root.length = 0;
    expect_import(&t, &b.root, "more than can be counted");
    test_close(&t);
}

/* ---- memory that runs out ---- */
static void import_survives_every_shortage(void **state)
{
    (void)state;
    struct test_table t;
    struct ArrowArray all;
    test_open(&t, node_all_types());
    test_fill_table(&t, 9, true);
    assert_int_equal(dry_array_export(&t.array, NULL, 0, NULL, &all), DRY_OK);
    enum dry_status status = DRY_NOMEM;
    for (long left = 0; status != DRY_OK; left++) {
        struct scarce scarce;
        struct dry_arena arena;
        struct dry_array out;
        scarce_init(&scarce, left);
        dry_arena_init(&arena, &scarce.allocator);
        status = dry_array_import(t.schema, &all, &arena, &out, &t.err);
        if (status != DRY_OK) assert_int_equal(status, DRY_NOMEM);
        assert_true(left || status != DRY_OK);
        dry_arena_fini(&arena);
        assert_int_equal(scarce.live, 0);
    }
    all.release(&all);
    test_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_buffers_their_sizes),
        cmocka_unit_test(reads_the_ends_of_offsets),
        cmocka_unit_test(looks_at_no_pointer_of_an_empty_array),
        cmocka_unit_test(imports_views_with_their_buffers),
        cmocka_unit_test(null_columns_may_have_a_buffer),
        cmocka_unit_test(honours_offsets),
        cmocka_unit_test(measures_children_against_sliced_parents),
        cmocka_unit_test(refuses_impossible_arrays),
        cmocka_unit_test(refuses_what_is_missing),
        cmocka_unit_test(refuses_bad_dictionaries),
        cmocka_unit_test(counts_every_product_without_overflow),
        cmocka_unit_test(import_survives_every_shortage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

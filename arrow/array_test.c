/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Arrays beside the schema: import, decode, export.
 */
#define _GNU_SOURCE
#include "array_testing.h"
#include "../base/check.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- foreign arrays ---- */
static void release_foreign(struct ArrowArray *a) { a->release = NULL; }

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
        {"b", 2, 9, 0, 2, 2},       {"b", 2, 9, 7, 2, 2},         {"b", 2, 10, 7, 3, 3},       {"c", 2, 5, 3, 1, 8},
        {"s", 2, 5, 3, 1, 16},      {"i", 2, 5, 4, 2, 36},        {"g", 2, 1, 0, 1, 8},        {"tin", 2, 2, 1, 1, 48},
        {"d:38,10", 2, 2, 1, 1, 48}, {"d:76,76,256", 2, 2, 1, 1, 96}, {"w:5", 2, 3, 1, 1, 20},  {"w:0", 2, 3, 1, 1, 0},
        {"u", 3, 5, 3, 1, 36},      {"Z", 3, 5, 3, 1, 72},        {"vu", 3, 5, 3, 1, 128},     {"e", 2, 5, 3, 1, 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test_table t;
        struct batch_of_one b;
        struct ArrowArray a = foreign(cases[i].length, cases[i].offset, cases[i].n_buffers, (const void *[]){bytes, bytes, bytes});
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
static bool same(const struct dry_array *a, const struct dry_array *b)
{
    if (a->field != b->field || a->length != b->length || a->offset != b->offset) return false;
    if (a->n_variadic != b->n_variadic && a->length) return false;
    for (int i = 0; i < 3; i++)
        if (a->buffers[i].len && b->buffers[i].len && a->buffers[i].data != b->buffers[i].data) return false;
    for (int64_t i = 0; i < b->n_variadic; i++)
        if (a->variadic[i].len != b->variadic[i].len) return false;
    for (int64_t i = 0; i < a->field->n_children; i++)
        if (!same(a->children + i, b->children + i)) return false;
    return !a->dictionary || same(a->dictionary, b->dictionary);
}

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
            assert_true(same(&t.array, &back));
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
    } cases[] = {{"+s", 3, 4, 1, 7}, {"+w:3", 2, 2, 1, 12}, {"+w:3", 0, 0, 1, 0}, {"+l", 2, 2, 2, 8}, {"+l", 2, 1, 2, 5}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int64_t child_offset = 0; child_offset < 6; child_offset += 5)
            for (int64_t missing = 0; missing < 2; missing++) {
                struct test_table t;
                struct batch_of_one b;
                struct ArrowArray child = foreign(cases[i].need - missing, child_offset, 2, (const void *[]){NULL, values});
                struct ArrowArray a = foreign(cases[i].length, cases[i].offset, cases[i].n_buffers, (const void *[]){NULL, offsets});
                if (child.length < 0) continue;
                test_open(&t, table_of(with_child(node(cases[i].format, "a"), node("C", "x"))));
                parent(&a, 1, (struct ArrowArray *[]){&child});
                expect_import(&t, batch_of(&b, &a), !missing ? NULL : cases[i].n_buffers == 2 ? "its offsets lead from" : "its parent needs");
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

/* ---- decode ---- */
static struct test_batch batch; /* too large for the stack */

static void fill_columns(struct test_table *t, int64_t n)
{
    memset(&batch, 0, sizeof batch);
    for (int64_t i = 0; i < t->schema->root.n_children; i++) test_fill(&batch, t->schema->root.children + i, n, true);
}

static void expect_decode(struct test_table *t, int64_t rows, const char *fault)
{
    struct dry_array untouched;
    memset(&untouched, 0x5a, sizeof untouched);
    memset(&t->array, 0x5a, sizeof t->array);
    enum dry_status status = test_decode(t, &t->schema->root, &batch, rows, t->bodies + TEST_DICTIONARIES, &t->array);
    if (!fault) {
        if (status != DRY_OK) fail_msg("refused: %s", t->err.text);
        return;
    }
    assert_int_equal(status, DRY_CORRUPT);
    if (strncmp(t->err.text, "batch 3, ", 9) != 0 || !strstr(t->err.text, fault))
        fail_msg("want '%s' in: %s", fault, t->err.text);
    assert_memory_equal(&t->array, &untouched, sizeof untouched);
}

static void takes_exactly_what_the_schema_wants(void **state)
{
    (void)state;
    struct test_table t;
    test_open(&t, node_all_types());
    test_fill_table(&t, 9, true);
    fill_columns(&t, 9);
    expect_decode(&t, 9, NULL);
    const struct test_batch whole = batch;
    for (int64_t n = 0; n < whole.n_nodes; n++) {
        batch.n_nodes = n;
        expect_decode(&t, 9, "node");
    }
    batch = whole;
    for (int64_t n = 0; n < whole.n_places; n++) {
        batch.n_places = n;
        expect_decode(&t, 9, "the message has");
    }
    batch = whole;
    for (int64_t n = 0; n < whole.n_variadic; n++) {
        batch.n_variadic = n;
        expect_decode(&t, 9, "how many view buffers");
    }
    batch = whole;
    test_node(&batch, 9, 0);
    expect_decode(&t, 9, "1 nodes, 0 buffers and 0 view counts more than the schema");
    batch = whole;
    test_place(&batch, "", 1);
    expect_decode(&t, 9, "0 nodes, 1 buffers and 0 view counts more than the schema");
    batch = whole;
    batch.variadic[batch.n_variadic++] = 0;
    expect_decode(&t, 9, "0 nodes, 0 buffers and 1 view counts more than the schema");
    test_close(&t);
}

/* Every buffer one byte too short, and every column one row too long for the others. */
static void measures_every_buffer(void **state)
{
    (void)state;
    struct test_table t;
    test_open(&t, node_all_types());
    test_fill_table(&t, 17, true);
    fill_columns(&t, 17);
    const struct test_batch whole = batch;
    int refused = 0;
    for (int64_t i = 0; i < whole.n_places; i++) {
        batch = whole;
        if (batch.places[i].length-- == 0) continue;
        enum dry_status status = test_decode(&t, &t.schema->root, &batch, 17, t.bodies + TEST_DICTIONARIES, &t.array);
        /* the bytes of strings and views: only their offsets know, and the verifier reads them */
        if (status == DRY_OK) status = dry_array_verify(t.schema, &t.array, "batch 3", &t.err);
        assert_int_equal(status, DRY_CORRUPT);
        refused++;
    }
    assert_true(refused > 100);
    batch = whole;
    expect_decode(&t, 16, "it has 17 rows, the message has 16");
    expect_decode(&t, -1, "the message claims -1 rows");
    for (int64_t i = 0; i < whole.n_nodes; i++) {
        batch = whole;
        batch.nodes[i].length = INT64_MAX; /* only a child without bytes can be that long */
        if (test_decode(&t, &t.schema->root, &batch, 17, t.bodies + TEST_DICTIONARIES, &t.array) == DRY_OK)
            assert_int_equal(dry_array_verify(t.schema, &t.array, "batch 3", &t.err), DRY_OK);
        batch.nodes[i].length = -1;
        expect_decode(&t, 17, "it claims -1 elements");
        batch.nodes[i] = (struct dry_node){whole.nodes[i].length, -1};
        expect_decode(&t, 17, "and -1 nulls");
        batch.nodes[i].null_count = whole.nodes[i].length + 1;
        expect_decode(&t, 17, "nulls");
    }
    test_close(&t);
}

static void keeps_places_inside_the_body(void **state)
{
    (void)state;
    static const uint8_t values[8];
    static const struct {
        int64_t offset, length;
        const char *fault;
    } cases[] = {
        {1, 8, NULL},           {0, 9, NULL},           {2, 8, "outside"},          {-1, 8, "outside"},
        {1, -8, "outside"},     {1, INT64_MAX, "outside"}, {INT64_MAX, 8, "outside"}, {9, 8, "outside"},
        {INT64_MIN, 8, "outside"}, {1, 7, "its buffer 1 has 7 bytes, 8 elements need 8"}, {5, 0, "has 0 bytes, 8 elements need 8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test_table t;
        test_open(&t, table_of(node("c", "a")));
        memset(&batch, 0, sizeof batch);
        test_node(&batch, 8, 0);
        batch.places[batch.n_places++] = (struct dry_place){-5, 0}; /* no bytes: it stands nowhere */
        test_place(&batch, values, 8);
        batch.places[1] = (struct dry_place){cases[i].offset, cases[i].length};
        expect_decode(&t, 8, cases[i].fault);
        if (!cases[i].fault) assert_int_equal(t.array.children[0].buffers[1].len, 8);
        test_close(&t);
    }
}

static void refuses_bytes_claimed_twice(void **state)
{
    (void)state;
    static const uint8_t values[100];
    struct test_table t;
    test_open(&t, with_child(table_of(node("c", "a")), node("c", "b")));
    memset(&batch, 0, sizeof batch);
    for (int i = 0; i < 2; i++) {
        test_node(&batch, 100, 0);
        test_place(&batch, NULL, 0);
        test_place(&batch, values, 100);
    }
    expect_decode(&t, 100, NULL);
    batch.used = 110;
    batch.places[3] = batch.places[1];
    expect_decode(&t, 100, "column 'b' (int8): buffers overlap");
    test_close(&t);
}

static void wants_validity_where_there_are_nulls(void **state)
{
    (void)state;
    static const uint8_t values[16];
    struct test_table t;
    test_open(&t, table_of(node("c", "a")));
    for (int64_t nulls = 0; nulls < 2; nulls++)
        for (size_t bytes = 0; bytes < 3; bytes++) {
            memset(&batch, 0, sizeof batch);
            test_node(&batch, 9, nulls);
            test_place(&batch, values, bytes);
            test_place(&batch, values, 9);
            expect_decode(&t, 9, bytes == 1 ? "its buffer 0 has 1 bytes, 9 elements need 2" : nulls && !bytes ? "1 nulls but no validity" : NULL);
        }
    test_close(&t);
}

/* A schema of many fields costs a batch nothing unless its message has as many nodes. */
static void claims_of_children_are_paid_for(void **state)
{
    (void)state;
    struct test_table t;
    struct scarce scarce;
    struct dry_arena arena;
    test_open(&t, node_all_types());
    memset(&batch, 0, sizeof batch);
    struct dry_message m = test_message(&batch, 0);
    scarce_init(&scarce, 0);
    dry_arena_init(&arena, &scarce.allocator);
    assert_int_equal(dry_array_decode(t.schema, &t.schema->root, &m, NULL, t.dictionaries, "batch 3", &arena, &t.array, &t.err), DRY_CORRUPT);
    assert_non_null(strstr(t.err.text, "the message has 0 nodes left"));
    test_close(&t);
}

static void claims_of_view_buffers_are_paid_for(void **state)
{
    (void)state;
    static const int64_t counts[] = {-1, 2, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < 4; i++) {
        struct test_table t;
        test_open(&t, table_of(node("vu", "a")));
        memset(&batch, 0, sizeof batch);
        test_fill(&batch, t.schema->root.children, 5, false);
        batch.n_places--;
        batch.variadic[0] = counts[i];
        expect_decode(&t, 5, "view buffers, the message has 1 left");
        test_close(&t);
    }
}

static void is_lenient_with_empty_columns(void **state)
{
    (void)state;
    struct test_table t;
    test_open(&t, node_all_types()); /* and no dictionary came */
    memset(&batch, 0, sizeof batch);
    fill_columns(&t, 0);
    for (int64_t i = 0; i < batch.n_places; i++) batch.places[i] = (struct dry_place){0, 0}; /* no offsets either */
    expect_decode(&t, 0, NULL);
    assert_int_equal(dry_array_verify(t.schema, &t.array, "batch 3", &t.err), DRY_OK);
    test_close(&t);
}

static void wants_dictionaries_first(void **state)
{
    (void)state;
    struct test_table t;
    test_open(&t, table_of(with_dictionary(node("c", "a"), node("u", ""))));
    fill_columns(&t, 4);
    expect_decode(&t, 4, "column 'a' (dictionary<int8, utf8>): no dictionary came before it");
    struct dry_array values;
    const struct dry_field *root = t.schema->dictionaries[0].field->values;
    memset(&batch, 0, sizeof batch);
    test_fill(&batch, root, 4, false);
    assert_int_equal(test_decode(&t, root, &batch, 5, t.bodies, &values), DRY_CORRUPT);
    assert_non_null(strstr(t.err.text, "it has 4 values, the message has 5"));
    test_close(&t);
}

/* ---- memory that runs out ---- */
static void import_and_decode_survive_every_shortage(void **state)
{
    (void)state;
    struct test_table t;
    struct ArrowArray all;
    test_open(&t, node_all_types());
    test_fill_table(&t, 9, true);
    fill_columns(&t, 9);
    assert_int_equal(dry_array_export(&t.array, NULL, 0, NULL, &all), DRY_OK);
    struct dry_message m = test_message(&batch, 9);
    bool done = false;
    for (long left = 0; !done; left++) {
        struct scarce scarce;
        struct dry_arena arena;
        struct dry_array out;
        done = true;
        for (int which = 0; which < 2; which++) {
            scarce_init(&scarce, left);
            dry_arena_init(&arena, &scarce.allocator);
            enum dry_status status = which ? dry_array_import(t.schema, &all, &arena, &out, &t.err)
                                           : dry_array_decode(t.schema, &t.schema->root, &m, batch.body, t.dictionaries,
                                                              "batch 3", &arena, &out, &t.err);
            if (status != DRY_OK) assert_int_equal(status, DRY_NOMEM);
            done &= status == DRY_OK;
            dry_arena_fini(&arena);
            assert_int_equal(scarce.live, 0);
        }
        assert_true(left > 0 || !done);
    }
    all.release(&all);
    test_close(&t);
}

static void export_takes_one_allocation_or_nothing(void **state)
{
    (void)state;
    struct test_table t;
    struct scarce scarce;
    struct ArrowArray out = {.length = 77};
    struct dry_storage *hold;
    test_open(&t, node_all_types());
    test_fill_table(&t, 9, true);
    assert_int_equal(dry_storage_new(1, NULL, &hold), DRY_OK);
    scarce_init(&scarce, 0);
    assert_int_equal(dry_array_export(&t.array, &hold, 1, &scarce.allocator, &out), DRY_NOMEM);
    assert_int_equal(out.length, 77);
    assert_int_equal(dry_storage_refcount(hold), 1);
    scarce_init(&scarce, 1);
    assert_int_equal(dry_array_export(&t.array, &hold, 1, &scarce.allocator, &out), DRY_OK);
    assert_int_equal(dry_storage_refcount(hold), 2);
    out.release(&out);
    assert_null(out.release);
    assert_int_equal(scarce.live, 0);
    assert_int_equal(dry_storage_refcount(hold), 1);
    dry_storage_unref(hold);
    test_close(&t);
}

/* ---- export ---- */
static void what_is_exported_imports_as_it_was(void **state)
{
    (void)state;
    static const int64_t lengths[] = {0, 1, 8, 33};
    for (size_t i = 0; i < 8; i++) {
        struct test_table t;
        struct dry_array back;
        struct ArrowArray out;
        test_open(&t, node_all_types());
        test_fill_table(&t, lengths[i / 2], i % 2);
        assert_int_equal(dry_array_export(&t.array, NULL, 0, NULL, &out), DRY_OK);
        assert_int_equal(dry_array_import(t.schema, &out, &t.arena, &back, &t.err), DRY_OK);
        assert_true(same(&t.array, &back));
        if (dry_array_verify(t.schema, &back, NULL, &t.err) != DRY_OK) fail_msg("%s", t.err.text);
        out.release(&out);
        test_close(&t);
    }
}

static void check_required_buffers(const struct dry_field *f, const struct ArrowArray *a)
{
    static const uint8_t zeros[DRY_ALIGN];
    for (int64_t i = 1; i < a->n_buffers; i++) {
        assert_non_null(a->buffers[i]);
        assert_memory_equal(a->buffers[i], zeros, sizeof zeros);
    }
    if (a->n_buffers) assert_null(a->buffers[0]);
    assert_int_equal(a->null_count, 0);
    assert_int_equal(!a->dictionary, !f->values);
    for (int64_t i = 0; i < a->n_children; i++) check_required_buffers(f->children + i, a->children[i]);
    if (f->values) check_required_buffers(f->values, a->dictionary);
}

static void empty_columns_have_readable_buffers(void **state)
{
    (void)state;
    struct test_table t;
    struct ArrowArray out;
    test_open(&t, node_all_types()); /* without dictionaries: empty ones are made */
    memset(&batch, 0, sizeof batch);
    fill_columns(&t, 0);
    expect_decode(&t, 0, NULL);
    assert_int_equal(dry_array_export(&t.array, NULL, 0, NULL, &out), DRY_OK);
    check_required_buffers(&t.schema->root, &out);
    expect_import(&t, &out, NULL);
    out.release(&out);
    test_close(&t);
}

static void tells_null_counts(void **state)
{
    (void)state;
    struct test_table t;
    struct ArrowArray out;
    test_open(&t, with_child(table_of(node("c", "a")), node("n", "n")));
    test_fill_table(&t, 9, true);
    t.array.null_count = -1;
    t.array.children[0].null_count = -1;
    t.array.children[1].null_count = -1;
    assert_int_equal(dry_array_export(&t.array, NULL, 0, NULL, &out), DRY_OK);
    assert_int_equal(out.null_count, 0); /* no bitmap */
    assert_int_equal(out.children[0]->null_count, -1);
    assert_int_equal(out.children[1]->null_count, 9);
    out.release(&out);
    test_close(&t);
}

/* ---- life of what is exported ---- */
static struct ArrowArray move(struct ArrowArray *from)
{
    struct ArrowArray to = *from;
    from->release = NULL;
    return to;
}

struct exported_table {
    struct test_table t;
    struct scarce scarce;
    struct dry_storage *hold;
    bool *let_go;
    struct ArrowArray out;
};

static void note(void *flag) { *(bool *)flag = true; }

static void export_all(struct exported_table *e, bool *let_go)
{
    *let_go = false;
    test_open(&e->t, node_all_types());
    test_fill_table(&e->t, 9, true);
    scarce_init(&e->scarce, 1);
    assert_int_equal(dry_storage_adopt("bytes", 5, let_go, note, NULL, &e->hold), DRY_OK);
    assert_int_equal(dry_array_export(&e->t.array, &e->hold, 1, &e->scarce.allocator, &e->out), DRY_OK);
    dry_storage_unref(e->hold);
    e->let_go = let_go;
}

/* All children moved out, and of the last ones their children and dictionaries too; then let go in three orders. */
static void children_outlive_parents(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        struct exported_table e;
        struct ArrowArray moved[128];
        bool let_go;
        int64_t n = 0;
        export_all(&e, &let_go);
        for (int64_t i = 0; i < e.out.n_children; i++) {
            struct ArrowArray *c = e.out.children[i];
            if (i % 3 == 0) continue; /* stays where it is */
            if (i % 2 && c->n_children) moved[n++] = move(c->children[0]);
            if (i % 2 && c->dictionary) moved[n++] = move(c->dictionary);
            moved[n++] = move(c);
        }
        assert_true(n > 30);
        if (order == 0) e.out.release(&e.out);
        for (int64_t i = 0; i < n; i++) {
            struct ArrowArray *a = moved + (order == 2 ? n - 1 - i : i);
            assert_false(let_go);
            a->release(a);
            assert_null(a->release);
        }
        if (order) {
            assert_false(let_go);
            e.out.release(&e.out);
        }
        assert_true(let_go);
        assert_int_equal(e.scarce.live, 0);
        test_close(&e.t);
    }
}

static void *release_on_thread(void *array)
{
    struct ArrowArray *a = array;
    volatile uint8_t sink = 0;
    for (int64_t i = 0; i < a->n_buffers; i++)
        if (a->buffers[i]) sink = (uint8_t)(sink + (uintptr_t)a->buffers[i]); /* a last look into the block */
    a->release(a);
    return NULL;
}

static void any_thread_may_release(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    for (int round = 0; round < 20; round++) {
        struct exported_table e;
        struct ArrowArray moved[THREADS + 1];
        pthread_t threads[THREADS + 1];
        bool let_go;
        export_all(&e, &let_go);
        for (int i = 0; i < THREADS; i++) moved[i] = move(e.out.children[e.out.n_children - 1 - i]);
        moved[THREADS] = move(&e.out);
        for (int i = 0; i <= THREADS; i++) assert_int_equal(pthread_create(threads + i, NULL, release_on_thread, moved + i), 0);
        for (int i = 0; i <= THREADS; i++) pthread_join(threads[i], NULL);
        assert_true(let_go);
        assert_int_equal(e.scarce.live, 0);
        test_close(&e.t);
    }
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
        cmocka_unit_test(takes_exactly_what_the_schema_wants),
        cmocka_unit_test(measures_every_buffer),
        cmocka_unit_test(keeps_places_inside_the_body),
        cmocka_unit_test(refuses_bytes_claimed_twice),
        cmocka_unit_test(wants_validity_where_there_are_nulls),
        cmocka_unit_test(claims_of_children_are_paid_for),
        cmocka_unit_test(claims_of_view_buffers_are_paid_for),
        cmocka_unit_test(is_lenient_with_empty_columns),
        cmocka_unit_test(wants_dictionaries_first),
        cmocka_unit_test(import_and_decode_survive_every_shortage),
        cmocka_unit_test(export_takes_one_allocation_or_nothing),
        cmocka_unit_test(what_is_exported_imports_as_it_was),
        cmocka_unit_test(empty_columns_have_readable_buffers),
        cmocka_unit_test(tells_null_counts),
        cmocka_unit_test(children_outlive_parents),
        cmocka_unit_test(any_thread_may_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Batches out of messages: each node, place and count is taken once, and measured.
 */
#define _GNU_SOURCE
#include "array_testing.h"
#include "../base/check.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct test_batch batch; /* too large for the stack */

static void fill_columns(struct test_table *t, int64_t n)
{
    memset(&batch, 0, sizeof batch);
    for (int64_t i = 0; i < t->schema->root.n_children; i++)
        test_fill(&batch, t->schema->root.children + i, n, true);
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
        {8, 8, NULL},
        {0, 8, NULL},
        {0, 16, NULL},
        {8, 9, "outside"},
        {9, 8, "outside"},
        {16, 8, "outside"},
        {-8, 8, "outside"},
        {8, -8, "outside"},
        {8, INT64_MAX, "outside"},
        {INT64_MAX - 7, 8, "outside"},
        {INT64_MIN, 8, "outside"},
        {4, 8, "its buffer begins at 4, which is no multiple of 8"},
        {8, 7, "its buffer 1 has 7 bytes, 8 elements need 8"},
        {5, 0, "has 0 bytes, 8 elements need 8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test_table t;
        test_open(&t, table_of(node("c", "a")));
        memset(&batch, 0, sizeof batch);
        test_node(&batch, 8, 0);
        batch.places[batch.n_places++] = (struct dry_place){-5, 0}; /* no bytes: it stands nowhere */
        test_place(&batch, values, 8);
        assert_int_equal(batch.used, 16);
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
    batch.used = 190;
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
            expect_decode(&t, 9,
                          bytes == 1        ? "its buffer 0 has 1 bytes, 9 elements need 2"
                          : nulls && !bytes ? "1 nulls but no validity"
                                            : NULL);
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
    assert_int_equal(dry_array_decode(t.schema, &t.schema->root, &m, NULL, t.dictionaries, "batch 3", &arena,
                                      &t.array, &t.err),
                     DRY_CORRUPT);
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
    for (int64_t i = 0; i < batch.n_places; i++)
        batch.places[i] = (struct dry_place){0, 0}; /* no offsets either */
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
static void decode_survives_every_shortage(void **state)
{
    (void)state;
    struct test_table t;
    test_open(&t, node_all_types());
    test_fill_table(&t, 9, true);
    fill_columns(&t, 9);
    struct dry_message m = test_message(&batch, 9);
    enum dry_status status = DRY_NOMEM;
    for (long left = 0; status != DRY_OK; left++) {
        struct scarce scarce;
        struct dry_arena arena;
        struct dry_array out;
        scarce_init(&scarce, left);
        dry_arena_init(&arena, &scarce.allocator);
        status = dry_array_decode(t.schema, &t.schema->root, &m, batch.body, t.dictionaries, "batch 3", &arena, &out,
                                  &t.err);
        if (status != DRY_OK) assert_int_equal(status, DRY_NOMEM);
        assert_true(left || status != DRY_OK);
        dry_arena_fini(&arena);
        assert_int_equal(scarce.live, 0);
    }
    test_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_exactly_what_the_schema_wants),
        cmocka_unit_test(measures_every_buffer),
        cmocka_unit_test(keeps_places_inside_the_body),
        cmocka_unit_test(refuses_bytes_claimed_twice),
        cmocka_unit_test(wants_validity_where_there_are_nulls),
        cmocka_unit_test(claims_of_children_are_paid_for),
        cmocka_unit_test(claims_of_view_buffers_are_paid_for),
        cmocka_unit_test(is_lenient_with_empty_columns),
        cmocka_unit_test(wants_dictionaries_first),
        cmocka_unit_test(decode_survives_every_shortage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

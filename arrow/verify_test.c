/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The verifier: accepts whatever is legal, however odd, and refuses each fault with its column and row.
 */
#define _GNU_SOURCE
#include "verify_testing.h"

static void accepts_every_type(void **state)
{
    (void)state;
    static const int64_t lengths[] = {0, 1, 2, 7, 8, 9, 64, 65, 1500};
    for (size_t i = 0; i < 2 * sizeof lengths / sizeof *lengths; i++) {
        struct test_table t;
        test_open(&t, node_all_types());
        test_fill_table(&t, lengths[i / 2], i % 2);
        for (int32_t k = 0; k < t.schema->n_dictionaries; k++)
            assert_int_equal(dry_array_verify(t.schema, t.dictionaries[k], "dictionary", &t.err), DRY_OK);
        expect(&t, NULL);
    }
}

static void refuses_wrong_null_counts(void **state)
{
    (void)state;
    struct test_table t;
    for (int wrong = -1; wrong < 2; wrong++) {
        static const uint8_t values[100];
        begin(&t, table_of(node("c", "a")));
        place_bits(100, (int64_t[]){3, 99}, 2);
        batch.nodes[0].null_count += wrong;
        test_place(&batch, values, 100);
        decode(&t, 100);
        expect(&t, wrong > 0   ? "batch 3, column 'a' (int8): it claims 3 nulls, its bitmap has 2"
                   : wrong < 0 ? "it claims 1 nulls, its bitmap has 2"
                               : NULL);
    }
}

/* A column of n strings of 3 bytes, in which the end of `row` is damaged; by INT64_MIN: it becomes the lowest number.
 */
static void offsets_case(const char *format, int64_t n, int64_t row, int64_t by, bool null)
{
    struct test_table t;
    char fault[80];
    bool wide = format[0] == 'U' || format[0] == 'Z' || format[1] == 'L', list = format[0] == '+';
    int64_t width = wide ? 8 : 4;
    uint8_t *offsets = malloc((size_t)((n + 1) * width)), *data = malloc((size_t)n * 3 + 1);
    assert_true(offsets && data);
    memset(data, 'x', (size_t)n * 3 + 1);
    for (int64_t i = 0; i <= n; i++) {
        int64_t at = i * 3 + (i == row + 1 && by != INT64_MIN ? by : 0);
        if (i == row + 1 && by == INT64_MIN) at = wide ? INT64_MIN : INT32_MIN;
        memcpy(offsets + i * width, &at, (size_t)width);
    }
    begin(&t, list ? table_of(with_child(node(format, "a"), node("C", "item"))) : table_of(node(format, "a")));
    place_bits(n, &row, null);
    test_place(&batch, offsets, (size_t)((n + 1) * width));
    if (list) place_bits(n * 3, NULL, 0);
    test_place(&batch, data, (size_t)n * 3);
    free(offsets);
    free(data);
    decode(&t, n);
    /* where an offset is too small its own row ends before it begins, where it is too large the next one's does */
    snprintf(fault, sizeof fault, ", row %lld: its offsets lead from",
             (long long)(by < 0 || (row + 1) * 3 + by > n * 3 ? row : row + 1));
    expect(&t, row + 1 == n ? "its offsets lead from" : fault);
}

static void finds_the_row_of_a_bad_offset(void **state)
{
    (void)state;
    static const char *const formats[] = {"u", "U", "z", "Z", "+l", "+L"};
    static const int64_t rows[] = {0, 1, 5, 1022, 1023, 1024, 1025, 2047, 2998, 2999, 3000, 3001, 3002};
    static const int64_t by[] = {-4, 4, INT32_MIN / 2, 1 << 30, INT64_MIN};
    for (size_t f = 0; f < 6; f++)
        for (size_t r = 0; r < 13; r++)
            for (size_t k = 0; k < 5; k++)
                offsets_case(formats[f], 3003, rows[r], by[k], (r + k) % 2);
    offsets_case("u", 1, 0, 1, false);
    offsets_case("U", 1, 0, -4, false);
}

static void refuses_bad_ends(void **state)
{
    (void)state;
    static const struct {
        int32_t first, last;
        bool good;
    } cases[] = {{0, 5, true},  {2, 5, true},   {2, 2, true},  {5, 5, true},
                 {0, 6, false}, {-1, 5, false}, {3, 2, false}, {6, 6, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test_table t;
        begin(&t, table_of(node("u", "a")));
        place_bits(1, NULL, 0);
        test_place(&batch, &cases[i].first, 8);
        test_place(&batch, "stone", 5);
        decode(&t, 1);
        enum dry_status status = dry_array_check_ends(t.schema, &t.array, "batch 3", &t.err);
        assert_int_equal(status, cases[i].good ? DRY_OK : DRY_CORRUPT);
        if (!cases[i].good) assert_non_null(strstr(t.err.text, "batch 3, column 'a' (utf8): its offsets lead from"));
        expect(&t, cases[i].good ? NULL : "its offsets lead from");
    }
}

/* ---- dictionaries ---- */
static void index_case(const char *format, size_t width, int64_t values, int64_t index, int64_t row, bool null,
                       bool good)
{
    static const uint8_t zeros[70000];
    static uint8_t indices[3000 * 8];
    char fault[80];
    struct test_table t;
    begin(&t, table_of(with_dictionary(node(format, "a"), node("C", ""))));
    struct dry_array dictionary;
    place_bits(values, NULL, 0);
    test_place(&batch, zeros, (size_t)values);
    assert_int_equal(test_decode(&t, t.schema->dictionaries[0].field->values, &batch, values, t.bodies, &dictionary),
                     DRY_OK);
    t.dictionaries[0] = &dictionary;
    memset(&batch, 0, sizeof batch);
    memset(indices, 0, sizeof indices);
    memcpy(indices + (size_t)row * width, &index, width);
    place_bits(3000, &row, null);
    test_place(&batch, indices, 3000 * width);
    decode(&t, 3000);
    snprintf(fault, sizeof fault, "row %lld: its index", (long long)row);
    expect(&t, null || good ? NULL : fault);
}

static void judges_indices(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        size_t width;
        int64_t values, index;
        bool good;
    } cases[] = {
        {"c", 1, 100, 99, true},      {"c", 1, 100, 100, false},       {"c", 1, 100, -1, false},
        {"c", 1, 300, 127, true},     {"c", 1, 300, -128, false},      {"C", 1, 200, 199, true},
        {"C", 1, 200, 200, false},    {"C", 1, 256, 255, true},        {"C", 1, 300, 255, true},
        {"s", 2, 40000, 32767, true}, {"s", 2, 40000, -1, false},      {"s", 2, 300, 300, false},
        {"S", 2, 300, 299, true},     {"S", 2, 65535, 65535, false},   {"S", 2, 65536, 65535, true},
        {"i", 4, 300, 299, true},     {"i", 4, 300, 300, false},       {"i", 4, 300, -1, false},
        {"I", 4, 300, 299, true},     {"I", 4, 300, -1, false},        {"I", 4, 300, 1 << 30, false},
        {"l", 8, 300, 299, true},     {"l", 8, 300, INT64_MIN, false}, {"l", 8, 300, 1LL << 32, false},
        {"L", 8, 300, 299, true},     {"L", 8, 300, -1, false},        {"L", 8, 300, 1LL << 40, false},
    };
    static const int64_t rows[] = {0, 17, 1023, 1024, 2999};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t r = 0; r < 5; r++)
            for (int null = 0; null < 2; null++)
                index_case(cases[i].format, cases[i].width, cases[i].values, cases[i].index, rows[r], null,
                           cases[i].good);
}

static void wants_no_dictionary_where_all_is_null(void **state)
{
    (void)state;
    static const uint8_t none, indices[8] = {9, 9, 9, 9, 9};
    for (int lie = 0; lie < 2; lie++) {
        struct test_table t;
        uint8_t bits = lie ? 1 : none;
        begin(&t, table_of(with_dictionary(node("c", "a"), node("u", ""))));
        test_node(&batch, 5, 5);
        test_place(&batch, &bits, 1);
        test_place(&batch, indices, 5);
        decode(&t, 5);
        assert_null(t.array.children[0].dictionary);
        if (lie) t.array.children[0].null_count = -1;
        expect(&t, lie ? "row 0: its index (0x9) is not one of a dictionary of 0" : NULL);
    }
}

/* ---- nesting ---- */
enum map_fault { MAP_GOOD, MAP_NULL_ENTRY, MAP_NULL_KEY, MAP_NULL_VALUE, MAP_HIDDEN_KEY };
static void map_case(enum map_fault which, const char *fault)
{
    static const int32_t offsets[] = {1, 2, 4};
    static const uint8_t values[5];
    struct test_table t;
    begin(&t, table_of(map_of(node("C", "key"), node("C", "value"), "m")));
    place_bits(2, NULL, 0);
    test_place(&batch, offsets, sizeof offsets);
    place_bits(5, (int64_t[]){2}, which == MAP_NULL_ENTRY);
    place_bits(5, (int64_t[]){which == MAP_HIDDEN_KEY ? 4 : 3}, which == MAP_NULL_KEY || which == MAP_HIDDEN_KEY);
    test_place(&batch, values, 5);
    place_bits(5, (int64_t[]){3}, which == MAP_NULL_VALUE);
    test_place(&batch, values, 5);
    decode(&t, 2);
    expect(&t, fault);
}

static void refuses_nulls_in_map_keys(void **state)
{
    (void)state;
    map_case(MAP_GOOD, NULL);
    map_case(MAP_NULL_VALUE, NULL);
    map_case(MAP_HIDDEN_KEY, NULL); /* behind the last entry that a row shows */
    map_case(MAP_NULL_ENTRY, "row 2: a map's entry is null");
    map_case(MAP_NULL_KEY, "row 3: a map's key is null");
}

/* Elements of the entries are counted from their own offset, and the keys' again from theirs. */
static void counts_map_entries_from_their_offset(void **state)
{
    (void)state;
    struct test_table t;
    test_open(&t, table_of(map_of(node("C", "key"), node("C", "value"), "m")));
    test_fill_table(&t, 10, false);
    struct dry_array *entries = t.array.children[0].children, *keys = entries->children;
    uint8_t bits[] = {0xff, 0xff, 0xff, 0xff}; /* 20 entries, in the last 10 of which the key at 19 is null */
    keys->buffers[0] = (struct dry_span){bits, 3};
    keys->null_count = -1;
    bits[2] = (uint8_t)~(1u << 3);
    t.array.length = t.array.children[0].length = 5; /* shows entries 0 to 9 */
    entries->length = 10;
    assert_int_equal(dry_array_verify(t.schema, &t.array, "batch 3", &t.err), DRY_OK);
    entries->offset = 10;
    expect(&t, "row 19: a map's key is null");
}

static void refuses_map_keys_without_a_type(void **state)
{
    (void)state;
    struct test_table t;
    test_open(&t, table_of(map_of(node("n", "key"), node("C", "value"), "m")));
    test_fill_table(&t, 3, false);
    expect(&t, "column 'm.entries.key' (null), row 0: a map's key is null");
}

static void measures_children_again(void **state)
{
    (void)state;
    for (int64_t shorter = 0; shorter < 2; shorter++)
        for (int column = 0; column < 3; column++) {
            struct test_table t;
            struct ArrowSchema *columns = with_child(node("+s", ""), with_child(node("+s", "a"), node("C", "x")));
            with_child(columns, with_child(node("+w:2", "b"), node("C", "x")));
            test_open(&t, with_child(columns, with_child(node("+l", "c"), node("C", "x"))));
            test_fill_table(&t, 9, true);
            t.array.children[column].children[0].length -= shorter;
            t.array.children[column].children[0].null_count = -1;
            enum dry_status status = dry_array_check_ends(t.schema, &t.array, "batch 3", &t.err);
            assert_int_equal(status, shorter ? DRY_CORRUPT : DRY_OK);
            expect(&t, !shorter     ? NULL
                       : column < 2 ? ".x' (uint8): it has"
                                    : "column 'c' (list<x: uint8>): its offsets");
        }
}

static void looks_into_all_children(void **state)
{
    (void)state;
    struct ArrowSchema *const columns[] = {
        table_of(
            with_child(with_child(node("+s", "s"), node("i", "x")), with_child(node("+s", "t"), node("u", "y")))),
        table_of(with_child(node("+l", "s"), node("u", "y"))),
        table_of(with_child(node("+w:2", "s"), with_child(node("+L", "y"), node("U", "y")))),
        table_of(map_of(node("i", "k"), node("u", "y"), "s")),
    };
    for (size_t i = 0; i < 4; i++) {
        struct test_table t;
        test_open(&t, columns[i]);
        test_fill_table(&t, 40, true);
        struct dry_array *deep = &t.array;
        while (deep->field->n_children)
            deep = deep->children + deep->field->n_children - 1;
        const uint8_t *offset = deep->buffers[1].data + (deep->field->layout == DRY_LAYOUT_BYTES64 ? 8 : 4) * 18;
        memset((uint8_t *)(uintptr_t)offset, 0xff, 4);
        expect(&t, ", row 17: its offsets lead from");
    }
}

static void walks_no_elements_without_bytes(void **state)
{
    (void)state;
    struct test_table t;
    int64_t most = INT64_MAX;
    struct ArrowSchema *columns = with_child(with_child(node("+s", ""), node("n", "n")), node("+s", "s"));
    with_child(with_child(columns, node("w:0", "w")), with_child(node("+w:0", "l"), node("i", "item")));
    begin(&t,
          with_child(columns, with_child(node("+w:1", "f"), with_child(node("+w:1", "item"), node("n", "item")))));
    test_node(&batch, most, most);
    for (int i = 0; i < 6; i++) {
        test_node(&batch, i == 3 ? 0 : most, 0);
        test_place(&batch, NULL, 0);
        if (i == 1 || i == 3) test_place(&batch, NULL, 0); /* w:0 and int32 have values, of no bytes */
    }
    test_node(&batch, most, most);
    decode(&t, most);
    expect(&t, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_every_type),
        cmocka_unit_test(refuses_wrong_null_counts),
        cmocka_unit_test(finds_the_row_of_a_bad_offset),
        cmocka_unit_test(refuses_bad_ends),
        cmocka_unit_test(judges_indices),
        cmocka_unit_test(wants_no_dictionary_where_all_is_null),
        cmocka_unit_test(refuses_nulls_in_map_keys),
        cmocka_unit_test(counts_map_entries_from_their_offset),
        cmocka_unit_test(refuses_map_keys_without_a_type),
        cmocka_unit_test(measures_children_again),
        cmocka_unit_test(looks_into_all_children),
        cmocka_unit_test(walks_no_elements_without_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

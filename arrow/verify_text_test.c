/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The verifier on text and views: null rows may hold anything, valid ones only what they should.
 */
#define _GNU_SOURCE
#include "verify_testing.h"

/* ---- text ---- */
/* A column of text, given row by row; row `null` (or none) is null. */
static void rows_table(struct test_table *t, const char *format, const char *const *rows, int64_t n, int64_t null)
{
    uint8_t *offsets = calloc((size_t)n + 1, 8), *data = malloc((size_t)n * 64);
    int64_t at = 0, width = format[0] == 'U' ? 8 : 4;
    assert_true(offsets && data);
    for (int64_t i = 0; i < n; i++) {
        memcpy(data + at, rows[i], strlen(rows[i]));
        at += (int64_t)strlen(rows[i]);
        memcpy(offsets + (i + 1) * width, &at, (size_t)width);
    }
    begin(t, table_of(node(format, "a")));
    place_bits(n, &null, null >= 0);
    test_place(&batch, offsets, (size_t)((n + 1) * width));
    test_place(&batch, data, (size_t)at);
    free(offsets);
    free(data);
    decode(t, n);
}

static void text_case(const char *format, const char *const *rows, int64_t n, int64_t null, const char *fault)
{
    struct test_table t;
    rows_table(&t, format, rows, n, null);
    expect(&t, fault);
}

static void judges_text_row_by_row(void **state)
{
    (void)state;
    const char *rows[3000], *broken[] = {"\xff", "a\xc3", "\xed\xa0\x80", "\xe2\x82", "\xa9"};
    static const int64_t places[] = {0, 1, 1023, 1024, 2999};
    for (int i = 0; i < 3000; i++)
        rows[i] = i % 50 ? "wall" : "\xf0\x9f\xaa\xa8";
    text_case("u", rows, 3000, -1, NULL);
    for (size_t p = 0; p < 5; p++)
        for (size_t k = 0; k < 5; k++) {
            char fault[80];
            const char *was = rows[places[p]], *format = k % 2 ? "u" : "U";
            rows[places[p]] = broken[k];
            snprintf(fault, sizeof fault, "row %lld: its text is not UTF-8", (long long)places[p]);
            text_case(format, rows, 3000, -1, fault);
            text_case(format, rows, 3000, places[p], NULL); /* anything may stand where the row is null */
            rows[places[p]] = was;
        }
}

static void judges_characters_over_two_rows(void **state)
{
    (void)state;
    const char *rows[3000];
    for (int i = 0; i < 3000; i++)
        rows[i] = "abc";
    /* together they are UTF-8, each by itself is not */
    rows[700] = "\xe2\x82";
    rows[701] = "\xac";
    text_case("u", rows, 3000, -1, "row 700: its text is not UTF-8");
    text_case("u", rows, 3000, 700, "row 701: its text is not UTF-8");
    text_case("u", rows, 3000, 701, "row 700: its text is not UTF-8");
    rows[700] = rows[701] = "abc";
    rows[0] = "\xe2\x82";
    rows[1] = "\xac";
    text_case("u", rows, 3000, -1, "row 0: its text is not UTF-8");
    rows[0] = rows[1] = "abc";
    rows[1023] = "\xe2\x82"; /* also where the rows are judged apart */
    rows[1024] = "\xac";
    text_case("U", rows, 3000, -1, "row 1023: its text is not UTF-8");
    text_case("U", rows, 3000, 1023, "row 1024: its text is not UTF-8");
    text_case("z", rows, 3000, -1, NULL); /* bytes are no text */
    for (int i = 0; i < 3000; i++)
        rows[i] = "";
    text_case("u", rows, 3000, -1, NULL);
}

static void ignores_bytes_that_no_row_shows(void **state)
{
    (void)state;
    static const int32_t offsets[] = {2, 5, 7};
    struct test_table t;
    begin(&t, table_of(node("u", "a")));
    place_bits(2, NULL, 0);
    test_place(&batch, offsets, sizeof offsets);
    test_place(&batch,
               "\xff\xff"
               "abc"
               "de"
               "\xff",
               8);
    decode(&t, 2);
    expect(&t, NULL);
}

/* ---- views ---- */
static void views_case(const char *format, const struct dry_bytes_view *view, bool null, const char *fault)
{
    static const char far[] = "a wall of dry stone \xc3\xa9\xff";
    struct dry_bytes_view views[3] = {{.length = 3, .u.inlined = "abc"}, {.length = 0}, *view};
    struct test_table t;
    begin(&t, table_of(node(format, "a")));
    place_bits(3, (int64_t[]){2}, null);
    test_place(&batch, views, sizeof views);
    test_place(&batch, NULL, 0);
    test_place(&batch, far, sizeof far - 1);
    batch.variadic[batch.n_variadic++] = 2;
    decode(&t, 3);
    expect(&t, null ? NULL : fault);
}

static void judges_views(void **state)
{
    (void)state;
    static const struct {
        struct dry_bytes_view view;
        const char *text_fault, *bytes_fault;
    } cases[] = {
        {{.length = 12, .u.inlined = "twelve bytes"}, NULL, NULL},
        {{.length = 7,
          .u.inlined = "sev\xc3\xa9"
                       "en"},
         NULL,
         NULL},
        {{.length = 7, .u.inlined = "sevene"}, NULL, NULL}, /* with a zero byte at its end */
        {{.length = 1, .u.inlined = "\xc3"}, "row 2: its text is not UTF-8", NULL},
        {{.length = 7, .u.inlined = "abcdef\xc3"}, "row 2: its text is not UTF-8", NULL},
        {{.length = 0, .u.inlined = "a"}, "row 2: there is more than zeros", "more than zeros"},
        {{.length = 3, .u.inlined = "seven"}, "row 2: there is more than zeros", "more than zeros"},
        {{.length = 8, .u.inlined = "eight or 9"}, "row 2: there is more than zeros", "more than zeros"},
        {{.length = 11, .u.inlined = "twelve bytes"}, "row 2: there is more than zeros", "more than zeros"},
        {{.length = 20, .u.far = {"a wa", 1, 0}}, NULL, NULL},
        {{.length = 22, .u.far = {"a wa", 1, 0}}, NULL, NULL},
        {{.length = 21, .u.far = {"a wa", 1, 0}}, "row 2: its text is not UTF-8", NULL},
        {{.length = 23, .u.far = {"a wa", 1, 0}}, "row 2: its text is not UTF-8", NULL},
        {{.length = 13, .u.far = {"all ", 1, 3}}, NULL, NULL},
        {{.length = 13, .u.far = {"alL ", 1, 3}}, "row 2: its prefix", "row 2: its prefix"},
        {{.length = 24, .u.far = {"a wa", 1, 0}}, "row 2: its 24 bytes at 0 lie", "row 2: its 24 bytes at 0 lie"},
        {{.length = 13, .u.far = {"a wa", 1, 11}}, "its 13 bytes at 11 lie", "its 13 bytes at 11 lie"},
        {{.length = 13, .u.far = {"a wa", 1, INT32_MAX}}, "lie outside", "lie outside"},
        {{.length = 13, .u.far = {"a wa", 1, -1}}, "its 13 bytes at -1 lie", "its 13 bytes at -1 lie"},
        {{.length = INT32_MAX, .u.far = {"a wa", 1, 0}}, "lie outside", "lie outside"},
        {{.length = 13, .u.far = {"a wa", 0, 0}}, "lie outside of view buffer 0, which has 0", "buffer 0"},
        {{.length = 13, .u.far = {"a wa", 2, 0}}, "row 2: it lies in view buffer 2 of 2", "view buffer 2 of 2"},
        {{.length = 13, .u.far = {"a wa", -1, 0}}, "row 2: it lies in view buffer -1", "view buffer -1"},
        {{.length = -1, .u.far = {"a wa", 1, 0}}, "row 2: its length is -1", "row 2: its length is -1"},
        {{.length = INT32_MIN, .u.far = {"a wa", 1, 0}}, "row 2: its length is -", "row 2: its length is -"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int null = 0; null < 2; null++) {
            views_case("vu", &cases[i].view, null, cases[i].text_fault);
            views_case("vz", &cases[i].view, null, cases[i].bytes_fault);
        }
}

enum { ROWS = 3000, BYTES = 30000, NOTHING = -1, ALL_ASCII = -2 };

/* All rows show `length` bytes at `offset` of one buffer, in which what must stand at `broken` (NOTHING, or
 * ALL_ASCII) is no UTF-8. */
static void same_bytes_table(struct test_table *t, int32_t offset, int32_t length, int32_t broken)
{
    struct dry_bytes_view *views = calloc(ROWS, sizeof *views);
    uint8_t *text = malloc(BYTES);
    assert_true(views && text);
    for (int i = 0; i < BYTES; i++)
        text[i] = broken == ALL_ASCII ? 'x' : (uint8_t)"\xe2\x82\xac"[i % 3];
    if (broken >= 0) text[broken] = 'x';
    for (int i = 0; i < ROWS; i++) {
        views[i].length = length;
        views[i].u.far.offset = offset;
        memcpy(views[i].u.far.prefix, text + offset, 4);
    }
    begin(t, table_of(node("vu", "a")));
    place_bits(ROWS, NULL, 0);
    test_place(&batch, views, ROWS * sizeof *views);
    test_place(&batch, text, BYTES);
    batch.variadic[batch.n_variadic++] = 1;
    free(views);
    free(text);
    decode(t, ROWS);
}

static void judges_rows_that_show_the_same_bytes(void **state)
{
    (void)state;
    static const struct {
        int32_t offset, length, broken;
        const char *fault;
    } cases[] = {
        {0, BYTES, NOTHING, NULL},
        {3, 300, NOTHING, NULL},
        {5, 301, ALL_ASCII, NULL},
        {BYTES - 30, 30, NOTHING, NULL},
        {4, 300, NOTHING, "row 0: its text is not UTF-8"},
        {3, 301, NOTHING, "row 0: its text is not UTF-8"},
        {5, 301, NOTHING, "row 0: its text is not UTF-8"},
        {3, 1020, 0, NULL}, /* what is broken is not shown, and of short rows there may be many */
        {3, 1020, 6, "row 0: its text is not UTF-8"},
        {3, 15000, 0, "row 128: too many long rows show the same bytes of view buffer 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct test_table t;
        same_bytes_table(&t, cases[i].offset, cases[i].length, cases[i].broken);
        expect(&t, cases[i].fault);
    }
}

static void says_when_memory_is_short(void **state)
{
    (void)state;
    struct scarce scarce;
    struct test_table t;
    same_bytes_table(&t, 3, 300, NOTHING);
    scarce_init(&scarce, 0);
    const struct dry_allocator *was = t.schema->arena.allocator;
    t.schema->arena.allocator = &scarce.allocator;
    assert_int_equal(dry_array_verify(t.schema, &t.array, "batch 3", &t.err), DRY_NOMEM);
    scarce_init(&scarce, 1);
    assert_int_equal(dry_array_verify(t.schema, &t.array, "batch 3", &t.err), DRY_OK);
    assert_int_equal(scarce.live, 0);
    t.schema->arena.allocator = was;
    test_close(&t);
}

/* Rows of a slice are counted from where it begins. */
static void counts_rows_of_slices(void **state)
{
    (void)state;
    const char *rows[3000];
    for (int i = 0; i < 3000; i++)
        rows[i] = i == 1500 ? "\xff" : "wall";
    for (int64_t offset = 0; offset < 3000; offset += 300) {
        struct test_table t;
        char fault[80];
        rows_table(&t, "u", rows, 3000, -1);
        t.array.children[0].offset = offset;
        t.array.length = t.array.children[0].length = 3000 - offset;
        snprintf(fault, sizeof fault, "row %lld: its text is not UTF-8", (long long)(1500 - offset));
        expect(&t, offset > 1500 ? NULL : fault);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_text_row_by_row),
        cmocka_unit_test(judges_characters_over_two_rows),
        cmocka_unit_test(ignores_bytes_that_no_row_shows),
        cmocka_unit_test(judges_views),
        cmocka_unit_test(judges_rows_that_show_the_same_bytes),
        cmocka_unit_test(says_when_memory_is_short),
        cmocka_unit_test(counts_rows_of_slices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

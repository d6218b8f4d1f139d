/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * For tests and fuzzers only: batches that are put together by hand, or filled with valid values of any type.
 */
#ifndef DRY_ARROW_ARRAY_TESTING_H
#define DRY_ARROW_ARRAY_TESTING_H

#include "array.h"
#include "schema_testing.h"
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a test relies on, as opposed to what it tests; not an assertion of cmocka because fuzzers need it too. */
static inline void test_demand(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "the test itself is wrong: %s\n", what);
    abort();
}

/* ---- batches ---- */
enum { TEST_BODY = 1 << 20, TEST_PARTS = 512 };
struct test_batch {
    struct dry_node nodes[TEST_PARTS];
    struct dry_place places[TEST_PARTS];
    int64_t variadic[TEST_PARTS], n_nodes, n_places, n_variadic, used;
    uint8_t body[TEST_BODY];
};

static inline void test_node(struct test_batch *b, int64_t length, int64_t null_count)
{
    b->nodes[b->n_nodes++] = (struct dry_node){length, null_count};
}

/* The next buffer, at the next multiple of 8 that is none of 16: the least alignment that IPC allows. */
static inline void test_place(struct test_batch *b, const void *bytes, size_t n)
{
    int64_t at = (b->used + 7) / 16 * 16 + 8;
    test_demand(at + (int64_t)n < TEST_BODY, "too many bytes");
    b->places[b->n_places++] = (struct dry_place){at, (int64_t)n};
    if (n) memcpy(b->body + at, bytes, n);
    b->used = at + (int64_t)n;
}

static inline struct dry_message test_message(struct test_batch *b, int64_t length)
{
    return (struct dry_message){.kind = DRY_MESSAGE_BATCH,
                                .body_bytes = b->used,
                                .length = length,
                                .n_nodes = b->n_nodes,
                                .n_places = b->n_places,
                                .n_variadic = b->n_variadic,
                                .nodes = b->nodes,
                                .places = b->places,
                                .variadic = b->variadic};
}

/* ---- valid values: every third is null, if any ---- */
enum { TEST_DICTIONARY_LENGTH = 5 };

static inline void test_fill_validity(struct test_batch *b, int64_t n, bool nulls)
{
    int64_t count = 0, bytes = (n + 7) / 8;
    uint8_t *bits = calloc(1, (size_t)bytes + 1);
    test_demand(bits, "memory");
    for (int64_t i = 0; i < n; i++)
        if (i % 3 == 1)
            count++;
        else
            bits[i / 8] |= (uint8_t)(1u << i % 8);
    test_node(b, n, nulls ? count : 0);
    test_place(b, bits, nulls ? (size_t)bytes : 0);
    free(bits);
}

static inline size_t test_text(int64_t i, char *out, size_t size)
{
    static const char *const texts[] = {"", "\xc3\xa9\xe2\x82\xac", "\xf0\x9f\xaa\xa8 stone wall dry ", "wall"};
    return (size_t)snprintf(out, size, "%s%lld", texts[i % 4], (long long)i);
}

static inline void test_fill_offsets(struct test_batch *b, bool wide, int64_t n, int64_t step)
{
    uint8_t *offsets = calloc((size_t)n + 1, 8);
    test_demand(offsets, "memory");
    for (int64_t i = 0; i <= n; i++) {
        int64_t at = i * step;
        memcpy(offsets + i * (wide ? 8 : 4), &at, wide ? 8 : 4);
    }
    test_place(b, offsets, (size_t)(n + 1) * (wide ? 8 : 4));
    free(offsets);
}

static inline void test_fill_bytes(struct test_batch *b, bool wide, int64_t n)
{
    uint8_t *offsets = calloc((size_t)n + 1, 8), *data = calloc((size_t)n + 1, 40);
    int64_t at = 0;
    test_demand(offsets && data, "memory");
    for (int64_t i = 0; i < n; i++) {
        at += (int64_t)test_text(i, (char *)data + at, 40);
        memcpy(offsets + (i + 1) * (wide ? 8 : 4), &at, wide ? 8 : 4);
    }
    test_place(b, offsets, (size_t)(n + 1) * (wide ? 8 : 4));
    test_place(b, data, (size_t)at);
    free(offsets);
    free(data);
}

/* Long bytes go into two buffers in turn. */
static inline void test_fill_views(struct test_batch *b, int64_t n)
{
    struct dry_bytes_view *views = calloc((size_t)n + 1, sizeof *views);
    uint8_t *data[2] = {calloc((size_t)n + 1, 40), calloc((size_t)n + 1, 40)};
    int32_t at[2] = {0, 0};
    test_demand(views && data[0] && data[1], "memory");
    for (int64_t i = 0; i < n; i++) {
        char text[40];
        int buffer = (int)(i % 2);
        size_t len = test_text(i, text, sizeof text);
        views[i].length = (int32_t)len;
        memcpy(views[i].u.inlined, text, len <= DRY_VIEW_INLINE ? len : 4);
        if (len <= DRY_VIEW_INLINE) continue;
        views[i].u.far.buffer = buffer;
        views[i].u.far.offset = at[buffer];
        memcpy(data[buffer] + at[buffer], text, len);
        at[buffer] += (int32_t)len;
    }
    test_place(b, views, (size_t)n * sizeof *views);
    for (int i = 0; i < 2 && n; i++)
        test_place(b, data[i], (size_t)at[i]);
    b->variadic[b->n_variadic++] = n ? 2 : 0;
    free(views);
    free(data[0]);
    free(data[1]);
}

static inline void test_fill_fixed(struct test_batch *b, const struct dry_field *f, int64_t n)
{
    size_t bytes = ((size_t)n * (size_t)f->bits + 7) / 8, width = (size_t)f->bits / 8;
    uint8_t *values = calloc(1, bytes + 1);
    test_demand(values, "memory");
    for (size_t i = 0; i < bytes; i++)
        values[i] = (uint8_t)(i * 37 + 11);
    if (f->values) memset(values, 0, bytes);
    for (int64_t i = 0; f->values && i < n; i++)
        values[(size_t)i * width] = (uint8_t)(i % TEST_DICTIONARY_LENGTH);
    test_place(b, values, bytes);
    free(values);
}

static inline void test_fill(struct test_batch *b, const struct dry_field *f, int64_t n, bool nulls)
{
    bool wide = f->layout == DRY_LAYOUT_BYTES64 || f->layout == DRY_LAYOUT_LIST64;
    int64_t below = n;
    if (f->layout == DRY_LAYOUT_NULL) {
        test_node(b, n, n);
        return;
    }
    test_fill_validity(b, n, nulls);
    switch (f->layout) {
    case DRY_LAYOUT_FIXED: test_fill_fixed(b, f, n); break;
    case DRY_LAYOUT_BYTES32:
    case DRY_LAYOUT_BYTES64: test_fill_bytes(b, wide, n); break;
    case DRY_LAYOUT_VIEW: test_fill_views(b, n); break;
    case DRY_LAYOUT_LIST32:
    case DRY_LAYOUT_LIST64:
        test_fill_offsets(b, wide, n, 2);
        below = n * 2;
        break;
    case DRY_LAYOUT_FIXED_LIST: below = n * f->list_size; break;
    default: break;
    }
    /* the entries and the keys of a map have no nulls */
    bool map = f->type == DRY_TYPE_MAP, entries = f->parent && f->parent->type == DRY_TYPE_MAP;
    for (int64_t i = 0; i < f->n_children; i++)
        test_fill(b, f->children + i, below, nulls && !map && !(entries && i == 0));
}

/* ---- decoded ---- */
enum { TEST_DICTIONARIES = 24 };
struct test_table {
    struct dry_schema *schema;
    struct dry_arena arena;
    struct dry_array array, *dictionaries[TEST_DICTIONARIES];
    uint8_t *bodies[TEST_DICTIONARIES + 1]; /* exactly as long as they are, so that a sanitizer sees one byte more */
    struct dry_error err;
};

/* Takes the schema, a struct, over. */
static inline void test_open(struct test_table *t, struct ArrowSchema *columns)
{
    memset(t, 0, sizeof *t);
    test_demand(dry_schema_import(columns, NULL, &t->schema, &t->err) == DRY_OK, t->err.text);
    test_demand(t->schema->n_dictionaries <= TEST_DICTIONARIES, "too many dictionaries");
    dry_arena_init(&t->arena, NULL);
    node_free(columns);
}

static inline struct ArrowSchema *table_of(struct ArrowSchema *column)
{
    return with_child(node("+s", ""), column);
}

static inline void test_close(struct test_table *t)
{
    for (int i = 0; i <= TEST_DICTIONARIES; i++)
        free(t->bodies[i]);
    dry_arena_fini(&t->arena);
    dry_schema_free(t->schema);
}

static inline enum dry_status test_decode(struct test_table *t, const struct dry_field *root, struct test_batch *b,
                                          int64_t length, uint8_t **body, struct dry_array *out)
{
    struct dry_message m = test_message(b, length);
    free(*body);
    *body = malloc((size_t)b->used + 1);
    test_demand(*body, "memory");
    memcpy(*body + 1, b->body, (size_t)b->used); /* at an odd address: nothing here may need another */
    return dry_array_decode(t->schema, root, &m, *body + 1, t->dictionaries, "batch 3", &t->arena, out, &t->err);
}

/* Valid dictionaries, and a valid batch of n rows, for any schema. */
static inline void test_fill_table(struct test_table *t, int64_t n, bool nulls)
{
    struct test_batch *b = calloc(1, sizeof *b);
    test_demand(b, "memory");
    for (int32_t i = t->schema->n_dictionaries; i-- > 0;) { /* inner ones stand behind those that use them */
        const struct dry_field *values = t->schema->dictionaries[i].field->values;
        struct dry_array *array = dry_arena_take(&t->arena, sizeof *array);
        memset(b, 0, sizeof *b);
        test_fill(b, values, TEST_DICTIONARY_LENGTH, nulls);
        test_demand(test_decode(t, values, b, TEST_DICTIONARY_LENGTH, t->bodies + i, array) == DRY_OK, t->err.text);
        t->dictionaries[i] = array;
    }
    memset(b, 0, sizeof *b);
    for (int64_t i = 0; i < t->schema->root.n_children; i++)
        test_fill(b, t->schema->root.children + i, n, nulls);
    test_demand(test_decode(t, &t->schema->root, b, n, t->bodies + TEST_DICTIONARIES, &t->array) == DRY_OK,
                t->err.text);
    free(b);
}

/* Same numbers, same bytes at the same addresses. Of what has no bytes the address does not count. */
static inline bool test_same(const struct dry_array *a, const struct dry_array *b)
{
    if (a->field != b->field || a->length != b->length || a->offset != b->offset) return false;
    if (a->n_variadic != b->n_variadic && a->length) return false;
    for (int i = 0; i < 3; i++)
        if (a->buffers[i].len && b->buffers[i].len && a->buffers[i].data != b->buffers[i].data) return false;
    for (int64_t i = 0; i < b->n_variadic; i++)
        if (a->variadic[i].len != b->variadic[i].len) return false;
    for (int64_t i = 0; i < a->field->n_children; i++)
        if (!test_same(a->children + i, b->children + i)) return false;
    return !a->dictionary || test_same(a->dictionary, b->dictionary);
}

#endif

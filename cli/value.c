/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "value.h"

#include <stdlib.h>
#include <string.h>

#include "scalar.h"

struct dry_shown {
    const struct ArrowSchema *schema;
    struct dry_scalar scalar;
    struct dry_shown *children;   /* schema->n_children of them */
    struct dry_shown *dictionary; /* of the values, or NULL */
};

static void init(struct dry_shown *c, const struct ArrowSchema *schema)
{
    c->schema = schema;
    c->scalar = dry_scalar_parse(schema->format);
    c->children = dry_cli_allocate((size_t)schema->n_children, sizeof *c->children);
    for (int64_t i = 0; i < schema->n_children; i++) init(&c->children[i], schema->children[i]);
    c->dictionary = schema->dictionary != NULL ? dry_shown_new(schema->dictionary) : NULL;
}

static void fini(struct dry_shown *c)
{
    for (int64_t i = 0; i < c->schema->n_children; i++) fini(&c->children[i]);
    free(c->children);
    dry_shown_free(c->dictionary);
}

struct dry_shown *dry_shown_new(const struct ArrowSchema *schema)
{
    struct dry_shown *c = dry_cli_allocate(1, sizeof *c);
    init(c, schema);
    return c;
}

void dry_shown_free(struct dry_shown *c)
{
    if (c == NULL) return;
    fini(c);
    free(c);
}

const struct dry_shown *dry_shown_child(const struct dry_shown *c, int64_t i)
{
    return &c->children[i];
}

bool dry_shown_is_number(const struct dry_shown *c)
{
    const struct dry_shown *values = c->dictionary != NULL ? c->dictionary : c;
    return values->scalar.type->shape == DRY_SHAPE_NUMBER || values->scalar.type->format[0] == 'd';
}

/* ---- where a value lies ---- */

static bool bit(const struct ArrowArray *array, int64_t buffer, int64_t at)
{
    return ((const uint8_t *)array->buffers[buffer])[at >> 3] >> (at & 7) & 1;
}

/* `at` counts from the start of the buffers, here and below. */
static bool is_null(const struct dry_shown *c, const struct ArrowArray *array, int64_t at)
{
    if (c->scalar.type->shape == DRY_SHAPE_NULL) return true;
    return array->null_count != 0 && array->n_buffers > 0 && array->buffers[0] != NULL && !bit(array, 0, at);
}

static const uint8_t *fixed(const struct ArrowArray *array, int64_t at, size_t width)
{
    return (const uint8_t *)array->buffers[1] + (size_t)at * width;
}

struct bytes {
    const uint8_t *data;
    size_t len;
};

/* 16 bytes: the length; then, if at most 12, the bytes; else 4 of them, the data buffer's number and the place. */
static struct bytes view_bytes(const struct ArrowArray *array, int64_t at)
{
    const uint8_t *view = fixed(array, at, 16);
    size_t len = (size_t)dry_load_unsigned(view, 4);
    if (len <= 12) return (struct bytes){view + 4, len};
    const uint8_t *data = array->buffers[2 + dry_load_unsigned(view + 8, 4)];
    return (struct bytes){data + dry_load_unsigned(view + 12, 4), len};
}

struct range {
    int64_t from, to;
};

static struct range offsets(const struct ArrowArray *array, int64_t at, size_t width)
{
    return (struct range){dry_load_signed(fixed(array, at, width), width),
                          dry_load_signed(fixed(array, at + 1, width), width)};
}

static struct bytes bytes_of(const struct dry_shown *c, const struct ArrowArray *array, int64_t at)
{
    size_t width = c->scalar.width;
    if (c->scalar.type->shape == DRY_SHAPE_FIXED_BINARY) return (struct bytes){fixed(array, at, width), width};
    if (width == 16) return view_bytes(array, at);
    struct range r = offsets(array, at, width);
    if (r.from == r.to) return (struct bytes){(const uint8_t *)"", 0}; /* no data buffer is needed then */
    return (struct bytes){(const uint8_t *)array->buffers[2] + r.from, (size_t)(r.to - r.from)};
}

/* The elements of a list or map, counted in its child. */
static struct range elements(const struct dry_shown *c, const struct ArrowArray *array, int64_t at)
{
    size_t width = c->scalar.width;
    if (c->scalar.type->shape != DRY_SHAPE_FIXED_LIST) return offsets(array, at, width);
    return (struct range){at * (int64_t)width, (at + 1) * (int64_t)width};
}

/* The index that a dictionary-encoded column holds: a value of the dictionary's array. */
static int64_t dictionary_index(const struct dry_shown *c, const struct ArrowArray *array, int64_t at)
{
    return (int64_t)dry_load_unsigned(fixed(array, at, c->scalar.width), c->scalar.width);
}

/* ---- text ---- */

static void text(const struct dry_shown *c, const struct ArrowArray *array, int64_t i, bool inside,
                 struct dry_text *out);

static void string_text(struct bytes b, bool inside, struct dry_text *out)
{
    bool reads_as_other = b.len == 0 || (b.len == 4 && memcmp(b.data, "null", 4) == 0);
    const char *quote = inside || reads_as_other ? "\"" : "";
    dry_text_puts(out, quote);
    dry_text_escape(out, b.data, b.len, inside ? DRY_ESCAPE_QUOTED : DRY_ESCAPE_PLAIN);
    dry_text_puts(out, quote);
}

static void list_text(const struct dry_shown *c, const struct ArrowArray *array, int64_t at, struct dry_text *out)
{
    struct range r = elements(c, array, at);
    dry_text_puts(out, "[");
    for (int64_t k = r.from; k < r.to && !out->cut; k++) {
        if (k > r.from) dry_text_puts(out, ", ");
        text(&c->children[0], array->children[0], k, true, out);
    }
    dry_text_puts(out, "]");
}

static void struct_text(const struct dry_shown *c, const struct ArrowArray *array, int64_t at, struct dry_text *out)
{
    dry_text_puts(out, "{");
    for (int64_t k = 0; k < array->n_children && !out->cut; k++) {
        const char *name = c->schema->children[k]->name;
        if (k > 0) dry_text_puts(out, ", ");
        dry_text_escape(out, name, strlen(name), DRY_ESCAPE_PLAIN);
        dry_text_puts(out, ": ");
        text(&c->children[k], array->children[k], at, true, out);
    }
    dry_text_puts(out, "}");
}

static void map_text(const struct dry_shown *c, const struct ArrowArray *array, int64_t at, struct dry_text *out)
{
    struct range r = elements(c, array, at);
    const struct dry_shown *entry = &c->children[0];
    const struct ArrowArray *entries = array->children[0];
    dry_text_puts(out, "{");
    for (int64_t k = r.from; k < r.to && !out->cut; k++) {
        if (k > r.from) dry_text_puts(out, ", ");
        text(&entry->children[0], entries->children[0], entries->offset + k, true, out);
        dry_text_puts(out, ": ");
        text(&entry->children[1], entries->children[1], entries->offset + k, true, out);
    }
    dry_text_puts(out, "}");
}

static void text(const struct dry_shown *c, const struct ArrowArray *array, int64_t i, bool inside,
                 struct dry_text *out)
{
    int64_t at = array->offset + i;
    struct bytes b;
    if (is_null(c, array, at)) {
        dry_text_puts(out, "null");
        return;
    }
    if (c->dictionary != NULL) {
        text(c->dictionary, array->dictionary, dictionary_index(c, array, at), inside, out);
        return;
    }
    switch (c->scalar.type->shape) {
    case DRY_SHAPE_NULL: break;
    case DRY_SHAPE_BOOL: dry_text_puts(out, bit(array, 1, at) ? "true" : "false"); break;
    case DRY_SHAPE_NUMBER:
    case DRY_SHAPE_WORD: c->scalar.type->print(out, &c->scalar, fixed(array, at, c->scalar.width)); break;
    case DRY_SHAPE_UTF8: string_text(bytes_of(c, array, at), inside, out); break;
    case DRY_SHAPE_BINARY:
    case DRY_SHAPE_FIXED_BINARY:
        b = bytes_of(c, array, at);
        dry_text_hex(out, b.data, b.len);
        break;
    case DRY_SHAPE_LIST:
    case DRY_SHAPE_FIXED_LIST: list_text(c, array, at, out); break;
    case DRY_SHAPE_STRUCT: struct_text(c, array, at, out); break;
    case DRY_SHAPE_MAP: map_text(c, array, at, out); break;
    }
}

void dry_shown_text(const struct dry_shown *c, const struct ArrowArray *array, int64_t i, struct dry_text *out)
{
    text(c, array, i, false, out);
}

/* ---- JSON ---- */

static void map_json(const struct dry_shown *c, const struct ArrowArray *array, int64_t at, struct dry_json *out)
{
    struct range r = elements(c, array, at);
    const struct dry_shown *entry = &c->children[0];
    const struct ArrowArray *entries = array->children[0];
    dry_json_open(out, '[');
    for (int64_t k = r.from; k < r.to; k++) {
        dry_json_open(out, '[');
        dry_shown_json(&entry->children[0], entries->children[0], entries->offset + k, out);
        dry_shown_json(&entry->children[1], entries->children[1], entries->offset + k, out);
        dry_json_close(out, ']');
    }
    dry_json_close(out, ']');
}

static void nested_json(const struct dry_shown *c, const struct ArrowArray *array, int64_t at, struct dry_json *out)
{
    if (c->scalar.type->shape == DRY_SHAPE_STRUCT) {
        dry_json_open(out, '{');
        for (int64_t k = 0; k < array->n_children; k++) {
            const char *name = c->schema->children[k]->name;
            dry_json_key(out, name, strlen(name));
            dry_shown_json(&c->children[k], array->children[k], at, out);
        }
        dry_json_close(out, '}');
        return;
    }
    struct range r = elements(c, array, at);
    dry_json_open(out, '[');
    for (int64_t k = r.from; k < r.to; k++) dry_shown_json(&c->children[0], array->children[0], k, out);
    dry_json_close(out, ']');
}

/* What is the same in both forms but for the quotes. */
static void plain_json(const struct dry_shown *c, const struct ArrowArray *array, int64_t i, struct dry_json *out)
{
    enum dry_scalar_shape shape = c->scalar.type->shape;
    struct dry_text value = {0};
    text(c, array, i, false, &value);
    bool bare = shape == DRY_SHAPE_BOOL;
    if (shape == DRY_SHAPE_NUMBER)
        bare = dry_scalar_is_exact(&c->scalar, fixed(array, array->offset + i, c->scalar.width));
    if (bare)
        dry_json_raw(out, dry_text_get(&value));
    else
        dry_json_string(out, dry_text_get(&value), value.len);
    dry_text_fini(&value);
}

void dry_shown_json(const struct dry_shown *c, const struct ArrowArray *array, int64_t i, struct dry_json *out)
{
    int64_t at = array->offset + i;
    struct bytes b;
    if (is_null(c, array, at)) {
        dry_json_raw(out, "null");
        return;
    }
    if (c->dictionary != NULL) {
        dry_shown_json(c->dictionary, array->dictionary, dictionary_index(c, array, at), out);
        return;
    }
    switch (c->scalar.type->shape) {
    case DRY_SHAPE_UTF8:
        b = bytes_of(c, array, at);
        dry_json_string(out, b.data, b.len);
        break;
    case DRY_SHAPE_LIST:
    case DRY_SHAPE_FIXED_LIST:
    case DRY_SHAPE_STRUCT: nested_json(c, array, at, out); break;
    case DRY_SHAPE_MAP: map_json(c, array, at, out); break;
    default: plain_json(c, array, i, out); break;
    }
}

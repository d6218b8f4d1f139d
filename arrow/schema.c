/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What all makers of a schema share: its life, its parts, and what makes a field well-formed.
 */
#include "array.h"
#include "schema_build.h"
#include "../base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DICTIONARIES_FIRST = 8 };

static const struct {
    enum dry_layout layout;
    int32_t bits;
} types[] = {
#define ROW(id, name, layout, bits) {DRY_LAYOUT_##layout, bits},
    DRY_TYPE_LIST(ROW)
#undef ROW
};

struct dry_schema *dry_schema_new(const struct dry_allocator *a)
{
    struct dry_arena arena;
    dry_arena_init(&arena, a);
    struct dry_schema *s = dry_arena_take(&arena, sizeof *s);
    if (!s) return NULL;
    s->arena = arena;
    s->root.name = "";
    s->root.dictionary = -1;
    dry_build_type(&s->root, DRY_TYPE_STRUCT);
    return s;
}

void dry_schema_free(struct dry_schema *s)
{
    if (!s) return;
    struct dry_arena arena = s->arena; /* it holds the schema, and itself */
    dry_arena_fini(&arena);
}

/* ---- errors ---- */
enum dry_status dry_build_fail(const struct dry_schema_builder *b, const struct dry_field *f, enum dry_status status,
                               const char *fmt, ...)
{
    if (!b->err) return status;
    char place[200], words[280];
    va_list args;
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    dry_field_place(b->schema, f, place, sizeof place);
    return dry_fail(b->err, status, "%s %s", place, words);
}

enum dry_status dry_build_nomem(const struct dry_schema_builder *b)
{
    return dry_fail(b->err, DRY_NOMEM, "there is no memory for the schema");
}

enum dry_status dry_build_unsupported(const struct dry_schema_builder *b, const struct dry_field *f,
                                      const char *type_name)
{
    return dry_build_fail(b, f, DRY_UNSUPPORTED,
                          "has the type %s, which is not supported; cast the column or leave it out", type_name);
}

/* ---- parts ---- */
static enum dry_status charge(struct dry_schema_builder *b, const struct dry_field *f, int64_t n, const char *what)
{
    if (n > b->fields_left)
        return dry_build_fail(b, f, b->too_many, "has %lld %s, and the schema may have only %lld more fields",
                              (long long)n, what, (long long)b->fields_left);
    b->fields_left -= n;
    return DRY_OK;
}

enum dry_status dry_build_children(struct dry_schema_builder *b, struct dry_field *f, int64_t n, unsigned depth)
{
    if (n == 0) return DRY_OK;
    if (depth >= DRY_DEPTH_MAX)
        return dry_build_fail(b, f, DRY_UNSUPPORTED, "is nested deeper than %d levels", DRY_DEPTH_MAX);
    if (n < 0) return dry_build_fail(b, f, b->bad, "has %lld children", (long long)n);
    DRY_TRY(charge(b, f, n, "children"));
    f->children = dry_arena_take_array(&b->schema->arena, (size_t)n, sizeof *f->children);
    if (!f->children) return dry_build_nomem(b);
    f->n_children = n;
    for (int64_t i = 0; i < n; i++) {
        f->children[i].name = "";
        f->children[i].dictionary = -1;
        f->children[i].parent = f;
    }
    return DRY_OK;
}

/* The list doubles whenever it is full, which is when its length is a power of two (or nothing yet). */
static bool make_room(struct dry_schema *s)
{
    size_t n = (size_t)s->n_dictionaries, cap = n ? 2 * n : DICTIONARIES_FIRST;
    if (n != 0 && (n < DICTIONARIES_FIRST || (n & (n - 1)) != 0)) return true;
    struct dry_dictionary_id *more = dry_arena_take_array(&s->arena, cap, sizeof *more);
    if (!more) return false;
    if (n) memcpy(more, s->dictionaries, n * sizeof *more);
    s->dictionaries = more;
    return true;
}

enum dry_status dry_build_dictionary(struct dry_schema_builder *b, struct dry_field *f, int64_t id)
{
    struct dry_schema *s = b->schema;
    DRY_TRY(charge(b, f, 1, "dictionary"));
    struct dry_field *values = dry_arena_take(&s->arena, sizeof *values);
    if (!values || !make_room(s)) return dry_build_nomem(b);
    values->name = "";
    values->dictionary = -1;
    values->nullable = true;
    f->values = values;
    f->dictionary = s->n_dictionaries;
    s->dictionaries[s->n_dictionaries++] = (struct dry_dictionary_id){id, f};
    return DRY_OK;
}

enum dry_status dry_build_text(struct dry_schema_builder *b, const struct dry_field *f, const char *what,
                               const char *bytes, size_t n, const char **out)
{
    if (n == 0) {
        *out = "";
        return DRY_OK;
    }
    if (memchr(bytes, 0, n)) return dry_build_fail(b, f, DRY_UNSUPPORTED, "has a %s with a NUL byte in it", what);
    if (!dry_utf8_valid((const uint8_t *)bytes, n))
        return dry_build_fail(b, f, b->bad, "has a %s that is not UTF-8", what);
    *out = dry_arena_text(&b->schema->arena, bytes, n);
    return *out ? DRY_OK : dry_build_nomem(b);
}

/* ---- what makes a field well-formed ---- */
void dry_build_type(struct dry_field *f, enum dry_type type)
{
    f->type = type;
    f->layout = types[type].layout;
    f->bits = types[type].bits;
}

static enum dry_status check_decimal(const struct dry_schema_builder *b, const struct dry_field *f)
{
    int32_t digits = f->bits == 32 ? 9 : f->bits == 64 ? 18 : f->bits == 128 ? 38 : f->bits == 256 ? 76 : 0;
    if (digits == 0)
        return dry_build_fail(b, f, b->bad, "is a decimal of %d bits; there are 32, 64, 128, 256", f->bits);
    if (f->precision < 1 || f->precision > digits)
        return dry_build_fail(b, f, b->bad, "is a decimal%d of precision %d; it must be 1 to %d", f->bits,
                              f->precision, digits);
    return DRY_OK;
}

static enum dry_status check_children(const struct dry_schema_builder *b, const struct dry_field *f)
{
    int64_t want = f->layout == DRY_LAYOUT_LIST32 || f->layout == DRY_LAYOUT_LIST64 ||
                   f->layout == DRY_LAYOUT_FIXED_LIST;
    if (f->layout != DRY_LAYOUT_STRUCT && f->n_children != want)
        return dry_build_fail(b, f, b->bad, "has %lld children; its type has %lld", (long long)f->n_children,
                              (long long)want);
    if (f->type != DRY_TYPE_MAP) return DRY_OK;
    const struct dry_field *entries = f->children;
    if (entries->type != DRY_TYPE_STRUCT || entries->values || entries->n_children != 2)
        return dry_build_fail(b, f, b->bad, "is a map whose entries are not a struct of key and value");
    return DRY_OK;
}

enum dry_status dry_build_check(const struct dry_schema_builder *b, const struct dry_field *f)
{
    DRY_TRY(check_children(b, f));
    if (f->type == DRY_TYPE_DECIMAL) return check_decimal(b, f);
    if (f->type == DRY_TYPE_FIXED_BINARY && f->bits < 0)
        return dry_build_fail(b, f, b->bad, "is fixed-size binary of a width that is negative or above 256 MiB");
    if (f->type == DRY_TYPE_FIXED_LIST && f->list_size < 0)
        return dry_build_fail(b, f, b->bad, "is a fixed-size list of %d values", f->list_size);
    return DRY_OK;
}

enum dry_status dry_build_check_index(const struct dry_schema_builder *b, const struct dry_field *f)
{
    if (!dry_type_is_integer(f->type))
        return dry_build_fail(b, f, b->bad, "has dictionary indices that are not integers");
    if (f->n_children) return dry_build_fail(b, f, b->bad, "has dictionary indices with children");
    return DRY_OK;
}

/* ---- comparison ---- */
static bool text_same(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

bool dry_field_same(const struct dry_field *a, const struct dry_field *b)
{
    if (a->type != b->type || a->bits != b->bits || a->unit != b->unit || a->nullable != b->nullable ||
        a->ordered != b->ordered || a->keys_sorted != b->keys_sorted || a->precision != b->precision ||
        a->scale != b->scale || a->list_size != b->list_size || a->n_children != b->n_children)
        return false;
    if (!text_same(a->name, b->name) || !text_same(a->timezone, b->timezone)) return false;
    if (!a->values != !b->values || (a->values && !dry_field_same(a->values, b->values))) return false;
    for (int64_t i = 0; i < a->n_children; i++)
        if (!dry_field_same(&a->children[i], &b->children[i])) return false;
    return true;
}

bool dry_schema_same(const struct dry_schema *a, const struct dry_schema *b)
{
    return dry_field_same(&a->root, &b->root);
}

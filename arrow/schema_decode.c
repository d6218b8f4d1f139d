/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From IPC to a schema. The bytes are not trusted. A flatbuffer is a graph, not a tree: one table may be named by
 * many parents. What is made out of n bytes is therefore bounded by n: a field takes at least FIELD_BYTES of its own
 * in honest metadata, and texts may be shared, but only so often.
 */
#include "fbs.h"
#include "schema_build.h"
#include "../base/check.h"

#include <stdlib.h>
#include <string.h>

enum { FIELD_BYTES = 8 /* a reference to the table, and the table's first four bytes */, TEXTS_SHARED = 16 };

struct decoder {
    struct dry_schema_builder b;
    struct dry_flat r;
    uint64_t text_left; /* bytes of names and metadata that may still be copied */
};

static enum dry_status decode_field(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f,
                                    unsigned depth);

/* A fault in the bytes below `f`, in words; OK when there is none. */
static enum dry_status check_bytes(struct decoder *d, const struct dry_field *f)
{
    if (!d->r.fault) return DRY_OK;
    enum dry_status status = dry_flat_fail(&d->r, d->b.err);
    char place[200];
    dry_field_place(d->b.schema, f, place, sizeof place);
    return dry_fail_in(d->b.err, status, "%s: ", place);
}

static enum dry_status decode_text(struct decoder *d, const struct dry_flat_table *t, unsigned slot,
                                   const struct dry_field *f, const char *what, const char **out)
{
    struct dry_flat_text text = dry_flat_text(&d->r, t, slot);
    if (text.len > d->text_left) dry_flat_broken(&d->r, t->at, "texts repeat the same bytes again and again");
    DRY_TRY(check_bytes(d, f));
    d->text_left -= text.len;
    return dry_build_text(&d->b, f, what, text.bytes, text.len, out);
}

/* ---- types ---- */
static enum dry_status decode_int(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f)
{
    bool is_signed = dry_flat_bool(&d->r, t, FBS_INT_SIGNED);
    switch (dry_flat_i32(&d->r, t, FBS_INT_BITS, 0)) {
    case 8: dry_build_type(f, is_signed ? DRY_TYPE_INT8 : DRY_TYPE_UINT8); return DRY_OK;
    case 16: dry_build_type(f, is_signed ? DRY_TYPE_INT16 : DRY_TYPE_UINT16); return DRY_OK;
    case 32: dry_build_type(f, is_signed ? DRY_TYPE_INT32 : DRY_TYPE_UINT32); return DRY_OK;
    case 64: dry_build_type(f, is_signed ? DRY_TYPE_INT64 : DRY_TYPE_UINT64); return DRY_OK;
    default: return dry_build_fail(&d->b, f, DRY_CORRUPT, "is an integer of a width other than 8, 16, 32 or 64 bits");
    }
}

static enum dry_status decode_float(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f)
{
    switch (dry_flat_i16(&d->r, t, FBS_FLOAT_PRECISION, FBS_HALF)) {
    case FBS_HALF: dry_build_type(f, DRY_TYPE_HALF); return DRY_OK;
    case FBS_SINGLE: dry_build_type(f, DRY_TYPE_FLOAT); return DRY_OK;
    case FBS_DOUBLE: dry_build_type(f, DRY_TYPE_DOUBLE); return DRY_OK;
    default: return dry_build_fail(&d->b, f, DRY_CORRUPT, "is a float of unknown precision");
    }
}

static enum dry_status decode_unit(struct decoder *d, const struct dry_flat_table *t, unsigned slot,
                                   enum dry_unit absent, struct dry_field *f)
{
    int16_t unit = dry_flat_i16(&d->r, t, slot, (int16_t)absent);
    if (unit < DRY_UNIT_SECOND || unit > DRY_UNIT_NANO)
        return dry_build_fail(&d->b, f, DRY_CORRUPT, "has the unknown time unit %d", unit);
    f->unit = (enum dry_unit)unit;
    return DRY_OK;
}

static enum dry_status decode_date(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f)
{
    switch (dry_flat_i16(&d->r, t, FBS_DATE_UNIT, FBS_DATE_MILLISECOND)) {
    case FBS_DATE_DAY: dry_build_type(f, DRY_TYPE_DATE_DAY); return DRY_OK;
    case FBS_DATE_MILLISECOND: dry_build_type(f, DRY_TYPE_DATE_MS); return DRY_OK;
    default: return dry_build_fail(&d->b, f, DRY_CORRUPT, "is a date of an unknown unit");
    }
}

static enum dry_status decode_time(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f)
{
    DRY_TRY(decode_unit(d, t, FBS_TIME_UNIT, DRY_UNIT_MILLI, f));
    dry_build_type(f, f->unit <= DRY_UNIT_MILLI ? DRY_TYPE_TIME32 : DRY_TYPE_TIME64);
    if (dry_flat_i32(&d->r, t, FBS_TIME_BITS, 32) != f->bits)
        return dry_build_fail(&d->b, f, DRY_CORRUPT, "is a time whose width does not fit its unit");
    return DRY_OK;
}

static enum dry_status decode_timestamp(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f)
{
    dry_build_type(f, DRY_TYPE_TIMESTAMP);
    DRY_TRY(decode_unit(d, t, FBS_TIMESTAMP_UNIT, DRY_UNIT_SECOND, f));
    DRY_TRY(decode_text(d, t, FBS_TIMESTAMP_TIMEZONE, f, "timezone", &f->timezone));
    if (!*f->timezone) f->timezone = NULL;
    return DRY_OK;
}

static enum dry_status decode_duration(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f)
{
    dry_build_type(f, DRY_TYPE_DURATION);
    return decode_unit(d, t, FBS_DURATION_UNIT, DRY_UNIT_MILLI, f);
}

static enum dry_status decode_interval(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f)
{
    switch (dry_flat_i16(&d->r, t, FBS_INTERVAL_UNIT, FBS_YEAR_MONTH)) {
    case FBS_YEAR_MONTH: dry_build_type(f, DRY_TYPE_INTERVAL_MONTHS); return DRY_OK;
    case FBS_DAY_TIME: dry_build_type(f, DRY_TYPE_INTERVAL_DAY_TIME); return DRY_OK;
    case FBS_MONTH_DAY_NANO: dry_build_type(f, DRY_TYPE_INTERVAL_MONTH_DAY_NANO); return DRY_OK;
    default: return dry_build_fail(&d->b, f, DRY_CORRUPT, "is an interval of an unknown unit");
    }
}

static enum dry_status decode_decimal(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f)
{
    dry_build_type(f, DRY_TYPE_DECIMAL);
    f->precision = dry_flat_i32(&d->r, t, FBS_DECIMAL_PRECISION, 0);
    f->scale = dry_flat_i32(&d->r, t, FBS_DECIMAL_SCALE, 0);
    f->bits = dry_flat_i32(&d->r, t, FBS_DECIMAL_BITS, 128);
    return DRY_OK;
}

static enum dry_status decode_fixed_binary(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f)
{
    int32_t width = dry_flat_i32(&d->r, t, FBS_FIXED_BINARY_WIDTH, 0);
    dry_build_type(f, DRY_TYPE_FIXED_BINARY);
    f->bits = width < 0 || width > INT32_MAX / 8 ? -1 : 8 * width;
    return DRY_OK;
}

static enum dry_status decode_fixed_list(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f)
{
    dry_build_type(f, DRY_TYPE_FIXED_LIST);
    f->list_size = dry_flat_i32(&d->r, t, FBS_FIXED_LIST_SIZE, 0);
    return DRY_OK;
}

static enum dry_status decode_map(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f)
{
    dry_build_type(f, DRY_TYPE_MAP);
    f->keys_sorted = dry_flat_bool(&d->r, t, FBS_MAP_KEYS_SORTED);
    return DRY_OK;
}

static enum dry_status decode_union(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f)
{
    bool dense = dry_flat_i16(&d->r, t, FBS_UNION_MODE, FBS_SPARSE) == FBS_DENSE;
    return dry_build_unsupported(&d->b, f, dense ? "dense_union" : "sparse_union");
}

/* A type that is all in its number. */
static enum dry_status plain(struct dry_field *f, enum dry_type type)
{
    dry_build_type(f, type);
    return DRY_OK;
}

static enum dry_status decode_type(struct decoder *d, uint8_t kind, const struct dry_flat_table *t,
                                   struct dry_field *f)
{
    switch (kind) {
    case FBS_TYPE_NULL: return plain(f, DRY_TYPE_NULL);
    case FBS_TYPE_INT: return decode_int(d, t, f);
    case FBS_TYPE_FLOAT: return decode_float(d, t, f);
    case FBS_TYPE_BINARY: return plain(f, DRY_TYPE_BINARY);
    case FBS_TYPE_UTF8: return plain(f, DRY_TYPE_UTF8);
    case FBS_TYPE_BOOL: return plain(f, DRY_TYPE_BOOL);
    case FBS_TYPE_DECIMAL: return decode_decimal(d, t, f);
    case FBS_TYPE_DATE: return decode_date(d, t, f);
    case FBS_TYPE_TIME: return decode_time(d, t, f);
    case FBS_TYPE_TIMESTAMP: return decode_timestamp(d, t, f);
    case FBS_TYPE_INTERVAL: return decode_interval(d, t, f);
    case FBS_TYPE_LIST: return plain(f, DRY_TYPE_LIST);
    case FBS_TYPE_STRUCT: return plain(f, DRY_TYPE_STRUCT);
    case FBS_TYPE_UNION: return decode_union(d, t, f);
    case FBS_TYPE_FIXED_BINARY: return decode_fixed_binary(d, t, f);
    case FBS_TYPE_FIXED_LIST: return decode_fixed_list(d, t, f);
    case FBS_TYPE_MAP: return decode_map(d, t, f);
    case FBS_TYPE_DURATION: return decode_duration(d, t, f);
    case FBS_TYPE_LARGE_BINARY: return plain(f, DRY_TYPE_LARGE_BINARY);
    case FBS_TYPE_LARGE_UTF8: return plain(f, DRY_TYPE_LARGE_UTF8);
    case FBS_TYPE_LARGE_LIST: return plain(f, DRY_TYPE_LARGE_LIST);
    case FBS_TYPE_RUN_END_ENCODED: return dry_build_unsupported(&d->b, f, "run_end_encoded");
    case FBS_TYPE_BINARY_VIEW: return plain(f, DRY_TYPE_BINARY_VIEW);
    case FBS_TYPE_UTF8_VIEW: return plain(f, DRY_TYPE_UTF8_VIEW);
    case FBS_TYPE_LIST_VIEW: return dry_build_unsupported(&d->b, f, "list_view");
    case FBS_TYPE_LARGE_LIST_VIEW: return dry_build_unsupported(&d->b, f, "large_list_view");
    default: return dry_build_fail(&d->b, f, DRY_UNSUPPORTED, "has the unknown type number %u", kind);
    }
}

/* ---- fields ---- */
static enum dry_status decode_children(struct decoder *d, const struct dry_flat_table *t, unsigned slot,
                                       struct dry_field *f, unsigned depth)
{
    struct dry_flat_vector v = dry_flat_vector(&d->r, t, slot, 4);
    DRY_TRY(check_bytes(d, f));
    DRY_TRY(dry_build_children(&d->b, f, v.count, depth));
    for (uint32_t i = 0; i < v.count; i++) {
        struct dry_flat_table child = dry_flat_element(&d->r, &v, i);
        DRY_TRY(check_bytes(d, f));
        DRY_TRY(decode_field(d, &child, &f->children[i], depth + 1));
    }
    return dry_build_check(&d->b, f);
}

/* `f` becomes the indices; its values are returned. */
static enum dry_status decode_encoding(struct decoder *d, const struct dry_flat_table *encoding, struct dry_field *f,
                                       struct dry_field **values)
{
    struct dry_flat_table index = dry_flat_table(&d->r, encoding, FBS_ENCODING_INDEX_TYPE);
    int64_t id = dry_flat_i64(&d->r, encoding, FBS_ENCODING_ID, 0);
    int16_t kind = dry_flat_i16(&d->r, encoding, FBS_ENCODING_KIND, FBS_DENSE_ARRAY);
    f->ordered = dry_flat_bool(&d->r, encoding, FBS_ENCODING_ORDERED);
    DRY_TRY(check_bytes(d, f));
    if (kind != FBS_DENSE_ARRAY)
        return dry_build_fail(&d->b, f, DRY_UNSUPPORTED, "has a dictionary of the unknown kind %d", kind);
    if (index.at)
        DRY_TRY(decode_int(d, &index, f));
    else
        dry_build_type(f, DRY_TYPE_INT32);
    DRY_TRY(dry_build_dictionary(&d->b, f, id));
    *values = f->values;
    return DRY_OK;
}

static enum dry_status decode_field(struct decoder *d, const struct dry_flat_table *t, struct dry_field *f,
                                    unsigned depth)
{
    struct dry_arena *arena = &d->b.schema->arena;
    const char *name;
    DRY_TRY(decode_text(d, t, FBS_FIELD_NAME, f, "name", &name));
    f->name = name;
    if (dry_metadata_read(&d->r, t, FBS_FIELD_METADATA, &d->text_left, arena, &f->metadata) != DRY_OK)
        return dry_build_nomem(&d->b);
    uint8_t kind = dry_flat_u8(&d->r, t, FBS_FIELD_TYPE_KIND, FBS_TYPE_NONE);
    struct dry_flat_table type = dry_flat_table(&d->r, t, FBS_FIELD_TYPE);
    struct dry_flat_table encoding = dry_flat_table(&d->r, t, FBS_FIELD_DICTIONARY);
    f->nullable = dry_flat_bool(&d->r, t, FBS_FIELD_NULLABLE);
    DRY_TRY(check_bytes(d, f));
    if (kind == FBS_TYPE_NONE || !type.at) return dry_build_fail(&d->b, f, DRY_CORRUPT, "has no type");
    struct dry_field *values = f; /* where the type goes */
    if (encoding.at) DRY_TRY(decode_encoding(d, &encoding, f, &values));
    DRY_TRY(decode_type(d, kind, &type, values));
    DRY_TRY(check_bytes(d, f));
    return decode_children(d, t, FBS_FIELD_CHILDREN, values, depth);
}

/* ---- the whole ---- */
static int by_id(const void *a, const void *b)
{
    const struct dry_dictionary_id *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Columns may share a dictionary if it can be the same for both. */
static enum dry_status check_shared_dictionaries(struct decoder *d)
{
    struct dry_schema *s = d->b.schema;
    size_t n = (size_t)s->n_dictionaries;
    if (n < 2) return DRY_OK;
    struct dry_dictionary_id *sorted = dry_arena_take_array(&s->arena, n, sizeof *sorted);
    if (!sorted) return dry_build_nomem(&d->b);
    memcpy(sorted, s->dictionaries, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_id);
    for (size_t i = 1; i < n; i++)
        if (sorted[i].id == sorted[i - 1].id && !dry_field_same(sorted[i].field->values, sorted[i - 1].field->values))
            return dry_build_fail(&d->b, sorted[i].field, DRY_CORRUPT,
                                  "shares dictionary %lld with a column of another type", (long long)sorted[i].id);
    return DRY_OK;
}

static enum dry_status decode_schema(struct decoder *d, uint32_t table)
{
    struct dry_field *root = &d->b.schema->root;
    struct dry_flat_table t = dry_flat_table_at(&d->r, table);
    int16_t endianness = dry_flat_i16(&d->r, &t, FBS_SCHEMA_ENDIANNESS, FBS_LITTLE);
    if (dry_metadata_read(&d->r, &t, FBS_SCHEMA_METADATA, &d->text_left, &d->b.schema->arena, &root->metadata) !=
        DRY_OK)
        return dry_build_nomem(&d->b);
    DRY_TRY(check_bytes(d, root));
    if (endianness != FBS_LITTLE)
        return dry_fail(d->b.err, DRY_UNSUPPORTED, "the data is big-endian, which is not supported; rewrite it on a "
                                                   "little-endian machine");
    DRY_TRY(decode_children(d, &t, FBS_SCHEMA_FIELDS, root, 0));
    return check_shared_dictionaries(d);
}

enum dry_status dry_schema_decode(const uint8_t *bytes, uint32_t n, uint32_t table, const struct dry_allocator *a,
                                  struct dry_schema **out, struct dry_error *err)
{
    int64_t fields = n / FIELD_BYTES;
    bool small = fields < DRY_FIELDS_MAX;
    struct decoder d = {
        .b = {dry_schema_new(a), DRY_CORRUPT, small ? fields : DRY_FIELDS_MAX, small ? DRY_CORRUPT : DRY_UNSUPPORTED,
              err},
        .r = {.bytes = bytes, .n = n},
        .text_left = (uint64_t)n * TEXTS_SHARED,
    };
    if (!d.b.schema) return dry_build_nomem(&d.b);
    enum dry_status status = decode_schema(&d, table);
    if (status == DRY_OK)
        *out = d.b.schema;
    else
        dry_schema_free(d.b.schema);
    return status;
}

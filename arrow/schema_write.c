/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From a schema to IPC. What readers differ in is written in full: every field has a name and a vector of children,
 * empty or not, and every dictionary its index type.
 */
#include "fbs.h"
#include "schema_build.h"

#include <string.h>

static void write_int(struct dry_flat_writer *w, uint32_t from, const struct dry_field *f)
{
    struct dry_flat_slot t[] = {
        dry_flat_scalar(FBS_INT_BITS, 4, f->bits),
        dry_flat_scalar(FBS_INT_SIGNED, 1, dry_type_is_signed(f->type)),
    };
    dry_flat_put_table(w, from, t, 2);
}

/* A type whose only parameter is a number. */
static void write_one(struct dry_flat_writer *w, uint32_t from, uint8_t bytes, int64_t value)
{
    struct dry_flat_slot t[] = {dry_flat_scalar(0, bytes, value)};
    dry_flat_put_table(w, from, t, 1);
}

static void write_timestamp(struct dry_flat_writer *w, uint32_t from, const struct dry_field *f)
{
    struct dry_flat_slot t[] = {
        dry_flat_scalar(FBS_TIMESTAMP_UNIT, 2, f->unit),
        dry_flat_ref_if(f->timezone, FBS_TIMESTAMP_TIMEZONE),
    };
    dry_flat_put_table(w, from, t, 2);
    if (f->timezone) dry_flat_put_text(w, t[1].at, f->timezone, strlen(f->timezone));
}

static void write_decimal(struct dry_flat_writer *w, uint32_t from, const struct dry_field *f)
{
    struct dry_flat_slot t[] = {
        dry_flat_scalar(FBS_DECIMAL_PRECISION, 4, f->precision),
        dry_flat_scalar(FBS_DECIMAL_SCALE, 4, f->scale),
        dry_flat_scalar(FBS_DECIMAL_BITS, 4, f->bits),
    };
    dry_flat_put_table(w, from, t, 3);
}

static void write_time(struct dry_flat_writer *w, uint32_t from, const struct dry_field *f)
{
    struct dry_flat_slot t[] = {dry_flat_scalar(FBS_TIME_UNIT, 2, f->unit),
                                dry_flat_scalar(FBS_TIME_BITS, 4, f->bits)};
    dry_flat_put_table(w, from, t, 2);
}

/* The number of a type in the union. */
static uint8_t type_kind(enum dry_type type)
{
    static const uint8_t kinds[] = {
        [DRY_TYPE_NULL] = FBS_TYPE_NULL,
        [DRY_TYPE_BOOL] = FBS_TYPE_BOOL,
        [DRY_TYPE_INT8] = FBS_TYPE_INT,
        [DRY_TYPE_INT16] = FBS_TYPE_INT,
        [DRY_TYPE_INT32] = FBS_TYPE_INT,
        [DRY_TYPE_INT64] = FBS_TYPE_INT,
        [DRY_TYPE_UINT8] = FBS_TYPE_INT,
        [DRY_TYPE_UINT16] = FBS_TYPE_INT,
        [DRY_TYPE_UINT32] = FBS_TYPE_INT,
        [DRY_TYPE_UINT64] = FBS_TYPE_INT,
        [DRY_TYPE_HALF] = FBS_TYPE_FLOAT,
        [DRY_TYPE_FLOAT] = FBS_TYPE_FLOAT,
        [DRY_TYPE_DOUBLE] = FBS_TYPE_FLOAT,
        [DRY_TYPE_UTF8] = FBS_TYPE_UTF8,
        [DRY_TYPE_LARGE_UTF8] = FBS_TYPE_LARGE_UTF8,
        [DRY_TYPE_BINARY] = FBS_TYPE_BINARY,
        [DRY_TYPE_LARGE_BINARY] = FBS_TYPE_LARGE_BINARY,
        [DRY_TYPE_UTF8_VIEW] = FBS_TYPE_UTF8_VIEW,
        [DRY_TYPE_BINARY_VIEW] = FBS_TYPE_BINARY_VIEW,
        [DRY_TYPE_FIXED_BINARY] = FBS_TYPE_FIXED_BINARY,
        [DRY_TYPE_DATE_DAY] = FBS_TYPE_DATE,
        [DRY_TYPE_DATE_MS] = FBS_TYPE_DATE,
        [DRY_TYPE_TIME32] = FBS_TYPE_TIME,
        [DRY_TYPE_TIME64] = FBS_TYPE_TIME,
        [DRY_TYPE_TIMESTAMP] = FBS_TYPE_TIMESTAMP,
        [DRY_TYPE_DURATION] = FBS_TYPE_DURATION,
        [DRY_TYPE_INTERVAL_MONTHS] = FBS_TYPE_INTERVAL,
        [DRY_TYPE_INTERVAL_DAY_TIME] = FBS_TYPE_INTERVAL,
        [DRY_TYPE_INTERVAL_MONTH_DAY_NANO] = FBS_TYPE_INTERVAL,
        [DRY_TYPE_DECIMAL] = FBS_TYPE_DECIMAL,
        [DRY_TYPE_LIST] = FBS_TYPE_LIST,
        [DRY_TYPE_LARGE_LIST] = FBS_TYPE_LARGE_LIST,
        [DRY_TYPE_FIXED_LIST] = FBS_TYPE_FIXED_LIST,
        [DRY_TYPE_STRUCT] = FBS_TYPE_STRUCT,
        [DRY_TYPE_MAP] = FBS_TYPE_MAP,
    };
    return kinds[type];
}

static void write_type(struct dry_flat_writer *w, uint32_t from, const struct dry_field *f)
{
    switch (f->type) {
    case DRY_TYPE_HALF: write_one(w, from, 2, FBS_HALF); break;
    case DRY_TYPE_FLOAT: write_one(w, from, 2, FBS_SINGLE); break;
    case DRY_TYPE_DOUBLE: write_one(w, from, 2, FBS_DOUBLE); break;
    case DRY_TYPE_FIXED_BINARY: write_one(w, from, 4, f->bits / 8); break;
    case DRY_TYPE_DATE_DAY: write_one(w, from, 2, FBS_DATE_DAY); break;
    case DRY_TYPE_DATE_MS: write_one(w, from, 2, FBS_DATE_MILLISECOND); break;
    case DRY_TYPE_TIME32:
    case DRY_TYPE_TIME64: write_time(w, from, f); break;
    case DRY_TYPE_TIMESTAMP: write_timestamp(w, from, f); break;
    case DRY_TYPE_DURATION: write_one(w, from, 2, f->unit); break;
    case DRY_TYPE_INTERVAL_MONTHS: write_one(w, from, 2, FBS_YEAR_MONTH); break;
    case DRY_TYPE_INTERVAL_DAY_TIME: write_one(w, from, 2, FBS_DAY_TIME); break;
    case DRY_TYPE_INTERVAL_MONTH_DAY_NANO: write_one(w, from, 2, FBS_MONTH_DAY_NANO); break;
    case DRY_TYPE_DECIMAL: write_decimal(w, from, f); break;
    case DRY_TYPE_FIXED_LIST: write_one(w, from, 4, f->list_size); break;
    case DRY_TYPE_MAP: write_one(w, from, 1, f->keys_sorted); break;
    default:
        if (dry_type_is_integer(f->type))
            write_int(w, from, f);
        else
            dry_flat_put_table(w, from, NULL, 0);
    }
}

static void write_encoding(const struct dry_schema *s, struct dry_flat_writer *w, uint32_t from,
                           const struct dry_field *f)
{
    struct dry_flat_slot t[] = {
        dry_flat_scalar(FBS_ENCODING_ID, 8, s->dictionaries[f->dictionary].id),
        dry_flat_ref(FBS_ENCODING_INDEX_TYPE),
        dry_flat_scalar(FBS_ENCODING_ORDERED, 1, f->ordered),
    };
    dry_flat_put_table(w, from, t, 3);
    write_int(w, t[1].at, f);
}

static void write_children(const struct dry_schema *s, struct dry_flat_writer *w, uint32_t from,
                           const struct dry_field *f);

static void write_field(const struct dry_schema *s, struct dry_flat_writer *w, uint32_t from,
                        const struct dry_field *f)
{
    const struct dry_field *typed = f->values ? f->values : f; /* IPC gives the type of the values */
    enum { NAME, NULLABLE, KIND, TYPE, DICTIONARY, CHILDREN, METADATA, N };
    struct dry_flat_slot t[N] = {
        [NAME] = dry_flat_ref(FBS_FIELD_NAME),
        [NULLABLE] = dry_flat_scalar(FBS_FIELD_NULLABLE, 1, f->nullable),
        [KIND] = dry_flat_scalar(FBS_FIELD_TYPE_KIND, 1, type_kind(typed->type)),
        [TYPE] = dry_flat_ref(FBS_FIELD_TYPE),
        [DICTIONARY] = dry_flat_ref_if(f->values, FBS_FIELD_DICTIONARY),
        [CHILDREN] = dry_flat_ref(FBS_FIELD_CHILDREN),
        [METADATA] = dry_flat_ref_if(f->metadata, FBS_FIELD_METADATA),
    };
    dry_flat_put_table(w, from, t, N);
    dry_flat_put_text(w, t[NAME].at, f->name, strlen(f->name));
    write_type(w, t[TYPE].at, typed);
    if (f->values) write_encoding(s, w, t[DICTIONARY].at, f);
    write_children(s, w, t[CHILDREN].at, typed);
    if (f->metadata) dry_metadata_write(f->metadata, w, t[METADATA].at);
}

static void write_children(const struct dry_schema *s, struct dry_flat_writer *w, uint32_t from,
                           const struct dry_field *f)
{
    uint32_t refs = dry_flat_put_refs(w, from, (size_t)f->n_children);
    for (int64_t i = 0; i < f->n_children && w->status == DRY_OK; i++)
        write_field(s, w, refs + 4 * (uint32_t)i, &f->children[i]);
}

void dry_schema_write(const struct dry_schema *s, struct dry_flat_writer *w, uint32_t from)
{
    struct dry_flat_slot t[] = {
        dry_flat_ref(FBS_SCHEMA_FIELDS),
        dry_flat_ref_if(s->root.metadata, FBS_SCHEMA_METADATA),
    };
    dry_flat_put_table(w, from, t, 2);
    write_children(s, w, t[0].at, &s->root);
    if (s->root.metadata) dry_metadata_write(s->root.metadata, w, t[1].at);
}

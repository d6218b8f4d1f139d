/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. The type system: a tree of fields, made from an ArrowSchema or from an IPC schema, and turned back
 * into either. A schema and everything in it lives in its arena and goes with it; it is immutable once made.
 */
#ifndef DRY_ARROW_SCHEMA_H
#define DRY_ARROW_SCHEMA_H

#include "../base/base.h"
#include "abi.h"
#include "arena.h"

/* How a type's memory looks; which buffers there are, in order (C data interface and IPC agree on it):
 *   NULL        none
 *   FIXED       validity, values of `bits` bits each (bool: 1)
 *   BYTES32/64  validity, length+1 offsets, bytes
 *   VIEW        validity, 16-byte views, then any number of variadic data buffers (C data: plus their lengths)
 *   LIST32/64   validity, length+1 offsets                (one child)
 *   FIXED_LIST  validity                                  (one child of length * list_size)
 *   STRUCT      validity                                  (any number of children) */
enum dry_layout {
    DRY_LAYOUT_NULL,
    DRY_LAYOUT_FIXED,
    DRY_LAYOUT_BYTES32,
    DRY_LAYOUT_BYTES64,
    DRY_LAYOUT_VIEW,
    DRY_LAYOUT_LIST32,
    DRY_LAYOUT_LIST64,
    DRY_LAYOUT_FIXED_LIST,
    DRY_LAYOUT_STRUCT
};

/* Names are those of the Arrow columnar format. */
#define DRY_TYPE_LIST(X)                                                                                              \
    X(NULL, "null", NULL, 0)                                                                                          \
    X(BOOL, "bool", FIXED, 1)                                                                                         \
    X(INT8, "int8", FIXED, 8)                                                                                         \
    X(INT16, "int16", FIXED, 16)                                                                                      \
    X(INT32, "int32", FIXED, 32)                                                                                      \
    X(INT64, "int64", FIXED, 64)                                                                                      \
    X(UINT8, "uint8", FIXED, 8)                                                                                       \
    X(UINT16, "uint16", FIXED, 16)                                                                                    \
    X(UINT32, "uint32", FIXED, 32)                                                                                    \
    X(UINT64, "uint64", FIXED, 64)                                                                                    \
    X(HALF, "float16", FIXED, 16)                                                                                     \
    X(FLOAT, "float32", FIXED, 32)                                                                                    \
    X(DOUBLE, "float64", FIXED, 64)                                                                                   \
    X(UTF8, "utf8", BYTES32, 0)                                                                                       \
    X(LARGE_UTF8, "large_utf8", BYTES64, 0)                                                                           \
    X(BINARY, "binary", BYTES32, 0)                                                                                   \
    X(LARGE_BINARY, "large_binary", BYTES64, 0)                                                                       \
    X(UTF8_VIEW, "utf8_view", VIEW, 128)                                                                              \
    X(BINARY_VIEW, "binary_view", VIEW, 128)                                                                          \
    X(FIXED_BINARY, "fixed_size_binary", FIXED, 0) /* bits = 8 * byte width, per field */                             \
    X(DATE_DAY, "date32", FIXED, 32)                                                                                  \
    X(DATE_MS, "date64", FIXED, 64)                                                                                   \
    X(TIME32, "time32", FIXED, 32)                                                                                    \
    X(TIME64, "time64", FIXED, 64)                                                                                    \
    X(TIMESTAMP, "timestamp", FIXED, 64)                                                                              \
    X(DURATION, "duration", FIXED, 64)                                                                                \
    X(INTERVAL_MONTHS, "interval_months", FIXED, 32)                                                                  \
    X(INTERVAL_DAY_TIME, "interval_day_time", FIXED, 64)                                                              \
    X(INTERVAL_MONTH_DAY_NANO, "interval_month_day_nano", FIXED, 128)                                                 \
    X(DECIMAL, "decimal", FIXED, 0) /* bits = 32, 64, 128 or 256, per field */                                        \
    X(LIST, "list", LIST32, 0)                                                                                        \
    X(LARGE_LIST, "large_list", LIST64, 0)                                                                            \
    X(FIXED_LIST, "fixed_size_list", FIXED_LIST, 0)                                                                   \
    X(STRUCT, "struct", STRUCT, 0)                                                                                    \
    X(MAP, "map", LIST32, 0)

enum dry_type {
#define DRY_TYPE_ROW(id, name, layout, bits) DRY_TYPE_##id,
    DRY_TYPE_LIST(DRY_TYPE_ROW)
#undef DRY_TYPE_ROW
};

enum dry_unit { DRY_UNIT_SECOND, DRY_UNIT_MILLI, DRY_UNIT_MICRO, DRY_UNIT_NANO };

struct dry_field {
    const char *name;     /* UTF-8, "" where there is none, never NULL; no NUL byte, but any other character */
    const char *metadata; /* in the C data interface's encoding (int32 count, then length+bytes pairs), or NULL */
    enum dry_type type;   /* of the indices where `values` is set */
    enum dry_layout layout;
    int32_t bits; /* of one value for FIXED (and 128 for VIEW); 0 for fixed-size binary of width 0 */
    bool nullable, ordered /* dictionary */, keys_sorted /* map */;
    enum dry_unit unit;        /* time, timestamp, duration */
    const char *timezone;      /* timestamp, or NULL */
    int32_t precision, scale;  /* decimal */
    int32_t list_size;         /* fixed-size list */
    int32_t dictionary;        /* index into schema->dictionaries, or -1 */
    struct dry_field *values;  /* dictionary-encoded: the type of the values; name "" */
    struct dry_field *parent;  /* NULL at the root and at a dictionary's values */
    int64_t n_children;
    struct dry_field *children; /* one block, in order */
};

struct dry_schema {
    struct dry_arena arena;
    struct dry_field root; /* STRUCT: its children are the columns, its metadata is the schema's */
    int32_t n_dictionaries;
    struct dry_dictionary_id {
        int64_t id; /* as the messages name it */
        struct dry_field *field;
    } *dictionaries; /* in preorder of the fields; two fields may share an id (IPC input only) */
};

/* Fields that a schema may have in all, and levels of nesting: foreign metadata can repeat one table many times. */
#define DRY_FIELDS_MAX 1000000
#define DRY_DEPTH_MAX 64

/* Both make a schema on the heap; free it with dry_schema_free. UNSUPPORTED names the column and the type; CORRUPT or
 * INVALID the fault. dry_schema_import borrows `in` and copies all it needs; `in` must be a struct ("+s"). Dictionary
 * ids are given in preorder from 0. */
enum dry_status dry_schema_import(const struct ArrowSchema *in, const struct dry_allocator *a, struct dry_schema **out,
                                  struct dry_error *err) DRY_MUST_CHECK;
/* `table` = position of the Schema table in the flatbuffer `bytes`; private to message.c. */
enum dry_status dry_schema_decode(const uint8_t *bytes, uint32_t n, uint32_t table, const struct dry_allocator *a,
                                  struct dry_schema **out, struct dry_error *err) DRY_MUST_CHECK;
void dry_schema_free(struct dry_schema *s);

/* A new ArrowSchema tree in one allocation, independent of `s` except that the schema's allocator must outlive it.
 * Children may be moved out and released in any order, on any thread. NOMEM or OK. */
enum dry_status dry_schema_export(const struct dry_schema *s, struct ArrowSchema *out) DRY_MUST_CHECK;

/* Whether two schemas describe the same memory and names (metadata aside). */
bool dry_schema_same(const struct dry_schema *a, const struct dry_schema *b);

/* "column 'a.b' (list<item: int32>)", "dictionary of column 'c' (utf8)"; for messages. Returns `out`. */
const char *dry_field_label(const struct dry_schema *s, const struct dry_field *f, char *out, size_t size);
/* The type alone, as dry_type_name gives it. */
void dry_field_type_name(const struct dry_field *f, char *out, size_t size);

/* Bytes of a metadata blob in the C data interface's encoding; 0 for NULL. The blob must be well-formed. */
size_t dry_metadata_bytes(const char *metadata);

#endif

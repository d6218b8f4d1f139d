/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/schema*.c: what the two makers of a schema (from an ArrowSchema, from IPC) have in common, and the
 * C data interface's format strings.
 */
#ifndef DRY_ARROW_SCHEMA_BUILD_H
#define DRY_ARROW_SCHEMA_BUILD_H

#include "flat.h"
#include "schema.h"

/* A schema in the making. Whoever fails frees `schema`. */
struct dry_schema_builder {
    struct dry_schema *schema;
    enum dry_status bad;      /* what a fault in the input is: INVALID from a program, CORRUPT from bytes */
    int64_t fields_left;      /* that may still be made */
    enum dry_status too_many; /* what it is to want more */
    struct dry_error *err;
};

/* A schema without columns, in its own arena; NULL when there is no memory. */
struct dry_schema *dry_schema_new(const struct dry_allocator *a) DRY_MUST_CHECK;

/* Fails in the words of a builder: "column 'a.b' " + fmt. */
enum dry_status dry_build_fail(const struct dry_schema_builder *b, const struct dry_field *f, enum dry_status status,
                               const char *fmt, ...) DRY_PRINTF(4, 5);
enum dry_status dry_build_nomem(const struct dry_schema_builder *b);

/* Gives `f`, which stands `depth` levels below the root, n children. */
enum dry_status dry_build_children(struct dry_schema_builder *b, struct dry_field *f, int64_t n, unsigned depth)
    DRY_MUST_CHECK;
/* Makes `f` dictionary-encoded: enters it in the schema's list and gives it `values`. */
enum dry_status dry_build_dictionary(struct dry_schema_builder *b, struct dry_field *f, int64_t id) DRY_MUST_CHECK;
/* Copies a text that becomes a C string: UTF-8 without NUL. `what` names it in the error. */
enum dry_status dry_build_text(struct dry_schema_builder *b, const struct dry_field *f, const char *what,
                               const char *bytes, size_t n, const char **out) DRY_MUST_CHECK;
/* Sets type, layout and, where the type fixes them, bits. */
void dry_build_type(struct dry_field *f, enum dry_type type);
/* Checks what a type demands of its parameters and children. For a dictionary-encoded field call it on the values,
 * and dry_build_check_index on the field. */
enum dry_status dry_build_check(const struct dry_schema_builder *b, const struct dry_field *f) DRY_MUST_CHECK;
enum dry_status dry_build_check_index(const struct dry_schema_builder *b, const struct dry_field *f) DRY_MUST_CHECK;
/* The field's type is one of Arrow's that drystone has not. */
enum dry_status dry_build_unsupported(const struct dry_schema_builder *b, const struct dry_field *f,
                                      const char *type_name);

static inline bool dry_type_is_integer(enum dry_type type)
{
    return type >= DRY_TYPE_INT8 && type <= DRY_TYPE_UINT64;
}
static inline bool dry_type_is_signed(enum dry_type type) { return type <= DRY_TYPE_INT64; }

/* Same type, names and nullability, all the way down. */
bool dry_field_same(const struct dry_field *a, const struct dry_field *b);

/* Where a field is: "column 'a.b'", "dictionary of column 'c'", "the table". Works while the schema is being made. */
void dry_field_place(const struct dry_schema *s, const struct dry_field *f, char *out, size_t size);

/* Cuts a foreign text to fit and to be one line. */
void dry_text_show(const char *text, char *out, size_t size);

/* ---- format strings of the C data interface ---- */
enum dry_format_answer { DRY_FORMAT_OK, DRY_FORMAT_UNSUPPORTED, DRY_FORMAT_INVALID };
/* Sets the type of `f` and its parameters. A timezone is borrowed from `format`. UNSUPPORTED: *name is the type. */
enum dry_format_answer dry_format_parse(const char *format, struct dry_field *f, const char **name) DRY_MUST_CHECK;
/* The format of a type that has no free parameters, static; NULL for the others. */
const char *dry_format_fixed(const struct dry_field *f);
/* The format of any type, snprintf's way: returns the length, writes as much as fits. */
size_t dry_format_print(const struct dry_field *f, char *out, size_t size);

/* ---- IPC ---- */
/* Writes the Schema table and all below it, linked from `from`. */
void dry_schema_write(const struct dry_schema *s, struct dry_flat_writer *w, uint32_t from);
/* Writes a vector of KeyValue tables; `metadata` is a blob in the C data interface's encoding, not NULL. */
void dry_metadata_write(const char *metadata, struct dry_flat_writer *w, uint32_t from);
/* Reads one; *out is a blob in the arena, or NULL where there are no pairs. At most *budget bytes (pairs count 8),
 * which it lowers: tables may be shared, and the same text must not be copied again and again. Faults go to
 * r->fault. */
enum dry_status dry_metadata_read(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot, uint64_t *budget,
                                  struct dry_arena *arena, const char **out) DRY_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Columns for tests of writers: what stands in row i of a column of any kind follows from i alone, so that a column
 * can be filled in one place and checked in another.
 */
#ifndef DRY_TESTS_WRITER_COLUMNS_H
#define DRY_TESTS_WRITER_COLUMNS_H

#include "../drystone.h"

struct column_kind {
    const char *format; /* in the C data interface's words */
    int bits;           /* of a value; 0: it has none */
    int offset_bytes;   /* 4 or 8: strings and binaries */
};
/* Every type that can be built in place. */
#define COLUMN_KINDS 42
extern const struct column_kind column_kinds[COLUMN_KINDS];
const struct column_kind *column_kind_of(const char *format);

/* A schema in a line of text, "id=l name=u price=g"; release it. */
struct ArrowSchema columns_schema(const char *text);
/* One column of each kind, named by its format. */
struct ArrowSchema columns_schema_of_all(void);

/* The memory of a buffer; the test ends where there is none. */
struct dry_memory *columns_memory(struct dry_writer *w, int64_t block, int64_t column, enum dry_buffer which);
/* Fills rows [first, first + rows) into a block's column, growing it where it is too small. */
void columns_fill(struct dry_writer *w, int64_t block, int64_t column, const struct column_kind *kind, int64_t first,
                  int64_t rows, bool with_nulls);
/* Whether an array holds just that. Looks at every value. */
bool columns_hold(const struct ArrowArray *a, const struct column_kind *kind, int64_t first, bool with_nulls);
/* Begins a block, fills all columns of the kinds, and ends it. */
enum dry_status columns_block(struct dry_writer *w, const struct column_kind *const *kinds, int64_t n, int64_t first,
                              int64_t room, int64_t rows, bool with_nulls, struct dry_error *err);

/* A writer of a table of one int64 column "n", and a block of it that counts up from `first`, as tables.h has it. */
struct dry_writer *counter_new(struct dry_store *s, const char *name);
enum dry_status counter_block(struct dry_writer *w, int64_t first, int64_t rows, struct dry_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Tables for tests: an Arrow stream of one int64 column "n" that counts up from a given number, and the question
 * whether a table holds just that.
 */
#ifndef DRY_TESTS_TABLES_H
#define DRY_TESTS_TABLES_H

#include "../drystone.h"

/* `batches` batches of `rows_per_batch` rows, counting up from `first`. */
struct ArrowArrayStream count_from(int64_t first, int64_t rows_per_batch, int64_t batches);
/* The same, but after `batches` good ones the source fails. */
struct ArrowArrayStream count_and_fail(int64_t first, int64_t rows_per_batch, int64_t batches);
/* Whether the table counts up from `first` over `rows` rows. Looks at every value. */
bool counts_from(struct dry_table *t, int64_t first, int64_t rows);
/* Puts such a table of one batch. */
enum dry_status put_count(struct dry_store *s, const char *name, int64_t first, int64_t rows, struct dry_error *err);
/* Whether a full check of the table of that name succeeds and it counts from `first`. */
bool holds_count(struct dry_store *s, const char *name, int64_t first, int64_t rows);

#endif

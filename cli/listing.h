/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to cli/. Small tables about tables, drawn by libsmartcols: aligned, and on a terminal cut to its width.
 */
#ifndef DRY_CLI_LISTING_H
#define DRY_CLI_LISTING_H

#include <stddef.h>

struct dry_listing;

enum { DRY_LISTING_RIGHT = 1, DRY_LISTING_CUT = 2 /* may be shortened when the terminal is narrow */ };

struct dry_listing_column {
    const char *name; /* NULL in every column: no line of names */
    unsigned flags;
};

struct dry_listing *dry_listing_new(const struct dry_listing_column *columns, size_t n);
/* The next cell, row by row; a copy is made, foreign text is escaped. Columns that stay empty are not printed. */
void dry_listing_add(struct dry_listing *l, const char *cell);
/* Prints to standard output, and frees. */
void dry_listing_print(struct dry_listing *l);

#endif

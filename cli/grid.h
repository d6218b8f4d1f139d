/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to cli/. Rows of Arrow data as an aligned table, of any number of rows in bounded memory: the first rows
 * are kept until their widths are known, the others are printed as they come.
 */
#ifndef DRY_CLI_GRID_H
#define DRY_CLI_GRID_H

#include "value.h"

struct dry_grid;

/* `screen` = columns of the terminal: values are shortened to fit it, and columns that still do not are only
 * named; 0: nothing is shortened. Schema and columns are borrowed. */
struct dry_grid *dry_grid_new(const struct ArrowSchema *schema, const struct dry_shown *columns, size_t screen);
/* Prints value i of each child of the struct array `batch`. `self` is the grid. */
void dry_grid_row(void *self, const struct ArrowArray *batch, int64_t i);
/* Prints what is left, and frees. */
void dry_grid_finish(struct dry_grid *g);

#endif

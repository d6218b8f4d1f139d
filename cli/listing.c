/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "listing.h"

#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct dry_listing {
    const struct dry_listing_column *columns;
    size_t n_columns, n_cells;
    char **cells; /* row by row */
};

struct dry_listing *dry_listing_new(const struct dry_listing_column *columns, size_t n)
{
    struct dry_listing *l = dry_cli_allocate(1, sizeof *l);
    l->columns = columns;
    l->n_columns = n;
    return l;
}

void dry_listing_add(struct dry_listing *l, const char *cell)
{
    struct dry_text t = {0};
    dry_text_escape(&t, cell, strlen(cell), DRY_ESCAPE_MESSAGE);
    if (l->n_cells % 64 == 0) l->cells = dry_cli_resize(l->cells, l->n_cells + 64, sizeof *l->cells);
    l->cells[l->n_cells++] = dry_text_detach(&t);
}

static bool is_used(const struct dry_listing *l, size_t column)
{
    for (size_t i = column; i < l->n_cells; i += l->n_columns)
        if (l->cells[i][0] != '\0') return true;
    return false;
}

/* One column with its cells; false when there is no memory. */
static bool fill_column(const struct dry_listing *l, size_t column, struct libscols_table *table,
                        struct libscols_line *const *lines)
{
    const struct dry_listing_column *c = &l->columns[column];
    int flags = ((c->flags & DRY_LISTING_RIGHT) != 0 ? SCOLS_FL_RIGHT : 0) |
                ((c->flags & DRY_LISTING_CUT) != 0 ? SCOLS_FL_TRUNC : 0);
    struct libscols_column *made = scols_table_new_column(table, c->name != NULL ? c->name : "", 0, flags);
    if (made == NULL) return false;
    for (size_t i = column, row = 0; i < l->n_cells; i += l->n_columns, row++)
        if (scols_line_set_column_data(lines[row], made, l->cells[i]) != 0) return false;
    return true;
}

/* `lines` has room for all of them; asking the table for one walks through a list. */
static bool fill(const struct dry_listing *l, struct libscols_table *table, struct libscols_line **lines)
{
    if (table == NULL) return false;
    scols_table_enable_noheadings(table, l->columns[0].name == NULL);
    scols_table_enable_noencoding(table, 1); /* the cells are fit to print */
    for (size_t row = 0; row < l->n_cells / l->n_columns; row++) {
        lines[row] = scols_table_new_line(table, NULL);
        if (lines[row] == NULL) return false;
    }
    for (size_t column = 0; column < l->n_columns; column++)
        if (is_used(l, column) && !fill_column(l, column, table, lines)) return false;
    return true;
}

void dry_listing_print(struct dry_listing *l)
{
    struct libscols_table *table = scols_new_table();
    struct libscols_line **lines = dry_cli_allocate(l->n_cells / l->n_columns, sizeof *lines);
    bool filled = fill(l, table, lines);
    if (filled) scols_print_table(table);
    scols_unref_table(table);
    for (size_t i = 0; i < l->n_cells; i++) free(l->cells[i]);
    free(l->cells);
    free(lines);
    free(l);
    if (!filled) dry_cli_out_of_memory();
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "grid.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define GAP 2                 /* spaces between columns */
#define CELL_LEAST ((size_t)20) /* values are not shortened below this; columns are left out instead */
#define KEPT_ROWS ((size_t)1000)
#define KEPT_CELLS ((size_t)100000)

struct dry_grid {
    const struct ArrowSchema *schema;
    const struct dry_shown *columns;
    size_t screen;
    size_t n_columns, n_shown;
    size_t *width;     /* of each column */
    char **cells;      /* rows that are kept: the names, the types, then values */
    size_t n_cells, most_cells;
    bool laid_out;     /* the widths are final and nothing is kept any more */
    struct dry_text line;
};

static void keep(struct dry_grid *g, size_t column, struct dry_text *cell)
{
    size_t width = dry_text_width(dry_text_get(cell));
    if (width > g->width[column]) g->width[column] = width;
    if (g->n_cells % 1024 == 0) g->cells = dry_cli_resize(g->cells, g->n_cells + 1024, sizeof *g->cells);
    g->cells[g->n_cells++] = dry_text_detach(cell);
}

struct dry_grid *dry_grid_new(const struct ArrowSchema *schema, const struct dry_shown *columns, size_t screen)
{
    struct dry_grid *g = dry_cli_allocate(1, sizeof *g);
    g->schema = schema;
    g->columns = columns;
    g->screen = screen;
    g->n_columns = g->n_shown = (size_t)schema->n_children;
    g->width = dry_cli_allocate(g->n_columns, sizeof *g->width);
    size_t rows = g->n_columns > 0 ? KEPT_CELLS / g->n_columns : 0;
    g->most_cells = (2 + (rows < 1 ? 1 : rows < KEPT_ROWS ? rows : KEPT_ROWS)) * g->n_columns;
    struct dry_text cell = {.limit = 0};
    for (size_t c = 0; c < g->n_columns; c++) {
        const char *name = schema->children[c]->name;
        dry_text_escape(&cell, name, strlen(name), DRY_ESCAPE_PLAIN);
        keep(g, c, &cell);
    }
    for (size_t c = 0; c < g->n_columns; c++) {
        char type[256];
        dry_type_name(schema->children[c], type, sizeof type);
        dry_text_escape(&cell, type, strlen(type), DRY_ESCAPE_MESSAGE);
        keep(g, c, &cell);
    }
    return g;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What the first `n` columns take on a line when none is wider than `cap`. */
static size_t line_width(const struct dry_grid *g, size_t n, size_t cap)
{
    size_t sum = 0;
    for (size_t c = 0; c < n; c++) sum += least(g->width[c], cap) + (c > 0 ? GAP : 0);
    return sum;
}

/* The widest columns give way first, all to the same width; when that would leave too little, the last columns go. */
static void lay_out(struct dry_grid *g)
{
    size_t cap = g->screen;
    if (g->screen == 0) return;
    while (cap > CELL_LEAST && line_width(g, g->n_columns, cap) > g->screen) cap--;
    while (g->n_shown > 1 && line_width(g, g->n_shown, cap) > g->screen) g->n_shown--;
    for (size_t c = 0; c < g->n_shown; c++) g->width[c] = least(g->width[c], least(cap, g->screen));
}

static void add_spaces(struct dry_text *line, size_t n)
{
    dry_text_printf(line, "%*s", (int)n, "");
}

/* One cell at the end of the line; `cell` is shortened if need be. */
static void add_cell(struct dry_grid *g, size_t column, struct dry_text *cell)
{
    if (g->screen != 0) dry_text_fit(cell, g->width[column]);
    size_t width = dry_text_width(dry_text_get(cell));
    size_t pad = width < g->width[column] ? g->width[column] - width : 0;
    bool right = dry_shown_is_number(dry_shown_child(g->columns, (int64_t)column));
    if (column > 0) add_spaces(&g->line, GAP);
    if (right) add_spaces(&g->line, pad);
    dry_text_puts(&g->line, dry_text_get(cell));
    /* No spaces at the end of a line. */
    if (!right && column + 1 < g->n_shown) add_spaces(&g->line, pad);
}

static void print_line(struct dry_grid *g)
{
    dry_text_puts(&g->line, "\n");
    fwrite(dry_text_get(&g->line), 1, g->line.len, stdout);
    dry_text_clear(&g->line);
}

static void print_rule(struct dry_grid *g)
{
    for (size_t c = 0; c < g->n_shown; c++) {
        if (c > 0) add_spaces(&g->line, GAP);
        for (size_t i = 0; i < g->width[c]; i++) dry_text_puts(&g->line, "-");
    }
    print_line(g);
}

/* Ends the keeping of rows: decides on widths and prints what was kept. */
static void flush(struct dry_grid *g)
{
    lay_out(g);
    for (size_t at = 0; at < g->n_cells; at += g->n_columns) {
        for (size_t c = 0; c < g->n_shown; c++) {
            struct dry_text cell = {0};
            dry_text_puts(&cell, g->cells[at + c]);
            add_cell(g, c, &cell);
            dry_text_fini(&cell);
        }
        print_line(g);
        if (at == g->n_columns) print_rule(g); /* below names and types */
    }
    for (size_t i = 0; i < g->n_cells; i++) free(g->cells[i]);
    free(g->cells);
    g->cells = NULL;
    g->laid_out = true;
}

void dry_grid_row(void *self, const struct ArrowArray *batch, int64_t i)
{
    struct dry_grid *g = self;
    if (g->n_columns == 0) return;
    /* No more of a value than could be seen: a character takes at most four bytes. */
    struct dry_text cell = {.limit = 4 * g->screen};
    for (size_t c = 0; c < g->n_shown; c++) {
        dry_text_clear(&cell);
        dry_shown_text(dry_shown_child(g->columns, (int64_t)c), batch->children[c], batch->offset + i, &cell);
        if (cell.cut) dry_text_fit(&cell, g->screen);
        if (g->laid_out)
            add_cell(g, c, &cell);
        else
            keep(g, c, &cell);
    }
    if (g->laid_out)
        print_line(g);
    else if (g->n_cells >= g->most_cells)
        flush(g);
    dry_text_fini(&cell);
}

/* What a terminal had no room for. */
static void print_left_out(struct dry_grid *g)
{
    struct dry_text line = {.limit = 4 * g->screen};
    dry_text_printf(&line, "and %zu more columns: ", g->n_columns - g->n_shown);
    for (size_t c = g->n_shown; c < g->n_columns && !line.cut; c++) {
        const char *name = g->schema->children[c]->name;
        dry_text_puts(&line, c > g->n_shown ? ", " : "");
        dry_text_escape(&line, name, strlen(name), DRY_ESCAPE_PLAIN);
    }
    dry_text_fit(&line, g->screen);
    puts(dry_text_get(&line));
    dry_text_fini(&line);
}

void dry_grid_finish(struct dry_grid *g)
{
    if (!g->laid_out) flush(g);
    if (g->n_columns == 0) puts("no columns");
    if (g->n_shown < g->n_columns) print_left_out(g);
    free(g->width);
    dry_text_fini(&g->line);
    free(g);
}

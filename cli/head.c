/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "grid.h"
#include "json.h"
#include "value.h"

static const struct argp_option options[] = {{"rows", DRY_KEY_ROWS, "N", 0, "So many rows; 10 if not said", 0},
                                             DRY_OPTION_JSON,
                                             {0}};

/* Where the rows go: one call a row, of a batch of the table. */
struct reader {
    void (*row)(void *self, const struct ArrowArray *batch, int64_t i);
    void *self;
};

/* How many batches the first `rows` rows are in. */
static enum dry_status count_batches(const struct dry_table *table, int64_t rows, int64_t *out)
{
    struct dry_table_stat stat;
    int64_t n = 0;
    dry_table_stat(table, &stat);
    for (; rows > 0 && n < stat.batches; n++) {
        struct ArrowArray batch;
        enum dry_status status = dry_table_batch(table, n, &batch);
        if (status != DRY_OK) return status;
        rows -= batch.length;
        batch.release(&batch);
    }
    *out = n;
    return DRY_OK;
}

static enum dry_status read_rows(const struct dry_table *table, int64_t batches, int64_t rows, struct reader to)
{
    for (int64_t b = 0; b < batches; b++) {
        struct ArrowArray batch;
        enum dry_status status = dry_table_batch(table, b, &batch);
        if (status != DRY_OK) return status;
        for (int64_t i = 0; i < batch.length && rows > 0 && !ferror(stdout); i++, rows--) to.row(to.self, &batch, i);
        batch.release(&batch);
    }
    return DRY_OK;
}

struct json_rows {
    const struct ArrowSchema *schema;
    const struct dry_shown *columns;
    struct dry_json json;
};

static void json_row(void *self, const struct ArrowArray *batch, int64_t i)
{
    struct json_rows *rows = self;
    dry_json_open(&rows->json, '{');
    for (int64_t c = 0; c < batch->n_children; c++) {
        const char *name = rows->schema->children[c]->name;
        dry_json_key(&rows->json, name, strlen(name));
        dry_shown_json(dry_shown_child(rows->columns, c), batch->children[c], batch->offset + i, &rows->json);
    }
    dry_json_close(&rows->json, '}');
}

static enum dry_status print_json(const struct dry_table *table, int64_t batches, int64_t n,
                                  const struct ArrowSchema *schema, const struct dry_shown *columns)
{
    struct json_rows rows = {schema, columns, {.out = stdout}};
    dry_json_open(&rows.json, '[');
    enum dry_status status = read_rows(table, batches, n, (struct reader){json_row, &rows});
    dry_json_close(&rows.json, ']');
    return status;
}

static enum dry_status print_text(const struct dry_table *table, int64_t batches, int64_t n,
                                  const struct ArrowSchema *schema, const struct dry_shown *columns)
{
    struct dry_grid *grid = dry_grid_new(schema, columns, dry_cli_terminal_width(STDOUT_FILENO));
    enum dry_status status = read_rows(table, batches, n, (struct reader){dry_grid_row, grid});
    dry_grid_finish(grid);
    return status;
}

/* Prints only what was verified: the batches that the rows are in, and no other is touched. */
static enum dry_status head(const struct dry_table *table, const struct dry_args *args, struct dry_error *err)
{
    struct ArrowSchema schema;
    int64_t batches = 0;
    enum dry_status status = count_batches(table, args->rows, &batches);
    if (status == DRY_OK) status = dry_table_verify(table, 0, batches, err);
    if (status == DRY_OK) status = dry_table_schema(table, &schema);
    if (status != DRY_OK) return status;
    struct dry_shown *columns = dry_shown_new(&schema);
    status = (args->json ? print_json : print_text)(table, batches, args->rows, &schema, columns);
    dry_shown_free(columns);
    schema.release(&schema);
    return status;
}

static int run(const struct dry_args *args)
{
    struct dry_table *table = NULL;
    struct dry_error err = {0};
    enum dry_status status = dry_cli_get(args, args->operands[0], DRY_CHECK_RANGES, &table, &err);
    if (status == DRY_OK) status = head(table, args, &err);
    dry_table_unref(table);
    return status == DRY_OK ? DRY_CLI_OK : dry_cli_report(status, &err);
}

const struct dry_command dry_command_head = {
    .name = "head",
    .operands = "NAME|HANDLE",
    .doc = "Print the first rows of a table"
           "\vReads and verifies only the batches that these rows are in. On a terminal, values are cut to fit, and "
           "columns that find no room are only named; elsewhere nothing is cut. JSON is an array of objects; "
           "integers beyond 2^53, decimals, floats that are not finite, dates and times are strings in it, binary is "
           "hex, a map is an array of [key, value].",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};

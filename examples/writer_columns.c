/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A table of ten columns and 10^7 rows (or argv[1]) is computed where it will be read: in a store's file, under a
 * name.
 */
#include <drystone/drystone.h>
#include <stdio.h>
#include <stdlib.h>

#define COLUMNS 10
static const char *const names[COLUMNS] = {"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9"};
static struct dry_error err;

static void keep(struct ArrowSchema *s) { s->release = NULL; } /* all of it is static */

/* A column's bytes; they stay where they are while no column grows. */
static void *column(struct dry_writer *w, int64_t i)
{
    struct dry_memory *m;
    return dry_writer_column(w, -1, i, DRY_BUFFER_VALUES, &m, &err) == DRY_OK ? m->at : NULL;
}

static enum dry_status compute(struct dry_writer *w, int64_t rows)
{
    enum dry_status status = dry_writer_block(w, rows, &err); /* room for all columns, or FULL */
    if (status != DRY_OK) return status;
    for (int c = 0; c < COLUMNS; c++) {
        double *x = column(w, c);
        for (int64_t i = 0; i < rows; i++) x[i] = (double)(i % 1000) / (1 << c);
    }
    return dry_writer_end_block(w, rows, &err);
}

int main(int argc, char **argv)
{
    static struct ArrowSchema columns[COLUMNS], *children[COLUMNS];
    struct ArrowSchema schema = {"+s", "", NULL, 0, COLUMNS, children, NULL, keep, NULL};
    struct dry_store *store = NULL;
    struct dry_writer *w = NULL;
    struct dry_writer_stat stat = {0};
    for (int c = 0; c < COLUMNS; c++) {
        columns[c] = (struct ArrowSchema){.format = "g", .name = names[c], .release = keep};
        children[c] = columns + c;
    }
    enum dry_status status = dry_store_open(NULL, DRY_STORE_WRITE, NULL, &store, NULL, &err);
    if (status == DRY_OK) status = dry_writer_new(store, "computed", &schema, NULL, NULL, &w, &err);
    if (status == DRY_OK) status = compute(w, argc > 1 ? atoll(argv[1]) : 10000000);
    if (status == DRY_OK) status = dry_writer_commit(w, &err); /* verified, read-only, named: now others see it */
    if (status == DRY_OK) status = dry_writer_stat(w, &stat, &err);
    if (status != DRY_OK) fprintf(stderr, "%s\n", err.text);
    printf("%ld rows published, %lu bytes copied, %lu moved\n", stat.rows, stat.copied_bytes, stat.moved_bytes);
    dry_writer_free(w);
    dry_store_close(store);
    return status != DRY_OK;
}
/* Output:
 * 100000 rows published, 0 bytes copied, 0 moved
 */

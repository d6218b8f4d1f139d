/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct count_stream {
    int64_t first, rows_per_batch, batches_left;
    int64_t fail_at; /* get_next fails when so many batches are left; -1 = never */
};

static void count_schema_release(struct ArrowSchema *s)
{
    if (s->n_children) {
        if (s->children[0]->release) s->children[0]->release(s->children[0]);
        free(s->children[0]);
        free(s->children);
    }
    s->release = NULL;
}

static int count_get_schema(struct ArrowArrayStream *in, struct ArrowSchema *out)
{
    (void)in;
    struct ArrowSchema **children = malloc(sizeof *children);
    struct ArrowSchema *column = malloc(sizeof *column);
    if (!children || !column) abort();
    *column = (struct ArrowSchema){.format = "l", .name = "n", .release = count_schema_release};
    children[0] = column;
    *out = (struct ArrowSchema){
        .format = "+s", .name = "", .n_children = 1, .children = children, .release = count_schema_release};
    return 0;
}

static void count_array_release(struct ArrowArray *a)
{
    if (a->n_children) {
        if (a->children[0]->release) a->children[0]->release(a->children[0]);
        free(a->children[0]);
        free(a->children);
    } else {
        free(a->private_data); /* the values */
    }
    free(a->buffers);
    a->release = NULL;
}

static void *count_calloc(size_t n, size_t size)
{
    void *block = calloc(n ? n : 1, size);
    if (!block) abort();
    return block;
}

static int count_get_next(struct ArrowArrayStream *in, struct ArrowArray *out)
{
    struct count_stream *c = in->private_data;
    if (c->batches_left == c->fail_at) return EIO;
    if (c->batches_left == 0) {
        memset(out, 0, sizeof *out);
        return 0;
    }
    int64_t rows = c->rows_per_batch, *values = count_calloc((size_t)rows, sizeof *values);
    for (int64_t i = 0; i < rows; i++)
        values[i] = c->first + i;
    struct ArrowArray *column = count_calloc(1, sizeof *column);
    *column = (struct ArrowArray){.length = rows,
                                  .n_buffers = 2,
                                  .buffers = count_calloc(2, sizeof(void *)),
                                  .private_data = values,
                                  .release = count_array_release};
    column->buffers[1] = values;
    *out = (struct ArrowArray){.length = rows,
                               .n_buffers = 1,
                               .buffers = count_calloc(1, sizeof(void *)),
                               .n_children = 1,
                               .children = count_calloc(1, sizeof(void *)),
                               .release = count_array_release};
    out->children[0] = column;
    c->first += rows;
    c->batches_left--;
    return 0;
}

static const char *count_get_last_error(struct ArrowArrayStream *in)
{
    (void)in;
    return "the source has run dry";
}

static void count_release(struct ArrowArrayStream *in)
{
    free(in->private_data);
    in->release = NULL;
}

struct ArrowArrayStream count_from(int64_t first, int64_t rows_per_batch, int64_t batches)
{
    struct count_stream *c = count_calloc(1, sizeof *c);
    *c = (struct count_stream){.first = first,
                               .rows_per_batch = rows_per_batch,
                               .batches_left = batches,
                               .fail_at = -1};
    return (struct ArrowArrayStream){.get_schema = count_get_schema,
                                     .get_next = count_get_next,
                                     .get_last_error = count_get_last_error,
                                     .release = count_release,
                                     .private_data = c};
}

struct ArrowArrayStream count_and_fail(int64_t first, int64_t rows_per_batch, int64_t batches)
{
    struct ArrowArrayStream in = count_from(first, rows_per_batch, batches);
    ((struct count_stream *)in.private_data)->fail_at = 0;
    return in;
}

bool counts_from(struct dry_table *t, int64_t first, int64_t rows)
{
    struct ArrowArrayStream stream;
    struct ArrowArray batch;
    int64_t seen = 0;
    bool good = dry_table_stream(t, &stream) == DRY_OK;
    if (!good) return false;
    for (;;) {
        if (stream.get_next(&stream, &batch)) good = false, batch.release = NULL;
        if (!batch.release) break;
        const struct ArrowArray *column = batch.children[0];
        const int64_t *values = (const int64_t *)column->buffers[1] + column->offset;
        for (int64_t i = 0; i < column->length; i++)
            if (values[i] != first + seen++) good = false;
        batch.release(&batch);
    }
    stream.release(&stream);
    return good && seen == rows;
}

enum dry_status put_count(struct dry_store *s, const char *name, int64_t first, int64_t rows, struct dry_error *err)
{
    struct ArrowArrayStream in = count_from(first, rows, 1);
    const struct dry_put_options options = {.recycle = true};
    return dry_store_put(s, name, &in, &options, err);
}

bool holds_count(struct dry_store *s, const char *name, int64_t first, int64_t rows)
{
    struct dry_error err = {.status = DRY_OK};
    struct dry_table *t;
    if (dry_store_get(s, name, DRY_CHECK_FULL, &t, &err) != DRY_OK) {
        if (err.status != DRY_NOT_FOUND) fprintf(stderr, "get '%s': %s\n", name, err.text);
        return false;
    }
    bool good = counts_from(t, first, rows);
    dry_table_unref(t);
    return good;
}

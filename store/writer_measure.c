/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a block's rows need, whether it is there, and where it lies.
 */
#include "writer_private.h"
#include "../base/bits.h"

#include <stdlib.h>
#include <string.h>

/* ---- what the rows need ---- */
struct need {
    const struct dry_writer *w;
    int64_t column, rows;
    struct dry_error *err;
};

static enum dry_status short_of(const struct need *n, const struct writer_buffer *x, int64_t has, const char *what)
{
    char label[200];
    return dry_fail(n->err, DRY_INVALID,
                    "%s: %lld rows need more %s than the %lld %s; fill it, or end with fewer rows",
                    dry_ipc_writer_label(n->w->ipc, n->column, label, sizeof label), (long long)n->rows,
                    dry_writer_buffer_name(x->which), (long long)has, what);
}

static enum dry_status need(const struct need *n, struct writer_buffer *x, uint64_t elements, uint64_t bits_each)
{
    uint64_t bits;
    if (x->given >= 0 && elements > (uint64_t)x->given) return short_of(n, x, x->given, "that were given");
    if (__builtin_mul_overflow(elements, bits_each, &bits) || bits > (uint64_t)INT64_MAX ||
        (bits + 7) / 8 > x->memory.size_bytes)
        return short_of(n, x, bits_each ? (int64_t)(x->memory.size_bytes * 8 / bits_each) : 0,
                        "that there is room for");
    x->used = (size_t)((bits + 7) / 8);
    return DRY_OK;
}

static int64_t last_offset(const struct writer_buffer *offsets, int64_t rows, int32_t width)
{
    const char *at = (const char *)offsets->memory.at + rows * width;
    int64_t wide;
    int32_t narrow;
    if (width == 8) {
        memcpy(&wide, at, sizeof wide);
        return wide;
    }
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
}

/* What lies between the first and the last offset is for verification to judge. */
static enum dry_status measure_bytes(const struct need *n, const struct dry_shape *s, struct writer_buffer *offsets,
                                     struct writer_buffer *bytes)
{
    char label[200];
    DRY_TRY(need(n, offsets, (uint64_t)n->rows + 1, (uint64_t)s->offset_bytes * 8));
    int64_t last = last_offset(offsets, n->rows, s->offset_bytes);
    if (last < 0)
        return dry_fail(n->err, DRY_INVALID, "%s: its offset %lld is %lld, which is negative",
                        dry_ipc_writer_label(n->w->ipc, n->column, label, sizeof label), (long long)n->rows,
                        (long long)last);
    return need(n, bytes, (uint64_t)last, 8);
}

enum dry_status dry_writer_measure(const struct dry_writer *w, struct writer_block *b, int64_t rows,
                                   struct dry_error *err)
{
    if (rows < 0) return dry_fail(err, DRY_INVALID, "a block cannot have %lld rows", (long long)rows);
    for (int64_t i = 0; i < w->n_columns; i++) {
        const struct dry_shape *s = &w->columns[i].shape;
        struct writer_buffer *x = b->buffers + w->columns[i].first;
        struct need n = {.w = w, .column = i, .rows = rows, .err = err};
        if (s->n_buffers && x[0].is_there) DRY_TRY(need(&n, x, (uint64_t)rows, 1));
        if (s->n_buffers == 2) DRY_TRY(need(&n, x + 1, (uint64_t)rows, (uint64_t)s->value_bits));
        if (s->n_buffers == 3) DRY_TRY(measure_bytes(&n, s, x + 1, x + 2));
    }
    return DRY_OK;
}

/* ---- what stands behind the rows, and the nulls ---- */
/* Zeros up to the next cache line, and in the last byte of a bitmap. */
static void pad(const struct writer_buffer *x, int64_t rows, bool is_bits)
{
    char *at = x->memory.at;
    size_t bytes = writer_padded(x->used) - x->used;
    if (bytes) memset(at + x->used, 0, bytes);
    if (is_bits && rows % 8) at[rows / 8] = (char)(at[rows / 8] & ((1 << rows % 8) - 1));
}

void dry_writer_count(struct dry_writer *w, const struct writer_block *b, int64_t rows)
{
    for (int64_t i = 0; i < w->n_columns; i++) {
        const struct writer_column *c = w->columns + i;
        const struct writer_buffer *x = b->buffers + c->first;
        for (int32_t k = 0; k < c->shape.n_buffers; k++)
            if (x[k].is_there && x[k].used) pad(x + k, rows, k == 0 || c->shape.value_bits == 1);
        bool has_bitmap = c->shape.n_buffers && x[0].is_there && x[0].used;
        int64_t ones = has_bitmap ? (int64_t)dry_bits_ones(x[0].memory.at, 0, (size_t)rows) : rows;
        w->null_counts[i] = c->shape.n_buffers ? rows - ones : rows; /* the null type has nothing else */
    }
}

/* ---- gaps ---- */
/* A buffer's end in the file, with its padding. */
static uint64_t end_of(const struct writer_buffer *x)
{
    return x->at + writer_padded(x->used);
}

static int by_place(const void *a, const void *b)
{
    const struct writer_buffer *x = *(struct writer_buffer *const *)a, *y = *(struct writer_buffer *const *)b;
    return (x->at > y->at) - (x->at < y->at);
}

/* The buffers that have bytes, in the order of the file. */
static size_t sort_buffers(struct dry_writer *w, struct writer_block *b)
{
    size_t n = 0;
    for (int64_t i = 0; i < w->n_buffers; i++) {
        struct writer_buffer *x = b->buffers + i;
        if (!x->is_there || x->used == 0) continue;
        x->at = dry_segment_piece_offset(x->piece);
        w->order[n++] = x;
    }
    qsort(w->order, n, sizeof *w->order, by_place);
    return n;
}

static uint64_t end_before(const struct dry_writer *w, const struct writer_block *b, size_t i)
{
    return i ? end_of(w->order[i - 1]) : b->body_at;
}

static uint64_t gaps_of(const struct dry_writer *w, const struct writer_block *b, size_t n)
{
    uint64_t gaps = 0;
    for (size_t i = 0; i < n; i++)
        gaps += w->order[i]->at - end_before(w, b, i);
    return gaps;
}

/* From which buffer on they have to move together, so that at most 1/8 of the body is gaps: the last that will do,
 * because what stands before it stays where it is. */
static size_t first_to_move(const struct dry_writer *w, const struct writer_block *b, size_t n)
{
    uint64_t body = end_before(w, b, n) - b->body_at, gaps = gaps_of(w, b, n);
    size_t i = n;
    while (gaps > body / 8) {
        i--;
        uint64_t gap = w->order[i]->at - end_before(w, b, i);
        gaps -= gap;
        body -= gap;
    }
    return i;
}

static void move_down(struct dry_writer *w, struct writer_buffer *x, uint64_t to)
{
    size_t bytes = writer_padded(x->used);
    char *from = x->memory.at;
    memmove(from - (x->at - to), from, bytes);
    w->moved_bytes += bytes;
    x->at = to;
}

uint64_t dry_writer_settle(struct dry_writer *w, struct writer_block *b)
{
    size_t n = sort_buffers(w, b);
    for (size_t i = first_to_move(w, b, n); i < n; i++)
        if (w->order[i]->at != end_before(w, b, i)) move_down(w, w->order[i], end_before(w, b, i));
    uint64_t end = end_before(w, b, n);
    for (size_t i = 0; i < n; i++)
        w->order[i]->room = (size_t)((i + 1 < n ? w->order[i + 1]->at : end) - w->order[i]->at);
    b->body_bytes = end - b->body_at;
    return end;
}

struct dry_placed dry_writer_describe(struct dry_writer *w, struct writer_block *b, int64_t rows)
{
    b->gap_bytes = b->body_bytes;
    for (int64_t i = 0; i < w->n_buffers; i++) {
        const struct writer_buffer *x = b->buffers + i;
        w->places[i] = (struct dry_place_in_body){0};
        if (!x->is_there || x->used == 0) continue;
        w->places[i] = (struct dry_place_in_body){(int64_t)(x->at - b->body_at), (int64_t)x->used};
        b->gap_bytes -= writer_padded(x->used);
    }
    return (struct dry_placed){.rows = rows,
                               .body_bytes = (int64_t)b->body_bytes,
                               .null_counts = w->null_counts,
                               .buffers = w->places};
}

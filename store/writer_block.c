/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Blocks: room for columns, in which the user computes them.
 */
#include "writer_private.h"

#include <string.h>

#define BYTES_PER_VALUE 16

const char *dry_writer_buffer_name(enum dry_buffer which)
{
    static const char *const names[] = {
        [DRY_BUFFER_VALIDITY] = "validity",
        [DRY_BUFFER_VALUES] = "values",
        [DRY_BUFFER_OFFSETS] = "offsets",
        [DRY_BUFFER_BYTES] = "bytes",
    };
    return (unsigned)which < sizeof names / sizeof *names ? names[which] : "such buffer";
}

/* Buffer k of a column. */
static enum dry_buffer which_of(const struct dry_shape *s, int32_t k)
{
    if (k == 0) return DRY_BUFFER_VALIDITY;
    if (s->n_buffers == 2) return DRY_BUFFER_VALUES;
    return k == 1 ? DRY_BUFFER_OFFSETS : DRY_BUFFER_BYTES;
}

/* ---- the memory that is handed out ---- */
/* Any change of one piece may have moved the mapping of all. */
static void follow_pieces(struct dry_writer *w)
{
    struct writer_block *b = writer_block_at(w, (int64_t)w->blocks.n - 1);
    for (int64_t i = 0; i < w->n_buffers; i++) {
        struct writer_buffer *x = b->buffers + i;
        if (!x->piece) continue;
        x->memory.at = x->piece->at;
        x->memory.size_bytes = x->piece->size_bytes;
    }
}

/* Whole cache lines, so that the padding of a buffer is its own. */
static enum dry_status resize(struct dry_memory *memory, size_t size_bytes)
{
    struct writer_buffer *x = (struct writer_buffer *)memory;
    size_t before = memory->size_bytes, whole;
    if (!x->piece) return DRY_FIXED;
    if (dry_round_up_overflows(size_bytes, DRY_ALIGN, &whole)) return DRY_TOO_BIG;
    enum dry_status status = x->piece->resize(x->piece, whole);
    follow_pieces(x->writer);
    if (status == DRY_OK && x->which == DRY_BUFFER_VALIDITY && memory->size_bytes > before)
        memset((char *)memory->at + before, 0xff, memory->size_bytes - before);
    return status;
}

/* The writer keeps the bytes; the same memory can be asked for again. */
static void release(struct dry_memory *memory)
{
    (void)memory;
}

void dry_writer_show(struct dry_writer *w, struct writer_block *b, char *base)
{
    for (int64_t i = 0; i < w->n_buffers; i++) {
        struct writer_buffer *x = b->buffers + i;
        bool is_shown = base && x->is_there && x->room;
        x->memory.at = is_shown ? base + x->at : NULL;
        x->memory.size_bytes = is_shown ? x->room : 0;
        x->given = -1;
    }
}

static enum dry_status make_piece(struct dry_writer *w, struct writer_buffer *x, size_t size, struct dry_error *err)
{
    size_t whole;
    if (dry_round_up_overflows(size, DRY_ALIGN, &whole))
        return dry_fail(err, DRY_TOO_BIG, "a column of %zu bytes", size);
    DRY_TRY(dry_segment_piece(w->segment, whole, &x->piece, err));
    x->is_there = true;
    follow_pieces(w);
    return DRY_OK;
}

/* ---- the first block: what the columns are ---- */
static enum dry_status learn(struct dry_writer *w, struct dry_error *err)
{
    int64_t n = dry_ipc_writer_columns(w->ipc), n_buffers = 0;
    size_t columns = (size_t)n + 1, bytes = columns * sizeof *w->columns;
    struct writer_column *c = dry_allocate(w->a, bytes, _Alignof(struct writer_column));
    enum dry_status status = c ? DRY_OK : dry_fail(err, DRY_NOMEM, "no memory for the columns");
    for (int64_t i = 0; status == DRY_OK && i < n; i++) {
        status = dry_ipc_writer_shape(w->ipc, i, &c[i].shape, err);
        c[i].first = n_buffers;
        n_buffers += c[i].shape.n_buffers;
    }
    size_t buffers = (size_t)n_buffers + 1;
    if (status == DRY_OK) {
        w->places = dry_allocate(w->a, buffers * sizeof *w->places, DRY_ALIGN);
        w->order = dry_allocate(w->a, buffers * sizeof(struct writer_buffer *), DRY_ALIGN);
        w->null_counts = dry_allocate(w->a, columns * sizeof *w->null_counts, DRY_ALIGN);
        w->columns = c;
        w->n_columns = n;
        w->n_buffers = n_buffers;
        if (w->places && w->order && w->null_counts) return DRY_OK;
        status = dry_fail(err, DRY_NOMEM, "no memory for the columns");
        dry_writer_free_blocks(w);
    } else
        dry_release(w->a, c, bytes, _Alignof(struct writer_column));
    return status;
}

static void free_buffers(struct dry_writer *w, struct writer_block *b)
{
    dry_release(w->a, b->buffers, ((size_t)w->n_buffers + 1) * sizeof *b->buffers, DRY_ALIGN);
}

void dry_writer_free_blocks(struct dry_writer *w)
{
    size_t buffers = (size_t)w->n_buffers + 1, columns = (size_t)w->n_columns + 1;
    for (size_t i = 0; i < w->blocks.n; i++)
        free_buffers(w, writer_block_at(w, (int64_t)i));
    dry_items_free(w->a, w->blocks.items, w->blocks.item_size);
    if (!w->columns) return;
    dry_release(w->a, w->places, buffers * sizeof *w->places, DRY_ALIGN);
    dry_release(w->a, w->order, buffers * sizeof(struct writer_buffer *), DRY_ALIGN);
    dry_release(w->a, w->null_counts, columns * sizeof *w->null_counts, DRY_ALIGN);
    dry_release(w->a, w->columns, columns * sizeof *w->columns, _Alignof(struct writer_column));
    w->columns = NULL;
}

/* ---- a block ---- */
static enum dry_status too_many(int64_t rows, struct dry_error *err)
{
    return dry_fail(err, DRY_TOO_BIG, "%lld rows are more than can be addressed", (long long)rows);
}

/* The first room of a buffer; true = more than can be addressed. */
static bool room_overflows(const struct dry_writer *w, const struct dry_shape *s, enum dry_buffer which, int64_t rows,
                           size_t *out)
{
    size_t per_value = w->options.bytes_per_value > 0 ? (size_t)w->options.bytes_per_value : BYTES_PER_VALUE;
    size_t n = (size_t)rows, bits = which == DRY_BUFFER_VALIDITY ? 1 : (size_t)s->value_bits, size;
    if (which == DRY_BUFFER_OFFSETS) {
        if (dry_mul_overflows(n + 1, (size_t)s->offset_bytes, &size)) return true;
    } else if (which == DRY_BUFFER_BYTES) {
        if (dry_mul_overflows(n, per_value, &size)) return true;
        if (s->offset_bytes == 4 && size > INT32_MAX) size = INT32_MAX; /* no more can be used */
    } else {
        if (dry_mul_overflows(n, bits, &size) || dry_add_overflows(size, 7, &size)) return true;
        size /= 8;
    }
    *out = size;
    return size > INT64_MAX / 2;
}

static enum dry_status whole_room(const struct dry_writer *w, int64_t rows, uint64_t *out, struct dry_error *err)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < w->n_columns; i++) {
        const struct dry_shape *s = &w->columns[i].shape;
        for (int32_t k = 1; k < s->n_buffers; k++) {
            size_t size;
            if (room_overflows(w, s, which_of(s, k), rows, &size)) return too_many(rows, err);
            if (__builtin_add_overflow(sum, writer_padded(size), &sum) || sum > INT64_MAX / 2)
                return too_many(rows, err);
        }
    }
    *out = sum;
    return DRY_OK;
}

static struct writer_block *add_block(struct dry_writer *w, struct dry_error *err)
{
    size_t n = (size_t)w->n_buffers + 1;
    struct writer_buffer *buffers = dry_allocate(w->a, n * sizeof *buffers, DRY_ALIGN);
    struct writer_block *b = buffers ? dry_items_add(&w->blocks) : NULL;
    if (!b) {
        if (buffers) dry_release(w->a, buffers, n * sizeof *buffers, DRY_ALIGN);
        (void)dry_fail(err, DRY_NOMEM, "no memory for a block");
        return NULL;
    }
    b->buffers = buffers;
    for (int64_t i = 0; i < w->n_columns; i++)
        for (int32_t k = 0; k < w->columns[i].shape.n_buffers; k++)
            buffers[w->columns[i].first + k] = (struct writer_buffer){
                .memory = {.resize = resize, .release = release},
                .writer = w,
                .given = -1,
                .which = which_of(&w->columns[i].shape, k),
            };
    return b;
}

/* Bytes of strings come last: theirs is the room that is a guess. */
static enum dry_status make_pieces(struct dry_writer *w, struct writer_block *b, struct dry_error *err)
{
    for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < w->n_columns; i++)
            for (int32_t k = 1; k < w->columns[i].shape.n_buffers; k++) {
                struct writer_buffer *x = b->buffers + w->columns[i].first + k;
                size_t size;
                if ((x->which == DRY_BUFFER_BYTES) != (pass == 1)) continue;
                if (room_overflows(w, &w->columns[i].shape, x->which, b->rows, &size)) return too_many(b->rows, err);
                DRY_TRY(make_piece(w, x, size, err));
                if (x->which == DRY_BUFFER_OFFSETS) memset(x->memory.at, 0, (size_t)w->columns[i].shape.offset_bytes);
            }
    return DRY_OK;
}

static enum dry_status fill_block(struct dry_writer *w, struct writer_block *b, uint64_t body, struct dry_error *err)
{
    size_t room;
    DRY_TRY(dry_ipc_writer_place(w->ipc, body, &b->metadata_at, &room, err));
    b->body_at = b->metadata_at + room;
    enum dry_status status = make_pieces(w, b, err);
    if (status == DRY_OK) return DRY_OK;
    dry_ipc_writer_unplace(w->ipc);
    if (dry_segment_cut(w->segment, b->metadata_at, NULL) != DRY_OK) w->state = WRITER_BROKEN;
    return status;
}

static enum dry_status open_block(struct dry_writer *w, int64_t rows, struct dry_error *err)
{
    struct dry_ipc_writer_stat ipc;
    uint64_t body = 0;
    DRY_TRY(dry_writer_expect(w, WRITER_FILLING, err));
    if (w->is_open) return dry_fail(err, DRY_INVALID, "a block is open already; end that one first");
    if (rows < 0) return dry_fail(err, DRY_INVALID, "a block cannot have %lld rows", (long long)rows);
    if (!w->columns) DRY_TRY(learn(w, err));
    DRY_TRY(whole_room(w, rows, &body, err));
    struct writer_block *b = add_block(w, err);
    if (!b) return DRY_NOMEM;
    dry_ipc_writer_stat(w->ipc, &ipc);
    b->rows = rows;
    b->batch = ipc.batches;
    enum dry_status status = fill_block(w, b, body, err);
    w->is_open = status == DRY_OK;
    if (status != DRY_OK) {
        free_buffers(w, b);
        w->blocks.n--;
    }
    return status;
}

enum dry_status dry_writer_block(struct dry_writer *w, int64_t rows, struct dry_error *err)
{
    return dry_writer_about(w, open_block(w, rows, err), err);
}

/* ---- its columns ---- */
static enum dry_status find_block(const struct dry_writer *w, int64_t block, struct writer_block **out,
                                  struct dry_error *err)
{
    int64_t n = (int64_t)w->blocks.n;
    DRY_TRY(dry_writer_expect(w, w->state == WRITER_TAKEN_BACK ? WRITER_TAKEN_BACK : WRITER_FILLING, err));
    if (w->state == WRITER_FILLING && !w->is_open)
        return dry_fail(err, DRY_INVALID, "no block is open; columns are a block's");
    if (block == -1) block = n - 1;
    if (w->is_open && block != n - 1)
        return dry_fail(err, DRY_INVALID, "block %lld is not the open one, which is %lld", (long long)block,
                        (long long)n - 1);
    if (block < 0 || block >= n) return dry_fail(err, DRY_INVALID, "there is no block %lld", (long long)block);
    *out = writer_block_at(w, block);
    return DRY_OK;
}

/* How many rows the column has room for, so that a bitmap that is asked for late fits. */
static int64_t rows_that_fit(const struct writer_column *c, const struct writer_block *b)
{
    const struct writer_buffer *x = b->buffers + c->first + 1;
    uint64_t rows = (uint64_t)b->rows, fit = 0;
    if (x->which == DRY_BUFFER_OFFSETS)
        fit = x->memory.size_bytes / (size_t)c->shape.offset_bytes - 1;
    else if (c->shape.value_bits)
        fit = x->memory.size_bytes * 8 / (size_t)c->shape.value_bits;
    return (int64_t)(fit > rows ? fit : rows);
}

static enum dry_status make_validity(struct dry_writer *w, struct writer_block *b, const struct writer_column *c,
                                     struct writer_buffer *x, struct dry_error *err)
{
    size_t size;
    if (room_overflows(w, &c->shape, DRY_BUFFER_VALIDITY, rows_that_fit(c, b), &size)) return too_many(b->rows, err);
    DRY_TRY(make_piece(w, x, size, err));
    if (x->memory.at) memset(x->memory.at, 0xff, x->memory.size_bytes);
    return DRY_OK;
}

static enum dry_status find_buffer(struct dry_writer *w, int64_t block, int64_t column, enum dry_buffer which,
                                   struct writer_buffer **out, struct dry_error *err)
{
    struct writer_block *b = NULL;
    char label[200];
    DRY_TRY(find_block(w, block, &b, err));
    if (column < 0 || column >= w->n_columns)
        return dry_fail(err, DRY_INVALID, "there is no column %lld; the table has %lld", (long long)column,
                        (long long)w->n_columns);
    const struct writer_column *c = w->columns + column;
    for (int32_t k = 0; k < c->shape.n_buffers; k++) {
        struct writer_buffer *x = b->buffers + c->first + k;
        if (x->which != which) continue;
        if (!x->is_there && w->is_open) DRY_TRY(make_validity(w, b, c, x, err));
        if (!x->is_there) break; /* and its room cannot be made any more */
        *out = x;
        return DRY_OK;
    }
    return dry_fail(err, DRY_INVALID, "%s has no %s", dry_ipc_writer_label(w->ipc, column, label, sizeof label),
                    dry_writer_buffer_name(which));
}

enum dry_status dry_writer_column(struct dry_writer *w, int64_t block, int64_t column, enum dry_buffer which,
                                  struct dry_memory **out, struct dry_error *err)
{
    struct writer_buffer *x = NULL;
    DRY_TRY(dry_writer_about(w, find_buffer(w, block, column, which, &x, err), err));
    x->given = -1;
    *out = &x->memory;
    return DRY_OK;
}

/* ---- giving ---- */
/* Elements as the buffer counts them; -1: their size is not its. A bitmap takes words of any size. */
static int64_t elements_of(const struct writer_column *c, const struct writer_buffer *x, const struct dry_raw *raw)
{
    size_t bits = raw->elem_size * 8, n = raw->len;
    if (raw->drop) return -1; /* its bytes are not all there is to such an element */
    switch (x->which) {
    case DRY_BUFFER_VALIDITY: return (int64_t)(n * bits);
    case DRY_BUFFER_VALUES:
        if (c->shape.value_bits == 1) return (int64_t)(n * bits);
        return bits == (size_t)c->shape.value_bits ? (int64_t)n : -1;
    case DRY_BUFFER_OFFSETS: return raw->elem_size == (size_t)c->shape.offset_bytes ? (int64_t)n : -1;
    case DRY_BUFFER_BYTES: break;
    }
    return bits == 8 ? (int64_t)n : -1;
}

/* They may lie in another column of the same block, which moves when this one grows. */
static enum dry_status copy_in(struct writer_buffer *x, const struct dry_raw *raw, struct dry_error *err)
{
    const struct dry_memory *from = raw->kind == DRY_RAW_MEMORY ? raw->owner.memory : NULL;
    size_t bytes = raw->len * raw->elem_size;
    ptrdiff_t inside = from && raw->at ? (const char *)raw->at - (const char *)from->at : 0;
    if (bytes > x->memory.size_bytes) {
        enum dry_status status = x->memory.resize(&x->memory, bytes);
        if (status == DRY_FIXED)
            return dry_fail(err, status, "%zu bytes do not fit into %zu, which cannot grow", bytes,
                            x->memory.size_bytes);
        if (status != DRY_OK) {
            const struct dry_error *why = dry_segment_error(x->writer->segment);
            return dry_fail(err, status, "%s", why->text);
        }
    }
    if (bytes) memmove(x->memory.at, from ? (const char *)from->at + inside : raw->at, bytes);
    x->writer->copied_bytes += bytes;
    return DRY_OK;
}

static enum dry_status give(struct dry_writer *w, int64_t block, int64_t column, enum dry_buffer which,
                            struct dry_raw *raw, struct dry_error *err)
{
    struct writer_buffer *x = NULL;
    char label[200];
    DRY_TRY(find_buffer(w, block, column, which, &x, err));
    int64_t n = elements_of(w->columns + column, x, raw);
    if (n < 0)
        return dry_fail(err, DRY_INVALID, "elements of %zu bytes cannot be the %s of %s", raw->elem_size,
                        dry_writer_buffer_name(which), dry_ipc_writer_label(w->ipc, column, label, sizeof label));
    bool is_its_own = raw->kind == DRY_RAW_MEMORY && raw->owner.memory == &x->memory;
    if (!is_its_own || (raw->len && raw->at != x->memory.at)) DRY_TRY(copy_in(x, raw, err));
    x->given = n;
    dry_raw_free(raw);
    return DRY_OK;
}

enum dry_status dry_writer_give(struct dry_writer *w, int64_t block, int64_t column, enum dry_buffer which,
                                struct dry_raw *raw, struct dry_error *err)
{
    return dry_writer_about(w, give(w, block, column, which, raw, err), err);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Batches whose columns lie where they were computed: their metadata, in room that was left for it.
 */
#include "write.h"
#include "../base/check.h"

/* ---- columns ---- */
int64_t dry_ipc_writer_columns(const struct dry_ipc_writer *w)
{
    return w->schema->root.n_children;
}

const char *dry_ipc_writer_label(const struct dry_ipc_writer *w, int64_t column, char *out, size_t size)
{
    DRY_ASSERT(column >= 0 && column < w->schema->root.n_children);
    return dry_field_label(w->schema, w->schema->root.children + column, out, size);
}

static bool shape_of(const struct dry_field *f, struct dry_shape *out)
{
    if (f->values) return false;
    switch (f->layout) {
    case DRY_LAYOUT_NULL: *out = (struct dry_shape){0}; return true;
    case DRY_LAYOUT_FIXED: *out = (struct dry_shape){.n_buffers = 2, .value_bits = f->bits}; return true;
    case DRY_LAYOUT_BYTES32:
    case DRY_LAYOUT_BYTES64:
        *out = (struct dry_shape){.n_buffers = 3, .offset_bytes = f->layout == DRY_LAYOUT_BYTES32 ? 4 : 8};
        return true;
    default: return false;
    }
}

enum dry_status dry_ipc_writer_shape(const struct dry_ipc_writer *w, int64_t column, struct dry_shape *out,
                                     struct dry_error *err)
{
    char label[200];
    if (column < 0 || column >= w->schema->root.n_children)
        return dry_fail(err, DRY_INVALID, "there is no column %lld; the table has %lld", (long long)column,
                        (long long)w->schema->root.n_children);
    if (shape_of(w->schema->root.children + column, out)) return DRY_OK;
    return dry_fail(err, DRY_UNSUPPORTED,
                    "%s is nested, a dictionary or of views, and cannot be built in place; append batches instead",
                    dry_ipc_writer_label(w, column, label, sizeof label));
}

/* ---- metadata ---- */
/* Its size is the same for all batches: neither numbers nor the position (a multiple of 64) change it. */
static enum dry_status make(struct dry_ipc_writer *w, const struct dry_message *m, uint64_t at)
{
    enum dry_status status = dry_message_write_batch(m, at, &w->head);
    if (status == DRY_OK) return DRY_OK;
    return dry_fail(w->err, status, "a batch's metadata cannot be written: %s", dry_status_text(status));
}

/* An empty message for this schema, with nodes and places in the arena. */
static enum dry_status begin_message(struct dry_ipc_writer *w, struct dry_arena *arena, struct dry_message *out)
{
    struct dry_shape shape;
    struct dry_message m = {.kind = DRY_MESSAGE_BATCH, .n_nodes = w->schema->root.n_children};
    for (int64_t i = 0; i < m.n_nodes; i++) {
        DRY_TRY(dry_ipc_writer_shape(w, i, &shape, w->err));
        m.n_places += shape.n_buffers;
    }
    m.nodes = dry_arena_take_array(arena, (size_t)m.n_nodes, sizeof *m.nodes);
    m.places = dry_arena_take_array(arena, (size_t)m.n_places, sizeof *m.places);
    if (!m.nodes || !m.places) return dry_fail(w->err, DRY_NOMEM, "out of memory for a batch's metadata");
    *out = m;
    return DRY_OK;
}

static bool is_inside(const struct dry_place_in_body *b, int64_t body_bytes)
{
    return b->length >= 0 && b->offset >= 0 && b->offset % DRY_ALIGN == 0 && b->offset <= body_bytes - b->length;
}

static enum dry_status fill_message(struct dry_ipc_writer *w, const struct dry_placed *p, struct dry_message *m)
{
    if (p->rows < 0 || p->body_bytes < 0 || p->body_bytes % DRY_ALIGN)
        return dry_fail(w->err, DRY_INVALID, "a batch of %lld rows in %lld bytes cannot be placed",
                        (long long)p->rows, (long long)p->body_bytes);
    m->length = p->rows;
    m->body_bytes = p->body_bytes;
    for (int64_t i = 0; i < m->n_nodes; i++)
        m->nodes[i] = (struct dry_node){.length = p->rows, .null_count = p->null_counts[i]};
    for (int64_t i = 0; i < m->n_places; i++) {
        if (!is_inside(p->buffers + i, p->body_bytes))
            return dry_fail(w->err, DRY_INVALID, "buffer %lld of a placed batch is not inside its body",
                            (long long)i);
        m->places[i] = (struct dry_place){.offset = p->buffers[i].offset, .length = p->buffers[i].length};
    }
    return DRY_OK;
}

/* The message for `p`, which stands at block->offset, into w->head. */
static enum dry_status describe(struct dry_ipc_writer *w, const struct dry_placed *p, const struct dry_block *block)
{
    struct dry_arena arena;
    struct dry_message m;
    dry_arena_init(&arena, w->allocator);
    enum dry_status status = begin_message(w, &arena, &m);
    if (status == DRY_OK) status = fill_message(w, p, &m);
    if (status == DRY_OK) status = make(w, &m, (uint64_t)block->offset);
    dry_arena_fini(&arena);
    DRY_ASSERT(status != DRY_OK || (int32_t)w->head.len == block->metadata_bytes);
    return status;
}

/* ---- placing ---- */
enum dry_status dry_ipc_writer_place(struct dry_ipc_writer *w, uint64_t body_bytes, uint64_t *at, size_t *room,
                                     struct dry_error *err)
{
    struct dry_arena arena;
    struct dry_message m;
    uint64_t whole;
    w->err = err;
    DRY_TRY(dry_ipc_writer_ready(w));
    if (w->options.format != DRY_IPC_FILE)
        return dry_fail(err, DRY_UNSUPPORTED, "batches are placed in files, and this is a stream");
    DRY_TRY(dry_ipc_writer_expect(w));
    dry_arena_init(&arena, w->allocator);
    enum dry_status status = begin_message(w, &arena, &m);
    if (status == DRY_OK) status = make(w, &m, w->at);
    dry_arena_fini(&arena);
    DRY_TRY(status);
    if (__builtin_add_overflow(body_bytes, w->head.len, &whole) || whole > INT64_MAX)
        return dry_fail(err, DRY_TOO_BIG, "a batch of %llu bytes", (unsigned long long)body_bytes);
    DRY_TRY(dry_ipc_writer_reserve(w, whole));
    w->torn = true;
    DRY_TRY(w->sink.append(w->sink.self, w->head.data, w->head.len, err));
    w->torn = false;
    w->place = (struct dry_block){.offset = (int64_t)w->at, .metadata_bytes = (int32_t)w->head.len};
    *at = w->at;
    *room = w->head.len;
    return DRY_OK;
}

enum dry_status dry_ipc_writer_placed(struct dry_ipc_writer *w, const struct dry_placed *p, const void **metadata,
                                      struct dry_error *err)
{
    w->err = err;
    if (!w->place.metadata_bytes) return dry_fail(err, DRY_INVALID, "no batch is being placed");
    DRY_TRY(describe(w, p, &w->place));
    w->place.body_bytes = p->body_bytes;
    w->at += w->head.len + (uint64_t)p->body_bytes;
    dry_ipc_writer_remember(w, &w->place, p->rows);
    w->place = (struct dry_block){0};
    *metadata = w->head.data;
    return DRY_OK;
}

void dry_ipc_writer_unplace(struct dry_ipc_writer *w)
{
    w->place = (struct dry_block){0};
}

enum dry_status dry_ipc_writer_replace(struct dry_ipc_writer *w, int64_t batch, const struct dry_placed *p,
                                       const void **metadata, struct dry_error *err)
{
    w->err = err;
    if (batch < 0 || batch >= w->n_batches)
        return dry_fail(err, DRY_INVALID, "there is no batch %lld", (long long)batch);
    if (p->body_bytes != w->batches[batch].body_bytes)
        return dry_fail(err, DRY_INVALID, "batch %lld has a body of %lld bytes, which cannot change",
                        (long long)batch, (long long)w->batches[batch].body_bytes);
    DRY_TRY(describe(w, p, w->batches + batch));
    w->all_rows += p->rows - w->rows[batch];
    w->rows[batch] = p->rows;
    *metadata = w->head.data;
    return DRY_OK;
}

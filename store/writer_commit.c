/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The end of a block, publishing, and taking back.
 */
#include "writer_private.h"

/* ---- the end of a block ---- */
/* From here on a failure leaves the writer half done. */
static enum dry_status close_block(struct dry_writer *w, struct writer_block *b, int64_t rows, struct dry_error *err)
{
    const void *metadata;
    dry_writer_count(w, b, rows);
    uint64_t end = dry_writer_settle(w, b);
    struct dry_placed placed = dry_writer_describe(w, b, rows);
    for (int64_t i = 0; i < w->n_buffers; i++)
        b->buffers[i].piece = NULL;
    dry_writer_show(w, b, NULL);
    b->rows = rows;
    DRY_TRY(dry_segment_cut(w->segment, end, err));
    DRY_TRY(dry_ipc_writer_placed(w->ipc, &placed, &metadata, err));
    return dry_segment_write_at(w->segment, b->metadata_at, metadata, (size_t)(b->body_at - b->metadata_at), err);
}

static enum dry_status end_block(struct dry_writer *w, int64_t rows, struct dry_error *err)
{
    DRY_TRY(dry_writer_expect(w, WRITER_FILLING, err));
    if (!w->is_open) return dry_fail(err, DRY_INVALID, "no block is open");
    struct writer_block *b = writer_block_at(w, (int64_t)w->blocks.n - 1);
    DRY_TRY(dry_writer_measure(w, b, rows, err));
    w->is_open = false;
    enum dry_status status = close_block(w, b, rows, err);
    if (status != DRY_OK) w->state = WRITER_BROKEN;
    return status;
}

enum dry_status dry_writer_end_block(struct dry_writer *w, int64_t rows, struct dry_error *err)
{
    return dry_writer_about(w, end_block(w, rows, err), err);
}

/* ---- publishing ---- */
static enum dry_status rewrite(struct dry_writer *w, struct writer_block *b, struct dry_error *err)
{
    const void *metadata;
    DRY_TRY(dry_writer_measure(w, b, b->rows, err));
    dry_writer_count(w, b, b->rows);
    struct dry_placed placed = dry_writer_describe(w, b, b->rows);
    DRY_TRY(dry_ipc_writer_replace(w->ipc, b->batch, &placed, &metadata, err));
    return dry_segment_write_at(w->segment, b->metadata_at, metadata, (size_t)(b->body_at - b->metadata_at), err);
}

/* The footer, or after take_back the blocks' metadata; the footer does not say what can have changed. */
static enum dry_status complete(struct dry_writer *w, struct dry_error *err)
{
    if (w->state == WRITER_FILLING) DRY_TRY(dry_ipc_writer_finish(w->ipc, err));
    if (w->state == WRITER_TAKEN_BACK) {
        for (size_t i = 0; i < w->blocks.n; i++)
            DRY_TRY(rewrite(w, writer_block_at(w, (int64_t)i), err));
        for (size_t i = 0; i < w->blocks.n; i++)
            dry_writer_show(w, writer_block_at(w, (int64_t)i), NULL);
    }
    w->state = WRITER_COMPLETE;
    return DRY_OK;
}

static enum dry_status publish(struct dry_writer *w, struct dry_error *err)
{
    const struct verifying how = {w->options.segment.threads, w->options.progress, w->options.progress_self};
    DRY_TRY(dry_writer_about(w, dry_segment_finish(w->segment, err), err));
    DRY_STEP("put: filled");
    if (writer_is_named(w)) {
        DRY_TRY(dry_draft_verify(&w->draft, &how, err));
        return dry_draft_publish(&w->draft, err);
    }
    enum dry_status status = dry_store_verify(w->segment, &how, w->a, err);
    if (status == DRY_OK) status = dry_segment_protect(w->segment, err);
    return dry_writer_about(w, status, err);
}

static enum dry_status check_may_commit(const struct dry_writer *w, struct dry_error *err)
{
    if (w->state == WRITER_COMPLETE || w->state == WRITER_TAKEN_BACK) return dry_writer_expect(w, w->state, err);
    DRY_TRY(dry_writer_expect(w, WRITER_FILLING, err));
    return w->is_open ? dry_fail(err, DRY_INVALID, "a block is open; end it before the table is committed") : DRY_OK;
}

enum dry_status dry_writer_commit(struct dry_writer *w, struct dry_error *err)
{
    enum dry_status status = check_may_commit(w, err);
    if (status == DRY_OK && w->state != WRITER_COMPLETE) status = complete(w, err);
    if (status != DRY_OK) return dry_writer_about(w, status, err);
    status = publish(w, err);
    if (status == DRY_OK)
        w->state = WRITER_COMMITTED;
    else if (status != DRY_EXISTS)
        w->state = WRITER_BROKEN;
    return status;
}

/* ---- what has been published ---- */
static enum dry_status check_published(const struct dry_writer *w, struct dry_error *err)
{
    return dry_writer_expect(w, w->state == WRITER_SEALED ? WRITER_SEALED : WRITER_COMMITTED, err);
}

static enum dry_status check_anonymous(const struct dry_writer *w, const char *what, struct dry_error *err)
{
    if (!writer_is_named(w)) return DRY_OK;
    return dry_fail(err, DRY_INVALID, "a table that has a name %s; make an anonymous one", what);
}

static enum dry_status open_table(struct dry_writer *w, struct dry_table **out, struct dry_error *err)
{
    struct dry_view view;
    DRY_TRY(check_published(w, err));
    DRY_TRY(dry_segment_view(w->segment, &view, err));
    return dry_store_table_over(&view, dry_segment_fd_of(view.storage), w->a, out, err);
}

enum dry_status dry_writer_table(struct dry_writer *w, struct dry_table **out, struct dry_error *err)
{
    return dry_writer_about(w, open_table(w, out, err), err);
}

enum dry_status dry_writer_handle(struct dry_writer *w, char out[DRY_HANDLE_SIZE], struct dry_error *err)
{
    enum dry_status status = check_anonymous(w, "is opened by it and has no handle", err);
    if (status == DRY_OK) status = check_published(w, err);
    if (status == DRY_OK) status = dry_segment_handle(w->segment, out, err);
    return dry_writer_about(w, status, err);
}

enum dry_status dry_writer_seal(struct dry_writer *w, struct dry_error *err)
{
    enum dry_status status = check_anonymous(w, "cannot be sealed", err);
    if (status == DRY_OK) status = check_published(w, err);
    if (status == DRY_OK) status = dry_segment_seal(w->segment, err);
    if (status == DRY_OK) w->state = WRITER_SEALED;
    return dry_writer_about(w, status, err);
}

/* ---- taking back ---- */
static enum dry_status take_back(struct dry_writer *w, struct dry_error *err)
{
    DRY_TRY(check_anonymous(w, "cannot be taken back", err));
    DRY_TRY(dry_writer_expect(w, WRITER_COMMITTED, err));
    char *base = (char *)(uintptr_t)dry_segment_bytes(w->segment);
    if (w->blocks.n && !base) return dry_fail(err, DRY_NOMEM, "it could not be kept mapped, for lack of addresses");
    DRY_TRY(dry_segment_take_back(w->segment, err));
    w->state = WRITER_TAKEN_BACK;
    for (size_t i = 0; i < w->blocks.n; i++)
        dry_writer_show(w, writer_block_at(w, (int64_t)i), base);
    return DRY_OK;
}

enum dry_status dry_writer_take_back(struct dry_writer *w, struct dry_error *err)
{
    return dry_writer_about(w, take_back(w, err), err);
}

static enum dry_status set_rows(struct dry_writer *w, int64_t block, int64_t rows, struct dry_error *err)
{
    DRY_TRY(dry_writer_expect(w, WRITER_TAKEN_BACK, err));
    if (block == -1) block = (int64_t)w->blocks.n - 1;
    if (block < 0 || block >= (int64_t)w->blocks.n)
        return dry_fail(err, DRY_INVALID, "there is no block %lld", (long long)block);
    DRY_TRY(dry_writer_measure(w, writer_block_at(w, block), rows, err));
    writer_block_at(w, block)->rows = rows;
    return DRY_OK;
}

enum dry_status dry_writer_set_rows(struct dry_writer *w, int64_t block, int64_t rows, struct dry_error *err)
{
    return dry_writer_about(w, set_rows(w, block, rows, err), err);
}

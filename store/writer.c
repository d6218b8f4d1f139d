/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A writer's life, and the batches that are copied into it.
 */
#include "writer_private.h"

#include <string.h>

/* ---- what may be done now ---- */
enum dry_status dry_writer_about(const struct dry_writer *w, enum dry_status status, struct dry_error *err)
{
    if (status == DRY_OK) return DRY_OK;
    if (writer_is_named(w)) return dry_draft_about(&w->draft, status, err);
    return dry_fail_in(err, status, "anonymous table '%.60s': ", w->name);
}

static const char *state_words(const struct dry_writer *w)
{
    switch (w->state) {
    case WRITER_FILLING: return "it has not been committed yet";
    case WRITER_COMPLETE: return "it is complete and has no name yet; commit it again";
    case WRITER_COMMITTED: return "it has been committed";
    case WRITER_TAKEN_BACK: return "it has been taken back, and its size is fixed; fill its blocks and commit it";
    case WRITER_SEALED: return "it has been sealed for good";
    case WRITER_BROKEN: break;
    }
    return "an error has left it half done; begin a new writer";
}

enum dry_status dry_writer_expect(const struct dry_writer *w, enum writer_state state, struct dry_error *err)
{
    if (dry_segment_fd(w->segment) < 0)
        return dry_fail(err, DRY_DENIED, "the writer belongs to the process that made it, not to its fork's child");
    return w->state == state ? DRY_OK : dry_fail(err, DRY_INVALID, "%s", state_words(w));
}

/* ---- life ---- */
/* So that what a block's columns are filled through stays where it is, unless a column outgrows its room. */
#define ADDRESSES ((uint64_t)256 << 30)

static enum dry_status make_segment(struct dry_writer *w, struct dry_store *s, struct dry_error *err)
{
    struct dry_segment_options how = w->options.segment;
    if (s) {
        DRY_TRY(dry_draft_begin(&w->draft, s, w->name, !w->options.no_clobber, w->options.recycle, err));
        w->segment = w->draft.segment;
    } else {
        DRY_TRY(dry_segment_new(w->name, w->a, &w->segment, err));
        w->draft.segment = w->segment; /* for the sink */
    }
    how.keep_mapped = !s || w->draft.recycled; /* what is taken back, or recycled, is written through the mapping */
    if (how.address_bytes == 0) how.address_bytes = ADDRESSES;
    enum dry_status status = dry_segment_set_options(w->segment, &how, err);
    if (status == DRY_OK && w->options.bytes_expected)
        status = dry_segment_reserve(w->segment, w->options.bytes_expected, err);
    return dry_writer_about(w, status, err);
}

static enum dry_status begin(struct dry_writer *w, struct dry_store *s, const struct ArrowSchema *schema,
                             struct dry_error *err)
{
    struct dry_ipc_write_options how = {.format = DRY_IPC_FILE,
                                        .stamp_verified = true, /* commit keeps the promise */
                                        .progress = w->options.progress,
                                        .progress_self = w->options.progress_self};
    DRY_TRY(make_segment(w, s, err));
    struct dry_sink sink = dry_draft_sink(&w->draft);
    return dry_writer_about(w, dry_ipc_writer_new(schema, &sink, &how, w->a, &w->ipc, err), err);
}

enum dry_status dry_writer_new(struct dry_store *s, const char *name, const struct ArrowSchema *schema,
                               const struct dry_writer_options *options, const struct dry_allocator *a,
                               struct dry_writer **out, struct dry_error *err)
{
    static const struct dry_writer_options plain;
    const char *label = name ? name : s ? "" : "table";
    size_t name_size = strlen(label) + 1;
    struct dry_writer *w = dry_allocate(a, sizeof *w + name_size, _Alignof(struct dry_writer));
    if (!w) return dry_fail(err, DRY_NOMEM, "no memory for a writer");
    *w = (struct dry_writer){.a = a,
                             .options = options ? *options : plain,
                             .blocks = {.a = a, .item_size = sizeof(struct writer_block)},
                             .name_size = name_size};
    memcpy(w->name, label, name_size);
    enum dry_status status = begin(w, s, schema, err);
    if (status == DRY_OK)
        *out = w;
    else
        dry_writer_free(w);
    return status;
}

void dry_writer_free(struct dry_writer *w)
{
    if (!w) return;
    dry_ipc_writer_free(w->ipc);
    dry_writer_free_blocks(w);
    if (writer_is_named(w))
        dry_draft_end(&w->draft);
    else
        dry_segment_free(w->segment);
    dry_release(w->a, w, sizeof *w + w->name_size, _Alignof(struct dry_writer));
}

/* ---- copies ---- */
static enum dry_status check_may_append(const struct dry_writer *w, struct dry_error *err)
{
    DRY_TRY(dry_writer_expect(w, WRITER_FILLING, err));
    return w->is_open ? dry_fail(err, DRY_INVALID, "a block is open; end it before a batch is appended") : DRY_OK;
}

static uint64_t bytes_written(const struct dry_writer *w)
{
    struct dry_ipc_writer_stat stat;
    dry_ipc_writer_stat(w->ipc, &stat);
    return stat.bytes;
}

enum dry_status dry_writer_append(struct dry_writer *w, struct ArrowArray *batch, struct dry_error *err)
{
    enum dry_status status = check_may_append(w, err);
    if (status != DRY_OK) {
        if (batch->release) batch->release(batch);
        return dry_writer_about(w, status, err);
    }
    uint64_t before = bytes_written(w);
    status = dry_ipc_writer_batch(w->ipc, batch, err);
    w->copied_bytes += bytes_written(w) - before;
    return dry_writer_about(w, status, err);
}

enum dry_status dry_writer_append_stream(struct dry_writer *w, struct ArrowArrayStream *in, struct dry_error *err)
{
    enum dry_status status = check_may_append(w, err);
    if (status != DRY_OK) {
        if (in->release) in->release(in);
        return dry_writer_about(w, status, err);
    }
    uint64_t before = bytes_written(w);
    status = dry_ipc_writer_stream(w->ipc, in, err);
    w->copied_bytes += bytes_written(w) - before;
    return dry_writer_about(w, status, err);
}

/* ---- how it went ---- */
enum dry_status dry_writer_stat(const struct dry_writer *w, struct dry_writer_stat *out, struct dry_error *err)
{
    struct dry_ipc_writer_stat ipc;
    struct dry_writer_stat stat = {.copied_bytes = w->copied_bytes};
    DRY_TRY(dry_writer_about(w, dry_segment_stat(w->segment, &stat.segment, err), err));
    dry_ipc_writer_stat(w->ipc, &ipc);
    stat.recycled = w->draft.recycled;
    stat.rows = ipc.rows;
    stat.batches = ipc.batches;
    stat.blocks = (int64_t)w->blocks.n;
    stat.moved_bytes = w->moved_bytes + stat.segment.moved_bytes;
    for (size_t i = 0; i < w->blocks.n; i++)
        stat.gap_bytes += writer_block_at(w, (int64_t)i)->gap_bytes;
    *out = stat;
    return DRY_OK;
}

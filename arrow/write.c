/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Batches -> IPC file or stream. A file's dictionaries stand after its batches, merged (merge.h); in a stream they
 * must come first, so each batch that changed one is preceded by the whole new one.
 */
#include "write.h"
#include "../base/check.h"
#include "plan.h"
#include "schema_build.h"

#include <stdio.h>
#include <string.h>

struct dry_kept {
    struct dry_kept *next;
    struct ArrowArray array;
    struct dry_arena arena;
};

static void drop(struct dry_ipc_writer *w, struct dry_kept *k)
{
    k->array.release(&k->array);
    dry_arena_fini(&k->arena);
    dry_release(w->allocator, k, sizeof *k, _Alignof(struct dry_kept));
}

static enum dry_status no_memory(const struct dry_ipc_writer *w)
{
    return dry_fail(w->err, DRY_NOMEM, "out of memory while writing");
}

static enum dry_status keep_back(struct dry_ipc_writer *w, const void *bytes, size_t n)
{
    if (dry_bytes_append(&w->held, bytes, n) != DRY_OK) return no_memory(w);
    w->at += n;
    return DRY_OK;
}

/* A sink that has refused room has nothing of what was to come; one that fails later has a part of it. */
enum dry_status dry_ipc_writer_reserve(struct dry_ipc_writer *w, uint64_t more)
{
    size_t n = w->held.len;
    if (w->sink.reserve) DRY_TRY(w->sink.reserve(w->sink.self, n + more, w->err));
    w->torn = true;
    if (n) DRY_TRY(w->sink.append(w->sink.self, w->held.data, n, w->err));
    w->torn = false;
    w->held.len = 0;
    return DRY_OK;
}

static enum dry_status append(struct dry_ipc_writer *w, const void *bytes, size_t n)
{
    DRY_TRY(w->sink.append(w->sink.self, bytes, n, w->err));
    w->at += n;
    return DRY_OK;
}

enum dry_status dry_ipc_writer_ready(const struct dry_ipc_writer *w)
{
    if (w->torn) return dry_fail(w->err, DRY_INVALID, "an error has cut short what was written; begin anew");
    if (w->finished) return dry_fail(w->err, DRY_INVALID, "it is finished, and no batch can follow");
    if (w->place.metadata_bytes) return dry_fail(w->err, DRY_INVALID, "a batch is being placed; end that one first");
    return DRY_OK;
}

/* ---- one message with a body ---- */
static enum dry_status write_message(struct dry_ipc_writer *w, const struct dry_plan *plan,
                                     const struct dry_renumber *renumber, const char *where, struct dry_block *block)
{
    enum dry_status status = dry_message_write_batch(&plan->message, w->at, &w->head);
    if (status != DRY_OK)
        return dry_fail(w->err, status, "%s: its metadata cannot be written: %s", where, dry_status_text(status));
    *block = (struct dry_block){(int64_t)w->at, (int32_t)w->head.len, plan->message.body_bytes};
    DRY_TRY(dry_ipc_writer_reserve(w, w->head.len + (uint64_t)plan->message.body_bytes));
    w->torn = true;
    DRY_TRY(append(w, w->head.data, w->head.len));
    DRY_TRY(dry_plan_write(w->schema, plan, renumber, where, &w->sink, &w->options, &w->at, w->err));
    if (w->options.progress && w->options.progress(w->options.progress_self, w->at))
        return dry_fail(w->err, DRY_IO, "cancelled");
    w->torn = false;
    return DRY_OK;
}

static enum dry_status write_dictionary(struct dry_ipc_writer *w, int32_t i, struct dry_block *block)
{
    struct dry_arena arena;
    struct dry_array values;
    struct dry_plan plan;
    dry_arena_init(&arena, w->allocator);
    enum dry_status status = dry_merge_values(w->merges + i, &arena, &values, w->err);
    if (status == DRY_OK) status = dry_plan_make(w->schema, &values, NULL, "dictionaries", &arena, &plan, w->err);
    if (status == DRY_OK) {
        plan.message.kind = DRY_MESSAGE_DICTIONARY;
        plan.message.dictionary_id = w->schema->dictionaries[i].id;
        status = write_message(w, &plan, NULL, "dictionaries", block);
    }
    dry_arena_fini(&arena);
    return status;
}

/* ---- batches ---- */
static enum dry_status take_dictionaries(struct dry_ipc_writer *w, const struct dry_array *a, const char *where,
                                         struct dry_arena *arena, bool *keep)
{
    if (a->field->values) {
        int32_t i = a->field->dictionary;
        bool first;
        if (!a->dictionary) return dry_fail(w->err, DRY_INVALID, "%s: a dictionary is missing", where);
        DRY_TRY(
            dry_merge_take(w->merges + i, a->dictionary, where, arena, w->renumber + i, &first, w->grew + i, w->err));
        *keep |= first;
        DRY_TRY(take_dictionaries(w, a->dictionary, where, arena, keep));
    }
    for (int64_t i = 0; i < a->field->n_children; i++)
        DRY_TRY(take_dictionaries(w, a->children + i, where, arena, keep));
    return DRY_OK;
}

enum dry_status dry_ipc_writer_expect(struct dry_ipc_writer *w)
{
    if (w->n_batches < w->cap_batches) return DRY_OK;
    size_t n = (size_t)w->n_batches, cap = n ? n * 2 : 16;
    struct dry_block *batches = dry_arena_take_array(&w->arena, cap, sizeof *batches);
    int64_t *rows = dry_arena_take_array(&w->arena, cap, sizeof *rows);
    if (!batches || !rows) return no_memory(w);
    if (n) memcpy(batches, w->batches, n * sizeof *batches);
    if (n) memcpy(rows, w->rows, n * sizeof *rows);
    w->batches = batches;
    w->rows = rows;
    w->cap_batches = (int64_t)cap;
    return DRY_OK;
}

void dry_ipc_writer_remember(struct dry_ipc_writer *w, const struct dry_block *block, int64_t rows)
{
    w->batches[w->n_batches] = *block;
    w->rows[w->n_batches++] = rows;
    w->all_rows += rows;
}

static enum dry_status write_batch(struct dry_ipc_writer *w, const struct ArrowArray *in, struct dry_arena *arena,
                                   bool *keep)
{
    struct dry_array array;
    struct dry_plan plan;
    struct dry_block block;
    char where[40];
    snprintf(where, sizeof where, "batch %lld", (long long)w->n_batches);
    DRY_TRY(dry_ipc_writer_expect(w));
    DRY_TRY(dry_array_import(w->schema, in, arena, &array, w->err));
    if (array.buffers[0].data && array.length &&
        dry_bits_count(array.buffers[0].data, array.offset, array.length) != array.length)
        return dry_fail(w->err, DRY_INVALID, "%s: whole rows are null, which a table cannot hold", where);
    DRY_TRY(take_dictionaries(w, &array, where, arena, keep));
    if (w->options.format == DRY_IPC_STREAM)
        for (int32_t i = w->schema->n_dictionaries; i-- > 0;) /* inner ones before those that use them */
            if (w->grew[i]) DRY_TRY(write_dictionary(w, i, &block));
    DRY_TRY(dry_plan_make(w->schema, &array, w->renumber, where, arena, &plan, w->err));
    plan.message.kind = DRY_MESSAGE_BATCH;
    DRY_TRY(write_message(w, &plan, w->renumber, where, &block));
    dry_ipc_writer_remember(w, &block, array.length);
    return DRY_OK;
}

/* Writes `in` and releases it, at once or, where a dictionary lies in it, with the writer. */
static enum dry_status give_batch(struct dry_ipc_writer *w, struct ArrowArray *in)
{
    bool keep = false;
    struct dry_kept *k = dry_allocate(w->allocator, sizeof *k, _Alignof(struct dry_kept));
    if (!k) {
        in->release(in);
        return no_memory(w);
    }
    k->array = *in;
    in->release = NULL;
    dry_arena_init(&k->arena, w->allocator);
    enum dry_status status = write_batch(w, &k->array, &k->arena, &keep);
    /* A dictionary may have taken in the values of a batch that is not there. */
    if (status != DRY_OK && w->schema->n_dictionaries) w->torn = true;
    if (keep) {
        k->next = w->kept;
        w->kept = k;
    } else {
        drop(w, k);
    }
    return status;
}

enum dry_status dry_ipc_writer_batch(struct dry_ipc_writer *w, struct ArrowArray *batch, struct dry_error *err)
{
    w->err = err;
    if (!batch->release) return dry_fail(err, DRY_INVALID, "the batch has been released already");
    enum dry_status status = dry_ipc_writer_ready(w);
    if (status == DRY_OK) return give_batch(w, batch);
    batch->release(batch);
    return status;
}

/* ---- the source ---- */
static enum dry_status source_failed(struct ArrowArrayStream *in, int sys, struct dry_error *err)
{
    const char *words = in->get_last_error ? in->get_last_error(in) : NULL;
    if (words && *words) return dry_fail(err, DRY_IO, "%s", words);
    return dry_fail_sys(err, DRY_IO, sys, "the source of the data failed");
}

static enum dry_status write_batches(struct dry_ipc_writer *w, struct ArrowArrayStream *in)
{
    for (;;) {
        struct ArrowArray array = {.release = NULL};
        int sys = in->get_next(in, &array);
        if (sys) return source_failed(in, sys, w->err);
        if (!array.release) return DRY_OK;
        DRY_TRY(give_batch(w, &array));
    }
}

static enum dry_status compare_columns(struct dry_ipc_writer *w, const struct dry_schema *other)
{
    const struct dry_field *ours = &w->schema->root, *theirs = &other->root;
    char mine[160], its[160];
    if (ours->n_children != theirs->n_children)
        return dry_fail(w->err, DRY_INVALID, "what is appended has %lld columns, and the table has %lld",
                        (long long)theirs->n_children, (long long)ours->n_children);
    for (int64_t i = 0; i < ours->n_children; i++) {
        const struct dry_field *a = ours->children + i, *b = theirs->children + i;
        if (dry_field_same(a, b)) continue;
        return dry_fail(w->err, DRY_INVALID, "what is appended has %s%s where the table has %s%s",
                        dry_field_label(other, b, its, sizeof its), b->nullable ? "" : ", not nullable,",
                        dry_field_label(w->schema, a, mine, sizeof mine), a->nullable ? "" : ", not nullable");
    }
    return DRY_OK;
}

static enum dry_status check_schema(struct dry_ipc_writer *w, const struct ArrowSchema *schema)
{
    struct dry_schema *other;
    DRY_TRY(dry_schema_import(schema, w->allocator, &other, w->err));
    enum dry_status status = compare_columns(w, other);
    dry_schema_free(other);
    return status;
}

static enum dry_status write_stream(struct dry_ipc_writer *w, struct ArrowArrayStream *in)
{
    struct ArrowSchema schema = {.release = NULL};
    DRY_TRY(dry_ipc_writer_ready(w));
    int sys = in->get_schema(in, &schema);
    if (sys) return source_failed(in, sys, w->err);
    enum dry_status status = check_schema(w, &schema);
    if (schema.release) schema.release(&schema);
    return status == DRY_OK ? write_batches(w, in) : status;
}

enum dry_status dry_ipc_writer_stream(struct dry_ipc_writer *w, struct ArrowArrayStream *in, struct dry_error *err)
{
    if (!in->release) return dry_fail(err, DRY_INVALID, "the stream has been released already");
    w->err = err;
    enum dry_status status = write_stream(w, in);
    in->release(in);
    return status;
}

/* ---- the beginning and the end ---- */
static enum dry_status begin(struct dry_ipc_writer *w, const struct ArrowSchema *schema)
{
    DRY_TRY(dry_schema_import(schema, w->allocator, &w->schema, w->err));
    size_t n = (size_t)w->schema->n_dictionaries;
    w->merges = dry_arena_take_array(&w->arena, n, sizeof *w->merges);
    w->renumber = dry_arena_take_array(&w->arena, n, sizeof *w->renumber);
    w->grew = dry_arena_take_array(&w->arena, n, sizeof *w->grew);
    w->dictionaries = dry_arena_take_array(&w->arena, n, sizeof *w->dictionaries);
    if (!w->merges || !w->renumber || !w->grew || !w->dictionaries) return no_memory(w);
    for (size_t i = 0; i < n; i++)
        dry_merge_init(w->merges + i, w->schema, w->schema->dictionaries[i].field, w->allocator);
    if (w->options.format == DRY_IPC_FILE) DRY_TRY(keep_back(w, "ARROW1\0\0", 8));
    enum dry_status status = dry_message_write_schema(w->schema, w->at, &w->head);
    if (status != DRY_OK)
        return dry_fail(w->err, status, "the schema cannot be written: %s", dry_status_text(status));
    DRY_TRY(keep_back(w, w->head.data, w->head.len));
    /* whoever reads a stream may wait for the schema */
    return w->options.format == DRY_IPC_STREAM ? dry_ipc_writer_reserve(w, 0) : DRY_OK;
}

enum dry_status dry_ipc_writer_new(const struct ArrowSchema *schema, const struct dry_sink *sink,
                                   const struct dry_ipc_write_options *options, const struct dry_allocator *a,
                                   struct dry_ipc_writer **out, struct dry_error *err)
{
    struct dry_ipc_writer *w = dry_allocate(a, sizeof *w, _Alignof(struct dry_ipc_writer));
    if (!w) return dry_fail(err, DRY_NOMEM, "out of memory while writing");
    *w = (struct dry_ipc_writer){.sink = *sink, .options = *options, .allocator = a, .err = err};
    dry_bytes_init(&w->head, a);
    dry_bytes_init(&w->held, a);
    dry_arena_init(&w->arena, a);
    enum dry_status status = begin(w, schema);
    if (status == DRY_OK)
        *out = w;
    else
        dry_ipc_writer_free(w);
    return status;
}

/* The footer's own metadata, one pair, in the C data interface's encoding (native int32 lengths). */
static const char *stamp(char room[64])
{
    static const char key[] = "drystone.verified", value[] = "full";
    int32_t one = 1, key_bytes = sizeof key - 1, value_bytes = sizeof value - 1;
    memcpy(room, &one, 4);
    memcpy(room + 4, &key_bytes, 4);
    memcpy(room + 8, key, sizeof key - 1);
    memcpy(room + 8 + sizeof key - 1, &value_bytes, 4);
    memcpy(room + 12 + sizeof key - 1, value, sizeof value - 1);
    return room;
}

static enum dry_status make_footer(struct dry_ipc_writer *w)
{
    char room[64];
    struct dry_footer footer = {.schema = w->schema,
                                .n_dictionaries = w->n_dictionaries,
                                .n_batches = w->n_batches,
                                .dictionaries = w->dictionaries,
                                .batches = w->batches,
                                .metadata = w->options.stamp_verified ? stamp(room) : NULL};
    enum dry_status status = dry_footer_write(&footer, &w->head);
    if (status == DRY_OK) return DRY_OK;
    return dry_fail(w->err, status, "the footer cannot be written: %s", dry_status_text(status));
}

enum dry_status dry_ipc_writer_finish(struct dry_ipc_writer *w, struct dry_error *err)
{
    static const uint8_t end_of_stream[8] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};
    w->err = err;
    DRY_TRY(dry_ipc_writer_ready(w));
    if (w->options.format == DRY_IPC_FILE) {
        for (int64_t i = w->schema->n_dictionaries - w->n_dictionaries; i-- > 0;) {
            DRY_TRY(write_dictionary(w, (int32_t)i, w->dictionaries + w->n_dictionaries));
            w->n_dictionaries++;
        }
        DRY_TRY(make_footer(w));
    } else
        w->head.len = 0;
    DRY_TRY(dry_ipc_writer_reserve(w, sizeof end_of_stream + w->head.len));
    w->torn = true;
    DRY_TRY(append(w, end_of_stream, sizeof end_of_stream));
    if (w->head.len) DRY_TRY(append(w, w->head.data, w->head.len));
    w->torn = false;
    w->finished = true;
    return DRY_OK;
}

void dry_ipc_writer_free(struct dry_ipc_writer *w)
{
    if (!w) return;
    for (int32_t i = 0; w->merges && i < w->schema->n_dictionaries; i++)
        if (w->merges[i].schema) dry_merge_fini(w->merges + i);
    while (w->kept) {
        struct dry_kept *k = w->kept;
        w->kept = k->next;
        drop(w, k);
    }
    dry_schema_free(w->schema);
    dry_bytes_fini(&w->head);
    dry_bytes_fini(&w->held);
    dry_arena_fini(&w->arena);
    dry_release(w->allocator, w, sizeof *w, _Alignof(struct dry_ipc_writer));
}

void dry_ipc_writer_stat(const struct dry_ipc_writer *w, struct dry_ipc_writer_stat *out)
{
    *out = (struct dry_ipc_writer_stat){.rows = w->all_rows, .batches = w->n_batches, .bytes = w->at};
}

static enum dry_status begin_for(struct ArrowArrayStream *in, const struct dry_sink *sink,
                                 const struct dry_ipc_write_options *options, const struct dry_allocator *a,
                                 struct dry_ipc_writer **out, struct dry_error *err)
{
    struct ArrowSchema schema = {.release = NULL};
    int sys = in->get_schema(in, &schema);
    if (sys) return source_failed(in, sys, err);
    enum dry_status status = dry_ipc_writer_new(&schema, sink, options, a, out, err);
    if (schema.release) schema.release(&schema);
    return status;
}

enum dry_status dry_ipc_write(struct ArrowArrayStream *in, const struct dry_sink *sink,
                              const struct dry_ipc_write_options *options, const struct dry_allocator *a,
                              struct dry_error *err)
{
    struct dry_ipc_writer *w = NULL;
    if (!in->release) return dry_fail(err, DRY_INVALID, "the stream has been released already");
    enum dry_status status = begin_for(in, sink, options, a, &w, err);
    if (status == DRY_OK) status = write_batches(w, in);
    if (status == DRY_OK) status = dry_ipc_writer_finish(w, err);
    dry_ipc_writer_free(w);
    in->release(in);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * ArrowArrayStream -> IPC file or stream. A file's dictionaries stand after its batches, merged (merge.h); in a
 * stream they must come first, so each batch that changed one is preceded by the whole new one.
 */
#include "arrow.h"
#include "../base/check.h"
#include "array.h"
#include "merge.h"
#include "plan.h"

#include <stdio.h>
#include <string.h>

/* A batch that must stay alive because a dictionary's values lie in it. */
struct kept {
    struct kept *next;
    struct ArrowArray array;
    struct dry_arena arena;
};

struct writer {
    const struct dry_sink *sink;
    const struct dry_ipc_write_options *options;
    const struct dry_allocator *allocator;
    struct dry_error *err;
    struct dry_schema *schema;
    struct dry_merge *merges; /* one for each dictionary of the schema */
    struct dry_renumber *renumber;
    bool *grew;
    struct dry_bytes head; /* the message being written */
    struct dry_bytes held; /* the beginning, kept back until the first batch is known: then one reserve serves both */
    uint64_t at;           /* bytes written so far, those kept back included */
    struct dry_block *batches, *dictionaries;
    int64_t n_batches, cap_batches, n_dictionaries;
    struct kept *kept;
    struct dry_arena arena; /* lives as long as the writer */
};

static void drop(struct writer *w, struct kept *k)
{
    k->array.release(&k->array);
    dry_arena_fini(&k->arena);
    dry_release(w->allocator, k, sizeof *k, _Alignof(struct kept));
}

static enum dry_status no_memory(struct writer *w)
{
    return dry_fail(w->err, DRY_NOMEM, "out of memory while writing");
}

static enum dry_status keep_back(struct writer *w, const void *bytes, size_t n)
{
    if (dry_bytes_append(&w->held, bytes, n) != DRY_OK) return no_memory(w);
    w->at += n;
    return DRY_OK;
}

/* Announces `more` bytes, and writes what was kept back. */
static enum dry_status reserve(struct writer *w, uint64_t more)
{
    size_t n = w->held.len;
    if (w->sink->reserve) DRY_TRY(w->sink->reserve(w->sink->self, n + more, w->err));
    w->held.len = 0;
    return n ? w->sink->append(w->sink->self, w->held.data, n, w->err) : DRY_OK;
}

static enum dry_status append(struct writer *w, const void *bytes, size_t n)
{
    DRY_TRY(w->sink->append(w->sink->self, bytes, n, w->err));
    w->at += n;
    return DRY_OK;
}

/* ---- one message with a body ---- */
static enum dry_status write_message(struct writer *w, const struct dry_plan *plan,
                                     const struct dry_renumber *renumber, const char *where, struct dry_block *block)
{
    enum dry_status status = dry_message_write_batch(&plan->message, w->at, &w->head);
    if (status != DRY_OK)
        return dry_fail(w->err, status, "%s: its metadata cannot be written: %s", where, dry_status_text(status));
    *block = (struct dry_block){(int64_t)w->at, (int32_t)w->head.len, plan->message.body_bytes};
    DRY_TRY(reserve(w, w->head.len + (uint64_t)plan->message.body_bytes));
    DRY_TRY(append(w, w->head.data, w->head.len));
    DRY_TRY(dry_plan_write(w->schema, plan, renumber, where, w->sink, w->options, &w->at, w->err));
    if (w->options->progress && w->options->progress(w->options->progress_self, w->at))
        return dry_fail(w->err, DRY_IO, "cancelled");
    return DRY_OK;
}

static enum dry_status write_dictionary(struct writer *w, int32_t i, struct dry_block *block)
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
static enum dry_status take_dictionaries(struct writer *w, const struct dry_array *a, const char *where,
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

static enum dry_status remember(struct writer *w, const struct dry_block *block)
{
    if (w->n_batches == w->cap_batches) {
        size_t cap = w->cap_batches ? (size_t)w->cap_batches * 2 : 16;
        struct dry_block *grown = dry_arena_take_array(&w->arena, cap, sizeof *grown);
        if (!grown) return no_memory(w);
        if (w->n_batches) memcpy(grown, w->batches, (size_t)w->n_batches * sizeof *grown);
        w->batches = grown;
        w->cap_batches = (int64_t)cap;
    }
    w->batches[w->n_batches++] = *block;
    return DRY_OK;
}

static enum dry_status write_batch(struct writer *w, const struct ArrowArray *in, struct dry_arena *arena, bool *keep)
{
    struct dry_array array;
    struct dry_plan plan;
    struct dry_block block;
    char where[40];
    snprintf(where, sizeof where, "batch %lld", (long long)w->n_batches);
    DRY_TRY(dry_array_import(w->schema, in, arena, &array, w->err));
    if (array.buffers[0].data && array.length &&
        dry_bits_count(array.buffers[0].data, array.offset, array.length) != array.length)
        return dry_fail(w->err, DRY_INVALID, "%s: whole rows are null, which a table cannot hold", where);
    DRY_TRY(take_dictionaries(w, &array, where, arena, keep));
    if (w->options->format == DRY_IPC_STREAM)
        for (int32_t i = w->schema->n_dictionaries; i-- > 0;) /* inner ones before those that use them */
            if (w->grew[i]) DRY_TRY(write_dictionary(w, i, &block));
    DRY_TRY(dry_plan_make(w->schema, &array, w->renumber, where, arena, &plan, w->err));
    plan.message.kind = DRY_MESSAGE_BATCH;
    DRY_TRY(write_message(w, &plan, w->renumber, where, &block));
    return remember(w, &block);
}

/* Writes `in` and releases it, at once or, where a dictionary lies in it, with the writer. */
static enum dry_status give_batch(struct writer *w, struct ArrowArray *in)
{
    bool keep = false;
    struct kept *k = dry_allocate(w->allocator, sizeof *k, _Alignof(struct kept));
    if (!k) {
        in->release(in);
        return no_memory(w);
    }
    k->array = *in;
    in->release = NULL;
    dry_arena_init(&k->arena, w->allocator);
    enum dry_status status = write_batch(w, &k->array, &k->arena, &keep);
    if (keep) {
        k->next = w->kept;
        w->kept = k;
    } else {
        drop(w, k);
    }
    return status;
}

static enum dry_status source_failed(struct writer *w, struct ArrowArrayStream *in, int sys)
{
    const char *words = in->get_last_error ? in->get_last_error(in) : NULL;
    if (words && *words) return dry_fail(w->err, DRY_IO, "%s", words);
    return dry_fail_sys(w->err, DRY_IO, sys, "the source of the data failed");
}

static enum dry_status write_batches(struct writer *w, struct ArrowArrayStream *in)
{
    for (;;) {
        struct ArrowArray array = {.release = NULL};
        int sys = in->get_next(in, &array);
        if (sys) return source_failed(w, in, sys);
        if (!array.release) return DRY_OK;
        DRY_TRY(give_batch(w, &array));
    }
}

/* ---- the beginning and the end ---- */
static enum dry_status begin(struct writer *w, struct ArrowArrayStream *in)
{
    struct ArrowSchema schema = {.release = NULL};
    int sys = in->get_schema(in, &schema);
    if (sys) return source_failed(w, in, sys);
    enum dry_status status = dry_schema_import(&schema, w->allocator, &w->schema, w->err);
    if (schema.release) schema.release(&schema);
    DRY_TRY(status);
    size_t n = (size_t)w->schema->n_dictionaries;
    w->merges = dry_arena_take_array(&w->arena, n, sizeof *w->merges);
    w->renumber = dry_arena_take_array(&w->arena, n, sizeof *w->renumber);
    w->grew = dry_arena_take_array(&w->arena, n, sizeof *w->grew);
    w->dictionaries = dry_arena_take_array(&w->arena, n, sizeof *w->dictionaries);
    if (!w->merges || !w->renumber || !w->grew || !w->dictionaries) return no_memory(w);
    for (size_t i = 0; i < n; i++)
        dry_merge_init(w->merges + i, w->schema, w->schema->dictionaries[i].field, w->allocator);
    if (w->options->format == DRY_IPC_FILE) DRY_TRY(keep_back(w, "ARROW1\0\0", 8));
    status = dry_message_write_schema(w->schema, w->at, &w->head);
    if (status != DRY_OK)
        return dry_fail(w->err, status, "the schema cannot be written: %s", dry_status_text(status));
    DRY_TRY(keep_back(w, w->head.data, w->head.len));
    return w->options->format == DRY_IPC_STREAM ? reserve(w, 0) : DRY_OK; /* a reader may wait for the schema */
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

static enum dry_status finish(struct writer *w)
{
    static const uint8_t end_of_stream[8] = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};
    char room[64];
    if (w->options->format == DRY_IPC_FILE)
        for (int32_t i = w->schema->n_dictionaries; i-- > 0;)
            DRY_TRY(write_dictionary(w, i, w->dictionaries + w->n_dictionaries++));
    DRY_TRY(reserve(w, sizeof end_of_stream));
    DRY_TRY(append(w, end_of_stream, sizeof end_of_stream));
    if (w->options->format == DRY_IPC_STREAM) return DRY_OK;
    struct dry_footer footer = {.schema = w->schema,
                                .n_dictionaries = w->n_dictionaries,
                                .n_batches = w->n_batches,
                                .dictionaries = w->dictionaries,
                                .batches = w->batches,
                                .metadata = w->options->stamp_verified ? stamp(room) : NULL};
    enum dry_status status = dry_footer_write(&footer, &w->head);
    if (status != DRY_OK)
        return dry_fail(w->err, status, "the footer cannot be written: %s", dry_status_text(status));
    return append(w, w->head.data, w->head.len);
}

static void fini(struct writer *w)
{
    for (int32_t i = 0; w->merges && i < w->schema->n_dictionaries; i++)
        if (w->merges[i].schema) dry_merge_fini(w->merges + i);
    while (w->kept) {
        struct kept *k = w->kept;
        w->kept = k->next;
        drop(w, k);
    }
    dry_schema_free(w->schema);
    dry_bytes_fini(&w->head);
    dry_bytes_fini(&w->held);
    dry_arena_fini(&w->arena);
}

enum dry_status dry_ipc_write(struct ArrowArrayStream *in, const struct dry_sink *sink,
                              const struct dry_ipc_write_options *options, const struct dry_allocator *a,
                              struct dry_error *err)
{
    struct writer w = {.sink = sink, .options = options, .allocator = a, .err = err};
    if (!in->release) return dry_fail(err, DRY_INVALID, "the stream has been released already");
    dry_bytes_init(&w.head, a);
    dry_bytes_init(&w.held, a);
    dry_arena_init(&w.arena, a);
    enum dry_status status = begin(&w, in);
    if (status == DRY_OK) status = write_batches(&w, in);
    if (status == DRY_OK) status = finish(&w);
    fini(&w);
    in->release(in);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "fbs.h"
#include "flat.h"
#include "message.h"
#include "schema_build.h"
#include "../base/check.h"

#include <string.h>

enum { PREFIX = 8 /* continuation and length */ };
static const char magic[] = "ARROW1";

/* Begins an encapsulated message in `out`: room for the prefix, then the Message table. Returns the place that leads
 * to the header. */
static struct dry_flat_writer begin_message(struct dry_bytes *out, uint8_t kind, int64_t body_bytes, uint32_t *header)
{
    out->len = 0;
    if (!dry_bytes_room(out, PREFIX)) return (struct dry_flat_writer){.out = out, .status = DRY_NOMEM};
    out->len = PREFIX;
    struct dry_flat_writer w = dry_flat_begin(out);
    struct dry_flat_slot t[] = {
        dry_flat_scalar(FBS_MESSAGE_VERSION, 2, FBS_V5),
        dry_flat_scalar(FBS_MESSAGE_HEADER_KIND, 1, kind),
        dry_flat_ref(FBS_MESSAGE_HEADER),
        dry_flat_scalar(FBS_MESSAGE_BODY_LENGTH, 8, body_bytes),
    };
    dry_flat_put_table(&w, 0, t, 4);
    *header = t[2].at;
    return w;
}

/* Pads, and fills in the prefix. */
static enum dry_status end_message(struct dry_flat_writer *w, uint64_t at)
{
    dry_flat_pad(w, PREFIX + at % DRY_ALIGN, DRY_ALIGN);
    if (w->status != DRY_OK) {
        w->out->len = 0;
        return w->status;
    }
    uint32_t prefix[2] = {UINT32_MAX, (uint32_t)(w->out->len - PREFIX)};
    memcpy(w->out->data, prefix, sizeof prefix);
    return DRY_OK;
}

enum dry_status dry_message_write_schema(const struct dry_schema *s, uint64_t at, struct dry_bytes *out)
{
    uint32_t header = 0;
    struct dry_flat_writer w = begin_message(out, FBS_HEADER_SCHEMA, 0, &header);
    dry_schema_write(s, &w, header);
    return end_message(&w, at);
}

static void write_batch(struct dry_flat_writer *w, uint32_t from, const struct dry_message *m)
{
    struct dry_flat_slot t[] = {
        dry_flat_scalar(FBS_BATCH_LENGTH, 8, m->length),
        dry_flat_ref(FBS_BATCH_NODES),
        dry_flat_ref(FBS_BATCH_BUFFERS),
        dry_flat_ref_if(m->n_variadic, FBS_BATCH_VARIADIC),
    };
    dry_flat_put_table(w, from, t, 4);
    dry_flat_put_vector(w, t[1].at, m->nodes, (size_t)m->n_nodes, sizeof *m->nodes);
    dry_flat_put_vector(w, t[2].at, m->places, (size_t)m->n_places, sizeof *m->places);
    if (m->n_variadic)
        dry_flat_put_vector(w, t[3].at, m->variadic, (size_t)m->n_variadic, sizeof *m->variadic);
}

enum dry_status dry_message_write_batch(const struct dry_message *m, uint64_t at, struct dry_bytes *out)
{
    DRY_ASSERT(m->kind != DRY_MESSAGE_SCHEMA && m->codec == DRY_CODEC_NONE);
    bool dictionary = m->kind == DRY_MESSAGE_DICTIONARY;
    uint32_t header = 0;
    struct dry_flat_writer w =
        begin_message(out, dictionary ? FBS_HEADER_DICTIONARY : FBS_HEADER_BATCH, m->body_bytes, &header);
    if (dictionary) {
        struct dry_flat_slot t[] = {
            dry_flat_scalar(FBS_DICTIONARY_ID, 8, m->dictionary_id),
            dry_flat_ref(FBS_DICTIONARY_DATA),
            dry_flat_scalar(FBS_DICTIONARY_DELTA, 1, m->is_delta),
        };
        dry_flat_put_table(&w, header, t, 3);
        header = t[1].at;
    }
    write_batch(&w, header, m);
    return end_message(&w, at);
}

/* Blocks one by one: the four bytes of padding inside a struct are not for a file. */
static void write_blocks(struct dry_flat_writer *w, uint32_t from, const struct dry_block *blocks, int64_t n)
{
    uint8_t *at = dry_flat_put_room(w, from, (size_t)n, sizeof *blocks);
    if (!at) return;
    memset(at, 0, (size_t)n * sizeof *blocks);
    for (int64_t i = 0; i < n; i++, at += sizeof *blocks) {
        memcpy(at + offsetof(struct dry_block, offset), &blocks[i].offset, sizeof blocks->offset);
        memcpy(at + offsetof(struct dry_block, metadata_bytes), &blocks[i].metadata_bytes,
               sizeof blocks->metadata_bytes);
        memcpy(at + offsetof(struct dry_block, body_bytes), &blocks[i].body_bytes, sizeof blocks->body_bytes);
    }
}

enum dry_status dry_footer_write(const struct dry_footer *f, struct dry_bytes *out)
{
    out->len = 0;
    struct dry_flat_writer w = dry_flat_begin(out);
    struct dry_flat_slot t[] = {
        dry_flat_scalar(FBS_FOOTER_VERSION, 2, FBS_V5),
        dry_flat_ref(FBS_FOOTER_SCHEMA),
        dry_flat_ref(FBS_FOOTER_DICTIONARIES),
        dry_flat_ref(FBS_FOOTER_BATCHES),
        dry_flat_ref_if(f->metadata, FBS_FOOTER_METADATA),
    };
    dry_flat_put_table(&w, 0, t, 5);
    dry_schema_write(f->schema, &w, t[1].at);
    write_blocks(&w, t[2].at, f->dictionaries, f->n_dictionaries);
    write_blocks(&w, t[3].at, f->batches, f->n_batches);
    if (f->metadata) dry_metadata_write(f->metadata, &w, t[4].at);
    dry_flat_pad(&w, 0, 8);
    uint32_t n = (uint32_t)out->len;
    if (w.status == DRY_OK && !dry_bytes_room(out, sizeof n + sizeof magic - 1)) w.status = DRY_NOMEM;
    if (w.status != DRY_OK) {
        out->len = 0;
        return w.status;
    }
    memcpy(out->data + n, &n, sizeof n);
    memcpy(out->data + n + sizeof n, magic, sizeof magic - 1);
    out->len = n + sizeof n + sizeof magic - 1;
    return DRY_OK;
}

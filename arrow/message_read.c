/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "fbs.h"
#include "flat.h"
#include "message.h"
#include "schema_build.h"
#include "../base/check.h"

#include <string.h>

/* Vectors of structs are copied as they lie in the flatbuffer. */
_Static_assert(sizeof(struct dry_node) == 16, "FieldNode");
_Static_assert(sizeof(struct dry_place) == 16, "Buffer");
_Static_assert(sizeof(struct dry_block) == 24 && offsetof(struct dry_block, metadata_bytes) == 8 &&
                   offsetof(struct dry_block, body_bytes) == 16,
               "Block");

static enum dry_status out_of_memory(struct dry_error *err)
{
    return dry_fail(err, DRY_NOMEM, "there is no memory for the metadata");
}

static enum dry_status check_version(int16_t version, struct dry_error *err)
{
    if (version == FBS_V4 || version == FBS_V5) return DRY_OK;
    return dry_fail(err, DRY_UNSUPPORTED,
                    "the metadata has version V%d; V4 (Arrow 0.8) and V5 (Arrow 1.0) can be read", version + 1);
}

/* Copies a vector of structs into the arena. *n is 0 and *out untouched when it is empty or absent. */
static enum dry_status copy_vector(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot, uint32_t size,
                                   struct dry_arena *arena, int64_t *n, void **out)
{
    struct dry_flat_vector v = dry_flat_vector(r, t, slot, size);
    *n = v.count;
    if (v.count == 0) return DRY_OK;
    void *copy = dry_arena_take_array(arena, v.count, size);
    if (!copy) return DRY_NOMEM;
    *out = memcpy(copy, r->bytes + v.at, (size_t)v.count * size);
    return DRY_OK;
}

/* ---- batches ---- */
static enum dry_status check_numbers(const struct dry_message *m, struct dry_error *err)
{
    if (m->length < 0) return dry_fail(err, DRY_CORRUPT, "the batch has %lld rows", (long long)m->length);
    for (int64_t i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].length < 0 || m->nodes[i].null_count < 0 || m->nodes[i].null_count > m->nodes[i].length)
            return dry_fail(err, DRY_CORRUPT, "array %lld has %lld values and %lld nulls", (long long)i,
                            (long long)m->nodes[i].length, (long long)m->nodes[i].null_count);
    for (int64_t i = 0; i < m->n_places; i++)
        if (m->places[i].offset < 0 || m->places[i].length < 0)
            return dry_fail(err, DRY_CORRUPT, "buffer %lld has %lld bytes at %lld", (long long)i,
                            (long long)m->places[i].length, (long long)m->places[i].offset);
    int64_t left = m->n_places;
    for (int64_t i = 0; i < m->n_variadic; i++) {
        if (m->variadic[i] < 0 || m->variadic[i] > left)
            return dry_fail(err, DRY_CORRUPT, "a column of views has %lld data buffers, and the batch %lld buffers",
                            (long long)m->variadic[i], (long long)m->n_places);
        left -= m->variadic[i];
    }
    return DRY_OK;
}

static enum dry_status read_codec(struct dry_flat *r, const struct dry_flat_table *batch, enum dry_codec *out,
                                  struct dry_error *err)
{
    struct dry_flat_table t = dry_flat_table(r, batch, FBS_BATCH_COMPRESSION);
    int8_t codec = dry_flat_i8(r, &t, FBS_COMPRESSION_CODEC, FBS_CODEC_LZ4);
    int8_t method = dry_flat_i8(r, &t, FBS_COMPRESSION_METHOD, FBS_METHOD_BUFFER);
    *out = DRY_CODEC_NONE;
    if (!t.at) return DRY_OK;
    if (method != FBS_METHOD_BUFFER || (codec != FBS_CODEC_LZ4 && codec != FBS_CODEC_ZSTD))
        return dry_fail(err, DRY_UNSUPPORTED, "the body is compressed in an unknown way (codec %d, method %d)", codec,
                        method);
    *out = codec == FBS_CODEC_LZ4 ? DRY_CODEC_LZ4 : DRY_CODEC_ZSTD;
    return DRY_OK;
}

static enum dry_status read_batch(struct dry_flat *r, const struct dry_flat_table *t, struct dry_arena *arena,
                                  struct dry_message *m, struct dry_error *err)
{
    void *nodes = NULL, *places = NULL, *variadic = NULL;
    if (!t->at) dry_flat_broken(r, 0, "a batch has no RecordBatch");
    m->length = dry_flat_i64(r, t, FBS_BATCH_LENGTH, 0);
    if (copy_vector(r, t, FBS_BATCH_NODES, sizeof *m->nodes, arena, &m->n_nodes, &nodes) != DRY_OK ||
        copy_vector(r, t, FBS_BATCH_BUFFERS, sizeof *m->places, arena, &m->n_places, &places) != DRY_OK ||
        copy_vector(r, t, FBS_BATCH_VARIADIC, sizeof *m->variadic, arena, &m->n_variadic, &variadic) != DRY_OK)
        return out_of_memory(err);
    m->nodes = nodes;
    m->places = places;
    m->variadic = variadic;
    DRY_TRY(read_codec(r, t, &m->codec, err));
    if (r->fault) return dry_flat_fail(r, err);
    return check_numbers(m, err);
}

/* Arrow 0.17 announced compressed bodies with a key in the message's metadata, which is no slot and easily
 * overlooked: compressed bytes would be taken for values. */
static enum dry_status check_old_compression(struct dry_flat *r, const struct dry_flat_table *message,
                                             struct dry_error *err)
{
    static const char key[] = "ARROW:experimental_compression";
    struct dry_flat_vector v = dry_flat_vector(r, message, FBS_MESSAGE_METADATA, 4);
    for (uint32_t i = 0; i < v.count && !r->fault; i++) {
        struct dry_flat_table pair = dry_flat_element(r, &v, i);
        struct dry_flat_text text = dry_flat_text(r, &pair, FBS_KEY_VALUE_KEY);
        if (text.len == sizeof key - 1 && memcmp(text.bytes, key, sizeof key - 1) == 0)
            return dry_fail(err, DRY_UNSUPPORTED, "the body is compressed in the manner of Arrow 0.17; read it with "
                                                  "pyarrow and write it again");
    }
    return DRY_OK;
}

enum dry_status dry_message_decode(const uint8_t *bytes, uint32_t n, struct dry_arena *arena, struct dry_message *out,
                                   struct dry_error *err)
{
    struct dry_flat r = {.bytes = bytes, .n = n};
    struct dry_flat_table root = dry_flat_root(&r);
    int16_t version = dry_flat_i16(&r, &root, FBS_MESSAGE_VERSION, 0);
    uint8_t kind = dry_flat_u8(&r, &root, FBS_MESSAGE_HEADER_KIND, FBS_HEADER_NONE);
    struct dry_flat_table header = dry_flat_table(&r, &root, FBS_MESSAGE_HEADER);
    struct dry_message m = {.body_bytes = dry_flat_i64(&r, &root, FBS_MESSAGE_BODY_LENGTH, 0)};
    if (!header.at) dry_flat_broken(&r, root.at, "a message has no header");
    if (r.fault) return dry_flat_fail(&r, err);
    DRY_TRY(check_version(version, err));
    if (m.body_bytes < 0) return dry_fail(err, DRY_CORRUPT, "the body has %lld bytes", (long long)m.body_bytes);
    if (version == FBS_V4) DRY_TRY(check_old_compression(&r, &root, err));
    switch (kind) {
    case FBS_HEADER_SCHEMA:
        m.kind = DRY_MESSAGE_SCHEMA;
        m.schema_at = header.at;
        break;
    case FBS_HEADER_BATCH:
        m.kind = DRY_MESSAGE_BATCH;
        DRY_TRY(read_batch(&r, &header, arena, &m, err));
        break;
    case FBS_HEADER_DICTIONARY: {
        struct dry_flat_table data = dry_flat_table(&r, &header, FBS_DICTIONARY_DATA);
        m.kind = DRY_MESSAGE_DICTIONARY;
        m.dictionary_id = dry_flat_i64(&r, &header, FBS_DICTIONARY_ID, 0);
        m.is_delta = dry_flat_bool(&r, &header, FBS_DICTIONARY_DELTA);
        DRY_TRY(read_batch(&r, &data, arena, &m, err));
        break;
    }
    default: return dry_fail(err, DRY_UNSUPPORTED, "the message is neither a schema nor a batch (kind %u)", kind);
    }
    if (r.fault) return dry_flat_fail(&r, err);
    *out = m;
    return DRY_OK;
}

enum dry_status dry_message_schema(const uint8_t *bytes, uint32_t n, const struct dry_message *m,
                                   const struct dry_allocator *a, struct dry_schema **out, struct dry_error *err)
{
    DRY_ASSERT(m->kind == DRY_MESSAGE_SCHEMA);
    return dry_schema_decode(bytes, n, m->schema_at, a, out, err);
}

/* ---- the footer ---- */
static enum dry_status read_blocks(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot,
                                   struct dry_arena *arena, int64_t *n, struct dry_block **out, struct dry_error *err)
{
    void *copy = NULL;
    if (copy_vector(r, t, slot, sizeof **out, arena, n, &copy) != DRY_OK) return out_of_memory(err);
    if (r->fault) return dry_flat_fail(r, err);
    *out = copy;
    for (int64_t i = 0; i < *n; i++) {
        const struct dry_block *b = &(*out)[i];
        if (b->offset < 0 || b->metadata_bytes <= 0 || b->body_bytes < 0)
            return dry_fail(err, DRY_CORRUPT, "the footer places message %lld at %lld with %d bytes of metadata and "
                                              "%lld of body", (long long)i, (long long)b->offset, b->metadata_bytes,
                            (long long)b->body_bytes);
    }
    return DRY_OK;
}

/* All but the schema, into the schema's arena. */
static enum dry_status read_footer(struct dry_flat *r, const struct dry_flat_table *t, struct dry_footer *f,
                                   struct dry_error *err)
{
    struct dry_arena *arena = &f->schema->arena;
    uint64_t budget = r->n;
    DRY_TRY(read_blocks(r, t, FBS_FOOTER_DICTIONARIES, arena, &f->n_dictionaries, &f->dictionaries, err));
    DRY_TRY(read_blocks(r, t, FBS_FOOTER_BATCHES, arena, &f->n_batches, &f->batches, err));
    if (dry_metadata_read(r, t, FBS_FOOTER_METADATA, &budget, arena, &f->metadata) != DRY_OK)
        return out_of_memory(err);
    return r->fault ? dry_flat_fail(r, err) : DRY_OK;
}

enum dry_status dry_footer_decode(const uint8_t *bytes, uint32_t n, const struct dry_allocator *a,
                                  struct dry_footer *out, struct dry_error *err)
{
    struct dry_flat r = {.bytes = bytes, .n = n};
    struct dry_flat_table root = dry_flat_root(&r);
    int16_t version = dry_flat_i16(&r, &root, FBS_FOOTER_VERSION, 0);
    struct dry_flat_table schema = dry_flat_table(&r, &root, FBS_FOOTER_SCHEMA);
    struct dry_footer f = {0};
    if (!schema.at) dry_flat_broken(&r, root.at, "the footer has no schema");
    if (r.fault) return dry_flat_fail(&r, err);
    DRY_TRY(check_version(version, err));
    DRY_TRY(dry_schema_decode(bytes, n, schema.at, a, &f.schema, err));
    enum dry_status status = read_footer(&r, &root, &f, err);
    if (status == DRY_OK)
        *out = f;
    else
        dry_schema_free(f.schema);
    return status;
}

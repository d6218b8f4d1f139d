/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. IPC metadata: messages and the file footer, as flatbuffers, read with every access checked and
 * written front to back. Layout of the tables: docs/formats/arrow-ipc.md; source: Arrow's Message.fbs, Schema.fbs,
 * File.fbs (https://arrow.apache.org/docs/format/Columnar.html).
 */
#ifndef DRY_ARROW_MESSAGE_H
#define DRY_ARROW_MESSAGE_H

#include "arena.h"
#include "bytes.h"
#include "schema.h"

/* Metadata larger than this is refused: no writer makes it, and it bounds what a length field can ask for. */
#define DRY_METADATA_MAX ((uint32_t)1 << 30)

struct dry_node {
    int64_t length, null_count;
};
struct dry_place {
    int64_t offset, length; /* inside the body */
};

enum dry_codec { DRY_CODEC_NONE, DRY_CODEC_LZ4, DRY_CODEC_ZSTD };
enum dry_message_kind { DRY_MESSAGE_SCHEMA, DRY_MESSAGE_BATCH, DRY_MESSAGE_DICTIONARY };

struct dry_message {
    enum dry_message_kind kind;
    int64_t body_bytes;
    /* BATCH and DICTIONARY; arrays lie in the arena given to dry_message_decode */
    int64_t length;
    int64_t n_nodes, n_places, n_variadic;
    struct dry_node *nodes;
    struct dry_place *places;
    int64_t *variadic;
    enum dry_codec codec;
    /* DICTIONARY */
    int64_t dictionary_id;
    bool is_delta;
    /* SCHEMA: the table's position, for dry_message_schema */
    uint32_t schema_at;
};

/* Reads one Message flatbuffer (without the 8 bytes of continuation and length in front). Checked: table bounds,
 * lengths, counts; version 4 or 5 (V5's layout; V4 is UNSUPPORTED only where it differs: unions); nodes and places not
 * negative. A tensor or unknown header is UNSUPPORTED. */
enum dry_status dry_message_decode(const uint8_t *bytes, uint32_t n, struct dry_arena *arena, struct dry_message *out,
                                   struct dry_error *err) DRY_MUST_CHECK;
/* The schema of a SCHEMA message. Big-endian data is UNSUPPORTED. */
enum dry_status dry_message_schema(const uint8_t *bytes, uint32_t n, const struct dry_message *m,
                                   const struct dry_allocator *a, struct dry_schema **out, struct dry_error *err)
    DRY_MUST_CHECK;

/* Where a message stands in a file. */
struct dry_block {
    int64_t offset;
    int32_t metadata_bytes; /* with the 8 (or 4) bytes in front and the padding behind */
    int64_t body_bytes;
};
struct dry_footer {
    struct dry_schema *schema; /* owned */
    int64_t n_dictionaries, n_batches;
    struct dry_block *dictionaries, *batches; /* in the schema's arena */
    const char *metadata;                     /* the footer's own custom metadata (C data encoding), or NULL */
};
enum dry_status dry_footer_decode(const uint8_t *bytes, uint32_t n, const struct dry_allocator *a,
                                  struct dry_footer *out, struct dry_error *err) DRY_MUST_CHECK;

/* ---- writing ---- */
/* Each replaces the contents of `out` with one encapsulated message: continuation, length, flatbuffer, padded with zeros
 * so that what follows it, when it is written at stream position `at`, stands at a multiple of 64. */
enum dry_status dry_message_write_schema(const struct dry_schema *s, uint64_t at, struct dry_bytes *out)
    DRY_MUST_CHECK;
/* `m` is a BATCH or a DICTIONARY; uncompressed; body_bytes, length, nodes, places, variadic are taken from it. */
enum dry_status dry_message_write_batch(const struct dry_message *m, uint64_t at, struct dry_bytes *out)
    DRY_MUST_CHECK;
/* The footer flatbuffer followed by its length and "ARROW1": the end of the file. */
enum dry_status dry_footer_write(const struct dry_footer *f, struct dry_bytes *out) DRY_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * For tests and fuzzers only: what must be true of any bytes that are taken for metadata. A violation aborts.
 */
#ifndef DRY_ARROW_MESSAGE_TESTING_H
#define DRY_ARROW_MESSAGE_TESTING_H

#include "arrow.h"
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void demand(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static inline void demand_words(const struct dry_error *err)
{
    demand(err->text[0] != 0, "an error has words");
    demand(!strchr(err->text, '\n'), "the words are one line");
}

/* Skips what stands in front of the flatbuffer of a message that drystone wrote. */
static inline const uint8_t *flatbuffer(const struct dry_bytes *message, uint32_t *n)
{
    demand(message->len > 8, "a message has a prefix");
    *n = (uint32_t)message->len - 8;
    return message->data + 8;
}

/* What was accepted can be exported, imported, written and read again, and is the same every time. */
static inline void demand_schema_lives(const struct dry_schema *s)
{
    struct ArrowSchema tree;
    struct dry_schema *imported, *decoded;
    struct dry_bytes bytes;
    struct dry_arena arena;
    struct dry_message m;
    uint32_t n;
    char words[80];
    dry_arena_init(&arena, NULL);
    dry_bytes_init(&bytes, NULL);
    demand(dry_schema_export(s, &tree) == DRY_OK, "a schema can be exported");
    demand(dry_schema_import(&tree, NULL, &imported, NULL) == DRY_OK, "an exported schema can be imported");
    demand(dry_schema_same(s, imported), "export and import keep everything");
    for (int64_t i = 0; i < s->root.n_children; i++) {
        dry_field_label(s, &s->root.children[i], words, sizeof words);
        dry_type_name(tree.children[i], words, sizeof words);
    }
    tree.release(&tree);
    demand(dry_message_write_schema(imported, 0, &bytes) == DRY_OK, "a schema can be written");
    const uint8_t *flat = flatbuffer(&bytes, &n);
    demand(dry_message_decode(flat, n, &arena, &m, NULL) == DRY_OK, "a schema message can be read");
    demand(dry_message_schema(flat, n, &m, NULL, &decoded, NULL) == DRY_OK, "a written schema can be read");
    demand(dry_schema_same(s, decoded), "writing and reading keep everything");
    dry_schema_free(imported);
    dry_schema_free(decoded);
    dry_bytes_fini(&bytes);
    dry_arena_fini(&arena);
}

static inline bool bytes_equal(const void *a, const void *b, int64_t count, size_t size)
{
    return count == 0 || memcmp(a, b, (size_t)count * size) == 0;
}

static inline bool messages_equal(const struct dry_message *a, const struct dry_message *b)
{
    return a->kind == b->kind && a->body_bytes == b->body_bytes && a->length == b->length &&
           a->n_nodes == b->n_nodes && a->n_places == b->n_places && a->n_variadic == b->n_variadic &&
           bytes_equal(a->nodes, b->nodes, a->n_nodes, sizeof *a->nodes) &&
           bytes_equal(a->places, b->places, a->n_places, sizeof *a->places) &&
           bytes_equal(a->variadic, b->variadic, a->n_variadic, sizeof *a->variadic) &&
           a->dictionary_id == b->dictionary_id && a->is_delta == b->is_delta;
}

static inline void demand_batch_lives(const struct dry_message *m)
{
    struct dry_message plain = *m, again;
    struct dry_bytes bytes;
    struct dry_arena arena;
    uint32_t n;
    plain.codec = DRY_CODEC_NONE;
    dry_arena_init(&arena, NULL);
    dry_bytes_init(&bytes, NULL);
    demand(dry_message_write_batch(&plain, 8, &bytes) == DRY_OK, "a batch can be written");
    const uint8_t *flat = flatbuffer(&bytes, &n);
    demand(dry_message_decode(flat, n, &arena, &again, NULL) == DRY_OK, "a written batch can be read");
    demand(messages_equal(&plain, &again), "writing and reading keep the batch");
    dry_bytes_fini(&bytes);
    dry_arena_fini(&arena);
}

static inline bool blocks_equal(const struct dry_block *a, const struct dry_block *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (a[i].offset != b[i].offset || a[i].metadata_bytes != b[i].metadata_bytes ||
            a[i].body_bytes != b[i].body_bytes)
            return false;
    return true;
}

static inline bool footers_equal(const struct dry_footer *a, const struct dry_footer *b)
{
    size_t n = dry_metadata_bytes(a->metadata);
    return dry_schema_same(a->schema, b->schema) && a->n_dictionaries == b->n_dictionaries &&
           a->n_batches == b->n_batches && blocks_equal(a->dictionaries, b->dictionaries, a->n_dictionaries) &&
           blocks_equal(a->batches, b->batches, a->n_batches) && n == dry_metadata_bytes(b->metadata) &&
           bytes_equal(a->metadata, b->metadata, (int64_t)n, 1);
}

static inline enum dry_status try_footer(const uint8_t *bytes, uint32_t n)
{
    struct dry_footer f, again;
    struct dry_error err = {0};
    struct dry_bytes out;
    enum dry_status status = dry_footer_decode(bytes, n, NULL, &f, &err);
    if (status != DRY_OK) {
        demand_words(&err);
        return status;
    }
    demand_schema_lives(f.schema);
    dry_bytes_init(&out, NULL);
    demand(dry_footer_write(&f, &out) == DRY_OK, "a footer can be written");
    demand(dry_footer_decode(out.data, (uint32_t)out.len - 10, NULL, &again, NULL) == DRY_OK, "and read");
    demand(footers_equal(&f, &again), "writing and reading keep the footer");
    dry_schema_free(again.schema);
    dry_schema_free(f.schema);
    dry_bytes_fini(&out);
    return DRY_OK;
}

static inline enum dry_status try_message(const uint8_t *bytes, uint32_t n)
{
    struct dry_arena arena;
    struct dry_error err = {0};
    struct dry_message m;
    struct dry_schema *s;
    dry_arena_init(&arena, NULL);
    enum dry_status status = dry_message_decode(bytes, n, &arena, &m, &err);
    if (status == DRY_OK && m.kind == DRY_MESSAGE_SCHEMA) {
        status = dry_message_schema(bytes, n, &m, NULL, &s, &err);
        if (status == DRY_OK) {
            demand_schema_lives(s);
            dry_schema_free(s);
        }
    } else if (status == DRY_OK) {
        demand_batch_lives(&m);
    }
    if (status != DRY_OK) demand_words(&err);
    dry_arena_fini(&arena);
    return status;
}

#endif

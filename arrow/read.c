/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Arrow IPC on a descriptor -> ArrowArrayStream. A file is read by its footer, a stream message by message; either
 * way each batch is read into own memory, decompressed if need be, checked, and handed out.
 */
#include "arrow.h"
#include "../base/check.h"
#include "../base/os.h"
#include "array.h"
#include "compress.h"
#include "dictionaries.h"
#include "source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct reader {
    const struct dry_allocator *allocator;
    struct dry_source source;
    char label[160]; /* stands in front of every error */
    struct dry_schema *schema;
    struct dry_dictionaries dictionaries;
    struct dry_footer footer; /* file format; its schema is `schema` */
    bool is_file, is_over;
    uint64_t claimed; /* file format: bytes of all bodies so far */
    int64_t next;     /* number of the next batch */
    struct dry_error error;
};

static const char magic[6] = {'A', 'R', 'R', 'O', 'W', '1'};
enum { TAIL_BYTES = 10, HEAD_BYTES = 8 };

/* ---- what is no Arrow IPC ---- */
static bool is_text(const uint8_t *head, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (head[i] < 0x20 && head[i] != '\t' && head[i] != '\n' && head[i] != '\r') return false;
    return n > 0;
}

static enum dry_status refuse(const uint8_t *head, size_t n, struct dry_error *err)
{
    static const char how[] = "%s, not Arrow IPC; convert it with: python3 -c \"import drystone, %s as r; "
                              "drystone.put('NAME', r.%s('FILE'))\"";
    if (n == 0) return dry_fail(err, DRY_CORRUPT, "it is empty");
    if (n >= 4 && memcmp(head, "PAR1", 4) == 0)
        return dry_fail(err, DRY_UNSUPPORTED, how, "a Parquet file", "pyarrow.parquet", "read_table");
    if (n >= 4 && memcmp(head, "FEA1", 4) == 0)
        return dry_fail(err, DRY_UNSUPPORTED, how, "an old (version 1) Feather file", "pyarrow.feather",
                        "read_table");
    if (n >= 3 && memcmp(head, "ORC", 3) == 0)
        return dry_fail(err, DRY_UNSUPPORTED, how, "an ORC file", "pyarrow.orc", "read_table");
    if (n >= 1 && (head[0] == '{' || head[0] == '['))
        return dry_fail(err, DRY_UNSUPPORTED, how, "text that looks like JSON", "pyarrow.json", "read_json");
    if (is_text(head, n))
        return dry_fail(err, DRY_UNSUPPORTED, how, "text that looks like CSV", "pyarrow.csv", "read_csv");
    return dry_fail(err, DRY_CORRUPT, "not Arrow IPC: it begins neither like a file nor like a stream");
}

/* A stream begins with the continuation marker, or (before format 0.15) with the length of its schema message. */
static bool looks_like_stream(const uint8_t *head, size_t n)
{
    uint32_t word[2];
    if (n < sizeof word) return false;
    memcpy(word, head, sizeof word);
    uint32_t length = word[0] == UINT32_MAX ? word[1] : word[0];
    return length >= 16 && length <= DRY_METADATA_MAX && (word[0] == UINT32_MAX || length < (1u << 24));
}

/* ---- messages ---- */
static enum dry_status no_memory(struct dry_error *err)
{
    return dry_fail(err, DRY_NOMEM, "out of memory");
}

/* The metadata of the next message of a stream, in a storage; NULL at the end. */
static enum dry_status next_metadata(struct reader *r, struct dry_storage **out, struct dry_error *err)
{
    uint32_t length;
    size_t got;
    *out = NULL;
    DRY_TRY(dry_source_take(&r->source, sizeof length, (uint8_t *)&length, &got, err));
    if (got == 0) return DRY_OK; /* streams may end without the marker */
    if (got == sizeof length && length == UINT32_MAX)
        DRY_TRY(dry_source_take(&r->source, sizeof length, (uint8_t *)&length, &got, err));
    if (got < sizeof length) return dry_fail(err, DRY_CORRUPT, "it is cut short");
    if (length == 0) return DRY_OK;
    if (length > DRY_METADATA_MAX)
        return dry_fail(err, DRY_CORRUPT, "a message claims %u bytes of metadata", (unsigned)length);
    return dry_source_take_storage(&r->source, length, out, err);
}

/* Gives `m` a body in own memory, decompressed. */
static enum dry_status load_body(struct reader *r, struct dry_message *m, const char *where, struct dry_storage **out,
                                 struct dry_error *err)
{
    struct dry_storage *body, *unpacked;
    if (m->body_bytes < 0) return dry_fail(err, DRY_CORRUPT, "%s has a body of negative length", where);
    if (r->is_file && __builtin_add_overflow(r->claimed, (uint64_t)m->body_bytes, &r->claimed))
        r->claimed = UINT64_MAX;
    if (r->claimed > r->source.size && r->is_file) /* else a small file could be read a million times over */
        return dry_fail(err, DRY_CORRUPT, "%s overlaps others: together they are larger than the file", where);
    DRY_TRY(dry_source_take_storage(&r->source, (uint64_t)m->body_bytes, &body, err));
    if (m->codec != DRY_CODEC_NONE) {
        enum dry_status status = dry_body_decompress(m, dry_storage_data(body), where, r->allocator, &unpacked, err);
        dry_storage_unref(body);
        DRY_TRY(status);
        body = unpacked;
    }
    *out = body;
    return DRY_OK;
}

static enum dry_status export_batch(struct reader *r, const struct dry_message *m, struct dry_storage *body,
                                    const char *where, struct dry_arena *arena, struct ArrowArray *out,
                                    struct dry_error *err)
{
    struct dry_array array;
    size_t n_holds = 0, n = (size_t)r->schema->n_dictionaries;
    struct dry_storage **holds = dry_arena_take_array(arena, n + 1, sizeof *holds);
    if (!holds) return no_memory(err);
    DRY_TRY(dry_array_decode(r->schema, &r->schema->root, m, dry_storage_data(body), r->dictionaries.arrays, where,
                             arena, &array, err));
    DRY_TRY(dry_array_check_ends(r->schema, &array, where, err));
    holds[n_holds++] = body;
    for (size_t i = 0; i < n; i++)
        if (r->dictionaries.slots[i].storage) holds[n_holds++] = r->dictionaries.slots[i].storage;
    return dry_array_export(&array, holds, n_holds, r->allocator, out) == DRY_OK ? DRY_OK : no_memory(err);
}

/* One dictionary or batch, whose metadata is given and whose body comes next. *is_batch: `out` was filled. */
static enum dry_status take_message(struct reader *r, const uint8_t *metadata, size_t n, struct ArrowArray *out,
                                    bool *is_batch, struct dry_error *err)
{
    struct dry_arena arena;
    struct dry_message m;
    struct dry_storage *body = NULL;
    char where[32];
    snprintf(where, sizeof where, "batch %lld", (long long)r->next);
    dry_arena_init(&arena, r->allocator);
    enum dry_status status = dry_message_decode(metadata, (uint32_t)n, &arena, &m, err);
    if (status == DRY_OK && m.kind == DRY_MESSAGE_SCHEMA)
        status = dry_fail(err, DRY_CORRUPT, "a second schema stands where a batch is due");
    *is_batch = status == DRY_OK && m.kind == DRY_MESSAGE_BATCH;
    if (status == DRY_OK) status = load_body(r, &m, *is_batch ? where : "dictionary", &body, err);
    if (status == DRY_OK && *is_batch) status = export_batch(r, &m, body, where, &arena, out, err);
    if (status == DRY_OK && !*is_batch) {
        status = dry_dictionaries_take(&r->dictionaries, &m, dry_storage_data(body), body, !r->is_file, err);
        for (int32_t i = 0; status == DRY_OK && i < r->schema->n_dictionaries; i++)
            if (r->dictionaries.arrays[i] && r->schema->dictionaries[i].id == m.dictionary_id)
                status = dry_array_check_ends(r->schema, r->dictionaries.arrays[i], "dictionary", err);
    }
    dry_storage_unref(body);
    dry_arena_fini(&arena);
    return status;
}

/* ---- file format ---- */
static enum dry_status open_file(struct reader *r, struct dry_error *err)
{
    uint8_t end[TAIL_BYTES];
    int32_t n;
    if (!r->source.seekable) DRY_TRY(dry_source_collect(&r->source, err));
    uint64_t size = r->source.size;
    if (size < HEAD_BYTES + TAIL_BYTES) return dry_fail(err, DRY_CORRUPT, "it is cut short");
    DRY_TRY(dry_source_read_at(&r->source, size - TAIL_BYTES, TAIL_BYTES, end, err));
    memcpy(&n, end, sizeof n);
    if (memcmp(end + 4, magic, sizeof magic) != 0)
        return dry_fail(err, DRY_CORRUPT, "it is cut short: it does not end with ARROW1");
    if (n <= 0 || (uint64_t)n > size - HEAD_BYTES - TAIL_BYTES)
        return dry_fail(err, DRY_CORRUPT, "its footer would be longer than the file");
    uint8_t *footer = dry_allocate(r->allocator, (size_t)n, 8);
    if (!footer) return no_memory(err);
    enum dry_status status = dry_source_read_at(&r->source, size - TAIL_BYTES - (uint64_t)n, (size_t)n, footer, err);
    if (status == DRY_OK) status = dry_footer_decode(footer, (uint32_t)n, r->allocator, &r->footer, err);
    dry_release(r->allocator, footer, (size_t)n, 8);
    r->schema = r->footer.schema;
    return status;
}

static enum dry_status take_block(struct reader *r, const struct dry_block *b, struct ArrowArray *out,
                                  bool want_batch, struct dry_error *err)
{
    struct dry_storage *metadata;
    bool is_batch;
    if (b->offset < 0 || (uint64_t)b->offset > r->source.size)
        return dry_fail(err, DRY_CORRUPT, "a block lies outside of the file");
    r->source.at = (uint64_t)b->offset;
    DRY_TRY(next_metadata(r, &metadata, err));
    if (!metadata) return dry_fail(err, DRY_CORRUPT, "a block of the footer leads to no message");
    if (b->metadata_bytes < 0 || r->source.at > (uint64_t)b->offset + (uint64_t)b->metadata_bytes) {
        dry_storage_unref(metadata);
        return dry_fail(err, DRY_CORRUPT, "a message is longer than its place in the file");
    }
    r->source.at = (uint64_t)b->offset + (uint64_t)b->metadata_bytes; /* there may be padding behind the metadata */
    enum dry_status status =
        r->source.at > r->source.size
            ? dry_fail(err, DRY_CORRUPT, "a block reaches beyond the end of the file")
            : take_message(r, dry_storage_data(metadata), dry_storage_len(metadata), out, &is_batch, err);
    dry_storage_unref(metadata);
    DRY_TRY(status);
    if (is_batch == want_batch) return DRY_OK;
    if (is_batch) out->release(out);
    return dry_fail(err, DRY_CORRUPT, "a block of the footer leads to a message of another kind");
}

/* ---- stream format ---- */
static enum dry_status open_stream(struct reader *r, struct dry_error *err)
{
    struct dry_storage *metadata;
    struct dry_arena arena;
    struct dry_message m;
    DRY_TRY(next_metadata(r, &metadata, err));
    if (!metadata) return dry_fail(err, DRY_CORRUPT, "an empty stream without a schema");
    dry_arena_init(&arena, r->allocator);
    const uint8_t *bytes = dry_storage_data(metadata);
    uint32_t n = (uint32_t)dry_storage_len(metadata);
    enum dry_status status = dry_message_decode(bytes, n, &arena, &m, err);
    if (status == DRY_OK && m.kind != DRY_MESSAGE_SCHEMA)
        status = dry_fail(err, DRY_CORRUPT, "the stream does not begin with a schema");
    if (status == DRY_OK && m.body_bytes != 0) status = dry_fail(err, DRY_CORRUPT, "the schema message has a body");
    if (status == DRY_OK) status = dry_message_schema(bytes, n, &m, r->allocator, &r->schema, err);
    dry_arena_fini(&arena);
    dry_storage_unref(metadata);
    return status;
}

static enum dry_status take_next(struct reader *r, struct ArrowArray *out, struct dry_error *err)
{
    bool is_batch = false;
    if (r->is_file) {
        if (r->next == r->footer.n_batches) return DRY_OK;
        return take_block(r, r->footer.batches + r->next, out, true, err);
    }
    while (!is_batch) {
        struct dry_storage *metadata;
        DRY_TRY(next_metadata(r, &metadata, err));
        if (!metadata) {
            r->is_over = true;
            return DRY_OK;
        }
        enum dry_status status =
            take_message(r, dry_storage_data(metadata), dry_storage_len(metadata), out, &is_batch, err);
        dry_storage_unref(metadata);
        DRY_TRY(status);
    }
    return DRY_OK;
}

/* ---- as an ArrowArrayStream ---- */
static int reader_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    struct reader *r = s->private_data;
    if (dry_schema_export(r->schema, out) == DRY_OK) return 0;
    no_memory(&r->error);
    return ENOMEM;
}

static int reader_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    struct reader *r = s->private_data;
    struct ArrowArray array = {.release = NULL};
    if (!r->is_over) {
        enum dry_status status = take_next(r, &array, &r->error);
        if (status != DRY_OK) {
            r->is_over = true; /* after a fault nothing can be trusted to begin where it should */
            dry_fail_in(&r->error, status, "%s: ", r->label);
            return status == DRY_NOMEM         ? ENOMEM
                   : status == DRY_UNSUPPORTED ? ENOSYS
                   : status == DRY_IO          ? EIO
                                               : EINVAL;
        }
        r->next++;
    }
    *out = array;
    return 0;
}

static const char *reader_error(struct ArrowArrayStream *s)
{
    struct reader *r = s->private_data;
    return r->error.text;
}

static void free_reader(struct reader *r)
{
    dry_dictionaries_fini(&r->dictionaries);
    dry_schema_free(r->schema);
    dry_source_close(&r->source);
    dry_release(r->allocator, r, sizeof *r, _Alignof(struct reader));
}

static void reader_release(struct ArrowArrayStream *s)
{
    free_reader(s->private_data);
    s->release = NULL;
}

static enum dry_status open_reader(struct reader *r, int fd, struct dry_error *err)
{
    size_t n;
    DRY_TRY(dry_source_open(&r->source, fd, r->allocator, &n, err));
    r->is_file = n >= sizeof magic && memcmp(r->source.head, magic, sizeof magic) == 0;
    if (!r->is_file && !looks_like_stream(r->source.head, n)) return refuse(r->source.head, n, err);
    DRY_TRY(r->is_file ? open_file(r, err) : open_stream(r, err));
    if (dry_dictionaries_init(&r->dictionaries, r->schema, r->allocator) != DRY_OK) return no_memory(err);
    for (int64_t i = 0; i < r->footer.n_dictionaries; i++)
        DRY_TRY(take_block(r, r->footer.dictionaries + i, &(struct ArrowArray){.release = NULL}, false, err));
    return DRY_OK;
}

enum dry_status dry_ipc_read_fd(int fd, const char *label, const struct dry_allocator *a,
                                struct ArrowArrayStream *out, struct dry_error *err)
{
    struct reader *r = dry_allocate(a, sizeof *r, _Alignof(struct reader));
    struct dry_error local;
    if (!r) return dry_fail(err, DRY_NOMEM, "%s: out of memory", label);
    if (!err) err = &local;
    *r = (struct reader){.allocator = a};
    snprintf(r->label, sizeof r->label, "%s", label);
    enum dry_status status = open_reader(r, fd, err);
    if (status != DRY_OK) {
        dry_fail_in(err, status, "%s: ", label);
        free_reader(r);
        return status;
    }
    *out = (struct ArrowArrayStream){reader_schema, reader_next, reader_error, reader_release, r};
    return DRY_OK;
}

/* ---- the other direction: a descriptor as a sink ---- */
static enum dry_status append_fd(void *self, const void *bytes, size_t n, struct dry_error *err)
{
    int sys = dry_os_write(*(const int *)self, bytes, n);
    return sys ? dry_fail_errno(err, sys, "the output cannot be written") : DRY_OK;
}

struct dry_sink dry_sink_fd(int *fd)
{
    return (struct dry_sink){.self = fd, .append = append_fd};
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An IPC file in shared bytes, opened: its metadata is copied out and checked once; the columns stay where they are.
 *
 * A table is refcounted. AR1 in dry_table_unref is its own partner: whatever any holder did with the table ends
 * before the last one takes it apart.
 */
#include "arrow.h"
#include "../base/atomic.h"
#include "../base/check.h"
#include "../base/os.h"
#include "array.h"
#include "dictionaries.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct dry_table {
    struct dry_atomic_u64 holders;
    const struct dry_allocator *allocator;
    struct dry_view bytes;
    struct dry_footer footer;
    struct dry_dictionaries dictionaries;
    struct dry_array *batches;
    struct dry_storage **holds; /* what an exported array keeps alive: the bytes, and joined dictionaries */
    size_t n_holds;
    struct dry_table_stat stat;
    struct dry_arena arena;
};

static const char magic[6] = {'A', 'R', 'R', 'O', 'W', '1'};
enum { TAIL_BYTES = 10, HEAD_BYTES = 8, TAIL_GUESS = 8192 };

/* While a table is being opened: where its metadata comes from. It is always copied before it is looked at, so that
 * what was checked is what is used. */
struct opening {
    struct dry_table *t;
    int fd;
    struct dry_error *err;
    uint8_t *tail; /* the last bytes of the file, read at once: the footer is usually among them */
    uint64_t tail_at;
    uint64_t claimed; /* bytes of all blocks so far */
};

static enum dry_status fetch(const struct opening *o, uint64_t at, size_t n, uint8_t *into)
{
    if (at >= o->tail_at && o->tail) {
        memcpy(into, o->tail + (at - o->tail_at), n);
        return DRY_OK;
    }
    if (o->fd < 0) {
        memcpy(into, o->t->bytes.data + at, n);
        return DRY_OK;
    }
    int sys = dry_os_read_at(o->fd, into, n, at);
    return sys ? dry_fail_errno(o->err, sys == ENODATA ? EIO : sys, "the table cannot be read") : DRY_OK;
}

static enum dry_status corrupt(const struct opening *o, const char *what)
{
    return dry_fail(o->err, DRY_CORRUPT, "not an Arrow IPC file: %s", what);
}

static enum dry_status no_memory(const struct opening *o)
{
    return dry_fail(o->err, DRY_NOMEM, "no memory for the table's metadata");
}

static enum dry_status open_footer(struct opening *o)
{
    uint64_t size = o->t->bytes.len;
    uint8_t end[TAIL_BYTES], head[sizeof magic];
    int32_t n;
    if (size < HEAD_BYTES + TAIL_BYTES) return corrupt(o, "it is too short");
    size_t guess = size < TAIL_GUESS ? (size_t)size : TAIL_GUESS;
    uint8_t *tail = dry_arena_take(&o->t->arena, guess);
    if (!tail) return no_memory(o);
    DRY_TRY(fetch(o, size - guess, guess, tail));
    o->tail = tail;
    o->tail_at = size - guess;
    memcpy(end, tail + guess - TAIL_BYTES, TAIL_BYTES);
    if (memcmp(end + 4, magic, sizeof magic) != 0)
        return corrupt(o, "it does not end with ARROW1 (cut short, or not a file but a stream?)");
    DRY_TRY(fetch(o, 0, sizeof head, head));
    if (memcmp(head, magic, sizeof magic) != 0) return corrupt(o, "it does not begin with ARROW1");
    memcpy(&n, end, sizeof n);
    if (n <= 0 || (uint64_t)n > size - HEAD_BYTES - TAIL_BYTES)
        return corrupt(o, "its footer would be longer than the file");
    uint8_t *footer = dry_arena_take(&o->t->arena, (size_t)n);
    if (!footer) return no_memory(o);
    DRY_TRY(fetch(o, size - TAIL_BYTES - (uint64_t)n, (size_t)n, footer));
    return dry_footer_decode(footer, (uint32_t)n, o->t->allocator, &o->t->footer, o->err);
}

/* Reads the message of one block; *body is where its body begins in the file. */
static enum dry_status open_block(struct opening *o, const struct dry_block *b, const char *where,
                                  struct dry_message *m, uint64_t *body)
{
    uint64_t size = o->t->bytes.len, at = (uint64_t)b->offset;
    uint32_t word[2], skip = 8;
    if (b->offset < 0 || b->metadata_bytes < 8 || b->body_bytes < 0 || at > size ||
        (uint64_t)b->metadata_bytes > size - at || (uint64_t)b->body_bytes > size - at - (uint64_t)b->metadata_bytes)
        return dry_fail(o->err, DRY_CORRUPT, "%s lies outside of the file", where);
    o->claimed += (uint64_t)b->metadata_bytes + (uint64_t)b->body_bytes;
    if (o->claimed > size) /* else a small file could make us look at the same bytes a million times */
        return dry_fail(o->err, DRY_CORRUPT, "%s overlaps others: together they are larger than the file", where);
    uint8_t *bytes = dry_arena_take(&o->t->arena, (size_t)b->metadata_bytes);
    if (!bytes) return no_memory(o);
    DRY_TRY(fetch(o, at, (size_t)b->metadata_bytes, bytes));
    memcpy(word, bytes, sizeof word);
    if (word[0] != UINT32_MAX) { /* before format 0.15 there was no continuation marker */
        word[1] = word[0];
        skip = 4;
    }
    if (word[1] > (uint32_t)b->metadata_bytes - skip)
        return dry_fail(o->err, DRY_CORRUPT, "%s: its metadata is longer than its place in the file", where);
    enum dry_status status = dry_message_decode(bytes + skip, word[1], &o->t->arena, m, o->err);
    if (status != DRY_OK) return dry_fail_in(o->err, status, "%s: ", where);
    *body = at + (uint64_t)b->metadata_bytes;
    if (m->body_bytes < 0 || m->body_bytes > b->body_bytes)
        return dry_fail(o->err, DRY_CORRUPT, "%s: its body is longer than its place in the file", where);
    if (*body % 8 != 0)
        return dry_fail(o->err, DRY_CORRUPT, "%s: its body begins at byte %llu, which is no multiple of 8", where,
                        (unsigned long long)*body);
    if (m->codec != DRY_CODEC_NONE)
        return dry_fail(
            o->err, DRY_UNSUPPORTED,
            "%s is compressed, and a table is mapped, not decoded; store it once with: drystone put NAME FILE",
            where);
    return DRY_OK;
}

static void account(struct dry_table *t, const struct dry_message *m, uint64_t body)
{
    for (int64_t i = 0; i < m->n_places; i++) {
        if (m->places[i].length <= 0) continue;
        uint64_t at = body + (uint64_t)m->places[i].offset;
        t->stat.buffer_bytes += m->places[i].length;
        while (at % t->stat.alignment_bytes)
            t->stat.alignment_bytes /= 2;
    }
}

static enum dry_status open_dictionaries(struct opening *o)
{
    struct dry_table *t = o->t;
    if (dry_dictionaries_init(&t->dictionaries, t->footer.schema, t->allocator) != DRY_OK) return no_memory(o);
    for (int64_t i = 0; i < t->footer.n_dictionaries; i++) {
        struct dry_message m;
        uint64_t body;
        char where[48];
        snprintf(where, sizeof where, "dictionary block %lld", (long long)i);
        DRY_TRY(open_block(o, t->footer.dictionaries + i, where, &m, &body));
        if (m.kind != DRY_MESSAGE_DICTIONARY) return dry_fail(o->err, DRY_CORRUPT, "%s is no dictionary", where);
        enum dry_status status =
            dry_dictionaries_take(&t->dictionaries, &m, t->bytes.data + body, NULL, false, o->err);
        if (status != DRY_OK) return dry_fail_in(o->err, status, "%s: ", where);
        account(t, &m, body);
    }
    return DRY_OK;
}

static enum dry_status open_batches(struct opening *o)
{
    struct dry_table *t = o->t;
    t->batches = dry_arena_take_array(&t->arena, (size_t)t->footer.n_batches, sizeof *t->batches);
    if (!t->batches) return no_memory(o);
    for (int64_t i = 0; i < t->footer.n_batches; i++) {
        struct dry_message m;
        uint64_t body;
        char where[32];
        snprintf(where, sizeof where, "batch %lld", (long long)i);
        DRY_TRY(open_block(o, t->footer.batches + i, where, &m, &body));
        if (m.kind != DRY_MESSAGE_BATCH) return dry_fail(o->err, DRY_CORRUPT, "%s is no record batch", where);
        DRY_TRY(dry_array_decode(t->footer.schema, &t->footer.schema->root, &m, t->bytes.data + body,
                                 t->dictionaries.arrays, where, &t->arena, t->batches + i, o->err));
        if (__builtin_add_overflow(t->stat.rows, m.length, &t->stat.rows))
            return dry_fail(o->err, DRY_CORRUPT, "%s: more rows than can be counted", where);
        account(t, &m, body);
    }
    return DRY_OK;
}

static enum dry_status gather_holds(struct opening *o)
{
    struct dry_table *t = o->t;
    t->holds = dry_arena_take_array(&t->arena, (size_t)t->footer.schema->n_dictionaries + 1, sizeof *t->holds);
    if (!t->holds) return no_memory(o);
    if (t->bytes.storage) t->holds[t->n_holds++] = t->bytes.storage;
    for (int32_t i = 0; i < t->footer.schema->n_dictionaries; i++)
        if (t->dictionaries.slots[i].storage) t->holds[t->n_holds++] = t->dictionaries.slots[i].storage;
    return DRY_OK;
}

/* Whether the footer's metadata has drystone.verified = full. The blob was checked when it was decoded. */
static bool is_stamped(const char *metadata)
{
    static const char key[] = "drystone.verified", value[] = "full";
    int32_t pairs, n;
    if (!metadata) return false;
    memcpy(&pairs, metadata, 4);
    metadata += 4;
    for (int32_t i = 0; i < pairs; i++) {
        memcpy(&n, metadata, 4);
        bool is_key = n == sizeof key - 1 && memcmp(metadata + 4, key, sizeof key - 1) == 0;
        metadata += 4 + n;
        memcpy(&n, metadata, 4);
        if (is_key && n == sizeof value - 1 && memcmp(metadata + 4, value, sizeof value - 1) == 0) return true;
        metadata += 4 + n;
    }
    return false;
}

enum dry_status dry_table_open(const struct dry_view *bytes, int fd, const struct dry_allocator *a,
                               struct dry_table **out, struct dry_error *err)
{
    struct dry_table *t = dry_allocate(a, sizeof *t, _Alignof(struct dry_table));
    struct opening o = {.t = t, .fd = fd, .err = err};
    if (!t) return dry_fail(err, DRY_NOMEM, "no memory for a table");
    *t = (struct dry_table){.allocator = a, .bytes = dry_view_ref(bytes)};
    dry_store_relaxed_u64(&t->holders, 1); /* X0: nobody else has it yet */
    dry_arena_init(&t->arena, a);
    t->stat.alignment_bytes = DRY_ALIGN;
    t->stat.file_bytes = (int64_t)bytes->len;
    enum dry_status status = open_footer(&o);
    if (status == DRY_OK) status = open_dictionaries(&o);
    if (status == DRY_OK) status = open_batches(&o);
    if (status == DRY_OK) status = gather_holds(&o);
    if (status != DRY_OK) {
        dry_table_unref(t);
        return status;
    }
    t->stat.columns = t->footer.schema->root.n_children;
    t->stat.batches = t->footer.n_batches;
    t->stat.verified = is_stamped(t->footer.metadata) ? DRY_VERIFIED_FULL : DRY_VERIFIED_RANGES;
    *out = t;
    return DRY_OK;
}

struct dry_table *dry_table_ref(struct dry_table *t)
{
    dry_add_relaxed_u64(&t->holders, 1); /* X1: the caller holds it, so the count cannot be 0 */
    return t;
}

void dry_table_unref(struct dry_table *t)
{
    if (!t) return;
    /* AR1: pairs with AR1 in the other holders; what each of them did with the table is over before it is freed. */
    if (dry_sub_acq_rel_u64(&t->holders, 1) != 1) return;
    dry_dictionaries_fini(&t->dictionaries);
    dry_schema_free(t->footer.schema);
    dry_view_unref(&t->bytes);
    dry_arena_fini(&t->arena);
    dry_release(t->allocator, t, sizeof *t, _Alignof(struct dry_table));
}

const struct dry_view *dry_table_bytes(const struct dry_table *t)
{
    return &t->bytes;
}

void dry_table_stat(const struct dry_table *t, struct dry_table_stat *out)
{
    *out = t->stat;
}

enum dry_status dry_table_schema(const struct dry_table *t, struct ArrowSchema *out)
{
    return dry_schema_export(t->footer.schema, out);
}

enum dry_status dry_table_batch(const struct dry_table *t, int64_t i, struct ArrowArray *out)
{
    if (i < 0 || i >= t->stat.batches) return DRY_INVALID;
    return dry_array_export(t->batches + i, t->holds, t->n_holds, t->allocator, out);
}

enum dry_status dry_table_verify(const struct dry_table *t, int64_t from, int64_t n, struct dry_error *err)
{
    int64_t end = n < 0 || n > t->stat.batches - from ? t->stat.batches : from + n;
    if (from < 0 || from > t->stat.batches)
        return dry_fail(err, DRY_INVALID, "there is no batch %lld", (long long)from);
    for (int32_t i = 0; i < t->footer.schema->n_dictionaries; i++)
        if (t->dictionaries.arrays[i])
            DRY_TRY(dry_array_verify(t->footer.schema, t->dictionaries.arrays[i], "dictionary", err));
    for (; from < end; from++) {
        char where[32];
        snprintf(where, sizeof where, "batch %lld", (long long)from);
        DRY_TRY(dry_array_verify(t->footer.schema, t->batches + from, where, err));
    }
    return DRY_OK;
}

/* ---- verification, shared by threads ---- */
/* What there is to look at, numbered: the dictionaries, then for each batch its own node and its columns. Each thread
 * takes the next number, and keeps the first fault that it finds; the one with the least number is the answer. */
struct verification {
    const struct dry_table *table;
    const struct dry_verify_options *options;
    struct dry_atomic_u64 next;
    uint64_t dictionaries, columns, all;
    bool cancelled; /* written by the caller's thread alone */
    struct finding {
        enum dry_status status;
        uint64_t number;
        struct dry_error err;
    } findings[64];
};

static enum dry_status verify_number(const struct verification *v, uint64_t number, struct dry_error *err)
{
    const struct dry_table *t = v->table;
    const struct dry_schema *s = t->footer.schema;
    char where[32];
    if (number < v->dictionaries) {
        const struct dry_array *values = t->dictionaries.arrays[number];
        return values ? dry_array_verify(s, values, "dictionary", err) : DRY_OK;
    }
    uint64_t batch = (number - v->dictionaries) / (v->columns + 1), at = (number - v->dictionaries) % (v->columns + 1);
    const struct dry_array *root = t->batches + batch;
    snprintf(where, sizeof where, "batch %llu", (unsigned long long)batch);
    return at == 0 ? dry_array_verify_node(s, root, where, err) : dry_array_verify(s, root->children + (at - 1), where, err);
}

static bool is_cancelled(struct verification *v, uint64_t number)
{
    const struct dry_verify_options *o = v->options;
    v->cancelled = o->progress && o->progress(o->progress_self, number, v->all);
    return v->cancelled;
}

static void verify_some(void *self, unsigned thread)
{
    struct verification *v = self;
    struct finding *mine = &v->findings[thread];
    while (mine->status == DRY_OK) {
        uint64_t number = dry_add_relaxed_u64(&v->next, 1); /* X0: hands out numbers; the joining of threads orders the rest */
        if (number >= v->all || (thread == 0 && is_cancelled(v, number))) return;
        mine->number = number;
        mine->status = verify_number(v, number, &mine->err);
    }
}

enum dry_status dry_table_verify_with(const struct dry_table *t, const struct dry_verify_options *options,
                                      struct dry_error *err)
{
    struct verification v = {.table = t,
                             .options = options,
                             .dictionaries = (uint64_t)t->footer.schema->n_dictionaries,
                             .columns = (uint64_t)t->footer.schema->root.n_children};
    const struct finding *first = NULL;
    unsigned threads = options->threads < 1 ? 1 : options->threads > 64 ? 64 : options->threads;
    v.all = v.dictionaries + (uint64_t)t->stat.batches * (v.columns + 1);
    dry_os_in_parallel(threads, verify_some, &v);
    for (unsigned i = 0; i < threads; i++)
        if (v.findings[i].status != DRY_OK && (!first || v.findings[i].number < first->number)) first = &v.findings[i];
    if (v.cancelled) return dry_fail(err, DRY_IO, "cancelled");
    if (!first) return DRY_OK;
    if (err) *err = first->err;
    return first->status;
}

/* ---- the table as a stream ---- */
struct table_stream {
    struct dry_table *table;
    int64_t next;
};

static int stream_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    const struct table_stream *self = s->private_data;
    return dry_table_schema(self->table, out) == DRY_OK ? 0 : ENOMEM;
}

static int stream_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    struct table_stream *self = s->private_data;
    if (self->next == self->table->stat.batches) {
        out->release = NULL;
        return 0;
    }
    if (dry_table_batch(self->table, self->next, out) != DRY_OK) return ENOMEM;
    self->next++;
    return 0;
}

static const char *stream_error(struct ArrowArrayStream *s)
{
    (void)s;
    return "out of memory"; /* nothing else can fail: the table was checked when it was opened */
}

static void stream_release(struct ArrowArrayStream *s)
{
    struct table_stream *self = s->private_data;
    struct dry_table *t = self->table;
    dry_release(t->allocator, self, sizeof *self, _Alignof(struct table_stream));
    dry_table_unref(t);
    s->release = NULL;
}

enum dry_status dry_table_stream(struct dry_table *t, struct ArrowArrayStream *out)
{
    struct table_stream *self = dry_allocate(t->allocator, sizeof *self, _Alignof(struct table_stream));
    if (!self) return DRY_NOMEM;
    *self = (struct table_stream){.table = dry_table_ref(t)};
    *out = (struct ArrowArrayStream){stream_schema, stream_next, stream_error, stream_release, self};
    return DRY_OK;
}

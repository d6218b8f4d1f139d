/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Writing and reading whole tables: stream -> file -> table -> stream, and through descriptors.
 */
#define _GNU_SOURCE
#include "arrow.h"
#include "../base/check.h"
#include "array.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a source: columns of static buffers, any number of batches ---- */
enum { COLUMNS = 6, BATCHES_MAX = 4 };

static void release_schema(struct ArrowSchema *s) { s->release = NULL; }
static void release_array(struct ArrowArray *a) { a->release = NULL; }

static struct ArrowSchema schema_of(const char *format, const char *name)
{
    return (struct ArrowSchema){.format = format, .name = name, .flags = ARROW_FLAG_NULLABLE, .release = release_schema};
}

static struct ArrowArray array_of(int64_t length, int64_t offset, int64_t n_buffers, const void **buffers)
{
    return (struct ArrowArray){
        .length = length, .null_count = -1, .offset = offset, .n_buffers = n_buffers, .buffers = buffers, .release = release_array};
}

struct source {
    struct ArrowSchema root, *columns[COLUMNS];
    struct ArrowArray batches[BATCHES_MAX];
    int n, next, fail_at; /* fail_at: number of the batch at which get_next fails, -1 never */
    int released;
};

static int source_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    *out = ((struct source *)s->private_data)->root;
    return 0;
}

static int source_next(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    struct source *self = s->private_data;
    if (self->next == self->fail_at) return EIO;
    if (self->next == self->n)
        *out = (struct ArrowArray){.release = NULL};
    else
        *out = self->batches[self->next++];
    return 0;
}

static const char *source_error(struct ArrowArrayStream *s)
{
    (void)s;
    return "the well is dry";
}

static void source_release(struct ArrowArrayStream *s)
{
    ((struct source *)s->private_data)->released++;
    s->release = NULL;
}

static struct ArrowArrayStream stream_of(struct source *s)
{
    s->next = 0;
    return (struct ArrowArrayStream){source_schema, source_next, source_error, source_release, s};
}

/* Six columns, two batches; the second is a slice that begins at row 3 of the same buffers. */
struct sample {
    struct source source;
    struct ArrowSchema columns[COLUMNS], item, values;
    struct ArrowArray arrays[2][COLUMNS], children[2], dictionaries[2], *pointers[2][COLUMNS], *child_pointers[2];
    struct ArrowSchema *item_pointer;
};

static const int32_t ints[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
static const uint8_t valid[] = {0xb7, 0x02}; /* rows 3, 6, 8 are null */
static const uint8_t bools[] = {0x55, 0x01};
static const int32_t text_offsets[] = {0, 1, 3, 6, 6, 10, 15, 21, 21, 29, 30};
static const char text[] = "abbcccddddeeeeeffffffhhhhhhhhi";
static const int8_t indices[] = {0, 1, 2, 1, 0, 2, 2, 1, 0, 1};
static const int32_t word_offsets[2][4] = {{0, 3, 6, 11}, {0, 5, 8, 11}};
static const char words[2][12] = {"onetwothree", "threeonetwo"};
static const int32_t list_offsets[] = {0, 2, 2, 3, 6, 6, 7, 8, 9, 9, 10};
static uint8_t views[10][16];
static const char far_text[] = "a text that is longer than twelve bytes, and another one of the kind";

static void fill_views(void)
{
    for (int i = 0; i < 10; i++) {
        int32_t length = i % 2 ? 40 : 3, at = i % 2 ? 20 : 0;
        memset(views[i], 0, 16);
        memcpy(views[i], &length, 4);
        memcpy(views[i] + 4, far_text + at, i % 2 ? 4 : 3);
        if (i % 2) memcpy(views[i] + 12, &at, 4);
    }
}

static void make_sample(struct sample *s)
{
    static const void *int_buffers[] = {valid, ints}, *bool_buffers[] = {NULL, bools},
                      *text_buffers[] = {valid, text_offsets, text}, *index_buffers[] = {valid, indices},
                      *list_buffers[] = {NULL, list_offsets};
    static const void *word_buffers[2][3] = {{NULL, word_offsets[0], words[0]}, {NULL, word_offsets[1], words[1]}};
    static const int64_t far_bytes[] = {sizeof far_text - 1};
    static const void *view_buffers[] = {valid, views, far_text, far_bytes};
    static const void *none[] = {NULL};
    static const char *formats[] = {"i", "b", "u", "c", "+l", "vu"}, *names[] = {"i", "b", "t", "d", "l", "v"};
    const void **buffers[] = {int_buffers, bool_buffers, text_buffers, index_buffers, list_buffers, view_buffers};
    static const int64_t n_buffers[] = {2, 2, 3, 2, 2, 4};
    memset(s, 0, sizeof *s);
    fill_views();
    s->item = schema_of("i", "item");
    s->values = schema_of("u", "");
    s->item_pointer = &s->item;
    for (int c = 0; c < COLUMNS; c++) {
        s->columns[c] = schema_of(formats[c], names[c]);
        s->source.columns[c] = s->columns + c;
    }
    s->columns[3].dictionary = &s->values;
    s->columns[4].n_children = 1;
    s->columns[4].children = &s->item_pointer;
    s->source.root = schema_of("+s", "");
    s->source.root.n_children = COLUMNS;
    s->source.root.children = s->source.columns;
    s->source.n = 2;
    s->source.fail_at = -1;
    for (int b = 0; b < 2; b++) {
        int64_t offset = b ? 3 : 0, rows = b ? 7 : 10;
        for (int c = 0; c < COLUMNS; c++) {
            s->arrays[b][c] = array_of(rows, offset, n_buffers[c], buffers[c]);
            s->pointers[b][c] = s->arrays[b] + c;
        }
        s->children[b] = array_of(10, 0, 2, int_buffers);
        s->child_pointers[b] = s->children + b;
        s->arrays[b][4].n_children = 1;
        s->arrays[b][4].children = s->child_pointers + b;
        s->dictionaries[b] = array_of(3, 0, 3, word_buffers[b]);
        s->arrays[b][3].dictionary = s->dictionaries + b;
        s->source.batches[b] = array_of(rows, 0, 1, none);
        s->source.batches[b].n_children = COLUMNS;
        s->source.batches[b].children = s->pointers[b];
    }
}

/* ---- sinks and helpers ---- */
struct memory {
    uint8_t *bytes;
    size_t len, limit; /* limit: FULL beyond it */
};

static enum dry_status append_memory(void *self, const void *bytes, size_t n, struct dry_error *err)
{
    struct memory *m = self;
    if (n > m->limit - m->len) return dry_fail(err, DRY_FULL, "the sink is full");
    m->bytes = realloc(m->bytes, m->len + n + 1);
    memcpy(m->bytes + m->len, bytes, n);
    m->len += n;
    return DRY_OK;
}

static struct memory written(struct source *source, enum dry_ipc_format format)
{
    struct memory m = {.limit = SIZE_MAX};
    struct dry_sink sink = {.self = &m, .append = append_memory};
    struct dry_ipc_write_options options = {.format = format, .stamp_verified = true};
    struct ArrowArrayStream in = stream_of(source);
    struct dry_error err = {0};
    if (dry_ipc_write(&in, &sink, &options, NULL, &err) != DRY_OK) fail_msg("%s", err.text);
    assert_int_equal(source->released, 1);
    source->released = 0;
    return m;
}

static enum dry_status open_memory(const void *bytes, size_t n, struct dry_table **out, struct dry_error *err)
{
    struct dry_storage *s;
    assert_int_equal(dry_storage_adopt(bytes, n, NULL, NULL, NULL, &s), DRY_OK);
    struct dry_view v = dry_view_adopt(s);
    enum dry_status status = dry_table_open(&v, -1, NULL, out, err);
    dry_view_unref(&v);
    return status;
}

static int fd_of(const struct memory *m)
{
    int fd = memfd_create("ipc_test", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, m->bytes, m->len), (ssize_t)m->len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* Everything a batch of the sample shows, as text, whatever its layout or offset. */
static bool is_valid(const struct ArrowArray *a, int64_t i)
{
    return !a->buffers[0] || dry_bit(a->buffers[0], a->offset + i);
}

static void show_row(char *out, size_t size, const struct ArrowArray *batch, int64_t i)
{
    size_t n = 0;
    for (int c = 0; c < COLUMNS; c++) {
        const struct ArrowArray *a = batch->children[c];
        int64_t at = a->offset + i;
        const int32_t *numbers = a->buffers[1];
        if (!is_valid(a, i)) {
            n += (size_t)snprintf(out + n, size - n, "- ");
            continue;
        }
        if (c == 0) n += (size_t)snprintf(out + n, size - n, "%d ", numbers[at]);
        if (c == 1) n += (size_t)snprintf(out + n, size - n, "%d ", dry_bit(a->buffers[1], at));
        if (c == 2)
            n += (size_t)snprintf(out + n, size - n, "%.*s ", numbers[at + 1] - numbers[at],
                                  (const char *)a->buffers[2] + numbers[at]);
        if (c == 3) {
            const struct ArrowArray *d = a->dictionary;
            int64_t k = d->offset + ((const int8_t *)a->buffers[1])[at];
            const int32_t *offsets = d->buffers[1];
            n += (size_t)snprintf(out + n, size - n, "%.*s ", offsets[k + 1] - offsets[k],
                                  (const char *)d->buffers[2] + offsets[k]);
        }
        if (c == 4)
            for (int32_t k = numbers[at]; k < numbers[at + 1]; k++)
                n += (size_t)snprintf(out + n, size - n, "%d,",
                                      ((const int32_t *)a->children[0]->buffers[1])[a->children[0]->offset + k]);
        if (c == 5) {
            struct {
                int32_t length;
                char start[4];
                int32_t buffer, offset;
            } v;
            memcpy(&v, (const uint8_t *)a->buffers[1] + 16 * at, 16);
            n += (size_t)snprintf(out + n, size - n, " %.*s", v.length,
                                  v.length > 12 ? (const char *)a->buffers[2 + v.buffer] + v.offset : v.start);
        }
    }
}

static void assert_same_rows(const struct ArrowArray *x, const struct ArrowArray *y)
{
    char a[400], b[400];
    assert_int_equal(x->length, y->length);
    for (int64_t i = 0; i < x->length; i++) {
        show_row(a, sizeof a, x, i);
        show_row(b, sizeof b, y, i);
        assert_string_equal(a, b);
    }
}

/* Reads `in` to its end: its batches are those of the sample. */
static void assert_is_sample(struct ArrowArrayStream *in)
{
    struct sample s;
    struct ArrowArray batch;
    make_sample(&s);
    for (int b = 0; b < 2; b++) {
        assert_int_equal(in->get_next(in, &batch), 0);
        assert_non_null(batch.release);
        assert_same_rows(s.source.batches + b, &batch);
        batch.release(&batch);
    }
    assert_int_equal(in->get_next(in, &batch), 0);
    assert_null(batch.release);
    in->release(in);
}

/* ---- tests ---- */
static void a_file_comes_back_as_it_was(void **state)
{
    struct sample s;
    struct dry_table *t;
    struct dry_table_stat stat;
    struct dry_error err = {0};
    struct ArrowArrayStream out;
    (void)state;
    make_sample(&s);
    struct memory m = written(&s.source, DRY_IPC_FILE);
    if (open_memory(m.bytes, m.len, &t, &err) != DRY_OK) fail_msg("%s", err.text);
    dry_table_stat(t, &stat);
    assert_int_equal(stat.rows, 17);
    assert_int_equal(stat.columns, COLUMNS);
    assert_int_equal(stat.batches, 2);
    assert_int_equal(stat.file_bytes, m.len);
    assert_int_equal(stat.alignment_bytes, 64);
    assert_int_equal(stat.verified, DRY_VERIFIED_FULL);
    if (dry_table_verify(t, 0, -1, &err) != DRY_OK) fail_msg("%s", err.text);
    assert_int_equal(dry_table_verify(t, 2, 1, &err), DRY_OK);
    assert_int_equal(dry_table_verify(t, 3, 1, &err), DRY_INVALID);
    for (int again = 0; again < 2; again++) { /* a table's stream is repeatable */
        assert_int_equal(dry_table_stream(t, &out), DRY_OK);
        assert_is_sample(&out);
    }
    struct ArrowArray batch;
    assert_int_equal(dry_table_batch(t, 2, &batch), DRY_INVALID);
    assert_int_equal(dry_table_batch(t, -1, &batch), DRY_INVALID);
    assert_int_equal(dry_table_batch(t, 1, &batch), DRY_OK);
    dry_table_unref(t);
    assert_same_rows(s.source.batches + 1, &batch); /* outlives the table */
    batch.release(&batch);
    free(m.bytes);
}

static void exported_buffers_lie_in_the_file(void **state)
{
    struct sample s;
    struct dry_table *t;
    struct ArrowArray batch;
    (void)state;
    make_sample(&s);
    struct memory m = written(&s.source, DRY_IPC_FILE);
    assert_int_equal(open_memory(m.bytes, m.len, &t, NULL), DRY_OK);
    assert_int_equal(dry_table_batch(t, 0, &batch), DRY_OK);
    const uint8_t *at = batch.children[0]->buffers[1];
    assert_true(at >= m.bytes && at < m.bytes + m.len);
    batch.release(&batch);
    dry_table_unref(t);
    free(m.bytes);
}

static void both_formats_are_read_from_a_descriptor(void **state)
{
    struct sample s;
    struct dry_error err = {0};
    struct ArrowArrayStream out;
    (void)state;
    for (enum dry_ipc_format format = DRY_IPC_FILE; format <= DRY_IPC_STREAM; format++) {
        make_sample(&s);
        struct memory m = written(&s.source, format);
        int fd = fd_of(&m);
        if (dry_ipc_read_fd(fd, "sample", NULL, &out, &err) != DRY_OK) fail_msg("%s", err.text);
        assert_is_sample(&out);
        close(fd);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], m.bytes, m.len), (ssize_t)m.len); /* a pipe holds 64 KiB */
        close(ends[1]);
        if (dry_ipc_read_fd(ends[0], "pipe", NULL, &out, &err) != DRY_OK) fail_msg("%s", err.text);
        assert_is_sample(&out);
        close(ends[0]);
        free(m.bytes);
    }
}

static void a_file_holds_one_dictionary_a_column(void **state)
{
    struct sample s;
    struct dry_table *t;
    struct ArrowArray a, b;
    (void)state;
    make_sample(&s);
    struct memory m = written(&s.source, DRY_IPC_FILE);
    assert_int_equal(open_memory(m.bytes, m.len, &t, NULL), DRY_OK);
    assert_int_equal(dry_table_batch(t, 0, &a), DRY_OK);
    assert_int_equal(dry_table_batch(t, 1, &b), DRY_OK);
    assert_ptr_equal(a.children[3]->dictionary->buffers[2], b.children[3]->dictionary->buffers[2]);
    assert_int_equal(b.children[3]->dictionary->length, 3);
    a.release(&a);
    b.release(&b);
    dry_table_unref(t);
    free(m.bytes);
}

static enum dry_status try_write(struct source *source, struct memory *m, struct dry_error *err)
{
    struct dry_sink sink = {.self = m, .append = append_memory};
    struct dry_ipc_write_options options = {.format = DRY_IPC_FILE};
    struct ArrowArrayStream in = stream_of(source);
    enum dry_status status = dry_ipc_write(&in, &sink, &options, NULL, err);
    assert_int_equal(source->released, 1);
    source->released = 0;
    return status;
}

static void what_cannot_be_written_is_refused_with_words(void **state)
{
    struct sample s;
    struct memory m = {.limit = SIZE_MAX};
    struct dry_error err = {0};
    (void)state;
    make_sample(&s);
    s.source.fail_at = 1;
    assert_int_equal(try_write(&s.source, &m, &err), DRY_IO);
    assert_string_equal(err.text, "the well is dry");
    make_sample(&s);
    m = (struct memory){.bytes = m.bytes, .limit = 300};
    assert_int_equal(try_write(&s.source, &m, &err), DRY_FULL);
    make_sample(&s);
    m.limit = SIZE_MAX;
    s.columns[3].flags |= ARROW_FLAG_DICTIONARY_ORDERED;
    assert_int_equal(try_write(&s.source, &m, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "'d'"));
    make_sample(&s);
    s.columns[1].format = "+ud:0,1";
    assert_int_equal(try_write(&s.source, &m, &err), DRY_UNSUPPORTED);
    assert_non_null(strstr(err.text, "'b'"));
    make_sample(&s);
    s.arrays[1][2].length = 6; /* shorter than the batch */
    assert_int_equal(try_write(&s.source, &m, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "'t'"));
    free(m.bytes);
}

static void foreign_formats_are_named(void **state)
{
    static const struct {
        const char *bytes, *word;
        enum dry_status status;
    } cases[] = {
        {"", "empty", DRY_CORRUPT},
        {"PAR1....", "Parquet", DRY_UNSUPPORTED},
        {"FEA1....", "Feather", DRY_UNSUPPORTED},
        {"ORC.....", "ORC", DRY_UNSUPPORTED},
        {"a,b\n1,2\n", "CSV", DRY_UNSUPPORTED},
        {"{\"a\": 1}", "JSON", DRY_UNSUPPORTED},
        {"\x01\x02\x03\x04\x05\x06\x07\x08", "not Arrow IPC", DRY_CORRUPT},
        {"ARROW1", "cut short", DRY_CORRUPT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct memory m = {.bytes = (uint8_t *)(uintptr_t)cases[i].bytes, .len = strlen(cases[i].bytes)};
        struct ArrowArrayStream out;
        struct dry_error err = {0};
        int fd = fd_of(&m);
        assert_int_equal(dry_ipc_read_fd(fd, "the input", NULL, &out, &err), cases[i].status);
        if (!strstr(err.text, cases[i].word)) fail_msg("%s: %s", cases[i].word, err.text);
        assert_int_equal(strncmp(err.text, "the input: ", 11), 0);
        close(fd);
    }
}

/* ---- damage ---- */
static void drain(struct ArrowArrayStream *in)
{
    struct ArrowArray batch;
    while (in->get_next(in, &batch) == 0 && batch.release) batch.release(&batch);
    in->release(in);
}

/* Whatever opens can be read to its end; whatever verifies can be shown, when it still has the sample's columns. */
static void use_table(struct dry_table *t)
{
    struct ArrowArrayStream out;
    assert_int_equal(dry_table_stream(t, &out), DRY_OK);
    if (dry_table_verify(t, 0, -1, NULL) != DRY_OK) {
        drain(&out);
    } else {
        struct ArrowSchema schema;
        struct ArrowArray batch;
        assert_int_equal(dry_table_schema(t, &schema), DRY_OK);
        static const char *formats[] = {"i", "b", "u", "c", "+l", "vu"};
        bool same = schema.n_children == COLUMNS;
        for (int64_t c = 0; same && c < COLUMNS; c++)
            same = strcmp(schema.children[c]->format, formats[c]) == 0 && (c == 3) == !!schema.children[c]->dictionary;
        same = same && strcmp(schema.children[3]->dictionary->format, "u") == 0 &&
               strcmp(schema.children[4]->children[0]->format, "i") == 0;
        schema.release(&schema);
        while (out.get_next(&out, &batch) == 0 && batch.release) {
            char row[2000];
            for (int64_t i = 0; same && i < batch.length && i < 20; i++) show_row(row, sizeof row, &batch, i);
            batch.release(&batch);
        }
        out.release(&out);
    }
    dry_table_unref(t);
}

static void every_truncation_is_an_error(void **state)
{
    struct sample s;
    struct dry_table *t;
    (void)state;
    for (enum dry_ipc_format format = DRY_IPC_FILE; format <= DRY_IPC_STREAM; format++) {
        make_sample(&s);
        struct memory m = written(&s.source, format);
        for (size_t n = 0; n < m.len; n++) {
            uint8_t *cut = malloc(n + 1);
            struct ArrowArrayStream out;
            memcpy(cut, m.bytes, n);
            if (format == DRY_IPC_FILE) assert_int_equal(open_memory(cut, n, &t, NULL), DRY_CORRUPT);
            struct memory part = {.bytes = cut, .len = n};
            int fd = fd_of(&part);
            if (dry_ipc_read_fd(fd, "cut", NULL, &out, NULL) == DRY_OK) drain(&out);
            close(fd);
            free(cut);
        }
        free(m.bytes);
    }
}

static void no_flipped_bit_does_harm(void **state)
{
    struct sample s;
    (void)state;
    for (enum dry_ipc_format format = DRY_IPC_FILE; format <= DRY_IPC_STREAM; format++) {
        make_sample(&s);
        struct memory m = written(&s.source, format);
        for (size_t bit = 0; bit < m.len * 8; bit += format == DRY_IPC_FILE ? 1 : 3) {
            struct dry_table *t;
            struct ArrowArrayStream out;
            uint8_t *exact = malloc(m.len); /* so that a sanitizer sees one byte too many */
            memcpy(exact, m.bytes, m.len);
            exact[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (format == DRY_IPC_FILE && open_memory(exact, m.len, &t, NULL) == DRY_OK) use_table(t);
            if (bit % 16 < 3) {
                struct memory flipped = {.bytes = exact, .len = m.len};
                int fd = fd_of(&flipped);
                if (dry_ipc_read_fd(fd, "flipped", NULL, &out, NULL) == DRY_OK) drain(&out);
                close(fd);
            }
            free(exact);
        }
        free(m.bytes);
    }
}

/* ---- allocation failure ---- */
struct counting {
    int64_t left, live; /* left: allocations until one fails */
};

static void *count_allocate(void *self, size_t size, size_t align)
{
    struct counting *c = self;
    if (c->left-- <= 0) return NULL;
    c->live++;
    return aligned_alloc(align < 16 ? 16 : align, (size + 63) / 64 * 64);
}

static void count_release(void *self, void *block, size_t size, size_t align)
{
    (void)size, (void)align;
    ((struct counting *)self)->live--;
    free(block);
}

static void every_allocation_may_fail(void **state)
{
    struct sample s;
    struct counting counter = {0};
    const struct dry_allocator a = {.allocate = count_allocate, .release = count_release, .self = &counter};
    (void)state;
    bool done = false;
    for (int64_t n = 0; !done; n++) {
        struct memory m = {.limit = SIZE_MAX};
        struct dry_sink sink = {.self = &m, .append = append_memory};
        struct dry_ipc_write_options options = {.format = DRY_IPC_FILE};
        struct dry_error err = {0};
        make_sample(&s);
        struct ArrowArrayStream in = stream_of(&s.source), out;
        counter.left = n;
        enum dry_status status = dry_ipc_write(&in, &sink, &options, &a, &err);
        if (status == DRY_OK) {
            int fd = fd_of(&m);
            status = dry_ipc_read_fd(fd, "sample", &a, &out, &err);
            if (status == DRY_OK) {
                struct ArrowArray batch;
                int sys = out.get_next(&out, &batch);
                if (sys == 0) batch.release(&batch);
                done = sys == 0;
                if (sys) assert_int_equal(sys, ENOMEM);
                out.release(&out);
            }
            close(fd);
        }
        if (status != DRY_OK && status != DRY_NOMEM) fail_msg("%s: %s", dry_status_name(status), err.text);
        assert_int_equal(counter.live, 0);
        free(m.bytes);
        assert_true(n < 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_comes_back_as_it_was),
        cmocka_unit_test(exported_buffers_lie_in_the_file),
        cmocka_unit_test(both_formats_are_read_from_a_descriptor),
        cmocka_unit_test(a_file_holds_one_dictionary_a_column),
        cmocka_unit_test(what_cannot_be_written_is_refused_with_words),
        cmocka_unit_test(foreign_formats_are_named),
        cmocka_unit_test(every_truncation_is_an_error),
        cmocka_unit_test(no_flipped_bit_does_harm),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("ipc", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "writer_columns.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIXED(format, bits) {format, bits, 0}

const struct column_kind column_kinds[COLUMN_KINDS] = {{"n", 0, 0},           FIXED("b", 1),
                                                       FIXED("c", 8),         FIXED("C", 8),
                                                       FIXED("s", 16),        FIXED("S", 16),
                                                       FIXED("i", 32),        FIXED("I", 32),
                                                       FIXED("l", 64),        FIXED("L", 64),
                                                       FIXED("e", 16),        FIXED("f", 32),
                                                       FIXED("g", 64),        {"u", 0, 4},
                                                       {"U", 0, 8},           {"z", 0, 4},
                                                       {"Z", 0, 8},           FIXED("w:3", 24),
                                                       FIXED("w:16", 128),    FIXED("w:0", 0),
                                                       FIXED("d:9,2,32", 32), FIXED("d:18,2,64", 64),
                                                       FIXED("d:38,10", 128), FIXED("d:76,0,256", 256),
                                                       FIXED("tdD", 32),      FIXED("tdm", 64),
                                                       FIXED("tts", 32),      FIXED("ttm", 32),
                                                       FIXED("ttu", 64),      FIXED("ttn", 64),
                                                       FIXED("tss:", 64),     FIXED("tsm:", 64),
                                                       FIXED("tsu:UTC", 64),  FIXED("tsn:", 64),
                                                       FIXED("tDs", 64),      FIXED("tDm", 64),
                                                       FIXED("tDu", 64),      FIXED("tDn", 64),
                                                       FIXED("tiM", 32),      FIXED("tiD", 64),
                                                       FIXED("tin", 128),     {"u", 0, 4}};

const struct column_kind *column_kind_of(const char *format)
{
    for (int i = 0; i < COLUMN_KINDS; i++)
        if (strcmp(column_kinds[i].format, format) == 0) return column_kinds + i;
    CHECK(0 && "a kind of column");
    return NULL;
}

/* ---- schemas ---- */
static void schema_release(struct ArrowSchema *s)
{
    for (int64_t i = 0; i < s->n_children; i++) {
        if (s->children[i]->release) s->children[i]->release(s->children[i]);
        free(s->children[i]);
    }
    free(s->children);
    free(s->private_data); /* format and name */
    s->release = NULL;
}

static void add_column(struct ArrowSchema *root, const char *name, size_t name_len, const char *format,
                       size_t format_len)
{
    struct ArrowSchema *column = calloc(1, sizeof *column);
    char *text = calloc(1, name_len + format_len + 2);
    root->children = realloc(root->children, (size_t)(root->n_children + 1) * sizeof(struct ArrowSchema *));
    CHECK(column && text && root->children);
    memcpy(text, format, format_len);
    memcpy(text + format_len + 1, name, name_len);
    *column = (struct ArrowSchema){.format = text,
                                   .name = text + format_len + 1,
                                   .flags = ARROW_FLAG_NULLABLE,
                                   .private_data = text,
                                   .release = schema_release};
    root->children[root->n_children++] = column;
}

struct ArrowSchema columns_schema(const char *text)
{
    struct ArrowSchema root = {.format = "+s", .name = "", .release = schema_release};
    while (*text) {
        size_t name = strcspn(text, "="), format = strcspn(text + name + 1, " ");
        add_column(&root, text, name, text + name + 1, format);
        text += name + 1 + format;
        text += *text == ' ';
    }
    return root;
}

struct ArrowSchema columns_schema_of_all(void)
{
    struct ArrowSchema root = {.format = "+s", .name = "", .release = schema_release};
    for (int i = 0; i < COLUMN_KINDS; i++) {
        const char *format = column_kinds[i].format;
        add_column(&root, format, strlen(format), format, strlen(format));
    }
    return root;
}

/* ---- what stands in a row ---- */
static bool is_null(int64_t row)
{
    return row % 7 == 3;
}
static bool bit_of(int64_t row)
{
    return (row * row + row / 3) & 1;
}
static uint8_t byte_of(int64_t row, size_t k)
{
    return (uint8_t)(row * 31 + (int64_t)k * 7 + 3);
}

/* Of 0 to 40 bytes. */
static size_t text_of(int64_t row, char out[64])
{
    size_t len = (size_t)(row % 5) * 10;
    char digits[24];
    snprintf(digits, sizeof digits, "%010lld", (long long)row);
    for (size_t i = 0; i < len; i++)
        out[i] = digits[i % 10];
    return len;
}

/* ---- filling ---- */
struct dry_memory *columns_memory(struct dry_writer *w, int64_t block, int64_t column, enum dry_buffer which)
{
    struct dry_memory *m;
    struct dry_error err = {.text = ""};
    if (dry_writer_column(w, block, column, which, &m, &err) == DRY_OK) return m;
    fprintf(stderr, "%s\n", err.text);
    CHECK(0 && "a buffer");
    return NULL;
}

static void want(struct dry_memory *m, size_t bytes)
{
    if (m->size_bytes < bytes) CHECK(m->resize(m, bytes) == DRY_OK);
}

static void put_bit(struct dry_memory *m, int64_t i, bool value)
{
    uint8_t *at = (uint8_t *)m->at + i / 8;
    *at = (uint8_t)(value ? *at | 1 << i % 8 : *at & ~(1 << i % 8));
}

static void fill_values(struct dry_memory *m, const struct column_kind *kind, int64_t first, int64_t rows)
{
    size_t width = (size_t)kind->bits / 8;
    want(m, ((size_t)rows * (size_t)kind->bits + 7) / 8);
    for (int64_t i = 0; i < rows; i++) {
        if (kind->bits == 1) put_bit(m, i, bit_of(first + i));
        for (size_t k = 0; k < width; k++)
            ((uint8_t *)m->at)[(size_t)i * width + k] = byte_of(first + i, k);
    }
}

static void fill_texts(struct dry_memory *offsets, struct dry_memory *bytes, const struct column_kind *kind,
                       int64_t first, int64_t rows)
{
    char text[64];
    int64_t end = 0;
    size_t width = (size_t)kind->offset_bytes;
    want(offsets, (size_t)(rows + 1) * width);
    for (int64_t i = 0; i < rows; i++) {
        size_t len = text_of(first + i, text);
        if (bytes->size_bytes < (size_t)end + len) want(bytes, (size_t)end * 2 + len);
        if (len) memcpy((char *)bytes->at + end, text, len);
        end += (int64_t)len;
        memcpy((char *)offsets->at + (size_t)(i + 1) * width, &end, width); /* little-endian: the low bytes */
    }
}

void columns_fill(struct dry_writer *w, int64_t block, int64_t column, const struct column_kind *kind, int64_t first,
                  int64_t rows, bool with_nulls)
{
    if (kind->format[0] == 'n') return;
    if (kind->offset_bytes)
        fill_texts(columns_memory(w, block, column, DRY_BUFFER_OFFSETS),
                   columns_memory(w, block, column, DRY_BUFFER_BYTES), kind, first, rows);
    else
        fill_values(columns_memory(w, block, column, DRY_BUFFER_VALUES), kind, first, rows);
    if (!with_nulls) return;
    struct dry_memory *validity = columns_memory(w, block, column, DRY_BUFFER_VALIDITY);
    want(validity, (size_t)(rows + 7) / 8);
    for (int64_t i = 0; i < rows; i++)
        put_bit(validity, i, !is_null(first + i));
}

enum dry_status columns_block(struct dry_writer *w, const struct column_kind *const *kinds, int64_t n, int64_t first,
                              int64_t room, int64_t rows, bool with_nulls, struct dry_error *err)
{
    enum dry_status status = dry_writer_block(w, room, err);
    if (status != DRY_OK) return status;
    for (int64_t i = 0; i < n; i++)
        columns_fill(w, -1, i, kinds[i], first, rows, with_nulls);
    return dry_writer_end_block(w, rows, err);
}

/* ---- checking ---- */
static bool get_bit(const void *bits, int64_t i)
{
    return ((const uint8_t *)bits)[i / 8] >> i % 8 & 1;
}

static bool holds_text(const struct ArrowArray *a, const struct column_kind *kind, int64_t i, int64_t row)
{
    char text[64];
    int64_t ends[2] = {0, 0};
    size_t width = (size_t)kind->offset_bytes, len = text_of(row, text);
    for (int64_t k = 0; k < 2; k++)
        memcpy(ends + k, (const char *)a->buffers[1] + (size_t)(i + k) * width, width);
    return ends[1] - ends[0] == (int64_t)len && memcmp((const char *)a->buffers[2] + ends[0], text, len) == 0;
}

static bool holds_value(const struct ArrowArray *a, const struct column_kind *kind, int64_t i, int64_t row)
{
    size_t width = (size_t)kind->bits / 8;
    if (kind->bits == 1) return get_bit(a->buffers[1], i) == bit_of(row);
    for (size_t k = 0; k < width; k++)
        if (((const uint8_t *)a->buffers[1])[(size_t)i * width + k] != byte_of(row, k)) return false;
    return true;
}

bool columns_hold(const struct ArrowArray *a, const struct column_kind *kind, int64_t first, bool with_nulls)
{
    int64_t nulls = 0;
    if (kind->format[0] == 'n') return a->null_count == a->length;
    for (int64_t i = 0; i < a->length; i++) {
        bool null = with_nulls && is_null(first + i), shown = a->buffers[0] && !get_bit(a->buffers[0], a->offset + i);
        nulls += null;
        if (null != shown) return false;
        if (!(kind->offset_bytes ? holds_text : holds_value)(a, kind, a->offset + i, first + i)) return false;
    }
    return a->null_count == nulls;
}

/* ---- one column that counts ---- */
struct dry_writer *counter_new(struct dry_store *s, const char *name)
{
    struct dry_error err = {.text = ""};
    struct dry_writer *w = NULL;
    struct ArrowSchema schema = columns_schema("n=l");
    schema.children[0]->flags = 0; /* as tables.h has it */
    enum dry_status status = dry_writer_new(s, name, &schema, &(struct dry_writer_options){.recycle = true}, NULL, &w, &err);
    schema.release(&schema);
    if (status != DRY_OK) fprintf(stderr, "%s\n", err.text);
    CHECK(status == DRY_OK);
    return w;
}

enum dry_status counter_block(struct dry_writer *w, int64_t first, int64_t rows, struct dry_error *err)
{
    struct dry_memory *m;
    enum dry_status status = dry_writer_block(w, rows, err);
    if (status == DRY_OK) status = dry_writer_column(w, -1, 0, DRY_BUFFER_VALUES, &m, err);
    if (status != DRY_OK) return status;
    for (int64_t i = 0; i < rows; i++)
        ((int64_t *)m->at)[i] = first + i;
    return dry_writer_end_block(w, rows, err);
}

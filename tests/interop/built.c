/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * built NAME ROWS BLOCK ROOM FORMAT...: puts a table into the store that was built in place, in blocks of BLOCK rows
 * for which ROOM rows were announced; a column for each FORMAT (of the C data interface), which is also its name. Row
 * i has the number v = 37 i % 100: as an integer, a float v / 4, a bit, a day, or as text "vvv..." (v % 5 times); it
 * is null where i % 7 == 3.
 */
#include <drystone/drystone.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 64 };

static struct dry_error err;

static void must(enum dry_status status)
{
    if (status == DRY_OK) return;
    fprintf(stderr, "%s: %s\n", dry_status_name(status), err.text);
    exit(1);
}

static void keep(struct ArrowSchema *s)
{
    s->release = NULL;
}

static struct dry_memory *memory(struct dry_writer *w, int64_t column, enum dry_buffer which, size_t bytes)
{
    struct dry_memory *m;
    must(dry_writer_column(w, -1, column, which, &m, &err));
    if (m->size_bytes < bytes) must(m->resize(m, bytes));
    return m;
}

static int64_t number(int64_t row)
{
    return row * 37 % 100;
}

static void put_bit(void *bits, int64_t i, int value)
{
    unsigned char *at = (unsigned char *)bits + i / 8;
    *at = (unsigned char)((*at & ~(1 << i % 8)) | value << i % 8);
}

/* Bytes of a value; 0: a bit. */
static size_t width_of(const char *format)
{
    static const char ones[] = "cC", twos[] = "sSe", fours[] = "iIf", eights[] = "lLg";
    static const char *const others4[] = {"tdD", "tts", "ttm", "tiM"};
    if (strcmp(format, "b") == 0) return 0;
    if (strncmp(format, "w:", 2) == 0) return (size_t)atoi(format + 2);
    if (strcmp(format, "tin") == 0) return 16;
    if (format[0] == 'd')
        return strrchr(format, ',') == strchr(format, ',') ? 16 : (size_t)atoi(strrchr(format, ',') + 1) / 8;
    if (strchr(ones, format[0])) return 1;
    if (strchr(twos, format[0])) return 2;
    if (strchr(fours, format[0])) return 4;
    if (strchr(eights, format[0])) return 8;
    for (size_t i = 0; i < sizeof others4 / sizeof *others4; i++)
        if (strcmp(format, others4[i]) == 0) return 4;
    return 8;
}

static void put_value(const char *format, char *at, size_t width, int64_t v)
{
    if (strcmp(format, "f") == 0) {
        float x = (float)v / 4;
        memcpy(at, &x, sizeof x);
    } else if (strcmp(format, "g") == 0) {
        double x = (double)v / 4;
        memcpy(at, &x, sizeof x);
    } else {
        if (strcmp(format, "tdm") == 0) v *= 86400000;
        memset(at, 0, width);
        memcpy(at, &v, width < sizeof v ? width : sizeof v);
    }
}

static void fill_texts(struct dry_writer *w, int64_t column, size_t width, int64_t first, int64_t rows)
{
    int64_t end = 0;
    char digits[8];
    struct dry_memory *offsets = memory(w, column, DRY_BUFFER_OFFSETS, (size_t)(rows + 1) * width);
    for (int64_t i = 0; i < rows; i++) {
        int64_t v = number(first + i);
        int n = snprintf(digits, sizeof digits, "%lld", (long long)v);
        for (int64_t k = 0; k < v % 5; k++, end += n) {
            struct dry_memory *bytes = memory(w, column, DRY_BUFFER_BYTES, (size_t)(end + n));
            memcpy((char *)bytes->at + end, digits, (size_t)n);
        }
        memcpy((char *)offsets->at + (size_t)(i + 1) * width, &end, width);
    }
}

static void fill(struct dry_writer *w, int64_t column, const char *format, int64_t first, int64_t rows)
{
    if (strcmp(format, "n") == 0) return;
    if (strchr("uUzZ", format[0])) {
        fill_texts(w, column, strchr("UZ", format[0]) ? 8 : 4, first, rows);
    } else {
        size_t width = width_of(format);
        struct dry_memory *m =
            memory(w, column, DRY_BUFFER_VALUES, width ? (size_t)rows * width : (size_t)(rows + 7) / 8);
        for (int64_t i = 0; i < rows; i++)
            if (width)
                put_value(format, (char *)m->at + (size_t)i * width, width, number(first + i));
            else
                put_bit(m->at, i, number(first + i) & 1);
    }
    struct dry_memory *validity = memory(w, column, DRY_BUFFER_VALIDITY, (size_t)(rows + 7) / 8);
    for (int64_t i = 0; i < rows; i++)
        put_bit(validity->at, i, (first + i) % 7 != 3);
}

int main(int argc, char **argv)
{
    static struct ArrowSchema columns[COLUMNS_MAX], *children[COLUMNS_MAX];
    int n = argc - 5;
    if (n < 1 || n > COLUMNS_MAX) return 2;
    int64_t rows = atoll(argv[2]), block = atoll(argv[3]), room = atoll(argv[4]);
    struct ArrowSchema schema = {.format = "+s", .name = "", .n_children = n, .children = children, .release = keep};
    struct dry_store *store;
    struct dry_writer *w;
    for (int c = 0; c < n; c++) {
        columns[c] = (struct ArrowSchema){.format = argv[5 + c],
                                          .name = argv[5 + c],
                                          .flags = ARROW_FLAG_NULLABLE,
                                          .release = keep};
        children[c] = columns + c;
    }
    must(dry_store_open(NULL, DRY_STORE_WRITE, NULL, &store, NULL, &err));
    must(dry_writer_new(store, argv[1], &schema, NULL, NULL, &w, &err));
    for (int64_t first = 0; first < rows; first += block) {
        int64_t these = rows - first < block ? rows - first : block;
        must(dry_writer_block(w, room, &err));
        for (int c = 0; c < n; c++)
            fill(w, c, argv[5 + c], first, these);
        must(dry_writer_end_block(w, these, &err));
    }
    must(dry_writer_commit(w, &err));
    dry_writer_free(w);
    dry_store_close(store);
    return 0;
}

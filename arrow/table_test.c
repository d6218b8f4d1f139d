/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Files whose footer lies: the blocks that it names lead to the same bytes again and again, or not to where they
 * should.
 */
#define _GNU_SOURCE
#include "arrow.h"
#include "message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROWS = 1000, TAIL_BYTES = 10 };

static void release_schema(struct ArrowSchema *s)
{
    s->release = NULL;
}
static void release_array(struct ArrowArray *a)
{
    a->release = NULL;
}

static int give_schema(struct ArrowArrayStream *s, struct ArrowSchema *out)
{
    static struct ArrowSchema column = {.format = "l", .name = "n", .release = release_schema},
                              *columns[] = {&column};
    (void)s;
    *out = (struct ArrowSchema){
        .format = "+s", .name = "", .n_children = 1, .children = columns, .release = release_schema};
    return 0;
}

/* One batch, then the end. */
static int give_batch(struct ArrowArrayStream *s, struct ArrowArray *out)
{
    static int64_t values[ROWS];
    static const void *buffers[] = {NULL, values}, *none[] = {NULL};
    static struct ArrowArray column, *columns[] = {&column};
    bool *given = s->private_data;
    column = (struct ArrowArray){.length = ROWS, .n_buffers = 2, .buffers = buffers, .release = release_array};
    *out = (struct ArrowArray){.release = NULL};
    if (!*given)
        *out = (struct ArrowArray){.length = ROWS,
                                   .n_buffers = 1,
                                   .buffers = none,
                                   .n_children = 1,
                                   .children = columns,
                                   .release = release_array};
    *given = true;
    return 0;
}

static void release_stream(struct ArrowArrayStream *s)
{
    s->release = NULL;
}

struct file {
    uint8_t *bytes;
    size_t len;
};

static enum dry_status append(void *self, const void *bytes, size_t n, struct dry_error *err)
{
    struct file *f = self;
    (void)err;
    f->bytes = realloc(f->bytes, f->len + n + 1);
    memcpy(f->bytes + f->len, bytes, n);
    f->len += n;
    return DRY_OK;
}

/* A good file of one batch whose footer names that batch `times`, moved by `shift` bytes. */
static struct file file_with(int64_t times, int64_t shift)
{
    struct file f = {0};
    bool given = false;
    struct ArrowArrayStream in = {give_schema, give_batch, NULL, release_stream, &given};
    const struct dry_sink sink = {.self = &f, .append = append};
    const struct dry_ipc_write_options options = {.format = DRY_IPC_FILE};
    struct dry_footer footer;
    struct dry_bytes tail;
    uint32_t n;
    assert_int_equal(dry_ipc_write(&in, &sink, &options, NULL, NULL), DRY_OK);
    memcpy(&n, f.bytes + f.len - TAIL_BYTES, sizeof n);
    f.len -= TAIL_BYTES + n;
    assert_int_equal(dry_footer_decode(f.bytes + f.len, n, NULL, &footer, NULL), DRY_OK);
    struct dry_block *blocks = calloc((size_t)times, sizeof *blocks);
    for (int64_t i = 0; i < times; i++) {
        blocks[i] = footer.batches[0];
        blocks[i].offset += shift;
    }
    footer.batches = blocks;
    footer.n_batches = times;
    dry_bytes_init(&tail, NULL);
    assert_int_equal(dry_footer_write(&footer, &tail), DRY_OK);
    assert_int_equal(append(&f, tail.data, tail.len, NULL), DRY_OK);
    dry_bytes_fini(&tail);
    dry_schema_free(footer.schema);
    free(blocks);
    return f;
}

static enum dry_status open_mapped(const struct file *f, struct dry_error *err)
{
    struct dry_storage *s;
    struct dry_table *t = NULL;
    assert_int_equal(dry_storage_adopt(f->bytes, f->len, NULL, NULL, NULL, &s), DRY_OK);
    struct dry_view v = dry_view_adopt(s);
    enum dry_status status = dry_table_open(&v, -1, NULL, &t, err);
    dry_view_unref(&v);
    if (status == DRY_OK) dry_table_unref(t);
    return status;
}

/* Reads all of it through a descriptor; the number of batches, or -1 with the words of the fault. */
static int read_through(const struct file *f, char *words, size_t size)
{
    struct ArrowArrayStream in;
    struct ArrowArray batch;
    struct dry_error err = {0};
    int fd = memfd_create("table_test", MFD_CLOEXEC), n = 0, sys;
    assert_int_equal(write(fd, f->bytes, f->len), (ssize_t)f->len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    if (dry_ipc_read_fd(fd, "file", NULL, &in, &err) != DRY_OK) {
        strncpy(words, err.text, size - 1);
        close(fd);
        return -1;
    }
    while ((sys = in.get_next(&in, &batch)) == 0 && batch.release) {
        batch.release(&batch);
        n++;
    }
    if (sys) strncpy(words, in.get_last_error(&in), size - 1);
    in.release(&in);
    close(fd);
    return sys ? -1 : n;
}

static void a_block_that_is_named_once_is_read(void **state)
{
    struct file f = file_with(1, 0);
    char words[600] = "";
    (void)state;
    assert_int_equal(open_mapped(&f, NULL), DRY_OK);
    assert_int_equal(read_through(&f, words, sizeof words), 1);
    free(f.bytes);
}

static void blocks_that_lead_to_the_same_bytes_are_refused(void **state)
{
    struct file f = file_with(3, 0);
    struct dry_error err = {0};
    char words[600] = "";
    (void)state;
    assert_int_equal(open_mapped(&f, &err), DRY_CORRUPT);
    assert_non_null(strstr(err.text, "overlaps"));
    assert_int_equal(read_through(&f, words, sizeof words), -1);
    assert_non_null(strstr(words, "overlaps"));
    free(f.bytes);
}

static void blocks_that_lead_elsewhere_are_refused(void **state)
{
    static const int64_t shifts[] = {-8, 8, 64, 1 << 20, INT32_MAX, -(1 << 20)};
    (void)state;
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        struct file f = file_with(1, shifts[i]);
        struct dry_error err = {0};
        char words[600] = "";
        assert_int_equal(open_mapped(&f, &err), DRY_CORRUPT);
        assert_true(strlen(err.text) > 0);
        assert_int_equal(read_through(&f, words, sizeof words), -1);
        assert_int_equal(strncmp(words, "file: ", 6), 0);
        free(f.bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_that_is_named_once_is_read),
        cmocka_unit_test(blocks_that_lead_to_the_same_bytes_are_refused),
        cmocka_unit_test(blocks_that_lead_elsewhere_are_refused),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The push writer: the same bytes as dry_ipc_write, batches that are placed instead of copied, and sinks that fail.
 */
#include "../tests/tables.h"
#include "../tests/writer_columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct dry_error err; /* what the last call had to say */

#define OK(call)                                                                                                     \
    do {                                                                                                             \
        err = (struct dry_error){.text = ""};                                                                        \
        if ((call) != DRY_OK) fail_msg("%s: %s", #call, err.text);                                                   \
    } while (0)
#define FAILS(status, words, call)                                                                                   \
    do {                                                                                                             \
        err = (struct dry_error){.text = ""};                                                                        \
        assert_int_equal((call), status);                                                                            \
        if (!strstr(err.text, words)) fail_msg("%s: %s", #call, err.text);                                           \
    } while (0)

/* ---- a sink in memory ---- */
struct memory {
    _Alignas(64) char bytes[1 << 16];
    size_t len, limit, announced;
    enum dry_status append_answer;
};

static enum dry_status reserve(void *self, uint64_t n, struct dry_error *why)
{
    struct memory *m = self;
    m->announced = n;
    if (m->len + n <= m->limit) return DRY_OK;
    *why = (struct dry_error){.status = DRY_FULL, .text = "full"};
    return DRY_FULL;
}

static enum dry_status append(void *self, const void *bytes, size_t n, struct dry_error *why)
{
    struct memory *m = self;
    if (m->append_answer != DRY_OK) {
        *why = (struct dry_error){.status = m->append_answer, .text = "the sink broke"};
        return m->append_answer;
    }
    assert_true(n <= sizeof m->bytes - m->len);
    memcpy(m->bytes + m->len, bytes, n);
    m->len += n;
    return DRY_OK;
}

static struct memory *new_memory(void)
{
    struct memory *m = aligned_alloc(64, sizeof *m);
    assert_non_null(m);
    memset(m, 0, sizeof *m);
    m->limit = sizeof m->bytes;
    return m;
}

static struct dry_ipc_writer *new_writer(struct memory *m, const char *columns, enum dry_ipc_format format)
{
    struct dry_sink sink = {m, reserve, append};
    struct dry_ipc_write_options options = {.format = format, .stamp_verified = true};
    struct dry_ipc_writer *w;
    struct ArrowSchema schema = columns_schema(columns);
    for (int64_t i = 0; i < schema.n_children; i++)
        schema.children[i]->flags = 0; /* as tables.h has it */
    OK(dry_ipc_writer_new(&schema, &sink, &options, NULL, &w, &err));
    schema.release(&schema);
    memset(&sink, 0xee, sizeof sink); /* both were copied */
    memset(&options, 0xee, sizeof options);
    return w;
}

static struct ArrowArray batch_from(int64_t first, int64_t rows)
{
    struct ArrowArrayStream in = count_from(first, rows, 1);
    struct ArrowArray batch;
    assert_int_equal(in.get_next(&in, &batch), 0);
    in.release(&in);
    return batch;
}

static void check_counts(const struct memory *m, int64_t first, int64_t rows)
{
    struct dry_storage *s;
    struct dry_table *t;
    assert_int_equal(dry_storage_from_slice_unchecked(m->bytes, m->len, NULL, &s), DRY_OK);
    struct dry_view v = dry_view_adopt(s);
    OK(dry_table_open(&v, -1, NULL, &t, &err));
    dry_view_unref(&v);
    OK(dry_table_verify(t, 0, -1, &err));
    assert_true(counts_from(t, first, rows));
    dry_table_unref(t);
}

/* ---- pushing ---- */
static void pushing_gives_the_bytes_of_the_loop(void **state)
{
    (void)state;
    for (int format = DRY_IPC_FILE; format <= DRY_IPC_STREAM; format++) {
        struct memory *whole = new_memory(), *pushed = new_memory(), *streamed = new_memory();
        struct dry_sink sink = {whole, reserve, append};
        struct dry_ipc_write_options options = {.format = (enum dry_ipc_format)format, .stamp_verified = true};
        struct ArrowArrayStream in = count_from(0, 100, 5);
        OK(dry_ipc_write(&in, &sink, &options, NULL, &err));
        struct dry_ipc_writer *w = new_writer(pushed, "n=l", options.format);
        assert_int_equal(pushed->len > 0, format == DRY_IPC_STREAM); /* a reader may wait for a stream's schema */
        for (int64_t i = 0; i < 5; i++) {
            struct ArrowArray batch = batch_from(100 * i, 100);
            OK(dry_ipc_writer_batch(w, &batch, &err));
            assert_null(batch.release);
        }
        OK(dry_ipc_writer_finish(w, &err));
        struct dry_ipc_writer_stat stat;
        dry_ipc_writer_stat(w, &stat);
        assert_int_equal(stat.rows, 500);
        assert_int_equal(stat.batches, 5);
        assert_int_equal(stat.bytes, pushed->len);
        dry_ipc_writer_free(w);
        w = new_writer(streamed, "n=l", options.format);
        in = count_from(0, 100, 5);
        OK(dry_ipc_writer_stream(w, &in, &err));
        OK(dry_ipc_writer_finish(w, &err));
        dry_ipc_writer_free(w);
        assert_int_equal(whole->len, pushed->len);
        assert_int_equal(whole->len, streamed->len);
        assert_memory_equal(whole->bytes, pushed->bytes, whole->len);
        assert_memory_equal(whole->bytes, streamed->bytes, whole->len);
        free(whole);
        free(pushed);
        free(streamed);
    }
}

static void a_sink_without_room_may_be_asked_again(void **state)
{
    (void)state;
    struct memory *m = new_memory();
    struct dry_ipc_writer *w = new_writer(m, "n=l", DRY_IPC_FILE);
    struct ArrowArray batch = batch_from(0, 100);
    m->limit = 100;
    FAILS(DRY_FULL, "full", dry_ipc_writer_batch(w, &batch, &err));
    assert_null(batch.release);
    assert_int_equal(m->len, 0);
    m->limit = sizeof m->bytes;
    batch = batch_from(0, 100);
    OK(dry_ipc_writer_batch(w, &batch, &err));
    m->limit = m->len + 10;
    FAILS(DRY_FULL, "full", dry_ipc_writer_finish(w, &err));
    m->limit = sizeof m->bytes;
    OK(dry_ipc_writer_finish(w, &err));
    batch = batch_from(0, 100);
    FAILS(DRY_INVALID, "finished", dry_ipc_writer_batch(w, &batch, &err));
    FAILS(DRY_INVALID, "finished", dry_ipc_writer_finish(w, &err));
    dry_ipc_writer_free(w);
    check_counts(m, 0, 100);
    free(m);
}

static void a_sink_that_breaks_ends_the_writer(void **state)
{
    (void)state;
    struct memory *m = new_memory();
    struct dry_ipc_writer *w = new_writer(m, "n=l", DRY_IPC_FILE);
    struct ArrowArray batch = batch_from(0, 100);
    m->append_answer = DRY_IO;
    FAILS(DRY_IO, "the sink broke", dry_ipc_writer_batch(w, &batch, &err));
    m->append_answer = DRY_OK;
    batch = batch_from(0, 100);
    FAILS(DRY_INVALID, "begin anew", dry_ipc_writer_batch(w, &batch, &err));
    assert_null(batch.release);
    FAILS(DRY_INVALID, "released already", dry_ipc_writer_batch(w, &batch, &err));
    FAILS(DRY_INVALID, "begin anew", dry_ipc_writer_finish(w, &err));
    dry_ipc_writer_free(w);
    dry_ipc_writer_free(NULL);
    free(m);
}

static void other_columns_are_named(void **state)
{
    (void)state;
    struct memory *m = new_memory();
    struct dry_ipc_writer *w = new_writer(m, "n=u", DRY_IPC_FILE);
    struct ArrowArrayStream in = count_from(0, 1, 1);
    FAILS(DRY_INVALID, "what is appended has column 'n' (int64)", dry_ipc_writer_stream(w, &in, &err));
    assert_null(in.release);
    dry_ipc_writer_free(w);
    free(m);
}

/* ---- placing ---- */
/* As many int64 as fit into 1024 bytes, of which `rows` count. */
static void place_counting(struct memory *m, struct dry_ipc_writer *w, int64_t first, int64_t rows)
{
    uint64_t at;
    size_t room;
    const void *metadata;
    OK(dry_ipc_writer_place(w, 1024, &at, &room, &err));
    assert_int_equal(at + room, m->len);
    assert_int_equal(m->len % 64, 0);
    int64_t nulls = 0, *values = (int64_t *)(void *)(m->bytes + m->len + 64);
    for (int64_t i = 0; i < rows; i++)
        values[i] = first + i;
    struct dry_place_in_body places[] = {{0, 0}, {64, rows * 8}};
    struct dry_placed placed = {rows, 1088, &nulls, places};
    OK(dry_ipc_writer_placed(w, &placed, &metadata, &err));
    memcpy(m->bytes + at, metadata, room);
    m->len += 1088;
}

static void placed_batches_are_read_like_others(void **state)
{
    (void)state;
    struct memory *m = new_memory();
    struct dry_ipc_writer *w = new_writer(m, "n=l", DRY_IPC_FILE);
    place_counting(m, w, 0, 50);
    struct ArrowArray batch = batch_from(50, 50);
    OK(dry_ipc_writer_batch(w, &batch, &err));
    place_counting(m, w, 100, 128);
    place_counting(m, w, 228, 0);
    OK(dry_ipc_writer_finish(w, &err));
    check_counts(m, 0, 228);
    struct dry_ipc_writer_stat stat;
    dry_ipc_writer_stat(w, &stat);
    assert_int_equal(stat.rows, 228);
    assert_int_equal(stat.bytes, m->len);
    dry_ipc_writer_free(w);
    free(m);
}

static void placed_metadata_is_replaced_in_place(void **state)
{
    (void)state;
    struct memory *m = new_memory();
    struct dry_ipc_writer *w = new_writer(m, "n=l", DRY_IPC_FILE);
    uint64_t at;
    size_t room;
    const void *metadata;
    OK(dry_ipc_writer_place(w, 1024, &at, &room, &err));
    dry_ipc_writer_unplace(w);
    m->len = at; /* given up, and begun again */
    place_counting(m, w, 0, 100);
    OK(dry_ipc_writer_finish(w, &err));
    int64_t nulls = 0;
    struct dry_place_in_body places[] = {{0, 0}, {64, 30 * 8}};
    struct dry_placed placed = {30, 1088, &nulls, places};
    OK(dry_ipc_writer_replace(w, 0, &placed, &metadata, &err));
    memcpy(m->bytes + at, metadata, room);
    check_counts(m, 0, 30);
    placed.body_bytes = 1024;
    FAILS(DRY_INVALID, "cannot change", dry_ipc_writer_replace(w, 0, &placed, &metadata, &err));
    FAILS(DRY_INVALID, "no batch 1", dry_ipc_writer_replace(w, 1, &placed, &metadata, &err));
    FAILS(DRY_INVALID, "no batch -1", dry_ipc_writer_replace(w, -1, &placed, &metadata, &err));
    dry_ipc_writer_free(w);
    free(m);
}

static void what_cannot_be_placed_is_refused(void **state)
{
    (void)state;
    struct memory *m = new_memory();
    struct dry_ipc_writer *w = new_writer(m, "n=l", DRY_IPC_FILE);
    uint64_t at;
    size_t room;
    const void *metadata;
    int64_t nulls = 0;
    static const struct dry_place_in_body bad[] = {{-64, 64}, {32, 64}, {0, 129},
                                                   {128, 1},  {64, -1}, {INT64_MAX - 63, 64}};
    struct dry_place_in_body places[] = {{0, 0}, {0, 0}};
    struct dry_placed placed = {8, 128, &nulls, places};
    FAILS(DRY_INVALID, "no batch is being placed", dry_ipc_writer_placed(w, &placed, &metadata, &err));
    FAILS(DRY_TOO_BIG, "bytes", dry_ipc_writer_place(w, UINT64_MAX, &at, &room, &err));
    m->limit = 1000;
    FAILS(DRY_FULL, "full", dry_ipc_writer_place(w, 1 << 20, &at, &room, &err));
    assert_int_equal(m->len, 0);
    OK(dry_ipc_writer_place(w, 128, &at, &room, &err));
    assert_int_equal(m->announced, m->len + 128);
    FAILS(DRY_INVALID, "being placed", dry_ipc_writer_place(w, 128, &at, &room, &err));
    FAILS(DRY_INVALID, "being placed", dry_ipc_writer_finish(w, &err));
    struct ArrowArray batch = batch_from(0, 1);
    FAILS(DRY_INVALID, "being placed", dry_ipc_writer_batch(w, &batch, &err));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        places[1] = bad[i];
        FAILS(DRY_INVALID, "buffer 1", dry_ipc_writer_placed(w, &placed, &metadata, &err));
    }
    placed.body_bytes = 100;
    FAILS(DRY_INVALID, "100 bytes", dry_ipc_writer_placed(w, &placed, &metadata, &err));
    placed.rows = -1;
    FAILS(DRY_INVALID, "-1 rows", dry_ipc_writer_placed(w, &placed, &metadata, &err));
    dry_ipc_writer_free(w);
    w = new_writer(m, "n=l v=vu", DRY_IPC_FILE);
    FAILS(DRY_UNSUPPORTED, "column 'v'", dry_ipc_writer_place(w, 128, &at, &room, &err));
    dry_ipc_writer_free(w);
    m->limit = sizeof m->bytes;
    w = new_writer(m, "n=l", DRY_IPC_STREAM);
    FAILS(DRY_UNSUPPORTED, "a stream", dry_ipc_writer_place(w, 128, &at, &room, &err));
    dry_ipc_writer_free(w);
    free(m);
}

static void shapes_of_columns(void **state)
{
    (void)state;
    struct memory *m = new_memory();
    struct dry_ipc_writer *w = new_writer(m, "n=n b=b i=i u=u Z=Z w=w:3 d=d:38,10 v=vz", DRY_IPC_FILE);
    static const struct dry_shape wanted[] = {{0, 0, 0}, {2, 1, 0},  {2, 32, 0}, {3, 0, 4},
                                              {3, 0, 8}, {2, 24, 0}, {2, 128, 0}};
    struct dry_shape shape;
    char label[40];
    assert_int_equal(dry_ipc_writer_columns(w), 8);
    for (int64_t i = 0; i < 7; i++) {
        OK(dry_ipc_writer_shape(w, i, &shape, &err));
        assert_int_equal(shape.n_buffers, wanted[i].n_buffers);
        assert_int_equal(shape.value_bits, wanted[i].value_bits);
        assert_int_equal(shape.offset_bytes, wanted[i].offset_bytes);
    }
    FAILS(DRY_UNSUPPORTED, "column 'v' (binary_view)", dry_ipc_writer_shape(w, 7, &shape, &err));
    FAILS(DRY_INVALID, "no column 8", dry_ipc_writer_shape(w, 8, &shape, &err));
    assert_string_equal(dry_ipc_writer_label(w, 2, label, sizeof label), "column 'i' (int32)");
    dry_ipc_writer_free(w);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pushing_gives_the_bytes_of_the_loop),
        cmocka_unit_test(a_sink_without_room_may_be_asked_again),
        cmocka_unit_test(a_sink_that_breaks_ends_the_writer),
        cmocka_unit_test(other_columns_are_named),
        cmocka_unit_test(placed_batches_are_read_like_others),
        cmocka_unit_test(placed_metadata_is_replaced_in_place),
        cmocka_unit_test(what_cannot_be_placed_is_refused),
        cmocka_unit_test(shapes_of_columns),
    };
    return cmocka_run_group_tests_name("write", tests, NULL, NULL);
}

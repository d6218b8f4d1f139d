/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A writer used wrongly, and columns that break the format: an error with words that name the column, nothing
 * published, nothing left.
 */
#define _GNU_SOURCE
#include "fixture.h"
#include "writer_columns.h"

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

static struct dry_writer *writer_of(struct dry_store *s, const char *columns)
{
    struct dry_writer *w;
    struct ArrowSchema schema = columns_schema(columns);
    OK(dry_writer_new(s, "t", &schema, NULL, NULL, &w, &err));
    schema.release(&schema);
    return w;
}

/* ---- columns that break the format ---- */
/* One column of 4 texts "abc", which `spoil` then changes. */
static void refused_at_commit(struct dry_store *s, const char *format,
                              void (*spoil)(struct dry_memory *offsets, struct dry_memory *bytes), const char *words)
{
    char columns[16];
    snprintf(columns, sizeof columns, "bad=%s", format);
    struct dry_writer *w = writer_of(s, columns);
    OK(dry_writer_block(w, 4, &err));
    struct dry_memory *offsets = columns_memory(w, -1, 0, DRY_BUFFER_OFFSETS);
    struct dry_memory *bytes = columns_memory(w, -1, 0, DRY_BUFFER_BYTES);
    static const int32_t good[] = {0, 3, 6, 9, 12};
    memcpy(offsets->at, good, sizeof good);
    memcpy(bytes->at, "abcabcabcabc", 12);
    spoil(offsets, bytes);
    OK(dry_writer_end_block(w, 4, &err));
    FAILS(DRY_CORRUPT, words, dry_writer_commit(w, &err));
    assert_non_null(strstr(err.text, "column 'bad'"));
    FAILS(DRY_INVALID, "begin a new writer", dry_writer_commit(w, &err));
    FAILS(DRY_INVALID, "begin a new writer", dry_writer_block(w, 1, &err));
    struct dry_table *t;
    FAILS(DRY_INVALID, "begin a new writer", dry_writer_table(w, &t, &err));
    dry_writer_free(w);
}

static void offsets_that_go_back(struct dry_memory *offsets, struct dry_memory *bytes)
{
    (void)bytes;
    ((int32_t *)offsets->at)[2] = 2;
}
static void offsets_beyond_the_end(struct dry_memory *offsets, struct dry_memory *bytes)
{
    (void)bytes;
    ((int32_t *)offsets->at)[2] = 1 << 30;
}
static void negative_offsets(struct dry_memory *offsets, struct dry_memory *bytes)
{
    (void)bytes;
    ((int32_t *)offsets->at)[0] = -1;
}
static void no_utf8(struct dry_memory *offsets, struct dry_memory *bytes)
{
    (void)offsets;
    ((char *)bytes->at)[4] = (char)0xff;
}

static void columns_that_break_the_format_are_not_published(void **state)
{
    struct fixture *f = *state;
    OK(put_count(f->s, "t", 3, 10, &err)); /* what is there stays */
    struct dry_store *places[] = {f->s, NULL};
    for (size_t i = 0; i < 2; i++) {
        refused_at_commit(places[i], "u", offsets_that_go_back, "row");
        refused_at_commit(places[i], "u", offsets_beyond_the_end, "row");
        refused_at_commit(places[i], "z", negative_offsets, "offset");
        refused_at_commit(places[i], "u", no_utf8, "UTF-8");
    }
    assert_int_equal(fixture_entries(f), 1);
    assert_true(holds_count(f->s, "t", 3, 10));
}

/* ---- ends that are refused, and the block stays open ---- */
static void more_rows_than_there_are(void **state)
{
    struct fixture *f = *state;
    struct dry_writer *w = writer_of(f->s, "a=l small=i flags=b text=u");
    OK(dry_writer_block(w, 100, &err));
    struct dry_memory *a = columns_memory(w, -1, 0, DRY_BUFFER_VALUES);
    FAILS(DRY_INVALID, "column 'a' (int64): 105 rows need more values than the 104",
          dry_writer_end_block(w, 105, &err));
    assert_int_equal(a->resize(a, 2000 * 8), DRY_OK);
    FAILS(DRY_INVALID, "column 'small' (int32)", dry_writer_end_block(w, 2000, &err));
    FAILS(DRY_INVALID, "-1 rows", dry_writer_end_block(w, -1, &err));
    FAILS(DRY_INVALID, "more values", dry_writer_end_block(w, INT64_MAX, &err));
    FAILS(DRY_INVALID, "more values", dry_writer_end_block(w, INT64_MAX / 8, &err));
    struct dry_memory *text = columns_memory(w, -1, 3, DRY_BUFFER_OFFSETS);
    ((int32_t *)text->at)[100] = 1000000;
    FAILS(DRY_INVALID, "column 'text' (utf8): 100 rows need more bytes", dry_writer_end_block(w, 100, &err));
    ((int32_t *)text->at)[100] = -5;
    FAILS(DRY_INVALID, "negative", dry_writer_end_block(w, 100, &err));
    ((int32_t *)text->at)[100] = 0;
    OK(dry_writer_end_block(w, 100, &err));
    OK(dry_writer_commit(w, &err));
    dry_writer_free(w);
}

static void calls_out_of_order(void **state)
{
    struct fixture *f = *state;
    struct dry_writer *w = writer_of(f->s, "n=l");
    struct dry_memory *m;
    struct dry_table *t;
    char handle[DRY_HANDLE_SIZE];
    FAILS(DRY_INVALID, "no block is open", dry_writer_end_block(w, 0, &err));
    FAILS(DRY_INVALID, "no block is open", dry_writer_column(w, -1, 0, DRY_BUFFER_VALUES, &m, &err));
    FAILS(DRY_INVALID, "not been committed", dry_writer_table(w, &t, &err));
    FAILS(DRY_INVALID, "-5 rows", dry_writer_block(w, -5, &err));
    OK(dry_writer_block(w, 10, &err));
    FAILS(DRY_INVALID, "open already", dry_writer_block(w, 10, &err));
    FAILS(DRY_INVALID, "block 1 is not the open one", dry_writer_column(w, 1, 0, DRY_BUFFER_VALUES, &m, &err));
    FAILS(DRY_INVALID, "there is no column 1", dry_writer_column(w, 0, 1, DRY_BUFFER_VALUES, &m, &err));
    FAILS(DRY_INVALID, "there is no column -1", dry_writer_column(w, 0, -1, DRY_BUFFER_VALUES, &m, &err));
    FAILS(DRY_INVALID, "column 'n' (int64) has no offsets", dry_writer_column(w, 0, 0, DRY_BUFFER_OFFSETS, &m, &err));
    FAILS(DRY_INVALID, "has no such buffer", dry_writer_column(w, 0, 0, (enum dry_buffer)9, &m, &err));
    FAILS(DRY_INVALID, "a block is open", dry_writer_commit(w, &err));
    struct ArrowArrayStream in = count_from(0, 10, 1);
    FAILS(DRY_INVALID, "a block is open", dry_writer_append_stream(w, &in, &err));
    assert_null(in.release);
    struct ArrowArray batch;
    in = count_from(0, 10, 1);
    assert_int_equal(in.get_next(&in, &batch), 0);
    FAILS(DRY_INVALID, "a block is open", dry_writer_append(w, &batch, &err));
    assert_null(batch.release);
    in.release(&in);
    m = columns_memory(w, 0, 0, DRY_BUFFER_VALUES);
    OK(dry_writer_end_block(w, 10, &err));
    assert_int_equal(m->resize(m, 1000), DRY_FIXED); /* a vec that has not been ended */
    m->release(m);
    FAILS(DRY_INVALID, "", dry_writer_set_rows(w, 0, 5, &err));
    OK(dry_writer_commit(w, &err));
    FAILS(DRY_INVALID, "has been committed", dry_writer_commit(w, &err));
    FAILS(DRY_INVALID, "has been committed", dry_writer_block(w, 1, &err));
    FAILS(DRY_INVALID, "a table that has a name", dry_writer_handle(w, handle, &err));
    dry_writer_free(w);
    dry_writer_free(NULL);
}

/* ---- schemas and batches ---- */
static void columns_that_cannot_be_built_in_place_are_named(void **state)
{
    struct fixture *f = *state;
    struct ArrowSchema schema = columns_schema("n=l odd=vu");
    struct dry_writer *w;
    OK(dry_writer_new(f->s, "t", &schema, NULL, NULL, &w, &err));
    FAILS(DRY_UNSUPPORTED, "column 'odd' (utf8_view)", dry_writer_block(w, 10, &err));
    FAILS(DRY_UNSUPPORTED, "append batches instead", dry_writer_block(w, 10, &err));
    OK(dry_writer_commit(w, &err)); /* which could have been */
    dry_writer_free(w);
    schema.children[1]->format = "+us:0";
    FAILS(DRY_UNSUPPORTED, "column 'odd'", dry_writer_new(f->s, "u", &schema, NULL, NULL, &w, &err));
    schema.format = "l";
    assert_int_not_equal(dry_writer_new(NULL, "u", &schema, NULL, NULL, &w, &err), DRY_OK);
    schema.release(&schema);
}

static void other_tables_are_not_appended(void **state)
{
    struct fixture *f = *state;
    static const char *const others[] = {"n=i", "m=l", "n=l x=l", ""};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct dry_writer *w = writer_of(f->s, others[i]);
        struct ArrowArrayStream in = count_from(0, 10, 1);
        FAILS(DRY_INVALID, "what is appended has", dry_writer_append_stream(w, &in, &err));
        assert_null(in.release);
        dry_writer_free(w);
    }
}

static void a_source_that_fails_leaves_what_came_before(void **state)
{
    struct fixture *f = *state;
    struct dry_writer *w = counter_new(f->s, "t");
    struct ArrowArrayStream in = count_and_fail(0, 100, 2);
    FAILS(DRY_IO, "the source has run dry", dry_writer_append_stream(w, &in, &err));
    assert_null(in.release);
    FAILS(DRY_INVALID, "released already", dry_writer_append_stream(w, &in, &err));
    OK(counter_block(w, 200, 100, &err));
    OK(dry_writer_commit(w, &err));
    dry_writer_free(w);
    assert_true(holds_count(f->s, "t", 0, 300));
}

static int stop_at_once(void *self, uint64_t bytes)
{
    (void)bytes;
    ++*(int *)self;
    return 1;
}

static void a_cancelled_append_ends_the_writer(void **state)
{
    struct fixture *f = *state;
    int asked = 0;
    struct dry_writer_options options = {.progress = stop_at_once, .progress_self = &asked};
    struct ArrowSchema schema = columns_schema("n=l");
    struct dry_writer *w;
    schema.children[0]->flags = 0;
    OK(dry_writer_new(f->s, "t", &schema, &options, NULL, &w, &err));
    schema.release(&schema);
    struct ArrowArrayStream in = count_from(0, 10, 3);
    FAILS(DRY_IO, "cancelled", dry_writer_append_stream(w, &in, &err));
    assert_int_equal(asked, 1);
    FAILS(DRY_INVALID, "begin anew", dry_writer_commit(w, &err));
    FAILS(DRY_INVALID, "begin anew", dry_writer_block(w, 10, &err));
    dry_writer_free(w);
    assert_int_equal(fixture_entries(f), 0);
}

/* ---- sizes ---- */
static void rooms_that_cannot_be_had(void **state)
{
    struct fixture *f = *state;
    struct dry_writer *w = writer_of(f->s, "n=l t=u f=b");
    FAILS(DRY_TOO_BIG, "rows", dry_writer_block(w, INT64_MAX, &err));
    FAILS(DRY_TOO_BIG, "rows", dry_writer_block(w, INT64_MAX / 8, &err));
    FAILS(DRY_FULL, "free", dry_writer_block(w, (int64_t)1 << 50, &err));
    OK(dry_writer_block(w, 100, &err)); /* and nothing has happened */
    OK(dry_writer_end_block(w, 50, &err));
    OK(dry_writer_commit(w, &err));
    dry_writer_free(w);
    struct dry_table *t;
    struct dry_table_stat stat;
    OK(dry_store_get(f->s, "t", DRY_CHECK_FULL, &t, &err));
    dry_table_stat(t, &stat);
    assert_true(stat.file_bytes < 10000);
    dry_table_unref(t);
}

static void a_column_that_cannot_grow_says_so_and_stays(void **state)
{
    struct fixture *f = *state;
    struct dry_writer *w = counter_new(f->s, "t");
    OK(dry_writer_block(w, 100, &err));
    struct dry_memory *m = columns_memory(w, -1, 0, DRY_BUFFER_VALUES);
    for (int64_t i = 0; i < 100; i++)
        ((int64_t *)m->at)[i] = i;
    assert_int_equal(m->resize(m, (size_t)1 << 50), DRY_FULL);
    assert_int_equal(m->resize(m, SIZE_MAX), DRY_TOO_BIG);
    assert_int_equal(m->resize(m, SIZE_MAX / 2), DRY_TOO_BIG);
    OK(dry_writer_end_block(w, 100, &err));
    OK(dry_writer_commit(w, &err));
    dry_writer_free(w);
    assert_true(holds_count(f->s, "t", 0, 100));
}

#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_STORE(columns_that_break_the_format_are_not_published),
        IN_A_STORE(more_rows_than_there_are),
        IN_A_STORE(calls_out_of_order),
        IN_A_STORE(columns_that_cannot_be_built_in_place_are_named),
        IN_A_STORE(other_tables_are_not_appended),
        IN_A_STORE(a_source_that_fails_leaves_what_came_before),
        IN_A_STORE(a_cancelled_append_ends_the_writer),
        IN_A_STORE(rooms_that_cannot_be_had),
        IN_A_STORE(a_column_that_cannot_grow_says_so_and_stays),
    };
    return cmocka_run_group_tests_name("writer_hostile", tests, NULL, NULL);
}

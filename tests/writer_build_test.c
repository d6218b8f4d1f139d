/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Tables built in place are read back whole, whatever their types, blocks and hints, and nothing is copied or moved
 * that need not be.
 */
#define _GNU_SOURCE
#include "fixture.h"
#include "writer_columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../buffer/buffer.h"

#define DRY_NAME i64_mapped
#define DRY_ELEM int64_t
#include "../buffer/mapped.h"
#define DRY_NAME i64_pow2
#define DRY_INNER i64_mapped
#include "../buffer/pow2.h"
#define DRY_NAME i64s
#define DRY_INNER i64_pow2
#include "../buffer/vec.h"

#define DRY_NAME heap_i64s
#define DRY_ELEM int64_t
#define DRY_RECIPE GROWING
#include "../buffer/recipe.h"
#define DRY_NAME heap_i32s
#define DRY_ELEM int32_t
#define DRY_RECIPE GROWING
#include "../buffer/recipe.h"

/* ---- helpers ---- */
static struct dry_error err; /* what the last call had to say */

#define OK(call)                                                                                                     \
    do {                                                                                                             \
        err = (struct dry_error){.text = ""};                                                                        \
        if ((call) != DRY_OK) fail_msg("%s: %s", #call, err.text);                                                   \
    } while (0)

static struct dry_writer *writer_of(struct dry_store *s, const char *name, const char *columns,
                                    const struct dry_writer_options *options)
{
    struct dry_writer *w;
    struct ArrowSchema schema = columns_schema(columns);
    OK(dry_writer_new(s, name, &schema, options, NULL, &w, &err));
    schema.release(&schema);
    return w;
}

static struct dry_writer_stat stat_of(const struct dry_writer *w)
{
    struct dry_writer_stat stat;
    OK(dry_writer_stat(w, &stat, &err));
    return stat;
}

/* Committed, and then as any reader sees it: every check passes. The writer is freed. */
static struct dry_table *committed(struct fixture *f, struct dry_writer *w, const char *name)
{
    struct dry_table *t;
    OK(dry_writer_commit(w, &err));
    if (name) {
        dry_writer_free(w);
        OK(dry_store_get(f->s, name, DRY_CHECK_FULL, &t, &err));
    } else {
        OK(dry_writer_table(w, &t, &err));
        dry_writer_free(w);
        OK(dry_table_verify(t, 0, -1, &err));
    }
    return t;
}

static void check_batch(struct dry_table *t, int64_t i, const struct column_kind *const *kinds, int64_t n,
                        int64_t first, int64_t rows, bool with_nulls)
{
    struct ArrowArray batch;
    assert_int_equal(dry_table_batch(t, i, &batch), DRY_OK);
    assert_int_equal(batch.length, rows);
    for (int64_t c = 0; c < n; c++)
        if (!columns_hold(batch.children[c], kinds[c], first, with_nulls))
            fail_msg("batch %lld, column %lld (%s)", (long long)i, (long long)c, kinds[c]->format);
    batch.release(&batch);
}

static void all_kinds(const struct column_kind *out[COLUMN_KINDS])
{
    for (int i = 0; i < COLUMN_KINDS; i++)
        out[i] = column_kinds + i;
}

static const char *const places[] = {"t", NULL}; /* named, anonymous */

/* ---- types ---- */
static void every_type_with_and_without_nulls(void **state)
{
    struct fixture *f = *state;
    static const int64_t sizes[] = {0, 1, 7, 8, 9, 64, 1000};
    const struct column_kind *kinds[COLUMN_KINDS];
    all_kinds(kinds);
    for (size_t place = 0; place < 2; place++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int nulls = 0; nulls < 2; nulls++) {
                struct ArrowSchema schema = columns_schema_of_all();
                struct dry_writer *w;
                OK(dry_writer_new(places[place] ? f->s : NULL, places[place], &schema, NULL, NULL, &w, &err));
                schema.release(&schema);
                OK(columns_block(w, kinds, COLUMN_KINDS, 5, sizes[i], sizes[i], nulls, &err));
                assert_int_equal(stat_of(w).copied_bytes, 0);
                struct dry_table *t = committed(f, w, places[place]);
                struct dry_table_stat stat;
                dry_table_stat(t, &stat);
                assert_int_equal(stat.rows, sizes[i]);
                assert_int_equal(stat.batches, 1);
                assert_int_equal(stat.columns, COLUMN_KINDS);
                assert_int_equal(stat.alignment_bytes, 64);
                assert_int_equal(stat.verified, DRY_VERIFIED_FULL);
                check_batch(t, 0, kinds, COLUMN_KINDS, 5, sizes[i], nulls);
                dry_table_unref(t);
            }
}

static void a_table_without_columns_has_rows(void **state)
{
    struct dry_writer *w = writer_of(NULL, "rows", "", NULL);
    OK(dry_writer_block(w, 10, &err));
    OK(dry_writer_end_block(w, 7, &err));
    struct dry_table *t = committed(*state, w, NULL);
    struct dry_table_stat stat;
    dry_table_stat(t, &stat);
    assert_int_equal(stat.rows, 7);
    dry_table_unref(t);
}

static void a_table_without_batches_is_whole(void **state)
{
    struct fixture *f = *state;
    for (size_t place = 0; place < 2; place++) {
        struct dry_writer *w = writer_of(places[place] ? f->s : NULL, places[place], "a=l", NULL);
        struct dry_table *t = committed(f, w, places[place]);
        struct dry_table_stat stat;
        dry_table_stat(t, &stat);
        assert_int_equal(stat.batches, 0);
        dry_table_unref(t);
    }
}

/* ---- blocks ---- */
static void blocks_and_appended_batches_alternate(void **state)
{
    struct fixture *f = *state;
    for (size_t place = 0; place < 2; place++) {
        const struct column_kind *kind = column_kind_of("l");
        struct dry_writer *w = counter_new(places[place] ? f->s : NULL, places[place]);
        int64_t first = 0;
        for (int64_t i = 0; i < 20; i++) {
            int64_t rows = i * i * 50;
            if (i % 3 == 1) {
                struct ArrowArrayStream in = count_from(first, rows, 1);
                OK(dry_writer_append_stream(w, &in, &err));
                assert_null(in.release);
            } else
                OK(counter_block(w, first, rows, &err));
            first += rows;
        }
        struct dry_writer_stat stat = stat_of(w);
        assert_int_equal(stat.rows, first);
        assert_int_equal(stat.batches, 20);
        assert_int_equal(stat.blocks, 13);
        assert_true(stat.copied_bytes >= 8 * 50 * (1 + 16 + 49 + 100 + 169 + 256 + 361));
        struct dry_table *t = committed(f, w, places[place]);
        assert_true(counts_from(t, 0, first));
        check_batch(t, 0, &kind, 0, 0, 0, false);
        dry_table_unref(t);
    }
}

static void a_batch_is_appended_and_released(void **state)
{
    struct dry_writer *w = counter_new(NULL, NULL);
    struct ArrowArrayStream in = count_from(0, 100, 2);
    struct ArrowArray batch = {.release = NULL};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(in.get_next(&in, &batch), 0);
        OK(dry_writer_append(w, &batch, &err));
        assert_null(batch.release);
    }
    in.release(&in);
    struct dry_table *t = committed(*state, w, NULL);
    assert_true(counts_from(t, 0, 200));
    dry_table_unref(t);
}

static void large_tables_are_built_in_huge_pages_too(void **state)
{
    struct fixture *f = *state;
    enum { ROWS = 1 << 19 }; /* 4 MiB a column */
    struct dry_writer *w = counter_new(f->s, "t");
    OK(counter_block(w, 0, ROWS, &err));
    OK(counter_block(w, ROWS, ROWS + 5, &err));
    assert_int_equal(stat_of(w).moved_bytes, 0);
    struct dry_table *t = committed(f, w, "t");
    assert_true(counts_from(t, 0, 2 * ROWS + 5));
    dry_table_unref(t);
}

/* ---- hints ---- */
static void a_column_that_outgrows_its_room_is_moved_once(void **state)
{
    struct fixture *f = *state;
    const struct column_kind *kinds[] = {column_kind_of("l"), column_kind_of("u"), column_kind_of("g")};
    struct dry_writer *w = writer_of(f->s, "t", "a=l b=u c=g", NULL);
    OK(dry_writer_block(w, 1000, &err));
    struct dry_memory *a = columns_memory(w, -1, 0, DRY_BUFFER_VALUES);
    columns_fill(w, -1, 0, kinds[0], 0, 1000, false);
    assert_int_equal(stat_of(w).moved_bytes, 0);
    assert_int_equal(a->resize(a, 3000 * 8), DRY_OK);
    assert_int_equal(stat_of(w).moved_bytes, 1000 * 8);
    for (int64_t i = 0; i < 3; i++)
        columns_fill(w, -1, i, kinds[i], 0, 3000, i == 1);
    OK(dry_writer_end_block(w, 3000, &err));
    struct dry_table *t = committed(f, w, "t");
    check_batch(t, 0, kinds, 1, 0, 3000, false);
    check_batch(t, 0, kinds, 0, 0, 3000, false);
    struct ArrowArray batch;
    assert_int_equal(dry_table_batch(t, 0, &batch), DRY_OK);
    assert_true(columns_hold(batch.children[1], kinds[1], 0, true));
    assert_true(columns_hold(batch.children[2], kinds[2], 0, false));
    batch.release(&batch);
    dry_table_unref(t);
}

/* Bytes that are enough for any hint, too few and too many. */
static void any_hint_gives_the_same_table(void **state)
{
    struct fixture *f = *state;
    static const int64_t rooms[] = {0, 1, 100, 999, 1000, 100000};
    static const int64_t per_value[] = {0, 1, 300};
    const struct column_kind *kinds[COLUMN_KINDS];
    all_kinds(kinds);
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++)
        for (size_t k = 0; k < sizeof per_value / sizeof *per_value; k++) {
            struct dry_writer_options options = {.bytes_per_value = per_value[k], .bytes_expected = 1000};
            struct ArrowSchema schema = columns_schema_of_all();
            struct dry_writer *w;
            OK(dry_writer_new(NULL, "hints", &schema, &options, NULL, &w, &err));
            schema.release(&schema);
            for (int64_t b = 0; b < 2; b++)
                OK(columns_block(w, kinds, COLUMN_KINDS, b * 1000, rooms[i], 1000, b == 0, &err));
            struct dry_writer_stat stat = stat_of(w);
            assert_true(stat.gap_bytes <= stat.segment.used_bytes / 8);
            struct dry_table *t = committed(f, w, NULL);
            for (int64_t b = 0; b < 2; b++)
                check_batch(t, b, kinds, COLUMN_KINDS, b * 1000, 1000, b == 0);
            dry_table_unref(t);
        }
}

/* Three columns of 64 rows of 8 bytes, of which the first has room for `gap` bytes more. */
static struct dry_writer_stat end_with_gap(size_t gap)
{
    const struct column_kind *kind = column_kind_of("l");
    struct dry_writer *w = writer_of(NULL, "gap", "a=l b=l c=l", NULL);
    OK(dry_writer_block(w, 0, &err));
    for (int64_t i = 0; i < 3; i++) {
        struct dry_memory *m = columns_memory(w, -1, i, DRY_BUFFER_VALUES);
        assert_int_equal(m->resize(m, 512 * 14 + (i == 0 ? gap : 0)), DRY_OK);
        columns_fill(w, -1, i, kind, i, 64 * 14, false);
    }
    uint64_t moved = stat_of(w).moved_bytes;
    OK(dry_writer_end_block(w, 64 * 14, &err));
    struct dry_writer_stat stat = stat_of(w);
    stat.moved_bytes -= moved;
    struct dry_table *t = committed(NULL, w, NULL);
    struct ArrowArray batch;
    assert_int_equal(dry_table_batch(t, 0, &batch), DRY_OK);
    for (int64_t i = 0; i < 3; i++)
        assert_true(columns_hold(batch.children[i], kind, i, false));
    batch.release(&batch);
    dry_table_unref(t);
    return stat;
}

/* 3 x 7168 bytes: an eighth of a body of 24576 is 3072. */
static void gaps_of_an_eighth_stay_and_larger_ones_are_closed(void **state)
{
    (void)state;
    struct dry_writer_stat stat = end_with_gap(3072);
    assert_int_equal(stat.gap_bytes, 3072);
    assert_int_equal(stat.moved_bytes, 0);
    stat = end_with_gap(3072 + 64);
    assert_int_equal(stat.gap_bytes, 0);
    assert_int_equal(stat.moved_bytes, 2 * 7168);
}

/* What is not used at the end is no gap: it is cut off. */
static void the_last_columns_spare_room_is_given_back(void **state)
{
    struct fixture *f = *state;
    struct dry_writer_options options = {.bytes_per_value = 10000};
    const struct column_kind *kind = column_kind_of("u");
    struct dry_writer *w = writer_of(f->s, "t", "a=u", &options);
    OK(columns_block(w, &kind, 1, 0, 1000, 1000, false, &err));
    assert_int_equal(stat_of(w).moved_bytes, 0);
    struct dry_table *t = committed(f, w, "t");
    struct dry_table_stat stat;
    dry_table_stat(t, &stat);
    assert_true(stat.file_bytes < 30000);
    dry_table_unref(t);
}

/* ---- collections ---- */
static void a_vec_over_a_column_writes_the_table(void **state)
{
    struct fixture *f = *state;
    struct dry_writer *w = counter_new(f->s, "t");
    struct i64s v;
    struct dry_raw raw;
    OK(dry_writer_block(w, 10, &err));
    i64s_init_in(&v, columns_memory(w, -1, 0, DRY_BUFFER_VALUES));
    for (int64_t i = 0; i < 5000; i++)
        assert_int_equal(i64s_push(&v, i), DRY_OK);
    assert_int_equal(i64s_into_raw(&v, &raw), DRY_OK);
    OK(dry_writer_give(w, -1, 0, DRY_BUFFER_VALUES, &raw, &err));
    assert_int_equal(raw.kind, DRY_RAW_NONE);
    assert_null(raw.at);
    OK(dry_writer_end_block(w, 5000, &err));
    assert_int_equal(stat_of(w).copied_bytes, 0);

    OK(dry_writer_block(w, 1000, &err)); /* and one that is simply ended */
    i64s_init_in(&v, columns_memory(w, 1, 0, DRY_BUFFER_VALUES));
    for (int64_t i = 0; i < 1000; i++)
        assert_int_equal(i64s_push(&v, 5000 + i), DRY_OK);
    i64s_fini(&v);
    OK(dry_writer_end_block(w, 1000, &err));
    struct dry_table *t = committed(f, w, "t");
    assert_true(counts_from(t, 0, 6000));
    dry_table_unref(t);
}

static void other_collections_are_copied(void **state)
{
    struct fixture *f = *state;
    struct dry_writer *w = writer_of(f->s, "t", "n=l", NULL);
    struct heap_i64s v;
    struct dry_raw raw;
    heap_i64s_init(&v);
    for (int64_t i = 0; i < 3000; i++)
        assert_int_equal(heap_i64s_push(&v, i), DRY_OK);
    assert_int_equal(heap_i64s_into_raw(&v, &raw), DRY_OK);
    OK(dry_writer_block(w, 100, &err)); /* too small: it grows */
    OK(dry_writer_give(w, -1, 0, DRY_BUFFER_VALUES, &raw, &err));
    assert_int_equal(stat_of(w).copied_bytes, 3000 * 8);
    assert_int_equal(dry_writer_end_block(w, 3001, &err), DRY_INVALID); /* one more than were given */
    assert_non_null(strstr(err.text, "column 'n' (int64)"));
    OK(dry_writer_end_block(w, 3000, &err));
    struct dry_table *t = committed(f, w, "t");
    assert_true(counts_from(t, 0, 3000));
    dry_table_unref(t);
}

/* The memory that the elements lie in moves while they are copied out of it. */
static void one_column_is_given_as_another(void **state)
{
    struct fixture *f = *state;
    const struct column_kind *kinds[] = {column_kind_of("l"), column_kind_of("l")};
    struct dry_writer *w = writer_of(f->s, "t", "a=l b=l", NULL);
    struct dry_raw raw;
    struct i64s v;
    OK(dry_writer_block(w, 10, &err));
    struct dry_memory *a = columns_memory(w, -1, 0, DRY_BUFFER_VALUES);
    columns_fill(w, -1, 0, kinds[0], 0, 100000, false);
    i64s_init_in(&v, a);
    assert_true(a->size_bytes >= 100000 * 8);
    assert_int_equal(i64s_into_raw(&v, &raw), DRY_OK);
    raw.len = 100000;
    raw.at = a->at;
    OK(dry_writer_give(w, -1, 1, DRY_BUFFER_VALUES, &raw, &err));
    OK(dry_writer_end_block(w, 100000, &err));
    struct dry_table *t = committed(f, w, "t");
    check_batch(t, 0, kinds, 2, 0, 100000, false);
    dry_table_unref(t);
}

static void elements_of_another_size_are_refused(void **state)
{
    (void)state;
    struct dry_writer *w = writer_of(NULL, "sizes", "n=l t=u", NULL);
    struct heap_i32s v;
    struct dry_raw raw;
    heap_i32s_init(&v);
    assert_int_equal(heap_i32s_push(&v, 1), DRY_OK);
    assert_int_equal(heap_i32s_into_raw(&v, &raw), DRY_OK);
    OK(dry_writer_block(w, 10, &err));
    assert_int_equal(dry_writer_give(w, -1, 0, DRY_BUFFER_VALUES, &raw, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "elements of 4 bytes cannot be the values of column 'n' (int64)"));
    assert_int_equal(dry_writer_give(w, -1, 1, DRY_BUFFER_BYTES, &raw, &err), DRY_INVALID);
    OK(dry_writer_give(w, -1, 1, DRY_BUFFER_OFFSETS, &raw, &err)); /* it was still there */
    OK(dry_writer_end_block(w, 0, &err));
    dry_writer_free(w);
}

static void a_bitmap_that_is_asked_for_late_is_all_ones(void **state)
{
    struct fixture *f = *state;
    struct dry_writer *w = writer_of(f->s, "t", "n=l", NULL);
    OK(dry_writer_block(w, 10, &err));
    struct dry_memory *values = columns_memory(w, -1, 0, DRY_BUFFER_VALUES);
    assert_int_equal(values->resize(values, 100 * 8), DRY_OK);
    struct dry_memory *bits = columns_memory(w, -1, 0, DRY_BUFFER_VALIDITY);
    assert_true(bits->size_bytes >= 13);
    assert_int_equal(bits->resize(bits, 5000), DRY_OK);
    for (size_t i = 0; i < bits->size_bytes; i++)
        assert_int_equal(((uint8_t *)bits->at)[i], 0xff);
    ((uint8_t *)bits->at)[1] = 0xfe;
    OK(dry_writer_end_block(w, 100, &err));
    struct dry_table *t = committed(f, w, "t");
    struct ArrowArray batch;
    assert_int_equal(dry_table_batch(t, 0, &batch), DRY_OK);
    assert_int_equal(batch.children[0]->null_count, 1);
    batch.release(&batch);
    dry_table_unref(t);
}

/* ---- names ---- */
static void nothing_is_visible_before_commit_or_left_without_it(void **state)
{
    struct fixture *f = *state;
    struct dry_writer *w = counter_new(f->s, "t");
    OK(counter_block(w, 0, 1000, &err));
    assert_int_equal(fixture_entries(f), 0);
    dry_writer_free(w);
    assert_int_equal(fixture_entries(f), 0);
    w = counter_new(f->s, "t");
    OK(dry_writer_block(w, 1000, &err));
    dry_writer_free(w); /* with a block open */
    assert_int_equal(fixture_entries(f), 0);
}

static void a_commit_replaces_or_refuses(void **state)
{
    struct fixture *f = *state;
    struct dry_writer_options options = {.no_clobber = true};
    struct dry_writer *careful = writer_of(f->s, "t", "n=l", &options);
    OK(counter_block(careful, 7, 10, &err));
    for (int64_t i = 0; i < 2; i++) {
        struct dry_writer *w = counter_new(f->s, "t");
        OK(counter_block(w, i, 1000, &err));
        dry_table_unref(committed(f, w, "t"));
        assert_true(holds_count(f->s, "t", i, 1000));
    }
    assert_int_equal(dry_writer_commit(careful, &err), DRY_EXISTS);
    assert_true(holds_count(f->s, "t", 1, 1000));
    OK(dry_store_remove(f->s, "t", &err)); /* that is a cure */
    OK(dry_writer_commit(careful, &err));
    dry_writer_free(careful);
    assert_true(holds_count(f->s, "t", 7, 10));
    struct dry_writer *w;
    struct ArrowSchema schema = columns_schema("n=l");
    assert_int_equal(dry_writer_new(f->s, "t", &schema, &options, NULL, &w, &err), DRY_EXISTS);
    assert_int_equal(dry_writer_new(f->s, "a/b", &schema, NULL, NULL, &w, &err), DRY_INVALID);
    schema.release(&schema);
}

/* What stood in them before shows nowhere: the same values, nulls and padding as in new ones. */
static void a_name_that_is_built_again_and_again_reuses_its_pages(void **state)
{
    const struct dry_writer_options recycling = {.recycle = true};
    struct fixture *f = *state;
    enum { ROWS = 100000, ROUNDS = 6 };
    const struct column_kind *kinds[] = {column_kind_of("l"), column_kind_of("u"), column_kind_of("b")};
    int recycled = 0;
    for (int64_t i = 0; i < ROUNDS; i++) {
        struct dry_writer *w = writer_of(f->s, "t", "a=l b=u c=b", &recycling);
        OK(columns_block(w, kinds, 3, i, ROWS, ROWS - 1000 * i - i, i % 2, &err));
        recycled += stat_of(w).recycled;
        struct dry_table *t = committed(f, w, "t");
        check_batch(t, 0, kinds, 3, i, ROWS - 1000 * i - i, i % 2);
        dry_table_unref(t);
    }
    if (recycled == 0) print_message("no pages were recycled here\n");
    struct dry_writer *w = writer_of(f->s, "t", "a=l b=u c=b", NULL);
    assert_false(stat_of(w).recycled);
    dry_writer_free(w);
}

static void a_named_table_is_read_through_its_writer_too(void **state)
{
    struct fixture *f = *state;
    struct dry_writer *w = counter_new(f->s, "t");
    struct dry_table *t;
    char handle[DRY_HANDLE_SIZE];
    OK(counter_block(w, 0, 1000, &err));
    OK(dry_writer_commit(w, &err));
    OK(dry_writer_table(w, &t, &err));
    assert_int_equal(stat_of(w).segment.protection, DRY_CLASS_NAMED);
    assert_int_equal(dry_writer_handle(w, handle, &err), DRY_INVALID);
    assert_int_equal(dry_writer_seal(w, &err), DRY_INVALID);
    assert_int_equal(dry_writer_take_back(w, &err), DRY_INVALID);
    dry_writer_free(w);
    assert_true(counts_from(t, 0, 1000));
    dry_table_unref(t);
}

#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_STORE(every_type_with_and_without_nulls),
        IN_A_STORE(a_table_without_columns_has_rows),
        IN_A_STORE(a_table_without_batches_is_whole),
        IN_A_STORE(blocks_and_appended_batches_alternate),
        IN_A_STORE(a_batch_is_appended_and_released),
        IN_A_STORE(large_tables_are_built_in_huge_pages_too),
        IN_A_STORE(a_column_that_outgrows_its_room_is_moved_once),
        IN_A_STORE(any_hint_gives_the_same_table),
        IN_A_STORE(gaps_of_an_eighth_stay_and_larger_ones_are_closed),
        IN_A_STORE(the_last_columns_spare_room_is_given_back),
        IN_A_STORE(a_vec_over_a_column_writes_the_table),
        IN_A_STORE(other_collections_are_copied),
        IN_A_STORE(one_column_is_given_as_another),
        IN_A_STORE(elements_of_another_size_are_refused),
        IN_A_STORE(a_bitmap_that_is_asked_for_late_is_all_ones),
        IN_A_STORE(nothing_is_visible_before_commit_or_left_without_it),
        IN_A_STORE(a_commit_replaces_or_refuses),
        IN_A_STORE(a_name_that_is_built_again_and_again_reuses_its_pages),
        IN_A_STORE(a_named_table_is_read_through_its_writer_too),
    };
    return cmocka_run_group_tests_name("writer_build", tests, NULL, NULL);
}

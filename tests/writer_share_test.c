/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Anonymous tables in several processes: handles, sealing, and taking back, which the kernel grants or refuses
 * whoever was killed before.
 */
#define _GNU_SOURCE
#include "harness.h"
#include "tables.h"
#include "writer_columns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

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

static int fds_before;

static int setup(void **state)
{
    (void)state;
    fds_before = harness_open_fds();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    int fds = harness_open_fds() - fds_before, mappings = harness_mappings("/memfd:");
    if (fds || mappings) fprintf(stderr, "left: %d descriptors, %d mappings\n", fds, mappings);
    return fds || mappings ? -1 : 0;
}

/* A committed table of two blocks of 1000 rows that count up from `first`. */
static struct dry_writer *shared_counter(int64_t first)
{
    struct dry_writer *w = counter_new(NULL, "shared");
    for (int i = 0; i < 2; i++)
        OK(counter_block(w, first + 1000 * i, 1000, &err));
    OK(dry_writer_commit(w, &err));
    return w;
}

static enum dry_status open_shared(const char *handle, enum dry_class at_least, struct dry_table **out,
                                   struct dry_error *why)
{
    return dry_table_open_handle(handle, at_least, DRY_CHECK_AUTO, NULL, out, why);
}

/* ---- a reader in another process ---- */
struct reader {
    char handle[DRY_HANDLE_SIZE];
    int64_t first;
    struct harness_gate has_it, go;
};

static void read_it(void *arg)
{
    struct reader *r = arg;
    struct dry_table *t;
    struct dry_error why = {.text = ""};
    if (open_shared(r->handle, DRY_CLASS_ANONYMOUS, &t, &why) != DRY_OK) fprintf(stderr, "%s\n", why.text);
    CHECK(why.status == DRY_OK);
    CHECK(counts_from(t, r->first, 2000));
    harness_gate_open(&r->has_it);
    harness_gate_pass(&r->go);
    CHECK(counts_from(t, r->first, 2000));
    dry_table_unref(t);
}

static pid_t start_reader(struct reader *r, const struct dry_writer *w, int64_t first)
{
    r->first = first;
    OK(dry_writer_handle((struct dry_writer *)(uintptr_t)w, r->handle, &err));
    assert_true(harness_gate_init(&r->has_it) && harness_gate_init(&r->go));
    pid_t pid = harness_start(read_it, r);
    assert_true(pid > 0 && harness_gate_pass(&r->has_it));
    return pid;
}

static void end_reader(struct reader *r)
{
    harness_gate_fini(&r->has_it);
    harness_gate_fini(&r->go);
}

static void a_handle_is_opened_in_this_process_and_in_others(void **state)
{
    (void)state;
    struct dry_writer *w = shared_counter(5);
    struct dry_table *t;
    struct reader r;
    pid_t pid = start_reader(&r, w, 5);
    OK(open_shared(r.handle, DRY_CLASS_ANONYMOUS, &t, &err));
    assert_true(counts_from(t, 5, 2000));
    dry_writer_free(w); /* its memory goes with the last user */
    harness_gate_open(&r.go);
    assert_int_equal(harness_end(pid), 0);
    end_reader(&r);
    assert_true(counts_from(t, 5, 2000));
    dry_table_unref(t);
    FAILS(DRY_NOT_FOUND, "", open_shared(r.handle, DRY_CLASS_OPEN, &t, &err));
}

static void a_sealed_table_cannot_be_changed_and_keeps_its_handle(void **state)
{
    (void)state;
    struct dry_writer *w = shared_counter(1);
    struct dry_table *t, *sealed;
    char handle[DRY_HANDLE_SIZE];
    OK(dry_writer_handle(w, handle, &err));
    FAILS(DRY_DENIED, "sealed", open_shared(handle, DRY_CLASS_SEALED, &t, &err));
    OK(open_shared(handle, DRY_CLASS_ANONYMOUS, &t, &err)); /* readers are not in the way */
    OK(dry_writer_seal(w, &err));
    OK(dry_writer_seal(w, &err));
    OK(open_shared(handle, DRY_CLASS_SEALED, &sealed, &err));
    FAILS(DRY_INVALID, "sealed for good", dry_writer_take_back(w, &err));
    FAILS(DRY_INVALID, "sealed for good", dry_writer_commit(w, &err));
    dry_table_unref(t);
    OK(dry_writer_table(w, &t, &err));
    dry_writer_free(w);
    assert_true(counts_from(t, 1, 2000) && counts_from(sealed, 1, 2000));
    dry_table_unref(t);
    dry_table_unref(sealed);
}

/* ---- taking back ---- */
static void own_views_and_streams_are_in_the_way(void **state)
{
    (void)state;
    struct dry_writer *w = shared_counter(1);
    struct dry_table *t;
    struct ArrowArrayStream in;
    struct ArrowArray batch;
    OK(dry_writer_table(w, &t, &err));
    FAILS(DRY_SHARED, "somebody else has", dry_writer_take_back(w, &err));
    assert_int_equal(dry_table_stream(t, &in), DRY_OK);
    dry_table_unref(t);
    FAILS(DRY_SHARED, "somebody else has", dry_writer_take_back(w, &err));
    assert_int_equal(in.get_next(&in, &batch), 0);
    in.release(&in);
    FAILS(DRY_SHARED, "somebody else has", dry_writer_take_back(w, &err));
    OK(dry_writer_table(w, &t, &err)); /* nothing has changed */
    assert_true(counts_from(t, 1, 2000));
    dry_table_unref(t);
    batch.release(&batch);
    OK(dry_writer_take_back(w, &err));
    dry_writer_free(w);
}

static void a_reader_elsewhere_is_in_the_way_until_it_lets_go_or_is_killed(void **state)
{
    (void)state;
    for (int killed = 0; killed < 2; killed++) {
        struct dry_writer *w = shared_counter(9);
        struct reader r;
        pid_t pid = start_reader(&r, w, 9);
        FAILS(DRY_SHARED, "somebody else has", dry_writer_take_back(w, &err));
        if (killed) {
            kill(pid, SIGSTOP); /* is still there */
            FAILS(DRY_SHARED, "somebody else has", dry_writer_take_back(w, &err));
            kill(pid, SIGKILL);
        }
        if (!killed) harness_gate_open(&r.go);
        assert_int_equal(harness_end(pid), killed ? -SIGKILL : 0);
        OK(dry_writer_take_back(w, &err));
        end_reader(&r);
        dry_writer_free(w);
    }
}

static void old_handles_are_dead_and_new_ones_work(void **state)
{
    (void)state;
    struct dry_writer *w = shared_counter(0);
    struct dry_table *t;
    char old[DRY_HANDLE_SIZE];
    OK(dry_writer_handle(w, old, &err));
    OK(dry_writer_take_back(w, &err));
    FAILS(DRY_NOT_FOUND, "", open_shared(old, DRY_CLASS_OPEN, &t, &err));
    FAILS(DRY_INVALID, "taken back", dry_writer_table(w, &t, &err));
    FAILS(DRY_INVALID, "taken back", dry_writer_block(w, 1, &err));
    for (int64_t b = 0; b < 2; b++) {
        struct dry_memory *m = columns_memory(w, b, 0, DRY_BUFFER_VALUES);
        assert_int_equal(m->size_bytes, 8000);
        for (int64_t i = 0; i < 1000; i++) {
            assert_int_equal(((int64_t *)m->at)[i], b * 1000 + i);
            ((int64_t *)m->at)[i] += 77;
        }
        m->release(m);
    }
    OK(dry_writer_commit(w, &err));
    FAILS(DRY_NOT_FOUND, "", open_shared(old, DRY_CLASS_OPEN, &t, &err));
    struct reader r;
    pid_t pid = start_reader(&r, w, 77);
    assert_string_not_equal(old, r.handle);
    harness_gate_open(&r.go);
    assert_int_equal(harness_end(pid), 0);
    end_reader(&r);
    dry_writer_free(w);
}

/* Fewer rows, other nulls, other texts, three times over. */
static void what_was_taken_back_is_written_anew(void **state)
{
    (void)state;
    const struct column_kind *kinds[] = {column_kind_of("u"), column_kind_of("b"), column_kind_of("l")};
    struct ArrowSchema schema = columns_schema("a=u b=b c=l");
    struct dry_writer *w;
    struct ArrowArray batch;
    OK(dry_writer_new(NULL, "again", &schema, NULL, NULL, &w, &err));
    schema.release(&schema);
    OK(columns_block(w, kinds, 3, 0, 1000, 1000, true, &err));
    OK(dry_writer_commit(w, &err));
    for (int64_t rows = 1000; rows > 0; rows -= 333) {
        struct dry_table *t;
        OK(dry_writer_take_back(w, &err));
        struct dry_memory *m = columns_memory(w, -1, 2, DRY_BUFFER_VALUES);
        assert_int_equal(m->resize(m, m->size_bytes + 64), DRY_FIXED);
        for (int64_t c = 0; c < 3; c++)
            columns_fill(w, 0, c, kinds[c], 5 * rows, rows, true);
        FAILS(DRY_INVALID, "column 'a' (utf8)", dry_writer_set_rows(w, 0, 100000, &err));
        FAILS(DRY_INVALID, "no block 1", dry_writer_set_rows(w, 1, 1, &err));
        OK(dry_writer_set_rows(w, 0, rows, &err));
        OK(dry_writer_commit(w, &err));
        OK(dry_writer_table(w, &t, &err));
        OK(dry_table_verify(t, 0, -1, &err));
        assert_int_equal(dry_table_batch(t, 0, &batch), DRY_OK);
        dry_table_unref(t);
        assert_int_equal(batch.length, rows);
        for (int64_t c = 0; c < 3; c++)
            assert_true(columns_hold(batch.children[c], kinds[c], 5 * rows, true));
        batch.release(&batch);
    }
    dry_writer_free(w);
}

static void a_bitmap_cannot_be_added_to_what_was_taken_back(void **state)
{
    (void)state;
    struct dry_writer *w = shared_counter(0);
    struct dry_memory *m;
    OK(dry_writer_take_back(w, &err));
    FAILS(DRY_INVALID, "column 'n' (int64) has no validity",
          dry_writer_column(w, 0, 0, DRY_BUFFER_VALIDITY, &m, &err));
    FAILS(DRY_INVALID, "there is no block 2", dry_writer_column(w, 2, 0, DRY_BUFFER_VALUES, &m, &err));
    OK(dry_writer_commit(w, &err));
    dry_writer_free(w);
}

static void what_was_taken_back_and_spoilt_is_not_published(void **state)
{
    (void)state;
    const struct column_kind *kind = column_kind_of("u");
    struct ArrowSchema schema = columns_schema("a=u");
    struct dry_writer *w;
    struct dry_table *t;
    char handle[DRY_HANDLE_SIZE];
    OK(dry_writer_new(NULL, "spoilt", &schema, NULL, NULL, &w, &err));
    schema.release(&schema);
    OK(columns_block(w, &kind, 1, 0, 100, 100, false, &err));
    OK(dry_writer_commit(w, &err));
    OK(dry_writer_handle(w, handle, &err));
    OK(dry_writer_take_back(w, &err));
    struct dry_memory *offsets = columns_memory(w, 0, 0, DRY_BUFFER_OFFSETS);
    int32_t whole = ((int32_t *)offsets->at)[100];
    ((int32_t *)offsets->at)[100] = 1 << 20;
    FAILS(DRY_INVALID, "column 'a' (utf8)", dry_writer_commit(w, &err)); /* which can be mended */
    ((int32_t *)offsets->at)[100] = whole;
    ((int32_t *)offsets->at)[50] = -1;
    FAILS(DRY_CORRUPT, "column 'a' (utf8)", dry_writer_commit(w, &err));
    FAILS(DRY_INVALID, "new writer", dry_writer_handle(w, handle, &err));
    assert_int_not_equal(open_shared(handle, DRY_CLASS_OPEN, &t, &err), DRY_OK);
    dry_writer_free(w);
}

static void appended_batches_stay_as_they_are(void **state)
{
    (void)state;
    struct dry_writer *w = counter_new(NULL, "mixed");
    struct ArrowArrayStream in = count_from(0, 500, 1);
    struct dry_table *t;
    OK(dry_writer_append_stream(w, &in, &err));
    OK(counter_block(w, 500, 500, &err));
    in = count_from(800, 200, 1);
    OK(dry_writer_append_stream(w, &in, &err));
    OK(dry_writer_commit(w, &err));
    OK(dry_writer_take_back(w, &err));
    assert_int_equal(*(int64_t *)columns_memory(w, 0, 0, DRY_BUFFER_VALUES)->at, 500);
    OK(dry_writer_set_rows(w, 0, 300, &err));
    OK(dry_writer_commit(w, &err));
    OK(dry_writer_table(w, &t, &err));
    dry_writer_free(w);
    assert_true(counts_from(t, 0, 1000));
    dry_table_unref(t);
}

/* ---- forks ---- */
static void use_parents_writer(void *arg)
{
    struct dry_writer *w = arg;
    struct dry_table *t;
    struct dry_memory *m;
    char handle[DRY_HANDLE_SIZE];
    struct dry_error why;
    CHECK(dry_writer_block(w, 10, &why) == DRY_DENIED);
    CHECK(strstr(why.text, "process that made it"));
    CHECK(dry_writer_end_block(w, 10, &why) == DRY_DENIED);
    CHECK(dry_writer_column(w, 0, 0, DRY_BUFFER_VALUES, &m, &why) == DRY_DENIED);
    CHECK(dry_writer_commit(w, &why) == DRY_DENIED);
    CHECK(dry_writer_table(w, &t, &why) == DRY_DENIED);
    CHECK(dry_writer_handle(w, handle, &why) == DRY_DENIED);
    CHECK(dry_writer_take_back(w, &why) == DRY_DENIED);
    CHECK(dry_writer_seal(w, &why) == DRY_DENIED);
    dry_writer_free(w);
}

static void a_forked_child_may_only_free_the_writer(void **state)
{
    (void)state;
    struct dry_writer *w = counter_new(NULL, "forked");
    OK(dry_writer_block(w, 1000, &err));
    assert_int_equal(harness_run(use_parents_writer, w), 0);
    int64_t *n = columns_memory(w, 0, 0, DRY_BUFFER_VALUES)->at;
    for (int64_t i = 0; i < 1000; i++)
        n[i] = i;
    OK(dry_writer_end_block(w, 1000, &err));
    assert_int_equal(harness_run(use_parents_writer, w), 0);
    OK(dry_writer_commit(w, &err));
    assert_int_equal(harness_run(use_parents_writer, w), 0);
    OK(dry_writer_take_back(w, &err)); /* no child has kept anything */
    dry_writer_free(w);
}

/* ---- who is believed ---- */
/* The bytes of a table that says it was verified, one offset wrong. */
static int spoilt_copy(void)
{
    const struct column_kind *kind = column_kind_of("u");
    struct ArrowSchema schema = columns_schema("a=u");
    struct dry_writer *w;
    struct dry_table *t;
    struct ArrowArray batch;
    struct dry_writer_stat stat;
    OK(dry_writer_new(NULL, "good", &schema, NULL, NULL, &w, &err));
    schema.release(&schema);
    OK(columns_block(w, &kind, 1, 0, 100, 100, false, &err));
    OK(dry_writer_commit(w, &err));
    OK(dry_writer_stat(w, &stat, &err));
    OK(dry_writer_table(w, &t, &err));
    assert_int_equal(dry_table_batch(t, 0, &batch), DRY_OK);
    /* the offsets are the first buffer of the only batch: they begin where its body does */
    const char *offsets = batch.children[0]->buffers[1],
               *from = (const char *)((uintptr_t)offsets & ~(uintptr_t)4095);
    int fd = memfd_create("spoilt", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, from, stat.segment.used_bytes), (ssize_t)stat.segment.used_bytes);
    int32_t wrong = -7;
    assert_int_equal(pwrite(fd, &wrong, 4, offsets - from + 200), 4);
    batch.release(&batch);
    dry_table_unref(t);
    dry_writer_free(w);
    return fd;
}

static void a_stamp_is_believed_where_only_its_maker_can_have_written(void **state)
{
    (void)state;
    struct dry_table *t;
    int fd = spoilt_copy();
    FAILS(DRY_DENIED, "open", dry_table_open_fd(fd, DRY_CLASS_ANONYMOUS, DRY_CHECK_AUTO, NULL, &t, &err));
    FAILS(DRY_CORRUPT, "column 'a'", dry_table_open_fd(fd, DRY_CLASS_OPEN, DRY_CHECK_AUTO, NULL, &t, &err));
    OK(dry_table_open_fd(fd, DRY_CLASS_OPEN, DRY_CHECK_RANGES, NULL, &t, &err));
    dry_table_unref(t);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL), 0);
    FAILS(DRY_CORRUPT, "column 'a'", dry_table_open_fd(fd, DRY_CLASS_SEALED, DRY_CHECK_FULL, NULL, &t, &err));
    OK(dry_table_open_fd(fd, DRY_CLASS_SEALED, DRY_CHECK_AUTO, NULL, &t, &err)); /* by this user */
    dry_table_unref(t);
    if (geteuid() == 0) { /* by another, whom this one does not believe */
        assert_int_equal(fchown(fd, 1234, 1234), 0);
        FAILS(DRY_CORRUPT, "column 'a'", dry_table_open_fd(fd, DRY_CLASS_SEALED, DRY_CHECK_AUTO, NULL, &t, &err));
    }
    close(fd);
}

static void what_is_no_table_is_refused(void **state)
{
    (void)state;
    struct dry_table *t;
    FAILS(DRY_INVALID, "", open_shared("no handle", DRY_CLASS_OPEN, &t, &err));
    int fd = memfd_create("noise", MFD_CLOEXEC), pipes[2];
    assert_int_equal(write(fd, "ARROW1 and nothing more", 23), 23);
    FAILS(DRY_CORRUPT, "", dry_table_open_fd(fd, DRY_CLASS_OPEN, DRY_CHECK_AUTO, NULL, &t, &err));
    close(fd);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    FAILS(DRY_INVALID, "", dry_table_open_fd(pipes[0], DRY_CLASS_OPEN, DRY_CHECK_AUTO, NULL, &t, &err));
    close(pipes[0]);
    close(pipes[1]);
    assert_int_not_equal(dry_table_open_fd(-1, DRY_CLASS_OPEN, DRY_CHECK_AUTO, NULL, &t, &err), DRY_OK);
}

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLEAN(a_handle_is_opened_in_this_process_and_in_others),
        CLEAN(a_sealed_table_cannot_be_changed_and_keeps_its_handle),
        CLEAN(own_views_and_streams_are_in_the_way),
        CLEAN(a_reader_elsewhere_is_in_the_way_until_it_lets_go_or_is_killed),
        CLEAN(old_handles_are_dead_and_new_ones_work),
        CLEAN(what_was_taken_back_is_written_anew),
        CLEAN(a_bitmap_cannot_be_added_to_what_was_taken_back),
        CLEAN(what_was_taken_back_and_spoilt_is_not_published),
        CLEAN(appended_batches_stay_as_they_are),
        CLEAN(a_forked_child_may_only_free_the_writer),
        CLEAN(a_stamp_is_believed_where_only_its_maker_can_have_written),
        CLEAN(what_is_no_table_is_refused),
    };
    return cmocka_run_group_tests_name("writer_share", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A writer that puts one name again and again, in recycled pages, and is killed at random and started again; readers by
 * name and by path. Every row of a version has the version's number, and its rows follow from it: what is torn, or mixed
 * of two, does not agree. DRY_LONG=1: minutes instead of moments.
 */
#define _GNU_SOURCE
#include "harness.h"
#include "tables.h"
#include "../base/atomic.h"
#include "../base/step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define NAME "t"
enum { READERS = 3, LIVES = 6, PUTS_A_LIFE = 60, LONG_ROUNDS = 40 };

/* ---- versions ---- */

/* Sizes differ, so that pages are added and given back; all are large enough to be recycled. */
static int64_t rows_of(uint64_t version)
{
    return 40000 + (int64_t)(version * 2654435761u % 7) * 9000;
}

static int64_t first_of(uint64_t version)
{
    return (int64_t)version << 24;
}

/* 0: it is none. */
static uint64_t version_of(struct dry_table *t)
{
    struct ArrowArrayStream stream;
    struct ArrowArray batch;
    uint64_t version = 0;
    if (dry_table_stream(t, &stream) != DRY_OK) return 0;
    if (stream.get_next(&stream, &batch) == 0 && batch.release) {
        if (batch.length > 0) version = (uint64_t)((const int64_t *)batch.children[0]->buffers[1])[0] >> 24;
        batch.release(&batch);
    }
    stream.release(&stream);
    return version && counts_from(t, first_of(version), rows_of(version)) ? version : 0;
}

/* ---- who takes part ---- */

struct storm {
    struct dry_atomic_u64 version; /* the last that was begun */
    struct dry_atomic_u64 recycled;
    struct dry_atomic_u64 opens[READERS];
    struct dry_atomic_u32 stop;
};

static struct storm *storm;
static struct harness_dir dir;

static void yield_at_step(const char *what)
{
    /* X0: counts only */
    if (strcmp(what, "put: spare ours") == 0) dry_add_relaxed_u64(&storm->recycled, 1);
    sched_yield();
}

static void put_for_a_life(void *arg)
{
    struct dry_store *s;
    struct dry_error err = {0};
    (void)arg;
    dry_step_hook = yield_at_step;
    CHECK(dry_store_open(dir.path, DRY_STORE_WRITE, NULL, &s, NULL, NULL) == DRY_OK);
    for (int i = 0; i < PUTS_A_LIFE; i++) {
        uint64_t version = dry_add_relaxed_u64(&storm->version, 1) + 1; /* X0: one writer at a time */
        if (put_count(s, NAME, first_of(version), rows_of(version), &err) != DRY_OK) {
            fprintf(stderr, "put: %s\n", err.text);
            _exit(99);
        }
    }
    dry_store_close(s);
}

static void check_version(struct dry_table *t, enum dry_status status, const struct dry_error *err, uint64_t *last,
                          int reader)
{
    if (status != DRY_OK) {
        fprintf(stderr, "reader %d: %s\n", reader, err->text);
        _exit(99);
    }
    uint64_t version = version_of(t);
    CHECK(version > 0);
    /* Who opens late may be a moment early: one version, which a killed writer may never have named. */
    CHECK(version + 2 > *last);
    dry_add_relaxed_u64(&storm->opens[reader], 1); /* X0: counts only */
    *last = version;
    CHECK(version_of(t) == version); /* and it stays what it was */
    dry_table_unref(t);
}

/* As a program that knows nothing of stores does: it opens the path, waits if it has to, maps, looks at the end. It may
 * come so late that the writer who held it up was killed, and what he left is no table: then it opens the path again. */
static enum dry_status open_by_path(struct dry_table **out, struct dry_error *err)
{
    char path[512];
    enum dry_status status = DRY_CORRUPT;
    snprintf(path, sizeof path, "%s/" NAME, dir.path);
    for (int tries = 0; status == DRY_CORRUPT && tries < 3; tries++)
        status = dry_table_open_path(path, DRY_CHECK_FULL, NULL, out, err);
    return status;
}

static void read_until_stopped(void *arg)
{
    int reader = *(const int *)arg;
    struct dry_store *s;
    struct dry_error err = {0};
    uint64_t last = 0;
    CHECK(dry_store_open(dir.path, DRY_STORE_READ, NULL, &s, NULL, NULL) == DRY_OK);
    while (!dry_load_relaxed_u32(&storm->stop)) { /* X0: only to end */
        struct dry_table *t = NULL;
        enum dry_status status = reader % 2 ? open_by_path(&t, &err) : dry_store_get(s, NAME, DRY_CHECK_AUTO, &t, &err);
        check_version(t, status, &err, &last, reader);
    }
    dry_store_close(s);
}

/* ---- the storm ---- */

static uint64_t opens_of_all(void)
{
    uint64_t n = 0;
    for (int i = 0; i < READERS; i++) n += dry_load_relaxed_u64(&storm->opens[i]); /* X0: counts only */
    return n;
}

/* Kills the writer when it has come to a version chosen at random; every fourth may live to its end. */
static void live_and_die(int life, uint64_t random)
{
    uint64_t born = dry_load_relaxed_u64(&storm->version); /* X0: no writer lives now */
    uint64_t end = born + 3 + random % (PUTS_A_LIFE - 5);
    pid_t writer = harness_start(put_for_a_life, NULL);
    assert_true(writer > 0);
    if (life % 4 == 3) {
        assert_int_equal(harness_end(writer), 0);
        return;
    }
    while (dry_load_relaxed_u64(&storm->version) < end) sched_yield(); /* X0: when does not matter */
    for (uint64_t i = random >> 32 & 255; i > 0; i--) sched_yield();
    kill(writer, SIGKILL);
    int ended = harness_end(writer);
    assert_true(ended == -SIGKILL || ended == 0);
}

static void list_once(void)
{
    struct dry_store *s;
    struct dry_entry *entries;
    size_t n;
    assert_int_equal(dry_store_open(dir.path, DRY_STORE_WRITE, NULL, &s, NULL, NULL), DRY_OK);
    assert_int_equal(dry_store_list(s, &entries, &n, NULL), DRY_OK);
    assert_int_equal(n, 1);
    dry_entries_free(s, entries, n);
    dry_store_close(s);
    assert_int_equal(harness_dir_each(dir.path, NULL, NULL), 1);
}

static void put_first(void)
{
    struct dry_store *s;
    dry_store_relaxed_u64(&storm->version, 1); /* X0: nobody else is there yet */
    assert_int_equal(dry_store_open(dir.path, DRY_STORE_WRITE, NULL, &s, NULL, NULL), DRY_OK);
    assert_int_equal(put_count(s, NAME, first_of(1), rows_of(1), NULL), DRY_OK);
    dry_store_close(s);
}

static void storm_once(const char *where, uint64_t *random)
{
    int numbers[READERS];
    pid_t readers[READERS];
    memset(storm, 0, sizeof *storm);
    assert_true(harness_dir_make(where, &dir));
    put_first();
    for (int i = 0; i < READERS; i++) {
        numbers[i] = i;
        readers[i] = harness_start(read_until_stopped, &numbers[i]);
        assert_true(readers[i] > 0);
    }
    for (int life = 0; life < LIVES; life++) {
        *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
        live_and_die(life, *random);
        list_once();
    }
    dry_store_relaxed_u32(&storm->stop, 1); /* X0: only to end */
    for (int i = 0; i < READERS; i++) assert_int_equal(harness_end(readers[i]), 0);
    harness_dir_remove(dir.path);
    dir.path[0] = '\0';
}

/* Of a test that failed. Readers that are left end by themselves. */
static int end_the_storm(void **state)
{
    (void)state;
    dry_store_relaxed_u32(&storm->stop, 1); /* X0: only to end */
    if (dir.path[0]) harness_dir_remove(dir.path);
    return 0;
}

static void no_reader_sees_a_torn_table(void **state)
{
    (void)state;
    const char *where = harness_where(true);
    uint64_t random = 88172645463325252u, versions = 0, recycled = 0, opens = 0;
    if (!where) skip();
    for (int round = getenv("DRY_LONG") ? LONG_ROUNDS : 1; round > 0; round--) {
        storm_once(where, &random);
        versions += dry_load_relaxed_u64(&storm->version);  /* X0: all have ended */
        recycled += dry_load_relaxed_u64(&storm->recycled); /* X0: the same */
        opens += opens_of_all();
    }
    print_message("%llu versions, %llu in recycled pages, %llu opens\n", (unsigned long long)versions,
                  (unsigned long long)recycled, (unsigned long long)opens);
    assert_true(recycled > 0 && opens > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(no_reader_sees_a_torn_table, end_the_storm)};
    storm = mmap(NULL, sizeof *storm, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (storm == MAP_FAILED) return 1;
    return cmocka_run_group_tests_name("recycle_storm", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Put, get, list, remove, rename: what is there afterwards, and what never is.
 */
#include "../tests/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "../base/os.h"
#include "../base/step.h"

#define ROWS 1000
#define assert_says(err, words) assert_non_null(strstr((err).text, words))

static struct dry_table *get(struct dry_store *s, const char *name)
{
    struct dry_error err;
    struct dry_table *t = NULL;
    if (dry_store_get(s, name, DRY_CHECK_AUTO, &t, &err) != DRY_OK) fail_msg("%s", err.text);
    return t;
}

/* ---- whole tables only ---- */

static void what_is_put_is_got(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    struct dry_table_stat stat;
    struct ArrowArrayStream in = count_from(5, 100, 7);
    assert_int_equal(dry_store_put(f->s, "t", &in, NULL, &err), DRY_OK);
    assert_null(in.release);
    struct dry_table *t = get(f->s, "t");
    dry_table_stat(t, &stat);
    assert_int_equal(stat.rows, 700);
    assert_int_equal(stat.batches, 7);
    assert_int_equal(stat.verified, DRY_VERIFIED_FULL);
    assert_int_equal(stat.alignment_bytes, 64);
    assert_true(counts_from(t, 5, 700));
    dry_table_unref(t);
    assert_int_equal(fixture_entries(f), 1);
}

static void a_large_table_is_put_and_got(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    const int64_t rows = 3 << 20; /* 24 MiB: through huge pages, where there are any */
    struct dry_put_options options = {.bytes_expected = (uint64_t)rows * 8};
    struct ArrowArrayStream in = count_from(1, rows / 3, 3);
    assert_int_equal(dry_store_put(f->s, "large", &in, &options, &err), DRY_OK);
    assert_true(holds_count(f->s, "large", 1, rows));
}

static void a_reader_keeps_what_it_has(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    assert_int_equal(put_count(f->s, "t", 1, ROWS, &err), DRY_OK);
    struct dry_table *before = get(f->s, "t");
    assert_int_equal(put_count(f->s, "t", 2, ROWS, &err), DRY_OK);
    struct dry_table *after = get(f->s, "t");
    assert_int_equal(dry_store_remove(f->s, "t", &err), DRY_OK);
    assert_int_equal(dry_store_remove(f->s, "t", &err), DRY_NOT_FOUND);
    assert_int_equal(fixture_entries(f), 0);
    assert_true(counts_from(before, 1, ROWS));
    assert_true(counts_from(after, 2, ROWS));
    dry_table_unref(before);
    dry_table_unref(after);
}

static void a_table_outlives_its_store(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    struct dry_store *s;
    assert_int_equal(dry_store_open(f->dir.path, DRY_STORE_WRITE, NULL, &s, NULL, &err), DRY_OK);
    assert_int_equal(put_count(s, "t", 1, ROWS, &err), DRY_OK);
    struct dry_table *t = get(s, "t");
    dry_store_close(s);
    assert_true(counts_from(t, 1, ROWS));
    dry_table_unref(t);
}

static void no_clobber_refuses_and_leaves_the_old(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    struct dry_put_options options = {.no_clobber = true};
    for (int i = 0; i < 2; i++) {
        struct ArrowArrayStream in = count_from(i, ROWS, 1);
        assert_int_equal(dry_store_put(f->s, "t", &in, &options, &err), i == 0 ? DRY_OK : DRY_EXISTS);
        assert_null(in.release);
    }
    assert_true(holds_count(f->s, "t", 0, ROWS));
}

static struct fixture *racing;

static void take_the_name(const char *what)
{
    struct dry_error err;
    if (strcmp(what, "put: read-only") != 0) return;
    dry_step_hook = NULL;
    assert_int_equal(put_count(racing->s, "t", 1, ROWS, &err), DRY_OK);
}

static int no_unnamed_files(const char *call)
{
    return strcmp(call, "open_unnamed") == 0 ? EOPNOTSUPP : 0;
}

/* Also when the name is taken while the bytes are being written. */
static void no_clobber_is_decided_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    struct dry_put_options options = {.no_clobber = true};
    racing = f;
    for (int unnamed = 0; unnamed < 2; unnamed++) {
        struct ArrowArrayStream in = count_from(2, ROWS, 1);
        dry_os_fault = unnamed ? NULL : no_unnamed_files;
        dry_step_hook = take_the_name;
        assert_int_equal(dry_store_put(f->s, "t", &in, &options, &err), DRY_EXISTS);
        assert_true(holds_count(f->s, "t", 1, ROWS));
        assert_int_equal(fixture_entries(f), 1);
        assert_int_equal(dry_store_remove(f->s, "t", &err), DRY_OK);
    }
}

static int stop_at_once(void *self, uint64_t bytes)
{
    *(uint64_t *)self = bytes;
    return 1;
}

static void a_put_that_fails_leaves_the_old_table_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    uint64_t seen = 0;
    struct dry_put_options cancel = {.progress = stop_at_once, .progress_self = &seen};
    assert_int_equal(put_count(f->s, "t", 1, ROWS, &err), DRY_OK);
    for (int unnamed = 0; unnamed < 2; unnamed++) {
        dry_os_fault = unnamed ? NULL : no_unnamed_files;
        struct ArrowArrayStream in = count_and_fail(2, ROWS, 2);
        assert_int_equal(dry_store_put(f->s, "t", &in, NULL, &err), DRY_IO);
        assert_int_equal(fixture_entries(f), 1); /* at once, not after the next list */
        assert_says(err, "the source has run dry");
        assert_says(err, "'t'");
        in = count_from(2, ROWS, 1);
        assert_int_equal(dry_store_put(f->s, "t", &in, &cancel, &err), DRY_IO);
        assert_true(seen > 0);
        assert_true(holds_count(f->s, "t", 1, ROWS));
        assert_int_equal(fixture_entries(f), 1);
    }
}

/* An array whose values lead outside of it: text whose offsets go down. */
static int get_bad_schema(struct ArrowArrayStream *in, struct ArrowSchema *out)
{
    struct ArrowArrayStream good = count_from(0, 1, 1);
    (void)in;
    int answer = good.get_schema(&good, out);
    good.release(&good);
    out->children[0]->format = "u";
    return answer;
}

static void keep_children(struct ArrowArray *a)
{
    a->release = NULL;
}

static int get_bad_batch(struct ArrowArrayStream *in, struct ArrowArray *out)
{
    static const int32_t offsets[] = {0, 4, 2};
    static const void *column_buffers[] = {NULL, offsets, "text"};
    static const void *no_buffers[] = {NULL};
    static struct ArrowArray column, *children[] = {&column};
    bool *given = in->private_data;
    memset(out, 0, sizeof *out);
    if (*given) return 0;
    *given = true;
    column = (struct ArrowArray){.length = 2, .n_buffers = 3, .buffers = column_buffers, .release = keep_children};
    *out = (struct ArrowArray){.length = 2,
                               .n_buffers = 1,
                               .n_children = 1,
                               .buffers = no_buffers,
                               .children = children,
                               .release = keep_children};
    return 0;
}

static void release_bad(struct ArrowArrayStream *in)
{
    in->release = NULL;
}

static struct ArrowArrayStream bad_values(bool *given)
{
    *given = false;
    return (struct ArrowArrayStream){.get_schema = get_bad_schema,
                                     .get_next = get_bad_batch,
                                     .release = release_bad,
                                     .private_data = given};
}

static void bad_values_are_refused(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    bool given;
    struct ArrowArrayStream in = bad_values(&given);
    assert_int_equal(put_count(f->s, "t", 1, ROWS, &err), DRY_OK);
    assert_int_equal(dry_store_put(f->s, "t", &in, NULL, &err), DRY_CORRUPT);
    assert_says(err, "'t'");
    assert_null(in.release);
    assert_int_equal(fixture_entries(f), 1);
    assert_true(holds_count(f->s, "t", 1, ROWS));
}

static void write_bad_values(const struct fixture *f, const char *name, bool stamp)
{
    struct dry_ipc_write_options how = {.format = DRY_IPC_FILE, .stamp_verified = stamp};
    struct dry_error err;
    bool given;
    struct ArrowArrayStream in = bad_values(&given);
    char path[FIXTURE_PATH_BYTES];
    fixture_path(f, name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0400);
    struct dry_sink sink = dry_sink_fd(&fd);
    assert_int_equal(dry_ipc_write(&in, &sink, &how, NULL, &err), DRY_OK);
    close(fd);
}

/* Another program's file is looked at in full, unless the caller wants less; one that says it was verified is
 * believed, unless the caller wants more. */
static void what_get_looks_at_is_the_callers_choice(void **state)
{
    struct fixture *f = *state;
    static const struct {
        bool stamped;
        enum dry_check check;
        enum dry_status expected;
    } rows[] = {
        {false, DRY_CHECK_AUTO, DRY_CORRUPT}, {false, DRY_CHECK_FULL, DRY_CORRUPT}, {false, DRY_CHECK_RANGES, DRY_OK},
        {true, DRY_CHECK_PRIVATE, DRY_CORRUPT},  {false, DRY_CHECK_PRIVATE, DRY_CORRUPT},
        {true, DRY_CHECK_AUTO, DRY_OK},       {true, DRY_CHECK_FULL, DRY_CORRUPT},  {true, DRY_CHECK_RANGES, DRY_OK},
    };
    struct dry_error err;
    write_bad_values(f, "unstamped", false);
    write_bad_values(f, "stamped", true);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct dry_table *t = NULL;
        const char *name = rows[i].stamped ? "stamped" : "unstamped";
        assert_int_equal(dry_store_get(f->s, name, rows[i].check, &t, &err), rows[i].expected);
        assert_int_equal(t != NULL, rows[i].expected == DRY_OK);
        dry_table_unref(t);
    }
}

/* ---- what others have put into the directory ---- */

static void a_directory_keeps_its_name(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    struct dry_table *t;
    char path[FIXTURE_PATH_BYTES];
    fixture_path(f, "d", path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(put_count(f->s, "d", 1, ROWS, &err), DRY_OK);
    assert_says(err, "directory");
    assert_int_not_equal(dry_store_get(f->s, "d", DRY_CHECK_AUTO, &t, &err), DRY_OK);
    assert_int_equal(dry_store_remove(f->s, "d", &err), DRY_NOT_FOUND);
    assert_int_equal(dry_store_rename(f->s, "d", "e", false, &err), DRY_NOT_FOUND);
    assert_int_equal(fixture_entries(f), 1);
}

static void links_and_fifos_are_neither_followed_nor_waited_for(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    struct dry_table *t;
    char path[FIXTURE_PATH_BYTES], path_of_table[FIXTURE_PATH_BYTES];
    assert_int_equal(put_count(f->s, "t", 1, ROWS, &err), DRY_OK);
    fixture_path(f, "fifo", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(dry_store_get(f->s, "fifo", DRY_CHECK_AUTO, &t, &err), DRY_INVALID);
    fixture_path(f, "link", path);
    fixture_path(f, "t", path_of_table);
    assert_int_equal(symlink(path_of_table, path), 0);
    assert_int_equal(dry_store_get(f->s, "link", DRY_CHECK_AUTO, &t, &err), DRY_DENIED);
    assert_says(err, "link");
    assert_int_equal(dry_store_table_path(f->s, "link", path, sizeof path, &err), DRY_NOT_FOUND);
    assert_int_equal(put_count(f->s, "link", 2, ROWS, &err), DRY_OK); /* takes the name, not what it leads to */
    assert_true(holds_count(f->s, "link", 2, ROWS));
    assert_true(holds_count(f->s, "t", 1, ROWS));
}

static void a_file_that_is_no_table_is_listed_with_its_status(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    struct dry_entry *e, one;
    size_t n;
    char path[FIXTURE_PATH_BYTES];
    assert_int_equal(put_count(f->s, "good", 1, ROWS, &err), DRY_OK);
    fixture_write(f, "empty", "", 0, 0400);
    fixture_write(f, "text", "no table at all", 15, 0400);
    fixture_write(f, ".hidden", "x", 1, 0400);
    fixture_path(f, "a-directory", path);
    assert_int_equal(mkdir(path, 0700), 0);
    fixture_path(f, "z-link", path);
    assert_int_equal(symlink("good", path), 0);
    assert_int_equal(dry_store_list(f->s, &e, &n, &err), DRY_OK);
    assert_int_equal(n, 4);
    assert_string_equal(e[0].name, "empty");
    assert_int_equal(e[0].status, DRY_CORRUPT);
    assert_string_equal(e[1].name, "good");
    assert_int_equal(e[1].status, DRY_OK);
    assert_int_equal(e[1].table.rows, ROWS);
    assert_int_equal(e[1].mode, 0400);
    assert_int_equal(e[1].owner, geteuid());
    assert_true(e[1].held_bytes > 0 && e[1].created_ns > 0);
    assert_string_equal(e[2].name, "text");
    assert_int_equal(e[2].status, DRY_CORRUPT);
    assert_string_equal(e[3].name, "z-link");
    assert_int_equal(e[3].status, DRY_DENIED);
    dry_entries_free(f->s, e, n);
    assert_int_equal(dry_store_stat(f->s, "text", &one, &err), DRY_OK);
    assert_int_equal(one.status, DRY_CORRUPT);
    assert_int_equal(dry_store_stat(f->s, "none", &one, &err), DRY_NOT_FOUND);
}

static void a_list_is_sorted_and_whole(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    struct dry_entry *e;
    size_t n;
    char name[32];
    assert_int_equal(dry_store_list(f->s, &e, &n, &err), DRY_OK);
    assert_int_equal(n, 0);
    dry_entries_free(f->s, e, n);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "t%02d", (i * 37) % 100);
        assert_int_equal(put_count(f->s, name, i, 1, &err), DRY_OK);
    }
    assert_int_equal(dry_store_list(f->s, &e, &n, &err), DRY_OK);
    assert_int_equal(n, 100);
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "t%02zu", i);
        assert_string_equal(e[i].name, name);
    }
    dry_entries_free(f->s, e, n);
}

/* ---- names change ---- */

static void rename_replaces_or_refuses(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    assert_int_equal(put_count(f->s, "a", 1, ROWS, &err), DRY_OK);
    assert_int_equal(put_count(f->s, "b", 2, ROWS, &err), DRY_OK);
    assert_int_equal(dry_store_rename(f->s, "a", "b", true, &err), DRY_EXISTS);
    assert_says(err, "'b'");
    assert_true(holds_count(f->s, "a", 1, ROWS) && holds_count(f->s, "b", 2, ROWS));
    assert_int_equal(dry_store_rename(f->s, "a", "b", false, &err), DRY_OK);
    assert_true(holds_count(f->s, "b", 1, ROWS));
    assert_int_equal(fixture_entries(f), 1);
    assert_int_equal(dry_store_rename(f->s, "b", "b", false, &err), DRY_OK);
    assert_int_equal(dry_store_rename(f->s, "b", "c", true, &err), DRY_OK);
    assert_int_equal(dry_store_rename(f->s, "b", "d", false, &err), DRY_NOT_FOUND);
    assert_true(holds_count(f->s, "c", 1, ROWS));
}

static void the_path_of_a_table_opens_it(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    struct dry_table *t;
    char path[FIXTURE_PATH_BYTES];
    assert_int_equal(put_count(f->s, "t", 1, ROWS, &err), DRY_OK);
    assert_int_equal(dry_store_table_path(f->s, "t", path, sizeof path, &err), DRY_OK);
    assert_int_equal(path[0], '/');
    assert_int_equal(dry_table_open_path(path, DRY_CHECK_FULL, NULL, &t, &err), DRY_OK);
    assert_true(counts_from(t, 1, ROWS));
    dry_table_unref(t);
    assert_int_equal(dry_store_table_path(f->s, "t", path, strlen(path), &err), DRY_INVALID);
    assert_int_equal(dry_store_table_path(f->s, "u", path, sizeof path, &err), DRY_NOT_FOUND);
    assert_int_equal(dry_table_open_path(f->dir.path, DRY_CHECK_AUTO, NULL, &t, &err), DRY_INVALID);
    assert_int_equal(dry_table_open_path("/does/not/exist", DRY_CHECK_AUTO, NULL, &t, &err), DRY_NOT_FOUND);
}

/* ---- share in the middle of a put ---- */

static void share_at_read_only(const char *what)
{
    struct dry_error err;
    if (strcmp(what, "put: read-only") != 0) return;
    dry_step_hook = NULL;
    assert_int_equal(dry_store_share(racing->s, DRY_READERS_ALL, &err), DRY_OK);
}

static void a_put_that_is_under_way_is_shared_too(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    struct dry_entry e;
    racing = f;
    dry_step_hook = share_at_read_only;
    assert_int_equal(put_count(f->s, "t", 1, ROWS, &err), DRY_OK);
    assert_int_equal(dry_store_stat(f->s, "t", &e, &err), DRY_OK);
    assert_int_equal(e.mode, 0444);
}

/* ---- no room ---- */

#define NOT_ALLOWED 77
#define TOO_MANY (16 << 20)

static void with_a_file_size_limit(void *arg)
{
    struct fixture *f = arg;
    struct dry_error err = {.status = DRY_OK};
    struct rlimit limit = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(put_count(f->s, "t", 0, TOO_MANY / 8, &err) == DRY_FULL);
    CHECK(strstr(err.text, "RLIMIT_FSIZE") || strstr(err.text, "ulimit"));
    struct dry_put_options options = {.bytes_expected = TOO_MANY};
    struct ArrowArrayStream in = count_from(0, 10, 1);
    CHECK(dry_store_put(f->s, "t", &in, &options, &err) == DRY_FULL && !in.release);
    CHECK(holds_count(f->s, "t", 1, ROWS));
    CHECK(put_count(f->s, "small", 3, ROWS, &err) == DRY_OK);
    CHECK(fixture_entries(f) == 2);
}

static void a_limit_of_file_size_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    assert_int_equal(put_count(f->s, "t", 1, ROWS, &err), DRY_OK);
    assert_int_equal(harness_run(with_a_file_size_limit, f), 0);
}

static uint64_t free_bytes(const char *path)
{
    struct statfs fs;
    CHECK(statfs(path, &fs) == 0);
    return (uint64_t)fs.f_bfree * (uint64_t)fs.f_bsize;
}

static void in_a_small_file_system(void *arg)
{
    struct fixture *f = arg;
    struct dry_error err = {.status = DRY_OK};
    struct dry_store *s;
    char path[FIXTURE_PATH_BYTES];
    if (!harness_own_mounts() || !harness_mount_memory(f->dir.path, "64m")) _exit(NOT_ALLOWED);
    snprintf(path, sizeof path, "%s/store", f->dir.path);
    CHECK(dry_store_open(path, DRY_STORE_WRITE, NULL, &s, NULL, &err) == DRY_OK);
    CHECK(put_count(s, "t", 1, ROWS, &err) == DRY_OK);
    uint64_t before = free_bytes(path);
    for (int expected = 0; expected < 2; expected++) {
        struct ArrowArrayStream in = count_from(0, 1 << 20, 20); /* 160 MiB */
        struct dry_put_options options = {.bytes_expected = expected ? (uint64_t)160 << 20 : 0};
        CHECK(dry_store_put(s, "t", &in, &options, &err) == DRY_FULL);
        CHECK(strstr(err.text, "--store") && strstr(err.text, "'t'"));
        CHECK(holds_count(s, "t", 1, ROWS));
        CHECK(free_bytes(path) == before);
    }
    CHECK(harness_dir_each(path, NULL, NULL) == 1);
    CHECK(put_count(s, "half", 0, 4 << 20, &err) == DRY_OK);   /* 32 MiB of the 64 fit */
    CHECK(put_count(s, "half", 5, 4 << 20, &err) == DRY_FULL); /* both versions at once do not */
    CHECK(holds_count(s, "half", 0, 4 << 20));
    dry_store_close(s);
}

static void a_full_file_system_is_an_error(void **state)
{
    int ended = harness_run(in_a_small_file_system, *state);
    if (ended == NOT_ALLOWED) {
        print_message("skipped: a mount namespace is not allowed here\n");
        skip();
    }
    assert_int_equal(ended, 0);
}

#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define IN_A_DISK_STORE(test) {"on disk: " #test, test, fixture_setup_on_disk, fixture_teardown, NULL}

/* Somebody cuts the file while it is read. */
static int shrink(const char *call)
{
    return strcmp(call, "read_at") == 0 ? ENODATA : 0;
}

static void a_private_copy_is_nobody_elses(void **state)
{
    struct fixture *f = *state;
    struct dry_error err = {0};
    struct dry_table *t;
    struct dry_table_stat stat;
    char path[FIXTURE_PATH_BYTES];
    assert_int_equal(put_count(f->s, "t", 7, ROWS, &err), DRY_OK);
    assert_int_equal(dry_store_get(f->s, "t", DRY_CHECK_PRIVATE, &t, &err), DRY_OK);
    fixture_path(f, "t", path);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, 0), 0);
    dry_table_stat(t, &stat);
    assert_int_equal(stat.rows, ROWS);
    assert_true(counts_from(t, 7, ROWS));
    assert_int_equal(dry_table_verify(t, 0, -1, &err), DRY_OK);
    dry_table_unref(t);
    assert_int_equal(dry_store_get(f->s, "t", DRY_CHECK_PRIVATE, &t, &err), DRY_CORRUPT);
    assert_int_equal(put_count(f->s, "t", 7, ROWS, &err), DRY_OK);
    dry_os_fault = shrink;
    assert_int_equal(dry_store_get(f->s, "t", DRY_CHECK_PRIVATE, &t, &err), DRY_CORRUPT);
    dry_os_fault = NULL;
    assert_non_null(strstr(err.text, "truncated while"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_STORE(what_is_put_is_got),
        IN_A_DISK_STORE(what_is_put_is_got),
        IN_A_STORE(a_large_table_is_put_and_got),
        IN_A_DISK_STORE(a_large_table_is_put_and_got),
        IN_A_STORE(a_reader_keeps_what_it_has),
        IN_A_DISK_STORE(a_reader_keeps_what_it_has),
        IN_A_STORE(a_table_outlives_its_store),
        IN_A_STORE(no_clobber_refuses_and_leaves_the_old),
        IN_A_STORE(no_clobber_is_decided_at_the_end),
        IN_A_DISK_STORE(no_clobber_is_decided_at_the_end),
        IN_A_STORE(a_put_that_fails_leaves_the_old_table_and_nothing_else),
        IN_A_STORE(bad_values_are_refused),
        IN_A_STORE(what_get_looks_at_is_the_callers_choice),
        IN_A_STORE(a_directory_keeps_its_name),
        IN_A_STORE(links_and_fifos_are_neither_followed_nor_waited_for),
        IN_A_STORE(a_file_that_is_no_table_is_listed_with_its_status),
        IN_A_STORE(a_list_is_sorted_and_whole),
        IN_A_STORE(rename_replaces_or_refuses),
        IN_A_DISK_STORE(rename_replaces_or_refuses),
        IN_A_STORE(the_path_of_a_table_opens_it),
        IN_A_STORE(a_private_copy_is_nobody_elses),
        IN_A_DISK_STORE(a_private_copy_is_nobody_elses),
        IN_A_STORE(a_put_that_is_under_way_is_shared_too),
        IN_A_STORE(a_limit_of_file_size_is_an_error),
        IN_A_STORE(a_full_file_system_is_an_error),
    };
    return cmocka_run_group_tests_name("put", tests, NULL, NULL);
}

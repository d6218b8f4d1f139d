/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Every call to the system, and every allocation, of every operation fails once. The operation then says so in words
 * or does without; the tables that were there are there, nothing is left beside them, and no descriptor or mapping.
 */
#include "private.h"
#include "../tests/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "../base/check.h"
#include "../base/os.h"

#define ROWS 1000
#define OLD 1
#define NEW 2
#define LARGE (1 << 18) /* 2 MiB: the way through huge pages */

/* ---- the operations ---- */

static enum dry_status put_new(struct dry_store *s, struct dry_error *err)
{
    return put_count(s, "new", NEW, ROWS, err);
}

static enum dry_status put_large(struct dry_store *s, struct dry_error *err)
{
    return put_count(s, "new", NEW, LARGE, err);
}

static enum dry_status replace(struct dry_store *s, struct dry_error *err)
{
    return put_count(s, "old", NEW, ROWS, err);
}

static enum dry_status get(struct dry_store *s, struct dry_error *err)
{
    struct dry_table *t;
    DRY_TRY(dry_store_get(s, "old", DRY_CHECK_FULL, &t, err));
    dry_table_unref(t);
    return DRY_OK;
}

static enum dry_status list(struct dry_store *s, struct dry_error *err)
{
    struct dry_entry *e;
    size_t n;
    DRY_TRY(dry_store_list(s, &e, &n, err));
    dry_entries_free(s, e, n);
    return DRY_OK;
}

static enum dry_status stat(struct dry_store *s, struct dry_error *err)
{
    struct dry_entry e;
    return dry_store_stat(s, "old", &e, err);
}

static enum dry_status info(struct dry_store *s, struct dry_error *err)
{
    struct dry_store_info i;
    return dry_store_info(s, &i, err);
}

static enum dry_status mappers(struct dry_store *s, struct dry_error *err)
{
    struct dry_mapper *m;
    size_t n;
    DRY_TRY(dry_store_mappers(s, "old", &m, &n, err));
    dry_mappers_free(s->a, m, n);
    return DRY_OK;
}

static enum dry_status path(struct dry_store *s, struct dry_error *err)
{
    char out[4096];
    return dry_store_table_path(s, "old", out, sizeof out, err);
}

static enum dry_status move(struct dry_store *s, struct dry_error *err)
{
    return dry_store_rename(s, "old", "old", false, err);
}

static enum dry_status share(struct dry_store *s, struct dry_error *err)
{
    return dry_store_share(s, DRY_READERS_GROUP, err);
}

static enum dry_status wait_for_it(struct dry_store *s, struct dry_error *err)
{
    return dry_store_wait(s, "old", 0, err);
}

static enum dry_status watch(struct dry_store *s, struct dry_error *err)
{
    int fd;
    DRY_TRY(dry_store_watch(s, &fd, err));
    close(fd);
    return DRY_OK;
}

static enum dry_status reopen(struct dry_store *s, struct dry_error *err)
{
    struct dry_store *again;
    DRY_TRY(dry_store_open(dry_store_path(s), DRY_STORE_WRITE, NULL, &again, NULL, err));
    dry_store_close(again);
    return DRY_OK;
}

static enum dry_status remove_it(struct dry_store *s, struct dry_error *err)
{
    return dry_store_remove(s, "doomed", err);
}

enum { PUTS = 1, SYNCS = 2 };

static const struct {
    const char *name;
    enum dry_status (*run)(struct dry_store *s, struct dry_error *err);
    int does;
} operations[] = {
    {"put a new name", put_new, PUTS | SYNCS},
    {"put a large table", put_large, PUTS},
    {"replace", replace, PUTS | SYNCS},
    {"get", get, 0},
    {"list", list, 0},
    {"stat", stat, 0},
    {"info", info, 0},
    {"mappers", mappers, 0},
    {"path", path, 0},
    {"rename", move, SYNCS},
    {"share", share, 0},
    {"wait", wait_for_it, 0},
    {"watch", watch, 0},
    {"open", reopen, 0},
    {"remove", remove_it, SYNCS},
};

/* Far more than any operation makes, but for the search of all processes, which makes the same ones for each. */
#define MOST_CALLS 100

/* ---- calls that fail ---- */

static struct {
    int calls_left; /* until the one that fails; 0 = it has */
    int answer;
    bool has_unnamed;
    char failed[32];
} plan;

static int fail_one(const char *call)
{
    if (!plan.has_unnamed && strcmp(call, "open_unnamed") == 0) return EOPNOTSUPP;
    if (plan.calls_left == 0 || --plan.calls_left > 0) return 0;
    snprintf(plan.failed, sizeof plan.failed, "%s", call);
    return plan.answer;
}

static void prepare(struct fixture *f)
{
    struct dry_error err;
    assert_int_equal(put_count(f->s, "old", OLD, ROWS, &err), DRY_OK);
    assert_int_equal(put_count(f->s, "doomed", OLD, ROWS, &err), DRY_OK);
    if (dry_store_remove(f->s, "new", &err) != DRY_OK) assert_int_equal(err.status, DRY_NOT_FOUND);
}

/* One list, then: only whole tables, and no file that is none of them. */
static void check_after(struct fixture *f, const char *operation, const char *failed)
{
    struct dry_error err;
    struct dry_entry *e;
    size_t n;
    if (dry_store_list(f->s, &e, &n, &err) != DRY_OK) fail_msg("%s, %s failed: %s", operation, failed, err.text);
    if (fixture_entries(f) != (int)n) fail_msg("%s, %s failed: something is left", operation, failed);
    for (size_t i = 0; i < n; i++)
        if (e[i].status != DRY_OK) fail_msg("%s, %s failed: '%s' is broken", operation, failed, e[i].name);
    dry_entries_free(f->s, e, n);
    if (!holds_count(f->s, "old", OLD, ROWS) && !holds_count(f->s, "old", NEW, ROWS))
        fail_msg("%s, %s failed: the old table is gone", operation, failed);
    if (harness_open_fds() != f->fds + 1) fail_msg("%s, %s failed: a descriptor is left", operation, failed);
    if (harness_mappings(f->dir.path) != 0) fail_msg("%s, %s failed: a mapping is left", operation, failed);
}

static void fail_each_call_of(struct fixture *f, size_t operation, int answer, bool has_unnamed)
{
    const char *name = operations[operation].name;
    for (int call = 1; call <= MOST_CALLS; call++) {
        struct dry_error err = {.status = DRY_OK};
        prepare(f);
        plan.calls_left = call;
        plan.answer = answer;
        plan.has_unnamed = has_unnamed;
        dry_os_fault = fail_one;
        enum dry_status status = operations[operation].run(f->s, &err);
        bool reached = plan.calls_left == 0;
        dry_os_fault = NULL;
        if (status != DRY_OK && (err.status != status || err.text[0] == '\0'))
            fail_msg("%s, %s failed: status %s without words", name, plan.failed, dry_status_name(status));
        check_after(f, name, reached ? plan.failed : "nothing");
        if (reached) continue;
        assert_int_equal(status, DRY_OK);
        break;
    }
}

static void fail_each_call(struct fixture *f, size_t operation, int answer)
{
    fail_each_call_of(f, operation, answer, true);
    if (operations[operation].does & PUTS) fail_each_call_of(f, operation, answer, false);
}

static void any_call_to_the_system_may_fail(void **state)
{
    static const int answers[] = {EIO, ENOSPC, ENOMEM, EACCES, EAGAIN};
    for (size_t operation = 0; operation < sizeof operations / sizeof *operations; operation++)
        for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
            fail_each_call(*state, operation, answers[i]);
}

static int no_lock(const char *call)
{
    if (strcmp(call, "open_unnamed") == 0) return EOPNOTSUPP;
    return strcmp(call, "lock") == 0 ? EAGAIN : 0;
}

/* What a disk adds is the syncing; each round of it costs real time. */
static void on_disk_any_call_to_the_system_may_fail(void **state)
{
    for (size_t operation = 0; operation < sizeof operations / sizeof *operations; operation++)
        if (operations[operation].does & SYNCS) fail_each_call(*state, operation, EIO);
}

static void a_lock_that_is_never_granted_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct dry_error err;
    dry_os_fault = no_lock;
    assert_int_not_equal(put_count(f->s, "t", 1, ROWS, &err), DRY_OK);
    dry_os_fault = NULL;
    assert_int_equal(list(f->s, &err), DRY_OK);
    assert_int_equal(fixture_entries(f), 0);
}

/* ---- allocations that fail ---- */

struct meter {
    int left; /* allocations that succeed; -1 = all */
    int64_t bytes, blocks;
};

static void *meter_allocate(void *self, size_t size, size_t align)
{
    struct meter *m = self;
    if (m->left == 0) return NULL;
    if (m->left > 0) m->left--;
    void *block = dry_allocate(NULL, size, align);
    if (!block) return NULL;
    m->blocks++;
    m->bytes += (int64_t)size;
    return block;
}

static void meter_release(void *self, void *block, size_t size, size_t align)
{
    struct meter *m = self;
    m->blocks--;
    m->bytes -= (int64_t)size;
    dry_release(NULL, block, size, align);
}

static void fail_each_allocation_of(struct fixture *f, size_t operation)
{
    struct meter meter = {.left = -1};
    struct dry_allocator a = {.allocate = meter_allocate, .release = meter_release, .self = &meter};
    struct dry_store *s;
    struct dry_error err;
    enum dry_status status;
    assert_int_equal(dry_store_open(f->dir.path, DRY_STORE_WRITE, &a, &s, NULL, &err), DRY_OK);
    struct meter before = meter;
    int n = 0;
    do {
        prepare(f);
        meter.left = n++;
        err.status = DRY_OK;
        status = operations[operation].run(s, &err);
        meter.left = -1;
        if (status != DRY_OK && status != DRY_NOMEM)
            fail_msg("%s without allocation %d: %s", operations[operation].name, n, err.text);
        if (status != DRY_OK && (err.status != status || err.text[0] == '\0'))
            fail_msg("%s without allocation %d: no words", operations[operation].name, n);
        if (meter.blocks != before.blocks || meter.bytes != before.bytes)
            fail_msg("%s without allocation %d: memory is left", operations[operation].name, n);
        assert_true(holds_count(f->s, "old", OLD, ROWS) || holds_count(f->s, "old", NEW, ROWS));
    } while (status != DRY_OK);
    dry_store_close(s);
    assert_int_equal(meter.blocks, 0);
    assert_int_equal(meter.bytes, 0);
}

static void any_allocation_may_fail(void **state)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        fail_each_allocation_of(*state, i);
}

static void opening_without_memory_fails(void **state)
{
    struct fixture *f = *state;
    struct meter meter = {.left = 0};
    struct dry_allocator a = {.allocate = meter_allocate, .release = meter_release, .self = &meter};
    struct dry_store *s;
    struct dry_error err;
    assert_int_equal(dry_store_open(f->dir.path, DRY_STORE_WRITE, &a, &s, NULL, &err), DRY_NOMEM);
}

#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)
#define IN_A_DISK_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup_on_disk, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_STORE(any_call_to_the_system_may_fail),
        IN_A_DISK_STORE(on_disk_any_call_to_the_system_may_fail),
        IN_A_STORE(a_lock_that_is_never_granted_is_an_error),
        IN_A_STORE(any_allocation_may_fail),
        IN_A_STORE(opening_without_memory_fails),
    };
    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Every call to the system, and every allocation, that a writer makes fails once. It then says so in words, or does
 * without; what was there is there, and nothing is left: no file, descriptor, mapping or block.
 */
#define _GNU_SOURCE
#include "fixture.h"
#include "writer_columns.h"
#include "../base/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>

#define ROWS 300
#define LARGE (1 << 18) /* 2 MiB: the way through huge pages */

/* ---- what is done ---- */
struct act {
    const char *name;
    bool is_named;
    int64_t rows;
    bool again; /* taken back and committed once more */
};

static const struct act acts[] = {
    {"a named table", true, ROWS, false},
    {"a large named table", true, LARGE, false},
    {"an anonymous table", false, ROWS, true},
    {"a large anonymous table", false, LARGE, true},
};

/* Two columns, of which the texts outgrow their room; a bitmap; an appended batch. */
static enum dry_status fill(struct dry_writer *w, int64_t rows, struct dry_error *err)
{
    static const struct column_kind *kinds[2];
    struct dry_memory *m;
    enum dry_status status = dry_writer_block(w, rows, err);
    kinds[0] = column_kind_of("l");
    kinds[1] = column_kind_of("u");
    for (int64_t c = 0; status == DRY_OK && c < 2; c++)
        status = dry_writer_column(w, -1, c, DRY_BUFFER_VALIDITY, &m, err);
    if (status == DRY_OK) status = dry_writer_column(w, -1, 1, DRY_BUFFER_BYTES, &m, err);
    if (status == DRY_OK) {
        status = m->resize(m, (size_t)rows * 50);
        if (status != DRY_OK) { /* only a status, by contract */
            err->status = status;
            snprintf(err->text, sizeof err->text, "a column cannot grow");
            return status;
        }
        for (int64_t c = 0; c < 2; c++)
            columns_fill(w, -1, c, kinds[c], 0, rows, true);
        status = dry_writer_end_block(w, rows, err);
    }
    return status;
}

static enum dry_status share(struct dry_writer *w, const struct dry_allocator *a, bool again, struct dry_error *err)
{
    struct dry_table *t;
    char handle[DRY_HANDLE_SIZE];
    enum dry_status status = dry_writer_handle(w, handle, err);
    if (status == DRY_OK) status = dry_table_open_handle(handle, DRY_CLASS_ANONYMOUS, DRY_CHECK_AUTO, a, &t, err);
    if (status != DRY_OK) return status;
    dry_table_unref(t);
    if (!again) return dry_writer_seal(w, err);
    status = dry_writer_take_back(w, err);
    if (status == DRY_OK) status = dry_writer_set_rows(w, 0, ROWS / 2, err);
    if (status == DRY_OK) status = dry_writer_commit(w, err);
    return status == DRY_OK ? share(w, a, false, err) : status;
}

static enum dry_status run(const struct act *act, struct dry_store *s, const struct dry_allocator *a,
                           struct dry_error *err)
{
    struct dry_writer_options options = {.bytes_per_value = 4, .recycle = true};
    struct ArrowSchema schema = columns_schema("n=l t=u");
    struct dry_writer *w;
    struct dry_table *t;
    struct dry_writer_stat stat;
    enum dry_status status = dry_writer_new(act->is_named ? s : NULL, "t", &schema, &options, a, &w, err);
    schema.release(&schema);
    if (status != DRY_OK) return status;
    status = fill(w, act->rows, err);
    if (status == DRY_OK) status = dry_writer_commit(w, err);
    if (status == DRY_OK) status = dry_writer_stat(w, &stat, err);
    if (status == DRY_OK) status = dry_writer_table(w, &t, err);
    if (status == DRY_OK) dry_table_unref(t);
    if (status == DRY_OK && !act->is_named) status = share(w, a, act->again, err);
    dry_writer_free(w);
    return status;
}

/* ---- what is left ---- */
static bool is_ours(struct dry_store *s)
{
    struct dry_error err;
    struct dry_table *t;
    struct dry_table_stat stat;
    if (dry_store_get(s, "t", DRY_CHECK_FULL, &t, &err) != DRY_OK) return false;
    dry_table_stat(t, &stat);
    dry_table_unref(t);
    return stat.columns == 2;
}

static void check_after(struct fixture *f, const struct act *act, const char *failed)
{
    struct dry_error err;
    struct dry_entry *e;
    size_t n;
    if (dry_store_list(f->s, &e, &n, &err) != DRY_OK) fail_msg("%s, %s failed: %s", act->name, failed, err.text);
    dry_entries_free(f->s, e, n);
    if (n != 1 || fixture_entries(f) != 1) fail_msg("%s, %s failed: something is left", act->name, failed);
    if (!holds_count(f->s, "t", 3, ROWS) && !is_ours(f->s))
        fail_msg("%s, %s failed: the old table is gone", act->name, failed);
    if (harness_open_fds() != f->fds + 1) fail_msg("%s, %s failed: a descriptor is left", act->name, failed);
    if (harness_mappings(f->dir.path) || harness_mappings("/memfd:"))
        fail_msg("%s, %s failed: a mapping is left", act->name, failed);
}

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

static void fail_each_call(struct fixture *f, const struct act *act, int answer, bool has_unnamed)
{
    for (int call = 1;; call++) {
        struct dry_error err = {.status = DRY_OK};
        assert_true(call < 1000);
        assert_int_equal(put_count(f->s, "t", 3, ROWS, &err), DRY_OK);
        plan.calls_left = call;
        plan.answer = answer;
        plan.has_unnamed = has_unnamed;
        dry_os_fault = fail_one;
        enum dry_status status = run(act, f->s, NULL, &err);
        bool reached = plan.calls_left == 0;
        dry_os_fault = NULL;
        if (status != DRY_OK && (err.status != status || err.text[0] == '\0'))
            fail_msg("%s, %s failed: status %s without words", act->name, plan.failed, dry_status_name(status));
        check_after(f, act, reached ? plan.failed : "nothing");
        if (reached) continue;
        if (status != DRY_OK) fail_msg("%s: %s", act->name, err.text);
        return;
    }
}

static void any_call_to_the_system_may_fail(void **state)
{
    static const int answers[] = {EIO, ENOSPC, ENOMEM, EACCES, EAGAIN};
    for (size_t act = 0; act < sizeof acts / sizeof *acts; act++)
        for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
            if (acts[act].rows == LARGE && answers[i] != ENOSPC && answers[i] != ENOMEM) continue; /* that takes long */
            fail_each_call(*state, &acts[act], answers[i], true);
            if (acts[act].is_named) fail_each_call(*state, &acts[act], answers[i], false);
        }
}

static void on_disk_any_call_to_the_system_may_fail(void **state)
{
    fail_each_call(*state, &acts[0], EIO, true);
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

static void any_allocation_may_fail(void **state)
{
    struct fixture *f = *state;
    for (size_t act = 0; act < sizeof acts / sizeof *acts; act++) {
        enum dry_status status;
        int n = 0;
        do {
            struct meter meter = {.left = -1};
            struct dry_allocator a = {.allocate = meter_allocate, .release = meter_release, .self = &meter};
            struct dry_error err = {.status = DRY_OK};
            assert_int_equal(put_count(f->s, "t", 3, ROWS, &err), DRY_OK);
            meter.left = n++;
            status = run(&acts[act], f->s, &a, &err);
            if (status != DRY_OK && (status != DRY_NOMEM || err.status != status || err.text[0] == '\0'))
                fail_msg("%s without allocation %d: %s: %s", acts[act].name, n, dry_status_name(status), err.text);
            if (meter.blocks || meter.bytes) fail_msg("%s without allocation %d: memory is left", acts[act].name, n);
            check_after(f, &acts[act], "an allocation");
        } while (status != DRY_OK);
        assert_true(n > 10);
    }
}

#define IN_A_STORE(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_STORE(any_call_to_the_system_may_fail),
        cmocka_unit_test_setup_teardown(on_disk_any_call_to_the_system_may_fail, fixture_setup_on_disk,
                                        fixture_teardown),
        IN_A_STORE(any_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("writer_failing", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Arrays given away: what they look like, and how long they live.
 */
#define _GNU_SOURCE
#include "array_testing.h"
#include "../base/check.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void what_is_exported_imports_as_it_was(void **state)
{
    (void)state;
    static const int64_t lengths[] = {0, 1, 8, 33};
    for (size_t i = 0; i < 8; i++) {
        struct test_table t;
        struct dry_array back;
        struct ArrowArray out;
        test_open(&t, node_all_types());
        test_fill_table(&t, lengths[i / 2], i % 2);
        assert_int_equal(dry_array_export(&t.array, NULL, 0, NULL, &out), DRY_OK);
        assert_int_equal(dry_array_import(t.schema, &out, &t.arena, &back, &t.err), DRY_OK);
        assert_true(test_same(&t.array, &back));
        if (dry_array_verify(t.schema, &back, NULL, &t.err) != DRY_OK) fail_msg("%s", t.err.text);
        out.release(&out);
        test_close(&t);
    }
}

static void check_required_buffers(const struct dry_field *f, const struct ArrowArray *a)
{
    static const uint8_t zeros[DRY_ALIGN];
    for (int64_t i = 1; i < a->n_buffers; i++) {
        assert_int_equal((uintptr_t)a->buffers[i] % DRY_ALIGN, 0);
        assert_memory_equal(a->buffers[i], zeros, sizeof zeros);
    }
    if (a->n_buffers) assert_null(a->buffers[0]);
    assert_int_equal(a->null_count, 0);
    assert_int_equal(!a->dictionary, !f->values);
    for (int64_t i = 0; i < a->n_children; i++)
        check_required_buffers(f->children + i, a->children[i]);
    if (f->values) check_required_buffers(f->values, a->dictionary);
}

static void empty_columns_have_readable_buffers(void **state)
{
    (void)state;
    struct test_table t;
    struct dry_array back;
    struct ArrowArray out;
    test_open(&t, node_all_types());
    struct test_batch *batch = calloc(1, sizeof *batch);
    assert_non_null(batch);
    for (int64_t i = 0; i < t.schema->root.n_children; i++)
        test_fill(batch, t.schema->root.children + i, 0, false);
    /* no dictionary was seen: empty ones are made */
    assert_int_equal(test_decode(&t, &t.schema->root, batch, 0, t.bodies, &t.array), DRY_OK);
    free(batch);
    assert_int_equal(dry_array_export(&t.array, NULL, 0, NULL, &out), DRY_OK);
    check_required_buffers(&t.schema->root, &out);
    assert_int_equal(dry_array_import(t.schema, &out, &t.arena, &back, &t.err), DRY_OK);
    out.release(&out);
    test_close(&t);
}

static void tells_null_counts(void **state)
{
    (void)state;
    struct test_table t;
    struct ArrowArray out;
    test_open(&t, with_child(table_of(node("c", "a")), node("n", "n")));
    test_fill_table(&t, 9, true);
    t.array.null_count = -1;
    t.array.children[0].null_count = -1;
    t.array.children[1].null_count = -1;
    assert_int_equal(dry_array_export(&t.array, NULL, 0, NULL, &out), DRY_OK);
    assert_int_equal(out.null_count, 0); /* no bitmap */
    assert_int_equal(out.children[0]->null_count, -1);
    assert_int_equal(out.children[1]->null_count, 9);
    out.release(&out);
    test_close(&t);
}

/* ---- life ---- */
static void export_takes_one_allocation_or_nothing(void **state)
{
    (void)state;
    struct test_table t;
    struct scarce scarce;
    struct ArrowArray out = {.length = 77};
    struct dry_storage *hold;
    test_open(&t, node_all_types());
    test_fill_table(&t, 9, true);
    assert_int_equal(dry_storage_new(1, NULL, &hold), DRY_OK);
    scarce_init(&scarce, 0);
    assert_int_equal(dry_array_export(&t.array, &hold, 1, &scarce.allocator, &out), DRY_NOMEM);
    assert_int_equal(out.length, 77);
    assert_int_equal(dry_storage_refcount(hold), 1);
    scarce_init(&scarce, 1);
    assert_int_equal(dry_array_export(&t.array, &hold, 1, &scarce.allocator, &out), DRY_OK);
    assert_int_equal(dry_storage_refcount(hold), 2);
    out.release(&out);
    assert_null(out.release);
    assert_int_equal(scarce.live, 0);
    assert_int_equal(dry_storage_refcount(hold), 1);
    dry_storage_unref(hold);
    test_close(&t);
}

static struct ArrowArray move(struct ArrowArray *from)
{
    struct ArrowArray to = *from;
    from->release = NULL;
    return to;
}

struct exported_table {
    struct test_table t;
    struct scarce scarce;
    struct dry_storage *hold;
    bool *let_go;
    struct ArrowArray out;
};

static void note(void *flag)
{
    *(bool *)flag = true;
}

static void export_all(struct exported_table *e, bool *let_go)
{
    *let_go = false;
    test_open(&e->t, node_all_types());
    test_fill_table(&e->t, 9, true);
    scarce_init(&e->scarce, 1);
    assert_int_equal(dry_storage_adopt("bytes", 5, let_go, note, NULL, &e->hold), DRY_OK);
    assert_int_equal(dry_array_export(&e->t.array, &e->hold, 1, &e->scarce.allocator, &e->out), DRY_OK);
    dry_storage_unref(e->hold);
    e->let_go = let_go;
}

/* All children moved out, and of the last ones their children and dictionaries too; then let go in three orders. */
static void children_outlive_parents(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        struct exported_table e;
        struct ArrowArray moved[128];
        bool let_go;
        int64_t n = 0;
        export_all(&e, &let_go);
        for (int64_t i = 0; i < e.out.n_children; i++) {
            struct ArrowArray *c = e.out.children[i];
            if (i % 3 == 0) continue; /* stays where it is */
            if (i % 2 && c->n_children) moved[n++] = move(c->children[0]);
            if (i % 2 && c->dictionary) moved[n++] = move(c->dictionary);
            moved[n++] = move(c);
        }
        assert_true(n > 30);
        if (order == 0) e.out.release(&e.out);
        for (int64_t i = 0; i < n; i++) {
            struct ArrowArray *a = moved + (order == 2 ? n - 1 - i : i);
            assert_false(let_go);
            a->release(a);
            assert_null(a->release);
        }
        if (order) {
            assert_false(let_go);
            e.out.release(&e.out);
        }
        assert_true(let_go);
        assert_int_equal(e.scarce.live, 0);
        test_close(&e.t);
    }
}

static void *release_on_thread(void *array)
{
    struct ArrowArray *a = array;
    volatile uint8_t sink = 0;
    for (int64_t i = 0; i < a->n_buffers; i++)
        if (a->buffers[i]) sink = (uint8_t)(sink + (uintptr_t)a->buffers[i]); /* a last look into the block */
    a->release(a);
    return NULL;
}

static void any_thread_may_release(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    for (int round = 0; round < 20; round++) {
        struct exported_table e;
        struct ArrowArray moved[THREADS + 1];
        pthread_t threads[THREADS + 1];
        bool let_go;
        export_all(&e, &let_go);
        for (int i = 0; i < THREADS; i++)
            moved[i] = move(e.out.children[e.out.n_children - 1 - i]);
        moved[THREADS] = move(&e.out);
        for (int i = 0; i <= THREADS; i++)
            assert_int_equal(pthread_create(threads + i, NULL, release_on_thread, moved + i), 0);
        for (int i = 0; i <= THREADS; i++)
            pthread_join(threads[i], NULL);
        assert_true(let_go);
        assert_int_equal(e.scarce.live, 0);
        test_close(&e.t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(export_takes_one_allocation_or_nothing),
        cmocka_unit_test(what_is_exported_imports_as_it_was),
        cmocka_unit_test(empty_columns_have_readable_buffers),
        cmocka_unit_test(tells_null_counts),
        cmocka_unit_test(children_outlive_parents),
        cmocka_unit_test(any_thread_may_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

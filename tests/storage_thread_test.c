/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Threads that share storages, for the thread sanitizer above all: ref and unref storms, taking back beside them, release
 * on another thread, a pipeline of readers. Each thread writes a cell of its own before it lets go, and whoever is the
 * last reads all cells: an order that is missing is a race.
 */
#define _GNU_SOURCE
#include "../base/memory.h"
#include "../storage/storage.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 4, ROUNDS = 2000 };

struct cells {
    uint32_t cell[THREADS], sum;
    int released;
    pthread_t releaser;
};

static void add_up(void *owner)
{
    struct cells *c = owner;
    for (int i = 0; i < THREADS; i++) c->sum += c->cell[i];
    c->released++;
    c->releaser = pthread_self();
}

struct worker {
    struct dry_view view;
    uint32_t *cell;
    struct dry_raw taken; /* by try_detach; `at` NULL: it was refused */
};

static void run(void *(*work)(void *), struct worker *workers)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

static void *ref_and_unref(void *arg)
{
    struct worker *w = arg;
    struct dry_view part;
    for (int i = 0; i < ROUNDS; i++) {
        struct dry_view more = dry_view_ref(&w->view);
        if (dry_view_slice(&more, 1, 2, &part) == DRY_OK) dry_view_unref(&part);
        dry_view_unref(&more);
    }
    *w->cell = 1;
    dry_view_unref(&w->view);
    return NULL;
}

static void *ref_through_a_purse(void *arg)
{
    struct worker *w = arg;
    struct dry_purse purse;
    dry_purse_init(&purse, w->view.storage);
    for (int i = 0; i < ROUNDS; i++) {
        struct dry_view more = dry_purse_ref(&purse, &w->view);
        dry_purse_unref(&purse, &more);
    }
    *w->cell = 1;
    dry_purse_fini(&purse);
    dry_view_unref(&w->view);
    return NULL;
}

static void the_last_of_many_threads_releases_after_all_others(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct cells c = {.sum = 0};
        struct worker workers[THREADS];
        struct dry_storage *s;
        assert_int_equal(dry_storage_adopt(&c, sizeof c, &c, add_up, NULL, &s), DRY_OK);
        struct dry_view v = dry_view_adopt(s);
        for (int i = 0; i < THREADS; i++) workers[i] = (struct worker){.view = dry_view_ref(&v), .cell = &c.cell[i]};
        dry_view_unref(&v);
        run(round % 2 ? ref_through_a_purse : ref_and_unref, workers);
        assert_int_equal(c.released, 1);
        assert_int_equal(c.sum, THREADS);
        assert_false(pthread_equal(c.releaser, pthread_self())); /* on whichever thread was the last */
    }
}

/* Every thread tries to take the room back and, if it may not, lets go; at most one succeeds, the one who is alone. */
static void *take_or_let_go(void *arg)
{
    struct worker *w = arg;
    volatile uint32_t seen = ((const uint32_t *)(const void *)w->view.data)[3];
    (void)seen;
    struct dry_view more = dry_view_ref(&w->view);
    dry_view_unref(&more);
    if (dry_view_try_detach(&w->view, 4, 4, &w->taken) == DRY_OK)
        for (size_t i = 0; i < w->taken.len; i++) ((uint32_t *)w->taken.at)[i] = 77; /* races if anybody still reads */
    else
        dry_view_unref(&w->view);
    return NULL;
}

static void taking_back_beside_others_gives_it_to_at_most_one(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct worker workers[THREADS];
        struct dry_storage *s;
        struct dry_raw raw = {.kind = DRY_RAW_HEAP, .len = 8, .cap = 16, .elem_size = 4, .elem_align = 4};
        raw.at = dry_block_new(64, DRY_ALIGN, DRY_FRONT_BYTES);
        memset(raw.at, 1, 64);
        assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
        struct dry_view v = dry_view_adopt(s);
        for (int i = 0; i < THREADS; i++) workers[i] = (struct worker){.view = dry_view_ref(&v)};
        dry_view_unref(&v);
        run(take_or_let_go, workers);
        int taken = 0;
        for (int i = 0; i < THREADS; i++) {
            taken += workers[i].taken.at != NULL;
            dry_raw_release(&workers[i].taken);
        }
        assert_true(taken <= 1); /* none: the last two refused each other, and the last let go */
    }
}

/* Copy on write beside readers: each thread changes its own, and reads what it had before in nobody else's. */
static void *make_mut_and_check(void *arg)
{
    struct worker *w = arg;
    void *bytes;
    for (int i = 0; i < 50; i++) {
        struct dry_view mine = dry_view_ref(&w->view);
        if (dry_view_make_mut(&mine, NULL, &bytes) == DRY_OK) {
            *w->cell += memcmp(bytes, "shared", 6) == 0;
            memset(bytes, 'x', 6);
        }
        dry_view_unref(&mine);
    }
    dry_view_unref(&w->view);
    return NULL;
}

static void copy_on_write_never_shows_in_another_holder(void **state)
{
    uint32_t cells[THREADS] = {0};
    struct worker workers[THREADS];
    struct dry_storage *s;
    (void)state;
    assert_int_equal(dry_storage_copy("shared", 6, NULL, &s), DRY_OK);
    struct dry_view v = dry_view_adopt(s);
    for (int i = 0; i < THREADS; i++) workers[i] = (struct worker){.view = dry_view_ref(&v), .cell = &cells[i]};
    run(make_mut_and_check, workers);
    assert_memory_equal(v.data, "shared", 6);
    for (int i = 0; i < THREADS; i++) assert_int_equal(cells[i], 50);
    dry_view_unref(&v);
}

static void *only_immortal(void *arg)
{
    struct worker *w = arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct dry_storage *s = dry_storage_ref(w->view.storage);
        if (dry_storage_leak(&s) != DRY_OK) abort(); /* writes nothing: it would be a race */
        dry_storage_unref(s);
    }
    return NULL;
}

static void immortal_storages_are_never_written(void **state)
{
    static const struct dry_immortal words = DRY_IMMORTAL("words", 5);
    struct worker workers[THREADS];
    (void)state;
    for (int i = 0; i < THREADS; i++)
        workers[i].view = dry_view_adopt(i % 2 ? dry_storage_empty() : dry_storage_static(&words));
    run(only_immortal, workers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_of_many_threads_releases_after_all_others),
        cmocka_unit_test(taking_back_beside_others_gives_it_to_at_most_one),
        cmocka_unit_test(copy_on_write_never_shows_in_another_holder),
        cmocka_unit_test(immortal_storages_are_never_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One store, many threads: a dry_store may be used by all at once. Its use is under the thread sanitizer.
 */
#include "../tests/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "../base/os.h"
#include "../base/step.h"

#define THREADS 4
#define ROUNDS 40
#define ROWS 200

static void yield(const char *what)
{
    (void)what;
    sched_yield();
}

/* Half of the puts go without unnamed files, so that hidden names are there all the time. */
static _Thread_local bool without_unnamed;

static int no_unnamed_files(const char *call)
{
    return without_unnamed && strcmp(call, "open_unnamed") == 0 ? EOPNOTSUPP : 0;
}

struct worker {
    struct fixture *f;
    pthread_t thread;
    int number;
    bool good;
};

static bool one_round(struct fixture *f, int number, int round)
{
    struct dry_error err;
    struct dry_entry *e;
    size_t n;
    char own[32];
    without_unnamed = (round + number) % 2;
    snprintf(own, sizeof own, "own%d", number);
    if (put_count(f->s, own, round, ROWS, &err) != DRY_OK) return false;
    if (put_count(f->s, "shared", 0, ROWS, &err) != DRY_OK) return false;
    if (!holds_count(f->s, own, round, ROWS) || !holds_count(f->s, "shared", 0, ROWS)) return false;
    if (dry_store_list(f->s, &e, &n, &err) != DRY_OK) return false;
    dry_entries_free(f->s, e, n);
    return n >= 2;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    for (int round = 0; w->good && round < ROUNDS; round++)
        w->good = one_round(w->f, w->number, round);
    return NULL;
}

static void all_threads_may_use_one_store(void **state)
{
    struct fixture *f = *state;
    struct worker workers[THREADS];
    dry_step_hook = yield;
    dry_os_fault = no_unnamed_files;
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.f = f, .number = i, .good = true};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_true(workers[i].good);
    assert_int_equal(fixture_entries(f), THREADS + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_threads_may_use_one_store, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}

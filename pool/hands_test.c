/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Changing hands, two threads that race for a slot, waiting, and what is found after a death.
 */
#define _GNU_SOURCE
#include "unit_testing.h"
#include "../base/os.h"

#include <errno.h>
#include <pthread.h>

/* ---- changing hands -------------------------------------------------------------------------------------------- */

/* rule: pool.give, pool.accept */
static void an_offer_is_the_givers_until_it_is_accepted(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot offered, out;
    const void *view;
    set_up(&b, two_classes, 2, 0);
    struct dry_slot slot = take(b.p[1], 5);
    slot.type = 9;
    assert_int_equal(dry_pool_offer(b.p[2], slot, 3, &offered), DRY_DENIED);
    assert_int_equal(dry_pool_offer(b.p[1], slot, 0, &offered), DRY_INVALID);
    assert_int_equal(dry_pool_offer(b.p[1], slot, 256, &offered), DRY_INVALID);
    assert_int_equal(dry_pool_offer(b.p[1], slot, 2, &offered), DRY_OK);
    assert_int_equal(dry_pool_free(b.p[1], slot), DRY_STALE);
    assert_int_equal(dry_pool_free(b.p[1], offered), DRY_SHARED);
    assert_int_equal(dry_pool_free(b.p[2], offered), DRY_DENIED);
    assert_int_equal(dry_pool_data(b.p[1], offered, &view), DRY_OK);
    assert_int_equal(dry_pool_data(b.p[2], offered, &view), DRY_DENIED);
    assert_int_equal(dry_pool_accept(b.p[3], offered, &out), DRY_DENIED);
    assert_int_equal(dry_pool_withdraw(b.p[2], offered, &out), DRY_DENIED);
    assert_whole(&b);
    assert_int_equal(dry_pool_accept(b.p[2], offered, &out), DRY_OK);
    assert_int_equal(out.length, 5);
    assert_int_equal(out.type, 9);
    assert_int_equal(dry_pool_accept(b.p[2], offered, &out), DRY_STALE);
    assert_int_equal(dry_pool_withdraw(b.p[1], offered, &slot), DRY_STALE);
    assert_int_equal(dry_pool_free(b.p[1], out), DRY_DENIED);
    assert_int_equal(dry_pool_free(b.p[2], out), DRY_OK);
    assert_whole(&b);
    bench_pool_drop(&b);
}

static void an_offer_can_be_taken_back_and_made_again(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot offered, again, out;
    set_up(&b, two_classes, 2, 0);
    struct dry_slot slot = take(b.p[1], 5);
    assert_int_equal(dry_pool_offer(b.p[1], slot, 2, &offered), DRY_OK);
    assert_int_equal(dry_pool_withdraw(b.p[1], offered, &slot), DRY_OK);
    assert_int_equal(dry_pool_accept(b.p[2], offered, &out), DRY_STALE);
    assert_int_equal(dry_pool_offer(b.p[1], slot, 3, &again), DRY_OK);
    assert_int_equal(dry_pool_accept(b.p[2], offered, &out), DRY_STALE);
    assert_int_equal(dry_pool_accept(b.p[3], again, &out), DRY_OK);
    assert_int_equal(dry_pool_free(b.p[3], out), DRY_OK);
    bench_pool_drop(&b);
}

/* rule: pool.ref, pool.unref */
static void the_last_of_several_readers_frees(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot shared, out;
    const void *view;
    void *bytes;
    set_up(&b, two_classes, 2, 0);
    struct dry_slot slot = take(b.p[1], 5);
    assert_int_equal(dry_pool_ref(b.p[2], slot), DRY_STALE);
    assert_int_equal(dry_pool_share(b.p[1], slot, &shared), DRY_OK);
    assert_int_equal(dry_pool_ref(b.p[1], shared), DRY_EXISTS);
    assert_int_equal(dry_pool_data(b.p[2], shared, &view), DRY_DENIED);
    assert_int_equal(dry_pool_unref(b.p[2], shared), DRY_STALE);
    assert_int_equal(dry_pool_ref(b.p[2], shared), DRY_OK);
    assert_int_equal(dry_pool_ref(b.p[3], shared), DRY_OK);
    assert_int_equal(dry_pool_data(b.p[2], shared, &view), DRY_OK);
    assert_int_equal(dry_pool_data_mut(b.p[2], shared, &bytes), DRY_SHARED);
    assert_int_equal(dry_pool_free(b.p[1], shared), DRY_SHARED);
    assert_int_equal(dry_pool_offer(b.p[1], shared, 2, &out), DRY_STALE);
    assert_whole(&b);
    assert_int_equal(dry_pool_unref(b.p[1], shared), DRY_OK);
    assert_int_equal(dry_pool_unref(b.p[1], shared), DRY_STALE);
    assert_int_equal(dry_pool_unref(b.p[3], shared), DRY_OK);
    assert_int_equal(count_free(b.p[4], 1), 72);
    assert_int_equal(dry_pool_ref(b.p[1], shared), DRY_OK);
    assert_int_equal(dry_pool_unref(b.p[1], shared), DRY_OK);
    assert_int_equal(dry_pool_unref(b.p[2], shared), DRY_OK);
    assert_int_equal(dry_pool_ref(b.p[3], shared), DRY_STALE);
    assert_whole(&b);
    assert_int_equal(count_free(b.p[4], 1), 73);
    bench_pool_drop(&b);
}

/* ---- races ----------------------------------------------------------------------------------------------------- */

struct race {
    struct bench_pool b;
    struct dry_slot slot;
    pthread_barrier_t start;
    enum dry_status (*act)(struct race *r, unsigned who);
    enum dry_status status[2];
};

#define ROUNDS 2000

static void *race_along(void *arg)
{
    struct race *r = arg;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_barrier_wait(&r->start);
        r->status[1] = r->act(r, 1);
        pthread_barrier_wait(&r->start);
    }
    return NULL;
}

/* Two threads act on one slot that peer 1 holds; `before` prepares it, `after` looks. */
static void run_race(struct race *r, enum dry_status (*act)(struct race *r, unsigned who),
                     void (*before)(struct race *r), void (*after)(struct race *r))
{
    pthread_t other;
    const struct dry_pool_config one = {64, 1};
    set_up(&r->b, &one, 1, 0);
    r->act = act;
    assert_int_equal(pthread_barrier_init(&r->start, NULL, 2), 0);
    assert_int_equal(pthread_create(&other, NULL, race_along, r), 0);
    for (int i = 0; i < ROUNDS; i++) {
        r->slot = take(r->b.p[1], 1);
        before(r);
        pthread_barrier_wait(&r->start);
        r->status[0] = act(r, 0);
        pthread_barrier_wait(&r->start);
        after(r);
        assert_whole(&r->b);
    }
    pthread_join(other, NULL);
    pthread_barrier_destroy(&r->start);
    bench_pool_drop(&r->b);
}

static enum dry_status both_free(struct race *r, unsigned who)
{
    (void)who;
    return dry_pool_free(r->b.p[1], r->slot);
}

static void nothing(struct race *r) { (void)r; }

static void one_of_them_won(struct race *r)
{
    assert_true((r->status[0] == DRY_OK) != (r->status[1] == DRY_OK));
    assert_int_equal(r->status[r->status[0] == DRY_OK], DRY_STALE);
}

/* rule: pool.free */
static void of_two_racing_double_frees_one_wins(void **state)
{
    (void)state;
    struct race r;
    run_race(&r, both_free, nothing, one_of_them_won);
}

/* The same without luck: the other one comes between the look and the step. */
static struct meddler {
    const char *at;
    struct dry_pool *p;
    struct dry_slot slot;
    enum dry_status (*act)(struct meddler *m);
    enum dry_status status;
} meddler;

static void meddle(const char *what)
{
    if (strcmp(what, meddler.at) != 0) return;
    dry_step_hook = NULL;
    meddler.status = meddler.act(&meddler);
}

static enum dry_status free_first(struct meddler *m) { return dry_pool_free(m->p, m->slot); }

/* rule: pool.free */
static void a_free_between_look_and_step_of_another_wins(void **state)
{
    (void)state;
    struct bench_pool b;
    const struct dry_pool_config one = {64, 1};
    set_up(&b, &one, 1, 0);
    for (int again = 0; again < 2; again++) {
        struct dry_slot slot = take(b.p[1], 1);
        meddler = (struct meddler){.at = "free: looked", .p = b.p[1], .slot = slot, .act = free_first};
        dry_step_hook = meddle;
        assert_int_equal(dry_pool_free(b.p[1], slot), DRY_STALE);
        assert_int_equal(meddler.status, DRY_OK);
        assert_whole(&b);
    }
    assert_int_equal(count_free(b.p[2], 1), 1);
    bench_pool_drop(&b);
}

static enum dry_status withdraw_first(struct meddler *m) { return dry_pool_withdraw(m->p, m->slot, &m->slot); }

/* rule: pool.accept */
static void a_withdraw_between_look_and_step_of_an_accept_wins(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot offered, own = {.index = 77};
    set_up(&b, two_classes, 2, 0);
    assert_int_equal(dry_pool_offer(b.p[1], take(b.p[1], 1), 2, &offered), DRY_OK);
    meddler = (struct meddler){.at = "take: looked", .p = b.p[1], .slot = offered, .act = withdraw_first};
    dry_step_hook = meddle;
    assert_int_equal(dry_pool_accept(b.p[2], offered, &own), DRY_STALE);
    assert_int_equal(meddler.status, DRY_OK);
    assert_int_equal(own.index, 77);
    assert_int_equal(dry_pool_free(b.p[1], meddler.slot), DRY_OK);
    assert_whole(&b);
    bench_pool_drop(&b);
}

static enum dry_status accept_or_withdraw(struct race *r, unsigned who)
{
    struct dry_slot own;
    enum dry_status status =
        who ? dry_pool_accept(r->b.p[2], r->slot, &own) : dry_pool_withdraw(r->b.p[1], r->slot, &own);
    if (status == DRY_OK) status = dry_pool_free(r->b.p[who + 1], own);
    return status;
}

static void offer_to_2(struct race *r) { assert_int_equal(dry_pool_offer(r->b.p[1], r->slot, 2, &r->slot), DRY_OK); }

/* rule: pool.accept */
static void of_an_accept_and_a_withdraw_one_wins(void **state)
{
    (void)state;
    struct race r;
    run_race(&r, accept_or_withdraw, offer_to_2, one_of_them_won);
}

static enum dry_status leave_or_join(struct race *r, unsigned who)
{
    if (who == 0) return dry_pool_unref(r->b.p[1], r->slot);
    return dry_pool_ref(r->b.p[2], r->slot);
}

static void share_it(struct race *r) { assert_int_equal(dry_pool_share(r->b.p[1], r->slot, &r->slot), DRY_OK); }

/* Either the join came first and holds, or the slot was freed and the join is told so. */
static void joined_or_gone(struct race *r)
{
    assert_int_equal(r->status[0], DRY_OK);
    assert_true(r->status[1] == DRY_OK || r->status[1] == DRY_STALE);
    if (r->status[1] == DRY_OK) assert_int_equal(dry_pool_unref(r->b.p[2], r->slot), DRY_OK);
    assert_int_equal(count_free(r->b.p[3], 1), 1);
}

/* rule: pool.ref */
static void a_join_and_the_last_leave_agree(void **state)
{
    (void)state;
    struct race r;
    run_race(&r, leave_or_join, share_it, joined_or_gone);
}

static enum dry_status both_leave(struct race *r, unsigned who) { return dry_pool_unref(r->b.p[who + 1], r->slot); }

static void share_with_2(struct race *r)
{
    share_it(r);
    assert_int_equal(dry_pool_ref(r->b.p[2], r->slot), DRY_OK);
}

static void both_left(struct race *r)
{
    assert_int_equal(r->status[0], DRY_OK);
    assert_int_equal(r->status[1], DRY_OK);
    assert_int_equal(count_free(r->b.p[3], 1), 1);
}

/* rule: pool.settle */
static void of_two_last_readers_one_frees(void **state)
{
    (void)state;
    struct race r;
    run_race(&r, both_leave, share_with_2, both_left);
}

/* ---- waiting --------------------------------------------------------------------------------------------------- */

static void *free_it(void *arg)
{
    struct race *r = arg;
    /* Not before the other one has said that it waits. */
    const struct pool_header *h = r->b.memory.base;
    while (dry_load_acquire_u32(&h->waiting) == 0) {
    }
    r->status[1] = dry_pool_free(r->b.p[1], r->slot);
    return NULL;
}

/* rule: pool.wait */
static void a_waiter_gets_what_comes_free(void **state)
{
    (void)state;
    struct race r;
    struct dry_slot slot;
    pthread_t other;
    const struct dry_pool_config one = {64, 1};
    set_up(&r.b, &one, 1, 0);
    for (int i = 0; i < 50; i++) {
        r.slot = take(r.b.p[1], 1);
        assert_int_equal(pthread_create(&other, NULL, free_it, &r), 0);
        assert_int_equal(dry_pool_allocate_wait(r.b.p[2], 1, -1, &slot), DRY_OK);
        pthread_join(other, NULL);
        assert_int_equal(r.status[1], DRY_OK);
        assert_int_equal(dry_pool_free(r.b.p[2], slot), DRY_OK);
    }
    bench_pool_drop(&r.b);
}

static void a_waiter_goes_when_its_time_is_over(void **state)
{
    (void)state;
    struct bench_pool b;
    const struct dry_pool_config one = {64, 1};
    set_up(&b, &one, 1, 0);
    struct dry_slot slot = take(b.p[1], 1), other = {.index = 77};
    assert_int_equal(dry_pool_allocate_wait(b.p[2], 1, 0, &other), DRY_TIMEOUT);
    assert_int_equal(dry_pool_allocate_wait(b.p[2], 1, 3, &other), DRY_TIMEOUT);
    assert_int_equal(other.index, 77);
    assert_int_equal(dry_pool_free(b.p[1], slot), DRY_OK);
    assert_int_equal(dry_pool_allocate_wait(b.p[2], 1, 0, &other), DRY_OK);
    bench_pool_drop(&b);
}

static int no_futex(const char *call) { return strcmp(call, "futex_wait") == 0 ? ENOSYS : 0; }

static void a_system_that_cannot_wait_is_told(void **state)
{
    (void)state;
    struct bench_pool b;
    const struct dry_pool_config one = {64, 1};
    struct dry_slot other;
    set_up(&b, &one, 1, 0);
    struct dry_slot slot = take(b.p[1], 1);
    dry_os_fault = no_futex;
    assert_int_equal(dry_pool_allocate_wait(b.p[2], 1, -1, &other), DRY_IO);
    dry_os_fault = NULL;
    assert_int_equal(dry_pool_free(b.p[1], slot), DRY_OK);
    bench_pool_drop(&b);
}

/* ---- after a death --------------------------------------------------------------------------------------------- */

/* rule: pool.crash-recovery */
static void reclaim_gives_back_what_the_dead_held_and_nothing_else(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot offered, to_dead, shared, own_shared, out;
    size_t n = 77;
    set_up(&b, two_classes, 2, 0);
    struct dry_slot held = take(b.p[1], 1), alive = take(b.p[2], 1);
    assert_int_equal(dry_pool_offer(b.p[1], take(b.p[1], 1), 2, &offered), DRY_OK);
    assert_int_equal(dry_pool_offer(b.p[2], take(b.p[2], 1), 1, &to_dead), DRY_OK);
    assert_int_equal(dry_pool_share(b.p[1], take(b.p[1], 1), &own_shared), DRY_OK);
    assert_int_equal(dry_pool_share(b.p[1], take(b.p[1], 1), &shared), DRY_OK);
    assert_int_equal(dry_pool_ref(b.p[2], shared), DRY_OK);

    assert_int_equal(dry_pool_reclaim(b.p[3], 1, all_are_alive, NULL, &n), DRY_DENIED);
    assert_int_equal(dry_pool_reclaim(b.p[1], 1, nobody_is_alive, NULL, &n), DRY_DENIED);
    assert_int_equal(dry_pool_reclaim(b.p[3], 0, nobody_is_alive, NULL, &n), DRY_INVALID);
    assert_int_equal(n, 77);
    assert_int_equal(dry_pool_reclaim(b.p[3], 1, nobody_is_alive, NULL, &n), DRY_OK);
    assert_int_equal(n, 4);
    assert_int_equal(dry_pool_reclaim(b.p[4], 1, nobody_is_alive, NULL, &n), DRY_OK);
    assert_int_equal(n, 0);
    assert_whole(&b);

    assert_int_equal(dry_pool_free(b.p[1], held), DRY_STALE);
    assert_int_equal(dry_pool_accept(b.p[2], offered, &out), DRY_STALE);
    assert_int_equal(dry_pool_ref(b.p[3], own_shared), DRY_STALE);
    assert_int_equal(count_free(b.p[4], 1), 70);
    assert_int_equal(dry_pool_withdraw(b.p[2], to_dead, &out), DRY_OK);
    assert_int_equal(dry_pool_free(b.p[2], out), DRY_OK);
    assert_int_equal(dry_pool_free(b.p[2], alive), DRY_OK);
    assert_int_equal(count_free(b.p[4], 1), 72);
    bench_pool_drop(&b);
}

static void reclaim_while_a_reader_holds_leaves_it_its_bytes(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot shared;
    const void *view;
    void *bytes;
    set_up(&b, two_classes, 2, DRY_POOL_CLEAR);
    struct dry_slot slot = take(b.p[1], 1);
    assert_int_equal(dry_pool_data_mut(b.p[1], slot, &bytes), DRY_OK);
    memset(bytes, 'r', 128);
    assert_int_equal(dry_pool_share(b.p[1], slot, &shared), DRY_OK);
    assert_int_equal(dry_pool_ref(b.p[2], shared), DRY_OK);
    assert_int_equal(dry_pool_reclaim(b.p[2], 1, nobody_is_alive, NULL, NULL), DRY_OK);
    assert_int_equal(dry_pool_data(b.p[2], shared, &view), DRY_OK);
    assert_int_equal(*(const uint8_t *)view, 'r');
    assert_int_equal(count_free(b.p[3], 1), 72);
    assert_int_equal(dry_pool_unref(b.p[2], shared), DRY_OK);
    assert_int_equal(*(const uint8_t *)view, 0);
    assert_int_equal(count_free(b.p[3], 1), 73);
    bench_pool_drop(&b);
}

/* rule: pool.rebuild, pool.hints */
static void rebuild_restores_all_hints_and_is_idempotent(void **state)
{
    (void)state;
    static const uint64_t rubbish[] = {0, UINT64_MAX, 0x5555555555555555};
    struct bench_pool b;
    set_up(&b, two_classes, 2, 0);
    struct dry_slot kept = take(b.p[1], 1);
    for (size_t i = 0; i < 3; i++) {
        for (size_t c = 0; c < 2; c++) {
            struct pool_group *groups = (struct pool_group *)((uint8_t *)b.memory.base + b.layout.classes[c].hints);
            for (uint32_t g = 0; g <= b.layout.classes[c].slot_count / 64; g++)
                groups[g].free.word = rubbish[i];
        }
        assert_int_equal(dry_pool_check(b.p[1], NULL), DRY_CORRUPT);
        assert_true(dry_pool_rebuild(b.p[2]) > 0);
        assert_int_equal(dry_pool_rebuild(b.p[2]), 0);
        assert_whole(&b);
        assert_int_equal(count_free(b.p[2], 1), 72);
    }
    assert_int_equal(dry_pool_free(b.p[1], kept), DRY_OK);
    bench_pool_drop(&b);
}

/* ---- check ----------------------------------------------------------------------------------------------------- */

/* rule: pool.invariants */
static void check_finds_every_broken_invariant(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        size_t at; /* in 8-byte words of a slot: word, note, readers, spare */
        uint64_t value;
    } cases[] = {
        {"free with a holder", 0, 1 << 2 | POOL_FREE},     {"held by nobody", 0, POOL_HELD},
        {"offered by nobody", 0, POOL_OFFERED},            {"offered to nobody", 0, 1 << 2 | POOL_OFFERED},
        {"shared with a holder", 0, 1 << 2 | POOL_SHARED}, {"shared without a reader", 0, POOL_SHARED},
        {"free with a reader", 2, 2},                      {"read by peer 0", 2, 1},
        {"held with a hint", 0, 1 << 2 | POOL_HELD},       {"spare bytes", 7, 1},
    };
    struct bench_pool b;
    struct dry_error err;
    set_up(&b, two_classes, 2, 0);
    uint64_t *slot = (uint64_t *)(void *)((uint8_t *)b.memory.base + b.layout.classes[1].slots);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        slot[cases[i].at] = cases[i].value;
        if (dry_pool_check(b.p[1], &err) != DRY_CORRUPT) fail_msg("%s", cases[i].why);
        assert_non_null(strstr(err.text, "class 1 slot 0"));
        slot[cases[i].at] = 0;
        assert_whole(&b);
    }
    uint64_t *hints = (uint64_t *)(void *)((uint8_t *)b.memory.base + b.layout.classes[1].hints);
    *hints |= 8;
    assert_int_equal(dry_pool_check(b.p[1], &err), DRY_CORRUPT);
    assert_non_null(strstr(err.text, "past its last slot"));
    *hints &= 7;
    ((uint8_t *)b.memory.base)[sizeof(struct pool_head)] ^= 64;
    assert_int_equal(dry_pool_check(b.p[1], &err), DRY_CORRUPT);
    assert_non_null(strstr(err.text, "changed since"));
    bench_pool_drop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_the_givers_until_it_is_accepted),
        cmocka_unit_test(an_offer_can_be_taken_back_and_made_again),
        cmocka_unit_test(the_last_of_several_readers_frees),
        cmocka_unit_test(of_two_racing_double_frees_one_wins),
        cmocka_unit_test(a_free_between_look_and_step_of_another_wins),
        cmocka_unit_test(of_an_accept_and_a_withdraw_one_wins),
        cmocka_unit_test(a_withdraw_between_look_and_step_of_an_accept_wins),
        cmocka_unit_test(a_join_and_the_last_leave_agree),
        cmocka_unit_test(of_two_last_readers_one_frees),
        cmocka_unit_test(a_waiter_gets_what_comes_free),
        cmocka_unit_test(a_waiter_goes_when_its_time_is_over),
        cmocka_unit_test(a_system_that_cannot_wait_is_told),
        cmocka_unit_test(reclaim_gives_back_what_the_dead_held_and_nothing_else),
        cmocka_unit_test(reclaim_while_a_reader_holds_leaves_it_its_bytes),
        cmocka_unit_test(rebuild_restores_all_hints_and_is_idempotent),
        cmocka_unit_test(check_finds_every_broken_invariant),
    };
    return cmocka_run_group_tests_name("pool_hands", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A hostile peer: random bytes anywhere in the control area, before the operations and during them. Whatever they
 * say, a survivor neither crashes nor hangs nor touches a byte outside the pool: the pool ends at a page that cannot
 * be touched, in front of it lie bytes that must stay, and all work is done in a child that has its time.
 */
#define _GNU_SOURCE
#include "../pool/pool.h"
#include "../pool/pool_testing.h"
#include "../base/os.h"
#include "harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static const struct dry_pool_config classes[] = {{64, 70}, {256, 5}, {64, 1}}, further[] = {{128, 66}};

struct target {
    struct dry_pool_memory memory, more;
    struct dry_pool_layout layout;
    struct dry_pool *p[3];
    uint64_t random;
};

static uint64_t next_random(struct target *t)
{
    t->random ^= t->random << 13;
    t->random ^= t->random >> 7;
    t->random ^= t->random << 17;
    return t->random;
}

/* [bytes that must stay][`size` bytes][a page without access] */
static struct dry_pool_memory fence(uint64_t size)
{
    size_t page = dry_os_page_bytes();
    struct dry_pool_memory m = {.length = (size + page - 1) / page * page};
    m.offset = m.length - size;
    m.base = mmap(NULL, m.length + page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(m.base != MAP_FAILED && mprotect((uint8_t *)m.base + m.length, page, PROT_NONE) == 0);
    memset(m.base, 0xa5, m.offset);
    return m;
}

static void unfence(struct dry_pool_memory m)
{
    for (size_t i = 0; i < m.offset; i++)
        CHECK(((const uint8_t *)m.base)[i] == 0xa5);
    munmap(m.base, m.length + dry_os_page_bytes());
}

/* One peer has a cache, the other has none; an extent is there, and both have it. */
static void set_up(struct target *t, uint32_t flags, uint64_t seed)
{
    uint64_t size = 0;
    uint32_t number = 0;
    *t = (struct target){.random = seed};
    CHECK(dry_pool_layout(classes, 3, &t->layout, NULL) == DRY_OK);
    CHECK(dry_pool_extent_size(further, 1, &size, NULL) == DRY_OK);
    t->memory = fence(t->layout.required_size);
    t->more = fence(size);
    CHECK(dry_pool_init(t->memory, classes, 3, flags, NULL) == DRY_OK);
    for (unsigned peer = 1; peer <= 2; peer++)
        CHECK(dry_pool_open(t->memory, peer, NULL, &t->p[peer], NULL) == DRY_OK);
    CHECK(dry_pool_extend(t->p[1], t->more, further, 1, &number, NULL) == DRY_OK);
    for (unsigned peer = 1; peer <= 2; peer++)
        CHECK(dry_pool_attach(t->p[peer], number, t->more, NULL) == DRY_OK);
    CHECK(dry_pool_cache(t->p[1], 12, NULL) == DRY_OK);
}

static void tear_down(struct target *t)
{
    dry_pool_close(t->p[1]);
    dry_pool_close(t->p[2]);
    unfence(t->memory);
    unfence(t->more);
}

/* Of the control areas, which for the extent are all that lies before its payloads. */
static void scribble(struct target *t, size_t n)
{
    uint64_t first = t->layout.control_size / 8, second = (t->more.length - t->more.offset - 128u * 66u) / 8;
    uint64_t *control = (uint64_t *)(void *)((uint8_t *)t->memory.base + t->memory.offset);
    uint64_t *further_control = (uint64_t *)(void *)((uint8_t *)t->more.base + t->more.offset);
    for (size_t i = 0; i < n; i++) {
        uint64_t value = next_random(t), at = next_random(t) % (first + second);
        /* The rows of peers are most of it, and least of what is read. */
        if (at >= 64 && at < 2048) at = next_random(t) % (first + second);
        if (value % 4 == 0) value = 0;
        if (value % 4 == 1) value = UINT64_MAX;
        /* Also words that look right: a state, one of the peers, a small version. */
        if (value % 4 == 2) value = next_random(t) % 16 << 10 | next_random(t) % 3 << 2 | next_random(t) % 4;
        __atomic_store_n(at < first ? control + at : further_control + (at - first), value, __ATOMIC_RELAXED);
    }
}

static struct dry_slot any_slot(struct target *t)
{
    uint64_t r = next_random(t);
    struct dry_slot slot = {.generation = r >> 20 & 15, .index = (uint32_t)(r >> 32) % 80,
                            .class_index = (uint16_t)(r % 5 == 4 ? 64 : r % 4)};
    if (r >> 10 & 1) slot.generation = next_random(t);
    if ((r >> 11 & 15) == 0) slot.index = (uint32_t)next_random(t);
    return slot;
}

static void use_bytes(struct target *t, unsigned peer, struct dry_slot slot)
{
    const void *view;
    void *bytes;
    if (dry_pool_data(t->p[peer], slot, &view) == DRY_OK)
        CHECK(*(const uint8_t *)view + 1 > 0); /* the read is the point */
    if (dry_pool_data_mut(t->p[peer], slot, &bytes) == DRY_OK)
        memset(bytes, 0x5a, dry_pool_slot_size(t->p[peer], slot.class_index));
}

/* Answers do not matter here, only that there is one. */
static void ignore(enum dry_status status) { (void)status; }

static void act(struct target *t)
{
    unsigned peer = 1 + (unsigned)(next_random(t) % 2);
    struct dry_pool *p = t->p[peer], *again = NULL;
    struct dry_slot slot = any_slot(t), out = slot, many[40];
    struct dry_pool_config found[DRY_POOL_CLASSES_MAX];
    struct dry_error err;
    size_t n = 0;
    struct dry_pool_class_stats class_stats;
    struct dry_pool_peer_stats peer_stats;
    switch (next_random(t) % 22) {
    case 0: ignore(dry_pool_allocate(p, next_random(t) % 300, &out)); break;
    case 1: ignore(dry_pool_allocate_wait(p, 1, 0, &out)); break;
    case 2:
        ignore(dry_pool_allocate_batch(p, next_random(t) % 70, many, 40, &n));
        ignore(dry_pool_free_batch(p, many, n, &n));
        break;
    case 3: ignore(dry_pool_free(p, slot)); break;
    case 4: ignore(dry_pool_offer(p, slot, 3 - peer, &out)); break;
    case 5: ignore(dry_pool_accept(p, slot, &out)); break;
    case 6: ignore(dry_pool_withdraw(p, slot, &out)); break;
    case 7: ignore(dry_pool_share(p, slot, &out)); break;
    case 8: ignore(dry_pool_ref(p, slot)); break;
    case 9: ignore(dry_pool_unref(p, slot)); break;
    case 10: ignore(dry_pool_reclaim(p, 3 - peer, nobody_is_alive, NULL, &n)); break;
    case 11: dry_pool_rebuild(p); break;
    case 12: ignore(dry_pool_check(p, &err)); break;
    case 13: ignore(dry_pool_discover(t->memory, found, &n, &err)); break;
    case 14:
        if (dry_pool_open(t->memory, 3, NULL, &again, &err) == DRY_OK) dry_pool_close(again);
        break;
    case 15: ignore(dry_pool_cache(p, (uint32_t)(next_random(t) % 20), &err)); break;
    case 16: ignore(dry_pool_class_stats(p, slot.class_index, &class_stats)); break;
    case 17: ignore(dry_pool_peer_stats(p, 3 - peer, &peer_stats)); break;
    case 18: ignore(dry_pool_quota(p, peer, (uint32_t)(next_random(t) % 40))); break;
    case 19: ignore(dry_pool_extend(p, t->more, further, 1, &(uint32_t){0}, &err)); break;
    case 20:
        if (dry_pool_open(t->memory, 3, NULL, &again, &err) != DRY_OK) break;
        ignore(dry_pool_attach(again, dry_pool_missing_extent(again), t->more, &err));
        dry_pool_close(again);
        break;
    default: break;
    }
    use_bytes(t, peer, out);
}

static void meet_rubbish(void *arg)
{
    (void)arg;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct target t;
        set_up(&t, seed % 2 ? DRY_POOL_CLEAR : 0, seed * 0x9e3779b97f4a7c15);
        for (int i = 0; i < 100; i++) {
            scribble(&t, next_random(&t) % 50);
            act(&t);
        }
        tear_down(&t);
    }
}

static void rubbish_before_an_operation_hurts_nobody(void **state)
{
    (void)state;
    assert_int_equal(harness_run(meet_rubbish, NULL), 0);
}

static void scribble_for_ever(void *arg)
{
    struct target t = *(struct target *)arg;
    t.random = 77;
    for (;;)
        scribble(&t, 100);
}

static void meet_a_vandal(void *arg)
{
    (void)arg;
    struct target t;
    set_up(&t, DRY_POOL_CLEAR, 4711);
    pid_t vandal = harness_start(scribble_for_ever, &t);
    CHECK(vandal > 0);
    for (int i = 0; i < 30000; i++)
        act(&t);
    kill(vandal, SIGKILL);
    CHECK(harness_end(vandal) == -SIGKILL);
    tear_down(&t);
}

static void rubbish_during_an_operation_hurts_nobody(void **state)
{
    (void)state;
    assert_int_equal(harness_run(meet_a_vandal, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rubbish_before_an_operation_hurts_nobody),
        cmocka_unit_test(rubbish_during_an_operation_hurts_nobody),
    };
    return cmocka_run_group_tests_name("pool_hostile", tests, NULL, NULL);
}

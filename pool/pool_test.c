/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Layout, joining, and one holder. Several holders and races: hands_test.c; killed peers: kill_test.c; rubbish in
 * shared memory: tests/pool_hostile_test.c; many at once: tests/pool_storm_test.c.
 */
#define _GNU_SOURCE
#include "unit_testing.h"

/* ---- layout and joining ---------------------------------------------------------------------------------------- */

/* rule: pool.layout, pool.slot-meta */
static void the_layout_is_what_the_format_says(void **state)
{
    (void)state;
    struct dry_pool_layout l;
    uint64_t size;
    assert_int_equal(dry_pool_layout(two_classes, 2, &l, NULL), DRY_OK);
    assert_int_equal(l.classes[0].slot_size, 128);
    assert_int_equal(l.classes[0].hints, 16768 + 2 * 64);
    assert_int_equal(l.classes[0].slots, 16896 + 2 * 64);
    assert_int_equal(l.classes[1].hints, 17024 + 70 * 64);
    assert_int_equal(l.classes[1].slots, 21504 + 64);
    assert_int_equal(l.control_size, 21568 + 3 * 64);
    assert_int_equal(l.classes[0].payload, l.control_size);
    assert_int_equal(l.classes[1].payload, l.control_size + 70 * 128);
    assert_int_equal(l.classes[1].slot_size, 1024);
    assert_int_equal(l.required_size, l.control_size + 70 * 128 + 3 * 1024);
    assert_int_equal(dry_pool_required_size(two_classes, 2, &size, NULL), DRY_OK);
    assert_int_equal(size, l.required_size);
}

/* rule: pool.classes, pool.layout */
static void classes_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        struct dry_pool_config config;
        size_t n;
        enum dry_status status;
    } cases[] = {
        {"no class", {1, 1}, 0, DRY_INVALID},
        {"too many classes", {1, 1}, DRY_POOL_CLASSES_MAX + 1, DRY_INVALID},
        {"a class of no slots", {64, 0}, 1, DRY_INVALID},
        {"slots of no bytes", {0, 1}, 1, DRY_INVALID},
        {"too many slots", {64, DRY_POOL_SLOTS_MAX + 1}, 1, DRY_TOO_BIG},
        {"a size that cannot be rounded up", {UINT64_MAX, 1}, 1, DRY_TOO_BIG},
        {"a product that does not fit", {UINT64_C(1) << 40, 1 << 25}, 1, DRY_TOO_BIG},
        {"a sum that does not fit", {UINT64_MAX / 2 + 1, 1}, 2, DRY_TOO_BIG},
    };
    struct dry_pool_config configs[DRY_POOL_CLASSES_MAX + 1];
    struct dry_pool_layout l = {.class_count = 77};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_error err = {.text = ""};
        for (size_t c = 0; c <= DRY_POOL_CLASSES_MAX; c++)
            configs[c] = cases[i].config;
        if (dry_pool_layout(configs, cases[i].n, &l, &err) != cases[i].status) fail_msg("%s", cases[i].why);
        assert_true(err.text[0]);
        assert_int_equal(l.class_count, 77);
    }
}

/* rule: pool.init */
static void init_and_open_never_touch_payloads(void **state)
{
    (void)state;
    const struct dry_pool_config config = {4096, 200};
    struct dry_pool_layout l;
    struct dry_pool *p;
    struct dry_pool_memory m = {0};
    assert_int_equal(dry_pool_layout(&config, 1, &l, NULL), DRY_OK);
    size_t control = (l.control_size + 4095) / 4096 * 4096;
    m.length = l.required_size + control - l.control_size;
    m.base = mmap(NULL, m.length, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    m.offset = control - l.control_size; /* so that payloads begin at a page */
    assert_int_equal(mprotect(m.base, control, PROT_READ | PROT_WRITE), 0);
    assert_int_equal(dry_pool_init(m, &config, 1, 0, NULL), DRY_OK);
    assert_int_equal(dry_pool_open(m, 1, NULL, &p, NULL), DRY_OK);
    struct dry_slot slot = take(p, 4096);
    assert_int_equal(dry_pool_free(p, slot), DRY_OK);
    assert_int_equal(dry_pool_check(p, NULL), DRY_OK);
    dry_pool_close(p);
    munmap(m.base, m.length);
}

/* rule: pool.init */
static void init_refuses_what_is_not_zero_short_or_misaligned(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_error err;
    set_up(&b, two_classes, 2, 0);
    assert_int_equal(dry_pool_init(b.memory, two_classes, 2, 0, &err), DRY_EXISTS);
    memset(b.memory.base, 0, b.layout.control_size);
    uint8_t *last = (uint8_t *)b.memory.base + b.layout.control_size - 1;
    *last = 1;
    assert_int_equal(dry_pool_init(b.memory, two_classes, 2, 0, &err), DRY_EXISTS);
    assert_non_null(strstr(err.text, "not zero"));
    assert_int_equal(dry_pool_open(b.memory, 1, NULL, &(struct dry_pool *){NULL}, &err), DRY_NOT_FOUND);
    *last = 0;
    struct dry_pool_memory m = b.memory;
    m.offset = 8;
    assert_int_equal(dry_pool_init(m, two_classes, 2, 0, &err), DRY_INVALID);
    m = b.memory;
    m.length--;
    assert_int_equal(dry_pool_init(m, two_classes, 2, 0, &err), DRY_FULL);
    m.offset = m.length + 63;
    assert_int_not_equal(dry_pool_init(m, two_classes, 2, 0, &err), DRY_OK);
    assert_int_equal(dry_pool_init(b.memory, two_classes, 2, 2, &err), DRY_INVALID);
    last[1] = 1; /* payload */
    assert_int_equal(dry_pool_init(b.memory, two_classes, 2, 0, &err), DRY_OK);
    bench_pool_drop(&b);
}

/* rule: pool.header, pool.class-table, pool.fingerprint. Each refusal has a status of its own; `at` is the byte of
 * the control area that is changed. */
static void open_refuses_what_it_cannot_trust(void **state)
{
    (void)state;
    enum { TABLE = sizeof(struct pool_head) };
    static const struct {
        const char *why;
        size_t at;
        uint8_t value;
        enum dry_status status;
    } cases[] = {
        {"no magic", 0, 0, DRY_NOT_FOUND},
        {"being made", 7, 0, DRY_NOT_FOUND},
        {"another version", 8, 3, DRY_UNSUPPORTED},
        {"another layout", 12, 0xff, DRY_LAYOUT},
        {"another size", 16, 0xff, DRY_CORRUPT},
        {"no classes", 24, 0, DRY_CORRUPT},
        {"65 classes", 24, 65, DRY_CORRUPT},
        {"64 classes", 24, 64, DRY_CORRUPT},
        {"a class of no bytes", TABLE, 0, DRY_CORRUPT},
        {"a class of more bytes than there are", TABLE + 3, 1, DRY_TOO_BIG},
        {"a class of bytes beyond 64 bits", TABLE + 7, 0xff, DRY_CORRUPT},
        {"hints elsewhere", TABLE + 8, 0x41, DRY_CORRUPT},
        {"slots elsewhere", TABLE + 16, 0x41, DRY_CORRUPT},
        {"payloads elsewhere", TABLE + 24, 0x41, DRY_CORRUPT},
        {"fewer slots", TABLE + 32, 1, DRY_CORRUPT},
        {"more slots than there can be", TABLE + 35, 0xff, DRY_CORRUPT},
    };
    struct bench_pool b;
    struct dry_pool *p = NULL;
    set_up(&b, two_classes, 2, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_error err = {.text = ""};
        struct dry_pool_config configs[DRY_POOL_CLASSES_MAX];
        uint8_t *byte = (uint8_t *)b.memory.base + cases[i].at, was = *byte;
        size_t n = 0;
        *byte = cases[i].value;
        enum dry_status status = dry_pool_open(b.memory, 1, NULL, &p, &err);
        if (status != cases[i].status) fail_msg("%s: %s: %s", cases[i].why, dry_status_name(status), err.text);
        assert_true(err.text[0]);
        assert_null(p);
        assert_int_equal(dry_pool_discover(b.memory, configs, &n, &err), status);
        *byte = was;
    }
    bench_pool_drop(&b);
}

/* rule: pool.header */
static void open_refuses_wrong_peers_and_short_memory(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_pool *p = NULL;
    set_up(&b, two_classes, 2, 0);
    struct dry_pool_memory m = b.memory;
    assert_int_equal(dry_pool_open(m, 0, NULL, &p, NULL), DRY_INVALID);
    assert_int_equal(dry_pool_open(m, 256, NULL, &p, NULL), DRY_INVALID);
    for (size_t length = 0; length < m.length; length += 61) {
        struct dry_pool_memory shorter = {m.base, length, 0};
        assert_int_equal(dry_pool_open(shorter, 1, NULL, &p, NULL), DRY_TOO_BIG);
    }
    assert_int_equal(dry_pool_open((struct dry_pool_memory){m.base, m.length, 32}, 1, NULL, &p, NULL), DRY_INVALID);
    assert_int_equal(dry_pool_open((struct dry_pool_memory){NULL, 4096, 0}, 1, NULL, &p, NULL), DRY_INVALID);
    assert_null(p);
    bench_pool_drop(&b);
}

static void discover_finds_the_classes(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_pool_config found[DRY_POOL_CLASSES_MAX];
    size_t n;
    set_up(&b, two_classes, 2, 0);
    assert_int_equal(dry_pool_discover(b.memory, found, &n, NULL), DRY_OK);
    assert_int_equal(n, 2);
    assert_int_equal(found[0].slot_size, 128);
    assert_int_equal(found[1].slot_count, 3);
    assert_int_equal(dry_pool_class_count(b.p[2]), 2);
    assert_int_equal(dry_pool_slot_size(b.p[2], 1), 1024);
    assert_int_equal(dry_pool_slot_count(b.p[2], 0), 70);
    assert_int_equal(dry_pool_slot_size(b.p[2], 2), 0);
    bench_pool_drop(&b);
}

/* ---- one holder ------------------------------------------------------------------------------------------------ */

/* rule: pool.selection */
static void unsorted_classes_give_the_smallest_that_fits_then_larger_ones(void **state)
{
    (void)state;
    static const struct dry_pool_config unsorted[] = {{4096, 1}, {64, 1}, {1024, 1}, {64, 1}};
    static const uint16_t expected[] = {1, 3, 2, 0};
    struct bench_pool b;
    struct dry_slot slots[5];
    set_up(&b, unsorted, 4, 0);
    for (int i = 0; i < 4; i++) {
        slots[i] = take(b.p[1], 10);
        assert_int_equal(slots[i].class_index, expected[i]);
    }
    assert_int_equal(dry_pool_allocate(b.p[1], 10, &slots[4]), DRY_FULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(dry_pool_free(b.p[1], slots[i]), DRY_OK);
    slots[0] = take(b.p[1], 65);
    assert_int_equal(slots[0].class_index, 2);
    slots[0] = take(b.p[1], 65);
    assert_int_equal(slots[0].class_index, 0);
    assert_int_equal(dry_pool_allocate(b.p[1], 65, &slots[0]), DRY_FULL);
    bench_pool_drop(&b);
}

/* rule: pool.selection */
static void size_zero_is_a_slot_and_too_large_is_told(void **state)
{
    (void)state;
    struct bench_pool b;
    set_up(&b, two_classes, 2, 0);
    struct dry_slot none = {.index = 77}, slot = take(b.p[1], 0);
    assert_int_equal(slot.class_index, 0);
    assert_int_equal(slot.length, 0);
    assert_int_equal(take(b.p[1], 1024).class_index, 1);
    assert_int_equal(dry_pool_allocate(b.p[1], 1025, &none), DRY_TOO_BIG);
    assert_int_equal(dry_pool_allocate_wait(b.p[1], UINT64_MAX, -1, &none), DRY_TOO_BIG);
    assert_int_equal(none.index, 77);
    bench_pool_drop(&b);
}

/* rule: pool.allocate, pool.payload */
static void every_slot_is_given_once_with_bytes_of_its_own(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot slots[80];
    set_up(&b, two_classes, 2, 0);
    for (int i = 0; i < 73; i++) {
        void *bytes;
        slots[i] = take(b.p[i % 2 + 1], 100);
        assert_int_equal(dry_pool_data_mut(b.p[i % 2 + 1], slots[i], &bytes), DRY_OK);
        assert_int_equal((uintptr_t)bytes % 64, 0);
        memset(bytes, i, dry_pool_slot_size(b.p[1], slots[i].class_index));
    }
    assert_int_equal(dry_pool_allocate(b.p[1], 1, &slots[73]), DRY_FULL);
    assert_whole(&b);
    for (int i = 0; i < 73; i++) {
        const void *bytes;
        assert_int_equal(dry_pool_data(b.p[i % 2 + 1], slots[i], &bytes), DRY_OK);
        assert_int_equal(*(const uint8_t *)bytes, i);
        assert_int_equal(((const uint8_t *)bytes)[127], i);
        assert_int_equal(dry_pool_free(b.p[i % 2 + 1], slots[i]), DRY_OK);
    }
    assert_whole(&b);
    assert_int_equal(count_free(b.p[3], 1), 73);
    bench_pool_drop(&b);
}

/* rule: pool.free */
static void a_double_stale_or_foreign_free_is_refused(void **state)
{
    (void)state;
    struct bench_pool b;
    const struct dry_pool_config one = {64, 1};
    set_up(&b, &one, 1, 0);
    struct dry_slot slot = take(b.p[1], 64), old = slot;
    assert_int_equal(dry_pool_free(b.p[2], slot), DRY_DENIED);
    assert_int_equal(dry_pool_free(b.p[1], slot), DRY_OK);
    assert_int_equal(dry_pool_free(b.p[1], slot), DRY_STALE);
    slot = take(b.p[1], 64);
    assert_int_equal(slot.index, old.index);
    assert_int_equal(dry_pool_free(b.p[1], old), DRY_STALE);
    old.generation = slot.generation + 1; /* wrong generation */
    assert_int_equal(dry_pool_free(b.p[1], old), DRY_STALE);
    old.generation = slot.generation + (WORD_VERSION_MAX + 1); /* the same, if the upper bits fell off */
    assert_int_equal(dry_pool_free(b.p[1], old), DRY_STALE);
    old.generation = UINT64_MAX;
    assert_int_equal(dry_pool_free(b.p[1], old), DRY_STALE);
    assert_int_equal(dry_pool_free(b.p[1], slot), DRY_OK);
    assert_whole(&b);
    bench_pool_drop(&b);
}

/* rule: pool.bounds */
static void a_reference_out_of_range_is_refused_everywhere(void **state)
{
    (void)state;
    struct bench_pool b;
    set_up(&b, two_classes, 2, 0);
    const struct dry_slot good = take(b.p[1], 1);
    struct dry_slot cases[4] = {good, good, good, good}, out = good;
    cases[0].index = 70;
    cases[1].index = UINT32_MAX;
    cases[2].class_index = 2;
    cases[3].class_index = UINT16_MAX;
    for (int i = 0; i < 4; i++) {
        void *bytes;
        const void *view;
        assert_int_equal(dry_pool_free(b.p[1], cases[i]), DRY_INVALID);
        assert_int_equal(dry_pool_offer(b.p[1], cases[i], 2, &out), DRY_INVALID);
        assert_int_equal(dry_pool_accept(b.p[1], cases[i], &out), DRY_INVALID);
        assert_int_equal(dry_pool_withdraw(b.p[1], cases[i], &out), DRY_INVALID);
        assert_int_equal(dry_pool_share(b.p[1], cases[i], &out), DRY_INVALID);
        assert_int_equal(dry_pool_ref(b.p[1], cases[i]), DRY_INVALID);
        assert_int_equal(dry_pool_unref(b.p[1], cases[i]), DRY_INVALID);
        assert_int_equal(dry_pool_data(b.p[1], cases[i], &view), DRY_INVALID);
        assert_int_equal(dry_pool_data_mut(b.p[1], cases[i], &bytes), DRY_INVALID);
    }
    assert_memory_equal(&out, &good, sizeof out);
    bench_pool_drop(&b);
}

static void batches_take_what_is_there_and_free_what_is_theirs(void **state)
{
    (void)state;
    struct bench_pool b;
    struct dry_slot slots[80];
    size_t got = 77, freed;
    set_up(&b, two_classes, 2, 0);
    assert_int_equal(dry_pool_allocate_batch(b.p[1], 1, slots, 0, &got), DRY_OK);
    assert_int_equal(got, 0);
    assert_int_equal(dry_pool_allocate_batch(b.p[1], 1, slots, 80, &got), DRY_OK);
    assert_int_equal(got, 73);
    assert_int_equal(dry_pool_allocate_batch(b.p[2], 1, slots + got, 1, &got), DRY_FULL);
    assert_int_equal(got, 73);
    slots[5] = slots[4];
    slots[9].index = 1000;
    assert_int_equal(dry_pool_free_batch(b.p[1], slots, 73, &freed), DRY_STALE);
    assert_int_equal(freed, 71);
    assert_whole(&b);
    assert_int_equal(count_free(b.p[3], 1), 71);
    bench_pool_drop(&b);
}

/* rule: pool.generation */
static void a_slot_whose_versions_are_used_up_is_retired(void **state)
{
    (void)state;
    const struct dry_pool_config one = {64, 1};
    struct bench_pool b;
    struct dry_slot slot;
    set_up(&b, &one, 1, 0);
    struct pool_cell *cell = (struct pool_cell *)((uint8_t *)b.memory.base + b.layout.classes[0].slots);
    cell->word.word = word_make(WORD_VERSION_CLAIM_LAST - 1, 0, POOL_FREE);
    slot = take(b.p[1], 1);
    assert_int_equal(dry_pool_free(b.p[1], slot), DRY_OK);
    assert_int_equal(dry_pool_allocate(b.p[1], 1, &slot), DRY_FULL);
    dry_pool_rebuild(b.p[1]);
    assert_int_equal(dry_pool_allocate(b.p[1], 1, &slot), DRY_FULL);
    dry_pool_rebuild(b.p[1]);
    assert_whole(&b);
    cell->word.word = word_make(5, 9, POOL_FREE); /* which is no state */
    ((struct pool_group *)((uint8_t *)b.memory.base + b.layout.classes[0].hints))->free.word = 1;
    assert_int_equal(dry_pool_allocate(b.p[1], 1, &slot), DRY_FULL);
    cell->word.word = word_make(WORD_VERSION_GIVE_LAST, 1, POOL_HELD);
    slot.generation = WORD_VERSION_GIVE_LAST;
    slot.index = slot.class_index = 0;
    assert_int_equal(dry_pool_share(b.p[1], slot, &slot), DRY_FULL);
    assert_int_equal(dry_pool_free(b.p[1], slot), DRY_OK);
    bench_pool_drop(&b);
}

/* rule: pool.clear */
static void freed_bytes_are_cleared_where_the_pool_asks_for_it(void **state)
{
    (void)state;
    const struct dry_pool_config one = {64, 1};
    struct bench_pool b;
    for (uint32_t flags = 0; flags <= DRY_POOL_CLEAR; flags++) {
        void *bytes;
        set_up(&b, &one, 1, flags);
        struct dry_slot slot = take(b.p[1], 64);
        assert_int_equal(dry_pool_data_mut(b.p[1], slot, &bytes), DRY_OK);
        memset(bytes, 'x', 64);
        assert_int_equal(dry_pool_free(b.p[1], slot), DRY_OK);
        assert_int_equal(dry_pool_free(b.p[1], slot), DRY_STALE);
        slot = take(b.p[2], 64);
        assert_int_equal(dry_pool_data_mut(b.p[2], slot, &bytes), DRY_OK);
        assert_int_equal(*(uint8_t *)bytes, flags ? 0 : 'x');
        bench_pool_drop(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layout_is_what_the_format_says),
        cmocka_unit_test(classes_that_cannot_be_are_refused),
        cmocka_unit_test(init_and_open_never_touch_payloads),
        cmocka_unit_test(init_refuses_what_is_not_zero_short_or_misaligned),
        cmocka_unit_test(open_refuses_what_it_cannot_trust),
        cmocka_unit_test(open_refuses_wrong_peers_and_short_memory),
        cmocka_unit_test(discover_finds_the_classes),
        cmocka_unit_test(unsorted_classes_give_the_smallest_that_fits_then_larger_ones),
        cmocka_unit_test(size_zero_is_a_slot_and_too_large_is_told),
        cmocka_unit_test(every_slot_is_given_once_with_bytes_of_its_own),
        cmocka_unit_test(a_double_stale_or_foreign_free_is_refused),
        cmocka_unit_test(a_reference_out_of_range_is_refused_everywhere),
        cmocka_unit_test(batches_take_what_is_there_and_free_what_is_theirs),
        cmocka_unit_test(a_slot_whose_versions_are_used_up_is_retired),
        cmocka_unit_test(freed_bytes_are_cleared_where_the_pool_asks_for_it),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}

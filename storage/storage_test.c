/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "storage_testing.h"
#include "room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define WHY(k, cond)                                                                                                  \
    do {                                                                                                              \
        if (!(cond)) fail_msg("%s: not %s", (k)->why, #cond);                                                         \
    } while (0)

/* ---- every kind ---- */
static void each_kind_counts_its_holders_or_none(void **state)
{
    (void)state;
    for (const struct test_kind *k = test_kinds; k < test_kinds + TEST_KINDS; k++) {
        struct dry_storage *s = made(k);
        size_t n = k->empty ? 0 : TEST_BYTES;
        WHY(k, dry_storage_len(s) == n && dry_storage_is_empty(s) == k->empty);
        WHY(k, n == 0 || memcmp(dry_storage_data(s), test_bytes, n) == 0);
        WHY(k, dry_storage_refcount(s) == (k->counted ? 1 : UINT64_MAX));
        WHY(k, dry_storage_is_exclusive(s) == k->counted);
        WHY(k, dry_storage_is_immortal(s) == !k->counted);
        WHY(k, (dry_storage_try_mut(s) != NULL) == k->writable);
        size_t heap = heap_bytes();
        WHY(k, dry_storage_ref(s) == s);
        WHY(k, dry_storage_refcount(s) == (k->counted ? 2 : UINT64_MAX));
        WHY(k, !dry_storage_is_exclusive(s) && !dry_storage_try_mut(s));
        dry_storage_unref(s);
        WHY(k, dry_storage_is_exclusive(s) == k->counted);
        WHY(k, heap_bytes() == heap);
        dry_storage_unref(s);
        dry_storage_unref(NULL);
    }
    assert_int_equal(test_ledger.out_bytes, 0);
}

static void each_kind_gives_its_room_back_or_says_why_not(void **state)
{
    (void)state;
    for (const struct test_kind *k = test_kinds; k < test_kinds + TEST_KINDS; k++) {
        struct dry_storage *s = made(k), *was = s;
        struct dry_raw raw = {.len = 99};
        size_t elem = k->elem_size ? k->elem_size : 1;
        if (k->counted) {
            dry_storage_ref(s);
            WHY(k, dry_storage_try_detach(&s, elem, elem, &raw) == DRY_SHARED);
            dry_storage_unref(s);
        }
        if (k->elem_size) {
            WHY(k, dry_storage_try_detach(&s, 2, 2, &raw) == DRY_INVALID); /* another element, smaller */
            WHY(k, dry_storage_try_detach(&s, elem, 2 * elem, &raw) == DRY_INVALID);
            WHY(k, s == was && raw.len == 99);
            const void *data = s->data;
            WHY(k, dry_storage_try_detach(&s, elem, elem, &raw) == DRY_OK);
            WHY(k, raw.at == data && raw.len * elem == TEST_BYTES && raw.cap >= raw.len && raw.elem_size == elem);
            WHY(k, raw.cap == raw.len * (elem == 4 ? 2 : 1));
            WHY(k, s == dry_storage_empty());
            dry_raw_release(&raw);
            WHY(k, dry_storage_try_detach(&s, elem, elem, &raw) == DRY_OK && raw.len == 0 && raw.cap == 0 && !raw.at);
        } else if (!k->empty) {
            enum dry_status want = k->counted ? DRY_UNSUPPORTED : DRY_SHARED;
            WHY(k, dry_storage_try_detach(&s, 1, 1, &raw) == want);
            WHY(k, s == was && raw.len == 99);
        }
        dry_storage_unref(s);
    }
    assert_int_equal(test_ledger.out_bytes, 0);
}

static void each_kind_can_be_leaked_unless_it_is_shared(void **state)
{
    (void)state;
    for (const struct test_kind *k = test_kinds; k < test_kinds + TEST_KINDS; k++) {
        struct dry_storage *s = made(k), *was = s;
        if (k->counted) {
            dry_storage_ref(s);
            WHY(k, dry_storage_leak(&s) == DRY_SHARED && s == was && dry_storage_refcount(s) == 2);
            dry_storage_unref(s);
            dry_storage_unref(s);
            continue; /* make_leaked is the rest */
        }
        WHY(k, dry_storage_leak(&s) == DRY_OK && s == was); /* immortal: nothing to do, also for a clone */
        WHY(k, strcmp(dry_storage_kind_name(s), "immortal") == 0);
    }
}

static int owned_drops;
static void leaking_keeps_the_owner_and_the_bytes(void **state)
{
    struct dry_storage *s;
    (void)state;
    owned_drops = 0;
    assert_int_equal(dry_storage_adopt(test_bytes, 5, &owned_drops, count_release, NULL, &s), DRY_OK);
    assert_int_equal(dry_storage_leak(&s), DRY_OK);
    test_leaks[4095] = s;
    for (int i = 0; i < 5; i++) dry_storage_unref(s);
    assert_int_equal(owned_drops, 0);
    assert_int_equal(dry_storage_len(s), 5);
    assert_ptr_equal(dry_storage_data(s), test_bytes);
    assert_null(dry_storage_try_mut(s));
    assert_false(dry_storage_is_exclusive(s));
}

/* ---- own heap ---- */
static void own_heap_is_one_allocation_aligned_and_padded_with_zeros(void **state)
{
    static const size_t sizes[] = {1, 63, 64, 65, 1000, 4096, 100001};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        struct ledger l = {.left = 1};
        const struct dry_allocator a = allocator_of(&l), *used = i % 2 ? &a : NULL;
        struct dry_storage *s;
        size_t n = sizes[i / 2], padded = (n + 63) / 64 * 64;
        assert_int_equal(dry_storage_new(n, used, &s), DRY_OK);
        assert_int_equal((uintptr_t)dry_storage_data(s) % DRY_ALIGN, 0);
        assert_ptr_equal(dry_storage_data(s), (char *)s + DRY_HEADER_BYTES);
        for (size_t k = n; k < padded; k++) assert_int_equal(((const uint8_t *)dry_storage_data(s))[k], 0);
        memset(dry_storage_try_mut(s), 1, n);
        dry_storage_unref(s);
        l.left = 1;
        assert_int_equal(dry_storage_zeroed(n, used, &s), DRY_OK);
        for (size_t k = 0; k < padded; k++) assert_int_equal(((const uint8_t *)dry_storage_data(s))[k], 0);
        assert_true(dry_storage_is_exclusive(s)); /* no shared region of zeros is behind it */
        dry_storage_unref(s);
        assert_int_equal(l.out_bytes, 0);
    }
}

static void sizes_beyond_memory_are_refused(void **state)
{
    struct dry_storage *s = NULL;
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 63, SIZE_MAX / 2 + 2};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(dry_storage_new(sizes[i], NULL, &s), DRY_TOO_BIG);
        assert_int_equal(dry_storage_new(sizes[i], &test_allocator, &s), DRY_TOO_BIG);
        assert_int_equal(dry_storage_zeroed(sizes[i], NULL, &s), DRY_TOO_BIG);
    }
    assert_int_equal(dry_storage_from_owner(NULL, SIZE_MAX, bytes_of_itself, NULL, NULL, &s), DRY_TOO_BIG);
    assert_null(s);
}

static void without_memory_nothing_is_taken(void **state)
{
    struct ledger l = {.left = 0};
    struct dry_allocator a = allocator_of(&l);
    struct dry_storage *s = NULL;
    int released = 0;
    (void)state;
    assert_int_equal(dry_storage_new(10, &a, &s), DRY_NOMEM);
    assert_int_equal(dry_storage_zeroed(10, &a, &s), DRY_NOMEM);
    assert_int_equal(dry_storage_copy("x", 1, &a, &s), DRY_NOMEM);
    assert_int_equal(dry_storage_adopt("x", 1, &released, count_release, &a, &s), DRY_NOMEM);
    assert_int_equal(dry_storage_from_owner("x", 1, bytes_of_itself, count_release, &a, &s), DRY_NOMEM);
    struct dry_raw raw = raw_16(DRY_RAW_ALLOCATOR, 4), before = raw;
    test_ledger.left = 0;
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_NOMEM);
    test_ledger.left = 1 << 30;
    assert_memory_equal(&raw, &before, sizeof raw);
    assert_null(s);
    assert_int_equal(released, 0);
    dry_raw_release(&raw);
}

static void no_bytes_are_the_empty_storage(void **state)
{
    struct dry_storage *s;
    struct dry_raw raw = {.kind = DRY_RAW_HEAP, .elem_size = 4, .elem_align = 4};
    (void)state;
    assert_int_equal(dry_storage_new(0, NULL, &s), DRY_OK);
    assert_ptr_equal(s, dry_storage_empty());
    assert_int_equal(dry_storage_zeroed(0, NULL, &s), DRY_OK);
    assert_ptr_equal(s, dry_storage_empty());
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
    assert_ptr_equal(s, dry_storage_empty());
}

/* ---- owners ---- */
static void adopted_bytes_are_released_once_by_the_last_holder(void **state)
{
    int released = 0;
    struct dry_storage *s;
    (void)state;
    assert_int_equal(dry_storage_adopt("abc", 3, &released, count_release, NULL, &s), DRY_OK);
    dry_storage_ref(s);
    dry_storage_unref(s);
    assert_int_equal(released, 0);
    dry_storage_unref(s);
    assert_int_equal(released, 1);
    assert_int_equal(dry_storage_adopt(NULL, 0, NULL, NULL, NULL, &s), DRY_OK);
    dry_storage_unref(s);
}

struct self_pointing {
    const char *at;
    char text[8];
    int *released;
};
static const void *settle(void *owner, size_t *n)
{
    struct self_pointing *p = owner;
    p->at = p->text; /* true only because it does not move any more */
    *n = 5;
    return p->at;
}
static void end(void *owner)
{
    struct self_pointing *p = owner;
    if (p->at == p->text) ++*p->released;
}
static void an_owner_is_in_its_place_before_it_is_asked(void **state)
{
    int released = 0;
    struct dry_storage *s;
    struct self_pointing owner = {.text = "inside", .released = &released};
    (void)state;
    assert_int_equal(dry_storage_from_owner(&owner, sizeof owner, settle, end, &test_allocator, &s), DRY_OK);
    memset(&owner, 0xff, sizeof owner);
    assert_memory_equal(dry_storage_data(s), "inside", 5);
    dry_storage_unref(s);
    assert_int_equal(released, 1);
    assert_int_equal(test_ledger.out_bytes, 0);
}

/* ---- rooms ---- */
static int dropped;
static uint32_t dropped_sum;
static void drop_u32(void *elem)
{
    dropped++;
    dropped_sum += *(uint32_t *)elem;
}

static void own_room_comes_in_without_an_allocation_and_goes_out_again(void **state)
{
    (void)state;
    struct dry_raw raw = raw_16(DRY_RAW_HEAP, 4), back;
    struct dry_storage *s;
    void *at = raw.at;
    size_t heap = heap_bytes();
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
    assert_null(raw.at);
    assert_ptr_equal(dry_storage_data(s), at);
    assert_int_equal(dry_storage_try_detach(&s, 4, 4, &back), DRY_OK);
    assert_int_equal(heap_bytes(), heap);
    assert_ptr_equal(back.at, at);
    assert_int_equal(back.cap, 8);
    dry_raw_release(&back);
}

static void elements_with_a_destructor_end_once(void **state)
{
    (void)state;
    for (int kind = DRY_RAW_HEAP; kind <= DRY_RAW_MEMORY; kind++) {
        struct dry_raw raw = raw_16((enum dry_raw_kind)kind, 4), back;
        struct dry_storage *s;
        raw.drop = drop_u32;
        dropped = 0;
        assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
        struct dry_view v = dry_view_adopt(s);
        const void *first;
        size_t n;
        assert_int_equal(dry_view_elements(&v, 1, 1, &first, &n), DRY_INVALID); /* nobody may look into them */
        assert_int_equal(dry_view_elements(&v, 4, 4, &first, &n), DRY_OK);
        assert_int_equal(n, 4);
        assert_int_equal(dry_view_try_detach(&v, 4, 4, &back), DRY_OK);
        assert_int_equal(dropped, 0); /* handed out undestroyed */
        assert_ptr_equal(back.drop, drop_u32);
        assert_int_equal(dry_storage_from_raw(&back, &s), DRY_OK);
        dry_storage_unref(s);
        assert_int_equal(dropped, 4);
    }
    assert_int_equal(test_ledger.out_bytes, 0);
}

static int nothing_dropped;
static void drop_nothing(void *elem)
{
    (void)elem;
    nothing_dropped++;
}
static void elements_of_size_0_are_counted(void **state)
{
    struct dry_raw raw = {.kind = DRY_RAW_NONE, .len = 7, .cap = SIZE_MAX, .elem_align = 1, .drop = drop_nothing};
    struct dry_storage *s;
    const void *first;
    size_t n;
    (void)state;
    nothing_dropped = 0;
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
    struct dry_view v = dry_view_adopt(s);
    assert_int_equal(v.len, 0);
    assert_int_equal(dry_view_elements(&v, 0, 1, &first, &n), DRY_OK);
    assert_int_equal(n, 7);
    assert_int_equal(dry_view_pinned_bytes(&v), 0);
    assert_int_equal(dry_view_try_detach(&v, 0, 1, &raw), DRY_OK);
    assert_int_equal(raw.len, 7);
    assert_true(raw.cap == SIZE_MAX);
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
    dry_storage_unref(s);
    assert_int_equal(nothing_dropped, 7);
    v = dry_view_adopt(make_new());
    assert_int_equal(dry_view_elements(&v, 0, 1, &first, &n), DRY_INVALID); /* bytes are not elements of size 0 */
    dry_view_unref(&v);
    raw = (struct dry_raw){.kind = DRY_RAW_HEAP, .len = 3, .cap = 3, .elem_align = 1};
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_UNSUPPORTED);
}

static void an_over_aligned_room_keeps_its_alignment(void **state)
{
    (void)state;
    struct dry_raw raw = {.kind = DRY_RAW_HEAP, .len = 1, .cap = 2, .elem_size = 4096, .elem_align = 4096}, back;
    struct dry_storage *s;
    raw.at = dry_block_new(8192, 4096, DRY_FRONT_BYTES);
    assert_int_equal(dry_storage_from_raw(&raw, &s), DRY_OK);
    assert_int_equal((uintptr_t)dry_storage_data(s) % 4096, 0);
    assert_int_equal(dry_storage_try_detach(&s, 4096, 4096, &back), DRY_OK);
    assert_int_equal(dry_storage_from_raw(&back, &s), DRY_OK);
    dry_storage_unref(s); /* the sanitizer sees whether the block was found */
}

/* ---- lending ---- */
struct escape {
    bool wanted;
    struct dry_view view;
    int calls;
};
static void use(const struct dry_view *v, void *arg)
{
    struct escape *e = arg;
    e->calls++;
    struct dry_view inside = dry_view_ref(v);
    if (e->wanted && dry_view_narrow(&inside, 1, 2) == DRY_OK)
        e->view = inside;
    else
        dry_view_unref(&inside);
}

static void a_lent_slice_comes_back_or_says_who_has_it(void **state)
{
    char bytes[] = "lent";
    struct escape e = {.wanted = false};
    struct dry_storage *escaped = NULL;
    (void)state;
    assert_int_equal(dry_storage_lend(bytes, 4, use, &e, &escaped), DRY_OK);
    assert_null(escaped);
    e.wanted = true;
    assert_int_equal(dry_storage_lend(bytes, 4, use, &e, &escaped), DRY_SHARED);
    assert_false(dry_storage_is_exclusive(escaped));
    assert_ptr_equal(e.view.data, bytes + 1);
    dry_view_unref(&e.view);
    assert_true(dry_storage_is_exclusive(escaped)); /* from now on the bytes may go */
    dry_storage_unref(escaped);
    assert_int_equal(e.calls, 2);
}

static void a_lent_room_is_never_lost(void **state)
{
    (void)state;
    for (int kind = DRY_RAW_HEAP; kind <= DRY_RAW_MEMORY; kind++)
        for (int round = 0; round < 4; round++) { /* bit 0: a clone escapes; bit 1: there is a destructor */
            struct dry_raw raw = raw_16((enum dry_raw_kind)kind, 4);
            struct escape e = {.wanted = round & 1};
            struct dry_storage *escaped = NULL;
            void *at = raw.at;
            if (round & 2) raw.drop = drop_u32;
            dropped = 0;
            enum dry_status status = dry_storage_lend_raw(&raw, use, &e, &escaped);
            assert_int_equal(status, e.wanted ? DRY_SHARED : DRY_OK);
            bool copied = e.wanted && kind != DRY_RAW_MEMORY && !(round & 2);
            if (!e.wanted) assert_ptr_equal(raw.at, at);
            if (!e.wanted || copied) {
                assert_memory_equal(raw.at, test_bytes, TEST_BYTES);
                assert_int_equal(raw.len, 4);
                assert_int_equal(raw.cap, 8);
                assert_null(escaped);
            } else {
                assert_null(raw.at);
                assert_ptr_equal(dry_storage_data(escaped), at);
            }
            if (e.wanted) assert_memory_equal(e.view.data, test_bytes + 1, 2);
            dry_view_unref(&e.view);
            dry_storage_unref(escaped);
            dry_raw_release(&raw);
            assert_int_equal(dropped, round & 2 ? 4 : 0);
        }
    assert_int_equal(test_ledger.out_bytes, 0);
}

static void a_room_that_cannot_be_copied_for_want_of_memory_is_handed_over(void **state)
{
    struct dry_raw raw = raw_16(DRY_RAW_ALLOCATOR, 4);
    struct escape e = {.wanted = true};
    struct dry_storage *escaped = NULL;
    (void)state;
    test_ledger.left = 0;
    assert_int_equal(dry_storage_lend_raw(&raw, use, &e, &escaped), DRY_NOMEM); /* before anything */
    assert_int_equal(e.calls, 0);
    assert_int_equal(raw.len, 4);
    test_ledger.left = 1; /* the header, not the copy */
    assert_int_equal(dry_storage_lend_raw(&raw, use, &e, &escaped), DRY_SHARED);
    assert_memory_equal(dry_storage_data(escaped), test_bytes, TEST_BYTES);
    test_ledger.left = 1 << 30;
    dry_view_unref(&e.view);
    dry_storage_unref(escaped);
    dry_raw_release(&raw);
    assert_int_equal(test_ledger.out_bytes, 0);
}

/* ---- the count ---- */
static void a_count_that_reaches_its_maximum_stays(void **state)
{
    struct dry_storage *s = make_external();
    (void)state;
    dry_store_relaxed_u64(&s->count, DRY_COUNT_IMMORTAL - 1); /* X0: nobody else is there */
    assert_false(dry_storage_is_immortal(s));
    dry_storage_ref(s);
    assert_true(dry_storage_is_immortal(s));
    for (int i = 0; i < 1000; i++) dry_storage_unref(s);
    assert_true(dry_storage_is_immortal(s));
    for (int i = 0; i < 1000; i++) dry_storage_ref_many(s, 1 << 20);
    assert_true(dry_storage_is_immortal(s));
    assert_false(dry_storage_is_exclusive(s));
    dry_store_relaxed_u64(&s->count, 1); /* X0: so that the test leaks nothing */
    dry_storage_unref(s);
}

static void a_purse_takes_references_at_once_and_gives_all_back(void **state)
{
    int released = 0;
    struct dry_storage *s;
    (void)state;
    assert_int_equal(dry_storage_adopt("abc", 3, &released, count_release, NULL, &s), DRY_OK);
    struct dry_view v = dry_view_adopt(s), other = dry_view_adopt(make_new());
    struct dry_purse purse;
    static struct dry_view views[3 * DRY_PURSE_FILL];
    dry_purse_init(&purse, s);
    for (size_t i = 0; i < 3 * DRY_PURSE_FILL; i++) views[i] = dry_purse_ref(&purse, &v);
    assert_int_equal(dry_storage_refcount(s), 1 + 3 * DRY_PURSE_FILL);
    dry_view_unref(&views[0]); /* an ordinary view */
    for (size_t i = 1; i < 3 * DRY_PURSE_FILL; i++) dry_purse_unref(&purse, &views[i]);
    assert_true(purse.left <= 2 * DRY_PURSE_FILL);
    dry_purse_unref(&purse, &other); /* of another storage: let go */
    assert_null(other.storage);
    dry_purse_fini(&purse);
    assert_int_equal(dry_storage_refcount(s), 1);
    dry_view_unref(&v);
    assert_int_equal(released, 1);
}

/* ---- a kind of one's own ---- */
struct own_kind {
    struct dry_storage base;
    int releases;
} __attribute__((aligned(64)));
static void release_own(struct dry_storage *s) { ((struct own_kind *)(void *)s)->releases++; }
static void another_layer_adds_a_kind_without_touching_this_one(void **state)
{
    static const struct dry_storage_kind kind = {.name = "own", .release = release_own, .writable = true};
    struct own_kind own = {.releases = 0};
    char bytes[] = "mine";
    (void)state;
    dry_storage_init(&own.base, &kind, bytes, 4);
    struct dry_view v = dry_view_adopt(&own.base), part;
    assert_int_equal(dry_view_slice(&v, 2, 2, &part), DRY_OK);
    assert_null(dry_view_try_mut(&part));
    dry_view_unref(&v);
    assert_ptr_equal(dry_view_try_mut(&part), bytes + 2);
    assert_string_equal(dry_storage_kind_name(&own.base), "own");
    struct dry_raw raw;
    assert_int_equal(dry_view_try_detach(&part, 1, 1, &raw), DRY_UNSUPPORTED);
    dry_view_unref(&part);
    assert_int_equal(own.releases, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_counts_its_holders_or_none),
        cmocka_unit_test(each_kind_gives_its_room_back_or_says_why_not),
        cmocka_unit_test(each_kind_can_be_leaked_unless_it_is_shared),
        cmocka_unit_test(leaking_keeps_the_owner_and_the_bytes),
        cmocka_unit_test(own_heap_is_one_allocation_aligned_and_padded_with_zeros),
        cmocka_unit_test(sizes_beyond_memory_are_refused),
        cmocka_unit_test(without_memory_nothing_is_taken),
        cmocka_unit_test(no_bytes_are_the_empty_storage),
        cmocka_unit_test(adopted_bytes_are_released_once_by_the_last_holder),
        cmocka_unit_test(an_owner_is_in_its_place_before_it_is_asked),
        cmocka_unit_test(own_room_comes_in_without_an_allocation_and_goes_out_again),
        cmocka_unit_test(elements_with_a_destructor_end_once),
        cmocka_unit_test(elements_of_size_0_are_counted),
        cmocka_unit_test(an_over_aligned_room_keeps_its_alignment),
        cmocka_unit_test(a_lent_slice_comes_back_or_says_who_has_it),
        cmocka_unit_test(a_lent_room_is_never_lost),
        cmocka_unit_test(a_room_that_cannot_be_copied_for_want_of_memory_is_handed_over),
        cmocka_unit_test(a_count_that_reaches_its_maximum_stays),
        cmocka_unit_test(a_purse_takes_references_at_once_and_gives_all_back),
        cmocka_unit_test(another_layer_adds_a_kind_without_touching_this_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Status, error text, checked sizes, the allocator, sizes in words.
 */
#define _GNU_SOURCE
#include "base.h"
#include "check.h"
#include "size.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- status ---- */
static void every_status_has_a_name_and_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < DRY_STATUS_COUNT; i++) {
        assert_string_not_equal(dry_status_name((enum dry_status)i), "UNKNOWN");
        assert_true(strlen(dry_status_text((enum dry_status)i)) > 1);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(dry_status_name((enum dry_status)i), dry_status_name((enum dry_status)j));
            assert_string_not_equal(dry_status_text((enum dry_status)i), dry_status_text((enum dry_status)j));
        }
    }
    assert_int_equal(DRY_OK, 0);
    assert_string_equal(dry_status_name(DRY_NOT_FOUND), "NOT_FOUND");
}

static void a_number_that_is_no_status_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(dry_status_name(DRY_STATUS_COUNT), "UNKNOWN");
    assert_string_equal(dry_status_name((enum dry_status) - 1), "UNKNOWN");
    assert_string_equal(dry_status_text((enum dry_status)12345), "an unknown status");
}

/* ---- error ---- */
static void a_failure_says_and_returns(void **state)
{
    struct dry_error err;
    (void)state;
    memset(&err, 0xee, sizeof err);
    assert_int_equal(dry_fail(&err, DRY_FULL, "'%s' needs %d", "x", 5), DRY_FULL);
    assert_int_equal(err.status, DRY_FULL);
    assert_int_equal(err.sys, 0);
    assert_string_equal(err.text, "'x' needs 5");
    assert_int_equal(dry_fail_sys(&err, DRY_DENIED, EACCES, "file '%s'", "y"), DRY_DENIED);
    assert_int_equal(err.sys, EACCES);
    assert_string_equal(err.text, "file 'y': Permission denied");
}

static void nobody_has_to_listen(void **state)
{
    (void)state;
    assert_int_equal(dry_fail(NULL, DRY_FULL, "x"), DRY_FULL);
    assert_int_equal(dry_fail_sys(NULL, DRY_IO, EIO, "x"), DRY_IO);
    assert_int_equal(dry_fail_errno(NULL, ENOENT, "x"), DRY_NOT_FOUND);
    assert_int_equal(dry_fail_in(NULL, DRY_CORRUPT, "x"), DRY_CORRUPT);
}

static void an_errno_means_what_a_caller_can_act_on(void **state)
{
    static const struct {
        int sys;
        enum dry_status status;
    } cases[] = {
        {ENOMEM, DRY_NOMEM}, {ENOENT, DRY_NOT_FOUND}, {EEXIST, DRY_EXISTS}, {EACCES, DRY_DENIED}, {EPERM, DRY_DENIED},
        {EROFS, DRY_DENIED}, {ENOSPC, DRY_FULL},      {EDQUOT, DRY_FULL},   {EFBIG, DRY_FULL},    {EIO, DRY_IO},
        {EINVAL, DRY_IO},    {EMFILE, DRY_IO},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_error err = {0};
        assert_int_equal(dry_fail_errno(&err, cases[i].sys, "it"), cases[i].status);
        assert_int_equal(err.status, cases[i].status);
        assert_int_equal(err.sys, cases[i].sys);
        assert_memory_equal(err.text, "it: ", 4);
    }
}

static void a_text_that_is_too_long_is_cut_and_ends(void **state)
{
    char words[2000];
    struct dry_error err;
    (void)state;
    memset(words, 'w', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    memset(&err, 0xee, sizeof err);
    assert_int_equal(dry_fail_sys(&err, DRY_IO, EIO, "%s", words), DRY_IO);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(dry_fail_in(&err, DRY_IO, "in front: "), DRY_IO);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_memory_equal(err.text, "in front: www", 13);
    assert_int_equal(dry_fail_in(&err, DRY_IO, "%s", words), DRY_IO);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void words_are_put_in_front_of_what_a_lower_layer_said(void **state)
{
    struct dry_error err = {0};
    (void)state;
    assert_int_equal(dry_fail_errno(&err, EIO, "cannot be read"), DRY_IO);
    assert_int_equal(dry_fail_in(&err, DRY_IO, "table '%s': ", "t"), DRY_IO);
    assert_string_equal(err.text, "table 't': cannot be read: Input/output error");
    assert_int_equal(err.sys, EIO);
}

static enum dry_status tries(enum dry_status first, int *reached)
{
    DRY_TRY(first);
    *reached = 1;
    return DRY_OK;
}

static void try_returns_from_the_caller(void **state)
{
    int reached = 0;
    (void)state;
    assert_int_equal(tries(DRY_SHARED, &reached), DRY_SHARED);
    assert_false(reached);
    assert_int_equal(tries(DRY_OK, &reached), DRY_OK);
    assert_true(reached);
}

/* ---- checked sizes ---- */
static void sizes_that_do_not_fit_are_seen(void **state)
{
    size_t out;
    (void)state;
    assert_false(dry_add_overflows(SIZE_MAX - 1, 1, &out));
    assert_true(out == SIZE_MAX);
    assert_true(dry_add_overflows(SIZE_MAX, 1, &out));
    assert_false(dry_mul_overflows(SIZE_MAX / 8, 8, &out));
    assert_true(dry_mul_overflows(SIZE_MAX / 8 + 1, 8, &out));
    assert_false(dry_mul_overflows(0, SIZE_MAX, &out));
    assert_int_equal(out, 0);
    assert_false(dry_round_up_overflows(0, 64, &out));
    assert_int_equal(out, 0);
    assert_false(dry_round_up_overflows(1, 64, &out));
    assert_int_equal(out, 64);
    assert_false(dry_round_up_overflows(64, 64, &out));
    assert_int_equal(out, 64);
    assert_false(dry_round_up_overflows(SIZE_MAX - 63, 64, &out));
    assert_true(out == SIZE_MAX - 63);
    assert_true(dry_round_up_overflows(SIZE_MAX - 62, 64, &out));
}

static void sizes_are_told_in_words(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1, "1 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {10 * 1024 - 1, "9.9 KiB"},
        {10 * 1024, "10 KiB"},
        {(1 << 20) - 1, "1023 KiB"},
        {1 << 20, "1.0 MiB"},
        {1288490189, "1.2 GiB"},
        {(uint64_t)24 << 30, "24 GiB"},
        {(uint64_t)3 << 50, "3.0 PiB"},
        {UINT64_MAX, "15 EiB"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(dry_size_text(cases[i].bytes).text, cases[i].text);
}

/* ---- memory ---- */
static void the_default_allocator_aligns(void **state)
{
    (void)state;
    for (size_t align = 1; align <= 4096; align *= 2)
        for (size_t size = 1; size <= 100000; size = size * 7 + 1) {
            uint8_t *block = dry_allocate(NULL, size, align);
            assert_non_null(block);
            assert_int_equal((uintptr_t)block % align, 0);
            memset(block, (int)align, size);
            dry_release(NULL, block, size, align);
        }
}

static void the_default_allocator_keeps_bytes_when_it_resizes(void **state)
{
    static const size_t aligns[] = {8, 64};
    (void)state;
    for (int i = 0; i < 2; i++) {
        uint8_t *block = dry_allocate(NULL, 100, aligns[i]);
        assert_non_null(block);
        for (int k = 0; k < 100; k++) block[k] = (uint8_t)k;
        block = dry_resize(NULL, block, 100, 100000, aligns[i]);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % aligns[i], 0);
        block = dry_resize(NULL, block, 100000, 50, aligns[i]);
        assert_non_null(block);
        for (int k = 0; k < 50; k++) assert_int_equal(block[k], k);
        dry_release(NULL, block, 50, aligns[i]);
    }
}

static void a_size_that_cannot_be_is_refused(void **state)
{
    (void)state;
    assert_null(dry_allocate(NULL, SIZE_MAX - 10, 64));
    void *block = dry_allocate(NULL, 10, 64);
    assert_non_null(block);
    memset(block, 1, 10);
    assert_null(dry_resize(NULL, block, 10, SIZE_MAX - 10, 64));
    assert_int_equal(((uint8_t *)block)[9], 1); /* the old block is still there */
    dry_release(NULL, block, 10, 64);
    dry_release(NULL, NULL, 10, 64);
}

/* An allocator that remembers what it was asked, and has `left` more answers. */
struct ledger {
    int left, allocated, resized, released;
    size_t size, align;
};

static void *ledger_allocate(void *self, size_t size, size_t align)
{
    struct ledger *l = self;
    if (l->left-- <= 0) return NULL;
    l->allocated++;
    l->size = size;
    l->align = align;
    return malloc(size);
}

static void *ledger_resize(void *self, void *block, size_t old_size, size_t new_size, size_t align)
{
    struct ledger *l = self;
    (void)old_size;
    (void)align;
    l->resized++;
    return realloc(block, new_size);
}

static void ledger_release(void *self, void *block, size_t size, size_t align)
{
    struct ledger *l = self;
    l->released++;
    l->size = size;
    l->align = align;
    free(block);
}

static void an_allocator_is_asked_with_what_it_needs(void **state)
{
    struct ledger l = {.left = 1};
    struct dry_allocator a = {ledger_allocate, ledger_resize, ledger_release, &l};
    (void)state;
    void *block = dry_allocate(&a, 40, 16);
    assert_non_null(block);
    assert_int_equal(l.size, 40);
    assert_int_equal(l.align, 16);
    block = dry_resize(&a, block, 40, 80, 16);
    assert_non_null(block);
    assert_int_equal(l.resized, 1);
    dry_release(&a, block, 80, 16);
    assert_int_equal(l.released, 1);
    assert_int_equal(l.size, 80);
    dry_release(&a, NULL, 80, 16);
    assert_int_equal(l.released, 1);
}

static void an_allocator_without_resize_is_helped(void **state)
{
    struct ledger l = {.left = 2};
    struct dry_allocator a = {ledger_allocate, NULL, ledger_release, &l};
    (void)state;
    uint8_t *block = dry_allocate(&a, 4, 1);
    assert_non_null(block);
    memcpy(block, "abcd", 4);
    block = dry_resize(&a, block, 4, 400, 1);
    assert_non_null(block);
    assert_memory_equal(block, "abcd", 4);
    assert_int_equal(l.allocated, 2);
    assert_int_equal(l.released, 1);
    assert_null(dry_resize(&a, block, 400, 4000, 1)); /* no answer left: the old block stays */
    assert_memory_equal(block, "abcd", 4);
    assert_int_equal(l.released, 1);
    dry_release(&a, block, 400, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_and_a_text_of_its_own),
        cmocka_unit_test(a_number_that_is_no_status_is_unknown),
        cmocka_unit_test(a_failure_says_and_returns),
        cmocka_unit_test(nobody_has_to_listen),
        cmocka_unit_test(an_errno_means_what_a_caller_can_act_on),
        cmocka_unit_test(a_text_that_is_too_long_is_cut_and_ends),
        cmocka_unit_test(words_are_put_in_front_of_what_a_lower_layer_said),
        cmocka_unit_test(try_returns_from_the_caller),
        cmocka_unit_test(sizes_that_do_not_fit_are_seen),
        cmocka_unit_test(sizes_are_told_in_words),
        cmocka_unit_test(the_default_allocator_aligns),
        cmocka_unit_test(the_default_allocator_keeps_bytes_when_it_resizes),
        cmocka_unit_test(a_size_that_cannot_be_is_refused),
        cmocka_unit_test(an_allocator_is_asked_with_what_it_needs),
        cmocka_unit_test(an_allocator_without_resize_is_helped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Segments that are filled again: claimed, rewound, made over a file that was used before.
 */
#define _GNU_SOURCE
#include "protect_testing.h"

/* rule: segment.claim */
static void a_claim_holds_while_nobody_else_comes(void **state)
{
    struct dry_segment *s = filled_to_be_rewound(memory_dir(), SIZE);
    struct dry_error err = {0};
    struct dry_view v;
    bool whole = false;
    (void)state;
    assert_int_equal(dry_segment_view(s, &v, NULL), DRY_OK);
    assert_int_equal(dry_segment_claim(s, &err), DRY_SHARED);
    dry_view_unref(&v);
    assert_int_equal(dry_segment_claim(s, &err), DRY_OK);
    assert_int_equal(dry_segment_claim(s, &err), DRY_OK);
    assert_int_equal(dry_os_has_lease(dry_segment_fd(s), &whole), 0);
    assert_true(whole);
    assert_int_equal(dry_segment_view(s, &v, &err), DRY_INVALID); /* it would wait for ourselves */
    struct place at = place_of(s);
    assert_int_equal(open_place(&at, false), -EAGAIN);
    assert_int_equal(dry_segment_claim(s, &err), DRY_SHARED); /* somebody has asked for it */
    dry_segment_disclaim(s);
    dry_segment_disclaim(s);
    assert_int_equal(dry_os_has_lease(dry_segment_fd(s), &whole), 0);
    assert_false(whole);
    assert_int_equal(dry_segment_view(s, &v, &err), DRY_OK);
    dry_view_unref(&v);
    dry_segment_free(s);
}

static const char *refused_call;
static int refusal;
static int refuse(const char *call) { return strcmp(call, refused_call) == 0 ? refusal : 0; }

static void where_there_are_no_leases_nothing_is_claimed(void **state)
{
    struct dry_segment *s = filled_to_be_rewound(NULL, 100);
    struct dry_error err = {0};
    (void)state;
    refused_call = "lease";
    refusal = EINVAL;
    dry_os_fault = refuse;
    assert_int_equal(dry_segment_claim(s, &err), DRY_UNSUPPORTED);
    refusal = EACCES;
    assert_int_equal(dry_segment_claim(s, &err), DRY_DENIED);
    dry_os_fault = NULL;
    dry_segment_free(s);
}

static void a_rewound_file_is_filled_in_the_pages_that_it_has(void **state)
{
    static const size_t sizes[] = {3 * MIB, 3 * MIB - 1000, 5 * MIB, 100, 4 * MIB, 12 * MIB + 7};
    const char *where[] = {NULL, memory_dir(), "/tmp"};
    (void)state;
    for (int w = 0; w < 3; w++) {
        struct dry_segment *s = filled_to_be_rewound(where[w], 3 * MIB);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            uint64_t inode = file_of(s).inode;
            assert_int_equal(dry_segment_claim(s, NULL), DRY_OK);
            assert_int_equal(dry_segment_rewind(s, NULL), DRY_OK);
            assert_int_equal(dry_segment_size(s), 0);
            for (size_t at = 0; at < sizes[i];) {
                size_t n = sizes[i] - at < 700 * KIB ? sizes[i] - at : 700 * KIB;
                assert_int_equal(dry_segment_append(s, pattern(sizes[i]) + at, n, NULL), DRY_OK);
                at += n;
            }
            assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
            assert_int_equal(file_of(s).inode, inode);
            assert_true(file_is_pattern(dry_segment_fd(s), sizes[i]));
            assert_memory_equal(dry_segment_bytes(s), pattern(sizes[i]), sizes[i]);
            dry_segment_disclaim(s);
        }
        dry_segment_free(s);
    }
}

static int count_all;
static int count(const char *call)
{
    count_all += strcmp(call, "open_path") != 0 && strcmp(call, "read") != 0;
    return 0;
}

static void pages_that_are_there_cost_no_call_to_fill(void **state)
{
    struct dry_segment *s = filled_to_be_rewound(memory_dir(), 5 * MIB);
    (void)state;
    assert_int_equal(dry_segment_rewind(s, NULL), DRY_OK);
    (void)pattern(5 * MIB);
    count_all = 0;
    dry_os_fault = count;
    assert_int_equal(dry_segment_reserve(s, 5 * MIB, NULL), DRY_OK);
    for (size_t at = 0; at < 5 * MIB; at += 64 * KIB)
        assert_int_equal(dry_segment_append(s, pattern(5 * MIB) + at, 64 * KIB, NULL), DRY_OK);
    assert_int_equal(count_all, 0);
    dry_os_fault = NULL;
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_true(file_is_pattern(dry_segment_fd(s), 5 * MIB));
    dry_segment_free(s);
}

static void a_rewound_memfd_that_was_protected_keeps_its_size(void **state)
{
    struct dry_segment *s = filled_to_be_rewound(NULL, 3 * MIB);
    struct dry_error err = {0};
    struct dry_memory *m;
    (void)state;
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_int_equal(dry_segment_rewind(s, &err), DRY_INVALID);
    assert_int_equal(dry_segment_take_back(s, NULL), DRY_OK);
    memset((void *)(uintptr_t)dry_segment_bytes(s), 7, 3 * MIB);
    assert_int_equal(dry_segment_rewind(s, NULL), DRY_OK);
    assert_int_equal(dry_segment_append(s, pattern(4 * MIB), 4 * MIB, &err), DRY_FIXED);
    assert_non_null(strstr(err.text, "keeps its size"));
    assert_int_equal(dry_segment_append(s, pattern(MIB), 1000, NULL), DRY_OK);
    assert_int_equal(dry_segment_piece(s, 2 * MIB, &m, NULL), DRY_OK);
    assert_int_equal(((uint8_t *)m->at)[0], 7); /* whatever was there */
    assert_int_equal(m->resize(m, 3 * MIB), DRY_FIXED);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_int_equal(file_of(s).size_bytes, 3 * MIB);
    struct dry_view v;
    assert_int_equal(dry_segment_view(s, &v, NULL), DRY_OK);
    assert_int_equal(v.len, 3 * MIB);
    assert_memory_equal(v.data, pattern(1000), 1000);
    assert_true(v.data[1024 + 2 * MIB - 1] == 7 && v.data[1024 + 2 * MIB] == 0 && v.data[3 * MIB - 1] == 0);
    dry_view_unref(&v);
    dry_segment_free(s);
}

static void only_what_stayed_mapped_is_rewound(void **state)
{
    struct dry_segment *s;
    struct dry_error err = {0};
    (void)state;
    assert_int_equal(dry_segment_new("drystone-segment", NULL, &s, NULL), DRY_OK);
    assert_int_equal(dry_segment_append(s, "x", 1, NULL), DRY_OK);
    assert_int_equal(dry_segment_rewind(s, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "being filled"));
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_int_equal(dry_segment_rewind(s, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "keep_mapped"));
    dry_segment_free(s);
}

static void a_file_that_was_filled_before_is_used_again(void **state)
{
    struct dry_segment *s = NULL;
    struct dry_error err = {0};
    int fd = file_in(memory_dir());
    (void)state;
    assert_int_equal(dry_segment_adopt_used(fd, NULL, &s, &err), DRY_INVALID); /* empty */
    assert_int_equal(dry_os_set_size(fd, 5 * MIB), 0);
    assert_int_equal(dry_segment_adopt_used(fd, NULL, &s, &err), DRY_INVALID); /* a hole */
    assert_int_equal(dry_os_write_at(fd, pattern(5 * MIB), 5 * MIB, 0), 0);
    struct dry_view v;
    assert_int_equal(dry_segment_adopt_used(fd, NULL, &s, &err), DRY_OK);
    dry_os_close(fd);
    assert_int_equal(dry_segment_size(s), 5 * MIB);
    assert_int_equal(dry_segment_view(s, &v, NULL), DRY_OK);
    assert_memory_equal(v.data, pattern(5 * MIB), 5 * MIB);
    assert_int_equal(dry_segment_claim(s, NULL), DRY_SHARED);
    dry_view_unref(&v);
    assert_int_equal(dry_segment_claim(s, NULL), DRY_OK);
    refused_call = "populate";
    for (refusal = EFAULT; refusal; refusal = refusal == EFAULT ? ENOSYS : 0) {
        dry_os_fault = refuse;
        assert_int_equal(dry_segment_rewind(s, &err), refusal == EFAULT ? DRY_FULL : DRY_OK);
        dry_os_fault = NULL;
    }
    assert_int_equal(dry_segment_append(s, pattern(4 * MIB), 4 * MIB, NULL), DRY_OK);
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_true(file_is_pattern(dry_segment_fd(s), 4 * MIB));
    dry_segment_free(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, note_what_is_held, expect_nothing_held)
    const struct CMUnitTest tests[] = {
        TEST(a_claim_holds_while_nobody_else_comes),
        TEST(where_there_are_no_leases_nothing_is_claimed),
        TEST(a_rewound_file_is_filled_in_the_pages_that_it_has),
        TEST(pages_that_are_there_cost_no_call_to_fill),
        TEST(a_rewound_memfd_that_was_protected_keeps_its_size),
        TEST(only_what_stayed_mapped_is_rewound),
        TEST(a_file_that_was_filled_before_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

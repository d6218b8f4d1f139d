/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the child of a fork has of its parent's segments.
 */
#define _GNU_SOURCE
#include "protect_testing.h"

#include <sys/mman.h>

static void is_denied(struct dry_segment *s, struct dry_memory *m, struct dry_view *v)
{
    struct dry_error err = {0};
    struct dry_memory *out;
    struct dry_view w;
    struct dry_segment_stat st;
    const struct dry_segment_options options = {0};
    CHECK(dry_segment_fd(s) == -1 && dry_segment_bytes(s) == NULL);
    CHECK(dry_segment_reserve(s, 1, &err) == DRY_DENIED && strstr(err.text, "forked"));
    CHECK(dry_segment_append(s, "x", 1, &err) == DRY_DENIED);
    CHECK(dry_segment_append_zeros(s, 1, &err) == DRY_DENIED);
    CHECK(dry_segment_write_at(s, 0, "x", 1, &err) == DRY_DENIED);
    CHECK(dry_segment_finish(s, &err) == DRY_DENIED);
    CHECK(dry_segment_piece(s, 1, &out, &err) == DRY_DENIED);
    CHECK(dry_segment_format(s, "x", &err) == DRY_DENIED);
    CHECK(dry_segment_cut(s, 0, &err) == DRY_DENIED);
    CHECK(dry_segment_set_options(s, &options, &err) == DRY_DENIED);
    CHECK(dry_segment_offer(s, true, &err) == DRY_DENIED);
    CHECK(dry_segment_protect(s, &err) == DRY_DENIED);
    CHECK(dry_segment_seal(s, &err) == DRY_DENIED);
    CHECK(dry_segment_take_back(s, &err) == DRY_DENIED);
    CHECK(dry_segment_claim(s, &err) == DRY_DENIED);
    CHECK(dry_segment_rewind(s, &err) == DRY_DENIED);
    CHECK(dry_segment_view(s, &w, &err) == DRY_DENIED);
    CHECK(dry_segment_stat(s, &st, &err) == DRY_DENIED);
    dry_segment_give_back(s);
    dry_segment_disclaim(s);
    CHECK(m->resize(m, 10) == DRY_FIXED && strstr(dry_segment_error(s)->text, "forked"));
    CHECK(m->resize(m, 10 * MIB) == DRY_FIXED);
    CHECK(v->len == 0 || memcmp(v->data, pattern(v->len), v->len) == 0);
}

/* Something else may lie where the parent's mapping was; freeing must not take it away. */
static void free_harmlessly(struct dry_segment *s, void *was_at, struct dry_memory *m, bool release)
{
    uint8_t *own = mmap(was_at, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(own == was_at);
    *own = 1;
    if (release) m->release(m);
    dry_segment_free(s);
    CHECK(*own == 1);
}

/* rule: segment.description */
static void the_child_of_a_fork_has_views_and_no_segment(void **state)
{
    (void)state;
    for (int protected = 0; protected < 2; protected ++) {
        struct dry_memory *m;
        struct dry_segment *s = filled(&m);
        struct dry_view v = {0};
        if (protected) assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
        if (protected) assert_int_equal(dry_segment_view(s, &v, NULL), DRY_OK);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            is_denied(s, m, &v);
            free_harmlessly(s, (uint8_t *)m->at - dry_segment_piece_offset(m), m, protected);
            dry_view_unref(&v);
            _exit(0);
        }
        assert_int_equal(outcome(child), 0);
        assert_memory_equal(m->at, pattern(SIZE), SIZE); /* the parent goes on */
        if (protected) {
            dry_view_unref(&v);
            assert_int_equal(dry_segment_take_back(s, NULL), DRY_OK);
        } else {
            assert_int_equal(m->resize(m, 5 * MIB), DRY_OK);
            assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
        }
        dry_segment_free(s);
    }
}

static void a_child_never_frees_its_parent_s_claim(void **state)
{
    struct dry_segment *s = filled_to_be_rewound(memory_dir(), 100);
    bool whole = false;
    (void)state;
    assert_int_equal(dry_segment_claim(s, NULL), DRY_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dry_segment_disclaim(s);
        dry_segment_free(s);
        _exit(0);
    }
    assert_int_equal(outcome(child), 0);
    assert_int_equal(dry_os_has_lease(dry_segment_fd(s), &whole), 0);
    assert_true(whole);
    dry_segment_free(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, note_what_is_held, expect_nothing_held)
    const struct CMUnitTest tests[] = {
        TEST(the_child_of_a_fork_has_views_and_no_segment),
        TEST(a_child_never_frees_its_parent_s_claim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Collections that live in a segment: buffer and segment know each other only by struct dry_memory, so here is where
 * they meet. Several grow by turns, are published without a copy, and are read by another process.
 */
#define _GNU_SOURCE
#include "../buffer/buffer.h"
#include "../segment/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* vec(pow2(mapped)), vec(mapped), deque(mapped) */
#define DRY_NAME ids_room
#define DRY_ELEM uint64_t
#include "../buffer/mapped.h"
#define DRY_NAME ids_pow2
#define DRY_INNER ids_room
#include "../buffer/pow2.h"
#define DRY_NAME ids
#define DRY_INNER ids_pow2
#include "../buffer/vec.h"

#define DRY_NAME halves_room
#define DRY_ELEM double
#include "../buffer/mapped.h"
#define DRY_NAME halves
#define DRY_INNER halves_room
#include "../buffer/vec.h"

#define DRY_NAME bytes_room
#define DRY_ELEM uint8_t
#include "../buffer/mapped.h"
#define DRY_NAME ring
#define DRY_INNER bytes_room
#include "../buffer/deque.h"

enum { N = 30000 };

struct table {
    struct dry_segment *s;
    struct ids ids;
    struct halves halves;
    struct ring ring;
};

static struct dry_memory *piece_of(struct dry_segment *s)
{
    struct dry_memory *m = NULL;
    assert_int_equal(dry_segment_piece(s, 0, &m, NULL), DRY_OK);
    return m;
}

static struct table fill_by_turns(void)
{
    struct table t;
    assert_int_equal(dry_segment_new("segment_vec_test", NULL, &t.s, NULL), DRY_OK);
    ids_init_in(&t.ids, piece_of(t.s));
    halves_init_in(&t.halves, piece_of(t.s));
    ring_init_in(&t.ring, piece_of(t.s));
    for (uint64_t i = 0; i < N; i++) {
        assert_int_equal(ids_push(&t.ids, i * i), DRY_OK);
        assert_int_equal(halves_push(&t.halves, (double)i / 2), DRY_OK);
        assert_int_equal(ring_push_back(&t.ring, (uint8_t)i), DRY_OK);
        if (i % 3 != 2) continue;
        uint8_t first;
        assert_true(ring_pop_front(&t.ring, &first));
        assert_int_equal(first, (uint8_t)(i / 3));
    }
    return t;
}

static void check_elements(const uint64_t *id, const double *half)
{
    for (uint64_t i = 0; i < N; i++)
        assert_true(id[i] == i * i && half[i] == (double)i / 2);
}

static void collections_grow_by_turns_in_one_segment(void **state)
{
    struct table t = fill_by_turns();
    struct dry_segment_stat st;
    (void)state;
    check_elements(ids_span(&t.ids), halves_span(&t.halves));
    assert_int_equal(ring_len(&t.ring), N - N / 3);
    for (size_t i = 0; i < ring_len(&t.ring); i++)
        assert_int_equal(*ring_at(&t.ring, i), (uint8_t)(i + N / 3));
    assert_int_equal(dry_segment_stat(t.s, &st, NULL), DRY_OK);
    assert_true(st.moved_bytes > 0 &&
                st.moved_bytes < 4 * N * sizeof(uint64_t)); /* they get out of each other's way */
    ring_fini(&t.ring);
    halves_fini(&t.halves);
    ids_fini(&t.ids);
    dry_segment_free(t.s);
}

static void reads_it(const struct dry_view *v, size_t begin_of_ids, size_t begin_of_halves)
{
    const uint64_t *id = (const void *)(v->data + begin_of_ids);
    const double *half = (const void *)(v->data + begin_of_halves);
    for (uint64_t i = 0; i < N; i++)
        if (id[i] != i * i || half[i] != (double)i / 2) _exit(1);
    _exit(0);
}

static void what_is_published_is_read_where_it_was_made(void **state)
{
    struct table t = fill_by_turns();
    struct dry_view v;
    int status;
    (void)state;
    size_t begin_of_ids = (size_t)dry_segment_piece_offset(t.ids.buf.in.memory);
    size_t begin_of_halves = (size_t)dry_segment_piece_offset(t.halves.buf.memory);
    assert_int_equal(dry_segment_protect(t.s, NULL), DRY_OK);
    while (ids_cap(&t.ids) > ids_len(&t.ids))
        assert_int_equal(ids_push(&t.ids, 0), DRY_OK); /* what there is, is there */
    assert_int_equal(ids_push(&t.ids, 0), DRY_FIXED);
    assert_int_equal(dry_segment_view(t.s, &v, NULL), DRY_OK);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) reads_it(&v, begin_of_ids, begin_of_halves);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    check_elements((const void *)(v.data + begin_of_ids), (const void *)(v.data + begin_of_halves));
    dry_view_unref(&v);

    assert_int_equal(dry_segment_take_back(t.s, NULL), DRY_OK); /* and are collections again, of fixed capacity */
    while (ids_len(&t.ids) < ids_cap(&t.ids))
        assert_int_equal(ids_push(&t.ids, 42), DRY_OK);
    assert_int_equal(ids_push(&t.ids, 42), DRY_FIXED);
    *halves_at(&t.halves, 0) = 7.5;
    assert_int_equal(dry_segment_protect(t.s, NULL), DRY_OK);
    assert_int_equal(dry_segment_view(t.s, &v, NULL), DRY_OK);
    assert_true(*(const double *)(const void *)(v.data + begin_of_halves) == 7.5);
    dry_view_unref(&v);
    ring_fini(&t.ring);
    halves_fini(&t.halves);
    ids_fini(&t.ids);
    dry_segment_free(t.s);
}

static void a_collection_without_room_stays_what_it_was(void **state)
{
    struct dry_segment *s;
    struct ids v;
    (void)state;
    assert_int_equal(dry_segment_new("segment_vec_test", NULL, &s, NULL), DRY_OK);
    ids_init_in(&v, piece_of(s));
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(ids_push(&v, i), DRY_OK);
    assert_int_equal(ids_reserve(&v, (size_t)1 << 50), DRY_NOMEM);
    assert_int_equal(dry_segment_error(s)->status, DRY_FULL);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(*ids_at(&v, i), i);
    ids_fini(&v);
    assert_int_equal(dry_segment_size(s), 0);
    dry_segment_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collections_grow_by_turns_in_one_segment),
        cmocka_unit_test(what_is_published_is_read_where_it_was_made),
        cmocka_unit_test(a_collection_without_room_stays_what_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Memory that runs out at the n-th call, and copies that fail: a vec is then what it was, whatever it is made of.
 */
#include "buffer/elements.h"
#include "../buffer/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct flaky flaky_one;
static struct dry_allocator allocator_one;

#define DRY_NAME life_alloc
#define DRY_ELEM struct life
#define DRY_DROP life_end
#define DRY_COPY life_copy
#include "../buffer/alloc.h"
#define DRY_NAME u32_alloc
#define DRY_ELEM uint32_t
#include "../buffer/alloc.h"
#define DRY_NAME life_pow2
#define DRY_INNER life_alloc
#include "../buffer/pow2.h"
#define DRY_NAME life_svo
#define DRY_INNER life_alloc
#define DRY_COUNT 4
#include "../buffer/svo.h"
#define DRY_NAME life_svo_pow2
#define DRY_INNER life_svo
#include "../buffer/pow2.h"
#define DRY_NAME life_either
#define DRY_INNER life_alloc
#define DRY_INNER2 life_pow2
#define DRY_COUNT 8
#include "../buffer/either.h"
#define DRY_NAME life_boxed
#define DRY_INNER life_either
#include "../buffer/boxed.h"
#define DRY_NAME life_two
#define DRY_INNER life_pow2
#include "buffer/two_blocks.h"
#define RECORD_FIELDS(X) X(u32_alloc, before) X(life_pow2, life) X(u32_alloc, after) X(life_svo, second)
#define DRY_NAME record_columns
#define DRY_FIELDS RECORD_FIELDS
#include "../buffer/soa.h"
#define DRY_NAME triple_columns
#define DRY_INNER life_alloc
#define DRY_COUNT 3
#include "../buffer/soa_array.h"

#define DRY_NAME exact
#define DRY_INNER life_alloc
#include "../buffer/vec.h"
#define DRY_NAME doubling
#define DRY_INNER life_pow2
#include "../buffer/vec.h"
#define DRY_NAME spilling
#define DRY_INNER life_svo_pow2
#include "../buffer/vec.h"
#define DRY_NAME boxed
#define DRY_INNER life_boxed
#include "../buffer/vec.h"
#define DRY_NAME indexed
#define DRY_INNER life_two
#include "../buffer/vec.h"
#define DRY_NAME records
#define DRY_INNER record_columns
#include "../buffer/vec.h"
#define DRY_NAME triples
#define DRY_INNER triple_columns
#include "../buffer/vec.h"

static void records_elem_end(records_elem *x) { record_columns_elem_drop(x); }
static void triples_elem_end(triples_elem *x) { triple_columns_elem_drop(x); }
#define exact_elem_end life_end
#define doubling_elem_end life_end
#define spilling_elem_end life_end
#define boxed_elem_end life_end
#define indexed_elem_end life_end

static records_elem record_of(uint32_t k)
{
    return (records_elem){.before = k, .life = life_new(k), .after = k, .second = life_new(k)};
}
static triples_elem triple_of(uint32_t k)
{
    return (triples_elem){.at = {life_new(k), life_new(k), life_new(k)}};
}

#define LIFE_OF(ref) (*(ref))
#define T_VEC exact
#define T_SEED (&allocator_one)
#define T_MAKE life_new
#define T_LIFE LIFE_OF
#include "buffer/failing.h"
#define T_VEC doubling
#define T_SEED (&allocator_one)
#define T_MAKE life_new
#define T_LIFE LIFE_OF
#include "buffer/failing.h"
#define T_VEC spilling
#define T_SEED (&allocator_one)
#define T_MAKE life_new
#define T_LIFE LIFE_OF
#include "buffer/failing.h"
#define T_VEC boxed
#define T_SEED ((boxed_seed){&allocator_one, &allocator_one})
#define T_MAKE life_new
#define T_LIFE LIFE_OF
#include "buffer/failing.h"
#define T_VEC indexed
#define T_SEED (&allocator_one)
#define T_MAKE life_new
#define T_LIFE LIFE_OF
#include "buffer/failing.h"
#define RECORD_LIFE(ref) (*(ref).life)
#define T_VEC records
#define T_SEED ((records_seed){&allocator_one, &allocator_one, &allocator_one, &allocator_one})
#define T_MAKE record_of
#define T_LIFE RECORD_LIFE
#include "buffer/failing.h"
#define TRIPLE_LIFE(ref) (*(ref).at[1])
#define T_VEC triples
#define T_SEED ((triples_seed){{&allocator_one, &allocator_one, &allocator_one}})
#define T_MAKE triple_of
#define T_LIFE TRIPLE_LIFE
#include "buffer/failing.h"

#define DRY_NAME queue
#define DRY_INNER life_pow2
#include "../buffer/deque.h"

static enum dry_status operate_queue(struct queue *q, struct queue *other, int what)
{
    struct life some[40];
    size_t given = what < 2 ? 1 : what == 2 ? 40 : 0;
    enum dry_status status = DRY_OK;
    for (uint32_t k = 0; k < given; k++)
        some[k] = life_new(k);
    switch (what) {
    case 0: status = queue_push_back(q, some[0]); break;
    case 1: status = queue_push_front(q, some[0]); break;
    case 2: status = queue_extend(q, some, 40); break;
    case 3: status = queue_clone(q, other); break;
    case 4: status = queue_reserve(q, 100); break;
    case 5: status = queue_reserve_exact(q, 100); break;
    }
    for (size_t k = 0; status != DRY_OK && k < given; k++)
        life_end(&some[k]);
    return status;
}

/* A ring that goes round, full, so that growing it has to move one of its pieces. */
static void fill_queue(struct queue *q)
{
    queue_init_in(q, &allocator_one);
    assert_int_equal(queue_reserve_exact(q, 8), DRY_OK);
    for (uint32_t i = 4; i < 8; i++)
        assert_int_equal(queue_push_back(q, life_new(i)), DRY_OK);
    for (uint32_t i = 4; i-- > 0;)
        assert_int_equal(queue_push_front(q, life_new(i)), DRY_OK);
}

static bool fail_queue_once(int what, long n, bool copies)
{
    struct queue q, other;
    fill_queue(&q);
    queue_init_in(&other, &allocator_one);
    *(copies ? &life_copies_left : &flaky_one.calls_left) = n;
    enum dry_status status = operate_queue(&q, &other, what);
    life_copies_left = flaky_one.calls_left = -1;
    assert_true(status == DRY_OK || (status == DRY_NOMEM && queue_len(&q) == 8 && queue_len(&other) == 0));
    for (uint32_t i = 0; i < 8 && what != 1; i++)
        assert_int_equal(queue_at(&q, i)->value, i);
    queue_fini(&q);
    queue_fini(&other);
    assert_true(life_alive == 0 && life_faults == 0 && flaky_one.blocks == 0 && !flaky_one.is_broken);
    return status == DRY_OK;
}

static void failing_queue(void **state)
{
    long failures = 0;
    (void)state;
    life_restart();
    for (int copies = 0; copies < 2; copies++) {
        for (int what = 0; what < 6; what++) {
            long n = 0;
            while (!fail_queue_once(what, n, copies))
                assert_true(n++ < 100);
            failures += n;
        }
    }
    assert_true(failures >= 12);
}

/* All or nothing, field by field: the room of each, not only the capacity of all (where the allocator can shrink). */
static void columns_grow_all_or_none(void **state)
{
    struct record_columns b;
    struct dry_allocator a = allocator_one;
    a.resize = flaky_resize;
    (void)state;
    record_columns_init(&b, (record_columns_seed){&a, &a, &a, &a});
    assert_int_equal(record_columns_grow_exact(&b, 4), DRY_OK);
    for (long n = 0; n < 4; n++) {
        size_t bytes = flaky_one.bytes;
        flaky_one.calls_left = n;
        enum dry_status status = record_columns_grow(&b, 100);
        flaky_one.calls_left = -1;
        assert_int_equal(status, DRY_NOMEM);
        assert_int_equal(u32_alloc_cap(&b.before), 4);
        assert_int_equal(life_pow2_cap(&b.life), 4);
        assert_int_equal(u32_alloc_cap(&b.after), 4);
        assert_int_equal(life_svo_cap(&b.second), 4);
        assert_int_equal(flaky_one.bytes, bytes);
    }
    record_columns_fini(&b);
    assert_int_equal(flaky_one.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_exact),   cmocka_unit_test(failing_doubling), cmocka_unit_test(failing_spilling),
        cmocka_unit_test(failing_boxed),   cmocka_unit_test(failing_indexed),  cmocka_unit_test(failing_records),
        cmocka_unit_test(failing_triples), cmocka_unit_test(failing_queue),
        cmocka_unit_test(columns_grow_all_or_none),
    };
    allocator_one = flaky_allocator(&flaky_one);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

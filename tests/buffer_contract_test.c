/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Every layer, and compositions of them, keep the contract of buffer.h.
 */
#include "buffer/elements.h"
#include "../buffer/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static uint32_t array_a[40], array_b[40], array_c[7];
static struct flaky flaky_one, flaky_two;
static struct dry_allocator allocator_one, allocator_two;

/* ---- leaves ---- */
#define DRY_NAME u32_inline
#define DRY_ELEM uint32_t
#define DRY_COUNT 20
#include "../buffer/inline.h"
#define DRY_NAME u32_heap
#define DRY_ELEM uint32_t
#include "../buffer/heap.h"
#define DRY_NAME f64_heap
#define DRY_ELEM double
#include "../buffer/heap.h"
#define DRY_NAME ghost_zst
#define DRY_ELEM struct ghost
#include "../buffer/zst.h"
#define DRY_NAME ghost_heap
#define DRY_ELEM struct ghost
#include "../buffer/heap.h"
#define DRY_NAME u32_slice
#define DRY_ELEM uint32_t
#include "../buffer/slice.h"
#define DRY_NAME u32_alloc
#define DRY_ELEM uint32_t
#include "../buffer/alloc.h"
#define DRY_NAME u32_mapped
#define DRY_ELEM uint32_t
#include "../buffer/mapped.h"

/* ---- composites and compositions ---- */
#define DRY_NAME svo_heap
#define DRY_INNER u32_heap
#define DRY_COUNT 8
#include "../buffer/svo.h"
#define DRY_NAME svo_none
#define DRY_INNER u32_heap
#define DRY_COUNT 0
#include "../buffer/svo.h"
#define DRY_NAME pow2_svo_heap
#define DRY_INNER svo_heap
#include "../buffer/pow2.h"
#define DRY_NAME svo_slice
#define DRY_INNER u32_slice
#define DRY_COUNT 5
#include "../buffer/svo.h"
#define DRY_NAME least_svo_slice
#define DRY_INNER svo_slice
#define DRY_COUNT 30
#include "../buffer/at_least.h"
#define DRY_NAME pow2_heap
#define DRY_INNER u32_heap
#include "../buffer/pow2.h"
#define DRY_NAME pow2_f64
#define DRY_INNER f64_heap
#include "../buffer/pow2.h"
#define DRY_NAME zsto_sized
#define DRY_INNER pow2_heap
#include "../buffer/zsto.h"
#define DRY_NAME zsto_ghost
#define DRY_INNER ghost_heap
#include "../buffer/zsto.h"
#define DRY_NAME svo_mapped
#define DRY_INNER u32_mapped
#define DRY_COUNT 4
#include "../buffer/svo.h"
#define DRY_NAME pow2_mapped
#define DRY_INNER u32_mapped
#include "../buffer/pow2.h"

#define PAIR_FIELDS(X) X(pow2_heap, id) X(pow2_f64, weight)
#define DRY_NAME soa_pow2_heap
#define DRY_FIELDS PAIR_FIELDS
#include "../buffer/soa.h"
#define FIXED_FIELDS(X) X(u32_inline, id) X(pow2_f64, weight)
#define DRY_NAME soa_fixed
#define DRY_FIELDS FIXED_FIELDS
#include "../buffer/soa.h"
#define NESTED_FIELDS(X) X(soa_pow2_heap, pair) X(u32_slice, extra)
#define DRY_NAME soa_nested
#define DRY_FIELDS NESTED_FIELDS
#include "../buffer/soa.h"
#define DRY_NAME soa_three
#define DRY_INNER svo_heap
#define DRY_COUNT 3
#include "../buffer/soa_array.h"

#define DRY_NAME either_alloc
#define DRY_INNER u32_alloc
#define DRY_INNER2 u32_alloc
#define DRY_COUNT 16
#include "../buffer/either.h"
#define DRY_NAME either_slice
#define DRY_INNER u32_slice
#define DRY_INNER2 u32_mapped
#define DRY_COUNT 7
#include "../buffer/either.h"
#define DRY_NAME pow2_either
#define DRY_INNER either_alloc
#include "../buffer/pow2.h"
#define DRY_NAME ref_svo
#define DRY_INNER svo_heap
#include "../buffer/ref.h"
#define DRY_NAME boxed_inline
#define DRY_INNER u32_inline
#include "../buffer/boxed.h"
#define DRY_NAME boxed_svo_slice
#define DRY_INNER svo_slice
#include "../buffer/boxed.h"
#define DRY_NAME boxed_mapped
#define DRY_INNER u32_mapped
#include "../buffer/boxed.h"
#define DRY_NAME least_svo_alloc_pow2
#define DRY_INNER pow2_svo_heap
#define DRY_COUNT 12
#include "../buffer/at_least.h"
#define DRY_NAME mock_heap
#define DRY_INNER u32_heap
#include "../buffer/grow_mock.h"
#define DRY_NAME counted_heap
#define DRY_INNER u32_heap
#include "../buffer/life_counter.h"
#define DRY_NAME two_heap
#define DRY_INNER pow2_heap
#include "buffer/two_blocks.h"
#define DRY_NAME u32_default
#define DRY_ELEM uint32_t
#include "../buffer/default.h"
#define DRY_NAME ghost_default
#define DRY_ELEM struct ghost
#include "../buffer/default.h"

/* A layer of the user's: never grows past 50. */
#define DRY_NAME limited
#define DRY_INNER pow2_heap
#define DRY_STATE size_t
#define DRY_OWN_GROW
#include "../buffer/forward.h"
static inline enum dry_status limited_grow(struct limited *b, size_t want)
{
    b->own++;
    return want > 50 ? DRY_FIXED : pow2_heap_grow_exact(&b->in, want);
}

/* ---- seeds ---- */
static struct svo_heap borrowed;
static ref_svo_seed seed_of_ref(void)
{
    svo_heap_fini(&borrowed);
    return &borrowed;
}

static struct dry_memory *some_memory(void)
{
    struct dry_memory *memory = dry_anonymous_new();
    assert_non_null(memory);
    assert_int_equal(memory->resize(memory, 1), DRY_OK);
    return memory;
}

/* ---- one test for each ---- */
#define IS(x, k) ((x) == (k))
#define U32(k) (k)
#define PAIR(k) ((soa_pow2_heap_elem){.id = (k), .weight = (k) / 2.0})
#define FIXED_PAIR(k) ((soa_fixed_elem){.id = (k), .weight = (k) / 2.0})
#define IS_PAIR(x, k) ((x).id == (k) && (x).weight == (k) / 2.0)
#define NESTED(k) ((soa_nested_elem){.pair = PAIR(k), .extra = (k) + 1})
#define IS_NESTED(x, k) (IS_PAIR((x).pair, k) && (x).extra == (k) + 1)
#define THREE(k) ((soa_three_elem){.at = {(k), (k) + 1, (k) * 2}})
#define IS_THREE(x, k) ((x).at[0] == (k) && (x).at[1] == (k) + 1 && (x).at[2] == (k) * 2)
#define GHOST(k) ((struct ghost){})
#define IS_GHOST(x, k) ((void)(x), (void)(k), true)

#define T_BUF u32_inline
#define T_SEED (struct dry_nothing){}
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF u32_heap
#define T_SEED (struct dry_nothing){}
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF ghost_zst
#define T_SEED (struct dry_nothing){}
#define T_MAKE GHOST
#define T_IS IS_GHOST
#include "buffer/contract.h"
#define T_BUF u32_slice
#define T_SEED ((u32_slice_seed){array_a, 40})
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF u32_alloc
#define T_SEED (&allocator_one)
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF u32_mapped
#define T_SEED NULL
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF svo_heap
#define T_SEED (struct dry_nothing){}
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF svo_none
#define T_SEED (struct dry_nothing){}
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF pow2_svo_heap
#define T_SEED (struct dry_nothing){}
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF least_svo_slice
#define T_SEED ((u32_slice_seed){array_a, 40})
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF zsto_sized
#define T_SEED (struct dry_nothing){}
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF zsto_ghost
#define T_SEED (struct dry_nothing){}
#define T_MAKE GHOST
#define T_IS IS_GHOST
#include "buffer/contract.h"
#define T_BUF svo_mapped
#define T_SEED some_memory()
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF pow2_mapped
#define T_SEED NULL
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF soa_pow2_heap
#define T_SEED (soa_pow2_heap_seed){}
#define T_MAKE PAIR
#define T_IS IS_PAIR
#include "buffer/contract.h"
#define T_BUF soa_fixed
#define T_SEED (soa_fixed_seed){}
#define T_MAKE FIXED_PAIR
#define T_IS IS_PAIR
#include "buffer/contract.h"
#define T_BUF soa_nested
#define T_SEED ((soa_nested_seed){.extra = {array_b, 40}})
#define T_MAKE NESTED
#define T_IS IS_NESTED
#include "buffer/contract.h"
#define T_BUF soa_three
#define T_SEED (soa_three_seed){}
#define T_MAKE THREE
#define T_IS IS_THREE
#include "buffer/contract.h"
#define T_BUF either_alloc
#define T_SEED ((either_alloc_seed){&allocator_one, &allocator_two})
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF either_slice
#define T_SEED ((either_slice_seed){{array_c, 7}, some_memory()})
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF pow2_either
#define T_SEED ((either_alloc_seed){&allocator_one, &allocator_two})
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF ref_svo
#define T_SEED seed_of_ref()
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF boxed_inline
#define T_SEED (struct dry_nothing){}
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF boxed_svo_slice
#define T_SEED ((u32_slice_seed){array_a, 40})
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF boxed_mapped
#define T_SEED some_memory()
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF least_svo_alloc_pow2
#define T_SEED (struct dry_nothing){}
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF mock_heap
#define T_SEED (struct dry_nothing){}
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF two_heap
#define T_SEED (struct dry_nothing){}
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF u32_default
#define T_SEED (struct dry_nothing){}
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"
#define T_BUF ghost_default
#define T_SEED (struct dry_nothing){}
#define T_MAKE GHOST
#define T_IS IS_GHOST
#include "buffer/contract.h"
#define T_BUF limited
#define T_SEED (struct dry_nothing){}
#define T_MAKE U32
#define T_IS IS
#include "buffer/contract.h"

static struct dry_life lives_of_cells;
static bool cells_filled[1000];

/* The double sees what the contract calls faults, and nothing where there is none. */
static void a_life_counter_finds_faults(void **state)
{
    struct counted_heap b;
    (void)state;
    lives_of_cells = (struct dry_life){.filled = cells_filled, .cells = 1000};
    counted_heap_init(&b, (counted_heap_seed){.life = &lives_of_cells});
    assert_int_equal(counted_heap_grow(&b, 10), DRY_OK);
    counted_heap_put(&b, 0, 1);
    counted_heap_put(&b, 1, 2);
    counted_heap_shift_right(&b, 0, 2, 3);
    assert_int_equal(counted_heap_take(&b, 3), 1);
    counted_heap_drop(&b, 4);
    assert_int_equal(lives_of_cells.faults, 0);
    (void)counted_heap_take(&b, 3);
    assert_int_equal(lives_of_cells.faults, 1);
    counted_heap_put(&b, 5, 1);
    counted_heap_put(&b, 5, 1);
    assert_int_equal(lives_of_cells.faults, 2);
    assert_int_equal(counted_heap_shrink(&b, 3), DRY_OK);
    assert_int_equal(lives_of_cells.faults, 3);
    cells_filled[5] = false;
    counted_heap_fini(&b);
    assert_int_equal(lives_of_cells.faults, 3);
}

static void pow2_asks_for_the_smallest_power(void **state)
{
    (void)state;
    for (size_t want = 1; want < 5000; want++) {
        struct pow2_heap b;
        size_t power = 1;
        while (power < want)
            power *= 2;
        pow2_heap_init(&b, (struct dry_nothing){});
        assert_int_equal(pow2_heap_grow(&b, want), DRY_OK);
        assert_int_equal(pow2_heap_cap(&b), power < 16 ? 16 : power); /* the heap gives whole cache lines */
        pow2_heap_fini(&b);
    }
}

/* A box that was made in vain goes again: the capacity shows whether it is there. */
static void a_box_is_not_left_by_a_failure(void **state)
{
    struct boxed_inline b;
    (void)state;
    boxed_inline_init(&b, (struct dry_nothing){});
    assert_int_equal(boxed_inline_grow(&b, 21), DRY_FIXED);
    assert_int_equal(boxed_inline_cap(&b), 0);
    assert_int_equal(boxed_inline_grow(&b, 20), DRY_OK);
    assert_int_equal(boxed_inline_cap(&b), 20);
    boxed_inline_fini(&b);
}

static void nothing_is_left_behind(void **state)
{
    (void)state;
    assert_int_equal(flaky_one.blocks, 0);
    assert_int_equal(flaky_two.blocks, 0);
    assert_false(flaky_one.is_broken || flaky_two.is_broken);
    assert_true(flaky_one.calls > 0 && flaky_two.calls > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contract_u32_inline),
        cmocka_unit_test(contract_u32_heap),
        cmocka_unit_test(contract_ghost_zst),
        cmocka_unit_test(contract_u32_slice),
        cmocka_unit_test(contract_u32_alloc),
        cmocka_unit_test(contract_u32_mapped),
        cmocka_unit_test(contract_svo_heap),
        cmocka_unit_test(contract_svo_none),
        cmocka_unit_test(contract_pow2_svo_heap),
        cmocka_unit_test(contract_least_svo_slice),
        cmocka_unit_test(contract_zsto_sized),
        cmocka_unit_test(contract_zsto_ghost),
        cmocka_unit_test(contract_svo_mapped),
        cmocka_unit_test(contract_pow2_mapped),
        cmocka_unit_test(contract_soa_pow2_heap),
        cmocka_unit_test(contract_soa_fixed),
        cmocka_unit_test(contract_soa_nested),
        cmocka_unit_test(contract_soa_three),
        cmocka_unit_test(contract_either_alloc),
        cmocka_unit_test(contract_either_slice),
        cmocka_unit_test(contract_pow2_either),
        cmocka_unit_test(contract_ref_svo),
        cmocka_unit_test(contract_boxed_inline),
        cmocka_unit_test(contract_boxed_svo_slice),
        cmocka_unit_test(contract_boxed_mapped),
        cmocka_unit_test(contract_least_svo_alloc_pow2),
        cmocka_unit_test(contract_mock_heap),
        cmocka_unit_test(contract_two_heap),
        cmocka_unit_test(contract_u32_default),
        cmocka_unit_test(contract_ghost_default),
        cmocka_unit_test(contract_limited),
        cmocka_unit_test(a_life_counter_finds_faults),
        cmocka_unit_test(pow2_asks_for_the_smallest_power),
        cmocka_unit_test(a_box_is_not_left_by_a_failure),
        cmocka_unit_test(nothing_is_left_behind),
    };
    allocator_one = flaky_allocator(&flaky_one);
    allocator_two = flaky_allocator(&flaky_two);
    svo_heap_init(&borrowed, (struct dry_nothing){});
    return cmocka_run_group_tests(tests, NULL, NULL);
}

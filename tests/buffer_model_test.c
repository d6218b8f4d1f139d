/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Random operations on vecs over unlike buffers, beside a naive model. DRY_LONG=1: 250,000 steps each.
 */
#include "buffer/elements.h"
#include "buffer/numbers.h"
#include "../buffer/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define DRY_NAME u32_heap
#define DRY_ELEM uint32_t
#include "../buffer/heap.h"
#define DRY_NAME f64_heap
#define DRY_ELEM double
#include "../buffer/heap.h"
#define DRY_NAME u32_mapped
#define DRY_ELEM uint32_t
#include "../buffer/mapped.h"
#define DRY_NAME svo_heap
#define DRY_INNER u32_heap
#define DRY_COUNT 8
#include "../buffer/svo.h"
#define DRY_NAME pow2_svo
#define DRY_INNER svo_heap
#include "../buffer/pow2.h"
#define DRY_NAME pow2_heap
#define DRY_INNER u32_heap
#include "../buffer/pow2.h"
#define DRY_NAME two_blocks
#define DRY_INNER pow2_heap
#include "buffer/two_blocks.h"
#define DRY_NAME either_two
#define DRY_INNER u32_heap
#define DRY_INNER2 u32_mapped
#define DRY_COUNT 30
#include "../buffer/either.h"
#define DRY_NAME boxed_two
#define DRY_INNER either_two
#include "../buffer/boxed.h"
#define PAIR_FIELDS(X) X(pow2_svo, id) X(f64_heap, half)
#define DRY_NAME pair_columns
#define DRY_FIELDS PAIR_FIELDS
#include "../buffer/soa.h"
#define DRY_NAME counted_columns
#define DRY_INNER pair_columns
#include "../buffer/life_counter.h"

/* ---- vecs ---- */
#define DRY_NAME plain
#define DRY_ELEM uint32_t
#include "../buffer/vec.h"
#define DRY_NAME plain
#include "../buffer/order.h"
#define DRY_NAME plain
#include "../buffer/equal.h"

#define DRY_NAME spilling
#define DRY_INNER pow2_svo
#include "../buffer/vec.h"
#define DRY_NAME spilling
#include "../buffer/order.h"
#define DRY_NAME spilling
#include "../buffer/equal.h"

#define DRY_NAME fixed
#define DRY_ELEM uint32_t
#define DRY_RECIPE STACK
#define DRY_COUNT 60
#include "../buffer/recipe.h"
#define DRY_NAME fixed
#include "../buffer/order.h"
#define DRY_NAME fixed
#include "../buffer/equal.h"

#define DRY_NAME indexed
#define DRY_INNER two_blocks
#include "../buffer/vec.h"
#define DRY_NAME indexed
#include "../buffer/order.h"
#define DRY_NAME indexed
#include "../buffer/equal.h"

#define DRY_NAME boxed
#define DRY_INNER boxed_two
#include "../buffer/vec.h"
#define DRY_NAME boxed
#include "../buffer/order.h"
#define DRY_NAME boxed
#include "../buffer/equal.h"

/* A struct of arrays, every cell followed. */
static struct dry_life lives[2];
static bool cells[2][4096];
#define DRY_NAME pairs
#define DRY_INNER counted_columns
#include "../buffer/vec.h"
static int by_id(pairs_ref a, pairs_ref b) { return (*a.id > *b.id) - (*a.id < *b.id); }
static bool same_pair(pairs_ref a, pairs_ref b) { return *a.id == *b.id && *a.half == *b.half; }
static uint64_t hash_pair(pairs_ref a) { return *a.id; }
#define DRY_NAME pairs
#define DRY_COMPARE by_id
#include "../buffer/order.h"
#define DRY_NAME pairs
#define DRY_EQUAL same_pair
#define DRY_HASH hash_pair
#include "../buffer/equal.h"

static counted_columns_seed followed(int which)
{
    lives[which].filled = cells[which];
    lives[which].cells = 4096;
    return (counted_columns_seed){.life = &lives[which]};
}

#define SAME(k) (k)
#define T_VEC plain
#define T_SEED (plain_seed){}
#define T_SEED2 (plain_seed){}
#define T_MAKE SAME
#define T_NUMBER SAME
#include "buffer/model.h"
#define T_VEC spilling
#define T_SEED (spilling_seed){}
#define T_SEED2 (spilling_seed){}
#define T_MAKE SAME
#define T_NUMBER SAME
#include "buffer/model.h"
#define T_VEC fixed
#define T_SEED (fixed_seed){}
#define T_SEED2 (fixed_seed){}
#define T_MAKE SAME
#define T_NUMBER SAME
#include "buffer/model.h"
#define T_VEC indexed
#define T_SEED (indexed_seed){}
#define T_SEED2 (indexed_seed){}
#define T_MAKE SAME
#define T_NUMBER SAME
#include "buffer/model.h"
#define T_VEC boxed
#define T_SEED (boxed_seed){}
#define T_SEED2 (boxed_seed){}
#define T_MAKE SAME
#define T_NUMBER SAME
#include "buffer/model.h"

static inline pairs_elem pair_of(uint32_t k) { return (pairs_elem){.id = k, .half = k / 2.0}; }
static uint32_t number_of(pairs_elem x)
{
    assert_true(x.half == x.id / 2.0);
    return x.id;
}

#define T_VEC pairs
#define T_SEED followed(0)
#define T_SEED2 followed(1)
#define T_MAKE pair_of
#define T_NUMBER number_of
#include "buffer/model.h"

static void no_cell_was_misused(void **state)
{
    (void)state;
    assert_int_equal(lives[0].faults, 0);
    assert_int_equal(lives[1].faults, 0);
    assert_true(lives[0].puts > 1000 && lives[1].puts > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(model_plain), cmocka_unit_test(model_spilling), cmocka_unit_test(model_fixed),
        cmocka_unit_test(model_indexed), cmocka_unit_test(model_boxed),
        cmocka_unit_test(model_pairs), cmocka_unit_test(no_cell_was_misused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

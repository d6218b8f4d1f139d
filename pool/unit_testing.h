/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the unit tests of pool share.
 */
#ifndef DRY_POOL_UNIT_TESTING_H
#define DRY_POOL_UNIT_TESTING_H

#include "pool_testing.h"
#include "words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include <string.h>

static const struct dry_pool_config two_classes[] = {{100, 70}, {1000, 3}};

static inline void set_up(struct bench_pool *b, const struct dry_pool_config *configs, size_t n, uint32_t flags)
{
    struct dry_error err = {.text = "no memory"};
    if (!bench_pool_make(b, configs, n, flags, &err)) fail_msg("%s", err.text);
}

static inline void assert_whole(const struct bench_pool *b)
{
    struct dry_error err;
    if (dry_pool_check(b->p[1], &err) != DRY_OK) fail_msg("%s", err.text);
}

static inline struct dry_slot take(struct dry_pool *p, uint64_t size)
{
    struct dry_slot slot = {0};
    assert_int_equal(dry_pool_allocate(p, size, &slot), DRY_OK);
    return slot;
}

/* How many slots of that size can be had at once. They are given back. */
static inline size_t count_free(struct dry_pool *p, uint64_t size)
{
    struct dry_slot slots[256];
    size_t got = 0, freed = 0;
    if (dry_pool_allocate_batch(p, size, slots, 256, &got) != DRY_OK) return 0;
    assert_int_equal(dry_pool_free_batch(p, slots, got, &freed), DRY_OK);
    assert_int_equal(freed, got);
    return got;
}

#endif

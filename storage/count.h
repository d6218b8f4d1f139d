/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The count of holders of a storage. A holder that takes another one needs no order (it has the bytes already); letting
 * go orders all that the holders did before what the last one does.
 *
 *     0 .. IMMORTAL-1    that many holders
 *     IMMORTAL ..        counted out: nobody frees any more, whatever happens
 *
 * IMMORTAL is half of what the word holds. The first one who sees that half reached moves the word to the middle of the
 * upper half, so that the ones who were between load and subtraction at that moment can bring it neither back nor round.
 */
#ifndef DRY_STORAGE_COUNT_H
#define DRY_STORAGE_COUNT_H

#include "../base/atomic.h"
#include "../base/check.h"

#define COUNT_IMMORTAL ((uint64_t)1 << 63)
#define COUNT_FIXED (COUNT_IMMORTAL + (COUNT_IMMORTAL >> 1))

static inline void count_up(struct dry_atomic_u64 *count)
{
    uint64_t before = dry_add_relaxed_u64(count, 1); /* X0: the caller is a holder, so the word cannot reach 0 */
    DRY_ASSERT(before > 0);
    if (__builtin_expect(before >= COUNT_IMMORTAL - 1, 0))
        dry_store_relaxed_u64(count, COUNT_FIXED); /* X0: says nothing about the bytes */
}

/* True for the one who let go last. */
static inline bool count_down(struct dry_atomic_u64 *count)
{
    uint64_t seen = dry_load_relaxed_u64(count); /* X0: only whether it counts at all */
    DRY_ASSERT(seen > 0);
    if (__builtin_expect(seen >= COUNT_IMMORTAL, 0)) return false;
    /* AR1: pairs with AR1 in all other holders and with A1 in count_now. What each of them did with the bytes is
     * over before the last one releases them. */
    return dry_sub_acq_rel_u64(count, 1) == 1;
}

static inline uint64_t count_now(const struct dry_atomic_u64 *count)
{
    /* A1: pairs with AR1 in count_down. Who sees 1 and is a holder also sees all that the others did. */
    return dry_load_acquire_u64(count);
}

#endif

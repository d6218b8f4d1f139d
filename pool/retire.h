/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How a slot becomes free, for every operation that ends a hold. Private to pool/.
 */
#ifndef DRY_POOL_RETIRE_H
#define DRY_POOL_RETIRE_H

#include "words.h"

/* Steps the slot from the word `seen` to FREE, clearing its bytes on the way if the pool asks for it, and tells the
 * others through its hint. False: the word was no longer `seen`, and somebody else decides. */
bool dry_pool_retire(const struct dry_pool *p, struct pool_place at, uint64_t seen);

/* Takes the reader bit of `peer` off, and frees the slot if it was the last. False: it was off. */
bool dry_pool_leave(const struct dry_pool *p, struct pool_place at, uint32_t peer);
/* Frees a SHARED slot that has no reader any more. False: there are readers, or it is not SHARED. */
bool dry_pool_settle_if_empty(const struct dry_pool *p, struct pool_place at);

/* Wakes those who wait for a free slot; cheap when nobody does. */
void dry_pool_wake(const struct dry_pool *p);

#endif

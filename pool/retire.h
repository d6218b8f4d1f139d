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

/* Takes the seat of this handle's peer: EXISTS where another handle has it alone. And leaves it, with the cache. */
enum dry_status dry_pool_sit(struct dry_pool *p, struct dry_error *err);
void dry_pool_stand(struct dry_pool *p);

/* Hints of slots that are free already, gathered so that one step tells of many. */
struct pool_gathered {
    struct {
        struct pool_group *group;
        uint64_t bits;
    } places[32];
};

static inline void pool_tell(struct pool_gathered *all, size_t i)
{
    if (all->places[i].bits) hints_set(all->places[i].group, all->places[i].bits);
    all->places[i].bits = 0;
}

static inline void pool_gather(struct pool_gathered *all, struct pool_place at)
{
    struct pool_group *group = hint_group(at);
    size_t i = (uintptr_t)group / sizeof *group % (sizeof all->places / sizeof *all->places);
    if (all->places[i].group != group) pool_tell(all, i);
    all->places[i].group = group;
    all->places[i].bits |= hint_bit(at);
}

static inline void pool_tell_all(struct pool_gathered *all)
{
    for (size_t i = 0; i < sizeof all->places / sizeof *all->places; i++)
        pool_tell(all, i);
}

#endif

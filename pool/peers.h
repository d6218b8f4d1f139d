/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The row of a peer: its seat, and what its quota counts. Private to pool/.
 *
 * The count is changed by the peer's own handles alone: before a slot is claimed and after it was given away, so it
 * is never too low, whatever happens in between. It dies with the peer: a reclaim sets it to zero.
 */
#ifndef DRY_POOL_PEERS_H
#define DRY_POOL_PEERS_H

#include "words.h"

#define SEAT_ALONE (UINT64_C(1) << 63)

static inline uint64_t seat_load(const struct pool_peer_row *row)
{
    return dry_load_relaxed_u64(&row->seat); /* X0: seat_step checks it */
}

static inline bool seat_step(struct pool_peer_row *row, uint64_t *seen, uint64_t next)
{
    /* AR1: pairs with AR1: who sits down sees all that the one before did. */
    return dry_cas_acq_rel_u64(&row->seat, seen, next);
}

static inline uint32_t held_load(const struct pool_peer_row *row)
{
    return dry_load_relaxed_u32(&row->held); /* X1: a count */
}

static inline uint32_t quota_load(const struct pool_peer_row *row)
{
    return dry_load_relaxed_u32(&row->quota); /* X2: whoever sets it does not wait for an answer */
}

/* Adds to the count (UINT32_MAX: takes one off) and returns what it was. */
static inline uint32_t held_add(const struct dry_pool *p, uint32_t n)
{
    struct pool_peer_row *row = p->own;
    if (p->cache_slots == 0) return dry_add_relaxed_u32(&row->held, n); /* X3: a count of several threads */
    uint32_t was = held_load(row);
    dry_store_relaxed_u32(&row->held, was + n); /* X4: a count of this thread */
    return was;
}

static inline void held_sub(const struct dry_pool *p, uint32_t n)
{
    held_add(p, 0 - n);
}

/* rule: pool.quota. Counts up to n slots before they are claimed; returns how many may be. */
static inline uint32_t held_reserve(const struct dry_pool *p, uint32_t n)
{
    uint32_t quota = quota_load(p->own), was = held_add(p, n);
    if (quota == 0 || (uint64_t)was + n <= quota) return n;
    uint32_t allowed = was < quota ? quota - was : 0;
    held_sub(p, n - allowed);
    return allowed;
}

static inline enum dry_status held_refuse(const struct dry_pool *p)
{
    dry_add_relaxed_u64(&p->own->refused, 1); /* X5: statistics */
    return DRY_DENIED;
}

#endif

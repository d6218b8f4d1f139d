/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A peer's cache: free slots whose word says "cached by me", in lists that only this process has. Private to pool/.
 *
 * The lists are derived. What they say is checked against the word before use; dead with its lists, a peer loses
 * nothing, because a reclaim goes by the words.
 */
#ifndef DRY_POOL_CACHE_H
#define DRY_POOL_CACHE_H

#include "words.h"

/* Whether somebody found nothing since this handle last gave back. */
static inline bool cache_is_wanted(const struct dry_pool *p)
{
    /* X0: a request; who asks looks again by itself */
    return dry_load_relaxed_u32(&p->head->header.wanted) != p->wanted_seen;
}

/* rule: pool.cache. Claims the slot that was freed before the last, by a plain store: nobody else may change its
 * word. (Of the last one some stores are still on their way, and a loop of allocate and free would wait for each of
 * them.) Returns its version; 0: the cache is empty, or that word said something else and the slot is not in the
 * cache now. */
static inline uint64_t cache_take(const struct dry_pool *p, struct pool_class *c, uint32_t *index)
{
    uint32_t n = c->cached_n, i = n - 1 - (n > 1);
    if (n == 0) return 0;
    *index = c->cached[i];
    struct pool_cell *cell = &c->cells[*index];
    uint64_t seen = word_load(cell);
    c->cached[i] = c->cached[n - 1];
    c->cached_n = n - 1;
    if (!word_is_by_me(seen, p->cached_by_me)) return 0;
    word_store(cell, word_cached_to_held(seen));
    return word_version(seen) + 1;
}

/* rule: pool.cache. Puts a slot into the cache whose word says, `seen`, that this peer holds it; false: there is no
 * room, or it is not for caches any more. */
static inline bool cache_put(const struct dry_pool *p, struct pool_class *c, uint32_t index, uint64_t seen)
{
    uint32_t n = c->cached_n;
    if (n >= p->cache_slots || word_is_past_caches(seen)) return false;
    word_store(&c->cells[index], word_held_to_cached(seen));
    c->cached[n] = index;
    c->cached_n = n + 1;
    return true;
}

/* Gives back to everybody: of one class all but the `keep` that were freed last; of all classes all. */
void dry_pool_cache_spill(struct dry_pool *p, struct pool_class *c, uint32_t keep);
void dry_pool_cache_return(struct dry_pool *p);
/* Lists for that many slots of each class, while all are empty. False: no memory, and nothing changed. */
bool dry_pool_cache_lists(struct dry_pool *p, uint32_t slots);

#endif

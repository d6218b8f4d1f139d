/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Seats, and what a cache does seldom: begin, end, give back. The quick ways in and out stand in cache.h.
 */
#include "cache.h"
#include "peers.h"
#include "retire.h"
#include "../base/check.h"

#include <inttypes.h>
#include <string.h>

/* ---- seats ----------------------------------------------------------------------------------------------------- */

/* rule: pool.seat. False: somebody has the number alone. */
static bool sit_down(struct pool_peer_row *row)
{
    uint64_t seen = seat_load(row);
    for (uint32_t i = 0; i < POOL_ATTEMPTS && !(seen & SEAT_ALONE); i++)
        if (seat_step(row, &seen, seen + 1)) return true;
    return false;
}

static void stand_up(struct pool_peer_row *row)
{
    uint64_t seen = seat_load(row);
    for (uint32_t i = 0; i < POOL_ATTEMPTS && (seen & ~SEAT_ALONE); i++)
        if (seat_step(row, &seen, (seen & ~SEAT_ALONE) - 1)) return;
}

enum dry_status dry_pool_sit(struct dry_pool *p, struct dry_error *err)
{
    if (!sit_down(p->own))
        return dry_fail(err, DRY_EXISTS,
                        "pool: peer %" PRIu32 " has a cache, so its number is one handle's alone; take another "
                        "number, or reclaim it if it died",
                        p->peer);
    DRY_STEP("open: seated");
    return DRY_OK;
}

void dry_pool_stand(struct dry_pool *p)
{
    dry_pool_cache_return(p);
    stand_up(p->own);
}

/* ---- giving back ----------------------------------------------------------------------------------------------- */

/* rule: pool.cache-return. The word first, then the hint: dead in between, a FREE slot has no hint, as after any
 * free. */
void dry_pool_cache_spill(struct dry_pool *p, struct pool_class *c, uint32_t keep)
{
    struct pool_gathered all = {0};
    if (c->cached_n <= keep) return;
    uint32_t n = c->cached_n - keep, given = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct pool_place at = pool_place(p, c->class_index, c->cached[i]);
        uint64_t seen = word_load(at.cell);
        if (!word_is_by_me(seen, p->cached_by_me)) continue; /* somebody wrote rubbish */
        word_store(at.cell, word_make(word_version(seen), 0, POOL_FREE));
        DRY_STEP("cache: given back, no hint yet");
        pool_gather(&all, at);
        given++;
    }
    memmove(c->cached, c->cached + n, keep * sizeof *c->cached);
    c->cached_n = keep;
    pool_tell_all(&all);
    held_sub(p, given);
    DRY_STEP("cache: hints set, nobody woken yet");
    dry_pool_wake(p);
}

void dry_pool_cache_return(struct dry_pool *p)
{
    const struct pool_header *h = &p->head->header;
    /* X1: before the slots come free: who asks for them later is heard the next time. */
    uint32_t wanted = dry_load_relaxed_u32(&h->wanted);
    for (uint32_t i = 0; i < p->class_count; i++)
        dry_pool_cache_spill(p, p->fits[i].class, 0);
    /* X2: the same. Where somebody sleeps on, there was nothing for it, and the next slot that is freed is. */
    p->wanted_seen = dry_load_relaxed_u32(&h->waiting) ? wanted - 1 : wanted;
}

/* ---- on and off ------------------------------------------------------------------------------------------------ */

/* rule: pool.seat */
static enum dry_status be_alone(struct dry_pool *p, struct dry_error *err)
{
    uint64_t one = 1;
    if (!seat_step(p->own, &one, SEAT_ALONE | 1))
        return dry_fail(err, DRY_EXISTS,
                        "pool: peer %" PRIu32 " has %" PRIu64 " handles, and one with a cache must be its only one; "
                        "close the others, or reclaim it if it died with them open",
                        p->peer, one & ~SEAT_ALONE);
    DRY_STEP("cache: alone");
    return DRY_OK;
}

static void be_one_of_many(struct dry_pool *p)
{
    uint64_t seen = SEAT_ALONE | 1;
    if (!seat_step(p->own, &seen, 1)) return; /* reclaimed while alive, or rubbish: nothing of ours is there */
    DRY_STEP("cache: not alone any more");
}

enum dry_status dry_pool_cache(struct dry_pool *p, uint32_t slots, struct dry_error *err)
{
    bool was_alone = p->cache_slots > 0;
    if (slots > DRY_POOL_CACHE_MAX)
        return dry_fail(err, DRY_INVALID, "pool: a cache of %" PRIu32 " slots; at most %u", slots,
                        DRY_POOL_CACHE_MAX);
    if (slots > 0 && !was_alone) DRY_TRY(be_alone(p, err));
    dry_pool_cache_return(p);
    if (!dry_pool_cache_lists(p, slots)) {
        if (!was_alone) be_one_of_many(p);
        return dry_fail(err, DRY_NOMEM, "pool: no memory for the lists of a cache of %" PRIu32 " slots a class",
                        slots);
    }
    p->cache_slots = slots;
    p->thread = slots > 0 ? __builtin_thread_pointer() : NULL;
    p->quick_frees = p->flags & DRY_POOL_CLEAR ? NULL : p->thread;
    if (slots == 0 && was_alone) be_one_of_many(p);
    return DRY_OK;
}

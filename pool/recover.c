/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * After a death: reclaim what the dead held, restore what is derived. Both walk all slots once, touch only what is
 * the dead peer's or derived, and may themselves be killed anywhere: nothing is noted about how far they came.
 */
#include "extents.h"
#include "peers.h"
#include "retire.h"
#include "words.h"
#include "../base/check.h"

static void each_slot(struct dry_pool *p, void (*visit)(struct dry_pool *p, struct pool_place at, void *self),
                      void *self)
{
    for (uint32_t c = 0; c < p->class_limit; c++)
        for (uint32_t i = 0; i < p->classes[c].slot_count; i++)
            visit(p, pool_place(p, c, i), self);
}

/* ---- derived state --------------------------------------------------------------------------------------------- */

/* rule: pool.rebuild. A hint for each FREE slot, none for the others. */
static bool mend_hint(struct pool_place at)
{
    struct pool_group *group = hint_group(at);
    uint64_t seen = hints_load(group), bit = hint_bit(at);
    if (word_is_free(word_load(at.cell))) return !(seen & bit) && hints_set(group, bit);
    for (uint32_t i = 0; (seen & bit) && i < POOL_ATTEMPTS; i++) {
        if (!hints_change(group, &seen, seen & ~bit)) continue;
        DRY_STEP("rebuild: old hint taken off");
        /* Freed meanwhile: its hint may be the one that was just taken off. */
        if (word_is_free(word_load(at.cell))) hints_set(group, bit);
        return true;
    }
    return false;
}

/* Bits past the last slot of a class; nobody has a reason to set them. */
static bool mend_last_group(struct pool_class *c)
{
    struct pool_group *group = &c->groups[c->group_count - 1];
    uint32_t last = c->slot_count % POOL_GROUP;
    uint64_t seen = hints_load(group), past = last ? UINT64_MAX << last : 0;
    for (uint32_t i = 0; (seen & past) && i < POOL_ATTEMPTS; i++)
        if (hints_change(group, &seen, seen & ~past)) return true;
    return false;
}

static void rebuild_slot(struct dry_pool *p, struct pool_place at, void *self)
{
    size_t *repairs = self;
    if (dry_pool_settle_if_empty(p, at)) ++*repairs;
    if (mend_hint(at)) ++*repairs;
    DRY_STEP("rebuild: a slot is done");
}

size_t dry_pool_rebuild(struct dry_pool *p)
{
    size_t repairs = 0;
    each_slot(p, rebuild_slot, &repairs);
    for (uint32_t c = 0; c < p->class_count; c++)
        if (mend_last_group(p->fits[c].class)) repairs++;
    dry_pool_wake(p);
    return repairs;
}

/* ---- reclaim --------------------------------------------------------------------------------------------------- */

struct reclaim {
    uint32_t dead;
    size_t reclaimed;
};

/* rule: pool.crash-recovery. The reader bit goes first: while it is there, the slot cannot be taken for one without
 * readers. An offer *to* the dead stays its giver's, who withdraws it. */
static void reclaim_slot(struct dry_pool *p, struct pool_place at, void *self)
{
    struct reclaim *r = self;
    bool read = word_state(word_load(at.cell)) == POOL_SHARED;
    bool lost = reader_is(at.cell, r->dead) && dry_pool_leave(p, at, r->dead) && read;
    uint64_t seen = word_load(at.cell);
    enum pool_state state = word_state(seen);
    if ((state == POOL_HELD || state == POOL_OFFERED) && word_holder(seen) == r->dead)
        lost |= dry_pool_retire(p, at, seen);
    else if (word_is_cached(seen) && word_holder(seen) == r->dead)
        dry_pool_retire(p, at, seen);
    else
        dry_pool_settle_if_empty(p, at);
    mend_hint(at);
    if (lost) r->reclaimed++;
    DRY_STEP("reclaim: a slot is done");
}

/* rule: pool.seat. With the dead go its handles, and with its slots its count: first the count, because from the
 * empty seat on somebody new may sit there. */
static void clear_seat(struct dry_pool *p, uint32_t dead, uint64_t seen)
{
    struct pool_peer_row *row = &p->head->peers[dead];
    dry_store_relaxed_u32(&row->held, 0); /* X0: none of its slots is left */
    DRY_STEP("reclaim: count cleared");
    if (seen) seat_step(row, &seen, 0);
    DRY_STEP("reclaim: seat cleared");
}

enum dry_status dry_pool_reclaim(struct dry_pool *p, unsigned peer, bool (*is_alive)(void *self, unsigned peer),
                                 void *self, size_t *reclaimed)
{
    struct reclaim r = {.dead = peer};
    if (peer == 0 || peer > DRY_POOL_PEER_MAX) return DRY_INVALID;
    if (peer == p->peer || is_alive(self, peer)) return DRY_DENIED;
    if (dry_pool_missing_extent(p)) return DRY_NOT_FOUND;
    uint64_t seat = seat_load(&p->head->peers[peer]);
    dry_pool_reclaim_extents(p, peer);
    each_slot(p, reclaim_slot, &r);
    clear_seat(p, peer, seat);
    dry_pool_wake(p);
    if (reclaimed) *reclaimed = r.reclaimed;
    return DRY_OK;
}

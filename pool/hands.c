/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Changing hands: from one holder to another, and from one holder to several readers.
 */
#include "peers.h"
#include "retire.h"
#include "words.h"
#include "../base/check.h"

/* ---- one to one ------------------------------------------------------------------------------------------------ */

/* rule: pool.give. Steps a slot that this peer alone holds to `state` and the next version, which the note names
 * first: dead in between, the slot is HELD as before, and the note of another version means nothing. */
static enum dry_status give(const struct dry_pool *p, struct dry_slot slot, enum pool_state state, unsigned to,
                            struct dry_slot *out)
{
    struct pool_place at;
    if (!pool_may_use(p)) return DRY_DENIED;
    if (!pool_locate(p, slot, &at)) return DRY_INVALID;
    uint64_t note = note_load(at.cell), seen = word_load(at.cell);
    if (word_version(seen) != slot.generation || word_state(seen) == POOL_FREE) return DRY_STALE;
    if (word_state(seen) != POOL_HELD) return DRY_SHARED;
    if (word_holder(seen) != p->peer) return DRY_DENIED;
    if (word_version(seen) >= WORD_VERSION_GIVE_LAST) return DRY_FULL;
    uint64_t version = word_version(seen) + 1;
    if (!note_write_own(p, at.cell, &note, note_make(version, to))) return DRY_STALE;
    DRY_STEP("give: noted");
    bool mine = state == POOL_SHARED && reader_set(at.cell, p->peer, true);
    DRY_STEP("give: reader bit set, if shared");
    if (!word_step_own(p, at.cell, &seen, word_make(version, state == POOL_SHARED ? 0 : p->peer, state))) {
        if (mine) dry_pool_leave(p, at, p->peer);
        return DRY_STALE;
    }
    DRY_STEP("give: given");
    held_sub(p, 1);
    slot.generation = version;
    *out = slot;
    return DRY_OK;
}

enum dry_status dry_pool_offer(struct dry_pool *p, struct dry_slot slot, unsigned to, struct dry_slot *offered)
{
    if (to == 0 || to > DRY_POOL_PEER_MAX) return DRY_INVALID;
    return give(p, slot, POOL_OFFERED, to, offered);
}

/* The word of the offer that the reference names; STALE where there is none. */
static enum dry_status look_offered(const struct dry_pool *p, struct dry_slot slot, struct pool_place *at,
                                    uint64_t *seen)
{
    if (!pool_may_use(p)) return DRY_DENIED;
    if (!pool_locate(p, slot, at)) return DRY_INVALID;
    *seen = word_load(at->cell);
    return word_state(*seen) == POOL_OFFERED && word_version(*seen) == slot.generation ? DRY_OK : DRY_STALE;
}

/* What is taken was counted before. */
static enum dry_status take(const struct dry_pool *p, struct pool_place at, uint64_t seen, struct dry_slot slot,
                            struct dry_slot *out)
{
    slot.generation = word_version(seen) + 1;
    DRY_STEP("take: looked");
    if (!word_step(at.cell, &seen, word_make(slot.generation, p->peer, POOL_HELD))) {
        held_sub(p, 1);
        return DRY_STALE;
    }
    DRY_STEP("take: held");
    *out = slot;
    return DRY_OK;
}

/* rule: pool.accept */
enum dry_status dry_pool_accept(struct dry_pool *p, struct dry_slot offered, struct dry_slot *slot)
{
    struct pool_place at;
    uint64_t seen;
    DRY_TRY(look_offered(p, offered, &at, &seen));
    /* If the note has changed since, so has the word, and the step fails. */
    if (note_load(at.cell) != note_make(offered.generation, p->peer)) return DRY_DENIED;
    if (held_reserve(p, 1) == 0) return held_refuse(p);
    return take(p, at, seen, offered, slot);
}

enum dry_status dry_pool_withdraw(struct dry_pool *p, struct dry_slot offered, struct dry_slot *slot)
{
    struct pool_place at;
    uint64_t seen;
    DRY_TRY(look_offered(p, offered, &at, &seen));
    if (word_holder(seen) != p->peer) return DRY_DENIED;
    held_add(p, 1); /* its own, which a quota does not keep from it */
    return take(p, at, seen, offered, slot);
}

/* ---- one to many ----------------------------------------------------------------------------------------------- */

enum dry_status dry_pool_share(struct dry_pool *p, struct dry_slot slot, struct dry_slot *shared)
{
    return give(p, slot, POOL_SHARED, 0, shared);
}

/* Whether the word is that of the sharing which the reference names. The note stays as it is while the word is
 * SHARED. */
static bool is_sharing(struct pool_place at, uint64_t seen, struct dry_slot slot)
{
    return word_state(seen) == POOL_SHARED && word_version(note_load(at.cell)) == slot.generation;
}

/* rule: pool.settle. After a reader bit was taken off: the last one frees the slot, the others leave a new version,
 * so that of two who leave at once the later step sees both bits gone. */
static void settle(const struct dry_pool *p, struct pool_place at)
{
    uint64_t seen = word_load(at.cell);
    for (uint32_t i = 0; i < POOL_ATTEMPTS && word_state(seen) == POOL_SHARED; i++) {
        if (readers_none(at.cell)) {
            if (dry_pool_retire(p, at, seen)) return;
            seen = word_load(at.cell);
        } else if (word_step(at.cell, &seen, word_make(word_version(seen) + 1, 0, POOL_SHARED))) {
            return;
        }
    }
}

bool dry_pool_leave(const struct dry_pool *p, struct pool_place at, uint32_t peer)
{
    if (!reader_set(at.cell, peer, false)) return false;
    DRY_STEP("leave: reader bit gone");
    settle(p, at);
    return true;
}

/* rule: pool.ref. The bit first, then a new version of the word, which no free in between survives: a free that comes
 * before it makes this one fail, one that comes after it sees the bit. */
enum dry_status dry_pool_ref(struct dry_pool *p, struct dry_slot shared)
{
    struct pool_place at;
    if (!pool_may_use(p)) return DRY_DENIED;
    if (!pool_locate(p, shared, &at)) return DRY_INVALID;
    uint64_t seen = word_load(at.cell);
    if (!is_sharing(at, seen, shared)) return DRY_STALE;
    if (word_version(seen) >= WORD_VERSION_GIVE_LAST) return DRY_FULL;
    if (!reader_set(at.cell, p->peer, true)) return DRY_EXISTS;
    DRY_STEP("ref: reader bit set");
    seen = word_load(at.cell);
    for (uint32_t i = 0; i < POOL_ATTEMPTS && is_sharing(at, seen, shared); i++) {
        if (word_step(at.cell, &seen, word_make(word_version(seen) + 1, 0, POOL_SHARED))) {
            DRY_STEP("ref: counted");
            return DRY_OK;
        }
    }
    dry_pool_leave(p, at, p->peer);
    return DRY_STALE;
}

/* rule: pool.unref */
enum dry_status dry_pool_unref(struct dry_pool *p, struct dry_slot shared)
{
    struct pool_place at;
    if (!pool_may_use(p)) return DRY_DENIED;
    if (!pool_locate(p, shared, &at)) return DRY_INVALID;
    bool left = is_sharing(at, word_load(at.cell), shared) && dry_pool_leave(p, at, p->peer);
    return left ? DRY_OK : DRY_STALE;
}

bool dry_pool_settle_if_empty(const struct dry_pool *p, struct pool_place at)
{
    uint64_t seen = word_load(at.cell);
    return word_state(seen) == POOL_SHARED && readers_none(at.cell) && dry_pool_retire(p, at, seen);
}

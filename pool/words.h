/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The words of a pool: how they are packed, and every atomic access to them. Private to pool/; no other file of the
 * module shifts bits or chooses a memory order.
 *
 * Pairs. All changes of a slot's word are AR1: the previous holder's use of the payload, of the note and of its
 * reader bit ends before the next one's begins; R1 is such a change by the one peer that may make it. AR2 carries the
 * same for hints, AR3 for reader bits, AR4 for notes.
 * No decision rests on two words seen at two times: who reads bits or a note changes the word from the value it saw
 * first.
 */
#ifndef DRY_POOL_WORDS_H
#define DRY_POOL_WORDS_H

#include "../base/step.h"
#include "layout.h"

/* ---- packing: [63 version 54 10][9 holder 8 2][1 state 2 0] ---------------------------------------------------- */

enum pool_state { POOL_FREE, POOL_HELD, POOL_SHARED, POOL_OFFERED };

#define WORD_VERSION_MAX (UINT64_MAX >> 10)
/* rule: pool.generation. A slot is not allocated again past the first, not offered or shared past the second: what is
 * left is enough for the last holders to leave. */
#define WORD_VERSION_CLAIM_LAST (WORD_VERSION_MAX - (UINT64_C(1) << 48))
#define WORD_VERSION_GIVE_LAST (WORD_VERSION_MAX - 4096)

static inline uint64_t word_make(uint64_t version, uint32_t holder, enum pool_state state)
{
    return version << 10 | (uint64_t)(holder & 0xff) << 2 | (uint64_t)state;
}
static inline uint64_t word_version(uint64_t w) { return w >> 10; }
static inline uint32_t word_holder(uint64_t w) { return (uint32_t)(w >> 2) & 0xff; }
static inline enum pool_state word_state(uint64_t w) { return (enum pool_state)(w & 3); }
/* To be had by anybody: FREE without a holder, not retired. */
static inline bool word_is_free(uint64_t w)
{
    return (w & 0x3ff) == POOL_FREE && word_version(w) < WORD_VERSION_CLAIM_LAST;
}
/* FREE with a holder: it lies in that peer's cache. */
static inline bool word_is_cached(uint64_t w) { return word_state(w) == POOL_FREE && word_holder(w) != 0; }
/* By a handle's `held_by_me` or `cached_by_me`, which are the lowest ten bits of such words. */
static inline bool word_is_by_me(uint64_t w, uint32_t by_me) { return (w & 0x3ff) == by_me; }
/* The same holder, and the same version or the next; in one addition. */
static inline uint64_t word_held_to_cached(uint64_t w) { return w - POOL_HELD; }
static inline uint64_t word_cached_to_held(uint64_t w) { return w + word_make(1, 0, POOL_HELD); }
/* rule: pool.generation. In the second half of its versions a slot goes through the hints each time, so that a cache
 * need not look how many are left. */
static inline bool word_is_past_caches(uint64_t w) { return w >> 63; }
/* Names `peer` as the only one who may use it: what its quota counts. */
static inline bool word_counts_for(uint64_t w, uint32_t peer)
{
    return word_holder(w) == peer && (word_state(w) == POOL_HELD || word_state(w) == POOL_FREE);
}
static inline bool word_is(uint64_t w, uint64_t version, uint32_t holder, enum pool_state state)
{
    return word_version(w) == version && (w & 0x3ff) == word_make(0, holder, state);
}

/* A note is packed like a word: the version that it speaks of, and for an offer the taker in place of the holder. */
static inline uint64_t note_make(uint64_t version, uint32_t to) { return word_make(version, to, POOL_FREE); }

/* ---- the word of a slot ---------------------------------------------------------------------------------------- */

static inline uint64_t word_load(const struct pool_cell *cell)
{
    /* A1: pairs with AR1: what the writer did before it (payload, note, reader bit) is seen here. */
    return dry_load_acquire_u64(&cell->word);
}

/* The one step that decides. False: another was faster, and the word is what `*seen` now says. */
static inline bool word_step(struct pool_cell *cell, uint64_t *seen, uint64_t next)
{
    /* AR1: pairs with AR1 and A1: the last holder's use of the payload ends before the next one's begins. */
    return dry_cas_acq_rel_u64(&cell->word, seen, next);
}

/* The step of a word that nobody else may change: one that says "held by me" or "cached by me", where I am alone
 * (rule: pool.seat). Only a reclaim of me would, and I am alive. */
static inline void word_store(struct pool_cell *cell, uint64_t next)
{
    /* R1: pairs with A1 and AR1: my use of the payload ends before the next one's begins. */
    dry_store_release_u64(&cell->word, next);
}

/* The same step by whoever: a store where I am alone, else the CAS. */
static inline bool word_step_own(const struct dry_pool *p, struct pool_cell *cell, uint64_t *seen, uint64_t next)
{
    if (p->cache_slots == 0) return word_step(cell, seen, next);
    word_store(cell, next);
    return true;
}

/* ---- hints ----------------------------------------------------------------------------------------------------- */

static inline uint64_t hints_load(const struct pool_group *group)
{
    return dry_load_relaxed_u64(&group->free); /* X0: a guess; hints_change or the slot's word checks it */
}

static inline bool hints_change(struct pool_group *group, uint64_t *seen, uint64_t next)
{
    /* AR2: pairs with AR2: who takes a hint off sees the FREE word of whoever set it last, so that either the word is
     * seen FREE, or the hint is set again by the one who frees later. */
    return dry_cas_acq_rel_u64(&group->free, seen, next);
}

/* How often a CAS on a word that everybody may change is tried: a peer that only writes rubbish cannot hold us. Each
 * failure of an honest run is another peer's success; so many in a row do not happen to anybody. */
#define POOL_ATTEMPTS 100000u

/* rule: pool.hints. Sets hint bits; false where they were set already. */
static inline bool hints_set(struct pool_group *group, uint64_t bits)
{
    uint64_t seen = hints_load(group);
    for (uint32_t i = 0; i < POOL_ATTEMPTS; i++)
        if (hints_change(group, &seen, seen | bits)) return (seen & bits) != bits;
    return false;
}

static inline struct pool_group *hint_group(struct pool_place at) { return &at.class->groups[at.index / POOL_GROUP]; }
static inline uint64_t hint_bit(struct pool_place at) { return UINT64_C(1) << at.index % POOL_GROUP; }

/* ---- reader bits ----------------------------------------------------------------------------------------------- */

static inline uint64_t readers_load(const struct pool_cell *cell, uint32_t i)
{
    /* A3: pairs with AR3: what the one who left did before is done. */
    return dry_load_acquire_u64(&cell->readers[i]);
}

static inline bool readers_none(const struct pool_cell *cell)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < POOL_READER_WORDS; i++)
        all |= readers_load(cell, i);
    return all == 0;
}

static inline bool reader_is(const struct pool_cell *cell, uint32_t peer)
{
    return readers_load(cell, peer / 64 % POOL_READER_WORDS) >> peer % 64 & 1;
}

/* Sets or takes off the bit of `peer`; false where it was so already. */
static inline bool reader_set(struct pool_cell *cell, uint32_t peer, bool on)
{
    struct dry_atomic_u64 *word = &cell->readers[peer / 64 % POOL_READER_WORDS];
    uint64_t bit = UINT64_C(1) << peer % 64, seen = readers_load(cell, peer / 64 % POOL_READER_WORDS);
    for (uint32_t i = 0; i < POOL_ATTEMPTS; i++) {
        if (((seen & bit) != 0) == on) return false;
        /* AR3: pairs with AR3 and A3: the reads of whoever leaves end before the bit is gone. */
        if (dry_cas_acq_rel_u64(word, &seen, seen ^ bit)) return true;
    }
    return false;
}

/* ---- notes ----------------------------------------------------------------------------------------------------- */

static inline uint64_t note_load(const struct pool_cell *cell)
{
    /* A4: pairs with AR4; the word, looked at again by a CAS, says whether the note is the one that counts. */
    return dry_load_acquire_u64(&cell->note);
}

/* Only the sole holder of a slot writes. By CAS, so that a thread which lost the slot meanwhile cannot overwrite the
 * note of the next holder: that one's is not the note which was seen here. */
static inline bool note_write(struct pool_cell *cell, uint64_t *seen, uint64_t note)
{
    /* AR4: pairs with A4; seen at the latest with the word. */
    return dry_cas_acq_rel_u64(&cell->note, seen, note);
}

/* The same by whoever: where I am alone there is no other thread. */
static inline bool note_write_own(const struct dry_pool *p, struct pool_cell *cell, uint64_t *seen, uint64_t note)
{
    if (p->cache_slots == 0) return note_write(cell, seen, note);
    /* R4: pairs with A4; seen at the latest with the word. */
    dry_store_release_u64(&cell->note, note);
    return true;
}

#endif

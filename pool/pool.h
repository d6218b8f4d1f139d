/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * pool: fixed places ("slots") in memory that several processes share, allocated and freed without locks. A stale or
 * double free is an error, exhaustion is a status, and a process killed at any instruction costs nobody anything.
 *
 *     struct dry_pool_config classes[] = {{1024, 1000}, {65536, 100}};       // slot size in bytes, number of slots
 *     struct dry_pool_memory memory = {shared, length_bytes, 0};             // zeroed bytes, mapped by all
 *     dry_pool_init(memory, classes, 2, 0, &err);                            // one process, once
 *     dry_pool_open(memory, my_peer, NULL, &pool, &err);                     // each process
 *     dry_pool_allocate(pool, 500, &slot);  memcpy(bytes, ..., 500);         // slot travels to others by value
 *     dry_pool_free(pool, slot);
 *
 * WHAT IT IS. An algorithm over bytes that the caller gives: heap, a mapped segment or a file. It makes no mapping,
 * starts no thread, and knows no process: a **peer** is a number from 1 to 255 that the caller gives out, one for
 * each process (or thread) that may die on its own. The bytes and the numbered rules stand in docs/formats/pool.md,
 * the drawing and the caveats in docs/pool.md.
 *
 * FACTS AND DERIVED STATE. A fact changes in one atomic step, and all else can be rebuilt from the facts:
 *   the word of a slot    who holds it, in which state, at which version
 *   the reader bits       who holds a slot that several hold; they count while the word says SHARED
 *   the hints (derived)   one bit for each slot: "probably free". Never believed: the word decides.
 *
 * THE WORD.  [63 version 54 10][9 holder 8 2][1 state 2 0], all zero in fresh memory.
 * Each step of a word except the one to FREE takes the next version, so no value of a word ever returns, and a slot
 * whose versions are used up is retired instead of reused. How soon: one allocate and free of one slot is a version,
 * measured at 27 ns; were it 4 ns, 2^54 of them would take 2.3 years (docs/decisions/pool-words.md).
 *
 *   state    event      next                       order  if the holder dies in this state
 *   FREE     allocate   HELD by me, version + 1    AR1    (no holder; a lost hint is restored by reclaim and rebuild)
 *   HELD     free       FREE                       AR1    reclaim: -> FREE
 *   HELD     offer      OFFERED by me, version + 1 AR1    reclaim: -> FREE
 *   HELD     share      SHARED, version + 1        AR1    reclaim: -> FREE; a reader bit that was set is taken off
 *   OFFERED  accept     HELD by other, version + 1 AR1    before: reclaim of the giver -> FREE, the accept is STALE
 *   OFFERED  withdraw   HELD by me, version + 1    AR1    the giver can always take back; if the *other* dies it must
 *   SHARED   ref        SHARED, version + 1        AR1    reclaim takes its bit off; the last bit: -> FREE
 *   SHARED   unref      SHARED, version + 1        AR1    the same
 *   SHARED   last unref FREE                       AR1    between bit and word: reclaim and rebuild finish it
 * With DRY_POOL_CLEAR, free and last unref pass through HELD by me, version + 1, while the bytes are cleared.
 *
 * THE REFERENCE. struct dry_slot holds the version of the word at the moment its holder got it. Each change of hands
 * makes a new version, so a reference that was given away, freed or taken back is STALE at once, also for the
 * threads of the same peer, and when two threads free it one wins. A shared reference is the same for all its
 * readers.
 *
 * PROMISE. Linearisation: the CAS on the slot's word, for each operation. Lock-free: an attempt is repeated only
 * because another peer's succeeded, and all loops are bounded besides, so that a peer which writes rubbish delays
 * nobody for ever. Only dry_pool_allocate_wait blocks. Nothing read from shared memory is an index, a size or a
 * count here: sizes are copied and checked in dry_pool_open, indices come from the caller or from the position of a
 * bit. Not promised: that FULL was true at one single instant (slots behind the search may have come free meanwhile);
 * fairness; protection of payloads (every peer that maps the memory can write it).
 *
 * WHO WITH WHOM (X: the caller keeps them apart; -: no rule)
 *                          allocate free  offer/accept/withdraw/share  ref/unref  reclaim  check
 *   allocate               -        -     -                            -          -        X
 *   free                            -     -                            -          -        X
 *   offer ... share                       -                            -          -        X
 *   ref/unref                                                          X1         -        X
 *   reclaim, rebuild                                                              -        X
 * X1: only within one peer, on one slot: a peer has one hold on a slot, its threads count among themselves. A thread
 * that wants a hold of its own has a peer number of its own. check reports operations that are under way as faults.
 *
 * A peer number may be given to somebody new after dry_pool_reclaim for it returned, not before.
 *
 * Errors: expected outcomes are statuses without words; what the world did has words (the functions that take err).
 */
#ifndef DRY_POOL_H
#define DRY_POOL_H

#include "../base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DRY_POOL_CLASSES_MAX 64u
#define DRY_POOL_SLOTS_MAX (1u << 30) /* of one class */
#define DRY_POOL_PEER_MAX 255u

struct dry_pool;

/* ---- layout ---------------------------------------------------------------------------------------------------- */

/* One size class. Sizes are rounded up to a multiple of 64; both at least 1. The order of classes does not matter. */
struct dry_pool_config {
    uint64_t slot_size;
    uint32_t slot_count;
};

/* Where a pool of those classes has what, in bytes from its start; all multiples of 64. Payloads come after all else,
 * so that what is not used is never touched. */
struct dry_pool_layout {
    uint64_t required_size, control_size;
    uint32_t class_count;
    struct dry_pool_class_layout {
        uint64_t slot_size, hints, slots, payload;
        uint32_t slot_count;
    } classes[DRY_POOL_CLASSES_MAX];
};
/* INVALID: no class, too many, a size or a count of zero; TOO_BIG: does not fit in 64 bits, or too many slots. */
DRY_API enum dry_status dry_pool_layout(const struct dry_pool_config *configs, size_t n, struct dry_pool_layout *out,
                                        struct dry_error *err) DRY_MUST_CHECK;
DRY_API enum dry_status dry_pool_required_size(const struct dry_pool_config *configs, size_t n, uint64_t *out,
                                               struct dry_error *err) DRY_MUST_CHECK;

/* The pool begins at base + offset and may use length - offset bytes; base + offset is a multiple of 64. */
struct dry_pool_memory {
    void *base;
    size_t length;
    size_t offset;
};

/* ---- life cycle ------------------------------------------------------------------------------------------------ */

/* Freed payloads are overwritten with zeros before anybody else gets them. Costs a memset and, once, their pages. */
#define DRY_POOL_CLEAR 1u

/* Makes a pool in zeroed bytes; payloads are neither read nor written. One of several at the same time wins.
 * Statuses: INVALID alignment, flags or configuration; FULL memory too short; EXISTS the control area is not zero:
 * there is, or was, something else. A process killed in here leaves bytes that are not zero: make them anew. */
DRY_API enum dry_status dry_pool_init(struct dry_pool_memory memory, const struct dry_pool_config *configs, size_t n,
                                      uint32_t flags, struct dry_error *err) DRY_MUST_CHECK;

/* What classes the pool in these bytes has; at most DRY_POOL_CLASSES_MAX are written. Statuses as dry_pool_open. */
DRY_API enum dry_status dry_pool_discover(struct dry_pool_memory memory, struct dry_pool_config *configs, size_t *n,
                                          struct dry_error *err) DRY_MUST_CHECK;

/* A handle for `peer` on the pool in these bytes, which must stay mapped until dry_pool_close. Any number of handles
 * may have the same peer; threads that have their own do not get into each other's way. Statuses: INVALID alignment
 * or peer; NOT_FOUND no finished pool; UNSUPPORTED another format version; LAYOUT the same version laid out
 * differently (another build or byte order); TOO_BIG it needs more bytes than there are; CORRUPT the class table
 * breaks the rules; NOMEM. */
DRY_API enum dry_status dry_pool_open(struct dry_pool_memory memory, unsigned peer, const struct dry_allocator *a,
                                      struct dry_pool **pool, struct dry_error *err) DRY_MUST_CHECK;
/* Frees the handle. What the peer holds stays its own. NULL: nothing. */
DRY_API void dry_pool_close(struct dry_pool *pool);

DRY_API size_t dry_pool_class_count(const struct dry_pool *pool);
DRY_API uint64_t dry_pool_slot_size(const struct dry_pool *pool, size_t class_index);
DRY_API uint32_t dry_pool_slot_count(const struct dry_pool *pool, size_t class_index);

/* ---- one holder ------------------------------------------------------------------------------------------------ */

/* A reference: 24 bytes without padding, sent to other peers as it is. Nothing in it is believed. */
struct dry_slot {
    uint64_t generation;
    uint64_t length; /* bytes that count; allocate writes what was asked for, the holder may change it */
    uint32_t index;
    uint16_t class_index;
    uint16_t type; /* the caller's; allocate writes 0 */
};

/* Smallest class that fits, else the next larger. Size 0 is a slot of the smallest class. FULL: none was seen free;
 * TOO_BIG: larger than the largest class. Contents: rubbish, or zeros with DRY_POOL_CLEAR. */
DRY_API enum dry_status dry_pool_allocate(struct dry_pool *pool, uint64_t size, struct dry_slot *slot) DRY_MUST_CHECK;
/* The same, and waits while the pool is full; a negative time waits for ever. TIMEOUT; IO the system cannot wait
 * here. A wake-up is a hint: every 50 ms it looks by itself, so that a freer killed before it woke anybody costs
 * that. */
DRY_API enum dry_status dry_pool_allocate_wait(struct dry_pool *pool, uint64_t size, int64_t timeout_ms,
                                               struct dry_slot *slot) DRY_MUST_CHECK;
/* Up to `n` slots of one size; *got tells how many, FULL where there is none at all. */
DRY_API enum dry_status dry_pool_allocate_batch(struct dry_pool *pool, uint64_t size, struct dry_slot *slots,
                                                size_t n, size_t *got) DRY_MUST_CHECK;

/* Of a slot that this peer alone holds. STALE: freed, given away or reused meanwhile; DENIED: another peer holds it;
 * SHARED: it is offered (withdraw it) or shared (unref it); INVALID: no such slot. */
DRY_API enum dry_status dry_pool_free(struct dry_pool *pool, struct dry_slot slot) DRY_MUST_CHECK;
/* Each as by dry_pool_free. All are tried; returns the first status that was not OK, *freed tells how many were. */
DRY_API enum dry_status dry_pool_free_batch(struct dry_pool *pool, const struct dry_slot *slots, size_t n,
                                            size_t *freed) DRY_MUST_CHECK;

/* The payload, 64-byte aligned, dry_pool_slot_size bytes: to write only for the sole holder, to read for whoever
 * holds, has offered or shares it. STALE, DENIED, INVALID as above. The look is one instant's: the bytes are the
 * caller's as long as it holds the slot. */
DRY_API enum dry_status dry_pool_data_mut(const struct dry_pool *pool, struct dry_slot slot,
                                          void **out) DRY_MUST_CHECK;
DRY_API enum dry_status dry_pool_data(const struct dry_pool *pool, struct dry_slot slot,
                                      const void **out) DRY_MUST_CHECK;

/* ---- changing hands -------------------------------------------------------------------------------------------- */

/* Offers a held slot to the peer `to`. *offered is what `to` needs; until it accepts, the slot stays the giver's, who
 * may take it back. So a giver or taker killed at any point loses nothing: the slot is one's or the other's. */
DRY_API enum dry_status dry_pool_offer(struct dry_pool *pool, struct dry_slot slot, unsigned to,
                                       struct dry_slot *offered) DRY_MUST_CHECK;
/* STALE: taken back, or the giver died and was reclaimed; DENIED: offered to somebody else. */
DRY_API enum dry_status dry_pool_accept(struct dry_pool *pool, struct dry_slot offered,
                                        struct dry_slot *slot) DRY_MUST_CHECK;
/* STALE: it has been accepted; DENIED: offered by somebody else. */
DRY_API enum dry_status dry_pool_withdraw(struct dry_pool *pool, struct dry_slot offered,
                                          struct dry_slot *slot) DRY_MUST_CHECK;

/* From now on the slot has readers instead of a holder; this peer is the first. *shared serves everybody. The bytes
 * must not change any more. */
DRY_API enum dry_status dry_pool_share(struct dry_pool *pool, struct dry_slot slot,
                                       struct dry_slot *shared) DRY_MUST_CHECK;
/* One more reader: this peer. STALE: the last reader left before; EXISTS: this peer holds it already. */
DRY_API enum dry_status dry_pool_ref(struct dry_pool *pool, struct dry_slot shared) DRY_MUST_CHECK;
/* One reader fewer; the last one frees. STALE: this peer does not hold it (any more). */
DRY_API enum dry_status dry_pool_unref(struct dry_pool *pool, struct dry_slot shared) DRY_MUST_CHECK;

/* ---- after a death --------------------------------------------------------------------------------------------- */

/* Gives back all that the dead `peer` held, offered or read, restores what it left half done, and wakes who waits;
 * what others hold or read stays. Any living peer may call it, several at a time, and may die in it: the next call
 * goes on. `is_alive` is asked first: DENIED when it says true. *reclaimed (may be NULL): slots that it lost. */
DRY_API enum dry_status dry_pool_reclaim(struct dry_pool *pool, unsigned peer,
                                         bool (*is_alive)(void *self, unsigned peer), void *self,
                                         size_t *reclaimed) DRY_MUST_CHECK;
/* Restores all derived state from the words, while others work. Returns how many repairs it made. */
DRY_API size_t dry_pool_rebuild(struct dry_pool *pool);
/* Verifies every invariant of docs/formats/pool.md; changes nothing. CORRUPT with words that name the slot and the
 * rule. Only while no operation is under way, and after the dead were reclaimed. */
DRY_API enum dry_status dry_pool_check(const struct dry_pool *pool, struct dry_error *err) DRY_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

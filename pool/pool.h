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
 *   the seat of a peer    how many handles it has, or that it has one alone
 *   the hints (derived)   one bit for each slot: "probably free". Never believed: the word decides.
 *   a cache (derived)     lists of free slots in the memory of one process; the words say CACHED by it
 *   the counts (derived)  how many slots a peer holds, for its quota
 *
 * THE WORD.  [63 version 54 10][9 holder 8 2][1 state 2 0], all zero in fresh memory.
 * Each step of a word except those to FREE and from HELD to CACHED takes the next version, so no value of a word ever
 * returns, and a slot whose versions are used up is retired instead of reused. How soon: one allocate and free of one
 * slot is a version; half of them at the highest rate, the rest without a cache, take 6 years
 * (docs/decisions/pool-words.md). CACHED is written as FREE with a holder.
 *
 *   state    event      next                       order  if the holder dies in this state
 *   FREE     allocate   HELD by me, version + 1    AR1    (no holder; a lost hint is restored by reclaim and rebuild)
 *   FREE     refill     CACHED by me, version + 1  AR1    the same
 *   CACHED   allocate   HELD by me, version + 1    R1     reclaim: -> FREE
 *   CACHED   give back  FREE                       R1     reclaim: -> FREE
 *   HELD     free       CACHED by me               R1     reclaim: -> FREE
 *   HELD     free       FREE                       AR1    reclaim: -> FREE
 *   HELD     offer      OFFERED by me, version + 1 AR1    reclaim: -> FREE
 *   HELD     share      SHARED, version + 1        AR1    reclaim: -> FREE; a reader bit that was set is taken off
 *   OFFERED  accept     HELD by other, version + 1 AR1    before: reclaim of the giver -> FREE, the accept is STALE
 *   OFFERED  withdraw   HELD by me, version + 1    AR1    the giver can always take back; if the *other* dies it must
 *   SHARED   ref        SHARED, version + 1        AR1    reclaim takes its bit off; the last bit: -> FREE
 *   SHARED   unref      SHARED, version + 1        AR1    the same
 *   SHARED   last unref FREE                       AR1    between bit and word: reclaim and rebuild finish it
 * With DRY_POOL_CLEAR, free and last unref pass through HELD by me, version + 1, while the bytes are cleared.
 * AR1 is a compare-and-swap. R1 is a plain store: of a peer that is alone (dry_pool_cache), which is the only one
 * that may change a word of these states while it lives. Its free, offer and share from HELD are such stores too.
 *
 * THE REFERENCE. struct dry_slot holds the version of the word at the moment its holder got it. Each change of hands
 * makes a new version, so a reference that was given away, freed or taken back is STALE at once, also for the
 * threads of the same peer, and when two threads free it one wins. A shared reference is the same for all its
 * readers.
 *
 * PROMISE. Linearisation: the CAS (or the store of who is alone) on the slot's word, for each operation. Lock-free:
 * an attempt is repeated only because another peer's succeeded, and all loops are bounded besides, so that a peer
 * which writes rubbish delays nobody for ever. Only dry_pool_allocate_wait blocks. Nothing read from shared memory is
 * an index, a size or a count here: sizes are copied and checked in dry_pool_open, indices come from the caller or
 * from the position of a bit. Not promised: that FULL was true at one single instant (slots behind the search may
 * have come free meanwhile, and other peers' caches have theirs until they look); fairness; protection of payloads
 * (every peer that maps the memory can write it).
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
 * dry_pool_cache, dry_pool_attach and dry_pool_close: X with everything else on the same handle, - with others.
 *
 * A peer number may be given to somebody new after every dry_pool_reclaim for it returned, not before.
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
#define DRY_POOL_EXTENTS_MAX 16u /* the pool itself is number 0 */
#define DRY_POOL_CACHE_MAX 65536u

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
 * breaks the rules; EXISTS the peer has a handle with a cache; NOMEM. */
DRY_API enum dry_status dry_pool_open(struct dry_pool_memory memory, unsigned peer, const struct dry_allocator *a,
                                      struct dry_pool **pool, struct dry_error *err) DRY_MUST_CHECK;
/* Gives the cache back and frees the handle. What the peer holds stays its own. NULL: nothing. */
DRY_API void dry_pool_close(struct dry_pool *pool);

/* Classes have numbers below the count; with extents there are gaps, in which size and count are 0. */
DRY_API size_t dry_pool_class_count(const struct dry_pool *pool);
DRY_API uint64_t dry_pool_slot_size(const struct dry_pool *pool, size_t class_index);
DRY_API uint32_t dry_pool_slot_count(const struct dry_pool *pool, size_t class_index);

/* ---- a cache --------------------------------------------------------------------------------------------------- */

/* From now on this handle keeps up to `slots` free slots of each class by itself, which it gives out and takes
 * back with plain stores. In return its peer number is this handle's alone, and the handle is the calling thread's
 * alone: another dry_pool_open of the number is EXISTS, and another thread's call through the handle is DENIED, so
 * that still only one of two racing frees can win. `slots` 0 gives all back and ends that; a second call changes
 * the number, or the thread. EXISTS: the peer has more handles, or died with one; INVALID: more than
 * DRY_POOL_CACHE_MAX; NOMEM.
 *
 * Others do not find cached slots. When somebody finds nothing, every cache is given back at its handle's next
 * free, batch, or allocate that it cannot serve; a handle that does nothing keeps at most `slots` of each class,
 * until dry_pool_cache(pool, 0, ...), dry_pool_close or dry_pool_reclaim. Choose them accordingly: a hundred or
 * two make a cache quick, batches want one of their size. Never use the handle in a forked child. */
DRY_API enum dry_status dry_pool_cache(struct dry_pool *pool, uint32_t slots, struct dry_error *err) DRY_MUST_CHECK;

/* ---- growth ---------------------------------------------------------------------------------------------------- */

/* How many bytes an extent of those classes needs. Statuses as dry_pool_layout. */
DRY_API enum dry_status dry_pool_extent_size(const struct dry_pool_config *configs, size_t n, uint64_t *out,
                                             struct dry_error *err) DRY_MUST_CHECK;
/* Makes an extent of those classes in further zeroed bytes, while peers are at work, and announces it as number
 * *number. Nobody has its slots before attaching it, this handle neither. Statuses as dry_pool_init; FULL: also when
 * there are 15 extents. A process killed in here leaves bytes to be made anew; reclaim gives the number back. */
DRY_API enum dry_status dry_pool_extend(struct dry_pool *pool, struct dry_pool_memory memory,
                                        const struct dry_pool_config *configs, size_t n, uint32_t *number,
                                        struct dry_error *err) DRY_MUST_CHECK;
/* The lowest extent that was announced and that this handle has not attached; 0: none. Worth asking after FULL. How
 * its memory is found is agreed among the callers: a name made of the number, say. */
DRY_API uint32_t dry_pool_missing_extent(const struct dry_pool *pool);
/* Attaches extent `number` from this process's mapping of it, which must stay until dry_pool_close. Its classes have
 * the numbers from 64 x number on. Statuses as dry_pool_open; EXISTS attached already; INVALID: it is another one. */
DRY_API enum dry_status dry_pool_attach(struct dry_pool *pool, uint32_t number, struct dry_pool_memory memory,
                                        struct dry_error *err) DRY_MUST_CHECK;

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
 * TOO_BIG: larger than the largest class; DENIED: this peer has its quota, or the handle is another thread's.
 * Contents: rubbish, or zeros with DRY_POOL_CLEAR. */
DRY_API enum dry_status dry_pool_allocate(struct dry_pool *pool, uint64_t size, struct dry_slot *slot) DRY_MUST_CHECK;
/* The same, and waits while the pool is full; a negative time waits for ever. TIMEOUT; IO the system cannot wait
 * here; FULL: there is an extent that this handle has not attached. A wake-up is a hint: every 50 ms it looks by
 * itself, so that a freer killed before it woke anybody costs that. */
DRY_API enum dry_status dry_pool_allocate_wait(struct dry_pool *pool, uint64_t size, int64_t timeout_ms,
                                               struct dry_slot *slot) DRY_MUST_CHECK;
/* Up to `n` slots of one size; *got tells how many, FULL where there is none at all. */
DRY_API enum dry_status dry_pool_allocate_batch(struct dry_pool *pool, uint64_t size, struct dry_slot *slots,
                                                size_t n, size_t *got) DRY_MUST_CHECK;

/* Of a slot that this peer alone holds. STALE: freed, given away or reused meanwhile; DENIED: another peer holds
 * it, or the handle is another thread's; SHARED: it is offered (withdraw it) or shared (unref it); INVALID: no
 * such slot, or one of an extent that this handle has not attached. */
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
/* STALE: taken back, or the giver died and was reclaimed; DENIED: offered to somebody else, or this peer has its
 * quota. */
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
 * goes on. `is_alive` is asked first: DENIED when it says true. NOT_FOUND: attach the extents that this handle misses
 * first, the dead may have slots there. *reclaimed (may be NULL): slots that it lost, its cache not counted. */
DRY_API enum dry_status dry_pool_reclaim(struct dry_pool *pool, unsigned peer,
                                         bool (*is_alive)(void *self, unsigned peer), void *self,
                                         size_t *reclaimed) DRY_MUST_CHECK;
/* Restores the hints from the words, while others work, in what this handle has attached. Returns how many repairs it
 * made. (Caches restore themselves, they check each word; a dead peer's counts are cleared by the reclaim of it.) */
DRY_API size_t dry_pool_rebuild(struct dry_pool *pool);
/* Verifies every invariant of docs/formats/pool.md; changes nothing. CORRUPT with words that name the slot and the
 * rule. Only while no operation is under way, and after the dead were reclaimed. */
DRY_API enum dry_status dry_pool_check(const struct dry_pool *pool, struct dry_error *err) DRY_MUST_CHECK;

/* ---- quota and statistics -------------------------------------------------------------------------------------- */

/* At most that many slots for `peer` from its next claim on; 0: no limit. What it has already, it keeps. Counted are
 * slots that it alone holds and those in its cache; not those that it offered or reads. The limit is never exceeded,
 * also by several threads of the peer (which may refuse each other for a moment when they are at it together), but it
 * binds those who use this library: a peer can write everything. INVALID: no such peer. */
DRY_API enum dry_status dry_pool_quota(struct dry_pool *pool, unsigned peer, uint32_t slots) DRY_MUST_CHECK;

/* How the slots of a class stand. Counted from the words at the call, each in a state that it had meanwhile. */
struct dry_pool_class_stats {
    uint64_t slots, free, cached, held, offered, shared;
    uint64_t retired; /* versions used up */
    uint64_t full;    /* how often somebody who wanted this class first found nothing at all */
};
/* INVALID: no such class. */
DRY_API enum dry_status dry_pool_class_stats(const struct dry_pool *pool, size_t class_index,
                                             struct dry_pool_class_stats *out) DRY_MUST_CHECK;

/* What a peer has, in what this handle has attached; counted likewise. */
struct dry_pool_peer_stats {
    uint64_t held, cached, offered, reading;
    uint64_t refused; /* how often its quota refused it something */
    uint32_t quota;
};
/* INVALID: no such peer. */
DRY_API enum dry_status dry_pool_peer_stats(const struct dry_pool *pool, unsigned peer,
                                            struct dry_pool_peer_stats *out) DRY_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

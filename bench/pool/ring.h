/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What takes slots from one thread to the other in the hand-over rows, of ours and of the rivals in C++ (those in
 * Rust have the same in their language): a ring of 1,024 places that says every 32 how far it is, so that the row
 * shows the pool and not the ring. With one line to and fro for each slot the ring alone is what all pools cost
 * together.
 */
#ifndef DRY_BENCH_POOL_RING_H
#define DRY_BENCH_POOL_RING_H

#include <stdint.h>

enum { RING = 1024, RUN = 32 };

/* SLOT is what travels. */
struct ring {
    _Alignas(64) uint64_t put;
    _Alignas(64) uint64_t got;
    _Alignas(64) SLOT slots[RING];
};

static inline void wait_past(const uint64_t *counter, uint64_t *seen, uint64_t i)
{
    while (*seen <= i)
        *seen = __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* `seen` is the caller's, 0 at first. */
static inline void ring_put(struct ring *r, uint64_t i, uint64_t *seen, SLOT slot)
{
    if (i >= RING) wait_past(&r->got, seen, i - RING);
    r->slots[i % RING] = slot;
    if ((i + 1) % RUN == 0) __atomic_store_n(&r->put, i + 1, __ATOMIC_RELEASE);
}

static inline SLOT ring_get(struct ring *r, uint64_t i, uint64_t *seen)
{
    wait_past(&r->put, seen, i);
    SLOT slot = r->slots[i % RING];
    if ((i + 1) % RUN == 0) __atomic_store_n(&r->got, i + 1, __ATOMIC_RELEASE);
    return slot;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How many slots are in which state, and whose: counted from the words when somebody asks, so that it costs nothing
 * before. Each slot is counted once, in a state that it had during the count.
 */
#include "peers.h"
#include "words.h"
#include "../base/check.h"

enum dry_status dry_pool_class_stats(const struct dry_pool *p, size_t class_index, struct dry_pool_class_stats *out)
{
    struct dry_pool_class_stats s = {0};
    if (class_index >= p->class_limit || p->classes[class_index].slot_count == 0) return DRY_INVALID;
    const struct pool_class *c = &p->classes[class_index];
    for (uint32_t i = 0; i < c->slot_count; i++) {
        uint64_t word = word_load(&c->cells[i]);
        s.held += word_state(word) == POOL_HELD;
        s.offered += word_state(word) == POOL_OFFERED;
        s.shared += word_state(word) == POOL_SHARED;
        s.cached += word_is_cached(word);
        s.free += word_is_free(word);
    }
    s.slots = c->slot_count;
    s.retired = s.slots - s.held - s.offered - s.shared - s.cached - s.free;
    s.full = dry_load_relaxed_u64(&c->row->full); /* X0: a count */
    *out = s;
    return DRY_OK;
}

static void count_slot(const struct pool_cell *cell, unsigned peer, struct dry_pool_peer_stats *s)
{
    uint64_t word = word_load(cell);
    bool is_its = word_holder(word) == peer;
    s->held += is_its && word_state(word) == POOL_HELD;
    s->cached += is_its && word_is_cached(word);
    s->offered += is_its && word_state(word) == POOL_OFFERED;
    s->reading += word_state(word) == POOL_SHARED && reader_is(cell, peer);
}

enum dry_status dry_pool_peer_stats(const struct dry_pool *p, unsigned peer, struct dry_pool_peer_stats *out)
{
    struct dry_pool_peer_stats s = {0};
    if (peer == 0 || peer > DRY_POOL_PEER_MAX) return DRY_INVALID;
    const struct pool_peer_row *row = &p->head->peers[peer];
    for (uint32_t c = 0; c < p->class_limit; c++)
        for (uint32_t i = 0; i < p->classes[c].slot_count; i++)
            count_slot(&p->classes[c].cells[i], peer, &s);
    s.quota = quota_load(row);
    s.refused = dry_load_relaxed_u64(&row->refused); /* X1: a count */
    *out = s;
    return DRY_OK;
}

enum dry_status dry_pool_quota(struct dry_pool *p, unsigned peer, uint32_t slots)
{
    if (peer == 0 || peer > DRY_POOL_PEER_MAX) return DRY_INVALID;
    dry_store_relaxed_u32(&p->head->peers[peer].quota, slots); /* X2: counts from the peer's next claim on */
    return DRY_OK;
}

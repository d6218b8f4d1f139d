/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Every invariant of docs/formats/pool.md, looked at one by one; nothing is changed. For a pool in which no
 * operation is under way.
 */
#include "peers.h"
#include "words.h"
#include "../base/check.h"

#include <inttypes.h>

/* rule: pool.invariants */
static const char *fault_of_word(const struct pool_cell *cell, uint64_t word)
{
    static const char *const unheld = "has a holder";
    uint64_t note = note_load(cell);
    switch (word_state(word)) {
    case POOL_FREE: return NULL; /* with a holder: in its cache */
    case POOL_HELD: return word_holder(word) ? NULL : "has no holder";
    case POOL_OFFERED:
        if (!word_holder(word)) return "has no holder";
        return note == note_make(word_version(word), word_holder(note)) && word_holder(note)
                   ? NULL
                   : "and its note is of another version, or names nobody";
    case POOL_SHARED:
        if (word_holder(word)) return unheld;
        return word_version(note) <= word_version(word) ? NULL : "and its note is younger";
    }
    return NULL;
}

static const char *fault_of_slot(const struct pool_place at, uint64_t word)
{
    bool hinted = hints_load(hint_group(at)) & hint_bit(at), is_free = word_is_free(word);
    const char *fault = fault_of_word(at.cell, word);
    if (fault) return fault;
    if (readers_none(at.cell) != (word_state(word) != POOL_SHARED))
        return word_state(word) == POOL_SHARED ? "and has no reader" : "and has a reader bit";
    if (reader_is(at.cell, 0)) return "and peer 0 reads it";
    if (hinted != is_free) return hinted ? "and its hint says free" : "and has no hint";
    for (size_t i = 0; i < sizeof at.cell->spare; i++)
        if (at.cell->spare[i]) return "and its spare bytes are not zero";
    return NULL;
}

static enum dry_status check_class(const struct dry_pool *p, const struct pool_class *class, uint32_t *held,
                                   struct dry_error *err)
{
    static const char *const states[] = {"FREE", "HELD", "SHARED", "OFFERED"};
    uint32_t c = class->class_index, past = class->slot_count % POOL_GROUP;
    for (uint32_t i = 0; i < class->slot_count; i++) {
        struct pool_place at = pool_place(p, c, i);
        uint64_t word = word_load(at.cell);
        const char *fault = fault_of_slot(at, word);
        if (!fault && word_is_cached(word) && !(seat_load(&p->head->peers[word_holder(word)]) & SEAT_ALONE))
            fault = "in the cache of a peer that has none";
        held[word_holder(word)] += word_counts_for(word, word_holder(word));
        if (fault)
            return dry_fail(err, DRY_CORRUPT,
                            "pool: class %" PRIu32 " slot %" PRIu32 " is %s %s (holder %" PRIu32 ", version %" PRIu64
                            "); reclaim the dead peers, then rebuild", c, i, states[word_state(word)], fault,
                            word_holder(word), word_version(word));
    }
    if (past && hints_load(&class->groups[class->group_count - 1]) >> past)
        return dry_fail(err, DRY_CORRUPT, "pool: class %" PRIu32 " has hints past its last slot; rebuild", c);
    return DRY_OK;
}

/* rule: pool.quota, pool.seat */
static enum dry_status check_peers(const struct dry_pool *p, const uint32_t *held, struct dry_error *err)
{
    for (uint32_t peer = 1; peer <= DRY_POOL_PEER_MAX; peer++) {
        const struct pool_peer_row *row = &p->head->peers[peer];
        if (held_load(row) != held[peer])
            return dry_fail(err, DRY_CORRUPT, "pool: peer %" PRIu32 " counts %" PRIu32 " slots and holds %" PRIu32
                                              "; if it died, reclaim it", peer, held_load(row), held[peer]);
        if (seat_load(row) > (SEAT_ALONE | 1) || seat_load(row) == SEAT_ALONE)
            return dry_fail(err, DRY_CORRUPT, "pool: peer %" PRIu32 " is alone and has not one handle", peer);
    }
    return DRY_OK;
}

static bool table_is(const struct dry_pool *p)
{
    for (uint32_t c = 0; c < p->class_count; c++) {
        const struct pool_class *class = p->fits[c].class;
        if (class->row->slot_size != class->slot_size || class->row->slot_count != class->slot_count) return false;
    }
    return p->head->header.version == POOL_VERSION;
}

enum dry_status dry_pool_check(const struct dry_pool *p, struct dry_error *err)
{
    uint32_t held[DRY_POOL_PEER_MAX + 1] = {0};
    if (!table_is(p))
        return dry_fail(err, DRY_CORRUPT, "pool: header or class table changed since it was opened; nothing in the "
                                          "memory can be trusted, make it anew");
    for (uint32_t c = 0; c < p->class_count; c++)
        DRY_TRY(check_class(p, p->fits[c].class, held, err));
    return dry_pool_missing_extent(p) ? DRY_OK : check_peers(p, held, err);
}

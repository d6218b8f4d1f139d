/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One holder: allocate, free, and the payload. The protocol stands in pool.h, the rules in docs/formats/pool.md.
 */
#include "pool.h"
#include "retire.h"
#include "words.h"
#include "../base/check.h"

#include <string.h>

/* ---- allocate -------------------------------------------------------------------------------------------------- */

/* On the way of every allocate and free. Inlined by force: as calls they pass small structs through memory, and the
 * loads wait for the stores, which costs as much as all atomics together (37 ns a pair instead of 27). */
#define HOT static inline __attribute__((always_inline))

/* What an allocation asks for, and what it has. */
struct request {
    struct dry_slot *slots;
    size_t wanted, got;
    uint64_t size;
};

/* rule: pool.allocate. Takes one slot whose hint this call took off. */
HOT bool claim(const struct dry_pool *p, uint32_t class_index, uint32_t index, struct request *r)
{
    struct pool_cell *cell = &p->classes[class_index].cells[index];
    uint64_t seen = word_load(cell);
    /* Not free: the hint was old. Whoever holds the slot sets it again when it frees. */
    if (!word_is_free(seen)) return false;
    uint64_t version = word_version(seen) + 1;
    if (!word_step(cell, &seen, word_make(version, p->peer, POOL_HELD))) return false;
    DRY_STEP("allocate: held");
    r->slots[r->got++] = (struct dry_slot){.generation = version, .length = r->size, .index = index,
                                           .class_index = (uint16_t)class_index};
    return true;
}

/* Fewer than POOL_ATTEMPTS: to give a group up costs nothing but a slot not found. */
#define SEARCH_ATTEMPTS 1000u

static uint64_t lowest_bits(uint64_t bits, size_t n)
{
    uint64_t rest = bits;
    while (n-- > 0 && rest)
        rest &= rest - 1;
    return bits ^ rest;
}

/* Takes hints off a group and claims their slots, until the request is served or the group is empty. `patient` or
 * not: an impatient one leaves a group that another peer is busy with. */
HOT void search_group(const struct dry_pool *p, uint32_t class_index, uint32_t g, bool patient, struct request *r)
{
    const struct pool_class *c = &p->classes[class_index];
    struct pool_group *group = &c->groups[g];
    uint64_t seen = hints_load(group);
    for (uint32_t i = 0; seen && r->got < r->wanted && i < SEARCH_ATTEMPTS; i++) {
        uint64_t bits = lowest_bits(seen, r->wanted - r->got);
        if (!hints_change(group, &seen, seen & ~bits)) {
            if (!patient) return;
            continue;
        }
        DRY_STEP("allocate: hint taken");
        seen &= ~bits;
        for (; bits; bits &= bits - 1) {
            uint32_t index = g * POOL_GROUP + (uint32_t)__builtin_ctzll(bits);
            /* rule: pool.bounds. A bit past the last slot is no slot. */
            if (index < c->slot_count) claim(p, class_index, index, r);
        }
    }
}

/* Every group once, from where this handle was last. */
static void search_class(struct dry_pool *p, uint32_t class_index, bool patient, struct request *r)
{
    struct pool_class *c = &p->classes[class_index];
    uint32_t g = dry_load_relaxed_u32(&c->cursor); /* X1: only where to begin */
    for (uint32_t i = 0; i < c->group_count && r->got < r->wanted; i++) {
        size_t before = r->got;
        search_group(p, class_index, g, patient, r);
        if (r->got > before) dry_store_relaxed_u32(&c->cursor, g); /* X2: the same */
        if (++g == c->group_count) g = 0;
    }
}

/* rule: pool.selection. The smallest class that fits, then the larger ones. */
static enum dry_status allocate(struct dry_pool *p, struct request *r)
{
    uint32_t first = 0;
    while (first < p->class_count && p->classes[p->by_size[first]].slot_size < r->size)
        first++;
    if (first == p->class_count) return DRY_TOO_BIG;
    for (uint32_t i = first; i < p->class_count && r->got < r->wanted; i++) {
        search_class(p, p->by_size[i], false, r);
        if (r->got < r->wanted) search_class(p, p->by_size[i], true, r);
    }
    return r->got > 0 ? DRY_OK : DRY_FULL;
}

enum dry_status dry_pool_allocate(struct dry_pool *p, uint64_t size, struct dry_slot *slot)
{
    struct request r = {.slots = slot, .wanted = 1, .size = size};
    return allocate(p, &r);
}

enum dry_status dry_pool_allocate_batch(struct dry_pool *p, uint64_t size, struct dry_slot *slots, size_t n,
                                        size_t *got)
{
    struct request r = {.slots = slots, .wanted = n, .size = size};
    if (n > 0) DRY_TRY(allocate(p, &r));
    *got = r.got;
    return DRY_OK;
}

/* ---- free ------------------------------------------------------------------------------------------------------ */

/* rule: pool.clear. The bytes are still this peer's while it clears them: a second free cannot get in between,
 * because its reference is older than the word. */
static bool clear_bytes(const struct dry_pool *p, struct pool_place at, uint64_t *seen)
{
    uint64_t clearing = word_make(word_version(*seen) + 1, p->peer, POOL_HELD);
    if (!word_step(at.cell, seen, clearing)) return false;
    DRY_STEP("retire: clearing");
    memset(pool_bytes(at), 0, at.class->slot_size);
    DRY_STEP("retire: cleared");
    *seen = clearing;
    return true;
}

/* rule: pool.free */
HOT bool step_to_free(const struct dry_pool *p, struct pool_place at, uint64_t seen)
{
    if ((p->flags & DRY_POOL_CLEAR) && !clear_bytes(p, at, &seen)) return false;
    if (!word_step(at.cell, &seen, word_make(word_version(seen), 0, POOL_FREE))) return false;
    DRY_STEP("retire: free, no hint yet");
    return true;
}

HOT bool retire(const struct dry_pool *p, struct pool_place at, uint64_t seen)
{
    if (!step_to_free(p, at, seen)) return false;
    hints_set(hint_group(at), hint_bit(at));
    DRY_STEP("retire: hint set, nobody woken yet");
    dry_pool_wake(p);
    return true;
}

bool dry_pool_retire(const struct dry_pool *p, struct pool_place at, uint64_t seen) { return retire(p, at, seen); }

/* Whether this peer alone holds what the reference names, and the word that says so. */
HOT enum dry_status look_held(const struct dry_pool *p, struct dry_slot slot, struct pool_place *at, uint64_t *seen)
{
    if (!pool_locate(p, slot, at)) return DRY_INVALID;
    *seen = word_load(at->cell);
    if (word_is(*seen, slot.generation, p->peer, POOL_HELD)) return DRY_OK;
    enum pool_state state = word_state(*seen);
    if (state == POOL_SHARED && word_version(note_load(at->cell)) == slot.generation) return DRY_SHARED;
    if (state == POOL_FREE || word_version(*seen) != slot.generation) return DRY_STALE;
    return state == POOL_HELD || word_holder(*seen) != p->peer ? DRY_DENIED : DRY_SHARED;
}

enum dry_status dry_pool_free(struct dry_pool *p, struct dry_slot slot)
{
    struct pool_place at;
    uint64_t seen;
    DRY_TRY(look_held(p, slot, &at, &seen));
    DRY_STEP("free: looked");
    if (!retire(p, at, seen)) return DRY_STALE;
    dry_store_relaxed_u32(&at.class->cursor, at.index / POOL_GROUP); /* X3: where to begin next time: what is warm */
    return DRY_OK;
}

/* Hints of slots that are free already, gathered so that one step tells of many. */
struct gathered {
    struct {
        struct pool_group *group;
        uint64_t bits;
    } places[32];
};

static void tell(struct gathered *all, size_t i)
{
    if (all->places[i].bits) hints_set(all->places[i].group, all->places[i].bits);
    all->places[i].bits = 0;
}

static void gather(struct gathered *all, struct pool_place at)
{
    struct pool_group *group = hint_group(at);
    size_t i = (uintptr_t)group / sizeof *group % (sizeof all->places / sizeof *all->places);
    if (all->places[i].group != group) tell(all, i);
    all->places[i].group = group;
    all->places[i].bits |= hint_bit(at);
}

enum dry_status dry_pool_free_batch(struct dry_pool *p, const struct dry_slot *slots, size_t n, size_t *freed)
{
    struct gathered all = {0};
    enum dry_status first = DRY_OK;
    size_t done = 0;
    for (size_t i = 0; i < n; i++) {
        struct pool_place at;
        uint64_t seen;
        enum dry_status status = look_held(p, slots[i], &at, &seen);
        if (status == DRY_OK && !step_to_free(p, at, seen)) status = DRY_STALE;
        if (status == DRY_OK) {
            gather(&all, at);
            done++;
        } else if (first == DRY_OK) {
            first = status;
        }
    }
    for (size_t i = 0; i < sizeof all.places / sizeof *all.places; i++)
        tell(&all, i);
    DRY_STEP("free batch: hints set, nobody woken yet");
    if (done > 0) dry_pool_wake(p);
    *freed = done;
    return first;
}

/* ---- payload --------------------------------------------------------------------------------------------------- */

/* rule: pool.payload */
enum dry_status dry_pool_data_mut(const struct dry_pool *p, struct dry_slot slot, void **out)
{
    struct pool_place at;
    uint64_t seen;
    DRY_TRY(look_held(p, slot, &at, &seen));
    *out = pool_bytes(at);
    return DRY_OK;
}

enum dry_status dry_pool_data(const struct dry_pool *p, struct dry_slot slot, const void **out)
{
    struct pool_place at;
    uint64_t seen;
    enum dry_status status = look_held(p, slot, &at, &seen);
    if (status == DRY_SHARED) {
        bool mine = word_state(seen) == POOL_OFFERED || reader_is(at.cell, p->peer);
        status = mine ? DRY_OK : DRY_DENIED;
    }
    if (status == DRY_OK) *out = pool_bytes(at);
    return status;
}

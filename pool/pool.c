/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One holder: allocate, free, and the payload. The protocol stands in pool.h, the rules in docs/formats/pool.md.
 */
#include "pool.h"
#include "cache.h"
#include "peers.h"
#include "retire.h"
#include "words.h"
#include "../base/check.h"

#include <string.h>

/* On the way of every allocate and free. Inlined by force: as calls they pass small structs through memory, and the
 * loads wait for the stores, which costs as much as all atomics together. */
#define HOT static inline __attribute__((always_inline))

/* ---- allocate -------------------------------------------------------------------------------------------------- */

/* What an allocation asks for, and what it has; without `slots` it goes into the cache. */
struct request {
    struct dry_slot *slots;
    size_t wanted, got;
    uint64_t size;
};

/* A reference is mostly copied as a whole right after it was made. A processor hands bytes on from a store to a load
 * that lies within it, and waits where the load spans several stores. So it is written as it will be read: in 16 and
 * 8 bytes. As five stores an allocate and its free take 14 ns more. Where all is inlined, the fields stay in
 * registers: so the last are written one by one, out of a number that lets the compiler see that they are one store.
 */
typedef uint64_t two_words __attribute__((vector_size(16), aligned(8), may_alias));
_Static_assert(offsetof(struct dry_slot, generation) == 0 && offsetof(struct dry_slot, length) == 8, "two words");

HOT void write_slot(struct dry_slot *slot, uint64_t version, uint64_t size, const struct pool_class *c,
                    uint32_t index)
{
    uint64_t tail = c->tail + index;
    *(two_words *)slot = (two_words){version, size};
    slot->index = (uint32_t)tail;
    slot->class_index = (uint16_t)(tail >> 32);
    slot->type = (uint16_t)(tail >> 48);
}

/* rule: pool.allocate. Takes one slot whose hint this call took off. */
HOT bool claim(const struct dry_pool *p, struct pool_class *c, uint32_t index, struct request *r)
{
    struct pool_cell *cell = &c->cells[index];
    uint64_t seen = word_load(cell);
    /* Not free: the hint was old. Whoever holds the slot sets it again when it frees. */
    if (!word_is_free(seen)) return false;
    uint64_t version = word_version(seen) + 1;
    if (!word_step(cell, &seen, word_make(version, p->peer, r->slots ? POOL_HELD : POOL_FREE))) return false;
    if (r->slots) {
        DRY_STEP("allocate: held");
        write_slot(&r->slots[r->got], version, r->size, c, index);
    } else {
        DRY_STEP("allocate: cached");
        c->cached[c->cached_n++] = index;
    }
    r->got++;
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

/* Claims the slots of the bits that were taken off group g. */
HOT void claim_all(const struct dry_pool *p, struct pool_class *c, uint32_t g, uint64_t bits, struct request *r)
{
    /* Who freed them last was perhaps another processor: fetch all lines before the first is needed. */
    for (uint64_t rest = bits & (bits - 1); rest; rest &= rest - 1)
        __builtin_prefetch(&c->cells[g * POOL_GROUP + (uint32_t)__builtin_ctzll(rest)], 1);
    for (; bits; bits &= bits - 1) {
        uint32_t index = g * POOL_GROUP + (uint32_t)__builtin_ctzll(bits);
        /* rule: pool.bounds. A bit past the last slot is no slot. */
        if (index < c->slot_count) claim(p, c, index, r);
    }
}

/* Takes hints off a group and claims their slots, until the request is served or the group is empty. `patient` or
 * not: an impatient one leaves a group that another peer is busy with. */
HOT void search_group(const struct dry_pool *p, struct pool_class *c, uint32_t g, bool patient, struct request *r)
{
    struct pool_group *group = &c->groups[g];
    uint64_t seen = hints_load(group);
    for (uint32_t i = 0; seen && r->got < r->wanted && i < SEARCH_ATTEMPTS; i++) {
        uint64_t bits = r->wanted - r->got == 1 ? seen & -seen : lowest_bits(seen, r->wanted - r->got);
        if (!hints_change(group, &seen, seen & ~bits)) {
            if (!patient) return;
            continue;
        }
        DRY_STEP("allocate: hint taken");
        seen &= ~bits;
        claim_all(p, c, g, bits, r);
    }
}

/* Every group once, from where this handle was last. */
static void search_once(const struct dry_pool *p, struct pool_class *c, bool patient, struct request *r)
{
    uint32_t g = dry_load_relaxed_u32(&c->cursor); /* X1: only where to begin */
    for (uint32_t i = 0; i < c->group_count && r->got < r->wanted; i++) {
        size_t before = r->got;
        search_group(p, c, g, patient, r);
        if (r->got > before) dry_store_relaxed_u32(&c->cursor, g); /* X2: the same */
        if (++g == c->group_count) g = 0;
    }
}

static void search_class(const struct dry_pool *p, struct pool_class *c, struct request *r)
{
    search_once(p, c, false, r);
    if (r->got < r->wanted) search_once(p, c, true, r);
}

/* rule: pool.selection. The place of the smallest class that fits; class_count where there is none. */
HOT uint32_t first_fit(const struct dry_pool *p, uint64_t size)
{
    const struct pool_fit *fit = p->fits;
    while (fit->slot_size < size)
        fit++;
    return (uint32_t)(fit - p->fits);
}

/* Caches give back when they see that somebody went away with nothing. */
static enum dry_status go_away(struct dry_pool *p, uint32_t first)
{
    dry_add_relaxed_u64(&p->fits[first].class->row->full, 1);          /* X3: statistics */
    uint32_t before = dry_add_relaxed_u32(&p->head->header.wanted, 1); /* X4: a request to whoever has a cache */
    if (p->cache_slots > 0 && p->wanted_seen == before) p->wanted_seen = before + 1; /* but not to this handle */
    return DRY_FULL;
}

/* rule: pool.selection, pool.quota. From the shared hints: the class at `first`, then the larger ones. */
static enum dry_status allocate_shared(struct dry_pool *p, uint32_t first, struct request *r)
{
    uint32_t n = held_reserve(p, r->wanted < DRY_POOL_SLOTS_MAX ? (uint32_t)r->wanted : DRY_POOL_SLOTS_MAX);
    if (n == 0) return held_refuse(p);
    r->wanted = n;
    for (uint32_t i = first; i < p->class_count && r->got < n; i++)
        search_class(p, p->fits[i].class, r);
    if (r->got < n) held_sub(p, n - (uint32_t)r->got);
    return r->got > 0 ? DRY_OK : go_away(p, first);
}

/* ---- allocate through the cache -------------------------------------------------------------------------------- */

/* rule: pool.cache. As cache_take, for many; the last freed first, because here nothing waits for it. */
static void take_cached(const struct dry_pool *p, struct pool_class *c, struct request *r)
{
    uint32_t n = c->cached_n, by_me = p->cached_by_me;
    size_t got = r->got;
    for (; n > 0 && got < r->wanted; n--) {
        uint32_t index = c->cached[n - 1];
        struct pool_cell *cell = &c->cells[index];
        uint64_t seen = word_load(cell);
        if (!word_is_by_me(seen, by_me)) continue; /* somebody wrote rubbish */
        word_store(cell, word_cached_to_held(seen));
        DRY_STEP("allocate: held, from the cache");
        write_slot(&r->slots[got++], word_version(seen) + 1, r->size, c, index);
    }
    c->cached_n = n;
    r->got = got;
}

/* rule: pool.cache-refill. Half of what the cache may hold, so that the next frees have room. */
static bool refill(struct dry_pool *p, struct pool_class *c, bool *refused)
{
    uint32_t half = (p->cache_slots + 1) / 2, room = p->cache_slots - c->cached_n;
    uint32_t n = held_reserve(p, half < room ? half : room);
    struct request r = {.wanted = n};
    *refused = n == 0;
    if (n > 0) search_class(p, c, &r);
    if (r.got < n) held_sub(p, n - (uint32_t)r.got);
    return r.got > 0;
}

/* rule: pool.selection, pool.cache. Each class: what the cache has, then what everybody has. Where somebody else
 * found nothing, nothing is put by. */
static enum dry_status allocate_cached(struct dry_pool *p, uint32_t first, struct request *r)
{
    bool refused = false;
    if (cache_is_wanted(p)) {
        dry_pool_cache_return(p);
        return allocate_shared(p, first, r);
    }
    for (uint32_t i = first; i < p->class_count && r->got < r->wanted && !refused; i++) {
        struct pool_class *c = p->fits[i].class;
        take_cached(p, c, r);
        for (size_t before = SIZE_MAX; r->got < r->wanted && r->got != before && refill(p, c, &refused);) {
            before = r->got; /* still so after this: somebody writes rubbish as fast as we read */
            take_cached(p, c, r);
        }
    }
    if (r->got > 0) return DRY_OK;
    return refused ? held_refuse(p) : go_away(p, first);
}

static enum dry_status allocate(struct dry_pool *p, struct request *r)
{
    uint32_t first = first_fit(p, r->size);
    if (!pool_may_use(p)) return DRY_DENIED;
    if (first == p->class_count) return DRY_TOO_BIG;
    if (r->wanted == 0) return DRY_OK;
    return p->cache_slots ? allocate_cached(p, first, r) : allocate_shared(p, first, r);
}

/* The long way; out of line, so that the short one needs no stack. */
static __attribute__((noinline)) enum dry_status allocate_slowly(struct dry_pool *p, uint64_t size,
                                                                 struct dry_slot *slot)
{
    struct request r = {.slots = slot, .wanted = 1, .size = size};
    return allocate(p, &r);
}

/* Through a slot of its own, so that the caller's can stay in registers where all this is inlined. */
static enum dry_status allocate_one(struct dry_pool *p, uint64_t size, struct dry_slot *slot)
{
    struct dry_slot got;
    DRY_TRY(allocate_slowly(p, size, &got));
    *slot = got;
    return DRY_OK;
}

enum dry_status dry_pool_allocate(struct dry_pool *p, uint64_t size, struct dry_slot *slot)
{
    struct pool_class *c = p->fits[first_fit(p, size)].class;
    uint32_t index;
    if (p->thread != __builtin_thread_pointer()) return allocate_one(p, size, slot);
    uint64_t version = cache_take(p, c, &index);
    if (version == 0) return allocate_one(p, size, slot);
    DRY_STEP("allocate: held, from the cache");
    write_slot(slot, version, size, c, index);
    return DRY_OK;
}

enum dry_status dry_pool_allocate_batch(struct dry_pool *p, uint64_t size, struct dry_slot *slots, size_t n,
                                        size_t *got)
{
    struct request r = {.slots = slots, .wanted = n, .size = size};
    DRY_TRY(allocate(p, &r));
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

/* rule: pool.free. What lies in a cache was cleared on its way there. */
HOT bool step_to_free(const struct dry_pool *p, struct pool_place at, uint64_t seen)
{
    if ((p->flags & DRY_POOL_CLEAR) && !word_is_cached(seen) && !clear_bytes(p, at, &seen)) return false;
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

bool dry_pool_retire(const struct dry_pool *p, struct pool_place at, uint64_t seen)
{
    return retire(p, at, seen);
}

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

/* rule: pool.cache-return. A full cache makes room first; what is not for caches goes back to everybody. */
static void free_past_cache(struct dry_pool *p, struct pool_place at, uint64_t seen)
{
    if (!word_is_past_caches(seen)) dry_pool_cache_spill(p, at.class, p->cache_slots / 2);
    if (cache_put(p, at.class, at.index, seen)) return;
    word_store(at.cell, word_make(word_version(seen), 0, POOL_FREE));
    DRY_STEP("free: past the cache, no hint yet");
    hints_set(hint_group(at), hint_bit(at));
    held_sub(p, 1);
    dry_pool_wake(p);
}

/* rule: pool.free, pool.cache, pool.clear. Alone, this peer needs no step that others could get in between. */
HOT void free_into_cache(struct dry_pool *p, struct pool_place at, uint64_t seen)
{
    if (p->flags & DRY_POOL_CLEAR) memset(pool_bytes(at), 0, at.class->slot_size);
    DRY_STEP("free: cleared, if the pool clears");
    if (!cache_put(p, at.class, at.index, seen)) free_past_cache(p, at, seen);
    DRY_STEP("free: cached");
}

static __attribute__((noinline)) enum dry_status free_slowly(struct dry_pool *p, struct dry_slot slot)
{
    struct pool_place at;
    uint64_t seen;
    if (!pool_may_use(p)) return DRY_DENIED;
    DRY_TRY(look_held(p, slot, &at, &seen));
    DRY_STEP("free: looked");
    if (p->cache_slots > 0) {
        free_into_cache(p, at, seen);
        if (cache_is_wanted(p)) dry_pool_cache_return(p);
        return DRY_OK;
    }
    if (!retire(p, at, seen)) return DRY_STALE;
    held_sub(p, 1);
    dry_store_relaxed_u32(&at.class->cursor, at.index / POOL_GROUP); /* X5: where to begin next time: what is warm */
    return DRY_OK;
}

enum dry_status dry_pool_free(struct dry_pool *p, struct dry_slot slot)
{
    struct pool_place at;
    if (p->quick_frees != __builtin_thread_pointer() || cache_is_wanted(p) || !pool_locate(p, slot, &at))
        return free_slowly(p, slot);
    uint64_t seen = word_load(at.cell);
    if (!word_is_by_me(seen, p->held_by_me) || word_version(seen) != slot.generation ||
        !cache_put(p, at.class, at.index, seen))
        return free_slowly(p, slot);
    DRY_STEP("free: cached");
    return DRY_OK;
}

/* rule: pool.cache. As cache_put, for as many slots of one class as it can; returns how many. */
static size_t put_run(const struct dry_pool *p, struct pool_class *c, const struct dry_slot *slots, size_t n)
{
    uint32_t at = c->cached_n, room = p->cache_slots, count = c->slot_count, by_me = p->held_by_me,
             *cached = c->cached;
    struct pool_cell *cells = c->cells;
    size_t i = 0;
    for (; i < n && at < room && slots[i].class_index == c->class_index && slots[i].index < count; i++) {
        struct pool_cell *cell = &cells[slots[i].index];
        uint64_t seen = word_load(cell);
        if (!word_is_by_me(seen, by_me) || word_version(seen) != slots[i].generation || word_is_past_caches(seen))
            break;
        word_store(cell, word_held_to_cached(seen));
        DRY_STEP("free batch: cached");
        cached[at++] = slots[i].index;
    }
    c->cached_n = at;
    return i;
}

/* Runs of slots that are as expected, and the others one by one. */
static enum dry_status free_all_into_cache(struct dry_pool *p, const struct dry_slot *slots, size_t n, size_t *done)
{
    enum dry_status first = DRY_OK;
    for (size_t i = 0; i < n;) {
        uint32_t class_index = slots[i].class_index;
        size_t run = p->quick_frees && class_index < p->class_limit
                         ? put_run(p, &p->classes[class_index], &slots[i], n - i)
                         : 0;
        i += run;
        *done += run;
        if (run > 0) continue;
        enum dry_status status = free_slowly(p, slots[i++]);
        *done += status == DRY_OK;
        if (first == DRY_OK) first = status;
    }
    if (cache_is_wanted(p)) dry_pool_cache_return(p);
    return first;
}

static enum dry_status free_all(struct dry_pool *p, const struct dry_slot *slots, size_t n, size_t *done)
{
    struct pool_gathered all = {0};
    enum dry_status first = DRY_OK;
    for (size_t i = 0; i < n; i++) {
        struct pool_place at;
        uint64_t seen;
        enum dry_status status = look_held(p, slots[i], &at, &seen);
        if (status == DRY_OK && !step_to_free(p, at, seen)) status = DRY_STALE;
        if (status == DRY_OK) {
            pool_gather(&all, at);
            ++*done;
        } else if (first == DRY_OK) {
            first = status;
        }
    }
    pool_tell_all(&all);
    held_sub(p, (uint32_t)*done);
    DRY_STEP("free batch: hints set, nobody woken yet");
    if (*done > 0) dry_pool_wake(p);
    return first;
}

enum dry_status dry_pool_free_batch(struct dry_pool *p, const struct dry_slot *slots, size_t n, size_t *freed)
{
    size_t done = 0;
    if (!pool_may_use(p)) return DRY_DENIED;
    enum dry_status status = (p->thread ? free_all_into_cache : free_all)(p, slots, n, &done);
    *freed = done;
    return status;
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

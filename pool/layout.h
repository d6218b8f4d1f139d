/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What lies in shared memory, as docs/formats/pool.md specifies it, and the handle of a peer. Private to pool/.
 */
#ifndef DRY_POOL_LAYOUT_H
#define DRY_POOL_LAYOUT_H

#include "../base/atomic.h"
#include "pool.h"

#define POOL_LINE 64u
#define POOL_MAGIC UINT64_C(0x016c6f6f70797264) /* "drypool" 01, least significant byte first */
#define POOL_MAKING UINT64_C(0x006c6f6f70797264) /* the same while dry_pool_init is at work */
#define POOL_VERSION 1u
#define POOL_GROUP 64u /* slots to a hint group */
#define POOL_READER_WORDS 4u

/* rule: pool.header */
struct pool_header {
    struct dry_atomic_u64 magic; /* written last */
    uint32_t version;
    uint32_t fingerprint;
    uint64_t required_size;
    uint32_t class_count;
    uint32_t flags;
    uint8_t spare[32];
    struct dry_atomic_u32 wake;    /* its own line: a futex word, and whether somebody may sleep on it */
    struct dry_atomic_u32 waiting;
    uint8_t pad[56];
};

/* rule: pool.class-table */
struct pool_class_row {
    uint64_t slot_size, hints, slots, payload;
    uint32_t slot_count;
    uint8_t spare[28];
};

/* rule: pool.hints. A line for 64 slots, so that peers which begin at different groups do not share lines. */
struct pool_group {
    struct dry_atomic_u64 free;
    uint8_t pad[56];
};

/* rule: pool.slot-meta. A line for each slot, for the same reason. */
struct pool_cell {
    struct dry_atomic_u64 word;
    struct dry_atomic_u64 note; /* OFFERED: to whom; SHARED: the generation of its references */
    struct dry_atomic_u64 readers[POOL_READER_WORDS];
    uint8_t spare[16];
};

#define POOL_AT(type, member, offset) _Static_assert(offsetof(struct type, member) == (offset), #type "." #member)
POOL_AT(pool_header, magic, 0);
POOL_AT(pool_header, version, 8);
POOL_AT(pool_header, fingerprint, 12);
POOL_AT(pool_header, required_size, 16);
POOL_AT(pool_header, class_count, 24);
POOL_AT(pool_header, flags, 28);
POOL_AT(pool_header, wake, 64);
POOL_AT(pool_header, waiting, 68);
_Static_assert(sizeof(struct pool_header) == 128, "pool_header");
POOL_AT(pool_class_row, slot_size, 0);
POOL_AT(pool_class_row, hints, 8);
POOL_AT(pool_class_row, slots, 16);
POOL_AT(pool_class_row, payload, 24);
POOL_AT(pool_class_row, slot_count, 32);
_Static_assert(sizeof(struct pool_class_row) == 64, "pool_class_row");
_Static_assert(sizeof(struct pool_group) == 64, "pool_group");
POOL_AT(pool_cell, word, 0);
POOL_AT(pool_cell, note, 8);
POOL_AT(pool_cell, readers, 16);
_Static_assert(sizeof(struct pool_cell) == 64, "pool_cell");
_Static_assert(sizeof(struct dry_slot) == 24, "a reference has no padding");

/* ---- the handle, in the memory of one process ------------------------------------------------------------------ */

struct pool_class {
    uint64_t slot_size;
    struct pool_group *groups;
    struct pool_cell *cells;
    uint8_t *payload;
    uint32_t slot_count, group_count;
    struct dry_atomic_u32 cursor; /* the group where this handle found or freed a slot last */
};

struct dry_pool {
    struct pool_header *header;
    const struct dry_allocator *allocator;
    uint32_t peer, flags, class_count;
    uint8_t by_size[DRY_POOL_CLASSES_MAX];            /* the classes, smallest slots first */
    struct pool_class classes[DRY_POOL_CLASSES_MAX]; /* copied and checked once, never read again */
};

/* A slot of this pool that a reference, or a walk, names. */
struct pool_place {
    struct pool_class *class;
    struct pool_cell *cell;
    uint32_t class_index, index;
};

static inline struct pool_place pool_place(const struct dry_pool *p, uint32_t class_index, uint32_t index)
{
    struct pool_class *class = (struct pool_class *)(uintptr_t)&p->classes[class_index];
    return (struct pool_place){class, &class->cells[index], class_index, index};
}

/* rule: pool.bounds. The only way from a reference to memory: false where it names no slot. */
static inline bool pool_locate(const struct dry_pool *p, struct dry_slot slot, struct pool_place *at)
{
    if (slot.class_index >= p->class_count || slot.index >= p->classes[slot.class_index].slot_count) return false;
    *at = pool_place(p, slot.class_index, slot.index);
    return true;
}

static inline uint8_t *pool_bytes(struct pool_place at)
{
    return at.class->payload + at.class->slot_size * at.index;
}

/* The number that two builds agree on if and only if they lay out and read the bytes alike (byte order included). */
uint32_t dry_pool_fingerprint(void);

#endif

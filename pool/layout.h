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
#define POOL_EXTENT UINT64_C(0x026c6f6f70797264) /* the same of an extent */
#define POOL_VERSION 2u
#define POOL_GROUP 64u /* slots to a hint group */
#define POOL_READER_WORDS 4u
#define POOL_EXTENT_CLASSES 64u /* class numbers of one extent */

/* rule: pool.header. Of a pool, and (without what follows it) of an extent. */
struct pool_header {
    struct dry_atomic_u64 magic; /* written last */
    uint32_t version;
    uint32_t fingerprint;
    uint64_t required_size;
    uint32_t class_count;
    uint32_t flags;
    uint64_t stamp;  /* random: an extent has the one of its pool's row */
    uint32_t number; /* of an extent, from 1 */
    uint8_t spare[20];
    struct dry_atomic_u32 wake;    /* a line of its own: a futex word, */
    struct dry_atomic_u32 waiting; /* whether somebody may sleep on it, */
    struct dry_atomic_u32 wanted;  /* how often somebody found nothing: caches give back when it changes */
    uint8_t pad[52];
};

/* rule: pool.extent */
struct pool_extent_row {
    struct dry_atomic_u64 state; /* 0; while it is made: ROW_MAKING and the maker; then its size in bytes */
    uint64_t stamp;
};

/* rule: pool.seat, pool.quota. A line for each peer. */
struct pool_peer_row {
    struct dry_atomic_u64 seat;    /* how many handles are open; SEAT_ALONE: one, with a cache, for one thread */
    struct dry_atomic_u32 held;    /* derived: slots that it holds or has in its cache */
    struct dry_atomic_u32 quota;   /* as many as it may; 0: no limit */
    struct dry_atomic_u64 refused; /* how often that limit refused something */
    uint8_t spare[40];
};

/* What only a pool has, after its header. */
struct pool_head {
    struct pool_header header;
    struct pool_extent_row extents[DRY_POOL_EXTENTS_MAX];
    struct pool_peer_row peers[DRY_POOL_PEER_MAX + 1];
};

/* rule: pool.class-table */
struct pool_class_row {
    uint64_t slot_size, hints, slots, payload;
    uint32_t slot_count;
    uint32_t spare;
    struct dry_atomic_u64 full; /* how often there was nothing for a size that it fits best */
    uint8_t pad[16];
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
POOL_AT(pool_header, stamp, 32);
POOL_AT(pool_header, number, 40);
POOL_AT(pool_header, wake, 64);
POOL_AT(pool_header, waiting, 68);
POOL_AT(pool_header, wanted, 72);
_Static_assert(sizeof(struct pool_header) == 128, "pool_header");
POOL_AT(pool_extent_row, state, 0);
POOL_AT(pool_extent_row, stamp, 8);
_Static_assert(sizeof(struct pool_extent_row) == 16, "pool_extent_row");
POOL_AT(pool_peer_row, seat, 0);
POOL_AT(pool_peer_row, held, 8);
POOL_AT(pool_peer_row, quota, 12);
POOL_AT(pool_peer_row, refused, 16);
_Static_assert(sizeof(struct pool_peer_row) == 64, "pool_peer_row");
POOL_AT(pool_head, extents, 128);
POOL_AT(pool_head, peers, 384);
_Static_assert(sizeof(struct pool_head) == 16768, "pool_head");
POOL_AT(pool_class_row, slot_size, 0);
POOL_AT(pool_class_row, hints, 8);
POOL_AT(pool_class_row, slots, 16);
POOL_AT(pool_class_row, payload, 24);
POOL_AT(pool_class_row, slot_count, 32);
POOL_AT(pool_class_row, full, 40);
_Static_assert(sizeof(struct pool_class_row) == 64, "pool_class_row");
_Static_assert(sizeof(struct pool_group) == 64, "pool_group");
POOL_AT(pool_cell, word, 0);
POOL_AT(pool_cell, note, 8);
POOL_AT(pool_cell, readers, 16);
_Static_assert(sizeof(struct pool_cell) == 64, "pool_cell");
_Static_assert(sizeof(struct dry_slot) == 24, "a reference has no padding");

/* ---- the handle, in the memory of one process ------------------------------------------------------------------ */

/* A class of the pool or of an attached extent; all zero where there is none. Copied and checked once, never read
 * again. First the line that an allocate and a free look at. */
struct pool_class {
    uint32_t *cached; /* indices of slots whose word says "cached by me" */
    struct pool_cell *cells;
    uint64_t slot_size;
    uint32_t cached_n, slot_count;
    uint64_t tail; /* what a reference to slot 0 has after its length: slot_tail(0, class_index) */
    uint32_t class_index, group_count;
    struct pool_group *groups;
    uint8_t *payload;
    struct pool_class_row *row;
    struct dry_atomic_u32 cursor; /* the group where this handle found or freed a slot last */
    uint8_t pad[52];
};
_Static_assert(sizeof(struct pool_class) == 128, "two lines");

/* The classes by size, smallest first, and behind them one that fits everything and has no slot. */
struct pool_fit {
    uint64_t slot_size;
    struct pool_class *class;
};

struct dry_pool {
    /* The line that an allocate and a free look at. */
    const void *thread;       /* the thread that has the cache; NULL: there is none */
    const void *quick_frees;  /* the same, where freed bytes are not cleared */
    struct pool_fit *fits;
    struct pool_class *classes;
    struct pool_head *head;
    uint32_t cached_by_me, held_by_me; /* the ends of words that say so */
    uint32_t wanted_seen, class_limit;
    uint32_t cache_slots; /* 0: no cache, and any thread may use the handle */
    uint32_t peer;
    /* The rest. */
    uint32_t class_count, flags;
    struct pool_peer_row *own;
    const struct dry_allocator *allocator;
    size_t table_bytes;
    uint32_t attached; /* bit k: extent k, bit 0: the pool */
};

/* The last fields of a reference in one number; see write_slot. */
static inline uint64_t slot_tail(uint32_t index, uint32_t class_index) { return (uint64_t)class_index << 32 | index; }

/* A slot of this pool that a reference, or a walk, names. */
struct pool_place {
    struct pool_class *class;
    struct pool_cell *cell;
    uint32_t class_index, index;
};

static inline struct pool_place pool_place(const struct dry_pool *p, uint32_t class_index, uint32_t index)
{
    struct pool_class *class = &p->classes[class_index];
    return (struct pool_place){class, &class->cells[index], class_index, index};
}

/* rule: pool.bounds. The only way from a reference to memory: false where it names no slot. */
static inline bool pool_locate(const struct dry_pool *p, struct dry_slot slot, struct pool_place *at)
{
    if (slot.class_index >= p->class_limit || slot.index >= p->classes[slot.class_index].slot_count) return false;
    *at = pool_place(p, slot.class_index, slot.index);
    return true;
}

static inline uint8_t *pool_bytes(struct pool_place at)
{
    return at.class->payload + at.class->slot_size * at.index;
}

/* A handle with a cache is one thread's. The address of a thread's own block tells it apart in one instruction. */
static inline bool pool_may_use(const struct dry_pool *p)
{
    return !p->thread || p->thread == __builtin_thread_pointer();
}

/* ---- what layout.c and extents.c share ------------------------------------------------------------------------- */

/* The number that two builds agree on if and only if they lay out and read the bytes alike (byte order included). */
uint32_t dry_pool_fingerprint(void);

/* The layout of those classes after `head` bytes. */
enum dry_status dry_pool_lay_out(uint64_t head, const struct dry_pool_config *configs, size_t n,
                                 struct dry_pool_layout *out, struct dry_error *err);
/* The header that begins at base + offset; INVALID where that is no multiple of 64. */
enum dry_status dry_pool_find_header(struct dry_pool_memory memory, struct pool_header **header,
                                     struct dry_error *err);
/* From the first step of the magic to all but the last, in memory that must be zero. */
enum dry_status dry_pool_begin(struct dry_pool_memory memory, uint64_t head, const struct dry_pool_config *configs,
                               size_t n, struct pool_header **header, struct dry_error *err);
/* The last: `magic`, or 0 where it failed. */
void dry_pool_finish(struct pool_header *header, uint64_t magic);
/* The checked layout of a finished pool (or extent, by its magic) in that memory. */
enum dry_status dry_pool_read_table(struct dry_pool_memory memory, uint64_t magic, uint64_t head,
                                    const struct pool_header *header, struct dry_pool_layout *out,
                                    struct dry_error *err);
/* Adds the classes of extent `number` to the handle, whose cache is empty. */
enum dry_status dry_pool_add_classes(struct dry_pool *p, struct pool_header *header, uint32_t number, uint64_t head,
                                     const struct dry_pool_layout *l, struct dry_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to storage/. Storages whose bytes are the room of a collection (struct dry_raw), so that it can leave again.
 *
 *     kind        where the header is                         whose the room is
 *     heap        in front of the bytes, in their block       dry_block_*; also what dry_storage_new makes of malloc
 *     allocator   a block of its own, of the same allocator   the allocator's
 *     memory      a block of its own, of malloc               a struct dry_memory's
 *     nothing     a block of its own, of malloc               nobody's: elements of size 0
 */
#ifndef DRY_STORAGE_ROOM_H
#define DRY_STORAGE_ROOM_H

#include "../base/check.h"
#include "../base/memory.h"
#include "storage.h"

#define DRY_HEADER_BYTES 64u
_Static_assert(DRY_HEADER_BYTES == DRY_FRONT_BYTES, "the header fits into what a block of own heap keeps free");

struct dry_room {
    struct dry_storage base;
    size_t cap; /* elements; of `nothing`: how many there are */
    void (*drop)(void *elem);
    const void *owner; /* the dry_allocator or dry_memory */
    uint64_t element; /* its size, and in the top 8 bits the logarithm of its alignment */
};
_Static_assert(sizeof(struct dry_room) == DRY_HEADER_BYTES, "a header is 64 bytes");

/* dry_storage_init, inline. */
static inline void dry_header_init(struct dry_storage *at, const struct dry_storage_kind *kind, const void *bytes,
                                   size_t n)
{
    DRY_ASSERT((uintptr_t)at % DRY_HEADER_BYTES == 0); /* or it would be taken for an immortal one */
    DRY_ASSERT(bytes || n == 0);
    dry_store_relaxed_u64(&at->count, 1); /* X0: nobody else knows it yet */
    at->data = bytes;
    at->len = n;
    at->kind = kind;
}

/* The memory for the header of such a room; NULL: there is none. */
struct dry_storage *dry_room_header(const struct dry_raw *raw);
/* Makes a storage of `raw`, which becomes empty, with a header that dry_room_header gave. */
void dry_room_adopt(struct dry_storage *header, struct dry_raw *raw);

/* Makes a storage of n bytes in a block of own heap that begins at `at`. */
struct dry_storage *dry_room_of_bytes(char *at, size_t n);
/* The way back of the commonest room, without detours: own heap, whole, of such elements, held by the caller alone. False:
 * it is something else, or shared; nothing has changed. */
bool dry_room_take_heap(struct dry_storage *s, size_t elem_size, size_t elem_align, struct dry_raw *out);

/* Room of own heap for n elements, none in it yet. NOMEM, TOO_BIG. */
enum dry_status dry_room_new(size_t n, size_t elem_size, size_t elem_align, struct dry_raw *out);

/* Whether it holds elements with a destructor. */
bool dry_room_has_drop(const struct dry_storage *s);

#endif

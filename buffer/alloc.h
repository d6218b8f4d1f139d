/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * alloc: room from any struct dry_allocator, which must outlive the buffer; 64-byte aligned, padded to whole cache
 * lines. Grows to what is asked, in whole cache lines.
 * Leaf; parameters DRY_NAME DRY_ELEM [DRY_DROP DRY_COPY]. Seed: the allocator; NULL is malloc. Struct: 24 bytes.
 * Access: one load of the address.
 */
#define DRY_NEEDS DRY_P_ELEM
#define DRY_MAY DRY_P_LIFE
#include "begin.h"
#include "element.h"

typedef const struct dry_allocator *SELF(seed);
struct DRY_SELF {
    SELF(elem) *cells; /* NULL while cap is 0 */
    size_t cap;
    const struct dry_allocator *allocator;
};

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed)
{
    *b = (struct DRY_SELF){.allocator = seed};
}

/* Bytes of room for `cap` elements, which there is already. */
static inline size_t SELF(bytes)(size_t cap)
{
    size_t bytes = 0;
    bool overflows = dry_room_overflows(cap, sizeof(SELF(elem)), &bytes);
    DRY_ASSERT(!overflows);
    (void)overflows;
    return bytes;
}

static inline void SELF(fini)(struct DRY_SELF *b)
{
    dry_inline_release(b->allocator, b->cells, SELF(bytes)(b->cap), dry_room_align(_Alignof(SELF(elem))));
    SELF(init)(b, b->allocator);
}

static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b) { return b->allocator; }
static inline size_t SELF(cap)(const struct DRY_SELF *b) { return b->cap; }

#include "contiguous.h"
static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i)
{
    DRY_ASSERT(i < b->cap);
    return b->cells + i;
}

/* want > 0. Whole cache lines are paid for, so growth that need not be exact takes what fits in. */
static inline enum dry_status SELF(resize)(struct DRY_SELF *b, size_t want, bool exact)
{
    size_t align = dry_room_align(_Alignof(SELF(elem))), bytes;
    if (dry_room_overflows(want, sizeof(SELF(elem)), &bytes)) return DRY_TOO_BIG;
    void *at = b->cells ? dry_inline_resize(b->allocator, b->cells, SELF(bytes)(b->cap), bytes, align)
                        : dry_inline_allocate(b->allocator, bytes, align);
    if (!at) return DRY_NOMEM;
    b->cells = at;
    b->cap = exact || !SELF(size) ? want : bytes / (SELF(size) ? SELF(size) : 1);
    return DRY_OK;
}

static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want) { return SELF(resize)(b, want, false); }
static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want)
{
    return SELF(resize)(b, want, true);
}
static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want)
{
    if (want) return SELF(resize)(b, want, true);
    SELF(fini)(b);
    return DRY_OK;
}

static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    *out = SELF(raw)(DRY_RAW_ALLOCATOR, b->cells, len, b->cap);
    out->owner.allocator = b->allocator;
    SELF(init)(b, b->allocator);
    return DRY_OK;
}

static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    if (!SELF(raw_fits)(raw, DRY_RAW_ALLOCATOR)) return DRY_INVALID;
    *b = (struct DRY_SELF){.cells = raw->at, .cap = raw->cap, .allocator = raw->owner.allocator};
    *raw = (struct dry_raw){0};
    return DRY_OK;
}

#include "contract.h"
#include "end.h"

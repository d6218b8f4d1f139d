/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * heap: room from malloc, 64-byte aligned, padded to whole cache lines. Grows to what is asked, in whole cache lines:
 * put pow2 above for pushing. Grown above 2 MiB it is pages of its own that are remapped. DRY_FRONT_BYTES are kept
 * free in front, so that a storage adopts the room without allocating or copying (base/memory.h).
 * Leaf; parameters DRY_NAME DRY_ELEM [DRY_DROP DRY_COPY]. Struct: 16 bytes. Access: one load of the address.
 */
#define DRY_NEEDS DRY_P_ELEM
#define DRY_MAY DRY_P_LIFE
#include "begin.h"
#include "element.h"

typedef struct dry_nothing SELF(seed);
struct DRY_SELF {
    SELF(elem) *cells; /* NULL while cap is 0 */
    size_t cap;
};

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed)
{
    (void)seed;
    b->cells = NULL;
    b->cap = 0;
}

static inline void SELF(fini)(struct DRY_SELF *b)
{
    dry_block_free(b->cells, dry_room_align(_Alignof(SELF(elem))), DRY_FRONT_BYTES);
    SELF(init)(b, (SELF(seed)){});
}

static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b)
{
    (void)b;
    return (SELF(seed)){};
}

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
    size_t keep = (b->cap < want ? b->cap : want) * sizeof(SELF(elem)), bytes;
    if (dry_room_overflows(want, sizeof(SELF(elem)), &bytes)) return DRY_TOO_BIG;
    void *at = dry_block_resize(b->cells, keep, bytes, dry_room_align(_Alignof(SELF(elem))), DRY_FRONT_BYTES);
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
    *out = SELF(raw)(DRY_RAW_HEAP, b->cells, len, b->cap);
    SELF(init)(b, (SELF(seed)){});
    return DRY_OK;
}

static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    if (!SELF(raw_fits)(raw, DRY_RAW_HEAP)) return DRY_INVALID;
    b->cells = raw->at;
    b->cap = raw->cap;
    *raw = (struct dry_raw){0};
    return DRY_OK;
}

#include "contract.h"
#include "end.h"

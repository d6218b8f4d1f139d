/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * inline: room for DRY_COUNT elements inside the struct. Never grows, never shrinks, never calls malloc.
 * Leaf; parameters DRY_NAME DRY_ELEM DRY_COUNT [DRY_DROP DRY_COPY]. Struct: DRY_COUNT elements. Access: one
 * instruction.
 */
#define DRY_NEEDS (DRY_P_ELEM | DRY_P_COUNT)
#define DRY_MAY DRY_P_LIFE
#include "begin.h"
#include "element.h"

typedef struct dry_nothing SELF(seed);
struct DRY_SELF {
    SELF(elem) cell[DRY_N];
};

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed) { (void)b, (void)seed; }
static inline void SELF(fini)(struct DRY_SELF *b) { (void)b; }
static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b)
{
    (void)b;
    return (SELF(seed)){};
}

static inline size_t SELF(cap)(const struct DRY_SELF *b)
{
    (void)b;
    return DRY_N;
}

#include "contiguous.h"
static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i)
{
    DRY_ASSERT(i < DRY_N);
    return (SELF(elem) *)&b->cell[i];
}
#include "fixed.h"

/* The room cannot leave the struct, so the elements leave in a block of our own heap. */
static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    size_t align = dry_room_align(_Alignof(SELF(elem))), bytes;
    if (dry_room_overflows(len, sizeof(SELF(elem)), &bytes)) return DRY_TOO_BIG;
    void *at = dry_block_new(bytes, align, DRY_FRONT_BYTES);
    if (!at) return DRY_NOMEM;
    memcpy(at, b->cell, len * sizeof(SELF(elem)));
    *out = SELF(raw)(DRY_RAW_HEAP, at, len, len);
    return DRY_OK;
}

static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    if (!SELF(raw_fits)(raw, DRY_RAW_HEAP) || raw->len > DRY_N) return DRY_INVALID;
    if (raw->len) memcpy(b->cell, raw->at, raw->len * sizeof(SELF(elem)));
    dry_raw_free(raw);
    return DRY_OK;
}

#include "contract.h"
#include "end.h"

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * slice: borrows an array of the caller's, which must outlive the buffer. Never grows, never shrinks, frees nothing.
 * The array is room only: a vec over it begins empty.
 * Leaf; parameters DRY_NAME DRY_ELEM [DRY_DROP DRY_COPY]. Seed: {array, its length}. Struct: 16 bytes. Access: one
 * load.
 */
#define DRY_NEEDS DRY_P_ELEM
#define DRY_MAY DRY_P_LIFE
#include "begin.h"
#include "element.h"

struct SELF(seed) {
    SELF(elem) *cells;
    size_t cap;
};
typedef struct SELF(seed) SELF(seed);
struct DRY_SELF {
    struct SELF(seed) given;
};

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed) { b->given = seed; }
static inline void SELF(fini)(struct DRY_SELF *b) { (void)b; }
static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b) { return b->given; }
static inline size_t SELF(cap)(const struct DRY_SELF *b) { return b->given.cap; }

#include "contiguous.h"
static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i)
{
    DRY_ASSERT(i < b->given.cap);
    return b->given.cells + i;
}
#include "fixed.h"

static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    (void)b, (void)len, (void)out;
    return DRY_UNSUPPORTED;
}

static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    (void)b, (void)raw;
    return DRY_INVALID;
}

#include "contract.h"
#include "end.h"

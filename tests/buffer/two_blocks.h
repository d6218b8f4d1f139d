/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * two_blocks: a layer for tests whose elements are reached by an index only: even ones lie in one buffer, odd ones in
 * a second. What works over it needs no contiguous memory.
 * Composite; parameters DRY_NAME DRY_INNER. Seed: the inner's, for both.
 */
#define DRY_NEEDS DRY_P_INNER
#include "../../buffer/begin.h"
typedef IN(elem) SELF(elem);
typedef IN(ref) SELF(ref);
typedef IN(seed) SELF(seed);
enum { SELF(columns) = 2 * IN(columns), SELF(contiguous) = 0, SELF(drops) = IN(drops), SELF(copies) = IN(copies) };
static inline void SELF(elem_drop)(SELF(elem) *x) { IN(elem_drop)(x); }
static inline SELF(ref) SELF(ref_of)(SELF(elem) *x) { return IN(ref_of)(x); }
static inline enum dry_status SELF(elem_copy)(SELF(elem) *to, const SELF(elem) *x) { return IN(elem_copy)(to, x); }

struct DRY_SELF {
    struct DRY_IN half[2];
};

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed)
{
    IN(init)(&b->half[0], seed);
    IN(init)(&b->half[1], seed);
}
static inline void SELF(fini)(struct DRY_SELF *b)
{
    IN(fini)(&b->half[0]);
    IN(fini)(&b->half[1]);
}
static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b) { return IN(seed_of)(&b->half[0]); }

static inline size_t SELF(cap)(const struct DRY_SELF *b)
{
    size_t even = IN(cap)(&b->half[0]), odd = IN(cap)(&b->half[1]);
    return 2 * (even < odd ? even : odd);
}

static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i) { return IN(at)(&b->half[i % 2], i / 2); }
#include "../../buffer/addressable.h"

static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want)
{
    size_t half = want / 2 + want % 2, before = IN(cap)(&b->half[0]);
    if (before < half) DRY_TRY(IN(grow)(&b->half[0], half));
    enum dry_status status = IN(cap)(&b->half[1]) < half ? IN(grow)(&b->half[1], half) : DRY_OK;
    if (status != DRY_OK && IN(cap)(&b->half[0]) > before) (void)IN(shrink)(&b->half[0], before);
    return status;
}
static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want) { return SELF(grow)(b, want); }

static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want)
{
    size_t half = want / 2 + want % 2;
    for (int h = 0; h < 2; h++)
        if (IN(cap)(&b->half[h]) > half) (void)IN(shrink)(&b->half[h], half);
    return DRY_OK;
}

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
#include "../../buffer/contract.h"
#include "../../buffer/end.h"

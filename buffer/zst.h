/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * zst: room for elements of size 0 (a GNU C empty struct): as many as can be counted, in no memory at all. A vec of
 * them is a counter; with DRY_DROP each element is still ended exactly once.
 * Leaf; parameters DRY_NAME DRY_ELEM [DRY_DROP DRY_COPY]. Struct: 0 bytes. Access: nothing.
 */
#define DRY_NEEDS DRY_P_ELEM
#define DRY_MAY DRY_P_LIFE
#include "begin.h"
#include "element.h"
_Static_assert(sizeof(SELF(elem)) == 0, DRY_WORDS(DRY_SELF) ": zst is for elements of size 0; zsto takes both kinds");

typedef struct dry_nothing SELF(seed);
struct DRY_SELF {
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
    return SIZE_MAX;
}

#include "contiguous.h"
/* All elements are at one address, which is any that is not NULL. */
static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i)
{
    (void)i;
    return (SELF(elem) *)(void *)b;
}
#include "fixed.h"

static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    (void)b;
    *out = SELF(raw)(DRY_RAW_NONE, NULL, len, SIZE_MAX);
    return DRY_OK;
}

static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    (void)b;
    if (!SELF(raw_fits)(raw, DRY_RAW_NONE)) return DRY_INVALID;
    *raw = (struct dry_raw){0};
    return DRY_OK;
}

#include "contract.h"
#include "end.h"

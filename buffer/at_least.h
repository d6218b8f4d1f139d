/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * at_least: when it grows, it grows to DRY_COUNT or more, which skips the first small steps (where that much cannot
 * be had, exactly what is asked is tried). grow_exact goes through.
 * Composite; parameters DRY_NAME DRY_INNER DRY_COUNT. Seed: the inner's. Struct: the inner. Access: nothing on top.
 */
#define DRY_NEEDS (DRY_P_INNER | DRY_P_COUNT)
#include "begin.h"
#include "inherit.h"

typedef IN(seed) SELF(seed);
struct DRY_SELF {
    struct DRY_IN in;
};

#define DRY_OWN_GROW
#include "forward_body.h"

static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want)
{
    if (want < DRY_N && IN(grow)(&b->in, DRY_N) == DRY_OK) return DRY_OK;
    return IN(grow)(&b->in, want);
}

#include "contract.h"
#include "end.h"

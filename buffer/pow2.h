/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * pow2: grows to the smallest power of two that is at least what is asked, so that n pushes cost O(n). Where that
 * much cannot be had, exactly what is asked is tried. grow_exact goes through as it is.
 * Composite; parameters DRY_NAME DRY_INNER. Seed: the inner's. Struct: the inner. Access: nothing on top.
 */
#define DRY_NEEDS DRY_P_INNER
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
    if (want > SIZE_MAX / 2 + 1) return DRY_TOO_BIG;
    size_t power = want < 2 ? 1 : (size_t)1 << (8 * sizeof(size_t) - (size_t)__builtin_clzl(want - 1));
    enum dry_status status = IN(grow)(&b->in, power);
    return status == DRY_OK || power == want ? status : IN(grow)(&b->in, want);
}

#include "contract.h"
#include "end.h"

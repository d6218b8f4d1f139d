/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * grow_mock: a test double that writes down what the layers above ask for, and passes it on.
 * Composite; parameters DRY_NAME DRY_INNER. Seed: the inner's. `own` holds the notes.
 */
#ifndef DRY_GROW_MOCK_H
#define DRY_GROW_MOCK_H
#include "../base/base.h"

struct dry_grow_notes {
    size_t grows, shrinks; /* calls */
    size_t last_want;      /* of grow, grow_exact or shrink */
};
#endif

#define DRY_NEEDS DRY_P_INNER
#include "begin.h"
#include "inherit.h"

typedef IN(seed) SELF(seed);
struct DRY_SELF {
    struct DRY_IN in;
    struct dry_grow_notes own;
};

#define DRY_STATE struct dry_grow_notes
#define DRY_OWN_GROW
#define DRY_OWN_GROW_EXACT
#define DRY_OWN_SHRINK
#include "forward_body.h"

static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want)
{
    b->own.grows++;
    b->own.last_want = want;
    return IN(grow)(&b->in, want);
}

static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want)
{
    b->own.grows++;
    b->own.last_want = want;
    return IN(grow_exact)(&b->in, want);
}

static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want)
{
    b->own.shrinks++;
    b->own.last_want = want;
    return IN(shrink)(&b->in, want);
}

#include "contract.h"
#include "end.h"

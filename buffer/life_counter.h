/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * life_counter: a test double that follows each cell: a put into a filled cell, a take or drop of an empty one, room
 * that goes while cells are filled, is a fault. It hides that cells lie side by side, so that every element goes
 * through it.
 * Composite; parameters DRY_NAME DRY_INNER. Seed: {inner seed, struct dry_life}; the notes are the test's own, NULL:
 * follow nothing.
 */
#ifndef DRY_LIFE_COUNTER_H
#define DRY_LIFE_COUNTER_H
#include "../base/base.h"

struct dry_life {
    bool *filled; /* of the first `cells` cells; the others are only counted */
    size_t cells;
    size_t puts, takes, drops, faults;
};

static inline void dry_life_note(struct dry_life *life, size_t i, bool fills)
{
    if (!life || i >= life->cells) return;
    life->faults += life->filled[i] == fills;
    life->filled[i] = fills;
}

/* Room from cell `from` up is about to go. */
static inline void dry_life_ends(struct dry_life *life, size_t from)
{
    for (size_t i = from; life && i < life->cells; i++)
        life->faults += life->filled[i];
}
#endif

#define DRY_NEEDS DRY_P_INNER
#include "begin.h"
typedef IN(elem) SELF(elem);
typedef IN(ref) SELF(ref);
enum { SELF(columns) = IN(columns), SELF(contiguous) = 0, SELF(drops) = IN(drops), SELF(copies) = IN(copies) };
static inline void SELF(elem_drop)(SELF(elem) *x) { IN(elem_drop)(x); }
static inline SELF(ref) SELF(ref_of)(SELF(elem) *x) { return IN(ref_of)(x); }
static inline enum dry_status SELF(elem_copy)(SELF(elem) *to, const SELF(elem) *x) { return IN(elem_copy)(to, x); }

typedef struct SELF(seed) {
    IN(seed) inner;
    struct dry_life *life;
} SELF(seed);
struct DRY_SELF {
    struct DRY_IN in;
    struct dry_life *life;
};

#define DRY_OWN_INIT
#define DRY_OWN_FINI
#define DRY_OWN_SEED_OF
#define DRY_OWN_SHRINK
#define DRY_OWN_PUT
#define DRY_OWN_TAKE
#define DRY_OWN_DROP
#define DRY_OWN_DROP_RANGE
#define DRY_OWN_SHIFT
#define DRY_OWN_SPAN
#include "forward_body.h"

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed)
{
    b->life = seed.life;
    IN(init)(&b->in, seed.inner);
}

static inline void SELF(fini)(struct DRY_SELF *b)
{
    dry_life_ends(b->life, 0);
    IN(fini)(&b->in);
}

static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b)
{
    return (SELF(seed)){.inner = IN(seed_of)(&b->in), .life = b->life};
}

static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want)
{
    dry_life_ends(b->life, want);
    return IN(shrink)(&b->in, want);
}

static inline void SELF(put)(struct DRY_SELF *b, size_t i, SELF(elem) x)
{
    dry_life_note(b->life, i, true);
    if (b->life) b->life->puts++;
    IN(put)(&b->in, i, x);
}

static inline SELF(elem) SELF(take)(const struct DRY_SELF *b, size_t i)
{
    dry_life_note(b->life, i, false);
    if (b->life) b->life->takes++;
    return IN(take)(&b->in, i);
}

static inline void SELF(drop)(struct DRY_SELF *b, size_t i)
{
    dry_life_note(b->life, i, false);
    if (b->life) b->life->drops++;
    IN(drop)(&b->in, i);
}

static inline void SELF(drop_range)(struct DRY_SELF *b, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++)
        SELF(drop)(b, i);
}

static inline void SELF(shift_right)(struct DRY_SELF *b, size_t from, size_t n, size_t by)
{
    for (size_t i = from + n; by && i-- > from;)
        SELF(put)(b, i + by, SELF(take)(b, i));
}

static inline void SELF(shift_left)(struct DRY_SELF *b, size_t from, size_t n, size_t by)
{
    for (size_t i = from; by && i < from + n; i++)
        SELF(put)(b, i - by, SELF(take)(b, i));
}

static inline SELF(elem) *SELF(span)(const struct DRY_SELF *b, size_t from, size_t n)
{
    dry_no_span();
    return IN(span)(&b->in, from, n);
}

#include "contract.h"
#include "end.h"

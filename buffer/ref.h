/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * ref: a buffer that is somewhere else and not ours: a collection borrows its room. The buffer must outlive this one
 * and be empty (room, no elements) before and after; fini leaves it alone.
 * Composite; parameters DRY_NAME DRY_INNER. Seed: a pointer to the inner buffer; NULL is no room at all. Struct: 8
 * bytes. Access: one load on top of the inner's.
 */
#define DRY_NEEDS DRY_P_INNER
#include "begin.h"
#undef IN_OF
#define IN_OF(b) ((b)->in)
#include "inherit.h"

typedef struct DRY_IN *SELF(seed);
struct DRY_SELF {
    struct DRY_IN *in;
};

#define DRY_OWN_INIT
#define DRY_OWN_FINI
#define DRY_OWN_SEED_OF
#define DRY_OWN_CAP
#define DRY_OWN_GROW
#define DRY_OWN_GROW_EXACT
#define DRY_OWN_INTO_RAW
#define DRY_OWN_FROM_RAW
#include "forward_body.h"

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed) { b->in = seed; }
static inline void SELF(fini)(struct DRY_SELF *b) { (void)b; }
static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b) { return b->in; }
static inline size_t SELF(cap)(const struct DRY_SELF *b) { return b->in ? IN(cap)(b->in) : 0; }

static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want)
{
    return b->in ? IN(grow)(b->in, want) : DRY_FIXED;
}

static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want)
{
    return b->in ? IN(grow_exact)(b->in, want) : DRY_FIXED;
}

/* What is borrowed cannot be given away. */
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

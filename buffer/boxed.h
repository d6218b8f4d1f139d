/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * boxed: a buffer that is ours and lives on the heap, so that the collection's struct stays small whatever is below
 * (say, a large inline). The box is made by the first growth; until then there is no room, even where the inner would
 * have some.
 * Composite; parameters DRY_NAME DRY_INNER. Seed: the inner's. Struct: 8 bytes and the seed. Access: one load on top.
 */
#define DRY_NEEDS DRY_P_INNER
#include "begin.h"
#undef IN_OF
#define IN_OF(b) ((b)->in)
#include "inherit.h"

typedef IN(seed) SELF(seed);
struct DRY_SELF {
    struct DRY_IN *in; /* NULL: no box yet */
    IN(seed) seed;
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

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed)
{
    b->in = NULL;
    b->seed = seed;
}

static inline void SELF(unbox)(struct DRY_SELF *b)
{
    dry_block_free(b->in, _Alignof(struct DRY_IN), 0);
    b->in = NULL;
}

/* Without a box, what the seed brought is given back all the same. */
static inline void SELF(fini)(struct DRY_SELF *b)
{
    struct DRY_IN unused, *in = b->in ? b->in : &unused;
    if (!b->in) IN(init)(in, b->seed);
    IN(fini)(in);
    b->seed = IN(seed_of)(in);
    SELF(unbox)(b);
}

static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b) { return b->seed; }

static inline size_t SELF(cap)(const struct DRY_SELF *b) { return b->in ? IN(cap)(b->in) : 0; }

static inline enum dry_status SELF(box)(struct DRY_SELF *b)
{
    size_t size = sizeof(struct DRY_IN);
    if (b->in) return DRY_OK;
    b->in = (struct DRY_IN *)dry_block_new(size ? size : 1, _Alignof(struct DRY_IN), 0);
    if (!b->in) return DRY_NOMEM;
    IN(init)(b->in, b->seed);
    return DRY_OK;
}

static inline enum dry_status SELF(grow_by)(struct DRY_SELF *b, size_t want,
                                            enum dry_status (*grow)(struct DRY_IN *, size_t))
{
    bool was_boxed = b->in;
    DRY_TRY(SELF(box)(b));
    enum dry_status status = IN(cap)(b->in) >= want ? DRY_OK : grow(b->in, want);
    if (status != DRY_OK && !was_boxed) SELF(unbox)(b); /* without fini: what the seed brought stays the seed's */
    return status;
}

static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want) { return SELF(grow_by)(b, want, IN(grow)); }
static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want)
{
    return SELF(grow_by)(b, want, IN(grow_exact));
}

static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    bool was_boxed = b->in;
    DRY_TRY(SELF(box)(b));
    enum dry_status status = IN(into_raw)(b->in, len, out);
    if (status != DRY_OK && !was_boxed) SELF(unbox)(b);
    return status;
}

static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    DRY_TRY(SELF(box)(b));
    enum dry_status status = IN(from_raw)(b->in, raw);
    if (status != DRY_OK) SELF(unbox)(b);
    return status;
}

#include "contract.h"
#include "end.h"

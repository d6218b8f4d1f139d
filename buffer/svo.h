/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * svo: the first DRY_COUNT elements live in the struct; growing past them moves all into the inner buffer, shrinking
 * moves them back.
 *
 *     spilled == false:   the cells are u.cell[0..DRY_COUNT), the inner buffer does not exist yet
 *     spilled == true:    the inner buffer is u.in, u.cell is dead
 *
 * Composite over an addressable buffer; parameters DRY_NAME DRY_INNER DRY_COUNT. Seed: the inner's, used when it
 * spills. Struct: 8 bytes, the seed, and the larger of inner and DRY_COUNT elements. Access: one predictable branch
 * on top (loops ask span once).
 */
#define DRY_NEEDS (DRY_P_INNER | DRY_P_COUNT)
#include "begin.h"
#include "inherit.h"
_Static_assert(__builtin_types_compatible_p(IN(ref), IN(elem) *),
               DRY_WORDS(DRY_SELF) ": svo needs an addressable buffer below; soa goes above svo");

typedef IN(seed) SELF(seed);
struct DRY_SELF {
    bool spilled;
    IN(seed) seed;
    union {
        SELF(elem) cell[DRY_N];
        struct DRY_IN in;
    } u;
};

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed)
{
    b->spilled = false;
    b->seed = seed;
    memset(&b->u.in, 0, sizeof b->u.in); /* dead, but compilers cannot know and would warn of reading it */
}

static inline void SELF(fini)(struct DRY_SELF *b)
{
    struct DRY_IN in; /* what the seed brought is given back even if it was never used */
    if (b->spilled)
        in = b->u.in;
    else
        IN(init)(&in, b->seed);
    IN(fini)(&in);
    SELF(init)(b, IN(seed_of)(&in));
}

static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b) { return b->seed; }

static inline size_t SELF(cap)(const struct DRY_SELF *b) { return b->spilled ? IN(cap)(&b->u.in) : DRY_N; }

static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i)
{
    if (b->spilled) return IN(at)(&b->u.in, i);
    DRY_KNOWN(i + 1 <= DRY_N); /* so written because i < 0 is a warning where DRY_COUNT is 0 */
    return (SELF(elem) *)b->u.cell + i;
}
#include "addressable.h"

/* The first n cells, as bytes: which of them are filled is not known here, so none is read as an element. */
static inline void SELF(cells_out)(const SELF(elem) *cell, struct DRY_IN *to, size_t n)
{
    if (n == 0) return;
    if (IN(contiguous))
        memcpy(IN(span)(to, 0, n), cell, n * sizeof *cell);
    else
        for (size_t i = 0; i < n; i++)
            memcpy(IN(at)(to, i), cell + i, sizeof *cell);
}

static inline void SELF(cells_in)(SELF(elem) *cell, const struct DRY_IN *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(cell + i, IN(at)(from, i), sizeof *cell);
}

/* Makes an inner buffer with room for `want` that has the first n cells. */
static inline enum dry_status SELF(spill)(const struct DRY_SELF *b, size_t n, size_t want, struct DRY_IN *out,
                                          enum dry_status (*grow)(struct DRY_IN *, size_t))
{
    struct DRY_IN in;
    IN(init)(&in, b->seed);
    if (IN(cap)(&in) < want) DRY_TRY(grow(&in, want)); /* nothing to finish: it is as the seed made it */
    SELF(cells_out)(b->u.cell, &in, n);
    *out = in;
    return DRY_OK;
}

static inline enum dry_status SELF(grow_by)(struct DRY_SELF *b, size_t want,
                                            enum dry_status (*grow)(struct DRY_IN *, size_t))
{
    struct DRY_IN in;
    if (b->spilled) return grow(&b->u.in, want);
    DRY_TRY(SELF(spill)(b, DRY_N, want, &in, grow));
    b->u.in = in;
    b->spilled = true;
    return DRY_OK;
}

static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want) { return SELF(grow_by)(b, want, IN(grow)); }
static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want)
{
    return SELF(grow_by)(b, want, IN(grow_exact));
}

static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want)
{
    if (!b->spilled) return DRY_OK;
    if (want > DRY_N) return IN(shrink)(&b->u.in, want);
    struct DRY_IN in = b->u.in;
    SELF(cells_in)(b->u.cell, &in, want);
    IN(fini)(&in);
    b->spilled = false;
    b->seed = IN(seed_of)(&in);
    return DRY_OK;
}

/* What is still inline leaves in a fresh inner buffer. */
static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    struct DRY_IN in;
    if (b->spilled) return IN(into_raw)(&b->u.in, len, out);
    DRY_TRY(SELF(spill)(b, len, len, &in, IN(grow_exact)));
    enum dry_status status = IN(into_raw)(&in, len, out);
    if (status != DRY_OK) IN(fini)(&in);
    b->seed = IN(seed_of)(&in);
    return status;
}

static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    struct DRY_IN in;
    IN(init)(&in, b->seed);
    DRY_TRY(IN(from_raw)(&in, raw));
    b->u.in = in;
    b->spilled = true;
    return DRY_OK;
}

#include "contract.h"
#include "end.h"

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * zsto: the inner buffer, or no memory at all (as zst) where the element has size 0. For generic recipes, where the
 * element may be either. Decided at compile time.
 * Composite over an addressable buffer; parameters DRY_NAME DRY_INNER. Seed: the inner's. Struct: the inner. Access:
 * nothing on top.
 */
#define DRY_NEEDS DRY_P_INNER
#include "begin.h"
#include "inherit.h"
_Static_assert(__builtin_types_compatible_p(IN(ref), IN(elem) *),
               DRY_WORDS(DRY_SELF) ": zsto needs an addressable buffer below; soa goes above zsto");

typedef IN(seed) SELF(seed);
struct DRY_SELF {
    struct DRY_IN in; /* unused where the element has size 0 */
};
enum { SELF(is_zst) = sizeof(SELF(elem)) == 0 };

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed) { IN(init)(&b->in, seed); }
static inline void SELF(fini)(struct DRY_SELF *b) { IN(fini)(&b->in); }
static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b) { return IN(seed_of)(&b->in); }
static inline size_t SELF(cap)(const struct DRY_SELF *b) { return SELF(is_zst) ? SIZE_MAX : IN(cap)(&b->in); }

static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i)
{
    return SELF(is_zst) ? (SELF(elem) *)(void *)b : IN(at)(&b->in, i);
}
#include "addressable.h"

static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want)
{
    return SELF(is_zst) ? DRY_FIXED : IN(grow)(&b->in, want);
}

static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want)
{
    return SELF(is_zst) ? DRY_FIXED : IN(grow_exact)(&b->in, want);
}

static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want)
{
    return SELF(is_zst) ? DRY_FIXED : IN(shrink)(&b->in, want);
}

static inline void SELF(drop_untyped)(void *x) { SELF(elem_drop)((SELF(elem) *)x); }

static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    if (!SELF(is_zst)) return IN(into_raw)(&b->in, len, out);
    *out = (struct dry_raw){.kind = DRY_RAW_NONE, .len = len, .cap = SIZE_MAX, .elem_align = _Alignof(SELF(elem)),
                            .drop = SELF(drops) ? SELF(drop_untyped) : NULL};
    return DRY_OK;
}

static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    if (!SELF(is_zst)) return IN(from_raw)(&b->in, raw);
    if (raw->kind != DRY_RAW_NONE || raw->elem_size != 0 || raw->elem_align != _Alignof(SELF(elem))) return DRY_INVALID;
    *raw = (struct dry_raw){0};
    return DRY_OK;
}

#include "contract.h"
#include "end.h"

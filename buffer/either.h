/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * either: one of two buffers: the first up to DRY_COUNT elements, the second above. Say, small rooms from a pool and
 * large ones from the heap. Growing past the count moves all elements over, shrinking to it moves them back.
 * Composite over addressable buffers of one element; parameters DRY_NAME DRY_INNER DRY_INNER2 DRY_COUNT. Seed: a
 * struct of both, {first, second}. Struct: 8 bytes, both seeds, the larger of the two. Access: one predictable branch
 * on top.
 */
#define DRY_NEEDS (DRY_P_INNER | DRY_P_INNER2 | DRY_P_COUNT)
#include "begin.h"
typedef IN(elem) SELF(elem);
typedef IN(ref) SELF(ref);
_Static_assert(__builtin_types_compatible_p(IN(elem), IN2(elem)) &&
                   __builtin_types_compatible_p(IN(ref), IN(elem) *) &&
                   __builtin_types_compatible_p(IN2(ref), IN2(elem) *),
               DRY_WORDS(DRY_SELF) ": either needs two addressable buffers of the same element below");
_Static_assert(IN(columns) == 1 && IN2(columns) == 1, "either: one column each");
_Static_assert((int)IN(drops) == (int)IN2(drops) && (int)IN(copies) == (int)IN2(copies),
               DRY_WORDS(DRY_SELF) ": both buffers of either must end and copy their elements alike");
enum {
    SELF(columns) = 1,
    SELF(contiguous) = IN(contiguous) && IN2(contiguous),
    SELF(drops) = IN(drops),
    SELF(copies) = IN(copies)
};

static inline void SELF(elem_drop)(SELF(elem) *x) { IN(elem_drop)(x); }
static inline SELF(ref) SELF(ref_of)(SELF(elem) *x) { return x; }
static inline enum dry_status SELF(elem_copy)(SELF(elem) *to, const SELF(elem) *x) { return IN(elem_copy)(to, x); }

struct SELF(seed) {
    IN(seed) first;
    IN2(seed) second;
};
typedef struct SELF(seed) SELF(seed);
struct DRY_SELF {
    bool is_second;
    SELF(seed) seed; /* of the one that is not there */
    union {
        struct DRY_IN first;
        struct DRY_IN2 second;
    } u;
};

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed)
{
    b->is_second = false;
    b->seed = seed;
    IN(init)(&b->u.first, seed.first);
}

static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b) { return b->seed; }

/* Replaces the second buffer, empty by now, by the first, fresh one. */
static inline void SELF(end_second)(struct DRY_SELF *b)
{
    struct DRY_IN2 second = b->u.second;
    IN2(fini)(&second);
    b->seed.second = IN2(seed_of)(&second);
    IN(init)(&b->u.first, b->seed.first);
    b->is_second = false;
}

static inline void SELF(fini)(struct DRY_SELF *b)
{
    if (b->is_second) {
        SELF(end_second)(b);
    } else {
        struct DRY_IN2 unused; /* what its seed brought is given back all the same */
        IN2(init)(&unused, b->seed.second);
        IN2(fini)(&unused);
        b->seed.second = IN2(seed_of)(&unused);
    }
    IN(fini)(&b->u.first);
    b->seed.first = IN(seed_of)(&b->u.first);
}

static inline size_t SELF(cap)(const struct DRY_SELF *b)
{
    return b->is_second ? IN2(cap)(&b->u.second) : IN(cap)(&b->u.first);
}

static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i)
{
    return b->is_second ? IN2(at)(&b->u.second, i) : IN(at)(&b->u.first, i);
}
#include "addressable.h"

static inline enum dry_status SELF(to_second)(struct DRY_SELF *b, size_t want,
                                              enum dry_status (*grow)(struct DRY_IN2 *, size_t))
{
    struct DRY_IN first = b->u.first;
    struct DRY_IN2 second;
    IN2(init)(&second, b->seed.second);
    if (IN2(cap)(&second) < want) DRY_TRY(grow(&second, want));
    for (size_t i = 0; i < IN(cap)(&first); i++) /* as bytes: not every cell is filled */
        memcpy(IN2(at)(&second, i), IN(at)(&first, i), sizeof(SELF(elem)));
    IN(fini)(&first);
    b->seed.first = IN(seed_of)(&first);
    b->u.second = second;
    b->is_second = true;
    return DRY_OK;
}

static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want)
{
    if (b->is_second) return IN2(grow)(&b->u.second, want);
    return want <= DRY_N ? IN(grow)(&b->u.first, want) : SELF(to_second)(b, want, IN2(grow));
}

static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want)
{
    if (b->is_second) return IN2(grow_exact)(&b->u.second, want);
    return want <= DRY_N ? IN(grow_exact)(&b->u.first, want) : SELF(to_second)(b, want, IN2(grow_exact));
}

static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want)
{
    if (!b->is_second) return IN(shrink)(&b->u.first, want);
    if (want > DRY_N) return IN2(shrink)(&b->u.second, want);
    struct DRY_IN first;
    IN(init)(&first, b->seed.first);
    if (IN(cap)(&first) < want) DRY_TRY(IN(grow_exact)(&first, want));
    for (size_t i = 0; i < want; i++)
        memcpy(IN(at)(&first, i), IN2(at)(&b->u.second, i), sizeof(SELF(elem)));
    SELF(end_second)(b);
    b->u.first = first;
    return DRY_OK;
}

static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    if (!b->is_second) return IN(into_raw)(&b->u.first, len, out);
    DRY_TRY(IN2(into_raw)(&b->u.second, len, out));
    SELF(end_second)(b);
    return DRY_OK;
}

/* Whichever of the two it came from. */
static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    struct DRY_IN2 second;
    if (IN(from_raw)(&b->u.first, raw) == DRY_OK) return DRY_OK;
    IN2(init)(&second, b->seed.second);
    DRY_TRY(IN2(from_raw)(&second, raw));
    IN(fini)(&b->u.first);
    b->seed.first = IN(seed_of)(&b->u.first);
    b->u.second = second;
    b->is_second = true;
    return DRY_OK;
}

#include "contract.h"
#include "end.h"

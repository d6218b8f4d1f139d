/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * equal: what a vec or deque can do when its elements can be told apart.
 *
 *     #define DRY_NAME  trades             // the collection
 *     #define DRY_EQUAL same_trade         // bool (ref a, ref b); scalars need none
 *     #define DRY_HASH  hash_trade         // uint64_t (ref a): equal elements, equal numbers; scalars need none
 *     #include "buffer/equal.h"
 */
#define DRY_NEEDS 0
#define DRY_MAY DRY_P_EQUAL
#include "begin.h"

#ifdef DRY_EQUAL
static inline bool SELF(same)(SELF(ref) a, SELF(ref) b) { return DRY_EQUAL(a, b); }
#else
static inline bool SELF(same)(SELF(ref) a, SELF(ref) b) { return *a == *b; }
#endif

/* Whether an element equals x; *at, if asked for, is the first place. */
static inline bool SELF(index_of)(const struct DRY_SELF *s, SELF(elem) x, size_t *at)
{
    for (size_t i = 0; i < SELF(len)(s); i++) {
        if (!SELF(same)(SELF(at)(s, i), SELF(ref_of)(&x))) continue;
        if (at) *at = i;
        return true;
    }
    return false;
}

static inline bool SELF(contains)(const struct DRY_SELF *s, SELF(elem) x) { return SELF(index_of)(s, x, NULL); }

static inline bool SELF(equals)(const struct DRY_SELF *a, const struct DRY_SELF *b)
{
    if (SELF(len)(a) != SELF(len)(b)) return false;
    for (size_t i = 0; i < SELF(len)(a); i++)
        if (!SELF(same)(SELF(at)(a, i), SELF(at)(b, i))) return false;
    return true;
}

/* Ends every element that equals the one before it. */
static inline void SELF(dedup)(struct DRY_SELF *s)
{
    size_t kept = SELF(len)(s) > 0;
    for (size_t i = kept; i < SELF(len)(s); i++) {
        if (SELF(same)(SELF(at)(s, i), SELF(at)(s, kept - 1)))
            SELF(end)(s, i);
        else if (kept++ != i)
            SELF(lay)(s, kept - 1, SELF(lift)(s, i));
    }
    s->len = kept;
}

#if !defined DRY_EQUAL || defined DRY_HASH
static inline uint64_t SELF(hash_one)(SELF(ref) a)
{
#ifdef DRY_HASH
    return DRY_HASH(a);
#else
    __typeof__(*a + 0) x = *a + 0; /* -0.0 becomes 0.0, which it equals */
    uint64_t bits = 0;
    _Static_assert(sizeof x <= sizeof bits, DRY_WORDS(DRY_SELF) ": elements wider than 8 bytes need a DRY_HASH");
    memcpy(&bits, &x, sizeof x);
    return bits;
#endif
}

/* Equal collections have equal hashes, also on another machine of the same byte order; not for hostile input.
 * Mixing: the finaliser of splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t SELF(hash)(const struct DRY_SELF *s)
{
    uint64_t h = (uint64_t)SELF(len)(s);
    for (size_t i = 0; i < SELF(len)(s); i++) {
        h = (h ^ SELF(hash_one)(SELF(at)(s, i))) + 0x9e3779b97f4a7c15u;
        h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
        h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
        h ^= h >> 31;
    }
    return h;
}
#endif

#include "end.h"

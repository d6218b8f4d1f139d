/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What vec and deque have in common: reading, swapping, walking. Part of their bodies; begin.h is open. Each brings
 * struct {size_t len; struct INNER buf; ...} and SELF(cell)(s, i), the number of the cell that holds element i.
 */
static inline size_t SELF(len)(const struct DRY_SELF *s) { return s->len; }
static inline size_t SELF(cap)(const struct DRY_SELF *s) { return IN(cap)(&s->buf); }
static inline bool SELF(is_empty)(const struct DRY_SELF *s) { return s->len == 0; }

/* The element at i < len: a pointer to it, or (soa) a struct of pointers to its fields; valid until the next change
 * of the collection's length or room. */
static inline SELF(ref) SELF(at)(const struct DRY_SELF *s, size_t i)
{
    DRY_ASSERT(i < s->len);
    return IN(at)(&s->buf, SELF(cell)(s, i));
}

/* The same for any i; false = there is none, *out is untouched. */
static inline bool SELF(get)(const struct DRY_SELF *s, size_t i, SELF(ref) *out)
{
    if (i >= s->len) return false;
    *out = SELF(at)(s, i);
    return true;
}

static inline bool SELF(first)(const struct DRY_SELF *s, SELF(ref) *out) { return SELF(get)(s, 0, out); }
static inline bool SELF(last)(const struct DRY_SELF *s, SELF(ref) *out) { return SELF(get)(s, s->len - 1, out); }

/* Moving an element out of its place and into an empty one; for order.h, equal.h and the functions here. */
static inline SELF(elem) SELF(lift)(const struct DRY_SELF *s, size_t i)
{
    return IN(take)(&s->buf, SELF(cell)(s, i));
}
static inline void SELF(lay)(struct DRY_SELF *s, size_t i, SELF(elem) x) { IN(put)(&s->buf, SELF(cell)(s, i), x); }
static inline void SELF(end)(struct DRY_SELF *s, size_t i) { IN(drop)(&s->buf, SELF(cell)(s, i)); }
static inline SELF(ref) SELF(ref_of)(SELF(elem) *x) { return IN(ref_of)(x); }

/* Replaces the element at i < len; the old one is ended. */
static inline void SELF(set)(struct DRY_SELF *s, size_t i, SELF(elem) x)
{
    DRY_ASSERT(i < s->len);
    SELF(end)(s, i);
    SELF(lay)(s, i, x);
}

static inline void SELF(swap)(struct DRY_SELF *s, size_t i, size_t j)
{
    DRY_ASSERT(i < s->len && j < s->len);
    if (i == j) return;
    SELF(elem) x = SELF(lift)(s, i);
    SELF(lay)(s, i, SELF(lift)(s, j));
    SELF(lay)(s, j, x);
}

static inline void SELF(reverse_range)(struct DRY_SELF *s, size_t from, size_t to)
{
    for (; to - from > 1; from++)
        SELF(swap)(s, from, --to);
}

static inline void SELF(reverse)(struct DRY_SELF *s) { SELF(reverse_range)(s, 0, s->len); }

/* Element `by` <= len becomes the first; those before it go to the end. O(len). */
static inline void SELF(rotate)(struct DRY_SELF *s, size_t by)
{
    DRY_ASSERT(by <= s->len);
    if (by == 0 || by == s->len) return;
    SELF(reverse_range)(s, 0, by);
    SELF(reverse_range)(s, by, s->len);
    SELF(reverse_range)(s, 0, s->len);
}

/* Keeps the elements for which `keep` is true, in their order, and ends the others. */
static inline void SELF(retain)(struct DRY_SELF *s, bool (*keep)(void *context, SELF(ref) x), void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->len; i++) {
        if (!keep(context, SELF(at)(s, i)))
            SELF(end)(s, i);
        else if (kept++ != i)
            SELF(lay)(s, kept - 1, SELF(lift)(s, i));
    }
    s->len = kept;
}

/* ---- walking: from the front with next, from the back with next_back, until the two meet ----
 *     struct u32s_iter it = u32s_iter(&v);
 *     for (uint32_t *x; u32s_next(&it, &x);) ...
 * The collection must not change its length or room meanwhile. */
struct SELF(iter) {
    const struct DRY_SELF *over;
    size_t front, back;
};

static inline struct SELF(iter) SELF(iter)(const struct DRY_SELF *s)
{
    return (struct SELF(iter)){.over = s, .front = 0, .back = s->len};
}

static inline bool SELF(next)(struct SELF(iter) *it, SELF(ref) *out)
{
    return it->front < it->back && SELF(get)(it->over, it->front++, out);
}

static inline bool SELF(next_back)(struct SELF(iter) *it, SELF(ref) *out)
{
    return it->front < it->back && SELF(get)(it->over, --it->back, out);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Capability "addressable": the layer has `B_elem *B_at(b, i)` and gets all that follows from it: put, take, drop,
 * the shifts, span. Where the constant B_contiguous is 0, shifts go element by element and a use of span does not
 * compile. For layer writers; begin.h is open.
 */
static inline void SELF(put)(struct DRY_SELF *b, size_t i, SELF(elem) x) { *SELF(at)(b, i) = x; }
static inline SELF(elem) SELF(take)(const struct DRY_SELF *b, size_t i) { return *SELF(at)(b, i); }
static inline enum dry_status SELF(copy)(const struct DRY_SELF *b, size_t i, SELF(elem) *out)
{
    return SELF(elem_copy)(out, SELF(at)(b, i));
}
static inline void SELF(drop)(struct DRY_SELF *b, size_t i) { SELF(elem_drop)(SELF(at)(b, i)); }

static inline void SELF(drop_range)(struct DRY_SELF *b, size_t from, size_t n)
{
    for (size_t i = from; SELF(drops) && i < from + n; i++)
        SELF(drop)(b, i);
}

/* Cell `from` of n > 0, reached from the last one: that is the one that has to be there. */
static inline SELF(elem) *SELF(cells)(const struct DRY_SELF *b, size_t from, size_t n)
{
    return SELF(at)(b, from + n - 1) - (n - 1);
}

static inline SELF(elem) *SELF(span)(const struct DRY_SELF *b, size_t from, size_t n)
{
    if (!SELF(contiguous)) dry_no_span();
    return n ? SELF(cells)(b, from, n) : NULL;
}

static inline void SELF(shift_right)(struct DRY_SELF *b, size_t from, size_t n, size_t by)
{
    if (n == 0 || by == 0) return;
    if (SELF(contiguous))
        memmove(SELF(cells)(b, from + by, n), SELF(cells)(b, from, n), n * sizeof(SELF(elem)));
    else
        for (size_t i = from + n; i-- > from;)
            SELF(put)(b, i + by, SELF(take)(b, i));
}

static inline void SELF(shift_left)(struct DRY_SELF *b, size_t from, size_t n, size_t by)
{
    if (n == 0 || by == 0) return;
    if (SELF(contiguous))
        memmove(SELF(cells)(b, from - by, n), SELF(cells)(b, from, n), n * sizeof(SELF(elem)));
    else
        for (size_t i = from; i < from + n; i++)
            SELF(put)(b, i - by, SELF(take)(b, i));
}

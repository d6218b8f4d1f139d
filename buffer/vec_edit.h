/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * vec: adding, removing, copying elements. Part of vec.h, where the rules stand.
 */

/* ---- many cells at once: memcpy where they lie side by side ---- */
static inline void SELF(lay_many)(struct DRY_SELF *v, size_t i, const SELF(elem) *from, size_t n)
{
    if (n == 0) return;
    if (IN(contiguous))
        memcpy(IN(span)(&v->buf, i, n), from, n * sizeof *from);
    else
        for (size_t k = 0; k < n; k++)
            IN(put)(&v->buf, i + k, from[k]);
}

static inline void SELF(lift_many)(const struct DRY_SELF *v, size_t i, SELF(elem) *to, size_t n)
{
    if (n == 0) return;
    if (IN(contiguous))
        memcpy(to, IN(span)(&v->buf, i, n), n * sizeof *to);
    else
        for (size_t k = 0; k < n; k++)
            to[k] = IN(take)(&v->buf, i + k);
}

/* From cell i of one vec to the end of another, which has the room. */
static inline void SELF(carry)(struct DRY_SELF *to, const struct DRY_SELF *from, size_t i, size_t n)
{
    if (IN(contiguous) && n)
        memcpy(IN(span)(&to->buf, to->len, n), IN(span)(&from->buf, i, n), n * sizeof(SELF(elem)));
    else
        for (size_t k = 0; k < n; k++)
            IN(put)(&to->buf, to->len + k, IN(take)(&from->buf, i + k));
    to->len += n;
}

/* ---- the end ---- */
static inline enum dry_status DRY_MUST_CHECK SELF(push)(struct DRY_SELF *v, SELF(elem) x)
{
    DRY_TRY(SELF(make_room)(v, 1, false));
    IN(put)(&v->buf, v->len, x);
    v->len++;
    return DRY_OK;
}

/* false: it is empty, *out is untouched. */
static inline bool SELF(pop)(struct DRY_SELF *v, SELF(elem) *out)
{
    if (v->len == 0) return false;
    v->len--;
    *out = IN(take)(&v->buf, v->len);
    return true;
}

/* The n elements of an array move to the end. */
static inline enum dry_status DRY_MUST_CHECK SELF(extend)(struct DRY_SELF *v, const SELF(elem) *from, size_t n)
{
    DRY_TRY(SELF(make_room)(v, n, false));
    SELF(lay_many)(v, v->len, from, n);
    v->len += n;
    return DRY_OK;
}

/* init, then the n elements of an array move in. After a failure v is initialised and empty. */
static inline enum dry_status DRY_MUST_CHECK SELF(from_array)(struct DRY_SELF *v, const SELF(elem) *from, size_t n)
{
    DRY_TRY(SELF(with_capacity)(v, n));
    return SELF(extend)(v, from, n);
}

/* All elements of `other` move to the end; it keeps its room. */
static inline enum dry_status DRY_MUST_CHECK SELF(append)(struct DRY_SELF *v, struct DRY_SELF *other)
{
    DRY_ASSERT(v != other);
    DRY_TRY(SELF(make_room)(v, other->len, false));
    SELF(carry)(v, other, 0, other->len);
    other->len = 0;
    return DRY_OK;
}

/* The elements from `at` <= len on move to the end of `tail`, which is initialised. */
static inline enum dry_status DRY_MUST_CHECK SELF(split_off)(struct DRY_SELF *v, size_t at, struct DRY_SELF *tail)
{
    DRY_ASSERT(at <= v->len && v != tail);
    DRY_TRY(SELF(make_room)(tail, v->len - at, false));
    SELF(carry)(tail, v, at, v->len - at);
    v->len = at;
    return DRY_OK;
}

/* Ends the elements from n on; nothing if there are none. */
static inline void SELF(truncate)(struct DRY_SELF *v, size_t n)
{
    size_t len = v->len;
    if (n >= len) return;
    v->len = n;
    IN(drop_range)(&v->buf, n, len - n);
}

static inline void SELF(clear)(struct DRY_SELF *v) { SELF(truncate)(v, 0); }

/* ---- copies (not for elements with DRY_DROP and no DRY_COPY): all or none ---- */
/* n copies of elements that are `stride` apart: 1 for an array, 0 for n times the same. */
static inline enum dry_status SELF(add_copies)(struct DRY_SELF *v, const SELF(elem) *from, size_t stride, size_t n)
{
    size_t len = v->len;
    DRY_TRY(SELF(make_room)(v, n, false));
    for (size_t k = 0; k < n; k++, v->len++) {
        SELF(elem) copy;
        enum dry_status status = IN(elem_copy)(&copy, from + k * stride);
        if (status == DRY_OK) {
            IN(put)(&v->buf, v->len, copy);
            continue;
        }
        SELF(truncate)(v, len);
        return status;
    }
    return DRY_OK;
}

/* Copies of the n elements of an array at the end. */
static inline enum dry_status DRY_MUST_CHECK SELF(extend_copies)(struct DRY_SELF *v, const SELF(elem) *from, size_t n)
{
    if (IN(copies) == DRY_COPY_BITS) return SELF(extend)(v, from, n);
    return SELF(add_copies)(v, from, 1, n);
}

/* len becomes n: the end is cut off, or copies of x are added; x stays the caller's. */
static inline enum dry_status DRY_MUST_CHECK SELF(resize)(struct DRY_SELF *v, size_t n, SELF(elem) x)
{
    if (n > v->len) return SELF(add_copies)(v, &x, 0, n - v->len);
    SELF(truncate)(v, n);
    return DRY_OK;
}

/* Copies of all elements at the end of `into`, which is initialised (and may have another seed). */
static inline enum dry_status DRY_MUST_CHECK SELF(clone)(const struct DRY_SELF *v, struct DRY_SELF *into)
{
    size_t len = into->len;
    DRY_ASSERT(v != into);
    DRY_TRY(SELF(make_room)(into, v->len, true));
    if (IN(copies) == DRY_COPY_BITS && IN(contiguous)) {
        SELF(carry)(into, v, 0, v->len); /* bits: taking and copying are one */
        return DRY_OK;
    }
    for (size_t i = 0; i < v->len; i++, into->len++) {
        SELF(elem) copy;
        enum dry_status status = IN(copy)(&v->buf, i, &copy);
        if (status == DRY_OK) {
            IN(put)(&into->buf, into->len, copy);
            continue;
        }
        SELF(truncate)(into, len);
        return status;
    }
    return DRY_OK;
}

/* ---- anywhere ---- */
/* The n elements of an array move in before element i <= len. */
static inline enum dry_status DRY_MUST_CHECK SELF(insert_many)(struct DRY_SELF *v, size_t i, const SELF(elem) *from,
                                                               size_t n)
{
    DRY_ASSERT(i <= v->len);
    DRY_TRY(SELF(make_room)(v, n, false));
    IN(shift_right)(&v->buf, i, v->len - i, n);
    SELF(lay_many)(v, i, from, n);
    v->len += n;
    return DRY_OK;
}

static inline enum dry_status DRY_MUST_CHECK SELF(insert)(struct DRY_SELF *v, size_t i, SELF(elem) x)
{
    DRY_ASSERT(i <= v->len);
    DRY_TRY(SELF(make_room)(v, 1, false));
    IN(shift_right)(&v->buf, i, v->len - i, 1);
    IN(put)(&v->buf, i, x);
    v->len++;
    return DRY_OK;
}

static inline SELF(elem) SELF(remove)(struct DRY_SELF *v, size_t i)
{
    DRY_ASSERT(i < v->len);
    SELF(elem) x = IN(take)(&v->buf, i);
    v->len--;
    IN(shift_left)(&v->buf, i + 1, v->len - i, 1);
    return x;
}

/* The last element takes its place. O(1). */
static inline SELF(elem) SELF(swap_remove)(struct DRY_SELF *v, size_t i)
{
    DRY_ASSERT(i < v->len);
    SELF(elem) x = IN(take)(&v->buf, i);
    v->len--;
    if (i != v->len) IN(put)(&v->buf, i, IN(take)(&v->buf, v->len));
    return x;
}

/* n elements from i on move out to an array; those behind close the gap. */
static inline void SELF(drain)(struct DRY_SELF *v, size_t i, size_t n, SELF(elem) *out)
{
    DRY_ASSERT(i <= v->len && n <= v->len - i);
    SELF(lift_many)(v, i, out, n);
    v->len -= n;
    IN(shift_left)(&v->buf, i + n, v->len - i, n);
}

/* Ends n elements from i on; those behind close the gap. */
static inline void SELF(erase)(struct DRY_SELF *v, size_t i, size_t n)
{
    DRY_ASSERT(i <= v->len && n <= v->len - i);
    IN(drop_range)(&v->buf, i, n);
    v->len -= n;
    IN(shift_left)(&v->buf, i + n, v->len - i, n);
}

/* Ends n elements from i on and moves m of an array into their place. */
static inline enum dry_status DRY_MUST_CHECK SELF(splice)(struct DRY_SELF *v, size_t i, size_t n,
                                                          const SELF(elem) *from, size_t m)
{
    DRY_ASSERT(i <= v->len && n <= v->len - i);
    size_t behind = v->len - i - n;
    if (m > n) DRY_TRY(SELF(make_room)(v, m - n, false));
    IN(drop_range)(&v->buf, i, n);
    if (m > n)
        IN(shift_right)(&v->buf, i + n, behind, m - n);
    else
        IN(shift_left)(&v->buf, i + n, behind, n - m);
    SELF(lay_many)(v, i, from, m);
    v->len = i + m + behind;
    return DRY_OK;
}

/* Every element becomes a copy of x, which stays the caller's. Copies that can fail are made behind the old elements
 * first, so that those are still there after a failure; this takes the room for them for a while. */
static inline enum dry_status DRY_MUST_CHECK SELF(fill)(struct DRY_SELF *v, SELF(elem) x)
{
    size_t len = v->len;
    if (IN(copies) != DRY_COPY_BITS) {
        DRY_TRY(SELF(add_copies)(v, &x, 0, len));
        SELF(erase)(v, 0, len);
        return DRY_OK;
    }
    for (size_t i = 0; i < len; i++)
        SELF(set)(v, i, x);
    return DRY_OK;
}

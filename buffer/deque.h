/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * deque: a ring over any buffer: O(1) at both ends, and access by index.
 *
 *        0        head                cap          element i is in cell head + i, or, past the end, in
 *     +--------+--------+-----------+              head + i - cap
 *     | d e    |        | a b c     |
 *     +--------+--------+-----------+
 *
 *     life      init, init_in(seed), with_capacity, from_array, clone, detach, fini, into_raw, from_raw
 *     reading   len, cap, is_empty, at, get, first, last, iter, next, next_back, make_contiguous + span
 *     the ends  push_back, push_front, pop_back, pop_front, extend
 *     all       truncate, clear, retain, set, swap, reverse, rotate
 *     room      reserve, reserve_exact, shrink_to_fit, shrink_to
 *     and order.h, equal.h
 *
 * The rules are those of vec.h. Parameters DRY_NAME and DRY_INNER, or DRY_NAME DRY_ELEM [DRY_DROP DRY_COPY] for the
 * default buffer. Struct: 16 bytes and the buffer. Access: that of the buffer, one compare and one subtraction.
 */
#include "buffer.h"
#ifndef DRY_NESTED
#if defined DRY_ELEM && !defined DRY_INNER && defined DRY_NAME
#define DRY_ROOM DRY_PASTE(DRY_NAME, room)
#include "default.h"
#undef DRY_ELEM
#undef DRY_DROP
#undef DRY_COPY
#define DRY_INNER DRY_PASTE(DRY_NAME, room)
#elif !defined DRY_INNER
#error "DRY_INNER is missing: the buffer below; or DRY_ELEM, for the default buffer"
#endif
#endif
#define DRY_NEEDS DRY_P_INNER
#include "begin.h"

typedef IN(elem) SELF(elem);
typedef IN(ref) SELF(ref);
typedef IN(seed) SELF(seed);
enum { SELF(columns) = IN(columns), SELF(drops) = IN(drops), SELF(copies) = IN(copies) };

struct DRY_SELF {
    size_t len;  /* elements; read it, never write it */
    size_t head; /* cell of the first element; 0 while cap is 0 */
    struct DRY_IN buf;
};

static inline size_t SELF(cell)(const struct DRY_SELF *d, size_t i)
{
    size_t to_the_end = IN(cap)(&d->buf) - d->head;
    return i < to_the_end ? d->head + i : i - to_the_end;
}
#include "sequence.h"

/* How many elements stand in one piece from the first on. */
static inline size_t SELF(unbroken)(const struct DRY_SELF *d)
{
    size_t to_the_end = IN(cap)(&d->buf) - d->head;
    return d->len < to_the_end ? d->len : to_the_end;
}

/* ---- life ---- */
static inline void SELF(init_in)(struct DRY_SELF *d, SELF(seed) seed)
{
    d->len = d->head = 0;
    IN(init)(&d->buf, seed);
}

static inline void SELF(init)(struct DRY_SELF *d)
{
    SELF(seed) seed;
    memset(&seed, 0, sizeof seed);
    SELF(init_in)(d, seed);
}

/* Ends the elements from n on; nothing if there are none. */
static inline void SELF(truncate)(struct DRY_SELF *d, size_t n)
{
    while (d->len > n)
        SELF(end)(d, --d->len);
}

static inline void SELF(clear)(struct DRY_SELF *d)
{
    SELF(truncate)(d, SELF(drops) ? 0 : d->len);
    d->len = d->head = 0;
}

static inline void SELF(fini)(struct DRY_SELF *d)
{
    SELF(clear)(d);
    IN(fini)(&d->buf);
}

/* Moves everything to `out`, which need not be initialised; d is then as init leaves it. */
static inline void SELF(detach)(struct DRY_SELF *d, struct DRY_SELF *out)
{
    *out = *d;
    SELF(init)(d);
}

/* ---- room ---- */
static DRY_OUT_OF_LINE enum dry_status SELF(grow_ring)(struct DRY_SELF *d, size_t more, bool exact)
{
    size_t want, before = IN(cap)(&d->buf), unbroken = SELF(unbroken)(d);
    if (dry_add_overflows(d->len, more, &want)) return DRY_TOO_BIG;
    DRY_TRY(exact ? IN(grow_exact)(&d->buf, want) : IN(grow)(&d->buf, want));
    if (unbroken == d->len) return DRY_OK;
    size_t by = IN(cap)(&d->buf) - before; /* it went round: the first piece moves up to the new end */
    IN(shift_right)(&d->buf, d->head, unbroken, by);
    d->head += by;
    return DRY_OK;
}

#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
static inline enum dry_status SELF(make_room)(struct DRY_SELF *d, size_t more, bool exact)
{
    if (DRY_LIKELY(IN(cap)(&d->buf) - d->len >= more)) return DRY_OK;
    if (sizeof *d > 256) return SELF(grow_ring)(d, more, exact);
    struct DRY_SELF copy = *d; /* as in vec_room.h */
    enum dry_status status = SELF(grow_ring)(&copy, more, exact);
    *d = copy;
    return status;
}
#pragma GCC diagnostic pop

static inline enum dry_status DRY_MUST_CHECK SELF(reserve)(struct DRY_SELF *d, size_t more)
{
    return SELF(make_room)(d, more, false);
}

static inline enum dry_status DRY_MUST_CHECK SELF(reserve_exact)(struct DRY_SELF *d, size_t more)
{
    return SELF(make_room)(d, more, true);
}

/* init and room for n elements at once. After a failure d is initialised and empty. */
static inline enum dry_status DRY_MUST_CHECK SELF(with_capacity)(struct DRY_SELF *d, size_t n)
{
    SELF(init)(d);
    return SELF(reserve_exact)(d, n);
}

/* Moves the elements to the cells from 0 on, in their order. */
static inline void SELF(to_front)(struct DRY_SELF *d)
{
    size_t first = SELF(unbroken)(d), second = d->len - first;
    IN(shift_left)(&d->buf, d->head, first, d->head - second);
    d->head = 0;
    if (second == 0) return;
    SELF(rotate)(d, second); /* the pieces stand side by side now, the second in front */
}

/* Brings the elements into one piece, so that `span` works. O(1) if they are, else O(len). */
static inline void SELF(make_contiguous)(struct DRY_SELF *d)
{
    if (SELF(unbroken)(d) < d->len) SELF(to_front)(d);
}

/* The address of all elements, after make_contiguous (contiguous buffers only); NULL when there are none. */
static inline SELF(elem) *SELF(span)(const struct DRY_SELF *d)
{
    DRY_ASSERT(SELF(unbroken)(d) == d->len);
    return IN(span)(&d->buf, d->head, d->len);
}

/* Gives back room beyond max(len, min). FIXED: this buffer cannot. */
static inline enum dry_status SELF(shrink_to)(struct DRY_SELF *d, size_t min)
{
    size_t want = d->len > min ? d->len : min;
    if (SELF(cap)(d) <= want) return DRY_OK;
    SELF(to_front)(d);
    return IN(shrink)(&d->buf, want);
}

static inline enum dry_status SELF(shrink_to_fit)(struct DRY_SELF *d) { return SELF(shrink_to)(d, 0); }

static inline enum dry_status DRY_MUST_CHECK SELF(into_raw)(struct DRY_SELF *d, struct dry_raw *out)
{
    SELF(to_front)(d);
    DRY_TRY(IN(into_raw)(&d->buf, d->len, out));
    d->len = 0;
    return DRY_OK;
}

static inline enum dry_status DRY_MUST_CHECK SELF(from_raw)(struct DRY_SELF *d, struct dry_raw *raw)
{
    DRY_ASSERT(d->len == 0);
    size_t len = raw->len;
    d->head = 0;
    IN(fini)(&d->buf);
    DRY_TRY(IN(from_raw)(&d->buf, raw));
    d->len = len;
    return DRY_OK;
}

/* ---- the ends ---- */
static inline enum dry_status DRY_MUST_CHECK SELF(push_back)(struct DRY_SELF *d, SELF(elem) x)
{
    DRY_TRY(SELF(make_room)(d, 1, false));
    SELF(lay)(d, d->len, x);
    d->len++;
    return DRY_OK;
}

static inline enum dry_status DRY_MUST_CHECK SELF(push_front)(struct DRY_SELF *d, SELF(elem) x)
{
    DRY_TRY(SELF(make_room)(d, 1, false));
    d->head = (d->head ? d->head : IN(cap)(&d->buf)) - 1;
    d->len++;
    SELF(lay)(d, 0, x);
    return DRY_OK;
}

/* false: it is empty, *out is untouched. */
static inline bool SELF(pop_back)(struct DRY_SELF *d, SELF(elem) *out)
{
    if (d->len == 0) return false;
    *out = SELF(lift)(d, --d->len);
    return true;
}

static inline bool SELF(pop_front)(struct DRY_SELF *d, SELF(elem) *out)
{
    if (d->len == 0) return false;
    *out = SELF(lift)(d, 0);
    d->len--;
    d->head = SELF(cell)(d, 1);
    return true;
}

/* The n elements of an array move to the back. */
static inline enum dry_status DRY_MUST_CHECK SELF(extend)(struct DRY_SELF *d, const SELF(elem) *from, size_t n)
{
    DRY_TRY(SELF(make_room)(d, n, false));
    for (size_t k = 0; k < n; k++)
        SELF(lay)(d, d->len + k, from[k]);
    d->len += n;
    return DRY_OK;
}

static inline enum dry_status DRY_MUST_CHECK SELF(from_array)(struct DRY_SELF *d, const SELF(elem) *from, size_t n)
{
    DRY_TRY(SELF(with_capacity)(d, n));
    return SELF(extend)(d, from, n);
}

/* Copies of all elements at the back of `into`, which is initialised; all or none. */
static inline enum dry_status DRY_MUST_CHECK SELF(clone)(const struct DRY_SELF *d, struct DRY_SELF *into)
{
    size_t len = into->len;
    DRY_ASSERT(d != into);
    DRY_TRY(SELF(make_room)(into, d->len, true));
    for (size_t i = 0; i < d->len; i++, into->len++) {
        SELF(elem) copy;
        enum dry_status status = IN(copy)(&d->buf, SELF(cell)(d, i), &copy);
        if (status == DRY_OK) {
            SELF(lay)(into, into->len, copy);
            continue;
        }
        SELF(truncate)(into, len);
        return status;
    }
    return DRY_OK;
}

#include "end.h"

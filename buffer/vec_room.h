/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * vec: life and room. Part of vec.h, where the rules stand.
 */

/* `seed` is what the buffer begins with: an allocator, an array, a memory ... */
static inline void SELF(init_in)(struct DRY_SELF *v, SELF(seed) seed)
{
    v->len = 0;
    IN(init)(&v->buf, seed);
}

static inline void SELF(init)(struct DRY_SELF *v)
{
    SELF(seed) seed;
    memset(&seed, 0, sizeof seed);
    SELF(init_in)(v, seed);
}

/* Ends the elements, gives the room back; v is then empty and can be used again. */
static inline void SELF(fini)(struct DRY_SELF *v)
{
    size_t len = v->len;
    v->len = 0;
    IN(drop_range)(&v->buf, 0, len);
    IN(fini)(&v->buf);
}

/* Moves everything to `out`, which need not be initialised; v is then as init leaves it. */
static inline void SELF(detach)(struct DRY_SELF *v, struct DRY_SELF *out)
{
    *out = *v;
    SELF(init)(v);
}

/* Out of line, and on a copy of the buffer: so a vec in local variables stays in registers. */
static DRY_OUT_OF_LINE enum dry_status SELF(grow_buffer)(struct DRY_IN *buf, size_t len, size_t more, bool exact)
{
    size_t want;
    if (dry_add_overflows(len, more, &want)) return DRY_TOO_BIG;
    return exact ? IN(grow_exact)(buf, want) : IN(grow)(buf, want);
}

/* Cells that are not filled are copied along, which gcc would warn of. */
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
static inline enum dry_status SELF(make_room)(struct DRY_SELF *v, size_t more, bool exact)
{
    if (DRY_LIKELY(IN(cap)(&v->buf) - v->len >= more)) return DRY_OK;
    if (sizeof(struct DRY_IN) > 256) return SELF(grow_buffer)(&v->buf, v->len, more, exact);
    struct DRY_IN buf = v->buf;
    enum dry_status status = SELF(grow_buffer)(&buf, v->len, more, exact);
    v->buf = buf;
    return status;
}
#pragma GCC diagnostic pop

/* Room for `more` elements beyond len; how much more than that is the buffer's rule. */
static inline enum dry_status DRY_MUST_CHECK SELF(reserve)(struct DRY_SELF *v, size_t more)
{
    return SELF(make_room)(v, more, false);
}

/* The same, without what pow2 or at_least would add. */
static inline enum dry_status DRY_MUST_CHECK SELF(reserve_exact)(struct DRY_SELF *v, size_t more)
{
    return SELF(make_room)(v, more, true);
}

/* Gives back room beyond max(len, min). FIXED: this buffer cannot. */
static inline enum dry_status SELF(shrink_to)(struct DRY_SELF *v, size_t min)
{
    size_t want = v->len > min ? v->len : min;
    return SELF(cap)(v) > want ? IN(shrink)(&v->buf, want) : DRY_OK;
}

static inline enum dry_status SELF(shrink_to_fit)(struct DRY_SELF *v) { return SELF(shrink_to)(v, 0); }

/* init and room for n elements at once. After a failure v is initialised and empty. */
static inline enum dry_status DRY_MUST_CHECK SELF(with_capacity)(struct DRY_SELF *v, size_t n)
{
    SELF(init)(v);
    return SELF(reserve_exact)(v, n);
}

/* Room and elements, as one struct dry_raw a column (NAME_columns of them); v is then empty. NOMEM, UNSUPPORTED
 * (borrowed room): v is as before. */
static inline enum dry_status DRY_MUST_CHECK SELF(into_raw)(struct DRY_SELF *v, struct dry_raw *out)
{
    DRY_TRY(IN(into_raw)(&v->buf, v->len, out));
    v->len = 0;
    return DRY_OK;
}

/* Takes over what into_raw of the same kind of vec gave; `raw` is then empty. v must be empty; its room is given
 * back. INVALID: not of this element or this kind of room; nothing has changed. */
static inline enum dry_status DRY_MUST_CHECK SELF(from_raw)(struct DRY_SELF *v, struct dry_raw *raw)
{
    DRY_ASSERT(v->len == 0);
    size_t len = raw->len;
    IN(fini)(&v->buf);
    DRY_TRY(IN(from_raw)(&v->buf, raw));
    v->len = len;
    return DRY_OK;
}

/* The address of all elements (contiguous buffers only); NULL when there are none. Borrowed, as `at`. */
static inline SELF(elem) *SELF(span)(const struct DRY_SELF *v) { return IN(span)(&v->buf, 0, v->len); }

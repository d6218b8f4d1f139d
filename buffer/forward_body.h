/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The body of forward.h, also behind every pass-through layer: each function of the contract that is not marked as
 * the layer's own (DRY_OWN_GROW ...) calls the inner buffer's; own ones are only declared. The struct must be there:
 * {inner buffer or pointer to it; ...}, reached by IN_OF. begin.h and inherit.h are included.
 */
static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed);
static inline void SELF(fini)(struct DRY_SELF *b);
static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b);
static inline size_t SELF(cap)(const struct DRY_SELF *b);
static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want);
static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want);
static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want);
static inline void SELF(put)(struct DRY_SELF *b, size_t i, SELF(elem) x);
static inline SELF(elem) SELF(take)(const struct DRY_SELF *b, size_t i);
static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i);
static inline enum dry_status SELF(copy)(const struct DRY_SELF *b, size_t i, SELF(elem) *out);
static inline void SELF(drop)(struct DRY_SELF *b, size_t i);
static inline void SELF(drop_range)(struct DRY_SELF *b, size_t from, size_t n);
static inline void SELF(shift_right)(struct DRY_SELF *b, size_t from, size_t n, size_t by);
static inline void SELF(shift_left)(struct DRY_SELF *b, size_t from, size_t n, size_t by);
static inline SELF(elem) *SELF(span)(const struct DRY_SELF *b, size_t from, size_t n);
static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out);
static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw);

#ifndef DRY_OWN_INIT
static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed)
{
#ifdef DRY_STATE
    memset(&b->own, 0, sizeof b->own);
#endif
    IN(init)(IN_OF(b), seed);
}
#endif
#ifndef DRY_OWN_FINI
static inline void SELF(fini)(struct DRY_SELF *b) { IN(fini)(IN_OF(b)); }
#endif
#ifndef DRY_OWN_SEED_OF
static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b) { return IN(seed_of)(IN_OF(b)); }
#endif
#ifndef DRY_OWN_CAP
static inline size_t SELF(cap)(const struct DRY_SELF *b) { return IN(cap)(IN_OF(b)); }
#endif
#ifndef DRY_OWN_GROW
static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want) { return IN(grow)(IN_OF(b), want); }
#endif
#ifndef DRY_OWN_GROW_EXACT
static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want)
{
    return IN(grow_exact)(IN_OF(b), want);
}
#endif
#ifndef DRY_OWN_SHRINK
static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want) { return IN(shrink)(IN_OF(b), want); }
#endif
#ifndef DRY_OWN_PUT
static inline void SELF(put)(struct DRY_SELF *b, size_t i, SELF(elem) x) { IN(put)(IN_OF(b), i, x); }
#endif
#ifndef DRY_OWN_TAKE
static inline SELF(elem) SELF(take)(const struct DRY_SELF *b, size_t i) { return IN(take)(IN_OF(b), i); }
#endif
#ifndef DRY_OWN_AT
static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i) { return IN(at)(IN_OF(b), i); }
#endif
#ifndef DRY_OWN_COPY
static inline enum dry_status SELF(copy)(const struct DRY_SELF *b, size_t i, SELF(elem) *out)
{
    return IN(copy)(IN_OF(b), i, out);
}
#endif
#ifndef DRY_OWN_DROP
static inline void SELF(drop)(struct DRY_SELF *b, size_t i) { IN(drop)(IN_OF(b), i); }
#endif
#ifndef DRY_OWN_DROP_RANGE
static inline void SELF(drop_range)(struct DRY_SELF *b, size_t from, size_t n) { IN(drop_range)(IN_OF(b), from, n); }
#endif
#ifndef DRY_OWN_SHIFT
static inline void SELF(shift_right)(struct DRY_SELF *b, size_t from, size_t n, size_t by)
{
    IN(shift_right)(IN_OF(b), from, n, by);
}
static inline void SELF(shift_left)(struct DRY_SELF *b, size_t from, size_t n, size_t by)
{
    IN(shift_left)(IN_OF(b), from, n, by);
}
#endif
#ifndef DRY_OWN_SPAN
static inline SELF(elem) *SELF(span)(const struct DRY_SELF *b, size_t from, size_t n)
{
    return IN(span)(IN_OF(b), from, n);
}
#endif
#ifndef DRY_OWN_INTO_RAW
static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    return IN(into_raw)(IN_OF(b), len, out);
}
#endif
#ifndef DRY_OWN_FROM_RAW
static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    return IN(from_raw)(IN_OF(b), raw);
}
#endif

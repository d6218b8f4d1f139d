/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a leaf knows of its element: its type, the end of its life, how to copy it (DRY_ELEM, DRY_DROP, DRY_COPY).
 */
typedef DRY_ELEM SELF(elem);
enum { SELF(size) = sizeof(DRY_ELEM) };

#ifdef DRY_DROP
enum { SELF(drops) = 1 };
static inline void SELF(elem_drop)(SELF(elem) *x) { DRY_DROP(x); }
#else
enum { SELF(drops) = 0 };
static inline void SELF(elem_drop)(SELF(elem) *x) { (void)x; }
#endif

#if defined DRY_COPY
enum { SELF(copies) = DRY_COPY_CALL };
static inline enum dry_status SELF(elem_copy)(SELF(elem) *to, const SELF(elem) *x) { return DRY_COPY(to, x); }
#elif defined DRY_DROP
enum { SELF(copies) = DRY_COPY_NONE };
static inline enum dry_status SELF(elem_copy)(SELF(elem) *to, const SELF(elem) *x)
{
    dry_no_copy();
    *to = *x;
    return DRY_OK;
}
#else
enum { SELF(copies) = DRY_COPY_BITS };
static inline enum dry_status SELF(elem_copy)(SELF(elem) *to, const SELF(elem) *x)
{
    *to = *x;
    return DRY_OK;
}
#endif

/* The destructor without its type, for struct dry_raw. */
static inline void SELF(drop_untyped)(void *x) { SELF(elem_drop)((SELF(elem) *)x); }

static inline struct dry_raw SELF(raw)(enum dry_raw_kind kind, void *at, size_t len, size_t cap)
{
    return (struct dry_raw){.kind = kind, .at = at, .len = len, .cap = cap, .elem_size = sizeof(SELF(elem)),
                            .elem_align = _Alignof(SELF(elem)), .drop = SELF(drops) ? SELF(drop_untyped) : NULL};
}

static inline bool SELF(raw_fits)(const struct dry_raw *raw, enum dry_raw_kind kind)
{
    return raw->kind == kind && raw->elem_size == sizeof(SELF(elem)) && raw->elem_align == _Alignof(SELF(elem)) &&
           raw->len <= raw->cap;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * soa: a struct of arrays. The element is a struct, given as a list of its fields; each field lies in a buffer of its
 * own:
 *
 *     #define TRADE_FIELDS(X) X(f64_pow2, price) X(u32_pow2, volume)      // X(buffer of the field, name of the field)
 *     #define DRY_NAME   trade_columns
 *     #define DRY_FIELDS TRADE_FIELDS
 *     #include "buffer/soa.h"
 *
 *     price   | 1.5 | 2.5 | 3.5 |   |        trade_columns_elem   {double price; uint32_t volume;}
 *     volume  | 10  | 20  | 30  |   |        trade_columns_ref    {double *price; uint32_t *volume;}, what `at` gives
 *
 * NAME_span_FIELD(b, from, n) is the address of one field's column, where that field's buffer is contiguous. Growth
 * is all or nothing: every field has the room, or each goes back to what it had. (An allocator that refuses even to
 * shrink leaves a field with more room than it had; cap, that of the smallest field, and the elements are as before.)
 * Composite; parameters DRY_NAME DRY_FIELDS. Seed: a struct of the fields' seeds. Struct: 8 bytes and the fields'
 * buffers. Access: that of the fields; one compare for the capacity, however many fields.
 */
#define DRY_NEEDS DRY_P_FIELDS
#include "begin.h"

#define DRY_EACH(child, field) DRY_PASTE(child, elem) field;
struct SELF(elem) {
    DRY_FIELDS(DRY_EACH)
};
#undef DRY_EACH
typedef struct SELF(elem) SELF(elem);

#define DRY_EACH(child, field) DRY_PASTE(child, ref) field;
struct SELF(ref) {
    DRY_FIELDS(DRY_EACH)
};
#undef DRY_EACH
typedef struct SELF(ref) SELF(ref);

#define DRY_EACH(child, field) DRY_PASTE(child, seed) field;
struct SELF(seed) {
    DRY_FIELDS(DRY_EACH)
};
#undef DRY_EACH
typedef struct SELF(seed) SELF(seed);

#define DRY_EACH(child, field) struct child field;
struct DRY_SELF {
    size_t cap;
    DRY_FIELDS(DRY_EACH)
};
#undef DRY_EACH

#define DRY_COLUMNS(child, field) +DRY_PASTE(child, columns)
#define DRY_DROPS(child, field) || DRY_PASTE(child, drops)
#define DRY_NONE(child, field) || DRY_PASTE(child, copies) == DRY_COPY_NONE
#define DRY_CALL(child, field) || DRY_PASTE(child, copies) == DRY_COPY_CALL
enum {
    SELF(columns) = 0 DRY_FIELDS(DRY_COLUMNS),
    SELF(contiguous) = 0,
    SELF(drops) = 0 DRY_FIELDS(DRY_DROPS),
    SELF(copies) = (0 DRY_FIELDS(DRY_NONE))   ? DRY_COPY_NONE
                   : (0 DRY_FIELDS(DRY_CALL)) ? DRY_COPY_CALL
                                              : DRY_COPY_BITS
};
#undef DRY_COLUMNS
#undef DRY_DROPS
#undef DRY_NONE
#undef DRY_CALL

/* ---- elements ---- */
static inline void SELF(elem_drop)(SELF(elem) *x)
{
#define DRY_EACH(child, field) DRY_PASTE(child, elem_drop)(&x->field);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
}

/* After a copy that failed: ends the fields that were copied before. */
static inline enum dry_status SELF(copied)(SELF(elem) *to, size_t done, enum dry_status status)
{
    size_t undone = 0;
    if (status == DRY_OK) return DRY_OK;
#define DRY_EACH(child, field)                                                                                        \
    if (undone++ < done) DRY_PASTE(child, elem_drop)(&to->field);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
    return status;
}

static inline enum dry_status SELF(elem_copy)(SELF(elem) *to, const SELF(elem) *x)
{
    enum dry_status status = DRY_OK;
    size_t done = 0;
#define DRY_EACH(child, field)                                                                                        \
    if (status == DRY_OK) status = DRY_PASTE(child, elem_copy)(&to->field, &x->field);                                \
    if (status == DRY_OK) done++;
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
    return SELF(copied)(to, done, status);
}

#define DRY_EACH(child, field) .field = DRY_PASTE(child, ref_of)(&x->field),
static inline SELF(ref) SELF(ref_of)(SELF(elem) *x) { return (SELF(ref)){DRY_FIELDS(DRY_EACH)}; }
#undef DRY_EACH

/* ---- room ---- */
static inline void SELF(find_cap)(struct DRY_SELF *b)
{
    b->cap = SIZE_MAX;
#define DRY_EACH(child, field)                                                                                        \
    if (DRY_PASTE(child, cap)(&b->field) < b->cap) b->cap = DRY_PASTE(child, cap)(&b->field);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
}

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed)
{
#define DRY_EACH(child, field) DRY_PASTE(child, init)(&b->field, seed.field);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
    SELF(find_cap)(b);
}

static inline void SELF(fini)(struct DRY_SELF *b)
{
#define DRY_EACH(child, field) DRY_PASTE(child, fini)(&b->field);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
    SELF(find_cap)(b);
}

#define DRY_EACH(child, field) .field = DRY_PASTE(child, seed_of)(&b->field),
static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b) { return (SELF(seed)){DRY_FIELDS(DRY_EACH)}; }
#undef DRY_EACH

static inline size_t SELF(cap)(const struct DRY_SELF *b) { return b->cap; }

/* After a failure, the fields that have grown go back to what they had. */
#define DRY_BEFORE(child, field) size_t field##_before = DRY_PASTE(child, cap)(&b->field);
#define DRY_UNDO(child, field)                                                                                        \
    if (DRY_PASTE(child, cap)(&b->field) > field##_before)                                                            \
        (void)DRY_PASTE(child, shrink)(&b->field, field##_before);
#define DRY_GROW(child, field)                                                                                        \
    if (status == DRY_OK && field##_before < want) status = DRY_PASTE(child, grow)(&b->field, want);
#define DRY_GROW_EXACT(child, field)                                                                                  \
    if (status == DRY_OK && field##_before < want) status = DRY_PASTE(child, grow_exact)(&b->field, want);

static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want)
{
    enum dry_status status = DRY_OK;
    DRY_FIELDS(DRY_BEFORE)
    DRY_FIELDS(DRY_GROW)
    if (status != DRY_OK) { DRY_FIELDS(DRY_UNDO) }
    SELF(find_cap)(b);
    return status;
}

static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want)
{
    enum dry_status status = DRY_OK;
    DRY_FIELDS(DRY_BEFORE)
    DRY_FIELDS(DRY_GROW_EXACT)
    if (status != DRY_OK) { DRY_FIELDS(DRY_UNDO) }
    SELF(find_cap)(b);
    return status;
}
#undef DRY_BEFORE
#undef DRY_UNDO
#undef DRY_GROW
#undef DRY_GROW_EXACT

/* Each field gives back what it can; one that cannot is not an error, it only has more room than the others. */
static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want)
{
#define DRY_EACH(child, field)                                                                                        \
    if (DRY_PASTE(child, cap)(&b->field) > want) (void)DRY_PASTE(child, shrink)(&b->field, want);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
    SELF(find_cap)(b);
    return DRY_OK;
}

/* ---- cells ---- */
#define DRY_EACH(child, field) .field = DRY_PASTE(child, at)(&b->field, i),
static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i) { return (SELF(ref)){DRY_FIELDS(DRY_EACH)}; }
#undef DRY_EACH

#define DRY_EACH(child, field) .field = DRY_PASTE(child, take)(&b->field, i),
static inline SELF(elem) SELF(take)(const struct DRY_SELF *b, size_t i) { return (SELF(elem)){DRY_FIELDS(DRY_EACH)}; }
#undef DRY_EACH

static inline void SELF(put)(struct DRY_SELF *b, size_t i, SELF(elem) x)
{
#define DRY_EACH(child, field) DRY_PASTE(child, put)(&b->field, i, x.field);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
}

static inline enum dry_status SELF(copy)(const struct DRY_SELF *b, size_t i, SELF(elem) *out)
{
    enum dry_status status = DRY_OK;
    size_t done = 0;
#define DRY_EACH(child, field)                                                                                        \
    if (status == DRY_OK) status = DRY_PASTE(child, copy)(&b->field, i, &out->field);                                 \
    if (status == DRY_OK) done++;
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
    return SELF(copied)(out, done, status);
}

static inline void SELF(drop)(struct DRY_SELF *b, size_t i)
{
#define DRY_EACH(child, field) DRY_PASTE(child, drop)(&b->field, i);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
}

static inline void SELF(drop_range)(struct DRY_SELF *b, size_t from, size_t n)
{
#define DRY_EACH(child, field) DRY_PASTE(child, drop_range)(&b->field, from, n);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
}

static inline void SELF(shift_right)(struct DRY_SELF *b, size_t from, size_t n, size_t by)
{
#define DRY_EACH(child, field) DRY_PASTE(child, shift_right)(&b->field, from, n, by);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
}

static inline void SELF(shift_left)(struct DRY_SELF *b, size_t from, size_t n, size_t by)
{
#define DRY_EACH(child, field) DRY_PASTE(child, shift_left)(&b->field, from, n, by);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
}

static inline SELF(elem) *SELF(span)(const struct DRY_SELF *b, size_t from, size_t n)
{
    (void)b, (void)from, (void)n;
    dry_no_span();
    return NULL;
}

#define DRY_EACH(child, field)                                                                                        \
    static inline DRY_PASTE(child, elem) *DRY_PASTE(SELF(span), field)(const struct DRY_SELF *b, size_t from, size_t n)  \
    {                                                                                                                 \
        return DRY_PASTE(child, span)(&b->field, from, n);                                                            \
    }
DRY_FIELDS(DRY_EACH)
#undef DRY_EACH

/* ---- leaving and coming back: a struct dry_raw for each field, in the order of the list ---- */
static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    enum dry_status status = DRY_OK;
    size_t done = 0, undone = 0;
#define DRY_EACH(child, field)                                                                                        \
    if (status == DRY_OK) status = DRY_PASTE(child, into_raw)(&b->field, len, out + done);                            \
    if (status == DRY_OK) done += DRY_PASTE(child, columns);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
#define DRY_EACH(child, field)                                                                                        \
    if (undone < done) (void)DRY_PASTE(child, from_raw)(&b->field, out + undone);                                     \
    undone += DRY_PASTE(child, columns);
    if (status != DRY_OK) { DRY_FIELDS(DRY_EACH) }
#undef DRY_EACH
    (void)undone;
    SELF(find_cap)(b);
    return status;
}

static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    enum dry_status status = DRY_OK;
    size_t len = raw[0].len, done = 0, undone = 0;
#define DRY_EACH(child, field)                                                                                        \
    if (status == DRY_OK) status = raw[done].len == len ? DRY_PASTE(child, from_raw)(&b->field, raw + done) : DRY_INVALID; \
    if (status == DRY_OK) done += DRY_PASTE(child, columns);
    DRY_FIELDS(DRY_EACH)
#undef DRY_EACH
#define DRY_EACH(child, field)                                                                                        \
    if (undone < done) (void)DRY_PASTE(child, into_raw)(&b->field, len, raw + undone);                                \
    undone += DRY_PASTE(child, columns);
    if (status != DRY_OK) { DRY_FIELDS(DRY_EACH) }
#undef DRY_EACH
    (void)undone;
    SELF(find_cap)(b);
    return status;
}

#include "contract.h"
#include "end.h"

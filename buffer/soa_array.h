/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * soa_array: soa for elements that are arrays of one type: DRY_COUNT columns, each in a buffer of its own. The
 * element is NAME_elem {ELEM at[DRY_COUNT];}, `at` gives NAME_ref {ELEM *at[DRY_COUNT];}, NAME_span_column(b, column,
 * from, n) the address of one column.
 * Composite; parameters DRY_NAME DRY_INNER DRY_COUNT. Seed: {at[DRY_COUNT]}, the columns' seeds. Struct: 8 bytes and
 * the columns' buffers. Growth and access as in soa.
 */
#define DRY_NEEDS (DRY_P_INNER | DRY_P_COUNT)
#include "begin.h"
_Static_assert(DRY_N > 0, DRY_WORDS(DRY_SELF) ": soa_array needs at least one column");

typedef struct SELF(elem) {
    IN(elem) at[DRY_N];
} SELF(elem);
typedef struct SELF(ref) {
    IN(ref) at[DRY_N];
} SELF(ref);
typedef struct SELF(seed) {
    IN(seed) at[DRY_N];
} SELF(seed);
struct DRY_SELF {
    size_t cap;
    struct DRY_IN column[DRY_N];
};
enum {
    SELF(columns) = IN(columns) * DRY_N,
    SELF(contiguous) = 0,
    SELF(drops) = IN(drops),
    SELF(copies) = IN(copies)
};

/* ---- elements ---- */
static inline void SELF(elem_drop)(SELF(elem) *x)
{
    for (size_t c = 0; IN(drops) && c < DRY_N; c++)
        IN(elem_drop)(&x->at[c]);
}

/* After a copy that failed: ends the columns that were copied before. */
static inline enum dry_status SELF(copied)(SELF(elem) *to, size_t done, enum dry_status status)
{
    while (status != DRY_OK && done-- > 0)
        IN(elem_drop)(&to->at[done]);
    return status;
}

static inline enum dry_status SELF(elem_copy)(SELF(elem) *to, const SELF(elem) *x)
{
    enum dry_status status = DRY_OK;
    size_t c = 0;
    while (c < DRY_N && (status = IN(elem_copy)(&to->at[c], &x->at[c])) == DRY_OK)
        c++;
    return SELF(copied)(to, c, status);
}

static inline SELF(ref) SELF(ref_of)(SELF(elem) *x)
{
    SELF(ref) ref;
    for (size_t c = 0; c < DRY_N; c++)
        ref.at[c] = IN(ref_of)(&x->at[c]);
    return ref;
}

/* ---- room ---- */
static inline void SELF(find_cap)(struct DRY_SELF *b)
{
    b->cap = SIZE_MAX;
    for (size_t c = 0; c < DRY_N; c++)
        if (IN(cap)(&b->column[c]) < b->cap) b->cap = IN(cap)(&b->column[c]);
}

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed)
{
    for (size_t c = 0; c < DRY_N; c++)
        IN(init)(&b->column[c], seed.at[c]);
    SELF(find_cap)(b);
}

static inline void SELF(fini)(struct DRY_SELF *b)
{
    for (size_t c = 0; c < DRY_N; c++)
        IN(fini)(&b->column[c]);
    SELF(find_cap)(b);
}

static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b)
{
    SELF(seed) seed;
    for (size_t c = 0; c < DRY_N; c++)
        seed.at[c] = IN(seed_of)(&b->column[c]);
    return seed;
}

static inline size_t SELF(cap)(const struct DRY_SELF *b) { return b->cap; }

/* All or nothing: after a failure the columns that have grown go back to what they had. */
static inline enum dry_status SELF(grow_by)(struct DRY_SELF *b, size_t want,
                                            enum dry_status (*grow)(struct DRY_IN *, size_t))
{
    enum dry_status status = DRY_OK;
    size_t before[DRY_N];
    for (size_t c = 0; c < DRY_N; c++)
        before[c] = IN(cap)(&b->column[c]);
    for (size_t c = 0; c < DRY_N && status == DRY_OK; c++)
        if (before[c] < want) status = grow(&b->column[c], want);
    for (size_t c = 0; c < DRY_N && status != DRY_OK; c++)
        if (IN(cap)(&b->column[c]) > before[c]) (void)IN(shrink)(&b->column[c], before[c]);
    SELF(find_cap)(b);
    return status;
}

static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want) { return SELF(grow_by)(b, want, IN(grow)); }
static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want)
{
    return SELF(grow_by)(b, want, IN(grow_exact));
}

/* Each column gives back what it can. */
static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want)
{
    for (size_t c = 0; c < DRY_N; c++)
        if (IN(cap)(&b->column[c]) > want) (void)IN(shrink)(&b->column[c], want);
    SELF(find_cap)(b);
    return DRY_OK;
}

/* ---- cells ---- */
static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i)
{
    SELF(ref) ref;
    for (size_t c = 0; c < DRY_N; c++)
        ref.at[c] = IN(at)(&b->column[c], i);
    return ref;
}

static inline SELF(elem) SELF(take)(const struct DRY_SELF *b, size_t i)
{
    SELF(elem) x;
    for (size_t c = 0; c < DRY_N; c++)
        x.at[c] = IN(take)(&b->column[c], i);
    return x;
}

static inline void SELF(put)(struct DRY_SELF *b, size_t i, SELF(elem) x)
{
    for (size_t c = 0; c < DRY_N; c++)
        IN(put)(&b->column[c], i, x.at[c]);
}

static inline enum dry_status SELF(copy)(const struct DRY_SELF *b, size_t i, SELF(elem) *out)
{
    enum dry_status status = DRY_OK;
    size_t c = 0;
    while (c < DRY_N && (status = IN(copy)(&b->column[c], i, &out->at[c])) == DRY_OK)
        c++;
    return SELF(copied)(out, c, status);
}

static inline void SELF(drop)(struct DRY_SELF *b, size_t i)
{
    for (size_t c = 0; c < DRY_N; c++)
        IN(drop)(&b->column[c], i);
}

static inline void SELF(drop_range)(struct DRY_SELF *b, size_t from, size_t n)
{
    for (size_t c = 0; c < DRY_N; c++)
        IN(drop_range)(&b->column[c], from, n);
}

static inline void SELF(shift_right)(struct DRY_SELF *b, size_t from, size_t n, size_t by)
{
    for (size_t c = 0; c < DRY_N; c++)
        IN(shift_right)(&b->column[c], from, n, by);
}

static inline void SELF(shift_left)(struct DRY_SELF *b, size_t from, size_t n, size_t by)
{
    for (size_t c = 0; c < DRY_N; c++)
        IN(shift_left)(&b->column[c], from, n, by);
}

static inline SELF(elem) *SELF(span)(const struct DRY_SELF *b, size_t from, size_t n)
{
    (void)b, (void)from, (void)n;
    dry_no_span();
    return NULL;
}

static inline IN(elem) *SELF(span_column)(const struct DRY_SELF *b, size_t column, size_t from, size_t n)
{
    DRY_ASSERT(column < DRY_N);
    return IN(span)(&b->column[column], from, n);
}

/* ---- leaving and coming back: the raw parts of each column in turn ---- */
static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    enum dry_status status = DRY_OK;
    size_t c = 0;
    while (c < DRY_N && (status = IN(into_raw)(&b->column[c], len, out + c * IN(columns))) == DRY_OK)
        c++;
    for (; status != DRY_OK && c-- > 0;)
        (void)IN(from_raw)(&b->column[c], out + c * IN(columns));
    SELF(find_cap)(b);
    return status;
}

static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    enum dry_status status = DRY_OK;
    size_t len = raw[0].len, c = 0;
    while (c < DRY_N && status == DRY_OK) {
        struct dry_raw *one = raw + c * IN(columns);
        status = one->len == len ? IN(from_raw)(&b->column[c], one) : DRY_INVALID;
        c += status == DRY_OK;
    }
    for (; status != DRY_OK && c-- > 0;)
        (void)IN(into_raw)(&b->column[c], len, raw + c * IN(columns));
    SELF(find_cap)(b);
    return status;
}

#include "contract.h"
#include "end.h"

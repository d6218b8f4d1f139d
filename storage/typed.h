/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * typed: a view of elements of one type, made by including this.
 *
 *     #define DRY_NAME prices            // struct prices, prices_of, prices_len ...
 *     #define DRY_ELEM double
 *     #include <drystone/storage/typed.h>
 *
 *     struct prices p;
 *     if (prices_of(&bytes, &p) != DRY_OK) ...       // size and alignment of this slice do not fit
 *     for (const double *x = prices_begin(&p); x != prices_end(&p); x++) ...
 *     prices_unref(&p);
 *
 * Everything that a view can, p.bytes can. Costs what the view costs.
 */
#if !defined DRY_NAME || !defined DRY_ELEM
#error "typed.h needs DRY_NAME and DRY_ELEM"
#endif
#include "storage.h"

#define DRY_TYPED_PASTE_(a, b) a##_##b
#define DRY_TYPED_PASTE(a, b) DRY_TYPED_PASTE_(a, b)
#define SELF(name) DRY_TYPED_PASTE(DRY_NAME, name)

typedef DRY_ELEM SELF(elem);
struct DRY_NAME {
    struct dry_view bytes; /* whole, aligned elements */
};

/* One more reference. INVALID: as dry_view_elements (dry_view_align cures what is only misaligned). */
static inline enum dry_status DRY_MUST_CHECK SELF(of)(const struct dry_view *v, struct DRY_NAME *out)
{
    const void *first;
    size_t n;
    if (dry_view_elements(v, sizeof(SELF(elem)), __alignof__(SELF(elem)), &first, &n) != DRY_OK) return DRY_INVALID;
    out->bytes = dry_view_ref(v);
    return DRY_OK;
}

static inline size_t SELF(len)(const struct DRY_NAME *v) { return v->bytes.len / sizeof(SELF(elem)); }
static inline const SELF(elem) *SELF(begin)(const struct DRY_NAME *v)
{
    return (const SELF(elem) *)(const void *)v->bytes.data;
}
static inline const SELF(elem) *SELF(end)(const struct DRY_NAME *v) { return SELF(begin)(v) + SELF(len)(v); }
/* i < len */
static inline SELF(elem) SELF(at)(const struct DRY_NAME *v, size_t i) { return SELF(begin)(v)[i]; }

static inline struct DRY_NAME SELF(ref)(const struct DRY_NAME *v)
{
    struct DRY_NAME more = {dry_view_ref(&v->bytes)};
    return more;
}
static inline void SELF(unref)(struct DRY_NAME *v) { dry_view_unref(&v->bytes); }

/* Elements [from, from + n). INVALID: out of range. */
static inline enum dry_status DRY_MUST_CHECK SELF(slice)(const struct DRY_NAME *v, size_t from, size_t n,
                                                         struct DRY_NAME *out)
{
    if (from > SELF(len)(v) || n > SELF(len)(v) - from) return DRY_INVALID;
    return dry_view_slice(&v->bytes, from * sizeof(SELF(elem)), n * sizeof(SELF(elem)), &out->bytes);
}

#undef SELF
#undef DRY_TYPED_PASTE
#undef DRY_TYPED_PASTE_
#undef DRY_ELEM
#undef DRY_NAME

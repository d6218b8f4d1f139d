/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a composite over one buffer takes over from it unchanged: the element, and what is said of it.
 */
typedef IN(elem) SELF(elem);
typedef IN(ref) SELF(ref);
enum {
    SELF(columns) = IN(columns),
    SELF(contiguous) = IN(contiguous),
    SELF(drops) = IN(drops),
    SELF(copies) = IN(copies)
};

static inline void SELF(elem_drop)(SELF(elem) *x) { IN(elem_drop)(x); }
static inline SELF(ref) SELF(ref_of)(SELF(elem) *x) { return IN(ref_of)(x); }
static inline enum dry_status SELF(elem_copy)(SELF(elem) *to, const SELF(elem) *x)
{
    return IN(elem_copy)(to, x);
}

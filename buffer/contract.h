/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Checks that a finished buffer keeps the contract of buffer.h: each layer includes it at its end. A function that is
 * missing is an undeclared name, a wrong one a failed assertion with its name in the words.
 * Parameters: those of begin.h, which is open.
 */
#define DRY_CHECK_FN(name, ...)                                                                                       \
    _Static_assert(_Generic(&SELF(name), __VA_ARGS__: 1, default: 0),                                                 \
                   "buffer contract: " DRY_WORDS(SELF(name)) " must be " DRY_WORDS((__VA_ARGS__)))

DRY_CHECK_FN(init, void (*)(struct DRY_SELF *, SELF(seed)));
DRY_CHECK_FN(fini, void (*)(struct DRY_SELF *));
DRY_CHECK_FN(seed_of, SELF(seed) (*)(const struct DRY_SELF *));
DRY_CHECK_FN(cap, size_t (*)(const struct DRY_SELF *));
DRY_CHECK_FN(grow, enum dry_status (*)(struct DRY_SELF *, size_t));
DRY_CHECK_FN(grow_exact, enum dry_status (*)(struct DRY_SELF *, size_t));
DRY_CHECK_FN(shrink, enum dry_status (*)(struct DRY_SELF *, size_t));
DRY_CHECK_FN(put, void (*)(struct DRY_SELF *, size_t, SELF(elem)));
DRY_CHECK_FN(take, SELF(elem) (*)(const struct DRY_SELF *, size_t));
DRY_CHECK_FN(at, SELF(ref) (*)(const struct DRY_SELF *, size_t));
DRY_CHECK_FN(copy, enum dry_status (*)(const struct DRY_SELF *, size_t, SELF(elem) *));
DRY_CHECK_FN(drop, void (*)(struct DRY_SELF *, size_t));
DRY_CHECK_FN(drop_range, void (*)(struct DRY_SELF *, size_t, size_t));
DRY_CHECK_FN(shift_right, void (*)(struct DRY_SELF *, size_t, size_t, size_t));
DRY_CHECK_FN(shift_left, void (*)(struct DRY_SELF *, size_t, size_t, size_t));
DRY_CHECK_FN(span, SELF(elem) *(*)(const struct DRY_SELF *, size_t, size_t));
DRY_CHECK_FN(elem_drop, void (*)(SELF(elem) *));
DRY_CHECK_FN(elem_copy, enum dry_status (*)(SELF(elem) *, const SELF(elem) *));
DRY_CHECK_FN(ref_of, SELF(ref) (*)(SELF(elem) *));
DRY_CHECK_FN(into_raw, enum dry_status (*)(struct DRY_SELF *, size_t, struct dry_raw *));
DRY_CHECK_FN(from_raw, enum dry_status (*)(struct DRY_SELF *, struct dry_raw *));
_Static_assert(SELF(columns) >= 0 && SELF(contiguous) >= 0 && SELF(drops) >= 0 && SELF(copies) >= 0,
               "buffer contract: the four constants");
#undef DRY_CHECK_FN

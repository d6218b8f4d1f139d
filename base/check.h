/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Assertions, checked sizes, and the words that make errors. Included by every module, never by users.
 */
#ifndef DRY_CHECK_H
#define DRY_CHECK_H

#include "base.h"

/* DRY_DEBUG: 0 no assertions, 1 those that cost O(1), 2 also whole-structure checks after public calls. */
#ifndef DRY_DEBUG
#define DRY_DEBUG 0
#endif

#if DRY_DEBUG >= 1
#define DRY_ASSERT(cond) ((cond) ? (void)0 : __builtin_trap())
#else
#define DRY_ASSERT(cond) ((void)sizeof(!(cond)))
#endif

/* Returns from the caller when `expr` is not DRY_OK. */
#define DRY_TRY(expr)                                                                                                 \
    do {                                                                                                              \
        enum dry_status try_status_ = (expr);                                                                         \
        if (__builtin_expect(try_status_ != DRY_OK, 0)) return try_status_;                                           \
    } while (0)

/* Fills `err` (if any) and returns `status`, so that one line both says and returns: return dry_fail(...). The second
 * form adds ": " and the text of `sys`. Text that does not fit is cut. */
enum dry_status dry_fail(struct dry_error *err, enum dry_status status, const char *fmt, ...) DRY_PRINTF(3, 4);
enum dry_status dry_fail_sys(struct dry_error *err, enum dry_status status, int sys, const char *fmt, ...)
    DRY_PRINTF(4, 5);
/* dry_fail with the status that an errno of a file call means to a caller: ENOMEM NOMEM, ENOENT NOT_FOUND, EEXIST
 * EXISTS, EACCES/EPERM/EROFS DENIED, ENOSPC/EDQUOT/EFBIG FULL, all else IO. */
enum dry_status dry_fail_errno(struct dry_error *err, int sys, const char *fmt, ...) DRY_PRINTF(3, 4);
/* Puts words in front of a text that is already there: "table 'x': " + what a lower layer said. Returns its status. */
enum dry_status dry_fail_in(struct dry_error *err, enum dry_status status, const char *fmt, ...) DRY_PRINTF(3, 4);

/* true = the result does not fit (and *out is not to be used). */
static inline bool dry_add_overflows(size_t a, size_t b, size_t *out) { return __builtin_add_overflow(a, b, out); }
static inline bool dry_mul_overflows(size_t a, size_t b, size_t *out) { return __builtin_mul_overflow(a, b, out); }
/* Rounds up to a power of two `to`. */
static inline bool dry_round_up_overflows(size_t a, size_t to, size_t *out)
{
    if (__builtin_add_overflow(a, to - 1, out)) return true;
    *out &= ~(to - 1);
    return false;
}

#endif

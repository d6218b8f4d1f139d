/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Capability "contiguous", for a leaf: one column of elements side by side, reached by `B_elem *B_at(b, i)`.
 * For layer writers; begin.h is open, element.h included.
 */
typedef SELF(elem) *SELF(ref);
enum { SELF(columns) = 1, SELF(contiguous) = 1 };
static inline SELF(ref) SELF(ref_of)(SELF(elem) *x) { return x; }
static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i);
#include "addressable.h"

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * vec: a growable array over any buffer. NAME below is your DRY_NAME, ELEM its element; "ends" means DRY_DROP.
 *
 *     life      init, init_in(seed), with_capacity, from_array, clone, detach, fini, into_raw, from_raw
 *     reading   len, cap, is_empty, at, get, first, last, span, iter, next, next_back
 *     the end   push, pop, extend, extend_copies, append, split_off
 *     anywhere  insert, insert_many, remove, swap_remove, drain, erase, splice, set
 *     all       truncate, clear, resize, fill, retain, swap, reverse, rotate
 *     room      reserve, reserve_exact, shrink_to_fit, shrink_to
 *     order.h   sort, sort_stable, is_sorted, search, lower_bound, compare
 *     equal.h   contains, index_of, equals, hash, dedup
 *
 * Rules. Elements that are given move in: the vec ends them, on success; after a failure they are still the caller's.
 * Elements that are handed out are the caller's. A status other than OK is NOMEM, TOO_BIG or FIXED (the room cannot
 * change), or what DRY_COPY said, and the elements are then what they were. Indices out of range are mistakes
 * (DRY_ASSERT). Arrays that are given must not lie inside the vec. Every vec moves by memcpy.
 *
 * Parameters DRY_NAME and DRY_INNER, or DRY_NAME DRY_ELEM [DRY_DROP DRY_COPY] for the default buffer (default.h).
 * Struct: 8 bytes and the buffer.
 */
#include "buffer.h"
#ifndef DRY_NESTED
#if defined DRY_ELEM && !defined DRY_INNER && defined DRY_NAME
#define DRY_ROOM DRY_PASTE(DRY_NAME, room)
#include "default.h"
#undef DRY_ELEM
#undef DRY_DROP
#undef DRY_COPY
#define DRY_INNER DRY_PASTE(DRY_NAME, room)
#elif !defined DRY_INNER
#error "DRY_INNER is missing: the buffer below; or DRY_ELEM, for the default buffer"
#endif
#endif
#define DRY_NEEDS DRY_P_INNER
#include "begin.h"

typedef IN(elem) SELF(elem);
typedef IN(ref) SELF(ref);
typedef IN(seed) SELF(seed);
enum { SELF(columns) = IN(columns), SELF(drops) = IN(drops), SELF(copies) = IN(copies) };

struct DRY_SELF {
    size_t len;        /* elements; read it, never write it */
    struct DRY_IN buf; /* cells [0, len) are filled */
};

static inline size_t SELF(cell)(const struct DRY_SELF *v, size_t i)
{
    (void)v;
    return i;
}
#include "sequence.h"
#include "vec_room.h"
#include "vec_edit.h"
#include "end.h"

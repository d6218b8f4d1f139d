/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * order: what a vec or deque can do when its elements have an order.
 *
 *     static int by_price(const struct trade *a, const struct trade *b) ...   // soa: (trades_ref a, trades_ref b)
 *     #define DRY_NAME    trades           // the collection
 *     #define DRY_COMPARE by_price         // < 0, 0, > 0; scalars need none
 *     #include "buffer/order.h"
 *
 * One order for each collection; for a second one, make a second collection over the same buffer.
 * Sorting: introsort (Musser 1997): quicksort by the median of three, insertion sort for short ranges, heapsort where
 * quicksort degrades, so O(n log n) always. Stable sorting: merge sort with room for half of the elements.
 */
#define DRY_NEEDS 0
#define DRY_MAY DRY_P_COMPARE
#include "begin.h"

enum { SELF(sort_short) = 16 };

#ifdef DRY_COMPARE
static inline int SELF(order)(SELF(ref) a, SELF(ref) b) { return DRY_COMPARE(a, b); }
#else
static inline int SELF(order)(SELF(ref) a, SELF(ref) b) { return (*a > *b) - (*a < *b); }
#endif

static inline bool SELF(is_before)(const struct DRY_SELF *s, size_t i, size_t j)
{
    return SELF(order)(SELF(at)(s, i), SELF(at)(s, j)) < 0;
}

static inline bool SELF(is_sorted)(const struct DRY_SELF *s)
{
    for (size_t i = 1; i < SELF(len)(s); i++)
        if (SELF(is_before)(s, i, i - 1)) return false;
    return true;
}

/* Stable; for short or nearly sorted ranges. */
static inline void SELF(sort_insertion)(struct DRY_SELF *s, size_t from, size_t to)
{
    for (size_t i = from + 1; i < to; i++) {
        if (!SELF(is_before)(s, i, i - 1)) continue;
        SELF(elem) x = SELF(lift)(s, i);
        size_t j = i;
        for (; j > from && SELF(order)(SELF(at)(s, j - 1), SELF(ref_of)(&x)) > 0; j--)
            SELF(lay)(s, j, SELF(lift)(s, j - 1));
        SELF(lay)(s, j, x);
    }
}

static inline void SELF(sift_down)(struct DRY_SELF *s, size_t from, size_t root, size_t n)
{
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && SELF(is_before)(s, from + child, from + child + 1)) child++;
        if (!SELF(is_before)(s, from + root, from + child)) return;
        SELF(swap)(s, from + root, from + child);
    }
}

static inline void SELF(sort_heap)(struct DRY_SELF *s, size_t from, size_t to)
{
    size_t n = to - from;
    for (size_t root = n / 2; root-- > 0;)
        SELF(sift_down)(s, from, root, n);
    for (; n > 1; n--) {
        SELF(swap)(s, from, from + n - 1);
        SELF(sift_down)(s, from, 0, n - 1);
    }
}

/* Puts the median of the first, middle and last element first. */
static inline void SELF(pick_pivot)(struct DRY_SELF *s, size_t from, size_t to)
{
    size_t middle = from + (to - from) / 2, last = to - 1;
    if (SELF(is_before)(s, middle, from)) SELF(swap)(s, middle, from);
    if (SELF(is_before)(s, last, middle)) SELF(swap)(s, last, middle);
    if (SELF(is_before)(s, middle, from)) SELF(swap)(s, middle, from);
    SELF(swap)(s, from, middle);
}

/* Hoare's: afterwards [from, result) <= pivot at result <= (result, to). */
static inline size_t SELF(partition)(struct DRY_SELF *s, size_t from, size_t to)
{
    size_t i = from, j = to;
    for (;;) {
        do
            i++;
        while (i < j && SELF(is_before)(s, i, from));
        do
            j--;
        while (SELF(is_before)(s, from, j));
        if (i >= j) break;
        SELF(swap)(s, i, j);
    }
    SELF(swap)(s, from, j);
    return j;
}

static inline void SELF(sort_range)(struct DRY_SELF *s, size_t from, size_t to, unsigned depth)
{
    while (to - from > SELF(sort_short)) {
        if (depth-- == 0) {
            SELF(sort_heap)(s, from, to);
            return;
        }
        SELF(pick_pivot)(s, from, to);
        size_t middle = SELF(partition)(s, from, to);
        if (middle - from < to - middle) { /* the shorter side by recursion: its depth is bounded */
            SELF(sort_range)(s, from, middle, depth);
            from = middle + 1;
        } else {
            SELF(sort_range)(s, middle + 1, to, depth);
            to = middle;
        }
    }
    SELF(sort_insertion)(s, from, to);
}

/* Equal elements may change places. Allocates nothing. */
static inline void SELF(sort)(struct DRY_SELF *s)
{
    unsigned depth = 2;
    for (size_t n = SELF(len)(s); n > 1; n /= 2)
        depth += 2;
    SELF(sort_range)(s, 0, SELF(len)(s), depth);
}

/* Merges the sorted [from, middle) and [middle, to); `room` is for the elements of the first half. */
static inline void SELF(merge)(struct DRY_SELF *s, size_t from, size_t middle, size_t to, SELF(elem) *room)
{
    size_t n = middle - from, i = 0, j = middle, out = from;
    if (!SELF(is_before)(s, middle, middle - 1)) return;
    for (size_t k = 0; k < n; k++)
        room[k] = SELF(lift)(s, from + k);
    while (i < n && j < to) {
        bool second = SELF(order)(SELF(at)(s, j), SELF(ref_of)(&room[i])) < 0;
        SELF(elem) x = second ? SELF(lift)(s, j++) : room[i++];
        SELF(lay)(s, out++, x);
    }
    while (i < n)
        SELF(lay)(s, out++, room[i++]);
}

static inline void SELF(sort_merge)(struct DRY_SELF *s, size_t from, size_t to, SELF(elem) *room)
{
    if (to - from <= SELF(sort_short)) {
        SELF(sort_insertion)(s, from, to);
        return;
    }
    size_t middle = from + (to - from) / 2;
    SELF(sort_merge)(s, from, middle, room);
    SELF(sort_merge)(s, middle, to, room);
    SELF(merge)(s, from, middle, to, room);
}

/* Equal elements keep their order. NOMEM: nothing has changed. */
static inline enum dry_status DRY_MUST_CHECK SELF(sort_stable)(struct DRY_SELF *s)
{
    SELF(elem) *room = NULL;
    size_t bytes, align = dry_room_align(_Alignof(SELF(elem)));
    if (SELF(len)(s) > SELF(sort_short)) {
        if (dry_room_overflows(SELF(len)(s) / 2, sizeof *room, &bytes)) return DRY_TOO_BIG;
        room = (SELF(elem) *)dry_block_new(bytes, align, 0);
        if (!room) return DRY_NOMEM;
    }
    SELF(sort_merge)(s, 0, SELF(len)(s), room);
    dry_block_free(room, align, 0);
    return DRY_OK;
}

/* The first position whose element is not before `key` (len if there is none); the collection is sorted. */
static inline size_t SELF(lower_bound)(const struct DRY_SELF *s, SELF(elem) key)
{
    size_t from = 0, to = SELF(len)(s);
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (SELF(order)(SELF(at)(s, middle), SELF(ref_of)(&key)) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Whether `key` is in the sorted collection; *at, if asked for, is the first place, or where it would belong. */
static inline bool SELF(search)(const struct DRY_SELF *s, SELF(elem) key, size_t *at)
{
    size_t i = SELF(lower_bound)(s, key);
    if (at) *at = i;
    return i < SELF(len)(s) && SELF(order)(SELF(at)(s, i), SELF(ref_of)(&key)) == 0;
}

/* Element by element, as words in a dictionary: < 0, 0, > 0. */
static inline int SELF(compare)(const struct DRY_SELF *a, const struct DRY_SELF *b)
{
    size_t na = SELF(len)(a), nb = SELF(len)(b), n = na < nb ? na : nb;
    for (size_t i = 0; i < n; i++) {
        int order = SELF(order)(SELF(at)(a, i), SELF(at)(b, i));
        if (order != 0) return order;
    }
    return (na > nb) - (na < nb);
}

#include "end.h"

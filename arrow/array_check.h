/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/array_*.c and arrow/verify*.c: what import, decode and verify have in common. How many bytes each
 * buffer needs, whether children are long enough, where offsets begin and end, and the words for what is wrong.
 */
#ifndef DRY_ARROW_ARRAY_CHECK_H
#define DRY_ARROW_ARRAY_CHECK_H

#include "array.h"

#include <string.h>

/* Who looks at an array, and in which words it refuses. */
struct dry_judge {
    const struct dry_schema *schema;
    const char *where;   /* the message, e.g. "batch 3"; NULL: there is none to name */
    enum dry_status bad; /* INVALID for arrays that a program made, CORRUPT for bytes */
    struct dry_error *err;
};

/* Returns j->bad, with the text "where, column 'a' (int32), row 7: " + fmt; row DRY_NO_ROW: not said. */
enum { DRY_NO_ROW = -1 };
enum dry_status dry_refuse(const struct dry_judge *j, const struct dry_field *f, int64_t row, const char *fmt, ...)
    DRY_PRINTF(4, 5);
enum dry_status dry_refuse_no_memory(const struct dry_judge *j);

/* How many buffers a layout has, without the variadic ones of VIEW. */
int dry_layout_buffers(enum dry_layout layout);
/* The layouts with 64-bit offsets, among those with offsets. */
static inline bool dry_layout_is_wide(enum dry_layout layout)
{
    return layout == DRY_LAYOUT_BYTES64 || layout == DRY_LAYOUT_LIST64;
}
/* Bytes that buffer `which` must have for n elements (0 for the bytes of BYTES: only its offsets know). No elements
 * need no bytes, an offsets buffer neither. True: more than an int64 can count. */
bool dry_buffer_bytes_overflow(const struct dry_field *f, int which, int64_t n, int64_t *bytes);

static inline int64_t dry_offset_at(const uint8_t *offsets, bool wide, int64_t i)
{
    int64_t far;
    int32_t near;
    if (wide) {
        memcpy(&far, offsets + i * 8, sizeof far);
        return far;
    }
    memcpy(&near, offsets + i * 4, sizeof near);
    return near;
}
/* Whether element i (its offset not counted) is null by the bitmap. */
static inline bool dry_is_null(const struct dry_array *a, int64_t i)
{
    return a->buffers[0].data && !dry_bit(a->buffers[0].data, a->offset + i);
}

/* The children of a struct or fixed-size list have as many elements as their parent needs. Looks at no data. */
enum dry_status dry_judge_lengths(const struct dry_judge *j, const struct dry_array *a) DRY_MUST_CHECK;
/* The first and the last offset of an array with offsets are in order, and not behind `limit`. 0 and 0 for no
 * elements. */
enum dry_status dry_judge_ends(const struct dry_judge *j, const struct dry_array *a, int64_t limit, int64_t *first,
                               int64_t *last) DRY_MUST_CHECK;

/* ---- verify_text.c, for verify.c ---- */
/* Rows [from, from + n) of a utf8 column whose offsets are known to be in order and in range. */
enum dry_status dry_verify_text(const struct dry_judge *j, const struct dry_array *a, int64_t from,
                                int64_t n) DRY_MUST_CHECK;
enum dry_status dry_verify_views(const struct dry_judge *j, const struct dry_array *a) DRY_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * bitmap: bits over a view, least significant first, as Arrow lays out validity and booleans. storage.h brings it.
 *
 *     bytes.data ->   |. . . 3 4 5 6 7|8 9 ...           offset 3, bit 0 of the bitmap is bit 3 of the first byte
 *
 * A bitmap is a value of 48 bytes that holds one reference, as a view does. It remembers how many of its bits are unset
 * once somebody has asked (for a column: its null count), and a slice takes that along if it costs little.
 * All that is O(bits) works a word at a time, at any offset.
 *
 * Threads: as a view. count_unset remembers: one thread at a time, until it is known; then it only reads.
 */
#ifndef DRY_BITMAP_H
#define DRY_BITMAP_H

#include "storage.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DRY_BITS_UNKNOWN SIZE_MAX

struct dry_bitmap {
    struct dry_view bytes; /* exactly those that have a bit of it */
    size_t offset;         /* bits to skip in the first byte, 0 to 7 */
    size_t len;            /* bits */
    size_t unset;          /* how many are 0, or DRY_BITS_UNKNOWN */
};

/* n bits of one value. NOMEM, TOO_BIG. */
DRY_API enum dry_status dry_bitmap_new(size_t n, bool value, const struct dry_allocator *a, struct dry_bitmap *out)
    DRY_MUST_CHECK;
/* Bits [offset, offset + n) of a view; one more reference. INVALID: it has not so many. */
DRY_API enum dry_status dry_bitmap_from_view(const struct dry_view *v, size_t offset, size_t n, struct dry_bitmap *out)
    DRY_MUST_CHECK;
/* From and to one bool a bit; the count is then known. */
DRY_API enum dry_status dry_bitmap_from_bools(const bool *bools, size_t n, const struct dry_allocator *a,
                                              struct dry_bitmap *out) DRY_MUST_CHECK;
DRY_API void dry_bitmap_to_bools(const struct dry_bitmap *b, bool *bools);

static inline struct dry_bitmap dry_bitmap_ref(const struct dry_bitmap *b)
{
    if (b->bytes.storage) dry_storage_ref(b->bytes.storage);
    return *b;
}

/* b is then empty. */
static inline void dry_bitmap_unref(struct dry_bitmap *b)
{
    dry_view_unref(&b->bytes);
    b->offset = b->len = b->unset = 0;
}

/* i < len */
static inline bool dry_bitmap_get(const struct dry_bitmap *b, size_t i)
{
    size_t at = b->offset + i;
    return b->bytes.data[at >> 3] >> (at & 7) & 1;
}

/* Bits [from, from + n), one more reference; or with b's own. Known counts carry over: all or none stay all or none; if
 * at most a fifth (or 32 bits) is cut off, the ends are counted; else the slice's is unknown. INVALID: out of range. */
DRY_API enum dry_status dry_bitmap_slice(const struct dry_bitmap *b, size_t from, size_t n, struct dry_bitmap *out)
    DRY_MUST_CHECK;
DRY_API enum dry_status dry_bitmap_narrow(struct dry_bitmap *b, size_t from, size_t n) DRY_MUST_CHECK;
DRY_API enum dry_status dry_bitmap_split_at(const struct dry_bitmap *b, size_t at, struct dry_bitmap *left,
                                            struct dry_bitmap *right) DRY_MUST_CHECK;

/* How many are 0; counts at most once. */
DRY_API size_t dry_bitmap_count_unset(struct dry_bitmap *b);
static inline size_t dry_bitmap_count_set(struct dry_bitmap *b) { return b->len - dry_bitmap_count_unset(b); }

/* The same length and bits. */
DRY_API bool dry_bitmap_equals(const struct dry_bitmap *a, const struct dry_bitmap *b);
/* New bitmaps, with offset 0. INVALID: lengths differ. NOMEM. */
DRY_API enum dry_status dry_bitmap_and(const struct dry_bitmap *x, const struct dry_bitmap *y,
                                       const struct dry_allocator *a, struct dry_bitmap *out) DRY_MUST_CHECK;
DRY_API enum dry_status dry_bitmap_or(const struct dry_bitmap *x, const struct dry_bitmap *y,
                                      const struct dry_allocator *a, struct dry_bitmap *out) DRY_MUST_CHECK;
DRY_API enum dry_status dry_bitmap_xor(const struct dry_bitmap *x, const struct dry_bitmap *y,
                                       const struct dry_allocator *a, struct dry_bitmap *out) DRY_MUST_CHECK;
DRY_API enum dry_status dry_bitmap_not(const struct dry_bitmap *x, const struct dry_allocator *a,
                                       struct dry_bitmap *out) DRY_MUST_CHECK;

/* ---- changing ----------------------------------------------------------------------------------------------------- */

/* Copy on write: *bytes is b->bytes, writable; bit i of b is bit b->offset + i of it. The copy, if there is one, has
 * offset 0. The count is then unknown. Bits outside of b belong to others: leave them. NOMEM: nothing has changed. */
DRY_API enum dry_status dry_bitmap_make_mut(struct dry_bitmap *b, const struct dry_allocator *a, uint8_t **bytes)
    DRY_MUST_CHECK;
/* Sets one (copy on write too); a known count stays known. i < len. */
DRY_API enum dry_status dry_bitmap_set(struct dry_bitmap *b, size_t i, bool value, const struct dry_allocator *a)
    DRY_MUST_CHECK;
/* Gives the room out as that of a vec of bytes: bit i of b is bit i there, whatever the offset was, and the rest of the
 * last byte is 0. b is then empty. SHARED, UNSUPPORTED, INVALID: as dry_view_try_detach; nothing has changed. */
DRY_API enum dry_status dry_bitmap_try_detach(struct dry_bitmap *b, struct dry_raw *out) DRY_MUST_CHECK;

/* ---- iterating ------------------------------------------------------------------------------------------------------
 *     struct dry_bits it = dry_bits_of(&b);
 *     for (size_t i; dry_bits_next(&it, &i);) ...                      // every set bit, in order
 *     for (size_t from = 0, n; dry_bitmap_next_run(&b, &from, &n); from += n) ...   // every run of set bits
 */
struct dry_bits {
    const struct dry_bitmap *bitmap; /* borrowed */
    uint64_t word;                   /* those still to come of bits [at - 64, at) */
    size_t at;
};

/* Bits [from, from + 64) of b, those behind its end 0. from < len. */
DRY_API uint64_t dry_bitmap_word(const struct dry_bitmap *b, size_t from);

static inline struct dry_bits dry_bits_of(const struct dry_bitmap *b)
{
    struct dry_bits it = {b, 0, 0};
    return it;
}

/* False: there are no more. */
static inline bool dry_bits_next(struct dry_bits *it, size_t *i)
{
    while (it->word == 0) {
        if (it->at >= it->bitmap->len) return false;
        it->word = dry_bitmap_word(it->bitmap, it->at);
        it->at += 64;
    }
    *i = it->at - 64 + (size_t)__builtin_ctzll(it->word);
    it->word &= it->word - 1;
    return true;
}

/* The first run of set bits at or after *from: *from is where it begins, *n how long it is. False: there is none. */
DRY_API bool dry_bitmap_next_run(const struct dry_bitmap *b, size_t *from, size_t *n);

#ifdef __cplusplus
}
#endif
#endif

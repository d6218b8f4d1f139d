/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "bitmap.h"
#include "../base/check.h"
#include "../base/memory.h"
#include "../base/bits.h"

static size_t bytes_for(size_t bits) { return bits / 8 + (bits % 8 != 0); }

/* ---- making one ---- */

/* Room for n bits: *bytes is to be filled up to the last byte. */
static enum dry_status new_bits(size_t n, const struct dry_allocator *a, struct dry_bitmap *out, uint8_t **bytes)
{
    struct dry_storage *s;
    DRY_TRY(dry_storage_new(bytes_for(n), a, &s));
    *out = (struct dry_bitmap){.bytes = dry_view_adopt(s), .len = n, .unset = DRY_BITS_UNKNOWN};
    *bytes = dry_storage_try_mut(s); /* NULL only for no bits */
    return DRY_OK;
}

enum dry_status dry_bitmap_new(size_t n, bool value, const struct dry_allocator *a, struct dry_bitmap *out)
{
    struct dry_bitmap b;
    uint8_t *bytes;
    if (value) {
        DRY_TRY(new_bits(n, a, &b, &bytes));
        if (n > 0) memset(bytes, 0xff, bytes_for(n));
        if (n % 8) bytes[n / 8] = (uint8_t)low_bits(n % 8);
    } else {
        struct dry_storage *s;
        DRY_TRY(dry_storage_zeroed(bytes_for(n), a, &s));
        b = (struct dry_bitmap){.bytes = dry_view_adopt(s), .len = n};
    }
    b.unset = value ? 0 : n;
    *out = b;
    return DRY_OK;
}

enum dry_status dry_bitmap_from_view(const struct dry_view *v, size_t offset, size_t n, struct dry_bitmap *out)
{
    size_t end;
    if (dry_add_overflows(offset, n, &end) || bytes_for(end) > v->len) return DRY_INVALID;
    struct dry_bitmap b = {.offset = offset % 8, .len = n, .unset = DRY_BITS_UNKNOWN};
    DRY_TRY(dry_view_slice(v, offset / 8, bytes_for(b.offset + n), &b.bytes));
    *out = b;
    return DRY_OK;
}

enum dry_status dry_bitmap_from_bools(const bool *bools, size_t n, const struct dry_allocator *a,
                                      struct dry_bitmap *out)
{
    struct dry_bitmap b;
    uint8_t *bytes;
    DRY_TRY(new_bits(n, a, &b, &bytes));
    b.unset = n;
    for (size_t from = 0; from < n; from += 64) {
        uint64_t word = 0;
        size_t here = n - from < 64 ? n - from : 64;
        for (size_t i = 0; i < here; i++) word |= (uint64_t)bools[from + i] << i;
        store_bytes(bytes + from / 8, word, bytes_for(here));
        b.unset -= (size_t)__builtin_popcountll(word);
    }
    *out = b;
    return DRY_OK;
}

uint64_t dry_bitmap_word(const struct dry_bitmap *b, size_t from)
{
    size_t at = b->offset + from, left = b->len - from;
    const uint8_t *p = b->bytes.data + at / 8;
    return left >= 64 ? load_word(p, at % 8) : load_tail(p, at % 8, left);
}

void dry_bitmap_to_bools(const struct dry_bitmap *b, bool *bools)
{
    for (size_t from = 0; from < b->len; from += 64) {
        uint64_t word = dry_bitmap_word(b, from);
        size_t here = b->len - from < 64 ? b->len - from : 64;
        for (size_t i = 0; i < here; i++) bools[from + i] = word >> i & 1;
    }
}

/* ---- counting and slicing ---- */
static size_t count_unset_in(const struct dry_bitmap *b, size_t from, size_t n)
{
    return n > 0 ? n - dry_bits_ones(b->bytes.data, b->offset + from, n) : 0;
}

size_t dry_bitmap_count_unset(struct dry_bitmap *b)
{
    if (b->unset == DRY_BITS_UNKNOWN) b->unset = count_unset_in(b, 0, b->len);
    return b->unset;
}

/* What is known of [from, from + n) from what is known of all. */
static size_t unset_of_slice(const struct dry_bitmap *b, size_t from, size_t n)
{
    size_t cut = b->len - n, little = b->len / 5 > 32 ? b->len / 5 : 32;
    if (b->unset == DRY_BITS_UNKNOWN || cut == 0) return b->unset;
    if (b->unset == 0) return 0;
    if (b->unset == b->len) return n;
    if (cut > little) return DRY_BITS_UNKNOWN;
    return b->unset - count_unset_in(b, 0, from) - count_unset_in(b, from + n, cut - from);
}

enum dry_status dry_bitmap_narrow(struct dry_bitmap *b, size_t from, size_t n)
{
    if (from > b->len || n > b->len - from) return DRY_INVALID;
    size_t unset = unset_of_slice(b, from, n), at = b->offset + from;
    DRY_TRY(dry_view_narrow(&b->bytes, at / 8, bytes_for(at % 8 + n))); /* cannot fail: it was in range */
    b->offset = at % 8;
    b->len = n;
    b->unset = unset;
    return DRY_OK;
}

enum dry_status dry_bitmap_slice(const struct dry_bitmap *b, size_t from, size_t n, struct dry_bitmap *out)
{
    struct dry_bitmap part = *b;
    DRY_TRY(dry_bitmap_narrow(&part, from, n));
    *out = dry_bitmap_ref(&part);
    return DRY_OK;
}

enum dry_status dry_bitmap_split_at(const struct dry_bitmap *b, size_t at, struct dry_bitmap *left,
                                    struct dry_bitmap *right)
{
    struct dry_bitmap head = *b, tail = *b;
    if (at > b->len) return DRY_INVALID;
    DRY_TRY(dry_bitmap_narrow(&head, 0, at));
    DRY_TRY(dry_bitmap_narrow(&tail, at, b->len - at));
    if (b->unset != DRY_BITS_UNKNOWN) { /* one half known is both known */
        if (tail.unset == DRY_BITS_UNKNOWN && head.unset != DRY_BITS_UNKNOWN) tail.unset = b->unset - head.unset;
        if (head.unset == DRY_BITS_UNKNOWN && tail.unset != DRY_BITS_UNKNOWN) head.unset = b->unset - tail.unset;
    }
    *left = dry_bitmap_ref(&head);
    *right = dry_bitmap_ref(&tail);
    return DRY_OK;
}

/* ---- two bitmaps ---- */
bool dry_bitmap_equals(const struct dry_bitmap *a, const struct dry_bitmap *b)
{
    if (a->len != b->len) return false;
    for (size_t from = 0; from < a->len; from += 64)
        if (dry_bitmap_word(a, from) != dry_bitmap_word(b, from)) return false;
    return true;
}

static enum dry_status combine(enum dry_bit_op op, const struct dry_bitmap *x, const struct dry_bitmap *y,
                               const struct dry_allocator *a, struct dry_bitmap *out)
{
    struct dry_bitmap b;
    uint8_t *bytes;
    if (x->len != y->len) return DRY_INVALID;
    DRY_TRY(new_bits(x->len, a, &b, &bytes));
    if (x->len > 0)
        dry_bits_combine(op, x->bytes.data, (unsigned)x->offset, y->bytes.data, (unsigned)y->offset, x->len, bytes);
    if (op == DRY_BITS_NOT && x->unset != DRY_BITS_UNKNOWN) b.unset = x->len - x->unset;
    *out = b;
    return DRY_OK;
}

enum dry_status dry_bitmap_and(const struct dry_bitmap *x, const struct dry_bitmap *y, const struct dry_allocator *a,
                               struct dry_bitmap *out)
{
    return combine(DRY_BITS_AND, x, y, a, out);
}

enum dry_status dry_bitmap_or(const struct dry_bitmap *x, const struct dry_bitmap *y, const struct dry_allocator *a,
                              struct dry_bitmap *out)
{
    return combine(DRY_BITS_OR, x, y, a, out);
}

enum dry_status dry_bitmap_xor(const struct dry_bitmap *x, const struct dry_bitmap *y, const struct dry_allocator *a,
                               struct dry_bitmap *out)
{
    return combine(DRY_BITS_XOR, x, y, a, out);
}

enum dry_status dry_bitmap_not(const struct dry_bitmap *x, const struct dry_allocator *a, struct dry_bitmap *out)
{
    return combine(DRY_BITS_NOT, x, x, a, out);
}

/* ---- changing ---- */
enum dry_status dry_bitmap_make_mut(struct dry_bitmap *b, const struct dry_allocator *a, uint8_t **bytes)
{
    struct dry_bitmap copy;
    uint8_t *own = dry_view_try_mut(&b->bytes);
    if (!own && b->len > 0) {
        DRY_TRY(new_bits(b->len, a, &copy, &own));
        dry_bits_move(own, b->bytes.data, (unsigned)b->offset, b->len);
        dry_view_unref(&b->bytes);
        *b = copy;
    }
    b->unset = DRY_BITS_UNKNOWN;
    *bytes = own;
    return DRY_OK;
}

enum dry_status dry_bitmap_set(struct dry_bitmap *b, size_t i, bool value, const struct dry_allocator *a)
{
    size_t unset = b->unset;
    uint8_t *bytes;
    DRY_ASSERT(i < b->len);
    const bool before = dry_bitmap_get(b, i);
    if (before == value) return DRY_OK;
    DRY_TRY(dry_bitmap_make_mut(b, a, &bytes));
    size_t at = b->offset + i;
    bytes[at / 8] = (uint8_t)(bytes[at / 8] ^ 1u << at % 8);
    if (unset != DRY_BITS_UNKNOWN) b->unset = value ? unset - 1 : unset + 1;
    return DRY_OK;
}

enum dry_status dry_bitmap_try_detach(struct dry_bitmap *b, struct dry_raw *out)
{
    const struct dry_bitmap was = *b;
    struct dry_raw raw;
    DRY_TRY(dry_view_try_detach(&b->bytes, 1, 1, &raw));
    *b = (struct dry_bitmap){0};
    if (was.len > 0) dry_bits_move(raw.at, raw.at, (unsigned)was.offset, was.len);
    raw.len = bytes_for(was.len);
    *out = raw;
    return DRY_OK;
}

/* ---- runs ---- */

/* The first bit of that value at or after `from`; len: there is none. */
static size_t find(const struct dry_bitmap *b, size_t from, bool value)
{
    for (; from < b->len; from += 64) {
        uint64_t word = dry_bitmap_word(b, from) ^ (value ? 0 : ~(uint64_t)0);
        size_t at = from + (word ? (size_t)__builtin_ctzll(word) : 64);
        if (word) return at < b->len ? at : b->len;
    }
    return b->len;
}

bool dry_bitmap_next_run(const struct dry_bitmap *b, size_t *from, size_t *n)
{
    size_t first = find(b, *from, true);
    if (first >= b->len) return false;
    *n = find(b, first, false) - first;
    *from = first;
    return true;
}

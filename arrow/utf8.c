/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * UTF-8, sixteen bytes at once, by the compiler's vectors (the baseline of each processor suffices, so there is one
 * path for all of them).
 *
 * Each byte is judged by itself and the three before it. It must continue a character exactly if one of those is a
 * lead byte that reaches this far; some lead bytes never occur; and four narrow what may follow at once:
 *
 *     E0 A0..BF (shorter forms exist below)   ED 80..9F (surrogates above)
 *     F0 90..BF (shorter forms exist below)   F4 80..8F (above U+10FFFF)
 *
 * Text that begins or ends is text with zeros around it: a character that is cut off by the end misses its next byte
 * there. The table of well-formed bytes is in the Unicode standard, table 3-7.
 */
#include "array.h"

#include <string.h>

typedef uint8_t lanes __attribute__((vector_size(16)));
typedef int8_t signed_lanes __attribute__((vector_size(16)));

enum { LANES = 16, BLOCK = 64, BEFORE = 16 /* room for the three bytes before, kept aligned */ };

static inline lanes load(const uint8_t *p)
{
    lanes v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t any(lanes v)
{
    uint64_t halves[2];
    memcpy(halves, &v, sizeof halves);
    return halves[0] | halves[1];
}

static inline bool is_ascii(const uint8_t *p)
{
    return !(any(load(p) | load(p + LANES) | load(p + 2 * LANES) | load(p + 3 * LANES)) & 0x8080808080808080u);
}

/* Not zero where a byte cannot stand. Reads three bytes before p. What a byte that had to continue a character is
 * compared with without its sign may be compared with it: it is negative, or a fault already. */
static inline lanes faults(const uint8_t *p)
{
    lanes b = load(p), b1 = load(p - 1), b2 = load(p - 2), b3 = load(p - 3);
    signed_lanes s = (signed_lanes)b;
    lanes continues = (lanes)(s < (int8_t)0xc0);
    lanes must = (lanes)(b1 >= 0xc0) | (lanes)(b2 >= 0xe0) | (lanes)(b3 >= 0xf0);
    lanes never = (lanes)((b & 0xfe) == 0xc0) | (lanes)(b >= 0xf5);
    lanes from_90 = (lanes)(s >= (int8_t)0x90), from_a0 = (lanes)(s >= (int8_t)0xa0);
    /* below A0 it is E0 that must not stand before, from A0 on ED; and so on */
    lanes narrowed = (lanes)(b1 == (0xe0 | (from_a0 & 0x0d))) | (lanes)(b1 == (0xf0 | (from_90 & 0x04)));
    return (continues ^ must) | never | narrowed;
}

static inline bool is_faulty(const uint8_t *p)
{
    return any(faults(p) | faults(p + LANES) | faults(p + 2 * LANES) | faults(p + 3 * LANES)) != 0;
}

/* Puts n <= 64 bytes, what stands before them and zeros behind them where is_faulty can read without leaving the
 * text. */
static const uint8_t *with_edges(uint8_t room[BEFORE + BLOCK], const uint8_t *bytes, size_t at, size_t n)
{
    memset(room, 0, BEFORE + BLOCK);
    if (at) memcpy(room, bytes + at - BEFORE, BEFORE);
    if (n) memcpy(room + BEFORE, bytes + at, n);
    return room + BEFORE;
}

static bool is_short_ascii(const uint8_t *bytes, size_t n)
{
    uint64_t word, sum = 0;
    size_t i = 0;
    for (; i + sizeof word <= n; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        sum |= word;
    }
    for (; i < n; i++)
        sum |= (uint64_t)bytes[i];
    return !(sum & 0x8080808080808080u);
}

enum dry_text dry_text_kind(const uint8_t *bytes, size_t n)
{
    uint8_t room[BEFORE + BLOCK];
    bool open = false; /* the block before was not ASCII: a character may reach into this one */
    enum dry_text kind = DRY_TEXT_ASCII;
    size_t at = 0;
    if (n == 0) return kind; /* there may be no pointer either */
    for (; n - at >= BLOCK; at += BLOCK) {
        bool ascii = is_ascii(bytes + at);
        if (ascii && !open) continue;
        if (is_faulty(at ? bytes + at : with_edges(room, bytes, at, BLOCK))) return DRY_TEXT_BROKEN;
        open = !ascii;
        kind = DRY_TEXT_UTF8;
    }
    if (!open && is_short_ascii(bytes + at, n - at)) return kind;
    return is_faulty(with_edges(room, bytes, at, n - at)) ? DRY_TEXT_BROKEN : DRY_TEXT_UTF8;
}

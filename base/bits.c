/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The loops are compiled for the baseline and, on x86-64, for AVX2 too; the machine at hand decides. The count adds the
 * bits of pairs, fours and bytes in parallel (Warren, Hacker's Delight, 5-1).
 */
#include "bits.h"

#include <stdbool.h>

#define INLINE static inline __attribute__((always_inline))
typedef uint64_t lanes __attribute__((vector_size(32)));
enum { LANES = sizeof(lanes) / sizeof(uint64_t) };

#ifdef __x86_64__
#define WIDE __attribute__((target("avx2")))
static bool is_wide(void) { return __builtin_cpu_supports("avx2"); }
#else
#define WIDE
static bool is_wide(void) { return false; }
#endif

/* ---- counting ---- */
#define PAIRS 0x5555555555555555u
#define FOURS 0x3333333333333333u
#define BYTES 0x0f0f0f0f0f0f0f0fu
enum { ROUNDS = 31 }; /* a byte counts at most 8 a round, and must not pass 255 */

INLINE size_t sum_of_bytes(uint64_t x)
{
    x = (x & 0x00ff00ff00ff00ffu) + (x >> 8 & 0x00ff00ff00ff00ffu);
    return (size_t)(x * 0x0001000100010001u >> 48);
}

INLINE size_t ones_of_word(uint64_t x)
{
    x -= x >> 1 & PAIRS;
    x = (x & FOURS) + (x >> 2 & FOURS);
    return sum_of_bytes((x + (x >> 4)) & BYTES);
}

/* Of n whole vectors. */
INLINE size_t ones_of_lanes(const uint8_t *p, size_t n)
{
    size_t ones = 0;
    while (n > 0) {
        size_t rounds = n < ROUNDS ? n : ROUNDS;
        lanes sum = {0}, x;
        for (size_t i = 0; i < rounds; i++, p += sizeof x) {
            memcpy(&x, p, sizeof x);
            x -= x >> 1 & PAIRS;
            x = (x & FOURS) + (x >> 2 & FOURS);
            sum += (x + (x >> 4)) & BYTES;
        }
        for (int i = 0; i < LANES; i++) ones += sum_of_bytes(sum[i]);
        n -= rounds;
    }
    return ones;
}

static size_t ones_baseline(const uint8_t *p, size_t n) { return ones_of_lanes(p, n); }
WIDE static size_t ones_wide(const uint8_t *p, size_t n) { return ones_of_lanes(p, n); }

size_t dry_bits_ones(const uint8_t *p, size_t offset, size_t n)
{
    size_t ones = 0;
    p += offset / 8;
    unsigned shift = offset % 8;
    if (shift > 0) {
        size_t first = n < 8 - shift ? n : 8 - shift;
        ones = ones_of_word(load_tail(p, shift, first));
        n -= first;
        p++;
    }
    size_t wide = n / (8 * sizeof(lanes));
    ones += is_wide() ? ones_wide(p, wide) : ones_baseline(p, wide);
    p += wide * sizeof(lanes);
    n -= wide * 8 * sizeof(lanes);
    for (; n >= 64; n -= 64, p += 8) ones += ones_of_word(load_bytes(p, 8));
    return n > 0 ? ones + ones_of_word(load_tail(p, 0, n)) : ones;
}

/* ---- combining ---- */
INLINE uint64_t apply(enum dry_bit_op op, uint64_t x, uint64_t y)
{
    switch (op) {
    case DRY_BITS_AND: return x & y;
    case DRY_BITS_OR: return x | y;
    case DRY_BITS_XOR: return x ^ y;
    case DRY_BITS_NOT: break;
    }
    return ~x;
}

struct operand {
    const uint8_t *p;
    unsigned shift; /* 0 to 7 */
};

/* A vector's worth of bits. Unless the shift is 0 for sure, each lane takes its upper bits from the word behind it, so
 * that 8 bytes more are read. */
INLINE void load_lanes(struct operand x, size_t at, bool shifted, lanes *out)
{
    lanes behind;
    memcpy(out, x.p + at, sizeof *out);
    if (!shifted) return;
    memcpy(&behind, x.p + at + 8, sizeof behind);
    *out = *out >> x.shift | behind << 1 << (63 - x.shift);
}

INLINE void combine_lanes(enum dry_bit_op op, struct operand x, struct operand y, bool shifted, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n * sizeof(lanes); i += sizeof(lanes)) {
        lanes a, b;
        load_lanes(x, i, shifted, &a);
        load_lanes(y, i, shifted, &b);
        a = op == DRY_BITS_AND ? a & b : op == DRY_BITS_OR ? a | b : op == DRY_BITS_XOR ? a ^ b : ~a;
        memcpy(out + i, &a, sizeof a);
    }
}

/* One loop an operation. */
INLINE void combine_op(enum dry_bit_op op, struct operand x, struct operand y, bool shifted, size_t n, uint8_t *out)
{
    switch (op) {
    case DRY_BITS_AND: combine_lanes(DRY_BITS_AND, x, y, shifted, n, out); break;
    case DRY_BITS_OR: combine_lanes(DRY_BITS_OR, x, y, shifted, n, out); break;
    case DRY_BITS_XOR: combine_lanes(DRY_BITS_XOR, x, y, shifted, n, out); break;
    case DRY_BITS_NOT: combine_lanes(DRY_BITS_NOT, x, y, shifted, n, out); break;
    }
}

INLINE void combine_any(enum dry_bit_op op, struct operand x, struct operand y, size_t n, uint8_t *out)
{
    if (x.shift == 0 && y.shift == 0)
        combine_op(op, x, y, false, n, out);
    else
        combine_op(op, x, y, true, n, out);
}

static void combine_baseline(enum dry_bit_op op, struct operand x, struct operand y, size_t n, uint8_t *out)
{
    combine_any(op, x, y, n, out);
}

WIDE static void combine_wide(enum dry_bit_op op, struct operand x, struct operand y, size_t n, uint8_t *out)
{
    combine_any(op, x, y, n, out);
}

void dry_bits_combine(enum dry_bit_op op, const uint8_t *x, unsigned x_shift, const uint8_t *y, unsigned y_shift,
                      size_t n, uint8_t *out)
{
    const size_t lane_bits = 8 * sizeof(lanes);
    if (op == DRY_BITS_NOT) {
        y = x;
        y_shift = x_shift;
    }
    size_t wide = x_shift || y_shift ? (n > 64 ? (n - 64) / lane_bits : 0) : n / lane_bits;
    (is_wide() ? combine_wide : combine_baseline)(op, (struct operand){x, x_shift}, (struct operand){y, y_shift}, wide,
                                                  out);
    size_t done = wide * sizeof(lanes);
    n -= wide * lane_bits;
    for (; n >= 64; n -= 64, done += 8)
        store_bytes(out + done, apply(op, load_word(x + done, x_shift), load_word(y + done, y_shift)), 8);
    if (n == 0) return;
    uint64_t tail = apply(op, load_tail(x + done, x_shift, n), load_tail(y + done, y_shift, n)) & low_bits(n);
    store_bytes(out + done, tail, (n + 7) / 8);
}

void dry_bits_move(uint8_t *to, const uint8_t *from, unsigned shift, size_t n)
{
    for (; n >= 64; n -= 64, to += 8, from += 8) store_bytes(to, load_word(from, shift), 8);
    if (n > 0) store_bytes(to, load_tail(from, shift, n), (n + 7) / 8);
}

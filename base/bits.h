/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Runs of bits in memory, a word at a time: bit i is bit i % 8 of byte i / 8. No byte is touched that has no bit of the
 * run. Included by modules, never by users.
 */
#ifndef DRY_BITS_H
#define DRY_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t low_bits(size_t n) { return n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0; }

static inline uint64_t load_bytes(const uint8_t *p, size_t n)
{
    uint64_t x = 0;
    memcpy(&x, p, n);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

static inline void store_bytes(uint8_t *p, uint64_t x, size_t n)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    memcpy(p, &x, n);
}

/* The 64 bits from `shift` (0 to 7) of p on; reads 8 bytes, and a ninth if shift > 0. */
static inline uint64_t load_word(const uint8_t *p, unsigned shift)
{
    uint64_t x = load_bytes(p, 8) >> shift;
    return shift ? x | (uint64_t)p[8] << (64 - shift) : x;
}

/* The n < 64 bits from `shift` of p on, zeros above. */
static inline uint64_t load_tail(const uint8_t *p, unsigned shift, size_t n)
{
    size_t bytes = (shift + n + 7) / 8;
    uint64_t x = load_bytes(p, bytes < 8 ? bytes : 8) >> shift;
    if (bytes > 8) x |= (uint64_t)p[8] << (64 - shift);
    return x & low_bits(n);
}

/* How many of n bits are set. */
size_t dry_bits_ones(const uint8_t *p, size_t offset, size_t n);

enum dry_bit_op { DRY_BITS_AND, DRY_BITS_OR, DRY_BITS_XOR, DRY_BITS_NOT };
/* out[0, n) = x op y, each from its own bit of its first byte on; NOT has no y. The rest of the last byte is 0. */
void dry_bits_combine(enum dry_bit_op op, const uint8_t *x, unsigned x_shift, const uint8_t *y, unsigned y_shift,
                      size_t n, uint8_t *out);
/* Moves n bits down to bit 0 of `to`, which may begin at or before `from`. The rest of the last byte is 0. */
void dry_bits_move(uint8_t *to, const uint8_t *from, unsigned shift, size_t n);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "array.h"

#include <string.h>

/* Sixteen bytes at once, by the compiler's vectors: the baseline of x86-64 has no instruction that counts bits, and
 * this is as fast as the one that later ones have. */
typedef uint64_t lanes __attribute__((vector_size(16)));

#define PAIRS 0x5555555555555555u
#define FOURS 0x3333333333333333u
#define BYTES 0x0f0f0f0f0f0f0f0fu
enum { ROUNDS = 31 }; /* a byte counts at most 8 a round, and must not pass 255 */

/* The sum of eight bytes that each count something. */
static int64_t sum_of_bytes(uint64_t x)
{
    x = (x & 0x00ff00ff00ff00ffu) + (x >> 8 & 0x00ff00ff00ff00ffu);
    return (int64_t)(x * 0x0001000100010001u >> 48);
}

static int64_t count_word(uint64_t x)
{
    x -= x >> 1 & PAIRS;
    x = (x & FOURS) + (x >> 2 & FOURS);
    return sum_of_bytes((x + (x >> 4)) & BYTES);
}

static int64_t count_lanes(const uint8_t *p, int rounds)
{
    lanes sum = {0, 0};
    for (int i = 0; i < rounds; i++) {
        lanes x;
        memcpy(&x, p + i * (int)sizeof x, sizeof x);
        x -= x >> 1 & PAIRS;
        x = (x & FOURS) + (x >> 2 & FOURS);
        sum += (x + (x >> 4)) & BYTES;
    }
    return sum_of_bytes(sum[0]) + sum_of_bytes(sum[1]);
}

static int64_t count_bytes(const uint8_t *p, int64_t n)
{
    int64_t count = 0;
    while (n >= (int64_t)sizeof(lanes)) {
        int64_t rounds = n / (int64_t)sizeof(lanes);
        if (rounds > ROUNDS) rounds = ROUNDS;
        count += count_lanes(p, (int)rounds);
        p += rounds * (int64_t)sizeof(lanes);
        n -= rounds * (int64_t)sizeof(lanes);
    }
    while (n > 0) {
        uint64_t word = 0;
        size_t part = n < 8 ? (size_t)n : 8;
        memcpy(&word, p, part);
        count += count_word(word);
        p += part;
        n -= (int64_t)part;
    }
    return count;
}

int64_t dry_bits_count(const uint8_t *bits, int64_t offset, int64_t n)
{
    int64_t count = 0;
    if (n <= 0) return 0;
    for (; n && offset % 8; offset++, n--)
        count += dry_bit(bits, offset);
    bits += offset / 8;
    count += count_bytes(bits, n / 8);
    for (int64_t i = n / 8 * 8; i < n; i++)
        count += dry_bit(bits, i);
    return count;
}

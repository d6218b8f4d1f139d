/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * XXH64, written from its specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md, version 0.2.0): four lanes eat
 * 32 bytes a round, are merged, and the rest follows by eights, a four and ones. Little-endian reads.
 */
#include "storage.h"

#include <string.h>

#define P1 0x9E3779B185EBCA87u
#define P2 0xC2B2AE3D27D4EB4Fu
#define P3 0x165667B19E3779F9u
#define P4 0x85EBCA77C2B2AE63u
#define P5 0x27D4EB2F165667C5u

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static uint64_t read_8(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

static uint32_t read_4(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t step(uint64_t lane, uint64_t input) { return rotate(lane + input * P2, 31) * P1; }

static uint64_t merge(uint64_t hash, uint64_t lane) { return (hash ^ step(0, lane)) * P1 + P4; }

/* The whole rounds, merged. */
static uint64_t stripes(const uint8_t **p, const uint8_t *end, uint64_t seed)
{
    uint64_t a = seed + P1 + P2, b = seed + P2, c = seed, d = seed - P1;
    for (; end - *p >= 32; *p += 32) {
        a = step(a, read_8(*p));
        b = step(b, read_8(*p + 8));
        c = step(c, read_8(*p + 16));
        d = step(d, read_8(*p + 24));
    }
    uint64_t hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    return merge(merge(merge(merge(hash, a), b), c), d);
}

uint64_t dry_view_hash(const struct dry_view *v, uint64_t seed)
{
    static const uint8_t none;
    const uint8_t *p = v->len > 0 ? v->data : &none, *end = p + v->len;
    uint64_t hash = v->len >= 32 ? stripes(&p, end, seed) : seed + P5;
    hash += v->len;
    for (; end - p >= 8; p += 8) hash = rotate(hash ^ step(0, read_8(p)), 27) * P1 + P4;
    if (end - p >= 4) {
        hash = rotate(hash ^ read_4(p) * P1, 23) * P2 + P3;
        p += 4;
    }
    for (; p < end; p++) hash = rotate(hash ^ *p * P5, 11) * P1;
    hash = (hash ^ hash >> 33) * P2;
    hash = (hash ^ hash >> 29) * P3;
    return hash ^ hash >> 32;
}

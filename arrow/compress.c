/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "compress.h"
#include "../base/check.h"

#include <string.h>
#ifdef DRY_HAVE_LZ4
#include <lz4frame.h>
#endif
#ifdef DRY_HAVE_ZSTD
#include <zstd.h>
#endif

enum { RATIO_MAX = 4096, LENGTH_BYTES = 8 };
#define FLOOR_BYTES ((uint64_t)64 << 20)

/* Fills exactly `n` bytes; false when the input is damaged or gives another length. */
static bool unpack_lz4(const uint8_t *from, size_t size, uint8_t *into, size_t n)
{
#ifdef DRY_HAVE_LZ4
    LZ4F_dctx *context;
    size_t done = 0, used = 0, hint = 1;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) return false;
    while (hint && used < size) {
        size_t made = n - done, taken = size - used;
        hint = LZ4F_decompress(context, into + done, &made, from + used, &taken, NULL);
        if (LZ4F_isError(hint) || (made == 0 && taken == 0)) break;
        done += made;
        used += taken;
    }
    LZ4F_freeDecompressionContext(context);
    return hint == 0 && done == n;
#else
    (void)from, (void)size, (void)into, (void)n;
    return false;
#endif
}

static bool unpack_zstd(const uint8_t *from, size_t size, uint8_t *into, size_t n)
{
#ifdef DRY_HAVE_ZSTD
    size_t made = ZSTD_decompress(into, n, from, size);
    return !ZSTD_isError(made) && made == n;
#else
    (void)from, (void)size, (void)into, (void)n;
    return false;
#endif
}

static const char *missing(enum dry_codec codec)
{
#ifndef DRY_HAVE_LZ4
    if (codec == DRY_CODEC_LZ4) return "LZ4";
#endif
#ifndef DRY_HAVE_ZSTD
    if (codec == DRY_CODEC_ZSTD) return "ZSTD";
#endif
    (void)codec;
    return NULL;
}

/* The length that a place claims for its contents, and where the packed bytes are; false when it cannot be. */
static bool claim(const struct dry_place *p, const uint8_t *body, int64_t body_bytes, int64_t *length, bool *packed)
{
    *packed = false;
    *length = 0;
    if (p->length == 0) return true;
    if (p->offset < 0 || p->length < LENGTH_BYTES || p->offset > body_bytes || p->length > body_bytes - p->offset)
        return false;
    memcpy(length, body + p->offset, LENGTH_BYTES);
    *packed = *length != -1;
    if (!*packed) *length = p->length - LENGTH_BYTES;
    return *length >= 0;
}

static enum dry_status measure(const struct dry_message *m, const uint8_t *body, const char *where, uint64_t *total,
                               struct dry_error *err)
{
    uint64_t limit = (uint64_t)m->body_bytes * RATIO_MAX, sum = 0;
    if (m->body_bytes > INT64_MAX / RATIO_MAX || limit < FLOOR_BYTES)
        limit = m->body_bytes > INT64_MAX / RATIO_MAX ? INT64_MAX : FLOOR_BYTES;
    for (int64_t i = 0; i < m->n_places; i++) {
        int64_t length;
        bool packed;
        if (!claim(m->places + i, body, m->body_bytes, &length, &packed))
            return dry_fail(err, DRY_CORRUPT, "%s: buffer %lld lies outside of the body or claims a negative length",
                            where, (long long)i);
        if ((uint64_t)length > limit - sum)
            return dry_fail(err, DRY_CORRUPT, "%s: %lld compressed bytes claim to hold more than %llu", where,
                            (long long)m->body_bytes, (unsigned long long)limit);
        sum += ((uint64_t)length + DRY_ALIGN - 1) & ~(uint64_t)(DRY_ALIGN - 1);
        if (sum > limit) sum = limit;
    }
    *total = sum;
    return DRY_OK;
}

enum dry_status dry_body_decompress(struct dry_message *m, const uint8_t *body, const char *where,
                                    const struct dry_allocator *a, struct dry_storage **out, struct dry_error *err)
{
    const char *library = missing(m->codec);
    uint64_t total = 0;
    struct dry_storage *s;
    if (library)
        return dry_fail(err, DRY_UNSUPPORTED, "%s: compressed with %s, which this build of drystone was made without",
                        where, library);
    DRY_TRY(measure(m, body, where, &total, err));
    if (dry_storage_new((size_t)total + (size_t)m->n_places * DRY_ALIGN + 1, a, &s) != DRY_OK)
        return dry_fail(err, DRY_NOMEM, "%s: no memory for %llu bytes of decompressed data", where,
                        (unsigned long long)total);
    uint8_t *base = dry_storage_try_mut(s);
    int64_t at = 0;
    for (int64_t i = 0; i < m->n_places; i++) {
        struct dry_place *p = m->places + i;
        const uint8_t *from = body + p->offset + LENGTH_BYTES;
        size_t size = p->length ? (size_t)p->length - LENGTH_BYTES : 0;
        int64_t length;
        bool packed, good = claim(p, body, m->body_bytes, &length, &packed);
        if (good && packed && length)
            good = m->codec == DRY_CODEC_LZ4 ? unpack_lz4(from, size, base + at, (size_t)length)
                                             : unpack_zstd(from, size, base + at, (size_t)length);
        else if (good && length)
            memcpy(base + at, from, (size_t)length);
        if (!good) {
            dry_storage_unref(s);
            return dry_fail(err, DRY_CORRUPT, "%s: buffer %lld does not decompress to what it claims", where,
                            (long long)i);
        }
        *p = (struct dry_place){at, length};
        at += (length + DRY_ALIGN - 1) & ~(int64_t)(DRY_ALIGN - 1);
    }
    m->codec = DRY_CODEC_NONE;
    m->body_bytes = at;
    *out = s;
    return DRY_OK;
}

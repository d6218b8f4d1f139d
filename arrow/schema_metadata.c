/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Custom metadata: pairs of texts. Inside drystone they are what the C data interface has, one blob (int32 count,
 * then int32 length and bytes of key, value, key, ...); in IPC they are a vector of KeyValue tables. Keys may repeat,
 * values may be any bytes; order is kept.
 */
#include "fbs.h"
#include "schema_build.h"
#include "../base/check.h"

#include <string.h>

enum { LEN_BYTES = sizeof(int32_t), PAIR_BYTES = 2 * LEN_BYTES };

static const char *text_at(const char *at, int32_t *len)
{
    memcpy(len, at, sizeof *len);
    return at + LEN_BYTES;
}

size_t dry_metadata_bytes(const char *metadata)
{
    int32_t pairs, len;
    if (!metadata) return 0;
    const char *at = text_at(metadata, &pairs);
    for (int64_t i = 0; i < 2 * (int64_t)pairs; i++) {
        at = text_at(at, &len);
        at += len;
    }
    return (size_t)(at - metadata);
}

void dry_metadata_write(const char *metadata, struct dry_flat_writer *w, uint32_t from)
{
    int32_t pairs, len;
    const char *at = text_at(metadata, &pairs);
    uint32_t refs = dry_flat_put_refs(w, from, (size_t)pairs);
    for (int32_t i = 0; i < pairs && w->status == DRY_OK; i++) {
        struct dry_flat_slot pair[] = {dry_flat_ref(FBS_KEY_VALUE_KEY), dry_flat_ref(FBS_KEY_VALUE_VALUE)};
        dry_flat_put_table(w, refs + 4 * (uint32_t)i, pair, 2);
        for (int k = 0; k < 2; k++) {
            at = text_at(at, &len);
            dry_flat_put_text(w, pair[k].at, at, (size_t)len);
            at += len;
        }
    }
}

struct pair {
    struct dry_flat_text text[2];
};

static struct pair read_pair(struct dry_flat *r, const struct dry_flat_vector *v, uint32_t i)
{
    struct dry_flat_table t = dry_flat_element(r, v, i);
    return (struct pair){{dry_flat_text(r, &t, FBS_KEY_VALUE_KEY), dry_flat_text(r, &t, FBS_KEY_VALUE_VALUE)}};
}

/* Length of the blob, 0 after a fault. */
static size_t measure(struct dry_flat *r, const struct dry_flat_vector *v, uint64_t *budget)
{
    uint64_t n = LEN_BYTES;
    for (uint32_t i = 0; i < v->count && !r->fault; i++) {
        struct pair p = read_pair(r, v, i);
        n += PAIR_BYTES + (uint64_t)p.text[0].len + p.text[1].len;
        if (n > *budget) dry_flat_broken(r, v->at, "custom metadata repeats the same bytes again and again");
    }
    if (r->fault) return 0;
    *budget -= n;
    return n;
}

static char *put_text(char *at, const struct dry_flat_text *text)
{
    int32_t len = (int32_t)text->len;
    memcpy(at, &len, sizeof len);
    if (len) memcpy(at + LEN_BYTES, text->bytes, text->len);
    return at + LEN_BYTES + text->len;
}

enum dry_status dry_metadata_read(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot, uint64_t *budget,
                                  struct dry_arena *arena, const char **out)
{
    struct dry_flat_vector v = dry_flat_vector(r, t, slot, 4);
    size_t n = v.count ? measure(r, &v, budget) : 0;
    if (n == 0) return DRY_OK;
    char *blob = dry_arena_take(arena, n), *at = blob;
    if (!blob) return DRY_NOMEM;
    int32_t pairs = (int32_t)v.count;
    memcpy(at, &pairs, sizeof pairs);
    at += LEN_BYTES;
    for (uint32_t i = 0; i < v.count; i++) {
        struct pair p = read_pair(r, &v, i);
        at = put_text(put_text(at, &p.text[0]), &p.text[1]);
    }
    *out = blob;
    return DRY_OK;
}

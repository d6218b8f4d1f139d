/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "flat.h"
#include "../base/check.h"

enum { REF_BYTES = 4, VTABLE_HEAD = 4 };

static inline uint32_t load_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint16_t load_u16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

uint32_t dry_flat_broken(struct dry_flat *r, uint32_t at, const char *fault)
{
    if (!r->fault) {
        r->fault = fault;
        r->fault_at = at;
    }
    return 0;
}

enum dry_status dry_flat_fail(const struct dry_flat *r, struct dry_error *err)
{
    return dry_fail(err, DRY_CORRUPT, "the metadata is damaged: %s (byte %u of %u)", r->fault, r->fault_at, r->n);
}

struct dry_flat_table dry_flat_table_at(struct dry_flat *r, uint32_t at)
{
    struct dry_flat_table none = {0};
    if (at == 0) return none;
    if (r->n < REF_BYTES || at > r->n - REF_BYTES)
        return dry_flat_broken(r, at, "a table begins outside"), none;
    int64_t vtable = (int64_t)at - (int32_t)load_u32(r->bytes + at);
    if (vtable < 0 || vtable > (int64_t)r->n - VTABLE_HEAD)
        return dry_flat_broken(r, at, "a table's vtable lies outside"), none;
    uint32_t slots_at = (uint32_t)vtable + VTABLE_HEAD;
    uint32_t vtable_bytes = load_u16(r->bytes + vtable), size = load_u16(r->bytes + vtable + 2);
    if (vtable_bytes < VTABLE_HEAD || vtable_bytes > r->n - (uint32_t)vtable)
        return dry_flat_broken(r, (uint32_t)vtable, "a vtable has an impossible length"), none;
    if (size < REF_BYTES || size > r->n - at)
        return dry_flat_broken(r, at, "a table has an impossible length"), none;
    return (struct dry_flat_table){at, size, slots_at, (vtable_bytes - VTABLE_HEAD) / 2};
}

/* Where the reference at `at` leads. `at` is inside and so are the REF_BYTES behind what it leads to: a table and a
 * vector both begin with so many. */
static uint32_t follow(struct dry_flat *r, uint32_t at)
{
    uint32_t step = load_u32(r->bytes + at), room = r->n - REF_BYTES;
    if (step == 0 || at > room || step > room - at) return dry_flat_broken(r, at, "a reference leads outside");
    return at + step;
}

struct dry_flat_table dry_flat_root(struct dry_flat *r)
{
    struct dry_flat_table none = {0};
    if (r->n > DRY_METADATA_MAX) return dry_flat_broken(r, 0, "it is larger than 1 GiB"), none;
    if (r->n < REF_BYTES) return dry_flat_broken(r, 0, "it is too short"), none;
    return dry_flat_table_at(r, follow(r, 0));
}

static uint32_t follow_slot(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot)
{
    uint32_t at = dry_flat_find(r, t, slot, REF_BYTES);
    return at ? follow(r, at) : 0;
}

struct dry_flat_table dry_flat_table(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot)
{
    return dry_flat_table_at(r, follow_slot(r, t, slot));
}

struct dry_flat_vector dry_flat_vector(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot,
                                       uint32_t element_bytes)
{
    struct dry_flat_vector none = {0};
    uint32_t at = follow_slot(r, t, slot);
    if (!at) return none;
    uint32_t count = load_u32(r->bytes + at), first = at + REF_BYTES;
    if ((uint64_t)count * element_bytes > r->n - first)
        return dry_flat_broken(r, at, "a vector is longer than what is left"), none;
    return (struct dry_flat_vector){first, count};
}

struct dry_flat_text dry_flat_text(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot)
{
    struct dry_flat_vector v = dry_flat_vector(r, t, slot, 1);
    return (struct dry_flat_text){v.at ? (const char *)r->bytes + v.at : NULL, v.count};
}

struct dry_flat_table dry_flat_element(struct dry_flat *r, const struct dry_flat_vector *v, uint32_t i)
{
    DRY_ASSERT(i < v->count);
    return dry_flat_table_at(r, follow(r, v->at + i * REF_BYTES));
}

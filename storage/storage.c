/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "storage.h"
#include "count.h"

#include <string.h>

struct dry_storage {
    struct dry_atomic_u64 count;
    const void *data;
    size_t len;
    void *owner;
    void (*release)(void *owner);
    const struct dry_allocator *allocator;
    size_t block_bytes; /* of the allocation that begins with this struct */
    size_t block_align;
};

/* Own bytes begin here in the same allocation. */
#define OWN_BYTES_AT DRY_ALIGN
_Static_assert(sizeof(struct dry_storage) <= OWN_BYTES_AT, "the header fits in front of the bytes");

static void *own_bytes(struct dry_storage *s) { return (char *)s + OWN_BYTES_AT; }

enum dry_status dry_storage_new(size_t n, const struct dry_allocator *a, struct dry_storage **out)
{
    size_t padded, block;
    DRY_ASSERT(n > 0);
    if (dry_round_up_overflows(n, DRY_ALIGN, &padded)) return DRY_TOO_BIG;
    if (dry_add_overflows(padded, OWN_BYTES_AT, &block)) return DRY_TOO_BIG;
    struct dry_storage *s = dry_allocate(a, block, DRY_ALIGN);
    if (!s) return DRY_NOMEM;
    *s = (struct dry_storage){.len = n, .allocator = a, .block_bytes = block, .block_align = DRY_ALIGN};
    s->data = own_bytes(s);
    memset((char *)own_bytes(s) + n, 0, padded - n);
    dry_store_relaxed_u64(&s->count, 1); /* X0: nobody else knows it yet */
    *out = s;
    return DRY_OK;
}

enum dry_status dry_storage_adopt(const void *bytes, size_t n, void *owner, void (*release)(void *owner),
                                  const struct dry_allocator *a, struct dry_storage **out)
{
    DRY_ASSERT(bytes || n == 0);
    struct dry_storage *s = dry_allocate(a, sizeof *s, _Alignof(struct dry_storage));
    if (!s) return DRY_NOMEM;
    *s = (struct dry_storage){
        .data = bytes,
        .len = n,
        .owner = owner,
        .release = release,
        .allocator = a,
        .block_bytes = sizeof *s,
        .block_align = _Alignof(struct dry_storage),
    };
    dry_store_relaxed_u64(&s->count, 1); /* X0: nobody else knows it yet */
    *out = s;
    return DRY_OK;
}

struct dry_storage *dry_storage_ref(struct dry_storage *s)
{
    count_up(&s->count);
    return s;
}

void dry_storage_unref(struct dry_storage *s)
{
    if (!s || !count_down(&s->count)) return;
    if (s->release) s->release(s->owner);
    dry_release(s->allocator, s, s->block_bytes, s->block_align);
}

uint64_t dry_storage_refcount(const struct dry_storage *s) { return count_now(&s->count); }

const void *dry_storage_data(const struct dry_storage *s) { return s->data; }

size_t dry_storage_len(const struct dry_storage *s) { return s->len; }

void *dry_storage_try_mut(struct dry_storage *s)
{
    bool own = s->block_bytes > sizeof *s;
    return own && count_now(&s->count) == 1 ? own_bytes(s) : NULL;
}

/* ---- views ---- */
struct dry_view dry_view_adopt(struct dry_storage *s)
{
    return (struct dry_view){.storage = s, .data = s->data, .len = s->len};
}

struct dry_view dry_view_ref(const struct dry_view *v)
{
    if (v->storage) dry_storage_ref(v->storage);
    return *v;
}

enum dry_status dry_view_slice(const struct dry_view *v, size_t from, size_t len, struct dry_view *out)
{
    if (from > v->len || len > v->len - from) return DRY_INVALID;
    struct dry_view part = dry_view_ref(v);
    if (from > 0) part.data += from; /* data of an empty view may be NULL, to which C lets nobody add, not even 0 */
    part.len = len;
    *out = part;
    return DRY_OK;
}

void dry_view_unref(struct dry_view *v)
{
    struct dry_storage *held = v->storage;
    *v = (struct dry_view){0};
    dry_storage_unref(held);
}

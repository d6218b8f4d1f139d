/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "storage.h"
#include "../base/check.h"
#include "room.h"

#include <string.h>

/* ---- headers ---- */
void dry_storage_init(struct dry_storage *at, const struct dry_storage_kind *kind, const void *bytes, size_t n)
{
    dry_header_init(at, kind, bytes, n);
}

const char *dry_storage_kind_name(const struct dry_storage *s)
{
    return dry_storage_is_immortal(s) ? "immortal" : s->kind->name;
}

/* ---- own heap ---- */

/* Header and bytes in one block of the user's allocator. It is no room: a collection could not give it back. */
struct block {
    struct dry_storage base;
    const struct dry_allocator *allocator;
    size_t block_bytes;
};
_Static_assert(sizeof(struct block) <= DRY_HEADER_BYTES, "the header fits in front of the bytes");

static void release_block(struct dry_storage *s)
{
    struct block *b = (struct block *)(void *)s;
    dry_release(b->allocator, b, b->block_bytes, DRY_ALIGN);
}

static const struct dry_storage_kind block_kind = {.name = "block", .release = release_block, .writable = true};

static enum dry_status new_block(size_t n, size_t padded, const struct dry_allocator *a, struct dry_storage **out)
{
    size_t whole = padded + DRY_HEADER_BYTES; /* dry_room_overflows left so much */
    struct block *b = dry_allocate(a, whole, DRY_ALIGN);
    if (!b) return DRY_NOMEM;
    dry_storage_init(&b->base, &block_kind, (char *)b + DRY_HEADER_BYTES, n);
    b->allocator = a;
    b->block_bytes = whole;
    *out = &b->base;
    return DRY_OK;
}

static enum dry_status new_heap(size_t n, size_t padded, struct dry_storage **out)
{
    char *at = dry_block_new(padded, DRY_ALIGN, DRY_FRONT_BYTES);
    if (!at) return DRY_NOMEM;
    *out = dry_room_of_bytes(at, n);
    return DRY_OK;
}

/* The bytes up to `set` are the caller's to fill, behind them are zeros. */
static enum dry_status new_bytes(size_t n, size_t set, const struct dry_allocator *a, struct dry_storage **out)
{
    size_t padded;
    struct dry_storage *s;
    if (n == 0) {
        *out = dry_storage_empty();
        return DRY_OK;
    }
    if (dry_room_overflows(n, 1, &padded)) return DRY_TOO_BIG;
    DRY_TRY(a ? new_block(n, padded, a, &s) : new_heap(n, padded, &s));
    *out = s;
    if (set == padded) return DRY_OK;
    /* A block that is pages of its own has not been touched by anybody: it is zeros, and takes no memory yet. */
    bool fresh = !a && (dry_block_noted(s->data, DRY_FRONT_BYTES) & DRY_BLOCK_MAPPED);
    if (!fresh) memset((char *)(uintptr_t)s->data + set, 0, padded - set);
    return DRY_OK;
}

enum dry_status dry_storage_new(size_t n, const struct dry_allocator *a, struct dry_storage **out)
{
    return new_bytes(n, n, a, out);
}

enum dry_status dry_storage_zeroed(size_t n, const struct dry_allocator *a, struct dry_storage **out)
{
    return new_bytes(n, 0, a, out);
}

enum dry_status dry_storage_copy(const void *bytes, size_t n, const struct dry_allocator *a, struct dry_storage **out)
{
    struct dry_storage *s;
    DRY_TRY(dry_storage_new(n, a, &s));
    if (n > 0) memcpy((void *)(uintptr_t)s->data, bytes, n);
    *out = s;
    return DRY_OK;
}

/* ---- foreign ---- */
struct adopted {
    struct dry_storage base;
    const struct dry_allocator *allocator;
    size_t block_bytes; /* with the owner behind the header, if it moved in */
    void *owner;
    void (*release)(void *owner);
};
_Static_assert(sizeof(struct adopted) == DRY_HEADER_BYTES, "an owner behind it is 64-byte aligned");

static void release_adopted(struct dry_storage *s)
{
    struct adopted *f = (struct adopted *)(void *)s;
    if (f->release) f->release(f->owner);
    dry_release(f->allocator, f, f->block_bytes, DRY_ALIGN);
}

static const struct dry_storage_kind adopted = {.name = "adopted", .release = release_adopted};

static struct adopted *new_adopted(size_t block_bytes, const struct dry_allocator *a)
{
    struct adopted *f = dry_allocate(a, block_bytes, DRY_ALIGN);
    if (f) *f = (struct adopted){.allocator = a, .block_bytes = block_bytes};
    return f;
}

enum dry_status dry_storage_adopt(const void *bytes, size_t n, void *owner, void (*release)(void *owner),
                                  const struct dry_allocator *a, struct dry_storage **out)
{
    struct adopted *f = new_adopted(sizeof *f, a);
    if (!f) return DRY_NOMEM;
    f->owner = owner;
    f->release = release;
    dry_storage_init(&f->base, &adopted, bytes, n);
    *out = &f->base;
    return DRY_OK;
}

enum dry_status dry_storage_from_slice_unchecked(const void *bytes, size_t n, const struct dry_allocator *a,
                                                 struct dry_storage **out)
{
    return dry_storage_adopt(bytes, n, NULL, NULL, a, out);
}

enum dry_status dry_storage_from_owner(const void *owner, size_t owner_size,
                                       const void *(*bytes_of)(void *owner, size_t *len),
                                       void (*release)(void *owner), const struct dry_allocator *a,
                                       struct dry_storage **out)
{
    size_t whole, n = 0;
    if (dry_add_overflows(owner_size, sizeof(struct adopted), &whole)) return DRY_TOO_BIG;
    struct adopted *f = new_adopted(whole, a);
    if (!f) return DRY_NOMEM;
    f->owner = f + 1;
    f->release = release;
    if (owner_size > 0) memcpy(f->owner, owner, owner_size);
    const void *bytes = bytes_of(f->owner, &n);
    dry_storage_init(&f->base, &adopted, bytes, n);
    *out = &f->base;
    return DRY_OK;
}

/* ---- holding ---- */
enum dry_status dry_storage_leak(struct dry_storage **s)
{
    if (dry_storage_is_immortal(*s)) return DRY_OK;
    if (!dry_storage_is_exclusive(*s)) return DRY_SHARED;
    const struct dry_storage was = {.data = (*s)->data, .len = (*s)->len};
    struct dry_immortal *header = (struct dry_immortal *)(void *)*s; /* its second half is of use to nobody any more */
    header->storage = was;
    *s = &header->storage;
    return DRY_OK;
}

/* ---- lending ---- */
enum dry_status dry_storage_lend(const void *bytes, size_t n, void (*use)(const struct dry_view *v, void *arg),
                                 void *arg, struct dry_storage **escaped)
{
    struct dry_storage *s;
    DRY_TRY(dry_storage_from_slice_unchecked(bytes, n, NULL, &s));
    const struct dry_view v = dry_view_adopt(s);
    use(&v, arg);
    if (!dry_storage_is_exclusive(s)) {
        *escaped = s;
        return DRY_SHARED;
    }
    dry_storage_unref(s);
    return DRY_OK;
}

/* A room of the same kind with the same elements. */
static enum dry_status copy_room(const struct dry_raw *from, struct dry_raw *out)
{
    struct dry_raw to = *from;
    size_t bytes;
    if (from->drop || from->kind == DRY_RAW_MEMORY) return DRY_UNSUPPORTED;
    if (from->kind == DRY_RAW_HEAP) DRY_TRY(dry_room_new(from->cap, from->elem_size, from->elem_align, &to));
    if (from->kind == DRY_RAW_ALLOCATOR && from->at) {
        if (dry_room_overflows(from->cap, from->elem_size, &bytes)) return DRY_TOO_BIG;
        to.at = dry_inline_allocate(from->owner.allocator, bytes, dry_room_align(from->elem_align));
        if (!to.at) return DRY_NOMEM;
    }
    to.len = from->len;
    if (to.at && from->len > 0) memcpy(to.at, from->at, from->len * from->elem_size);
    *out = to;
    return DRY_OK;
}

enum dry_status dry_storage_lend_raw(struct dry_raw *raw, void (*use)(const struct dry_view *v, void *arg), void *arg,
                                     struct dry_storage **escaped)
{
    const struct dry_raw before = *raw;
    struct dry_storage *s;
    DRY_TRY(dry_storage_from_raw(raw, &s));
    const struct dry_view v = dry_view_adopt(s);
    use(&v, arg);
    if (dry_storage_try_detach(&s, before.elem_size, before.elem_align, raw) == DRY_OK) return DRY_OK;
    bool copied = copy_room(&before, raw) == DRY_OK;
    *escaped = copied ? NULL : s;
    if (copied) dry_storage_unref(s);
    return DRY_SHARED;
}

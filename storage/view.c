/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "../base/check.h"
#include "room.h"
#include "storage.h"

#include <string.h>

/* ---- parts ---- */
enum dry_status dry_view_split_at(const struct dry_view *v, size_t at, struct dry_view *left, struct dry_view *right)
{
    struct dry_view head, tail;
    if (at > v->len) return DRY_INVALID;
    DRY_TRY(dry_view_slice(v, 0, at, &head));
    DRY_TRY(dry_view_slice(v, at, v->len - at, &tail)); /* cannot fail: at <= len */
    *left = head;
    *right = tail;
    return DRY_OK;
}

enum dry_status dry_view_split_off(struct dry_view *v, size_t at, struct dry_view *tail)
{
    if (at > v->len) return DRY_INVALID;
    DRY_TRY(dry_view_slice(v, at, v->len - at, tail));
    v->len = at;
    return DRY_OK;
}

size_t dry_view_offset(const struct dry_view *v)
{
    return v->storage && v->data ? (size_t)(v->data - (const uint8_t *)v->storage->data) : 0;
}

void dry_view_expand(struct dry_view *v)
{
    if (v->storage) v->len = v->storage->len - dry_view_offset(v);
}

bool dry_view_is_sliced(const struct dry_view *v) { return v->storage && v->storage->len != v->len; }

/* ---- contents ---- */
bool dry_view_equals(const struct dry_view *a, const struct dry_view *b)
{
    return a->len == b->len && (a->data == b->data || a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int dry_view_compare(const struct dry_view *a, const struct dry_view *b)
{
    size_t n = a->len < b->len ? a->len : b->len;
    int order = n > 0 ? memcmp(a->data, b->data, n) : 0;
    if (order != 0) return order;
    return (a->len > b->len) - (a->len < b->len);
}

/* ---- as elements ---- */
enum dry_status dry_view_elements(const struct dry_view *v, size_t elem_size, size_t elem_align, const void **first,
                                  size_t *n)
{
    const struct dry_storage *s = v->storage;
    struct dry_raw raw = {.elem_size = elem_size, .elem_align = elem_align};
    if (s && s->kind && s->kind->describe && (elem_size == 0 || dry_room_has_drop(s))) s->kind->describe(s, &raw);
    if (raw.elem_size != elem_size || raw.elem_align != elem_align) return DRY_INVALID;
    if (elem_size == 0 && v->len > 0) return DRY_INVALID;
    if (elem_size > 0 && v->len % elem_size != 0) return DRY_INVALID;
    if ((uintptr_t)v->data % elem_align != 0) return DRY_INVALID;
    *first = v->data;
    *n = elem_size > 0 ? v->len / elem_size : raw.len;
    return DRY_OK;
}

/* v shows a fresh copy of its bytes, and lets go of what it had. */
static enum dry_status copy_bytes(struct dry_view *v, const struct dry_allocator *a)
{
    struct dry_storage *s;
    if (dry_room_has_drop(v->storage)) return DRY_UNSUPPORTED;
    DRY_TRY(dry_storage_copy(v->data, v->len, a, &s));
    dry_view_unref(v);
    *v = dry_view_adopt(s);
    return DRY_OK;
}

enum dry_status dry_view_align(struct dry_view *v, size_t align, const struct dry_allocator *a)
{
    DRY_ASSERT(align > 0 && (align & (align - 1)) == 0);
    if ((uintptr_t)v->data % align == 0) return DRY_OK;
    return align > DRY_ALIGN ? DRY_INVALID : copy_bytes(v, a);
}

/* ---- writing ---- */
enum dry_status dry_view_make_mut(struct dry_view *v, const struct dry_allocator *a, void **bytes)
{
    if (v->len > 0 && !dry_view_try_mut(v)) DRY_TRY(copy_bytes(v, a));
    *bytes = (void *)(uintptr_t)v->data;
    return DRY_OK;
}

/* ---- taking the room back ---- */

/* The room behind v and which of its elements v shows. Whether the caller may have it has been decided when this is OK;
 * it has not been taken from the storage yet. */
static enum dry_status look(const struct dry_view *v, size_t elem_size, size_t elem_align, struct dry_raw *room,
                            size_t *first, size_t *n)
{
    const struct dry_storage *s = v->storage;
    *first = *n = 0;
    *room = (struct dry_raw){.kind = DRY_RAW_HEAP, .elem_size = elem_size, .elem_align = elem_align};
    if (!s || (!dry_storage_is_counted(s) && s->len == 0)) return DRY_OK;
    if (!dry_storage_is_exclusive(s)) return DRY_SHARED;
    if (!s->kind->describe) return DRY_UNSUPPORTED;
    s->kind->describe(s, room);
    if (room->elem_size != elem_size || room->elem_align != elem_align) return DRY_INVALID;
    *n = room->len;
    if (v->len == s->len) return DRY_OK; /* as it came, elements of size 0 too */
    size_t from = dry_view_offset(v);
    if (from % elem_size != 0 || v->len % elem_size != 0) return DRY_INVALID;
    *first = from / elem_size;
    *n = v->len / elem_size;
    return DRY_OK;
}

/* Keeps n elements from `first` on, at the front. */
static void trim(struct dry_raw *room, size_t first, size_t n)
{
    char *at = room->at;
    for (size_t i = 0; room->drop && i < room->len; i++)
        if (i < first || i >= first + n) room->drop(at + i * room->elem_size);
    if (first > 0 && n > 0) memmove(at, at + first * room->elem_size, n * room->elem_size);
    room->len = n;
}

enum dry_status dry_view_try_detach(struct dry_view *v, size_t elem_size, size_t elem_align, struct dry_raw *out)
{
    struct dry_raw room;
    size_t first, n;
    if (v->storage && v->len == v->storage->len && dry_room_take_heap(v->storage, elem_size, elem_align, out)) {
        *v = (struct dry_view){0};
        return DRY_OK;
    }
    DRY_TRY(look(v, elem_size, elem_align, &room, &first, &n));
    if (n != room.len) trim(&room, first, n);
    if (v->storage && v->storage->kind) v->storage->kind->forget(v->storage);
    *v = (struct dry_view){0};
    *out = room;
    return DRY_OK;
}

enum dry_status dry_view_to_raw(struct dry_view *v, size_t elem_size, size_t elem_align, struct dry_raw *out)
{
    struct dry_raw room;
    size_t first, n;
    if (look(v, elem_size, elem_align, &room, &first, &n) == DRY_OK && room.kind == DRY_RAW_HEAP)
        return dry_view_try_detach(v, elem_size, elem_align, out);
    if (dry_room_has_drop(v->storage)) return DRY_UNSUPPORTED;
    if (elem_size == 0 || v->len % elem_size != 0) return DRY_INVALID;
    DRY_TRY(dry_room_new(v->len / elem_size, elem_size, elem_align, &room));
    room.len = room.cap;
    if (v->len > 0) memcpy(room.at, v->data, v->len);
    dry_view_unref(v);
    *out = room;
    return DRY_OK;
}

enum dry_status dry_view_edit(struct dry_view *v, size_t elem_size, size_t elem_align,
                              enum dry_status (*edit)(struct dry_raw *raw, void *arg), void *arg)
{
    struct dry_raw room;
    struct dry_storage *header = NULL;
    size_t first, n;
    DRY_TRY(look(v, elem_size, elem_align, &room, &first, &n));
    const enum dry_raw_kind kind = room.kind;
    if (kind != DRY_RAW_HEAP && !(header = dry_room_header(&room))) return DRY_NOMEM; /* so that nothing fails after */
    if (dry_view_try_detach(v, elem_size, elem_align, &room) != DRY_OK) __builtin_unreachable(); /* it was looked at */
    enum dry_status status = edit(&room, arg);
    DRY_ASSERT(room.kind == kind);
    *v = (struct dry_view){0};
    if (kind == DRY_RAW_HEAP && !room.at) return status;
    if (kind == DRY_RAW_HEAP) header = dry_room_header(&room);
    dry_room_adopt(header, &room);
    *v = dry_view_adopt(header);
    return status;
}

/* ---- pinned memory ---- */
size_t dry_view_pinned_bytes(const struct dry_view *v)
{
    const struct dry_storage *s = v->storage;
    if (!s || dry_storage_is_immortal(s)) return 0;
    if (!s->kind->describe) return s->len - v->len;
    struct dry_raw room;
    s->kind->describe(s, &room);
    return room.elem_size ? room.cap * room.elem_size - v->len : 0;
}

enum dry_status dry_view_compact(struct dry_view *v, const struct dry_allocator *a)
{
    return dry_view_pinned_bytes(v) > 0 ? copy_bytes(v, a) : DRY_OK;
}

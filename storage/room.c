/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "room.h"

static const struct dry_room *room_of(const struct dry_storage *s) { return (const struct dry_room *)(const void *)s; }

static uint64_t element_of(size_t size, size_t align)
{
    return (uint64_t)__builtin_ctzll(align) << 56 | size; /* no room has an element of 2^56 bytes */
}

static size_t size_of(const struct dry_room *room) { return room->element & (((uint64_t)1 << 56) - 1); }
static size_t align_of(const struct dry_room *room) { return (size_t)1 << (room->element >> 56); }

/* Field by field: a copy of the whole would wait for the stores of its parts. */
static void describe_as(enum dry_raw_kind kind, const struct dry_storage *s, struct dry_raw *out)
{
    const struct dry_room *room = room_of(s);
    size_t size = size_of(room);
    out->kind = kind;
    out->at = (void *)(uintptr_t)s->data;
    out->len = size == 1 ? s->len : size ? s->len / size : room->cap;
    out->cap = size ? room->cap : SIZE_MAX;
    out->elem_size = size;
    out->elem_align = align_of(room);
    out->drop = room->drop;
    out->owner.allocator = NULL;
}

/* ---- heap ---- */
static void describe_heap(const struct dry_storage *s, struct dry_raw *out) { describe_as(DRY_RAW_HEAP, s, out); }

static void release_heap(struct dry_storage *s)
{
    const struct dry_room *room = room_of(s);
    struct dry_raw raw;
    if (room->drop) {
        describe_heap(s, &raw);
        dry_raw_release(&raw);
    } else {
        dry_block_free((void *)(uintptr_t)s->data, dry_room_align(align_of(room)), DRY_FRONT_BYTES);
    }
}

/* The header lies in the room, and leaves with it. */
static void forget_heap(struct dry_storage *s) { (void)s; }

static const struct dry_storage_kind heap = {
    .name = "heap", .release = release_heap, .describe = describe_heap, .forget = forget_heap, .writable = true};

static inline bool take_heap(struct dry_storage *s, size_t elem_size, size_t elem_align, struct dry_raw *out)
{
    if (!dry_storage_is_exclusive(s) || s->kind != &heap || elem_size == 0) return false;
    if (room_of(s)->element != element_of(elem_size, elem_align)) return false;
    describe_heap(s, out);
    return true;
}

bool dry_room_take_heap(struct dry_storage *s, size_t elem_size, size_t elem_align, struct dry_raw *out)
{
    return take_heap(s, elem_size, elem_align, out);
}

/* ---- allocator ---- */
static void describe_allocator(const struct dry_storage *s, struct dry_raw *out)
{
    describe_as(DRY_RAW_ALLOCATOR, s, out);
    out->owner.allocator = room_of(s)->owner;
}

static void forget_allocator(struct dry_storage *s)
{
    dry_release(room_of(s)->owner, s, DRY_HEADER_BYTES, DRY_ALIGN);
}

/* ---- memory and nothing ---- */
static void describe_memory(const struct dry_storage *s, struct dry_raw *out)
{
    describe_as(DRY_RAW_MEMORY, s, out);
    out->owner.memory = (struct dry_memory *)(uintptr_t)room_of(s)->owner;
}

static void describe_nothing(const struct dry_storage *s, struct dry_raw *out) { describe_as(DRY_RAW_NONE, s, out); }

static void forget_malloc(struct dry_storage *s) { dry_release(NULL, s, DRY_HEADER_BYTES, DRY_ALIGN); }

/* Of the three kinds whose header is a block of its own. */
static void release_room(struct dry_storage *s)
{
    struct dry_raw raw;
    s->kind->describe(s, &raw);
    s->kind->forget(s);
    dry_raw_release(&raw);
}

#define ROOM(what, header)                                                                                            \
    {.name = #what, .release = release_room, .describe = describe_##what, .forget = forget_##header, .writable = true}
static const struct dry_storage_kind allocator = ROOM(allocator, allocator);
static const struct dry_storage_kind memory = ROOM(memory, malloc);
static const struct dry_storage_kind nothing = ROOM(nothing, malloc);

/* ---- coming in ---- */
static struct dry_storage *header_in_front(void *at)
{
    return (struct dry_storage *)(void *)((char *)at - DRY_HEADER_BYTES);
}

struct dry_storage *dry_room_header(const struct dry_raw *raw)
{
    if (raw->kind == DRY_RAW_HEAP) return header_in_front(raw->at);
    return dry_allocate(raw->kind == DRY_RAW_ALLOCATOR ? raw->owner.allocator : NULL, DRY_HEADER_BYTES, DRY_ALIGN);
}

static inline void fill(struct dry_storage *header, const struct dry_storage_kind *kind, const void *owner, size_t cap,
                        struct dry_raw *raw)
{
    struct dry_room *room = (struct dry_room *)(void *)header;
    dry_header_init(header, kind, raw->at, raw->len * raw->elem_size);
    room->cap = cap;
    room->drop = raw->drop;
    room->owner = owner;
    room->element = element_of(raw->elem_size, raw->elem_align);
    raw->at = NULL; /* empty: its kind, its element and its allocator stay */
    raw->len = raw->cap = 0;
}

void dry_room_adopt(struct dry_storage *header, struct dry_raw *raw)
{
    switch (raw->kind) {
    case DRY_RAW_NONE: fill(header, &nothing, NULL, raw->len, raw); break;
    case DRY_RAW_HEAP: fill(header, &heap, NULL, raw->cap, raw); break;
    case DRY_RAW_ALLOCATOR: fill(header, &allocator, raw->owner.allocator, raw->cap, raw); break;
    case DRY_RAW_MEMORY:
        fill(header, &memory, raw->owner.memory, raw->cap, raw);
        raw->owner.memory = NULL;
        break;
    }
}

struct dry_storage *dry_room_of_bytes(char *at, size_t n)
{
    struct dry_raw raw = {.kind = DRY_RAW_HEAP, .at = at, .len = n, .cap = n, .elem_size = 1, .elem_align = 1};
    struct dry_storage *header = header_in_front(at);
    fill(header, &heap, NULL, n, &raw);
    return header;
}

static const struct dry_immortal empty = DRY_IMMORTAL(NULL, 0);

struct dry_storage *dry_storage_empty(void) { return dry_storage_static(&empty); }

enum dry_status dry_storage_from_raw(struct dry_raw *raw, struct dry_storage **out)
{
    DRY_ASSERT(raw->len <= raw->cap);
    if (raw->kind != DRY_RAW_NONE && raw->elem_size == 0) return DRY_UNSUPPORTED; /* would not know how many */
    if (raw->kind == DRY_RAW_HEAP) {
        *out = raw->at ? header_in_front(raw->at) : dry_storage_static(&empty);
        if (raw->at) fill(*out, &heap, NULL, raw->cap, raw);
        return DRY_OK;
    }
    struct dry_storage *header = dry_room_header(raw);
    if (!header) return DRY_NOMEM;
    dry_room_adopt(header, raw);
    *out = header;
    return DRY_OK;
}

enum dry_status dry_storage_try_detach(struct dry_storage **s, size_t elem_size, size_t elem_align,
                                       struct dry_raw *out)
{
    if (!take_heap(*s, elem_size, elem_align, out)) {
        struct dry_view whole = dry_view_adopt(*s);
        enum dry_status status = dry_view_try_detach(&whole, elem_size, elem_align, out);
        if (status != DRY_OK) return status;
    }
    *s = dry_storage_static(&empty);
    return DRY_OK;
}

enum dry_status dry_room_new(size_t n, size_t elem_size, size_t elem_align, struct dry_raw *out)
{
    struct dry_raw raw = {.kind = DRY_RAW_HEAP, .cap = n, .elem_size = elem_size, .elem_align = elem_align};
    size_t bytes;
    if (dry_room_overflows(n, elem_size, &bytes)) return DRY_TOO_BIG;
    if (n > 0 && !(raw.at = dry_block_new(bytes, dry_room_align(elem_align), DRY_FRONT_BYTES))) return DRY_NOMEM;
    *out = raw;
    return DRY_OK;
}

bool dry_room_has_drop(const struct dry_storage *s)
{
    struct dry_raw room;
    if (!s || !s->kind || !s->kind->describe) return false;
    s->kind->describe(s, &room);
    return room.drop != NULL;
}

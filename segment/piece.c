/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Pieces: memory in a segment that grows. They lie one behind the other, with appended bytes and gaps between:
 *
 *     | header | piece 1 | gap | piece 3 | appended | piece 4 | free
 *                        ^ free_from of piece 3: 2 was here
 *
 * Only the last one can grow where it is; another one moves behind it. The space that it leaves belongs to the piece
 * behind, so that it is free again as soon as that one goes and is the last.
 */
#include "inside.h"
#include "../base/check.h"
#include "../base/memory.h"

#include <string.h>

struct dry_piece {
    struct dry_memory base; /* first, so that a dry_memory is a piece */
    struct dry_segment *owner;
    uint64_t offset;
    uint64_t free_from; /* nobody's bytes begin there, up to `offset` */
    uint64_t lost;      /* of them, what pieces have left */
    struct dry_piece *before, *behind;
};

static uint64_t end_of(const struct dry_piece *p) { return p->offset + p->base.size_bytes; }

static void follow(struct dry_piece *p)
{
    uint8_t *base = p->owner->pages.window.at; /* NULL: the segment has been sealed, the piece is about to go */
    p->base.at = base && p->base.size_bytes ? base + p->offset : NULL;
}

void dry_pieces_follow(struct dry_segment *s)
{
    for (struct dry_piece *p = s->first; p; p = p->behind)
        follow(p);
}

/* The whole structure; with DRY_DEBUG 2 after every change. */
static void check(const struct dry_segment *s)
{
#if DRY_DEBUG >= 2
    const struct dry_pages *pages = &s->pages;
    const struct dry_piece *before = NULL;
    uint64_t end = 0;
    DRY_ASSERT(pages->solid <= pages->promised && pages->promised <= pages->held);
    DRY_ASSERT(!s->first || (pages->must_hold && pages->solid == pages->promised));
    for (const struct dry_piece *p = s->first; p; before = p, p = p->behind) {
        DRY_ASSERT(p->owner == s && p->before == before);
        DRY_ASSERT(p->offset % DRY_ALIGN == 0 && end <= p->free_from && p->free_from <= p->offset);
        DRY_ASSERT(p->base.at == (p->base.size_bytes ? pages->window.at + p->offset : NULL));
        end = end_of(p);
    }
    DRY_ASSERT(s->last == before && end <= s->used && s->used <= pages->promised);
#else
    (void)s;
#endif
}

/* ---- the list ---- */
static void link_last(struct dry_piece *p)
{
    struct dry_segment *s = p->owner;
    p->before = s->last;
    p->behind = NULL;
    *(s->last ? &s->last->behind : &s->first) = p;
    s->last = p;
}

static void unlink_piece(struct dry_piece *p)
{
    struct dry_segment *s = p->owner;
    *(p->before ? &p->before->behind : &s->first) = p->behind;
    *(p->behind ? &p->behind->before : &s->last) = p->before;
}

static bool is_last(const struct dry_piece *p) { return p == p->owner->last && end_of(p) == p->owner->used; }

/* Its bytes from `from` on are nobody's any more, and it is not the last. */
static void leave(struct dry_piece *p, uint64_t from)
{
    uint64_t lost = end_of(p) - from;
    p->owner->lost_bytes += lost;
    if (p->behind && p->behind->free_from == end_of(p)) {
        p->behind->free_from = from;
        p->behind->lost += lost;
    }
}

/* All of it, and the space in front of it. */
static void leave_all(struct dry_piece *p)
{
    struct dry_piece *heir = p->behind && p->behind->free_from == end_of(p) ? p->behind : NULL;
    leave(p, p->offset);
    if (heir) {
        heir->free_from = p->free_from;
        heir->lost += p->lost;
    }
    unlink_piece(p);
}

/* ---- room ---- */
/* rule: segment.pieces */
enum dry_status dry_segment_place(struct dry_segment *s, uint64_t n, uint64_t *at, struct dry_error *err)
{
    uint64_t gap = -s->used % DRY_ALIGN, need;
    if (__builtin_add_overflow(gap, n, &need)) need = UINT64_MAX; /* which is refused with words */
    /* The first one alone is often all there is. */
    DRY_TRY(s->used == 0 ? dry_segment_reserve(s, need, err) : dry_segment_grow(s, need, err));
    DRY_TRY(dry_segment_flush(s, err));
    DRY_TRY(dry_pages_hold(&s->pages, s->used, err));
    uint64_t start = s->used + gap, end = start + n, not_zero = end < s->dirty ? end : s->dirty;
    uint8_t *base = s->pages.window.at;
    if (gap) memset(base + s->used, 0, gap);
    if (not_zero > start) memset(base + start, 0, (size_t)(not_zero - start));
    s->used = end;
    *at = start;
    return DRY_OK;
}

static void prefault(struct dry_segment *s, uint64_t from, uint64_t to)
{
    uint64_t page = dry_os_page_bytes();
    from &= ~(page - 1);
    if (!s->options.prefault || from >= to) return;
    if (dry_os_populate(s->pages.window.at + from, (size_t)(to - from), true)) s->not_prefaulted = true;
}

static enum dry_status grow_last(struct dry_piece *p, size_t size, struct dry_error *err)
{
    struct dry_segment *s = p->owner;
    uint64_t begin = s->used;
    DRY_TRY(dry_segment_grow(s, size - p->base.size_bytes, err));
    uint64_t end = p->offset + size, not_zero = end < s->dirty ? end : s->dirty;
    if (not_zero > begin) memset(s->pages.window.at + begin, 0, (size_t)(not_zero - begin));
    s->used = end;
    p->base.size_bytes = size;
    follow(p);
    prefault(s, begin, end);
    return DRY_OK;
}

/* A half more than is needed, so that pieces that grow by turns are not moved each time; or just that. */
static enum dry_status place_with_spare(struct dry_segment *s, size_t before, size_t *size, uint64_t *at,
                                        struct dry_error *err)
{
    size_t spare = before + before / 2;
    if (spare > *size && dry_segment_place(s, spare, at, NULL) == DRY_OK) {
        *size = spare;
        return DRY_OK;
    }
    return dry_segment_place(s, *size, at, err);
}

static enum dry_status move_to_end(struct dry_piece *p, size_t size, struct dry_error *err)
{
    struct dry_segment *s = p->owner;
    uint64_t free_from = s->used, at;
    size_t n = p->base.size_bytes;
    DRY_TRY(place_with_spare(s, n, &size, &at, err));
    if (n) memcpy(s->pages.window.at + at, s->pages.window.at + p->offset, n);
    leave_all(p);
    s->moved_bytes += n;
    p->offset = at;
    p->free_from = free_from;
    p->lost = 0;
    p->base.size_bytes = size;
    link_last(p);
    follow(p);
    prefault(s, at, s->used);
    return DRY_OK;
}

static void shrink(struct dry_piece *p, size_t size)
{
    if (is_last(p))
        dry_segment_end_at(p->owner, p->offset + size);
    else
        leave(p, p->offset + size);
    p->base.size_bytes = size;
    follow(p);
}

static enum dry_status change_size(struct dry_piece *p, size_t size, struct dry_error *err)
{
    const struct dry_segment *s = p->owner;
    if (size == p->base.size_bytes) return DRY_OK;
    if (s->own.fd < 0) {
        (void)dry_segment_check_own(s, err);
        return DRY_FIXED; /* which is what users of a struct dry_memory expect */
    }
    if (s->finished) return dry_fail(err, DRY_FIXED, "the segment is finished, its pieces keep their sizes");
    if (size < p->base.size_bytes) {
        shrink(p, size);
        return DRY_OK;
    }
    return is_last(p) ? grow_last(p, size, err) : move_to_end(p, size, err);
}

/* ---- as memory ---- */
static enum dry_status resize_piece(struct dry_memory *memory, size_t size)
{
    struct dry_piece *p = (struct dry_piece *)(void *)memory;
    enum dry_status status = change_size(p, size, &p->owner->error);
    check(p->owner);
    return status == DRY_OK || status == DRY_TOO_BIG || status == DRY_FULL || status == DRY_FIXED ? status
                                                                                                  : DRY_NOMEM;
}

static void drop(struct dry_piece *p)
{
    unlink_piece(p);
    p->owner->lost_bytes -= p->lost;
    dry_release(p->owner->allocator, p, sizeof *p, _Alignof(struct dry_piece));
}

static void release_piece(struct dry_memory *memory)
{
    struct dry_piece *p = (struct dry_piece *)(void *)memory;
    struct dry_segment *s = p->owner;
    if (s->finished || is_last(p)) {
        if (!s->finished) dry_segment_end_at(s, p->free_from);
        drop(p);
    } else {
        leave_all(p);
        dry_release(s->allocator, p, sizeof *p, _Alignof(struct dry_piece));
    }
    check(s);
}

void dry_pieces_cut(struct dry_segment *s, uint64_t from)
{
    while (s->last && s->last->offset >= from)
        drop(s->last);
    struct dry_piece *p = s->last;
    if (!p || end_of(p) <= from) return;
    p->base.size_bytes = (size_t)(from - p->offset);
    follow(p);
}

enum dry_status dry_segment_piece(struct dry_segment *s, uint64_t size, struct dry_memory **out,
                                  struct dry_error *err)
{
    struct dry_piece *p = dry_allocate(s->allocator, sizeof *p, _Alignof(struct dry_piece));
    if (!p) return dry_fail(err, DRY_NOMEM, "out of memory for a piece of a segment");
    *p = (struct dry_piece){.owner = s, .free_from = s->used};
    p->base = (struct dry_memory){.resize = resize_piece, .release = release_piece};
    enum dry_status status = dry_segment_place(s, size, &p->offset, err);
    if (status != DRY_OK) {
        dry_release(s->allocator, p, sizeof *p, _Alignof(struct dry_piece));
        return status;
    }
    p->base.size_bytes = (size_t)size;
    link_last(p);
    follow(p);
    prefault(s, p->offset, s->used);
    check(s);
    *out = &p->base;
    return DRY_OK;
}

uint64_t dry_segment_piece_offset(const struct dry_memory *piece)
{
    return ((const struct dry_piece *)(const void *)piece)->offset;
}

enum dry_status dry_segment_new_array(const char *name, const char *layout, uint64_t n, size_t elem_size,
                                      const struct dry_allocator *a, struct dry_segment **out,
                                      struct dry_memory **elements, struct dry_error *err)
{
    struct dry_segment *s;
    struct dry_memory *piece;
    uint64_t bytes, all;
    if (n == 0 || elem_size == 0)
        return dry_fail(err, DRY_INVALID, "an array of %llu elements of %zu bytes has no memory",
                        (unsigned long long)n, elem_size);
    if (__builtin_mul_overflow(n, elem_size, &bytes) || __builtin_add_overflow(bytes, DRY_HEADER_SIZE, &all))
        return dry_fail(err, DRY_TOO_BIG, "%llu elements of %zu bytes are more than can be addressed",
                        (unsigned long long)n, elem_size);
    DRY_TRY(dry_segment_new(name, a, &s, err));
    enum dry_status status = dry_segment_reserve(s, all, err);
    if (status == DRY_OK) status = dry_segment_format(s, layout, err);
    if (status == DRY_OK) status = dry_segment_piece(s, bytes, &piece, err);
    if (status != DRY_OK) {
        dry_segment_free(s);
        return status;
    }
    *out = s;
    *elements = piece;
    return DRY_OK;
}

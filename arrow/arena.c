/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "arena.h"
#include "../base/check.h"

#include <string.h>

struct dry_arena_block {
    struct dry_arena_block *before;
    size_t size, used; /* of the whole block, this header included */
};

enum { PIECE_ALIGN = 16, FIRST_BLOCK = 4096, LARGEST_STEP = 1 << 20 };
#define HEADER ((sizeof(struct dry_arena_block) + PIECE_ALIGN - 1) & ~(size_t)(PIECE_ALIGN - 1))

static struct dry_arena_block *grow(struct dry_arena *a, size_t n)
{
    size_t size = a->last ? a->last->size * 2 : FIRST_BLOCK, least;
    if (size > LARGEST_STEP) size = LARGEST_STEP;
    if (dry_add_overflows(n, HEADER, &least)) return NULL;
    if (size < least) size = least;
    struct dry_arena_block *b = dry_allocate(a->allocator, size, PIECE_ALIGN);
    if (!b) return NULL;
    b->before = a->last;
    b->size = size;
    b->used = HEADER;
    return a->last = b;
}

void *dry_arena_take(struct dry_arena *a, size_t n)
{
    if (dry_round_up_overflows(n, PIECE_ALIGN, &n)) return NULL;
    struct dry_arena_block *b = a->last;
    if (!b || b->size - b->used < n) b = grow(a, n);
    if (!b) return NULL;
    char *piece = (char *)b + b->used;
    b->used += n;
    return memset(piece, 0, n);
}

void *dry_arena_take_array(struct dry_arena *a, size_t count, size_t size)
{
    size_t n;
    return dry_mul_overflows(count, size, &n) ? NULL : dry_arena_take(a, n);
}

char *dry_arena_text(struct dry_arena *a, const char *bytes, size_t n)
{
    size_t whole;
    if (dry_add_overflows(n, 1, &whole)) return NULL;
    char *text = dry_arena_take(a, whole);
    if (text && n) memcpy(text, bytes, n);
    return text;
}

void dry_arena_fini(struct dry_arena *a)
{
    while (a->last) {
        struct dry_arena_block *b = a->last;
        a->last = b->before;
        dry_release(a->allocator, b, b->size, PIECE_ALIGN);
    }
}

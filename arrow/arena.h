/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. Memory that is taken piece by piece and freed at once. Pieces are zeroed and 16-byte aligned.
 */
#ifndef DRY_ARROW_ARENA_H
#define DRY_ARROW_ARENA_H

#include "../base/base.h"

struct dry_arena {
    const struct dry_allocator *allocator;
    struct dry_arena_block *last;
};

static inline void dry_arena_init(struct dry_arena *a, const struct dry_allocator *allocator)
{
    a->allocator = allocator;
    a->last = NULL;
}
/* NULL when there is no memory; n may be 0 (a valid pointer to nothing). */
void *dry_arena_take(struct dry_arena *a, size_t n) DRY_MUST_CHECK;
/* count * size, NULL also when that overflows. */
void *dry_arena_take_array(struct dry_arena *a, size_t count, size_t size) DRY_MUST_CHECK;
char *dry_arena_text(struct dry_arena *a, const char *bytes, size_t n) DRY_MUST_CHECK; /* copy + NUL */
void dry_arena_fini(struct dry_arena *a);

#endif

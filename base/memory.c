/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The default allocator. Alignment above malloc's own is made by hand over malloc: glibc's aligned_alloc costs six
 * times as much for a small block (docs/decisions/aligned-by-hand.md has the figures). The distance back to malloc's
 * block stands in the eight bytes in front of what is handed out.
 */
#include "base.h"
#include "check.h"

#include <stdlib.h>
#include <string.h>

#define MALLOC_ALIGN _Alignof(max_align_t)

static void *place(char *raw, size_t align)
{
    uintptr_t at = ((uintptr_t)raw + sizeof(uint64_t) + align - 1) & ~(uintptr_t)(align - 1);
    char *block = raw + (at - (uintptr_t)raw);
    uint64_t back = (uint64_t)(block - raw);
    memcpy(block - sizeof back, &back, sizeof back);
    return block;
}

static char *raw_of(void *block)
{
    uint64_t back;
    memcpy(&back, (char *)block - sizeof back, sizeof back);
    return (char *)block - back;
}

static void *malloc_aligned(size_t size, size_t align)
{
    size_t whole;
    if (align <= MALLOC_ALIGN) return malloc(size);
    if (dry_add_overflows(size, align + sizeof(uint64_t), &whole)) return NULL;
    char *raw = malloc(whole);
    return raw ? place(raw, align) : NULL;
}

void *dry_allocate(const struct dry_allocator *a, size_t size, size_t align)
{
    DRY_ASSERT(size > 0 && align > 0 && (align & (align - 1)) == 0);
    return a ? a->allocate(a->self, size, align) : malloc_aligned(size, align);
}

void dry_release(const struct dry_allocator *a, void *block, size_t size, size_t align)
{
    if (!block) return;
    if (a)
        a->release(a->self, block, size, align);
    else
        free(align <= MALLOC_ALIGN ? block : raw_of(block));
}

void *dry_resize(const struct dry_allocator *a, void *block, size_t old_size, size_t new_size, size_t align)
{
    if (!a && align <= MALLOC_ALIGN) return realloc(block, new_size);
    if (a && a->resize) return a->resize(a->self, block, old_size, new_size, align);
    void *moved = dry_allocate(a, new_size, align);
    if (!moved) return NULL;
    memcpy(moved, block, old_size < new_size ? old_size : new_size);
    dry_release(a, block, old_size, align);
    return moved;
}

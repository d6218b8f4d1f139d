/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * anonymous: a struct dry_memory of private pages of this process: zero where never written, grown by remapping.
 */
#ifndef DRY_ANONYMOUS_H
#define DRY_ANONYMOUS_H

#include "../base/base.h"
#include "../base/memory.h"

static inline enum dry_status dry_anonymous_resize(struct dry_memory *memory, size_t size_bytes)
{
    size_t size;
    void *at = NULL;
    if (dry_pages_overflow(size_bytes, &size)) return DRY_TOO_BIG;
    if (size == memory->size_bytes) return DRY_OK;
    if (size == 0)
        dry_pages_free(memory->at, memory->size_bytes);
    else
        at = memory->size_bytes ? dry_pages_resize(memory->at, memory->size_bytes, size) : dry_pages_new(size);
    if (size && !at) return DRY_NOMEM;
    memory->at = at;
    memory->size_bytes = size;
    return DRY_OK;
}

static inline void dry_anonymous_release(struct dry_memory *memory)
{
    if (memory->size_bytes) dry_pages_free(memory->at, memory->size_bytes);
    free(memory);
}

/* No pages yet; NULL = no memory for the struct. */
static inline struct dry_memory *dry_anonymous_new(void)
{
    struct dry_memory *memory = (struct dry_memory *)malloc(sizeof *memory);
    if (!memory) return NULL;
    *memory = (struct dry_memory){.resize = dry_anonymous_resize, .release = dry_anonymous_release};
    return memory;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * anonymous: a struct dry_memory of private pages of this process: whole pages, zero where never written, grown by
 * remapping. Here and not in base/os.c because buffer/ works by include only.
 *
 * mremap and MAP_ANONYMOUS stand in <sys/mman.h> only for programs that ask for more than C11 before their first include;
 * so both are said here.
 */
#ifndef DRY_ANONYMOUS_H
#define DRY_ANONYMOUS_H

#include "../base/base.h"
#include "../base/memory.h"

#include <sys/mman.h>

#ifndef _GNU_SOURCE
extern void *mremap(void *at, size_t size, size_t new_size, int flags, ...) __attribute__((nothrow, leaf));
#endif
enum { DRY_MAP_ANONYMOUS = 0x20, DRY_MREMAP_MAYMOVE = 1 };

/* The largest page in use on Linux; a multiple of every other, so that nothing has to be asked. */
#define DRY_ANONYMOUS_GRAIN ((size_t)64 << 10)

static inline enum dry_status dry_anonymous_resize(struct dry_memory *memory, size_t size_bytes)
{
    size_t size, grain = DRY_ANONYMOUS_GRAIN;
    void *at;
    if (__builtin_add_overflow(size_bytes, grain - 1, &size) || size > PTRDIFF_MAX) return DRY_TOO_BIG;
    size &= ~(grain - 1);
    if (size == memory->size_bytes) return DRY_OK;
    if (size == 0) {
        munmap(memory->at, memory->size_bytes);
        at = NULL;
    } else if (memory->size_bytes) {
        at = mremap(memory->at, memory->size_bytes, size, DRY_MREMAP_MAYMOVE);
    } else {
        at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | DRY_MAP_ANONYMOUS, -1, 0);
    }
    if (at == MAP_FAILED) return DRY_NOMEM;
    memory->at = at;
    memory->size_bytes = size;
    return DRY_OK;
}

static inline void dry_anonymous_release(struct dry_memory *memory)
{
    if (memory->size_bytes) munmap(memory->at, memory->size_bytes);
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

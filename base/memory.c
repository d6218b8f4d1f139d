/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The allocator of base.h with linkage; memory.h has the bodies, because buffer/ uses them without the library.
 */
#include "base.h"
#include "check.h"
#include "memory.h"

void *dry_allocate(const struct dry_allocator *a, size_t size, size_t align)
{
    DRY_ASSERT(size > 0 && align > 0 && (align & (align - 1)) == 0);
    return dry_inline_allocate(a, size, align);
}

void dry_release(const struct dry_allocator *a, void *block, size_t size, size_t align)
{
    dry_inline_release(a, block, size, align);
}

void *dry_resize(const struct dry_allocator *a, void *block, size_t old_size, size_t new_size, size_t align)
{
    return dry_inline_resize(a, block, old_size, new_size, align);
}

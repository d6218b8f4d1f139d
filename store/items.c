/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An array that grows and is handed out as one block. Its capacity stands in front of the items, because an allocator
 * must be told the size of what it takes back, and the caller only knows how many items are in use.
 */
#include "private.h"

#include <string.h>

#define HEAD DRY_ALIGN /* keeps the items aligned like the block */

void dry_items_free(const struct dry_allocator *a, void *items, size_t item_size)
{
    if (!items) return;
    char *block = (char *)items - HEAD;
    size_t capacity;
    memcpy(&capacity, block, sizeof capacity);
    dry_release(a, block, HEAD + capacity * item_size, DRY_ALIGN);
}

static bool grow(struct dry_items *b)
{
    size_t capacity, bytes, old_bytes = b->items ? HEAD + b->capacity * b->item_size : 0;
    if (dry_mul_overflows(b->capacity, 2, &capacity)) return false;
    if (capacity == 0) capacity = 8;
    if (dry_mul_overflows(capacity, b->item_size, &bytes) || dry_add_overflows(bytes, HEAD, &bytes)) return false;
    char *block = b->items ? dry_resize(b->a, (char *)b->items - HEAD, old_bytes, bytes, DRY_ALIGN)
                           : dry_allocate(b->a, bytes, DRY_ALIGN);
    if (!block) return false;
    memcpy(block, &capacity, sizeof capacity);
    b->capacity = capacity;
    b->items = block + HEAD;
    return true;
}

void *dry_items_add(struct dry_items *b)
{
    if (b->n == b->capacity && !grow(b)) return NULL;
    char *item = (char *)b->items + b->n++ * b->item_size;
    return memset(item, 0, b->item_size);
}

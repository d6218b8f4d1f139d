/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "bytes.h"
#include "../base/check.h"

#include <string.h>

enum { BYTES_FIRST = 1024 };

void dry_bytes_init(struct dry_bytes *b, const struct dry_allocator *a)
{
    *b = (struct dry_bytes){.allocator = a};
}

void dry_bytes_fini(struct dry_bytes *b)
{
    dry_release(b->allocator, b->data, b->cap, DRY_ALIGN);
    dry_bytes_init(b, b->allocator);
}

bool dry_bytes_room(struct dry_bytes *b, size_t n)
{
    size_t need, cap = b->cap ? b->cap : BYTES_FIRST;
    if (dry_add_overflows(b->len, n, &need)) return false;
    if (need <= b->cap) return true;
    while (cap < need)
        if (dry_mul_overflows(cap, 2, &cap)) return false;
    uint8_t *data = b->data ? dry_resize(b->allocator, b->data, b->cap, cap, DRY_ALIGN)
                            : dry_allocate(b->allocator, cap, DRY_ALIGN);
    if (!data) return false;
    b->data = data;
    b->cap = cap;
    return true;
}

enum dry_status dry_bytes_append(struct dry_bytes *b, const void *bytes, size_t n)
{
    if (!dry_bytes_room(b, n)) return DRY_NOMEM;
    if (n) memcpy(b->data + b->len, bytes, n);
    b->len += n;
    return DRY_OK;
}

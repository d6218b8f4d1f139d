/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. Bytes that grow, 64-byte aligned.
 */
#ifndef DRY_ARROW_BYTES_H
#define DRY_ARROW_BYTES_H

#include "../base/base.h"

struct dry_bytes {
    const struct dry_allocator *allocator;
    uint8_t *data;
    size_t len, cap;
};

void dry_bytes_init(struct dry_bytes *b, const struct dry_allocator *a);
void dry_bytes_fini(struct dry_bytes *b);
/* Room for n more behind `len`; false when there is no memory, and nothing has changed. Amortised O(1) a byte. */
bool dry_bytes_room(struct dry_bytes *b, size_t n) DRY_MUST_CHECK;
/* Copies n bytes to the end; `bytes` may be NULL when n is 0. */
enum dry_status dry_bytes_append(struct dry_bytes *b, const void *bytes, size_t n) DRY_MUST_CHECK;

#endif

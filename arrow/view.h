/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. One element of a string or binary view column: 16 bytes; up to 12 bytes of text lie in place,
 * longer ones in a variadic buffer (https://arrow.apache.org/docs/format/Columnar.html, "Variable-size Binary View").
 */
#ifndef DRY_ARROW_VIEW_H
#define DRY_ARROW_VIEW_H

#include <stdint.h>
#include <string.h>

enum { DRY_VIEW_BYTES = 16, DRY_VIEW_INLINE = 12 };

struct dry_bytes_view {
    int32_t length;
    union {
        uint8_t inlined[DRY_VIEW_INLINE];
        struct {
            uint8_t prefix[4];
            int32_t buffer, offset;
        } far;
    } u;
};
_Static_assert(sizeof(struct dry_bytes_view) == DRY_VIEW_BYTES, "the view is 16 bytes by format");

static inline struct dry_bytes_view dry_view_at(const uint8_t *views, int64_t i)
{
    struct dry_bytes_view v;
    memcpy(&v, views + i * DRY_VIEW_BYTES, sizeof v);
    return v;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. Bodies whose buffers are LZ4 frames or ZSTD: each begins with its uncompressed length as int64,
 * -1 meaning that it is stored as it is (Arrow's BodyCompression). The libraries are optional when drystone is built.
 */
#ifndef DRY_ARROW_COMPRESS_H
#define DRY_ARROW_COMPRESS_H

#include "message.h"
#include "../storage/storage.h"

/* Decompresses all places of `m` into a new storage and makes `m` describe that (codec NONE). No more than
 * max(64 MiB, 4096 * body) is made of a body. UNSUPPORTED names the library that this build lacks. */
enum dry_status dry_body_decompress(struct dry_message *m, const uint8_t *body, const char *where,
                                    const struct dry_allocator *a, struct dry_storage **out,
                                    struct dry_error *err) DRY_MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. Input bytes: a regular file read by position, memory, or a pipe read front to back.
 */
#ifndef DRY_ARROW_SOURCE_H
#define DRY_ARROW_SOURCE_H

#include "../base/base.h"
#include "../storage/storage.h"

struct dry_source {
    const struct dry_allocator *allocator;
    int fd;
    bool seekable;              /* a regular file, or memory */
    uint64_t start, size;       /* seekable: where the input begins in the file, and its bytes from there */
    struct dry_storage *memory; /* a file that came through a pipe; NULL otherwise */
    uint64_t at;                /* bytes read so far, front to back */
    uint8_t head[8];            /* the first bytes of a pipe, read ahead to see what it is; given again by take */
    size_t n_head;
};

/* Looks at the first 8 bytes (fewer if there are no more: *n), which are not used up. */
enum dry_status dry_source_open(struct dry_source *s, int fd, const struct dry_allocator *a, size_t *n,
                                struct dry_error *err) DRY_MUST_CHECK;
void dry_source_close(struct dry_source *s);
/* Exactly n bytes at `offset` of a seekable source; CORRUPT when it ends before. */
enum dry_status dry_source_read_at(const struct dry_source *s, uint64_t offset, size_t n, uint8_t *into,
                                   struct dry_error *err) DRY_MUST_CHECK;
/* The next n bytes, front to back; *got < n only at the end. */
enum dry_status dry_source_take(struct dry_source *s, size_t n, uint8_t *into, size_t *got,
                                struct dry_error *err) DRY_MUST_CHECK;
/* The next n bytes as a storage. What a pipe claims is not allocated before it has come: memory grows with the bytes.
 */
enum dry_status dry_source_take_storage(struct dry_source *s, uint64_t n, struct dry_storage **out,
                                        struct dry_error *err) DRY_MUST_CHECK;
/* Reads a pipe to its end into memory; the source is seekable from then on. */
enum dry_status dry_source_collect(struct dry_source *s, struct dry_error *err) DRY_MUST_CHECK;

#endif

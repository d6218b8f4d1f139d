/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * pages: what the kernel has allocated for the file of a segment, and the window through which its huge pages are
 * filled. Private to segment/.
 *
 *            0          copied                    promised       held
 *     file   |############|..........................|...........|
 *     window         |    .    2 MiB chunks on the grid of the file    |
 *                    ^ the chunk that holds the next byte to copy
 *
 * Invariants: every page of [0, held) is allocated (or the file system cannot); promised <= held; held - promised is
 * more than 0 only in a huge page; a chunk that is marked huge in the window has all its pages up to the file's end,
 * so that a store into it through the window cannot fail.
 */
#ifndef DRY_SEGMENT_PAGES_H
#define DRY_SEGMENT_PAGES_H

#include "../base/base.h"

struct dry_window {
    uint8_t *at;   /* NULL: there is none */
    uint64_t from; /* where in the file; both on the 2 MiB grid */
    size_t len;    /* bytes */
    uint8_t *huge; /* one flag for each chunk */
};

struct dry_pages {
    int fd; /* borrowed */
    const struct dry_allocator *allocator;
    uint64_t promised; /* bytes from the front that may be written */
    uint64_t held;
    uint64_t huge_bytes;
    struct dry_window window;
    bool may_collapse, may_allocate;
    unsigned batch; /* chunks in the next collapse */
    /* The watch on collapse: how many chunks in a row failed, or took longer than slow_ns each, and how long
     * together; then how many were written instead to compare, and how long together. */
    unsigned failed_chunks, slow_chunks, written_chunks;
    int64_t slow_ns, slow_sum_ns, write_sum_ns;
};

void dry_pages_init(struct dry_pages *p, int fd, const struct dry_allocator *a, bool in_memory);
void dry_pages_fini(struct dry_pages *p);
/* Allocates up to `end`; `next` is where the next byte will be copied. On failure all is as before. */
enum dry_status dry_pages_claim(struct dry_pages *p, uint64_t next, uint64_t end, struct dry_error *err);
/* Where to store the byte at `at`, or NULL where it has to be written; *run is how far that holds. */
uint8_t *dry_pages_at(const struct dry_pages *p, uint64_t at, size_t *run);
/* Closes the window and cuts the file to `size`. */
int dry_pages_trim(struct dry_pages *p, uint64_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * pages: what the kernel has allocated for the file of a segment, and the window, the writer's mapping, through which
 * it is filled. Private to segment/.
 *
 *            0          copied                    promised       held
 *     file   |############|..........................|...........|
 *     window |         .         .         .         .         .         |    2 MiB chunks; grown by remapping
 *
 * Invariants: every page of [0, held) is allocated (or has_holes, or the file system cannot); promised <= held; held - promised is
 * more than 0 only in a huge page. Through the window a store cannot fail where `solid` or a chunk's flag says so:
 * solid <= promised and <= the window, every page of [0, solid) is allocated; a chunk that is marked huge has all its
 * pages. All of it lies inside the file.
 */
#ifndef DRY_SEGMENT_PAGES_H
#define DRY_SEGMENT_PAGES_H

#include "../base/base.h"

struct dry_window {
    uint8_t *at;   /* NULL: there is none */
    size_t len;    /* bytes: whole chunks, or if it is less than half a one, pages */
    size_t taken;  /* addresses reserved for it, from `at` on; 0: none, it moves when it has to */
    uint8_t *huge; /* one flag for each chunk; none where the pages are reserved ones */
    size_t flags;
};

struct dry_pages {
    int fd; /* borrowed */
    const struct dry_allocator *allocator;
    uint64_t size;     /* the file is at least so long */
    uint64_t promised; /* bytes from the front that may be written */
    uint64_t held;
    uint64_t solid;
    uint64_t huge_bytes;
    struct dry_window window;
    bool may_collapse, may_allocate;
    bool has_holes; /* some of what is held is not allocated before it is written */
    bool must_hold;     /* pieces: all that is promised is solid, or is refused */
    bool reserved;      /* by the system, as huge pages (hugetlb): no write(2), no other pages */
    bool is_anonymous; /* a memfd: its mount has no limit to be asked for */
    uint64_t addresses; /* how many to reserve for the window; 0: none */
    uint64_t nodes;     /* NUMA nodes that pages are to come from, strictly if `bind`; 0: no wish */
    bool bind;
    int nodes_refused; /* errno: the wish was given up */
    unsigned batch;    /* chunks in the next collapse */
    /* The watch on collapse: how many chunks in a row failed, or took longer than slow_ns each, and how long
     * together; then how many were written instead to compare, and how long together. */
    unsigned failed_chunks, slow_chunks, written_chunks;
    int64_t slow_ns, slow_sum_ns, write_sum_ns;
};

void dry_pages_init(struct dry_pages *p, int fd, const struct dry_allocator *a, bool in_memory);
/* `is_child`: of a fork; the window was not inherited, and what lies there now is another's. */
void dry_pages_fini(struct dry_pages *p, bool is_child);
/* Allocates up to `end`. On failure all is as before, but that the window may have moved. */
enum dry_status dry_pages_claim(struct dry_pages *p, uint64_t end, struct dry_error *err);
/* From now on everything that is promised is solid. [0, written) has been written. */
enum dry_status dry_pages_hold(struct dry_pages *p, uint64_t written, struct dry_error *err);
/* Inside the window, where the chunks' flags decide. */
uint8_t *dry_pages_at_chunks(const struct dry_pages *p, uint64_t at, uint64_t n, size_t *run);
/* Where to store the byte at `at`, or NULL where it has to be written; *run is how far that holds, if it is not more
 * than `n` or one chunk. */
static inline uint8_t *dry_pages_at(const struct dry_pages *p, uint64_t at, uint64_t n, size_t *run)
{
    if (at < p->solid) {
        *run = (size_t)(p->solid - at);
        return p->window.at + at;
    }
    if (at < p->window.len) return dry_pages_at_chunks(p, at, n, run);
    *run = SIZE_MAX; /* behind the window, or there is none */
    return NULL;
}
/* Cuts the file to `size`, all of which has been written; the window stays or is closed. */
int dry_pages_trim(struct dry_pages *p, uint64_t size, bool keep_window);
/* After trim: the window over all of the file, which is then solid. */
int dry_pages_map_all(struct dry_pages *p);

/* As dry_room_check, for a memfd (room.c). */
enum dry_status dry_room_check_anonymous(uint64_t file_bytes, uint64_t n, struct dry_error *err);

/* ---- the window (window.c) ---- */
bool dry_window_covers(const struct dry_pages *p, uint64_t end);
/* Makes it cover [0, end); an errno: it is as before. */
int dry_window_grow(struct dry_pages *p, uint64_t end);
void dry_window_close(struct dry_pages *p);
/* Pages come from wherever the kernel takes them: `sys` is why. */
void dry_window_forgo_nodes(struct dry_pages *p, int sys);
/* `at` lies in it. */
bool dry_window_is_huge(const struct dry_pages *p, uint64_t at);
void dry_window_set_huge(struct dry_pages *p, uint64_t at, size_t chunks);
/* Chunks that begin at `from` or later are not huge any more; how many bytes that were. */
uint64_t dry_window_forget(struct dry_pages *p, uint64_t from);
/* Words for a window that cannot be had although it must: which limit, how much. */
enum dry_status dry_window_refused(int sys, uint64_t bytes, struct dry_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * segment: memory with a descriptor, so that another process can map the same pages.
 *
 * A segment is filled by one writer from front to back: reserve, then append; then it is viewed or mapped by readers.
 *
 *     reserve(n)   the next n bytes are allocated by the kernel, or there is an error and nothing was written;
 *     append(p,n)  copies; cannot run out of room inside what was reserved; small pieces are gathered first;
 *     finish()     writes what was gathered, gives unused reserved bytes back; from now on nothing is appended.
 *
 * How bytes get there fastest on a fresh file (docs/decisions/fill-path.md has the figures): from 1 MiB up, for each
 * 2 MiB `pwrite` of one byte and MADV_COLLAPSE, all of them before the first copy, then memcpy through a mapping
 * whose pages are all there. Where the kernel has no collapse, on a disk, for small segments, and for a tail that is
 * less than half a huge page: fallocate (if the file system has it), then pwrite. No byte is ever stored through a
 * mapping into a page that is not allocated: on a full mount that is SIGBUS. A tail that is at least half a huge page
 * takes a whole one, so a file may hold up to 1 MiB more than was appended (dry_segment_stat shows it).
 *
 * Thread rules: a segment belongs to one thread at a time. Storages made from it are free of it.
 * After fork the child must not use the parent's segment (its writable mapping is not inherited).
 */
#ifndef DRY_SEGMENT_H
#define DRY_SEGMENT_H

#include "../base/base.h"
#include "../storage/storage.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dry_segment;

/* An anonymous segment (memfd). `name` is for people (it shows in /proc); at most 200 bytes, INVALID beyond. */
DRY_API enum dry_status dry_segment_new(const char *name, const struct dry_allocator *a, struct dry_segment **out,
                                        struct dry_error *err) DRY_MUST_CHECK;
/* Over an empty regular file that is open read-write (INVALID otherwise); takes `fd` over, also the closing, unless
 * it fails. */
DRY_API enum dry_status dry_segment_adopt_fd(int fd, const struct dry_allocator *a, struct dry_segment **out,
                                             struct dry_error *err) DRY_MUST_CHECK;
/* Closes, unmaps; storages made by dry_segment_map stay valid. NULL is allowed. */
DRY_API void dry_segment_free(struct dry_segment *s);
/* Borrows the read-write descriptor. It must not be passed to another process. The file has all bytes and its right
 * size only after dry_segment_finish. */
DRY_API int dry_segment_fd(const struct dry_segment *s);

/* Makes room for `n` more bytes after what was appended. Checks the mount, RLIMIT_FSIZE and the memory cgroups first
 * (dry_room_check), then has the kernel allocate. FULL: which limit, how much was needed and is free, and the cures;
 * TOO_BIG beyond 2^63; FIXED after finish. On failure the segment is as it was, and may be used with a smaller n. On
 * an empty segment it takes exactly n; later, where new pages are needed, it takes more if that is to be had, twice
 * as much every time up to 64 MiB, so that one call per batch is cheap. */
DRY_API enum dry_status dry_segment_reserve(struct dry_segment *s, uint64_t n, struct dry_error *err) DRY_MUST_CHECK;
/* Copies n bytes to the end. FULL only beyond what was reserved (append reserves by itself, as a further reserve
 * does, when the caller did not), or on a file system that cannot reserve. On failure nothing counts as appended. */
DRY_API enum dry_status dry_segment_append(struct dry_segment *s, const void *bytes, size_t n, struct dry_error *err)
    DRY_MUST_CHECK;
/* n zero bytes. */
DRY_API enum dry_status dry_segment_append_zeros(struct dry_segment *s, size_t n, struct dry_error *err)
    DRY_MUST_CHECK;
/* Bytes appended so far. */
DRY_API uint64_t dry_segment_size(const struct dry_segment *s);
/* Writes out, unmaps, trims to what was appended. May be called again after a failure, and after success. */
DRY_API enum dry_status dry_segment_finish(struct dry_segment *s, struct dry_error *err) DRY_MUST_CHECK;

enum dry_fill { DRY_FILL_NONE, DRY_FILL_WRITE, DRY_FILL_COLLAPSE, DRY_FILL_MIXED };
struct dry_segment_stat {
    uint64_t used_bytes; /* appended */
    uint64_t held_bytes; /* allocated by the kernel */
    uint64_t huge_bytes; /* of them in whole huge pages, through collapse */
    enum dry_fill fill;
};
DRY_API enum dry_status dry_segment_stat(const struct dry_segment *s, struct dry_segment_stat *out,
                                         struct dry_error *err) DRY_MUST_CHECK;

/* ---- reading ---- */
/* Maps a whole file or memfd read-only (aligned to 2 MiB from 1 MiB up) and returns it as a storage whose release
 * unmaps. `fd` may be closed afterwards. O(1). The file must not be truncated while it is mapped: a reader would die
 * of SIGBUS; published tables and sealed memfds are not. INVALID for what is not a regular file; a size of 0 gives a
 * storage of length 0. */
DRY_API enum dry_status dry_segment_map(int fd, const struct dry_allocator *a, struct dry_storage **out,
                                        struct dry_error *err) DRY_MUST_CHECK;
/* Faults the pages of a part of a mapping in, so that the first reader does not wait; a hint that may do nothing. */
DRY_API void dry_segment_prefault(const void *bytes, size_t n);

/* ---- room ---- */
/* Whether `n` more bytes fit into the file system of `fd` for this process: mount, RLIMIT_FSIZE (against
 * file_bytes + n), and, where the file system is in memory, every memory cgroup above us (pages of a disk's files can
 * be written back instead). The cgroup part is advisory: the kernel answers its shortage with SIGKILL, not with an
 * error, and others may take the room first. FULL with the limit, the need, the rest, the cures. */
DRY_API enum dry_status dry_room_check(int fd, uint64_t file_bytes, uint64_t n, struct dry_error *err) DRY_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

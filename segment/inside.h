/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * inside: what the files of segment/ share about a segment. Private to segment/.
 *
 *     segment.c   making, freeing, options, stat       protect.c   offer, protect, seal, claim, take back
 *     fill.c      reserve, append, finish, rewind      map.c       mappings that are storages
 *     piece.c     memory in it that grows              attach.c    what another process made
 *     header.c    the 64 bytes in front                pages.c, window.c, room.c   where the bytes go
 */
#ifndef DRY_SEGMENT_INSIDE_H
#define DRY_SEGMENT_INSIDE_H

#include "segment.h"
#include "pages.h"
#include "../base/os.h"

/* Small pieces are gathered here, so that a small table costs a few system calls in all. */
#define STAGE_BYTES ((size_t)64 << 10)
/* What is reserved beyond what was asked for: this first, twice as much every time, this at most. */
#define FIRST_STEP ((uint64_t)64 << 10)
#define LAST_STEP ((uint64_t)64 << 20)

struct dry_piece;

struct dry_segment {
    struct dry_own_fd own; /* the read-write description; -1: this is the child of a fork */
    const struct dry_allocator *allocator;
    struct dry_pages pages;
    uint64_t used;                  /* added so far, the staged bytes included */
    uint64_t dirty;                 /* behind `used`, bytes up to here may not be zero */
    uint8_t *stage;                 /* STAGE_BYTES, or NULL: not needed yet */
    size_t staged;                  /* bytes in it: the last ones of `used`, not in the file yet */
    uint64_t step;                  /* the next growth; 0 = nothing was reserved yet */
    struct dry_piece *first, *last; /* pieces, by where they begin */
    uint64_t moved_bytes, lost_bytes;
    struct dry_segment_options options;
    unsigned threads_used;
    bool is_memfd, formatted, finished;
    bool offered;     /* the mode lets others open it read-write now */
    bool lent;        /* it was offered since it was last protected: somebody may have it read-write */
    bool size_sealed; /* it was protected once: the kernel lets its size never change, and nobody map it anew */
    bool claimed;     /* the lease is held */
    bool unsure; /* its pages were made by somebody else: they are looked for before anything is stored in them */
    bool not_prefaulted, not_mapped; /* though it was wished */
    enum dry_class protection;       /* of a memfd: OPEN, ANONYMOUS or SEALED */
    int64_t generation;              /* the last one; 0: none yet */
    const char *missing;             /* why it is no segment of reserved huge pages though it should; or NULL */
    struct dry_error error;          /* of the last resize of a piece that failed */
};

/* DENIED, with words, in the child of a fork. The first thing that every function does. */
enum dry_status dry_segment_check_own(const struct dry_segment *s, struct dry_error *err);

/* ---- filling (fill.c) ---- */
/* Room for n more bytes; by steps, so that many small requests are cheap. */
enum dry_status dry_segment_grow(struct dry_segment *s, uint64_t n, struct dry_error *err);
/* Writes what is staged. */
enum dry_status dry_segment_flush(struct dry_segment *s, struct dry_error *err);
/* Puts bytes where some are already, through the window or by write(2). */
enum dry_status dry_segment_store(struct dry_segment *s, uint64_t at, const void *bytes, size_t n,
                                  struct dry_error *err);
/* The end goes back; what lies behind it is not zero. */
void dry_segment_end_at(struct dry_segment *s, uint64_t end);

/* ---- pieces (piece.c) ---- */
/* n bytes at the next multiple of 64, through the window: zeros, and zeros in the gap before. */
enum dry_status dry_segment_place(struct dry_segment *s, uint64_t n, uint64_t *at, struct dry_error *err);
/* The window has moved. */
void dry_pieces_follow(struct dry_segment *s);
/* Those that begin at `from` or later are gone; one that lies across it ends there. */
void dry_pieces_cut(struct dry_segment *s, uint64_t from);

/* ---- header (header.c) ---- */
struct dry_header {
    uint8_t magic[8];
    uint32_t version, header_bytes;
    uint64_t layout, payload_bytes;
    uint8_t zero[32];
};
#define DRY_HEADER_SIZE 64u
_Static_assert(sizeof(struct dry_header) == DRY_HEADER_SIZE, "as docs/formats/segment.md says");
enum dry_header_state { DRY_HEADER_NONE, DRY_HEADER_BEGUN, DRY_HEADER_WHOLE };
/* Says how much there is, then that it is whole; or that it is being changed. Nothing on a segment without one. */
enum dry_status dry_header_complete(struct dry_segment *s, struct dry_error *err);
enum dry_status dry_header_begin_again(struct dry_segment *s, struct dry_error *err);
uint64_t dry_header_layout(const char *layout);
/* Copies the header out of a foreign file and looks at it. CORRUPT, LAYOUT (if `layout` is not NULL). */
enum dry_status dry_header_check(int fd, uint64_t file_bytes, const char *layout, bool begun_will_do,
                                 struct dry_header *out, enum dry_header_state *state, struct dry_error *err);

/* ---- attaching (attach.c) ---- */
/* As dry_segment_attach, with a read-only description of our own, which is taken over unless it fails. */
enum dry_status dry_attach_own(int own, const struct dry_attach_options *options, const struct dry_allocator *a,
                               struct dry_view *out, struct dry_attached *about, struct dry_error *err);

/* ---- mappings (map.c) ---- */
/* Maps [0, file_bytes) of `fd` read-only, as a storage that shows `len` bytes from `skip` on and takes over `keep`, a
 * descriptor or -1, unless it fails. file_bytes > 0. */
enum dry_status dry_mapping_new(int fd, uint64_t file_bytes, uint64_t skip, uint64_t len, int keep,
                                const struct dry_allocator *a, struct dry_storage **out, struct dry_error *err);
/* INVALID unless it is a regular file. */
enum dry_status dry_check_regular(int fd, struct dry_os_stat *out, struct dry_error *err);

#endif

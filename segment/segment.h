/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * segment: memory with a descriptor, so that other processes can map the same pages.
 *
 *      the writer                            the kernel                          anybody else
 *      dry_segment ---- own read-write ----> file or memfd <--- read-only ------ dry_view (a mapping that
 *        append, pieces     description      class, seals,      descriptions,    goes with its last view)
 *        (its mapping is     (never passed)  mode, generation   one each
 *        not inherited)
 *
 * There is one writer. It fills a segment from front to back in two ways, which may alternate:
 *
 *     reserve(n)   the next n bytes are allocated by the kernel, or there is an error and nothing was written;
 *     append(p,n)  copies; cannot run out of room inside what was reserved; small bytes are gathered first;
 *     piece(n)     n bytes of it as a struct dry_memory, in which any `mapped` vec or deque lives and grows;
 *     finish()     writes what was gathered, gives unused reserved bytes back; from now on nothing is added.
 *
 * Then it is protected. Three classes, and none is two of them (who can do what then: docs/sharing.md):
 *
 *     NAMED      a file that has a path. Mode 0400, no seals: safe from accidents, not from a hostile process of the
 *                same user, who can truncate it (its readers die of SIGBUS).
 *     ANONYMOUS  a memfd sealed against resizing and against every new writer. Its writer alone can write; it may
 *                take the segment back when nobody else has it open or mapped, and protect it again.
 *     SEALED     a memfd that nobody can write any more, for ever.
 *
 * How bytes get there fastest on a fresh file (docs/decisions/fill-path.md has the figures): from 1 MiB up, for each
 * 2 MiB `pwrite` of one byte and MADV_COLLAPSE, all of them before the first copy, then memcpy through a mapping
 * whose pages are all there. Where the kernel has no collapse, on a disk, for small segments, and for a tail that is
 * less than half a huge page: fallocate (if the file system has it), then pwrite; below 1 MiB pwrite alone. No byte is ever stored through a
 * mapping into a page that is not allocated: on a full mount that is SIGBUS. A tail that is at least half a huge page
 * takes a whole one, so a file may hold up to 1 MiB more than was appended (dry_segment_stat shows it).
 *
 * Thread rules: a segment, and its pieces, belong to one thread at a time. Storages and views made from it are free
 * of it. fork: the child has the parent's views; the parent's segment is DENIED to it (its descriptor is closed
 * there, its writable mapping not inherited), and may only be freed. vfork, spawn: nothing is left after exec.
 */
#ifndef DRY_SEGMENT_H
#define DRY_SEGMENT_H

#include "../base/base.h"
#include "../base/memory.h"
#include "../storage/storage.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dry_segment;

/* ---- making one ---- */
/* An anonymous segment (memfd), all zeros. `name` is for people (it shows in /proc); at most 200 bytes, INVALID
 * beyond. Nobody else can open it before it is offered or protected. */
DRY_API enum dry_status dry_segment_new(const char *name, const struct dry_allocator *a, struct dry_segment **out,
                                        struct dry_error *err) DRY_MUST_CHECK;
/* The same out of the pages that the system has reserved as huge (vm.nr_hugepages), for pieces only: append is
 * UNSUPPORTED, its size is a multiple of 2 MiB. Where there are not `bytes` of them it is an ordinary segment, and
 * `stat` says so. */
DRY_API enum dry_status dry_segment_new_huge(const char *name, uint64_t bytes, const struct dry_allocator *a,
                                             struct dry_segment **out, struct dry_error *err) DRY_MUST_CHECK;
/* Over an empty regular file that is open read-write (INVALID otherwise); takes `fd` over, also the closing, unless
 * it fails. */
DRY_API enum dry_status dry_segment_adopt_fd(int fd, const struct dry_allocator *a, struct dry_segment **out,
                                             struct dry_error *err) DRY_MUST_CHECK;
/* The same over a file that was filled and finished before, by whomever, to be filled anew: claim it, then rewind.
 * `fd`, open in any way, stays the caller's, who closes it before he claims; the segment opens the file once more,
 * read-write, which its mode has to allow for the moment. INVALID: no regular file, empty, or with holes. */
DRY_API enum dry_status dry_segment_adopt_used(int fd, const struct dry_allocator *a, struct dry_segment **out,
                                               struct dry_error *err) DRY_MUST_CHECK;
/* Closes, unmaps; storages and views stay valid. Pieces that are still out are gone. NULL is allowed. */
DRY_API void dry_segment_free(struct dry_segment *s);
/* Borrows the read-write descriptor (-1 in the child of a fork). It must not be passed to another process. The file
 * has all bytes and its right size only after dry_segment_finish. */
DRY_API int dry_segment_fd(const struct dry_segment *s);

/* How it is filled; all 0: as it comes. To be set before the first byte. */
struct dry_segment_options {
    unsigned threads;        /* copies of 32 MiB and more are shared by so many (at most 16; 0 and 1: none is made) */
    bool prefault;           /* a piece's pages are mapped before it is handed out, instead of at the first store */
    uint64_t address_bytes;  /* so many addresses are set aside for it (or as many as can be had), and it never moves:
                                a piece's `at` stays while it grows in place. Beyond them growing is NOMEM. 0: it
                                moves */
    bool keep_mapped;        /* finish leaves the writer's mapping in place, so that it can rewind */
    uint64_t numa_nodes;     /* bit i = node i: its pages come from these, in turn; 0: as the process says */
    bool numa_bind;          /* ... or from nowhere else */
};
/* INVALID after the first byte. What this system cannot do is left out, and dry_segment_stat says so. */
DRY_API enum dry_status dry_segment_set_options(struct dry_segment *s, const struct dry_segment_options *options,
                                                struct dry_error *err) DRY_MUST_CHECK;

/* ---- filling ---- */
/* Makes room for `n` more bytes after what was appended. Checks the mount, RLIMIT_FSIZE and the memory cgroups first
 * (dry_room_check), then has the kernel allocate (from 1 MiB on, and for pieces; the pages of less come as it is
 * written, and a shortage is an error of that). FULL: which limit, how much was needed and is free, and the cures;
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
/* Overwrites what was appended before. INVALID outside of it; DENIED once it is protected. */
DRY_API enum dry_status dry_segment_write_at(struct dry_segment *s, uint64_t at, const void *bytes, size_t n,
                                             struct dry_error *err) DRY_MUST_CHECK;
/* Bytes appended so far, pieces and what lies before them included. */
DRY_API uint64_t dry_segment_size(const struct dry_segment *s);
/* Writes out, unmaps, trims to what was appended. May be called again after a failure, and after success. */
DRY_API enum dry_status dry_segment_finish(struct dry_segment *s, struct dry_error *err) DRY_MUST_CHECK;

/* Gives back what is reserved beyond what was added. Never needed; `finish` does it too. */
DRY_API void dry_segment_give_back(struct dry_segment *s);

/* ---- building in place ---- */
/* A piece: `size` zero bytes (whatever was there, after rewind; 0 is allowed) at the end, 64-byte aligned in the
 * file and in memory. It grows in place while it is the last thing in the segment, to just what is asked; else it
 * moves to the end, which copies it and leaves a gap (stat: moved_bytes, lost_bytes), and takes up to half as much
 * again, so that pieces that grow by turns do not move each time. Its `at` changes whenever the segment grows:
 * read it anew for each access. Its release gives its bytes back if it was the last. After finish its size is
 * FIXED. FULL, TOO_BIG, NOMEM: as before. Resizing fails with a status only; dry_segment_error has the words. */
DRY_API enum dry_status dry_segment_piece(struct dry_segment *s, uint64_t size, struct dry_memory **out,
                                          struct dry_error *err) DRY_MUST_CHECK;
/* Where in the file the piece begins, in bytes. */
DRY_API uint64_t dry_segment_piece_offset(const struct dry_memory *piece);
/* Ends the segment at `size`, 64-byte aligned or its end (which changes nothing): pieces that begin there or later
 * are gone, one that lies across it ends there. INVALID beyond, and inside of the header. */
DRY_API enum dry_status dry_segment_cut(struct dry_segment *s, uint64_t size, struct dry_error *err) DRY_MUST_CHECK;
/* What the last failed resize of a piece of `s` had to say. */
DRY_API const struct dry_error *dry_segment_error(const struct dry_segment *s);
/* The common case in one call: a formatted anonymous segment (below) with n zero elements. INVALID: no elements, or
 * elements of size 0. The piece is writable until dry_segment_protect or _seal. */
DRY_API enum dry_status dry_segment_new_array(const char *name, const char *layout, uint64_t n, size_t elem_size,
                                              const struct dry_allocator *a, struct dry_segment **out,
                                              struct dry_memory **elements, struct dry_error *err) DRY_MUST_CHECK;

/* ---- saying what it is ---- */
/* Begins an empty segment with a header of 64 bytes (docs/formats/segment.md): magic, version, size, and a
 * fingerprint of `layout`, which is any text in which the programs that share it say what lies there ("u64[3],
 * then f64"). The magic is written last, by protect and seal (of a file: by finish). What others attach is what
 * follows the header. */
DRY_API enum dry_status dry_segment_format(struct dry_segment *s, const char *layout, struct dry_error *err)
    DRY_MUST_CHECK;

/* ---- protecting ---- */
enum dry_class { DRY_CLASS_OPEN, DRY_CLASS_NAMED, DRY_CLASS_ANONYMOUS, DRY_CLASS_SEALED };
/* "open", "named", "anonymous", "sealed". Static. */
DRY_API const char *dry_class_name(enum dry_class c);
/* Lets other processes of this user attach it read-write while it is built (a parent and its workers, each in
 * bytes of its own), or no longer. Who has it keeps it. Anonymous segments that are not protected. The size is
 * then FIXED. */
DRY_API enum dry_status dry_segment_offer(struct dry_segment *s, bool writable, struct dry_error *err) DRY_MUST_CHECK;
/* Finishes and makes it ANONYMOUS; pieces stay where they are, with a fixed size, and must not be written any more
 * (the writer can: readers trust it). SHARED: it was offered, and a worker still has it open or mapped. */
DRY_API enum dry_status dry_segment_protect(struct dry_segment *s, struct dry_error *err) DRY_MUST_CHECK;
/* Finishes and makes it SEALED; pieces are gone. SHARED: a worker still maps it read-write; nothing has changed. */
DRY_API enum dry_status dry_segment_seal(struct dry_segment *s, struct dry_error *err) DRY_MUST_CHECK;
/* ANONYMOUS only: makes it writable again, with the size that it has, if nobody else has it open or mapped, in any
 * process, foreign programs included; its pieces may be written again. Every handle that was given out is dead from
 * then on. SHARED: somebody has, or is just opening it; also the writer's own views. The kernel decides (a lease), so
 * a killed process cannot leave it wrong. Not seen: a descriptor opened with O_PATH, which reads nothing itself. */
DRY_API enum dry_status dry_segment_take_back(struct dry_segment *s, struct dry_error *err) DRY_MUST_CHECK;
/* The two halves of taking back, for who reuses a file: claim holds the kernel's promise that nobody else has it
 * open or mapped (SHARED: somebody has; UNSUPPORTED: this file system cannot promise), and whoever opens it
 * meanwhile waits, 45 s at most, after which the kernel lets him in: so make it unreadable first and whole last.
 * disclaim lets them go on. */
DRY_API enum dry_status dry_segment_claim(struct dry_segment *s, struct dry_error *err) DRY_MUST_CHECK;
DRY_API void dry_segment_disclaim(struct dry_segment *s);
/* Begins anew in the pages that it has: nothing is added yet, all that it holds is reserved and mapped, pieces are
 * gone. After finish with keep_mapped (and claim), or take_back. The old bytes are still there. */
DRY_API enum dry_status dry_segment_rewind(struct dry_segment *s, struct dry_error *err) DRY_MUST_CHECK;
/* Borrows the writer's own mapping of all of it; NULL where there is none. */
DRY_API const void *dry_segment_bytes(const struct dry_segment *s);
/* All of it (a formatted one: without the header) through a read-only description of its own. After protect, seal, or
 * finish of a file; not while it is claimed, when to open it would be to wait for oneself. */
DRY_API enum dry_status dry_segment_view(struct dry_segment *s, struct dry_view *out, struct dry_error *err)
    DRY_MUST_CHECK;

/* ---- what it holds ---- */
enum dry_fill { DRY_FILL_NONE, DRY_FILL_WRITE, DRY_FILL_COLLAPSE, DRY_FILL_MIXED, DRY_FILL_HUGETLB };
struct dry_segment_stat {
    uint64_t used_bytes; /* appended */
    uint64_t held_bytes; /* allocated by the kernel */
    uint64_t huge_bytes; /* of them in whole huge pages, through collapse or reserved ones */
    enum dry_fill fill;
    enum dry_class protection;
    bool offered;        /* read-write */
    uint64_t moved_bytes, lost_bytes; /* pieces that had to move, in all; gaps that they left */
    unsigned threads;    /* the most that one copy was shared by */
    /* What was asked for and could not be had; "" or words for a person. */
    char missing[120];
    /* The memory cgroup that the pages are charged to for as long as they live, whoever uses them: that of the
     * process that filled them. "" where there is none. */
    char charged_to[200];
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
/* Faults the pages of a part of a mapping in, so that the first reader does not wait; a hint that may do nothing. For
 * the buffers that will be read, never for a whole file: reading a hole allocates it. */
DRY_API void dry_segment_prefault(const void *bytes, size_t n);

/* ---- attaching what another process made; `fd` comes from segment/pass.h or from open ---- */
struct dry_attach_options {
    enum dry_class at_least; /* DENIED for less: OPEN accepts all, SEALED sealed ones only, ANONYMOUS both memfds */
    const char *layout;      /* LAYOUT unless it is formatted with just this; NULL: whatever it is */
};
struct dry_attached {
    enum dry_class protection; /* OPEN: its writer is not done, or it is a file that may be written */
    bool formatted;            /* has our header, which has been checked */
    uint64_t layout;           /* fingerprint; 0 if not formatted */
    uint64_t file_bytes;
};
/* Maps it read-only. Checked before a byte is used: kind, size, protection, and the header: CORRUPT (it names a
 * size that the file does not have, or its version is unknown), LAYOUT, DENIED. A plain Arrow file is accepted as
 * what it is. `fd` stays the caller's and may be closed: a description of its own is taken, which the view keeps
 * (dry_segment_fd_of). `options` and `about` may be NULL. */
DRY_API enum dry_status dry_segment_attach(int fd, const struct dry_attach_options *options,
                                           const struct dry_allocator *a, struct dry_view *out,
                                           struct dry_attached *about, struct dry_error *err) DRY_MUST_CHECK;
/* The same look without mapping anything. */
DRY_API enum dry_status dry_segment_about(int fd, struct dry_attached *out, struct dry_error *err) DRY_MUST_CHECK;
/* Maps it read-write, where its owner offers it; DENIED where not, or not any more. What follows the header. The
 * size is the file's: resize takes in what its owner has added since, and is FIXED beyond. `release` unmaps.
 * Inherited over fork: the owner's protect and seal wait for every such mapping. */
DRY_API enum dry_status dry_segment_attach_write(int fd, const char *layout, const struct dry_allocator *a,
                                                 struct dry_memory **out, struct dry_error *err) DRY_MUST_CHECK;
/* The read-only descriptor behind a storage that was made by attach or view, also after clone and slice; -1: none.
 * Borrowed; it goes with the mapping, when the last view goes. */
DRY_API int dry_segment_fd_of(const struct dry_storage *s);

/* ---- who uses it ---- */
/* How many of these mapped bytes are in memory (whole pages). NOMEM: they are not mapped. */
DRY_API enum dry_status dry_segment_resident(const void *bytes, size_t n, uint64_t *out, struct dry_error *err)
    DRY_MUST_CHECK;
struct dry_mapper {
    int64_t pid;
    char command[32];
    uint64_t resident_bytes; /* of this file in that process */
    uint64_t share_bytes;    /* its proportional share (PSS) */
    uint64_t huge_bytes;     /* of resident_bytes through huge pages */
};
/* Who maps the file now, as far as /proc lets this user see: other users' processes are missing. *out is one
 * block, of *n, freed with dry_mappers_free. O(processes). */
DRY_API enum dry_status dry_segment_mappers(int fd, const struct dry_allocator *a, struct dry_mapper **out, size_t *n,
                                            struct dry_error *err) DRY_MUST_CHECK;
DRY_API void dry_mappers_free(const struct dry_allocator *a, struct dry_mapper *mappers, size_t n);

/* ---- room ---- */
/* Whether `n` more bytes fit into the file system of `fd` for this process: mount, RLIMIT_FSIZE (against
 * file_bytes + n), and, where the file system is in memory, every memory cgroup above us and what the system has
 * left (pages of a disk's files can be written back instead). The memory part is advisory: the kernel answers a
 * shortage with SIGKILL, not with an error, and others may take the room first. FULL with the limit, the need, the
 * rest, the cures. */
DRY_API enum dry_status dry_room_check(int fd, uint64_t file_bytes, uint64_t n, struct dry_error *err) DRY_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

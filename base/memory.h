/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * memory: where room comes from, and how it changes hands. Two seams, so that buffer, storage and segment need not
 * know each other, and the inline functions behind both (buffer/ works without the library):
 *
 *     buffer  <--- struct dry_memory ---  segment     room that somebody else grows, seen by buffer's `mapped` layer
 *     buffer  ---- struct dry_raw ----->  storage     the room of a collection, taken apart, and back again
 *
 * A block of our own heap keeps room in front, so that a storage can put its header there and adopt the bytes without
 * an allocation or a copy. With `align` 64 and `front` 64 it looks like this:
 *
 *     malloc's block                          `at`, a multiple of `align`
 *     v                                       v
 *     +-------------+----------+--------------+---------------------------------------------+
 *     | 8 to 56     | distance |   front      |   size                                      |
 *     +-------------+----------+--------------+---------------------------------------------+
 *                     8 bytes     64 bytes        a multiple of 64 bytes
 *
 * `distance` leads from `at` back to malloc's block; the other bytes in front are the holder's. Alignment is made by
 * hand because glibc's aligned_alloc costs five times as much (docs/decisions/aligned-by-hand.md).
 *
 * Can be included from C++. Any thread may call anything here; one block is one thread's at a time.
 */
#ifndef DRY_MEMORY_H
#define DRY_MEMORY_H

#include "base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What a block of our own heap keeps free in front of its first byte: a storage's header has to fit. */
#define DRY_FRONT_BYTES 64u

/* ---- pages of this process ----------------------------------------------------------------------------------------
 * Private, zero, grown by remapping and never copied. From 2 MiB on they begin at a multiple of 2 MiB and ask for
 * huge pages: one fault instead of 512, and such pages are only moved whole to an address of the same alignment.
 *
 * These system calls stand here and not in base/os.c because buffer/ works by include only. mremap and MAP_ANONYMOUS
 * are in <sys/mman.h> only for programs that ask for more than C11 before their first include, so both are said
 * here. */
#ifndef _GNU_SOURCE
#ifdef __cplusplus
extern "C" {
#endif
extern void *mremap(void *at, size_t size, size_t new_size, int flags, ...) __attribute__((nothrow, leaf));
extern int madvise(void *at, size_t size, int advice) __attribute__((nothrow, leaf));
#ifdef __cplusplus
}
#endif
#endif
enum { DRY_MAP_ANONYMOUS = 0x20, DRY_MREMAP_MAYMOVE = 1, DRY_MREMAP_FIXED = 2, DRY_MADV_HUGEPAGE = 14 };

#define DRY_HUGE_PAGE_BYTES ((size_t)2 << 20)
#define DRY_ANY_PAGE_BYTES ((size_t)64 << 10) /* a multiple of the page size, whatever it is */

/* Rounds up to what is mapped; true = too big. */
static inline bool dry_pages_overflow(size_t size, size_t *whole)
{
    size_t grain = size < DRY_HUGE_PAGE_BYTES ? DRY_ANY_PAGE_BYTES : DRY_HUGE_PAGE_BYTES;
    if (size > PTRDIFF_MAX - 2 * DRY_HUGE_PAGE_BYTES) return true;
    *whole = (size + grain - 1) & ~(grain - 1);
    return false;
}

static inline char *dry_pages_reserve(size_t size, int rights)
{
    size_t slack = size < DRY_HUGE_PAGE_BYTES ? 0 : DRY_HUGE_PAGE_BYTES;
    char *raw = (char *)mmap(NULL, size + slack, rights, MAP_PRIVATE | DRY_MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) return NULL;
    if (slack == 0) return raw;
    size_t before = (slack - (uintptr_t)raw % slack) % slack;
    if (before) munmap(raw, before);
    if (slack - before) munmap(raw + before + size, slack - before);
    return raw + before;
}

/* `size` > 0, rounded by dry_pages_overflow. NULL = no memory. */
static inline void *dry_pages_new(size_t size)
{
    char *at = dry_pages_reserve(size, PROT_READ | PROT_WRITE);
    if (at && size >= DRY_HUGE_PAGE_BYTES) (void)madvise(at, size, DRY_MADV_HUGEPAGE);
    return at;
}

static inline void dry_pages_free(void *at, size_t size) { munmap(at, size); }

/* Both sizes rounded and > 0. NULL = no memory, nothing has changed. */
static inline void *dry_pages_resize(void *at, size_t size, size_t new_size)
{
    void *now = mremap(at, size, new_size, 0);
    if (now == MAP_FAILED) {
        char *to = dry_pages_reserve(new_size, PROT_NONE);
        if (!to) return NULL;
        now = mremap(at, size, new_size, DRY_MREMAP_MAYMOVE | DRY_MREMAP_FIXED, to);
    } /* if that failed, `to` may be another thread's by now: rather lose the addresses than unmap its memory */
    if (now == MAP_FAILED) return NULL;
    if (new_size >= DRY_HUGE_PAGE_BYTES) (void)madvise(now, new_size, DRY_MADV_HUGEPAGE);
    return now;
}

/* ---- blocks of our own heap ---------------------------------------------------------------------------------------
 * `align` is a power of two, `front` a multiple of 16; both are given again with every call. A block with a front is
 * pages of its own instead of malloc's when it grows above DRY_MAP_GROWN_BYTES or is asked for at once above
 * DRY_MAP_NEW_BYTES: then it grows by remapping, and `distance` is the size of the mapping, marked. Below, malloc's
 * habit of keeping freed blocks is worth more (docs/decisions/buffers-large-blocks.md). */
#define DRY_MAP_GROWN_BYTES DRY_HUGE_PAGE_BYTES
#define DRY_MAP_NEW_BYTES (2 * DRY_HUGE_PAGE_BYTES)
#define DRY_BLOCK_MAPPED ((uint64_t)1 << 63)

/* What malloc aligns to anyway. */
#define DRY_MALLOC_ALIGN (2 * sizeof(size_t))

static inline bool dry_block_is_plain(size_t align, size_t front) { return front == 0 && align <= DRY_MALLOC_ALIGN; }
static inline bool dry_block_may_map(size_t align, size_t front) { return front && align < DRY_HUGE_PAGE_BYTES; }

/* Where the bytes begin in malloc's block `raw`. At most front + align bytes are lost: raw + 8 is never aligned. */
static inline char *dry_block_place(char *raw, size_t align, size_t front)
{
    uintptr_t at = ((uintptr_t)raw + front + sizeof(uint64_t) + align - 1) & ~(uintptr_t)(align - 1);
    return raw + (at - (uintptr_t)raw);
}

static inline void *dry_block_note(char *at, uint64_t distance, size_t front)
{
    memcpy(at - front - sizeof distance, &distance, sizeof distance);
    return at;
}

static inline uint64_t dry_block_noted(const void *at, size_t front)
{
    uint64_t distance;
    memcpy(&distance, (const char *)at - front - sizeof distance, sizeof distance);
    return distance;
}

/* What has to be had from malloc, or (in whole pages) from mmap; true = too much. An alignment below malloc's own is
 * raised to it. */
static inline bool dry_block_overflows(size_t size, size_t *align, size_t front, bool maps, size_t *whole)
{
    if (*align < DRY_MALLOC_ALIGN) *align = DRY_MALLOC_ALIGN;
    if (__builtin_add_overflow(size, *align + front, whole)) return true;
    return maps && dry_pages_overflow(*whole, whole);
}

static inline void *dry_block_make(size_t size, size_t align, size_t front, bool maps)
{
    size_t whole;
    if (dry_block_overflows(size, &align, front, maps, &whole)) return NULL;
    char *raw = (char *)(maps ? dry_pages_new(whole) : malloc(whole));
    if (!raw) return NULL;
    char *at = dry_block_place(raw, align, front);
    return dry_block_note(at, maps ? DRY_BLOCK_MAPPED | whole : (uint64_t)(at - raw), front);
}

static inline void *dry_block_new(size_t size, size_t align, size_t front)
{
    if (dry_block_is_plain(align, front)) return malloc(size);
    return dry_block_make(size, align, front, dry_block_may_map(align, front) && size > DRY_MAP_NEW_BYTES);
}

static inline void dry_block_free(void *at, size_t align, size_t front)
{
    if (!at) return;
    if (dry_block_is_plain(align, front)) {
        free(at);
        return;
    }
    uint64_t noted = dry_block_noted(at, front);
    if (noted & DRY_BLOCK_MAPPED)
        dry_pages_free((char *)((uintptr_t)at & ~(DRY_HUGE_PAGE_BYTES - 1)), (size_t)(noted & ~DRY_BLOCK_MAPPED));
    else
        free((char *)at - noted);
}

/* malloc's block stays malloc's; realloc grows it in place where it can. */
static inline void *dry_block_realloc(void *at, size_t keep, size_t whole, size_t align, size_t front)
{
    size_t before = (size_t)dry_block_noted(at, front);
    char *raw = (char *)realloc((char *)at - before, whole);
    if (!raw) return NULL;
    char *now = dry_block_place(raw, align, front);
    if (now != raw + before) memmove(now, raw + before, keep); /* the new block is aligned differently */
    return dry_block_note(now, (uint64_t)(now - raw), front);
}

static inline void *dry_block_remap(void *at, size_t whole, size_t align, size_t front)
{
    size_t before = (size_t)(dry_block_noted(at, front) & ~DRY_BLOCK_MAPPED);
    char *raw = (char *)((uintptr_t)at & ~(DRY_HUGE_PAGE_BYTES - 1));
    if (whole == before) return at;
    raw = (char *)dry_pages_resize(raw, before, whole);
    return raw ? dry_block_note(dry_block_place(raw, align, front), DRY_BLOCK_MAPPED | whole, front) : NULL;
}

/* Like realloc; what lies in front is not kept. `keep` = how many bytes must survive, at most the smaller size. `at`
 * may be NULL. On failure it stays valid. Out of line: every type of vec that grows calls it. */
static __attribute__((noinline, unused)) void *dry_block_resize(void *at, size_t keep, size_t size, size_t align,
                                                                size_t front)
{
    size_t whole;
    if (!at) return dry_block_new(size, align, front);
    if (dry_block_is_plain(align, front)) return realloc(at, size);
    bool is_mapped = dry_block_noted(at, front) & DRY_BLOCK_MAPPED;
    bool maps = dry_block_may_map(align, front) && size > DRY_MAP_GROWN_BYTES;
    if (dry_block_overflows(size, &align, front, maps, &whole)) return NULL;
    if (is_mapped != maps) { /* from malloc to pages, or back: copied this once */
        void *moved = dry_block_make(size, align, front, maps);
        if (!moved) return NULL;
        memcpy(moved, at, keep);
        dry_block_free(at, align, front);
        return moved;
    }
    return is_mapped ? dry_block_remap(at, whole, align, front) : dry_block_realloc(at, keep, whole, align, front);
}

/* ---- any allocator ------------------------------------------------------------------------------------------------
 * dry_allocate and its two sisters of base.h, inline: NULL is the C library's malloc. */
static inline void *dry_inline_allocate(const struct dry_allocator *a, size_t size, size_t align)
{
    return a ? a->allocate(a->self, size, align) : dry_block_new(size, align, 0);
}

static inline void dry_inline_release(const struct dry_allocator *a, void *block, size_t size, size_t align)
{
    if (!block) return;
    if (a)
        a->release(a->self, block, size, align);
    else
        dry_block_free(block, align, 0);
}

static inline void *dry_inline_resize(const struct dry_allocator *a, void *block, size_t old_size, size_t new_size,
                                      size_t align)
{
    size_t keep = old_size < new_size ? old_size : new_size;
    if (!a) return dry_block_resize(block, keep, new_size, align, 0);
    if (!block) return a->allocate(a->self, new_size, align);
    if (a->resize) return a->resize(a->self, block, old_size, new_size, align);
    void *moved = a->allocate(a->self, new_size, align);
    if (!moved) return NULL;
    memcpy(moved, block, keep);
    a->release(a->self, block, old_size, align);
    return moved;
}

/* ---- memory that somebody else grows ------------------------------------------------------------------------------
 * One range of bytes: private pages, a piece of a segment, a slot of a pool. Its owner embeds this struct in its own
 * and may move the range whenever one of its functions is called (for another piece of the same segment too): who
 * uses it reads `at` again for every access and holds no pointer across calls. One user at a time. */
struct dry_memory {
    void *at;          /* aligned to DRY_ALIGN; NULL only while size_bytes is 0 */
    size_t size_bytes; /* all of it may be used */
    /* Makes it at least (shrinking: at most some grain more than) `size_bytes`; bytes up to the smaller size survive
     * and are not copied if the owner can help it. OK, NOMEM, TOO_BIG, FULL (its mount or quota) or FIXED (this
     * memory never changes); nothing has changed after a failure. */
    enum dry_status (*resize)(struct dry_memory *memory, size_t size_bytes);
    /* The user lets go; `memory` is not to be used again. Called once. */
    void (*release)(struct dry_memory *memory);
};

/* ---- a collection, taken apart ------------------------------------------------------------------------------------
 * What `NAME_into_raw` of a vec or deque gives and `NAME_from_raw` takes back: one for each column (most have one;
 * soa has one a field). It owns room and elements: give it to a storage, back to a collection, or to
 * dry_raw_release. */
enum dry_raw_kind {
    DRY_RAW_NONE,      /* no room to give back: elements of size 0 */
    DRY_RAW_HEAP,      /* own heap: dry_block_* with DRY_FRONT_BYTES in front, free to use; or `at` NULL */
    DRY_RAW_ALLOCATOR, /* of owner.allocator (NULL: malloc); `at` may be NULL */
    DRY_RAW_MEMORY     /* of owner.memory; cap * elem_size may be less than its size_bytes */
};

struct dry_raw {
    enum dry_raw_kind kind;
    void *at;       /* the first element, aligned to `align`; NULL where cap is 0 */
    size_t len;     /* elements that are there */
    size_t cap;     /* elements that there is room for */
    size_t elem_size;
    size_t elem_align;         /* of the element's type: a take-back must name the same */
    void (*drop)(void *elem);  /* the destructor of an element, or NULL */
    union {
        const struct dry_allocator *allocator;
        struct dry_memory *memory;
    } owner;
};

/* How room for elements is aligned, and its size: `cap` elements rounded up to whole cache lines, at least one. */
static inline size_t dry_room_align(size_t elem_align) { return elem_align > DRY_ALIGN ? elem_align : DRY_ALIGN; }

/* true = more than can be addressed. */
static inline bool dry_room_overflows(size_t cap, size_t elem_size, size_t *bytes)
{
    size_t n;
    if (__builtin_mul_overflow(cap, elem_size, &n) || n > PTRDIFF_MAX - 4096) return true;
    *bytes = n ? (n + DRY_ALIGN - 1) & ~(size_t)(DRY_ALIGN - 1) : DRY_ALIGN;
    return false;
}

/* Frees the room; the elements are gone or moved out. `raw` is then empty. */
static inline void dry_raw_free(struct dry_raw *raw)
{
    size_t align = dry_room_align(raw->elem_align), bytes = 0;
    if (raw->kind == DRY_RAW_HEAP) dry_block_free(raw->at, align, DRY_FRONT_BYTES);
    if (raw->kind == DRY_RAW_ALLOCATOR && raw->at && !dry_room_overflows(raw->cap, raw->elem_size, &bytes))
        dry_inline_release(raw->owner.allocator, raw->at, bytes, align);
    if (raw->kind == DRY_RAW_MEMORY && raw->owner.memory) raw->owner.memory->release(raw->owner.memory);
    memset(raw, 0, sizeof *raw);
}

/* Destroys the elements, then frees the room. */
static inline void dry_raw_release(struct dry_raw *raw)
{
    for (size_t i = 0; raw->drop && i < raw->len; i++)
        raw->drop(raw->at ? (char *)raw->at + i * raw->elem_size : (char *)(void *)raw);
    dry_raw_free(raw);
}

#endif

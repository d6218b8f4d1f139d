/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * For tests of storage/: an allocator that counts and fails, and one storage of each kind.
 */
#ifndef DRY_STORAGE_TESTING_H
#define DRY_STORAGE_TESTING_H

#include "../base/memory.h"
#include "storage.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What malloc has out; under a sanitizer its own figure. */
#if defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER
#endif
#elif defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define UNDER_SANITIZER
#endif
#ifdef UNDER_SANITIZER
size_t __sanitizer_get_current_allocated_bytes(void);
static inline size_t heap_bytes(void) { return __sanitizer_get_current_allocated_bytes(); }
#else
static inline size_t heap_bytes(void) { return mallinfo2().uordblks; }
#endif

/* Has `left` more answers, and knows how much is out. */
struct ledger {
    int left;
    size_t out_bytes;
};

static inline void *ledger_allocate(void *self, size_t size, size_t align)
{
    struct ledger *l = self;
    void *block;
    if (l->left-- <= 0 || posix_memalign(&block, align < sizeof(void *) ? sizeof(void *) : align, size)) return NULL;
    memset(block, 0xa5, size);
    l->out_bytes += size;
    return block;
}

static inline void ledger_release(void *self, void *block, size_t size, size_t align)
{
    struct ledger *l = self;
    (void)align;
    l->out_bytes -= size;
    free(block);
}

static inline struct dry_allocator allocator_of(struct ledger *l)
{
    return (struct dry_allocator){.allocate = ledger_allocate, .release = ledger_release, .self = l};
}

static inline void count_release(void *owner) { ++*(int *)owner; }

/* ---- memory that somebody else grows: here malloc's ---- */
struct fake_memory {
    struct dry_memory seam;
    int *released;
};

static inline void fake_release(struct dry_memory *m)
{
    struct fake_memory *f = (struct fake_memory *)(void *)m;
    if (f->released) ++*f->released;
    dry_block_free(m->at, DRY_ALIGN, 0);
    free(f);
}

static inline struct dry_memory *fake_memory(size_t n, int *released)
{
    struct fake_memory *f = calloc(1, sizeof *f);
    if (!f) abort();
    f->seam = (struct dry_memory){.at = dry_block_new(n, DRY_ALIGN, 0), .size_bytes = n, .release = fake_release};
    if (!f->seam.at) abort();
    f->released = released;
    return &f->seam;
}

/* ---- one of each kind, with the bytes 0 .. 15 (or none) ---- */
enum { TEST_BYTES = 16 };
static const uint8_t test_bytes[64] __attribute__((aligned(64))) = {0, 1, 2,  3,  4,  5,  6,  7,
                                                                    8, 9, 10, 11, 12, 13, 14, 15};
static const struct dry_immortal test_static = DRY_IMMORTAL(test_bytes, TEST_BYTES);
static struct ledger test_ledger = {.left = 1 << 30};
static const struct dry_allocator test_allocator = {ledger_allocate, NULL, ledger_release, &test_ledger};

static inline struct dry_storage *fill_16(enum dry_status status, struct dry_storage *s)
{
    if (status != DRY_OK) abort();
    memcpy((void *)(uintptr_t)s->data, test_bytes, TEST_BYTES);
    return s;
}

static inline struct dry_raw raw_16(enum dry_raw_kind kind, size_t elem_size)
{
    struct dry_raw raw = {.kind = kind, .elem_size = elem_size, .elem_align = elem_size};
    raw.len = TEST_BYTES / elem_size;
    raw.cap = 2 * raw.len; /* half of it is spare */
    if (kind == DRY_RAW_HEAP) raw.at = dry_block_new(64, DRY_ALIGN, DRY_FRONT_BYTES);
    if (kind == DRY_RAW_ALLOCATOR) {
        raw.owner.allocator = &test_allocator;
        raw.at = ledger_allocate(&test_ledger, 64, DRY_ALIGN);
    }
    if (kind == DRY_RAW_MEMORY) {
        raw.owner.memory = fake_memory(64, NULL);
        raw.at = raw.owner.memory->at;
    }
    memcpy(raw.at, test_bytes, TEST_BYTES);
    return raw;
}

static inline struct dry_storage *from_raw_16(enum dry_raw_kind kind)
{
    struct dry_raw raw = raw_16(kind, 4);
    struct dry_storage *s;
    if (dry_storage_from_raw(&raw, &s) != DRY_OK) abort();
    return s;
}

static inline struct dry_storage *make_new(void)
{
    struct dry_storage *s = NULL;
    enum dry_status status = dry_storage_new(TEST_BYTES, NULL, &s);
    return fill_16(status, s);
}
static inline struct dry_storage *make_zeroed(void)
{
    struct dry_storage *s = NULL;
    enum dry_status status = dry_storage_zeroed(TEST_BYTES, NULL, &s);
    return fill_16(status, s);
}
static inline struct dry_storage *make_block(void)
{
    struct dry_storage *s = NULL;
    enum dry_status status = dry_storage_new(TEST_BYTES, &test_allocator, &s);
    return fill_16(status, s);
}
static inline struct dry_storage *make_adopted(void)
{
    static int released;
    struct dry_storage *s;
    if (dry_storage_adopt(test_bytes, TEST_BYTES, &released, count_release, NULL, &s) != DRY_OK) abort();
    return s;
}
static inline struct dry_storage *make_external(void)
{
    struct dry_storage *s;
    if (dry_storage_from_slice_unchecked(test_bytes, TEST_BYTES, NULL, &s) != DRY_OK) abort();
    return s;
}
static inline const void *bytes_of_itself(void *owner, size_t *n)
{
    *n = TEST_BYTES;
    return owner;
}
static inline struct dry_storage *make_owner(void)
{
    struct dry_storage *s;
    if (dry_storage_from_owner(test_bytes, TEST_BYTES, bytes_of_itself, NULL, NULL, &s) != DRY_OK) abort();
    return s;
}
static inline struct dry_storage *make_static(void) { return dry_storage_static(&test_static); }
static inline struct dry_storage *make_leaked(void)
{
    struct dry_storage *s = make_external(); /* its header is what leaks */
    if (dry_storage_leak(&s) != DRY_OK) abort();
    return s;
}
static inline struct dry_storage *make_empty(void) { return dry_storage_empty(); }
static inline struct dry_storage *make_raw_heap(void) { return from_raw_16(DRY_RAW_HEAP); }
static inline struct dry_storage *make_raw_allocator(void) { return from_raw_16(DRY_RAW_ALLOCATOR); }
static inline struct dry_storage *make_raw_memory(void) { return from_raw_16(DRY_RAW_MEMORY); }

struct test_kind {
    const char *why;
    struct dry_storage *(*make)(void);
    size_t elem_size; /* of the room that it gives back; 0: it has none to give */
    bool counted, writable, empty;
};
static const struct test_kind test_kinds[] = {
    {"own heap", make_new, 1, true, true, false},
    {"own heap, zeroed", make_zeroed, 1, true, true, false},
    {"a user's allocator", make_block, 0, true, true, false},
    {"adopted", make_adopted, 0, true, false, false},
    {"external", make_external, 0, true, false, false},
    {"owner inside", make_owner, 0, true, false, false},
    {"static", make_static, 0, false, false, false},
    {"leaked", make_leaked, 0, false, false, false},
    {"empty", make_empty, 0, false, false, true},
    {"room of own heap", make_raw_heap, 4, true, true, false},
    {"room of an allocator", make_raw_allocator, 4, true, true, false},
    {"room of a memory", make_raw_memory, 4, true, true, false},
};
enum { TEST_KINDS = sizeof test_kinds / sizeof *test_kinds };

/* A leaked header is meant to stay; the sanitizer is not to complain. */
static struct dry_storage *test_leaks[4096];
static inline struct dry_storage *made(const struct test_kind *k)
{
    static size_t n;
    struct dry_storage *s = k->make();
    if (k->make == make_leaked) test_leaks[n++ % 4096] = s;
    return s;
}

#endif

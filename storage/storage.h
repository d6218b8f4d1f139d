/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * storage: immutable bytes that any number of holders share, and views over them.
 *
 *     struct dry_view (24 bytes)      one allocation, 64-byte aligned
 *     +---------+                     +----------------+------------------------------------------+-------+
 *     | storage |-------------------->| header  64 B   | bytes                                    | zeros |
 *     | data    |--------------+      +----------------+------------------------------------------+-------+
 *     | len     |              |        count data len kind      ^                  ^
 *     +---------+              +---------------------------------+                  |
 *     +---------+                                                                   |
 *     | storage |----> (the same)                                                   |
 *     | data    |-------------------------------------------------------------------+
 *     | len     |
 *     +---------+
 *
 * Users start with views: they clone and slice in O(1) without allocating, and do all that a storage does. Go below when
 * you bring memory of your own (adopt, from_owner, from_raw, a kind of your own) or hold bytes without looking at them.
 *
 *     struct dry_storage *s;
 *     if (dry_storage_new(800, NULL, &s) != DRY_OK) return ...;
 *     fill(dry_storage_try_mut(s));
 *     struct dry_view all = dry_view_adopt(s), part;              // takes over the reference
 *     if (dry_view_slice(&all, 80, 80, &part) != DRY_OK) ...      // one more
 *     dry_view_unref(&all), dry_view_unref(&part);                // the last one frees
 *
 * A storage is counted or immortal. Immortal ones (empty, static, leaked) are never freed and never exclusive, and ref
 * and unref touch no memory: which of the two it is stands in the handle's address (counted: a multiple of 64; immortal:
 * 32 more). A storage with no bytes is usually the empty one, which is a constant.
 *
 * Threads. One storage, any threads, at once:
 *     ref, unref, len, data, refcount, is_exclusive, reading the bytes, and all of it through different views
 * One variable (a view, a bitmap, a purse, a handle that is passed by address): readers at once (const in the
 * signature), or one writer. "Exclusive" is stable for the holder who sees it: nobody can ref what only he holds.
 *     the pair, on the same storage by different holders      may race?
 *     ref | ref, unref | unref, ref | unref, reads            yes
 *     try_mut, make_mut, try_detach, edit, leak | any         yes: NULL, a copy, or SHARED unless the caller is alone
 *     writing what try_mut or make_mut gave | any             the writer is the only holder; he hands out views after it
 * The release function runs once, on the thread that lets go last, after all that the others did with the bytes.
 *
 * Orders. A holder that adds one needs none. Letting go is AR1 (below), whose partners are all other AR1, A1 and A2: who
 * sees itself alone sees all that was done. At 2^63 holders a count stays where it is and the storage becomes immortal.
 *
 * C++ may include this; `const` of bytes is shallow, as in C.
 */
#ifndef DRY_STORAGE_H
#define DRY_STORAGE_H

#include "../base/atomic.h"
#include "../base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dry_view;
struct dry_raw; /* base/memory.h: the room of a collection, taken apart */
struct dry_storage;

/* What a storage is made of: the seam through which other layers bring memory (a mapped segment, a slot of a pool, an
 * Arrow array). Static; all but `name` and `release` may be NULL. */
struct dry_storage_kind {
    const char *name;
    /* The last holder has gone: frees the bytes and the header. On any thread. */
    void (*release)(struct dry_storage *s);
    /* The room behind the bytes, as from_raw would take it; it stays the storage's. NULL: it cannot be taken back. */
    void (*describe)(const struct dry_storage *s, struct dry_raw *out);
    /* The room has been given out: frees the header only. Goes with describe. */
    void (*forget)(struct dry_storage *s);
    /* A sole holder may write. */
    bool writable;
};

/* The first 32 of a header's 64 bytes; the other 32 and what follows are the kind's. Read by the functions below. */
struct dry_storage {
    struct dry_atomic_u64 count;
    const void *data;
    size_t len;
    const struct dry_storage_kind *kind; /* NULL: immortal */
};

/* Makes a header, and with it the first reference. `at` is a multiple of 64 bytes, all else is the kind's. */
DRY_API void dry_storage_init(struct dry_storage *at, const struct dry_storage_kind *kind, const void *bytes, size_t n);

/* ---- making one; *out is one reference ---------------------------------------------------------------------------
 * Where `a` is asked for, NULL is malloc. NOMEM, TOO_BIG: nothing has happened, nothing is taken. */

/* n bytes of own heap, 64-byte aligned, padded with zeros to a multiple of 64, contents not set. Header and bytes are
 * one allocation. With malloc it can be taken back as the room of a vec (try_detach). */
DRY_API enum dry_status dry_storage_new(size_t n, const struct dry_allocator *a, struct dry_storage **out)
    DRY_MUST_CHECK;
/* The same, all zeros. Large ones are pages that the system zeroes when they are first touched. */
DRY_API enum dry_status dry_storage_zeroed(size_t n, const struct dry_allocator *a, struct dry_storage **out)
    DRY_MUST_CHECK;
/* The same, a copy of `bytes`. O(n). */
DRY_API enum dry_status dry_storage_copy(const void *bytes, size_t n, const struct dry_allocator *a,
                                         struct dry_storage **out) DRY_MUST_CHECK;
/* Takes over foreign bytes: `release(owner)` is called exactly once, when the last holder lets go, on whatever thread
 * that is. `bytes` may be NULL when n is 0; release may be NULL. */
DRY_API enum dry_status dry_storage_adopt(const void *bytes, size_t n, void *owner, void (*release)(void *owner),
                                          const struct dry_allocator *a, struct dry_storage **out) DRY_MUST_CHECK;
/* Bytes that somebody else frees, after the last holder has gone: nothing here can check that. */
DRY_API enum dry_status dry_storage_from_slice_unchecked(const void *bytes, size_t n, const struct dry_allocator *a,
                                                         struct dry_storage **out) DRY_MUST_CHECK;
/* Moves `*owner` (owner_size bytes, at most 64-byte aligned) into the storage, and only there asks it for its bytes,
 * which may be part of it; `release` ends it in place (may be NULL). On failure the owner is the caller's still. */
DRY_API enum dry_status dry_storage_from_owner(const void *owner, size_t owner_size,
                                               const void *(*bytes_of)(void *owner, size_t *len),
                                               void (*release)(void *owner), const struct dry_allocator *a,
                                               struct dry_storage **out) DRY_MUST_CHECK;
/* The room of a collection (NAME_into_raw), which becomes empty. Own heap: no allocation, no copy, the header goes into
 * the room kept in front. Other kinds: one allocation for the header. Elements with a destructor are destroyed when the
 * last holder goes. Elements of size 0: no bytes, but as many elements. NOMEM: `raw` is as before. */
DRY_API enum dry_status dry_storage_from_raw(struct dry_raw *raw, struct dry_storage **out) DRY_MUST_CHECK;

/* No bytes. A constant. */
DRY_API struct dry_storage *dry_storage_empty(void);

/* Bytes that live as long as the program, with a header that does too:
 *     static const char words[] = "...";
 *     static const struct dry_immortal words_storage = DRY_IMMORTAL(words, sizeof words - 1);
 *     struct dry_view v = dry_view_adopt(dry_storage_static(&words_storage)); */
struct dry_immortal {
    unsigned char room[32];
    struct dry_storage storage;
} __attribute__((aligned(64)));
#define DRY_IMMORTAL(bytes, n) {{0}, {{0}, (bytes), (n), NULL}}
static inline struct dry_storage *dry_storage_static(const struct dry_immortal *immortal)
{
    return (struct dry_storage *)(uintptr_t)&immortal->storage; /* never written: it is immortal */
}

/* ---- lending: the caller keeps the bytes -------------------------------------------------------------------------
 * `use` borrows a view and may ref and slice it. OK: nobody holds the bytes any more. SHARED: somebody still does. */

/* After SHARED *escaped is a reference: the bytes must stay until it is the last one (dry_storage_is_exclusive), then
 * unref it. NOMEM: `use` was not called. */
DRY_API enum dry_status dry_storage_lend(const void *bytes, size_t n, void (*use)(const struct dry_view *v, void *arg),
                                         void *arg, struct dry_storage **escaped) DRY_MUST_CHECK;
/* Lends the room of a collection; afterwards it is in `raw` again. After SHARED the holders keep it, and `raw` has a
 * copy (then *escaped is NULL); or, where there is no memory for it or the elements cannot be copied, `raw` is empty and
 * *escaped is a reference to the elements. NOMEM: `use` was not called. */
DRY_API enum dry_status dry_storage_lend_raw(struct dry_raw *raw, void (*use)(const struct dry_view *v, void *arg),
                                             void *arg, struct dry_storage **escaped) DRY_MUST_CHECK;

/* ---- holding ------------------------------------------------------------------------------------------------------
 * ref, unref and their `_many` stand at the end: they are inline. All O(1) without allocation. */
static inline struct dry_storage *dry_storage_ref(struct dry_storage *s);
static inline void dry_storage_unref(struct dry_storage *s); /* NULL is allowed */
/* How many hold it now, UINT64_MAX for an immortal one. A hint, except that 1 seen by a holder means that it is alone. */
static inline uint64_t dry_storage_refcount(const struct dry_storage *s);
static inline bool dry_storage_is_exclusive(const struct dry_storage *s);
static inline bool dry_storage_is_immortal(const struct dry_storage *s);
/* Borrows the bytes. */
static inline const void *dry_storage_data(const struct dry_storage *s) { return s->data; }
static inline size_t dry_storage_len(const struct dry_storage *s) { return s->len; }
static inline bool dry_storage_is_empty(const struct dry_storage *s) { return s->len == 0; }
/* "heap", "adopted", "immortal" ...; for people. Static. */
DRY_API const char *dry_storage_kind_name(const struct dry_storage *s);
/* The same bytes, writable: own memory that nobody else holds; NULL otherwise. */
static inline void *dry_storage_try_mut(struct dry_storage *s);
/* Frees it never: from now on immortal, and *s another handle. SHARED: nothing has changed. OK for an immortal one:
 * there is nothing to do. */
DRY_API enum dry_status dry_storage_leak(struct dry_storage **s) DRY_MUST_CHECK;
/* Gives the room back as the collection that it was, its capacity too, and destroys nothing; *s is then the empty
 * storage (of which the same call gives an empty room). Element size and alignment must be the original ones. SHARED
 * (also: immortal), INVALID (another element), UNSUPPORTED (this kind of memory is no room): nothing has changed. */
DRY_API enum dry_status dry_storage_try_detach(struct dry_storage **s, size_t elem_size, size_t elem_align,
                                               struct dry_raw *out) DRY_MUST_CHECK;

/* ---- views -------------------------------------------------------------------------------------------------------- */
struct dry_view {
    struct dry_storage *storage; /* NULL: an empty view that holds nothing */
    const uint8_t *data;
    size_t len; /* bytes */
};

/* A view of everything; takes over the caller's reference (no count changes). */
static inline struct dry_view dry_view_adopt(struct dry_storage *s);
/* A second view of the same bytes: one more reference. */
static inline struct dry_view dry_view_ref(const struct dry_view *v);
/* Lets go; `v` is then empty. */
static inline void dry_view_unref(struct dry_view *v);
/* A view of [from, from + len): one more reference. INVALID when the range is not inside `v`. */
static inline enum dry_status DRY_MUST_CHECK dry_view_slice(const struct dry_view *v, size_t from, size_t len,
                                                            struct dry_view *out);
/* The same with v's own reference: v becomes the slice. */
static inline enum dry_status DRY_MUST_CHECK dry_view_narrow(struct dry_view *v, size_t from, size_t len);
/* [0, at) and [at, len) as two more views. INVALID: at > len. */
DRY_API enum dry_status dry_view_split_at(const struct dry_view *v, size_t at, struct dry_view *left,
                                          struct dry_view *right) DRY_MUST_CHECK;
/* v keeps [0, at), *tail is the rest. */
DRY_API enum dry_status dry_view_split_off(struct dry_view *v, size_t at, struct dry_view *tail) DRY_MUST_CHECK;
/* Moves the end of v to the end of its storage. */
DRY_API void dry_view_expand(struct dry_view *v);
/* Whether it shows less than its storage has, and where in it it begins. */
DRY_API bool dry_view_is_sliced(const struct dry_view *v);
DRY_API size_t dry_view_offset(const struct dry_view *v);
/* The same bytes in memory; equal bytes; memcmp's order, the shorter one first. */
static inline bool dry_view_is_same(const struct dry_view *a, const struct dry_view *b)
{
    return a->data == b->data && a->len == b->len;
}
DRY_API bool dry_view_equals(const struct dry_view *a, const struct dry_view *b);
DRY_API int dry_view_compare(const struct dry_view *a, const struct dry_view *b);
/* XXH64 of the bytes (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): the same on every machine. Not for hostile keys. */
DRY_API uint64_t dry_view_hash(const struct dry_view *v, uint64_t seed);

/* The bytes as elements (typed.h has it with the type): checks size and alignment of this slice, and that elements with
 * a destructor are not read as something else. INVALID: a part of an element would be left over, or misaligned. */
DRY_API enum dry_status dry_view_elements(const struct dry_view *v, size_t elem_size, size_t elem_align,
                                          const void **first, size_t *n) DRY_MUST_CHECK;
/* Copies the bytes if they are not aligned so, and only then. v is unchanged after NOMEM. */
DRY_API enum dry_status dry_view_align(struct dry_view *v, size_t align, const struct dry_allocator *a)
    DRY_MUST_CHECK;

/* Copy on write: the bytes of v, writable: its own if nobody else holds them, else those of a copy that v then shows.
 * NOMEM; UNSUPPORTED: elements with a destructor cannot be copied. v is unchanged then. */
DRY_API enum dry_status dry_view_make_mut(struct dry_view *v, const struct dry_allocator *a, void **bytes)
    DRY_MUST_CHECK;
/* The same without the copy: NULL. */
static inline void *dry_view_try_mut(struct dry_view *v);
/* As dry_storage_try_detach, for any slice of whole elements that holds its storage alone: what is outside of it is
 * destroyed, and the rest moves to the front of the room (a prefix: nothing moves). v is then empty. */
DRY_API enum dry_status dry_view_try_detach(struct dry_view *v, size_t elem_size, size_t elem_align,
                                            struct dry_raw *out) DRY_MUST_CHECK;
/* The bytes as the room of a vec over own heap: taken if possible, else copied. v is then empty. INVALID (a part of an
 * element would be left over), NOMEM, TOO_BIG, UNSUPPORTED (a destructor, so no copy): v is unchanged. */
DRY_API enum dry_status dry_view_to_raw(struct dry_view *v, size_t elem_size, size_t elem_align, struct dry_raw *out)
    DRY_MUST_CHECK;
/* Lends the room to `edit` as try_detach would give it (NAME_from_raw, change, NAME_into_raw into the same struct, which
 * must be of the same kind) and shows afterwards what it left. Returns what `edit` does, or what try_detach would have. */
DRY_API enum dry_status dry_view_edit(struct dry_view *v, size_t elem_size, size_t elem_align,
                                      enum dry_status (*edit)(struct dry_raw *raw, void *arg), void *arg)
    DRY_MUST_CHECK;

/* Bytes that v keeps in memory and does not show: of the whole room, spare capacity included; 0 for an immortal one. */
DRY_API size_t dry_view_pinned_bytes(const struct dry_view *v);
/* Lets go of them by copying what v shows, if there are any (others may hold them still). v is unchanged after NOMEM. */
DRY_API enum dry_status dry_view_compact(struct dry_view *v, const struct dry_allocator *a) DRY_MUST_CHECK;

/* ---- many references from one thread ------------------------------------------------------------------------------
 * Two cores that ref and unref one storage pass its cache line back and forth, 60 to 100 ns each time. A purse holds
 * references that were taken DRY_PURSE_FILL at once; who refs and unrefs through a purse of its own touches nothing that
 * others touch. Its views are ordinary ones. While a purse holds some, nobody is exclusive. */
enum { DRY_PURSE_FILL = 256 };
struct dry_purse {
    struct dry_storage *storage;
    uint64_t left;
};
/* For views of `s` (not NULL), which outlives the purse; takes no reference yet. */
static inline void dry_purse_init(struct dry_purse *p, struct dry_storage *s);
/* v must show the purse's storage. */
static inline struct dry_view dry_purse_ref(struct dry_purse *p, const struct dry_view *v);
/* Any view: one of another storage is simply let go. */
static inline void dry_purse_unref(struct dry_purse *p, struct dry_view *v);
static inline void dry_purse_fini(struct dry_purse *p);

/* ---- inline bodies ------------------------------------------------------------------------------------------------
 * The word of a counted storage:
 *     1 .. IMMORTAL-1    that many holders
 *     IMMORTAL ..        counted out: nobody frees any more. Whoever meets such a word moves it to the middle of the
 *                        upper half, so that those who are adding or subtracting now bring it neither back nor round. */
#define DRY_COUNT_IMMORTAL ((uint64_t)1 << 63)
#define DRY_COUNT_FIXED (DRY_COUNT_IMMORTAL + (DRY_COUNT_IMMORTAL >> 1))

static inline bool dry_storage_is_counted(const struct dry_storage *s) { return !((uintptr_t)s & 32); }

/* 0 < n < 2^32 references at once. The caller holds one. */
static inline struct dry_storage *dry_storage_ref_many(struct dry_storage *s, uint64_t n)
{
    if (!dry_storage_is_counted(s)) return s;
    uint64_t before = dry_add_relaxed_u64(&s->count, n); /* X0: the caller is a holder, so the word cannot reach 0 */
    if (__builtin_expect(before >= DRY_COUNT_IMMORTAL - n, 0))
        dry_store_relaxed_u64(&s->count, DRY_COUNT_FIXED); /* X0: says nothing about the bytes */
    return s;
}

static inline uint64_t dry_storage_refcount(const struct dry_storage *s)
{
    if (!dry_storage_is_counted(s)) return UINT64_MAX;
    /* A1: pairs with AR1 in unref. Who sees 1 and is a holder also sees all that the others did. */
    uint64_t count = dry_load_acquire_u64(&s->count);
    return count < DRY_COUNT_IMMORTAL ? count : UINT64_MAX;
}

static inline bool dry_storage_is_exclusive(const struct dry_storage *s)
{
    /* A2: pairs with AR1 in unref, as A1 */
    return dry_storage_is_counted(s) && dry_load_acquire_u64(&s->count) == 1;
}

static inline bool dry_storage_is_immortal(const struct dry_storage *s)
{
    return dry_storage_refcount(s) == UINT64_MAX;
}

/* The caller holds n of them. */
static inline void dry_storage_unref_many(struct dry_storage *s, uint64_t n)
{
    if (!dry_storage_is_counted(s)) return;
    /* AR1: pairs with AR1 in all other holders and with A1 and A2. What each of them did with the bytes is over before
     * the last one releases them. */
    uint64_t before = dry_sub_acq_rel_u64(&s->count, n);
    if (__builtin_expect(before >= DRY_COUNT_IMMORTAL, 0))
        dry_store_relaxed_u64(&s->count, DRY_COUNT_FIXED); /* X0: says nothing about the bytes */
    if (before == n) s->kind->release(s);
}

static inline struct dry_storage *dry_storage_ref(struct dry_storage *s) { return dry_storage_ref_many(s, 1); }

static inline void dry_storage_unref(struct dry_storage *s)
{
    if (s) dry_storage_unref_many(s, 1);
}

static inline void *dry_storage_try_mut(struct dry_storage *s)
{
    return dry_storage_is_exclusive(s) && s->kind->writable ? (void *)(uintptr_t)s->data : NULL;
}

static inline struct dry_view dry_view_adopt(struct dry_storage *s)
{
    struct dry_view v = {s, (const uint8_t *)s->data, s->len};
    return v;
}

static inline struct dry_view dry_view_ref(const struct dry_view *v)
{
    if (v->storage) dry_storage_ref(v->storage);
    return *v;
}

static inline void dry_view_unref(struct dry_view *v)
{
    struct dry_storage *held = v->storage;
    v->storage = NULL;
    v->data = NULL;
    v->len = 0;
    dry_storage_unref(held);
}

static inline void *dry_view_try_mut(struct dry_view *v)
{
    return v->storage && dry_storage_try_mut(v->storage) ? (void *)(uintptr_t)v->data : NULL;
}

static inline enum dry_status dry_view_narrow(struct dry_view *v, size_t from, size_t len)
{
    if (from > v->len || len > v->len - from) return DRY_INVALID;
    if (from > 0) v->data += from; /* data of an empty view may be NULL, to which C lets nobody add, not even 0 */
    v->len = len;
    return DRY_OK;
}

static inline enum dry_status dry_view_slice(const struct dry_view *v, size_t from, size_t len, struct dry_view *out)
{
    struct dry_view part = *v;
    if (dry_view_narrow(&part, from, len) != DRY_OK) return DRY_INVALID;
    if (part.storage) dry_storage_ref(part.storage);
    *out = part;
    return DRY_OK;
}

static inline void dry_purse_init(struct dry_purse *p, struct dry_storage *s)
{
    p->storage = s;
    p->left = 0;
}

static inline struct dry_view dry_purse_ref(struct dry_purse *p, const struct dry_view *v)
{
    if (p->left == 0) {
        dry_storage_ref_many(p->storage, DRY_PURSE_FILL);
        p->left = DRY_PURSE_FILL;
    }
    p->left--;
    return *v;
}

static inline void dry_purse_unref(struct dry_purse *p, struct dry_view *v)
{
    if (v->storage != p->storage || p->left >= 2 * DRY_PURSE_FILL) {
        dry_view_unref(v);
        return;
    }
    p->left++;
    v->storage = NULL;
    v->data = NULL;
    v->len = 0;
}

static inline void dry_purse_fini(struct dry_purse *p)
{
    if (p->left) dry_storage_unref_many(p->storage, p->left);
    p->left = 0;
}

#ifdef __cplusplus
}
#endif

#include "bitmap.h"

#endif

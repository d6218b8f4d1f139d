/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * storage: bytes that any number of holders share, and views over them.
 *
 *     struct dry_view          struct dry_storage             bytes
 *     +---------+              +-----------------+
 *     | storage |------------->| count           |            +----------------------------+
 *     | data    |---------+    | data, len       |----------->|                            |
 *     | len     |         |    | owner, release  |            +----------------------------+
 *     +---------+         |    +-----------------+                 ^
 *                         +----------------------------------------+
 *
 * A storage owns its bytes through a release function and knows nothing else about them: heap, a mapping of a file, a
 * foreign Arrow array. A view is 24 bytes, passed by value, and holds one reference. Bytes are immutable while more
 * than one holder is there.
 *
 * Thread rules: ref, unref and all readers may be called from any thread at once on the same storage; the release
 * function runs once, on the thread that let go last. A view variable itself is the caller's: not two threads at once.
 */
#ifndef DRY_STORAGE_H
#define DRY_STORAGE_H

#include "../base/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dry_storage;

/* n > 0 bytes of own heap, 64-byte aligned, padded with zeros to a multiple of 64, contents not set. Header and bytes
 * are one allocation. O(1). */
DRY_API enum dry_status dry_storage_new(size_t n, const struct dry_allocator *a, struct dry_storage **out)
    DRY_MUST_CHECK;
/* Takes over foreign bytes: `release(owner)` is called exactly once, when the last holder lets go, on whatever thread
 * that is. On failure nothing is taken. `bytes` may be NULL when n is 0; release may be NULL (external, never freed). */
DRY_API enum dry_status dry_storage_adopt(const void *bytes, size_t n, void *owner, void (*release)(void *owner),
                                          const struct dry_allocator *a, struct dry_storage **out) DRY_MUST_CHECK;
/* One more holder; returns its argument. Never fails: a count that reaches its maximum stays there, and the storage is
 * then immortal. O(1). */
DRY_API struct dry_storage *dry_storage_ref(struct dry_storage *s);
/* One holder fewer; the last one frees. NULL is allowed. */
DRY_API void dry_storage_unref(struct dry_storage *s);
/* How many hold it now: a hint, except that 1 seen by a holder means that it is alone. */
DRY_API uint64_t dry_storage_refcount(const struct dry_storage *s);
/* Borrows the bytes; valid while the caller holds the storage. */
DRY_API const void *dry_storage_data(const struct dry_storage *s);
DRY_API size_t dry_storage_len(const struct dry_storage *s);
/* The same bytes, writable: only for own heap held by the caller alone, NULL otherwise. */
DRY_API void *dry_storage_try_mut(struct dry_storage *s);

/* ---- views ---- */
struct dry_view {
    struct dry_storage *storage; /* NULL: an empty view that holds nothing */
    const uint8_t *data;
    size_t len; /* bytes */
};

/* A view of everything; takes over the caller's reference (no count changes). */
DRY_API struct dry_view dry_view_adopt(struct dry_storage *s);
/* A second view of the same bytes: one more reference. O(1), allocates nothing. */
DRY_API struct dry_view dry_view_ref(const struct dry_view *v);
/* A view of [from, from + len): one more reference. INVALID when the range is not inside `v`. O(1). */
DRY_API enum dry_status dry_view_slice(const struct dry_view *v, size_t from, size_t len, struct dry_view *out)
    DRY_MUST_CHECK;
/* Lets go; `v` is then empty. */
DRY_API void dry_view_unref(struct dry_view *v);

#ifdef __cplusplus
}
#endif
#endif

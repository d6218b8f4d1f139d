/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What storage.h counts inline, as functions that Rust can call.
 */
#include "../../storage/storage.h"
#include "../../base/memory.h"

struct dry_storage *model_adopt(void *owner, void (*release)(void *owner), const struct dry_allocator *a);
struct dry_storage *model_ref(struct dry_storage *s);
void model_unref(struct dry_storage *s);
bool model_try_mut(struct dry_storage *s);
int model_try_detach(struct dry_storage *s);
void model_set_count(struct dry_storage *s, uint64_t count);
struct dry_storage *model_room(const struct dry_allocator *a);
void model_purse(struct dry_storage *s);

struct dry_storage *model_adopt(void *owner, void (*release)(void *owner), const struct dry_allocator *a)
{
    struct dry_storage *s;
    return dry_storage_adopt(NULL, 0, owner, release, a, &s) == DRY_OK ? s : NULL;
}

/* One element in a room of `a`, which can be taken back. */
struct dry_storage *model_room(const struct dry_allocator *a)
{
    struct dry_raw raw = {.kind = DRY_RAW_ALLOCATOR, .len = 1, .cap = 1, .elem_size = 8, .elem_align = 8,
                          .owner.allocator = a};
    struct dry_storage *s;
    raw.at = a->allocate(a->self, 64, 64);
    return dry_storage_from_raw(&raw, &s) == DRY_OK ? s : NULL;
}

struct dry_storage *model_ref(struct dry_storage *s) { return dry_storage_ref(s); }
void model_unref(struct dry_storage *s) { dry_storage_unref(s); }
bool model_try_mut(struct dry_storage *s) { return dry_storage_try_mut(s) != NULL; }
void model_set_count(struct dry_storage *s, uint64_t count) { dry_store_relaxed_u64(&s->count, count); }

/* 1: taken (and given back to the allocator), 0: refused, and s is still held. */
int model_try_detach(struct dry_storage *s)
{
    struct dry_raw raw;
    if (dry_storage_try_detach(&s, 8, 8, &raw) != DRY_OK) return 0;
    dry_raw_release(&raw);
    return 1;
}

/* A purse that gives out two and gets one back; the other is let go as an ordinary view. */
void model_purse(struct dry_storage *s)
{
    struct dry_view v = dry_view_adopt(s), one, two;
    struct dry_purse purse;
    dry_purse_init(&purse, s);
    one = dry_purse_ref(&purse, &v);
    two = dry_purse_ref(&purse, &v);
    dry_purse_unref(&purse, &one);
    dry_view_unref(&two);
    dry_purse_fini(&purse);
    dry_view_unref(&v);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * mapped: room in a struct dry_memory (base/memory.h), which grows by remapping and never copies: private pages of
 * this process (anonymous.h) where the seed is NULL, or whatever a segment or pool supplies. Takes over the memory it
 * is given, and whatever room that brings. Grows to what is asked, rounded up by the memory (pages).
 * Leaf; parameters DRY_NAME DRY_ELEM [DRY_DROP DRY_COPY]. Seed: the memory. Struct: 16 bytes. Access: two loads,
 * because the memory may be moved by its owner.
 */
#define DRY_NEEDS DRY_P_ELEM
#define DRY_MAY DRY_P_LIFE
#include "begin.h"
#include "anonymous.h"
#include "element.h"
_Static_assert(sizeof(SELF(elem)) > 0, DRY_WORDS(DRY_SELF) ": mapped memory holds no elements of size 0; use zst or zsto");
_Static_assert(_Alignof(SELF(elem)) <= DRY_ALIGN, DRY_WORDS(DRY_SELF) ": mapped memory is aligned to 64 bytes");

typedef struct dry_memory *SELF(seed);
struct DRY_SELF {
    struct dry_memory *memory; /* NULL while cap is 0 and none was given */
    size_t cap;
};

static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed)
{
    b->memory = seed;
    b->cap = seed ? seed->size_bytes / sizeof(SELF(elem)) : 0;
}

static inline void SELF(fini)(struct DRY_SELF *b)
{
    if (b->memory) b->memory->release(b->memory);
    SELF(init)(b, NULL);
}

static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b) { return b->memory; }
static inline size_t SELF(cap)(const struct DRY_SELF *b) { return b->cap; }

#include "contiguous.h"
static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i)
{
    DRY_ASSERT(i < b->cap);
    return (SELF(elem) *)b->memory->at + i;
}

static inline enum dry_status SELF(resize)(struct DRY_SELF *b, size_t want)
{
    size_t bytes;
    if (__builtin_mul_overflow(want, sizeof(SELF(elem)), &bytes) || bytes > PTRDIFF_MAX) return DRY_TOO_BIG;
    enum dry_status status = b->memory->resize(b->memory, bytes);
    if (status == DRY_FULL) return DRY_NOMEM;
    if (status == DRY_OK) b->cap = b->memory->size_bytes / sizeof(SELF(elem));
    return status;
}

static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want)
{
    if (b->memory) return SELF(resize)(b, want);
    b->memory = dry_anonymous_new();
    if (!b->memory) return DRY_NOMEM;
    enum dry_status status = SELF(resize)(b, want);
    if (status != DRY_OK) SELF(fini)(b);
    return status;
}

static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want) { return SELF(grow)(b, want); }
static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want) { return SELF(resize)(b, want); }

static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    *out = SELF(raw)(DRY_RAW_MEMORY, b->cap ? b->memory->at : NULL, len, b->cap);
    out->owner.memory = b->memory;
    SELF(init)(b, NULL);
    return DRY_OK;
}

static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    if (!SELF(raw_fits)(raw, DRY_RAW_MEMORY)) return DRY_INVALID;
    SELF(fini)(b);
    SELF(init)(b, raw->owner.memory);
    *raw = (struct dry_raw){0};
    return DRY_OK;
}

#include "contract.h"
#include "end.h"

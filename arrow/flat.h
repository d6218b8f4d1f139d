/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. Flatbuffers (https://flatbuffers.dev/internals/), as much of them as Arrow's metadata needs,
 * without generated code: slots are given by number (fbs.h).
 *
 * Reading trusts nothing. Every access is checked against the length, alignment does not matter, and what is absent
 * is told from what is broken: an absent slot answers its default; a broken one answers the default too, and the
 * reader remembers the first fault. So a function reads all it needs and then looks at `fault` once:
 *
 *     struct dry_flat r = {.bytes = bytes, .n = n};
 *     struct dry_flat_table root = dry_flat_root(&r);
 *     int16_t version = dry_flat_i16(&r, &root, FBS_MESSAGE_VERSION, 0);
 *     if (r.fault) return dry_flat_fail(&r, err);
 *
 * Each function costs O(1): who walks vectors of tables, which may be shared or lead back, keeps his own count.
 *
 * Writing goes front to back: a table is written with empty references, each filled in when what it leads to is
 * written. Vtables stand right before their tables and are not shared.
 */
#ifndef DRY_ARROW_FLAT_H
#define DRY_ARROW_FLAT_H

#include "../base/base.h"
#include "message.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "flatbuffers and Arrow bodies are read as they lie");

/* ---- reading ---- */
struct dry_flat {
    const uint8_t *bytes;
    uint32_t n;        /* at most DRY_METADATA_MAX: sums of two positions do not overflow */
    const char *fault; /* NULL while everything was inside; the first fault otherwise */
    uint32_t fault_at; /* byte position of what was wrong */
};

/* All zero: absent; every slot of it is absent too. */
struct dry_flat_table {
    uint32_t at;       /* position of the table, never 0 for one that is there */
    uint32_t size;     /* bytes of the table itself */
    uint32_t slots_at; /* position of the slots in its vtable */
    uint32_t n_slots;
};

/* `count` elements from position `at`, all inside. Absent: at 0, count 0. */
struct dry_flat_vector {
    uint32_t at, count;
};

/* Not NUL-terminated, not checked for UTF-8. Absent: bytes NULL, len 0. */
struct dry_flat_text {
    const char *bytes;
    uint32_t len;
};

/* Remembers the first fault; returns 0, the position of nothing. */
uint32_t dry_flat_broken(struct dry_flat *r, uint32_t at, const char *fault);
/* CORRUPT with the words of r->fault. */
enum dry_status dry_flat_fail(const struct dry_flat *r, struct dry_error *err) DRY_MUST_CHECK;

struct dry_flat_table dry_flat_table_at(struct dry_flat *r, uint32_t at);
struct dry_flat_table dry_flat_root(struct dry_flat *r);
/* What the reference in a slot leads to. */
struct dry_flat_table dry_flat_table(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot);
struct dry_flat_vector dry_flat_vector(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot,
                                       uint32_t element_bytes);
struct dry_flat_text dry_flat_text(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot);
/* Element i < v->count of a vector of tables. */
struct dry_flat_table dry_flat_element(struct dry_flat *r, const struct dry_flat_vector *v, uint32_t i);

/* Position of the slot's `bytes` bytes, 0 when it is absent. */
static inline uint32_t dry_flat_find(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot,
                                     uint32_t bytes)
{
    uint16_t inside;
    if (slot >= t->n_slots) return 0;
    memcpy(&inside, r->bytes + t->slots_at + 2 * slot, sizeof inside);
    if (inside == 0) return 0;
    if (inside < 4 || inside + bytes > t->size) return dry_flat_broken(r, t->at, "a slot lies outside its table");
    return t->at + inside;
}

#define DRY_FLAT_SCALAR(name, type)                                                                                  \
    static inline type dry_flat_##name(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot,            \
                                       type absent)                                                                  \
    {                                                                                                                \
        uint32_t at = dry_flat_find(r, t, slot, sizeof(type));                                                       \
        type value = absent;                                                                                         \
        if (at) memcpy(&value, r->bytes + at, sizeof value);                                                         \
        return value;                                                                                                \
    }
DRY_FLAT_SCALAR(u8, uint8_t)
DRY_FLAT_SCALAR(i8, int8_t)
DRY_FLAT_SCALAR(i16, int16_t)
DRY_FLAT_SCALAR(i32, int32_t)
DRY_FLAT_SCALAR(i64, int64_t)
#undef DRY_FLAT_SCALAR

/* A bool is a byte; anything but 0 is true. */
static inline bool dry_flat_bool(struct dry_flat *r, const struct dry_flat_table *t, unsigned slot)
{
    return dry_flat_u8(r, t, slot, 0) != 0;
}

/* ---- writing ---- */
/* After a failure the rest does nothing; the caller looks at `status` at the end. */
struct dry_flat_writer {
    struct dry_bytes *out;
    size_t start; /* where in `out` the flatbuffer begins; positions count from here, alignment too */
    enum dry_status status;
};

enum { DRY_FLAT_SKIP = 0, DRY_FLAT_REF = 255 };
struct dry_flat_slot {
    uint8_t slot;
    uint8_t bytes;  /* 1, 2, 4, 8: a scalar; DRY_FLAT_REF: a reference, linked later; DRY_FLAT_SKIP: left out */
    uint64_t value; /* of a scalar, little-endian: the low bytes count */
    uint32_t at;    /* set by dry_flat_put_table for a reference: its place, to pass as `from` */
};

static inline struct dry_flat_slot dry_flat_scalar(unsigned slot, unsigned bytes, int64_t value)
{
    return (struct dry_flat_slot){.slot = (uint8_t)slot, .bytes = (uint8_t)bytes, .value = (uint64_t)value};
}
static inline struct dry_flat_slot dry_flat_ref_if(bool there, unsigned slot)
{
    return (struct dry_flat_slot){.slot = (uint8_t)slot, .bytes = there ? DRY_FLAT_REF : DRY_FLAT_SKIP};
}
static inline struct dry_flat_slot dry_flat_ref(unsigned slot) { return dry_flat_ref_if(true, slot); }

/* Begins a flatbuffer at the end of `out`, with its root reference at position 0. */
struct dry_flat_writer dry_flat_begin(struct dry_bytes *out);
/* Zeros until the flatbuffer's length plus `ahead` is a multiple of `to`, a power of two. */
void dry_flat_pad(struct dry_flat_writer *w, size_t ahead, size_t to);

/* Each links the reference at `from` to what it writes. */
void dry_flat_put_table(struct dry_flat_writer *w, uint32_t from, struct dry_flat_slot *slots, unsigned n);
void dry_flat_put_text(struct dry_flat_writer *w, uint32_t from, const char *bytes, size_t n);
/* A vector of structs or integers whose alignment is 8. */
void dry_flat_put_vector(struct dry_flat_writer *w, uint32_t from, const void *elements, size_t count,
                         size_t element_bytes);
/* The same, elements to be filled in before the next call; NULL after a failure. */
uint8_t *dry_flat_put_room(struct dry_flat_writer *w, uint32_t from, size_t count, size_t element_bytes);
/* `count` empty references, 4 bytes each; returns the place of the first. */
uint32_t dry_flat_put_refs(struct dry_flat_writer *w, uint32_t from, size_t count);

#endif

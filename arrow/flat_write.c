/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "flat.h"
#include "../base/check.h"

enum { REF_BYTES = 4, VTABLE_HEAD = 4, SLOTS_MAX = 8 };

/* n bytes at the end, not set; NULL after a failure. */
static uint8_t *extend(struct dry_flat_writer *w, size_t n)
{
    if (w->status != DRY_OK) return NULL;
    if (n > DRY_METADATA_MAX || w->out->len - w->start > DRY_METADATA_MAX - n)
        w->status = DRY_TOO_BIG;
    else if (!dry_bytes_room(w->out, n))
        w->status = DRY_NOMEM;
    if (w->status != DRY_OK) return NULL;
    uint8_t *at = w->out->data + w->out->len;
    w->out->len += n;
    return at;
}

static uint32_t position(const struct dry_flat_writer *w) { return (uint32_t)(w->out->len - w->start); }

static void link_here(struct dry_flat_writer *w, uint32_t from)
{
    if (w->status != DRY_OK) return;
    uint32_t step = position(w) - from;
    memcpy(w->out->data + w->start + from, &step, sizeof step);
}

void dry_flat_pad(struct dry_flat_writer *w, size_t ahead, size_t to)
{
    size_t n = -(position(w) + ahead) & (to - 1);
    uint8_t *zeros = extend(w, n);
    if (zeros) memset(zeros, 0, n);
}

struct dry_flat_writer dry_flat_begin(struct dry_bytes *out)
{
    struct dry_flat_writer w = {.out = out, .start = out->len};
    uint8_t *root = extend(&w, REF_BYTES);
    if (root) memset(root, 0, REF_BYTES);
    return w;
}

static unsigned width(const struct dry_flat_slot *s) { return s->bytes == DRY_FLAT_REF ? REF_BYTES : s->bytes; }

/* Gives every slot its place in the table, widest first, so that no gap is needed between them. Fills the vtable and
 * returns its length in bytes. */
static size_t lay_out(const struct dry_flat_slot *slots, unsigned n, uint16_t vtable[2 + SLOTS_MAX])
{
    unsigned n_slots = 0;
    uint16_t size = REF_BYTES;
    for (unsigned bytes = 8; bytes; bytes /= 2)
        for (unsigned i = 0; i < n; i++) {
            if (width(&slots[i]) != bytes) continue;
            DRY_ASSERT(slots[i].slot < SLOTS_MAX);
            vtable[2 + slots[i].slot] = size;
            size = (uint16_t)(size + bytes);
            if (n_slots <= slots[i].slot) n_slots = slots[i].slot + 1u;
        }
    vtable[0] = (uint16_t)(VTABLE_HEAD + 2 * n_slots);
    vtable[1] = size;
    return vtable[0];
}

void dry_flat_put_table(struct dry_flat_writer *w, uint32_t from, struct dry_flat_slot *slots, unsigned n)
{
    uint16_t vtable[2 + SLOTS_MAX] = {0};
    size_t vtable_bytes = lay_out(slots, n, vtable), size = vtable[1];
    /* The slots behind the table's first four bytes, the 8-byte ones first, begin at a multiple of 8. */
    dry_flat_pad(w, vtable_bytes + REF_BYTES, 8);
    uint8_t *at = extend(w, vtable_bytes);
    if (!at) return;
    memcpy(at, vtable, vtable_bytes);
    link_here(w, from);
    uint32_t table = position(w), back = (uint32_t)vtable_bytes;
    at = extend(w, size);
    if (!at) return;
    memset(at, 0, size);
    memcpy(at, &back, sizeof back);
    for (unsigned i = 0; i < n; i++) {
        uint16_t inside = vtable[2 + slots[i].slot];
        if (slots[i].bytes == DRY_FLAT_REF)
            slots[i].at = table + inside;
        else if (slots[i].bytes != DRY_FLAT_SKIP)
            memcpy(at + inside, &slots[i].value, slots[i].bytes);
    }
}

/* The length of a vector, aligned so that what follows it stands at a multiple of `align`. */
static void put_count(struct dry_flat_writer *w, uint32_t from, size_t count, size_t align)
{
    dry_flat_pad(w, REF_BYTES, align);
    link_here(w, from);
    uint32_t count32 = (uint32_t)count;
    uint8_t *at = extend(w, sizeof count32);
    if (at) memcpy(at, &count32, sizeof count32);
}

/* Fails rather than write a count that does not fit; the bytes that follow are checked by extend. */
static bool fits(struct dry_flat_writer *w, size_t count)
{
    if (count > DRY_METADATA_MAX && w->status == DRY_OK) w->status = DRY_TOO_BIG;
    return w->status == DRY_OK;
}

void dry_flat_put_text(struct dry_flat_writer *w, uint32_t from, const char *bytes, size_t n)
{
    if (!fits(w, n)) return;
    put_count(w, from, n, REF_BYTES);
    uint8_t *at = extend(w, n + 1);
    if (!at) return;
    if (n) memcpy(at, bytes, n);
    at[n] = 0;
}

uint8_t *dry_flat_put_room(struct dry_flat_writer *w, uint32_t from, size_t count, size_t element_bytes)
{
    if (!fits(w, count)) return NULL;
    put_count(w, from, count, 8);
    return extend(w, count * element_bytes);
}

void dry_flat_put_vector(struct dry_flat_writer *w, uint32_t from, const void *elements, size_t count,
                         size_t element_bytes)
{
    uint8_t *at = dry_flat_put_room(w, from, count, element_bytes);
    if (at && count) memcpy(at, elements, count * element_bytes);
}

uint32_t dry_flat_put_refs(struct dry_flat_writer *w, uint32_t from, size_t count)
{
    if (!fits(w, count)) return 0;
    put_count(w, from, count, REF_BYTES);
    uint32_t first = position(w);
    uint8_t *at = extend(w, count * REF_BYTES);
    if (at) memset(at, 0, count * REF_BYTES);
    return first;
}

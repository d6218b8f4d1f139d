/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Where things lie: the layout as a function of the classes, making a pool, joining one.
 */
#include "cache.h"
#include "layout.h"
#include "retire.h"
#include "../base/check.h"
#include "../base/os.h"
#include "../base/step.h"

#include <inttypes.h>
#include <string.h>

/* ---- layout ---------------------------------------------------------------------------------------------------- */

/* Appends n items of `item` bytes (a multiple of 64) to an area that ends at *end; true = does not fit. */
static bool append_overflows(uint64_t *end, uint64_t item, uint64_t n, uint64_t *at)
{
    uint64_t bytes;
    *at = *end;
    return __builtin_mul_overflow(item, n, &bytes) || __builtin_add_overflow(*end, bytes, end);
}

static uint32_t groups_of(uint32_t slot_count) { return (slot_count + POOL_GROUP - 1) / POOL_GROUP; }

/* rule: pool.classes */
static enum dry_status check_configs(const struct dry_pool_config *configs, size_t n, struct dry_error *err)
{
    if (n == 0 || n > DRY_POOL_CLASSES_MAX)
        return dry_fail(err, DRY_INVALID, "pool: %zu size classes; there must be 1 to %u", n, DRY_POOL_CLASSES_MAX);
    for (size_t i = 0; i < n; i++) {
        if (configs[i].slot_size == 0 || configs[i].slot_count == 0)
            return dry_fail(err, DRY_INVALID,
                            "pool: class %zu has %" PRIu32 " slots of %" PRIu64 " bytes; leave it out, or give both "
                            "at least 1", i, configs[i].slot_count, configs[i].slot_size);
        if (configs[i].slot_count > DRY_POOL_SLOTS_MAX)
            return dry_fail(err, DRY_TOO_BIG,
                            "pool: class %zu has %" PRIu32 " slots, at most %u; make a second class of that size", i,
                            configs[i].slot_count, DRY_POOL_SLOTS_MAX);
    }
    return DRY_OK;
}

/* rule: pool.layout */
enum dry_status dry_pool_lay_out(uint64_t head, const struct dry_pool_config *configs, size_t n,
                                 struct dry_pool_layout *out, struct dry_error *err)
{
    struct dry_pool_layout l = {.class_count = (uint32_t)n};
    uint64_t end = head + n * sizeof(struct pool_class_row);
    bool over = false;
    DRY_TRY(check_configs(configs, n, err));
    for (size_t i = 0; i < n; i++) {
        struct dry_pool_class_layout *c = &l.classes[i];
        c->slot_count = configs[i].slot_count;
        over |= __builtin_add_overflow(configs[i].slot_size, POOL_LINE - 1, &c->slot_size);
        c->slot_size &= ~(uint64_t)(POOL_LINE - 1);
        over |= append_overflows(&end, sizeof(struct pool_group), groups_of(c->slot_count), &c->hints);
        over |= append_overflows(&end, sizeof(struct pool_cell), c->slot_count, &c->slots);
    }
    l.control_size = end;
    for (size_t i = 0; i < n; i++)
        over |= append_overflows(&end, l.classes[i].slot_size, l.classes[i].slot_count, &l.classes[i].payload);
    l.required_size = end;
    if (over || end > SIZE_MAX)
        return dry_fail(err, DRY_TOO_BIG, "pool: the %zu classes need more bytes than can be addressed", n);
    *out = l;
    return DRY_OK;
}

enum dry_status dry_pool_layout(const struct dry_pool_config *configs, size_t n, struct dry_pool_layout *out,
                                struct dry_error *err)
{
    return dry_pool_lay_out(sizeof(struct pool_head), configs, n, out, err);
}

enum dry_status dry_pool_required_size(const struct dry_pool_config *configs, size_t n, uint64_t *out,
                                       struct dry_error *err)
{
    struct dry_pool_layout l;
    DRY_TRY(dry_pool_layout(configs, n, &l, err));
    *out = l.required_size;
    return DRY_OK;
}

/* rule: pool.fingerprint. FNV-1a over what a reader must agree on; as bytes, so that byte order is in it. */
uint32_t dry_pool_fingerprint(void)
{
    const uint32_t facts[] = {
        sizeof(struct pool_header),
        sizeof(struct pool_extent_row),
        sizeof(struct pool_peer_row),
        sizeof(struct pool_class_row),
        sizeof(struct pool_group),
        sizeof(struct pool_cell),
        offsetof(struct pool_header, wake),
        offsetof(struct pool_header, wanted),
        offsetof(struct pool_head, peers),
        offsetof(struct pool_cell, note),
        offsetof(struct pool_cell, readers),
        POOL_GROUP, POOL_READER_WORDS, 54, 8, 2, 0 /* FREE */, 1 /* HELD */, 2 /* SHARED */, 3 /* OFFERED */,
        DRY_POOL_EXTENTS_MAX, POOL_EXTENT_CLASSES,
    };
    uint8_t bytes[sizeof facts];
    uint32_t hash = 2166136261u;
    memcpy(bytes, facts, sizeof facts);
    for (size_t i = 0; i < sizeof bytes; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

/* ---- making ---------------------------------------------------------------------------------------------------- */

enum dry_status dry_pool_find_header(struct dry_pool_memory memory, struct pool_header **header,
                                     struct dry_error *err)
{
    uintptr_t at;
    if (!memory.base || __builtin_add_overflow((uintptr_t)memory.base, memory.offset, &at) || at % POOL_LINE)
        return dry_fail(err, DRY_INVALID,
                        "pool: base %p + offset %zu is not a multiple of 64; map at a page and give such an offset",
                        memory.base, memory.offset);
    *header = (struct pool_header *)at;
    return DRY_OK;
}

static size_t room_in(struct dry_pool_memory memory)
{
    return memory.length > memory.offset ? memory.length - memory.offset : 0;
}

static enum dry_status check_zero(const uint8_t *bytes, uint64_t n, struct dry_error *err)
{
    for (uint64_t i = 0; i < n; i++)
        if (bytes[i])
            return dry_fail(err, DRY_EXISTS,
                            "pool: byte %" PRIu64 " of the control area is not zero: there is a pool, or something "
                            "else; open it, or give fresh memory", i);
    return DRY_OK;
}

/* rule: pool.init. All slots are FREE as they are: only the table and the hints are written. */
static void write_control(struct pool_header *header, uint64_t head, const struct dry_pool_layout *l)
{
    uint8_t *base = (uint8_t *)header;
    struct pool_class_row *rows = (struct pool_class_row *)(base + head);
    for (uint32_t i = 0; i < l->class_count; i++) {
        const struct dry_pool_class_layout *c = &l->classes[i];
        struct pool_group *groups = (struct pool_group *)(base + c->hints);
        rows[i] = (struct pool_class_row){.slot_size = c->slot_size, .hints = c->hints, .slots = c->slots,
                                          .payload = c->payload, .slot_count = c->slot_count};
        for (uint32_t g = 0; g < groups_of(c->slot_count); g++) {
            uint32_t n = c->slot_count - g * POOL_GROUP;
            uint64_t all = n >= POOL_GROUP ? UINT64_MAX : (UINT64_C(1) << n) - 1;
            /* X1: nobody else looks before the magic is there. */
            dry_store_relaxed_u64(&groups[g].free, all);
        }
    }
    header->version = POOL_VERSION;
    header->fingerprint = dry_pool_fingerprint();
    header->required_size = l->required_size;
    header->class_count = l->class_count;
}

enum dry_status dry_pool_begin(struct dry_pool_memory memory, uint64_t head, const struct dry_pool_config *configs,
                               size_t n, struct pool_header **out, struct dry_error *err)
{
    struct dry_pool_layout l;
    struct pool_header *header = NULL;
    uint64_t seen = 0;
    DRY_TRY(dry_pool_lay_out(head, configs, n, &l, err));
    DRY_TRY(dry_pool_find_header(memory, &header, err));
    if (l.required_size > room_in(memory))
        return dry_fail(err, DRY_FULL, "pool: it needs %" PRIu64 " bytes and has %zu; give more, or fewer slots",
                        l.required_size, room_in(memory));
    /* AR1: pairs with AR1: of several that begin at once one goes on. */
    if (!dry_cas_acq_rel_u64(&header->magic, &seen, POOL_MAKING))
        return dry_fail(err, DRY_EXISTS, "pool: the first bytes are not zero: there is a pool, or something else; "
                                         "open it, or give fresh memory");
    DRY_STEP("init: begun");
    enum dry_status status = check_zero((uint8_t *)header + sizeof seen, l.control_size - sizeof seen, err);
    if (status != DRY_OK) {
        dry_pool_finish(header, 0);
        return status;
    }
    write_control(header, head, &l);
    DRY_STEP("init: written");
    *out = header;
    return DRY_OK;
}

void dry_pool_finish(struct pool_header *header, uint64_t magic)
{
    /* R2: pairs with A2: who sees the magic sees all that was written before. */
    dry_store_release_u64(&header->magic, magic);
}

enum dry_status dry_pool_init(struct dry_pool_memory memory, const struct dry_pool_config *configs, size_t n,
                              uint32_t flags, struct dry_error *err)
{
    struct pool_header *header = NULL;
    if (flags & ~DRY_POOL_CLEAR) return dry_fail(err, DRY_INVALID, "pool: flags 0x%" PRIx32 " are not known", flags);
    DRY_TRY(dry_pool_begin(memory, sizeof(struct pool_head), configs, n, &header, err));
    header->flags = flags;
    dry_pool_finish(header, POOL_MAGIC);
    return DRY_OK;
}

/* ---- joining --------------------------------------------------------------------------------------------------- */

/* What is there instead. */
static const char *what_magic_says(uint64_t magic)
{
    switch (magic) {
    case 0: return "the bytes are zero; make the pool first";
    case POOL_MAKING: return "it is being made, or its maker was killed; look again or make it anew";
    case POOL_MAGIC: return "there is a pool and not an extent of one; open it";
    case POOL_EXTENT: return "there is an extent; open its pool, then attach this";
    default: return "these bytes are something else; check the offset";
    }
}

/* rule: pool.header */
static enum dry_status check_header(struct dry_pool_memory memory, uint64_t wanted, uint64_t head,
                                    const struct pool_header *header, uint32_t *class_count, struct dry_error *err)
{
    if (room_in(memory) < head)
        return dry_fail(err, DRY_TOO_BIG, "pool: its head has %" PRIu64 " bytes and there are %zu; give the whole "
                                          "mapping", head, room_in(memory));
    /* A2: pairs with R2: the rest of the control area is written. */
    uint64_t magic = dry_load_acquire_u64(&header->magic);
    if (magic != wanted) return dry_fail(err, DRY_NOT_FOUND, "pool: %s", what_magic_says(magic));
    if (header->version != POOL_VERSION)
        return dry_fail(err, DRY_UNSUPPORTED, "pool: format version %" PRIu32 "; this library has version %u",
                        header->version, POOL_VERSION);
    if (header->fingerprint != dry_pool_fingerprint())
        return dry_fail(err, DRY_LAYOUT,
                        "pool: layout %08" PRIx32 ", here it is %08" PRIx32 "; use the same build on the same kind "
                        "of machine", header->fingerprint, dry_pool_fingerprint());
    *class_count = header->class_count;
    if (*class_count == 0 || *class_count > DRY_POOL_CLASSES_MAX)
        return dry_fail(err, DRY_CORRUPT, "pool: %" PRIu32 " size classes; there must be 1 to %u", *class_count,
                        DRY_POOL_CLASSES_MAX);
    return DRY_OK;
}

static bool row_is(const struct pool_class_row *row, const struct dry_pool_class_layout *c)
{
    return row->slot_size == c->slot_size && row->hints == c->hints && row->slots == c->slots &&
           row->payload == c->payload && row->slot_count == c->slot_count;
}

/* rule: pool.class-table. Takes sizes and counts out of the table once; all else follows from them and must agree. */
enum dry_status dry_pool_read_table(struct dry_pool_memory memory, uint64_t magic, uint64_t head,
                                    const struct pool_header *header, struct dry_pool_layout *out,
                                    struct dry_error *err)
{
    const struct pool_class_row *rows = (const struct pool_class_row *)((const uint8_t *)header + head);
    struct dry_pool_config configs[DRY_POOL_CLASSES_MAX];
    struct dry_error below = {.status = DRY_OK};
    uint32_t n = 0;
    DRY_TRY(check_header(memory, magic, head, header, &n, err));
    if (room_in(memory) < head + n * sizeof *rows)
        return dry_fail(err, DRY_TOO_BIG, "pool: a table of %" PRIu32 " classes does not fit in %zu bytes; give the "
                                          "whole mapping", n, room_in(memory));
    for (uint32_t i = 0; i < n; i++)
        configs[i] = (struct dry_pool_config){rows[i].slot_size, rows[i].slot_count};
    struct dry_pool_layout l;
    if (dry_pool_lay_out(head, configs, n, &l, &below) != DRY_OK)
        return dry_fail(err, DRY_CORRUPT, "the class table: %s", below.text);
    if (l.required_size > room_in(memory))
        return dry_fail(err, DRY_TOO_BIG, "pool: it needs %" PRIu64 " bytes and has %zu; give the whole mapping",
                        l.required_size, room_in(memory));
    if (header->required_size != l.required_size)
        return dry_fail(err, DRY_CORRUPT, "pool: the header says %" PRIu64 " bytes, its classes need %" PRIu64,
                        header->required_size, l.required_size);
    for (uint32_t i = 0; i < n; i++)
        if (!row_is(&rows[i], &l.classes[i]))
            return dry_fail(err, DRY_CORRUPT, "pool: class %" PRIu32 " does not lie where its size says", i);
    *out = l;
    return DRY_OK;
}

enum dry_status dry_pool_discover(struct dry_pool_memory memory, struct dry_pool_config *configs, size_t *n,
                                  struct dry_error *err)
{
    struct pool_header *header = NULL;
    struct dry_pool_layout l;
    DRY_TRY(dry_pool_find_header(memory, &header, err));
    DRY_TRY(dry_pool_read_table(memory, POOL_MAGIC, sizeof(struct pool_head), header, &l, err));
    for (uint32_t i = 0; i < l.class_count; i++)
        configs[i] = (struct dry_pool_config){l.classes[i].slot_size, l.classes[i].slot_count};
    *n = l.class_count;
    return DRY_OK;
}

/* rule: pool.selection. An insertion sort that keeps the order of equals: by their class numbers. */
static void sort_in(struct pool_fit *fits, uint32_t n, struct pool_class *class)
{
    uint32_t at = n;
    for (; at > 0 && fits[at - 1].slot_size > class->slot_size; at--)
        fits[at] = fits[at - 1];
    fits[at] = (struct pool_fit){class->slot_size, class};
}

static struct pool_class make_class(uint8_t *base, uint64_t row, const struct dry_pool_class_layout *c,
                                    uint32_t class_index, unsigned peer)
{
    uint32_t groups = groups_of(c->slot_count);
    struct pool_class class = {.slot_size = c->slot_size,
                               .groups = (struct pool_group *)(base + c->hints),
                               .cells = (struct pool_cell *)(base + c->slots),
                               .payload = base + c->payload,
                               .row = (struct pool_class_row *)(base + row),
                               .slot_count = c->slot_count,
                               .tail = slot_tail(0, class_index),
                               .class_index = class_index,
                               .group_count = groups};
    /* X2: nobody else has it yet. Peers begin far from each other. */
    dry_store_relaxed_u32(&class.cursor, (uint32_t)((uint64_t)groups * ((peer * 159u) % 256) / 256));
    return class;
}

static void release_table(struct dry_pool *p)
{
    if (p->classes) dry_release(p->allocator, p->classes, p->table_bytes, DRY_ALIGN);
}

/* rule: pool.class-table. A new table with the old classes, `n` more from `first` on, and lists of that many slots
 * for a cache, all in one block: [classes, one without slots][fits][lists]. False: no memory, and the old one is as
 * it was. */
static bool remake_table(struct dry_pool *p, const struct pool_class *more, uint32_t first, uint32_t n,
                         uint32_t slots)
{
    uint32_t limit = first + n > p->class_limit ? first + n : p->class_limit, count = p->class_count + n, at = 0;
    size_t fits_at = (limit + 1) * sizeof(struct pool_class);
    size_t lists_at = fits_at + (count + 1) * sizeof(struct pool_fit);
    size_t bytes = lists_at + (size_t)count * slots * sizeof(uint32_t);
    struct pool_class *classes = dry_allocate(p->allocator, bytes, DRY_ALIGN);
    if (!classes) return false;
    struct pool_fit *fits = (struct pool_fit *)(void *)((uint8_t *)classes + fits_at);
    uint32_t *lists = (uint32_t *)(void *)((uint8_t *)classes + lists_at);
    memset(classes, 0, lists_at);
    if (p->class_limit) memcpy(classes, p->classes, p->class_limit * sizeof *classes);
    if (n) memcpy(classes + first, more, n * sizeof *classes);
    for (uint32_t i = 0; i < limit; i++) {
        if (classes[i].slot_count == 0) continue;
        classes[i].cached = lists + (size_t)at * slots;
        sort_in(fits, at++, &classes[i]);
    }
    fits[count] = (struct pool_fit){UINT64_MAX, &classes[limit]};
    release_table(p);
    p->classes = classes;
    p->fits = fits;
    p->class_count = count;
    p->class_limit = limit;
    p->table_bytes = bytes;
    return true;
}

bool dry_pool_cache_lists(struct dry_pool *p, uint32_t slots) { return remake_table(p, NULL, 0, 0, slots); }

enum dry_status dry_pool_add_classes(struct dry_pool *p, struct pool_header *header, uint32_t number, uint64_t head,
                                     const struct dry_pool_layout *l, struct dry_error *err)
{
    struct pool_class more[DRY_POOL_CLASSES_MAX];
    uint32_t first = number * POOL_EXTENT_CLASSES;
    for (uint32_t i = 0; i < l->class_count; i++)
        more[i] = make_class((uint8_t *)header, head + i * sizeof(struct pool_class_row), &l->classes[i], first + i,
                             p->peer);
    if (!remake_table(p, more, first, l->class_count, p->cache_slots))
        return dry_fail(err, DRY_NOMEM, "pool: no memory for the table of %" PRIu32 " more classes", l->class_count);
    p->attached |= 1u << number;
    return DRY_OK;
}

enum dry_status dry_pool_open(struct dry_pool_memory memory, unsigned peer, const struct dry_allocator *a,
                              struct dry_pool **pool, struct dry_error *err)
{
    struct pool_header *header = NULL;
    struct dry_pool_layout l = {.class_count = 0};
    if (peer == 0 || peer > DRY_POOL_PEER_MAX)
        return dry_fail(err, DRY_INVALID, "pool: peer %u; peers are numbered 1 to %u", peer, DRY_POOL_PEER_MAX);
    DRY_TRY(dry_pool_find_header(memory, &header, err));
    DRY_TRY(dry_pool_read_table(memory, POOL_MAGIC, sizeof(struct pool_head), header, &l, err));
    struct dry_pool *p = dry_allocate(a, sizeof *p, DRY_ALIGN);
    if (!p) return dry_fail(err, DRY_NOMEM, "pool: no memory for a handle of %zu bytes", sizeof *p);
    struct pool_head *shared = (struct pool_head *)header;
    *p = (struct dry_pool){.head = shared, .own = &shared->peers[peer], .allocator = a, .peer = peer,
                           .flags = header->flags & DRY_POOL_CLEAR,
                           .cached_by_me = (uint32_t)word_make(0, peer, POOL_FREE),
                           .held_by_me = (uint32_t)word_make(0, peer, POOL_HELD)};
    enum dry_status status = dry_pool_add_classes(p, header, 0, sizeof *shared, &l, err);
    if (status == DRY_OK) status = dry_pool_sit(p, err);
    if (status == DRY_OK) {
        *pool = p;
        return DRY_OK;
    }
    release_table(p);
    dry_release(a, p, sizeof *p, DRY_ALIGN);
    return status;
}

void dry_pool_close(struct dry_pool *p)
{
    if (!p) return;
    dry_pool_stand(p);
    release_table(p);
    dry_release(p->allocator, p, sizeof *p, DRY_ALIGN);
}

size_t dry_pool_class_count(const struct dry_pool *p) { return p->class_limit; }

uint64_t dry_pool_slot_size(const struct dry_pool *p, size_t class_index)
{
    return class_index < p->class_limit ? p->classes[class_index].slot_size : 0;
}

uint32_t dry_pool_slot_count(const struct dry_pool *p, size_t class_index)
{
    return class_index < p->class_limit ? p->classes[class_index].slot_count : 0;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "plan.h"
#include "../base/check.h"
#include "view.h"

#include <string.h>

/* What is copied as it is goes to the sink in large steps, between which progress is told; what is changed on the way
 * goes through a small block on the stack. */
enum { STEP_BYTES = 64 << 20, BLOCK_BYTES = 16 << 10 };

struct emitter {
    const struct dry_schema *schema;
    const struct dry_renumber *renumber;
    const char *where;
    const struct dry_sink *sink;
    const struct dry_ipc_write_options *options;
    uint64_t *written;
    struct dry_error *err;
    size_t fill;
    uint8_t block[BLOCK_BYTES] __attribute__((aligned(8)));
};

static enum dry_status send(struct emitter *e, const uint8_t *bytes, size_t n)
{
    while (n) {
        size_t step = n < STEP_BYTES ? n : STEP_BYTES;
        DRY_TRY(e->sink->append(e->sink->self, bytes, step, e->err));
        *e->written += step;
        bytes += step;
        n -= step;
        if (step == STEP_BYTES && e->options->progress &&
            e->options->progress(e->options->progress_self, *e->written))
            return dry_fail(e->err, DRY_IO, "cancelled");
    }
    return DRY_OK;
}

static enum dry_status flush(struct emitter *e)
{
    size_t n = e->fill;
    e->fill = 0;
    return n ? send(e, e->block, n) : DRY_OK;
}

/* Room for n more bytes of the block, which is emptied first if need be. */
static enum dry_status room(struct emitter *e, size_t n, uint8_t **at)
{
    if (BLOCK_BYTES - e->fill < n) DRY_TRY(flush(e));
    *at = e->block + e->fill;
    e->fill += n;
    return DRY_OK;
}

static enum dry_status write_bits(struct emitter *e, const struct dry_piece *p)
{
    int skew = (int)(p->shift & 7); /* never 0: those are copied */
    const uint8_t *from = p->from + p->shift / 8;
    int64_t sources = ((p->shift & 7) + p->n + 7) / 8;
    for (int64_t i = 0; i < p->bytes; i++) {
        uint8_t *to, high = i + 1 < sources ? from[i + 1] : 0;
        DRY_TRY(room(e, 1, &to));
        *to = (uint8_t)(from[i] >> skew | high << (8 - skew));
        if (i == p->bytes - 1 && p->n % 8) *to &= (uint8_t)((1u << p->n % 8) - 1);
    }
    return DRY_OK;
}

static enum dry_status write_offsets(struct emitter *e, const struct dry_piece *p)
{
    uint8_t *to;
    for (int64_t i = 0; i < p->n; i++) {
        if (p->kind == DRY_PIECE_OFFSETS64) {
            uint64_t v;
            memcpy(&v, p->from + i * 8, sizeof v);
            v -= (uint64_t)p->shift;
            DRY_TRY(room(e, sizeof v, &to));
            memcpy(to, &v, sizeof v);
        } else {
            uint32_t v; /* unsigned: an offset that is out of order may wrap here, and is refused by the verifier */
            memcpy(&v, p->from + i * 4, sizeof v);
            v -= (uint32_t)p->shift;
            DRY_TRY(room(e, sizeof v, &to));
            memcpy(to, &v, sizeof v);
        }
    }
    return DRY_OK;
}

static bool is_null(const struct dry_piece *p, int64_t i)
{
    return p->array->buffers[0].data && !dry_bit(p->array->buffers[0].data, p->first + i);
}

/* An index of whatever width, as int64; a uint64 beyond its range becomes negative and is refused as out of range. */
static int64_t index_at(const struct dry_field *f, const uint8_t *at)
{
    switch (f->type) {
    case DRY_TYPE_INT8: return (int8_t)*at;
    case DRY_TYPE_UINT8: return *at;
#define CASE(id, c_type)                                                                                             \
    case DRY_TYPE_##id: {                                                                                            \
        c_type v;                                                                                                    \
        memcpy(&v, at, sizeof v);                                                                                    \
        return (int64_t)v;                                                                                           \
    }
        CASE(INT16, int16_t)
        CASE(UINT16, uint16_t)
        CASE(INT32, int32_t)
        CASE(UINT32, uint32_t)
        CASE(INT64, int64_t)
        CASE(UINT64, uint64_t)
#undef CASE
    default: return -1;
    }
}

static enum dry_status write_indices(struct emitter *e, const struct dry_piece *p)
{
    const struct dry_field *f = p->array->field;
    const struct dry_renumber *r = e->renumber + f->dictionary;
    size_t width = (size_t)f->bits / 8;
    uint8_t *to;
    char label[200];
    for (int64_t i = 0; i < p->n; i++) {
        int64_t index = 0;
        if (!is_null(p, i)) {
            int64_t old = index_at(f, p->from + i * (int64_t)width);
            if (old < 0 || old >= r->n)
                return dry_fail(e->err, DRY_CORRUPT, "%s, %s, row %lld: its index leads outside of the dictionary",
                                e->where, dry_field_label(e->schema, f, label, sizeof label), (long long)i);
            index = r->map[old];
        }
        DRY_TRY(room(e, width, &to));
        memcpy(to, &index, width); /* little-endian: the low bytes are the narrower number */
    }
    return DRY_OK;
}

static enum dry_status write_views(struct emitter *e, const struct dry_piece *p)
{
    uint8_t *to;
    int32_t next = 0;
    for (int64_t i = 0; i < p->n; i++) {
        struct dry_bytes_view v = dry_view_at(p->from, i);
        if (is_null(p, i)) {
            v = (struct dry_bytes_view){.length = 0};
        } else if (v.length > DRY_VIEW_INLINE) {
            v.u.far.buffer = 0;
            v.u.far.offset = next;
            next += v.length;
        }
        DRY_TRY(room(e, sizeof v, &to));
        memcpy(to, &v, sizeof v);
    }
    return DRY_OK;
}

static enum dry_status write_gathered(struct emitter *e, const struct dry_piece *p)
{
    for (int64_t i = 0; i < p->n; i++) {
        struct dry_bytes_view v = dry_view_at(p->from, i);
        if (is_null(p, i) || v.length <= DRY_VIEW_INLINE) continue;
        const uint8_t *from = p->array->variadic[v.u.far.buffer].data + v.u.far.offset;
        for (size_t left = (size_t)v.length; left;) {
            size_t n = left < BLOCK_BYTES / 4 ? left : BLOCK_BYTES / 4;
            uint8_t *to;
            DRY_TRY(room(e, n, &to));
            memcpy(to, from, n);
            from += n;
            left -= n;
        }
    }
    return DRY_OK;
}

static enum dry_status write_piece(struct emitter *e, const struct dry_piece *p)
{
    static const uint8_t zeros[DRY_ALIGN];
    size_t pad = (size_t)-p->bytes % DRY_ALIGN;
    switch (p->kind) {
    case DRY_PIECE_COPY: DRY_TRY(send(e, p->from, (size_t)p->bytes)); break;
    case DRY_PIECE_BITS: DRY_TRY(write_bits(e, p)); break;
    case DRY_PIECE_OFFSETS32:
    case DRY_PIECE_OFFSETS64: DRY_TRY(write_offsets(e, p)); break;
    case DRY_PIECE_INDICES: DRY_TRY(write_indices(e, p)); break;
    case DRY_PIECE_VIEWS: DRY_TRY(write_views(e, p)); break;
    case DRY_PIECE_GATHER: DRY_TRY(write_gathered(e, p)); break;
    }
    DRY_TRY(flush(e));
    return send(e, zeros, pad);
}

enum dry_status dry_plan_write(const struct dry_schema *s, const struct dry_plan *p,
                               const struct dry_renumber *renumber, const char *where, const struct dry_sink *sink,
                               const struct dry_ipc_write_options *options, uint64_t *written, struct dry_error *err)
{
    struct emitter e;
    e.schema = s;
    e.renumber = renumber;
    e.where = where;
    e.sink = sink;
    e.options = options;
    e.written = written;
    e.err = err;
    e.fill = 0;
    for (int64_t i = 0; i < p->message.n_places; i++)
        DRY_TRY(write_piece(&e, p->pieces + i));
    return DRY_OK;
}

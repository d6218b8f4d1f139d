/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The bytes of strings. Most text is ASCII, and most of it is right: so the bytes of many rows are judged at once,
 * and only where that fails is each row looked at, because what is wrong may stand in null rows, where it is allowed.
 */
#include "array_check.h"
#include "../base/check.h"
#include "view.h"

static bool begins_character(uint8_t b)
{
    return (b & 0xc0) != 0x80;
}

/* ---- utf8 with offsets ---- */
/* Whether no row begins in the middle of a character. The bytes from the first to the last are UTF-8 as a whole. */
static bool rows_begin_characters(const uint8_t *offsets, bool wide, int64_t n, const uint8_t *data)
{
    int64_t end = dry_offset_at(offsets, wide, n);
    bool good = true;
    for (int64_t i = 1; i < n; i++) {
        int64_t at = dry_offset_at(offsets, wide, i);
        good &= at == end || begins_character(data[at]);
    }
    return good;
}

static enum dry_status verify_each(const struct dry_judge *j, const struct dry_array *a, int64_t from, int64_t n)
{
    bool wide = dry_layout_is_wide(a->field->layout);
    for (int64_t row = from; row < from + n; row++) {
        if (dry_is_null(a, row)) continue;
        int64_t first = dry_offset_at(a->buffers[1].data, wide, a->offset + row);
        int64_t last = dry_offset_at(a->buffers[1].data, wide, a->offset + row + 1);
        if (last > first && !dry_utf8_valid(a->buffers[2].data + first, (size_t)(last - first)))
            return dry_refuse(j, a->field, row, "its text is not UTF-8");
    }
    return DRY_OK;
}

enum dry_status dry_verify_text(const struct dry_judge *j, const struct dry_array *a, int64_t from, int64_t n)
{
    bool wide = dry_layout_is_wide(a->field->layout);
    const uint8_t *offsets = a->buffers[1].data + (a->offset + from) * (wide ? 8 : 4), *data = a->buffers[2].data;
    int64_t first = dry_offset_at(offsets, wide, 0), last = dry_offset_at(offsets, wide, n);
    if (first == last) return DRY_OK;
    switch (dry_text_kind(data + first, (size_t)(last - first))) {
    case DRY_TEXT_ASCII: return DRY_OK;
    case DRY_TEXT_UTF8: return rows_begin_characters(offsets, wide, n, data) ? DRY_OK : verify_each(j, a, from, n);
    default: return verify_each(j, a, from, n);
    }
}

/* ---- views ---- */
/* Which bits of a view's last twelve bytes, taken as a word of four and one of eight, stand behind n short bytes. */
static const struct {
    uint32_t near;
    uint64_t far;
} behind[DRY_VIEW_INLINE + 1] = {
    {0xffffffff, 0xffffffffffffffff}, {0xffffff00, 0xffffffffffffffff}, {0xffff0000, 0xffffffffffffffff},
    {0xff000000, 0xffffffffffffffff}, {0x00000000, 0xffffffffffffffff}, {0x00000000, 0xffffffffffffff00},
    {0x00000000, 0xffffffffffff0000}, {0x00000000, 0xffffffffff000000}, {0x00000000, 0xffffffff00000000},
    {0x00000000, 0xffffff0000000000}, {0x00000000, 0xffff000000000000}, {0x00000000, 0xff00000000000000},
    {0x00000000, 0x0000000000000000},
};

/* A short view that is good whether it is null or not: zeros behind its bytes, and no text that is not ASCII. */
static inline bool is_plain(const uint8_t *view, bool text)
{
    uint32_t len, near;
    uint64_t far;
    memcpy(&len, view, sizeof len);
    memcpy(&near, view + 4, sizeof near);
    memcpy(&far, view + 8, sizeof far);
    if (len > DRY_VIEW_INLINE || (near & behind[len].near) || (far & behind[len].far)) return false;
    return !text || !((near | far) & 0x8080808080808080u);
}

/* One column of views. Many rows may show the same bytes: so each buffer is judged once, as a whole, and where it is
 * UTF-8 only the ends of each row remain. In a buffer that is not (what stands between the rows may be anything) each
 * row is judged by itself, and what long rows may cost together is bounded. */
struct views {
    const struct dry_judge *judge;
    const struct dry_array *array;
    uint8_t *kinds; /* for each buffer, 1 + enum dry_text; 0: not judged yet; NULL: no text */
    int64_t left;   /* bytes of long rows that may still be judged one by one */
};
enum { TIMES_ONE_BY_ONE = 64, LONG = 1024 /* as many times the bytes of a view as that */ };

static enum dry_status verify_short(const struct views *w, int64_t row, const struct dry_bytes_view *v)
{
    static const uint8_t zeros[DRY_VIEW_INLINE];
    if (memcmp(v->u.inlined + v->length, zeros, (size_t)(DRY_VIEW_INLINE - v->length)) != 0)
        return dry_refuse(w->judge, w->array->field, row, "there is more than zeros behind its short bytes");
    if (w->array->field->type == DRY_TYPE_UTF8_VIEW && !dry_utf8_valid(v->u.inlined, (size_t)v->length))
        return dry_refuse(w->judge, w->array->field, row, "its text is not UTF-8");
    return DRY_OK;
}

static enum dry_text kind_of(struct views *w, int32_t buffer)
{
    const struct dry_span *in = w->array->variadic + buffer;
    if (!w->kinds[buffer]) w->kinds[buffer] = (uint8_t)(1 + dry_text_kind(in->data, (size_t)in->len));
    return (enum dry_text)(w->kinds[buffer] - 1);
}

/* The text of a view that is known to lie in its buffer. */
static enum dry_status verify_far_text(struct views *w, int64_t row, const struct dry_bytes_view *v)
{
    const struct dry_span *in = w->array->variadic + v->u.far.buffer;
    const uint8_t *bytes = in->data + v->u.far.offset, *end = bytes + v->length;
    enum dry_text kind = kind_of(w, v->u.far.buffer);
    bool good = true; /* in ASCII, wherever it begins and ends */
    if (kind == DRY_TEXT_UTF8) {
        good = begins_character(*bytes) && (end == in->data + in->len || begins_character(*end));
    } else if (kind == DRY_TEXT_BROKEN) {
        if (v->length > LONG && (w->left -= v->length) < 0)
            return dry_refuse(
                w->judge, w->array->field, row,
                "too many long rows show the same bytes of view buffer %d, which is not UTF-8 as a whole",
                v->u.far.buffer);
        good = dry_utf8_valid(bytes, (size_t)v->length);
    }
    return good ? DRY_OK : dry_refuse(w->judge, w->array->field, row, "its text is not UTF-8");
}

static enum dry_status verify_far(struct views *w, int64_t row, const struct dry_bytes_view *v)
{
    const struct dry_array *a = w->array;
    if (v->length < 0) return dry_refuse(w->judge, a->field, row, "its length is %d", v->length);
    if (v->u.far.buffer < 0 || v->u.far.buffer >= a->n_variadic)
        return dry_refuse(w->judge, a->field, row, "it lies in view buffer %d of %lld", v->u.far.buffer,
                          (long long)a->n_variadic);
    const struct dry_span *in = a->variadic + v->u.far.buffer;
    if (v->u.far.offset < 0 || v->u.far.offset > in->len - v->length)
        return dry_refuse(w->judge, a->field, row, "its %d bytes at %d lie outside of view buffer %d, which has %lld",
                          v->length, v->u.far.offset, v->u.far.buffer, (long long)in->len);
    if (memcmp(in->data + v->u.far.offset, v->u.far.prefix, sizeof v->u.far.prefix) != 0)
        return dry_refuse(w->judge, a->field, row, "its prefix is not how its bytes begin");
    return w->kinds ? verify_far_text(w, row, v) : DRY_OK;
}

static enum dry_status verify_each_view(struct views *w)
{
    const struct dry_array *a = w->array;
    bool text = a->field->type == DRY_TYPE_UTF8_VIEW;
    for (int64_t row = 0; row < a->length; row++) {
        if (is_plain(a->buffers[1].data + (a->offset + row) * DRY_VIEW_BYTES, text) || dry_is_null(a, row)) continue;
        struct dry_bytes_view v = dry_view_at(a->buffers[1].data, a->offset + row);
        bool is_short = v.length >= 0 && v.length <= DRY_VIEW_INLINE;
        DRY_TRY(is_short ? verify_short(w, row, &v) : verify_far(w, row, &v));
    }
    return DRY_OK;
}

enum dry_status dry_verify_views(const struct dry_judge *j, const struct dry_array *a)
{
    struct views w = {.judge = j, .array = a};
    struct dry_arena arena;
    dry_arena_init(&arena, j->schema->arena.allocator);
    for (int64_t i = 0; i < a->n_variadic; i++)
        if (__builtin_add_overflow(w.left, a->variadic[i].len, &w.left)) w.left = INT64_MAX;
    if (__builtin_mul_overflow(w.left, (int64_t)TIMES_ONE_BY_ONE, &w.left)) w.left = INT64_MAX;
    if (a->field->type == DRY_TYPE_UTF8_VIEW && a->n_variadic) {
        w.kinds = dry_arena_take_array(&arena, (size_t)a->n_variadic, sizeof *w.kinds);
        if (!w.kinds) return dry_refuse_no_memory(j);
    }
    enum dry_status status = verify_each_view(&w);
    dry_arena_fini(&arena);
    return status;
}

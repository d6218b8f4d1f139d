/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "array_check.h"
#include "../base/check.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- words ---- */
enum dry_status dry_refuse(const struct dry_judge *j, const struct dry_field *f, int64_t row, const char *fmt, ...)
{
    if (!j->err) return j->bad;
    char label[200], at[32] = "", words[200];
    va_list args;
    va_start(args, fmt);
    vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    if (row != DRY_NO_ROW) snprintf(at, sizeof at, ", row %lld", (long long)row);
    return dry_fail(j->err, j->bad, "%s%s%s%s: %s", j->where ? j->where : "", j->where ? ", " : "",
                    dry_field_label(j->schema, f, label, sizeof label), at, words);
}

enum dry_status dry_refuse_no_memory(const struct dry_judge *j)
{
    return dry_fail(j->err, DRY_NOMEM, "%s: there is no memory for the tree of its arrays",
                    j->where ? j->where : "the array");
}

/* ---- sizes ---- */
int dry_layout_buffers(enum dry_layout layout)
{
    static const uint8_t counts[] = {
        [DRY_LAYOUT_NULL] = 0,    [DRY_LAYOUT_FIXED] = 2,  [DRY_LAYOUT_BYTES32] = 3,
        [DRY_LAYOUT_BYTES64] = 3, [DRY_LAYOUT_VIEW] = 2,   [DRY_LAYOUT_LIST32] = 2,
        [DRY_LAYOUT_LIST64] = 2,  [DRY_LAYOUT_STRUCT] = 1, [DRY_LAYOUT_FIXED_LIST] = 1,
    };
    return counts[layout];
}

static bool bits_overflow(int64_t n, int64_t bits, int64_t *bytes)
{
    if (bits % 8 == 0) return __builtin_mul_overflow(n, bits / 8, bytes);
    *bytes = n / 8 + (n % 8 != 0); /* bool and bitmaps: one bit each */
    return false;
}

bool dry_buffer_bytes_overflow(const struct dry_field *f, int which, int64_t n, int64_t *bytes)
{
    *bytes = 0;
    if (n == 0 || which > 1) return false;
    if (which == 0) return bits_overflow(n, 1, bytes);
    if (f->layout == DRY_LAYOUT_FIXED || f->layout == DRY_LAYOUT_VIEW) return bits_overflow(n, f->bits, bytes);
    return __builtin_add_overflow(n, 1, &n) || bits_overflow(n, dry_layout_is_wide(f->layout) ? 64 : 32, bytes);
}

/* ---- what a parent expects of its children ---- */
enum dry_status dry_judge_lengths(const struct dry_judge *j, const struct dry_array *a)
{
    const struct dry_field *f = a->field;
    int64_t need = a->offset + a->length;
    if (f->layout == DRY_LAYOUT_FIXED_LIST && __builtin_mul_overflow(need, (int64_t)f->list_size, &need))
        return dry_refuse(j, f, DRY_NO_ROW, "%lld lists of %d items are more than can be counted",
                          (long long)(a->offset + a->length), f->list_size);
    if (f->layout != DRY_LAYOUT_FIXED_LIST && f->layout != DRY_LAYOUT_STRUCT) return DRY_OK;
    for (int64_t i = 0; i < f->n_children; i++)
        if (a->children[i].length < need)
            return dry_refuse(j, a->children[i].field, DRY_NO_ROW, "it has %lld elements, its parent needs %lld",
                              (long long)a->children[i].length, (long long)need);
    return DRY_OK;
}

enum dry_status dry_judge_ends(const struct dry_judge *j, const struct dry_array *a, int64_t limit, int64_t *first,
                               int64_t *last)
{
    bool wide = dry_layout_is_wide(a->field->layout);
    *first = *last = 0;
    if (a->length == 0) return DRY_OK;
    *first = dry_offset_at(a->buffers[1].data, wide, a->offset);
    *last = dry_offset_at(a->buffers[1].data, wide, a->offset + a->length);
    if (*first < 0 || *last < *first)
        return dry_refuse(j, a->field, DRY_NO_ROW, "its offsets lead from %lld to %lld", (long long)*first,
                          (long long)*last);
    if (*last > limit)
        return dry_refuse(j, a->field, DRY_NO_ROW, "its offsets lead from %lld to %lld of %lld", (long long)*first,
                          (long long)*last, (long long)limit);
    return DRY_OK;
}

static enum dry_status check_ends(const struct dry_judge *j, const struct dry_array *a)
{
    int64_t first, last;
    switch (a->field->layout) {
    case DRY_LAYOUT_BYTES32:
    case DRY_LAYOUT_BYTES64: return dry_judge_ends(j, a, a->buffers[2].len, &first, &last);
    case DRY_LAYOUT_LIST32:
    case DRY_LAYOUT_LIST64: DRY_TRY(dry_judge_ends(j, a, a->children[0].length, &first, &last)); break;
    default: DRY_TRY(dry_judge_lengths(j, a)); break;
    }
    for (int64_t i = 0; i < a->field->n_children; i++)
        DRY_TRY(check_ends(j, a->children + i));
    return DRY_OK;
}

enum dry_status dry_array_check_ends(const struct dry_schema *s, const struct dry_array *array, const char *where,
                                     struct dry_error *err)
{
    return check_ends(&(struct dry_judge){.schema = s, .where = where, .bad = DRY_CORRUPT, .err = err}, array);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What leads elsewhere must lead to something. Offsets and indices are judged many at once and without a branch; only
 * where that finds a fault are they looked at one by one, to name the row or to find that it is null.
 */
#include "array_check.h"
#include "../base/check.h"

enum { ROWS_AT_ONCE = 1024 }; /* few enough that their offsets and bytes stay in the cache between two looks */

static int64_t at_once(int64_t left)
{
    return left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
}

/* ---- offsets ----
 * With the first offset not negative, the n after it are in order if and only if neither they nor their distances
 * are: where the sign bit of all of them together is set, one of them is wrong. */
typedef uint32_t lanes32 __attribute__((vector_size(16)));
typedef uint64_t lanes64 __attribute__((vector_size(16)));

static bool are_ordered32(const uint8_t *offsets, int64_t n)
{
    lanes32 signs = {0};
    uint32_t rest = 0;
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
        lanes32 here, next;
        memcpy(&here, offsets + i * 4, sizeof here);
        memcpy(&next, offsets + i * 4 + 4, sizeof next);
        signs |= (next - here) | next;
    }
    for (; i < n; i++) {
        uint32_t here, next;
        memcpy(&here, offsets + i * 4, sizeof here);
        memcpy(&next, offsets + i * 4 + 4, sizeof next);
        rest |= (next - here) | next;
    }
    return !((signs[0] | signs[1] | signs[2] | signs[3] | rest) >> 31);
}

static bool are_ordered64(const uint8_t *offsets, int64_t n)
{
    lanes64 signs = {0};
    uint64_t rest = 0;
    int64_t i = 0;
    for (; i + 2 <= n; i += 2) {
        lanes64 here, next;
        memcpy(&here, offsets + i * 8, sizeof here);
        memcpy(&next, offsets + i * 8 + 8, sizeof next);
        signs |= (next - here) | next;
    }
    for (; i < n; i++) {
        uint64_t here, next;
        memcpy(&here, offsets + i * 8, sizeof here);
        memcpy(&next, offsets + i * 8 + 8, sizeof next);
        rest |= (next - here) | next;
    }
    return !((signs[0] | signs[1] | rest) >> 63);
}

/* Rows [from, from + n), where the offset of row `from` is known to be good. */
static enum dry_status verify_offsets(const struct dry_judge *j, const struct dry_array *a, int64_t from, int64_t n,
                                      int64_t limit)
{
    bool wide = dry_layout_is_wide(a->field->layout);
    const uint8_t *offsets = a->buffers[1].data + (a->offset + from) * (wide ? 8 : 4);
    bool ordered = wide ? are_ordered64(offsets, n) : are_ordered32(offsets, n);
    if (ordered && dry_offset_at(offsets, wide, n) <= limit) return DRY_OK;
    for (int64_t i = 0; i < n; i++) {
        int64_t first = dry_offset_at(offsets, wide, i), last = dry_offset_at(offsets, wide, i + 1);
        if (last < first || last > limit)
            return dry_refuse(j, a->field, from + i, "its offsets lead from %lld to %lld of %lld", (long long)first,
                              (long long)last, (long long)limit);
    }
    return DRY_OK;
}

static enum dry_status verify_bytes(const struct dry_judge *j, const struct dry_array *a)
{
    bool text = a->field->type == DRY_TYPE_UTF8 || a->field->type == DRY_TYPE_LARGE_UTF8;
    for (int64_t from = 0, n; from < a->length; from += n) {
        n = at_once(a->length - from);
        DRY_TRY(verify_offsets(j, a, from, n, a->buffers[2].len));
        if (text) DRY_TRY(dry_verify_text(j, a, from, n));
    }
    return DRY_OK;
}

/* ---- nulls ---- */
static enum dry_status verify_null_count(const struct dry_judge *j, const struct dry_array *a)
{
    if (!a->buffers[0].data || a->null_count < 0) return DRY_OK;
    int64_t nulls = a->length - dry_bits_count(a->buffers[0].data, a->offset, a->length);
    if (nulls != a->null_count)
        return dry_refuse(j, a->field, DRY_NO_ROW, "it claims %lld nulls, its bitmap has %lld",
                          (long long)a->null_count, (long long)nulls);
    return DRY_OK;
}

/* No null among elements [from, from + n). */
static enum dry_status verify_no_null(const struct dry_judge *j, const struct dry_array *a, int64_t from, int64_t n,
                                      const char *what)
{
    if (a->field->layout == DRY_LAYOUT_NULL && n) return dry_refuse(j, a->field, from, "%s is null", what);
    if (!a->buffers[0].data || dry_bits_count(a->buffers[0].data, a->offset + from, n) == n) return DRY_OK;
    while (!dry_is_null(a, from))
        from++;
    return dry_refuse(j, a->field, from, "%s is null", what);
}

/* ---- lists and maps ---- */
static enum dry_status verify_list(const struct dry_judge *j, const struct dry_array *a)
{
    const struct dry_array *items = a->children;
    int64_t first, last;
    for (int64_t from = 0, n; from < a->length; from += n) {
        n = at_once(a->length - from);
        DRY_TRY(verify_offsets(j, a, from, n, items->length));
    }
    if (a->field->type != DRY_TYPE_MAP) return DRY_OK;
    DRY_TRY(dry_judge_ends(j, a, items->length, &first, &last));
    DRY_TRY(verify_no_null(j, items, first, last - first, "a map's entry"));
    return verify_no_null(j, items->children, items->offset + first, last - first, "a map's key");
}

/* ---- dictionary indices ----
 * A negative index is a very large one when it is read without a sign; so one comparison answers both ways. */
#define DEFINE_ARE_BELOW(bits)                                                                                       \
    typedef uint##bits##_t index_lanes##bits __attribute__((vector_size(16)));                                       \
    static bool are_below##bits(const uint8_t *indices, int64_t n, uint64_t limit)                                   \
    {                                                                                                                \
        enum { LANES = 16 / sizeof(uint##bits##_t) };                                                                \
        uint##bits##_t top = (uint##bits##_t)limit, bad = 0, one;                                                    \
        index_lanes##bits bads = {0}, some;                                                                          \
        int64_t i = 0;                                                                                               \
        for (; i + LANES <= n; i += LANES) {                                                                         \
            memcpy(&some, indices + i * (int64_t)sizeof one, sizeof some);                                           \
            bads |= (index_lanes##bits)(some >= top);                                                                \
        }                                                                                                            \
        for (; i < n; i++) {                                                                                         \
            memcpy(&one, indices + i * (int64_t)sizeof one, sizeof one);                                             \
            bad |= one >= top;                                                                                       \
        }                                                                                                            \
        for (int lane = 0; lane < LANES; lane++)                                                                     \
            bad |= bads[lane];                                                                                       \
        return !bad;                                                                                                 \
    }
DEFINE_ARE_BELOW(8)
DEFINE_ARE_BELOW(16)
DEFINE_ARE_BELOW(32)
DEFINE_ARE_BELOW(64)

static bool are_below(const uint8_t *indices, int32_t bits, int64_t n, uint64_t limit)
{
    switch (bits) {
    case 8: return are_below8(indices, n, limit);
    case 16: return are_below16(indices, n, limit);
    case 32: return are_below32(indices, n, limit);
    default: return are_below64(indices, n, limit);
    }
}

static uint64_t index_at(const uint8_t *indices, int32_t bits, int64_t i)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (bits) {
    case 8: return indices[i];
    case 16: memcpy(&two, indices + i * 2, sizeof two); return two;
    case 32: memcpy(&four, indices + i * 4, sizeof four); return four;
    default: memcpy(&eight, indices + i * 8, sizeof eight); return eight;
    }
}

/* True: no index can be out of range. Else *limit is the first that is, read without its sign. */
static bool all_indices_fit(const struct dry_array *a, uint64_t *limit)
{
    bool is_signed = a->field->type <= DRY_TYPE_INT64;
    int bits = a->field->bits - is_signed;
    uint64_t values = a->dictionary ? (uint64_t)a->dictionary->length : 0;
    uint64_t most = bits < 64 ? (uint64_t)1 << bits : UINT64_MAX;
    *limit = values < most ? values : most;
    return !is_signed && bits < 64 && values >= most;
}

static enum dry_status verify_indices(const struct dry_judge *j, const struct dry_array *a)
{
    uint64_t limit;
    int32_t bits = a->field->bits;
    if (all_indices_fit(a, &limit)) return DRY_OK;
    for (int64_t from = 0, n; from < a->length; from += n) {
        n = at_once(a->length - from);
        const uint8_t *indices = a->buffers[1].data + (a->offset + from) * (bits / 8);
        if (are_below(indices, bits, n, limit)) continue;
        for (int64_t i = 0; i < n; i++) {
            uint64_t index = index_at(indices, bits, i);
            if (index < limit || dry_is_null(a, from + i)) continue;
            return dry_refuse(j, a->field, from + i, "its index (%#llx) is not one of a dictionary of %lld",
                              (unsigned long long)index, a->dictionary ? (long long)a->dictionary->length : 0LL);
        }
    }
    return DRY_OK;
}

/* ---- the tree ---- */
static enum dry_status verify_array(const struct dry_judge *j, const struct dry_array *a)
{
    DRY_TRY(verify_null_count(j, a));
    switch (a->field->layout) {
    case DRY_LAYOUT_FIXED: return a->field->values ? verify_indices(j, a) : DRY_OK;
    case DRY_LAYOUT_BYTES32:
    case DRY_LAYOUT_BYTES64: return verify_bytes(j, a);
    case DRY_LAYOUT_VIEW: return dry_verify_views(j, a);
    case DRY_LAYOUT_LIST32:
    case DRY_LAYOUT_LIST64: DRY_TRY(verify_list(j, a)); break;
    default: break;
    }
    for (int64_t i = 0; i < a->field->n_children; i++)
        DRY_TRY(verify_array(j, a->children + i));
    return DRY_OK;
}

enum dry_status dry_array_verify_node(const struct dry_schema *s, const struct dry_array *array, const char *where,
                                      struct dry_error *err)
{
    return verify_null_count(&(struct dry_judge){.schema = s, .where = where, .bad = DRY_CORRUPT, .err = err}, array);
}

enum dry_status dry_array_verify(const struct dry_schema *s, const struct dry_array *array, const char *where,
                                 struct dry_error *err)
{
    DRY_TRY(dry_array_check_ends(s, array, where, err)); /* first: the rest relies on it */
    return verify_array(&(struct dry_judge){.schema = s, .where = where, .bad = DRY_CORRUPT, .err = err}, array);
}

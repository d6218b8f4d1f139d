/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE /* qsort_r */
#include "merge.h"
#include "../base/check.h"
#include "view.h"

#include <stdlib.h>
#include <string.h>

/* One value. `data` is set while it lies in a batch, `at` while it lies in the blob; len -1: it is null. */
struct dry_merge_key {
    const uint8_t *data;
    size_t at;
    int64_t len, index;
};

void dry_merge_init(struct dry_merge *m, const struct dry_schema *s, const struct dry_field *field,
                    const struct dry_allocator *a)
{
    memset(m, 0, sizeof *m);
    m->schema = s;
    m->field = field;
    m->allocator = a;
    m->null_at = -1;
    dry_bytes_init(&m->blob, a);
}

void dry_merge_fini(struct dry_merge *m)
{
    dry_release(m->allocator, m->values, (size_t)m->cap * sizeof *m->values, _Alignof(struct dry_merge_key));
    dry_release(m->allocator, m->sorted, (size_t)m->cap * sizeof *m->sorted, _Alignof(struct dry_merge_key));
    dry_bytes_fini(&m->blob);
}

static enum dry_status fail(const struct dry_merge *m, struct dry_error *err, enum dry_status status,
                            const char *where, const char *what)
{
    char label[200];
    return dry_fail(err, status, "%s, %s: %s", where, dry_field_label(m->schema, m->field, label, sizeof label),
                    what);
}

/* ---- keys ---- */
static bool has_keys(const struct dry_field *values)
{
    return (values->layout == DRY_LAYOUT_FIXED && values->bits >= 8 && !values->values) ||
           values->layout == DRY_LAYOUT_BYTES32 || values->layout == DRY_LAYOUT_BYTES64 ||
           values->layout == DRY_LAYOUT_VIEW;
}

static bool bytes_key(const struct dry_array *a, int64_t i, struct dry_merge_key *key)
{
    int64_t first, last;
    if (a->field->layout == DRY_LAYOUT_BYTES64) {
        memcpy(&first, a->buffers[1].data + i * 8, 8);
        memcpy(&last, a->buffers[1].data + i * 8 + 8, 8);
    } else {
        int32_t narrow[2];
        memcpy(narrow, a->buffers[1].data + i * 4, 8);
        first = narrow[0];
        last = narrow[1];
    }
    key->len = last - first;
    if (first < 0 || last < first || last > a->buffers[2].len) return false;
    key->data = key->len ? a->buffers[2].data + first : NULL;
    return true;
}

static bool view_key(const struct dry_array *a, int64_t i, struct dry_merge_key *key)
{
    struct dry_bytes_view v = dry_view_at(a->buffers[1].data, i);
    if (v.length < 0) return false;
    key->len = v.length;
    if (v.length <= DRY_VIEW_INLINE) {
        key->data = a->buffers[1].data + i * DRY_VIEW_BYTES + offsetof(struct dry_bytes_view, u);
        return true;
    }
    if (v.u.far.buffer < 0 || v.u.far.buffer >= a->n_variadic || v.u.far.offset < 0 ||
        v.u.far.offset > a->variadic[v.u.far.buffer].len - v.length)
        return false;
    key->data = a->variadic[v.u.far.buffer].data + v.u.far.offset;
    return true;
}

/* The key of element i; false when its bytes would lie outside of the array. */
static bool key_at(const struct dry_array *a, int64_t i, struct dry_merge_key *key)
{
    *key = (struct dry_merge_key){.index = i};
    i += a->offset;
    if (a->buffers[0].data && !dry_bit(a->buffers[0].data, i)) {
        key->len = -1;
        return true;
    }
    if (a->field->layout == DRY_LAYOUT_VIEW) return view_key(a, i, key);
    if (a->field->layout != DRY_LAYOUT_FIXED) return bytes_key(a, i, key);
    key->len = a->field->bits / 8;
    key->data = a->buffers[1].data + i * key->len;
    return true;
}

static int compare(const struct dry_merge_key *x, const struct dry_merge_key *y, const uint8_t *blob)
{
    if (x->len != y->len) return x->len < y->len ? -1 : 1;
    if (x->len <= 0) return 0;
    return memcmp(x->data ? x->data : blob + x->at, y->data ? y->data : blob + y->at, (size_t)x->len);
}

/* Equal keys stand in the order of their indices, so that the first of them is found. */
static int by_bytes(const void *x, const void *y, void *blob)
{
    const struct dry_merge_key *a = x, *b = y;
    int order = compare(a, b, blob);
    return order ? order : (a->index > b->index) - (a->index < b->index);
}

/* ---- own values ---- */
static enum dry_status make_room(struct dry_merge *m, int64_t more)
{
    size_t cap = (size_t)m->cap * 2, size, old = (size_t)m->cap * sizeof *m->values;
    if (m->n + more <= m->cap) return DRY_OK;
    if (cap < (size_t)(m->n + more)) cap = (size_t)(m->n + more);
    if (dry_mul_overflows(cap, sizeof *m->values, &size)) return DRY_TOO_BIG;
    struct dry_merge_key *values = dry_allocate(m->allocator, size, _Alignof(struct dry_merge_key));
    struct dry_merge_key *sorted = values ? dry_allocate(m->allocator, size, _Alignof(struct dry_merge_key)) : NULL;
    if (!sorted) {
        dry_release(m->allocator, values, size, _Alignof(struct dry_merge_key));
        return DRY_NOMEM;
    }
    if (m->n) {
        memcpy(values, m->values, (size_t)m->n * sizeof *values);
        memcpy(sorted, m->sorted, (size_t)m->n * sizeof *sorted);
    }
    dry_release(m->allocator, m->values, old, _Alignof(struct dry_merge_key));
    dry_release(m->allocator, m->sorted, old, _Alignof(struct dry_merge_key));
    m->values = values;
    m->sorted = sorted;
    m->cap = (int64_t)cap;
    return DRY_OK;
}

static enum dry_status append(struct dry_merge *m, struct dry_merge_key *key)
{
    static const uint8_t zeros[32];
    const struct dry_field *values = m->field->values;
    struct dry_merge_key own = {.at = m->blob.len, .len = key->len, .index = m->n};
    DRY_TRY(make_room(m, 1));
    if (key->len > 0) DRY_TRY(dry_bytes_append(&m->blob, key->data, (size_t)key->len));
    if (key->len < 0) { /* a fixed value has its place in the data, null or not */
        if (m->null_at < 0) m->null_at = m->n;
        for (size_t left = values->layout == DRY_LAYOUT_FIXED ? (size_t)values->bits / 8 : 0; left;) {
            size_t n = left < sizeof zeros ? left : sizeof zeros;
            DRY_TRY(dry_bytes_append(&m->blob, zeros, n));
            left -= n;
        }
    }
    key->index = m->n;
    m->values[m->n] = m->sorted[m->n] = own;
    m->n++;
    return DRY_OK;
}

static void sort_own(struct dry_merge *m)
{
    if (m->n) qsort_r(m->sorted, (size_t)m->n, sizeof *m->sorted, by_bytes, m->blob.data);
}

static enum dry_status all_keys(const struct dry_merge *m, const struct dry_array *a, const char *where,
                                struct dry_arena *arena, struct dry_merge_key **out, struct dry_error *err)
{
    struct dry_merge_key *keys = dry_arena_take_array(arena, (size_t)a->length, sizeof *keys);
    if (!keys) return fail(m, err, DRY_NOMEM, where, "no memory to merge its dictionary");
    for (int64_t i = 0; i < a->length; i++)
        if (!key_at(a, i, keys + i))
            return fail(m, err, DRY_CORRUPT, where, "its dictionary leads outside of its bytes");
    *out = keys;
    return DRY_OK;
}

/* The first dictionary keeps all its places, repeated values too: indices that are written already lead there. */
static enum dry_status own_first(struct dry_merge *m, const char *where, struct dry_arena *arena,
                                 struct dry_error *err)
{
    struct dry_merge_key *keys;
    DRY_TRY(all_keys(m, &m->first, where, arena, &keys, err));
    for (int64_t i = 0; i < m->first.length; i++)
        if (append(m, keys + i) != DRY_OK) return fail(m, err, DRY_NOMEM, where, "no memory to merge its dictionary");
    sort_own(m);
    m->state = DRY_MERGE_OWN;
    return DRY_OK;
}

/* For each key, in its own order, the index of the equal value in `m`, which is appended if there is none. */
static enum dry_status look_up(struct dry_merge *m, struct dry_merge_key *keys, int64_t n, struct dry_arena *arena,
                               int64_t *map, bool *grew)
{
    int64_t known = 0, old = m->n;
    struct dry_merge_key *order = dry_arena_take_array(arena, (size_t)n, sizeof *order);
    int64_t *twin = dry_arena_take_array(arena, (size_t)n, sizeof *twin); /* the first equal key in this dictionary */
    if (!order || !twin) return DRY_NOMEM;
    if (n) memcpy(order, keys, (size_t)n * sizeof *order);
    if (n) qsort_r(order, (size_t)n, sizeof *order, by_bytes, m->blob.data);
    for (int64_t i = 0; i < n; i++) {
        int64_t place = order[i].index;
        bool again = i && compare(order + i, order + i - 1, m->blob.data) == 0;
        twin[place] = again ? twin[order[i - 1].index] : place;
        while (known < old && compare(m->sorted + known, order + i, m->blob.data) < 0)
            known++;
        map[place] =
            known < old && compare(m->sorted + known, order + i, m->blob.data) == 0 ? m->sorted[known].index : -1;
    }
    for (int64_t i = 0; i < n; i++) {
        if (map[i] >= 0) continue;
        if (twin[i] == i) DRY_TRY(append(m, keys + i));
        map[i] = twin[i] == i ? m->n - 1 : map[twin[i]];
    }
    *grew = m->n > old;
    if (*grew) sort_own(m);
    return DRY_OK;
}

/* ---- equality as a whole ---- */
static enum dry_status append_to_bytes(void *self, const void *bytes, size_t n, struct dry_error *err)
{
    (void)err;
    return dry_bytes_append(self, bytes, n);
}

static enum dry_status serialise(const struct dry_merge *m, const struct dry_array *a, const char *where,
                                 struct dry_arena *arena, struct dry_bytes *out, struct dry_error *err)
{
    static const struct dry_ipc_write_options plain = {.format = DRY_IPC_FILE};
    struct dry_sink sink = {.self = out, .append = append_to_bytes};
    struct dry_plan plan;
    uint64_t written = 0;
    DRY_TRY(dry_plan_make(m->schema, a, NULL, where, arena, &plan, err));
    return dry_plan_write(m->schema, &plan, NULL, where, &sink, &plain, &written, err);
}

static bool same_memory(const struct dry_array *x, const struct dry_array *y)
{
    if (x->length != y->length || x->offset != y->offset || x->n_variadic != y->n_variadic) return false;
    for (int i = 0; i < 3; i++)
        if (x->buffers[i].data != y->buffers[i].data) return false;
    for (int64_t i = 0; i < x->n_variadic; i++)
        if (x->variadic[i].data != y->variadic[i].data) return false;
    for (int64_t i = 0; i < x->field->n_children; i++)
        if (!same_memory(x->children + i, y->children + i)) return false;
    return !x->dictionary || same_memory(x->dictionary, y->dictionary);
}

static enum dry_status equal(const struct dry_merge *m, const struct dry_array *a, const char *where,
                             struct dry_arena *arena, bool *out, struct dry_error *err)
{
    *out = same_memory(&m->first, a);
    if (*out || m->first.length != a->length) return DRY_OK;
    struct dry_bytes x, y;
    dry_bytes_init(&x, m->allocator);
    dry_bytes_init(&y, m->allocator);
    enum dry_status status = serialise(m, &m->first, where, arena, &x, err);
    if (status == DRY_OK) status = serialise(m, a, where, arena, &y, err);
    /* nested dictionaries are compared by memory only: their indices alone say nothing */
    *out = status == DRY_OK && x.len == y.len && (x.len == 0 || memcmp(x.data, y.data, x.len) == 0) &&
           (!m->first.dictionary || same_memory(m->first.dictionary, a->dictionary));
    dry_bytes_fini(&x);
    dry_bytes_fini(&y);
    return status;
}

/* ---- taking and giving ---- */
static int64_t largest_index(const struct dry_field *f)
{
    bool is_signed = f->type == DRY_TYPE_INT8 || f->type == DRY_TYPE_INT16 || f->type == DRY_TYPE_INT32 ||
                     f->type == DRY_TYPE_INT64;
    int bits = f->bits - (is_signed || f->bits == 64);
    return bits >= 63 ? INT64_MAX : ((int64_t)1 << bits) - 1;
}

static enum dry_status merge(struct dry_merge *m, const struct dry_array *a, const char *where,
                             struct dry_arena *arena, struct dry_renumber *renumber, bool *grew,
                             struct dry_error *err)
{
    struct dry_merge_key *keys;
    if (!has_keys(m->field->values))
        return fail(
            m, err, DRY_UNSUPPORTED, where,
            "its dictionary differs from that of an earlier batch, and nested or bool values cannot be merged; "
            "decode the column or unify its dictionaries first");
    if (m->state == DRY_MERGE_BORROWED) DRY_TRY(own_first(m, where, arena, err));
    DRY_TRY(all_keys(m, a, where, arena, &keys, err));
    int64_t *map = dry_arena_take_array(arena, (size_t)a->length, sizeof *map), i = 0, old = m->n;
    if (!map || look_up(m, keys, a->length, arena, map, grew) != DRY_OK)
        return fail(m, err, DRY_NOMEM, where, "no memory to merge its dictionary");
    while (i < a->length && map[i] == i)
        i++;
    if (i < a->length && m->field->ordered)
        return fail(
            m, err, DRY_INVALID, where,
            "its ordered dictionary is in another order than that of an earlier batch; give all batches one order");
    if (m->n > old && m->n - 1 > largest_index(m->field))
        return fail(
            m, err, DRY_TOO_BIG, where,
            "the batches together have more different values than its index type can count; cast the indices to "
            "a wider type");
    renumber->map = i < a->length ? map : NULL;
    renumber->n = a->length;
    return DRY_OK;
}

enum dry_status dry_merge_take(struct dry_merge *m, const struct dry_array *dictionary, const char *where,
                               struct dry_arena *arena, struct dry_renumber *renumber, bool *keep, bool *grew,
                               struct dry_error *err)
{
    *renumber = (struct dry_renumber){.map = NULL, .n = dictionary->length};
    *grew = *keep = false;
    if (m->state == DRY_MERGE_EMPTY) {
        m->first = *dictionary;
        m->state = DRY_MERGE_BORROWED;
        *grew = *keep = true;
        return DRY_OK;
    }
    if (m->state == DRY_MERGE_BORROWED) {
        bool same;
        DRY_TRY(equal(m, dictionary, where, arena, &same, err));
        if (same) return DRY_OK;
    }
    return merge(m, dictionary, where, arena, renumber, grew, err);
}

/* The buffers of the own values: the blob is the data of a fixed or bytes column as it stands. */
static bool build(const struct dry_merge *m, struct dry_arena *arena, struct dry_array *out)
{
    size_t n = (size_t)m->n, width = out->field->layout == DRY_LAYOUT_BYTES64 ? 8 : 4;
    uint8_t *validity = NULL, *second = NULL;
    if (m->null_at >= 0) {
        if (!(validity = dry_arena_take(arena, n / 8 + 1))) return false;
        for (size_t i = 0; i < n; i++)
            if (m->values[i].len >= 0) validity[i / 8] |= (uint8_t)(1u << i % 8);
        out->buffers[0] = (struct dry_span){validity, (int64_t)(n / 8 + 1)};
    }
    if (out->field->layout == DRY_LAYOUT_FIXED) {
        out->buffers[1] = (struct dry_span){m->blob.data, (int64_t)m->blob.len};
        return true;
    }
    if (out->field->layout == DRY_LAYOUT_VIEW) {
        struct dry_span *far = dry_arena_take(arena, sizeof *far);
        if (!far || !(second = dry_arena_take_array(arena, n, DRY_VIEW_BYTES))) return false;
        for (size_t i = 0; i < n; i++) {
            int64_t len = m->values[i].len < 0 ? 0 : m->values[i].len;
            const uint8_t *bytes = len ? m->blob.data + m->values[i].at : NULL;
            struct dry_bytes_view v = {.length = (int32_t)len};
            if (len) memcpy(v.u.inlined, bytes, (size_t)(len <= DRY_VIEW_INLINE ? len : 4));
            if (len > DRY_VIEW_INLINE) v.u.far.offset = (int32_t)m->values[i].at;
            memcpy(second + i * DRY_VIEW_BYTES, &v, sizeof v);
        }
        *far = (struct dry_span){m->blob.data, (int64_t)m->blob.len};
        out->buffers[1] = (struct dry_span){second, (int64_t)n * DRY_VIEW_BYTES};
        out->variadic = far;
        out->n_variadic = 1;
        return true;
    }
    if (!(second = dry_arena_take_array(arena, n + 1, width))) return false;
    for (size_t i = 0; i <= n; i++) { /* little-endian: the low bytes are the narrower offset */
        uint64_t at = i < n ? m->values[i].at : m->blob.len;
        memcpy(second + i * width, &at, width);
    }
    out->buffers[1] = (struct dry_span){second, (int64_t)((n + 1) * width)};
    out->buffers[2] = (struct dry_span){m->blob.data, (int64_t)m->blob.len};
    return true;
}

static bool build_empty(const struct dry_field *f, struct dry_arena *arena, struct dry_array *out)
{
    *out = (struct dry_array){.field = f};
    if (!(out->children = dry_arena_take_array(arena, (size_t)f->n_children, sizeof *out->children))) return false;
    for (int64_t i = 0; i < f->n_children; i++)
        if (!build_empty(f->children + i, arena, out->children + i)) return false;
    return true;
}

enum dry_status dry_merge_values(const struct dry_merge *m, struct dry_arena *arena, struct dry_array *out,
                                 struct dry_error *err)
{
    struct dry_array values = m->first;
    if (m->state == DRY_MERGE_EMPTY && !build_empty(m->field->values, arena, &values))
        return fail(m, err, DRY_NOMEM, "dictionaries", "no memory");
    if (m->state == DRY_MERGE_OWN) {
        if (m->field->values->layout != DRY_LAYOUT_FIXED && m->field->values->layout != DRY_LAYOUT_BYTES64 &&
            m->blob.len > INT32_MAX)
            return fail(m, err, DRY_TOO_BIG, "dictionaries",
                        "its merged values are larger than 2 GiB; use large_utf8 or large_binary values");
        values = (struct dry_array){.field = m->field->values, .length = m->n, .null_count = -1};
        if (!build(m, arena, &values)) return fail(m, err, DRY_NOMEM, "dictionaries", "no memory");
    }
    *out = values;
    return DRY_OK;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "array_check.h"
#include "../base/check.h"

/* How many levels an array has is the schema's to say, which is bounded: the recursion follows the schema, and
 * whatever the foreign array hangs where the schema has nothing is refused by its count. */
struct importer {
    struct dry_judge judge;
    struct dry_arena *arena;
};

/* ---- the numbers of one array ---- */
static enum dry_status check_counts(const struct dry_judge *j, const struct dry_field *f, const struct ArrowArray *in)
{
    int64_t least = dry_layout_buffers(f->layout), most = least;
    if (f->layout == DRY_LAYOUT_NULL) most++; /* a bitmap of nothing: Polars gives one, as Arrow once did */
    if (f->layout == DRY_LAYOUT_VIEW) {
        least++; /* the lengths of the variadic ones */
        most = INT64_MAX;
    }
    if (in->n_buffers < least || in->n_buffers > most)
        return dry_refuse(j, f, DRY_NO_ROW, "the array has %lld buffers, its type has %lld%s",
                          (long long)in->n_buffers, (long long)least, f->layout == DRY_LAYOUT_VIEW ? " or more" : "");
    if (in->n_children != f->n_children)
        return dry_refuse(j, f, DRY_NO_ROW, "the array has %lld children, its type has %lld",
                          (long long)in->n_children, (long long)f->n_children);
    if (in->n_children && !in->children)
        return dry_refuse(j, f, DRY_NO_ROW, "the array's children are missing (NULL)");
    if (!in->dictionary && f->values) return dry_refuse(j, f, DRY_NO_ROW, "the array's dictionary is missing (NULL)");
    if (in->dictionary && !f->values)
        return dry_refuse(j, f, DRY_NO_ROW, "the array has a dictionary, its type has none");
    return DRY_OK;
}

static enum dry_status check_head(const struct dry_judge *j, const struct dry_field *f, const struct ArrowArray *in)
{
    int64_t end;
    if (!in) return dry_refuse(j, f, DRY_NO_ROW, "the array is missing (NULL)");
    if (!in->release) return dry_refuse(j, f, DRY_NO_ROW, "the array has been released or moved away already");
    if (in->length < 0 || in->offset < 0 || __builtin_add_overflow(in->length, in->offset, &end))
        return dry_refuse(j, f, DRY_NO_ROW, "an array of length %lld at offset %lld cannot be", (long long)in->length,
                          (long long)in->offset);
    if (in->null_count < -1 || in->null_count > in->length)
        return dry_refuse(j, f, DRY_NO_ROW, "the array has length %lld and null count %lld", (long long)in->length,
                          (long long)in->null_count);
    return check_counts(j, f, in);
}

/* ---- buffers ---- */
static enum dry_status import_views(const struct importer *im, const struct ArrowArray *in, struct dry_array *out)
{
    const struct dry_judge *j = &im->judge;
    int64_t n = in->n_buffers - 3;
    const uint8_t *lengths = in->buffers[in->n_buffers - 1];
    if (n == 0) return DRY_OK;
    if (!lengths) return dry_refuse(j, out->field, DRY_NO_ROW, "the lengths of its view buffers are missing (NULL)");
    if (!(out->variadic = dry_arena_take_array(im->arena, (size_t)n, sizeof *out->variadic)))
        return dry_refuse_no_memory(j);
    for (int64_t i = 0; i < n; i++) {
        struct dry_span *to = out->variadic + i;
        to->data = in->buffers[2 + i];
        memcpy(&to->len, lengths + i * (int64_t)sizeof to->len, sizeof to->len);
        if (to->len < 0 || (to->len && !to->data))
            return dry_refuse(j, out->field, DRY_NO_ROW, "its view buffer %lld has %lld bytes%s", (long long)i,
                              (long long)to->len, to->data ? "" : " and is missing (NULL)");
    }
    out->n_variadic = n;
    return DRY_OK;
}

/* The bytes of a bytes column: as many as its last offset says. */
static enum dry_status import_bytes(const struct dry_judge *j, const struct ArrowArray *in, struct dry_array *out)
{
    int64_t first, last;
    DRY_TRY(dry_judge_ends(j, out, INT64_MAX, &first, &last));
    out->buffers[2] = (struct dry_span){in->buffers[2], last};
    if (last && !in->buffers[2]) return dry_refuse(j, out->field, DRY_NO_ROW, "buffer 2 is missing (NULL)");
    return DRY_OK;
}

static enum dry_status import_validity(const struct dry_judge *j, const struct ArrowArray *in, int64_t bytes,
                                       struct dry_array *out)
{
    if (in->buffers[0]) {
        out->buffers[0] = (struct dry_span){in->buffers[0], bytes};
        return DRY_OK;
    }
    if (in->null_count > 0)
        return dry_refuse(j, out->field, DRY_NO_ROW, "it has %lld nulls but no validity bitmap",
                          (long long)in->null_count);
    out->null_count = 0;
    return DRY_OK;
}

/* Only for arrays with elements: of others no pointer is looked at. */
static enum dry_status import_buffers(const struct importer *im, const struct ArrowArray *in, struct dry_array *out)
{
    const struct dry_judge *j = &im->judge;
    enum dry_layout layout = out->field->layout;
    int n = dry_layout_buffers(layout);
    if (n && !in->buffers) return dry_refuse(j, out->field, DRY_NO_ROW, "the array's buffers are missing (NULL)");
    for (int i = 0; i < n; i++) {
        int64_t bytes;
        if (dry_buffer_bytes_overflow(out->field, i, in->offset + in->length, &bytes))
            return dry_refuse(j, out->field, DRY_NO_ROW, "an array of length %lld at offset %lld cannot be",
                              (long long)in->length, (long long)in->offset);
        if (i == 0) {
            DRY_TRY(import_validity(j, in, bytes, out));
            continue;
        }
        if (bytes && !in->buffers[i]) return dry_refuse(j, out->field, DRY_NO_ROW, "buffer %d is missing (NULL)", i);
        out->buffers[i] = (struct dry_span){in->buffers[i], bytes};
    }
    if (layout == DRY_LAYOUT_VIEW) return import_views(im, in, out);
    if (layout == DRY_LAYOUT_BYTES32 || layout == DRY_LAYOUT_BYTES64) return import_bytes(j, in, out);
    return DRY_OK;
}

/* ---- the tree ---- */
static enum dry_status import_array(const struct importer *im, const struct dry_field *f, const struct ArrowArray *in,
                                    struct dry_array *out);

static enum dry_status import_children(const struct importer *im, const struct ArrowArray *in, struct dry_array *out)
{
    const struct dry_field *f = out->field;
    int64_t first, last;
    if (!(out->children = dry_arena_take_array(im->arena, (size_t)f->n_children, sizeof *out->children)))
        return dry_refuse_no_memory(&im->judge);
    for (int64_t i = 0; i < f->n_children; i++)
        DRY_TRY(import_array(im, f->children + i, in->children[i], out->children + i));
    if (f->layout == DRY_LAYOUT_LIST32 || f->layout == DRY_LAYOUT_LIST64)
        return dry_judge_ends(&im->judge, out, out->children[0].length, &first, &last);
    return dry_judge_lengths(&im->judge, out);
}

static enum dry_status import_array(const struct importer *im, const struct dry_field *f, const struct ArrowArray *in,
                                    struct dry_array *out)
{
    DRY_TRY(check_head(&im->judge, f, in));
    *out = (struct dry_array){.field = f, .length = in->length, .null_count = in->null_count, .offset = in->offset};
    if (f->layout == DRY_LAYOUT_NULL) out->null_count = in->length;
    if (in->length == 0)
        out->null_count = out->offset = 0;
    else
        DRY_TRY(import_buffers(im, in, out));
    if (f->n_children) DRY_TRY(import_children(im, in, out));
    if (!f->values) return DRY_OK;
    if (!(out->dictionary = dry_arena_take(im->arena, sizeof *out->dictionary)))
        return dry_refuse_no_memory(&im->judge);
    return import_array(im, f->values, in->dictionary, out->dictionary);
}

enum dry_status dry_array_import(const struct dry_schema *s, const struct ArrowArray *in, struct dry_arena *arena,
                                 struct dry_array *out, struct dry_error *err)
{
    struct importer im = {.judge = {.schema = s, .bad = DRY_INVALID, .err = err}, .arena = arena};
    struct dry_array array;
    DRY_TRY(import_array(&im, &s->root, in, &array));
    *out = array;
    return DRY_OK;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Columns as views. A foreign array becomes one storage that owns it and one storage for each buffer that holds the
 * first: so a view lies inside its own storage, as everywhere else, and the array goes with the last of them.
 */
#include "arrow.h"
#include "../base/check.h"
#include "array.h"

#include <string.h>

static void keep(struct ArrowSchema *s)
{
    (void)s;
}

/* A schema of one column, borrowed from `type`. */
static enum dry_status schema_of(const struct ArrowSchema *type, const struct dry_allocator *a,
                                 struct dry_schema **out, struct dry_error *err)
{
    struct ArrowSchema column = *type, *columns[] = {&column};
    struct ArrowSchema root = {.format = "+s", .name = "", .n_children = 1, .children = columns, .release = keep};
    struct dry_schema *s;
    if (!column.release) column.release = keep;
    DRY_TRY(dry_schema_import(&root, a, &s, err));
    const struct dry_field *f = s->root.children;
    if (f->values ||
        (f->layout != DRY_LAYOUT_FIXED && f->layout != DRY_LAYOUT_BYTES32 && f->layout != DRY_LAYOUT_BYTES64)) {
        char name[120];
        dry_field_type_name(f, name, sizeof name);
        dry_schema_free(s);
        return dry_fail(err, DRY_UNSUPPORTED, "a column of type %s cannot be taken as views of its buffers", name);
    }
    *out = s;
    return DRY_OK;
}

/* ---- adopting ---- */
/* The array, moved; not ours before everything has succeeded. */
struct owned {
    struct ArrowArray array;
    bool is_ours;
};

static const void *itself(void *owner, size_t *n)
{
    *n = sizeof(struct owned);
    return owner;
}

static void release_owned(void *owner)
{
    struct owned *o = owner;
    if (o->is_ours) o->array.release(&o->array);
}

static void unref(void *owner)
{
    dry_storage_unref(owner);
}

static enum dry_status view_of(const struct dry_span *span, struct dry_storage *owner, const struct dry_allocator *a,
                               struct dry_view *out)
{
    struct dry_storage *s;
    if (!span->data || span->len == 0) return DRY_OK;
    DRY_TRY(dry_storage_adopt(span->data, (size_t)span->len, owner, unref, a, &s));
    dry_storage_ref(owner);
    *out = dry_view_adopt(s);
    return DRY_OK;
}

/* Sizes come from the array's own length and offsets, as for every import. */
static enum dry_status measure(const struct dry_schema *s, struct ArrowArray *array, struct dry_arena *arena,
                               struct dry_array *out, struct dry_error *err)
{
    static const void *none[] = {NULL};
    struct ArrowArray *columns[] = {array}, root = {.length = array->length,
                                                    .n_buffers = 1,
                                                    .n_children = 1,
                                                    .buffers = none,
                                                    .children = columns,
                                                    .release = array->release};
    return dry_array_import(s, &root, arena, out, err);
}

enum dry_status dry_column_adopt(const struct ArrowSchema *type, struct ArrowArray *array,
                                 const struct dry_allocator *a, struct dry_column *out, struct dry_error *err)
{
    struct dry_schema *s;
    struct dry_arena arena;
    struct dry_array root;
    struct dry_storage *owner = NULL;
    struct dry_column column = {.length = array->length, .offset = array->offset};
    if (!array->release) return dry_fail(err, DRY_INVALID, "the array has been released already");
    DRY_TRY(schema_of(type, a, &s, err));
    dry_arena_init(&arena, a);
    enum dry_status status = measure(s, array, &arena, &root, err);
    if (status == DRY_OK) {
        const struct owned moved = {.array = *array};
        status = dry_storage_from_owner(&moved, sizeof moved, itself, release_owned, a, &owner);
        for (int i = 0; status == DRY_OK && i < 3; i++)
            status = view_of(root.children[0].buffers + i, owner, a, column.buffers + i);
        if (status != DRY_OK) dry_fail(err, status, "no memory for the views of a column");
    }
    dry_arena_fini(&arena);
    dry_schema_free(s);
    if (status == DRY_OK) {
        ((struct owned *)(uintptr_t)dry_storage_data(owner))->is_ours = true; /* nobody else has it yet */
        array->release = NULL;
        *out = column;
    } else {
        dry_column_unref(&column);
    }
    dry_storage_unref(owner);
    return status;
}

void dry_column_unref(struct dry_column *c)
{
    for (int i = 0; i < 3; i++)
        dry_view_unref(c->buffers + i);
    *c = (struct dry_column){.length = 0};
}

enum dry_status dry_column_values(const struct dry_column *c, size_t width, struct dry_view *out)
{
    size_t from, len;
    if (c->offset < 0 || c->length < 0 || dry_mul_overflows((size_t)c->offset, width, &from) ||
        dry_mul_overflows((size_t)c->length, width, &len))
        return DRY_INVALID;
    return dry_view_slice(c->buffers + 1, len ? from : 0, len, out);
}

/* ---- exporting ---- */
static enum dry_status too_short(int buffer, struct dry_error *err)
{
    return dry_fail(err, DRY_INVALID, "buffer %d of the column is shorter than its offset and length need", buffer);
}

/* Whether the views are long enough for offset + length elements; the bytes behind offsets are checked by their ends.
 */
static enum dry_status check_lengths(const struct dry_array *a, struct dry_error *err)
{
    int64_t end, bits, width = a->field->layout == DRY_LAYOUT_BYTES64 ? 64 : 32;
    if (a->length < 0 || a->offset < 0 || __builtin_add_overflow(a->length, a->offset, &end) || end > INT64_MAX / 512)
        return dry_fail(err, DRY_INVALID, "a column of %lld elements from %lld cannot be", (long long)a->length,
                        (long long)a->offset);
    if (a->buffers[0].data && a->buffers[0].len < (end + 7) / 8) return too_short(0, err);
    if (a->length == 0) return DRY_OK;
    bits = a->field->layout == DRY_LAYOUT_FIXED ? end * a->field->bits : (end + 1) * width;
    return a->buffers[1].len < (bits + 7) / 8 ? too_short(1, err) : DRY_OK;
}

enum dry_status dry_column_export(const char *format, const struct dry_column *c, const struct dry_allocator *a,
                                  struct ArrowArray *out, struct dry_error *err)
{
    const struct ArrowSchema type = {.format = format, .name = "", .release = keep};
    struct dry_schema *s;
    struct dry_storage *holds[3];
    size_t n = 0;
    DRY_TRY(schema_of(&type, a, &s, err));
    struct dry_array array = {.field = s->root.children, .length = c->length, .offset = c->offset, .null_count = -1};
    for (int i = 0; i < 3; i++) {
        if (c->buffers[i].len == 0) continue;
        array.buffers[i] = (struct dry_span){c->buffers[i].data, (int64_t)c->buffers[i].len};
        if (c->buffers[i].storage) holds[n++] = c->buffers[i].storage;
    }
    enum dry_status status = check_lengths(&array, err);
    if (status == DRY_OK) status = dry_array_check_ends(s, &array, "the column", err);
    if (status == DRY_OK) {
        status = dry_array_export(&array, holds, n, a, out);
        if (status != DRY_OK) dry_fail(err, status, "no memory to export a column");
    }
    dry_schema_free(s);
    return status == DRY_CORRUPT ? DRY_INVALID : status;
}

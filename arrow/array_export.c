/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * One block holds a whole exported tree:
 *
 *     struct exported | holds | ArrowArrays below the root | pointers to buffers and children | view buffers' lengths
 *
 * Each ArrowArray that has not been released counts one in `live`, the root included, wherever it has been moved to.
 * A parent's release releases the children that are still in their place; a child that was moved out is its new
 * owner's, and keeps the block. Whoever counts down to nothing frees it.
 *
 * Pairs: AR1 release -> AR1 release: the last one sees all that the others did with the bytes and the block.
 */
#include "array_check.h"
#include "../base/atomic.h"
#include "../base/check.h"

struct exported {
    struct dry_atomic_u64 live;
    const struct dry_allocator *allocator;
    size_t size, n_holds;
    struct dry_storage *holds[];
};

enum { BLOCK_ALIGN = 16 };

/* What required buffers without bytes point to: a consumer may read the one offset that it expects. */
static const _Alignas(DRY_ALIGN) uint8_t zeros[DRY_ALIGN];

/* ---- release ---- */
static void free_block(struct exported *e)
{
    for (size_t i = 0; i < e->n_holds; i++)
        dry_storage_unref(e->holds[i]);
    dry_release(e->allocator, e, e->size, BLOCK_ALIGN);
}

static void release(struct ArrowArray *array)
{
    struct exported *e = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++)
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
    if (array->dictionary && array->dictionary->release) array->dictionary->release(array->dictionary);
    array->release = NULL;
    /* AR1: pairs with AR1, here on other threads: their last use of the bytes and the block comes before the free */
    if (dry_sub_acq_rel_u64(&e->live, 1) == 1) free_block(e);
}

/* ---- parts of a tree, also of one that was never filled in ---- */
static struct dry_array child_of(const struct dry_array *a, int64_t i)
{
    return a->children ? a->children[i] : (struct dry_array){.field = a->field->children + i};
}

static struct dry_array dictionary_of(const struct dry_array *a)
{
    return a->dictionary ? *a->dictionary : (struct dry_array){.field = a->field->values};
}

static int64_t buffer_count(const struct dry_array *a)
{
    return dry_layout_buffers(a->field->layout) + (a->field->layout == DRY_LAYOUT_VIEW ? a->n_variadic + 1 : 0);
}

/* ---- the block ---- */
struct parts {
    struct ArrowArray *arrays;
    const void **pointers;
    int64_t *lengths;
};
struct counts {
    size_t arrays, pointers, lengths;
};

static void count(const struct dry_array *a, struct counts *n)
{
    n->arrays++;
    n->pointers += (size_t)(buffer_count(a) + a->field->n_children);
    n->lengths += (size_t)a->n_variadic;
    for (int64_t i = 0; i < a->field->n_children; i++) {
        struct dry_array child = child_of(a, i);
        count(&child, n);
    }
    if (a->field->values) {
        struct dry_array dictionary = dictionary_of(a);
        count(&dictionary, n);
    }
}

static struct exported *new_block(const struct counts *n, size_t n_holds, const struct dry_allocator *a,
                                  struct parts *parts)
{
    /* no product overflows: the tree that was counted is in memory, and larger */
    size_t holds = sizeof(struct exported) + n_holds * sizeof(struct dry_storage *);
    size_t arrays = (n->arrays - 1) * sizeof *parts->arrays, pointers = n->pointers * sizeof *parts->pointers;
    size_t size = holds + arrays + pointers + n->lengths * sizeof *parts->lengths;
    char *block = dry_allocate(a, size, BLOCK_ALIGN);
    if (!block) return NULL;
    parts->arrays = (void *)(block + holds);
    parts->pointers = (void *)(block + holds + arrays);
    parts->lengths = (void *)(block + holds + arrays + pointers);
    struct exported *e = (void *)block;
    dry_store_relaxed_u64(&e->live, n->arrays); /* X0: nobody else has the block yet */
    e->allocator = a;
    e->size = size;
    e->n_holds = n_holds;
    return e;
}

/* ---- filling ---- */
static const void *bytes_of(const struct dry_span *span)
{
    return span->len ? span->data : zeros;
}

static void fill_buffers(struct parts *p, const struct dry_array *a, struct ArrowArray *out)
{
    int fixed = dry_layout_buffers(a->field->layout);
    out->n_buffers = buffer_count(a);
    out->buffers = p->pointers;
    p->pointers += out->n_buffers;
    if (fixed) out->buffers[0] = a->buffers[0].data; /* NULL: no nulls */
    for (int i = 1; i < fixed; i++)
        out->buffers[i] = bytes_of(a->buffers + i);
    if (a->field->layout != DRY_LAYOUT_VIEW) return;
    for (int64_t i = 0; i < a->n_variadic; i++) {
        out->buffers[fixed + i] = bytes_of(a->variadic + i);
        p->lengths[i] = a->variadic[i].len;
    }
    out->buffers[fixed + a->n_variadic] = a->n_variadic ? (const void *)p->lengths : zeros;
    p->lengths += a->n_variadic;
}

static void fill(struct exported *e, struct parts *p, const struct dry_array *a, struct ArrowArray *out)
{
    const struct dry_field *f = a->field;
    *out = (struct ArrowArray){.length = a->length,
                               .null_count = a->buffers[0].data ? a->null_count : 0,
                               .offset = a->offset,
                               .n_children = f->n_children,
                               .release = release,
                               .private_data = e};
    if (f->layout == DRY_LAYOUT_NULL) out->null_count = a->length;
    fill_buffers(p, a, out);
    if (f->n_children) out->children = (struct ArrowArray **)(void *)p->pointers;
    p->pointers += f->n_children;
    for (int64_t i = 0; i < f->n_children; i++) {
        struct dry_array child = child_of(a, i);
        out->children[i] = p->arrays++;
        fill(e, p, &child, out->children[i]);
    }
    if (!f->values) return;
    struct dry_array dictionary = dictionary_of(a);
    out->dictionary = p->arrays++;
    fill(e, p, &dictionary, out->dictionary);
}

enum dry_status dry_array_export(const struct dry_array *array, struct dry_storage *const *holds, size_t n_holds,
                                 const struct dry_allocator *a, struct ArrowArray *out)
{
    struct counts n = {0};
    struct parts parts;
    count(array, &n);
    struct exported *e = new_block(&n, n_holds, a, &parts);
    if (!e) return DRY_NOMEM;
    for (size_t i = 0; i < n_holds; i++)
        e->holds[i] = dry_storage_ref(holds[i]);
    fill(e, &parts, array, out);
    return DRY_OK;
}

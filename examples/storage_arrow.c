/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * An array from any Arrow producer becomes shared bytes: it moves into a storage, its offset is honoured, and the last
 * view releases it.
 */
#include <drystone/arrow/abi.h>
#include <drystone/drystone.h>
#include <stdio.h>

#define DRY_NAME i32s
#define DRY_ELEM int32_t
#include <drystone/storage/typed.h>

/* ---- the glue, for arrays of int32 ---- */
static const void *values_of(void *owner, size_t *n)
{
    const struct ArrowArray *array = owner;
    *n = (size_t)(array->offset + array->length) * sizeof(int32_t);
    return array->buffers[1];
}

static void release(void *owner)
{
    struct ArrowArray *array = owner;
    array->release(array);
}

static enum dry_status import_values(struct ArrowArray *array, struct dry_view *out)
{
    struct dry_storage *s;
    size_t from = (size_t)array->offset * sizeof(int32_t), len = (size_t)array->length * sizeof(int32_t);
    enum dry_status status = dry_storage_from_owner(array, sizeof *array, values_of, release, NULL, &s);
    if (status != DRY_OK) return status;
    array->release = NULL; /* it has moved */
    *out = dry_view_adopt(s);
    return dry_view_narrow(out, from, len);
}

/* ---- somebody else's array ---- */
static const int32_t numbers[] = {1, 2, 3, 4, 5};
static const void *buffers[] = {NULL, numbers};
static void release_producers(struct ArrowArray *array)
{
    array->release = NULL;
    printf("the producer has its array back\n");
}

int main(void)
{
    struct ArrowArray array = {.length = 3, .offset = 2, .n_buffers = 2, .buffers = buffers, .release = release_producers};
    struct dry_view view;
    struct i32s values;

    if (import_values(&array, &view) != DRY_OK) return 1;
    if (dry_view_align(&view, _Alignof(int32_t), NULL) != DRY_OK) return 1; /* copies only if it has to */
    if (i32s_of(&view, &values) != DRY_OK) return 1;
    for (size_t i = 0; i < i32s_len(&values); i++) printf("%d\n", (int)i32s_at(&values, i));
    dry_view_unref(&view);
    printf("one view is left\n");
    i32s_unref(&values);
    return 0;
}
/* Output:
 * 3
 * 4
 * 5
 * one view is left
 * the producer has its array back
 */

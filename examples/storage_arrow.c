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
    const struct ArrowSchema type = {.format = "i", .name = ""};
    struct dry_column column;
    struct dry_view view;
    struct i32s values;

    if (dry_column_adopt(&type, &array, NULL, &column, NULL) != DRY_OK) return 1;
    if (dry_column_values(&column, sizeof(int32_t), &view) != DRY_OK) return 1;
    dry_column_unref(&column);
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

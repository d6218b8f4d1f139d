/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Views in and out of the Arrow C data interface, with nothing but storage.h: an imported array becomes the owner of a
 * storage, and an exported one holds views. examples/storage_arrow.c is the same for reading.
 */
#define _GNU_SOURCE
#include "../arrow/abi.h"
#include "../storage/storage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- out: an array whose private data are the views of its two buffers ---- */
struct column {
    struct dry_view validity, values;
    const void *buffers[2];
};

static int columns_alive;

static void release_column(struct ArrowArray *array)
{
    struct column *c = array->private_data;
    dry_view_unref(&c->validity);
    dry_view_unref(&c->values);
    free(c);
    array->release = NULL;
    columns_alive--;
}

static struct ArrowArray column_of(const struct dry_view *validity, const struct dry_view *values, int64_t offset,
                                   int64_t length)
{
    struct column *c = malloc(sizeof *c);
    if (!c) abort();
    *c = (struct column){dry_view_ref(validity), dry_view_ref(values), {validity->data, values->data}};
    columns_alive++;
    return (struct ArrowArray){.length = length, .null_count = -1, .offset = offset, .n_buffers = 2,
                               .buffers = c->buffers, .release = release_column, .private_data = c};
}

/* ---- in: the array moves into the storage and is released by the last holder ---- */
static const void *values_of(void *owner, size_t *n)
{
    const struct ArrowArray *array = owner;
    *n = (size_t)(array->offset + array->length) * sizeof(int32_t);
    return array->buffers[1];
}

static void release_array(void *owner)
{
    struct ArrowArray *array = owner;
    array->release(array);
}

static enum dry_status import_i32(struct ArrowArray *array, struct dry_view *out)
{
    struct dry_storage *s;
    size_t from = (size_t)array->offset * 4, len = (size_t)array->length * 4;
    enum dry_status status = dry_storage_from_owner(array, sizeof *array, values_of, release_array, NULL, &s);
    if (status != DRY_OK) return status;
    array->release = NULL; /* moved */
    *out = dry_view_adopt(s);
    return dry_view_narrow(out, from, len);
}

static void a_view_goes_out_as_an_array_and_comes_in_again(void **state)
{
    static const int32_t numbers[] = {10, 11, 12, 13, 14, 15, 16, 17};
    static const uint8_t valid[] = {0xf7};
    struct dry_storage *s, *bits;
    struct dry_view back, part;
    const void *first;
    size_t n;
    (void)state;
    assert_int_equal(dry_storage_copy(numbers, sizeof numbers, NULL, &s), DRY_OK);
    assert_int_equal(dry_storage_copy(valid, 1, NULL, &bits), DRY_OK);
    struct dry_view values = dry_view_adopt(s), validity = dry_view_adopt(bits);
    struct ArrowArray array = column_of(&validity, &values, 3, 4), moved = array;
    assert_int_equal((uintptr_t)array.buffers[1] % 64, 0);
    array.release = NULL;
    assert_int_equal(dry_storage_refcount(s), 2);
    assert_int_equal(import_i32(&moved, &back), DRY_OK);
    assert_null(moved.release);
    assert_int_equal(dry_view_elements(&back, 4, 4, &first, &n), DRY_OK);
    assert_int_equal(n, 4);
    assert_int_equal(*(const int32_t *)first, 13); /* the offset is honoured */
    assert_ptr_equal(back.data, values.data + 12); /* nothing was copied */
    struct dry_bitmap nulls;
    assert_int_equal(dry_bitmap_from_view(&validity, 3, 4, &nulls), DRY_OK);
    assert_int_equal(dry_bitmap_count_unset(&nulls), 1);
    assert_false(dry_bitmap_get(&nulls, 0));
    dry_bitmap_unref(&nulls);
    assert_int_equal(dry_view_slice(&back, 4, 4, &part), DRY_OK);
    dry_view_unref(&back);
    assert_int_equal(columns_alive, 1);
    dry_view_unref(&part);
    assert_int_equal(columns_alive, 0); /* the last view released the array, and that the views */
    assert_true(dry_storage_is_exclusive(s));
    dry_view_unref(&values), dry_view_unref(&validity);
}

static void a_misaligned_foreign_buffer_is_copied_only_for_typed_access(void **state)
{
    static const uint8_t bytes[] __attribute__((aligned(8))) = {0, 1, 0, 0, 0, 2, 0, 0, 0};
    static const struct dry_immortal immortal = DRY_IMMORTAL(bytes + 1, 8);
    struct dry_view values = dry_view_adopt(dry_storage_static(&immortal)), none = {0}, in;
    struct ArrowArray array = column_of(&none, &values, 0, 2);
    const void *first;
    size_t n;
    (void)state;
    assert_int_equal(import_i32(&array, &in), DRY_OK);
    assert_ptr_equal(in.data, bytes + 1); /* as bytes: where they lie */
    assert_int_equal(dry_view_elements(&in, 4, 4, &first, &n), DRY_INVALID);
    assert_int_equal(columns_alive, 1);
    assert_int_equal(dry_view_align(&in, 4, NULL), DRY_OK);
    assert_int_equal(columns_alive, 0);
    assert_int_equal(dry_view_elements(&in, 4, 4, &first, &n), DRY_OK);
    assert_int_equal(((const int32_t *)first)[1], 2);
    dry_view_unref(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_goes_out_as_an_array_and_comes_in_again),
        cmocka_unit_test(a_misaligned_foreign_buffer_is_copied_only_for_typed_access),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Columns as views: a foreign array taken over, and views given away as an array.
 */
#include "arrow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int released;

static void release_array(struct ArrowArray *a)
{
    released++;
    a->release = NULL;
}

static const int32_t numbers[] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t valid[] = {0xfb};
static const int32_t offsets[] = {0, 1, 3, 6};
static const char text[] = "abbccc";
static const void *number_buffers[] = {valid, numbers}, *text_buffers[] = {NULL, offsets, text};

static struct ArrowArray array_of(int64_t length, int64_t offset, int64_t n, const void **buffers)
{
    return (struct ArrowArray){.length = length,
                               .offset = offset,
                               .null_count = -1,
                               .n_buffers = n,
                               .buffers = buffers,
                               .release = release_array};
}

static const struct ArrowSchema int_type = {.format = "i", .name = "n"}, text_type = {.format = "u", .name = "t"};

static void an_adopted_array_goes_with_its_last_view(void **state)
{
    struct ArrowArray array = array_of(3, 2, 2, number_buffers);
    struct dry_column c;
    struct dry_view values;
    (void)state;
    released = 0;
    assert_int_equal(dry_column_adopt(&int_type, &array, NULL, &c, NULL), DRY_OK);
    assert_null(array.release);
    assert_int_equal(c.length, 3);
    assert_int_equal(c.offset, 2);
    assert_ptr_equal(c.buffers[1].data, numbers); /* nothing was copied */
    assert_int_equal(dry_column_values(&c, sizeof(int32_t), &values), DRY_OK);
    assert_int_equal(values.len, 3 * sizeof(int32_t));
    assert_memory_equal(values.data, numbers + 2, values.len);
    dry_column_unref(&c);
    assert_int_equal(released, 0);
    dry_view_unref(&values);
    assert_int_equal(released, 1);
}

static void what_cannot_be_adopted_stays_the_callers(void **state)
{
    static const struct ArrowSchema list = {.format = "+l", .name = ""}, view = {.format = "vu", .name = ""};
    struct ArrowArray array = array_of(-1, 0, 2, number_buffers);
    struct dry_column c;
    struct dry_error err = {0};
    (void)state;
    released = 0;
    assert_int_equal(dry_column_adopt(&int_type, &array, NULL, &c, &err), DRY_INVALID);
    array.length = 3;
    array.n_buffers = 1;
    assert_int_equal(dry_column_adopt(&int_type, &array, NULL, &c, &err), DRY_INVALID);
    assert_int_not_equal(dry_column_adopt(&list, &array, NULL, &c, &err), DRY_OK);
    assert_int_equal(dry_column_adopt(&view, &array, NULL, &c, &err), DRY_UNSUPPORTED);
    assert_int_equal(released, 0);
    assert_non_null(array.release);
    array.release = NULL;
    assert_int_equal(dry_column_adopt(&int_type, &array, NULL, &c, &err), DRY_INVALID);
}

static void views_become_an_array_and_come_back(void **state)
{
    struct ArrowArray array = array_of(2, 1, 3, text_buffers), out;
    struct dry_column c, again;
    (void)state;
    released = 0;
    assert_int_equal(dry_column_adopt(&text_type, &array, NULL, &c, NULL), DRY_OK);
    assert_int_equal(dry_column_export("u", &c, NULL, &out, NULL), DRY_OK);
    dry_column_unref(&c);
    assert_int_equal(released, 0);
    assert_int_equal(out.length, 2);
    assert_int_equal(out.offset, 1);
    assert_int_equal(out.n_buffers, 3);
    assert_ptr_equal(out.buffers[2], text);
    assert_int_equal(dry_column_adopt(&text_type, &out, NULL, &again, NULL), DRY_OK);
    assert_memory_equal(again.buffers[2].data, text, 6);
    dry_column_unref(&again);
    assert_int_equal(released, 1);
}

static void views_that_are_too_short_are_refused(void **state)
{
    static const int32_t wild[] = {0, 100};
    struct ArrowArray out;
    struct dry_error err = {0};
    struct dry_column c = {.length = 8,
                           .offset = 1,
                           .buffers = {{NULL}, {NULL, (const uint8_t *)numbers, sizeof numbers}}};
    (void)state;
    assert_int_equal(dry_column_export("i", &c, NULL, &out, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "buffer 1"));
    c.length = INT64_MAX;
    assert_int_equal(dry_column_export("i", &c, NULL, &out, &err), DRY_INVALID);
    c = (struct dry_column){.length = 1,
                            .buffers = {{NULL},
                                        {NULL, (const uint8_t *)wild, sizeof wild},
                                        {NULL, (const uint8_t *)text, 6}}};
    assert_int_equal(dry_column_export("u", &c, NULL, &out, &err), DRY_INVALID);
    assert_int_equal(dry_column_export("nonsense", &c, NULL, &out, &err), DRY_INVALID);
    struct dry_view values;
    assert_int_equal(dry_column_values(&c, 16, &values), DRY_INVALID);
}

/* ---- allocation failure ---- */
static int allocations_left;

static void *allocate(void *self, size_t size, size_t align)
{
    (void)self;
    return allocations_left-- > 0 ? aligned_alloc(align < 16 ? 16 : align, (size + 63) / 64 * 64) : NULL;
}

static void release_block(void *self, void *block, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    free(block);
}

static void every_allocation_may_fail(void **state)
{
    static const struct dry_allocator a = {.allocate = allocate, .release = release_block};
    enum dry_status status = DRY_NOMEM;
    (void)state;
    for (int n = 0; status != DRY_OK; n++) {
        struct ArrowArray array = array_of(3, 0, 3, text_buffers), out;
        struct dry_column c;
        released = 0;
        allocations_left = n;
        status = dry_column_adopt(&text_type, &array, &a, &c, NULL);
        assert_int_equal(released, 0);
        assert_true((array.release == NULL) == (status == DRY_OK));
        if (status == DRY_OK) {
            status = dry_column_export("u", &c, &a, &out, NULL);
            dry_column_unref(&c);
            if (status == DRY_OK) out.release(&out);
            assert_int_equal(released, 1);
        }
        if (status != DRY_OK) assert_int_equal(status, DRY_NOMEM);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_adopted_array_goes_with_its_last_view),
        cmocka_unit_test(what_cannot_be_adopted_stays_the_callers),
        cmocka_unit_test(views_become_an_array_and_come_back),
        cmocka_unit_test(views_that_are_too_short_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("column", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The blocks of base/memory.h under every alignment, with and without room in front: bytes stay, through malloc,
 * realloc and pages of their own, and the room in front is the holder's.
 */
#include "../base/memory.h"
#include "../buffer/anonymous.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static uint8_t byte_at(size_t i, size_t salt) { return (uint8_t)(i * 31 + salt); }

static void fill(uint8_t *at, size_t from, size_t to, size_t salt)
{
    for (size_t i = from; i < to; i++)
        at[i] = byte_at(i, salt);
}

static void expect(const uint8_t *at, size_t n, size_t salt)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(at[i], byte_at(i, salt));
}

/* Blocks grow in turns, so that malloc has to move them to places of other alignment. */
static void blocks_keep_their_bytes(void **state)
{
    static const size_t aligns[] = {1, 16, 64, 256, 4096}, fronts[] = {0, DRY_FRONT_BYTES};
    static const size_t sizes[] = {1, 60, 64, 100, 1000, 1001, 5000, 70000, 200000, 3000, 10, 1};
    (void)state;
    for (size_t a = 0; a < 5; a++) {
        for (size_t f = 0; f < 2; f++) {
            uint8_t *block[8] = {0};
            size_t size[8] = {0}, n = sizeof sizes / sizeof *sizes;
            for (size_t step = 0; step < 8 * n; step++) {
                size_t b = step % 8, want = sizes[step / 8] + b, keep = want < size[b] ? want : size[b];
                block[b] = dry_block_resize(block[b], keep, want, aligns[a], fronts[f]);
                assert_non_null(block[b]);
                assert_int_equal((uintptr_t)block[b] % aligns[a], 0);
                expect(block[b], keep, b);
                fill(block[b], keep, want, b);
                memset(block[b] - fronts[f], 0xee, fronts[f]);
                size[b] = want;
            }
            for (size_t b = 0; b < 8; b++)
                dry_block_free(block[b], aligns[a], fronts[f]);
        }
    }
}

static void large_blocks_are_pages(void **state)
{
    const size_t from = DRY_MAP_GROWN_BYTES;
    const size_t sizes[] = {2 * from, 2 * from + 1, 3 * from, 9 * from, 2 * from, from + 1, from, 100, 5 * from, from};
    uint8_t *block = NULL;
    size_t size = 0;
    (void)state;
    for (size_t step = 0; step < sizeof sizes / sizeof *sizes; step++) {
        size_t want = sizes[step], keep = want < size ? want : size;
        block = dry_block_resize(block, keep, want, 64, DRY_FRONT_BYTES);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 64, 0);
        expect(block, keep < 5000 ? keep : 5000, 3);
        fill(block, 0, want < 5000 ? want : 5000, 3);
        block[want - 1] = byte_at(want - 1, 3);
        memset(block - DRY_FRONT_BYTES, 0xee, DRY_FRONT_BYTES);
        size = want;
    }
    dry_block_free(block, 64, DRY_FRONT_BYTES);
}

/* What no address space holds is NULL, and what is there stays. */
static void too_much_is_refused(void **state)
{
    static const size_t wants[] = {SIZE_MAX, SIZE_MAX - 64, SIZE_MAX / 2, (size_t)PTRDIFF_MAX - 4096};
    (void)state;
    for (size_t f = 0; f <= DRY_FRONT_BYTES; f += DRY_FRONT_BYTES) {
        uint8_t *block = dry_block_new(100, 64, f);
        fill(block, 0, 100, 0);
        for (size_t i = 0; i < 4; i++) {
            volatile size_t want = wants[i];
            assert_null(dry_block_new(want, 64, f));
            assert_null(dry_block_resize(block, 100, want, 64, f));
        }
        expect(block, 100, 0);
        dry_block_free(block, 64, f);
    }
}

static void anonymous_memory_grows_and_shrinks(void **state)
{
    struct dry_memory *memory = dry_anonymous_new();
    (void)state;
    assert_non_null(memory);
    for (size_t size = 1; size < (size_t)64 << 20; size = size * 5 / 2 + 1) {
        size_t before = memory->size_bytes;
        assert_int_equal(memory->resize(memory, size), DRY_OK);
        assert_true(memory->size_bytes >= size && (uintptr_t)memory->at % DRY_ALIGN == 0);
        for (size_t i = before; i < memory->size_bytes; i += 4096)
            assert_int_equal(((uint8_t *)memory->at)[i], 0);
        fill(memory->at, 0, size < 1000 ? size : 1000, 9);
    }
    assert_int_equal(memory->resize(memory, SIZE_MAX), DRY_TOO_BIG);
    expect(memory->at, 1000, 9);
    assert_int_equal(memory->resize(memory, 1000), DRY_OK);
    expect(memory->at, 1000, 9);
    assert_int_equal(memory->resize(memory, 0), DRY_OK);
    assert_int_equal(memory->resize(memory, 10), DRY_OK);
    memory->release(memory);
}

static size_t ended;
static void end_one(void *x) { ended += *(uint32_t *)x; }

/* Every kind of raw parts can be let go without knowing who made it. */
static void raw_parts_are_released(void **state)
{
    struct dry_memory *memory = dry_anonymous_new();
    (void)state;
    assert_int_equal(memory->resize(memory, 64), DRY_OK);
    struct dry_raw raws[] = {
        {.kind = DRY_RAW_HEAP, .at = dry_block_new(64, 64, DRY_FRONT_BYTES)},
        {.kind = DRY_RAW_ALLOCATOR, .at = dry_block_new(64, 64, 0)},
        {.kind = DRY_RAW_MEMORY, .at = memory->at, .owner.memory = memory},
    };
    for (size_t i = 0; i < 3; i++) {
        raws[i].len = 3, raws[i].cap = 16, raws[i].elem_size = raws[i].elem_align = 4, raws[i].drop = end_one;
        memcpy(raws[i].at, (const uint32_t[]){1, 10, 100}, 12);
        ended = 0;
        dry_raw_release(&raws[i]);
        assert_int_equal(ended, 111);
        assert_null(raws[i].at);
        dry_raw_release(&raws[i]); /* empty: nothing happens */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_keep_their_bytes),
        cmocka_unit_test(large_blocks_are_pages),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(anonymous_memory_grows_and_shrinks),
        cmocka_unit_test(raw_parts_are_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * drystone's side of the storage bench: one line "row, name, nanoseconds" each. bench/storage.py runs it beside the rivals.
 */
#define _GNU_SOURCE
#include "../../base/atomic.h"
#include "../../base/memory.h"
#include "../../storage/storage.h"
#include "timing.h"

#include <stdlib.h>
#include <string.h>

#define ME "drystone"
enum { BITS = 1 << 16 };

static void must(enum dry_status status)
{
    if (status != DRY_OK) abort();
}

static void sharing(void)
{
    static const struct dry_immortal fixed = DRY_IMMORTAL("0123456789012345678901234567890123456789", 40);
    struct dry_storage *s;
    struct dry_atomic_u64 word = {1};
    must(dry_storage_zeroed(1000, NULL, &s));
    struct dry_view v = dry_view_adopt(s), part, f = dry_view_adopt(dry_storage_static(&fixed));
    BENCH("clone_drop", "(two atomics)", {
        LOOK_AT(&word);
        dry_add_relaxed_u64(&word, 1); /* X0: the floor that the clone is measured against */
        LOOK_AT(&word);
        dry_sub_acq_rel_u64(&word, 1); /* AR1: pairs with AR1: nobody; the floor */
    });
    BENCH("clone_drop", ME, {
        LOOK_AT(&v);
        struct dry_view more = dry_view_ref(&v);
        LOOK_AT(&more);
        dry_view_unref(&more);
    });
    BENCH("slice_drop", ME, {
        LOOK_AT(&v);
        must(dry_view_slice(&v, 10, 980, &part));
        LOOK_AT(&part);
        dry_view_unref(&part);
    });
    BENCH("clone_drop_static", ME, {
        LOOK_AT(&f);
        struct dry_view more = dry_view_ref(&f);
        LOOK_AT(&more);
        dry_view_unref(&more);
    });
    BENCH("unique_mut", ME, {
        LOOK_AT(&s);
        uint8_t *bytes = dry_storage_try_mut(s);
        if (bytes) bytes[0] = 1;
    });
    dry_view_unref(&v);
}

static void making(void)
{
    static const struct {
        const char *row;
        size_t n;
    } sizes[] = {{"create_64", 64}, {"create_4k", 4096}, {"create_1m", 1 << 20}};
    struct dry_raw raw = {.kind = DRY_RAW_HEAP, .len = 1000, .cap = 1000, .elem_size = 1, .elem_align = 1};
    struct dry_storage *s;
    raw.at = dry_block_new(1024, DRY_ALIGN, DRY_FRONT_BYTES);
    BENCH("wrap_takeback", ME, {
        LOOK_AT(&raw);
        must(dry_storage_from_raw(&raw, &s));
        LOOK_AT(&s);
        must(dry_storage_try_detach(&s, 1, 1, &raw));
    });
    dry_raw_release(&raw);
    for (size_t i = 0; i < 3; i++) {
        BENCH(sizes[i].row, ME, {
            must(dry_storage_new(sizes[i].n, NULL, &s));
            LOOK_AT(s);
            dry_storage_unref(s);
        });
        BENCH(sizes[i].row, "(malloc, aligned to 16)", {
            void *p = malloc(sizes[i].n);
            LOOK_AT(p);
            free(p);
        });
    }
}

static void clones(void *arg, size_t n)
{
    const struct dry_view *v = arg;
    for (size_t i = 0; i < n; i++) {
        struct dry_view more = dry_view_ref(v);
        LOOK_AT(&more);
        dry_view_unref(&more);
    }
}

static void clones_of_a_purse(void *arg, size_t n)
{
    const struct dry_view *v = arg;
    struct dry_purse purse;
    dry_purse_init(&purse, v->storage);
    for (size_t i = 0; i < n; i++) {
        struct dry_view more = dry_purse_ref(&purse, v);
        LOOK_AT(&more);
        dry_purse_unref(&purse, &more);
    }
    dry_purse_fini(&purse);
}

static void two_threads(void)
{
    struct dry_storage *s;
    must(dry_storage_zeroed(1000, NULL, &s));
    struct dry_view v = dry_view_adopt(s);
    bench_two("clone_drop_2t", ME, clones, &v, 100000);
    bench_two("clone_drop_2t", "drystone purse", clones_of_a_purse, &v, 1000000);
    dry_view_unref(&v);
}

static void bitmaps(void)
{
    static bool bools[BITS + 64];
    struct dry_bitmap x, y, odd, out, part;
    for (size_t i = 0; i < BITS + 64; i++) bools[i] = i * 2654435761u >> 7 & 1;
    must(dry_bitmap_from_bools(bools, BITS, NULL, &x));
    must(dry_bitmap_from_bools(bools + 64, BITS, NULL, &y));
    must(dry_bitmap_from_bools(bools, BITS + 3, NULL, &out));
    must(dry_bitmap_slice(&out, 3, BITS, &odd));
    dry_bitmap_unref(&out);
    BENCH("bitmap_count", ME, {
        x.unset = DRY_BITS_UNKNOWN;
        size_t n = dry_bitmap_count_unset(&x);
        LOOK_AT(n);
    });
    BENCH("bitmap_and", ME, {
        must(dry_bitmap_and(&x, &y, NULL, &out));
        LOOK_AT(&out);
        dry_bitmap_unref(&out);
    });
    BENCH("bitmap_and_unequal", ME, {
        must(dry_bitmap_and(&x, &odd, NULL, &out));
        LOOK_AT(&out);
        dry_bitmap_unref(&out);
    });
    BENCH("bitmap_slice_count", ME, {
        must(dry_bitmap_slice(&x, 1001, BITS - 2002, &part));
        part.unset = DRY_BITS_UNKNOWN;
        size_t n = dry_bitmap_count_unset(&part);
        LOOK_AT(n);
        dry_bitmap_unref(&part);
    });
    dry_bitmap_unref(&x), dry_bitmap_unref(&y), dry_bitmap_unref(&odd);
}

int main(void)
{
    pin(0);
    sharing();
    making();
    bitmaps();
    two_threads();
    return 0;
}

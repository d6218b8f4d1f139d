/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * vec(pow2(svo 8(heap u32))): the first eight numbers live in the struct, more of them on the heap, twice as many at a
 * time. Read from the bottom up: each layer is made over the one before.
 */
#include <drystone/buffer/buffer.h>
#include <stdio.h>

#define DRY_NAME u32_heap
#define DRY_ELEM uint32_t
#include <drystone/buffer/heap.h>

#define DRY_NAME u32_svo
#define DRY_INNER u32_heap
#define DRY_COUNT 8
#include <drystone/buffer/svo.h>

#define DRY_NAME u32_pow2
#define DRY_INNER u32_svo
#include <drystone/buffer/pow2.h>

#define DRY_NAME u32s
#define DRY_INNER u32_pow2
#include <drystone/buffer/vec.h>

#define DRY_NAME u32s
#include <drystone/buffer/order.h>

int main(void)
{
    struct u32s v;
    size_t cap = 0, at;

    u32s_init(&v);
    for (uint32_t i = 0; i < 100; i++) {
        if (u32s_push(&v, i * 37 % 101) != DRY_OK) return 1;
        if (u32s_cap(&v) != cap) printf("%zu pushed, room for %zu\n", u32s_len(&v), cap = u32s_cap(&v));
    }
    u32s_sort(&v);
    printf("first %u, last %u, sorted: %d\n", *u32s_at(&v, 0), *u32s_at(&v, 99), u32s_is_sorted(&v));
    if (u32s_search(&v, 42, &at)) printf("42 is number %zu\n", at);
    u32s_fini(&v);
    return 0;
}
/* Output:
 * 1 pushed, room for 8
 * 9 pushed, room for 16
 * 17 pushed, room for 32
 * 33 pushed, room for 64
 * 65 pushed, room for 128
 * first 0, last 100, sorted: 1
 * 42 is number 42
 */

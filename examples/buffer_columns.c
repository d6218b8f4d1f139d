/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A struct of arrays: trades are pushed, sorted and read as structs, and lie as columns, which are summed as arrays.
 */
#include <drystone/buffer/buffer.h>
#include <stdio.h>

#define DRY_NAME f64_heap
#define DRY_ELEM double
#include <drystone/buffer/heap.h>
#define DRY_NAME prices
#define DRY_INNER f64_heap
#include <drystone/buffer/pow2.h>
#define DRY_NAME u32_heap
#define DRY_ELEM uint32_t
#include <drystone/buffer/heap.h>
#define DRY_NAME volumes
#define DRY_INNER u32_heap
#include <drystone/buffer/pow2.h>

#define TRADE_FIELDS(X) X(prices, price) X(volumes, volume)
#define DRY_NAME trade_columns
#define DRY_FIELDS TRADE_FIELDS
#include <drystone/buffer/soa.h>

#define DRY_NAME trades
#define DRY_INNER trade_columns
#include <drystone/buffer/vec.h>

static int by_price(trades_ref a, trades_ref b) { return (*a.price > *b.price) - (*a.price < *b.price); }
#define DRY_NAME trades
#define DRY_COMPARE by_price
#include <drystone/buffer/order.h>

int main(void)
{
    static const trades_elem some[] = {{101.5, 30}, {99.0, 20}, {100.25, 50}};
    struct trades v;
    uint64_t sum = 0;

    if (trades_from_array(&v, some, 3) != DRY_OK) return 1;
    if (trades_push(&v, (trades_elem){.price = 98.75, .volume = 10}) != DRY_OK) return 1;
    trades_sort(&v);
    *trades_at(&v, 0).volume += 5;

    const uint32_t *volume = trade_columns_span_volume(&v.buf, 0, v.len);
    for (size_t i = 0; i < v.len; i++)
        sum += volume[i];
    for (size_t i = 0; i < v.len; i++)
        printf("%6.2f x %u\n", *trades_at(&v, i).price, *trades_at(&v, i).volume);
    printf("volume %llu, columns %d\n", (unsigned long long)sum, trades_columns);
    trades_fini(&v);
    return 0;
}
/* Output:
 *  98.75 x 15
 *  99.00 x 20
 * 100.25 x 50
 * 101.50 x 30
 * volume 115, columns 2
 */

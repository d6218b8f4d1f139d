/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What buffer_gdb_test.c looks at from gdb, in `look`. Expected:
 *   numbers: 3 of 8 in numbers_room > numbers_room_pow2 > numbers_room_svo (inline) = {7, 8, 9}
 *   many: 20 of 32 in many_room > many_room_pow2 > many_room_svo > many_room_heap = {0, 1, 2, 3
 *   queue: 2 of 4 in ring = {3, 4}
 *   pairs: 2 of 8 in columns = {{id = 1, weight = 0.5}, {id = 2, weight = 1}}
 *   pages: 1 of 16384 in pages_room > pages_mapped = {5}
 */
#include "buffer/buffer.h"

#define DRY_NAME numbers
#define DRY_ELEM int
#include "buffer/vec.h"
#define DRY_NAME many
#define DRY_ELEM int
#include "buffer/vec.h"
#define DRY_NAME ring
#define DRY_ELEM int
#define DRY_COUNT 4
#include "buffer/inline.h"
#define DRY_NAME queue
#define DRY_INNER ring
#include "buffer/deque.h"
#define DRY_NAME int_heap
#define DRY_ELEM int
#include "buffer/heap.h"
#define DRY_NAME f64_heap
#define DRY_ELEM double
#include "buffer/heap.h"
#define PAIR_FIELDS(X) X(int_heap, id) X(f64_heap, weight)
#define DRY_NAME columns
#define DRY_FIELDS PAIR_FIELDS
#include "buffer/soa.h"
#define DRY_NAME pairs
#define DRY_INNER columns
#include "buffer/vec.h"
#define DRY_NAME pages
#define DRY_ELEM int
#define DRY_RECIPE MAPPED
#include "buffer/recipe.h"

static struct numbers numbers;
static struct many many;
static struct queue queue;
static struct pairs pairs;
static struct pages pages;

static __attribute__((noinline)) int look(void)
{
    __asm__ volatile("" ::: "memory");
    return (int)(numbers.len + many.len + queue.len + pairs.len + pages.len) * 0;
}

int main(void)
{
    int x, failed = 0;
    numbers_init(&numbers), many_init(&many), queue_init(&queue), pairs_init(&pairs), pages_init(&pages);
    for (int i = 7; i < 10; i++)
        failed |= numbers_push(&numbers, i) != DRY_OK;
    for (int i = 0; i < 20; i++)
        failed |= many_push(&many, i) != DRY_OK;
    for (int i = 0; i < 5; i++)
        failed |= (i > 1 && !queue_pop_front(&queue, &x)) || queue_push_back(&queue, i) != DRY_OK;
    for (int i = 1; i < 3; i++)
        failed |= pairs_push(&pairs, (pairs_elem){i, i / 2.0}) != DRY_OK;
    failed |= pages_push(&pages, 5) != DRY_OK;
    return look() + failed;
}

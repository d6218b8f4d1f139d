/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A layer of one's own: it hands everything on and writes down how far its vec has ever grown.
 */
#include <drystone/buffer/buffer.h>
#include <stdio.h>

#define DRY_NAME int_heap
#define DRY_ELEM int
#include <drystone/buffer/heap.h>

struct high_water {
    size_t cells, growths;
};
#define DRY_NAME int_watched
#define DRY_INNER int_heap
#define DRY_STATE struct high_water
#define DRY_OWN_GROW
#include <drystone/buffer/forward.h>
static inline enum dry_status int_watched_grow(struct int_watched *b, size_t want)
{
    enum dry_status status = int_heap_grow(&b->in, want);
    size_t cells = int_heap_cap(&b->in);
    b->own.growths++;
    if (cells > b->own.cells) b->own.cells = cells;
    return status;
}

#define DRY_NAME int_pow2
#define DRY_INNER int_watched
#include <drystone/buffer/pow2.h>
#define DRY_NAME ints
#define DRY_INNER int_pow2
#include <drystone/buffer/deque.h>

int main(void)
{
    struct ints queue;
    int x, sum = 0;

    ints_init(&queue);
    for (int i = 0; i < 1000; i++) {
        if (ints_push_back(&queue, i) != DRY_OK) return 1;
        if (i % 2 && ints_pop_front(&queue, &x)) sum += x;
    }
    const struct high_water *seen = &queue.buf.in.own;
    printf("%zu left, popped %d, at most %zu cells in %zu growths\n", ints_len(&queue), sum, seen->cells, seen->growths);
    ints_fini(&queue);
    return 0;
}
/* Output:
 * 500 left, popped 124750, at most 512 cells in 6 growths
 */

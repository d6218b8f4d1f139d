/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the tests of pool share: a pool in shared anonymous memory, so that forks see the same bytes.
 */
#ifndef DRY_POOL_TESTING_H
#define DRY_POOL_TESTING_H

#include "pool.h"

#include <stdlib.h>
#include <sys/mman.h>

struct bench_pool {
    struct dry_pool_memory memory;
    struct dry_pool_layout layout;
    struct dry_pool *p[5]; /* handles of peers 1 to 4; [0] is unused */
};

/* False: something failed, which `err` tells. */
static inline bool bench_pool_make(struct bench_pool *b, const struct dry_pool_config *configs, size_t n,
                                   uint32_t flags, struct dry_error *err)
{
    *b = (struct bench_pool){0};
    if (dry_pool_layout(configs, n, &b->layout, err) != DRY_OK) return false;
    b->memory.length = b->layout.required_size;
    b->memory.base = mmap(NULL, b->memory.length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (b->memory.base == MAP_FAILED || dry_pool_init(b->memory, configs, n, flags, err) != DRY_OK) return false;
    for (unsigned peer = 1; peer <= 4; peer++)
        if (dry_pool_open(b->memory, peer, NULL, &b->p[peer], err) != DRY_OK) return false;
    return true;
}

static inline void bench_pool_drop(struct bench_pool *b)
{
    for (unsigned peer = 1; peer <= 4; peer++)
        dry_pool_close(b->p[peer]);
    munmap(b->memory.base, b->memory.length);
}

static inline bool nobody_is_alive(void *self, unsigned peer)
{
    (void)self;
    (void)peer;
    return false;
}

static inline bool all_are_alive(void *self, unsigned peer)
{
    return !nobody_is_alive(self, peer);
}

#endif

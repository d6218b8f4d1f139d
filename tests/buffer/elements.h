/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the tests of buffer/ put into cells, and the allocator they take room from.
 *
 * struct life: an element that must be ended exactly once. Each has a token; a token that is ended twice, or copied
 * after its end, is a fault. struct ghost: the same with size 0 (no token fits: only the sum can be checked).
 * flaky: an allocator that counts, checks what it is given back, and fails the n-th call from now.
 */
#ifndef DRY_TEST_ELEMENTS_H
#define DRY_TEST_ELEMENTS_H

#include "../../base/base.h"

#include <stdlib.h>
#include <string.h>

enum { LIVES = 1 << 16 };
static bool life_is_alive[LIVES];
static uint32_t life_tokens;
static long life_alive, life_faults, life_copies_left = -1; /* -1: copies never fail */

struct life {
    uint32_t value, token;
};

__attribute__((unused)) static void life_restart(void)
{
    memset(life_is_alive, 0, sizeof life_is_alive);
    life_tokens = 0;
    life_alive = life_faults = 0;
    life_copies_left = -1;
}

__attribute__((unused)) static struct life life_new(uint32_t value)
{
    uint32_t token = life_tokens++ % LIVES;
    life_faults += life_is_alive[token];
    life_is_alive[token] = true;
    life_alive++;
    return (struct life){.value = value, .token = token};
}

__attribute__((unused)) static void life_end(struct life *x)
{
    life_faults += !life_is_alive[x->token % LIVES];
    life_is_alive[x->token % LIVES] = false;
    life_alive--;
}

__attribute__((unused)) static enum dry_status life_copy(struct life *to, const struct life *x)
{
    life_faults += !life_is_alive[x->token % LIVES];
    if (life_copies_left == 0) return DRY_NOMEM;
    if (life_copies_left > 0) life_copies_left--;
    *to = life_new(x->value);
    return DRY_OK;
}

struct ghost {
};
static long ghost_ends;
__attribute__((unused)) static void ghost_end(struct ghost *x)
{
    (void)x;
    ghost_ends++;
}

/* ---- the allocator ---- */
struct flaky {
    long calls_left; /* this many more succeed; -1: all */
    long blocks;     /* that are out */
    size_t bytes;
    long calls;
    bool is_broken; /* what was given back is not what was given out */
};

struct flaky_head {
    size_t size, align;
    void *raw;
    uint64_t magic;
};
#define FLAKY_MAGIC 0x666c616b79u

__attribute__((unused)) static void *flaky_allocate(void *self, size_t size, size_t align)
{
    struct flaky *f = self;
    f->calls++;
    if (f->calls_left == 0) return NULL;
    if (f->calls_left > 0) f->calls_left--;
    char *raw = malloc(size + align + sizeof(struct flaky_head));
    if (!raw) return NULL;
    char *at = raw + sizeof(struct flaky_head);
    at += (align - (uintptr_t)at % align) % align;
    struct flaky_head head = {.size = size, .align = align, .raw = raw, .magic = FLAKY_MAGIC};
    memcpy(at - sizeof head, &head, sizeof head);
    f->blocks++;
    f->bytes += size;
    return at;
}

__attribute__((unused)) static void flaky_release(void *self, void *block, size_t size, size_t align)
{
    struct flaky *f = self;
    struct flaky_head head;
    memcpy(&head, (char *)block - sizeof head, sizeof head);
    if (head.magic != FLAKY_MAGIC || head.size != size || head.align != align) {
        f->is_broken = true;
        return;
    }
    f->blocks--;
    f->bytes -= size;
    free(head.raw);
}

/* Shrinks where it is and never fails in that, as most allocators do; for those that are to have it. */
__attribute__((unused)) static void *flaky_resize(void *self, void *block, size_t old_size, size_t new_size,
                                                  size_t align)
{
    struct flaky *f = self;
    if (new_size <= old_size) {
        memcpy((char *)block - sizeof(struct flaky_head) + offsetof(struct flaky_head, size), &new_size, sizeof new_size);
        f->bytes -= old_size - new_size;
        return block;
    }
    void *moved = flaky_allocate(self, new_size, align);
    if (!moved) return NULL;
    memcpy(moved, block, old_size);
    flaky_release(self, block, old_size, align);
    return moved;
}

__attribute__((unused)) static struct dry_allocator flaky_allocator(struct flaky *f)
{
    *f = (struct flaky){.calls_left = -1};
    return (struct dry_allocator){.allocate = flaky_allocate, .release = flaky_release, .self = f};
}

/* ---- random numbers that are the same everywhere: xorshift64* (Marsaglia, Vigna) ---- */
__attribute__((unused)) static uint32_t dice(uint64_t *state, uint32_t sides)
{
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return (uint32_t)((x * 0x2545f4914f6cdd1du) >> 33) % sides;
}

#endif

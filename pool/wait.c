/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Waiting for a free slot. The state is in the words; a wake-up is only a hint to look, and a sleeper looks every
 * SLICE_NS by itself. So nothing is lost when who freed is killed before the wake-up, or who waits while it waits:
 * its flag costs one wake-up for nobody.
 */
#include "retire.h"
#include "words.h"
#include "../base/check.h"
#include "../base/os.h"

#include <errno.h>

#define SLICE_NS 50000000

/* rule: pool.wait */
void dry_pool_wake(const struct dry_pool *p)
{
    struct pool_header *h = &p->head->header;
    if (dry_load_relaxed_u32(&h->waiting) == 0) return; /* X0: who is missed looks again after SLICE_NS */
    dry_store_relaxed_u32(&h->waiting, 0);              /* X1: before the wake-up: who comes later sets it again */
    DRY_STEP("wake: flag taken off");
    dry_add_relaxed_u32(&h->wake, 1); /* X2: who is about to sleep finds another number and does not */
    dry_os_futex_wake(&h->wake);
}

/* Sleeps until something may have come free, at most until `until_ns` (< 0: no limit). */
static enum dry_status sleep_once(struct pool_header *h, uint32_t number, int64_t until_ns)
{
    int64_t slice = SLICE_NS;
    if (until_ns >= 0) {
        int64_t left = until_ns - dry_os_monotonic_ns();
        if (left <= 0) return DRY_TIMEOUT;
        if (left < slice) slice = left;
    }
    int sys = dry_os_futex_wait(&h->wake, number, slice);
    return sys == 0 || sys == EAGAIN || sys == ETIMEDOUT ? DRY_OK : DRY_IO;
}

static int64_t end_of_wait(int64_t timeout_ms)
{
    int64_t ns, until;
    if (timeout_ms < 0 || __builtin_mul_overflow(timeout_ms, 1000000, &ns) ||
        __builtin_add_overflow(dry_os_monotonic_ns(), ns, &until))
        return -1;
    return until;
}

enum dry_status dry_pool_allocate_wait(struct dry_pool *p, uint64_t size, int64_t timeout_ms, struct dry_slot *slot)
{
    enum dry_status status = dry_pool_allocate(p, size, slot);
    int64_t until_ns = status == DRY_FULL ? end_of_wait(timeout_ms) : 0;
    while (status == DRY_FULL) {
        uint32_t number = dry_load_relaxed_u32(&p->head->header.wake); /* X3: the kernel compares it again */
        dry_store_relaxed_u32(&p->head->header.waiting, 1);            /* X4: before the look that follows */
        DRY_STEP("wait: flag set");
        status = dry_pool_allocate(p, size, slot);
        if (status == DRY_FULL) {
            if (dry_pool_missing_extent(p)) return DRY_FULL;
            enum dry_status slept = sleep_once(&p->head->header, number, until_ns);
            if (slept != DRY_OK) return slept;
        }
    }
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Growth while peers are attached: more classes in further memory. An extent is made and announced by one peer; each
 * handle, of that peer too, then attaches it with a mapping of its own. The pool knows no segment and no name: how
 * the memory of extent k is found is agreed among the callers.
 */
#include "cache.h"
#include "extents.h"
#include "retire.h"
#include "../base/check.h"
#include "../base/os.h"
#include "../base/step.h"

#include <inttypes.h>

/* ---- the rows -------------------------------------------------------------------------------------------------- */

#define ROW_MAKING (UINT64_C(1) << 63)

/* 0: it is not there (yet). */
static uint64_t size_of_extent(const struct pool_extent_row *row)
{
    /* A1: pairs with R1: the stamp and the whole extent are written. */
    uint64_t state = dry_load_acquire_u64(&row->state);
    return state & ROW_MAKING ? 0 : state;
}

static bool row_step(struct pool_extent_row *row, uint64_t seen, uint64_t next)
{
    /* AR2: pairs with AR2: of several who want the number one has it. */
    return dry_cas_acq_rel_u64(&row->state, &seen, next);
}

uint32_t dry_pool_missing_extent(const struct dry_pool *p)
{
    for (uint32_t k = 1; k < DRY_POOL_EXTENTS_MAX; k++)
        if (!(p->attached >> k & 1) && size_of_extent(&p->head->extents[k])) return k;
    return 0;
}

void dry_pool_reclaim_extents(struct dry_pool *p, uint32_t dead)
{
    for (uint32_t k = 1; k < DRY_POOL_EXTENTS_MAX; k++)
        if (row_step(&p->head->extents[k], ROW_MAKING | dead, 0)) DRY_STEP("reclaim: number of an extent given back");
}

/* ---- making one ------------------------------------------------------------------------------------------------ */

enum dry_status dry_pool_extent_size(const struct dry_pool_config *configs, size_t n, uint64_t *out,
                                     struct dry_error *err)
{
    struct dry_pool_layout l;
    DRY_TRY(dry_pool_lay_out(sizeof(struct pool_header), configs, n, &l, err));
    *out = l.required_size;
    return DRY_OK;
}

static enum dry_status take_number(const struct dry_pool *p, uint32_t *number, struct dry_error *err)
{
    for (uint32_t k = 1; k < DRY_POOL_EXTENTS_MAX; k++) {
        if (!row_step(&p->head->extents[k], 0, ROW_MAKING | p->peer)) continue;
        DRY_STEP("extend: number taken");
        *number = k;
        return DRY_OK;
    }
    return dry_fail(err, DRY_FULL, "pool: it has %u extents already, which is all there can be; make larger ones",
                    DRY_POOL_EXTENTS_MAX - 1);
}

static enum dry_status write_extent(struct dry_pool_memory memory, const struct dry_pool_config *configs, size_t n,
                                    uint32_t number, struct pool_extent_row *row, struct dry_error *err)
{
    struct pool_header *header = NULL;
    uint64_t stamp = 0;
    int sys = dry_os_random(&stamp, sizeof stamp);
    if (sys) return dry_fail_sys(err, DRY_IO, sys, "pool: no random number to mark an extent with");
    DRY_TRY(dry_pool_begin(memory, sizeof *header, configs, n, &header, err));
    header->number = number;
    header->stamp = row->stamp = stamp;
    uint64_t size = header->required_size;
    dry_pool_finish(header, POOL_EXTENT);
    DRY_STEP("extend: made, not announced");
    /* R1: pairs with A1: who sees the size may attach. */
    dry_store_release_u64(&row->state, size);
    DRY_STEP("extend: announced");
    return DRY_OK;
}

/* rule: pool.extent */
enum dry_status dry_pool_extend(struct dry_pool *p, struct dry_pool_memory memory,
                                const struct dry_pool_config *configs, size_t n, uint32_t *number,
                                struct dry_error *err)
{
    uint32_t k = 0;
    DRY_TRY(take_number(p, &k, err));
    struct pool_extent_row *row = &p->head->extents[k];
    enum dry_status status = write_extent(memory, configs, n, k, row, err);
    if (status != DRY_OK) {
        row_step(row, ROW_MAKING | p->peer, 0);
        return status;
    }
    dry_pool_wake(p);
    *number = k;
    return DRY_OK;
}

/* ---- attaching it ---------------------------------------------------------------------------------------------- */

/* rule: pool.attach */
enum dry_status dry_pool_attach(struct dry_pool *p, uint32_t number, struct dry_pool_memory memory,
                                struct dry_error *err)
{
    struct pool_header *header = NULL;
    struct dry_pool_layout l;
    if (number == 0 || number >= DRY_POOL_EXTENTS_MAX)
        return dry_fail(err, DRY_INVALID, "pool: extent %" PRIu32 "; they are numbered 1 to %u", number,
                        DRY_POOL_EXTENTS_MAX - 1);
    if (p->attached >> number & 1)
        return dry_fail(err, DRY_EXISTS, "pool: extent %" PRIu32 " is attached already", number);
    const struct pool_extent_row *row = &p->head->extents[number];
    uint64_t size = size_of_extent(row);
    if (size == 0)
        return dry_fail(err, DRY_NOT_FOUND,
                        "pool: there is no extent %" PRIu32 " (yet); extend the pool, or ask "
                        "dry_pool_missing_extent",
                        number);
    DRY_TRY(dry_pool_find_header(memory, &header, err));
    DRY_TRY(dry_pool_read_table(memory, POOL_EXTENT, sizeof *header, header, &l, err));
    if (header->number != number || header->stamp != row->stamp || l.required_size != size)
        return dry_fail(err, DRY_INVALID,
                        "pool: these bytes are not its extent %" PRIu32 ", they are number %" PRIu32
                        " of some pool; map the right memory",
                        number, header->number);
    dry_pool_cache_return(p);
    return dry_pool_add_classes(p, header, number, sizeof *header, &l, err);
}

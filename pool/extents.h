/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What recovery needs of extents. Private to pool/.
 */
#ifndef DRY_POOL_EXTENTS_H
#define DRY_POOL_EXTENTS_H

#include "layout.h"

/* Gives the numbers back that the dead had taken for extents which it did not finish. */
void dry_pool_reclaim_extents(struct dry_pool *p, uint32_t dead);

#endif

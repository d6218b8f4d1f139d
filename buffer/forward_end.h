/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Undefines the parameters of forward.h; part of end.h, apart because of their number.
 */
#undef DRY_STATE
#undef DRY_OWN_INIT
#undef DRY_OWN_FINI
#undef DRY_OWN_SEED_OF
#undef DRY_OWN_CAP
#undef DRY_OWN_GROW
#undef DRY_OWN_GROW_EXACT
#undef DRY_OWN_SHRINK
#undef DRY_OWN_PUT
#undef DRY_OWN_TAKE
#undef DRY_OWN_AT
#undef DRY_OWN_COPY
#undef DRY_OWN_DROP
#undef DRY_OWN_DROP_RANGE
#undef DRY_OWN_SHIFT
#undef DRY_OWN_SPAN
#undef DRY_OWN_INTO_RAW
#undef DRY_OWN_FROM_RAW

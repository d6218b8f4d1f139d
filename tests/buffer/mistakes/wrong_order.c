/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * svo over soa instead of soa over svo.
 * gcc:   error: static assertion failed: "pair_svo: svo needs an addressable buffer below; soa goes above svo"
 * clang: pair_svo: svo needs an addressable buffer below; soa goes above svo
 */
#define DRY_NAME u32_heap
#define DRY_ELEM unsigned
#include "buffer/heap.h"
#define PAIR_FIELDS(X) X(u32_heap, a) X(u32_heap, b)
#define DRY_NAME pairs
#define DRY_FIELDS PAIR_FIELDS
#include "buffer/soa.h"
#define DRY_NAME pair_svo
#define DRY_INNER pairs
#define DRY_COUNT 4
#include "buffer/svo.h"

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The address of all elements, of a struct of arrays.
 * gcc:   error: call to 'dry_no_span' declared with attribute error: the elements of this buffer do not lie side by side: it has no span
 * clang: error: call to 'dry_no_span' declared with 'error' attribute: the elements of this buffer do not lie side by side: it has no span
 */
#define DRY_NAME u32_heap
#define DRY_ELEM unsigned
#include "buffer/heap.h"
#define PAIR_FIELDS(X) X(u32_heap, a) X(u32_heap, b)
#define DRY_NAME pair_columns
#define DRY_FIELDS PAIR_FIELDS
#include "buffer/soa.h"
#define DRY_NAME pairs
#define DRY_INNER pair_columns
#include "buffer/vec.h"
extern pairs_elem *all(const struct pairs *v);
pairs_elem *all(const struct pairs *v) { return pairs_span(v); }

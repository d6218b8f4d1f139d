/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A layer of one's own whose function does not keep the contract.
 * gcc:   error: conflicting types for 'mine_grow'; have '_Bool(struct mine *, size_t)'
 * clang: error: conflicting types for 'mine_grow'
 */
#include "buffer/buffer.h"
#define DRY_NAME u32_heap
#define DRY_ELEM unsigned
#include "buffer/heap.h"
#define DRY_NAME mine
#define DRY_INNER u32_heap
#define DRY_OWN_GROW
#include "buffer/forward.h"
static inline bool mine_grow(struct mine *b, size_t want) { return u32_heap_grow(&b->in, want) == DRY_OK; }

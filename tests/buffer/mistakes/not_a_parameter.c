/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A number for a layer that takes none.
 * gcc:   error: #error "DRY_COUNT is not a parameter of this template"
 * clang: error: "DRY_COUNT is not a parameter of this template"
 */
#define DRY_NAME u32_heap
#define DRY_ELEM unsigned
#define DRY_COUNT 8
#include "buffer/heap.h"

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The buffer below was forgotten.
 * gcc:   error: #error "DRY_INNER is missing: the buffer below this layer"
 * clang: error: "DRY_INNER is missing: the buffer below this layer"
 */
#define DRY_NAME u32_pow2
#include "buffer/pow2.h"

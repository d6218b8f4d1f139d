/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Closes what begin.h opened.
 */
#undef SELF
#undef IN
#undef IN2
#undef IN_OF
#undef DRY_SELF
#undef DRY_IN
#undef DRY_IN2
#undef DRY_N
#undef DRY_NEEDS
#undef DRY_MAY
#include "forward_end.h"

#ifndef DRY_NESTED
#undef DRY_NAME
#undef DRY_ELEM
#undef DRY_DROP
#undef DRY_COPY
#undef DRY_INNER
#undef DRY_INNER2
#undef DRY_COUNT
#undef DRY_FIELDS
#undef DRY_COMPARE
#undef DRY_EQUAL
#undef DRY_HASH
#undef DRY_RECIPE
#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * forward: a layer of your own. Everything is handed on to the inner buffer but what you mark as yours and write
 * below the include. This one counts how often a vector grows:
 *
 *     #define DRY_NAME  u32_counted
 *     #define DRY_INNER u32_heap
 *     #define DRY_STATE unsigned          // optional: the layer's member `own`, zero after init
 *     #define DRY_OWN_GROW
 *     #include "buffer/forward.h"
 *     static inline enum dry_status u32_counted_grow(struct u32_counted *b, size_t want)
 *     {
 *         b->own++;
 *         return u32_heap_grow(&b->in, want);
 *     }
 *
 * Marks: DRY_OWN_ INIT FINI SEED_OF CAP GROW GROW_EXACT SHRINK PUT TAKE AT COPY DROP DROP_RANGE SHIFT (both) SPAN
 * INTO_RAW FROM_RAW. Elements that a collection moves through span do not pass PUT and TAKE; a layer that must see each
 * of them hides that they lie side by side, as life_counter.h does.
 * Composite; parameters DRY_NAME DRY_INNER [DRY_STATE DRY_OWN_*]. Seed: the inner's. Struct: the inner and `own`.
 */
#define DRY_NEEDS DRY_P_INNER
#define DRY_MAY DRY_P_OWN
#include "begin.h"
#include "inherit.h"

typedef IN(seed) SELF(seed);
struct DRY_SELF {
    struct DRY_IN in;
#ifdef DRY_STATE
    DRY_STATE own;
#endif
};

#include "forward_body.h"
#include "contract.h"
#include "end.h"

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A leaf written by hand that answers `cap` with the wrong type.
 * gcc: error: static assertion failed: "buffer contract: hand_cap must be (size_t (*)(const struct hand *))"
 * clang: buffer contract: hand_cap must be (size_t (*)(const struct hand *))
 */
#define DRY_NAME hand
#define DRY_ELEM unsigned
#define DRY_NEEDS DRY_P_ELEM
#include "buffer/begin.h"
#include "buffer/element.h"
typedef struct dry_nothing SELF(seed);
struct DRY_SELF {
    unsigned cell[4];
};
static inline void SELF(init)(struct DRY_SELF *b, SELF(seed) seed) { (void)b, (void)seed; }
static inline void SELF(fini)(struct DRY_SELF *b) { (void)b; }
static inline SELF(seed) SELF(seed_of)(const struct DRY_SELF *b)
{
    (void)b;
    return (SELF(seed)){};
}
static inline int SELF(cap)(const struct DRY_SELF *b)
{
    (void)b;
    return 4;
}
#include "buffer/contiguous.h"
static inline SELF(ref) SELF(at)(const struct DRY_SELF *b, size_t i) { return (SELF(elem) *)&b->cell[i]; }
#include "buffer/fixed.h"
static inline enum dry_status SELF(into_raw)(struct DRY_SELF *b, size_t len, struct dry_raw *out)
{
    (void)b, (void)len, (void)out;
    return DRY_UNSUPPORTED;
}
static inline enum dry_status SELF(from_raw)(struct DRY_SELF *b, struct dry_raw *raw)
{
    (void)b, (void)raw;
    return DRY_INVALID;
}
#include "buffer/contract.h"
#include "buffer/end.h"

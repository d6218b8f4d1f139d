/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * For a leaf whose room is what it is: grow and shrink answer FIXED.
 * For layer writers; begin.h is open.
 */
static inline enum dry_status SELF(grow)(struct DRY_SELF *b, size_t want)
{
    (void)b, (void)want;
    return DRY_FIXED;
}
static inline enum dry_status SELF(grow_exact)(struct DRY_SELF *b, size_t want) { return SELF(grow)(b, want); }
static inline enum dry_status SELF(shrink)(struct DRY_SELF *b, size_t want) { return SELF(grow)(b, want); }

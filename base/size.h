/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Sizes in words for people, as all texts of the library show them.
 */
#ifndef DRY_SIZE_H
#define DRY_SIZE_H

#include <stdint.h>

struct dry_size_text {
    char text[16];
};
/* "512 B", "4.0 KiB", "1.2 GiB", "24 GiB": one decimal below ten; cut, never rounded up. For use inside one
 * expression: printf("%s", dry_size_text(n).text). */
struct dry_size_text dry_size_text(uint64_t bytes);

#endif

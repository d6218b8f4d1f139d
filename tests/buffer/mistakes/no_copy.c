/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Copies of elements that have an end and no DRY_COPY.
 * gcc:   error: call to 'dry_no_copy' declared with attribute error: the elements have a DRY_DROP and no DRY_COPY: they cannot be copied
 * clang: error: call to 'dry_no_copy' declared with 'error' attribute: the elements have a DRY_DROP and no DRY_COPY: they cannot be copied
 */
#include <stdlib.h>
static inline void end_text(char **text) { free(*text); }
#define DRY_NAME texts
#define DRY_ELEM char *
#define DRY_DROP end_text
#include "buffer/vec.h"
extern enum dry_status twice(const struct texts *v, struct texts *into);
enum dry_status twice(const struct texts *v, struct texts *into) { return texts_clone(v, into); }

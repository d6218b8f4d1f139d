/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. The dictionaries of a table being read: one slot for each of the schema's dictionaries, filled
 * by dictionary messages. A replacement lets the old one go (arrays exported before keep it alive themselves); a
 * delta makes a new one out of the old and the new values, in own memory.
 */
#ifndef DRY_ARROW_DICTIONARIES_H
#define DRY_ARROW_DICTIONARIES_H

#include "array.h"

struct dry_dictionaries {
    const struct dry_schema *schema;
    const struct dry_allocator *allocator;
    struct dry_array **arrays; /* [schema->n_dictionaries]; NULL: not seen; for dry_array_decode */
    struct dry_dictionary_slot {
        struct dry_array array;      /* stays at its place when it is replaced: others point to it */
        struct dry_arena arena;      /* holds what the array points to */
        struct dry_storage *storage; /* holds its bytes; NULL: they belong to somebody who outlives this */
    } *slots;
};

enum dry_status dry_dictionaries_init(struct dry_dictionaries *d, const struct dry_schema *s,
                                      const struct dry_allocator *a) DRY_MUST_CHECK;
void dry_dictionaries_fini(struct dry_dictionaries *d);

/* Takes a DICTIONARY message in whose body is `body`, held by `storage` (NULL: held by the caller); takes its own
 * reference. With `may_replace` false a second dictionary that is no delta is CORRUPT (files). Places are checked as
 * dry_array_decode does; a delta also reads offsets, and only values without nesting can be added to. */
enum dry_status dry_dictionaries_take(struct dry_dictionaries *d, const struct dry_message *m, const uint8_t *body,
                                      struct dry_storage *storage, bool may_replace,
                                      struct dry_error *err) DRY_MUST_CHECK;

#endif

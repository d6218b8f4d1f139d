/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. One dictionary for a whole column, from batches that may each bring their own.
 *
 * A file can hold one dictionary a column, and every index in it must mean the same. The first dictionary is taken as
 * it is, and its batch's indices are never changed; while later batches bring equal ones, nothing more happens. The
 * first different one turns it into a list of own values: what is new is appended, and the batch's indices are
 * renumbered. Values are found by sorting, so that no input makes it slow: O(n log n).
 *
 * Values that are nested (lists, structs) or bool can only be compared as a whole: a different one is UNSUPPORTED.
 */
#ifndef DRY_ARROW_MERGE_H
#define DRY_ARROW_MERGE_H

#include "array.h"
#include "plan.h"

struct dry_merge {
    const struct dry_schema *schema;
    const struct dry_field *field; /* the dictionary-encoded one */
    const struct dry_allocator *allocator;
    enum { DRY_MERGE_EMPTY, DRY_MERGE_BORROWED, DRY_MERGE_OWN } state;
    struct dry_array first; /* BORROWED: of a batch that the caller keeps */
    /* OWN: the values' bytes behind each other, in the order of their indices; and the same keys sorted */
    struct dry_bytes blob;
    struct dry_merge_key *values, *sorted;
    int64_t n, cap;
    int64_t null_at; /* the index that means null, or -1 */
};

void dry_merge_init(struct dry_merge *m, const struct dry_schema *s, const struct dry_field *field,
                    const struct dry_allocator *a);
void dry_merge_fini(struct dry_merge *m);

/* Takes in the dictionary of one batch. *renumber (its map lies in the arena) is how that batch's indices change;
 * *keep: the batch must stay alive as long as `m`; *grew: the dictionary is not what it was before. TOO_BIG when the
 * indices' type cannot count that far; INVALID for an ordered dictionary whose order would change. */
enum dry_status dry_merge_take(struct dry_merge *m, const struct dry_array *dictionary, const char *where,
                               struct dry_arena *arena, struct dry_renumber *renumber, bool *keep, bool *grew,
                               struct dry_error *err) DRY_MUST_CHECK;
/* The dictionary as it is now (of length 0 when there was none); borrows from `m` and the arena. */
enum dry_status dry_merge_values(const struct dry_merge *m, struct dry_arena *arena, struct dry_array *out,
                                 struct dry_error *err) DRY_MUST_CHECK;

#endif

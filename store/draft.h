/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to store/. A draft is a table's file on its way to its name: a put fills it from a stream, a writer as its
 * user goes. docs/formats/store.md has the state machine, and what a kill leaves in each state.
 *
 *     begin --> (the caller fills the segment and finishes it) --> verify --> publish --> end
 *
 * The segment's descriptor is the only one of its open file description and holds the lock of the hidden name. It is
 * never passed on, and what is mapped for reading is mapped through a second description; so the lock is freed when
 * this process ends the draft or dies. A child of a fork has no such descriptor, and ending the draft there touches
 * nothing.
 */
#ifndef DRY_STORE_DRAFT_H
#define DRY_STORE_DRAFT_H

#include "private.h"

struct dry_draft {
    struct dry_store *s;         /* borrowed */
    const char *name;            /* borrowed */
    struct dry_segment *segment; /* NULL before begin has succeeded */
    bool replace;
    bool recycle;            /* may take, and leave, recycled pages (spare.h) */
    bool recycled;           /* its segment has the pages of an earlier version, and is claimed until it is published */
    bool is_hidden;          /* it stands in the directory under the hidden name */
    bool exchanged;          /* what it has replaced stands under the hidden name */
    uint8_t first[8];        /* of a recycled one: bytes that are stored last (draft.c, "the two ways in") */
    uint32_t directory_mode; /* that its mode was taken from */
    char hidden[HIDDEN_SIZE];
};

/* Makes a file without a visible name, or takes one over from an earlier version (`recycle`, which wants `replace`).
 * DENIED, INVALID for the store or the name; EXISTS early, where `replace` is false. After a failure, too, dry_draft_end
 * ends it. */
enum dry_status dry_draft_begin(struct dry_draft *d, struct dry_store *s, const char *name, bool replace, bool recycle,
                                struct dry_error *err) DRY_MUST_CHECK;
/* Puts the table's name before what a lower layer said. */
enum dry_status dry_draft_about(const struct dry_draft *d, enum dry_status status, struct dry_error *err);
/* Looks at all that is stored, not at what came in: whatever the source does afterwards cannot change the answer. */
enum dry_status dry_draft_verify(struct dry_draft *d, const struct verifying *how, struct dry_error *err) DRY_MUST_CHECK;
/* Read-only mode, sync, name. EXISTS: the draft is as it was, and may be published again. */
enum dry_status dry_draft_publish(struct dry_draft *d, struct dry_error *err) DRY_MUST_CHECK;
/* What an IPC writer writes goes to the end of the segment. Where there is no room for it, the store's spares go first.
 * Borrows the draft, of which only the segment has to be there. */
struct dry_sink dry_draft_sink(struct dry_draft *d);
/* Good or bad: what still has a hidden name had no success. */
void dry_draft_end(struct dry_draft *d);

#endif

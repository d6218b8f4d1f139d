/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to store/. Recycled pages: a process that puts one name again and again keeps the version that it has just
 * replaced, and writes the next one into its pages. docs/decisions/recycled-pages.md has the protocol and its proof.
 *
 *     put 1   new file -> name
 *     put 2   new file, exchanged with the name -> version 1 is the spare: a hidden name, locked, mapped by us
 *     put 3   claim the spare (nobody else has it open: the kernel's lease) -> unreadable -> filled -> verified
 *             -> the lease is let go -> exchanged with the name -> version 2 is the spare
 *
 * A spare is a file that this process itself has put, under this name: so it knows all that was ever done with it.
 * At most one spare a name, and DRY_SPARES_MAX a store; each is dropped when there is no room for something new, when
 * somebody still reads it as it is wanted, when its store is closed, and by anybody's next command when its writer dies.
 * A spare serves the same name only, so that somebody who opens it late finds the newer version, never another table.
 */
#ifndef DRY_STORE_SPARE_H
#define DRY_STORE_SPARE_H

#include "private.h"

struct dry_spare {
    struct dry_segment *segment; /* finished, mapped, not claimed */
    char hidden[HIDDEN_SIZE];
    char name[DRY_NAME_BYTES + 1];
};

/* Smaller tables gain nothing: what is saved is the time in which the kernel makes pages. */
#define DRY_SPARE_LEAST_BYTES ((uint64_t)256 << 10)

/* The spare of that name, taken out: the caller gives it back or drops it. NULL: there is none. */
struct dry_spare *dry_spare_take(struct dry_store *s, const char *name);
/* Removes its hidden name and lets its pages go. NULL is allowed. */
void dry_spare_drop(struct dry_store *s, struct dry_spare *spare);
/* Its segment, which is the caller's from now on; the hidden name is his too. */
struct dry_segment *dry_spare_open(struct dry_store *s, struct dry_spare *spare);
/* Whether the version that a put of `bytes` is about to replace shall be kept: it was put from here. */
bool dry_spare_is_wanted(struct dry_store *s, const char *name, uint64_t bytes);
/* Keeps the file under that hidden name as the name's spare, or removes it if it will not do. */
void dry_spare_keep(struct dry_store *s, const char *name, const char *hidden);
/* Notes that this file was put under the name. */
void dry_spare_note(struct dry_store *s, const char *name, int fd);
/* Makes room: drops all. Whether there was one. */
bool dry_spare_drop_all(struct dry_store *s);

#endif

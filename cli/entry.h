/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to cli/. What ls and stat say about an entry of the store.
 */
#ifndef DRY_CLI_ENTRY_H
#define DRY_CLI_ENTRY_H

#include "json.h"
#include "text.h"

/* RFC 3339, UTC, to the nanosecond where there is a fraction. */
void dry_entry_created(const struct dry_entry *e, struct dry_text *out);
/* Why the entry cannot be read as a table, in the library's words. */
void dry_entry_fault(struct dry_store *store, const struct dry_entry *e, struct dry_text *out);
/* The members of its object; what is not known is null, and then "error" says why. */
void dry_entry_json(struct dry_store *store, const struct dry_entry *e, struct dry_json *out);
const char *dry_entry_verified(const struct dry_entry *e);

#endif

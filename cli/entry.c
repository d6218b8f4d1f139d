/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "entry.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "human.h"

void dry_entry_created(const struct dry_entry *e, struct dry_text *out)
{
    dry_text_timestamp(out, e->created_ns, 9, true);
}

const char *dry_entry_verified(const struct dry_entry *e)
{
    return e->table.verified == DRY_VERIFIED_FULL ? "full" : "ranges";
}

void dry_entry_fault(struct dry_store *store, const struct dry_entry *e, struct dry_text *out)
{
    struct dry_error err = {0};
    struct dry_table *table = NULL;
    /* The list has the status of each file; the words are had by trying again. */
    enum dry_status status = dry_store_get(store, e->name, DRY_CHECK_RANGES, &table, &err);
    const char *words = dry_cli_words(status != DRY_OK ? status : e->status, &err);
    dry_text_escape(out, words, strlen(words), DRY_ESCAPE_MESSAGE);
    dry_table_unref(table);
}

static void member_count(struct dry_json *out, bool known, const char *key, int64_t count)
{
    if (known)
        dry_json_member_int(out, key, count);
    else
        dry_json_member_string(out, key, NULL);
}

void dry_entry_json(struct dry_store *store, const struct dry_entry *e, struct dry_json *out)
{
    bool known = e->status == DRY_OK;
    struct dry_text created = {0}, fault = {0};
    char mode[8];
    snprintf(mode, sizeof mode, "%04o", e->mode & 07777u);
    dry_entry_created(e, &created);
    dry_json_member_string(out, "name", e->name);
    member_count(out, known, "rows", e->table.rows);
    member_count(out, known, "columns", e->table.columns);
    member_count(out, known, "batches", e->table.batches);
    member_count(out, known, "bytes", e->table.buffer_bytes);
    dry_json_member_uint(out, "held_bytes", e->held_bytes);
    dry_json_member_string(out, "created", dry_text_get(&created));
    dry_json_member_string(out, "mode", mode);
    dry_json_member_uint(out, "owner", e->owner);
    member_count(out, known, "alignment", e->table.alignment_bytes);
    dry_json_member_string(out, "verified", known ? dry_entry_verified(e) : NULL);
    if (!known) {
        dry_entry_fault(store, e, &fault);
        dry_json_member_string(out, "error", dry_text_get(&fault));
    }
    dry_text_fini(&created);
    dry_text_fini(&fault);
}

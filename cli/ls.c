/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "entry.h"
#include "human.h"
#include "json.h"
#include "listing.h"

static const struct argp_option options[] = {DRY_OPTION_JSON, {0}};

static void print_json(struct dry_store *store, const struct dry_entry *entries, size_t n)
{
    struct dry_json json = {.out = stdout};
    dry_json_open(&json, '[');
    for (size_t i = 0; i < n; i++) {
        dry_json_open(&json, '{');
        dry_entry_json(store, &entries[i], &json);
        dry_json_close(&json, '}');
    }
    dry_json_close(&json, ']');
}

static void add_count(struct dry_listing *l, bool known, int64_t count)
{
    struct dry_text t = {0};
    dry_text_puts(&t, known ? "" : "-");
    if (known) dry_text_printf(&t, "%" PRId64, count);
    dry_listing_add(l, dry_text_get(&t));
    dry_text_fini(&t);
}

static void add_entry(struct dry_listing *l, struct dry_store *store, const struct dry_entry *e)
{
    bool known = e->status == DRY_OK;
    struct dry_text size = {0}, created = {0}, fault = {0};
    dry_text_puts(&size, known ? "" : "-");
    if (known) dry_text_size(&size, (uint64_t)e->table.buffer_bytes);
    dry_text_timestamp(&created, e->created_ns / 1000000000, 0, true);
    if (!known) dry_entry_fault(store, e, &fault);
    dry_listing_add(l, e->name);
    add_count(l, known, e->table.rows);
    add_count(l, known, e->table.columns);
    add_count(l, known, e->table.batches);
    dry_listing_add(l, dry_text_get(&size));
    dry_listing_add(l, dry_text_get(&created));
    dry_listing_add(l, dry_text_get(&fault));
    dry_text_fini(&size);
    dry_text_fini(&created);
    dry_text_fini(&fault);
}

static void print_table(struct dry_store *store, const struct dry_entry *entries, size_t n)
{
    static const struct dry_listing_column columns[] = {{"NAME", 0},
                                                        {"ROWS", DRY_LISTING_RIGHT},
                                                        {"COLUMNS", DRY_LISTING_RIGHT},
                                                        {"BATCHES", DRY_LISTING_RIGHT},
                                                        {"BYTES", DRY_LISTING_RIGHT},
                                                        {"CREATED", 0},
                                                        {"ERROR", DRY_LISTING_CUT}};
    struct dry_listing *l = dry_listing_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < n; i++) add_entry(l, store, &entries[i]);
    dry_listing_print(l);
}

static int run(const struct dry_args *args)
{
    struct dry_store *store = NULL;
    struct dry_entry *entries = NULL;
    size_t n = 0;
    struct dry_error err = {0};
    enum dry_status status = dry_cli_open(args, DRY_STORE_READ, &store, &err);
    if (status == DRY_OK) status = dry_store_list(store, &entries, &n, &err);
    if (status != DRY_OK) {
        dry_store_close(store);
        return dry_cli_report(status, &err);
    }
    if (args->json)
        print_json(store, entries, n);
    else if (n > 0)
        print_table(store, entries, n);
    dry_entries_free(store, entries, n);
    dry_store_close(store);
    return DRY_CLI_OK;
}

const struct dry_command dry_command_ls = {
    .name = "ls",
    .operands = "",
    .doc = "List the tables of the store"
           "\vBYTES are those of the buffers. A file that cannot be read as a table is listed with its error.",
    .options = options,
    .run = run,
};

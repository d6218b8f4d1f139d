/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json.h"
#include "listing.h"

static const struct argp_option options[] = {DRY_OPTION_JSON, {0}};

/* One pair of metadata; the bytes are foreign and borrowed. */
struct pair {
    const char *key, *value;
    int32_t key_len, value_len;
    const char *rest; /* where the next pair begins */
};

static const char *read_bytes(const char *at, int32_t *len, const char **bytes)
{
    memcpy(len, at, sizeof *len);
    *bytes = at + sizeof *len;
    return *bytes + *len;
}

/* The number of pairs of a metadata blob (encoded as in the C data interface; NULL: none), and where the first is. */
static int32_t count_pairs(const char *metadata, struct pair *pair)
{
    int32_t n = 0;
    if (metadata == NULL) return 0;
    memcpy(&n, metadata, sizeof n);
    pair->rest = metadata + sizeof n;
    return n;
}

static void next_pair(struct pair *pair)
{
    const char *at = read_bytes(pair->rest, &pair->key_len, &pair->key);
    pair->rest = read_bytes(at, &pair->value_len, &pair->value);
}

static const struct ArrowSchema *with_children(const struct ArrowSchema *field)
{
    return field->dictionary != NULL ? field->dictionary : field;
}

/* A buffer that holds the name of any type that people write; dry_type_name cuts what is longer. */
typedef char type_name[4096];

/* ---- JSON ---- */

static void metadata_json(const char *metadata, struct dry_json *json)
{
    struct pair pair = {0};
    dry_json_key(json, "metadata", strlen("metadata"));
    dry_json_open(json, '{');
    for (int32_t n = count_pairs(metadata, &pair); n > 0; n--) {
        next_pair(&pair);
        dry_json_key(json, pair.key, (size_t)pair.key_len);
        dry_json_string(json, pair.value, (size_t)pair.value_len);
    }
    dry_json_close(json, '}');
}

static void fields_json(const char *key, const struct ArrowSchema *parent, struct dry_json *json)
{
    dry_json_key(json, key, strlen(key));
    dry_json_open(json, '[');
    for (int64_t i = 0; i < parent->n_children; i++) {
        const struct ArrowSchema *field = parent->children[i];
        type_name type;
        dry_type_name(field, type, sizeof type);
        dry_json_open(json, '{');
        dry_json_member_string(json, "name", field->name);
        dry_json_member_string(json, "type", type);
        dry_json_member_bool(json, "nullable", (field->flags & ARROW_FLAG_NULLABLE) != 0);
        metadata_json(field->metadata, json);
        fields_json("children", with_children(field), json);
        dry_json_close(json, '}');
    }
    dry_json_close(json, ']');
}

static void print_json(const struct ArrowSchema *schema)
{
    struct dry_json json = {.out = stdout};
    dry_json_open(&json, '{');
    fields_json("fields", schema, &json);
    metadata_json(schema->metadata, &json);
    dry_json_close(&json, '}');
}

/* ---- text ---- */

static void metadata_text(const char *metadata, struct dry_text *out)
{
    struct pair pair = {0};
    int32_t n = count_pairs(metadata, &pair);
    for (int32_t i = 0; i < n; i++) {
        next_pair(&pair);
        dry_text_puts(out, i > 0 ? ", " : "");
        dry_text_escape(out, pair.key, (size_t)pair.key_len, DRY_ESCAPE_PLAIN);
        dry_text_puts(out, "=");
        dry_text_escape(out, pair.value, (size_t)pair.value_len, DRY_ESCAPE_PLAIN);
    }
}

static void add_fields(const struct ArrowSchema *parent, int depth, struct dry_listing *l)
{
    for (int64_t i = 0; i < parent->n_children; i++) {
        const struct ArrowSchema *field = parent->children[i];
        struct dry_text name = {0}, metadata = {0};
        type_name type;
        dry_type_name(field, type, sizeof type);
        dry_text_printf(&name, "%*s", 2 * depth, "");
        dry_text_escape(&name, field->name, strlen(field->name), DRY_ESCAPE_PLAIN);
        metadata_text(field->metadata, &metadata);
        dry_listing_add(l, dry_text_get(&name));
        dry_listing_add(l, type);
        dry_listing_add(l, (field->flags & ARROW_FLAG_NULLABLE) != 0 ? "yes" : "no");
        dry_listing_add(l, dry_text_get(&metadata));
        dry_text_fini(&name);
        dry_text_fini(&metadata);
        add_fields(with_children(field), depth + 1, l);
    }
}

/* The schema's own metadata, a line for each key; a terminal gets the beginning, for pandas keeps a page in there. */
static void print_metadata(const char *metadata)
{
    static const struct dry_listing_column columns[] = {{"METADATA", 0}, {"VALUE", DRY_LISTING_CUT}};
    struct pair pair = {0};
    int32_t n = count_pairs(metadata, &pair);
    if (n == 0) return;
    struct dry_listing *l = dry_listing_new(columns, 2);
    for (; n > 0; n--) {
        struct dry_text key = {0}, value = {0};
        next_pair(&pair);
        dry_text_escape(&key, pair.key, (size_t)pair.key_len, DRY_ESCAPE_PLAIN);
        dry_text_escape(&value, pair.value, (size_t)pair.value_len, DRY_ESCAPE_PLAIN);
        dry_listing_add(l, dry_text_get(&key));
        dry_listing_add(l, dry_text_get(&value));
        dry_text_fini(&key);
        dry_text_fini(&value);
    }
    putchar('\n');
    dry_listing_print(l);
}

static void print_text(const struct ArrowSchema *schema)
{
    static const struct dry_listing_column columns[] = {
        {"NAME", 0}, {"TYPE", DRY_LISTING_CUT}, {"NULLABLE", 0}, {"METADATA", DRY_LISTING_CUT}};
    struct dry_listing *l = dry_listing_new(columns, sizeof columns / sizeof *columns);
    add_fields(schema, 0, l);
    dry_listing_print(l);
    print_metadata(schema->metadata);
}

static int run(const struct dry_args *args)
{
    struct dry_table *table = NULL;
    struct ArrowSchema schema;
    struct dry_error err = {0};
    enum dry_status status = dry_cli_get(args, args->operands[0], DRY_CHECK_RANGES, &table, &err);
    if (status == DRY_OK) status = dry_table_schema(table, &schema);
    dry_table_unref(table);
    if (status != DRY_OK) return dry_cli_report(status, &err);
    if (args->json)
        print_json(&schema);
    else
        print_text(&schema);
    schema.release(&schema);
    return DRY_CLI_OK;
}

const struct dry_command dry_command_schema = {
    .name = "schema",
    .operands = "NAME|HANDLE",
    .doc = "Print the columns of a table: name, type, nullable, metadata",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};

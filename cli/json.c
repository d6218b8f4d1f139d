/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "json.h"

#include <inttypes.h>
#include <string.h>

static void begin(struct dry_json *j)
{
    if (j->comma) fputs(j->depth == 1 ? "," : ", ", j->out);
    if (j->depth == 1 && !j->keyed) fputc('\n', j->out);
    j->keyed = false;
    j->comma = true;
}

void dry_json_open(struct dry_json *j, char bracket)
{
    begin(j);
    fputc(bracket, j->out);
    j->depth++;
    j->comma = false;
}

void dry_json_close(struct dry_json *j, char bracket)
{
    if (j->depth == 1 && j->comma) fputc('\n', j->out);
    fputc(bracket, j->out);
    j->comma = true;
    if (--j->depth == 0) fputc('\n', j->out);
}

void dry_json_string(struct dry_json *j, const void *bytes, size_t n)
{
    struct dry_text escaped = {0};
    begin(j);
    dry_text_escape(&escaped, bytes, n, DRY_ESCAPE_JSON);
    fprintf(j->out, "\"%s\"", dry_text_get(&escaped));
    dry_text_fini(&escaped);
}

void dry_json_key(struct dry_json *j, const void *name, size_t n)
{
    dry_json_string(j, name, n);
    fputs(": ", j->out);
    j->comma = false;
    j->keyed = true;
}

void dry_json_raw(struct dry_json *j, const char *value)
{
    begin(j);
    fputs(value, j->out);
}

void dry_json_member_string(struct dry_json *j, const char *key, const char *value)
{
    dry_json_key(j, key, strlen(key));
    if (value != NULL)
        dry_json_string(j, value, strlen(value));
    else
        dry_json_raw(j, "null");
}

void dry_json_member_int(struct dry_json *j, const char *key, int64_t value)
{
    dry_json_key(j, key, strlen(key));
    begin(j);
    fprintf(j->out, "%" PRId64, value);
}

void dry_json_member_uint(struct dry_json *j, const char *key, uint64_t value)
{
    dry_json_key(j, key, strlen(key));
    begin(j);
    fprintf(j->out, "%" PRIu64, value);
}

void dry_json_member_bool(struct dry_json *j, const char *key, bool value)
{
    dry_json_key(j, key, strlen(key));
    dry_json_raw(j, value ? "true" : "false");
}

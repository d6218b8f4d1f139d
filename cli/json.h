/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to cli/. JSON, written front to back: commas and lines are set here, nesting is the caller's. What lies
 * directly in the outermost bracket begins a line of its own, so that a list of objects has one object a line.
 */
#ifndef DRY_CLI_JSON_H
#define DRY_CLI_JSON_H

#include <stdio.h>

#include "text.h"

struct dry_json {
    FILE *out;
    unsigned depth;
    bool comma; /* something stands in front of what comes next */
    bool keyed; /* a key does */
};

/* `bracket` is '{' or '['; the last close ends the line. */
void dry_json_open(struct dry_json *j, char bracket);
void dry_json_close(struct dry_json *j, char bracket);
void dry_json_key(struct dry_json *j, const void *name, size_t n);
/* Foreign bytes: what is not UTF-8 becomes U+FFFD. */
void dry_json_string(struct dry_json *j, const void *bytes, size_t n);
/* A number, true, false or null, as it is. */
void dry_json_raw(struct dry_json *j, const char *value);

/* Members of an object: a key and its value. A NULL string is null. */
void dry_json_member_string(struct dry_json *j, const char *key, const char *value);
void dry_json_member_int(struct dry_json *j, const char *key, int64_t value);
void dry_json_member_uint(struct dry_json *j, const char *key, uint64_t value);
void dry_json_member_bool(struct dry_json *j, const char *key, bool value);

#endif

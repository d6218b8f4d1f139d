/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * For tests and fuzzers only: schemas from format strings, batches put together by hand or filled with valid values for
 * any type.
 */
#ifndef DRY_ARROW_ARRAY_TESTING_H
#define DRY_ARROW_ARRAY_TESTING_H

#include "array.h"
#include "view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void test_demand(bool good, const char *what)
{
    if (good) return;
    fprintf(stderr, "the test itself is wrong: %s\n", what);
    abort();
}

/* ---- schemas ---- */
struct test_field {
    const char *format, *name;
    const struct test_field *children; /* until a format that is NULL */
    const struct test_field *dictionary;
};

struct test_schema_room {
    struct ArrowSchema nodes[256], *pointers[256];
    int used;
};

static inline void test_release_schema(struct ArrowSchema *s) { s->release = NULL; }

static inline int test_count(const struct test_field *fields)
{
    int n = 0;
    while (fields && fields[n].format) n++;
    return n;
}

static inline struct ArrowSchema *test_describe(struct test_schema_room *room, const struct test_field *f)
{
    int n = test_count(f->children), at = room->used++;
    struct ArrowSchema *s = room->nodes + at;
    test_demand(room->used + n < 256, "too many fields");
    *s = (struct ArrowSchema){.format = f->format,
                              .name = f->name ? f->name : "",
                              .flags = ARROW_FLAG_NULLABLE,
                              .n_children = n,
                              .release = test_release_schema};
    struct ArrowSchema **children = calloc((size_t)n + 1, sizeof *children);
    for (int i = 0; i < n; i++) children[i] = test_describe(room, f->children + i);
    s->children = room->pointers + room->used - n; /* at most as many as there are nodes below */
    memcpy(s->children, children, (size_t)n * sizeof *children);
    free(children);
    if (f->dictionary) s->dictionary = test_describe(room, f->dictionary);
    return s;
}

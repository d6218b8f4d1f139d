/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * For tests only: ArrowSchema trees made by hand, one of every type, and an allocator that fails at the n-th call.
 */
#ifndef DRY_ARROW_SCHEMA_TESTING_H
#define DRY_ARROW_SCHEMA_TESTING_H

#include "abi.h"
#include "schema.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- trees ---- */
/* A foreign producer as plain as can be: every node is its own block and releases its own. Texts are not copied. */
static void node_release(struct ArrowSchema *s)
{
    for (int64_t i = 0; i < s->n_children; i++) {
        if (s->children[i]->release) s->children[i]->release(s->children[i]);
        free(s->children[i]);
    }
    free(s->children);
    if (s->dictionary) {
        s->dictionary->release(s->dictionary);
        free(s->dictionary);
    }
    s->release = NULL;
}

static inline struct ArrowSchema *node(const char *format, const char *name)
{
    struct ArrowSchema *s = calloc(1, sizeof *s);
    if (!s) abort();
    s->format = format;
    s->name = name;
    s->flags = ARROW_FLAG_NULLABLE;
    s->release = node_release;
    return s;
}

/* Gives `parent` one more child; returns the parent, so that calls nest. */
static inline struct ArrowSchema *with_child(struct ArrowSchema *parent, struct ArrowSchema *child)
{
    size_t n = (size_t)parent->n_children + 1;
    parent->children = realloc(parent->children, n * sizeof *parent->children);
    if (!parent->children) abort();
    parent->children[n - 1] = child;
    parent->n_children++;
    return parent;
}

static inline struct ArrowSchema *with_dictionary(struct ArrowSchema *s, struct ArrowSchema *values)
{
    s->dictionary = values;
    return s;
}

static inline struct ArrowSchema *with_flags(struct ArrowSchema *s, int64_t flags)
{
    s->flags = flags;
    return s;
}

static inline struct ArrowSchema *with_metadata(struct ArrowSchema *s, const char *metadata)
{
    s->metadata = metadata;
    return s;
}

static inline void node_free(struct ArrowSchema *s)
{
    s->release(s);
    free(s);
}

static inline struct ArrowSchema *map_of(struct ArrowSchema *key, struct ArrowSchema *value, const char *name)
{
    struct ArrowSchema *entries = with_flags(node("+s", "entries"), 0);
    return with_child(node("+m", name), with_child(with_child(entries, with_flags(key, 0)), value));
}

/* An extension type is a storage type with two texts in its metadata. */
#define EXTENSION_METADATA                                                                                           \
    "\x02\0\0\0"                                                                                                     \
    "\x18\0\0\0ARROW:extension:metadata\0\0\0\0"                                                                     \
    "\x14\0\0\0ARROW:extension:name\x0a\0\0\0arrow.uuid"
/* A repeated key, and a value that is no text. */
#define ODD_METADATA                                                                                                 \
    "\x03\0\0\0"                                                                                                     \
    "\x01\0\0\0k\x02\0\0\0v1"                                                                                        \
    "\x01\0\0\0k\x02\0\0\0v2"                                                                                        \
    "\0\0\0\0\x03\0\0\0\xff\0\x80"

/* A table with a column of every type, parameters at their ends, nested and dictionary-encoded ones. */
static inline struct ArrowSchema *node_all_types(void)
{
    static const char *const plain[] = {
        "n",   "b",   "c",   "C",   "s",   "S",     "i",      "I",         "l",          "L",        "e",
        "f",   "g",   "u",   "U",   "z",   "Z",     "vu",     "vz",        "w:1",        "w:16",     "w:0",
        "tdD", "tdm", "tts", "ttm", "ttu", "ttn",   "tss:",   "tsm:UTC",   "tsu:Europe/Paris", "tsn:+01:00", "tDs",
        "tDm", "tDu", "tDn", "tiM", "tiD", "tin",   "d:9,2,32", "d:18,-3,64", "d:38,10",  "d:1,0",    "d:76,76,256",
    };
    struct ArrowSchema *t = with_metadata(with_flags(node("+s", ""), 0), ODD_METADATA);
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) with_child(t, node(plain[i], plain[i]));
    with_child(t, with_flags(node("i", "not null"), 0));
    with_child(t, with_metadata(node("w:16", "id"), EXTENSION_METADATA));
    with_child(t, with_child(node("+l", "list"), node("i", "item")));
    with_child(t, with_child(node("+L", "large list"), with_flags(node("vu", ""), 0)));
    with_child(t, with_child(node("+w:3", "fixed list"), with_child(node("+w:0", "item"), node("f", "item"))));
    with_child(t, with_child(with_child(node("+s", "struct"), node("z", "a")),
                             with_child(node("+l", "a"), node("n", "x"))));
    with_child(t, node("+s", "empty struct"));
    with_child(t, map_of(node("u", "key"), node("g", "value"), "map"));
    with_child(t, with_flags(map_of(node("vz", "k"), node("+s", "v"), "sorted"),
                             ARROW_FLAG_NULLABLE | ARROW_FLAG_MAP_KEYS_SORTED));
    static const char *const indices[] = {"c", "C", "s", "S", "i", "I", "l", "L"};
    for (size_t i = 0; i < sizeof indices / sizeof *indices; i++)
        with_child(t, with_dictionary(node(indices[i], "dictionary"), node("u", "")));
    with_child(t, with_metadata(with_flags(with_dictionary(node("c", "ordered"), node("tsu:UTC", "")),
                                           ARROW_FLAG_DICTIONARY_ORDERED), ODD_METADATA));
    struct ArrowSchema *inner = with_dictionary(node("S", "inner"), with_child(node("+l", ""), node("vu", "item")));
    with_child(t, with_dictionary(node("i", "nested dictionary"),
                                  with_child(with_child(node("+s", ""), inner), node("b", "flag"))));
    return with_child(t,
                      with_child(node("+l", "dictionary below"), with_dictionary(node("i", "item"), node("U", ""))));
}

static inline bool text_equal(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Whether two trees say the same, metadata included. An absent name is an empty one. */
static inline bool node_equal(const struct ArrowSchema *a, const struct ArrowSchema *b)
{
    size_t n = dry_metadata_bytes(a->metadata);
    if (!text_equal(a->format, b->format) || !text_equal(a->name, b->name) || a->flags != b->flags ||
        a->n_children != b->n_children || !a->dictionary != !b->dictionary || n != dry_metadata_bytes(b->metadata) ||
        (n && memcmp(a->metadata, b->metadata, n) != 0))
        return false;
    for (int64_t i = 0; i < a->n_children; i++)
        if (!node_equal(a->children[i], b->children[i])) return false;
    return !a->dictionary || node_equal(a->dictionary, b->dictionary);
}

/* ---- memory that runs out ---- */
struct scarce {
    struct dry_allocator allocator; /* first: its address is the whole's */
    long left;                      /* allocations that still succeed */
    long live;                      /* blocks not yet released */
};

static void *scarce_allocate(void *self, size_t size, size_t align)
{
    struct scarce *s = self;
    void *block = s->left-- > 0 ? dry_allocate(NULL, size, align) : NULL;
    s->live += block != NULL;
    return block;
}

static void scarce_release(void *self, void *block, size_t size, size_t align)
{
    struct scarce *s = self;
    s->live--;
    dry_release(NULL, block, size, align);
}

static inline void scarce_init(struct scarce *s, long left)
{
    *s = (struct scarce){.allocator = {.allocate = scarce_allocate, .release = scarce_release, .self = s},
                         .left = left};
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From a schema to an ArrowSchema. All nodes below the root, the lists of children and every text lie in one block. A
 * consumer may move a child out and release it before or after its parent, on another thread: the block therefore
 * counts the nodes that are not released yet, and goes with the last of them. Nothing in it points into the schema.
 *
 *     block:  | tree | nodes ... | lists of children ... | texts, each at a multiple of 8 ... |
 */
#include "schema_build.h"
#include "../base/atomic.h"
#include "../base/check.h"

#include <string.h>

struct tree {
    struct dry_atomic_u64 held; /* nodes that are not released, the root too */
    const struct dry_allocator *allocator;
    size_t size; /* of the block */
};

/* What a block holds; while it is filled, what is left of it. */
struct room {
    struct ArrowSchema *node;
    struct ArrowSchema **link;
    char *text;
};
struct need {
    size_t nodes, links, text;
};

/* A text's room. What is measured lies in memory already, several times larger: the sums cannot overflow. */
static size_t aligned(size_t n) { return (n + 7) & ~(size_t)7; }

static void measure(const struct dry_field *f, struct need *n)
{
    n->nodes++;
    n->links += (size_t)f->n_children;
    n->text += aligned(strlen(f->name) + 1) + aligned(dry_metadata_bytes(f->metadata));
    if (!dry_format_fixed(f)) n->text += aligned(dry_format_print(f, NULL, 0) + 1);
    if (f->values) measure(f->values, n);
    for (int64_t i = 0; i < f->n_children; i++) measure(&f->children[i], n);
}

/* Marks `s` and all below it that is still there as released; returns how many nodes that were. */
static uint64_t mark(struct ArrowSchema *s);

static void release(struct ArrowSchema *s)
{
    struct tree *t = s->private_data;
    uint64_t n = mark(s);
    /* AR1: pairs with AR1 on other threads: who takes the count to 0 sees that all others are done with the block. */
    if (dry_sub_acq_rel_u64(&t->held, n) == n) dry_release(t->allocator, t, t->size, _Alignof(max_align_t));
}

static uint64_t mark_below(struct ArrowSchema *s)
{
    if (!s || !s->release) return 0;
    if (s->release == release) return mark(s);
    s->release(s); /* a consumer has put a node of another's in this place */
    return 0;
}

static uint64_t mark(struct ArrowSchema *s)
{
    uint64_t n = 1 + mark_below(s->dictionary);
    for (int64_t i = 0; i < s->n_children; i++) n += mark_below(s->children[i]);
    s->release = NULL;
    return n;
}

static char *put_text(struct room *r, const char *bytes, size_t n)
{
    char *at = memcpy(r->text, bytes, n);
    r->text += aligned(n);
    return at;
}

static const char *put_format(struct room *r, const struct dry_field *f)
{
    const char *whole = dry_format_fixed(f);
    if (whole) return whole;
    size_t n = dry_format_print(f, NULL, 0) + 1;
    char *at = r->text;
    dry_format_print(f, at, n);
    r->text += aligned(n);
    return at;
}

static void fill(struct tree *t, struct room *r, const struct dry_field *f, struct ArrowSchema *out)
{
    *out = (struct ArrowSchema){.n_children = f->n_children, .release = release, .private_data = t};
    out->format = put_format(r, f);
    out->name = put_text(r, f->name, strlen(f->name) + 1);
    if (f->metadata) out->metadata = put_text(r, f->metadata, dry_metadata_bytes(f->metadata));
    out->flags = (f->nullable ? ARROW_FLAG_NULLABLE : 0) | (f->ordered ? ARROW_FLAG_DICTIONARY_ORDERED : 0) |
                 (f->keys_sorted ? ARROW_FLAG_MAP_KEYS_SORTED : 0);
    if (f->n_children) out->children = r->link;
    r->link += f->n_children;
    if (f->values) {
        out->dictionary = r->node++;
        fill(t, r, f->values, out->dictionary);
    }
    for (int64_t i = 0; i < f->n_children; i++) {
        out->children[i] = r->node++;
        fill(t, r, &f->children[i], out->children[i]);
    }
}

enum dry_status dry_schema_export(const struct dry_schema *s, struct ArrowSchema *out)
{
    struct need need = {0};
    measure(&s->root, &need);
    size_t nodes = (need.nodes - 1) * sizeof(struct ArrowSchema); /* the root is the caller's */
    size_t links = need.links * sizeof(struct ArrowSchema *);
    size_t size = sizeof(struct tree) + nodes + links + need.text;
    struct tree *t = dry_allocate(s->arena.allocator, size, _Alignof(max_align_t));
    if (!t) return DRY_NOMEM;
    char *at = (char *)(t + 1);
    struct room room = {(void *)at, (void *)(at + nodes), at + nodes + links};
    t->allocator = s->arena.allocator;
    t->size = size;
    dry_store_relaxed_u64(&t->held, need.nodes); /* X0: nobody else knows the block yet */
    fill(t, &room, &s->root, out);
    DRY_ASSERT(room.text == (char *)t + size);
    return DRY_OK;
}

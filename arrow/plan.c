/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "plan.h"
#include "../base/check.h"
#include "view.h"

#include <string.h>

/* Three passes over the same tree would be easier to get wrong than one: room for nodes and places is counted from
 * the tree first, then one walk fills them in. */
struct planner {
    const struct dry_schema *schema;
    const struct dry_renumber *renumber;
    const char *where;
    struct dry_arena *arena;
    struct dry_plan *plan;
    struct dry_error *err;
};

static int64_t place_count(const struct dry_array *a)
{
    static const uint8_t of_layout[] = {
        [DRY_LAYOUT_NULL] = 0,    [DRY_LAYOUT_FIXED] = 2,      [DRY_LAYOUT_BYTES32] = 3,
        [DRY_LAYOUT_BYTES64] = 3, [DRY_LAYOUT_VIEW] = 2,       [DRY_LAYOUT_LIST32] = 2,
        [DRY_LAYOUT_LIST64] = 2,  [DRY_LAYOUT_FIXED_LIST] = 1, [DRY_LAYOUT_STRUCT] = 1};
    int64_t n = of_layout[a->field->layout];
    if (a->field->layout == DRY_LAYOUT_VIEW) n += a->n_variadic > 1 ? a->n_variadic : 1;
    return n;
}

static void count(const struct dry_array *a, int64_t *nodes, int64_t *places)
{
    ++*nodes;
    *places += place_count(a);
    for (int64_t i = 0; i < a->field->n_children; i++)
        count(a->children + i, nodes, places);
}

static enum dry_status fault(const struct planner *p, const struct dry_array *a, const char *what)
{
    char label[200];
    return dry_fail(p->err, DRY_CORRUPT, "%s, %s: %s", p->where,
                    dry_field_label(p->schema, a->field, label, sizeof label), what);
}

static struct dry_piece *add(struct planner *p, const struct dry_array *a, enum dry_piece_kind kind,
                             const uint8_t *from, int64_t n, int64_t bytes)
{
    struct dry_message *m = &p->plan->message;
    struct dry_piece *piece = p->plan->pieces + m->n_places;
    *piece = (struct dry_piece){.kind = kind, .array = a, .from = from, .n = n, .bytes = bytes};
    m->places[m->n_places++] = (struct dry_place){.offset = m->body_bytes, .length = bytes};
    m->body_bytes += (bytes + DRY_ALIGN - 1) & ~(int64_t)(DRY_ALIGN - 1);
    return piece;
}

static void add_copy(struct planner *p, const struct dry_array *a, const uint8_t *from, int64_t bytes)
{
    add(p, a, DRY_PIECE_COPY, bytes ? from : NULL, bytes, bytes);
}

static void add_bits(struct planner *p, const struct dry_array *a, const uint8_t *bits, int64_t at, int64_t n)
{
    if (n == 0 || at % 8 == 0)
        add_copy(p, a, n ? bits + at / 8 : NULL, n / 8 + (n % 8 != 0));
    else
        add(p, a, DRY_PIECE_BITS, bits, n, n / 8 + (n % 8 != 0))->shift = at;
}

/* The node and the validity bitmap. Counting the nulls again is cheap, and makes a wrong foreign count harmless. */
static void add_head(struct planner *p, const struct dry_array *a, int64_t from, int64_t n)
{
    const uint8_t *bits = n ? a->buffers[0].data : NULL;
    int64_t nulls = bits ? n - dry_bits_count(bits, from, n) : 0;
    if (a->field->layout == DRY_LAYOUT_NULL) nulls = n;
    p->plan->message.nodes[p->plan->message.n_nodes++] = (struct dry_node){.length = n, .null_count = nulls};
    if (a->field->layout == DRY_LAYOUT_NULL) return;
    if (nulls)
        add_bits(p, a, bits, from, n);
    else
        add_copy(p, a, NULL, 0);
}

static int64_t offset_at(const struct dry_array *a, bool wide, int64_t i)
{
    if (wide) {
        int64_t v;
        memcpy(&v, a->buffers[1].data + i * 8, sizeof v);
        return v;
    }
    int32_t v;
    memcpy(&v, a->buffers[1].data + i * 4, sizeof v);
    return v;
}

/* The offsets of n elements; answers with the range that they lead into. `limit`: where that may end. An array of no
 * elements still gets its one offset, which readers expect. */
static enum dry_status add_offsets(struct planner *p, const struct dry_array *a, int64_t from, int64_t n, bool wide,
                                   int64_t limit, int64_t *first, int64_t *last)
{
    static const uint8_t zero[8];
    int64_t width = wide ? 8 : 4;
    *first = *last = 0;
    if (n == 0) {
        add_copy(p, a, zero, width);
        return DRY_OK;
    }
    *first = offset_at(a, wide, from);
    *last = offset_at(a, wide, from + n);
    if (*first < 0 || *last < *first || *last > limit)
        return fault(p, a, "an offset leads outside of what it points into");
    const uint8_t *at = a->buffers[1].data + from * width;
    if (*first == 0)
        add_copy(p, a, at, (n + 1) * width);
    else
        add(p, a, wide ? DRY_PIECE_OFFSETS64 : DRY_PIECE_OFFSETS32, at, n + 1, (n + 1) * width)->shift = *first;
    return DRY_OK;
}

static bool is_null(const struct dry_array *a, int64_t i)
{
    return a->buffers[0].data && !dry_bit(a->buffers[0].data, i);
}

/* Long bytes that the valid views among [from, from + n) lead to, each checked; -1 at the first that leads outside.
 */
static int64_t far_bytes(const struct dry_array *a, int64_t from, int64_t n)
{
    int64_t sum = 0;
    for (int64_t i = from; i < from + n; i++) {
        struct dry_bytes_view v = dry_view_at(a->buffers[1].data, i);
        if (is_null(a, i)) continue;
        if (v.length < 0) return -1;
        if (v.length <= DRY_VIEW_INLINE) continue;
        if (v.u.far.buffer < 0 || v.u.far.buffer >= a->n_variadic || v.u.far.offset < 0 ||
            v.u.far.offset > a->variadic[v.u.far.buffer].len - v.length)
            return -1;
        sum += v.length;
    }
    return sum;
}

/* A view column is copied as it is, unless its elements show less than half of its long bytes (a slice of a larger
 * column): then these are gathered into one new buffer. */
static enum dry_status add_views(struct planner *p, const struct dry_array *a, int64_t from, int64_t n)
{
    struct dry_message *m = &p->plan->message;
    int64_t whole = 0, shown = far_bytes(a, from, n);
    if (shown < 0) return fault(p, a, "a view leads outside of its buffers");
    for (int64_t i = 0; i < a->n_variadic; i++)
        whole += a->variadic[i].len;
    if (shown < whole / 2 && shown <= INT32_MAX) {
        const uint8_t *at = a->buffers[1].data + from * DRY_VIEW_BYTES;
        add(p, a, DRY_PIECE_VIEWS, n ? at : NULL, n, n * DRY_VIEW_BYTES)->first = from;
        if (shown) add(p, a, DRY_PIECE_GATHER, at, n, shown)->first = from;
        m->variadic[m->n_variadic++] = shown ? 1 : 0;
        return DRY_OK;
    }
    add_copy(p, a, n ? a->buffers[1].data + from * DRY_VIEW_BYTES : NULL, n * DRY_VIEW_BYTES);
    for (int64_t i = 0; i < a->n_variadic; i++)
        add_copy(p, a, a->variadic[i].data, a->variadic[i].len);
    m->variadic[m->n_variadic++] = a->n_variadic;
    return DRY_OK;
}

static void add_fixed(struct planner *p, const struct dry_array *a, int64_t from, int64_t n)
{
    const struct dry_field *f = a->field;
    int64_t width = f->bits / 8;
    if (f->bits == 1) {
        add_bits(p, a, a->buffers[1].data, from, n);
    } else if (f->values && p->renumber && p->renumber[f->dictionary].map && n) {
        add(p, a, DRY_PIECE_INDICES, a->buffers[1].data + from * width, n, n * width)->first = from;
    } else {
        add_copy(p, a, n ? a->buffers[1].data + from * width : NULL, n * width);
    }
}

static enum dry_status walk(struct planner *p, const struct dry_array *a, int64_t from, int64_t n);

static enum dry_status walk_child(struct planner *p, const struct dry_array *parent, int64_t i, int64_t from,
                                  int64_t n)
{
    const struct dry_array *child = parent->children + i;
    if (from < 0 || n < 0 || from > child->length - n) return fault(p, parent, "it is longer than its child");
    return walk(p, child, child->offset + from, n);
}

/* Elements [from, from + n) counted from the beginning of the buffers. */
static enum dry_status walk(struct planner *p, const struct dry_array *a, int64_t from, int64_t n)
{
    int64_t first, last;
    enum dry_layout layout = a->field->layout;
    bool wide = layout == DRY_LAYOUT_BYTES64 || layout == DRY_LAYOUT_LIST64;
    add_head(p, a, from, n);
    switch (layout) {
    case DRY_LAYOUT_NULL: return DRY_OK;
    case DRY_LAYOUT_FIXED: add_fixed(p, a, from, n); return DRY_OK;
    case DRY_LAYOUT_VIEW: return add_views(p, a, from, n);
    case DRY_LAYOUT_BYTES32:
    case DRY_LAYOUT_BYTES64:
        DRY_TRY(add_offsets(p, a, from, n, wide, a->buffers[2].len, &first, &last));
        add_copy(p, a, last > first ? a->buffers[2].data + first : NULL, last - first);
        return DRY_OK;
    case DRY_LAYOUT_LIST32:
    case DRY_LAYOUT_LIST64:
        DRY_TRY(add_offsets(p, a, from, n, wide, a->children[0].length, &first, &last));
        return walk_child(p, a, 0, first, last - first);
    case DRY_LAYOUT_FIXED_LIST: {
        int64_t size = a->field->list_size, at, items;
        if (__builtin_mul_overflow(from, size, &at) || __builtin_mul_overflow(n, size, &items))
            return fault(p, a, "its lists are too long to be counted");
        return walk_child(p, a, 0, at, items);
    }
    case DRY_LAYOUT_STRUCT:
        for (int64_t i = 0; i < a->field->n_children; i++)
            DRY_TRY(walk_child(p, a, i, from, n));
        return DRY_OK;
    }
    return DRY_OK;
}

enum dry_status dry_plan_make(const struct dry_schema *s, const struct dry_array *array,
                              const struct dry_renumber *renumber, const char *where, struct dry_arena *arena,
                              struct dry_plan *out, struct dry_error *err)
{
    struct dry_plan plan = {.message = {.length = array->length}};
    struct planner p = {.schema = s, .renumber = renumber, .where = where, .arena = arena, .plan = &plan, .err = err};
    int64_t nodes = 0, places = 0;
    count(array, &nodes, &places);
    plan.message.nodes = dry_arena_take_array(arena, (size_t)nodes, sizeof *plan.message.nodes);
    plan.message.variadic = dry_arena_take_array(arena, (size_t)nodes, sizeof *plan.message.variadic);
    plan.message.places = dry_arena_take_array(arena, (size_t)places, sizeof *plan.message.places);
    plan.pieces = dry_arena_take_array(arena, (size_t)places, sizeof *plan.pieces);
    if (!plan.message.nodes || !plan.message.variadic || !plan.message.places || !plan.pieces)
        return dry_fail(err, DRY_NOMEM, "%s: no memory for its plan", where);
    if (array->field == &s->root) {
        /* the root is a struct only in form: a record batch has no node for it; its offset applies to its columns */
        for (int64_t i = 0; i < array->field->n_children; i++)
            DRY_TRY(walk_child(&p, array, i, array->offset, array->length));
    } else {
        DRY_TRY(walk(&p, array, array->offset, array->length));
    }
    *out = plan;
    return DRY_OK;
}

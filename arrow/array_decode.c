/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "array_check.h"
#include "../base/check.h"

/* A message has one list of nodes, one of places and one of variadic counts. Walking the fields in preorder takes
 * each list from the front, and nothing may be left over. */
struct decoder {
    struct dry_judge judge;
    const struct dry_message *message;
    const uint8_t *body;
    struct dry_array *const *dictionaries;
    struct dry_arena *arena;
    int64_t node, place, variadic; /* the next of each */
    int64_t claimed;               /* bytes of the body that the places so far take */
};

/* ---- taking from the lists ---- */
static enum dry_status take_node(struct decoder *d, const struct dry_field *f, struct dry_array *out)
{
    if (d->node == d->message->n_nodes)
        return dry_refuse(&d->judge, f, DRY_NO_ROW, "there is no node for it; the message has only %lld",
                          (long long)d->message->n_nodes);
    const struct dry_node *n = d->message->nodes + d->node++;
    if (n->null_count < 0 || n->null_count > n->length) /* a negative length is below any count */
        return dry_refuse(&d->judge, f, DRY_NO_ROW, "it claims %lld elements and %lld nulls", (long long)n->length,
                          (long long)n->null_count);
    *out = (struct dry_array){.field = f, .length = n->length, .null_count = n->null_count};
    return DRY_OK;
}

/* The next place; NULL data where it is empty. */
static enum dry_status take_place(struct decoder *d, const struct dry_field *f, struct dry_span *out)
{
    const struct dry_message *m = d->message;
    int64_t end;
    if (d->place == m->n_places)
        return dry_refuse(&d->judge, f, DRY_NO_ROW, "there is no buffer for it; the message has only %lld",
                          (long long)m->n_places);
    const struct dry_place *p = m->places + d->place++;
    if (p->length == 0) {
        *out = (struct dry_span){NULL, 0};
        return DRY_OK;
    }
    if (p->offset < 0 || p->length < 0 || __builtin_add_overflow(p->offset, p->length, &end) || end > m->body_bytes)
        return dry_refuse(&d->judge, f, DRY_NO_ROW,
                          "its buffer of %lld bytes at %lld lies outside of the body of %lld", (long long)p->length,
                          (long long)p->offset, (long long)m->body_bytes);
    if (p->offset % 8 != 0) /* the format asks for it, and consumers load what they find there as numbers */
        return dry_refuse(&d->judge, f, DRY_NO_ROW, "its buffer begins at %lld, which is no multiple of 8",
                          (long long)p->offset);
    if (p->length > m->body_bytes - d->claimed)
        return dry_refuse(&d->judge, f, DRY_NO_ROW, "buffers overlap: together they are larger than the body of %lld",
                          (long long)m->body_bytes);
    d->claimed += p->length;
    *out = (struct dry_span){d->body + p->offset, p->length};
    return DRY_OK;
}

/* ---- buffers ---- */
/* Buffer `which` of an array, cut to what its length needs: what writers pad with is nobody's. */
static enum dry_status take_buffer(struct decoder *d, int which, struct dry_array *a)
{
    struct dry_span span;
    int64_t need;
    DRY_TRY(take_place(d, a->field, &span));
    if (dry_buffer_bytes_overflow(a->field, which, a->length, &need))
        return dry_refuse(&d->judge, a->field, DRY_NO_ROW, "it claims %lld elements, more than can be",
                          (long long)a->length);
    if (which == 0 && !span.data) {
        if (a->null_count)
            return dry_refuse(&d->judge, a->field, DRY_NO_ROW, "it has %lld nulls but no validity bitmap",
                              (long long)a->null_count);
        return DRY_OK;
    }
    if (span.len < need)
        return dry_refuse(&d->judge, a->field, DRY_NO_ROW, "its buffer %d has %lld bytes, %lld elements need %lld",
                          which, (long long)span.len, (long long)a->length, (long long)need);
    if (which < 2) span = (struct dry_span){need ? span.data : NULL, need};
    a->buffers[which] = span;
    return DRY_OK;
}

static enum dry_status take_variadic(struct decoder *d, struct dry_array *a)
{
    const struct dry_message *m = d->message;
    if (d->variadic == m->n_variadic)
        return dry_refuse(&d->judge, a->field, DRY_NO_ROW, "the message does not say how many view buffers it has");
    int64_t n = m->variadic[d->variadic++];
    /* before room is made for them: each has a place that the metadata has paid for */
    if (n < 0 || n > m->n_places - d->place)
        return dry_refuse(&d->judge, a->field, DRY_NO_ROW, "it claims %lld view buffers, the message has %lld left",
                          (long long)n, (long long)(m->n_places - d->place));
    if (!(a->variadic = dry_arena_take_array(d->arena, (size_t)n, sizeof *a->variadic)))
        return dry_refuse_no_memory(&d->judge);
    for (a->n_variadic = 0; a->n_variadic < n; a->n_variadic++)
        DRY_TRY(take_place(d, a->field, a->variadic + a->n_variadic));
    return DRY_OK;
}

static enum dry_status take_buffers(struct decoder *d, struct dry_array *a)
{
    if (a->field->layout == DRY_LAYOUT_NULL) a->null_count = a->length; /* some writers count them, some do not */
    for (int i = 0; i < dry_layout_buffers(a->field->layout); i++)
        DRY_TRY(take_buffer(d, i, a));
    return a->field->layout == DRY_LAYOUT_VIEW ? take_variadic(d, a) : DRY_OK;
}

/* ---- the tree ---- */
static enum dry_status decode_array(struct decoder *d, const struct dry_field *f, struct dry_array *out);

static enum dry_status decode_children(struct decoder *d, struct dry_array *a)
{
    const struct dry_field *f = a->field;
    int64_t left = d->message->n_nodes - d->node;
    if (left < f->n_children)
        return dry_refuse(&d->judge, f, DRY_NO_ROW, "it has %lld children, the message has %lld nodes left",
                          (long long)f->n_children, (long long)left);
    if (!(a->children = dry_arena_take_array(d->arena, (size_t)f->n_children, sizeof *a->children)))
        return dry_refuse_no_memory(&d->judge);
    for (int64_t i = 0; i < f->n_children; i++)
        DRY_TRY(decode_array(d, f->children + i, a->children + i));
    return dry_judge_lengths(&d->judge, a);
}

static enum dry_status find_dictionary(struct decoder *d, struct dry_array *a)
{
    a->dictionary = d->dictionaries[a->field->dictionary];
    DRY_ASSERT(!a->dictionary || a->dictionary->field == a->field->values);
    if (!a->dictionary && a->null_count < a->length)
        return dry_refuse(&d->judge, a->field, DRY_NO_ROW, "no dictionary came before it");
    return DRY_OK;
}

static enum dry_status decode_array(struct decoder *d, const struct dry_field *f, struct dry_array *out)
{
    DRY_TRY(take_node(d, f, out));
    DRY_TRY(take_buffers(d, out));
    if (f->n_children) DRY_TRY(decode_children(d, out));
    return f->values ? find_dictionary(d, out) : DRY_OK;
}

/* The root is a struct only in form: the message has its length, but neither a node nor a buffer for it. */
static enum dry_status decode_root(struct decoder *d, const struct dry_field *root, struct dry_array *out)
{
    *out = (struct dry_array){.field = root, .length = d->message->length};
    if (out->length < 0)
        return dry_refuse(&d->judge, root, DRY_NO_ROW, "the message claims %lld rows", (long long)out->length);
    DRY_TRY(decode_children(d, out));
    for (int64_t i = 0; i < root->n_children; i++)
        if (out->children[i].length != out->length)
            return dry_refuse(&d->judge, out->children[i].field, DRY_NO_ROW, "it has %lld rows, the message has %lld",
                              (long long)out->children[i].length, (long long)out->length);
    return DRY_OK;
}

enum dry_status dry_array_decode(const struct dry_schema *s, const struct dry_field *root,
                                 const struct dry_message *m, const uint8_t *body,
                                 struct dry_array *const *dictionaries, const char *where, struct dry_arena *arena,
                                 struct dry_array *out, struct dry_error *err)
{
    struct decoder d = {.judge = {.schema = s, .where = where, .bad = DRY_CORRUPT, .err = err},
                        .message = m,
                        .body = body,
                        .dictionaries = dictionaries,
                        .arena = arena};
    struct dry_array array;
    DRY_TRY(root == &s->root ? decode_root(&d, root, &array) : decode_array(&d, root, &array));
    if (root != &s->root && array.length != m->length)
        return dry_refuse(&d.judge, root, DRY_NO_ROW, "it has %lld values, the message has %lld",
                          (long long)array.length, (long long)m->length);
    if (d.node != m->n_nodes || d.place != m->n_places || d.variadic != m->n_variadic)
        return dry_refuse(&d.judge, root, DRY_NO_ROW,
                          "the message has %lld nodes, %lld buffers and %lld view counts more than the schema",
                          (long long)(m->n_nodes - d.node), (long long)(m->n_places - d.place),
                          (long long)(m->n_variadic - d.variadic));
    *out = array;
    return DRY_OK;
}

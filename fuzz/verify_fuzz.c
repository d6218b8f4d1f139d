/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Whatever a batch claims and whatever its body holds: decode, verify, export and import again end in an answer, read
 * nothing outside of the body, and agree with each other.
 *
 * An input is: the number of a schema; how many nodes, places and variadic counts there are; these; the rows; and the
 * rest is the body. A number is one byte below 240, or 240 and more followed by eight bytes.
 */
#include "../arrow/array_testing.h"

enum { SCHEMAS = 14 };

static struct ArrowSchema *columns(int i)
{
    switch (i) {
    case 0: return table_of(node("u", "a"));
    case 1: return with_child(table_of(node("U", "a")), node("z", "b"));
    case 2: return table_of(node("vu", "a"));
    case 3: return with_child(table_of(node("vz", "a")), node("b", "b"));
    case 4: return with_child(table_of(node("n", "a")), node("w:3", "b"));
    case 5: return table_of(with_child(node("+l", "a"), node("u", "item")));
    case 6: return table_of(with_child(node("+L", "a"), with_child(node("+l", "item"), node("c", "item"))));
    case 7: return table_of(with_child(node("+w:3", "a"), node("vu", "item")));
    case 8: return table_of(with_child(with_child(node("+s", "a"), node("n", "x")), node("Z", "y")));
    case 9: return table_of(map_of(node("u", "key"), node("i", "value"), "a"));
    case 10: return table_of(with_dictionary(node("c", "a"), node("u", "")));
    case 11:
        return with_child(table_of(with_dictionary(node("I", "a"), node("U", ""))),
                          with_dictionary(node("L", "b"), node("vu", "")));
    case 12:
        return table_of(with_dictionary(node("S", "a"), with_child(node("+l", ""), with_dictionary(node("l", "item"),
                                                                                                   node("b", "")))));
    default: return node_all_types();
    }
}

struct input {
    const uint8_t *data;
    size_t left;
};

static uint8_t take_byte(struct input *in)
{
    if (in->left == 0) return 0;
    in->left--;
    return *in->data++;
}

static int64_t take_number(struct input *in)
{
    uint64_t number = take_byte(in);
    if (number < 240) return (int64_t)number;
    number = 0;
    for (int i = 0; i < 8; i++)
        number |= (uint64_t)take_byte(in) << 8 * i;
    return (int64_t)number;
}

/* The same batch again and again: a fuzzer does not want to wait for its room to be cleared. */
static void take_batch(struct input *in, struct test_batch *b)
{
    b->n_nodes = take_byte(in);
    b->n_places = take_byte(in);
    b->n_variadic = take_byte(in);
    for (int64_t i = 0; i < b->n_nodes; i++) {
        b->nodes[i].length = take_number(in);
        b->nodes[i].null_count = take_number(in);
    }
    for (int64_t i = 0; i < b->n_places; i++) {
        b->places[i].offset = take_number(in);
        b->places[i].length = take_number(in);
    }
    for (int64_t i = 0; i < b->n_variadic; i++)
        b->variadic[i] = take_number(in);
}

/* Every byte that a consumer could copy after dry_array_check_ends. */
static unsigned touch(const struct dry_array *a)
{
    unsigned sum = 0;
    for (int i = 0; i < 3; i++)
        for (int64_t k = 0; k < a->buffers[i].len; k++)
            sum += a->buffers[i].data[k];
    for (int64_t i = 0; i < a->n_variadic; i++)
        for (int64_t k = 0; k < a->variadic[i].len; k++)
            sum += a->variadic[i].data[k];
    for (int64_t i = 0; i < a->field->n_children; i++)
        sum += touch(a->children + i);
    return sum;
}

static volatile unsigned touched;

/* The checks agree with each other, also on what has gone through the C data interface. That knows no sizes: what
 * leads outside may only be exported, not looked at. */
static void judge(struct test_table *t, const struct dry_array *a)
{
    struct ArrowArray out;
    struct dry_array back;
    touched = touch(a);
    enum dry_status ends = dry_array_check_ends(t->schema, a, "fuzz", &t->err);
    enum dry_status full = dry_array_verify(t->schema, a, "fuzz", &t->err);
    test_demand(full != DRY_OK || ends == DRY_OK, "verify includes the ends");
    if (a->field != &t->schema->root || dry_array_export(a, NULL, 0, NULL, &out) != DRY_OK) return;
    if (ends == DRY_OK) {
        test_demand(dry_array_import(t->schema, &out, &t->arena, &back, &t->err) == DRY_OK, t->err.text);
        test_demand(dry_array_verify(t->schema, &back, NULL, &t->err) == full,
                    "nothing is lost or healed on the way");
    }
    out.release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct test_table tables[SCHEMAS]; /* with their valid dictionaries */
    static struct test_batch batch;
    struct input in = {data, size};
    uint8_t which = take_byte(&in);
    struct test_table *t = tables + which % SCHEMAS;
    if (!t->schema) {
        test_open(t, columns(which % SCHEMAS));
        test_fill_table(t, 3, true);
    }
    struct dry_arena kept = t->arena;
    dry_arena_init(&t->arena, NULL);
    take_batch(&in, &batch);
    const struct dry_field *root = &t->schema->root;
    if (which >= 128 && t->schema->n_dictionaries)
        root = t->schema->dictionaries[which % t->schema->n_dictionaries].field->values;
    struct dry_message m = test_message(&batch, take_number(&in));
    m.body_bytes = (int64_t)in.left;
    uint8_t *room = malloc(in.left + 1), *body = room + 1; /* exactly as long, at an odd address */
    struct dry_array array;
    test_demand(room, "memory");
    memcpy(body, in.data, in.left);
    if (dry_array_decode(t->schema, root, &m, body, t->dictionaries, "fuzz", &t->arena, &array, &t->err) == DRY_OK)
        judge(t, &array);
    free(room);
    dry_arena_fini(&t->arena);
    t->arena = kept;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "array.h"
#include "arrow.h"
#include "schema_build.h"
#include "schema_testing.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

/* A table with one column, which the call takes over. */
static struct ArrowSchema *table_of(struct ArrowSchema *column)
{
    return with_child(with_flags(node("+s", ""), 0), column);
}

static struct dry_schema *import(const struct ArrowSchema *in)
{
    struct dry_schema *s = NULL;
    struct dry_error err = {0};
    if (dry_schema_import(in, NULL, &s, &err) != DRY_OK) fail_msg("%s", err.text);
    return s;
}

/* The column alone is refused with that status, and the words say all of `says` (which may be NULL). */
static void refused(struct ArrowSchema *column, enum dry_status status, const char *says)
{
    struct ArrowSchema *table = table_of(column);
    struct dry_schema *s = NULL;
    struct dry_error err = {0};
    assert_int_equal(dry_schema_import(table, NULL, &s, &err), status);
    assert_null(s);
    if (says && !strstr(err.text, says)) fail_msg("'%s' does not say '%s'", err.text, says);
    assert_null(strchr(err.text, '\n'));
    node_free(table);
}

static const struct {
    const char *format, *name;
} type_names[] = {
    {"n", "null"},
    {"b", "bool"},
    {"c", "int8"},
    {"C", "uint8"},
    {"s", "int16"},
    {"S", "uint16"},
    {"i", "int32"},
    {"I", "uint32"},
    {"l", "int64"},
    {"L", "uint64"},
    {"e", "float16"},
    {"f", "float32"},
    {"g", "float64"},
    {"u", "utf8"},
    {"U", "large_utf8"},
    {"z", "binary"},
    {"Z", "large_binary"},
    {"vu", "utf8_view"},
    {"vz", "binary_view"},
    {"w:16", "fixed_size_binary[16]"},
    {"w:0", "fixed_size_binary[0]"},
    {"w:268435455", "fixed_size_binary[268435455]"},
    {"tdD", "date32"},
    {"tdm", "date64"},
    {"tts", "time32[s]"},
    {"ttm", "time32[ms]"},
    {"ttu", "time64[us]"},
    {"ttn", "time64[ns]"},
    {"tss:", "timestamp[s]"},
    {"tsm:", "timestamp[ms]"},
    {"tsu:", "timestamp[us]"},
    {"tsn:", "timestamp[ns]"},
    {"tsu:Europe/Paris", "timestamp[us, Europe/Paris]"},
    {"tDs", "duration[s]"},
    {"tDm", "duration[ms]"},
    {"tDu", "duration[us]"},
    {"tDn", "duration[ns]"},
    {"tiM", "interval_months"},
    {"tiD", "interval_day_time"},
    {"tin", "interval_month_day_nano"},
    {"d:10,2", "decimal128(10, 2)"},
    {"d:10,2,128", "decimal128(10, 2)"},
    {"d:9,-4,32", "decimal32(9, -4)"},
    {"d:18,0,64", "decimal64(18, 0)"},
    {"d:76,76,256", "decimal256(76, 76)"},
    {"+s", "struct<>"},
};

static void every_type_has_a_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
        char name[64];
        struct ArrowSchema *column = node(type_names[i].format, "x");
        dry_type_name(column, name, sizeof name);
        assert_string_equal(name, type_names[i].name);
        node_free(column);
    }
}

static void nested_types_have_names(void **state)
{
    struct ArrowSchema *ints = with_child(node("+l", ""), node("i", "item"));
    struct ArrowSchema *pairs = with_child(with_child(node("+s", ""), node("u", "a")), with_flags(node("b", "b"), 0));
    struct ArrowSchema *map =
        with_flags(map_of(node("u", "key"), node("g", "value"), ""), ARROW_FLAG_MAP_KEYS_SORTED);
    struct {
        struct ArrowSchema *column;
        const char *name;
    } cases[] = {
        {with_child(node("+L", ""), ints), "large_list<: list<item: int32>>"},
        {with_child(node("+w:3", ""), pairs), "fixed_size_list<: struct<a: utf8, b: bool not null>>[3]"},
        {map, "map<utf8, float64, sorted>"},
        {with_dictionary(node("c", ""), node("u", "")), "dictionary<int8, utf8>"},
        {with_flags(with_dictionary(node("L", ""), node("tss:", "")), ARROW_FLAG_DICTIONARY_ORDERED),
         "dictionary<uint64, timestamp[s], ordered>"},
        {node("+ud:0,1", ""), "dense_union"},
        {node("what", ""), "unknown"},
        {node(NULL, ""), "unknown"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[96];
        dry_type_name(cases[i].column, name, sizeof name);
        assert_string_equal(name, cases[i].name);
        node_free(cases[i].column);
    }
}

static void names_are_cut_to_fit(void **state)
{
    struct ArrowSchema *column = node("tsu:\u00c9urope/Paris", "");
    static const char *const want[] = {NULL, "", "t", "ti", "...", "t...", "ti..."};
    char name[64];
    (void)state;
    for (size_t size = 0; size < sizeof name; size++) {
        memset(name, '#', sizeof name);
        dry_type_name(column, name, size);
        for (size_t i = size; i < sizeof name; i++) assert_int_equal(name[i], '#');
        if (size) assert_true(memchr(name, 0, size) != NULL);
        if (size && size < sizeof want / sizeof *want) assert_string_equal(name, want[size]);
        if (size) assert_true(dry_utf8_valid((const uint8_t *)name, strlen(name)));
    }
    assert_string_equal(name, "timestamp[us, \u00c9urope/Paris]");
    node_free(column);
}

static void import_and_export_are_inverse(void **state)
{
    struct ArrowSchema *in = node_all_types(), out, back;
    struct dry_schema *first = import(in);
    (void)state;
    assert_int_equal(dry_schema_export(first, &out), DRY_OK);
    assert_true(node_equal(in, &out));
    node_free(in);
    struct dry_schema *second = import(&out);
    assert_true(dry_schema_same(first, second));
    dry_schema_free(first);
    assert_int_equal(dry_schema_export(second, &back), DRY_OK);
    dry_schema_free(second);
    assert_true(node_equal(&out, &back)); /* both outlive their schemas */
    out.release(&out);
    assert_null(out.release);
    back.release(&back);
}

static void the_tree_describes_the_memory(void **state)
{
    struct ArrowSchema *in = node_all_types();
    struct dry_schema *s = import(in);
    (void)state;
    assert_int_equal(s->root.layout, DRY_LAYOUT_STRUCT);
    assert_int_equal(s->root.n_children, in->n_children);
    int64_t n_dictionaries = 0;
    for (int64_t i = 0; i < s->root.n_children; i++) {
        const struct dry_field *f = &s->root.children[i];
        assert_ptr_equal(f->parent, &s->root);
        assert_int_equal(f->nullable, strcmp(f->name, "not null") != 0 && strcmp(f->name, "ordered") != 0);
        assert_int_equal(f->values != NULL, f->dictionary >= 0);
        if (strcmp(f->name, "w:16") == 0) assert_int_equal(f->bits, 128);
        if (strcmp(f->name, "d:18,-3,64") == 0) assert_true(f->bits == 64 && f->precision == 18 && f->scale == -3);
        if (strcmp(f->name, "tsu:Europe/Paris") == 0) assert_string_equal(f->timezone, "Europe/Paris");
        if (strcmp(f->name, "vu") == 0) assert_true(f->layout == DRY_LAYOUT_VIEW && f->bits == 128);
        if (strcmp(f->name, "b") == 0) assert_true(f->layout == DRY_LAYOUT_FIXED && f->bits == 1);
        if (strcmp(f->name, "sorted") == 0) assert_true(f->keys_sorted && f->layout == DRY_LAYOUT_LIST32);
    }
    for (int32_t i = 0; i < s->n_dictionaries; i++, n_dictionaries++) {
        assert_int_equal(s->dictionaries[i].id, i);
        assert_int_equal(s->dictionaries[i].field->dictionary, i);
        assert_null(s->dictionaries[i].field->values->parent);
    }
    assert_int_equal(n_dictionaries, 12);
    dry_schema_free(s);
    node_free(in);
}

static void what_cannot_be_is_refused(void **state)
{
    static const char *const formats[] = {
        "", "x", "ii", "w", "w:", "w:-1", "w:1x", "w:1,", "w:99999999999", "w:268435456", "d:", "d:10", "d:10,",
        "d:10,2,", "d:10,2,128,", "d:10,2,16", "d:0,0", "d:39,0", "d:10,0,32", "d:19,0,64", "d:77,0,256", "d:-1,0",
        "d:1,--1", "ts", "tss", "tsx:", "tsu;UTC", "tt", "ttx", "tix", "tD", "+", "+x", "+w", "+w:", "+w:-1",
        "+w:1.5", "v", "vx", "\n\033[31m"
    };
    (void)state;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        bool list = strncmp(formats[i], "+w:", 3) == 0;
        struct ArrowSchema *column = node(formats[i], "here");
        refused(list ? with_child(column, node("i", "item")) : column, DRY_INVALID, "column 'here' ");
    }
    refused(node(NULL, "here"), DRY_INVALID, "no format");
    refused(node("tsu:\xc3", "zone"), DRY_INVALID, "column 'zone' has a timezone that is not UTF-8");
    refused(node("i", "\xff"), DRY_INVALID, "name that is not UTF-8");
    refused(with_child(node("i", "x"), node("i", "y")), DRY_INVALID, "children");
    refused(node("+l", "x"), DRY_INVALID, "column 'x' has 0 children; its type has 1");
    refused(with_child(with_child(node("+L", "x"), node("i", "a")), node("i", "b")), DRY_INVALID, "2 children");
    refused(with_child(node("+m", "x"), node("i", "entries")), DRY_INVALID, "map");
    refused(with_child(node("+m", "x"), with_child(node("+s", "entries"), node("i", "key"))), DRY_INVALID, "map");
    refused(with_dictionary(node("f", "x"), node("u", "")), DRY_INVALID, "indices that are not integers");
    refused(with_child(with_dictionary(node("i", "x"), node("u", "")), node("i", "y")), DRY_INVALID, "children");
    refused(with_dictionary(node("i", "x"), node("huh", "")), DRY_INVALID, "dictionary of column 'x' ");
}

static void what_is_missing_is_named(void **state)
{
    static const struct {
        const char *format, *name;
    } cases[] = {{"+ud:1,2", "dense_union"}, {"+us:1,2", "sparse_union"}, {"+r", "run_end_encoded"},
                 {"+vl", "list_view"}, {"+vL", "large_list_view"}};
    char want[80];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(want, sizeof want, "column 'a.b' has the type %s,", cases[i].name);
        refused(with_child(node("+s", "a"), node(cases[i].format, "b")), DRY_UNSUPPORTED, want);
    }
    refused(with_dictionary(node("i", "x"), with_dictionary(node("i", ""), node("u", ""))), DRY_UNSUPPORTED,
            "column 'x' has the type dictionary of dictionary-encoded values");
    refused(with_dictionary(node("i", "x"), with_child(node("+l", ""), node("+r", "item"))), DRY_UNSUPPORTED,
            "field 'item' in the dictionary of column 'x' has the type run_end_encoded");
}

static void broken_structs_are_refused(void **state)
{
    struct dry_schema *s = NULL;
    struct ArrowSchema *table = table_of(node("i", "x"));
    (void)state;
    table->n_children = -1;
    assert_int_equal(dry_schema_import(table, NULL, &s, NULL), DRY_INVALID);
    table->n_children = INT64_MAX;
    assert_int_equal(dry_schema_import(table, NULL, &s, NULL), DRY_UNSUPPORTED);
    table->n_children = 1;
    struct ArrowSchema **children = table->children, *child = children[0];
    table->children = NULL;
    assert_int_equal(dry_schema_import(table, NULL, &s, NULL), DRY_INVALID);
    table->children = children;
    children[0] = NULL;
    assert_int_equal(dry_schema_import(table, NULL, &s, NULL), DRY_INVALID);
    children[0] = child;
    child->release = NULL;
    assert_int_equal(dry_schema_import(table, NULL, &s, NULL), DRY_INVALID);
    child->release = node_release;
    table->format = "+l";
    assert_int_equal(dry_schema_import(table, NULL, &s, NULL), DRY_INVALID);
    table->format = NULL;
    assert_int_equal(dry_schema_import(table, NULL, &s, NULL), DRY_INVALID);
    table->release = NULL;
    assert_int_equal(dry_schema_import(table, NULL, &s, NULL), DRY_INVALID);
    table->release = node_release;
    node_free(table);
    assert_null(s);
}

static void broken_metadata_is_refused(void **state)
{
    (void)state;
    refused(with_metadata(node("i", "x"), "\xff\xff\xff\xff"), DRY_INVALID, "column 'x' has metadata of -1 pairs");
    refused(with_metadata(node("i", "x"), "\xff\xff\xff\x7f"), DRY_INVALID, "column 'x' has metadata of 2147483647 pairs");
    refused(with_metadata(node("i", "x"), "\1\0\0\0\xfe\xff\xff\xff"), DRY_INVALID, "-2 bytes");
    refused(with_metadata(node("i", "x"), "\1\0\0\0\1\0\0\0k\0\0\0\x80"), DRY_INVALID, "bytes");
    refused(with_metadata(node("i", "x"), "\1\0\0\0\xff\xff\xff\x7f"), DRY_TOO_BIG, "1 GiB");
}

static struct ArrowSchema *tower(int levels)
{
    struct ArrowSchema *s = node("i", "top");
    for (int i = 1; i < levels; i++) s = with_child(node("+l", "level"), s);
    return table_of(s);
}

static void depth_and_number_of_fields_are_bounded(void **state)
{
    struct dry_schema *s = NULL;
    struct dry_error err = {0};
    struct ArrowSchema *t = tower(DRY_DEPTH_MAX), out;
    (void)state;
    assert_int_equal(dry_schema_import(t, NULL, &s, &err), DRY_OK);
    assert_int_equal(dry_schema_export(s, &out), DRY_OK);
    assert_true(node_equal(t, &out));
    out.release(&out);
    dry_schema_free(s);
    node_free(t);
    s = NULL;
    t = tower(DRY_DEPTH_MAX + 1);
    assert_int_equal(dry_schema_import(t, NULL, &s, &err), DRY_UNSUPPORTED);
    assert_non_null(strstr(err.text, "nested deeper than 64 levels"));
    node_free(t);

    /* A wide node that is its own child many times over: depth alone would not stop it. */
    struct ArrowSchema loop = {.format = "+s", .release = node_release, .n_children = 4},
                       *self[] = {&loop, &loop, &loop, &loop};
    loop.children = self;
    assert_int_equal(dry_schema_import(&loop, NULL, &s, &err), DRY_UNSUPPORTED);
    struct ArrowSchema *many[1000], wide = loop, wider = loop, leaf = {.format = "i", .release = node_release};
    struct ArrowSchema *wides[1001];
    for (int i = 0; i < 1000; i++) many[i] = &leaf;
    for (int i = 0; i < 1001; i++) wides[i] = &wide;
    wide.n_children = 1000;
    wide.children = many;
    wider.n_children = 1001;
    wider.children = wides;
    assert_int_equal(dry_schema_import(&wider, NULL, &s, &err), DRY_UNSUPPORTED);
    assert_non_null(strstr(err.text, "has 1000 children, and the schema may have only "));
    assert_null(s);
}

/* ---- the life of an exported tree ---- */
static struct ArrowSchema exported(void)
{
    struct ArrowSchema *in = node_all_types(), out;
    struct dry_schema *s = import(in);
    assert_int_equal(dry_schema_export(s, &out), DRY_OK);
    dry_schema_free(s);
    node_free(in);
    return out;
}

static struct ArrowSchema move(struct ArrowSchema *from)
{
    struct ArrowSchema s = *from;
    from->release = NULL;
    return s;
}

static void moved_children_live_on(void **state)
{
    struct ArrowSchema *want = node_all_types(), tree = exported();
    int64_t last = tree.n_children - 2; /* the dictionary with a dictionary inside */
    int64_t at = 0;
    while (!tree.children[at]->metadata) at++;
    struct ArrowSchema id = move(tree.children[at]), nested = move(tree.children[last]);
    (void)state;
    tree.release(&tree);
    assert_true(node_equal(&id, want->children[at])); /* with its metadata */
    struct ArrowSchema values = move(nested.dictionary);
    nested.release(&nested);
    id.release(&id);
    assert_true(node_equal(&values, want->children[last]->dictionary));
    values.release(&values);
    node_free(want);
}

static void parents_outlive_children(void **state)
{
    struct ArrowSchema *want = node_all_types(), tree = exported();
    (void)state;
    struct ArrowSchema first = move(tree.children[0]);
    first.release(&first);
    tree.children[1]->release(tree.children[1]); /* without a move */
    assert_null(tree.children[1]->release);
    for (int64_t i = 2; i < tree.n_children; i++) assert_true(node_equal(tree.children[i], want->children[i]));
    tree.release(&tree);
    node_free(want);
}

static void foreign_children_are_released_too(void **state)
{
    struct ArrowSchema tree = exported(), *other = node("i", "other");
    (void)state;
    tree.children[0]->release(tree.children[0]);
    *tree.children[0] = *other;
    free(other);
    tree.release(&tree); /* the leak checker counts */
}

static void *release_on_another_thread(void *s)
{
    ((struct ArrowSchema *)s)->release(s);
    return NULL;
}

static void threads_may_share_a_tree(void **state)
{
    enum { N = 8 };
    struct ArrowSchema tree = exported(), moved[N];
    pthread_t threads[N];
    (void)state;
    for (int i = 0; i < N; i++) moved[i] = move(tree.children[tree.n_children - 1 - i]);
    for (int i = 0; i < N; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, release_on_another_thread, &moved[i]), 0);
    tree.release(&tree);
    for (int i = 0; i < N; i++) pthread_join(threads[i], NULL);
}

/* ---- labels, comparison, memory ---- */
static void labels_say_where(void **state)
{
    struct ArrowSchema *values = with_child(node("+l", ""), node("i", "item"));
    struct ArrowSchema *t =
        with_child(table_of(with_child(node("+s", "a"), node("u", "b\nc"))), with_dictionary(node("c", "d"), values));
    struct dry_schema *s = import(t);
    const struct dry_field *a = &s->root.children[0], *d = &s->root.children[1];
    char out[120];
    (void)state;
    assert_string_equal(dry_field_label(s, &a->children[0], out, sizeof out), "column 'a.b?c' (utf8)");
    assert_string_equal(dry_field_label(s, d, out, sizeof out), "column 'd' (dictionary<int8, list<item: int32>>)");
    assert_string_equal(dry_field_label(s, d->values, out, sizeof out),
                        "dictionary of column 'd' (list<item: int32>)");
    assert_string_equal(dry_field_label(s, d->values->children, out, sizeof out),
                        "field 'item' in the dictionary of column 'd' (int32)");
    assert_string_equal(dry_field_label(s, a, out, 12), "column '...");
    assert_memory_equal(dry_field_label(s, &s->root, out, sizeof out), "the table (struct<", 18);
    dry_schema_free(s);
    node_free(t);
}

static void schemas_differ_in_every_part(void **state)
{
    struct {
        struct ArrowSchema *a, *b;
    } cases[] = {
        {node("i", "x"), node("i", "y")},
        {node("i", "x"), node("I", "x")},
        {node("i", "x"), with_flags(node("i", "x"), 0)},
        {node("w:1", "x"), node("w:2", "x")},
        {node("tss:", "x"), node("tsm:", "x")},
        {node("tss:UTC", "x"), node("tss:", "x")},
        {node("d:10,2", "x"), node("d:11,2", "x")},
        {node("d:10,2", "x"), node("d:10,1", "x")},
        {with_child(node("+l", "x"), node("i", "a")), with_child(node("+l", "x"), node("i", "b"))},
        {with_child(node("+w:1", "x"), node("i", "a")), with_child(node("+w:2", "x"), node("i", "a"))},
        {node("+s", "x"), with_child(node("+s", "x"), node("i", "a"))},
        {node("i", "x"), with_dictionary(node("i", "x"), node("u", ""))},
        {with_dictionary(node("i", "x"), node("z", "")), with_dictionary(node("i", "x"), node("u", ""))},
        {with_dictionary(node("i", "x"), node("u", "")),
         with_flags(with_dictionary(node("i", "x"), node("u", "")),
                    ARROW_FLAG_NULLABLE | ARROW_FLAG_DICTIONARY_ORDERED)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ArrowSchema *ta = table_of(cases[i].a), *tb = table_of(cases[i].b);
        struct dry_schema *a = import(ta), *b = import(tb), *again = import(with_metadata(ta, ODD_METADATA));
        assert_false(dry_schema_same(a, b));
        assert_true(dry_schema_same(a, again));
        dry_schema_free(a);
        dry_schema_free(b);
        dry_schema_free(again);
        node_free(ta);
        node_free(tb);
    }
}

static void memory_may_run_out_anywhere(void **state)
{
    struct ArrowSchema *in = node_all_types(), out = {0};
    struct scarce memory;
    enum dry_status status = DRY_NOMEM;
    (void)state;
    for (long n = 0; status == DRY_NOMEM; n++) {
        struct dry_schema *s = NULL;
        scarce_init(&memory, n);
        status = dry_schema_import(in, &memory.allocator, &s, NULL);
        if (status == DRY_OK) {
            memory.left = 0;
            assert_int_equal(dry_schema_export(s, &out), DRY_NOMEM);
            assert_null(out.release);
            memory.left = 1;
            assert_int_equal(dry_schema_export(s, &out), DRY_OK);
            out.release(&out);
            dry_schema_free(s);
            assert_true(n > 2);
        } else {
            assert_null(s);
        }
        assert_int_equal(memory.live, 0);
    }
    assert_int_equal(status, DRY_OK);
    node_free(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_a_name),
        cmocka_unit_test(nested_types_have_names),
        cmocka_unit_test(names_are_cut_to_fit),
        cmocka_unit_test(import_and_export_are_inverse),
        cmocka_unit_test(the_tree_describes_the_memory),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(what_is_missing_is_named),
        cmocka_unit_test(broken_structs_are_refused),
        cmocka_unit_test(broken_metadata_is_refused),
        cmocka_unit_test(depth_and_number_of_fields_are_bounded),
        cmocka_unit_test(moved_children_live_on),
        cmocka_unit_test(parents_outlive_children),
        cmocka_unit_test(foreign_children_are_released_too),
        cmocka_unit_test(threads_may_share_a_tree),
        cmocka_unit_test(labels_say_where),
        cmocka_unit_test(schemas_differ_in_every_part),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

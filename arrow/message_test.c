/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "message_golden.h"
#include "message_testing.h"
#include "schema_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define LEN(array) (sizeof(array) / sizeof *(array))

static struct dry_schema *import(const struct ArrowSchema *in)
{
    struct dry_schema *s = NULL;
    struct dry_error err = {0};
    if (dry_schema_import(in, NULL, &s, &err) != DRY_OK) fail_msg("%s", err.text);
    return s;
}

static struct dry_schema *all_types(void)
{
    struct ArrowSchema *tree = node_all_types();
    struct dry_schema *s = import(tree);
    node_free(tree);
    return s;
}

static struct dry_schema *read_schema(const uint8_t *bytes, uint32_t n)
{
    struct dry_message m;
    struct dry_arena arena;
    struct dry_schema *s = NULL;
    struct dry_error err = {0};
    dry_arena_init(&arena, NULL);
    if (dry_message_decode(bytes, n, &arena, &m, &err) != DRY_OK) fail_msg("%s", err.text);
    assert_int_equal(m.kind, DRY_MESSAGE_SCHEMA);
    if (dry_message_schema(bytes, n, &m, NULL, &s, &err) != DRY_OK) fail_msg("%s", err.text);
    dry_arena_fini(&arena);
    return s;
}

/* The schema's ArrowSchema is like `want`, which the call takes over. */
static void assert_tree(const struct dry_schema *s, struct ArrowSchema *want)
{
    struct ArrowSchema tree;
    assert_int_equal(dry_schema_export(s, &tree), DRY_OK);
    assert_true(node_equal(&tree, want));
    tree.release(&tree);
    node_free(want);
}

/* ---- what drystone writes ---- */
static void every_type_goes_through_ipc(void **state)
{
    struct dry_schema *s = all_types();
    struct dry_bytes out;
    uint32_t n;
    (void)state;
    dry_bytes_init(&out, NULL);
    assert_int_equal(dry_message_write_schema(s, 8, &out), DRY_OK);
    const uint8_t *flat = flatbuffer(&out, &n);
    struct dry_schema *back = read_schema(flat, n);
    assert_true(dry_schema_same(s, back));
    assert_tree(back, node_all_types());
    for (int32_t i = 0; i < s->n_dictionaries; i++) assert_int_equal(back->dictionaries[i].id, s->dictionaries[i].id);
    dry_schema_free(s);
    dry_schema_free(back);
    dry_bytes_fini(&out);
}

static void assert_encapsulated(const struct dry_bytes *out, uint64_t at)
{
    uint32_t prefix[2];
    memcpy(prefix, out->data, sizeof prefix);
    assert_int_equal(prefix[0], 0xffffffff);
    assert_int_equal(prefix[1], out->len - 8);
    assert_int_equal((at + out->len) % 64, 0);
    assert_int_equal((uintptr_t)out->data % 64, 0);
}

static void what_follows_a_message_is_aligned(void **state)
{
    struct ArrowSchema *table = with_child(node("+s", ""), node("i", "x"));
    struct dry_schema *s = import(table);
    struct dry_node nodes[] = {{3, 1}};
    struct dry_place places[] = {{0, 1}, {64, 12}};
    struct dry_message m = {.kind = DRY_MESSAGE_BATCH, .body_bytes = 128, .length = 3, .n_nodes = 1, .n_places = 2,
                            .nodes = nodes, .places = places};
    struct dry_bytes out;
    (void)state;
    dry_bytes_init(&out, NULL);
    for (uint64_t at = 0; at <= 128; at += 8) {
        assert_int_equal(dry_message_write_schema(s, at, &out), DRY_OK);
        assert_encapsulated(&out, at);
        assert_int_equal(dry_message_write_batch(&m, at, &out), DRY_OK);
        assert_encapsulated(&out, at);
    }
    dry_bytes_fini(&out);
    assert_null(out.data);
    dry_schema_free(s);
    node_free(table);
}

static void batches_and_dictionaries_go_through(void **state)
{
    struct dry_node nodes[] = {{5, 0}, {INT64_MAX, INT64_MAX}};
    struct dry_place places[] = {{0, 0}, {64, INT64_MAX}, {INT64_MAX, 7}};
    int64_t variadic[] = {0, 2};
    struct dry_message cases[] = {
        {.kind = DRY_MESSAGE_BATCH},
        {.kind = DRY_MESSAGE_BATCH,
         .body_bytes = INT64_MAX,
         .length = INT64_MAX,
         .n_nodes = 2,
         .n_places = 3,
         .n_variadic = 2,
         .nodes = nodes,
         .places = places,
         .variadic = variadic},
        {.kind = DRY_MESSAGE_DICTIONARY, .length = 1, .n_nodes = 1, .nodes = nodes, .dictionary_id = -1},
        {.kind = DRY_MESSAGE_DICTIONARY,
         .n_places = 1,
         .places = places,
         .dictionary_id = INT64_MAX,
         .is_delta = true},
    };
    (void)state;
    for (size_t i = 0; i < LEN(cases); i++) demand_batch_lives(&cases[i]);
}

static void footers_go_through(void **state)
{
    struct dry_block blocks[] = {{64, 192, 256}, {INT64_MAX, INT32_MAX, INT64_MAX}, {0, 1, 0}};
    struct dry_footer f = {.schema = all_types(), .n_dictionaries = 1, .dictionaries = blocks, .n_batches = 3,
                           .batches = blocks, .metadata = ODD_METADATA}, back;
    struct dry_bytes out;
    uint32_t n;
    (void)state;
    dry_bytes_init(&out, NULL);
    for (int pass = 0; pass < 2; pass++) {
        assert_int_equal(dry_footer_write(&f, &out), DRY_OK);
        memcpy(&n, out.data + out.len - 10, sizeof n);
        assert_int_equal(n, out.len - 10);
        assert_memory_equal(out.data + out.len - 6, "ARROW1", 6);
        assert_int_equal(dry_footer_decode(out.data, n, NULL, &back, NULL), DRY_OK);
        assert_true(footers_equal(&f, &back));
        dry_schema_free(back.schema);
        f.n_dictionaries = f.n_batches = 0;
        f.metadata = NULL;
    }
    dry_schema_free(f.schema);
    dry_bytes_fini(&out);
}

/* ---- what others write ---- */
static void a_schema_of_pyarrow_is_read(void **state)
{
    struct dry_schema *s = read_schema(pyarrow_schema, sizeof pyarrow_schema);
    struct ArrowSchema *want = with_metadata(with_flags(node("+s", ""), 0), "\1\0\0\0\1\0\0\0k\1\0\0\0v");
    (void)state;
    with_child(want, with_flags(node("l", "n"), 0));
    with_child(want, node("tsu:Europe/Paris", "when"));
    with_child(want, with_flags(with_dictionary(node("c", "d"), node("u", "")),
                                ARROW_FLAG_NULLABLE | ARROW_FLAG_DICTIONARY_ORDERED));
    with_child(want, with_child(node("+l", "l"), node("d:10,-2", "item")));
    with_child(want, map_of(node("u", "key"), node("tts", "value"), "m"));
    with_child(want, with_metadata(node("w:16", "id"), EXTENSION_METADATA));
    with_child(want, node("vu", "v"));
    assert_tree(s, want);
    dry_schema_free(s);
}

static void a_schema_of_nanoarrow_is_read(void **state)
{
    struct dry_schema *s = read_schema(nanoarrow_schema, sizeof nanoarrow_schema);
    struct ArrowSchema *want = with_flags(node("+s", ""), 0);
    (void)state;
    assert_tree(s, with_child(with_child(want, node("g", "a")), with_child(node("+s", "b"), node("b", "c"))));
    dry_schema_free(s);
}

static void a_schema_of_version_4_is_read(void **state)
{
    struct dry_schema *s = read_schema(pyarrow_v4, sizeof pyarrow_v4);
    (void)state;
    assert_tree(s, with_child(with_flags(node("+s", ""), 0), node("i", "x")));
    dry_schema_free(s);
}

static void batches_of_others_are_read(void **state)
{
    static const struct {
        const uint8_t *bytes;
        uint32_t n;
        enum dry_message_kind kind;
        enum dry_codec codec;
        bool is_delta;
        int64_t length, nulls, n_places, n_variadic;
    } cases[] = {
        {pyarrow_batch, sizeof pyarrow_batch, DRY_MESSAGE_BATCH, DRY_CODEC_NONE, false, 2, 1, 2, 0},
        {pyarrow_dictionary, sizeof pyarrow_dictionary, DRY_MESSAGE_DICTIONARY, DRY_CODEC_NONE, false, 1, 0, 3, 0},
        {pyarrow_delta, sizeof pyarrow_delta, DRY_MESSAGE_DICTIONARY, DRY_CODEC_NONE, true, 1, 0, 3, 0},
        {pyarrow_zstd, sizeof pyarrow_zstd, DRY_MESSAGE_BATCH, DRY_CODEC_ZSTD, false, 1000, 0, 2, 0},
        {polars_batch, sizeof polars_batch, DRY_MESSAGE_BATCH, DRY_CODEC_NONE, false, 2, 0, 3, 1},
    };
    (void)state;
    for (size_t i = 0; i < LEN(cases); i++) {
        struct dry_arena arena;
        struct dry_message m;
        dry_arena_init(&arena, NULL);
        assert_int_equal(dry_message_decode(cases[i].bytes, cases[i].n, &arena, &m, NULL), DRY_OK);
        assert_int_equal(m.kind, cases[i].kind);
        assert_int_equal(m.codec, cases[i].codec);
        assert_int_equal(m.is_delta, cases[i].is_delta);
        assert_int_equal(m.dictionary_id, 0);
        assert_int_equal(m.length, cases[i].length);
        assert_int_equal(m.n_nodes, 1);
        assert_int_equal(m.nodes[0].length, cases[i].length);
        assert_int_equal(m.nodes[0].null_count, cases[i].nulls);
        assert_int_equal(m.n_places, cases[i].n_places);
        assert_int_equal(m.n_variadic, cases[i].n_variadic);
        assert_true(m.places[m.n_places - 1].offset + m.places[m.n_places - 1].length <= m.body_bytes);
        if (m.n_variadic) assert_int_equal(m.variadic[0], 1);
        dry_arena_fini(&arena);
    }
}

static void footers_of_others_are_read(void **state)
{
    struct dry_footer f;
    (void)state;
    assert_int_equal(dry_footer_decode(pyarrow_footer, sizeof pyarrow_footer, NULL, &f, NULL), DRY_OK);
    assert_int_equal(f.n_dictionaries, 1);
    assert_int_equal(f.n_batches, 2);
    assert_true(f.batches[0].offset + f.batches[0].metadata_bytes + f.batches[0].body_bytes == f.batches[1].offset);
    assert_null(f.metadata);
    struct ArrowSchema *want = with_child(with_flags(node("+s", ""), 0), node("i", "x"));
    assert_tree(f.schema, with_child(want, with_dictionary(node("i", "d"), node("u", ""))));
    dry_schema_free(f.schema);
    assert_int_equal(dry_footer_decode(polars_footer, sizeof polars_footer, NULL, &f, NULL), DRY_OK);
    assert_int_equal(f.n_dictionaries, 1);
    assert_int_equal(f.n_batches, 1);
    assert_int_equal(f.schema->root.n_children, 2);
    assert_int_equal(f.schema->root.children[0].type, DRY_TYPE_UTF8_VIEW);
    assert_int_equal(f.schema->root.children[1].values->type, DRY_TYPE_UTF8_VIEW);
    dry_schema_free(f.schema);
}

/* ---- what is damaged ---- */
typedef enum dry_status attempt(const uint8_t *bytes, uint32_t n);

/* Every length, then every bit: each attempt ends in a status. Returns how many were accepted. */
static int damage(const uint8_t *bytes, uint32_t n, attempt *try)
{
    int accepted = 0;
    assert_int_equal(try(bytes, n), DRY_OK);
    for (uint32_t len = 0; len < n; len++) {
        uint8_t *copy = malloc(len ? len : 1);
        if (!copy) abort();
        memcpy(copy, bytes, len);
        accepted += try(copy, len) == DRY_OK;
        free(copy);
    }
    uint8_t *copy = malloc(n);
    if (!copy) abort();
    memcpy(copy, bytes, n);
    for (uint32_t i = 0; i < 8 * n; i++) {
        copy[i / 8] ^= (uint8_t)(1 << i % 8);
        accepted += try(copy, n) == DRY_OK;
        copy[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    free(copy);
    return accepted;
}

static void damaged_metadata_ends_in_a_status(void **state)
{
    static const struct {
        const uint8_t *bytes;
        uint32_t n;
        attempt *try;
    } cases[] = {
        {pyarrow_schema, sizeof pyarrow_schema, try_message}, {pyarrow_delta, sizeof pyarrow_delta, try_message},
        {pyarrow_zstd, sizeof pyarrow_zstd, try_message},     {pyarrow_footer, sizeof pyarrow_footer, try_footer},
        {polars_batch, sizeof polars_batch, try_message},     {polars_footer, sizeof polars_footer, try_footer},
    };
    (void)state;
    for (size_t i = 0; i < LEN(cases); i++) {
        int accepted = damage(cases[i].bytes, cases[i].n, cases[i].try);
        assert_in_range(accepted, 1, 8 * cases[i].n); /* names and numbers may change; most of the rest may not */
    }
}

static void own_metadata_may_be_damaged_too(void **state)
{
    struct ArrowSchema *map = map_of(node("u", "k"), with_dictionary(node("c", "v"), node("vu", "")), "m");
    struct ArrowSchema *table =
        with_metadata(with_child(with_child(node("+s", ""), map), node("tsu:UTC", "t")), ODD_METADATA);
    struct dry_block block = {64, 192, 256};
    struct dry_footer f = {.schema = import(table), .n_dictionaries = 1, .dictionaries = &block, .n_batches = 1,
                           .batches = &block, .metadata = EXTENSION_METADATA};
    struct dry_bytes out;
    uint32_t n;
    (void)state;
    dry_bytes_init(&out, NULL);
    assert_int_equal(dry_footer_write(&f, &out), DRY_OK);
    damage(out.data, (uint32_t)out.len - 10, try_footer);
    assert_int_equal(dry_message_write_schema(f.schema, 0, &out), DRY_OK);
    const uint8_t *flat = flatbuffer(&out, &n);
    damage(flat, n, try_message);
    dry_bytes_fini(&out);
    dry_schema_free(f.schema);
    node_free(table);
}

static void memory_may_run_out_anywhere(void **state)
{
    struct ArrowSchema *table = node_all_types();
    struct dry_block block = {64, 192, 256};
    struct dry_footer f = {.schema = import(table), .n_batches = 1, .batches = &block, .n_dictionaries = 1,
                           .dictionaries = &block, .metadata = ODD_METADATA}, back;
    struct scarce memory;
    struct dry_bytes out;
    enum dry_status status = DRY_NOMEM;
    (void)state;
    for (long n = 0; status == DRY_NOMEM; n++) {
        scarce_init(&memory, n);
        dry_bytes_init(&out, &memory.allocator);
        status = dry_footer_write(&f, &out);
        if (status == DRY_NOMEM) dry_bytes_fini(&out);
        if (status == DRY_NOMEM) assert_int_equal(memory.live, 0);
    }
    assert_int_equal(status, DRY_OK);
    struct scarce other;
    status = DRY_NOMEM;
    for (long n = 0; status == DRY_NOMEM; n++) {
        scarce_init(&other, n);
        struct dry_error err = {0};
        status = dry_footer_decode(out.data, (uint32_t)out.len - 10, &other.allocator, &back, &err);
        if (status == DRY_NOMEM) assert_non_null(strstr(err.text, "no memory"));
        if (status == DRY_NOMEM) assert_int_equal(other.live, 0);
    }
    assert_int_equal(status, DRY_OK);
    assert_true(footers_equal(&f, &back));
    dry_schema_free(back.schema);
    dry_schema_free(f.schema);
    dry_bytes_fini(&out);
    node_free(table);
    assert_int_equal(memory.live + other.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_goes_through_ipc),
        cmocka_unit_test(what_follows_a_message_is_aligned),
        cmocka_unit_test(batches_and_dictionaries_go_through),
        cmocka_unit_test(footers_go_through),
        cmocka_unit_test(a_schema_of_pyarrow_is_read),
        cmocka_unit_test(a_schema_of_nanoarrow_is_read),
        cmocka_unit_test(a_schema_of_version_4_is_read),
        cmocka_unit_test(batches_of_others_are_read),
        cmocka_unit_test(footers_of_others_are_read),
        cmocka_unit_test(damaged_metadata_ends_in_a_status),
        cmocka_unit_test(own_metadata_may_be_damaged_too),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

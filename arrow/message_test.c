/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "fbs.h"
#include "flat.h"
#include "message_golden.h"
#include "message_testing.h"
#include "schema_build.h"
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
        {.kind = DRY_MESSAGE_BATCH, .body_bytes = INT64_MAX, .length = INT64_MAX, .n_nodes = 2, .n_places = 3,
         .n_variadic = 2, .nodes = nodes, .places = places, .variadic = variadic},
        {.kind = DRY_MESSAGE_DICTIONARY, .length = 1, .n_nodes = 1, .nodes = nodes, .dictionary_id = -1},
        {.kind = DRY_MESSAGE_DICTIONARY, .n_places = 1, .places = places, .dictionary_id = INT64_MAX, .is_delta = true},
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
    struct ArrowSchema *table = with_metadata(with_child(with_child(node("+s", ""), map), node("tsu:UTC", "t")), ODD_METADATA);
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

/* ---- what is hostile: metadata put together by hand ---- */
struct craft {
    struct dry_bytes out;
    struct dry_flat_writer w;
    uint32_t header; /* the reference to the header; in a schema, to the vector of fields */
};

static void craft_message(struct craft *c, int version, int kind, int64_t body_bytes)
{
    struct dry_flat_slot message[] = {
        dry_flat_scalar(FBS_MESSAGE_VERSION, 2, version),
        dry_flat_scalar(FBS_MESSAGE_HEADER_KIND, 1, kind),
        dry_flat_ref(FBS_MESSAGE_HEADER),
        dry_flat_scalar(FBS_MESSAGE_BODY_LENGTH, 8, body_bytes),
    };
    dry_bytes_init(&c->out, NULL);
    c->w = dry_flat_begin(&c->out);
    dry_flat_put_table(&c->w, 0, message, LEN(message));
    c->header = message[2].at;
}

static void craft_schema(struct craft *c)
{
    struct dry_flat_slot schema[] = {dry_flat_ref(FBS_SCHEMA_FIELDS)};
    craft_message(c, FBS_V5, FBS_HEADER_SCHEMA, 0);
    dry_flat_put_table(&c->w, c->header, schema, 1);
    c->header = schema[0].at;
}

/* A field without a name; returns the reference to its children. */
static uint32_t craft_field(struct craft *c, uint32_t from, uint8_t kind)
{
    struct dry_flat_slot field[] = {
        dry_flat_scalar(FBS_FIELD_TYPE_KIND, 1, kind),
        dry_flat_ref(FBS_FIELD_TYPE),
        dry_flat_ref(FBS_FIELD_CHILDREN),
    };
    dry_flat_put_table(&c->w, from, field, LEN(field));
    dry_flat_put_table(&c->w, field[1].at, NULL, 0);
    return field[2].at;
}

static uint32_t target(const struct craft *c, uint32_t from)
{
    uint32_t step;
    memcpy(&step, c->out.data + from, sizeof step);
    return from + step;
}

static void link_to(struct craft *c, uint32_t from, uint32_t to)
{
    uint32_t step = to - from;
    memcpy(c->out.data + from, &step, sizeof step);
}

static void craft_refused(struct craft *c, enum dry_status status, const char *says)
{
    struct dry_error err = {0};
    struct dry_arena arena;
    struct dry_message m;
    struct dry_schema *s = NULL;
    dry_arena_init(&arena, NULL);
    assert_int_equal(c->w.status, DRY_OK);
    uint32_t n = (uint32_t)c->out.len;
    enum dry_status got = dry_message_decode(c->out.data, n, &arena, &m, &err);
    if (got == DRY_OK && m.kind == DRY_MESSAGE_SCHEMA) got = dry_message_schema(c->out.data, n, &m, NULL, &s, &err);
    if (got != status || !strstr(err.text, says)) fail_msg("%s: '%s' does not say '%s'", dry_status_name(got), err.text, says);
    assert_null(s);
    dry_arena_fini(&arena);
    dry_bytes_fini(&c->out);
}

static void shared_tables_do_not_multiply(void **state)
{
    struct craft c;
    (void)state;
    craft_schema(&c);
    uint32_t fields = dry_flat_put_refs(&c.w, c.header, 1);
    for (int i = 0; i < 40; i++) { /* 40 levels, each named twice: 2^40 fields to who follows blindly */
        uint32_t children = craft_field(&c, fields, FBS_TYPE_STRUCT);
        if (i) link_to(&c, fields + 4, target(&c, fields));
        fields = dry_flat_put_refs(&c.w, children, 2);
    }
    craft_field(&c, fields, FBS_TYPE_NULL);
    link_to(&c, fields + 4, target(&c, fields));
    craft_refused(&c, DRY_CORRUPT, "more than a schema of this size can have");
}

static void deep_nesting_is_refused(void **state)
{
    struct craft c;
    (void)state;
    craft_schema(&c);
    uint32_t fields = dry_flat_put_refs(&c.w, c.header, 1);
    for (int i = 0; i < 10000; i++) fields = dry_flat_put_refs(&c.w, craft_field(&c, fields, FBS_TYPE_LIST), 1);
    craft_field(&c, fields, FBS_TYPE_NULL);
    craft_refused(&c, DRY_UNSUPPORTED, "is nested deeper than 64 levels");
}

static void shared_texts_do_not_multiply(void **state)
{
    enum { FIELDS = 1000, LETTERS = 10000 };
    struct craft c;
    char *text = malloc(LETTERS);
    (void)state;
    if (!text) abort();
    memset(text, 'x', LETTERS);
    craft_schema(&c);
    uint32_t refs = dry_flat_put_refs(&c.w, c.header, FIELDS), names[FIELDS];
    for (uint32_t i = 0; i < FIELDS; i++) {
        struct dry_flat_slot field[] = {dry_flat_ref(FBS_FIELD_NAME), dry_flat_scalar(FBS_FIELD_TYPE_KIND, 1, FBS_TYPE_NULL),
                                        dry_flat_ref(FBS_FIELD_TYPE)};
        dry_flat_put_table(&c.w, refs + 4 * i, field, LEN(field));
        dry_flat_put_table(&c.w, field[2].at, NULL, 0);
        names[i] = field[0].at;
    }
    dry_flat_put_text(&c.w, names[0], text, LETTERS);
    for (int i = 1; i < FIELDS; i++) link_to(&c, names[i], target(&c, names[0]));
    free(text);
    craft_refused(&c, DRY_CORRUPT, "repeat the same bytes");
}

static void shared_metadata_does_not_multiply(void **state)
{
    enum { FIELDS = 1000, PAIRS = 1000 };
    struct craft c;
    (void)state;
    craft_schema(&c);
    uint32_t refs = dry_flat_put_refs(&c.w, c.header, FIELDS), all[FIELDS];
    for (uint32_t i = 0; i < FIELDS; i++) {
        struct dry_flat_slot field[] = {dry_flat_scalar(FBS_FIELD_TYPE_KIND, 1, FBS_TYPE_NULL), dry_flat_ref(FBS_FIELD_TYPE),
                                        dry_flat_ref(FBS_FIELD_METADATA)};
        dry_flat_put_table(&c.w, refs + 4 * i, field, LEN(field));
        dry_flat_put_table(&c.w, field[1].at, NULL, 0);
        all[i] = field[2].at;
    }
    uint32_t pairs = dry_flat_put_refs(&c.w, all[0], PAIRS);
    dry_flat_put_table(&c.w, pairs, NULL, 0);
    for (uint32_t i = 1; i < PAIRS; i++) link_to(&c, pairs + 4 * i, target(&c, pairs));
    for (int i = 1; i < FIELDS; i++) link_to(&c, all[i], target(&c, all[0]));
    craft_refused(&c, DRY_CORRUPT, "repeats the same bytes");
}

static void counts_are_held_against_the_bytes(void **state)
{
    struct craft c;
    static const uint32_t huge[] = {0xffffffff, 0x80000000, 0x40000000, 0x3fffffff, 1000};
    (void)state;
    for (size_t i = 0; i < LEN(huge); i++) {
        craft_schema(&c);
        uint32_t refs = dry_flat_put_refs(&c.w, c.header, 1);
        craft_field(&c, refs, FBS_TYPE_NULL);
        memcpy(c.out.data + refs - 4, &huge[i], sizeof huge[i]);
        craft_refused(&c, DRY_CORRUPT, "a vector is longer than what is left");
    }
}

static void what_is_no_batch_or_schema_is_refused(void **state)
{
    struct craft c;
    (void)state;
    static const struct {
        int version, kind;
        int64_t body_bytes;
        enum dry_status status;
        const char *says;
    } cases[] = {
        {2, FBS_HEADER_SCHEMA, 0, DRY_UNSUPPORTED, "version V3"},
        {5, FBS_HEADER_SCHEMA, 0, DRY_UNSUPPORTED, "version V6"},
        {-1, FBS_HEADER_SCHEMA, 0, DRY_UNSUPPORTED, "version V0"},
        {FBS_V5, 4, 0, DRY_UNSUPPORTED, "neither a schema nor a batch (kind 4)"},
        {FBS_V5, FBS_HEADER_NONE, 0, DRY_UNSUPPORTED, "kind 0"},
        {FBS_V5, FBS_HEADER_BATCH, -1, DRY_CORRUPT, "the body has -1 bytes"},
        {FBS_V5, FBS_HEADER_DICTIONARY, 0, DRY_CORRUPT, "no RecordBatch"},
    };
    for (size_t i = 0; i < LEN(cases); i++) {
        craft_message(&c, cases[i].version, cases[i].kind, cases[i].body_bytes);
        dry_flat_put_table(&c.w, c.header, NULL, 0);
        craft_refused(&c, cases[i].status, cases[i].says);
    }
    craft_message(&c, FBS_V5, FBS_HEADER_SCHEMA, 0);
    craft_refused(&c, DRY_CORRUPT, "a reference leads outside");
}

static void big_endian_data_is_refused(void **state)
{
    struct dry_flat_slot schema[] = {dry_flat_scalar(FBS_SCHEMA_ENDIANNESS, 2, 1)};
    struct craft c;
    (void)state;
    craft_message(&c, FBS_V5, FBS_HEADER_SCHEMA, 0);
    dry_flat_put_table(&c.w, c.header, schema, 1);
    craft_refused(&c, DRY_UNSUPPORTED, "big-endian");
}

static void numbers_of_a_batch_are_checked(void **state)
{
    static const struct {
        struct dry_node node;
        struct dry_place place;
        int64_t variadic, length;
        const char *says;
    } cases[] = {
        {{0, 0}, {0, 0}, 0, -1, "the batch has -1 rows"},       {{-1, 0}, {0, 0}, 0, 0, "array 0 has -1 values"},
        {{1, -1}, {0, 0}, 0, 0, "array 0 has 1 values and -1"}, {{1, 2}, {0, 0}, 0, 0, "array 0 has 1 values and 2 nulls"},
        {{0, 0}, {-8, 0}, 0, 0, "buffer 0 has 0 bytes at -8"},  {{0, 0}, {0, -1}, 0, 0, "buffer 0 has -1 bytes"},
        {{0, 0}, {0, 0}, -1, 0, "-1 data buffers"},             {{0, 0}, {0, 0}, 2, 0, "2 data buffers"},
    };
    (void)state;
    for (size_t i = 0; i < LEN(cases); i++) {
        struct dry_node node = cases[i].node;
        struct dry_place place = cases[i].place;
        int64_t variadic = cases[i].variadic;
        struct dry_message m = {.kind = DRY_MESSAGE_BATCH, .length = cases[i].length, .n_nodes = 1, .nodes = &node,
                                .n_places = 1, .places = &place, .n_variadic = 1, .variadic = &variadic};
        struct dry_bytes out;
        struct dry_arena arena;
        struct dry_error err = {0};
        uint32_t n;
        dry_bytes_init(&out, NULL);
        dry_arena_init(&arena, NULL);
        assert_int_equal(dry_message_write_batch(&m, 0, &out), DRY_OK);
        const uint8_t *flat = flatbuffer(&out, &n);
        m.length = 77;
        assert_int_equal(dry_message_decode(flat, n, &arena, &m, &err), DRY_CORRUPT);
        assert_non_null(strstr(err.text, cases[i].says));
        assert_int_equal(m.length, 77);
        dry_arena_fini(&arena);
        dry_bytes_fini(&out);
    }
}

static void unknown_compression_is_refused(void **state)
{
    static const int cases[][2] = {{2, 0}, {-1, 0}, {0, 1}};
    struct craft c;
    (void)state;
    for (size_t i = 0; i < LEN(cases); i++) {
        struct dry_flat_slot batch[] = {dry_flat_ref(FBS_BATCH_COMPRESSION)};
        struct dry_flat_slot codec[] = {dry_flat_scalar(FBS_COMPRESSION_CODEC, 1, cases[i][0]),
                                        dry_flat_scalar(FBS_COMPRESSION_METHOD, 1, cases[i][1])};
        craft_message(&c, FBS_V5, FBS_HEADER_BATCH, 0);
        dry_flat_put_table(&c.w, c.header, batch, 1);
        dry_flat_put_table(&c.w, batch[0].at, codec, 2);
        craft_refused(&c, DRY_UNSUPPORTED, "compressed in an unknown way");
    }
}

static void compression_of_arrow_0_17_is_noticed(void **state)
{
    static const char metadata[] = "\1\0\0\0\x1e\0\0\0ARROW:experimental_compression\4\0\0\0zstd";
    struct dry_flat_slot message[] = {
        dry_flat_scalar(FBS_MESSAGE_VERSION, 2, FBS_V4),
        dry_flat_scalar(FBS_MESSAGE_HEADER_KIND, 1, FBS_HEADER_BATCH),
        dry_flat_ref(FBS_MESSAGE_HEADER),
        dry_flat_ref(FBS_MESSAGE_METADATA),
    };
    struct craft c;
    (void)state;
    dry_bytes_init(&c.out, NULL);
    c.w = dry_flat_begin(&c.out);
    dry_flat_put_table(&c.w, 0, message, LEN(message));
    dry_flat_put_table(&c.w, message[2].at, NULL, 0);
    dry_metadata_write(metadata, &c.w, message[3].at);
    craft_refused(&c, DRY_UNSUPPORTED, "in the manner of Arrow 0.17");
}

static void columns_share_a_dictionary_of_one_type_only(void **state)
{
    static const char *const formats[] = {"u", "z"};
    (void)state;
    for (int different = 0; different < 2; different++) {
        struct ArrowSchema *table = node("+s", "");
        with_child(table, with_dictionary(node("c", "a"), node(formats[0], "")));
        with_child(table, node("i", "x"));
        with_child(table, with_dictionary(node("l", "b"), node(formats[different], "")));
        struct dry_schema *s = import(table);
        s->dictionaries[1].id = s->dictionaries[0].id = 7;
        struct craft c;
        craft_message(&c, FBS_V5, FBS_HEADER_SCHEMA, 0);
        dry_schema_write(s, &c.w, c.header);
        if (different) {
            craft_refused(&c, DRY_CORRUPT, "shares dictionary 7 with a column of another type");
        } else {
            struct dry_schema *back = read_schema(c.out.data, (uint32_t)c.out.len);
            assert_int_equal(back->n_dictionaries, 2);
            assert_int_equal(back->dictionaries[1].id, 7);
            dry_schema_free(back);
            dry_bytes_fini(&c.out);
        }
        dry_schema_free(s);
        node_free(table);
    }
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
        cmocka_unit_test(shared_tables_do_not_multiply),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(shared_texts_do_not_multiply),
        cmocka_unit_test(shared_metadata_does_not_multiply),
        cmocka_unit_test(counts_are_held_against_the_bytes),
        cmocka_unit_test(what_is_no_batch_or_schema_is_refused),
        cmocka_unit_test(big_endian_data_is_refused),
        cmocka_unit_test(numbers_of_a_batch_are_checked),
        cmocka_unit_test(unknown_compression_is_refused),
        cmocka_unit_test(compression_of_arrow_0_17_is_noticed),
        cmocka_unit_test(columns_share_a_dictionary_of_one_type_only),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Metadata that no honest writer makes, put together by hand.
 */
#include "fbs.h"
#include "flat.h"
#include "message_testing.h"
#include "schema_build.h"
#include "schema_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define LEN(array) (sizeof(array) / sizeof *(array))

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

/* Reads what was crafted, the schema too if it is one. */
static enum dry_status craft_read(const struct craft *c, struct dry_schema **out, struct dry_error *err)
{
    struct dry_arena arena;
    struct dry_message m;
    uint32_t n = (uint32_t)c->out.len;
    assert_int_equal(c->w.status, DRY_OK);
    dry_arena_init(&arena, NULL);
    enum dry_status status = dry_message_decode(c->out.data, n, &arena, &m, err);
    if (status == DRY_OK && m.kind == DRY_MESSAGE_SCHEMA)
        status = dry_message_schema(c->out.data, n, &m, NULL, out, err);
    dry_arena_fini(&arena);
    return status;
}

static void craft_refused(struct craft *c, enum dry_status status, const char *says)
{
    struct dry_error err = {0};
    struct dry_schema *s = NULL;
    enum dry_status got = craft_read(c, &s, &err);
    if (got != status || !strstr(err.text, says))
        fail_msg("%s: '%s' does not say '%s'", dry_status_name(got), err.text, says);
    assert_null(s);
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
    dry_flat_put_refs(&c.w, craft_field(&c, fields, FBS_TYPE_NULL), 0);
    link_to(&c, fields + 4, target(&c, fields));
    craft_refused(&c, DRY_CORRUPT, "and the schema may have only ");
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
        struct dry_flat_slot field[] = {dry_flat_ref(FBS_FIELD_NAME),
                                        dry_flat_scalar(FBS_FIELD_TYPE_KIND, 1, FBS_TYPE_NULL),
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
        struct dry_flat_slot field[] = {dry_flat_scalar(FBS_FIELD_TYPE_KIND, 1, FBS_TYPE_NULL),
                                        dry_flat_ref(FBS_FIELD_TYPE), dry_flat_ref(FBS_FIELD_METADATA)};
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
        {{0, 0}, {0, 0}, 0, -1, "the batch has -1 rows"},
        {{-1, 0}, {0, 0}, 0, 0, "array 0 has -1 values"},
        {{1, -1}, {0, 0}, 0, 0, "array 0 has 1 values and -1"},
        {{1, 2}, {0, 0}, 0, 0, "array 0 has 1 values and 2 nulls"},
        {{0, 0}, {-8, 0}, 0, 0, "buffer 0 has 0 bytes at -8"},
        {{0, 0}, {0, -1}, 0, 0, "buffer 0 has -1 bytes"},
        {{0, 0}, {0, 0}, -1, 0, "-1 data buffers"},
        {{0, 0}, {0, 0}, 2, 0, "2 data buffers"},
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
        struct dry_schema *s = NULL;
        assert_int_equal(dry_schema_import(table, NULL, &s, NULL), DRY_OK);
        s->dictionaries[1].id = s->dictionaries[0].id = 7;
        struct craft c;
        craft_message(&c, FBS_V5, FBS_HEADER_SCHEMA, 0);
        dry_schema_write(s, &c.w, c.header);
        if (different) {
            craft_refused(&c, DRY_CORRUPT, "shares dictionary 7 with a column of another type");
        } else {
            struct dry_schema *back = NULL;
            assert_int_equal(craft_read(&c, &back, NULL), DRY_OK);
            assert_int_equal(back->n_dictionaries, 2);
            assert_int_equal(back->dictionaries[1].id, 7);
            dry_schema_free(back);
            dry_bytes_fini(&c.out);
        }
        dry_schema_free(s);
        node_free(table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

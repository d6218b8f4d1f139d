/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Pieces of a segment: where they lie, how they grow, what becomes of the space that they leave.
 */
#define _GNU_SOURCE
#include "segment_testing.h"

#include "../base/memory.h"

/* ---- helpers ---- */
static struct dry_segment *new_segment(void)
{
    struct dry_segment *s = NULL;
    assert_int_equal(dry_segment_new("drystone-segment", NULL, &s, NULL), DRY_OK);
    return s;
}

static struct dry_memory *new_piece(struct dry_segment *s, size_t n)
{
    struct dry_memory *m = NULL;
    assert_int_equal(dry_segment_piece(s, n, &m, NULL), DRY_OK);
    assert_int_equal(m->size_bytes, n);
    assert_int_equal((uintptr_t)m->at % DRY_ALIGN, 0);
    assert_int_equal(dry_segment_piece_offset(m) % DRY_ALIGN, 0);
    return m;
}

static void set(struct dry_memory *m, uint8_t value)
{
    if (m->size_bytes > 0) memset(m->at, value, m->size_bytes);
}

static bool is_all(const void *bytes, size_t n, uint8_t value)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < n; i++)
        if (p[i] != value) return false;
    return true;
}

static struct dry_segment_stat stat_of(const struct dry_segment *s)
{
    struct dry_segment_stat st;
    assert_int_equal(dry_segment_stat(s, &st, NULL), DRY_OK);
    return st;
}

static int answer_for(const char *call, const char *name, int sys) { return strcmp(call, name) == 0 ? sys : 0; }

static int never_in_place(const char *call) { return answer_for(call, "map_grow_in_place", ENOMEM); }
static int no_fallocate(const char *call)
{
    return answer_for(call, "allocate", EOPNOTSUPP);
}

/* ---- where they lie ---- */
/* rule: segment.pieces */
static void a_piece_is_zeros_in_the_file_itself(void **state)
{
    static const size_t sizes[] = {1, 63, 64, 4096, 100000, 3 * MIB + 5};
    struct dry_segment *s = new_segment();
    (void)state;
    assert_int_equal(dry_segment_append(s, "head", 4, NULL), DRY_OK);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t end = dry_segment_size(s);
        struct dry_memory *m = new_piece(s, sizes[i]);
        assert_int_equal(dry_segment_piece_offset(m), (end + 63) / 64 * 64);
        assert_int_equal(dry_segment_size(s), dry_segment_piece_offset(m) + sizes[i]);
        assert_true(is_all(m->at, sizes[i], 0));
        set(m, (uint8_t)(i + 1));
    }
    uint64_t last = dry_segment_size(s) - sizes[5];
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    uint8_t *all = malloc(dry_segment_size(s));
    assert_int_equal(dry_os_read_at(dry_segment_fd(s), all, dry_segment_size(s), 0), 0);
    assert_memory_equal(all, "head", 4);
    assert_true(is_all(all + 4, 60, 0)); /* a gap */
    assert_int_equal(all[64], 1);
    assert_true(is_all(all + 65, 63, 0));
    assert_true(is_all(all + last, sizes[5], 6));
    free(all);
    dry_segment_free(s);
}

static void pieces_and_appended_bytes_take_turns(void **state)
{
    struct dry_segment *s = new_segment();
    size_t at = 0;
    (void)state;
    for (int i = 0; i < 40; i++) {
        size_t n = (size_t)(i * 7919 + 11) % 150000;
        assert_int_equal(dry_segment_append(s, pattern(8 * MIB) + at, n, NULL), DRY_OK);
        struct dry_memory *m = new_piece(s, 3000 + 64 * (size_t)i);
        size_t begin = (size_t)dry_segment_piece_offset(m);
        memcpy(m->at, pattern(8 * MIB) + begin, m->size_bytes);
        /* The gap is zeros; the pattern is what is compared with in the end. */
        assert_int_equal(dry_segment_write_at(s, at + n, pattern(8 * MIB) + at + n, begin - at - n, NULL), DRY_OK);
        at = (size_t)dry_segment_size(s);
    }
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_true(file_is_pattern(dry_segment_fd(s), at));
    dry_segment_free(s);
}

static void a_piece_of_nothing_has_no_address(void **state)
{
    struct dry_segment *s = new_segment();
    struct dry_memory *a = new_piece(s, 0), *b = new_piece(s, 0);
    (void)state;
    assert_null(a->at);
    assert_int_equal(dry_segment_size(s), 0);
    assert_int_equal(a->resize(a, 100), DRY_OK);
    assert_int_equal(b->resize(b, 100), DRY_OK);
    set(a, 1), set(b, 2);
    assert_true(is_all(a->at, 100, 1));
    assert_int_equal(a->resize(a, 0), DRY_OK);
    assert_null(a->at);
    b->release(b), a->release(a);
    assert_int_equal(dry_segment_size(s), 0);
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    dry_segment_free(s);
}

/* ---- growing ---- */
static void the_last_piece_grows_where_it_is(void **state)
{
    struct dry_segment *s = new_segment();
    (void)state;
    (void)new_piece(s, 100);
    struct dry_memory *m = new_piece(s, 100);
    uint64_t offset = dry_segment_piece_offset(m);
    for (size_t n = 100; n < 40 * MIB; n = n * 3 / 2) {
        assert_int_equal(m->resize(m, n), DRY_OK);
        assert_int_equal(m->size_bytes, n);
        assert_int_equal(dry_segment_piece_offset(m), offset);
        ((uint8_t *)m->at)[n - 1] = 7;
    }
    assert_int_equal(stat_of(s).moved_bytes, 0);
    assert_int_equal(dry_segment_size(s), offset + m->size_bytes);
    for (size_t n = 100; n < 40 * MIB; n = n * 3 / 2)
        assert_int_equal(((uint8_t *)m->at)[n - 1], 7);
    dry_segment_free(s);
}

static void another_piece_moves_to_the_end_and_leaves_a_gap(void **state)
{
    struct dry_segment *s = new_segment();
    struct dry_memory *a = new_piece(s, 1000), *b = new_piece(s, 500);
    (void)state;
    set(a, 1), set(b, 2);
    assert_int_equal(a->resize(a, 5000), DRY_OK);
    assert_int_equal(dry_segment_piece_offset(a), 1536); /* behind b */
    assert_int_equal(a->size_bytes, 5000);
    assert_true(is_all(a->at, 1000, 1) && is_all((uint8_t *)a->at + 1000, 4000, 0) && is_all(b->at, 500, 2));
    struct dry_segment_stat st = stat_of(s);
    assert_int_equal(st.moved_bytes, 1000);
    assert_int_equal(st.lost_bytes, 1000);
    /* By a little at a time, in turns: moved less and less often, because it takes more room than it was asked for.
     */
    for (size_t n = 5001; n < 20000; n++) {
        if (b->size_bytes < n) assert_int_equal(b->resize(b, n), DRY_OK);
        if (a->size_bytes < n) assert_int_equal(a->resize(a, n), DRY_OK);
    }
    assert_true(stat_of(s).moved_bytes < 200000);
    assert_true(is_all(a->at, 1000, 1) && is_all(b->at, 500, 2));
    dry_segment_free(s);
}

static void all_pieces_follow_when_the_mapping_moves(void **state)
{
    struct dry_segment *s = new_segment();
    struct dry_memory *p[3];
    (void)state;
    for (int i = 0; i < 3; i++)
        set(p[i] = new_piece(s, 100), (uint8_t)(i + 1));
    const void *before = p[0]->at;
    dry_os_fault = never_in_place;
    for (size_t n = MIB; n <= 16 * MIB; n *= 2) {
        assert_int_equal(p[2]->resize(p[2], n), DRY_OK);
        for (int i = 0; i < 3; i++)
            assert_true(is_all(p[i]->at, 100, (uint8_t)(i + 1)));
    }
    assert_ptr_not_equal(before, p[0]->at);
    assert_int_equal(dry_segment_append(s, pattern(9 * MIB), 9 * MIB, NULL), DRY_OK);
    for (int i = 0; i < 3; i++)
        assert_true(is_all(p[i]->at, 100, (uint8_t)(i + 1)));
    dry_segment_free(s);
}

static void what_comes_anew_is_zeros(void **state)
{
    struct dry_segment *s = new_segment();
    (void)state;
    struct dry_memory *m = new_piece(s, 100000);
    set(m, 9);
    assert_int_equal(m->resize(m, 10), DRY_OK);
    assert_int_equal(m->resize(m, 100000), DRY_OK);
    assert_true(is_all(m->at, 10, 9) && is_all((uint8_t *)m->at + 10, 99990, 0));
    set(m, 9);
    m->release(m);
    assert_int_equal(dry_segment_append(s, "x", 1, NULL), DRY_OK);
    m = new_piece(s, 100000);
    assert_true(is_all(m->at, 100000, 0));
    uint8_t gap[63];
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_int_equal(dry_os_read_at(dry_segment_fd(s), gap, sizeof gap, 1), 0);
    assert_true(is_all(gap, sizeof gap, 0));
    dry_segment_free(s);
}

/* ---- going ---- */
static void the_end_goes_back_as_far_as_nothing_lies_there(void **state)
{
    struct dry_segment *s = new_segment();
    (void)state;
    assert_int_equal(dry_segment_append(s, "12345", 5, NULL), DRY_OK);
    struct dry_memory *a = new_piece(s, 1000), *b = new_piece(s, 1000), *c = new_piece(s, 1000);
    uint64_t end_of_a = dry_segment_piece_offset(a) + 1000;
    b->release(b); /* a gap */
    assert_int_equal(dry_segment_size(s), dry_segment_piece_offset(c) + 1000);
    assert_int_equal(stat_of(s).lost_bytes, 1000);
    c->release(c); /* and with it the gap */
    assert_int_equal(dry_segment_size(s), end_of_a);
    assert_int_equal(stat_of(s).lost_bytes, 0);
    a->release(a);
    assert_int_equal(dry_segment_size(s), 5);

    a = new_piece(s, 1000);
    assert_int_equal(dry_segment_append(s, "!", 1, NULL), DRY_OK);
    uint64_t end = dry_segment_size(s);
    b = new_piece(s, 10);
    a->release(a);
    b->release(b);
    assert_int_equal(dry_segment_size(s), end); /* what was appended stays */
    dry_segment_free(s);
}

static void a_cut_takes_what_lies_behind(void **state)
{
    struct ledger l = {0};
    struct dry_allocator a = allocator_of(&l);
    struct dry_segment *s;
    struct dry_error err = {0};
    struct dry_memory *m[4];
    (void)state;
    assert_int_equal(dry_segment_new("drystone-segment", &a, &s, NULL), DRY_OK);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(dry_segment_piece(s, 1000, &m[i], NULL), DRY_OK);
        set(m[i], (uint8_t)(i + 1));
    }
    long blocks = l.blocks_out;
    assert_int_equal(dry_segment_cut(s, 5000, &err), DRY_INVALID);
    assert_int_equal(dry_segment_cut(s, 100, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "multiple of 64"));
    assert_int_equal(dry_segment_cut(s, dry_segment_size(s), &err), DRY_OK); /* nothing */
    assert_int_equal(l.blocks_out, blocks);
    assert_int_equal(dry_segment_cut(s, dry_segment_piece_offset(m[2]) + 640, &err), DRY_OK);
    assert_int_equal(l.blocks_out, blocks - 1);
    assert_int_equal(m[2]->size_bytes, 640); /* it ends there, and is the last */
    assert_int_equal(m[2]->resize(m[2], 2000), DRY_OK);
    assert_true(is_all(m[2]->at, 640, 3) && is_all((uint8_t *)m[2]->at + 640, 1360, 0));
    assert_int_equal(dry_segment_cut(s, dry_segment_piece_offset(m[1]), &err), DRY_OK);
    assert_int_equal(l.blocks_out, blocks - 3);
    assert_int_equal(dry_segment_append(s, "end", 3, NULL), DRY_OK);
    assert_int_equal(dry_segment_cut(s, 64, &err), DRY_OK); /* through the first */
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_int_equal(dry_segment_cut(s, 0, &err), DRY_FIXED);
    assert_int_equal(stat_of(s).used_bytes, 64);
    dry_segment_free(s);
    assert_int_equal(l.blocks_out, 0);
}

static void a_cut_reaches_into_what_was_only_gathered(void **state)
{
    (void)state;
    for (size_t keep = 0; keep <= 320; keep += 64) {
        struct dry_segment *s = new_segment();
        assert_int_equal(dry_segment_append(s, pattern(MIB), 70000, NULL), DRY_OK);
        assert_int_equal(dry_segment_cut(s, 69952 - keep, NULL), DRY_OK);
        assert_int_equal(dry_segment_append(s, pattern(MIB) + 69952 - keep, 100000, NULL), DRY_OK);
        assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
        assert_true(file_is_pattern(dry_segment_fd(s), 169952 - keep));
        dry_segment_free(s);
    }
}

static void what_is_not_needed_is_given_back(void **state)
{
    struct dry_segment *s = new_segment();
    struct dry_memory *m = new_piece(s, 100);
    (void)state;
    set(m, 5);
    assert_int_equal(dry_segment_reserve(s, 20 * MIB, NULL), DRY_OK);
    assert_true(stat_of(s).held_bytes >= 20 * MIB);
    dry_segment_give_back(s);
    assert_true(stat_of(s).held_bytes <= 64 * KIB);
    assert_true(is_all(m->at, 100, 5));
    assert_int_equal(m->resize(m, 5 * MIB), DRY_OK); /* and it can be had again */
    assert_true(is_all((uint8_t *)m->at + 100, 5 * MIB - 100, 0));
    set(m, 6);
    assert_int_equal(m->resize(m, 3 * MIB), DRY_OK);
    dry_segment_give_back(s);
    assert_int_equal(m->resize(m, 4 * MIB), DRY_OK);
    assert_true(is_all((uint8_t *)m->at + 3 * MIB, MIB, 0));
    dry_segment_free(s);
}

/* ---- refusals ---- */
static void a_finished_segment_keeps_its_pieces_and_their_sizes(void **state)
{
    struct dry_segment *s = new_segment();
    struct dry_memory *m = new_piece(s, 3 * MIB), *more = NULL;
    (void)state;
    set(m, 4);
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_true(is_all(m->at, 3 * MIB, 4));
    assert_int_equal(m->resize(m, 3 * MIB), DRY_OK);
    assert_int_equal(m->resize(m, 1), DRY_FIXED);
    assert_int_equal(m->resize(m, 4 * MIB), DRY_FIXED);
    assert_int_equal(dry_segment_error(s)->status, DRY_FIXED);
    assert_non_null(strstr(dry_segment_error(s)->text, "finished"));
    assert_int_equal(dry_segment_piece(s, 1, &more, NULL), DRY_FIXED);
    assert_null(more);
    assert_ptr_equal(dry_segment_bytes(s), (uint8_t *)m->at - dry_segment_piece_offset(m));
    m->release(m);
    assert_int_equal(dry_segment_size(s), 3 * MIB); /* the bytes stay */
    dry_segment_free(s);
}

static void a_size_that_cannot_be_changes_nothing(void **state)
{
    static const struct {
        size_t size;
        enum dry_status status;
    } cases[] = {{SIZE_MAX, DRY_TOO_BIG},          {SIZE_MAX - 63, DRY_TOO_BIG}, {(size_t)1 << 63, DRY_TOO_BIG},
                 {PTRDIFF_MAX - 100, DRY_TOO_BIG}, {(size_t)1 << 60, DRY_FULL},  {(size_t)1 << 50, DRY_FULL}};
    struct dry_segment *s = new_segment();
    struct dry_memory *a = new_piece(s, 100), *b = new_piece(s, 100), *c = NULL;
    (void)state;
    set(a, 1), set(b, 2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_error err = {0};
        enum dry_status expected[3] = {a->resize(a, cases[i].size), b->resize(b, cases[i].size),
                                       dry_segment_piece(s, cases[i].size, &c, &err)};
        for (int k = 0; k < 3; k++)
            assert_int_equal(expected[k], cases[i].status);
        assert_true(strlen(err.text) > 10 && strlen(dry_segment_error(s)->text) > 10);
        assert_int_equal(a->size_bytes, 100);
        assert_int_equal(dry_segment_size(s), 128 + 100);
    }
    assert_null(c);
    assert_true(is_all(a->at, 100, 1) && is_all(b->at, 100, 2));
    assert_int_equal(b->resize(b, 200), DRY_OK);
    dry_segment_free(s);
}

static void an_array_is_one_call(void **state)
{
    struct dry_segment *s = NULL;
    struct dry_memory *m = NULL;
    struct dry_error err = {0};
    (void)state;
    assert_int_equal(dry_segment_new_array("drystone-segment", "x", 0, 8, NULL, &s, &m, &err), DRY_INVALID);
    assert_int_equal(dry_segment_new_array("drystone-segment", "x", 8, 0, NULL, &s, &m, &err), DRY_INVALID);
    assert_int_equal(dry_segment_new_array("drystone-segment", "x", UINT64_MAX, 8, NULL, &s, &m, &err), DRY_TOO_BIG);
    assert_int_equal(dry_segment_new_array("drystone-segment", "x", UINT64_MAX, 1, NULL, &s, &m, &err), DRY_TOO_BIG);
    assert_null(s);
    assert_int_equal(dry_segment_new_array("drystone-segment", "u64", 1000, 8, NULL, &s, &m, &err), DRY_OK);
    assert_int_equal(m->size_bytes, 8000);
    assert_int_equal(dry_segment_piece_offset(m), 64);
    assert_true(is_all(m->at, 8000, 0));
    assert_int_equal(dry_segment_size(s), 8064);
    dry_segment_free(s);
}

static void bytes_are_written_over_with_a_window_and_without(void **state)
{
    (void)state;
    for (int with_piece = 0; with_piece < 2; with_piece++) {
        struct dry_segment *s = new_segment();
        struct dry_error err = {0};
        assert_int_equal(dry_segment_append_zeros(s, 6 * MIB + 64, NULL), DRY_OK);
        if (with_piece) (void)new_piece(s, 0);
        for (size_t at = 0; at < 6 * MIB + 64; at += 64 * KIB) { /* the last ones are only gathered yet */
            size_t n = 6 * MIB + 64 - at < 64 * KIB ? 64 : 64 * KIB;
            assert_int_equal(dry_segment_write_at(s, at, pattern(7 * MIB) + at, n, NULL), DRY_OK);
        }
        assert_int_equal(dry_segment_write_at(s, 6 * MIB + 64, "x", 1, &err), DRY_INVALID);
        assert_int_equal(dry_segment_write_at(s, UINT64_MAX, "x", 1, &err), DRY_INVALID);
        assert_non_null(strstr(err.text, "outside"));
        assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
        assert_true(file_is_pattern(dry_segment_fd(s), 6 * MIB + 64));
        assert_int_equal(dry_segment_write_at(s, 1, "x", 1, NULL), DRY_OK); /* until it is protected */
        dry_segment_free(s);
    }
}

/* ---- every page is there before anything is stored ---- */
static void without_fallocate_pieces_have_pages_too(void **state)
{
    const char *where[] = {memory_dir(), "/tmp"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct dry_segment *s;
        assert_int_equal(dry_segment_adopt_fd(file_in(where[i]), NULL, &s, NULL), DRY_OK);
        dry_os_fault = no_fallocate;
        assert_int_equal(dry_segment_reserve(s, 300 * KIB, NULL), DRY_OK); /* no pages yet: they will be written */
        assert_int_equal(dry_segment_append(s, pattern(MIB), 100 * KIB, NULL), DRY_OK);
        struct dry_memory *m = new_piece(s, 100 * KIB);
        assert_true(stat_of(s).held_bytes >= 300 * KIB);
        memcpy(m->at, pattern(MIB) + 100 * KIB, 100 * KIB);
        assert_int_equal(m->resize(m, 800 * KIB), DRY_OK);
        assert_true(stat_of(s).held_bytes >= 900 * KIB);
        assert_true(is_all((uint8_t *)m->at + 100 * KIB, 700 * KIB, 0));
        memcpy(m->at, pattern(MIB) + 100 * KIB, 800 * KIB);
        dry_os_fault = NULL;
        assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
        assert_true(file_is_pattern(dry_segment_fd(s), 900 * KIB));
        dry_segment_free(s);
    }
}

/* ---- against a model ---- */
#define PIECES 12
struct model_piece {
    struct dry_memory *memory;
    size_t size;
    uint8_t value;
};

static uint64_t dice;

static size_t throw_dice(size_t n)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(dice >> 33) % n;
}

static size_t some_size(void)
{
    static const size_t limits[] = {1, 100, 5000, 200000, 3 * MIB};
    return throw_dice(limits[throw_dice(5)]);
}

static void step_of_model(struct dry_segment *s, struct model_piece *p)
{
    static uint8_t value;
    switch (throw_dice(6)) {
    case 0: assert_int_equal(dry_segment_append(s, pattern(MIB), throw_dice(90000), NULL), DRY_OK); break;
    case 1:
        if (p->memory) p->memory->release(p->memory);
        p->memory = NULL;
        break;
    default:
        if (!p->memory) {
            p->memory = new_piece(s, p->size = some_size());
            assert_true(is_all(p->memory->at, p->size, 0));
        } else {
            size_t size = some_size(), kept = p->size < size ? p->size : size;
            assert_int_equal(p->memory->resize(p->memory, size), DRY_OK);
            assert_true(p->memory->size_bytes >= size);
            assert_true(is_all(p->memory->at, kept, p->value));
            p->size = p->memory->size_bytes;
        }
        p->value = ++value;
        set(p->memory, p->value);
    }
}

static void random_lives_agree_with_a_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct dry_segment *s = new_segment();
        struct model_piece pieces[PIECES] = {{0}};
        dice = seed;
        for (int i = 0; i < 120; i++) {
            step_of_model(s, &pieces[throw_dice(PIECES)]);
            uint64_t last_end = 0;
            for (int k = 0; k < PIECES; k++) {
                if (!pieces[k].memory) continue;
                uint64_t end = dry_segment_piece_offset(pieces[k].memory) + pieces[k].size;
                last_end = end > last_end ? end : last_end;
                if (pieces[k].size) assert_int_equal(*(uint8_t *)pieces[k].memory->at, pieces[k].value);
            }
            assert_true(last_end <= dry_segment_size(s));
        }
        assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
        for (int k = 0; k < PIECES; k++) {
            uint8_t *bytes = malloc(pieces[k].size + 1);
            if (pieces[k].memory) {
                uint64_t at = dry_segment_piece_offset(pieces[k].memory);
                assert_int_equal(dry_os_read_at(dry_segment_fd(s), bytes, pieces[k].size, at), 0);
                assert_true(is_all(bytes, pieces[k].size, pieces[k].value));
            }
            free(bytes);
        }
        dry_segment_free(s);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, note_what_is_held, expect_nothing_held)
    const struct CMUnitTest tests[] = {
        TEST(a_piece_is_zeros_in_the_file_itself),
        TEST(pieces_and_appended_bytes_take_turns),
        TEST(a_piece_of_nothing_has_no_address),
        TEST(the_last_piece_grows_where_it_is),
        TEST(another_piece_moves_to_the_end_and_leaves_a_gap),
        TEST(all_pieces_follow_when_the_mapping_moves),
        TEST(what_comes_anew_is_zeros),
        TEST(the_end_goes_back_as_far_as_nothing_lies_there),
        TEST(a_cut_takes_what_lies_behind),
        TEST(a_cut_reaches_into_what_was_only_gathered),
        TEST(what_is_not_needed_is_given_back),
        TEST(a_finished_segment_keeps_its_pieces_and_their_sizes),
        TEST(a_size_that_cannot_be_changes_nothing),
        TEST(an_array_is_one_call),
        TEST(bytes_are_written_over_with_a_window_and_without),
        TEST(without_fallocate_pieces_have_pages_too),
        TEST(random_lives_agree_with_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

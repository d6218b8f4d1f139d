/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What can be wished for: threads, prefault, NUMA nodes, reserved huge pages. Each is given up with words where the
 * system cannot, and what is stored is the same.
 */
#define _GNU_SOURCE
#include "protect_testing.h"

/* ---- helpers ---- */
static struct dry_segment *segment_with(struct dry_segment_options options)
{
    struct dry_segment *s = NULL;
    assert_int_equal(dry_segment_new("drystone-segment", NULL, &s, NULL), DRY_OK);
    assert_int_equal(dry_segment_set_options(s, &options, NULL), DRY_OK);
    return s;
}

static const char *refused_call;
static int refusal;
static int refuse(const char *call) { return strcmp(call, refused_call) == 0 ? refusal : 0; }

static void refuse_calls(const char *name, int sys)
{
    refused_call = name;
    refusal = sys;
    dry_os_fault = refuse;
}

static void options_come_before_the_first_byte(void **state)
{
    const struct dry_segment_options too_many = {.threads = 17}, none = {0};
    struct dry_segment *s = segment_with(none);
    struct dry_error err = {0};
    (void)state;
    assert_int_equal(dry_segment_set_options(s, &too_many, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "16"));
    assert_int_equal(dry_segment_append(s, "x", 1, NULL), DRY_OK);
    assert_int_equal(dry_segment_set_options(s, &none, &err), DRY_INVALID);
    dry_segment_free(s);
}

/* ---- threads ---- */
static void large_copies_are_shared_by_threads(void **state)
{
    static const struct {
        size_t before, n;
        unsigned threads, used;
        bool no_thread_to_be_had;
    } cases[] = {
        {0, 32 * MIB, 2, 2, false},        {0, 32 * MIB - 1, 2, 0, false}, {0, 64 * MIB, 1, 0, false},
        {5000, 40 * MIB + 3, 3, 3, false}, {1, 33 * MIB, 16, 16, false},   {3 * MIB, 50 * MIB, 2, 2, true},
    };
    (void)state;
    if (!can_collapse(memory_dir())) {
        print_message("SKIPPED: no collapse here, so nothing is copied but by write(2)\n");
        return;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_segment *s = segment_with((struct dry_segment_options){.threads = cases[i].threads});
        size_t all = cases[i].before + cases[i].n;
        assert_int_equal(dry_segment_reserve(s, all, NULL), DRY_OK);
        assert_int_equal(dry_segment_append(s, pattern(all), cases[i].before, NULL), DRY_OK);
        if (cases[i].no_thread_to_be_had) refuse_calls("thread", EAGAIN);
        assert_int_equal(dry_segment_append(s, pattern(all) + cases[i].before, cases[i].n, NULL), DRY_OK);
        dry_os_fault = NULL;
        assert_int_equal(stat_of(s).threads, cases[i].used);
        assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
        assert_true(file_is_pattern(dry_segment_fd(s), all));
        dry_segment_free(s);
    }
}

/* ---- prefault ---- */
static void pieces_are_mapped_before_they_are_handed_out(void **state)
{
    (void)state;
    for (int cannot = 0; cannot < 2; cannot++) {
        struct dry_segment *s = segment_with((struct dry_segment_options){.prefault = true});
        struct dry_memory *m, *other;
        uint64_t resident;
        if (cannot) refuse_calls("populate", ENOSYS);
        assert_int_equal(dry_segment_piece(s, 300 * KIB, &m, NULL), DRY_OK);
        assert_int_equal(m->resize(m, 900 * KIB), DRY_OK);
        assert_int_equal(dry_segment_piece(s, 100, &other, NULL), DRY_OK);
        assert_int_equal(m->resize(m, 3 * MIB), DRY_OK);
        dry_os_fault = NULL;
        if (cannot) {
            assert_non_null(strstr(stat_of(s).missing, "prefault"));
        } else {
            assert_string_equal(stat_of(s).missing, "");
            assert_int_equal(dry_segment_resident(m->at, m->size_bytes, &resident, NULL), DRY_OK);
            assert_true(resident >= 3 * MIB);
        }
        memset(m->at, 1, m->size_bytes);
        dry_segment_free(s);
    }
}

/* ---- addresses ---- */
static void with_addresses_set_aside_nothing_moves(void **state)
{
    struct dry_segment *s = segment_with((struct dry_segment_options){.address_bytes = 64 * MIB});
    struct dry_memory *a, *b;
    (void)state;
    assert_int_equal(dry_segment_piece(s, 100, &a, NULL), DRY_OK);
    assert_int_equal(dry_segment_piece(s, 100, &b, NULL), DRY_OK);
    const void *at = b->at, *first = a->at;
    refuse_calls("map_grow_in_place", ENOMEM);
    for (size_t n = 1000; n < 60 * MIB; n *= 3) {
        assert_int_equal(b->resize(b, n), DRY_OK);
        assert_ptr_equal(b->at, at);
        ((uint8_t *)b->at)[n - 1] = 5;
    }
    assert_int_equal(b->resize(b, 70 * MIB), DRY_NOMEM); /* beyond them */
    assert_true(strlen(dry_segment_error(s)->text) > 20);
    dry_os_fault = NULL;
    assert_ptr_equal(b->at, at);
    assert_ptr_equal(a->at, first);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_ptr_equal(b->at, at);
    dry_segment_free(s);
}

static int addresses_asked;

static int few_addresses(const char *call)
{
    if (strcmp(call, "reserve_addresses") != 0) return 0;
    return addresses_asked++ < 5 ? ENOMEM : 0;
}

static void as_many_addresses_are_set_aside_as_can_be_had(void **state)
{
    struct dry_segment *s = segment_with((struct dry_segment_options){.address_bytes = UINT64_MAX / 2});
    struct dry_memory *m;
    (void)state;
    addresses_asked = 0;
    dry_os_fault = few_addresses;
    assert_int_equal(dry_segment_piece(s, 5 * MIB, &m, NULL), DRY_OK);
    dry_os_fault = NULL;
    assert_true(addresses_asked > 5);
    const void *at = m->at;
    assert_int_equal(m->resize(m, 20 * MIB), DRY_OK);
    assert_ptr_equal(m->at, at);
    memset(m->at, 1, 20 * MIB);
    dry_segment_free(s);
}

/* ---- NUMA ---- */
static void nodes_that_cannot_be_had_are_named(void **state)
{
    static const struct {
        const char *call;
        int sys;
        const char *word;
    } cases[] = {
        {"bind_memory", ENOSYS, "kernel"},
        {"bind_memory", EINVAL, "no such"},
        {"bind_memory", EPERM, "not permitted"},
        {"map_write", ENOMEM, "NUMA"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_segment *s = segment_with((struct dry_segment_options){.numa_nodes = 1, .numa_bind = true});
        refuse_calls(cases[i].call, cases[i].sys);
        assert_int_equal(dry_segment_append(s, pattern(5 * MIB), 100, NULL), DRY_OK);
        assert_non_null(strstr(stat_of(s).missing, cases[i].word));
        assert_int_equal(dry_segment_append(s, pattern(5 * MIB) + 100, 5 * MIB - 100, NULL), DRY_OK);
        dry_os_fault = NULL;
        assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
        assert_true(file_is_pattern(dry_segment_fd(s), 5 * MIB));
        dry_segment_free(s);
    }
    const struct dry_segment_options late = {.numa_nodes = 1};
    struct dry_segment *s = segment_with((struct dry_segment_options){0});
    assert_int_equal(dry_segment_reserve(s, 100, NULL), DRY_OK);
    assert_int_equal(dry_segment_set_options(s, &late, NULL), DRY_OK);
    assert_non_null(strstr(stat_of(s).missing, "before"));
    dry_segment_free(s);
}

static int bound;

static int count_binding(const char *call)
{
    bound += strcmp(call, "bind_memory") == 0;
    return 0;
}

/* Node 0 is there wherever the kernel knows of nodes. */
static void all_pages_come_from_the_nodes_that_were_named(void **state)
{
    (void)state;
    for (int with_pieces = 0; with_pieces < 2; with_pieces++) {
        struct dry_segment *s = segment_with((struct dry_segment_options){.numa_nodes = 1, .numa_bind = with_pieces});
        struct dry_memory *m;
        bound = 0;
        dry_os_fault = count_binding;
        if (with_pieces) {
            assert_int_equal(dry_segment_piece(s, 100, &m, NULL), DRY_OK);
            assert_int_equal(m->resize(m, 5 * MIB), DRY_OK);
            memcpy(m->at, pattern(5 * MIB), 5 * MIB);
        } else
            for (size_t at = 0; at < 5 * MIB; at += MIB)
                assert_int_equal(dry_segment_append(s, pattern(5 * MIB) + at, MIB, NULL), DRY_OK);
        dry_os_fault = NULL;
        const char *missing = stat_of(s).missing;
        if (*missing) print_message("SKIPPED in part: %s\n", missing);
        assert_true(bound >= (*missing ? 1 : 2)); /* each growth */
        assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
        assert_true(file_is_pattern(dry_segment_fd(s), 5 * MIB));
        dry_segment_free(s);
    }
}

/* ---- reserved huge pages ---- */
static void without_reserved_pages_it_is_an_ordinary_segment(void **state)
{
    static const int reasons[] = {EINVAL, ENOSPC, ENOSYS};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct dry_segment *s;
        struct dry_memory *m;
        refuse_calls("memfd_huge", reasons[i]);
        assert_int_equal(dry_segment_new_huge("drystone-segment", 3 * MIB, NULL, &s, NULL), DRY_OK);
        dry_os_fault = NULL;
        struct dry_segment_stat st = stat_of(s);
        assert_non_null(strstr(st.missing, "vm.nr_hugepages"));
        assert_int_not_equal(st.fill, DRY_FILL_HUGETLB);
        assert_true(st.held_bytes >= 3 * MIB); /* as much was reserved */
        assert_int_equal(dry_segment_piece(s, 3 * MIB, &m, NULL), DRY_OK);
        memset(m->at, 1, 3 * MIB);
        dry_segment_free(s);
    }
}

static long write_number(const char *path, long n)
{
    FILE *file = fopen(path, "r+e");
    long before = -1;
    if (!file) return -1;
    if (fscanf(file, "%ld", &before) != 1) before = -1;
    rewind(file);
    if (n >= 0 && fprintf(file, "%ld", n) < 0) before = -1;
    return fclose(file) == 0 ? before : -1;
}

static const char reserved_pages[] = "/proc/sys/vm/nr_hugepages";
static long reserved_before = -1;

static int give_reserved_pages_back(void **state)
{
    if (reserved_before >= 0) (void)write_number(reserved_pages, reserved_before);
    return expect_nothing_held(state);
}

static void live_in_reserved_pages(struct dry_segment *s)
{
    struct dry_memory *m, *big = NULL;
    struct dry_error err = {0};
    struct dry_view v;
    struct dry_attached about;
    const struct dry_attach_options options = {.at_least = DRY_CLASS_ANONYMOUS, .layout = "u8[]"};
    struct dry_segment_stat st = stat_of(s);
    assert_int_equal(st.fill, DRY_FILL_HUGETLB);
    assert_true(st.held_bytes == 4 * MIB && st.huge_bytes == 4 * MIB);
    assert_int_equal(dry_segment_append(s, "x", 1, &err), DRY_UNSUPPORTED);
    assert_int_equal(dry_segment_append_zeros(s, 1, &err), DRY_UNSUPPORTED);
    assert_int_equal(dry_segment_format(s, "u8[]", &err), DRY_OK);
    assert_int_equal(dry_segment_piece(s, 100, &m, &err), DRY_OK);
    assert_int_equal(m->resize(m, 3 * MIB), DRY_OK);
    memcpy(m->at, pattern(3 * MIB), 3 * MIB);
    assert_int_equal(m->resize(m, 5 * MIB), DRY_OK); /* two more pages, mapped anew */
    assert_int_equal(stat_of(s).held_bytes, 6 * MIB);
    memset((char *)m->at + 3 * MIB, 1, 2 * MIB);
    assert_int_equal(dry_segment_piece(s, 4096 * MIB, &big, &err), DRY_FULL);
    assert_non_null(strstr(err.text, "vm.nr_hugepages"));
    assert_int_equal(m->resize(m, 3 * MIB), DRY_OK);
    assert_int_equal(dry_segment_protect(s, &err), DRY_OK);
    assert_int_equal(stat_of(s).held_bytes, 4 * MIB);
    assert_int_equal(dry_segment_attach(dry_segment_fd(s), &options, NULL, &v, &about, &err), DRY_OK);
    assert_int_equal(about.file_bytes, 4 * MIB);
    assert_int_equal(v.len, 3 * MIB);
    assert_memory_equal(v.data, pattern(3 * MIB), 3 * MIB);
    assert_int_equal(dry_segment_take_back(s, &err), DRY_SHARED);
    dry_view_unref(&v);
    assert_int_equal(dry_segment_take_back(s, &err), DRY_OK);
    ((uint8_t *)m->at)[0]++;
    assert_int_equal(dry_segment_seal(s, &err), DRY_OK);
    assert_int_equal(dry_segment_view(s, &v, &err), DRY_OK);
    assert_true(v.len == 3 * MIB && v.data[0] == (uint8_t)(pattern(1)[0] + 1));
    dry_view_unref(&v);
    dry_segment_free(s);
}

static void reserved_pages_are_used_where_there_are_some(void **state)
{
    struct dry_segment *s;
    (void)state;
    long before = write_number(reserved_pages, -1);
    if (before < 0 || write_number(reserved_pages, before + 8) < 0) {
        print_message("SKIPPED: no right to reserve huge pages\n");
        return;
    }
    reserved_before = before;
    if (write_number(reserved_pages, -1) < before + 8) {
        print_message("SKIPPED: no huge pages to be reserved\n");
        return;
    }
    assert_int_equal(dry_segment_new_huge("drystone-segment", 3 * MIB, NULL, &s, NULL), DRY_OK);
    live_in_reserved_pages(s);
}

static void more_than_is_reserved_makes_an_ordinary_segment(void **state)
{
    struct dry_segment *s;
    struct dry_error err = {0};
    (void)state;
    long reserved = write_number(reserved_pages, -1);
    uint64_t more = ((uint64_t)(reserved > 0 ? reserved : 0) + 1) * HUGE;
    assert_int_equal(dry_segment_new_huge("drystone-segment", more, NULL, &s, &err), DRY_OK);
    assert_non_null(strstr(stat_of(s).missing, "vm.nr_hugepages"));
    dry_segment_free(s);
    s = NULL;
    assert_int_equal(dry_segment_new_huge("drystone-segment", UINT64_MAX, NULL, &s, &err), DRY_TOO_BIG);
    assert_int_equal(dry_segment_new_huge("drystone-segment", (uint64_t)1 << 60, NULL, &s, &err), DRY_FULL);
    assert_null(s);
}

/* ---- who pays ---- */
static void the_group_that_pays_is_named(void **state)
{
    struct dry_segment *s = segment_with((struct dry_segment_options){0});
    char expected[200] = "?";
    (void)state;
    assert_int_equal(dry_os_memory_group(expected, sizeof expected), 0);
    assert_string_equal(stat_of(s).charged_to, expected);
    dry_segment_free(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, note_what_is_held, expect_nothing_held)
    const struct CMUnitTest tests[] = {
        TEST(options_come_before_the_first_byte),
        TEST(large_copies_are_shared_by_threads),
        TEST(pieces_are_mapped_before_they_are_handed_out),
        TEST(with_addresses_set_aside_nothing_moves),
        TEST(as_many_addresses_are_set_aside_as_can_be_had),
        TEST(nodes_that_cannot_be_had_are_named),
        TEST(all_pages_come_from_the_nodes_that_were_named),
        TEST(without_reserved_pages_it_is_an_ordinary_segment),
        cmocka_unit_test_setup_teardown(reserved_pages_are_used_where_there_are_some, note_what_is_held,
                                        give_reserved_pages_back),
        TEST(more_than_is_reserved_makes_an_ordinary_segment),
        TEST(the_group_that_pays_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

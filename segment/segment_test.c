/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a segment does when all goes well, or when the kernel is an old one.
 */
#define _GNU_SOURCE
#include "segment_testing.h"

#include <sys/mman.h>

/* ---- helpers ---- */
static struct dry_segment *segment_over(int fd)
{
    struct dry_segment *s = NULL;
    struct dry_error err;
    assert_true(fd >= 0);
    assert_int_equal(dry_segment_adopt_fd(fd, NULL, &s, &err), DRY_OK);
    return s;
}

static struct dry_segment *segment_in_memory(void) { return segment_over(file_in(memory_dir())); }

static void append_pattern(struct dry_segment *s, size_t n)
{
    uint64_t from = dry_segment_size(s);
    struct dry_error err = {0};
    enum dry_status status = dry_segment_append(s, pattern(from + n) + from, n, &err);
    if (status != DRY_OK) print_error("%s\n", err.text);
    assert_int_equal(status, DRY_OK);
    assert_int_equal(dry_segment_size(s), from + n);
}

static struct dry_segment_stat stat_of(struct dry_segment *s)
{
    struct dry_segment_stat st;
    assert_int_equal(dry_segment_stat(s, &st, NULL), DRY_OK);
    return st;
}

static void finish_and_compare(struct dry_segment *s, size_t n)
{
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_int_equal(stat_of(s).used_bytes, n);
    assert_true(file_is_pattern(dry_segment_fd(s), n));
}

/* Counts the calls to the kernel, by name or all; answers one of them with `answer`. */
static const char *counted;
static int calls, counted_calls, answer, answer_from, answer_to;

static int count_calls(const char *call)
{
    /* Not the files that tell about cgroups: their number depends on the place, and they are not always read. */
    calls += strcmp(call, "open_path") != 0 && strcmp(call, "read") != 0;
    if (!counted || strcmp(call, counted) != 0) return 0;
    counted_calls++;
    return counted_calls >= answer_from && counted_calls < answer_to ? answer : 0;
}

/* From now on the `from`-th to before the `to`-th call of that name get `sys`. */
static void answer_calls(const char *name, int sys, int from, int to)
{
    counted = name;
    calls = counted_calls = 0;
    answer = sys;
    answer_from = from;
    answer_to = to;
    dry_os_fault = count_calls;
}

/* ---- bytes in, bytes out ---- */
enum way { RESERVED_WHOLE, NOT_RESERVED, SMALL_PIECES, ODD_PIECES, RESERVED_PER_BATCH, WAYS };

static void fill(struct dry_segment *s, size_t n, enum way way)
{
    static const size_t piece[] = {[RESERVED_WHOLE] = SIZE_MAX, [NOT_RESERVED] = SIZE_MAX, [SMALL_PIECES] = 1021,
                                   [ODD_PIECES] = 70001,        [RESERVED_PER_BATCH] = 300007};
    if (way == RESERVED_WHOLE) assert_int_equal(dry_segment_reserve(s, n, NULL), DRY_OK);
    while (dry_segment_size(s) < n) {
        size_t rest = n - dry_segment_size(s), now = rest < piece[way] ? rest : piece[way];
        if (way == RESERVED_PER_BATCH) assert_int_equal(dry_segment_reserve(s, now, NULL), DRY_OK);
        append_pattern(s, now);
    }
}

static void whatever_is_appended_is_in_the_file(void **state)
{
    static const size_t sizes[] = {0,           1,           100,           4096,          64 * KIB - 1, 64 * KIB,
                                   64 * KIB + 1, MIB - 1,     MIB,           2 * MIB - 1,   2 * MIB,      2 * MIB + 1,
                                   3 * MIB - 1,  3 * MIB,     3 * MIB + 700, 5 * MIB + 77,  9 * MIB + 1};
    const char *where[] = {NULL, memory_dir(), "/tmp"};
    (void)state;
    for (size_t w = 0; w < 3; w++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            for (int way = 0; way < WAYS; way++) {
                struct dry_segment *s;
                if (where[w])
                    s = segment_over(file_in(where[w]));
                else
                    assert_int_equal(dry_segment_new("drystone-segment", NULL, &s, NULL), DRY_OK);
                fill(s, sizes[i], (enum way)way);
                finish_and_compare(s, sizes[i]);
                dry_segment_free(s);
            }
}

static void zeros_are_zeros(void **state)
{
    static const size_t sizes[] = {0, 1, 63, 64 * KIB, 3 * MIB + 5};
    uint8_t *bytes = malloc(8 * MIB);
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct dry_segment *s = segment_in_memory();
        append_pattern(s, 33);
        assert_int_equal(dry_segment_append_zeros(s, sizes[i], NULL), DRY_OK);
        assert_int_equal(dry_segment_append(s, "end", 3, NULL), DRY_OK);
        assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
        assert_int_equal(stat_of(s).used_bytes, 33 + sizes[i] + 3);
        assert_int_equal(dry_os_read_at(dry_segment_fd(s), bytes, 36 + sizes[i], 0), 0);
        assert_memory_equal(bytes, pattern(33), 33);
        for (size_t k = 0; k < sizes[i]; k++) assert_int_equal(bytes[33 + k], 0);
        assert_memory_equal(bytes + 33 + sizes[i], "end", 3);
        dry_segment_free(s);
    }
    free(bytes);
}

/* ---- room ---- */
static void what_was_reserved_costs_no_call_to_fill(void **state)
{
    struct dry_segment *s = segment_in_memory();
    (void)state;
    if (!can_collapse(memory_dir())) {
        print_message("SKIPPED: no collapse here\n");
    } else {
        (void)pattern(9 * MIB);
        assert_int_equal(dry_segment_reserve(s, 9 * MIB, NULL), DRY_OK);
        assert_true(stat_of(s).held_bytes >= 9 * MIB); /* all of it is there before the first byte is copied */
        answer_calls(NULL, 0, 0, 0);
        append_pattern(s, 4 * MIB);
        append_pattern(s, 5 * MIB);
        assert_int_equal(calls, 0);
        dry_os_fault = NULL;
        finish_and_compare(s, 9 * MIB);
    }
    dry_segment_free(s);
}

static void a_small_table_is_written_at_once(void **state)
{
    struct dry_segment *s = segment_in_memory();
    (void)state;
    answer_calls("write_at", 0, 0, 0);
    for (int i = 0; i < 512; i++) append_pattern(s, 8);
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_int_equal(counted_calls, 1);
    assert_true(calls <= 6); /* room, cgroups, allocate, write, look, cut */
    dry_os_fault = NULL;
    finish_and_compare(s, 4096);
    dry_segment_free(s);
}

static void the_tail_takes_a_huge_page_from_half_of_it_up(void **state)
{
    static const struct {
        size_t size, huge;
    } cases[] = {
        {MIB - 1, 0}, {MIB, HUGE}, {2 * MIB, HUGE}, {3 * MIB - 1, HUGE}, {3 * MIB, 2 * HUGE}, {7 * MIB, 4 * HUGE},
    };
    (void)state;
    if (!can_collapse(memory_dir())) {
        print_message("SKIPPED: no collapse here\n");
        return;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_segment *s = segment_in_memory();
        assert_int_equal(dry_segment_reserve(s, cases[i].size, NULL), DRY_OK);
        append_pattern(s, cases[i].size);
        finish_and_compare(s, cases[i].size);
        struct dry_segment_stat st = stat_of(s);
        assert_int_equal(st.huge_bytes, cases[i].huge);
        assert_true(st.held_bytes >= cases[i].size && st.held_bytes <= cases[i].size + MIB);
        assert_int_equal(st.fill, cases[i].huge == 0                   ? DRY_FILL_WRITE
                                  : cases[i].huge >= cases[i].size ? DRY_FILL_COLLAPSE
                                                                   : DRY_FILL_MIXED);
        dry_segment_free(s);
    }
}

static void finishing_gives_back_what_was_not_used(void **state)
{
    static const size_t used[] = {0, 100, 5 * MIB + 100};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct dry_segment *s = segment_in_memory();
        assert_int_equal(dry_segment_reserve(s, 12 * MIB, NULL), DRY_OK);
        assert_true(stat_of(s).held_bytes >= 12 * MIB);
        append_pattern(s, used[i]);
        finish_and_compare(s, used[i]);
        struct dry_segment_stat st = stat_of(s);
        assert_true(st.held_bytes <= used[i] + 64 * KIB);
        assert_true(st.huge_bytes <= used[i]); /* the one that was cut is none any more */
        dry_segment_free(s);
    }
}

static void growing_asks_ever_less_often(void **state)
{
    struct dry_segment *s = segment_in_memory();
    (void)state;
    (void)pattern(40 * MIB);
    answer_calls("mount", 0, 0, 0); /* one look at the room for each growth */
    while (dry_segment_size(s) < 40 * MIB) append_pattern(s, 64 * KIB);
    assert_true(counted_calls <= 11); /* 64 KiB, twice as much every time */
    dry_os_fault = NULL;
    finish_and_compare(s, 40 * MIB);
    dry_segment_free(s);
}

static void a_size_that_cannot_be_leaves_the_segment_usable(void **state)
{
    struct dry_segment *s = segment_in_memory();
    struct dry_error err = {0};
    (void)state;
    append_pattern(s, 100);
    assert_int_equal(dry_segment_reserve(s, UINT64_MAX, &err), DRY_TOO_BIG);
    assert_int_equal(dry_segment_reserve(s, (uint64_t)1 << 63, &err), DRY_TOO_BIG);
    assert_int_equal(dry_segment_reserve(s, (uint64_t)1 << 60, &err), DRY_FULL);
    assert_non_null(strstr(err.text, " are needed and "));
    assert_non_null(strstr(err.text, "--store DIR"));
    assert_int_equal(dry_segment_append(s, NULL, 0, &err), DRY_OK);
    append_pattern(s, 100);
    finish_and_compare(s, 200);
    dry_segment_free(s);
}

static void after_finish_nothing_is_appended(void **state)
{
    struct dry_segment *s = segment_in_memory();
    struct dry_error err = {0};
    (void)state;
    append_pattern(s, 2 * MIB);
    assert_int_equal(dry_segment_finish(s, &err), DRY_OK);
    assert_int_equal(mapped_segments(), 0);
    assert_int_equal(dry_segment_append(s, "x", 1, &err), DRY_FIXED);
    assert_int_equal(dry_segment_append_zeros(s, 1, &err), DRY_FIXED);
    assert_int_equal(dry_segment_reserve(s, 1, &err), DRY_FIXED);
    finish_and_compare(s, 2 * MIB);
    dry_segment_free(s);
}

static void a_segment_needs_an_empty_file_and_a_short_name(void **state)
{
    char name[300];
    int fds[2];
    struct dry_segment *s = NULL;
    struct dry_error err = {0};
    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(dry_segment_adopt_fd(fds[0], NULL, &s, &err), DRY_INVALID);
    dry_os_close(fds[0]); /* it was not taken */
    dry_os_close(fds[1]);
    int fd = file_in(memory_dir());
    assert_int_equal(dry_os_write_at(fd, "x", 1, 0), 0);
    assert_int_equal(dry_segment_adopt_fd(fd, NULL, &s, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "not empty"));
    dry_os_close(fd);
    assert_int_equal(dry_segment_adopt_fd(-1, NULL, &s, &err), DRY_IO);
    memset(name, 'n', sizeof name);
    name[201] = '\0';
    assert_int_equal(dry_segment_new(name, NULL, &s, &err), DRY_INVALID);
    assert_null(s);
    name[200] = '\0';
    assert_int_equal(dry_segment_new(name, NULL, &s, &err), DRY_OK);
    dry_segment_free(s);
    dry_segment_free(NULL);
}

/* ---- kernels and file systems that can do less ---- */
static void every_fallback_stores_the_same_bytes(void **state)
{
    static const struct {
        const char *call;
        int sys, from, to; /* which calls of that name fail */
        enum dry_fill fill;
        const char *why;
    } cases[] = {
        {"collapse", ENOSYS, 1, 99, DRY_FILL_WRITE, "a kernel without collapse"},
        {"collapse", EINVAL, 1, 99, DRY_FILL_WRITE, "a kernel that does not collapse files in memory"},
        {"collapse", EAGAIN, 1, 2, DRY_FILL_COLLAPSE, "all at once would not, but one by one they do"},
        {"collapse", EINVAL, 1, 3, DRY_FILL_MIXED, "and the first would not"},
        {"collapse", EINVAL, 1, 5, DRY_FILL_MIXED, "nor the two after it"},
        {"collapse", EBUSY, 1, 4, DRY_FILL_MIXED, "a cgroup that seemed short"},
        {"collapse", ENOMEM, 1, 4, DRY_FILL_MIXED, "no huge page free"},
        {"map_write", ENOMEM, 1, 99, DRY_FILL_WRITE, "no address space"},
        {"allocate", EOPNOTSUPP, 1, 99, DRY_FILL_MIXED, "a file system without fallocate"},
    };
    (void)state;
    if (!can_collapse(memory_dir())) print_message("SKIPPED in part: no collapse here\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_segment *s = segment_in_memory();
        answer_calls(cases[i].call, cases[i].sys, cases[i].from, cases[i].to);
        size_t size = cases[i].fill == DRY_FILL_COLLAPSE ? 10 * MIB : 10 * MIB + 5;
        fill(s, size, RESERVED_WHOLE);
        bool called = counted_calls > 0;
        dry_os_fault = NULL;
        assert_true(called || !can_collapse(memory_dir()));
        finish_and_compare(s, size);
        if (can_collapse(memory_dir()) && stat_of(s).fill != cases[i].fill) fail_msg("%s", cases[i].why);
        dry_segment_free(s);
    }
}

static void without_fallocate_no_collapse_and_no_memory_it_is_plain_writing(void **state)
{
    struct dry_segment *s = segment_over(file_in("/tmp"));
    (void)state;
    answer_calls("allocate", EOPNOTSUPP, 1, 99);
    fill(s, 5 * MIB + 3, ODD_PIECES);
    assert_int_equal(counted_calls, 1); /* it is not asked again */
    dry_os_fault = NULL;
    finish_and_compare(s, 5 * MIB + 3);
    dry_segment_free(s);
}

static void collapse_that_always_fails_is_given_up(void **state)
{
    struct dry_segment *s = segment_in_memory();
    (void)state;
    answer_calls("collapse", EINVAL, 1, 999);
    assert_int_equal(dry_segment_reserve(s, 40 * MIB, NULL), DRY_OK);
    assert_true(counted_calls <= 9); /* all at once, then eight one by one */
    dry_os_fault = NULL;
    assert_true(stat_of(s).held_bytes >= 40 * MIB);
    dry_segment_free(s);
}

static int looks, shortage;

static int count_looks(const char *call)
{
    looks += strcmp(call, "mount") == 0;
    return strcmp(call, "collapse") == 0 ? shortage : 0;
}

static void a_shortage_seen_by_collapse_is_looked_into_before_writing_on(void **state)
{
    static const struct {
        int sys, looks;
    } cases[] = {{0, 1}, {EINVAL, 1}, {EBUSY, 2}, {ENOMEM, 2}};
    (void)state;
    if (!can_collapse(memory_dir())) {
        print_message("SKIPPED: no collapse here\n");
        return;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dry_segment *s = segment_in_memory();
        looks = 0;
        shortage = cases[i].sys;
        dry_os_fault = count_looks;
        assert_int_equal(dry_segment_reserve(s, 2 * MIB, NULL), DRY_OK);
        dry_os_fault = NULL;
        assert_int_equal(looks, cases[i].looks);
        dry_segment_free(s);
    }
}

/* ---- collapse against write(2) ---- */
static int64_t now_ns, collapse_ns, write_ns;

static int64_t fake_clock(void) { return now_ns; }

static int take_time(const char *call)
{
    if (strcmp(call, "collapse") == 0) now_ns += collapse_ns;
    if (strcmp(call, "write_at") == 0) now_ns += write_ns;
    return 0;
}

static uint64_t huge_bytes_when(int64_t one_collapse_ns, int64_t one_write_ns)
{
    struct dry_segment *s; /* a memfd, which a small /dev/shm does not limit */
    assert_int_equal(dry_segment_new("segment_test", NULL, &s, NULL), DRY_OK);
    collapse_ns = one_collapse_ns;
    write_ns = one_write_ns;
    dry_os_clock = fake_clock;
    dry_os_fault = take_time;
    assert_int_equal(dry_segment_reserve(s, 160 * MIB, NULL), DRY_OK);
    dry_os_clock = NULL;
    dry_os_fault = NULL;
    uint64_t huge = stat_of(s).huge_bytes;
    fill(s, 160 * MIB, ODD_PIECES);
    finish_and_compare(s, 160 * MIB);
    dry_segment_free(s);
    return huge;
}

static void collapse_goes_on_only_while_it_is_faster_than_writing(void **state)
{
    (void)state;
    if (!can_collapse(memory_dir())) {
        print_message("SKIPPED: no collapse here\n");
        return;
    }
    /* Eight chunks by one call; to write one of them takes 128. */
    assert_int_equal(huge_bytes_when(8 * 200000, 2000), 160 * MIB);                /* quick: nothing to ask */
    assert_int_equal(huge_bytes_when(8 * 5000000, 2000), 160 * MIB);               /* as a host's cold memory is */
    assert_int_equal(huge_bytes_when(8 * 30000000, 2000), 8 * HUGE);               /* slow, writing is not: given up */
    assert_int_equal(huge_bytes_when(8 * 30000000, 500000), 160 * MIB - 8 * HUGE); /* all is slow, writing more so */
}

/* ---- mapping ---- */
static void a_mapped_file_is_read_in_place(void **state)
{
    static const size_t sizes[] = {1, 4096, MIB - 1, MIB, 5 * MIB + 3};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct ledger l = {0};
        struct dry_allocator a = allocator_of(&l);
        struct dry_storage *bytes;
        struct dry_segment *s = segment_in_memory();
        append_pattern(s, sizes[i]);
        finish_and_compare(s, sizes[i]);
        assert_int_equal(dry_segment_map(dry_segment_fd(s), &a, &bytes, NULL), DRY_OK);
        dry_segment_free(s); /* the descriptor is gone, the bytes stay */
        assert_int_equal(dry_storage_len(bytes), sizes[i]);
        const uint8_t *data = dry_storage_data(bytes);
        if (sizes[i] >= MIB) assert_int_equal((uintptr_t)data % HUGE, 0);
        dry_segment_prefault(data + sizes[i] / 2, sizes[i] - sizes[i] / 2);
        dry_segment_prefault(data, 0);
        assert_memory_equal(data, pattern(sizes[i]), sizes[i]);
        assert_null(dry_storage_try_mut(bytes));
        assert_int_equal(mapped_segments(), 1);
        dry_storage_unref(bytes);
        assert_int_equal(mapped_segments(), 0);
        assert_int_equal(l.blocks_out, 0);
    }
}

static void an_empty_file_is_an_empty_storage(void **state)
{
    struct ledger l = {.fails_at = 1};
    struct dry_allocator a = allocator_of(&l);
    struct dry_storage *bytes = NULL;
    int fd = file_in(memory_dir());
    (void)state;
    assert_int_equal(dry_segment_map(fd, &a, &bytes, NULL), DRY_NOMEM);
    assert_null(bytes);
    assert_int_equal(dry_segment_map(fd, NULL, &bytes, NULL), DRY_OK);
    dry_os_close(fd);
    assert_int_equal(dry_storage_len(bytes), 0);
    dry_storage_unref(bytes);
}

static void what_is_no_file_cannot_be_mapped(void **state)
{
    struct dry_storage *bytes = NULL;
    struct dry_error err = {0};
    int fds[2], dir;
    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(dry_segment_map(fds[0], NULL, &bytes, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "a pipe"));
    dry_os_close(fds[0]);
    dry_os_close(fds[1]);
    assert_int_equal(dry_os_open_directory("/", &dir), 0);
    assert_int_equal(dry_segment_map(dir, NULL, &bytes, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "a directory"));
    dry_os_close(dir);
    assert_int_equal(dry_segment_map(-1, NULL, &bytes, &err), DRY_IO);
    assert_null(bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, note_what_is_held, expect_nothing_held)
    const struct CMUnitTest tests[] = {
        TEST(whatever_is_appended_is_in_the_file),
        TEST(zeros_are_zeros),
        TEST(what_was_reserved_costs_no_call_to_fill),
        TEST(a_small_table_is_written_at_once),
        TEST(the_tail_takes_a_huge_page_from_half_of_it_up),
        TEST(finishing_gives_back_what_was_not_used),
        TEST(growing_asks_ever_less_often),
        TEST(a_size_that_cannot_be_leaves_the_segment_usable),
        TEST(after_finish_nothing_is_appended),
        TEST(a_segment_needs_an_empty_file_and_a_short_name),
        TEST(every_fallback_stores_the_same_bytes),
        TEST(without_fallocate_no_collapse_and_no_memory_it_is_plain_writing),
        TEST(collapse_that_always_fails_is_given_up),
        TEST(a_shortage_seen_by_collapse_is_looked_into_before_writing_on),
        TEST(collapse_goes_on_only_while_it_is_faster_than_writing),
        TEST(a_mapped_file_is_read_in_place),
        TEST(an_empty_file_is_an_empty_storage),
        TEST(what_is_no_file_cannot_be_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

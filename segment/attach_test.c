/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Attaching: what is accepted as what, what is refused with which words, and what goes with the last view.
 */
#define _GNU_SOURCE
#include "protect_testing.h"

#include <sys/mman.h>
#include <sys/socket.h>

/* ---- helpers ---- */
static struct dry_segment *array_of_pattern(size_t n, struct dry_memory **m)
{
    struct dry_segment *s = NULL;
    assert_int_equal(dry_segment_new_array("drystone-segment", "u8[]", n, 1, NULL, &s, m, NULL), DRY_OK);
    memcpy((*m)->at, pattern(n), n);
    return s;
}

static int memfd_of(const void *bytes, size_t n)
{
    int fd = -1;
    assert_int_equal(dry_os_memfd("drystone-segment", &fd), 0);
    if (n) assert_int_equal(dry_os_write_at(fd, bytes, n, 0), 0);
    return fd;
}

static enum dry_status attach(int fd, enum dry_class at_least, const char *layout, struct dry_attached *about,
                              struct dry_error *err)
{
    const struct dry_attach_options options = {.at_least = at_least, .layout = layout};
    struct dry_view v = {0};
    struct dry_attached before = *about;
    enum dry_status status = dry_segment_attach(fd, &options, NULL, &v, about, err);
    if (status != DRY_OK) { /* outputs are as they were */
        assert_null(v.storage);
        assert_memory_equal(&before, about, sizeof before);
    }
    dry_view_unref(&v);
    return status;
}

/* ---- reading ---- */
static void what_is_attached_is_what_was_made(void **state)
{
    static const size_t sizes[] = {1, 4096, MIB, 3 * MIB + 5};
    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (int sealed = 0; sealed < 2; sealed++) {
            struct dry_memory *m;
            struct dry_segment *s = array_of_pattern(sizes[i], &m);
            struct dry_view v, own;
            struct dry_attached about;
            struct dry_error err = {0};
            const struct dry_attach_options options = {.at_least = DRY_CLASS_ANONYMOUS, .layout = "u8[]"};
            assert_int_equal(sealed ? dry_segment_seal(s, &err) : dry_segment_protect(s, &err), DRY_OK);
            assert_int_equal(dry_segment_attach(dry_segment_fd(s), &options, NULL, &v, &about, &err), DRY_OK);
            assert_int_equal(dry_segment_view(s, &own, &err), DRY_OK);
            dry_segment_free(s);
            assert_true(dry_view_equals(&v, &own));
            assert_int_equal(v.len, sizes[i]);
            assert_memory_equal(v.data, pattern(sizes[i]), sizes[i]);
            assert_int_equal((uintptr_t)v.data % DRY_ALIGN, 0);
            assert_int_equal(about.protection, sealed ? DRY_CLASS_SEALED : DRY_CLASS_ANONYMOUS);
            assert_true(about.formatted && about.layout != 0);
            assert_int_equal(about.file_bytes, sizes[i] + 64);
            assert_null(dry_view_try_mut(&v));
            dry_view_unref(&v), dry_view_unref(&own);
        }
}

static void a_view_knows_its_descriptor_to_the_last(void **state)
{
    struct ledger l = {0};
    struct dry_allocator a = allocator_of(&l);
    struct dry_memory *m;
    struct dry_segment *s = array_of_pattern(5000, &m);
    struct dry_view v, part = {0}, clone;
    (void)state;
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_int_equal(dry_segment_attach(dry_segment_fd(s), NULL, &a, &v, NULL, NULL), DRY_OK);
    dry_segment_free(s);
    int fd = dry_segment_fd_of(v.storage);
    assert_true(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
    assert_int_equal(dry_view_slice(&v, 100, 100, &part), DRY_OK);
    clone = dry_view_ref(&part);
    dry_view_unref(&v), dry_view_unref(&part);
    assert_int_equal(dry_segment_fd_of(clone.storage), fd);
    assert_string_equal(dry_storage_kind_name(clone.storage), "mapped file");
    assert_memory_equal(clone.data, pattern(200) + 100, 100);
    assert_int_equal(open_fds(), fds_before + 1);
    assert_int_equal(mapped_segments(), 1);
    dry_view_unref(&clone);
    assert_int_equal(open_fds(), fds_before);
    assert_int_equal(mapped_segments(), 0);
    assert_int_equal(l.blocks_out, 0);

    struct dry_storage *other; /* others have none */
    assert_int_equal(dry_storage_new(10, NULL, &other), DRY_OK);
    assert_int_equal(dry_segment_fd_of(other), -1);
    dry_storage_unref(other);
    assert_int_equal(dry_segment_fd_of(dry_storage_empty()), -1);
    assert_int_equal(dry_segment_fd_of(NULL), -1);
    fd = memfd_of("x", 1);
    assert_int_equal(dry_segment_map(fd, NULL, &other, NULL), DRY_OK);
    assert_int_equal(dry_segment_fd_of(other), -1);
    dry_storage_unref(other);
    dry_os_close(fd);
}

/* ---- protection ---- */
enum thing { PLAIN_FILE, NAMED_FILE, UNLINKED_FILE, PLAIN_MEMFD, SHRINKABLE_MEMFD, ANONYMOUS, SEALED_MEMFD, THINGS };

/* `path` is the name of a named one. */
static int make_thing(enum thing what, char path[64])
{
    strcpy(path, "/tmp/drystone-segment-XXXXXX");
    bool file = what <= UNLINKED_FILE;
    int fd = file ? mkostemp(path, O_CLOEXEC) : memfd_of("x", 1), read_only;
    unsigned seals = what == SHRINKABLE_MEMFD ? DRY_OS_SEAL_WRITE
                     : what == ANONYMOUS      ? DRY_OS_SEAL_SHRINK | DRY_OS_SEAL_GROW | DRY_OS_SEAL_FUTURE_WRITE
                     : what == SEALED_MEMFD   ? DRY_OS_SEAL_SHRINK | DRY_OS_SEAL_WRITE
                                              : 0;
    assert_int_equal(dry_os_write_at(fd, "x", 1, 0), 0);
    if (what != PLAIN_FILE) assert_int_equal(dry_os_set_mode(fd, 0400), 0);
    if (seals) assert_int_equal(dry_os_add_seals(fd, seals), 0);
    assert_int_equal(dry_os_reopen_read(fd, &read_only), 0);
    if (file && what != NAMED_FILE) unlink(path);
    dry_os_close(fd);
    return read_only;
}

/* rule: segment.class */
static void less_protection_than_was_asked_for_is_denied(void **state)
{
    static const enum dry_class expected[THINGS] = {DRY_CLASS_OPEN,  DRY_CLASS_NAMED, DRY_CLASS_OPEN,
                                                    DRY_CLASS_OPEN,  DRY_CLASS_OPEN,  DRY_CLASS_ANONYMOUS,
                                                    DRY_CLASS_SEALED};
    (void)state;
    for (int what = 0; what < THINGS; what++) {
        char path[64];
        int fd = make_thing((enum thing)what, path);
        for (int least = DRY_CLASS_OPEN; least <= DRY_CLASS_SEALED; least++) {
            struct dry_attached about = {0};
            struct dry_error err = {0};
            enum dry_status status = attach(fd, (enum dry_class)least, NULL, &about, &err);
            assert_int_equal(status, (int)expected[what] >= least ? DRY_OK : DRY_DENIED);
            if (status == DRY_OK)
                assert_int_equal(about.protection, expected[what]);
            else
                assert_non_null(strstr(err.text, dry_class_name(expected[what])));
        }
        if (what == NAMED_FILE) unlink(path);
        dry_os_close(fd);
    }
}

/* ---- the header ---- */
struct raw_header {
    char magic[8];
    uint32_t version, bytes;
    uint64_t layout, payload;
    char zero[32];
};

static const struct raw_header good = {"drysegm\1", 1, 64, 0, 36, {0}};

/* A memfd of 100 bytes that begins with h. */
static int file_with(const struct raw_header *h)
{
    char bytes[100] = {0};
    memcpy(bytes, h, sizeof *h);
    return memfd_of(bytes, sizeof bytes);
}

/* rule: segment.header */
static void a_header_is_checked_before_it_is_used(void **state)
{
    struct raw_header bad[9];
    (void)state;
    for (int i = 0; i < 9; i++)
        bad[i] = good;
    bad[0].version = 0, bad[1].version = 2, bad[2].version = 1u << 24; /* the other byte order */
    bad[3].bytes = 0, bad[4].bytes = 128;
    bad[5].payload = 37, bad[6].payload = UINT64_MAX, bad[7].payload = UINT64_MAX - 63;
    bad[8].zero[31] = 1;
    for (int i = 0; i < 9; i++) {
        struct dry_attached about = {0};
        struct dry_error err = {0};
        int fd = file_with(&bad[i]);
        assert_int_equal(attach(fd, DRY_CLASS_OPEN, NULL, &about, &err), DRY_CORRUPT);
        assert_true(strlen(err.text) > 20);
        dry_os_close(fd);
    }
    struct dry_view v;
    for (uint64_t payload = 0; payload <= 36; payload += 18) { /* less than there is: rest of a page */
        struct raw_header h = good;
        h.payload = payload;
        int fd = file_with(&h);
        assert_int_equal(dry_segment_attach(fd, NULL, NULL, &v, NULL, NULL), DRY_OK);
        assert_int_equal(v.len, payload);
        dry_view_unref(&v);
        dry_os_close(fd);
    }
}

/* rule: segment.plain */
static void what_has_no_header_is_what_it_is(void **state)
{
    static const size_t sizes[] = {1, 7, 8, 63, 64, 65, 5000};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct dry_attached about = {0};
        struct dry_error err = {0};
        struct dry_view v;
        int fd = memfd_of(pattern(sizes[i]), sizes[i]);
        assert_int_equal(dry_segment_attach(fd, NULL, NULL, &v, &about, &err), DRY_OK);
        assert_false(about.formatted);
        assert_int_equal(about.layout, 0);
        assert_int_equal(v.len, sizes[i]);
        assert_memory_equal(v.data, pattern(sizes[i]), sizes[i]);
        dry_view_unref(&v);
        assert_int_equal(attach(fd, DRY_CLASS_OPEN, "x", &about, &err), DRY_LAYOUT);
        dry_os_close(fd);
    }
}

/* rule: segment.magic, segment.layout */
static void a_layout_is_compared_and_an_unfinished_one_has_none(void **state)
{
    struct dry_memory *m;
    struct dry_segment *s = array_of_pattern(100, &m);
    struct dry_attached about = {0};
    struct dry_error err = {0};
    int fd = dry_segment_fd(s);
    (void)state;
    assert_int_equal(attach(fd, DRY_CLASS_OPEN, "u8[]", &about, &err), DRY_LAYOUT);
    assert_non_null(strstr(err.text, "not finished"));
    assert_int_equal(attach(fd, DRY_CLASS_OPEN, NULL, &about, &err), DRY_OK);
    assert_false(about.formatted);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_int_equal(attach(fd, DRY_CLASS_OPEN, "u8[]", &about, &err), DRY_OK);
    assert_true(about.formatted);
    assert_int_equal(attach(fd, DRY_CLASS_OPEN, "u16[]", &about, &err), DRY_LAYOUT);
    assert_non_null(strstr(err.text, "u16[]"));
    assert_int_equal(dry_segment_take_back(s, NULL), DRY_OK); /* it is being changed */
    assert_int_equal(attach(fd, DRY_CLASS_OPEN, "u8[]", &about, &err), DRY_LAYOUT);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_int_equal(attach(fd, DRY_CLASS_OPEN, "u8[]", &about, &err), DRY_OK);
    dry_segment_free(s);
}

static void a_segment_is_formatted_first_and_once(void **state)
{
    struct dry_segment *s;
    struct dry_error err = {0};
    struct dry_view v;
    (void)state;
    assert_int_equal(dry_segment_new("drystone-segment", NULL, &s, NULL), DRY_OK);
    assert_int_equal(dry_segment_format(s, "", &err), DRY_OK);
    assert_int_equal(dry_segment_size(s), 64);
    assert_int_equal(dry_segment_format(s, "", &err), DRY_INVALID);
    assert_int_equal(dry_segment_cut(s, 0, &err), DRY_INVALID);
    assert_non_null(strstr(err.text, "header"));
    assert_int_equal(dry_segment_append(s, "some", 4, NULL), DRY_OK);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_int_equal(dry_segment_view(s, &v, NULL), DRY_OK);
    assert_true(v.len == 4 && memcmp(v.data, "some", 4) == 0);
    dry_view_unref(&v);
    dry_segment_free(s);

    struct dry_attached about = {0}; /* a file is whole when it is finished */
    assert_int_equal(dry_segment_adopt_fd(file_in(memory_dir()), NULL, &s, NULL), DRY_OK);
    assert_int_equal(dry_segment_format(s, "x", &err), DRY_OK);
    assert_int_equal(dry_segment_append(s, pattern(3 * MIB), 3 * MIB, NULL), DRY_OK);
    assert_int_equal(attach(dry_segment_fd(s), DRY_CLASS_OPEN, "x", &about, &err), DRY_LAYOUT);
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_int_equal(attach(dry_segment_fd(s), DRY_CLASS_OPEN, "x", &about, &err), DRY_OK);
    assert_int_equal(dry_segment_view(s, &v, NULL), DRY_OK);
    assert_int_equal(v.len, 3 * MIB);
    assert_memory_equal(v.data, pattern(3 * MIB), 3 * MIB);
    dry_view_unref(&v);
    dry_segment_free(s);
}

/* ---- what cannot be attached ---- */
static void what_is_no_file_is_refused_at_once(void **state)
{
    struct dry_attached about = {0};
    struct dry_error err = {0};
    int fds[2], sockets[2], directory, device = open("/dev/zero", O_RDWR | O_CLOEXEC), empty = memfd_of(NULL, 0);
    struct dry_memory *m = NULL;
    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC),
                     0); /* to open the reading end anew would not wait, the writing one's would */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    assert_int_equal(dry_os_open_directory("/", &directory), 0);
    const int bad[] = {fds[0], fds[1], sockets[0], directory, device, empty, -1};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum dry_status expected = bad[i] < 0 ? DRY_IO : DRY_INVALID;
        assert_int_equal(attach(bad[i], DRY_CLASS_OPEN, NULL, &about, &err), expected);
        assert_int_equal(dry_segment_attach_write(bad[i], NULL, NULL, &m, &err), expected);
        assert_null(m);
        assert_true(strlen(err.text) > 20);
        if (bad[i] >= 0) dry_os_close(bad[i]);
    }
    dry_os_close(sockets[1]);
}

static void with_another_user_s_memory(int from, int to, void *arg)
{
    const int *fds = arg; /* inherited: read-only, read-write */
    struct dry_view v;
    struct dry_error err = {0};
    (void)from;
    (void)to;
    if (getuid() != 0 || !become_nobody()) _exit(SKIPPED);
    CHECK(dry_segment_attach(fds[0], NULL, NULL, &v, NULL, &err) == DRY_OK); /* the description that came will do */
    CHECK(memcmp(v.data, pattern(100), 100) == 0);
    dry_view_unref(&v);
    CHECK(dry_segment_attach(fds[1], NULL, NULL, &v, NULL, &err) == DRY_DENIED && strstr(err.text, "Unix socket"));
}

static void another_user_s_memory_is_read_through_what_was_passed(void **state)
{
    int fds[2] = {-1, memfd_of(pattern(100), 100)};
    (void)state;
    assert_int_equal(dry_os_set_mode(fds[1], 0400), 0);
    assert_int_equal(dry_os_reopen_read(fds[1], &fds[0]), 0);
    struct peer p = begin_peer(with_another_user_s_memory, fds);
    expect_done(end_peer(&p, 0), "to become another user");
    dry_os_close(fds[0]), dry_os_close(fds[1]);
}

static int no_proc(const char *call)
{
    return strcmp(call, "reopen_read") == 0 || strcmp(call, "reopen_write") == 0 ? ENOENT : 0;
}

static void without_proc_what_can_only_be_read_is_attached(void **state)
{
    struct dry_view v;
    struct dry_segment *s = NULL;
    struct dry_memory *m = NULL;
    struct dry_error err = {0};
    int fd = memfd_of(pattern(100), 100), read_only;
    (void)state;
    assert_int_equal(dry_os_reopen_read(fd, &read_only), 0);
    dry_os_fault = no_proc;
    assert_int_equal(dry_segment_attach(fd, NULL, NULL, &v, NULL, &err), DRY_NOT_FOUND);
    assert_non_null(strstr(err.text, "/proc"));
    assert_int_equal(dry_segment_attach(read_only, NULL, NULL, &v, NULL, &err), DRY_OK);
    assert_memory_equal(v.data, pattern(100), 100);
    dry_view_unref(&v);
    assert_int_equal(dry_segment_attach_write(fd, NULL, NULL, &m, &err), DRY_NOT_FOUND);
    assert_int_equal(dry_segment_new("drystone-segment", NULL, &s, &err), DRY_IO);
    assert_non_null(strstr(err.text, "mount /proc"));
    dry_os_fault = NULL;
    dry_os_close(fd), dry_os_close(read_only);
}

/* ---- writing ---- */
/* rule: segment.offer */
static void what_is_offered_can_be_written(void **state)
{
    struct dry_memory *m, *w = NULL;
    struct dry_segment *s = array_of_pattern(10000, &m);
    struct dry_error err = {0};
    (void)state;
    int fd = dry_segment_fd(s);
    assert_int_equal(dry_segment_attach_write(fd, "u8[]", NULL, &w, &err),
                     DRY_DENIED); /* not yet; not even for root */
    assert_non_null(strstr(err.text, "dry_segment_offer"));
    assert_int_equal(dry_segment_offer(s, true, NULL), DRY_OK);
    assert_int_equal(dry_segment_attach_write(fd, "f64", NULL, &w, &err), DRY_LAYOUT);
    assert_int_equal(dry_segment_attach_write(fd, "u8[]", NULL, &w, &err), DRY_OK);
    assert_int_equal(w->size_bytes, 10000); /* what follows the header */
    assert_memory_equal(w->at, pattern(10000), 10000);
    memset(w->at, 1, 10000);
    assert_int_equal(((uint8_t *)m->at)[9999], 1);
    assert_int_equal(w->resize(w, 5000), DRY_OK);
    assert_int_equal(w->size_bytes, 10000);
    assert_int_equal(w->resize(w, 10001), DRY_FIXED);
    assert_int_equal(w->resize(w, SIZE_MAX), DRY_FIXED);
    w->release(w);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_int_equal(dry_segment_attach_write(fd, NULL, NULL, &w, &err), DRY_DENIED);
    dry_segment_free(s);
    fd = memfd_of("x", 1); /* sealed, and its mode does not say so */
    assert_int_equal(dry_os_add_seals(fd, DRY_OS_SEAL_FUTURE_WRITE), 0);
    assert_int_equal(dry_segment_attach_write(fd, NULL, NULL, &w, &err), DRY_DENIED);
    dry_os_close(fd);
}

static int never_in_place(const char *call) { return strcmp(call, "map_grow_in_place") == 0 ? ENOMEM : 0; }

static void who_writes_takes_in_what_the_owner_has_added(void **state)
{
    int fd = file_in(memory_dir());
    struct dry_memory *w;
    (void)state;
    assert_int_equal(dry_os_write_at(fd, pattern(9 * MIB), 5000, 0), 0);
    assert_int_equal(dry_segment_attach_write(fd, NULL, NULL, &w, NULL), DRY_OK);
    assert_int_equal(w->resize(w, 5001), DRY_FIXED);
    for (size_t size = 6000; size < 9 * MIB; size *= 3) {
        assert_int_equal(dry_os_write_at(fd, pattern(9 * MIB), size, 0), 0);
        if (size > MIB) dry_os_fault = never_in_place;
        assert_int_equal(w->resize(w, size - 10), DRY_OK);
        dry_os_fault = NULL;
        assert_int_equal(w->size_bytes, size);
        assert_memory_equal(w->at, pattern(size), size);
        assert_int_equal(w->resize(w, size + 1), DRY_FIXED);
    }
    w->release(w);
    dry_os_close(fd);
}

/* ---- files ---- */
static void reads_a_file_that_gets_shorter(int from, int to, void *arg)
{
    struct dry_view v;
    CHECK(dry_segment_attach(*(int *)arg, NULL, NULL, &v, NULL, NULL) == DRY_OK);
    tell(to);
    await(from);
    signal(SIGBUS, SIG_DFL);
    for (size_t i = 0; i < v.len; i += 4096)
        if (v.data[i] != byte_at(i)) _exit(1);
}

/* The defined result: the reader of an open or named file trusts who may write it. */
static void a_file_that_is_cut_under_its_reader_kills_the_reader_alone(void **state)
{
    int fd = file_in(memory_dir());
    (void)state;
    assert_int_equal(dry_os_write_at(fd, pattern(MIB), MIB, 0), 0);
    struct peer p = begin_peer(reads_a_file_that_gets_shorter, &fd);
    wait_for_answer(&p);
    assert_int_equal(dry_os_set_size(fd, 4096), 0);
    go_on(&p);
    int code = end_peer(&p, 0);
#ifdef __SANITIZE_ADDRESS__
    assert_true(code == -SIGBUS || code == 1); /* the sanitizer may report it in its own way */
#else
    assert_int_equal(code, -SIGBUS);
#endif
    dry_os_close(fd);
}

static void pages_in_memory_are_counted(void **state)
{
    struct dry_memory *m;
    struct dry_segment *s = array_of_pattern(100 * KIB, &m);
    struct dry_view v;
    uint64_t resident = 1;
    struct dry_error err = {0};
    (void)state;
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_int_equal(dry_segment_view(s, &v, NULL), DRY_OK);
    assert_int_equal(dry_segment_resident(v.data, v.len, &resident, &err), DRY_OK);
    assert_true(resident >= 100 * KIB && resident <= 108 * KIB);
    assert_int_equal(dry_segment_resident(NULL, 0, &resident, &err), DRY_OK);
    assert_int_equal(resident, 0);
    const uint8_t *gone = v.data;
    dry_view_unref(&v);
    resident = 3;
    assert_int_equal(dry_segment_resident(gone, 100 * KIB, &resident, &err), DRY_NOMEM); /* it is not mapped */
    assert_int_equal(resident, 3);
    dry_segment_free(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, note_what_is_held, expect_nothing_held)
    const struct CMUnitTest tests[] = {
        TEST(what_is_attached_is_what_was_made),
        TEST(a_view_knows_its_descriptor_to_the_last),
        TEST(less_protection_than_was_asked_for_is_denied),
        TEST(a_header_is_checked_before_it_is_used),
        TEST(what_has_no_header_is_what_it_is),
        TEST(a_layout_is_compared_and_an_unfinished_one_has_none),
        TEST(a_segment_is_formatted_first_and_once),
        TEST(what_is_no_file_is_refused_at_once),
        TEST(another_user_s_memory_is_read_through_what_was_passed),
        TEST(without_proc_what_can_only_be_read_is_attached),
        TEST(what_is_offered_can_be_written),
        TEST(who_writes_takes_in_what_the_owner_has_added),
        TEST(a_file_that_is_cut_under_its_reader_kills_the_reader_alone),
        TEST(pages_in_memory_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a segment does when things go wrong: each system call and each allocation in turn, and every kind of shortage.
 */
#define _GNU_SOURCE
#include "segment_testing.h"

#include "../base/check.h"
#include "../base/memory.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* ---- the k-th call fails ---- */
static int call_now, call_that_fails, errno_that_comes;

static int kth_call(const char *call)
{
    (void)call;
    return ++call_now == call_that_fails ? errno_that_comes : 0;
}

static bool fault_came(void) { return call_now >= call_that_fails; }

/* Everything that can be done with a segment, up to the first failure. */
static enum dry_status live(int fd, const struct dry_allocator *a, size_t *size, struct dry_error *err)
{
    static const size_t pieces[] = {100, 3 * MIB, 5, 70000, MIB, 8};
    struct dry_segment *s;
    struct dry_storage *bytes;
    enum dry_status status = dry_segment_adopt_fd(fd, a, &s, err);
    if (status != DRY_OK) {
        dry_os_close(fd);
        return status;
    }
    status = dry_segment_reserve(s, 3 * MIB + 100, err);
    *size = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces && status == DRY_OK; i++) {
        status = dry_segment_append(s, pattern(5 * MIB) + *size, pieces[i], err);
        if (status == DRY_OK) *size += pieces[i];
    }
    if (status == DRY_OK) status = dry_segment_finish(s, err);
    if (status == DRY_OK) status = dry_segment_map(fd, a, &bytes, err);
    if (status == DRY_OK) {
        assert_int_equal(dry_storage_len(bytes), *size);
        assert_memory_equal(dry_storage_data(bytes), pattern(*size), *size);
        dry_storage_unref(bytes);
    }
    assert_int_equal(dry_segment_size(s), *size);
    dry_segment_free(s);
    return status;
}

static void check_words(const struct dry_error *err, enum dry_status status)
{
    assert_int_equal(err->status, status);
    assert_true(strlen(err->text) > 10);
    assert_null(strchr(err->text, '\n'));
}

/* The shared life of a segment: built in place, offered, protected, attached, taken back, sealed. */
static enum dry_status build(struct dry_segment *s, struct dry_memory *m, const struct dry_allocator *a,
                             struct dry_error *err)
{
    struct dry_memory *second, *worker;
    enum dry_status status = m->resize(m, 3 * MIB);
    if (status != DRY_OK) {
        *err = *dry_segment_error(s);
        return status;
    }
    memcpy(m->at, pattern(3 * MIB), 3 * MIB);
    DRY_TRY(dry_segment_piece(s, 100, &second, err));
    DRY_TRY(dry_segment_append(s, "tail", 4, err));
    DRY_TRY(dry_segment_offer(s, true, err));
    DRY_TRY(dry_segment_attach_write(dry_segment_fd(s), "u8[]", a, &worker, err));
    ((uint8_t *)worker->at)[3 * MIB - 1] = 1;
    worker->release(worker);
    return DRY_OK;
}

static enum dry_status read_it(struct dry_segment *s, const struct dry_allocator *a, struct dry_error *err)
{
    struct dry_view own, attached;
    DRY_TRY(dry_segment_view(s, &own, err));
    enum dry_status status = dry_segment_attach(dry_segment_fd(s), NULL, a, &attached, NULL, err);
    if (status == DRY_OK) {
        assert_true(dry_view_equals(&own, &attached));
        dry_view_unref(&attached);
    }
    assert_int_equal(own.data[3 * MIB - 1], 1);
    dry_view_unref(&own);
    return status;
}

static enum dry_status share(struct dry_segment *s, struct dry_memory *m, const struct dry_allocator *a,
                             struct dry_error *err)
{
    struct dry_segment_stat st;
    DRY_TRY(build(s, m, a, err));
    DRY_TRY(dry_segment_protect(s, err));
    DRY_TRY(read_it(s, a, err));
    DRY_TRY(dry_segment_take_back(s, err));
    DRY_TRY(dry_segment_protect(s, err));
    DRY_TRY(dry_segment_stat(s, &st, err));
    DRY_TRY(dry_segment_seal(s, err));
    return read_it(s, a, err);
}

static enum dry_status live_shared(const struct dry_allocator *a, struct dry_error *err)
{
    struct dry_segment *s;
    struct dry_memory *m;
    DRY_TRY(dry_segment_new_array("drystone-segment", "u8[]", 100, 1, a, &s, &m, err));
    enum dry_status status = share(s, m, a, err);
    dry_segment_free(s);
    return status;
}

static enum dry_status live_once(bool shared, const struct dry_allocator *a, struct dry_error *err)
{
    size_t size;
    return shared ? live_shared(a, err) : live(file_in(memory_dir()), a, &size, err);
}

static void each_system_call_may_fail(void **state)
{
    static const int errors[] = {EIO, ENOSPC, ENOMEM, EINVAL, EACCES};
    (void)state;
    for (size_t e = 0; e < 2 * sizeof errors / sizeof *errors; e++) {
        int failures = 0;
        errno_that_comes = errors[e / 2];
        call_that_fails = 0;
        do {
            struct ledger l = {0};
            struct dry_allocator a = allocator_of(&l);
            struct dry_error err = {0};
            call_now = 0;
            call_that_fails++;
            dry_os_fault = kth_call;
            enum dry_status status = live_once(e % 2, &a, &err);
            dry_os_fault = NULL;
            if (status != DRY_OK) check_words(&err, status);
            failures += status != DRY_OK;
            assert_int_equal(l.blocks_out, 0);
            assert_int_equal(mapped_segments(), 0);
            assert_int_equal(open_fds(), fds_before);
        } while (fault_came());
        assert_true(failures >= (e % 2 ? 30 : 5)); /* each step has failed */
    }
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        int failures = 0, asked;
        struct ledger l = {0};
        do {
            struct dry_error err = {0};
            l.asked = 0;
            l.fails_at++;
            struct dry_allocator a = allocator_of(&l);
            enum dry_status status = live_once(shared, &a, &err);
            if (status != DRY_OK) check_words(&err, DRY_NOMEM);
            failures += status != DRY_OK;
            asked = l.asked;
            assert_int_equal(l.blocks_out, 0);
            assert_int_equal(mapped_segments(), 0);
        } while (asked >= l.fails_at);
        assert_true(failures >= (shared ? 6 : 3));
    }
}

/* ---- limits of the process ---- */
/* With ever more descriptors to be had, until the shared life succeeds. */
static void with_few_descriptors(void)
{
    int first = dup(0), refusals = 0;
    CHECK(first >= 0);
    close(first);
    for (rlim_t n = (rlim_t)first; n < (rlim_t)first + 10; n++) {
        struct rlimit limit = {n, 1024};
        struct dry_error err = {0};
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        enum dry_status status = live_shared(NULL, &err);
        int now = dup(0);
        CHECK(n == (rlim_t)first || now == first); /* nothing was left open */
        if (now >= 0) close(now);
        if (status == DRY_OK) {
            CHECK(refusals >= 2);
            return;
        }
        refusals++;
        CHECK(err.sys == EMFILE && strlen(err.text) > 20);
    }
    _exit(98); /* never enough */
}

static void without_descriptors_it_is_an_error(void **state)
{
    (void)state;
    assert_int_equal(in_child(with_few_descriptors), 0);
}

static void with_few_addresses(void)
{
    struct rlimit limit = {512 * MIB, RLIM_INFINITY};
    struct dry_segment *s;
    struct dry_memory *m;
    struct dry_error err = {0};
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    _exit(SKIPPED); /* the sanitizer's own tables are terabytes of addresses */
#endif
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
    CHECK(dry_segment_new("drystone-segment", NULL, &s, NULL) == DRY_OK);
    CHECK(dry_segment_piece(s, 1000, &m, &err) == DRY_OK);
    memcpy(m->at, pattern(MIB), 1000);
    CHECK(m->resize(m, 700 * MIB) == DRY_NOMEM);
    CHECK(strstr(dry_segment_error(s)->text, "RLIMIT_AS") && strstr(dry_segment_error(s)->text, "512 MiB"));
    CHECK(m->size_bytes == 1000 && memcmp(m->at, pattern(MIB), 1000) == 0);
    CHECK(m->resize(m, 20 * MIB) == DRY_OK); /* what there is, can be had */
    dry_segment_free(s);
    /* Appended bytes need no addresses. */
    struct dry_view v;
    CHECK(dry_segment_new("drystone-segment", NULL, &s, NULL) == DRY_OK);
    CHECK(dry_segment_reserve(s, 700 * MIB, &err) == DRY_OK);
    CHECK(dry_segment_append(s, pattern(MIB), MIB, &err) == DRY_OK);
    CHECK(dry_segment_append_zeros(s, 699 * MIB, &err) == DRY_OK);
    CHECK(dry_segment_protect(s, &err) == DRY_OK);
    CHECK(dry_segment_view(s, &v, &err) == DRY_NOMEM && strstr(err.text, "RLIMIT_AS"));
    dry_segment_free(s);
}

static void without_addresses_it_is_an_error_that_names_the_limit(void **state)
{
    (void)state;
    (void)pattern(MIB);
    expect_done(in_child(with_few_addresses), "a limit on addresses under a sanitizer");
}

/* ---- a reserve that fails changes nothing ---- */
/* From the k-th call on nothing works, but that a file can be cut. */
static int all_from_kth_call(const char *call)
{
    bool now = ++call_now >= call_that_fails;
    return now && (strcmp(call, "set_size") != 0 || call_now == call_that_fails) ? ENOSPC : 0;
}

static struct dry_segment_stat stat_of(const struct dry_segment *s)
{
    struct dry_segment_stat st;
    assert_int_equal(dry_segment_stat(s, &st, NULL), DRY_OK);
    return st;
}

static void a_failed_reserve_gives_its_blocks_back(void **state)
{
    enum dry_status status;
    (void)state;
    call_that_fails = 0;
    do {
        struct dry_segment *s;
        struct dry_error err = {0};
        assert_int_equal(dry_segment_adopt_fd(file_in(memory_dir()), NULL, &s, NULL), DRY_OK);
        assert_int_equal(dry_segment_reserve(s, 3 * MIB, NULL), DRY_OK); /* the last chunk is held as a whole */
        assert_int_equal(dry_segment_append(s, pattern(9 * MIB), 3 * MIB - 7, NULL), DRY_OK);
        struct dry_segment_stat before = stat_of(s);
        call_now = 0;
        call_that_fails++;
        dry_os_fault = all_from_kth_call;
        status = dry_segment_reserve(s, 5 * MIB, &err);
        dry_os_fault = NULL;
        if (status != DRY_OK) {
            struct dry_segment_stat after = stat_of(s);
            check_words(&err, status);
            assert_int_equal(after.held_bytes, before.held_bytes);
            assert_int_equal(after.huge_bytes, before.huge_bytes);
            assert_int_equal(after.used_bytes, before.used_bytes);
        }
        assert_int_equal(dry_segment_append(s, pattern(9 * MIB) + 3 * MIB - 7, 5 * MIB, &err), DRY_OK);
        assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
        assert_true(file_is_pattern(dry_segment_fd(s), 8 * MIB - 7));
        dry_segment_free(s);
    } while (status != DRY_OK);
    assert_true(call_that_fails > 5);
}

static int no_writing(const char *call) { return strcmp(call, "write_at") == 0 ? EIO : 0; }

static void a_failed_append_or_finish_can_be_tried_again(void **state)
{
    struct dry_segment *s;
    struct dry_error err = {0};
    size_t at = 0;
    (void)state;
    assert_int_equal(dry_segment_adopt_fd(file_in("/tmp"), NULL, &s, NULL), DRY_OK);
    for (int i = 0; i < 40; i++) { /* staged ones and large ones, each fails first */
        size_t n = i % 3 == 2 ? 100 * KIB : 30 * KIB;
        dry_os_fault = no_writing;
        enum dry_status status = dry_segment_append(s, pattern(9 * MIB) + at, n, &err);
        dry_os_fault = NULL;
        if (status != DRY_OK) {
            assert_int_equal(dry_segment_size(s), at);
            assert_int_equal(dry_segment_append(s, pattern(9 * MIB) + at, n, NULL), DRY_OK);
        }
        at += n;
    }
    dry_os_fault = no_writing;
    assert_int_equal(dry_segment_append_zeros(s, MIB, &err), DRY_IO);
    assert_int_equal(dry_segment_size(s), at);
    assert_int_equal(dry_segment_finish(s, &err), DRY_IO);
    dry_os_fault = NULL;
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_true(file_is_pattern(dry_segment_fd(s), at));
    dry_segment_free(s);
}

/* ---- shortages ---- */
/* Reserves far too much, then as much as there is. */
static void expect_full(int fd, size_t too_much, size_t enough, const char *which)
{
    struct dry_segment *s;
    struct dry_error err = {0};
    CHECK(fd >= 0 && dry_segment_adopt_fd(fd, NULL, &s, NULL) == DRY_OK);
    CHECK(dry_segment_append(s, pattern(enough), 1000, &err) == DRY_OK);
    uint64_t held = 0;
    struct dry_segment_stat st;
    CHECK(dry_segment_stat(s, &st, NULL) == DRY_OK);
    held = st.held_bytes;
    CHECK(dry_segment_reserve(s, too_much, &err) == DRY_FULL);
    CHECK(err.status == DRY_FULL && strstr(err.text, which) && strstr(err.text, "are needed and"));
    CHECK(dry_segment_append(s, pattern(too_much), too_much, &err) == DRY_FULL);
    CHECK(dry_segment_stat(s, &st, NULL) == DRY_OK && st.used_bytes == 1000 && st.held_bytes == held);
    CHECK(dry_segment_reserve(s, enough - 1000, &err) == DRY_OK);
    CHECK(dry_segment_append(s, pattern(enough) + 1000, enough - 1000, &err) == DRY_OK);
    CHECK(dry_segment_finish(s, &err) == DRY_OK && file_is_pattern(dry_segment_fd(s), enough));
    dry_segment_free(s);
}

static void with_a_file_size_limit(void)
{
    struct rlimit limit = {8 * MIB, 8 * MIB};
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    expect_full(file_in(memory_dir()), 9 * MIB, 7 * MIB, "RLIMIT_FSIZE");
    expect_full(file_in("/tmp"), 9 * MIB, 8 * MIB, "RLIMIT_FSIZE");
    struct dry_segment *s;
    CHECK(dry_segment_new("drystone-segment", NULL, &s, NULL) == DRY_OK);
    CHECK(dry_segment_reserve(s, 8 * MIB + 1, NULL) == DRY_FULL);
    CHECK(dry_segment_append(s, pattern(8 * MIB), 8 * MIB, NULL) == DRY_OK);
    CHECK(dry_segment_finish(s, NULL) == DRY_OK);
    dry_segment_free(s);
}

static void a_file_size_limit_is_an_error_and_not_a_signal(void **state)
{
    (void)state;
    assert_int_equal(in_child(with_a_file_size_limit), 0);
}

static bool write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    if (fd >= 0) close(fd);
    return done;
}

/* Where a child mounts a file system of 64 MiB in memory that only it sees. */
static char mount_point[64];

/* false where that is not allowed. */
static bool own_small_mount(void)
{
    char map[64];
    unsigned uid = getuid(), gid = getgid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) {
        snprintf(map, sizeof map, "0 %u 1", uid);
        if (!write_file("/proc/self/uid_map", map)) return false;
        snprintf(map, sizeof map, "0 %u 1", gid);
        if (!write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/gid_map", map)) return false;
    } else if (unshare(CLONE_NEWNS))
        return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("drystone", mount_point, "tmpfs", 0, "size=64M") == 0;
}

static void expect_child_with_mount(void (*body)(void))
{
    strcpy(mount_point, "/tmp/drystone-segment-XXXXXX");
    assert_non_null(mkdtemp(mount_point));
    int code = in_child(body); /* the mount ends with it */
    rmdir(mount_point);
    expect_done(code, "mounts of one's own");
}

static uint64_t free_there(void)
{
    struct statvfs fs;
    CHECK(statvfs(mount_point, &fs) == 0);
    return fs.f_bavail * fs.f_frsize;
}

static void with_a_small_mount(void)
{
    if (!own_small_mount()) _exit(SKIPPED);
    uint64_t before = free_there();
    expect_full(file_in(mount_point), 200 * MIB, 60 * MIB, "in the tmpfs of 64 MiB");
    CHECK(free_there() == before);
    /* Growing until nothing is left: an error, and what had been appended is whole. */
    struct dry_segment *s;
    size_t at = 0;
    CHECK(dry_segment_adopt_fd(file_in(mount_point), NULL, &s, NULL) == DRY_OK);
    while (dry_segment_append(s, pattern(65 * MIB) + at, 100 * KIB, NULL) == DRY_OK)
        at += 100 * KIB;
    CHECK(at > 63 * MIB && at <= 64 * MIB && dry_segment_size(s) == at);
    CHECK(dry_segment_finish(s, NULL) == DRY_OK && file_is_pattern(dry_segment_fd(s), at));
    dry_segment_free(s);
    CHECK(free_there() == before);
}

/* Pieces, which are stored to directly: every page is there, or the growth is refused. */
static void with_pieces_on_a_small_mount(void)
{
    if (!own_small_mount()) _exit(SKIPPED);
    uint64_t before = free_there();
    struct dry_segment *s;
    struct dry_memory *m[3];
    struct dry_view v;
    CHECK(dry_segment_adopt_fd(file_in(mount_point), NULL, &s, NULL) == DRY_OK);
    for (int i = 0; i < 3; i++)
        CHECK(dry_segment_piece(s, 1000, &m[i], NULL) == DRY_OK);
    enum dry_status status = DRY_OK;
    for (int i = 0; status == DRY_OK; i++) {
        struct dry_memory *one = m[i % 3];
        status = one->resize(one, one->size_bytes + 300 * KIB);
        memset(one->at, i, one->size_bytes);
    }
    CHECK(status == DRY_FULL && strstr(dry_segment_error(s)->text, "tmpfs"));
    for (int i = 0; i < 3; i++)
        memset(m[i]->at, i + 1, m[i]->size_bytes);
    CHECK(dry_segment_finish(s, NULL) == DRY_OK);
    CHECK(dry_segment_view(s, &v, NULL) == DRY_OK);
    for (int i = 0; i < 3; i++)
        CHECK(v.data[dry_segment_piece_offset(m[i]) + m[i]->size_bytes - 1] == i + 1);
    dry_segment_free(s);
    CHECK(free_there() < before); /* the view has the memory still */
    dry_view_unref(&v);
    CHECK(free_there() == before); /* its last holder has gone */
}

static void pieces_on_a_full_mount_are_refused_and_never_kill(void **state)
{
    (void)state;
    expect_child_with_mount(with_pieces_on_a_small_mount);
}

static void a_mount_without_room_is_an_error_and_not_a_signal(void **state)
{
    (void)state;
    (void)pattern(200 * MIB);
    expect_child_with_mount(with_a_small_mount);
}

/* Somebody who takes all the room but 256 KiB just after it was looked at. */
static int rival_fd;
static const char *rival_comes_before;
static int rival_waits_for;

static int rival(const char *call)
{
    if (rival_fd < 0 || strcmp(call, rival_comes_before) != 0 || rival_waits_for-- > 0) return 0;
    CHECK(posix_fallocate(rival_fd, 0, (off_t)(free_there() - 256 * KIB)) == 0);
    rival_fd = -1;
    return 0;
}

static void with_a_rival(void)
{
    static const struct {
        const char *call;
        int after;
    } moments[] = {
        {"map_write", 0}, {"set_size", 0}, {"write_at", 0}, {"write_at", 5}, {"collapse", 0}, {"allocate", 0},
    };
    if (!own_small_mount()) _exit(SKIPPED);
    uint64_t before = free_there();
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        struct dry_segment *s;
        struct dry_error err = {0};
        int taken = file_in(mount_point);
        CHECK(taken >= 0 && dry_segment_adopt_fd(file_in(mount_point), NULL, &s, NULL) == DRY_OK);
        rival_fd = taken;
        rival_comes_before = moments[i].call;
        rival_waits_for = moments[i].after;
        dry_os_fault = rival;
        CHECK(dry_segment_reserve(s, 20 * MIB + 500 * KIB, &err) == DRY_FULL);
        dry_os_fault = NULL;
        CHECK(rival_fd == -1 && strstr(err.text, "are needed") && strstr(err.text, "--store DIR"));
        struct dry_segment_stat st;
        CHECK(dry_segment_stat(s, &st, NULL) == DRY_OK && st.held_bytes == 0 && st.huge_bytes == 0);
        CHECK(dry_segment_append(s, pattern(MIB), 200 * KIB, &err) == DRY_OK); /* it works with what is left */
        CHECK(dry_segment_finish(s, &err) == DRY_OK && file_is_pattern(dry_segment_fd(s), 200 * KIB));
        dry_segment_free(s);
        close(taken);
        CHECK(free_there() == before);
    }
}

static void room_that_goes_while_it_is_taken_is_given_back(void **state)
{
    (void)state;
    (void)pattern(MIB);
    expect_child_with_mount(with_a_rival);
}

/* ---- a memory cgroup of 512 MiB ---- */
static char group[64];

static bool in_group(const char *file, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", group, file);
    return write_file(path, text);
}

/* Makes one below `parent` and moves this process there. */
static bool own_group(const char *parent, const char *limit)
{
    snprintf(group, sizeof group, "%s/drystone-test-%d", parent, (int)getppid());
    if (mkdir(group, 0755)) return false;
    return in_group(limit, "536870912") && in_group("cgroup.procs", "0");
}

static void with_a_small_group(void)
{
    if (!own_group("/sys/fs/cgroup/memory", "memory.limit_in_bytes") && !own_group("/sys/fs/cgroup", "memory.max"))
        _exit(SKIPPED);
    struct dry_segment *s;
    struct dry_error err = {0};
    CHECK(dry_segment_new("drystone-segment", NULL, &s, NULL) == DRY_OK);
    CHECK(dry_segment_reserve(s, 1024 * MIB, &err) == DRY_FULL);
    CHECK(strstr(err.text, "memory cgroup") && strstr(err.text, group) && strstr(err.text, "advisory"));
    CHECK(dry_segment_append(s, pattern(8 * MIB), 8 * MIB, &err) == DRY_OK);
    dry_segment_free(s);
    int disk = file_in("/tmp");
    struct dry_os_mount mount;
    CHECK(disk >= 0 && dry_os_mount(disk, &mount) == 0);
    /* A disk's pages can be written back: there the group does not count. */
    if (!mount.in_memory && mount.free_bytes > 2048 * MIB) CHECK(dry_room_check(disk, 0, 1024 * MIB, NULL) == DRY_OK);
}

static void a_memory_cgroup_without_room_refuses_before_the_kernel_kills(void **state)
{
    (void)state;
    (void)pattern(8 * MIB);
    int code = in_child(with_a_small_group);
    for (const char *const *parent = (const char *const[]){"/sys/fs/cgroup/memory", "/sys/fs/cgroup", NULL}; *parent;
         parent++) {
        snprintf(group, sizeof group, "%s/drystone-test-%d", *parent, (int)getpid());
        rmdir(group);
    }
    expect_done(code, "memory cgroups of one's own");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, note_what_is_held, expect_nothing_held)
    const struct CMUnitTest tests[] = {
        TEST(each_system_call_may_fail),
        TEST(each_allocation_may_fail),
        TEST(without_descriptors_it_is_an_error),
        TEST(without_addresses_it_is_an_error_that_names_the_limit),
        TEST(a_failed_reserve_gives_its_blocks_back),
        TEST(a_failed_append_or_finish_can_be_tried_again),
        TEST(a_file_size_limit_is_an_error_and_not_a_signal),
        TEST(a_mount_without_room_is_an_error_and_not_a_signal),
        TEST(pieces_on_a_full_mount_are_refused_and_never_kill),
        TEST(room_that_goes_while_it_is_taken_is_given_back),
        TEST(a_memory_cgroup_without_room_refuses_before_the_kernel_kills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

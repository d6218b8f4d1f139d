/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who can write and who cannot, each tried from a process of its own.
 */
#define _GNU_SOURCE
#include "protect_testing.h"

#include "../base/step.h"

#include <sys/mman.h>

/* ---- the peers ---- */
static void reads_until_told(int from, int to, void *arg)
{
    const struct place *at = arg;
    struct dry_view v;
    int fd = open_place(at, false);
    CHECK(fd >= 0 && dry_segment_attach(fd, NULL, NULL, &v, NULL, NULL) == DRY_OK);
    close(fd);
    CHECK(v.len == at->size && memcmp(v.data, pattern(v.len), v.len) == 0);
    tell(to);
    await(from);
    CHECK(memcmp(v.data, pattern(v.len), v.len) == 0);
    dry_view_unref(&v);
    tell(to);
    await(from);
}

/* Maps it read-write, writes when told, lets it go when told. */
static void writes_when_told(int from, int to, void *arg)
{
    struct dry_memory *m;
    int fd = open_place(arg, true);
    CHECK(fd >= 0 && dry_segment_attach_write(fd, NULL, NULL, &m, NULL) == DRY_OK);
    close(fd);
    tell(to);
    await(from);
    memset(m->at, 0x5a, 1000);
    tell(to);
    await(from);
    m->release(m);
    tell(to);
    await(from);
}

/* Tries everything that would change a protected segment; root's right to open it read-write included. */
static void tries_to_change(int from, int to, void *arg)
{
    const struct place *at = arg;
    int fd = open_place(at, true);
    (void)from;
    (void)to;
    if (getuid() == 0) {
        CHECK(fd >= 0);
        CHECK(pwrite(fd, "x", 1, 0) == -1 && errno == EPERM);
        CHECK(ftruncate(fd, 0) == -1 && errno == EPERM);
        CHECK(ftruncate(fd, 1 << 30) == -1 && errno == EPERM);
        CHECK(fallocate(fd, 3 /* punch */, 0, 4096) == -1 && errno == EPERM);
        CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
        close(fd);
    } else
        CHECK(fd == -EACCES);
    fd = open_place(at, false);
    CHECK(fd >= 0);
    CHECK(pwrite(fd, "x", 1, 0) == -1 && errno == EBADF);
    CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
    struct dry_view v;
    CHECK(dry_segment_attach(fd, NULL, NULL, &v, NULL, NULL) == DRY_OK);
    CHECK(mprotect((void *)(uintptr_t)v.data, 4096, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
    CHECK(memcmp(v.data, pattern(v.len), v.len) == 0);
    dry_view_unref(&v);
    close(fd);
}

static void scribbles(int from, int to, void *arg)
{
    struct dry_view v;
    int fd = open_place(arg, false);
    (void)from;
    CHECK(fd >= 0 && dry_segment_attach(fd, NULL, NULL, &v, NULL, NULL) == DRY_OK);
    tell(to);
    memset((void *)(uintptr_t)v.data, 0, 1);
}

/* ---- protecting ---- */
static void classes_have_names(void **state)
{
    (void)state;
    assert_string_equal(dry_class_name(DRY_CLASS_OPEN), "open");
    assert_string_equal(dry_class_name(DRY_CLASS_NAMED), "named");
    assert_string_equal(dry_class_name(DRY_CLASS_ANONYMOUS), "anonymous");
    assert_string_equal(dry_class_name(DRY_CLASS_SEALED), "sealed");
    assert_string_equal(dry_class_name((enum dry_class)99), "unknown");
}

static void a_protected_segment_cannot_be_changed_by_others(void **state)
{
    struct dry_memory *m;
    struct dry_segment *s = filled(&m);
    struct dry_error err = {0};
    unsigned seals;
    (void)state;
    assert_int_equal(file_of(s).mode, 0400);
    assert_int_equal(class_of(s), DRY_CLASS_OPEN);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK); /* it is already */
    assert_int_equal(class_of(s), DRY_CLASS_ANONYMOUS);
    assert_int_equal(dry_os_get_seals(dry_segment_fd(s), &seals), 0);
    assert_true((seals & 31) == (DRY_OS_SEAL_SHRINK | DRY_OS_SEAL_GROW | DRY_OS_SEAL_FUTURE_WRITE));
    assert_true(file_of(s).modified_ns > 0);
    assert_int_equal(m->resize(m, SIZE + 1), DRY_FIXED);
    assert_int_equal(dry_segment_write_at(s, 0, "x", 1, &err), DRY_DENIED);
    assert_int_equal(dry_segment_append(s, "x", 1, &err), DRY_FIXED);
    assert_int_equal(dry_segment_cut(s, 0, &err), DRY_FIXED);
    struct place at = place_of(s);
    struct peer p = begin_peer(tries_to_change, &at);
    assert_int_equal(end_peer(&p, 0), 0);
    assert_memory_equal(m->at, pattern(SIZE), SIZE);
    dry_segment_free(s);
}

static void a_sealed_segment_cannot_be_changed_by_anybody(void **state)
{
    (void)state;
    for (int protect_first = 0; protect_first < 2; protect_first++) {
        struct dry_memory *m;
        struct dry_segment *s = filled(&m);
        struct dry_error err = {0};
        if (protect_first) assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
        int64_t generation = file_of(s).modified_ns;
        assert_int_equal(dry_segment_seal(s, &err), DRY_OK);
        assert_int_equal(dry_segment_seal(s, &err), DRY_OK);
        assert_int_equal(class_of(s), DRY_CLASS_SEALED);
        if (protect_first) assert_true(generation == file_of(s).modified_ns); /* its handles stay */
        assert_null(dry_segment_bytes(s));
        struct place at = place_of(s);
        struct peer p = begin_peer(tries_to_change, &at);
        assert_int_equal(end_peer(&p, 0), 0);
        assert_int_equal(pwrite(dry_segment_fd(s), "x", 1, 0), -1);
        assert_ptr_equal(mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, dry_segment_fd(s), 0), MAP_FAILED);
        assert_int_equal(dry_segment_take_back(s, &err), DRY_INVALID);
        assert_int_equal(dry_segment_offer(s, true, &err), DRY_INVALID);
        assert_int_equal(dry_segment_rewind(s, &err), DRY_INVALID);
        assert_int_equal(dry_segment_write_at(s, 0, "x", 1, &err), DRY_DENIED);
        struct dry_view v;
        assert_int_equal(dry_segment_view(s, &v, &err), DRY_OK);
        dry_segment_free(s);
        assert_memory_equal(v.data, pattern(SIZE), SIZE);
        dry_view_unref(&v);
    }
}

static void who_writes_through_a_view_dies_and_changes_nothing(void **state)
{
    struct dry_memory *m;
    struct dry_segment *s = filled(&m);
    (void)state;
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    struct place at = place_of(s);
    struct peer p = begin_peer(scribbles, &at);
    wait_for_answer(&p);
#ifdef __SANITIZE_ADDRESS__
    assert_int_not_equal(end_peer(&p, 0), 0);
#else
    assert_int_equal(end_peer(&p, 0), -SIGSEGV);
#endif
    assert_memory_equal(m->at, pattern(SIZE), SIZE);
    dry_segment_free(s);
}

static void as_an_ordinary_user(void)
{
    struct dry_segment *s;
    if (!become_nobody()) _exit(SKIPPED);
    CHECK(dry_segment_new("drystone-segment", NULL, &s, NULL) == DRY_OK);
    CHECK(dry_segment_append(s, pattern(SIZE), SIZE, NULL) == DRY_OK);
    struct place at = {getpid(), dry_segment_fd(s), SIZE};
    CHECK(open_place(&at, true) == -EACCES); /* from the beginning */
    CHECK(dry_segment_offer(s, true, NULL) == DRY_OK);
    int fd = open_place(&at, true);
    CHECK(fd >= 0);
    close(fd);
    CHECK(dry_segment_offer(s, false, NULL) == DRY_OK);
    CHECK(open_place(&at, true) == -EACCES);
    CHECK(dry_segment_protect(s, NULL) == DRY_OK);
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        tries_to_change(pipes[0], pipes[1], &at);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(dry_segment_take_back(s, NULL) == DRY_INVALID); /* it did not stay mapped */
    CHECK(dry_segment_seal(s, NULL) == DRY_OK);
    dry_segment_free(s);
}

static void the_mode_keeps_ordinary_users_out(void **state)
{
    (void)state;
    (void)pattern(SIZE);
    expect_done(in_child(as_an_ordinary_user), "to become another user");
}

/* ---- offering ---- */
/* rule: segment.alone */
static void protecting_waits_for_the_workers(void **state)
{
    struct dry_memory *m;
    struct dry_segment *s = filled(&m);
    struct dry_error err = {0};
    (void)state;
    assert_int_equal(dry_segment_offer(s, true, NULL), DRY_OK);
    assert_true(stat_of(s).offered);
    assert_int_equal(file_of(s).mode, 0600);
    assert_int_equal(m->resize(m, SIZE + 1), DRY_FIXED);
    struct place at = place_of(s);
    struct peer p = begin_peer(writes_when_told, &at);
    wait_for_answer(&p);
    for (int i = 0; i < 2; i++) {
        err.text[0] = '\0';
        assert_int_equal(i ? dry_segment_seal(s, &err) : dry_segment_protect(s, &err), DRY_SHARED);
        assert_non_null(strstr(err.text, "dry_segment_mappers"));
        assert_int_equal(class_of(s), DRY_CLASS_OPEN);
        assert_int_equal(file_of(s).mode, 0600);
        unsigned seals;
        assert_int_equal(dry_os_get_seals(dry_segment_fd(s), &seals), 0);
        assert_int_equal(seals & 31, 0);
        assert_int_equal(m->size_bytes, SIZE); /* the piece is still there */
        assert_memory_equal(m->at, pattern(SIZE), SIZE);
    }
    assert_int_equal(dry_segment_offer(s, false, NULL), DRY_OK); /* who has it keeps it */
    go_on(&p);
    wait_for_answer(&p);
    assert_int_equal(*(uint8_t *)m->at, 0x5a);
    assert_int_equal(dry_segment_protect(s, &err), DRY_SHARED);
    assert_int_equal(file_of(s).mode, 0400);
    assert_int_equal(end_peer(&p, SIGKILL), -SIGKILL);
    assert_int_equal(dry_segment_protect(s, &err), DRY_OK);
    assert_false(stat_of(s).offered);
    assert_int_equal(file_of(s).mode, 0400);
    dry_segment_free(s);
}

static void sealing_waits_for_mappings_only(void **state)
{
    struct dry_memory *m;
    struct dry_segment *s = filled(&m);
    (void)state;
    assert_int_equal(dry_segment_offer(s, true, NULL), DRY_OK);
    struct place at = place_of(s);
    struct peer p = begin_peer(writes_when_told, &at);
    wait_for_answer(&p);
    go_on(&p);
    wait_for_answer(&p);
    assert_int_equal(dry_segment_seal(s, NULL), DRY_SHARED);
    *(uint8_t *)m->at = 1; /* still ours to write */
    go_on(&p);
    wait_for_answer(&p);
    assert_int_equal(dry_segment_seal(s, NULL), DRY_OK);
    assert_int_equal(end_peer(&p, 0), 0);
    dry_segment_free(s);
}

static void a_worker_s_child_counts_too(void **state)
{
    struct dry_memory *m;
    struct dry_segment *s = filled(&m);
    struct dry_memory *inherited;
    int pipes[2];
    (void)state;
    assert_int_equal(dry_segment_offer(s, true, NULL), DRY_OK);
    assert_int_equal(dry_segment_attach_write(dry_segment_fd(s), NULL, NULL, &inherited, NULL), DRY_OK);
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char word;
        close(pipes[1]);
        memset(inherited->at, 3, 10); /* a worker's mapping is inherited */
        CHECK(read(pipes[0], &word, 1) == 0);
        _exit(0);
    }
    close(pipes[0]);
    inherited->release(inherited);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_SHARED);
    close(pipes[1]);
    assert_int_equal(outcome(child), 0);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_int_equal(((uint8_t *)m->at)[9], 3);
    dry_segment_free(s);
}

/* ---- taking back ---- */
/* rule: segment.generation */
static void a_segment_is_taken_back_when_nobody_has_it(void **state)
{
    struct dry_memory *m;
    struct dry_segment *s = filled(&m);
    struct dry_error err = {0};
    struct dry_view v;
    int64_t before = 0;
    (void)state;
    assert_int_equal(dry_segment_take_back(s, &err), DRY_INVALID); /* it was never protected */
    for (int round = 0; round < 3; round++) {
        assert_int_equal(dry_segment_protect(s, &err), DRY_OK);
        int64_t generation = file_of(s).modified_ns;
        assert_true(generation > before);
        before = generation;
        assert_int_equal(dry_segment_view(s, &v, &err), DRY_OK);
        assert_int_equal(dry_segment_take_back(s, &err), DRY_SHARED); /* our own view */
        assert_true(file_of(s).modified_ns == generation);
        dry_view_unref(&v);
        assert_int_equal(dry_segment_take_back(s, &err), DRY_OK);
        assert_int_equal(file_of(s).modified_ns, 0);
        assert_int_equal(class_of(s), DRY_CLASS_OPEN);
        memset(m->at, round, 100);
        assert_int_equal(dry_segment_write_at(s, 200, "word", 4, &err), DRY_OK);
        assert_int_equal(m->resize(m, 100), DRY_FIXED);
        assert_int_equal(dry_segment_offer(s, true, &err), DRY_INVALID);
        assert_int_equal(dry_segment_view(s, &v, &err), DRY_INVALID);
    }
    assert_int_equal(dry_segment_protect(s, &err), DRY_OK);
    assert_int_equal(dry_segment_take_back(s, &err), DRY_OK);
    assert_int_equal(dry_segment_seal(s, &err), DRY_OK);
    assert_int_equal(dry_segment_view(s, &v, &err), DRY_OK);
    assert_true(v.data[0] == 2 && memcmp(v.data + 200, "word", 4) == 0);
    dry_view_unref(&v);
    dry_segment_free(s);
}

static void a_reader_elsewhere_keeps_it_from_being_taken_back(void **state)
{
    struct dry_memory *m;
    struct dry_segment *s = filled(&m);
    struct dry_error err = {0};
    (void)state;
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    struct place at = place_of(s);
    for (int kill_it = 0; kill_it < 2; kill_it++) {
        struct peer p = begin_peer(reads_until_told, &at);
        wait_for_answer(&p);
        assert_int_equal(dry_segment_take_back(s, &err), DRY_SHARED);
        assert_int_equal(class_of(s), DRY_CLASS_ANONYMOUS);
        if (kill_it) {
            assert_int_equal(end_peer(&p, SIGKILL), -SIGKILL);
        } else {
            go_on(&p); /* it compares once more, then lets go and lives on */
            wait_for_answer(&p);
        }
        assert_int_equal(dry_segment_take_back(s, &err), DRY_OK);
        assert_int_equal(dry_segment_protect(s, &err), DRY_OK);
        if (!kill_it) assert_int_equal(end_peer(&p, 0), 0);
    }
    dry_segment_free(s);
}

static void execs_a_foreign_program(int from, int to, void *arg)
{
    const struct place *at = arg;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)at->pid, at->number);
    CHECK(dup2(from, 0) == 0 && dup2(to, 1) == 1);
    execl("/bin/sh", "sh", "-c", "exec 3<\"$1\"; printf x; read word", "sh", path, (char *)NULL);
    _exit(98);
}

static void a_foreign_program_counts_too(void **state)
{
    struct dry_memory *m;
    struct dry_segment *s = filled(&m);
    (void)state;
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    struct place at = place_of(s);
    struct peer p = begin_peer(execs_a_foreign_program, &at);
    wait_for_answer(&p);
    assert_int_equal(dry_segment_take_back(s, NULL), DRY_SHARED);
    (void)end_peer(&p, SIGKILL);
    assert_int_equal(dry_segment_take_back(s, NULL), DRY_OK);
    dry_segment_free(s);
}

static void opens_when_told(int from, int to, void *arg)
{
    struct dry_view v;
    const struct place *at = arg;
    tell(to);
    await(from);
    int fd = open_place(&(struct place){at->pid, at->number, at->size}, false);
    /* Not to be kept waiting is what it asked for: EAGAIN; then it waits in open. */
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)at->pid, at->number);
    CHECK(fd == -EAGAIN);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0 && dry_segment_attach(fd, NULL, NULL, &v, NULL, NULL) == DRY_OK);
    CHECK(v.len == at->size && memcmp(v.data, pattern(v.len), v.len) == 0);
    dry_view_unref(&v);
    close(fd);
}

static struct peer *opener;
static int leased_fd;

static void let_it_open(const char *what)
{
    bool whole = true;
    if (strcmp(what, "take back: handles are dead") != 0) return;
    go_on(opener);
    while (whole)
        assert_int_equal(dry_os_has_lease(leased_fd, &whole), 0); /* until it waits */
}

/* rule: segment.take-back */
static void who_opens_it_meanwhile_is_waited_for(void **state)
{
    struct dry_memory *m;
    struct dry_segment *s = filled(&m);
    struct dry_error err = {0};
    (void)state;
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    int64_t generation = file_of(s).modified_ns;
    struct place at = place_of(s);
    struct peer p = begin_peer(opens_when_told, &at);
    wait_for_answer(&p);
    opener = &p;
    leased_fd = dry_segment_fd(s);
    dry_step_hook = let_it_open;
    assert_int_equal(dry_segment_take_back(s, &err), DRY_SHARED);
    dry_step_hook = NULL;
    assert_non_null(strstr(err.text, "just opening"));
    assert_true(file_of(s).modified_ns == generation); /* its handle is as good as before */
    assert_int_equal(class_of(s), DRY_CLASS_ANONYMOUS);
    assert_int_equal(end_peer(&p, 0), 0);
    assert_int_equal(dry_segment_take_back(s, &err), DRY_OK);
    dry_segment_free(s);
}

/* ---- files ---- */
static void a_file_is_protected_by_its_mode_and_name(void **state)
{
    char path[64] = "/tmp/drystone-segment-XXXXXX";
    struct dry_segment *s;
    struct dry_error err = {0};
    (void)state;
    assert_int_equal(dry_segment_adopt_fd(mkostemp(path, O_CLOEXEC), NULL, &s, NULL), DRY_OK);
    assert_int_equal(dry_segment_append(s, "x", 1, NULL), DRY_OK);
    assert_int_equal(dry_segment_protect(s, &err), DRY_INVALID);
    assert_int_equal(dry_segment_seal(s, &err), DRY_INVALID);
    assert_int_equal(dry_segment_offer(s, true, &err), DRY_INVALID);
    assert_int_equal(dry_segment_take_back(s, &err), DRY_INVALID);
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_int_equal(class_of(s), DRY_CLASS_OPEN);
    assert_int_equal(dry_os_set_mode(dry_segment_fd(s), 0400), 0);
    assert_int_equal(class_of(s), DRY_CLASS_NAMED);
    unlink(path);
    assert_int_equal(class_of(s), DRY_CLASS_OPEN);
    dry_segment_free(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, note_what_is_held, expect_nothing_held)
    const struct CMUnitTest tests[] = {
        TEST(classes_have_names),
        TEST(a_protected_segment_cannot_be_changed_by_others),
        TEST(a_sealed_segment_cannot_be_changed_by_anybody),
        TEST(who_writes_through_a_view_dies_and_changes_nothing),
        TEST(the_mode_keeps_ordinary_users_out),
        TEST(protecting_waits_for_the_workers),
        TEST(sealing_waits_for_mappings_only),
        TEST(a_worker_s_child_counts_too),
        TEST(a_segment_is_taken_back_when_nobody_has_it),
        TEST(a_reader_elsewhere_keeps_it_from_being_taken_back),
        TEST(a_foreign_program_counts_too),
        TEST(who_opens_it_meanwhile_is_waited_for),
        TEST(a_file_is_protected_by_its_mode_and_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Handles from process to process: who can open them, until when, and what the others are told.
 */
#define _GNU_SOURCE
#include "pass_testing.h"
#include "../base/step.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* ---- all the ways that text goes ---- */
static void the_process_that_made_it_opens_it_too(void **state)
{
    char handle[DRY_HANDLE_SIZE];
    struct dry_segment *s = make_shared();
    (void)state;
    assert_non_null(s);
    assert_int_equal(dry_segment_handle(s, handle, NULL), DRY_OK);
    assert_int_equal(look_at_handle(handle), DRY_OK);
    dry_segment_free(s);
    assert_true(is_refused(handle, false, DRY_NOT_FOUND, "let the memory go"));
}

static void look_in_a_child(void *arg)
{
    CHECK(look_at_handle(arg) == DRY_OK);
}

static void look_in_a_grandchild(void *arg)
{
    CHECK(harness_run(look_in_a_child, arg) == 0);
}

static void children_and_grandchildren_open_it(void **state)
{
    struct creator c;
    (void)state;
    assert_true(creator_start(&c));
    pid_t several[8];
    for (size_t i = 0; i < 8; i++)
        several[i] = harness_start(i % 2 ? look_in_a_child : look_in_a_grandchild, c.handle);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(harness_end(several[i]), 0);
    assert_int_equal(creator_end(&c), 0);
}

static void other_programs_open_it(void **state)
{
    char environment[DRY_HANDLE_SIZE + 8];
    struct creator c;
    int ends[2];
    (void)state;
    assert_true(creator_start(&c));
    assert_int_equal(run_program("handle", c.handle, NULL), 0);
    assert_int_equal(run_program("again", c.handle, NULL), 0);
    snprintf(environment, sizeof environment, "HANDLE=%s", c.handle);
    assert_int_equal(run_program("environment", NULL, environment), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], c.handle, sizeof c.handle), sizeof c.handle);
    int in = fcntl(0, F_DUPFD_CLOEXEC, 3);
    assert_int_equal(dup2(ends[0], 0), 0);
    assert_int_equal(run_program("bytes", NULL, NULL), 0);
    if (in >= 0) assert_int_equal(dup2(in, 0), 0);
    if (in >= 0) close(in);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(creator_end(&c), 0);
    assert_int_equal(run_program("handle", c.handle, NULL), 10 + DRY_NOT_FOUND);
}

/* ---- the creator ends ---- */
static void killed_before_is_an_error_with_words(void **state)
{
    struct creator c;
    (void)state;
    assert_true(creator_start(&c));
    creator_kill(&c, false); /* nobody has waited for it: its pid is still there */
    assert_true(is_refused(c.handle, false, DRY_NOT_FOUND, "has ended"));
    assert_int_equal(held_anywhere(), 0);
    assert_int_equal(harness_end(c.pid), -SIGKILL);
    assert_true(is_refused(c.handle, false, DRY_NOT_FOUND, "has ended"));
}

static void killed_while_it_is_attached_costs_nothing(void **state)
{
    char onward[DRY_HANDLE_SIZE];
    struct dry_view v;
    struct creator c;
    (void)state;
    assert_true(creator_start(&c));
    assert_int_equal(attach_handle(c.handle, &v, NULL), DRY_OK);
    creator_kill(&c, true);
    assert_true(is_shared(&v));
    assert_true(is_refused(c.handle, false, DRY_NOT_FOUND, "has ended"));
    assert_int_equal(dry_view_handle(&v, onward, NULL), DRY_OK); /* who has it can pass it on */
    assert_int_equal(run_program("handle", onward, NULL), 0);
    struct dry_view part;
    assert_int_equal(dry_view_slice(&v, 5, 7, &part), DRY_OK);
    dry_view_unref(&v);
    char of_part[DRY_HANDLE_SIZE];
    assert_int_equal(dry_view_handle(&part, of_part, NULL), DRY_OK); /* of all of it */
    assert_string_equal(of_part, onward);
    dry_view_unref(&part);
    assert_true(is_refused(onward, false, DRY_NOT_FOUND, "let the memory go"));
}

static void killed_afterwards_leaves_nothing(void **state)
{
    struct creator c;
    (void)state;
    assert_true(creator_start(&c));
    assert_int_equal(look_at_handle(c.handle), DRY_OK);
    assert_true(held_anywhere() > 0);
    creator_kill(&c, true);
    assert_int_equal(held_anywhere(), 0);
}

static void freed_is_told_from_ended(void **state)
{
    struct creator c;
    (void)state;
    assert_true(creator_start(&c));
    assert_int_equal(creator_do(&c, 'f'), DRY_OK);
    assert_true(is_refused(c.handle, false, DRY_NOT_FOUND, "has let the memory go"));
    assert_int_equal(creator_end(&c), 0);
}

/* ---- what the creator does with it ---- */
static void taking_back_ends_every_handle(void **state)
{
    char old[DRY_HANDLE_SIZE];
    struct dry_view v;
    struct creator c;
    (void)state;
    assert_true(creator_start(&c));
    memcpy(old, c.handle, sizeof old);
    assert_int_equal(attach_handle(old, &v, NULL), DRY_OK);
    assert_int_equal(creator_do(&c, 't'), DRY_SHARED);
    assert_int_equal(look_at_handle(old), DRY_OK); /* nothing has changed */
    dry_view_unref(&v);
    assert_int_equal(creator_do(&c, 't'), DRY_OK);
    assert_true(is_refused(old, false, DRY_NOT_FOUND, "taken back"));
    assert_int_equal(creator_do(&c, 'h'), DRY_INVALID);
    assert_int_equal(creator_do(&c, 'p'), DRY_OK);
    assert_true(is_refused(old, false, DRY_NOT_FOUND, "ask process"));
    assert_int_equal(creator_do(&c, 'h'), DRY_OK);
    assert_int_equal(look_at_handle(c.handle), DRY_OK);
    assert_int_equal(creator_do(&c, 's'), DRY_OK);
    assert_int_equal(creator_do(&c, 'h'), DRY_OK);
    assert_int_equal(look_at_handle(c.handle), DRY_OK);
    assert_true(is_refused(c.handle, true, DRY_DENIED, "not offered"));
    assert_int_equal(creator_end(&c), 0);
}

static void stop_under_the_lease(const char *what)
{
    if (strcmp(what, "take back: handles are dead") == 0) raise(SIGSTOP);
}

static void obey_and_stop(void *arg)
{
    dry_step_hook = stop_under_the_lease;
    obey(arg);
}

static void wait_for_stop(const struct creator *c)
{
    siginfo_t info;
    assert_int_equal(write(c->s[0], "t", 1), 1);
    assert_int_equal(waitid(P_PID, (id_t)c->pid, &info, WSTOPPED), 0);
}

static enum dry_status go_on(const struct creator *c)
{
    enum dry_status status = DRY_STATUS_COUNT;
    assert_int_equal(kill(c->pid, SIGCONT), 0);
    assert_int_equal(read(c->s[0], &status, sizeof status), sizeof status);
    return status;
}

/* The worst moment: the creator holds the lease, handles are dead, and it does nothing. */
static void a_creator_that_is_stopped_while_it_takes_back_stops_nobody(void **state)
{
    struct creator c;
    (void)state;
    assert_true(creator_start_with(&c, obey_and_stop));
    wait_for_stop(&c);
    assert_true(is_refused(c.handle, false, DRY_NOT_FOUND, "being taken back"));
    assert_int_equal(go_on(&c), DRY_SHARED); /* it has noticed that somebody came */
    assert_int_equal(look_at_handle(c.handle), DRY_OK);
    wait_for_stop(&c);
    assert_int_equal(go_on(&c), DRY_OK); /* nobody came */
    assert_true(is_refused(c.handle, false, DRY_NOT_FOUND, "taken back or changed"));
    assert_int_equal(creator_end(&c), 0);
    assert_true(creator_start_with(&c, obey_and_stop));
    wait_for_stop(&c);
    creator_kill(&c, true);
    assert_true(is_refused(c.handle, false, DRY_NOT_FOUND, "has ended"));
}

static void write_a_byte(void *arg)
{
    struct dry_memory *m;
    int fd;
    CHECK(dry_handle_open(arg, true, &fd, NULL) == DRY_OK);
    CHECK(dry_segment_attach_write(fd, NULL, NULL, &m, NULL) == DRY_OK);
    CHECK(m->size_bytes == SHARED_BYTES);
    ((uint8_t *)m->at)[7] = 99;
    m->release(m);
    close(fd);
}

static void what_is_offered_is_written_by_others_until_it_is_protected(void **state)
{
    char handle[DRY_HANDLE_SIZE] = "untouched";
    struct dry_view v;
    int fd;
    struct dry_segment *s = make_unprotected();
    (void)state;
    assert_non_null(s);
    assert_int_equal(dry_segment_handle(s, handle, NULL), DRY_INVALID);
    assert_string_equal(handle, "untouched");
    assert_int_equal(dry_segment_offer(s, true, NULL), DRY_OK);
    assert_int_equal(dry_segment_handle(s, handle, NULL), DRY_OK);
    assert_int_equal(harness_run(write_a_byte, handle), 0);
    assert_int_equal(dry_handle_open(handle, true, &fd, NULL), DRY_OK);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_SHARED);
    close(fd);
    assert_int_equal(dry_segment_protect(s, NULL), DRY_OK);
    assert_true(is_refused(handle, true, DRY_DENIED, "protected by now"));
    assert_int_equal(attach_handle(handle, &v, NULL), DRY_OK);
    assert_int_equal(v.data[7], 99);
    dry_view_unref(&v);
    dry_segment_free(s);
}

static void a_view_of_a_file_has_a_handle(void **state)
{
    char path[] = "/tmp/drystone-pass-test-XXXXXX", handle[DRY_HANDLE_SIZE];
    struct dry_view v, heap = {0};
    int fd = mkostemp(path, O_CLOEXEC);
    (void)state;
    assert_true(fd >= 0);
    uint8_t *bytes = malloc(SHARED_BYTES);
    for (size_t i = 0; i < SHARED_BYTES; i++)
        bytes[i] = shared_byte(i);
    assert_int_equal(write(fd, bytes, SHARED_BYTES), SHARED_BYTES);
    free(bytes);
    assert_int_equal(dry_segment_attach(fd, NULL, NULL, &v, NULL, NULL), DRY_OK);
    assert_int_equal(dry_view_handle(&v, handle, NULL), DRY_OK);
    int again;
    assert_int_equal(dry_handle_open(handle, false, &again, NULL), DRY_OK);
    close(again);
    assert_int_equal(pwrite(fd, "x", 1, 0), 1); /* it is another content now */
    assert_true(is_refused(handle, false, DRY_NOT_FOUND, "changed since"));
    dry_view_unref(&v);
    assert_int_equal(dry_view_handle(&heap, handle, NULL), DRY_INVALID);
    close(fd);
    unlink(path);
}

/* ---- who may not ---- */
static void be_refused_as_another_user(void *arg)
{
    CHECK(harness_become_nobody());
    CHECK(is_refused(arg, false, DRY_DENIED, "another user"));
    CHECK(is_refused(arg, true, DRY_DENIED, "Unix socket"));
}

static void another_user_is_denied(void **state)
{
    struct creator c;
    (void)state;
    if (geteuid() != 0) skip(); /* only root becomes another user */
    assert_true(creator_start(&c));
    assert_int_equal(harness_run(be_refused_as_another_user, c.handle), 0);
    assert_int_equal(creator_end(&c), 0);
}

static void obey_as_nobody(void *arg)
{
    CHECK(harness_become_nobody());
    obey(arg);
}

static void obey_as_nobody_who_may_be_looked_at(void *arg)
{
    CHECK(harness_become_nobody());
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    obey(arg);
}

static void look_as_nobody(void *arg)
{
    CHECK(harness_become_nobody());
    CHECK(look_at_handle(arg) == DRY_OK);
}

/* The kernel hides who has changed its user from that user. */
static void a_private_process_denies_its_own_user(void **state)
{
    struct creator c;
    (void)state;
    if (geteuid() != 0) skip(); /* only root becomes another user */
    assert_true(creator_start_with(&c, obey_as_nobody));
    assert_int_equal(harness_run(be_refused_as_another_user, c.handle), 0);
    assert_int_equal(creator_end(&c), 0);
    assert_true(creator_start_with(&c, obey_as_nobody_who_may_be_looked_at));
    assert_int_equal(harness_run(look_as_nobody, c.handle), 0);
    assert_int_equal(creator_end(&c), 0);
}

enum { NOT_HERE = 77 };

static void be_refused_by_hidepid(void *arg)
{
    if (!harness_own_mounts() || mount("proc", "/proc", "proc", 0, "hidepid=2")) _exit(NOT_HERE);
    CHECK(harness_become_nobody());
    CHECK(is_refused(arg, false, DRY_DENIED, "hidepid")); /* and not "has ended" */
}

static void what_proc_hides_has_not_ended(void **state)
{
    struct creator c;
    (void)state;
    if (geteuid() != 0) skip(); /* only root becomes another user */
    assert_true(creator_start(&c));
    int code = harness_run(be_refused_by_hidepid, c.handle);
    assert_int_equal(creator_end(&c), 0);
    if (code == NOT_HERE) skip(); /* no mounts of one's own */
    assert_int_equal(code, 0);
}

static void be_refused_in_a_namespace(void *arg)
{
    CHECK(getpid() == 1);
    int fd;
    CHECK(dry_handle_open(arg, false, &fd, NULL) == DRY_OK); /* /proc is the creator's still: it leads to the memory */
    close(fd);
    if (!harness_own_mounts() || mount("proc", "/proc", "proc", 0, NULL)) _exit(NOT_HERE);
    CHECK(is_refused(arg, false, DRY_DENIED, "another PID namespace"));
    if (umount("/proc") || umount2("/proc", MNT_DETACH)) _exit(NOT_HERE);
    CHECK(is_refused(arg, false, DRY_IO, "not mounted"));
}

static void enter_a_namespace(void *arg)
{
    if (unshare(CLONE_NEWPID)) _exit(NOT_HERE);
    _exit(harness_run(be_refused_in_a_namespace, arg));
}

static void another_pid_namespace_is_told(void **state)
{
    struct creator c;
    (void)state;
    assert_true(creator_start(&c));
    int code = harness_run(enter_a_namespace, c.handle);
    assert_int_equal(creator_end(&c), 0);
    if (code == NOT_HERE) skip(); /* no namespaces of one's own */
    assert_int_equal(code, 0);
}

/* ---- limits ---- */
static void run_out_of_descriptors(void *arg)
{
    struct dry_view v;
    struct rlimit limit;
    int last = -1;
    for (int fd = 0; fd >= 0; fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) {
        last = fd;
        if (fd < 64) continue;
        limit = (struct rlimit){65, 65};
        CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    }
    for (int left = 0; left < 8; left++) { /* with none left, one, two ... until it works */
        int before = harness_open_fds();
        struct dry_error err = {0};
        enum dry_status status = attach_handle(arg, &v, &err);
        CHECK(status == DRY_OK || (status == DRY_IO && err.text[0]));
        if (status == DRY_OK) {
            CHECK(left >= 2);
            dry_view_unref(&v);
            CHECK(harness_open_fds() == before);
            return;
        }
        CHECK(harness_open_fds() == before);
        close(last--);
    }
    CHECK(false); /* it never worked */
}

static void without_descriptors_nothing_leaks(void **state)
{
    struct creator c;
    (void)state;
    assert_true(creator_start(&c));
    assert_int_equal(harness_run(run_out_of_descriptors, c.handle), 0);
    assert_int_equal(creator_end(&c), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(the_process_that_made_it_opens_it_too),
        TEST(children_and_grandchildren_open_it),
        TEST(other_programs_open_it),
        TEST(killed_before_is_an_error_with_words),
        TEST(killed_while_it_is_attached_costs_nothing),
        TEST(killed_afterwards_leaves_nothing),
        TEST(freed_is_told_from_ended),
        TEST(a_creator_that_is_stopped_while_it_takes_back_stops_nobody),
        TEST(taking_back_ends_every_handle),
        TEST(what_is_offered_is_written_by_others_until_it_is_protected),
        TEST(a_view_of_a_file_has_a_handle),
        TEST(another_user_is_denied),
        TEST(a_private_process_denies_its_own_user),
        TEST(what_proc_hides_has_not_ended),
        TEST(another_pid_namespace_is_told),
        TEST(without_descriptors_nothing_leaks),
    };
    if (argc > 1) return be_started(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

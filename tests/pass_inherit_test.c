/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a program inherits: descriptors by number, named in its environment. Their creator may be gone.
 */
#define _GNU_SOURCE
#include "pass_testing.h"

#include <spawn.h>
#include <sys/prctl.h>

extern char **environ;

/* What a parent does before it starts a program. */
struct passed {
    char handle[DRY_HANDLE_SIZE], environment[DRY_INHERIT_SIZE];
    int fd;
};

static void prepare(struct passed *p)
{
    struct dry_view v;
    struct dry_segment *s = make_shared();
    assert_non_null(s);
    assert_int_equal(dry_segment_handle(s, p->handle, NULL), DRY_OK);
    assert_int_equal(dry_segment_view(s, &v, NULL), DRY_OK);
    assert_int_equal(dry_pass_inherit(dry_segment_fd_of(v.storage), &p->fd, p->environment, NULL), DRY_OK);
    dry_view_unref(&v);
    dry_segment_free(s);
    assert_true(is_refused(p->handle, false, DRY_NOT_FOUND, "let the memory go")); /* here the variable is not set */
}

static void a_program_opens_what_it_inherited(void **state)
{
    struct passed p;
    (void)state;
    prepare(&p);
    assert_int_equal(run_program("handle", p.handle, p.environment), 0);
    assert_int_equal(run_program("again", p.handle, p.environment), 0); /* and passes it on, without doing anything */
    assert_int_equal(run_program("handle", p.handle, NULL), 10 + DRY_NOT_FOUND);
    close(p.fd);
    assert_int_equal(run_program("handle", p.handle, p.environment), 10 + DRY_NOT_FOUND);
}

static void a_spawned_program_too(void **state)
{
    struct passed p;
    pid_t pid;
    (void)state;
    prepare(&p);
    char *argv[] = {"started", "handle", p.handle, NULL}, *envp[] = {p.environment, NULL};
    assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, envp), 0);
    close(p.fd);
    assert_int_equal(harness_end(pid), 0);
}

static void several_are_inherited_one_after_the_other(void **state)
{
    struct passed a, b;
    (void)state;
    prepare(&a);
    assert_int_equal(putenv(a.environment), 0);
    struct dry_segment *s = make_shared();
    assert_non_null(s);
    assert_int_equal(dry_segment_handle(s, b.handle, NULL), DRY_OK);
    assert_int_equal(dry_pass_inherit(dry_segment_fd(s), &b.fd, b.environment, NULL),
                     DRY_OK); /* its own, opened anew */
    dry_segment_free(s);
    assert_int_equal(run_program("handle", a.handle, b.environment), 0);
    assert_int_equal(run_program("handle", b.handle, b.environment), 0);
    close(b.fd);
    close(a.fd);
    unsetenv("DRYSTONE_INHERITED");
}

/* The creator goes while its program lives: the memory is then its program's alone. */
static void start_a_program_and_be_killed(void *arg)
{
    int *code = arg;
    struct passed p;
    struct dry_view v;
    struct dry_segment *s = make_shared();
    CHECK(s && dry_segment_handle(s, p.handle, NULL) == DRY_OK && dry_segment_view(s, &v, NULL) == DRY_OK);
    CHECK(dry_pass_inherit(dry_segment_fd_of(v.storage), &p.fd, p.environment, NULL) == DRY_OK);
    fflush(NULL);
    if (fork() == 0) {
        char byte;
        close(code[1]); /* so that the pipe ends with the creator */
        CHECK(read(code[0], &byte, 1) == 0);
        putenv(p.environment);
        execl("/proc/self/exe", "started", "handle", p.handle, (char *)NULL);
        _exit(99);
    }
    kill(getpid(), SIGKILL);
}

static void a_program_outlives_its_creator(void **state)
{
    int ends[2];
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid_t pid = harness_start(start_a_program_and_be_killed, ends);
    close(ends[1]);
    assert_int_equal(harness_end(pid), -SIGKILL);
    assert_int_equal(harness_end(-1), 0); /* the program, which is now ours to wait for */
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    close(ends[0]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(a_program_opens_what_it_inherited),
        TEST(a_spawned_program_too),
        TEST(several_are_inherited_one_after_the_other),
        TEST(a_program_outlives_its_creator),
    };
    if (argc > 1) return be_started(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

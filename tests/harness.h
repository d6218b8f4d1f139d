/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What tests of several processes share: children that end in a given time, fresh directories, and a look at what a
 * process holds, so that a test can say "and nothing is left".
 */
#ifndef DRY_TESTS_HARNESS_H
#define DRY_TESTS_HARNESS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

/* A child that is still there after so many seconds is killed by SIGALRM: a hang is a failure, not a wait. */
#define HARNESS_CHILD_SECONDS 120

/* For children, which must not run cmocka's assertions: those would jump into the parent's test runner. */
#define CHECK(cond)                                                                                                  \
    do {                                                                                                             \
        if (!(cond)) {                                                                                               \
            fprintf(stderr, "%s:%d: in a child: %s\n", __FILE__, __LINE__, #cond);                                   \
            _exit(99);                                                                                               \
        }                                                                                                            \
    } while (0)

/* ---- children ---- */
/* Runs `run(arg)` in a fork, which then ends with code 0. */
pid_t harness_start(void (*run)(void *arg), void *arg);
/* Waits for it (-1 = any): the exit code, or minus the signal. */
int harness_end(pid_t pid);
int harness_run(void (*run)(void *arg), void *arg);
/* Becomes the user nobody; false where that is not allowed. */
bool harness_become_nobody(void);
/* Gives this process (a child, for there is no way back) mounts that nobody else sees; false where that is not
 * allowed. */
bool harness_own_mounts(void);
/* A file system in memory over the directory `path`; only after the above. */
bool harness_mount_memory(const char *path, const char *size);

/* ---- one bit from one process to another, without a clock ---- */
struct harness_gate {
    int fds[2];
};
bool harness_gate_init(struct harness_gate *g);
void harness_gate_fini(struct harness_gate *g);
void harness_gate_open(struct harness_gate *g);
/* false = whoever could have opened it is gone. */
bool harness_gate_pass(struct harness_gate *g);

/* ---- directories ---- */
struct harness_dir {
    char path[256];
};
/* Where tests put files in memory and on disk; NULL where there is no such place. */
const char *harness_where(bool in_memory);
/* A fresh one below `where`, mode 0700. */
bool harness_dir_make(const char *where, struct harness_dir *d);
/* With all that is in it. */
void harness_dir_remove(const char *path);
/* Calls visit (may be NULL) with each entry but "." and ".."; returns how many there are, -1 = no such directory. */
int harness_dir_each(const char *path, void (*visit)(void *self, const char *name), void *self);

/* ---- what a process holds ---- */
int harness_open_fds(void);
/* How many of its mappings are of files whose path begins with `path`. */
int harness_mappings(const char *path);

#endif

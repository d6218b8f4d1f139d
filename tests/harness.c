/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#define TMPFS 0x01021994

/* ---- children ---- */

pid_t harness_start(void (*run)(void *arg), void *arg)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid) return pid;
    alarm(HARNESS_CHILD_SECONDS);
    run(arg);
    fflush(NULL);
    _exit(0);
}

int harness_end(pid_t pid)
{
    int how;
    while (waitpid(pid, &how, 0) < 0)
        if (errno != EINTR) return -1000;
    return WIFSIGNALED(how) ? -WTERMSIG(how) : WEXITSTATUS(how);
}

int harness_run(void (*run)(void *arg), void *arg)
{
    return harness_end(harness_start(run, arg));
}

bool harness_become_nobody(void)
{
    return geteuid() == 0 && setgid(65534) == 0 && setuid(65534) == 0;
}

static bool tell_kernel(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    bool done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return done;
}

/* Root of a user namespace in which nobody but this user and group exists. */
static bool become_own_root(void)
{
    char users[64], groups[64];
    snprintf(users, sizeof users, "0 %u 1", (unsigned)geteuid());
    snprintf(groups, sizeof groups, "0 %u 1", (unsigned)getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && tell_kernel("/proc/self/uid_map", users) &&
           tell_kernel("/proc/self/setgroups", "deny") && tell_kernel("/proc/self/gid_map", groups);
}

bool harness_own_mounts(void)
{
    if (unshare(CLONE_NEWNS) < 0 && !become_own_root()) return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

bool harness_mount_memory(const char *path, const char *size)
{
    char options[64];
    snprintf(options, sizeof options, "size=%s,mode=1777", size);
    return mount("tmpfs", path, "tmpfs", 0, options) == 0;
}

/* ---- one bit from one process to another, without a clock ---- */

bool harness_gate_init(struct harness_gate *g)
{
    return pipe2(g->fds, O_CLOEXEC) == 0;
}

void harness_gate_fini(struct harness_gate *g)
{
    close(g->fds[0]);
    close(g->fds[1]);
}

void harness_gate_open(struct harness_gate *g)
{
    while (write(g->fds[1], "x", 1) < 0 && errno == EINTR) {
    }
}

bool harness_gate_pass(struct harness_gate *g)
{
    char c;
    ssize_t n;
    do
        n = read(g->fds[0], &c, 1);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

/* ---- directories ---- */

bool harness_dir_make(const char *where, struct harness_dir *d)
{
    snprintf(d->path, sizeof d->path, "%s/drystone-test-XXXXXX", where);
    return mkdtemp(d->path) != NULL;
}

int harness_dir_each(const char *path, void (*visit)(void *self, const char *name), void *self)
{
    DIR *dir = opendir(path);
    if (!dir) return -1;
    int n = 0;
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        n++;
        if (visit) visit(self, e->d_name);
    }
    closedir(dir);
    return n;
}

static void remove_entry(void *self, const char *name)
{
    char path[1024];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", (const char *)self, name);
    if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
        harness_dir_remove(path);
    else
        unlink(path);
}

void harness_dir_remove(const char *path)
{
    char copy[1024];
    snprintf(copy, sizeof copy, "%s", path);
    chmod(copy, 0700);
    harness_dir_each(copy, remove_entry, copy);
    rmdir(copy);
}

const char *harness_where(bool in_memory)
{
    static const char *const places[] = {"/dev/shm", "/tmp", "/var/tmp", "."};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct statfs fs;
        if (statfs(places[i], &fs) || access(places[i], W_OK)) continue;
        if ((fs.f_type == TMPFS) == in_memory) return places[i];
    }
    return NULL;
}

/* ---- what a process holds ---- */

int harness_open_fds(void)
{
    return harness_dir_each("/proc/self/fd", NULL, NULL);
}

int harness_mappings(const char *path)
{
    char line[4608];
    int n = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps) return -1;
    while (fgets(line, sizeof line, maps)) {
        const char *at = strchr(line, '/');
        if (at && strncmp(at, path, strlen(path)) == 0) n++;
    }
    fclose(maps);
    return n;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "human.h"

static enum dry_status fail(struct dry_error *err, const char *what, const char *path)
{
    int sys = errno;
    *err = (struct dry_error){.status = DRY_IO, .sys = sys};
    snprintf(err->text, sizeof err->text, "cannot %s '%s': %s", what, path, strerror(sys));
    return DRY_IO;
}

/* The path with the links in it resolved, so that what a link points to is replaced and not the link. The last part
 * need not be there. */
static char *resolve(const char *path)
{
    char *real = realpath(path, NULL);
    if (real != NULL || errno != ENOENT) return real;
    struct dry_text t = {0};
    dry_text_puts(&t, path);
    return dry_text_detach(&t);
}

/* Length of the directory part, with its slash. */
static int directory_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (int)(slash - path + 1) : 0;
}

static char *temporary_for(const char *path)
{
    struct dry_text t = {0};
    dry_text_add(&t, path, (size_t)directory_len(path));
    dry_text_printf(&t, ".drystone-%ld-%" PRIx64 ".tmp", (long)getpid(), dry_cli_monotonic_ns());
    return dry_text_detach(&t);
}

static int open_new(struct dry_output *o, mode_t mode)
{
    struct dry_text directory = {0};
    dry_text_add(&directory, o->path, (size_t)directory_len(o->path));
    dry_text_puts(&directory, ".");
    o->unnamed = true;
    int fd = open(dry_text_get(&directory), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
    dry_text_fini(&directory);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT)) return fd;
    o->unnamed = false;
    return open(o->temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, mode);
}

static void forget_names(struct dry_output *o)
{
    free(o->path);
    free(o->temporary);
    o->path = o->temporary = NULL;
}

enum dry_status dry_output_open(struct dry_output *o, const char *path, struct dry_error *err)
{
    struct stat st;
    *o = (struct dry_output){.fd = STDOUT_FILENO};
    if (path == NULL) return DRY_OK;
    bool exists = stat(path, &st) == 0;
    if (exists && !S_ISREG(st.st_mode)) {
        o->fd = open(path, O_WRONLY | O_CLOEXEC);
        return o->fd >= 0 ? DRY_OK : fail(err, "write to", path);
    }
    o->path = resolve(path);
    if (o->path == NULL) return fail(err, "write to", path);
    o->temporary = temporary_for(o->path);
    o->fd = open_new(o, 0666);
    if (o->fd >= 0 && (!exists || fchmod(o->fd, st.st_mode & 0777) == 0)) return DRY_OK;
    enum dry_status status = fail(err, "write to", path);
    if (o->fd >= 0) status = dry_output_close(o, status, err);
    forget_names(o);
    return status;
}

/* linkat does not replace, so that an unnamed file takes the temporary name for the moment before the rename. The
 * file is closed in between: on some file systems only that tells that a write has failed. */
static int publish(struct dry_output *o)
{
    char proc[40];
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", o->fd);
    if (o->unnamed && linkat(AT_FDCWD, proc, AT_FDCWD, o->temporary, AT_SYMLINK_FOLLOW) != 0) return -1;
    int failed = close(o->fd);
    o->fd = -1;
    return failed != 0 ? failed : rename(o->temporary, o->path);
}

enum dry_status dry_output_close(struct dry_output *o, enum dry_status status, struct dry_error *err)
{
    if (o->path != NULL) {
        if (status == DRY_OK && publish(o) != 0) status = fail(err, "write", o->path);
        if (status != DRY_OK) unlink(o->temporary);
    }
    if (o->fd >= 0 && o->fd != STDOUT_FILENO && close(o->fd) != 0 && status == DRY_OK)
        status = fail(err, "write", "the output");
    forget_names(o);
    return status;
}

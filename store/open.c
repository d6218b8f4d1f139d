/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Which directory is the store, and whether it is safe to use. A directory is taken as it is found or refused:
 * nothing is mended silently, and nothing that was asked for is replaced.
 */
#define _GNU_SOURCE
#include "private.h"
#include "spare.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_DIRECTORY "/dev/shm"
#define MEMORY_LEAST_BYTES ((uint64_t)1 << 30)
#define DIRECTORY_MODE 0700
#define WARN_ON_DISK                                                                                                 \
    "no memory file system of 1 GiB or more at " MEMORY_DIRECTORY                                                    \
    ": tables are kept in the cache directory on disk; --store DIR or DRYSTONE_STORE chooses another place"

/* Where the store is to be. */
struct place {
    char path[PATH_MAX];
    char parent[PATH_MAX]; /* made as well if need be; "" = must exist */
    bool is_default;
    const char *warning;
};

/* ---- the default place ---- */

static bool memory_is_large_enough(bool *answer)
{
    struct dry_os_mount mount;
    int fd, sys = dry_os_open_directory(MEMORY_DIRECTORY, &fd);
    *answer = false;
    if (sys) return sys == ENOENT || sys == ENOTDIR;
    sys = dry_os_mount(fd, &mount);
    dry_os_close(fd);
    if (sys) return false;
    *answer =
        mount.in_memory && !mount.read_only && (mount.size_bytes == 0 || mount.size_bytes >= MEMORY_LEAST_BYTES);
    return true;
}

static enum dry_status choose_on_disk(struct place *p, struct dry_error *err)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n;
    if (cache && cache[0] == '/') /* a relative one is to be ignored, says its specification */
        n = snprintf(p->parent, sizeof p->parent, "%s", cache);
    else if (home && home[0] == '/')
        n = snprintf(p->parent, sizeof p->parent, "%s/.cache", home);
    else
        return dry_fail(err, DRY_NOT_FOUND,
                        "no place for a store: " MEMORY_DIRECTORY
                        " is no memory file system of 1 GiB, and HOME is not set; set HOME, or " CURE_OTHER);
    if (n < 0 || (size_t)n >= sizeof p->parent ||
        snprintf(p->path, sizeof p->path, "%s/drystone", p->parent) >= (int)sizeof p->path)
        return dry_fail(err, DRY_INVALID, "the path of the cache directory is too long; " CURE_OTHER);
    p->warning = WARN_ON_DISK;
    return DRY_OK;
}

/* Every process of a user must come to the same answer: the size of the mount counts, never what is free. */
static enum dry_status choose_default(struct place *p, struct dry_error *err)
{
    bool in_memory;
    p->is_default = true;
    if (!memory_is_large_enough(&in_memory))
        return dry_fail(err, DRY_IO, "cannot find out how large " MEMORY_DIRECTORY " is; " CURE_OTHER);
    if (!in_memory) return choose_on_disk(p, err);
    snprintf(p->path, sizeof p->path, MEMORY_DIRECTORY "/drystone-%u", (unsigned)dry_os_user());
    return DRY_OK;
}

/* Slashes at the end go, so that messages and the path that is told look alike however it was spelled. */
static enum dry_status choose_named(struct place *p, const char *path, struct dry_error *err)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/') n--;
    if (n == 0) return dry_fail(err, DRY_INVALID, "the path of the store is empty; name a directory");
    if (n >= sizeof p->path) return dry_fail(err, DRY_INVALID, "the path of the store is too long: %zu bytes", n);
    memcpy(p->path, path, n);
    p->path[n] = '\0';
    return DRY_OK;
}

static enum dry_status choose(struct place *p, const char *path, struct dry_error *err)
{
    const char *named = path ? path : getenv("DRYSTONE_STORE");
    p->parent[0] = '\0';
    p->is_default = false;
    p->warning = NULL;
    return path || (named && named[0]) ? choose_named(p, named, err) : choose_default(p, err);
}

/* ---- reaching it ---- */

static enum dry_status make(const struct place *p, struct dry_error *err)
{
    int sys = p->parent[0] ? dry_os_make_directory(p->parent, DIRECTORY_MODE) : 0;
    if (sys == 0 || sys == EEXIST) sys = dry_os_make_directory(p->path, DIRECTORY_MODE);
    if (sys == 0 || sys == EEXIST) return DRY_OK;
    if (sys == ENOENT)
        return dry_fail_errno(err, sys,
                              IN_STORE "cannot be made, because the directory above it is missing; "
                                       "mkdir -p -m 700 '%.160s'",
                              p->path, p->path);
    return dry_fail_errno(err, sys, IN_STORE "cannot be made; " CURE_OTHER, p->path);
}

static enum dry_status say_unreachable(const struct place *p, int sys, struct dry_error *err)
{
    if (sys == ENOENT)
        return dry_fail(err, DRY_NOT_FOUND, IN_STORE "does not exist; the first put makes it", p->path);
    if (sys == ELOOP || sys == ENOTDIR)
        return dry_fail(err, DRY_DENIED,
                        IN_STORE "is a link or no directory; name the directory itself, or " CURE_OTHER, p->path);
    return dry_fail_errno(err, sys, IN_STORE "cannot be opened; " CURE_OTHER, p->path);
}

static enum dry_status reach(const struct place *p, enum dry_access access, int *fd, struct dry_error *err)
{
    int sys = dry_os_open_directory(p->path, fd);
    /* The default one is the user's own in any case, and who waits for a first table needs a directory to watch. */
    if (sys == ENOENT && (access == DRY_STORE_WRITE || p->is_default)) {
        DRY_TRY(make(p, err));
        sys = dry_os_open_directory(p->path, fd);
    }
    return sys ? say_unreachable(p, sys, err) : DRY_OK;
}

/* ---- judging it ---- */

static enum dry_status judge(const struct place *p, enum dry_access access, const struct dry_os_stat *st,
                             struct dry_error *err)
{
    uint32_t user = dry_os_user();
    if (st->kind != DRY_OS_DIRECTORY)
        return dry_fail(err, DRY_DENIED, IN_STORE "is no directory; " CURE_OTHER, p->path);
    if (st->owner != user && (access == DRY_STORE_WRITE || p->is_default))
        return dry_fail(err, DRY_DENIED,
                        IN_STORE "belongs to user %u and you are user %u; " CURE_OTHER ", a directory of your own",
                        p->path, (unsigned)st->owner, (unsigned)user);
    if (st->mode & 0022)
        return dry_fail(err, DRY_DENIED,
                        IN_STORE "has mode %04o, so others may write into it; chmod go-w '%.160s', or " CURE_OTHER,
                        p->path, (unsigned)st->mode, p->path);
    if (p->is_default && st->mode != DIRECTORY_MODE)
        return dry_fail(err, DRY_DENIED,
                        IN_STORE "is the default store and has mode %04o, but it is for its owner "
                                 "alone; chmod 700 '%.160s', or " CURE_OTHER,
                        p->path, (unsigned)st->mode, p->path);
    return DRY_OK;
}

/* Outlives a change of the working directory. */
static enum dry_status make_absolute(const char *path, char out[PATH_MAX], struct dry_error *err)
{
    char here[PATH_MAX];
    int sys, n;
    while (path[0] == '.' && path[1] == '/') path += 1 + strspn(path + 1, "/");
    if (path[0] == '/') {
        n = snprintf(out, PATH_MAX, "%s", path);
    } else {
        sys = dry_os_working_directory(here, sizeof here);
        if (sys) return dry_fail_errno(err, sys, IN_STORE "the working directory has no path", path);
        n = strcmp(path, ".") == 0 ? snprintf(out, PATH_MAX, "%s", here)
                                   : snprintf(out, PATH_MAX, "%s/%s", strcmp(here, "/") == 0 ? "" : here, path);
    }
    if (n < PATH_MAX) return DRY_OK;
    return dry_fail(err, DRY_INVALID, IN_STORE "its absolute path is too long", path);
}

static enum dry_status build(const struct place *p, int fd, const struct dry_os_stat *st, enum dry_access access,
                             const struct dry_allocator *a, struct dry_store **out, struct dry_error *err)
{
    char absolute[PATH_MAX];
    struct dry_os_mount mount;
    DRY_TRY(make_absolute(p->path, absolute, err));
    int sys = dry_os_mount(fd, &mount);
    if (sys) return dry_fail_errno(err, sys, IN_STORE "its file system tells nothing about itself", p->path);
    size_t path_size = strlen(absolute) + 1;
    struct dry_store *s = dry_allocate(a, sizeof *s + path_size, _Alignof(struct dry_store));
    if (!s) return dry_fail(err, DRY_NOMEM, IN_STORE "no memory to open it", p->path);
    *s = (struct dry_store){.a = a,
                            .dirfd = fd,
                            .writable = access == DRY_STORE_WRITE,
                            .ours = st->owner == dry_os_user(),
                            .is_default = p->is_default,
                            .in_memory = mount.in_memory,
                            .owner = st->owner,
                            .mode = st->mode,
                            .inode = st->inode,
                            .device = st->device,
                            .path_size = path_size};
    memcpy(s->path, absolute, path_size);
    *out = s;
    return DRY_OK;
}

enum dry_status dry_store_open(const char *path, enum dry_access access, const struct dry_allocator *a,
                               struct dry_store **out, const char **warning, struct dry_error *err)
{
    struct place place;
    struct dry_os_stat st;
    int fd;
    DRY_TRY(choose(&place, path, err));
    DRY_TRY(reach(&place, access, &fd, err));
    int sys = dry_os_stat(fd, &st);
    enum dry_status status =
        sys ? dry_fail_errno(err, sys, IN_STORE "cannot be looked at", place.path) : judge(&place, access, &st, err);
    if (status == DRY_OK) status = build(&place, fd, &st, access, a, out, err);
    if (status != DRY_OK) {
        dry_os_close(fd);
        return status;
    }
    if (warning && place.warning) *warning = place.warning;
    return DRY_OK;
}

void dry_store_close(struct dry_store *s)
{
    if (!s) return;
    (void)dry_spare_drop_all(s);
    dry_os_close(s->dirfd);
    dry_release(s->a, s, sizeof *s + s->path_size, _Alignof(struct dry_store));
}

bool dry_store_is_current(const struct dry_store *s)
{
    struct dry_os_stat now; /* the path is absolute: which directory it would be relative to does not matter */
    return dry_os_stat_at(s->dirfd, s->path, &now) == 0 && now.inode == s->inode && now.device == s->device &&
           now.owner == s->owner && now.mode == s->mode;
}

const char *dry_store_path(const struct dry_store *s)
{
    return s->path;
}

enum dry_status dry_store_check_writable(const struct dry_store *s, struct dry_error *err)
{
    if (s->writable) return DRY_OK;
    return dry_fail(err, DRY_DENIED, IN_STORE "was opened for reading; open it for writing", s->path);
}

enum dry_status dry_store_sync_directory(struct dry_store *s, struct dry_error *err)
{
    int sys = s->in_memory ? 0 : dry_os_sync(s->dirfd);
    if (sys == 0) return DRY_OK;
    return dry_fail_errno(err, sys,
                          IN_STORE "it is done, but a power cut may undo it: the directory cannot be synced",
                          s->path);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What changes names and rights, never bytes: remove, rename, share.
 */
#include "private.h"

#include <errno.h>

/* A store's directory may hold other things; only files are tables. */
static enum dry_status check_is_file(struct dry_store *s, const char *name, struct dry_error *err)
{
    struct dry_os_stat st;
    int sys = dry_os_stat_at(s->dirfd, name, &st);
    if (sys == ENOENT || (sys == 0 && st.kind == DRY_OS_DIRECTORY))
        return dry_fail(err, DRY_NOT_FOUND, IN_STORE "there is no table '%s'", s->path, name);
    if (sys) return dry_fail_errno(err, sys, IN_STORE "'%s' cannot be looked at", s->path, name);
    return DRY_OK;
}

enum dry_status dry_store_remove(struct dry_store *s, const char *name, struct dry_error *err)
{
    DRY_TRY(dry_store_check_writable(s, err));
    DRY_TRY(dry_store_check_name(name, err));
    DRY_TRY(check_is_file(s, name, err));
    int sys = dry_os_unlink(s->dirfd, name);
    if (sys) return dry_fail_errno(err, sys, IN_STORE "'%s' cannot be removed", s->path, name);
    return dry_store_sync_directory(s, err);
}

enum dry_status dry_store_rename(struct dry_store *s, const char *from, const char *to, bool no_clobber,
                                 struct dry_error *err)
{
    DRY_TRY(dry_store_check_writable(s, err));
    DRY_TRY(dry_store_check_name(from, err));
    DRY_TRY(dry_store_check_name(to, err));
    DRY_TRY(check_is_file(s, from, err));
    int sys = dry_os_rename(s->dirfd, from, to, !no_clobber);
    if (sys == EEXIST)
        return dry_fail(err, DRY_EXISTS,
                        IN_STORE "'%s': the name is taken; remove that table first, or rename without "
                                 "no-clobber",
                        s->path, to);
    if (sys) return dry_fail_errno(err, sys, IN_STORE "'%s' cannot be renamed to '%s'", s->path, from, to);
    return dry_store_sync_directory(s, err);
}

/* ---- share ---- */

struct sharing {
    struct dry_store *s;
    uint32_t mode;
    struct dry_error *err;
    enum dry_status status;
};

/* A file that went, is somebody else's or cannot even be opened is none of ours to open to others. */
static int share_file(void *self, const char *name)
{
    struct sharing *sh = self;
    struct dry_os_stat st;
    int fd;
    if (dry_os_open_read(sh->s->dirfd, name, &fd)) return 0;
    int sys = dry_os_stat(fd, &st);
    if (sys == 0 && st.kind == DRY_OS_FILE && st.owner == sh->s->owner && st.mode != sh->mode)
        sys = dry_os_set_mode(fd, sh->mode);
    dry_os_close(fd);
    if (sys == 0) return 0;
    sh->status = dry_fail_errno(sh->err, sys, IN_STORE "the mode of '%s' cannot be set", sh->s->path, name);
    return sys;
}

enum dry_status dry_store_share(struct dry_store *s, enum dry_readers readers, struct dry_error *err)
{
    static const uint32_t modes[] = {[DRY_READERS_OWNER] = 0700,
                                     [DRY_READERS_GROUP] = 0750,
                                     [DRY_READERS_ALL] = 0755};
    DRY_TRY(dry_store_check_writable(s, err));
    if ((unsigned)readers >= sizeof modes / sizeof modes[0])
        return dry_fail(err, DRY_INVALID, "there is no such group of readers: %d", (int)readers);
    if (s->is_default && readers != DRY_READERS_OWNER)
        return dry_fail(err, DRY_DENIED,
                        IN_STORE "the default store is for its owner alone; put tables for others "
                                 "into a directory of your own, with --store DIR",
                        s->path);
    /* The directory first: a put that takes its mode from now on, or looks again after giving its table a name, sees
     * it. */
    int sys = dry_os_set_mode(s->dirfd, modes[readers]);
    if (sys) return dry_fail_errno(err, sys, IN_STORE "its mode cannot be set", s->path);
    DRY_STEP("share: directory");
    struct sharing sh = {.s = s, .mode = file_mode(modes[readers]), .err = err};
    sys = dry_store_scan(s, share_file, &sh);
    if (sh.status != DRY_OK) return sh.status;
    return sys ? dry_fail_errno(err, sys, IN_STORE "cannot be listed", s->path) : DRY_OK;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * put: everything happens to a file that has no name yet, or a hidden one; the last step gives it its name.
 * docs/formats/store.md has the state machine, and what a kill leaves in each state.
 *
 * The writer's descriptor is the only one of its open file description and holds the lock of the hidden name. It is
 * never passed on, and what is mapped for reading is mapped through a second description; so the lock is freed when
 * this process closes the segment or dies. A child that another thread forks in the middle of a put inherits the
 * descriptor: the lock of a killed parent is then free only when the child has called exec or ended.
 */
#include "private.h"

#include <errno.h>

/* Each failed try costs somebody else a scan that fell between two neighbouring calls of ours. */
#define HIDDEN_TRIES 100

/* A table on its way to its name. */
struct draft {
    struct dry_store *s;
    const char *name;
    struct dry_segment *segment;
    uint32_t directory_mode; /* that its mode was taken from */
    bool is_hidden;          /* it stands in the directory under the hidden name */
    char hidden[HIDDEN_SIZE];
};

#define IN_PUT IN_STORE "'%s': "
#define IN_PUT_ARGS(d) (d)->s->path, (d)->name

/* Puts the table's name before what a lower layer said. */
static enum dry_status about(const struct draft *d, enum dry_status status, struct dry_error *err)
{
    return status == DRY_OK ? DRY_OK : dry_fail_in(err, status, IN_PUT, IN_PUT_ARGS(d));
}

/* ---- a file without a visible name ---- */

static int still_its_name(struct dry_store *s, int fd, const char *hidden, bool *yes)
{
    struct dry_os_stat by_fd, by_name;
    int sys = dry_os_stat(fd, &by_fd);
    if (sys) return sys;
    sys = dry_os_stat_at(s->dirfd, hidden, &by_name);
    if (sys && sys != ENOENT) return sys;
    *yes = sys == 0 && by_name.inode == by_fd.inode && by_name.device == by_fd.device;
    return 0;
}

/* Creates, then locks. In between somebody who looks for dead writers may take the file for litter: then the lock is
 * refused, or is granted after the name has gone. Either way the file is left to him: EAGAIN. */
static int try_hidden(struct draft *d, int *fd)
{
    bool ours = false;
    int opened, sys = dry_store_hidden_name(d->hidden);
    if (sys) return sys;
    sys = dry_os_open_new(d->s->dirfd, d->hidden, &opened);
    if (sys) return sys == EEXIST ? EAGAIN : sys;
    DRY_STEP("put: hidden file created");
    sys = dry_os_lock(opened, true);
    if (sys == 0) sys = still_its_name(d->s, opened, d->hidden, &ours);
    if (sys == 0 && ours) {
        d->is_hidden = true;
        *fd = opened;
        return 0;
    }
    if (sys && sys != EAGAIN) (void)dry_os_unlink(d->s->dirfd, d->hidden);
    dry_os_close(opened);
    return sys ? sys : EAGAIN;
}

static int open_hidden(struct draft *d, int *fd)
{
    int sys = EAGAIN;
    for (int tries = 0; sys == EAGAIN && tries < HIDDEN_TRIES; tries++) sys = try_hidden(d, fd);
    return sys;
}

static enum dry_status begin(struct draft *d, struct dry_error *err)
{
    int fd, sys = dry_os_open_unnamed(d->s->dirfd, &fd);
    if (sys == EOPNOTSUPP || sys == EISDIR) sys = open_hidden(d, &fd);
    if (sys) return dry_fail_errno(err, sys, IN_PUT "cannot make a file; " CURE_OTHER, IN_PUT_ARGS(d));
    enum dry_status status = dry_segment_adopt_fd(fd, d->s->a, &d->segment, err);
    if (status != DRY_OK) dry_os_close(fd);
    return about(d, status, err);
}

/* The end of every put, good or bad: what still has a hidden name had no success. */
static void end(struct draft *d)
{
    if (d->is_hidden) (void)dry_os_unlink(d->s->dirfd, d->hidden);
    dry_segment_free(d->segment);
}

/* ---- its bytes ---- */

static enum dry_status reserve(void *self, uint64_t n, struct dry_error *err)
{
    return dry_segment_reserve(self, n, err);
}

static enum dry_status append(void *self, const void *bytes, size_t n, struct dry_error *err)
{
    return dry_segment_append(self, bytes, n, err);
}

static enum dry_status fill(struct draft *d, struct ArrowArrayStream *in, const struct dry_put_options *options,
                            struct dry_error *err)
{
    struct dry_sink sink = {.self = d->segment, .reserve = reserve, .append = append};
    struct dry_ipc_write_options how = {.format = DRY_IPC_FILE,
                                        .stamp_verified = true, /* verify() keeps the promise */
                                        .progress = options->progress,
                                        .progress_self = options->progress_self};
    if (options->bytes_expected) DRY_TRY(dry_segment_reserve(d->segment, options->bytes_expected, err));
    DRY_TRY(dry_ipc_write(in, &sink, &how, d->s->a, err));
    return dry_segment_finish(d->segment, err);
}

/* Looks at what is stored, not at what came in: whatever the source does afterwards cannot change the answer. */
static enum dry_status verify(struct draft *d, struct dry_error *err)
{
    struct dry_table *table;
    int fd, sys = dry_os_reopen_read(dry_segment_fd(d->segment), &fd);
    if (sys) return dry_fail_errno(err, sys, "cannot be opened again for verification (is /proc mounted?)");
    enum dry_status status = dry_store_map_table(fd, d->s->a, &table, err);
    if (status == DRY_OK) {
        status = dry_table_verify(table, 0, -1, err);
        dry_table_unref(table);
    }
    dry_os_close(fd);
    return status;
}

/* ---- its mode and its name ---- */

static int take_directory_mode(struct draft *d)
{
    struct dry_os_stat directory;
    int sys = dry_os_stat(d->s->dirfd, &directory);
    if (sys || directory.mode == d->directory_mode) return sys;
    d->directory_mode = directory.mode;
    return dry_os_set_mode(dry_segment_fd(d->segment), file_mode(directory.mode));
}

static enum dry_status seal(struct draft *d, struct dry_error *err)
{
    int sys = take_directory_mode(d);
    if (sys) return dry_fail_errno(err, sys, "cannot be made read-only");
    DRY_STEP("put: read-only");
    sys = d->s->in_memory ? 0 : dry_os_sync(dry_segment_fd(d->segment));
    if (sys) return dry_fail_errno(err, sys, "cannot be synced to disk");
    DRY_STEP("put: synced");
    return DRY_OK;
}

/* The lock comes before the name: nobody ever sees the name unlocked while its writer lives. */
static int hide(struct draft *d)
{
    int fd = dry_segment_fd(d->segment), sys = dry_store_hidden_name(d->hidden);
    if (sys == 0) sys = dry_os_lock(fd, true);
    if (sys) return sys;
    DRY_STEP("put: locked");
    sys = dry_os_link(fd, d->s->dirfd, d->hidden);
    if (sys) return sys;
    d->is_hidden = true;
    DRY_STEP("put: linked under the hidden name");
    return 0;
}

static int give_name(struct draft *d, bool replace)
{
    int sys = 0;
    if (!d->is_hidden) {
        sys = dry_os_link(dry_segment_fd(d->segment), d->s->dirfd, d->name);
        if (sys != EEXIST || !replace) return sys;
        sys = hide(d);
    }
    if (sys == 0) sys = dry_os_rename(d->s->dirfd, d->hidden, d->name, replace);
    if (sys == 0) d->is_hidden = false;
    return sys;
}

static enum dry_status say_taken(const struct draft *d, struct dry_error *err)
{
    return dry_fail(err, DRY_EXISTS, IN_PUT "the name is taken; remove that table first, or put without no-clobber",
                    IN_PUT_ARGS(d));
}

static enum dry_status publish(struct draft *d, bool replace, struct dry_error *err)
{
    int sys = give_name(d, replace);
    if (sys == EEXIST) return say_taken(d, err);
    if (sys == EISDIR) return dry_fail_errno(err, sys, IN_PUT "a directory has that name", IN_PUT_ARGS(d));
    if (sys) return dry_fail_errno(err, sys, IN_PUT "cannot be given its name", IN_PUT_ARGS(d));
    DRY_STEP("put: named");
    /* Whoever shared the directory since the mode was taken has passed over this table if it had no name then. */
    sys = take_directory_mode(d);
    if (sys)
        return dry_fail_errno(err, sys,
                              IN_PUT "is stored, but not open to the directory's readers; share the store again",
                              IN_PUT_ARGS(d));
    DRY_TRY(dry_store_sync_directory(d->s, err));
    DRY_STEP("put: directory synced");
    return DRY_OK;
}

/* ---- the whole ---- */

/* Spares the work where the answer is known already; publish() decides. */
static enum dry_status look_ahead(const struct draft *d, bool replace, struct dry_error *err)
{
    struct dry_os_stat st;
    if (dry_os_stat_at(d->s->dirfd, d->name, &st)) return DRY_OK;
    if (!replace) return say_taken(d, err);
    if (st.kind == DRY_OS_DIRECTORY)
        return dry_fail_errno(err, EISDIR, IN_PUT "a directory has that name", IN_PUT_ARGS(d));
    return DRY_OK;
}

static enum dry_status put(struct draft *d, struct ArrowArrayStream *in, const struct dry_put_options *options,
                           struct dry_error *err)
{
    DRY_TRY(dry_store_check_writable(d->s, err));
    DRY_TRY(dry_store_check_name(d->name, err));
    dry_store_tidy(d->s);
    DRY_TRY(look_ahead(d, !options->no_clobber, err));
    DRY_TRY(begin(d, err));
    DRY_STEP("put: begun");
    DRY_TRY(about(d, fill(d, in, options, err), err));
    DRY_STEP("put: filled");
    DRY_TRY(about(d, verify(d, err), err));
    DRY_STEP("put: verified");
    DRY_TRY(about(d, seal(d, err), err));
    return publish(d, !options->no_clobber, err);
}

enum dry_status dry_store_put(struct dry_store *s, const char *name, struct ArrowArrayStream *in,
                              const struct dry_put_options *options, struct dry_error *err)
{
    static const struct dry_put_options plain;
    struct draft d = {.s = s, .name = name};
    enum dry_status status = put(&d, in, options ? options : &plain, err);
    end(&d);
    if (in->release) in->release(in); /* the writer has done it, unless nothing came so far */
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "draft.h"
#include "spare.h"

#include <errno.h>
#include <string.h>

/* Each failed try costs somebody else a scan that fell between two neighbouring calls of ours. */
#define HIDDEN_TRIES 100

#define IN_PUT IN_STORE "'%s': "
#define IN_PUT_ARGS(d) (d)->s->path, (d)->name

enum dry_status dry_draft_about(const struct dry_draft *d, enum dry_status status, struct dry_error *err)
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
static int try_hidden(struct dry_draft *d, int *fd)
{
    bool ours = false;
    int opened, sys = dry_store_hidden_name(DRY_HIDDEN_PUT, d->hidden);
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

static int open_hidden(struct dry_draft *d, int *fd)
{
    int sys = EAGAIN;
    for (int tries = 0; sys == EAGAIN && tries < HIDDEN_TRIES; tries++) sys = try_hidden(d, fd);
    return sys;
}

static void drop_hidden(struct dry_draft *d)
{
    if (d->is_hidden) (void)dry_os_unlink(d->s->dirfd, d->hidden);
    d->is_hidden = false;
}

/* A new, empty file. */
static enum dry_status make_file(struct dry_draft *d, struct dry_error *err)
{
    int fd, sys = dry_os_open_unnamed(d->s->dirfd, &fd);
    if (sys == EOPNOTSUPP || sys == EISDIR) sys = open_hidden(d, &fd);
    if (sys) return dry_fail_errno(err, sys, IN_PUT "cannot make a file; " CURE_OTHER, IN_PUT_ARGS(d));
    enum dry_status status = dry_segment_adopt_fd(fd, d->s->a, &d->segment, err);
    if (status == DRY_OK) return DRY_OK;
    drop_hidden(d);
    dry_os_close(fd);
    return dry_draft_about(d, status, err);
}

/* ---- the pages of an earlier version ----
 *
 * The two ways in. A reader enters a table from its end (the magic there, the footer before it), or reads it as a stream
 * from the front (the marker and size of its first message, at byte 8). While the pages are filled both are zeros:
 * whoever gets in, because his open was let through by the kernel after 45 s, finds no table. The end is stored by the
 * last append, the front after that.
 */
enum { FRONT_AT = 8, WAY_IN = 8 };

static enum dry_status set_ways_in(struct dry_segment *segment, const uint8_t front[WAY_IN], const uint8_t end[WAY_IN])
{
    DRY_TRY(dry_segment_write_at(segment, dry_segment_size(segment) - WAY_IN, end, WAY_IN, NULL));
    return dry_segment_write_at(segment, FRONT_AT, front, WAY_IN, NULL);
}

/* Whoever asked for the file before it was closed may already be inside: then all is as it was. */
static enum dry_status close_ways_in(struct dry_segment *segment)
{
    static const uint8_t nothing[WAY_IN];
    const uint8_t *bytes = dry_segment_bytes(segment);
    uint8_t front[WAY_IN], end[WAY_IN];
    bool alone = false;
    if (!bytes) return DRY_SHARED;
    memcpy(front, bytes + FRONT_AT, WAY_IN);
    memcpy(end, bytes + dry_segment_size(segment) - WAY_IN, WAY_IN);
    enum dry_status status = set_ways_in(segment, nothing, nothing);
    DRY_STEP("put: spare unreadable");
    if (status == DRY_OK && dry_os_has_lease(dry_segment_fd(segment), &alone) == 0 && alone) return DRY_OK;
    (void)set_ways_in(segment, front, end);
    return DRY_SHARED;
}

/* Nobody else has it open or mapped, nobody else has a name for it, and it is as long as it was. */
static enum dry_status claim(struct dry_draft *d, const struct dry_spare *spare)
{
    struct dry_segment *segment = spare->segment;
    struct dry_os_stat st;
    bool ours = false;
    DRY_TRY(dry_segment_claim(segment, NULL));
    DRY_STEP("put: spare claimed");
    int sys = dry_os_stat(dry_segment_fd(segment), &st);
    if (!sys) sys = still_its_name(d->s, dry_segment_fd(segment), spare->hidden, &ours);
    return !sys && ours && st.links == 1 && st.size_bytes == dry_segment_size(segment) ? DRY_OK : DRY_SHARED;
}

static enum dry_status start_over(struct dry_draft *d, const struct dry_spare *spare)
{
    DRY_TRY(claim(d, spare));
    DRY_TRY(close_ways_in(spare->segment));
    DRY_STEP("put: spare ours");
    return dry_segment_rewind(spare->segment, NULL);
}

/* Whatever stands in the way, there are new pages. */
static bool take_spare(struct dry_draft *d)
{
    struct dry_spare *spare = dry_spare_take(d->s, d->name);
    if (!spare) return false;
    if (start_over(d, spare) != DRY_OK) {
        dry_spare_drop(d->s, spare);
        return false;
    }
    d->recycled = d->is_hidden = true;
    memcpy(d->hidden, spare->hidden, HIDDEN_SIZE);
    d->segment = dry_spare_open(d->s, spare);
    return true;
}

static enum dry_status say_taken(const struct dry_draft *d, struct dry_error *err)
{
    return dry_fail(err, DRY_EXISTS, IN_PUT "the name is taken; remove that table first, or put without no-clobber",
                    IN_PUT_ARGS(d));
}

/* Spares the work where the answer is known already; publish decides. */
static enum dry_status look_ahead(const struct dry_draft *d, struct dry_error *err)
{
    struct dry_os_stat st;
    if (dry_os_stat_at(d->s->dirfd, d->name, &st)) return DRY_OK;
    if (!d->replace) return say_taken(d, err);
    if (st.kind == DRY_OS_DIRECTORY)
        return dry_fail_errno(err, EISDIR, IN_PUT "a directory has that name", IN_PUT_ARGS(d));
    return DRY_OK;
}

enum dry_status dry_draft_begin(struct dry_draft *d, struct dry_store *s, const char *name, bool replace, bool recycle,
                                struct dry_error *err)
{
    *d = (struct dry_draft){.s = s, .name = name, .replace = replace, .recycle = recycle && replace};
    DRY_TRY(dry_store_check_writable(s, err));
    DRY_TRY(dry_store_check_name(name, err));
    dry_store_tidy(s);
    DRY_TRY(look_ahead(d, err));
    if (!d->recycle || !take_spare(d)) DRY_TRY(make_file(d, err));
    DRY_STEP("put: begun");
    return DRY_OK;
}

void dry_draft_end(struct dry_draft *d)
{
    if (!d->segment) return;
    if (dry_segment_fd(d->segment) >= 0) drop_hidden(d); /* the child of a fork has none, and the name is its parent's */
    dry_segment_free(d->segment);
    d->segment = NULL;
}

/* ---- what is stored ---- */

static enum dry_status reserve(void *self, uint64_t n, struct dry_error *err)
{
    struct dry_draft *d = self;
    enum dry_status status = dry_segment_reserve(d->segment, n, err);
    if (status != DRY_FULL || !d->s || !dry_spare_drop_all(d->s)) return status;
    return dry_segment_reserve(d->segment, n, err);
}

/* Zeros instead of what belongs to the way in from the front, which is kept for later. */
static enum dry_status append_front(struct dry_draft *d, const uint8_t *bytes, size_t n, struct dry_error *err)
{
    size_t at = (size_t)dry_segment_size(d->segment) - FRONT_AT;
    memcpy(d->first + at, bytes, n);
    return dry_segment_append_zeros(d->segment, n, err);
}

static enum dry_status append(void *self, const void *bytes, size_t n, struct dry_error *err)
{
    struct dry_draft *d = self;
    const uint8_t *from = bytes;
    for (uint64_t at; d->recycled && n > 0 && (at = dry_segment_size(d->segment)) < FRONT_AT + WAY_IN;) {
        size_t some = (size_t)((at < FRONT_AT ? FRONT_AT : FRONT_AT + WAY_IN) - at);
        if (some > n) some = n;
        DRY_TRY(at < FRONT_AT ? dry_segment_append(d->segment, from, some, err) : append_front(d, from, some, err));
        from += some;
        n -= some;
    }
    return n > 0 ? dry_segment_append(d->segment, from, n, err) : DRY_OK;
}

struct dry_sink dry_draft_sink(struct dry_draft *d)
{
    return (struct dry_sink){.self = d, .reserve = reserve, .append = append};
}

/* Where addresses were too few for a mapping, the file has to be opened, which would be to wait for ourselves. */
static enum dry_status open_front(struct dry_draft *d, struct dry_error *err)
{
    if (!d->recycled) return DRY_OK;
    if (!dry_segment_bytes(d->segment)) dry_segment_disclaim(d->segment);
    DRY_TRY(dry_draft_about(d, dry_segment_write_at(d->segment, FRONT_AT, d->first, WAY_IN, err), err));
    DRY_STEP("put: whole");
    return DRY_OK;
}

enum dry_status dry_draft_verify(struct dry_draft *d, const struct verifying *how, struct dry_error *err)
{
    DRY_TRY(open_front(d, err));
    DRY_TRY(dry_draft_about(d, dry_store_verify(d->segment, how, d->s->a, err), err));
    DRY_STEP("put: verified");
    return DRY_OK;
}

/* ---- its mode and its name ---- */

static int take_directory_mode(struct dry_draft *d)
{
    struct dry_os_stat directory;
    int sys = dry_os_stat(d->s->dirfd, &directory);
    if (sys || directory.mode == d->directory_mode) return sys;
    d->directory_mode = directory.mode;
    return dry_os_set_mode(dry_segment_fd(d->segment), file_mode(directory.mode));
}

static enum dry_status seal(struct dry_draft *d, struct dry_error *err)
{
    int sys = take_directory_mode(d);
    if (sys) return dry_fail_errno(err, sys, IN_PUT "cannot be made read-only", IN_PUT_ARGS(d));
    /* What is stored through a mapping leaves the time of the last version. */
    sys = d->recycled ? dry_os_set_modified(dry_segment_fd(d->segment), dry_os_realtime_ns()) : 0;
    if (sys) return dry_fail_errno(err, sys, IN_PUT "cannot be dated", IN_PUT_ARGS(d));
    DRY_STEP("put: read-only");
    sys = d->s->in_memory ? 0 : dry_os_sync(dry_segment_fd(d->segment));
    if (sys) return dry_fail_errno(err, sys, IN_PUT "cannot be synced to disk", IN_PUT_ARGS(d));
    DRY_STEP("put: synced");
    return DRY_OK;
}

/* The lock comes before the name: nobody ever sees the name unlocked while its writer lives. */
static int hide(struct dry_draft *d, enum dry_hidden kind)
{
    int fd = dry_segment_fd(d->segment), sys = dry_store_hidden_name(kind, d->hidden);
    if (sys == 0) sys = dry_os_lock(fd, true);
    if (sys) return sys;
    DRY_STEP("put: locked");
    sys = dry_os_link(fd, d->s->dirfd, d->hidden);
    if (sys) return sys;
    d->is_hidden = true;
    DRY_STEP("put: linked under the hidden name");
    return 0;
}

/* Changes places with what has the name, which is to be the next spare. Where that cannot be done, the answer is an
 * errno and nothing has changed. */
static int exchange(struct dry_draft *d)
{
    struct dry_os_stat st;
    int sys = dry_os_exchange(d->s->dirfd, d->hidden, d->name);
    if (sys) return sys;
    DRY_STEP("put: exchanged");
    if (dry_os_stat_at(d->s->dirfd, d->hidden, &st) == 0 && st.kind == DRY_OS_DIRECTORY) { /* made since we looked */
        (void)dry_os_exchange(d->s->dirfd, d->hidden, d->name);
        return EISDIR;
    }
    d->is_hidden = false;
    d->exchanged = true;
    return 0;
}

static int give_name(struct dry_draft *d)
{
    bool keep = d->recycle && dry_spare_is_wanted(d->s, d->name, dry_segment_size(d->segment));
    int sys = 0;
    if (!d->is_hidden) {
        sys = dry_os_link(dry_segment_fd(d->segment), d->s->dirfd, d->name);
        if (sys != EEXIST || !d->replace) return sys;
        sys = hide(d, keep ? DRY_HIDDEN_SPARE : DRY_HIDDEN_PUT);
    }
    if (sys == 0 && keep && exchange(d) == 0) return 0;
    if (sys == 0) sys = dry_os_rename(d->s->dirfd, d->hidden, d->name, d->replace);
    if (sys == 0) d->is_hidden = false;
    return sys;
}

/* What it has replaced is kept, if it will do. */
static void after_naming(struct dry_draft *d)
{
    if (d->exchanged) dry_spare_keep(d->s, d->name, d->hidden);
    if (d->recycle) dry_spare_note(d->s, d->name, dry_segment_fd(d->segment));
}

/* Before it has its name: a writer that is stopped here must not keep those waiting who open the name. Who opens it now
 * opened an earlier version's name, and finds this one a moment early: whole and verified. */
static void let_readers_in(struct dry_draft *d)
{
    if (!d->recycled) return;
    dry_segment_disclaim(d->segment);
    DRY_STEP("put: lease let go");
}

enum dry_status dry_draft_publish(struct dry_draft *d, struct dry_error *err)
{
    DRY_TRY(seal(d, err));
    let_readers_in(d);
    int sys = give_name(d);
    if (sys == EEXIST) return say_taken(d, err);
    if (sys == EISDIR) return dry_fail_errno(err, sys, IN_PUT "a directory has that name", IN_PUT_ARGS(d));
    if (sys) return dry_fail_errno(err, sys, IN_PUT "cannot be given its name", IN_PUT_ARGS(d));
    DRY_STEP("put: named");
    after_naming(d);
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

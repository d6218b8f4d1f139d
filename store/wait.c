/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Waiting for names. Events only say when to look again: first the watch, then the look, so that nothing falls in
 * between. The look is repeated once a second in any case, because two things give no event: the removal of a
 * directory that this process has open, and a put by another host on a network file system.
 */
#include "private.h"

#include <errno.h>

#define LOOK_AGAIN_MS 1000
#define NS_PER_MS 1000000

/* An expected outcome while waiting (TIMEOUT stands for "not yet"), or an error with words. */
static enum dry_status look(struct dry_store *s, const char *name, struct dry_error *err)
{
    struct dry_os_stat st;
    int sys = dry_os_stat_at(s->dirfd, name, &st);
    if (sys == 0 && st.kind == DRY_OS_FILE) return DRY_OK;
    if (sys && sys != ENOENT) return dry_fail_errno(err, sys, IN_STORE "'%s' cannot be looked at", s->path, name);
    return DRY_TIMEOUT;
}

static enum dry_status check_directory(struct dry_store *s, struct dry_error *err)
{
    struct dry_os_stat st;
    int sys = dry_os_stat(s->dirfd, &st);
    if (sys) return dry_fail_errno(err, sys, IN_STORE "cannot be looked at", s->path);
    if (st.links == 0)
        return dry_fail(err, DRY_NOT_FOUND, IN_STORE "the directory was removed; open it again", s->path);
    return DRY_OK;
}

/* 0 = the time is over; otherwise how long to sleep before the next look. */
static int64_t next_sleep_ms(int64_t timeout_ms, int64_t began_ns)
{
    if (timeout_ms < 0) return LOOK_AGAIN_MS;
    int64_t left = timeout_ms - (dry_os_monotonic_ns() - began_ns) / NS_PER_MS;
    if (left <= 0) return 0;
    return left < LOOK_AGAIN_MS ? left : LOOK_AGAIN_MS;
}

static void ignore(void *self, const char *name, bool appeared)
{
    (void)self;
    (void)name;
    (void)appeared;
}

static enum dry_status sleep_until_event(struct dry_store *s, int fd, int64_t ms, struct dry_error *err)
{
    int sys = dry_os_poll(fd, ms);
    if (sys == 0) sys = dry_os_watch_read(fd, ignore, NULL);
    if (sys == 0 || sys == ETIMEDOUT || sys == EAGAIN) return DRY_OK;
    return dry_fail_errno(err, sys, IN_STORE "cannot wait for events", s->path);
}

static enum dry_status wait_with(struct dry_store *s, int fd, const char *name, int64_t timeout_ms, int64_t began_ns,
                                 struct dry_error *err)
{
    for (;;) {
        enum dry_status status = look(s, name, err);
        if (status != DRY_TIMEOUT) return status;
        DRY_TRY(check_directory(s, err));
        DRY_STEP("wait: looked");
        int64_t ms = next_sleep_ms(timeout_ms, began_ns);
        if (ms == 0)
            return dry_fail(err, DRY_TIMEOUT, IN_STORE "there is no table '%s' after %.1f s", s->path, name,
                            (double)timeout_ms / 1000);
        DRY_TRY(sleep_until_event(s, fd, ms, err));
    }
}

enum dry_status dry_store_wait(struct dry_store *s, const char *name, int64_t timeout_ms, struct dry_error *err)
{
    int64_t began_ns = dry_os_monotonic_ns();
    int fd;
    DRY_TRY(dry_store_check_name(name, err));
    enum dry_status status = look(s, name, err); /* spares the watch, of which a user has few */
    if (status != DRY_TIMEOUT) return status;
    DRY_TRY(dry_store_watch(s, &fd, err));
    status = wait_with(s, fd, name, timeout_ms, began_ns, err);
    dry_os_close(fd);
    return status;
}

enum dry_status dry_store_watch(struct dry_store *s, int *fd, struct dry_error *err)
{
    int sys = dry_os_watch(s->dirfd, fd);
    if (sys == 0) return DRY_OK;
    if (sys == EMFILE)
        return dry_fail_sys(err, DRY_FULL, sys,
                            IN_STORE "no more watches for this user; raise "
                                     "fs.inotify.max_user_instances (sysctl), or the limit of open files (ulimit -n)",
                            s->path);
    if (sys == ENOSPC)
        return dry_fail_sys(err, DRY_FULL, sys,
                            IN_STORE "no more watches for this user; raise "
                                     "fs.inotify.max_user_watches (sysctl)",
                            s->path);
    return dry_fail_errno(err, sys, IN_STORE "cannot be watched", s->path);
}

struct events {
    struct dry_store *s;
    void (*visit)(void *self, const char *name, bool appeared);
    void *self;
};

/* A version that changes places with the next one "goes", after the next has "appeared": what has gone is not there. */
static void visit_tables_only(void *self, const char *name, bool appeared)
{
    const struct events *e = self;
    struct dry_os_stat st;
    if (name && (!dry_store_is_name(name) || (!appeared && dry_os_stat_at(e->s->dirfd, name, &st) == 0))) return;
    e->visit(e->self, name, appeared);
}

enum dry_status dry_store_events(struct dry_store *s, int fd,
                                 void (*visit)(void *self, const char *name, bool appeared), void *self,
                                 struct dry_error *err)
{
    struct events e = {.s = s, .visit = visit, .self = self};
    int sys = dry_os_watch_read(fd, visit_tables_only, &e);
    if (sys && sys != EAGAIN) return dry_fail_errno(err, sys, IN_STORE "events cannot be read", s->path);
    return check_directory(s, err);
}

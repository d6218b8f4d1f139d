/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "private.h"
#include "writer.h"

#include <errno.h>
#include <stdio.h>

enum dry_status dry_store_table_over(struct dry_view *view, int fd, const struct dry_allocator *a,
                                     struct dry_table **out, struct dry_error *err)
{
    enum dry_status status = dry_table_open(view, fd, a, out, err);
    dry_view_unref(view);
    return status;
}

enum dry_status dry_store_map_table(int fd, const struct dry_allocator *a, struct dry_table **out,
                                    struct dry_error *err)
{
    struct dry_storage *bytes;
    DRY_TRY(dry_segment_map(fd, a, &bytes, err));
    struct dry_view view = dry_view_adopt(bytes);
    return dry_store_table_over(&view, fd, a, out, err);
}

/* A file that its writer holds the lease of cannot be opened again, not even by the writer; so his mapping comes first. */
static enum dry_status open_segment(struct dry_segment *s, const struct dry_allocator *a, struct dry_table **out,
                                    struct dry_error *err)
{
    const void *bytes = dry_segment_bytes(s);
    struct dry_storage *borrowed;
    if (bytes) {
        if (dry_storage_from_slice_unchecked(bytes, (size_t)dry_segment_size(s), a, &borrowed) != DRY_OK)
            return dry_fail(err, DRY_NOMEM, "out of memory for verification");
        struct dry_view view = dry_view_adopt(borrowed);
        return dry_store_table_over(&view, -1, a, out, err);
    }
    int fd, sys = dry_os_reopen_read(dry_segment_fd(s), &fd);
    if (sys) return dry_fail_errno(err, sys, "cannot be opened again for verification (is /proc mounted?)");
    enum dry_status status = dry_store_map_table(fd, a, out, err);
    dry_os_close(fd);
    return status;
}

struct verifying_segment {
    const struct verifying *how;
    uint64_t bytes;
};

/* All bytes are there already; so who asks how far it is hears of all of them. */
static int go_on(void *self, uint64_t done, uint64_t all)
{
    const struct verifying_segment *v = self;
    (void)done;
    (void)all;
    return v->how->progress(v->how->progress_self, v->bytes);
}

enum dry_status dry_store_verify(struct dry_segment *s, const struct verifying *how, const struct dry_allocator *a,
                                 struct dry_error *err)
{
    struct dry_table *table;
    struct verifying_segment v = {how, dry_segment_size(s)};
    const struct dry_verify_options options = {
        .threads = how->threads, .progress = how->progress ? go_on : NULL, .progress_self = &v};
    DRY_TRY(open_segment(s, a, &table, err));
    enum dry_status status = dry_table_verify_with(table, &options, err);
    dry_table_unref(table);
    return status;
}

static int open_by_name(struct dry_store *s, const char *name, int *fd)
{
    int sys = EAGAIN;
    for (int tries = 0; sys == EAGAIN && tries < LATE_TRIES; tries++) sys = dry_os_open_read(s->dirfd, name, fd);
    return sys;
}

enum dry_status dry_store_open_file(struct dry_store *s, const char *name, int *fd, struct dry_error *err)
{
    int sys = open_by_name(s, name, fd);
    if (sys == 0) return DRY_OK;
    if (sys == ENOENT) return dry_fail(err, DRY_NOT_FOUND, IN_STORE "there is no table '%s'", s->path, name);
    if (sys == ELOOP)
        return dry_fail(err, DRY_DENIED, IN_STORE "'%s' is a link, which a store never follows; put the table itself",
                        s->path, name);
    if (sys == EACCES)
        return dry_fail_errno(err, sys, IN_STORE "'%s' is not open to you; its owner can share the store", s->path,
                              name);
    return dry_fail_errno(err, sys, IN_STORE "'%s' cannot be opened", s->path, name);
}

/* Gives the table out if it passes; `is_trusted`: whoever could have written the stamp is believed. */
static enum dry_status give_checked(struct dry_table *t, enum dry_check check, bool is_trusted, struct dry_table **out,
                                    struct dry_error *err)
{
    struct dry_table_stat stat;
    dry_table_stat(t, &stat);
    bool is_known = check == DRY_CHECK_AUTO && is_trusted && stat.verified == DRY_VERIFIED_FULL;
    enum dry_status status =
        check == DRY_CHECK_RANGES || is_known ? DRY_OK : dry_table_verify(t, 0, -1, err);
    if (status == DRY_OK)
        *out = t;
    else
        dry_table_unref(t);
    return status;
}

/* read(2) cannot die of a file that shrinks meanwhile. */
static enum dry_status copy_file(int fd, const struct dry_allocator *a, struct dry_view *out, struct dry_error *err)
{
    struct dry_os_stat st;
    struct dry_storage *bytes;
    int sys = dry_os_stat(fd, &st);
    if (sys) return dry_fail_errno(err, sys, "cannot be looked at");
    if (st.kind != DRY_OS_FILE) return dry_fail(err, DRY_INVALID, "only a regular file can be a table");
    if (st.size_bytes > SIZE_MAX) return dry_fail(err, DRY_TOO_BIG, "is larger than memory can be");
    enum dry_status status = dry_storage_new((size_t)st.size_bytes, a, &bytes);
    if (status != DRY_OK) return dry_fail(err, status, "no memory for a private copy");
    sys = st.size_bytes ? dry_os_read_at(fd, dry_storage_try_mut(bytes), (size_t)st.size_bytes, 0) : 0;
    if (sys) {
        dry_storage_unref(bytes);
        return sys == ENODATA ? dry_fail(err, DRY_CORRUPT, "the file was truncated while it was read")
                              : dry_fail_errno(err, sys, "cannot be read");
    }
    *out = dry_view_adopt(bytes);
    return DRY_OK;
}

static enum dry_status get_private(int fd, const struct dry_allocator *a, struct dry_table **out, struct dry_error *err)
{
    struct dry_view bytes;
    struct dry_table *table;
    DRY_TRY(copy_file(fd, a, &bytes, err));
    DRY_TRY(dry_store_table_over(&bytes, -1, a, &table, err));
    return give_checked(table, DRY_CHECK_FULL, false, out, err);
}

static enum dry_status get(int fd, enum dry_check check, const struct dry_allocator *a, struct dry_table **out,
                           struct dry_error *err)
{
    struct dry_table *table;
    if (check == DRY_CHECK_PRIVATE) return get_private(fd, a, out, err);
    DRY_TRY(dry_store_map_table(fd, a, &table, err));
    return give_checked(table, check, true, out, err);
}

bool dry_store_is_late(struct dry_store *s, const char *name, int fd)
{
    struct dry_os_stat mine, now;
    return dry_os_stat(fd, &mine) == 0 && dry_os_stat_at(s->dirfd, name, &now) == 0 &&
           (mine.inode != now.inode || mine.device != now.device);
}

/* Came too late: it is no table any more, or its stamp need not be true yet. A stamp is believed of what has the name
 * after it was read, because the name is given after the look that the stamp vouches for. */
static bool is_worth_another_try(struct dry_store *s, const char *name, int fd, enum dry_check check,
                                 enum dry_status status, struct dry_table **table)
{
    if ((status == DRY_OK && check != DRY_CHECK_AUTO) || !dry_store_is_late(s, name, fd)) return false;
    if (status == DRY_OK) dry_table_unref(*table);
    return true;
}

enum dry_status dry_store_get(struct dry_store *s, const char *name, enum dry_check check, struct dry_table **out,
                              struct dry_error *err)
{
    DRY_TRY(dry_store_check_name(name, err));
    dry_store_tidy(s);
    enum dry_status status = DRY_OK;
    for (int tries = 1; tries <= LATE_TRIES; tries++) {
        struct dry_table *table = NULL;
        int fd;
        DRY_TRY(dry_store_open_file(s, name, &fd, err));
        if (tries == LATE_TRIES && check == DRY_CHECK_AUTO) check = DRY_CHECK_FULL;
        status = get(fd, check, s->a, &table, err);
        bool again = is_worth_another_try(s, name, fd, check, status, &table);
        dry_os_close(fd);
        if (again) continue;
        if (status == DRY_OK) *out = table;
        break;
    }
    return status == DRY_OK ? DRY_OK : dry_fail_in(err, status, IN_STORE "'%s': ", s->path, name);
}

enum dry_status dry_table_open_path(const char *path, enum dry_check check, const struct dry_allocator *a,
                                    struct dry_table **out, struct dry_error *err)
{
    int fd, sys = dry_os_open_path(path, &fd);
    if (sys) return dry_fail_errno(err, sys, "'%.300s' cannot be opened", path);
    enum dry_status status = get(fd, check, a, out, err);
    dry_os_close(fd);
    return status == DRY_OK ? DRY_OK : dry_fail_in(err, status, "'%.160s': ", path);
}

/* What others shared: the stamp is believed where only its creator can have written it, and that is this user. The view is
 * taken over, also when it fails. */
static enum dry_status open_attached(struct dry_view *view, const struct dry_attached *about, enum dry_check check,
                                     const struct dry_allocator *a, struct dry_table **out, struct dry_error *err)
{
    struct dry_table *table;
    struct dry_os_stat st;
    if (check == DRY_CHECK_PRIVATE) {
        enum dry_status status = get_private(dry_segment_fd_of(view->storage), a, out, err);
        dry_view_unref(view);
        return status;
    }
    int fd = dry_segment_fd_of(view->storage), sys = dry_os_stat(fd, &st);
    bool is_trusted = sys == 0 && about->protection >= DRY_CLASS_ANONYMOUS && st.owner == dry_os_user();
    /* What follows a header of our own does not stand at the beginning of the file: it is read through the mapping. */
    DRY_TRY(dry_store_table_over(view, about->formatted ? -1 : fd, a, &table, err));
    return give_checked(table, check, is_trusted, out, err);
}

enum dry_status dry_table_open_fd(int fd, enum dry_class at_least, enum dry_check check, const struct dry_allocator *a,
                                  struct dry_table **out, struct dry_error *err)
{
    struct dry_view view;
    struct dry_attached about;
    DRY_TRY(dry_segment_attach(fd, &(struct dry_attach_options){.at_least = at_least}, a, &view, &about, err));
    return open_attached(&view, &about, check, a, out, err);
}

enum dry_status dry_table_open_handle(const char *handle, enum dry_class at_least, enum dry_check check,
                                      const struct dry_allocator *a, struct dry_table **out, struct dry_error *err)
{
    struct dry_view view;
    struct dry_attached about;
    DRY_TRY(dry_handle_attach(handle, &(struct dry_attach_options){.at_least = at_least}, a, &view, &about, err));
    return open_attached(&view, &about, check, a, out, err);
}

enum dry_status dry_store_table_path(struct dry_store *s, const char *name, char *out, size_t size,
                                     struct dry_error *err)
{
    struct dry_os_stat st;
    DRY_TRY(dry_store_check_name(name, err));
    int sys = dry_os_stat_at(s->dirfd, name, &st);
    if (sys == ENOENT || (sys == 0 && st.kind != DRY_OS_FILE))
        return dry_fail(err, DRY_NOT_FOUND, IN_STORE "there is no table '%s'", s->path, name);
    if (sys) return dry_fail_errno(err, sys, IN_STORE "'%s' cannot be looked at", s->path, name);
    int n = snprintf(NULL, 0, "%s/%s", s->path, name);
    if (n < 0 || (size_t)n >= size)
        return dry_fail(err, DRY_INVALID, IN_STORE "the path of '%s' has %d bytes and room is for %zu", s->path, name,
                        n + 1, size);
    snprintf(out, size, "%s/%s", s->path, name);
    return DRY_OK;
}

enum dry_status dry_store_mappers(struct dry_store *s, const char *name, struct dry_mapper **out, size_t *n,
                                  struct dry_error *err)
{
    int fd;
    DRY_TRY(dry_store_check_name(name, err));
    DRY_TRY(dry_store_open_file(s, name, &fd, err));
    enum dry_status status = dry_segment_mappers(fd, s->a, out, n, err);
    dry_os_close(fd);
    return status == DRY_OK ? DRY_OK : dry_fail_in(err, status, IN_STORE "'%s': ", s->path, name);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "private.h"

#include <errno.h>
#include <stdio.h>

enum dry_status dry_store_map_table(int fd, const struct dry_allocator *a, struct dry_table **out,
                                    struct dry_error *err)
{
    struct dry_storage *bytes;
    DRY_TRY(dry_segment_map(fd, a, &bytes, err));
    struct dry_view view = dry_view_adopt(bytes);
    enum dry_status status = dry_table_open(&view, fd, a, out, err);
    dry_view_unref(&view); /* the table holds its own */
    return status;
}

enum dry_status dry_store_open_file(struct dry_store *s, const char *name, int *fd, struct dry_error *err)
{
    int sys = dry_os_open_read(s->dirfd, name, fd);
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

static enum dry_status check_table(const struct dry_table *t, enum dry_check check, struct dry_error *err)
{
    struct dry_table_stat stat;
    if (check == DRY_CHECK_RANGES) return DRY_OK;
    dry_table_stat(t, &stat);
    if (check == DRY_CHECK_AUTO && stat.verified == DRY_VERIFIED_FULL) return DRY_OK;
    return dry_table_verify(t, 0, -1, err);
}

static enum dry_status get(int fd, enum dry_check check, const struct dry_allocator *a, struct dry_table **out,
                           struct dry_error *err)
{
    struct dry_table *table;
    DRY_TRY(dry_store_map_table(fd, a, &table, err));
    enum dry_status status = check_table(table, check, err);
    if (status == DRY_OK)
        *out = table;
    else
        dry_table_unref(table);
    return status;
}

enum dry_status dry_store_get(struct dry_store *s, const char *name, enum dry_check check, struct dry_table **out,
                              struct dry_error *err)
{
    int fd;
    DRY_TRY(dry_store_check_name(name, err));
    dry_store_tidy(s);
    DRY_TRY(dry_store_open_file(s, name, &fd, err));
    enum dry_status status = get(fd, check, s->a, out, err);
    dry_os_close(fd);
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

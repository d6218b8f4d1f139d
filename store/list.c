/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void fill_file(const struct dry_os_stat *st, struct dry_entry *e)
{
    e->created_ns = st->modified_ns; /* a table's file is not written to any more once it is complete */
    e->held_bytes = st->held_bytes;
    e->mode = st->mode;
    e->owner = st->owner;
}

/* What the open file is, also as a table. Only a lack of memory or a failing system is the caller's error; that the
 * file is no table is the entry's. */
static enum dry_status fill_open(struct dry_store *s, int fd, struct dry_entry *e, struct dry_error *err)
{
    struct dry_os_stat st;
    struct dry_table *table;
    int sys = dry_os_stat(fd, &st);
    if (sys) return dry_fail_errno(err, sys, IN_STORE "'%s' cannot be looked at", s->path, e->name);
    fill_file(&st, e);
    e->status = dry_store_map_table(fd, s->a, &table, NULL);
    if (e->status == DRY_NOMEM) return dry_fail(err, DRY_NOMEM, IN_STORE "no memory to open '%s'", s->path, e->name);
    if (e->status != DRY_OK) return DRY_OK;
    dry_table_stat(table, &e->table);
    dry_table_unref(table);
    return DRY_OK;
}

static enum dry_status say_missing(const struct dry_store *s, const char *name, struct dry_error *err)
{
    return dry_fail(err, DRY_NOT_FOUND, IN_STORE "there is no table '%s'", s->path, name);
}

/* NOT_FOUND: nothing of that name, or a directory, which is nobody's table. */
static enum dry_status fill_entry(struct dry_store *s, const char *name, struct dry_entry *e, struct dry_error *err)
{
    struct dry_os_stat st;
    int fd, sys = dry_os_stat_at(s->dirfd, name, &st);
    if (sys == ENOENT || (sys == 0 && st.kind == DRY_OS_DIRECTORY)) return say_missing(s, name, err);
    if (sys) return dry_fail_errno(err, sys, IN_STORE "'%s' cannot be looked at", s->path, name);
    memcpy(e->name, name, strlen(name) + 1);
    fill_file(&st, e); /* all there is to say of a file that cannot be opened */
    enum dry_status status = DRY_OK;
    bool late = true;
    for (int tries = 0; late && tries < LATE_TRIES; tries++) {
        e->status = dry_store_open_file(s, name, &fd, NULL);
        if (e->status == DRY_NOT_FOUND) return say_missing(s, name, err); /* it went in between */
        if (e->status != DRY_OK) return DRY_OK;
        status = fill_open(s, fd, e, err);
        late = status == DRY_OK && e->status != DRY_OK && dry_store_is_late(s, name, fd);
        dry_os_close(fd);
    }
    return status;
}

/* ---- list ---- */

struct listing {
    struct dry_store *s;
    struct dry_items entries;
    struct dry_error *err;
    enum dry_status status;
};

static int list_entry(void *self, const char *name)
{
    struct listing *l = self;
    if (!dry_store_is_name(name)) return 0; /* a spare */
    struct dry_entry *e = dry_items_add(&l->entries);
    l->status = e ? fill_entry(l->s, name, e, l->err)
                  : dry_fail(l->err, DRY_NOMEM, IN_STORE "no memory for the list", l->s->path);
    if (l->status == DRY_OK) return 0;
    if (l->status != DRY_NOT_FOUND) return ECANCELED;
    l->entries.n--;
    l->status = DRY_OK;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct dry_entry *)a)->name, ((const struct dry_entry *)b)->name);
}

/* A directory that changes while it is read may show a name twice (a table that was replaced). */
static size_t drop_twins(struct dry_entry *entries, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && strcmp(entries[kept - 1].name, entries[i].name) == 0) continue;
        if (kept != i) entries[kept] = entries[i];
        kept++;
    }
    return kept;
}

enum dry_status dry_store_list(struct dry_store *s, struct dry_entry **out, size_t *n, struct dry_error *err)
{
    struct listing l = {.s = s, .entries = {.a = s->a, .item_size = sizeof(struct dry_entry)}, .err = err};
    int sys = dry_store_scan(s, list_entry, &l);
    if (sys && l.status == DRY_OK) l.status = dry_fail_errno(err, sys, IN_STORE "cannot be listed", s->path);
    if (l.status != DRY_OK) {
        dry_items_free(s->a, l.entries.items, sizeof(struct dry_entry));
        return l.status;
    }
    if (l.entries.n > 0) qsort(l.entries.items, l.entries.n, sizeof(struct dry_entry), by_name);
    *n = drop_twins(l.entries.items, l.entries.n);
    *out = l.entries.items;
    return DRY_OK;
}

void dry_entries_free(struct dry_store *s, struct dry_entry *entries, size_t n)
{
    (void)n; /* the block knows its own size; the count is asked for so that a caller cannot lose it */
    dry_items_free(s->a, entries, sizeof *entries);
}

enum dry_status dry_store_stat(struct dry_store *s, const char *name, struct dry_entry *out, struct dry_error *err)
{
    struct dry_entry e = {.status = DRY_OK};
    DRY_TRY(dry_store_check_name(name, err));
    DRY_TRY(fill_entry(s, name, &e, err));
    *out = e;
    return DRY_OK;
}

/* ---- the store as a whole ---- */

struct sum {
    struct dry_store *s;
    struct dry_store_info *info;
};

static int add_file(void *self, const char *name)
{
    struct sum *sum = self;
    struct dry_os_stat st;
    if (dry_os_stat_at(sum->s->dirfd, name, &st) || st.kind != DRY_OS_FILE) return 0;
    bool is_table = dry_store_is_name(name);
    *(is_table ? &sum->info->tables : &sum->info->spares) += 1;
    *(is_table ? &sum->info->held_bytes : &sum->info->spare_bytes) += st.held_bytes;
    return 0;
}

enum dry_status dry_store_info(struct dry_store *s, struct dry_store_info *out, struct dry_error *err)
{
    struct dry_store_info info = {.tables = 0};
    struct dry_os_mount mount;
    struct dry_os_cgroup cgroup;
    int sys = dry_os_mount(s->dirfd, &mount);
    if (sys) return dry_fail_errno(err, sys, IN_STORE "its file system tells nothing about itself", s->path);
    sys = dry_os_cgroup(&cgroup);
    if (sys) return dry_fail_errno(err, sys, "the memory cgroup cannot be read");
    sys = dry_store_scan(s, add_file, &(struct sum){.s = s, .info = &info});
    if (sys) return dry_fail_errno(err, sys, IN_STORE "cannot be listed", s->path);
    _Static_assert(sizeof info.file_system == sizeof mount.type, "copied whole");
    _Static_assert(sizeof info.cgroup_path == sizeof cgroup.path, "copied whole");
    memcpy(info.file_system, mount.type, sizeof mount.type);
    info.in_memory = mount.in_memory;
    info.size_bytes = mount.size_bytes;
    info.free_bytes = mount.free_bytes;
    info.cgroup_found = cgroup.found;
    if (cgroup.found) {
        info.cgroup_limit_bytes = cgroup.limit_bytes;
        info.cgroup_used_bytes = cgroup.used_bytes;
        memcpy(info.cgroup_path, cgroup.path, sizeof cgroup.path);
    }
    *out = info;
    return DRY_OK;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "entry.h"
#include "human.h"
#include "json.h"
#include "listing.h"

static const struct argp_option options[] = {DRY_OPTION_JSON, {0}};

/* Everything that is said about one table. */
struct report {
    char path[PATH_MAX + DRY_NAME_BYTES + 2]; /* "": it has none */
    struct dry_entry entry;
    enum dry_class protection;
    struct dry_mapper *mappers; /* without this process */
    size_t n_mappers;
    bool huge_known;
    uint64_t huge_bytes;
};

/* ---- text: a fact a line ---- */

static struct dry_listing *new_facts(void)
{
    static const struct dry_listing_column columns[] = {{NULL, 0}, {NULL, 0}};
    return dry_listing_new(columns, 2);
}

DRY_PRINTF(3, 4) static void add_fact(struct dry_listing *l, const char *name, const char *fmt, ...)
{
    char value[PATH_MAX + 512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(value, sizeof value, fmt, args);
    va_end(args);
    dry_listing_add(l, name);
    dry_listing_add(l, value);
}

static void add_size(struct dry_listing *l, const char *name, uint64_t bytes)
{
    struct dry_text size = {0};
    dry_text_size(&size, bytes);
    if (bytes < 1024)
        add_fact(l, name, "%s", dry_text_get(&size));
    else
        add_fact(l, name, "%s (%" PRIu64 " bytes)", dry_text_get(&size), bytes);
    dry_text_fini(&size);
}

static void add_created(struct dry_listing *l, const struct dry_entry *e)
{
    struct dry_text created = {0}, age = {0};
    int64_t seconds = (dry_cli_now_ns() - e->created_ns) / 1000000000;
    dry_entry_created(e, &created);
    dry_text_span(&age, seconds > 0 ? (uint64_t)seconds : 0);
    add_fact(l, "created", "%s (%s ago)", dry_text_get(&created), dry_text_get(&age));
    dry_text_fini(&created);
    dry_text_fini(&age);
}

static void print_mappers(const struct report *r)
{
    static const struct dry_listing_column columns[] = {{"PID", DRY_LISTING_RIGHT},
                                                        {"COMMAND", 0},
                                                        {"RESIDENT", DRY_LISTING_RIGHT},
                                                        {"SHARE", DRY_LISTING_RIGHT},
                                                        {"HUGE", DRY_LISTING_RIGHT}};
    if (r->n_mappers == 0) return;
    struct dry_listing *l = dry_listing_new(columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < r->n_mappers; i++) {
        const struct dry_mapper *m = &r->mappers[i];
        const uint64_t sizes[] = {m->resident_bytes, m->share_bytes, m->huge_bytes};
        struct dry_text cell = {0};
        dry_text_printf(&cell, "%" PRId64, m->pid);
        dry_listing_add(l, dry_text_get(&cell));
        dry_listing_add(l, m->command);
        for (size_t k = 0; k < 3; k++) {
            dry_text_clear(&cell);
            dry_text_size(&cell, sizes[k]);
            dry_listing_add(l, dry_text_get(&cell));
        }
        dry_text_fini(&cell);
    }
    putchar('\n');
    dry_listing_print(l);
}

static const char *protection_words(enum dry_class c)
{
    switch (c) {
    case DRY_CLASS_NAMED: return "named (read-only mode; the same user can change that)";
    case DRY_CLASS_ANONYMOUS: return "anonymous (only its writer can change it, when nobody else has it)";
    case DRY_CLASS_SEALED: return "sealed (nobody can change it)";
    case DRY_CLASS_OPEN: break;
    }
    return "open (it may be changed at any time)";
}

static void print_table_text(const struct report *r)
{
    const struct dry_entry *e = &r->entry;
    struct dry_listing *l = new_facts();
    add_fact(l, "name", "%s", e->name);
    if (r->path[0]) add_fact(l, "path", "%s", r->path);
    add_fact(l, "protection", "%s", protection_words(r->protection));
    add_fact(l, "rows", "%" PRId64, e->table.rows);
    add_fact(l, "columns", "%" PRId64, e->table.columns);
    add_fact(l, "batches", "%" PRId64, e->table.batches);
    add_size(l, "bytes", (uint64_t)e->table.buffer_bytes);
    add_size(l, "held", e->held_bytes);
    add_created(l, e);
    add_fact(l, "mode", "%04o, owner %" PRIu32, e->mode & 07777u, e->owner);
    add_fact(l, "alignment", "%" PRIu32 " bytes", e->table.alignment_bytes);
    add_fact(l, "verified", "%s", dry_entry_verified(e));
    if (r->huge_known)
        add_size(l, "huge pages", r->huge_bytes);
    else
        add_fact(l, "huge pages", "not known (not in memory)");
    add_fact(l, "mapped by", "%zu %s", r->n_mappers, r->n_mappers == 1 ? "process" : "processes");
    dry_listing_print(l);
    print_mappers(r);
}

/* ---- JSON ---- */

static void print_table_json(struct dry_store *store, const struct report *r)
{
    struct dry_json json = {.out = stdout};
    dry_json_open(&json, '{');
    dry_entry_json(store, &r->entry, &json);
    dry_json_member_string(&json, "path", r->path[0] ? r->path : NULL);
    dry_json_member_string(&json, "protection", dry_class_name(r->protection));
    if (r->huge_known)
        dry_json_member_uint(&json, "huge_bytes", r->huge_bytes);
    else
        dry_json_member_string(&json, "huge_bytes", NULL);
    dry_json_key(&json, "mappers", strlen("mappers"));
    dry_json_open(&json, '[');
    for (size_t i = 0; i < r->n_mappers; i++) {
        const struct dry_mapper *m = &r->mappers[i];
        dry_json_open(&json, '{');
        dry_json_member_int(&json, "pid", m->pid);
        dry_json_member_string(&json, "command", m->command);
        dry_json_member_uint(&json, "resident_bytes", m->resident_bytes);
        dry_json_member_uint(&json, "share_bytes", m->share_bytes);
        dry_json_member_uint(&json, "huge_bytes", m->huge_bytes);
        dry_json_close(&json, '}');
    }
    dry_json_close(&json, ']');
    dry_json_close(&json, '}');
}

/* ---- one table ---- */

#define HUGE_BYTES ((size_t)2 << 20)

/* Only a mapping shows how many huge pages memory has. So one page of each huge one is touched before the mappers are
 * asked for. */
static void touch_sparsely(const uint8_t *bytes, size_t n)
{
    for (size_t at = 0; at < n; at += HUGE_BYTES) dry_segment_prefault(bytes + at, 1);
}

static enum dry_status look_at_file(struct report *r, bool in_memory, struct dry_storage **mapped, struct dry_error *err)
{
    struct dry_attached about = {.protection = DRY_CLASS_OPEN};
    int fd = open(r->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return DRY_OK; /* removed just now */
    enum dry_status status = dry_segment_about(fd, &about, err);
    r->protection = about.protection;
    if (status == DRY_OK && in_memory && dry_segment_map(fd, NULL, mapped, NULL) == DRY_OK) {
        touch_sparsely(dry_storage_data(*mapped), dry_storage_len(*mapped));
        r->huge_known = true;
    }
    close(fd);
    return status;
}

/* Takes this process out of the mappers; what it sees of huge pages is kept. */
static void take_self_out(struct report *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->n_mappers; i++)
        if (r->mappers[i].pid == getpid())
            r->huge_bytes = r->mappers[i].huge_bytes;
        else
            r->mappers[kept++] = r->mappers[i];
    r->n_mappers = kept;
}

/* Of a file that is no table only the entry is filled. */
static enum dry_status look_at(struct dry_store *store, const char *name, struct report *r, struct dry_error *err)
{
    struct dry_store_info info;
    struct dry_storage *mapped = NULL;
    enum dry_status status = dry_store_table_path(store, name, r->path, sizeof r->path, err);
    if (status == DRY_OK) status = dry_store_stat(store, name, &r->entry, err);
    if (status == DRY_OK) status = dry_store_info(store, &info, err);
    if (status != DRY_OK) return status;
    if (r->entry.status != DRY_OK) return DRY_OK;
    status = look_at_file(r, info.in_memory, &mapped, err);
    if (status == DRY_OK) status = dry_store_mappers(store, name, &r->mappers, &r->n_mappers, err);
    dry_storage_unref(mapped);
    if (status == DRY_OK) take_self_out(r);
    return status;
}

static enum dry_status look_at_shared(const char *handle, struct report *r, struct dry_error *err)
{
    struct dry_table *table;
    struct dry_attached about;
    struct stat st;
    enum dry_status status = dry_table_open_handle(handle, DRY_CLASS_OPEN, DRY_CHECK_AUTO, NULL, &table, err);
    if (status != DRY_OK) return status;
    const struct dry_view *bytes = dry_table_bytes(table);
    int fd = dry_segment_fd_of(bytes->storage);
    snprintf(r->entry.name, sizeof r->entry.name, "%s", handle);
    dry_table_stat(table, &r->entry.table);
    touch_sparsely(bytes->data, bytes->len);
    r->huge_known = true;
    status = dry_segment_about(fd, &about, err);
    if (status == DRY_OK) status = dry_segment_mappers(fd, NULL, &r->mappers, &r->n_mappers, err);
    if (status == DRY_OK && fstat(fd, &st) == 0) {
        r->protection = about.protection;
        r->entry.created_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
        r->entry.held_bytes = (uint64_t)st.st_blocks * 512;
        r->entry.mode = st.st_mode & 07777u;
        r->entry.owner = st.st_uid;
    }
    dry_table_unref(table);
    if (status == DRY_OK) take_self_out(r);
    return status;
}

static int stat_table(struct dry_store *store, const struct dry_args *args)
{
    struct report r = {.huge_known = false};
    struct dry_error err = {0};
    enum dry_status status = store ? look_at(store, args->operands[0], &r, &err)
                                   : look_at_shared(args->operands[0], &r, &err);
    if (status != DRY_OK) return dry_cli_report(status, &err);
    int result = DRY_CLI_OK;
    if (r.entry.status != DRY_OK) {
        struct dry_text fault = {0};
        dry_entry_fault(store, &r.entry, &fault);
        result = dry_cli_fail("%s", dry_text_get(&fault));
        dry_text_fini(&fault);
    } else if (args->json) {
        print_table_json(store, &r);
    } else {
        print_table_text(&r);
    }
    dry_mappers_free(NULL, r.mappers, r.n_mappers);
    return result;
}

/* ---- the store ---- */

static void print_store_text(const char *path, const struct dry_store_info *info)
{
    struct dry_listing *l = new_facts();
    add_fact(l, "path", "%s", path);
    add_fact(l, "file system", "%s%s", info->file_system, info->in_memory ? " (in memory)" : "");
    add_fact(l, "tables", "%" PRIu64, info->tables);
    add_size(l, "held", info->held_bytes);
    if (info->spares > 0) {
        add_fact(l, "spares", "%" PRIu64, info->spares);
        add_size(l, "  held", info->spare_bytes);
    }
    if (info->size_bytes == 0) {
        add_fact(l, "size", "no limit");
    } else {
        add_size(l, "size", info->size_bytes);
        add_size(l, "used", info->size_bytes - info->free_bytes);
        add_size(l, "free", info->free_bytes);
    }
    if (info->cgroup_found) {
        add_fact(l, "cgroup", "%s", info->cgroup_path);
        add_size(l, "  limit", info->cgroup_limit_bytes);
        add_size(l, "  used", info->cgroup_used_bytes);
    } else {
        add_fact(l, "cgroup", "no memory limit");
    }
    dry_listing_print(l);
}

static void member_limit(struct dry_json *json, const char *key, const struct dry_store_info *info, uint64_t bytes)
{
    if (info->size_bytes != 0)
        dry_json_member_uint(json, key, bytes);
    else
        dry_json_member_string(json, key, NULL);
}

static void print_store_json(const char *path, const struct dry_store_info *info)
{
    struct dry_json json = {.out = stdout};
    dry_json_open(&json, '{');
    dry_json_member_string(&json, "path", path);
    dry_json_member_string(&json, "file_system", info->file_system);
    dry_json_member_bool(&json, "in_memory", info->in_memory);
    dry_json_member_uint(&json, "tables", info->tables);
    dry_json_member_uint(&json, "held_bytes", info->held_bytes);
    dry_json_member_uint(&json, "spares", info->spares);
    dry_json_member_uint(&json, "spare_bytes", info->spare_bytes);
    member_limit(&json, "size_bytes", info, info->size_bytes);
    member_limit(&json, "used_bytes", info, info->size_bytes - info->free_bytes);
    member_limit(&json, "free_bytes", info, info->free_bytes);
    dry_json_key(&json, "cgroup", strlen("cgroup"));
    if (info->cgroup_found) {
        dry_json_open(&json, '{');
        dry_json_member_string(&json, "path", info->cgroup_path);
        dry_json_member_uint(&json, "limit_bytes", info->cgroup_limit_bytes);
        dry_json_member_uint(&json, "used_bytes", info->cgroup_used_bytes);
        dry_json_close(&json, '}');
    } else {
        dry_json_raw(&json, "null");
    }
    dry_json_close(&json, '}');
}

static int stat_store(struct dry_store *store, const struct dry_args *args)
{
    struct dry_store_info info;
    struct dry_error err = {0};
    enum dry_status status = dry_store_info(store, &info, &err);
    if (status != DRY_OK) return dry_cli_report(status, &err);
    (args->json ? print_store_json : print_store_text)(dry_store_path(store), &info);
    return DRY_CLI_OK;
}

static int run(const struct dry_args *args)
{
    struct dry_store *store = NULL;
    struct dry_error err = {0};
    if (args->n_operands > 0 && dry_handle_is(args->operands[0])) return stat_table(NULL, args);
    enum dry_status status = dry_cli_open(args, DRY_STORE_READ, &store, &err);
    if (status != DRY_OK) return dry_cli_report(status, &err);
    int result = (args->n_operands > 0 ? stat_table : stat_store)(store, args);
    dry_store_close(store);
    return result;
}

const struct dry_command dry_command_stat = {
    .name = "stat",
    .operands = "[NAME|HANDLE]",
    .doc = "Say all about a table, or about the store"
           "\vHeld is what the file occupies; verified is how far the values were looked at when the table was put; "
           "who maps it is as much as /proc shows to you. A process's share is its part of the pages, divided among "
           "all who map them. A handle names a table that another process shared without a name.",
    .options = options,
    .most = 1,
    .run = run,
};

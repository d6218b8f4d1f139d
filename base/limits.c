/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the kernel says about limits, understood: which file system a number means, which memory cgroup above this
 * process has the least room left, and how much the system has. No system calls of its own.
 *
 * The kernel's answer to a shortage in a cgroup is SIGKILL, so it has to be asked before. /proc/self/cgroup says
 * where we are; each directory from there up to the root of the mount may set a limit. In a container the path is
 * often the host's and not to be seen here: the root of the mount is then our own cgroup, which the walk upwards
 * reaches. What cannot be read says nothing.
 */
#define _GNU_SOURCE
#include "check.h"
#include "os.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    uint32_t magic;
    char name[12];
    bool in_memory;
} file_systems[] = {
    {0x01021994, "tmpfs", true}, {0x858458f6, "ramfs", true},      {0x0000ef53, "ext4", false},
    {0x58465342, "xfs", false},  {0x9123683e, "btrfs", false},     {0x2fc12fc1, "zfs", false},
    {0xf2f52010, "f2fs", false}, {0x794c7630, "overlay", false},   {0x65735546, "fuse", false},
    {0x00006969, "nfs", false},  {0xff534d42, "cifs", false},      {0xfe534d42, "smb2", false},
    {0x01021997, "9p", false},   {0x958458f6, "hugetlbfs", false}, {0x00004d44, "vfat", false},
};

void dry_os_name_mount(uint32_t magic, struct dry_os_mount *mount)
{
    snprintf(mount->type, sizeof mount->type, "?");
    mount->in_memory = false;
    for (size_t i = 0; i < sizeof file_systems / sizeof *file_systems; i++)
        if (file_systems[i].magic == magic) {
            snprintf(mount->type, sizeof mount->type, "%s", file_systems[i].name);
            mount->in_memory = file_systems[i].in_memory;
        }
}

/* The two generations of cgroups differ in places and names. */
struct generation {
    const char *mount, *limit, *used, *droppable;
};
static const struct generation unified = {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "};
static const struct generation hybrid = {"/sys/fs/cgroup/unified", "memory.max", "memory.current", "inactive_file "};
static const struct generation legacy = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                                         "total_inactive_file "};

/* The old generation's "no limit" is the largest multiple of its page size. */
#define NO_LIMIT ((uint64_t)1 << 62)

/* Reads a small file as text; what does not fit is cut. */
static bool read_text(const char *path, char *text, size_t size)
{
    int fd;
    size_t got;
    if (dry_os_open_path(path, &fd)) return false;
    int sys = dry_os_read(fd, text, size - 1, &got);
    dry_os_close(fd);
    if (sys) return false;
    text[got] = '\0';
    return true;
}

static bool parse_number(const char *text, uint64_t *out)
{
    if (*text < '0' || *text > '9') return false; /* "max" */
    *out = strtoull(text, NULL, 10);
    return true;
}

static bool read_number(const char *directory, const char *file, uint64_t *out)
{
    char path[PATH_MAX], text[64];
    int n = snprintf(path, sizeof path, "%s/%s", directory, file);
    return n > 0 && (size_t)n < sizeof path && read_text(path, text, sizeof text) && parse_number(text, out);
}

/* Bytes of file pages that nobody has used lately: the kernel drops them before it kills anybody. */
static uint64_t droppable_bytes(const char *directory, const char *field)
{
    char path[PATH_MAX], text[8192];
    uint64_t bytes = 0;
    int n = snprintf(path, sizeof path, "%s/memory.stat", directory);
    if (n < 0 || (size_t)n >= sizeof path || !read_text(path, text, sizeof text)) return 0;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n') line++;
        if (strncmp(line, field, strlen(field)) == 0 && parse_number(line + strlen(field), &bytes)) return bytes;
    }
    return 0;
}

static uint64_t room_in(const struct dry_os_cgroup *group)
{
    return group->limit_bytes > group->used_bytes ? group->limit_bytes - group->used_bytes : 0;
}

static void consider(const struct generation *g, const char *directory, struct dry_os_cgroup *tightest)
{
    struct dry_os_cgroup group = {.found = true};
    if (!read_number(directory, g->limit, &group.limit_bytes) || group.limit_bytes >= NO_LIMIT) return;
    if (!read_number(directory, g->used, &group.used_bytes)) return;
    uint64_t droppable = droppable_bytes(directory, g->droppable);
    group.used_bytes -= droppable < group.used_bytes ? droppable : group.used_bytes;
    if (tightest->found && room_in(tightest) <= room_in(&group)) return;
    snprintf(group.path, sizeof group.path, "%.*s", (int)sizeof group.path - 1, directory);
    *tightest = group;
}

/* `path` (which begins with a slash) and everything above it. */
static void walk(const struct generation *g, const char *root, const char *path, struct dry_os_cgroup *tightest)
{
    char directory[PATH_MAX];
    size_t mount = strlen(root) + strlen(g->mount);
    if (strstr(path, "/..")) path = "/"; /* outside of what this namespace shows */
    int n = snprintf(directory, sizeof directory, "%s%s%s", root, g->mount, path);
    if (n < 0 || (size_t)n >= sizeof directory) return;
    for (size_t end = (size_t)n; end > mount; end--) {
        if (directory[end] != '\0' && directory[end] != '/') continue;
        if (directory[end - 1] == '/') continue;
        directory[end] = '\0';
        consider(g, directory, tightest);
    }
    directory[mount] = '\0';
    consider(g, directory, tightest);
}

/* ---- the whole system ---- */
/* "MemAvailable:  123 kB"; false: there is no such line. */
static bool find_kib(const char *text, const char *key, uint64_t *bytes)
{
    const char *line = strstr(text, key);
    uint64_t kib;
    if (!line) return false;
    line += strlen(key);
    if (!parse_number(line + strspn(line, " "), &kib) || kib > UINT64_MAX / 1024) return false;
    *bytes = kib * 1024;
    return true;
}

uint64_t dry_os_memory_left_under(const char *root)
{
    char path[PATH_MAX], text[8192];
    uint64_t available, swap = 0;
    int n = snprintf(path, sizeof path, "%s/proc/meminfo", root);
    if (n < 0 || (size_t)n >= sizeof path || !read_text(path, text, sizeof text)) return UINT64_MAX;
    if (!find_kib(text, "\nMemAvailable:", &available)) return UINT64_MAX;
    (void)find_kib(text, "\nSwapFree:", &swap);
    return available + swap;
}

uint64_t dry_os_memory_left(void) { return dry_os_memory_left_under(""); }

/* ---- where we are ---- */
/* /proc/self/cgroup, as far as it fits; "" where there is none. */
struct groups {
    char text[8192], *rest;
};

static void read_groups(const char *root, struct groups *g)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    if (n < 0 || (size_t)n >= sizeof path || !read_text(path, g->text, sizeof g->text)) g->text[0] = '\0';
    g->rest = g->text;
}

enum kind_of_line { NOTHING, UNIFIED, LEGACY_MEMORY };

/* The next line: number, controllers with commas between, path. false: it was the last. */
static bool next_group(struct groups *g, enum kind_of_line *kind, const char **path)
{
    char *line = strsep(&g->rest, "\n");
    if (!line) return false;
    char *controllers = strchr(line, ':');
    char *at = controllers ? strchr(controllers + 1, ':') : NULL;
    *kind = NOTHING;
    if (!at || at[1] != '/') return true;
    *at++ = '\0';
    controllers++;
    *path = at;
    if (*controllers == '\0') *kind = UNIFIED;
    for (char *rest = controllers, *one = strsep(&rest, ","); one; one = strsep(&rest, ","))
        if (strcmp(one, "memory") == 0) *kind = LEGACY_MEMORY;
    return true;
}

int dry_os_cgroup_under(const char *root, struct dry_os_cgroup *out)
{
    struct dry_os_cgroup tightest = {0};
    struct groups groups;
    enum kind_of_line kind;
    const char *path;
    read_groups(root, &groups);
    while (next_group(&groups, &kind, &path)) {
        if (kind == LEGACY_MEMORY) walk(&legacy, root, path, &tightest);
        if (kind == UNIFIED) walk(&unified, root, path, &tightest);
        if (kind == UNIFIED) walk(&hybrid, root, path, &tightest);
    }
    *out = tightest;
    return 0;
}

/* Where both generations are mounted, the old one has the memory controller if it is named there. */
int dry_os_memory_group_under(const char *root, char *out, size_t size)
{
    struct groups groups;
    enum kind_of_line kind, found = NOTHING;
    const char *path;
    read_groups(root, &groups);
    snprintf(out, size, "%s", "");
    while (next_group(&groups, &kind, &path)) {
        if (kind <= found) continue;
        found = kind;
        snprintf(out, size, "%s", path);
    }
    return 0;
}

int dry_os_memory_group(char *out, size_t size) { return dry_os_memory_group_under("", out, size); }

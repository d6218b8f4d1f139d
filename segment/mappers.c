/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Who maps a file: /proc/PID/maps of every process is searched for the file, and only where it is found the dearer
 * /proc/PID/smaps is read. Processes come and go meanwhile: what cannot be read is passed over.
 *
 * How maps names a file is not always what stat says (overlay and btrfs show another device), so the file is mapped
 * here for a moment and looked up in our own maps.
 */
#include "segment.h"
#include "../base/check.h"
#include "../base/os.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- lines of a file, through a fixed buffer ---- */

/* The first bytes of a line say all; the rest of a longer one (it ends with a path) is dropped. */
#define LINE_BYTES 256

struct lines {
    int fd;
    size_t at, filled;
    char buffer[4096];
};

static bool next_byte(struct lines *l, char *c)
{
    if (l->at == l->filled) {
        l->at = 0;
        if (dry_os_read(l->fd, l->buffer, sizeof l->buffer, &l->filled)) l->filled = 0;
        if (l->filled == 0) return false;
    }
    *c = l->buffer[l->at++];
    return true;
}

static bool next_line(struct lines *l, char line[LINE_BYTES])
{
    size_t n = 0;
    char c;
    bool any = false;
    while (next_byte(l, &c)) {
        any = true;
        if (c == '\n') break;
        if (n + 1 < LINE_BYTES) line[n++] = c;
    }
    line[n] = '\0';
    return any;
}

/* ---- one mapping ---- */

struct file_id {
    unsigned major, minor;
    uint64_t inode;
};

/* "start-end perms offset major:minor inode path", all but the inode in hex. */
static bool parse_mapping(const char *line, uint64_t *start, struct file_id *id)
{
    return sscanf(line, "%" SCNx64 "-%*x %*4s %*x %x:%x %" SCNu64, start, &id->major, &id->minor, &id->inode) == 4;
}

static bool is_of(const char *line, const struct file_id *file)
{
    uint64_t start;
    struct file_id id;
    return parse_mapping(line, &start, &id) && id.major == file->major && id.minor == file->minor &&
           id.inode == file->inode;
}

/* "Pss:   123 kB" adds to what that line is about; false = the line begins another mapping. */
static bool add_figure(const char *line, struct dry_mapper *m)
{
    uint64_t kib;
    char key[32];
    if (sscanf(line, "%31[A-Za-z_]: %" SCNu64 " kB", key, &kib) != 2) return strncmp(line, "VmFlags:", 8) == 0;
    if (kib > UINT64_MAX / 1024) return true;
    uint64_t bytes = kib * 1024;
    if (strcmp(key, "Rss") == 0) m->resident_bytes += bytes;
    if (strcmp(key, "Pss") == 0) m->share_bytes += bytes;
    if (strcmp(key, "ShmemPmdMapped") == 0 || strcmp(key, "FilePmdMapped") == 0) m->huge_bytes += bytes;
    return true;
}

/* ---- one process ---- */

struct search {
    struct file_id file;
    int procfd;
    const struct dry_allocator *a;
    struct dry_mapper *found;
    size_t n, cap;
};

static struct dry_mapper *add(struct search *search)
{
    if (search->n == search->cap) {
        size_t cap = search->cap ? search->cap * 2 : 8, size = sizeof *search->found;
        void *more = search->found ? dry_resize(search->a, search->found, search->cap * size, cap * size,
                                                _Alignof(struct dry_mapper))
                                   : dry_allocate(search->a, cap * size, _Alignof(struct dry_mapper));
        if (!more) return NULL;
        search->found = more;
        search->cap = cap;
    }
    struct dry_mapper *m = search->found + search->n++;
    *m = (struct dry_mapper){0};
    return m;
}

static bool open_of(int procfd, const char *pid, const char *what, struct lines *l)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", pid, what);
    l->at = l->filled = 0;
    return dry_os_open_read(procfd, path, &l->fd) == 0;
}

static bool maps_it(const struct search *search, const char *pid)
{
    struct lines l;
    char line[LINE_BYTES];
    bool found = false;
    if (!open_of(search->procfd, pid, "maps", &l)) return false;
    while (!found && next_line(&l, line))
        found = is_of(line, &search->file);
    dry_os_close(l.fd);
    return found;
}

static void read_command(int procfd, const char *pid, struct dry_mapper *m)
{
    struct lines l;
    char line[LINE_BYTES];
    if (!open_of(procfd, pid, "comm", &l)) return;
    if (next_line(&l, line)) snprintf(m->command, sizeof m->command, "%.*s", (int)sizeof m->command - 1, line);
    dry_os_close(l.fd);
}

static void read_figures(const struct search *search, const char *pid, struct dry_mapper *m)
{
    struct lines l;
    char line[LINE_BYTES];
    bool inside = false;
    if (!open_of(search->procfd, pid, "smaps", &l)) return;
    while (next_line(&l, line))
        if (!inside || !add_figure(line, m)) inside = is_of(line, &search->file);
    dry_os_close(l.fd);
}

static int look_at_process(void *self, const char *pid)
{
    struct search *search = self;
    if (!isdigit((unsigned char)pid[0]) || !maps_it(search, pid)) return 0;
    struct dry_mapper *m = add(search);
    if (!m) return ENOMEM;
    m->pid = strtoll(pid, NULL, 10);
    read_command(search->procfd, pid, m);
    read_figures(search, pid, m);
    return 0;
}

/* ---- the whole ---- */

static int find_own_mapping(int procfd, const void *at, struct file_id *id)
{
    struct lines l;
    char line[LINE_BYTES];
    uint64_t start;
    bool found = false;
    if (!open_of(procfd, "self", "maps", &l)) return ENOENT;
    while (!found && next_line(&l, line))
        found = parse_mapping(line, &start, id) && start == (uint64_t)(uintptr_t)at;
    dry_os_close(l.fd);
    return found ? 0 : ENOENT;
}

static int identify(int procfd, int fd, struct file_id *id)
{
    void *at;
    int sys = dry_os_map_read(fd, 1, &at); /* a mapping may be longer than the file, as long as nobody touches it */
    if (sys) return sys;
    sys = find_own_mapping(procfd, at, id);
    dry_os_unmap(at, 1);
    return sys;
}

static int search_all(struct search *search, int fd)
{
    int sys = dry_os_open_directory("/proc", &search->procfd);
    if (sys) return sys;
    sys = identify(search->procfd, fd, &search->file);
    if (sys == 0) sys = dry_os_list(search->procfd, look_at_process, search);
    dry_os_close(search->procfd);
    return sys;
}

/* A block of exactly n, so that its receiver can give it back knowing only n. */
static bool fit(struct search *search)
{
    size_t size = sizeof *search->found;
    if (search->n == search->cap) return true;
    void *fitted = dry_allocate(search->a, search->n * size, _Alignof(struct dry_mapper));
    if (!fitted) return false;
    memcpy(fitted, search->found, search->n * size);
    dry_release(search->a, search->found, search->cap * size, _Alignof(struct dry_mapper));
    search->found = fitted;
    return true;
}

enum dry_status dry_segment_mappers(int fd, const struct dry_allocator *a, struct dry_mapper **out, size_t *n,
                                    struct dry_error *err)
{
    struct search search = {.a = a};
    int sys = search_all(&search, fd);
    if (sys == 0 && search.n > 0 && !fit(&search)) sys = ENOMEM;
    if (sys) {
        dry_release(a, search.found, search.cap * sizeof *search.found, _Alignof(struct dry_mapper));
        return dry_fail_errno(err, sys, "/proc cannot be searched for who maps it");
    }
    *out = search.found;
    *n = search.n;
    return DRY_OK;
}

void dry_mappers_free(const struct dry_allocator *a, struct dry_mapper *mappers, size_t n)
{
    dry_release(a, mappers, n * sizeof *mappers, _Alignof(struct dry_mapper));
}

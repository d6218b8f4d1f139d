/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Removing the hidden names, of tables on their way and of spares, that killed writers left.
 *
 * A living writer holds an exclusive lock on the file under its hidden name. Whoever is granted a shared lock has
 * therefore found the name of a dead one. Two who find it at once both unlink it: hidden names are random, so the
 * second unlink cannot hit another file.
 *
 * When to look. A scan reads the whole directory, which a get that takes a few microseconds cannot afford in a store
 * of thousands of tables. Two hints spare it, neither of which ever hides litter from dry_store_list:
 *
 * clean_ns: the directory's modification time at a scan that left no hidden name. As long as it is the same, there is
 * nothing. A time is only remembered once it is old: within one tick of the clock two changes look alike.
 *
 * skips: how many puts and gets may still go without. A scan of n entries pays for n / 64 of them, so in a store that
 * changes all the time each pays for about 64 entries, however large the store is.
 */
#include "private.h"

#define OLD_NS 100000000 /* longer than any clock tick that file times are cut to on a local file system */
#define ENTRIES_PER_SKIP 64

struct scan {
    struct dry_store *s;
    int (*visit)(void *self, const char *name);
    void *self;
    uint64_t entries;
    bool hidden_left;
};

/* Only a regular file of the directory's owner is one of ours; links are not followed, FIFOs do not block. */
static bool writer_is_dead(struct dry_store *s, int fd)
{
    struct dry_os_stat st;
    return dry_os_stat(fd, &st) == 0 && st.kind == DRY_OS_FILE && st.owner == s->owner && dry_os_lock(fd, false) == 0;
}

/* Returns whether the name has certainly gone. */
static bool reap(struct dry_store *s, const char *hidden)
{
    int fd;
    if (dry_os_open_read(s->dirfd, hidden, &fd)) return false;
    bool gone = writer_is_dead(s, fd);
    if (gone) {
        DRY_STEP("reap: locked");
        gone = dry_os_unlink(s->dirfd, hidden) == 0;
    }
    dry_os_close(fd);
    return gone;
}

/* To look at a spare means to open it, for which its writer may just have the kernel's promise that nobody has: he would
 * then go without it. So only lists look at spares, of which there is one a name at most. */
static int visit_entry(void *self, const char *name)
{
    struct scan *scan = self;
    enum dry_hidden kind = dry_store_hidden_kind(name);
    bool looks = scan->s->ours && (kind == DRY_HIDDEN_PUT || (kind == DRY_HIDDEN_SPARE && scan->visit));
    bool gone = looks && reap(scan->s, name);
    scan->entries++;
    if (kind == DRY_HIDDEN_PUT && !gone) scan->hidden_left = true;
    if (kind == DRY_HIDDEN_SPARE ? gone : !dry_store_is_name(name)) return 0;
    return scan->visit ? scan->visit(scan->self, name) : 0;
}

int dry_store_scan(struct dry_store *s, int (*visit)(void *self, const char *name), void *self)
{
    struct scan scan = {.s = s, .visit = visit, .self = self};
    struct dry_os_stat before;
    bool known = dry_os_stat(s->dirfd, &before) == 0 && dry_os_realtime_ns() - before.modified_ns > OLD_NS;
    int answer = dry_os_list(s->dirfd, visit_entry, &scan);
    if (answer) return answer;
    /* X0: hints; a lost or late one costs a scan more or fewer, and the scan itself looks at the truth */
    dry_store_relaxed_u64(&s->clean_ns, known && !scan.hidden_left ? (uint64_t)before.modified_ns : 0);
    /* X0: the same */
    dry_store_relaxed_u64(&s->skips, scan.entries / ENTRIES_PER_SKIP);
    return 0;
}

static bool may_skip(struct dry_store *s)
{
    struct dry_os_stat now;
    if (dry_os_stat(s->dirfd, &now)) return true;
    /* X0: a hint, see the head of the file */
    if (dry_load_relaxed_u64(&s->clean_ns) == (uint64_t)now.modified_ns) return true;
    /* X0: a hint; the exchange below keeps the count from falling below zero */
    uint64_t skips = dry_load_relaxed_u64(&s->skips);
    /* X0: counts only */
    return skips > 0 && dry_cas_relaxed_u64(&s->skips, &skips, skips - 1);
}

void dry_store_tidy(struct dry_store *s)
{
    if (!s->ours || may_skip(s)) return;
    /* Litter is no reason to refuse what was asked for; if the directory cannot be read, that will say so. */
    (void)dry_store_scan(s, NULL, NULL);
}

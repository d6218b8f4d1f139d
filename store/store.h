/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * store: names -> tables. A store is a directory; a table in it is a file that is a valid Arrow IPC file.
 *
 *     put      unnamed file -> fill -> verify -> read-only mode -> (fsync on a disk) -> name
 *     get      open read-only -> map -> dry_table
 *     rm, mv   unlink, rename; readers that have it keep their bytes until they let go
 *
 * Publishing is atomic. A new name is given by linkat. To replace one, the file is linked under a hidden name, which
 * its living writer locks, and then renamed; a writer killed in between leaves the hidden name, and the next put,
 * list or get removes it: its lock is free (in a store of more than 64 tables a process that goes on putting and
 * getting looks less often; a list always does). Where the file system has no unnamed files, the hidden name is there
 * from the start, under the same lock. Two puts of one name: both succeed, the last rename wins. The steps, and what
 * a kill leaves at each, are in docs/formats/store.md.
 *
 * Caveats:
 *   - A named table is safe from accidents (mode 0400), not from a hostile process of the same user, who can chmod
 *     and truncate it: a reader would die of SIGBUS. Another user cannot.
 *   - A name that is put again and again is written into the pages of the version before the last, once nobody has that
 *     open or mapped (docs/decisions/recycled-pages.md). Not seen are pages on their way through splice, sendfile or
 *     direct output after the file was closed: do not recycle what is served so, or keep it open.
 *   - A memory cgroup's shortage is SIGKILL, not an error. It is checked first, which is advisory.
 *   - A store in memory is gone at reboot, and systemd may empty /dev/shm at a user's last logout (RemoveIPC).
 *   - A network file system gives no events for other hosts' puts.
 *   - After fork the child may use the store, its tables and their streams; the parent's running put stays the
 *     parent's. (A child of a raw clone or vfork that does not exec keeps a killed parent's hidden name.)
 *
 * Thread rules: a dry_store is immutable after open; any thread may call anything with it at once.
 */
#ifndef DRY_STORE_H
#define DRY_STORE_H

#include "../arrow/arrow.h"
#include "../base/base.h"
#include "../segment/segment.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The longest name of a table, in bytes. Names are [A-Za-z0-9._-], 1 to 200 bytes, no leading dot. */
#define DRY_NAME_BYTES 200

struct dry_store;

enum dry_access {
    DRY_STORE_READ, /* must exist (else NOT_FOUND); an explicitly named one may belong to another user */
    DRY_STORE_WRITE /* is made if need be (the last directory of the path only), mode 0700; must be ours */
};

/* Opens the directory `path`, or, when that is NULL, $DRYSTONE_STORE, or else the default: /dev/shm/drystone-UID if
 * that mount is at least 1 GiB in size, else the user's cache directory on disk ($XDG_CACHE_HOME or ~/.cache, then
 * /drystone), with *warning set to a static line of text (untouched otherwise; may be NULL). A directory that was
 * asked for is used or refused, never replaced by another. Refused (DENIED): a link, not a directory, writable by
 * group or others, owned by somebody else (writing; the default also for reading), the default one with a mode other
 * than 0700. */
DRY_API enum dry_status dry_store_open(const char *path, enum dry_access access, const struct dry_allocator *a,
                                       struct dry_store **out, const char **warning, struct dry_error *err)
    DRY_MUST_CHECK;
/* Tables and streams from it stay valid. NULL is allowed. */
DRY_API void dry_store_close(struct dry_store *s);
/* Whether its path still leads to the directory that was opened, with the owner and mode that were judged then; who
 * keeps a store open asks before each use, and opens it anew when the answer is no. One system call. */
DRY_API bool dry_store_is_current(const struct dry_store *s) DRY_MUST_CHECK;
/* Borrows the absolute path of the directory. */
DRY_API const char *dry_store_path(const struct dry_store *s);
/* Opens it for reading to nobody else (0700), its group (0750) or all (0755): the directory, and every table in it
 * that is ours (0400, 0440, 0444). Later puts take the mode of the directory. DENIED for the default store, which is
 * for its owner alone: tables for others belong into a directory that was asked for. */
enum dry_readers { DRY_READERS_OWNER, DRY_READERS_GROUP, DRY_READERS_ALL };
DRY_API enum dry_status dry_store_share(struct dry_store *s, enum dry_readers readers, struct dry_error *err)
    DRY_MUST_CHECK;

/* ---- putting ---- */
struct dry_put_options {
    bool no_clobber;         /* EXISTS instead of replacing */
    uint64_t bytes_expected; /* reserves that much before the first byte is pulled; 0 = unknown. A wrong figure costs
                                at most a refusal that was not needed: give a lower bound */
    unsigned threads;        /* copies of 32 MiB and more are shared by so many (at most 16; 0 and 1: none is made) */
    bool recycle;            /* keeps the version that it replaces, if this process has put it, and writes the next one into
                                its pages, once nobody has it: about twice as fast, up to twice the memory. Not for what
                                is sent on with splice or sendfile (docs/decisions/recycled-pages.md) */
    int (*progress)(void *self, uint64_t bytes); /* as in dry_ipc_write_options */
    void *progress_self;
};
/* Publishes all of `in` (which is released in every case) under `name`. What is stored is verified in full before it
 * gets its name; bad input is CORRUPT and leaves what was there. On a disk, success means fsynced. `options` may be
 * NULL. A store opened for reading is DENIED. O(bytes). */
DRY_API enum dry_status dry_store_put(struct dry_store *s, const char *name, struct ArrowArrayStream *in,
                                      const struct dry_put_options *options, struct dry_error *err) DRY_MUST_CHECK;

/* ---- getting ---- */
/* How much dry_store_get looks at. AUTO: ranges only when the table was verified in full as it was put, otherwise (a
 * file that another program placed there) everything. PRIVATE: everything, in a copy in memory of our own, which nobody
 * can change or truncate afterwards: O(bytes), for those who do not trust who may write the file. */
enum dry_check { DRY_CHECK_AUTO, DRY_CHECK_RANGES, DRY_CHECK_FULL, DRY_CHECK_PRIVATE };
/* Maps the table of that name. O(columns x batches), whatever its size. */
DRY_API enum dry_status dry_store_get(struct dry_store *s, const char *name, enum dry_check check,
                                      struct dry_table **out, struct dry_error *err) DRY_MUST_CHECK;
/* The same for an Arrow IPC file at any path. */
DRY_API enum dry_status dry_table_open_path(const char *path, enum dry_check check, const struct dry_allocator *a,
                                            struct dry_table **out, struct dry_error *err) DRY_MUST_CHECK;
/* Writes the absolute path of an existing table; any Arrow program can map it. INVALID when it does not fit. */
DRY_API enum dry_status dry_store_table_path(struct dry_store *s, const char *name, char *out, size_t size,
                                             struct dry_error *err) DRY_MUST_CHECK;
/* Waits until the name is there; TIMEOUT. A negative timeout waits for ever. Returns at once when it is there. */
DRY_API enum dry_status dry_store_wait(struct dry_store *s, const char *name, int64_t timeout_ms,
                                       struct dry_error *err) DRY_MUST_CHECK;
/* A descriptor that polls readable when names came or went; read it away with dry_store_events. Events are hints, the
 * directory is the state. The caller closes it. */
DRY_API enum dry_status dry_store_watch(struct dry_store *s, int *fd, struct dry_error *err) DRY_MUST_CHECK;
/* Calls `visit` for each name that appeared (put, or moved in) or went; name NULL = events were lost: list again.
 * Returns OK also when there was nothing. Never blocks. */
DRY_API enum dry_status dry_store_events(struct dry_store *s, int fd,
                                         void (*visit)(void *self, const char *name, bool appeared), void *self,
                                         struct dry_error *err) DRY_MUST_CHECK;

/* ---- looking and removing ---- */
struct dry_entry {
    char name[DRY_NAME_BYTES + 1];
    enum dry_status status; /* OK, or why this file cannot be read as a table; then `table` is all zero */
    struct dry_table_stat table;
    int64_t created_ns;  /* since 1970, UTC: when its bytes were complete */
    uint64_t held_bytes; /* memory or disk that it occupies */
    uint32_t mode;
    uint32_t owner;
};
/* All tables, sorted by name; *out is one block, freed with dry_entries_free (also when n is 0). A file that is no
 * table is listed with its status (INVALID: not a regular file, DENIED: a link, or not readable to us). Hidden names,
 * names that no table may have, and directories are not listed. */
DRY_API enum dry_status dry_store_list(struct dry_store *s, struct dry_entry **out, size_t *n, struct dry_error *err)
    DRY_MUST_CHECK;
DRY_API void dry_entries_free(struct dry_store *s, struct dry_entry *entries, size_t n);
DRY_API enum dry_status dry_store_stat(struct dry_store *s, const char *name, struct dry_entry *out,
                                       struct dry_error *err) DRY_MUST_CHECK;
DRY_API enum dry_status dry_store_remove(struct dry_store *s, const char *name, struct dry_error *err) DRY_MUST_CHECK;
/* Replaces `to` atomically, or with no_clobber refuses (EXISTS). */
DRY_API enum dry_status dry_store_rename(struct dry_store *s, const char *from, const char *to, bool no_clobber,
                                         struct dry_error *err) DRY_MUST_CHECK;

/* Who maps the table now: dry_segment_mappers, also for who gives the block back (with the store's allocator). */
DRY_API enum dry_status dry_store_mappers(struct dry_store *s, const char *name, struct dry_mapper **out, size_t *n,
                                          struct dry_error *err) DRY_MUST_CHECK;

struct dry_store_info {
    char file_system[16];
    bool in_memory;
    uint64_t size_bytes, free_bytes; /* of the mount; 0 = no limit */
    uint64_t held_bytes;             /* by the tables of this store */
    uint64_t tables;
    uint64_t spares, spare_bytes; /* replaced versions whose pages living writers keep for the next (recycled-pages.md) */
    bool cgroup_found; /* a memory cgroup above this process has a limit */
    uint64_t cgroup_limit_bytes, cgroup_used_bytes;
    char cgroup_path[256];
};
DRY_API enum dry_status dry_store_info(struct dry_store *s, struct dry_store_info *out, struct dry_error *err)
    DRY_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

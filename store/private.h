/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * store, inside: what its files share. docs/formats/store.md is the specification of names, locks and steps.
 */
#ifndef DRY_STORE_PRIVATE_H
#define DRY_STORE_PRIVATE_H

#include "../base/atomic.h"
#include "../base/check.h"
#include "../base/os.h"
#include "../base/step.h"
#include "../segment/segment.h"
#include "store.h"

/* How the messages of this module begin. A path may be longer than a message: it is cut. */
#define IN_STORE "store '%.160s': "
/* Appended where no directory of the user's serves. */
#define CURE_OTHER "use another with --store DIR or DRYSTONE_STORE"

/* Spares (spare.h): how many a store keeps, and how many names it remembers to have put. */
enum { DRY_SPARES_MAX = 16, DRY_NOTES = 1024 };

struct dry_store {
    const struct dry_allocator *a;
    int dirfd;
    bool writable; /* opened for writing */
    bool ours;     /* the directory belongs to this user, so hidden names in it may be removed */
    bool is_default;
    bool in_memory; /* nothing to sync */
    uint32_t owner, mode;
    uint64_t inode, device;
    /* Hints that spare puts and gets the look for hidden names (reap.c). */
    struct dry_atomic_u64 clean_ns;
    struct dry_atomic_u64 skips;
    struct dry_atomic_u64 spares[DRY_SPARES_MAX]; /* struct dry_spare *, or 0 */
    struct dry_atomic_u64 noted[DRY_NOTES];
    size_t path_size;
    char path[]; /* absolute */
};

/* ---- names (names.c) ---- */
/* INVALID with words when it is no name for a table. */
enum dry_status dry_store_check_name(const char *name, struct dry_error *err) DRY_MUST_CHECK;
bool dry_store_is_name(const char *name);
/* ".put-" (a table on its way) or ".spare-" (recycled pages), and 32 hexadecimal digits: 128 random bits, so that a name
 * never comes back for another file. */
#define HIDDEN_SIZE sizeof(".spare-0123456789abcdef0123456789abcdef")
enum dry_hidden { DRY_NOT_HIDDEN, DRY_HIDDEN_PUT, DRY_HIDDEN_SPARE };
/* An errno of the random source. */
int dry_store_hidden_name(enum dry_hidden kind, char out[HIDDEN_SIZE]);
enum dry_hidden dry_store_hidden_kind(const char *name);

/* ---- hidden names of the dead (reap.c) ---- */
/* One pass over the directory: removes the hidden names whose writer is dead (spares only where `visit` is given: to
 * look at one disturbs its living writer) and calls `visit` (may be NULL) with each name that a table may have, and with
 * the hidden names of spares that are left; stops at its first answer other than 0 and returns it, or an errno of the
 * directory. */
int dry_store_scan(struct dry_store *s, int (*visit)(void *self, const char *name), void *self);
/* What a put and a get do first: a scan, unless it is known to find nothing or too many were paid for lately. */
void dry_store_tidy(struct dry_store *s);

/* ---- tables (get.c) ---- */
/* Maps the open file and opens it as a table. */
enum dry_status dry_store_map_table(int fd, const struct dry_allocator *a, struct dry_table **out,
                                    struct dry_error *err) DRY_MUST_CHECK;
/* A table over `view`, which is let go: the table holds its own. `fd` as in dry_table_open. */
enum dry_status dry_store_table_over(struct dry_view *view, int fd, const struct dry_allocator *a,
                                     struct dry_table **out, struct dry_error *err) DRY_MUST_CHECK;
/* Whether what a finished segment holds is a table that every check passes: through its writer's own mapping, or where
 * there is none, through a description opened for it. */
struct verifying {
    unsigned threads;
    int (*progress)(void *self, uint64_t bytes); /* as in dry_ipc_write_options; may be NULL */
    void *progress_self;
};
enum dry_status dry_store_verify(struct dry_segment *s, const struct verifying *how, const struct dry_allocator *a,
                                 struct dry_error *err) DRY_MUST_CHECK;
/* Who has found a file under a name may come too late: it has been replaced, and is being written anew (spare.h). Then it
 * is refused, or is no table, and the name leads to the newer version. So often it is looked up at most. */
#define LATE_TRIES 100
/* Whether the name leads to another file now than the one that was opened. */
bool dry_store_is_late(struct dry_store *s, const char *name, int fd);
/* Opens a table's file for reading, or says in words why not. */
enum dry_status dry_store_open_file(struct dry_store *s, const char *name, int *fd,
                                    struct dry_error *err) DRY_MUST_CHECK;

/* ---- rights (open.c) ---- */
/* DENIED with words when the store was opened for reading. */
enum dry_status dry_store_check_writable(const struct dry_store *s, struct dry_error *err) DRY_MUST_CHECK;
/* What readers the directory admits, for a table: 0400, 0440, 0444. */
static inline uint32_t file_mode(uint32_t directory_mode)
{
    return 0400 | (directory_mode & 0044);
}
/* On a disk, waits until the directory's last change is on it. */
enum dry_status dry_store_sync_directory(struct dry_store *s, struct dry_error *err) DRY_MUST_CHECK;

/* ---- growing arrays that leave as one block (items.c) ---- */
struct dry_items {
    const struct dry_allocator *a;
    size_t item_size, n, capacity;
    void *items; /* NULL or what dry_items_free takes */
};
/* Room for one more item, zeroed; NULL when there is no memory. */
void *dry_items_add(struct dry_items *b);
void dry_items_free(const struct dry_allocator *a, void *items, size_t item_size);

#endif

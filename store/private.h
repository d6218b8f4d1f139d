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
    size_t path_size;
    char path[]; /* absolute */
};

/* ---- names (names.c) ---- */
/* INVALID with words when it is no name for a table. */
enum dry_status dry_store_check_name(const char *name, struct dry_error *err) DRY_MUST_CHECK;
bool dry_store_is_name(const char *name);
/* ".put-" and 32 hexadecimal digits: 128 random bits, so that a name never comes back for another file. */
#define HIDDEN_SIZE sizeof(".put-0123456789abcdef0123456789abcdef")
/* An errno of the random source. */
int dry_store_hidden_name(char out[HIDDEN_SIZE]);
bool dry_store_is_hidden(const char *name);

/* ---- hidden names of the dead (reap.c) ---- */
/* One pass over the directory: removes the hidden names whose writer is dead and calls `visit` (may be NULL) with
 * each name that a table may have; stops at its first answer other than 0 and returns it, or an errno of the
 * directory. */
int dry_store_scan(struct dry_store *s, int (*visit)(void *self, const char *name), void *self);
/* What a put and a get do first: a scan, unless it is known to find nothing or too many were paid for lately. */
void dry_store_tidy(struct dry_store *s);

/* ---- tables (get.c) ---- */
/* Maps the open file and opens it as a table. */
enum dry_status dry_store_map_table(int fd, const struct dry_allocator *a, struct dry_table **out,
                                    struct dry_error *err) DRY_MUST_CHECK;
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

/* ---- growing arrays that leave as one block (block.c) ---- */
struct dry_block {
    const struct dry_allocator *a;
    size_t item_size, n, capacity;
    void *items; /* NULL or what dry_block_free takes */
};
/* Room for one more item, zeroed; NULL when there is no memory. */
void *dry_block_add(struct dry_block *b);
void dry_block_free(const struct dry_allocator *a, void *items, size_t item_size);

#endif

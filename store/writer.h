/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * writer: a table that comes into being where it will be read: in a store, under a name, or in anonymous memory,
 * which other processes reach through a handle.
 *
 *     new(schema) --> append(batch) ... --> commit --> handle, table            anonymous: --> seal
 *                     block(rows)                                               anonymous: --> take_back --> commit
 * ... columns are struct dry_memory in the file itself: a vec over them writes the table, nothing is copied
 *                     end_block(rows)
 *
 * Batches that are appended (copied, any type) and blocks that are built in place may alternate; each makes one
 * record batch, and what is committed is a valid Arrow IPC file. Nothing is visible before commit, and nothing is
 * left of a writer that is freed, or whose process is killed, before it.
 *
 * A block begins with room for its metadata; then come its columns' pieces, in any order, each where it was made:
 *
 *     | magic, schema | metadata | column 0 | column 1 | ... | metadata | ...            | footer |
 *                      <-- block 0: one record batch  ------> <-- block 1 ...
 *
 * A column that outgrows its room moves to the end of the block (one copy, counted); room that is not used stays as a
 * gap, but when a block's gaps are more than 1/8 of it, its short columns are moved together (counted).
 * docs/writer.md is the picture.
 *
 * Errors. INVALID, UNSUPPORTED, SHARED, TOO_BIG, a FULL of block or append, and an EXISTS of commit leave the writer
 * as it was. Any other one may have left it half done, and so may any error of a batch with dictionaries: then all
 * calls but stat and free are INVALID. (A batch that was cancelled or broke off half-way is such a one.)
 *
 * Thread rules: a writer belongs to one thread at a time; tables made from it to all. fork: as a segment's: the child
 * may only free it.
 */
#ifndef DRY_WRITER_H
#define DRY_WRITER_H

#include "../segment/pass.h"
#include "store.h"

#ifdef __cplusplus
extern "C" {
#endif

struct dry_writer;

struct dry_writer_options {
    struct dry_segment_options segment; /* keep_mapped is the writer's own affair */
    int64_t bytes_per_value; /* of strings and binaries, for the first room; 0 = 16. A wrong one costs a move */
    uint64_t bytes_expected; /* of the whole table: reserved at once; 0 = unknown */
    bool no_clobber;         /* EXISTS instead of replacing */
    bool recycle;            /* named: as in dry_put_options */
    int (*progress)(void *self, uint64_t bytes); /* while batches are appended; as in dry_ipc_write_options */
    void *progress_self;
};

/* `s` NULL: an anonymous table (memfd), for which `name` is a label that shows in /proc (NULL: "table"). `schema` is
 * borrowed; the store has to outlive the writer. `options` may be NULL. */
DRY_API enum dry_status dry_writer_new(struct dry_store *s, const char *name, const struct ArrowSchema *schema,
                                       const struct dry_writer_options *options, const struct dry_allocator *a,
                                       struct dry_writer **out, struct dry_error *err) DRY_MUST_CHECK;
/* Not committed: nothing is left. Committed: a named table stays; the memory of an anonymous one goes with its last
 * user, and its handle dies. Memories and vecs over its columns are gone. NULL is allowed. */
DRY_API void dry_writer_free(struct dry_writer *w);

/* ---- copies ---- */
/* Appends a batch (a struct array of the schema's type), which is released in every case. */
DRY_API enum dry_status dry_writer_append(struct dry_writer *w, struct ArrowArray *batch,
                                          struct dry_error *err) DRY_MUST_CHECK;
/* All of a stream, whose schema must be the writer's (INVALID otherwise); released in every case. */
DRY_API enum dry_status dry_writer_append_stream(struct dry_writer *w, struct ArrowArrayStream *in,
                                                 struct dry_error *err) DRY_MUST_CHECK;

/* ---- in place ---- */
/* Begins a block with room for `rows` rows in all columns. UNSUPPORTED, with its name, for a nested, dictionary or
 * view column: append those tables. INVALID while a block is open. FULL before a byte is written. */
DRY_API enum dry_status dry_writer_block(struct dry_writer *w, int64_t rows, struct dry_error *err) DRY_MUST_CHECK;
enum dry_buffer {
    DRY_BUFFER_VALIDITY, /* bits, 1 = there is a value; without it, there are no nulls. All 1 when first asked for */
    DRY_BUFFER_VALUES,   /* fixed-size values (bool: bits) */
    DRY_BUFFER_OFFSETS,  /* rows + 1, int32 or int64 (large types), the first is 0 */
    DRY_BUFFER_BYTES     /* of strings and binaries */
};
/* The memory of a column of the open block, or after take_back of any. Blocks count from 0, appended batches do not;
 * `block` -1 is the last one, so the open one. It is the writer's own, borrowed; its release gives it back to the
 * writer, so a vec over it may be ended as always, also after end_block, when its size is FIXED. Its bytes are not
 * defined but as said above. Sizes are multiples of 64 bytes. INVALID: the column has no such buffer. */
DRY_API enum dry_status dry_writer_column(struct dry_writer *w, int64_t block, int64_t column, enum dry_buffer which,
                                          struct dry_memory **out, struct dry_error *err) DRY_MUST_CHECK;
/* The elements of a collection as that buffer (NAME_into_raw): those that lie in its memory already are taken as they
 * are, others are copied. `raw` is then empty; after a failure it is the caller's still. Bits come in words of any
 * size. INVALID: the size of its elements is not the column's, or they have a destructor. */
DRY_API enum dry_status dry_writer_give(struct dry_writer *w, int64_t block, int64_t column, enum dry_buffer which,
                                        struct dry_raw *raw, struct dry_error *err) DRY_MUST_CHECK;
/* Ends the open block with the first `rows` rows of every column: of strings, with the bytes up to the last of those
 * offsets. Bits and bytes behind them become 0, nulls are counted. INVALID, with the column's name, where fewer were
 * given or fit; the block stays open. O(bitmaps), and what has to be moved. */
DRY_API enum dry_status dry_writer_end_block(struct dry_writer *w, int64_t rows,
                                             struct dry_error *err) DRY_MUST_CHECK;

/* ---- publishing ---- */
/* Writes the footer, verifies all of it, protects it, gives it its name. CORRUPT: the columns break the format (a
 * wrong offset, bytes that are not UTF-8 ...): nothing is published, and the writer is of no more use. An open block
 * is INVALID. EXISTS (no_clobber): may be called again when the name is free. O(bytes). */
DRY_API enum dry_status dry_writer_commit(struct dry_writer *w, struct dry_error *err) DRY_MUST_CHECK;
/* After commit: the table, as any reader sees it; one reference. */
DRY_API enum dry_status dry_writer_table(struct dry_writer *w, struct dry_table **out,
                                         struct dry_error *err) DRY_MUST_CHECK;
/* After commit, anonymous: what other processes open. */
DRY_API enum dry_status dry_writer_handle(struct dry_writer *w, char out[DRY_HANDLE_SIZE],
                                          struct dry_error *err) DRY_MUST_CHECK;
/* After commit, anonymous: nobody can change it any more, this writer neither; its handle stays. */
DRY_API enum dry_status dry_writer_seal(struct dry_writer *w, struct dry_error *err) DRY_MUST_CHECK;
/* After commit, anonymous: the blocks' columns are writable again, their sizes fixed, if nobody else has the table:
 * no process, and no view or stream of this one. SHARED otherwise, and nothing has changed. Then commit again (the
 * rows of a block may be fewer: end_block with its number is not needed, dry_writer_set_rows is). Old handles are
 * dead. */
DRY_API enum dry_status dry_writer_take_back(struct dry_writer *w, struct dry_error *err) DRY_MUST_CHECK;
DRY_API enum dry_status dry_writer_set_rows(struct dry_writer *w, int64_t block, int64_t rows,
                                            struct dry_error *err) DRY_MUST_CHECK;

struct dry_writer_stat {
    int64_t rows, batches;
    int64_t blocks;        /* of the batches, those built in place; the open one too */
    uint64_t copied_bytes; /* by append (metadata too) and give */
    uint64_t moved_bytes;  /* columns that outgrew their room, or were moved together */
    uint64_t gap_bytes;    /* in the file, unused */
    bool recycled;         /* in the pages of an earlier table of that name */
    struct dry_segment_stat segment;
};
DRY_API enum dry_status dry_writer_stat(const struct dry_writer *w, struct dry_writer_stat *out,
                                        struct dry_error *err) DRY_MUST_CHECK;

/* ---- opening what another process shared ---- */
/* The table that a handle names, mapped; it keeps a descriptor for as long as it is mapped. `at_least`: DENIED for a
 * less protected one. `check` as in dry_store_get, but AUTO looks at everything unless the footer says that drystone
 * verified it, nobody but its maker can write it (ANONYMOUS, SEALED), and that is this user: the stamp is then as
 * trustworthy as the user's own programs, no more. */
DRY_API enum dry_status dry_table_open_handle(const char *handle, enum dry_class at_least, enum dry_check check,
                                              const struct dry_allocator *a, struct dry_table **out,
                                              struct dry_error *err) DRY_MUST_CHECK;
/* The same for a descriptor that was inherited or received; it stays the caller's. */
DRY_API enum dry_status dry_table_open_fd(int fd, enum dry_class at_least, enum dry_check check,
                                          const struct dry_allocator *a, struct dry_table **out,
                                          struct dry_error *err) DRY_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif

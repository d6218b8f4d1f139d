/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to store/writer*.c: a writer, its blocks, and their buffers.
 *
 *     FILLING --commit--> COMPLETE --(verified, named or protected)--> COMMITTED --seal--> SEALED
 *                             ^                                            |
 *                             +----------commit------ TAKEN_BACK <---------+
 *
 * While a block is open, each of its buffers is a piece of the segment, which may move; what is handed out is a
 * dry_memory of our own that follows it. When the block has ended, a buffer is a place in the file and no more.
 */
#ifndef DRY_STORE_WRITER_PRIVATE_H
#define DRY_STORE_WRITER_PRIVATE_H

#include "draft.h"
#include "writer.h"

enum writer_state {
    WRITER_FILLING,
    WRITER_COMPLETE, /* the footer is written; not published yet */
    WRITER_COMMITTED,
    WRITER_TAKEN_BACK,
    WRITER_SEALED,
    WRITER_BROKEN /* an error has left it half done: only stat and free */
};

struct writer_buffer {
    struct dry_memory memory; /* what is handed out; follows the piece, or shows the place after take_back */
    struct dry_writer *writer;
    struct dry_memory *piece; /* while the block is open */
    uint64_t at;              /* after it: where in the file, and how many bytes may be used there */
    size_t room;
    size_t used;   /* bytes that the block's rows need */
    int64_t given; /* elements that `give` brought; -1: the user fills the memory himself */
    enum dry_buffer which;
    bool is_there; /* validity is made when it is asked for */
};

struct writer_block {
    struct writer_buffer *buffers; /* w->n_buffers: those of each column, in order */
    int64_t rows;                  /* while it is open: how many there is room for at least */
    int64_t batch;                 /* its number in the file */
    uint64_t metadata_at, body_at, body_bytes;
    uint64_t gap_bytes;
};

struct writer_column {
    struct dry_shape shape;
    int64_t first; /* of its buffers in a block */
};

struct dry_writer {
    const struct dry_allocator *a;
    struct dry_writer_options options;
    enum writer_state state;
    struct dry_draft draft;      /* a named table's; else its store is NULL */
    struct dry_segment *segment; /* the draft's, or our own */
    struct dry_ipc_writer *ipc;
    /* Learned with the first block. */
    struct writer_column *columns;
    int64_t n_columns, n_buffers;
    struct dry_place_in_body *places; /* n_buffers, for the message being written */
    int64_t *null_counts;             /* n_columns, for the same */
    struct writer_buffer **order;     /* n_buffers, for the block being ended */
    struct dry_items blocks;          /* struct writer_block */
    bool is_open;                     /* the last block is */
    uint64_t copied_bytes, moved_bytes;
    size_t name_size;
    char name[]; /* or the label of an anonymous one */
};

static inline bool writer_is_named(const struct dry_writer *w)
{
    return w->draft.s != NULL;
}
static inline struct writer_block *writer_block_at(const struct dry_writer *w, int64_t i)
{
    return (struct writer_block *)w->blocks.items + i;
}
static inline size_t writer_padded(size_t bytes)
{
    return (bytes + DRY_ALIGN - 1) & ~(size_t)(DRY_ALIGN - 1);
}

/* ---- writer.c ---- */
/* Puts the table's name before what was said. */
enum dry_status dry_writer_about(const struct dry_writer *w, enum dry_status status, struct dry_error *err);
/* DENIED in the child of a fork; INVALID when it is not in that state, in words that say what it is in. */
enum dry_status dry_writer_expect(const struct dry_writer *w, enum writer_state state,
                                  struct dry_error *err) DRY_MUST_CHECK;

/* ---- writer_block.c ---- */
/* The memories of block `b` show where its buffers are in the file, or (base NULL) nothing. */
void dry_writer_show(struct dry_writer *w, struct writer_block *b, char *base);
void dry_writer_free_blocks(struct dry_writer *w);
/* "validity", "values", "offsets", "bytes". */
const char *dry_writer_buffer_name(enum dry_buffer which);

/* ---- writer_measure.c ---- */
/* Sets `used` of every buffer for `rows` rows. INVALID, with the column's name: they are not there. */
enum dry_status dry_writer_measure(const struct dry_writer *w, struct writer_block *b, int64_t rows,
                                   struct dry_error *err) DRY_MUST_CHECK;
/* After measure: zeros behind the rows, and the number of nulls of each column in w->null_counts. */
void dry_writer_count(struct dry_writer *w, const struct writer_block *b, int64_t rows);
/* After measure, of an open block: where each buffer is; moves them together when the gaps are too large. Returns
 * where the block ends. */
uint64_t dry_writer_settle(struct dry_writer *w, struct writer_block *b);
/* After all that: what the block's message says, which borrows from w; and how large the gaps are. */
struct dry_placed dry_writer_describe(struct dry_writer *w, struct writer_block *b, int64_t rows);

#endif

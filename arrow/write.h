/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/write.c and arrow/place.c. A file or stream that is being written.
 */
#ifndef DRY_ARROW_WRITE_H
#define DRY_ARROW_WRITE_H

#include "arrow.h"
#include "merge.h"

struct dry_ipc_writer {
    struct dry_sink sink;
    struct dry_ipc_write_options options;
    const struct dry_allocator *allocator;
    struct dry_error *err; /* of the call that is being served */
    struct dry_schema *schema;
    struct dry_merge *merges; /* one for each dictionary of the schema */
    struct dry_renumber *renumber;
    bool *grew;
    struct dry_bytes head; /* the message being written */
    struct dry_bytes held; /* the beginning, kept back until the first batch is known: then one reserve serves both */
    uint64_t at;           /* bytes written so far, those kept back included */
    struct dry_block *batches, *dictionaries;
    int64_t *rows, all_rows; /* of each batch, and together */
    int64_t n_batches, cap_batches, n_dictionaries;
    struct dry_kept *kept;  /* batches that must stay alive because a dictionary's values lie in them */
    struct dry_arena arena; /* lives as long as the writer */
    struct dry_block place; /* of the batch that is being placed; metadata_bytes 0: there is none */
    bool torn;              /* the sink has a part of something: only free is left */
    bool finished;
};

/* INVALID with words when nothing can be added any more, or a batch is being placed. */
enum dry_status dry_ipc_writer_ready(const struct dry_ipc_writer *w) DRY_MUST_CHECK;
/* Announces `more` bytes, and writes what was kept back. */
enum dry_status dry_ipc_writer_reserve(struct dry_ipc_writer *w, uint64_t more) DRY_MUST_CHECK;
/* Room to remember one more batch, so that dry_ipc_writer_remember cannot fail. */
enum dry_status dry_ipc_writer_expect(struct dry_ipc_writer *w) DRY_MUST_CHECK;
void dry_ipc_writer_remember(struct dry_ipc_writer *w, const struct dry_block *block, int64_t rows);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. What one record batch or dictionary will look like as an IPC body, before a byte of it is
 * written: the message's nodes and places, and for each place a piece that says how its bytes come about. A plan
 * borrows the array that it was made from.
 */
#ifndef DRY_ARROW_PLAN_H
#define DRY_ARROW_PLAN_H

#include "array.h"
#include "arrow.h"

enum dry_piece_kind {
    DRY_PIECE_COPY,      /* n bytes as they are */
    DRY_PIECE_BITS,      /* n bits, beginning at bit `shift` of `from` */
    DRY_PIECE_OFFSETS32, /* n offsets, each minus `shift` */
    DRY_PIECE_OFFSETS64,
    DRY_PIECE_INDICES, /* n dictionary indices of `bits` bits, each replaced by map[index]; 0 where it is null */
    DRY_PIECE_VIEWS,   /* n views, repacked so that their long bytes follow each other in one buffer */
    DRY_PIECE_GATHER   /* the long bytes of n views, one behind the other */
};

struct dry_piece {
    enum dry_piece_kind kind;
    const struct dry_array *array;
    const uint8_t *from;
    int64_t n, shift, bytes; /* bytes: what it writes, without padding */
    int64_t first; /* INDICES, VIEWS, GATHER: the array's element that `from` begins with, for its validity */
};

/* How the indices of one dictionary field are to be renumbered; map NULL: they stay. */
struct dry_renumber {
    const int64_t *map;
    int64_t n;
};

struct dry_plan {
    struct dry_message message; /* body_bytes, length, nodes, places, variadic are set */
    struct dry_piece *pieces;   /* one for each place, in order */
};

/* `renumber` has an entry for each of the schema's dictionaries, or is NULL. All memory comes from the arena. CORRUPT
 * when an offset or a view leads outside (then its column is named). O(views) for view columns, O(nulls' bitmaps),
 * else O(columns). */
enum dry_status dry_plan_make(const struct dry_schema *s, const struct dry_array *array,
                              const struct dry_renumber *renumber, const char *where, struct dry_arena *arena,
                              struct dry_plan *out, struct dry_error *err) DRY_MUST_CHECK;
/* Writes the body: every piece, each padded with zeros to 64 bytes. `written` counts all bytes, for progress. */
enum dry_status dry_plan_write(const struct dry_schema *s, const struct dry_plan *p,
                               const struct dry_renumber *renumber, const char *where, const struct dry_sink *sink,
                               const struct dry_ipc_write_options *options, uint64_t *written,
                               struct dry_error *err) DRY_MUST_CHECK;

#endif

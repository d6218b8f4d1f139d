/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * arrow: tables in the Arrow IPC format, in and out of the Arrow C stream interface.
 *
 * The currency is struct ArrowArrayStream: whatever gives one can be written, and whatever is read comes as one.
 *
 *     IPC file in shared bytes --dry_table_open--> dry_table --dry_table_stream--> ArrowArrayStream  (no copy)
 *     IPC file or stream on a descriptor --dry_ipc_read_fd--> ArrowArrayStream                       (own memory)
 *     ArrowArrayStream --dry_ipc_write--> IPC file or stream into a sink
 *     ArrowArray, one by one, or columns where they lie --dry_ipc_writer--> the same
 *
 * Types: null, bool, all integers and floats (half too), utf8, large utf8, binary, large binary, string and binary
 * views, fixed-size binary, date, time, timestamp, duration, the three intervals, decimal 32 to 256, list, large
 * list, fixed-size list, struct, map, and dictionaries of these. Any other type is DRY_UNSUPPORTED with the column's
 * name.
 *
 * Foreign bytes are never trusted. Opening checks all metadata and that every buffer lies inside its body and is long
 * enough, O(columns x batches). dry_table_verify also looks at the values that lead elsewhere: offsets, views,
 * dictionary indices, null counts, UTF-8.
 *
 * Thread rules: a dry_table is immutable, any thread may use it at once, and its streams are independent of each
 * other. One ArrowArrayStream belongs to one thread at a time (the interface's rule). Exported arrays may be released
 * on any thread.
 */
#ifndef DRY_ARROW_H
#define DRY_ARROW_H

#include "../base/base.h"
#include "../storage/storage.h"
#include "abi.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a table over shared bytes ---- */
struct dry_table;

/* How much of a table was looked at. Recorded in files that drystone writes, after it has verified them. */
enum dry_verified { DRY_VERIFIED_RANGES, DRY_VERIFIED_FULL };

/* Opens the Arrow IPC file that `bytes` holds. `fd` may be -1; otherwise it has the same file open and its metadata
 * is read by pread, which is faster than the first touch of a mapped page. Takes its own reference to the bytes; the
 * caller keeps its view. CORRUPT names the place of the fault. Compressed bodies are UNSUPPORTED here (a table is
 * mapped, not decoded): read them through dry_ipc_read_fd. O(columns x batches). */
DRY_API enum dry_status dry_table_open(const struct dry_view *bytes, int fd, const struct dry_allocator *a,
                                       struct dry_table **out, struct dry_error *err) DRY_MUST_CHECK;
DRY_API struct dry_table *dry_table_ref(struct dry_table *t);
/* Exported arrays stay valid after the last unref; they hold the bytes themselves. NULL is allowed. */
DRY_API void dry_table_unref(struct dry_table *t);

/* Borrows the bytes of the file that the table shows, all of them. */
DRY_API const struct dry_view *dry_table_bytes(const struct dry_table *t);

struct dry_table_stat {
    int64_t rows, columns, batches;
    int64_t buffer_bytes; /* sum of all buffers of all batches and dictionaries, without padding */
    int64_t file_bytes;
    uint32_t alignment_bytes;   /* the largest power of two, at most 64, that every buffer's place in the file is a
                                   multiple of */
    enum dry_verified verified; /* what the writer recorded; RANGES for files of other writers */
};
DRY_API void dry_table_stat(const struct dry_table *t, struct dry_table_stat *out);

/* Each call exports a new copy, owned by `out`: call its release. O(columns). */
DRY_API enum dry_status dry_table_schema(const struct dry_table *t, struct ArrowSchema *out) DRY_MUST_CHECK;
/* Batch i as a struct array whose children are the columns. No bytes are copied. INVALID when i is out of range. */
DRY_API enum dry_status dry_table_batch(const struct dry_table *t, int64_t i, struct ArrowArray *out) DRY_MUST_CHECK;
/* All batches. Repeatable: every call starts at the first. The stream holds the table. */
DRY_API enum dry_status dry_table_stream(struct dry_table *t, struct ArrowArrayStream *out) DRY_MUST_CHECK;
/* Looks at every value that leads elsewhere, of batches [from, from + n) (n < 0: to the end) and all dictionaries.
 * CORRUPT: which column, batch and row. O(bytes). */
DRY_API enum dry_status dry_table_verify(const struct dry_table *t, int64_t from, int64_t n,
                                         struct dry_error *err) DRY_MUST_CHECK;
struct dry_verify_options {
    unsigned threads; /* columns are shared by so many (at most 64; 0 and 1: none is made) */
    /* Called on the caller's thread between columns, with how many of all it is at; an answer other than 0 stops with DRY_IO
     * "cancelled". May be NULL. */
    int (*progress)(void *self, uint64_t done, uint64_t all);
    void *progress_self;
};
/* All of it, with the same answer: of several faults the first, by batch and column. */
DRY_API enum dry_status dry_table_verify_with(const struct dry_table *t, const struct dry_verify_options *options,
                                              struct dry_error *err) DRY_MUST_CHECK;

/* ---- writing ---- */
enum dry_ipc_format { DRY_IPC_FILE, DRY_IPC_STREAM };

/* Where written bytes go, front to back. Each function returns a status and fills err. */
struct dry_sink {
    void *self;
    /* `n` bytes are about to come (a hint that lets the sink fail early); may be NULL. */
    enum dry_status (*reserve)(void *self, uint64_t n, struct dry_error *err);
    enum dry_status (*append)(void *self, const void *bytes, size_t n, struct dry_error *err);
};

struct dry_ipc_write_options {
    enum dry_ipc_format format;
    /* Record in the footer that the file has been verified in full. Only for a caller that does so before anybody
     * else sees the file. */
    bool stamp_verified;
    /* Called after each batch, and within large ones, with the bytes written so far; an answer other than 0 stops
     * with DRY_IO "cancelled". May be NULL. */
    int (*progress)(void *self, uint64_t bytes);
    void *progress_self;
};

/* Writes all of `in`, which is released in every case. Buffers are 64-byte aligned and padded, uncompressed. Slices
 * are written without what they do not show. Dictionaries: one per column in a file (batches that bring others are
 * merged); replacements in a stream. A failing source is DRY_IO with its own words. */
DRY_API enum dry_status dry_ipc_write(struct ArrowArrayStream *in, const struct dry_sink *sink,
                                      const struct dry_ipc_write_options *options, const struct dry_allocator *a,
                                      struct dry_error *err) DRY_MUST_CHECK;
/* A sink over a descriptor (pipe, socket or file at its own position). */
DRY_API struct dry_sink dry_sink_fd(int *fd);

/* ---- writing batch by batch: dry_ipc_write is a loop over this ---- */
struct dry_ipc_writer;
/* `sink` and `options` are copied, what they point to stays the caller's; `schema` is borrowed. The first bytes are kept
 * back until the first batch is known (of a stream they are written now). A writer belongs to one thread at a time. */
DRY_API enum dry_status dry_ipc_writer_new(const struct ArrowSchema *schema, const struct dry_sink *sink,
                                           const struct dry_ipc_write_options *options, const struct dry_allocator *a,
                                           struct dry_ipc_writer **out, struct dry_error *err) DRY_MUST_CHECK;
/* Writes a batch (a struct array of the schema's type), which is released in every case; but one that brought the first
 * dictionary of a column is kept until the writer is freed. After a failure the writer goes on as if the batch had not
 * been, unless the sink has a part of it, or the schema has dictionaries: then it is INVALID from now on. */
DRY_API enum dry_status dry_ipc_writer_batch(struct dry_ipc_writer *w, struct ArrowArray *batch,
                                             struct dry_error *err) DRY_MUST_CHECK;
/* All of a stream, which is released in every case. INVALID: its schema is not the writer's (metadata aside). */
DRY_API enum dry_status dry_ipc_writer_stream(struct dry_ipc_writer *w, struct ArrowArrayStream *in,
                                              struct dry_error *err) DRY_MUST_CHECK;
/* Dictionaries, the end of the stream, the footer: the file is whole. May be called again after FULL. */
DRY_API enum dry_status dry_ipc_writer_finish(struct dry_ipc_writer *w, struct dry_error *err) DRY_MUST_CHECK;
/* NULL is allowed. The sink has what it has. */
DRY_API void dry_ipc_writer_free(struct dry_ipc_writer *w);
struct dry_ipc_writer_stat {
    int64_t rows, batches;
    uint64_t bytes; /* those kept back included */
};
DRY_API void dry_ipc_writer_stat(const struct dry_ipc_writer *w, struct dry_ipc_writer_stat *out);

/* ---- batches whose columns lie where they were computed ----
 * For who owns the memory that the file is made of (FILE format only): columns without children are placed behind room
 * for their metadata, whose size the schema fixes, and the metadata follows when it is known.
 *
 *     place(w, about so many bytes, &at, &room)      room bytes at `at` now belong to the metadata
 *     ... the body is filled, from at + room on, in any order, with gaps ...
 *     placed(w, where everything is, &metadata)      room bytes, which the caller writes at `at`
 */
/* How a column lies in memory. */
struct dry_shape {
    int32_t n_buffers;    /* 0: null type; 2: validity, values; 3: validity, offsets, bytes */
    int32_t value_bits;   /* of a value (bool: 1); 0 where n_buffers is not 2, or it is a binary of width 0 */
    int32_t offset_bytes; /* 4 or 8; 0 where n_buffers is not 3 */
};
DRY_API int64_t dry_ipc_writer_columns(const struct dry_ipc_writer *w);
/* UNSUPPORTED, with its name, for a nested, dictionary or view column; INVALID: there is no such column. */
DRY_API enum dry_status dry_ipc_writer_shape(const struct dry_ipc_writer *w, int64_t column, struct dry_shape *out,
                                             struct dry_error *err) DRY_MUST_CHECK;
/* "column 'x' (int32)", for messages. Cut to fit, NUL-terminated. Returns `out`. */
DRY_API const char *dry_ipc_writer_label(const struct dry_ipc_writer *w, int64_t column, char *out, size_t size);

struct dry_place_in_body {
    int64_t offset, length; /* bytes from the body's start, which is a multiple of 64; a buffer of length 0 is not there */
};
struct dry_placed {
    int64_t rows;
    int64_t body_bytes;                      /* a multiple of 64 */
    const int64_t *null_counts;              /* of each column */
    const struct dry_place_in_body *buffers; /* of all columns, in order: n_buffers of each. Multiples of 64 */
};
/* Announces the room for the metadata and a body of about `body_bytes`, and has the sink append that room. Until placed
 * or unplace nothing else can be written. UNSUPPORTED as for shape, or for a stream. */
DRY_API enum dry_status dry_ipc_writer_place(struct dry_ipc_writer *w, uint64_t body_bytes, uint64_t *at, size_t *room,
                                             struct dry_error *err) DRY_MUST_CHECK;
/* The body is there. *metadata is borrowed until the next call. INVALID where a buffer is not inside the body. */
DRY_API enum dry_status dry_ipc_writer_placed(struct dry_ipc_writer *w, const struct dry_placed *p,
                                              const void **metadata, struct dry_error *err) DRY_MUST_CHECK;
/* It will not be there: the caller has cut the file back to `at`. */
DRY_API void dry_ipc_writer_unplace(struct dry_ipc_writer *w);
/* The metadata of batch `batch`, which was placed, anew: other rows, null counts and lengths in a body of the same size.
 * Also after finish: no other byte of the file changes. */
DRY_API enum dry_status dry_ipc_writer_replace(struct dry_ipc_writer *w, int64_t batch, const struct dry_placed *p,
                                               const void **metadata, struct dry_error *err) DRY_MUST_CHECK;

/* ---- reading from a descriptor ---- */
/* Arrow IPC, file or stream format, on any descriptor: a regular file is read by position (its own place is where it
 * starts), anything else front to back; a file that comes through a pipe is first collected in memory. Bodies are
 * read into own memory, decompressed if need be, and checked like dry_table_open before they are handed out. No
 * allocation is larger than what the input has really delivered (or, decompressed, 4096 times that above 64 MiB).
 * Parquet, CSV and old Feather are recognised: UNSUPPORTED, and the text shows how to convert. `fd` is borrowed and
 * must stay open until the stream is released. `label` names the input in messages. */
DRY_API enum dry_status dry_ipc_read_fd(int fd, const char *label, const struct dry_allocator *a,
                                        struct ArrowArrayStream *out, struct dry_error *err) DRY_MUST_CHECK;

/* ---- columns as views ---- */
/* A column without children, as views: of an array that somebody else made, or to be given to somebody else. */
struct dry_column {
    int64_t length;             /* elements */
    int64_t offset;             /* elements to skip in every buffer (bits of a bitmap) */
    struct dry_view buffers[3]; /* as the type has them, each with a reference: validity (empty: no nulls), values; or
                                   validity, offsets, bytes */
};
/* Takes `array` over, of the type that `type` describes: every view holds it, and its release runs when the last one
 * goes, on whatever thread that is. Nothing is copied; a misaligned buffer stays so (dry_view_align copies it when
 * typed access asks). For fixed-size values, utf8 and binary: UNSUPPORTED for nested, dictionary and view types.
 * INVALID says what is wrong with the array. On failure it is still the caller's. O(1). */
DRY_API enum dry_status dry_column_adopt(const struct ArrowSchema *type, struct ArrowArray *array,
                                         const struct dry_allocator *a, struct dry_column *out,
                                         struct dry_error *err) DRY_MUST_CHECK;
/* An array over the views, which it holds references of its own to. `format` is the type in the C data interface's
 * words, e.g. "i". INVALID when a buffer is shorter than offset + length need. O(1). */
DRY_API enum dry_status dry_column_export(const char *format, const struct dry_column *c,
                                          const struct dry_allocator *a, struct ArrowArray *out,
                                          struct dry_error *err) DRY_MUST_CHECK;
/* The elements themselves, without what `offset` skips, of `width` bytes each. INVALID when they are not there. */
DRY_API enum dry_status dry_column_values(const struct dry_column *c, size_t width,
                                          struct dry_view *out) DRY_MUST_CHECK;
/* Lets all views go. */
DRY_API void dry_column_unref(struct dry_column *c);

/* ---- names of types ---- */
/* A column's type for people, e.g. "timestamp[us, UTC]", "list<item: int32>", "dictionary<int8, utf8>". Cut to fit,
 * NUL-terminated. */
DRY_API void dry_type_name(const struct ArrowSchema *column, char *out, size_t size);

#ifdef __cplusplus
}
#endif
#endif

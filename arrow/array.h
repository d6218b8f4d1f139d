/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to arrow/. Data beside the schema: a tree of arrays whose buffers have known sizes. It owns nothing: the
 * bytes belong to a storage or to a foreign ArrowArray, the tree to an arena.
 */
#ifndef DRY_ARROW_ARRAY_H
#define DRY_ARROW_ARRAY_H

#include "../base/bits.h"
#include "../storage/storage.h"
#include "arena.h"
#include "message.h"
#include "schema.h"

struct dry_span {
    const uint8_t *data; /* any alignment; NULL only with len 0 */
    int64_t len;         /* bytes */
};

struct dry_array {
    const struct dry_field *field;
    int64_t length;
    int64_t null_count;         /* -1: not known */
    int64_t offset;             /* elements to skip in every buffer (bits in a bitmap); 0 for what came from IPC */
    struct dry_span buffers[3]; /* by the field's layout; buffers[0].data NULL: no nulls */
    int64_t n_variadic;
    struct dry_span *variadic;
    struct dry_array *children;   /* field->n_children of them */
    struct dry_array *dictionary; /* of a dictionary-encoded field; shared, not owned by the tree; NULL: not seen */
};

/* Checks an imported ArrowArray against the schema (counts, lengths, offsets, sizes that overflow, missing buffers,
 * first and last offset) and gives every buffer the size that its length and offsets imply. `in` stays the caller's.
 * Reads the first and the last offset of a column and the view buffers' lengths, nothing else; of an array of length
 * 0 no buffer at all. A parent's offset is not added to its children's: child i of a struct has element i of the
 * parent at child.offset + parent.offset + i. INVALID names the column. O(columns). */
enum dry_status dry_array_import(const struct dry_schema *s, const struct ArrowArray *in, struct dry_arena *arena,
                                 struct dry_array *out, struct dry_error *err) DRY_MUST_CHECK;

/* The same for the body of an IPC record batch: every place begins at a multiple of 8 inside the body and is long
 * enough for its length, and all together are no longer than the body, so that no byte is claimed again and again;
 * counts of nodes, places and variadic counts are exact; children of structs and of fixed-size lists are long enough.
 * First and last offsets are NOT read (they are data; dry_array_check_ends does). CORRUPT names the column.
 *
 * `root` is the schema's root for a batch, and a dictionary's `values` for a dictionary message. dictionaries[i] is
 * the array for schema->dictionaries[i], decoded with that field's `values` as root; NULL: not seen, an error if a
 * column with a valid value wants it (else the array's `dictionary` stays NULL). `where` names the message in errors,
 * e.g. "batch 3". */
enum dry_status dry_array_decode(const struct dry_schema *s, const struct dry_field *root,
                                 const struct dry_message *m, const uint8_t *body,
                                 struct dry_array *const *dictionaries, const char *where, struct dry_arena *arena,
                                 struct dry_array *out, struct dry_error *err) DRY_MUST_CHECK;

/* Reads the first and the last offset of every column: 0 <= first <= last <= what they lead into. After it, copying
 * the array cannot read outside its buffers. Dictionaries are not followed. CORRUPT names the column. O(columns),
 * touches data pages. */
enum dry_status dry_array_check_ends(const struct dry_schema *s, const struct dry_array *array, const char *where,
                                     struct dry_error *err) DRY_MUST_CHECK;

/* Looks at every value that leads elsewhere: offsets in order and in range, views (range, prefix, zeros behind a
 * short one), indices of valid slots below the dictionary's length, null counts equal to the bitmaps, UTF-8 of every
 * valid string, children long enough, map keys and entries not null. What stands in a null slot may be anything, but
 * offsets must be in order there too. Includes dry_array_check_ends. Safe on any bytes whatsoever. The text names
 * `where`, the column and the row (of a list's items: the place in the child). Dictionaries are not followed: they
 * are verified once, by themselves. CORRUPT, or NOMEM (a byte for each view buffer, from the schema's allocator).
 * O(bytes). */
enum dry_status dry_array_verify(const struct dry_schema *s, const struct dry_array *array, const char *where,
                                 struct dry_error *err) DRY_MUST_CHECK;

/* The same of the array's own node, without its children. */
enum dry_status dry_array_verify_node(const struct dry_schema *s, const struct dry_array *array, const char *where,
                                      struct dry_error *err) DRY_MUST_CHECK;

/* Exports a tree whose offsets are 0 or not; each exported ArrowArray, also children that are moved out, keeps the
 * storages alive, and may be released in any order and on any thread. Takes its own references. One allocation for
 * the whole tree. NOMEM or OK. Required buffers of length 0 point to a static block of zeros rather than NULL (an
 * offsets buffer then reads as 0); a dictionary that was not seen is exported as one of length 0. */
enum dry_status dry_array_export(const struct dry_array *array, struct dry_storage *const *holds, size_t n_holds,
                                 const struct dry_allocator *a, struct ArrowArray *out) DRY_MUST_CHECK;

/* Bits set in [offset, offset + n) of a bitmap. */
static inline int64_t dry_bits_count(const uint8_t *bits, int64_t offset, int64_t n)
{
    return n > 0 ? (int64_t)dry_bits_ones(bits, (size_t)offset, (size_t)n) : 0;
}
static inline bool dry_bit(const uint8_t *bits, int64_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}
/* UTF-8 without surrogates, overlong forms and anything above U+10FFFF. */
enum dry_text { DRY_TEXT_BROKEN, DRY_TEXT_UTF8, DRY_TEXT_ASCII };
enum dry_text dry_text_kind(const uint8_t *bytes, size_t n);
static inline bool dry_utf8_valid(const uint8_t *bytes, size_t n)
{
    return dry_text_kind(bytes, n) != DRY_TEXT_BROKEN;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A handle taken apart: where to look (a descriptor of a process) and what has to be found there. As text
 *
 *     dry1-PID-START-NAMESPACE-NUMBER-DEVICE-INODE-SIZE-GENERATION-CHECK
 *
 * with all numbers in base 36 (0-9a-z), without leading zeros; CHECK is the low half of XXH64 of what stands before
 * its hyphen. At most 110 characters: the longest number of 64 bits has 13. Private to this folder.
 */
#ifndef DRY_SEGMENT_HANDLE_H
#define DRY_SEGMENT_HANDLE_H

#include "pass.h"
#include "../base/os.h"

struct dry_handle {
    uint64_t pid;
    uint64_t start;  /* of that process, in ticks since boot */
    uint64_t space;  /* the inode of its PID namespace */
    uint64_t number; /* of its descriptor */
    uint64_t device, inode, size_bytes;
    uint64_t generation; /* the file's time of change in ns; 0: not compared */
};

void dry_handle_write(const struct dry_handle *h, char out[DRY_HANDLE_SIZE]);
/* INVALID: it is none, or not as it was written. */
enum dry_status dry_handle_read(const char *text, struct dry_handle *out, struct dry_error *err);
/* What descriptor `number` of this process would be found by; `lasting`: its content stays as it is. */
enum dry_status dry_handle_of(int number, bool lasting, struct dry_handle *out, struct dry_error *err);
/* The inode of our PID namespace; DENIED, IO: /proc does not serve. */
enum dry_status dry_handle_here(uint64_t *space, struct dry_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to cli/. A file that is under its name when it is whole and not before: written without a name, or under
 * a temporary one where the file system has no unnamed files (there, a process that is killed leaves it), and
 * renamed in the end. What is no regular file (a FIFO, /dev/null) is written to as it is.
 */
#ifndef DRY_CLI_OUTPUT_H
#define DRY_CLI_OUTPUT_H

#include "../drystone.h"

struct dry_output {
    int fd;
    char *path; /* the final name, links resolved; NULL: what `fd` is has its name already */
    char *temporary; /* beside it: the name the file has now, or will have for a moment */
    bool unnamed;
};

/* `path` NULL: standard output. A file that is there keeps its mode. */
enum dry_status dry_output_open(struct dry_output *o, const char *path, struct dry_error *err) DRY_MUST_CHECK;
/* Ends the output: gives the file its name if `status` is OK, else leaves nothing behind. Returns `status`, or what
 * went wrong while closing. */
enum dry_status dry_output_close(struct dry_output *o, enum dry_status status, struct dry_error *err) DRY_MUST_CHECK;

#endif

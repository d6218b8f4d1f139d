/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to cli/. One line on a terminal about work that takes longer than a second: done, rate, time left. It is
 * drawn over itself with a carriage return and spaces: no escape sequence is ever sent, so there is nothing that
 * NO_COLOR would have to switch off. When standard error is no terminal, nothing is printed at all.
 */
#ifndef DRY_CLI_PROGRESS_H
#define DRY_CLI_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

struct dry_progress {
    const char *what;
    uint64_t total; /* bytes; 0 = not known */
    uint64_t started_ns, drawn_ns;
    size_t screen; /* columns of the terminal, 0 = none */
    size_t width;  /* columns that the line takes now */
};

void dry_progress_begin(struct dry_progress *p, const char *what, uint64_t total);
/* `self` is the struct; the library's callback. Always 0: go on. */
int dry_progress_step(void *self, uint64_t bytes);
/* Takes the line away. */
void dry_progress_end(struct dry_progress *p);

#endif

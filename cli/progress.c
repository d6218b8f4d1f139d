/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "human.h"

#define QUIET_NS ((uint64_t)1000000000)   /* shorter work says nothing */
#define BETWEEN_NS ((uint64_t)100000000) /* two drawings */

void dry_progress_begin(struct dry_progress *p, const char *what, uint64_t total)
{
    *p = (struct dry_progress){.what = what,
                               .total = total,
                               .started_ns = dry_cli_monotonic_ns(),
                               .screen = dry_cli_terminal_width(STDERR_FILENO)};
}

/* Draws the line, and spaces over what the last one left behind it. The last column stays free: some terminals
 * begin a new line once it is written. */
static void draw(struct dry_progress *p, struct dry_text *line)
{
    dry_text_fit(line, p->screen - 1);
    size_t width = dry_text_width(dry_text_get(line));
    int behind = (int)(p->width > width ? p->width - width : 0);
    fprintf(stderr, "\r%s%*s%s", dry_text_get(line), behind, "", width == 0 ? "\r" : "");
    fflush(stderr);
    p->width = width;
}

int dry_progress_step(void *self, uint64_t bytes)
{
    struct dry_progress *p = self;
    if (p->screen == 0) return 0;
    uint64_t now = dry_cli_monotonic_ns(), elapsed = now - p->started_ns;
    if (elapsed < QUIET_NS || now - p->drawn_ns < BETWEEN_NS) return 0;
    p->drawn_ns = now;

    double rate = (double)bytes / ((double)elapsed / 1e9);
    struct dry_text line = {0};
    dry_text_escape(&line, p->what, strlen(p->what), DRY_ESCAPE_MESSAGE);
    dry_text_puts(&line, ": ");
    dry_text_size(&line, bytes);
    if (p->total > 0) {
        uint64_t done = bytes < p->total ? bytes : p->total;
        dry_text_puts(&line, " of ");
        dry_text_size(&line, p->total);
        dry_text_printf(&line, ", %d%%", (int)((double)done / (double)p->total * 100));
    }
    dry_text_puts(&line, ", ");
    dry_text_size(&line, (uint64_t)rate);
    dry_text_puts(&line, "/s");
    if (p->total > bytes && rate >= 1) {
        dry_text_puts(&line, ", ");
        dry_text_span(&line, (uint64_t)((double)(p->total - bytes) / rate + 0.5));
        dry_text_puts(&line, " left");
    }
    draw(p, &line);
    dry_text_fini(&line);
    return 0;
}

void dry_progress_end(struct dry_progress *p)
{
    struct dry_text empty = {0};
    if (p->width > 0) draw(p, &empty);
}

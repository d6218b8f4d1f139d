/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Private to cli/. Text that grows, and the one place that makes foreign bytes fit to be printed: whatever a terminal
 * could take for a command or for a change of direction comes out as an escape (\n, \x1b, \u202e), and the text is
 * always valid UTF-8. Memory that runs out ends the program (dry_cli_allocate).
 */
#ifndef DRY_CLI_TEXT_H
#define DRY_CLI_TEXT_H

#include "../drystone.h"

/* Zero-initialised is empty and without a limit. */
struct dry_text {
    char *data; /* NUL-terminated once anything was added, else NULL: use dry_text_get */
    size_t len, cap;
    size_t limit; /* bytes; what does not fit is left out and `cut` is set; 0 = no limit */
    bool cut;
};

/* How foreign bytes are escaped. */
enum dry_escape {
    DRY_ESCAPE_MESSAGE, /* only what must not be printed: for words that may hold escapes already */
    DRY_ESCAPE_PLAIN,   /* the same, and \ itself, so that it can be read back */
    DRY_ESCAPE_QUOTED,  /* the same, and " */
    DRY_ESCAPE_JSON     /* as JSON wants it; bytes that are not UTF-8 become U+FFFD */
};

const char *dry_text_get(const struct dry_text *t);
void dry_text_clear(struct dry_text *t);
void dry_text_fini(struct dry_text *t);
/* Detaches the text, which the caller frees; `t` is then empty. */
char *dry_text_detach(struct dry_text *t);

/* Adds n bytes that are known to be fit to print, all or none of them. */
void dry_text_add(struct dry_text *t, const char *s, size_t n);
void dry_text_puts(struct dry_text *t, const char *s);
void dry_text_printf(struct dry_text *t, const char *fmt, ...) DRY_PRINTF(2, 3);
/* Adds n foreign bytes. */
void dry_text_escape(struct dry_text *t, const void *bytes, size_t n, enum dry_escape how);

/* Columns on a terminal that the (printable) text takes. */
size_t dry_text_width(const char *s);
/* Shortens the text to at most `width` columns, the last of them an ellipsis; so too a text that its limit cut. */
void dry_text_fit(struct dry_text *t, size_t width);

/* malloc (zeroed) and realloc that end the program with one line when there is no memory. */
_Noreturn void dry_cli_out_of_memory(void);
void *dry_cli_allocate(size_t n, size_t size);
void *dry_cli_resize(void *block, size_t n, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define ELLIPSIS "\xe2\x80\xa6"

void dry_cli_out_of_memory(void)
{
    fputs("drystone: out of memory\n", stderr);
    exit(1);
}

static void *or_exit(void *block)
{
    if (block == NULL) dry_cli_out_of_memory();
    return block;
}

void *dry_cli_allocate(size_t n, size_t size)
{
    return or_exit(calloc(n != 0 ? n : 1, size));
}

void *dry_cli_resize(void *block, size_t n, size_t size)
{
    return or_exit(reallocarray(block, n != 0 ? n : 1, size));
}

const char *dry_text_get(const struct dry_text *t)
{
    return t->data != NULL ? t->data : "";
}

void dry_text_clear(struct dry_text *t)
{
    t->len = 0;
    t->cut = false;
    if (t->data != NULL) t->data[0] = '\0';
}

void dry_text_fini(struct dry_text *t)
{
    free(t->data);
    *t = (struct dry_text){.limit = t->limit};
}

char *dry_text_detach(struct dry_text *t)
{
    char *data = t->data != NULL ? t->data : dry_cli_allocate(1, 1);
    *t = (struct dry_text){.limit = t->limit};
    return data;
}

void dry_text_add(struct dry_text *t, const char *s, size_t n)
{
    if (t->cut || (t->limit != 0 && n > t->limit - t->len)) {
        t->cut = true;
        return;
    }
    if (n >= t->cap - t->len) {
        t->cap = 2 * (t->len + n) + 32;
        t->data = dry_cli_resize(t->data, t->cap, 1);
    }
    memcpy(t->data + t->len, s, n);
    t->len += n;
    t->data[t->len] = '\0';
}

void dry_text_puts(struct dry_text *t, const char *s)
{
    dry_text_add(t, s, strlen(s));
}

void dry_text_printf(struct dry_text *t, const char *fmt, ...)
{
    char small[512];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(small, sizeof small, fmt, args);
    va_end(args);
    if (n < (int)sizeof small) {
        dry_text_puts(t, small);
        return;
    }
    char *large = dry_cli_allocate((size_t)n + 1, 1);
    va_start(args, fmt);
    vsnprintf(large, (size_t)n + 1, fmt, args);
    va_end(args);
    dry_text_puts(t, large);
    free(large);
}

/* The length of the character at `s` and its number; 0 where the bytes are not UTF-8. */
static size_t decode(const uint8_t *s, size_t n, uint32_t *out)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    if (len == 0 || len > n) return 0;
    uint32_t c = len == 1 ? s[0] : s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return 0;
    *out = c;
    return len;
}

/* Control characters, line and paragraph separators, and what turns the direction of the text around. */
static bool is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void add_unsafe(struct dry_text *t, uint32_t c, enum dry_escape how)
{
    static const char named[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char escape[16];
    int n;
    if (c < sizeof named && named[c] != 0)
        n = snprintf(escape, sizeof escape, "\\%c", named[c]);
    else if (c < 0x80 && how != DRY_ESCAPE_JSON)
        n = snprintf(escape, sizeof escape, "\\x%02x", c);
    else
        n = snprintf(escape, sizeof escape, "\\u%04x", c);
    dry_text_add(t, escape, (size_t)n);
}

static void add_byte(struct dry_text *t, uint8_t byte, enum dry_escape how)
{
    char escape[8];
    snprintf(escape, sizeof escape, "\\x%02x", byte);
    dry_text_puts(t, how == DRY_ESCAPE_JSON ? "\xef\xbf\xbd" : escape);
}

void dry_text_escape(struct dry_text *t, const void *bytes, size_t n, enum dry_escape how)
{
    const uint8_t *s = bytes;
    for (size_t i = 0, len; i < n && !t->cut; i += len) {
        uint32_t c = 0;
        len = decode(s + i, n - i, &c);
        if (len == 0) {
            add_byte(t, s[i], how);
            len = 1;
        } else if (is_unsafe(c)) {
            add_unsafe(t, c, how);
        } else if ((c == '\\' && how >= DRY_ESCAPE_PLAIN) || (c == '"' && how >= DRY_ESCAPE_QUOTED)) {
            const char escape[2] = {'\\', (char)c};
            dry_text_add(t, escape, 2);
        } else {
            dry_text_add(t, (const char *)s + i, len);
        }
    }
}

/* Bytes of `s` that fit into `width` columns; *used gets the columns. */
static size_t fitting(const char *s, size_t width, size_t *used)
{
    size_t i = 0, len;
    *used = 0;
    for (size_t n = strlen(s); i < n; i += len) {
        uint32_t c = 0;
        len = decode((const uint8_t *)s + i, n - i, &c);
        if (len == 0) len = 1;
        /* Without a UTF-8 locale wcwidth knows only ASCII; one column is the best guess then. */
        int columns = wcwidth((wchar_t)c);
        size_t more = columns < 0 ? 1 : (size_t)columns;
        if (more > width - *used) break;
        *used += more;
    }
    return i;
}

size_t dry_text_width(const char *s)
{
    size_t used;
    fitting(s, SIZE_MAX, &used);
    return used;
}

void dry_text_fit(struct dry_text *t, size_t width)
{
    size_t used, limit = t->limit;
    if (width == 0 || (!t->cut && fitting(dry_text_get(t), width, &used) == t->len)) return;
    t->len = fitting(dry_text_get(t), width - 1, &used);
    t->limit = 0; /* the ellipsis comes on top */
    t->cut = false;
    dry_text_puts(t, ELLIPSIS);
    t->limit = limit;
}

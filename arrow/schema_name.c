/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Fields and types in words. Names come from outside: what would break a line or a terminal becomes '?'.
 */
#include "arrow.h"
#include "schema_build.h"
#include "../base/check.h"

#include <stdio.h>
#include <string.h>

/* Text into a buffer of fixed size; after the first piece that does not fit nothing is added. */
struct printer {
    char *out;
    size_t size, len;
    bool full;
};

static void put_bytes(struct printer *p, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n && !p->full; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (p->len + 1 >= p->size)
            p->full = true;
        else
            p->out[p->len++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
}

static void put(struct printer *p, const char *text) { put_bytes(p, text, strlen(text)); }

/* Ends the text; where it was cut, "..." takes the place of the last whole characters. */
static void finish(struct printer *p)
{
    if (p->size == 0) return;
    if (p->full && p->size > 3) {
        p->len = p->size - 4;
        while (p->len && ((unsigned char)p->out[p->len] & 0xc0) == 0x80) p->len--;
        memcpy(p->out + p->len, "...", 3);
        p->len += 3;
    }
    p->out[p->len] = 0;
}

void dry_text_show(const char *text, char *out, size_t size)
{
    struct printer p = {.out = out, .size = size};
    put(&p, text);
    finish(&p);
}

/* ---- types ---- */
static const char *const type_names[] = {
#define ROW(id, name, layout, bits) name,
    DRY_TYPE_LIST(ROW)
#undef ROW
};
static const char *const unit_names[] = {"s", "ms", "us", "ns"};

static void put_type(struct printer *p, const struct dry_field *f);

static void put_child(struct printer *p, const struct dry_field *f, bool named)
{
    if (named) {
        put(p, f->name);
        put(p, ": ");
    }
    put_type(p, f);
    if (!f->nullable) put(p, " not null");
}

static void put_children(struct printer *p, const struct dry_field *f)
{
    put(p, "<");
    for (int64_t i = 0; i < f->n_children && !p->full; i++) {
        if (i) put(p, ", ");
        put_child(p, &f->children[i], true);
    }
    put(p, ">");
}

static void put_map(struct printer *p, const struct dry_field *f)
{
    const struct dry_field *entries = f->children;
    put(p, "<");
    put_type(p, &entries->children[0]); /* keys are never null */
    put(p, ", ");
    put_child(p, &entries->children[1], false);
    put(p, f->keys_sorted ? ", sorted>" : ">");
}

static void put_parameters(struct printer *p, const struct dry_field *f)
{
    char text[64] = "";
    switch (f->type) {
    case DRY_TYPE_TIME32:
    case DRY_TYPE_TIME64:
    case DRY_TYPE_DURATION: snprintf(text, sizeof text, "[%s]", unit_names[f->unit]); break;
    case DRY_TYPE_FIXED_BINARY: snprintf(text, sizeof text, "[%d]", f->bits / 8); break;
    case DRY_TYPE_DECIMAL: snprintf(text, sizeof text, "%d(%d, %d)", f->bits, f->precision, f->scale); break;
    case DRY_TYPE_FIXED_LIST: snprintf(text, sizeof text, "[%d]", f->list_size); break;
    case DRY_TYPE_TIMESTAMP:
        put(p, "[");
        put(p, unit_names[f->unit]);
        if (f->timezone) {
            put(p, ", ");
            put(p, f->timezone);
        }
        put(p, "]");
        break;
    default: break;
    }
    put(p, text);
}

static void put_type(struct printer *p, const struct dry_field *f)
{
    if (f->values) {
        put(p, "dictionary<");
        put(p, type_names[f->type]);
        put(p, ", ");
        put_type(p, f->values);
        put(p, f->ordered ? ", ordered>" : ">");
        return;
    }
    put(p, type_names[f->type]);
    if (f->type == DRY_TYPE_MAP)
        put_map(p, f);
    else if (f->n_children || f->layout == DRY_LAYOUT_STRUCT)
        put_children(p, f);
    put_parameters(p, f);
}

void dry_field_type_name(const struct dry_field *f, char *out, size_t size)
{
    struct printer p = {.out = out, .size = size};
    put_type(&p, f);
    finish(&p);
}

static void no_release(struct ArrowSchema *s) { (void)s; }

void dry_type_name(const struct ArrowSchema *column, char *out, size_t size)
{
    /* A table around the column lets the importer do all the checking. */
    struct ArrowSchema child = *column, *children[] = {&child};
    struct ArrowSchema table = {.format = "+s", .n_children = 1, .children = children, .release = no_release};
    struct dry_schema *s;
    if (dry_schema_import(&table, NULL, &s, NULL) != DRY_OK) {
        const char *missing;
        struct dry_field f;
        if (column->format && dry_format_parse(column->format, &f, &missing) == DRY_FORMAT_UNSUPPORTED)
            dry_text_show(missing, out, size);
        else
            dry_text_show("unknown", out, size);
        return;
    }
    dry_field_type_name(s->root.children, out, size);
    dry_schema_free(s);
}

/* ---- places ---- */
static void put_path(struct printer *p, const struct dry_field *f)
{
    const struct dry_field *up[DRY_DEPTH_MAX + 1];
    int n = 0;
    /* Neither the root nor a dictionary's values has a parent, nor a name. */
    for (; f->parent && n <= DRY_DEPTH_MAX; f = f->parent) up[n++] = f;
    while (n-- > 0) {
        put(p, up[n]->name);
        if (n) put(p, ".");
    }
}

static void put_place(struct printer *p, const struct dry_schema *s, const struct dry_field *f)
{
    const struct dry_field *top = f;
    while (top->parent) top = top->parent;
    if (f == &s->root) {
        put(p, "the table");
        return;
    }
    if (f != top) {
        put(p, top == &s->root ? "column '" : "field '");
        put_path(p, f);
        put(p, "'");
        if (top == &s->root) return;
        put(p, " in the ");
    }
    put(p, "dictionary of ");
    for (int32_t i = 0; i < s->n_dictionaries; i++)
        if (s->dictionaries[i].field->values == top) put_place(p, s, s->dictionaries[i].field);
}

void dry_field_place(const struct dry_schema *s, const struct dry_field *f, char *out, size_t size)
{
    struct printer p = {.out = out, .size = size};
    put_place(&p, s, f);
    finish(&p);
}

const char *dry_field_label(const struct dry_schema *s, const struct dry_field *f, char *out, size_t size)
{
    struct printer p = {.out = out, .size = size};
    put_place(&p, s, f);
    put(&p, " (");
    put_type(&p, f);
    put(&p, ")");
    finish(&p);
    return out;
}

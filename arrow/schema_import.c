/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From an ArrowSchema to a schema. The structs come from another library in this process: pointers have to be
 * believed, numbers and texts are checked.
 */
#include "schema_build.h"
#include "../base/check.h"

#include <string.h>

static enum dry_status import_field(struct dry_schema_builder *b, const struct ArrowSchema *in, struct dry_field *f,
                                    unsigned depth);

/* The interface gives no length: a count that cannot be meant is the only sign that the memory behind is not metadata. */
enum { PAIRS_MAX = 1 << 20 };

static enum dry_status import_metadata(struct dry_schema_builder *b, const struct dry_field *f, const char *in,
                                       const char **out)
{
    int32_t pairs, len;
    if (!in) return DRY_OK;
    memcpy(&pairs, in, sizeof pairs);
    if (pairs < 0 || pairs > PAIRS_MAX) return dry_build_fail(b, f, DRY_INVALID, "has metadata of %d pairs", pairs);
    if (pairs == 0) return DRY_OK;
    size_t n = sizeof pairs;
    for (int64_t i = 0; i < 2 * (int64_t)pairs; i++) {
        memcpy(&len, in + n, sizeof len);
        if (len < 0) return dry_build_fail(b, f, DRY_INVALID, "has metadata with a text of %d bytes", len);
        n += sizeof len + (size_t)len;
        if (n > DRY_METADATA_MAX) return dry_build_fail(b, f, DRY_TOO_BIG, "has more than 1 GiB of metadata");
    }
    char *copy = dry_arena_take(&b->schema->arena, n);
    if (!copy) return dry_build_nomem(b);
    *out = memcpy(copy, in, n);
    return DRY_OK;
}

static enum dry_status import_name(struct dry_schema_builder *b, const struct ArrowSchema *in, struct dry_field *f)
{
    const char *name;
    if (!in->name) return DRY_OK;
    DRY_TRY(dry_build_text(b, f, "name", in->name, strlen(in->name), &name));
    f->name = name;
    return DRY_OK;
}

/* Type and parameters, without children. */
static enum dry_status import_type(struct dry_schema_builder *b, const struct ArrowSchema *in, struct dry_field *f)
{
    const char *missing = NULL;
    if (!in->format) return dry_build_fail(b, f, DRY_INVALID, "has no format string");
    switch (dry_format_parse(in->format, f, &missing)) {
    case DRY_FORMAT_INVALID: {
        char shown[64];
        dry_text_show(in->format, shown, sizeof shown);
        return dry_build_fail(b, f, DRY_INVALID, "has the unknown format '%s'", shown);
    }
    case DRY_FORMAT_UNSUPPORTED: return dry_build_unsupported(b, f, missing);
    case DRY_FORMAT_OK: break;
    }
    f->keys_sorted = f->type == DRY_TYPE_MAP && (in->flags & ARROW_FLAG_MAP_KEYS_SORTED);
    if (!f->timezone) return DRY_OK;
    return dry_build_text(b, f, "timezone", f->timezone, strlen(f->timezone), &f->timezone);
}

static enum dry_status import_children(struct dry_schema_builder *b, const struct ArrowSchema *in,
                                       struct dry_field *f, unsigned depth)
{
    DRY_TRY(dry_build_children(b, f, in->n_children, depth));
    if (f->n_children && !in->children) return dry_build_fail(b, f, DRY_INVALID, "has children that are missing");
    for (int64_t i = 0; i < f->n_children; i++) {
        const struct ArrowSchema *child = in->children[i];
        if (!child || !child->release)
            return dry_build_fail(b, f, DRY_INVALID, "has a child %lld that is missing or released", (long long)i);
        DRY_TRY(import_field(b, child, &f->children[i], depth + 1));
    }
    return dry_build_check(b, f);
}

static enum dry_status import_dictionary(struct dry_schema_builder *b, const struct ArrowSchema *in,
                                         struct dry_field *f, unsigned depth)
{
    if (in->n_children) return dry_build_fail(b, f, DRY_INVALID, "has dictionary indices with children");
    DRY_TRY(dry_build_check_index(b, f));
    f->ordered = in->flags & ARROW_FLAG_DICTIONARY_ORDERED;
    DRY_TRY(dry_build_dictionary(b, f, b->schema->n_dictionaries));
    DRY_TRY(import_type(b, in->dictionary, f->values));
    if (in->dictionary->dictionary) return dry_build_unsupported(b, f, "dictionary of dictionary-encoded values");
    return import_children(b, in->dictionary, f->values, depth);
}

static enum dry_status import_field(struct dry_schema_builder *b, const struct ArrowSchema *in, struct dry_field *f,
                                    unsigned depth)
{
    DRY_TRY(import_name(b, in, f));
    DRY_TRY(import_metadata(b, f, in->metadata, &f->metadata));
    DRY_TRY(import_type(b, in, f));
    f->nullable = in->flags & ARROW_FLAG_NULLABLE;
    return in->dictionary ? import_dictionary(b, in, f, depth) : import_children(b, in, f, depth);
}

static enum dry_status import_root(struct dry_schema_builder *b, const struct ArrowSchema *in)
{
    struct dry_field *root = &b->schema->root;
    DRY_TRY(import_metadata(b, root, in->metadata, &root->metadata));
    return import_children(b, in, root, 0);
}

enum dry_status dry_schema_import(const struct ArrowSchema *in, const struct dry_allocator *a,
                                  struct dry_schema **out, struct dry_error *err)
{
    if (!in->release) return dry_fail(err, DRY_INVALID, "the ArrowSchema has been released already");
    if (!in->format || strcmp(in->format, "+s") != 0 || in->dictionary)
        return dry_fail(err, DRY_INVALID, "the ArrowSchema is not that of a table: its format is not '+s' (struct); "
                                          "put the column into a table first");
    struct dry_schema_builder b = {dry_schema_new(a), DRY_INVALID, DRY_FIELDS_MAX, DRY_UNSUPPORTED, err};
    if (!b.schema) return dry_build_nomem(&b);
    enum dry_status status = import_root(&b, in);
    if (status == DRY_OK)
        *out = b.schema;
    else
        dry_schema_free(b.schema);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "dictionaries.h"
#include "../base/check.h"
#include "arrow.h"
#include "plan.h"
#include "view.h"

#include <string.h>

enum dry_status dry_dictionaries_init(struct dry_dictionaries *d, const struct dry_schema *s,
                                      const struct dry_allocator *a)
{
    size_t n = (size_t)s->n_dictionaries;
    *d = (struct dry_dictionaries){.schema = s, .allocator = a};
    if (n == 0) return DRY_OK;
    struct dry_array **arrays = dry_allocate(a, n * sizeof *arrays, _Alignof(struct dry_array *));
    if (!arrays) return DRY_NOMEM;
    if (!(d->slots = dry_allocate(a, n * sizeof *d->slots, _Alignof(struct dry_dictionary_slot)))) {
        dry_release(a, arrays, n * sizeof *arrays, _Alignof(struct dry_array *));
        return DRY_NOMEM;
    }
    d->arrays = arrays;
    for (size_t i = 0; i < n; i++) {
        d->arrays[i] = NULL;
        d->slots[i].storage = NULL;
        dry_arena_init(&d->slots[i].arena, a);
    }
    return DRY_OK;
}

static void drop(struct dry_dictionary_slot *slot)
{
    dry_arena_fini(&slot->arena);
    dry_storage_unref(slot->storage);
    slot->storage = NULL;
}

void dry_dictionaries_fini(struct dry_dictionaries *d)
{
    size_t n = d->arrays ? (size_t)d->schema->n_dictionaries : 0;
    for (size_t i = 0; i < n; i++)
        drop(d->slots + i);
    dry_release(d->allocator, d->slots, n * sizeof *d->slots, _Alignof(struct dry_dictionary_slot));
    dry_release(d->allocator, d->arrays, n * sizeof *d->arrays, _Alignof(struct dry_array *));
    d->arrays = NULL;
}

/* ---- old + new = one ----
 * Both are written as IPC bodies side by side would be: the pieces of each are laid into one storage. Only layouts
 * without children can be joined. */
struct join {
    const struct dry_array *old, *new;
    struct dry_array *out;
    uint8_t *at; /* the next free byte of the new storage */
};

static int64_t bytes_of(const struct dry_array *a, bool wide, int64_t *first)
{
    int64_t last = 0;
    *first = 0;
    if (a->length == 0) return 0;
    if (wide) {
        memcpy(first, a->buffers[1].data, 8);
        memcpy(&last, a->buffers[1].data + a->length * 8, 8);
    } else {
        int32_t narrow;
        memcpy(&narrow, a->buffers[1].data, 4);
        *first = narrow;
        memcpy(&narrow, a->buffers[1].data + a->length * 4, 4);
        last = narrow;
    }
    return last - *first;
}

static uint8_t *room(struct join *j, int64_t n)
{
    uint8_t *at = j->at;
    j->at += (n + DRY_ALIGN - 1) & ~(int64_t)(DRY_ALIGN - 1);
    return at;
}

static void join_bits(struct join *j, int buffer)
{
    int64_t n = j->out->length;
    uint8_t *to = room(j, n / 8 + 1);
    const struct dry_array *both[] = {j->old, j->new};
    memset(to, 0, (size_t)(n / 8 + 1));
    for (int64_t k = 0, i = 0; k < 2; k++) {
        const uint8_t *bits = both[k]->buffers[buffer].data;
        for (int64_t x = 0; x < both[k]->length; x++, i++)
            if (!bits || dry_bit(bits, x)) to[i / 8] |= (uint8_t)(1u << i % 8);
    }
    j->out->buffers[buffer] = (struct dry_span){to, n / 8 + 1};
}

static void join_fixed(struct join *j)
{
    int64_t width = j->out->field->bits / 8, old = j->old->length * width, new = j->new->length *width;
    if (j->out->field->bits == 1) {
        join_bits(j, 1);
        return;
    }
    uint8_t *to = room(j, old + new);
    if (old) memcpy(to, j->old->buffers[1].data, (size_t)old);
    if (new) memcpy(to + old, j->new->buffers[1].data, (size_t)new);
    j->out->buffers[1] = (struct dry_span){to, old + new};
}

static void join_bytes(struct join *j, bool wide)
{
    int64_t width = wide ? 8 : 4, n = j->out->length, at = 0;
    const struct dry_array *both[] = {j->old, j->new};
    uint8_t *offsets = room(j, (n + 1) * width), *out = offsets, *data = NULL;
    memset(out, 0, (size_t)width);
    for (int k = 0; k < 2; k++) {
        int64_t first;
        bytes_of(both[k], wide, &first);
        for (int64_t i = 1; i <= both[k]->length; i++) {
            int64_t v = 0;
            int32_t narrow = 0;
            memcpy(wide ? (void *)&v : (void *)&narrow, both[k]->buffers[1].data + i * width, (size_t)width);
            v = (wide ? v : narrow) - first + at; /* little-endian: the low bytes are the narrower offset */
            out += width;
            memcpy(out, &v, (size_t)width);
        }
        at += bytes_of(both[k], wide, &first);
    }
    data = room(j, at);
    j->out->buffers[1] = (struct dry_span){offsets, (n + 1) * width};
    j->out->buffers[2] = (struct dry_span){data, at};
    for (int k = 0; k < 2; k++) {
        int64_t first, bytes = bytes_of(both[k], wide, &first);
        if (bytes) memcpy(data, both[k]->buffers[2].data + first, (size_t)bytes);
        data += bytes;
    }
}

static void join_views(struct join *j, struct dry_span *variadic)
{
    int64_t old = j->old->n_variadic, n = 0;
    const struct dry_array *both[] = {j->old, j->new};
    uint8_t *to = room(j, j->out->length * DRY_VIEW_BYTES), *views = to;
    for (int64_t k = 0; k < 2; k++) {
        for (int64_t i = 0; i < both[k]->length; i++, to += DRY_VIEW_BYTES) {
            struct dry_bytes_view v = dry_view_at(both[k]->buffers[1].data, i);
            /* unsigned: a buffer number that is out of range may wrap here, and is refused by the verifier */
            if (v.length > DRY_VIEW_INLINE && k) v.u.far.buffer = (int32_t)((uint32_t)v.u.far.buffer + (uint32_t)old);
            memcpy(to, &v, sizeof v);
        }
        for (int64_t i = 0; i < both[k]->n_variadic; i++, n++) {
            const struct dry_span *from = both[k]->variadic + i;
            variadic[n] = (struct dry_span){room(j, from->len), from->len};
            if (from->len) memcpy((uint8_t *)(uintptr_t)variadic[n].data, from->data, (size_t)from->len);
        }
    }
    j->out->buffers[1] = (struct dry_span){views, j->out->length * DRY_VIEW_BYTES};
    j->out->variadic = variadic;
    j->out->n_variadic = n;
}

/* Bytes that the joined array can need at most, with the padding of each piece; 0 when it cannot be joined. */
static size_t joined_bytes(const struct dry_array *old, const struct dry_array *new)
{
    size_t sum = 0;
    const struct dry_array *both[] = {old, new};
    if (old->field->n_children) return 0;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 3; i++)
            if (dry_add_overflows(sum, (size_t)both[k]->buffers[i].len + DRY_ALIGN, &sum)) return 0;
        for (int64_t i = 0; i < both[k]->n_variadic; i++)
            if (dry_add_overflows(sum, (size_t)both[k]->variadic[i].len + DRY_ALIGN, &sum)) return 0;
        if (dry_add_overflows(sum, (size_t)both[k]->length / 4 + 8 * DRY_ALIGN, &sum)) return 0;
    }
    return sum;
}

static enum dry_status join(const struct dry_dictionaries *d, const struct dry_array *old,
                            struct dry_dictionary_slot *slot, struct dry_error *err)
{
    struct dry_array new = slot->array;
    struct join j = {.old = old, .new = &new, .out = &slot->array};
    char label[200];
    size_t n = joined_bytes(old, &new);
    dry_field_label(d->schema, new.field, label, sizeof label);
    DRY_TRY(dry_array_check_ends(d->schema, old, "dictionary", err));
    DRY_TRY(dry_array_check_ends(d->schema, &new, "dictionary", err));
    if (n == 0 || __builtin_add_overflow(old->length, new.length, &slot->array.length))
        return dry_fail(err, DRY_UNSUPPORTED, "%s: a delta of nested or endless values cannot be added", label);
    struct dry_span *variadic =
        dry_arena_take_array(&slot->arena, (size_t)(old->n_variadic + new.n_variadic), sizeof *variadic);
    if (!variadic || dry_storage_new(n, d->allocator, &slot->storage) != DRY_OK)
        return dry_fail(err, DRY_NOMEM, "%s: no memory to add a delta", label);
    j.at = dry_storage_try_mut(slot->storage);
    j.out->null_count = -1;
    if (old->buffers[0].data || new.buffers[0].data) join_bits(&j, 0);
    switch (new.field->layout) {
    case DRY_LAYOUT_FIXED: join_fixed(&j); break;
    case DRY_LAYOUT_BYTES32: join_bytes(&j, false); break;
    case DRY_LAYOUT_BYTES64: join_bytes(&j, true); break;
    case DRY_LAYOUT_VIEW: join_views(&j, variadic); break;
    default: break;
    }
    if (j.out->field->layout == DRY_LAYOUT_BYTES32 && j.out->buffers[2].len > INT32_MAX)
        return dry_fail(err, DRY_TOO_BIG, "%s: with its deltas it is larger than 2 GiB", label);
    return DRY_OK;
}

/* ---- one message ---- */
static enum dry_status take_one(struct dry_dictionaries *d, int32_t i, const struct dry_message *m,
                                const uint8_t *body, struct dry_storage *storage, struct dry_error *err)
{
    struct dry_dictionary_slot slot = {.storage = NULL};
    const struct dry_field *values = d->schema->dictionaries[i].field->values;
    dry_arena_init(&slot.arena, d->allocator);
    enum dry_status status =
        dry_array_decode(d->schema, values, m, body, d->arrays, "dictionary", &slot.arena, &slot.array, err);
    if (status == DRY_OK && m->is_delta && d->arrays[i])
        status = join(d, d->arrays[i], &slot, err);
    else if (status == DRY_OK && storage)
        slot.storage = dry_storage_ref(storage);
    if (status != DRY_OK) {
        drop(&slot);
        return status;
    }
    drop(d->slots + i);
    d->slots[i] = slot;
    d->arrays[i] = &d->slots[i].array;
    return DRY_OK;
}

enum dry_status dry_dictionaries_take(struct dry_dictionaries *d, const struct dry_message *m, const uint8_t *body,
                                      struct dry_storage *storage, bool may_replace, struct dry_error *err)
{
    bool known = false;
    for (int32_t i = 0; i < d->schema->n_dictionaries; i++) {
        if (d->schema->dictionaries[i].id != m->dictionary_id) continue;
        known = true;
        if (d->arrays[i] && !m->is_delta && !may_replace)
            return dry_fail(err, DRY_CORRUPT, "dictionary %lld stands in the file twice",
                            (long long)m->dictionary_id);
        DRY_TRY(take_one(d, i, m, body, storage, err));
    }
    if (!known)
        return dry_fail(err, DRY_CORRUPT, "there is a dictionary %lld that no column uses",
                        (long long)m->dictionary_id);
    return DRY_OK;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "source.h"
#include "../base/check.h"
#include "../base/os.h"

#include <errno.h>
#include <string.h>

enum { FIRST_STEP = 1 << 20 };

static enum dry_status unreadable(int sys, struct dry_error *err)
{
    return dry_fail_errno(err, sys, "it cannot be read");
}

enum dry_status dry_source_open(struct dry_source *s, int fd, const struct dry_allocator *a, size_t *n,
                                struct dry_error *err)
{
    struct dry_os_stat stat;
    *s = (struct dry_source){.allocator = a, .fd = fd};
    s->seekable = dry_os_is_seekable(fd, &s->start);
    if (s->seekable) {
        int sys = dry_os_stat(fd, &stat);
        if (sys) return unreadable(sys, err);
        s->size = stat.size_bytes > s->start ? stat.size_bytes - s->start : 0;
        *n = s->size < sizeof s->head ? (size_t)s->size : sizeof s->head;
        return dry_source_read_at(s, 0, *n, s->head, err);
    }
    int sys = dry_os_read(fd, s->head, sizeof s->head, &s->n_head);
    if (sys) return unreadable(sys, err);
    *n = s->n_head;
    return DRY_OK;
}

void dry_source_close(struct dry_source *s)
{
    dry_storage_unref(s->memory);
}

enum dry_status dry_source_read_at(const struct dry_source *s, uint64_t offset, size_t n, uint8_t *into,
                                   struct dry_error *err)
{
    if (offset > s->size || n > s->size - offset) return dry_fail(err, DRY_CORRUPT, "it is cut short");
    if (n == 0) return DRY_OK;
    if (s->memory) {
        memcpy(into, (const uint8_t *)dry_storage_data(s->memory) + offset, n);
        return DRY_OK;
    }
    int sys = dry_os_read_at(s->fd, into, n, s->start + offset);
    if (sys == ENODATA) return dry_fail(err, DRY_CORRUPT, "it became shorter while it was read");
    return sys ? unreadable(sys, err) : DRY_OK;
}

enum dry_status dry_source_take(struct dry_source *s, size_t n, uint8_t *into, size_t *got, struct dry_error *err)
{
    if (s->seekable) {
        if (n > s->size - s->at) n = (size_t)(s->size - s->at);
        DRY_TRY(dry_source_read_at(s, s->at, n, into, err));
        s->at += n;
        *got = n;
        return DRY_OK;
    }
    size_t ahead = s->at < s->n_head ? s->n_head - (size_t)s->at : 0, more = 0;
    if (ahead > n) ahead = n;
    if (ahead) memcpy(into, s->head + s->at, ahead);
    int sys = n > ahead ? dry_os_read(s->fd, into + ahead, n - ahead, &more) : 0;
    if (sys) return unreadable(sys, err);
    s->at += ahead + more;
    *got = ahead + more;
    return DRY_OK;
}

/* ---- storages from a pipe: a block that doubles as its bytes arrive ---- */
struct grown {
    const struct dry_allocator *allocator;
    uint8_t *block;
    size_t cap;
};

static void release_grown(void *owner)
{
    struct grown *g = owner;
    const struct dry_allocator *a = g->allocator;
    dry_release(a, g->block, g->cap, DRY_ALIGN);
    dry_release(a, g, sizeof *g, _Alignof(struct grown));
}

/* Up to `limit` bytes, or to the end of the input; *got says how many came. */
static enum dry_status grow(struct dry_source *s, uint64_t limit, struct grown *g, size_t *got, struct dry_error *err)
{
    for (*got = 0; *got < limit;) {
        size_t cap = g->cap ? g->cap * 2 : FIRST_STEP, n;
        if (cap > limit) cap = (size_t)limit;
        if (*got == g->cap) {
            uint8_t *block = g->cap ? dry_resize(s->allocator, g->block, g->cap, cap, DRY_ALIGN)
                                    : dry_allocate(s->allocator, cap, DRY_ALIGN);
            if (!block) return dry_fail(err, DRY_NOMEM, "no memory for %zu bytes", cap);
            g->block = block;
            g->cap = cap;
        }
        DRY_TRY(dry_source_take(s, g->cap - *got, g->block + *got, &n, err));
        *got += n;
        if (n == 0) return DRY_OK;
    }
    return DRY_OK;
}

static enum dry_status take_grown(struct dry_source *s, uint64_t limit, size_t *got, struct dry_storage **out,
                                  struct dry_error *err)
{
    struct grown *g = dry_allocate(s->allocator, sizeof *g, _Alignof(struct grown));
    if (!g) return dry_fail(err, DRY_NOMEM, "out of memory");
    *g = (struct grown){.allocator = s->allocator};
    enum dry_status status = grow(s, limit, g, got, err);
    if (status == DRY_OK) {
        status = dry_storage_adopt(g->block, *got, g, release_grown, s->allocator, out);
        if (status != DRY_OK) dry_fail(err, status, "out of memory");
    }
    if (status != DRY_OK) release_grown(g);
    return status;
}

enum dry_status dry_source_take_storage(struct dry_source *s, uint64_t n, struct dry_storage **out,
                                        struct dry_error *err)
{
    struct dry_storage *storage;
    size_t got;
    if (!s->seekable) {
        DRY_TRY(take_grown(s, n, &got, &storage, err));
        if (got < n) {
            dry_storage_unref(storage);
            return dry_fail(err, DRY_CORRUPT, "it is cut short");
        }
        *out = storage;
        return DRY_OK;
    }
    if (n > s->size - s->at) return dry_fail(err, DRY_CORRUPT, "it is cut short");
    if (dry_storage_new(n ? (size_t)n : 1, s->allocator, &storage) != DRY_OK)
        return dry_fail(err, DRY_NOMEM, "no memory for %llu bytes", (unsigned long long)n);
    enum dry_status status = dry_source_take(s, (size_t)n, dry_storage_try_mut(storage), &got, err);
    if (status != DRY_OK) {
        dry_storage_unref(storage);
        return status;
    }
    *out = storage;
    return DRY_OK;
}

enum dry_status dry_source_collect(struct dry_source *s, struct dry_error *err)
{
    size_t got;
    DRY_TRY(take_grown(s, UINT64_MAX, &got, &s->memory, err));
    s->size = got;
    s->at = 0;
    s->seekable = true;
    return DRY_OK;
}

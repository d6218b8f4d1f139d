/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The writer's mapping. It begins at the first byte of the file and grows with it; bytes are never copied for that,
 * but the address changes when something lies behind it. Not inherited over fork.
 */
#include "pages.h"
#include "../base/check.h"
#include "../base/os.h"
#include "../base/size.h"

#include <errno.h>
#include <string.h>

#define CHUNK ((uint64_t)DRY_HUGE_BYTES)

static size_t chunks_below(uint64_t end) { return (size_t)((end + CHUNK - 1) / CHUNK); }

bool dry_window_covers(const struct dry_pages *p, uint64_t end) { return end <= p->window.len; }

bool dry_window_is_huge(const struct dry_pages *p, uint64_t at) { return p->window.huge[at / CHUNK]; }

void dry_window_set_huge(struct dry_pages *p, uint64_t at, size_t chunks)
{
    memset(p->window.huge + at / CHUNK, true, chunks);
}

uint64_t dry_window_forget(struct dry_pages *p, uint64_t from)
{
    struct dry_window *w = &p->window;
    uint64_t bytes = 0;
    for (size_t i = chunks_below(from); i < w->flags; i++) {
        bytes += w->huge[i] ? CHUNK : 0;
        w->huge[i] = false;
    }
    return bytes;
}

/* Where all pages are huge, none has to be marked. */
static int grow_flags(struct dry_pages *p, size_t n)
{
    struct dry_window *w = &p->window;
    if (n <= w->flags || p->reserved) return 0;
    uint8_t *more = dry_allocate(p->allocator, n, 1);
    if (!more) return ENOMEM;
    memset(more, 0, n);
    if (w->flags) memcpy(more, w->huge, w->flags);
    dry_release(p->allocator, w->huge, w->flags, 1);
    w->huge = more;
    w->flags = n;
    return 0;
}

/* As many addresses as can be had: half of the wish, and half again; at least `len`. */
static int reserve_addresses(uint64_t wish, size_t len, void **at, size_t *taken)
{
    for (uint64_t want = (wish + CHUNK - 1) & ~(CHUNK - 1); want > len; want = want / 2 & ~(CHUNK - 1)) {
        if (dry_os_reserve_addresses((size_t)want, at)) continue;
        *taken = (size_t)want;
        return 0;
    }
    *taken = len;
    return dry_os_reserve_addresses(len, at);
}

static int begin_fixed(const struct dry_pages *p, size_t len, void **at, size_t *taken)
{
    size_t n;
    void *room;
    int sys = reserve_addresses(p->addresses, len, &room, &n);
    if (sys) return sys;
    sys = dry_os_map_write_over(p->fd, 0, len, room);
    if (sys) {
        dry_os_unmap(room, n);
        return sys;
    }
    *at = room;
    *taken = n;
    return 0;
}

static int grow_fixed(struct dry_pages *p, size_t len, void **at)
{
    struct dry_window *w = &p->window;
    if (!w->at) return begin_fixed(p, len, at, &w->taken);
    if (len > w->taken) return ENOMEM;
    *at = w->at;
    return dry_os_map_write_over(p->fd, w->len, len - w->len, w->at + w->len);
}

/* Huge pages that the system reserved cannot be remapped to a larger range: those are mapped anew. */
static int grow_mapping(struct dry_pages *p, size_t len, void **at)
{
    const struct dry_window *w = &p->window;
    if (p->addresses) return grow_fixed(p, len, at);
    if (!w->at) return dry_os_map_write(p->fd, 0, len, at);
    if (!p->reserved) {
        void *now = w->at;
        int sys = dry_os_map_grow(&now, w->len, len);
        if (!sys) *at = now;
        return sys;
    }
    int sys = dry_os_map_write(p->fd, 0, len, at);
    if (!sys) dry_os_unmap(w->at, w->len);
    return sys;
}

/* What is too small for a huge page is mapped by pages, which costs less: it lies among other mappings. */
static size_t length_for(const struct dry_pages *p, uint64_t end)
{
    bool by_chunks = end >= CHUNK / 2 || p->addresses || p->reserved;
    uint64_t grain = by_chunks ? CHUNK : dry_os_page_bytes();
    return (size_t)((end + grain - 1) & ~(grain - 1));
}

int dry_window_grow(struct dry_pages *p, uint64_t end)
{
    struct dry_window *w = &p->window;
    size_t len = length_for(p, end), before = w->len;
    void *at;
    if (len <= before) return 0;
    int sys = grow_flags(p, chunks_below(len));
    if (!sys) sys = grow_mapping(p, len, &at);
    if (sys) return sys;
    w->at = at;
    w->len = len;
    sys = p->nodes ? dry_os_bind_memory(w->at + before, len - before, p->nodes, p->bind) : 0;
    if (sys) dry_window_forgo_nodes(p, sys);
    return 0;
}

void dry_window_forgo_nodes(struct dry_pages *p, int sys)
{
    p->nodes = 0;
    p->nodes_refused = sys;
}

void dry_window_close(struct dry_pages *p)
{
    struct dry_window *w = &p->window;
    if (w->at) dry_os_unmap(w->at, w->taken ? w->taken : w->len);
    dry_release(p->allocator, w->huge, w->flags, 1);
    *w = (struct dry_window){0};
    p->solid = 0;
}

enum dry_status dry_window_refused(int sys, uint64_t bytes, struct dry_error *err)
{
    uint64_t limit = dry_os_address_limit();
    if (sys == ENOMEM && limit != UINT64_MAX)
        return dry_fail(
            err, DRY_NOMEM,
            "%s have to be mapped, and this process may have %s of addresses in all (RLIMIT_AS); raise the "
            "limit (ulimit -v)",
            dry_size_text(bytes).text, dry_size_text(limit).text);
    return dry_fail_errno(err, sys, "%s cannot be mapped", dry_size_text(bytes).text);
}

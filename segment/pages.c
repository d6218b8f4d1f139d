/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How the kernel is asked for pages, in the way that is fastest and still fails before a byte is copied:
 *
 *     chunk     what is still free of it and will be used    how
 *     whole     at least half                                pwrite one byte, MADV_COLLAPSE: one huge page
 *     whole     less than half                               fallocate
 *     begun     -                                            fallocate
 *
 * A hole cannot be collapsed, one page must be there: hence the byte. fallocate first and collapse then is slower
 * than write(2): the kernel would have to copy 512 pages. Every collapse waits until all processors have emptied
 * their lists of pages, which on a busy machine takes longer than the work itself: hence many chunks in one call.
 */
#include "pages.h"
#include "segment.h"
#include "../base/check.h"
#include "../base/os.h"
#include "../base/size.h"

#include <errno.h>
#include <string.h>

#define CHUNK ((uint64_t)DRY_HUGE_BYTES)

/* Collapse is given up after so many chunks in a row that failed, or were slower than write(2) would have been. */
#define PATIENCE 8u
/* So many chunks are collapsed by one call; fewer at first and after slow ones, so that slowness is seen soon. */
#define BATCH 32u
/* A chunk costs 0.1 to 0.3 ms. On a virtual host whose free memory went back to the host it costs 3 to 5, once: it then
 * stays quick for the tables to come, and readers map it eight times as fast, so that is borne. What is slower still
 * has to beat write(2). */
#define SLOW_AT_FIRST_NS 10000000

static uint64_t chunk_of(uint64_t at) { return at & ~(CHUNK - 1); }
static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* ---- window ---- */
static size_t chunks_in(const struct dry_window *w) { return w->len / DRY_HUGE_BYTES; }

static uint8_t *flag_of(const struct dry_window *w, uint64_t at) { return &w->huge[(at - w->from) / CHUNK]; }

static bool inside(const struct dry_window *w, uint64_t at)
{
    return w->at && at >= w->from && at - w->from < w->len;
}

static void close_window(const struct dry_allocator *a, struct dry_window *w)
{
    if (!w->at) return;
    dry_os_unmap(w->at, w->len);
    dry_release(a, w->huge, chunks_in(w), 1);
    *w = (struct dry_window){0};
}

/* Over [next, end) and the rest of their chunks. Failure is no error: without a window bytes are written. */
static void open_window(const struct dry_pages *p, uint64_t next, uint64_t end, struct dry_window *out)
{
    struct dry_window w = {.from = chunk_of(next)};
    void *at;
    w.len = (size_t)(chunk_of(end - 1) + CHUNK - w.from);
    w.huge = dry_allocate(p->allocator, chunks_in(&w), 1);
    if (!w.huge) return;
    if (dry_os_map_write(p->fd, w.from, w.len, &at)) {
        dry_release(p->allocator, w.huge, chunks_in(&w), 1);
        return;
    }
    w.at = at;
    memset(w.huge, 0, chunks_in(&w));
    for (uint64_t chunk = w.from; inside(&p->window, chunk) && inside(&w, chunk); chunk += CHUNK)
        *flag_of(&w, chunk) = *flag_of(&p->window, chunk);
    *out = w;
}

uint8_t *dry_pages_at(const struct dry_pages *p, uint64_t at, size_t *run)
{
    const struct dry_window *w = &p->window;
    if (!inside(w, at)) {
        *run = SIZE_MAX; /* behind the window, or there is none */
        return NULL;
    }
    *run = (size_t)(chunk_of(at) + CHUNK - at);
    return *flag_of(w, at) ? w->at + (at - w->from) : NULL;
}

/* ---- one chunk ---- */
/* The file system refused although the check had found room: others were faster, or there is a quota. */
static enum dry_status refused(struct dry_pages *p, uint64_t end, int sys, struct dry_error *err)
{
    uint64_t from = p->held < end ? p->held : p->promised;
    if (sys == ENOSPC || sys == EFBIG) DRY_TRY(dry_room_check(p->fd, from, end - from, err));
    return dry_fail_errno(err, sys,
                          "%s are needed and the file system refuses them (a quota, or others took the room); "
                          "remove tables, or use --store DIR on a larger file system",
                          dry_size_text(end - from).text);
}

/* Allocates [held, stop) without huge pages. */
static enum dry_status claim_small(struct dry_pages *p, uint64_t stop, uint64_t end, struct dry_error *err)
{
    if (p->may_allocate) {
        int sys = dry_os_allocate(p->fd, p->held, stop - p->held);
        p->may_allocate = sys != EOPNOTSUPP && sys != ENOSYS;
        if (sys && p->may_allocate) return refused(p, end, sys, err);
    }
    p->held = stop;
    return DRY_OK;
}

/* After PATIENCE slow chunks as many are filled with zeros by write(2), and timed: that is what collapse has to beat.
 * Copying into ready pages is about a quarter of write(2), so collapse loses when it takes more than the other three.
 * As many against as many, because on a virtual host a single chunk says little; and processor time, because on a
 * busy machine the clock says more about the others. */
static enum dry_status claim_by_write(struct dry_pages *p, uint64_t end, struct dry_error *err)
{
    static const uint8_t zeros[1 << 14];
    uint64_t stop = least(p->held + CHUNK, end);
    int64_t began_ns = dry_os_thread_ns();
    for (uint64_t at = p->held; at < stop; at += sizeof zeros) {
        int sys = dry_os_write_at(p->fd, zeros, (size_t)least(sizeof zeros, stop - at), at);
        if (sys) return refused(p, end, sys, err);
    }
    p->write_sum_ns += dry_os_thread_ns() - began_ns;
    p->held = stop;
    if (++p->written_chunks < PATIENCE) return DRY_OK;
    p->slow_ns = p->write_sum_ns / PATIENCE / 4 * 3;
    p->may_collapse = p->slow_sum_ns / p->slow_chunks <= p->slow_ns;
    p->slow_chunks = p->written_chunks = 0;
    p->slow_sum_ns = p->write_sum_ns = 0;
    return DRY_OK;
}

static void watch_speed(struct dry_pages *p, unsigned n, int64_t took_ns)
{
    bool slow = took_ns / n > p->slow_ns;
    p->slow_chunks = slow ? p->slow_chunks + n : 0;
    p->slow_sum_ns = slow ? p->slow_sum_ns + took_ns : 0;
    p->batch = slow ? PATIENCE : (unsigned)least(p->batch * 2, BATCH);
}

/* Collapses the next n chunks, in each of which a byte is there. What the kernel says is checked: a store into a page
 * that it did not allocate after all would be SIGBUS on a full mount. */
static int collapse(struct dry_pages *p, struct dry_window *w, unsigned n)
{
    struct dry_os_stat now;
    int sys = dry_os_collapse(w->at + (p->held - w->from), n * DRY_HUGE_BYTES);
    if (!sys) sys = dry_os_stat(p->fd, &now);
    if (sys) return sys;
    if (now.held_bytes < p->held + n * CHUNK) return EINVAL;
    memset(flag_of(w, p->held), true, n);
    p->failed_chunks = 0;
    p->huge_bytes += n * CHUNK;
    p->held += n * CHUNK;
    return 0;
}

static enum dry_status claim_one(struct dry_pages *p, struct dry_window *w, uint64_t end, struct dry_error *err)
{
    int sys = collapse(p, w, 1);
    if (!sys) return DRY_OK;
    p->failed_chunks++;
    if (sys == ENOSYS || p->failed_chunks == PATIENCE) p->may_collapse = false;
    /* Anything but "not this range" may be a memory cgroup without room, which lets collapse fail but kills the
     * process that goes on by write(2). */
    if (sys != EINVAL && sys != ENOSYS) DRY_TRY(dry_room_check(p->fd, p->held, end - p->held, err));
    return claim_small(p, least(p->held + CHUNK, end), end, err);
}

static enum dry_status claim_huge(struct dry_pages *p, struct dry_window *w, unsigned n, uint64_t end,
                                  struct dry_error *err)
{
    int64_t began_ns = dry_os_thread_ns();
    for (unsigned i = 0; i < n; i++) {
        int sys = dry_os_write_at(p->fd, "", 1, p->held + i * CHUNK);
        if (sys) return refused(p, end, sys, err);
    }
    if (collapse(p, w, n) == 0) {
        watch_speed(p, n, dry_os_thread_ns() - began_ns);
        return DRY_OK;
    }
    /* At least one would not, but only one by one do they say which and why. */
    for (unsigned i = 0; i < n && p->may_collapse; i++) DRY_TRY(claim_one(p, w, end, err));
    return DRY_OK;
}

/* ---- all of them ---- */
/* How many chunks from `at` on are whole and will be at least half used. */
static uint64_t chunks_worth(uint64_t at, uint64_t end)
{
    return at == chunk_of(at) && at < end ? (end - at + CHUNK / 2) / CHUNK : 0;
}

static enum dry_status claim_chunks(struct dry_pages *p, struct dry_window *w, uint64_t end, struct dry_error *err)
{
    while (p->held < end) {
        unsigned n = (unsigned)least(chunks_worth(p->held, end), p->batch);
        if (!w->at || !p->may_collapse)
            DRY_TRY(claim_small(p, end, end, err));
        else if (n == 0)
            DRY_TRY(claim_small(p, least(chunk_of(p->held) + CHUNK, end), end, err));
        else if (p->slow_chunks >= PATIENCE)
            DRY_TRY(claim_by_write(p, end, err));
        else
            DRY_TRY(claim_huge(p, w, n, end, err));
    }
    return DRY_OK;
}

static bool wants_window(const struct dry_pages *p, uint64_t end)
{
    return p->may_collapse && chunks_worth(chunk_of(p->held + CHUNK - 1), end) > 0;
}

void dry_pages_init(struct dry_pages *p, int fd, const struct dry_allocator *a, bool in_memory)
{
    *p = (struct dry_pages){
        .fd = fd,
        .allocator = a,
        .may_collapse = in_memory,
        .may_allocate = true,
        .batch = PATIENCE,
        .slow_ns = SLOW_AT_FIRST_NS,
    };
}

void dry_pages_fini(struct dry_pages *p) { close_window(p->allocator, &p->window); }

static enum dry_status claim_behind_held(struct dry_pages *p, struct dry_window *w, uint64_t end,
                                         struct dry_error *err)
{
    struct dry_pages before = *p;
    enum dry_status status = claim_chunks(p, w, end, err);
    if (status == DRY_OK) return DRY_OK;
    p->held = before.held;
    p->huge_bytes = before.huge_bytes;
    /* Gives the blocks back. Should that fail as well, they stay with a file that is about to be thrown away. */
    (void)dry_os_set_size(p->fd, p->held);
    return status;
}

enum dry_status dry_pages_claim(struct dry_pages *p, uint64_t next, uint64_t end, struct dry_error *err)
{
    struct dry_window w = {0};
    enum dry_status status = DRY_OK;
    if (end <= p->promised) return DRY_OK;
    if (end > p->held) {
        DRY_TRY(dry_room_check(p->fd, p->held, end - p->held, err));
        if (wants_window(p, end)) open_window(p, next, end, &w);
    }
    /* Stores through a window must lie inside the file. */
    if (w.at || p->window.at) {
        int sys = dry_os_set_size(p->fd, end);
        if (sys) status = refused(p, end, sys, err);
    }
    if (status == DRY_OK && end > p->held) status = claim_behind_held(p, &w, end, err);
    if (status == DRY_OK) p->promised = end;
    if (status == DRY_OK && w.at) {
        close_window(p->allocator, &p->window);
        p->window = w;
    } else
        close_window(p->allocator, &w);
    return status;
}

/* A huge page that is cut is not one any more. */
static void forget_cut_chunks(struct dry_pages *p, uint64_t size)
{
    const struct dry_window *w = &p->window;
    for (uint64_t chunk = w->from; inside(w, chunk); chunk += CHUNK)
        if (chunk + CHUNK > size && *flag_of(w, chunk)) p->huge_bytes -= CHUNK;
}

int dry_pages_trim(struct dry_pages *p, uint64_t size)
{
    struct dry_os_stat now;
    int sys = dry_os_stat(p->fd, &now);
    if (!sys && now.size_bytes != size) sys = dry_os_set_size(p->fd, size);
    if (sys) return sys;
    /* With the size untouched, the last huge page is whole, beyond the end of the file too. */
    if (now.size_bytes != size) forget_cut_chunks(p, size);
    close_window(p->allocator, &p->window);
    p->promised = p->held = size;
    return 0;
}

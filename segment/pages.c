/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How the kernel is asked for pages, in the order that is fastest and still fails before a byte is copied:
 *
 *     chunk     what is still free of it and will be used      how
 *     whole     at least half                                  pwrite one byte, MADV_COLLAPSE: one huge page
 *     whole     less than half                                 fallocate
 *     begun     -                                              fallocate
 *
 * A hole cannot be collapsed, one page must be there: hence the byte. fallocate first and collapse then is slower than
 * write(2): the kernel would have to copy 512 pages.
 */
#include "pages.h"
#include "segment.h"
#include "../base/check.h"
#include "../base/os.h"
#include "../base/size.h"

#include <errno.h>
#include <string.h>

#define CHUNK ((uint64_t)DRY_HUGE_BYTES)

/* Collapse is given up after so many chunks in a row that failed, or that were slower than write(2) would have been. */
#define PATIENCE 8u
/* Until write(2) has been timed: 2 MiB in 0.5 ms are 4 GiB/s, which write(2) into fresh pages does not reach. */
#define SLOW_AT_FIRST_NS 500000

static uint64_t chunk_of(uint64_t at) { return at & ~(CHUNK - 1); }
static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* ---- window ---- */
static size_t chunks_in(const struct dry_window *w) { return w->len / DRY_HUGE_BYTES; }

static uint8_t *flag_of(const struct dry_window *w, uint64_t at) { return &w->huge[(at - w->from) / CHUNK]; }

static bool inside(const struct dry_window *w, uint64_t at) { return w->at && at >= w->from && at - w->from < w->len; }

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
    uint64_t len = chunk_of(end - 1) + CHUNK - w.from;
    void *at;
    if (len > SIZE_MAX) return;
    w.len = (size_t)len;
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

/* After PATIENCE slow chunks the next as many are filled with zeros by write(2), and timed: that is what collapse has
 * to beat. Copying into ready pages is about a quarter of write(2), so collapse loses when it takes more than the other
 * three. As many against as many, because on a virtual host a single chunk says little. */
static enum dry_status claim_by_write(struct dry_pages *p, uint64_t stop, uint64_t end, struct dry_error *err)
{
    static const uint8_t zeros[1 << 14];
    int64_t began_ns = dry_os_monotonic_ns();
    for (uint64_t at = p->held; at < stop; at += sizeof zeros) {
        int sys = dry_os_write_at(p->fd, zeros, (size_t)least(sizeof zeros, stop - at), at);
        if (sys) return refused(p, end, sys, err);
    }
    p->write_sum_ns += dry_os_monotonic_ns() - began_ns;
    p->held = stop;
    if (++p->written_chunks < PATIENCE) return DRY_OK;
    p->may_collapse = p->slow_sum_ns <= p->write_sum_ns / 4 * 3;
    p->slow_ns = p->write_sum_ns / PATIENCE / 4 * 3;
    p->slow_chunks = p->written_chunks = 0;
    p->slow_sum_ns = p->write_sum_ns = 0;
    return DRY_OK;
}

static void watch_success(struct dry_pages *p, int64_t took_ns)
{
    bool slow = took_ns > p->slow_ns;
    p->failed_chunks = 0;
    p->slow_chunks = slow ? p->slow_chunks + 1 : 0;
    p->slow_sum_ns = slow ? p->slow_sum_ns + took_ns : 0;
}

static void watch_failure(struct dry_pages *p, int sys)
{
    p->failed_chunks++;
    if (sys == ENOSYS || p->failed_chunks == PATIENCE) p->may_collapse = false;
}

static enum dry_status claim_huge(struct dry_pages *p, struct dry_window *w, uint64_t stop, uint64_t end,
                                  struct dry_error *err)
{
    int64_t began_ns = dry_os_monotonic_ns();
    int sys = dry_os_write_at(p->fd, "", 1, p->held);
    if (sys) return refused(p, end, sys, err);
    sys = dry_os_collapse(w->at + (p->held - w->from), DRY_HUGE_BYTES);
    if (sys) {
        watch_failure(p, sys);
        /* Anything but "not this range" may be a memory cgroup without room, which lets collapse fail but kills the
         * process that goes on by write(2). */
        if (sys != EINVAL && sys != ENOSYS) DRY_TRY(dry_room_check(p->fd, p->held, end - p->held, err));
        return claim_small(p, stop, end, err);
    }
    watch_success(p, dry_os_monotonic_ns() - began_ns);
    *flag_of(w, p->held) = true;
    p->huge_bytes += CHUNK;
    p->held += CHUNK;
    return DRY_OK;
}

/* ---- all of them ---- */
static enum dry_status claim_chunks(struct dry_pages *p, struct dry_window *w, uint64_t end, struct dry_error *err)
{
    while (p->held < end) {
        uint64_t stop = least(chunk_of(p->held) + CHUNK, end);
        bool worth = p->held == chunk_of(p->held) && stop - p->held >= CHUNK / 2;
        if (!w->at || !p->may_collapse)
            DRY_TRY(claim_small(p, end, end, err));
        else if (!worth)
            DRY_TRY(claim_small(p, stop, end, err));
        else if (p->slow_chunks == PATIENCE)
            DRY_TRY(claim_by_write(p, stop, end, err));
        else
            DRY_TRY(claim_huge(p, w, stop, end, err));
    }
    return DRY_OK;
}

/* Whether some chunk of [held, end) is worth collapsing: the last one, or one before it. */
static bool wants_window(const struct dry_pages *p, uint64_t end)
{
    uint64_t first = chunk_of(p->held + CHUNK - 1);
    return p->may_collapse && end > first && end - first >= CHUNK / 2;
}

void dry_pages_init(struct dry_pages *p, int fd, const struct dry_allocator *a, bool in_memory)
{
    *p = (struct dry_pages){
        .fd = fd,
        .allocator = a,
        .may_collapse = in_memory,
        .may_allocate = true,
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

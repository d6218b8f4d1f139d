/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How the kernel is asked for pages, in the way that is fastest and still fails before a byte is copied:
 *
 *     chunk     what is still free of it and will be used    how
 *     whole     at least half                                pwrite one byte, MADV_COLLAPSE: one huge page
 *     whole     less than half                               fallocate
 *     begun     -                                            fallocate
 *     all together less than 1 MiB, to be written            nothing: the pages come with the bytes
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

#define CHUNK ((uint64_t)DRY_HUGE_BYTES)

/* Collapse is given up after so many chunks in a row that failed, or were slower than write(2) would have been. */
#define PATIENCE 8u
/* So many chunks are collapsed by one call; fewer at first and after slow ones, so that slowness is seen soon. */
#define BATCH 32u
/* A chunk costs 0.1 to 0.3 ms. On a virtual host whose free memory went back to the host it costs 3 to 5, once: it
 * then stays quick for the tables to come, and readers map it eight times as fast, so that is borne. What is slower
 * still has to beat write(2). */
#define SLOW_AT_FIRST_NS 10000000

static uint64_t chunk_of(uint64_t at) { return at & ~(CHUNK - 1); }
static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint8_t *dry_pages_at_chunks(const struct dry_pages *p, uint64_t at, uint64_t n, size_t *run)
{
    const struct dry_window *w = &p->window;
    bool huge = dry_window_is_huge(p, at);
    uint64_t end = chunk_of(at) + CHUNK;
    while (end - at < n && end < w->len && dry_window_is_huge(p, end) == huge)
        end += CHUNK;
    *run = (size_t)(end - at);
    return huge ? w->at + at : NULL;
}

/* ---- one chunk ---- */
static enum dry_status check_room(const struct dry_pages *p, uint64_t from, uint64_t n, struct dry_error *err)
{
    return p->is_anonymous ? dry_room_check_anonymous(from, n, err) : dry_room_check(p->fd, from, n, err);
}

/* The file system refused although the check had found room: others were faster, or there is a quota. */
static enum dry_status refused(struct dry_pages *p, uint64_t end, int sys, struct dry_error *err)
{
    uint64_t from = p->held < end ? p->held : p->promised;
    if (sys == ENOSPC && p->reserved)
        return dry_fail(err, DRY_FULL,
                        "%s are needed and the system has not so many reserved huge pages free; raise "
                        "vm.nr_hugepages (sysctl), or use an ordinary segment",
                        dry_size_text(end - from).text);
    if (sys == ENOSPC || sys == EFBIG) DRY_TRY(check_room(p, from, end - from, err));
    return dry_fail_errno(err, sys,
                          "%s are needed and the file system refuses them (a quota, or others took the room); "
                          "remove tables, or use --store DIR on a larger file system",
                          dry_size_text(end - from).text);
}

/* Stores through a window must lie inside the file. */
static enum dry_status make_long(struct dry_pages *p, uint64_t end, struct dry_error *err)
{
    if (p->size >= end) return DRY_OK;
    int sys = dry_os_set_size(p->fd, end);
    if (sys) return refused(p, end, sys, err);
    p->size = end;
    return DRY_OK;
}

static int write_zeros(const struct dry_pages *p, uint64_t from, uint64_t to)
{
    static const uint8_t zeros[1 << 14];
    for (uint64_t at = from; at < to; at += sizeof zeros) {
        int sys = dry_os_write_at(p->fd, zeros, (size_t)least(sizeof zeros, to - at), at);
        if (sys) return sys;
    }
    return 0;
}

/* Allocates [held, stop) without huge pages. */
/* For little that will be written by write(2), to allocate first is to do the work twice: the pages come with the bytes,
 * and a shortage is an error then. */
static bool comes_with_the_bytes(const struct dry_pages *p, uint64_t end)
{
    return end < CHUNK / 2 && !p->must_hold && !p->window.at;
}

static enum dry_status claim_small(struct dry_pages *p, uint64_t stop, uint64_t end, struct dry_error *err)
{
    if (comes_with_the_bytes(p, end)) {
        p->has_holes = true;
        p->held = stop;
        return DRY_OK;
    }
    if (p->may_allocate) {
        int sys = dry_os_allocate(p->fd, p->held, stop - p->held);
        p->may_allocate = sys != EOPNOTSUPP && sys != ENOSYS;
        if (sys && p->may_allocate) return refused(p, end, sys, err);
    }
    if (!p->may_allocate && p->must_hold) {
        int sys = write_zeros(p, p->held, stop);
        if (sys) return refused(p, end, sys, err);
    }
    p->held = stop;
    if ((p->may_allocate || p->must_hold) && p->size < stop) p->size = stop;
    return DRY_OK;
}

/* After PATIENCE slow chunks as many are filled with zeros by write(2), and timed: that is what collapse has to beat.
 * Copying into ready pages is about a quarter of write(2), so collapse loses when it takes more than the other three.
 * As many against as many, because on a virtual host a single chunk says little; and processor time, because on a
 * busy machine the clock says more about the others. */
static enum dry_status claim_by_write(struct dry_pages *p, uint64_t end, struct dry_error *err)
{
    uint64_t stop = least(p->held + CHUNK, end);
    int64_t began_ns = dry_os_thread_ns();
    int sys = write_zeros(p, p->held, stop);
    if (sys) return refused(p, end, sys, err);
    p->write_sum_ns += dry_os_thread_ns() - began_ns;
    p->held = stop;
    if (p->size < stop) p->size = stop;
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
static int collapse(struct dry_pages *p, unsigned n)
{
    struct dry_os_stat now;
    int sys = dry_os_collapse(p->window.at + p->held, n * DRY_HUGE_BYTES);
    if (!sys) sys = dry_os_stat(p->fd, &now);
    if (sys) return sys;
    if (now.held_bytes < p->held + n * CHUNK) return EINVAL;
    dry_window_set_huge(p, p->held, n);
    p->failed_chunks = 0;
    p->huge_bytes += n * CHUNK;
    p->held += n * CHUNK;
    return 0;
}

static enum dry_status claim_one(struct dry_pages *p, uint64_t end, struct dry_error *err)
{
    int sys = collapse(p, 1);
    if (!sys) return DRY_OK;
    p->failed_chunks++;
    if (sys == ENOSYS || p->failed_chunks == PATIENCE) p->may_collapse = false;
    /* Anything but "not this range" may be a memory cgroup without room, which lets collapse fail but kills the
     * process that goes on by write(2). */
    if (sys != EINVAL && sys != ENOSYS) DRY_TRY(check_room(p, p->held, end - p->held, err));
    return claim_small(p, least(p->held + CHUNK, end), end, err);
}

static enum dry_status claim_huge(struct dry_pages *p, unsigned n, uint64_t end, struct dry_error *err)
{
    DRY_TRY(make_long(p, end, err)); /* a range is collapsed only inside the file */
    int64_t began_ns = dry_os_thread_ns();
    for (unsigned i = 0; i < n; i++) {
        int sys = dry_os_write_at(p->fd, "", 1, p->held + i * CHUNK);
        if (sys) return refused(p, end, sys, err);
    }
    if (collapse(p, n) == 0) {
        watch_speed(p, n, dry_os_thread_ns() - began_ns);
        return DRY_OK;
    }
    /* At least one would not, but only one by one do they say which and why. */
    for (unsigned i = 0; i < n && p->may_collapse; i++)
        DRY_TRY(claim_one(p, end, err));
    return DRY_OK;
}

/* Reserved huge pages come by fallocate, as wholes. */
static enum dry_status claim_reserved(struct dry_pages *p, uint64_t end, struct dry_error *err)
{
    uint64_t stop = chunk_of(end + CHUNK - 1);
    int sys = dry_os_allocate(p->fd, p->held, stop - p->held);
    if (sys) return refused(p, end, sys, err);
    p->huge_bytes += stop - p->held;
    p->held = p->size = stop;
    return DRY_OK;
}

/* ---- all of them ---- */
/* How many chunks from `at` on are whole and will be at least half used. */
static uint64_t chunks_worth(uint64_t at, uint64_t end)
{
    return at == chunk_of(at) && at < end ? (end - at + CHUNK / 2) / CHUNK : 0;
}

static enum dry_status claim_chunks(struct dry_pages *p, uint64_t end, struct dry_error *err)
{
    bool has_window = dry_window_covers(p, end);
    if (p->reserved) return claim_reserved(p, end, err);
    while (p->held < end) {
        unsigned n = (unsigned)least(chunks_worth(p->held, end), p->batch);
        if (!has_window || !p->may_collapse)
            DRY_TRY(claim_small(p, end, end, err));
        else if (n == 0)
            DRY_TRY(claim_small(p, least(chunk_of(p->held) + CHUNK, end), end, err));
        else if (p->slow_chunks >= PATIENCE)
            DRY_TRY(claim_by_write(p, end, err));
        else
            DRY_TRY(claim_huge(p, n, end, err));
    }
    return DRY_OK;
}

static bool wants_window(const struct dry_pages *p, uint64_t end)
{
    if (p->must_hold || p->nodes) return true;
    return end > p->held && p->may_collapse && chunks_worth(chunk_of(p->held + CHUNK - 1), end) > 0;
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

void dry_pages_fini(struct dry_pages *p, bool is_child)
{
    if (is_child) p->window.at = NULL;
    dry_window_close(p);
}

static enum dry_status claim_behind_held(struct dry_pages *p, uint64_t end, struct dry_error *err)
{
    uint64_t held = p->held, huge_bytes = p->huge_bytes;
    enum dry_status status = claim_chunks(p, end, err);
    if (status == DRY_OK && p->window.at) status = make_long(p, end, err);
    if (status == DRY_OK) return DRY_OK;
    p->held = held;
    p->huge_bytes = huge_bytes;
    (void)dry_window_forget(p, held);
    /* Gives the blocks back. Should that fail as well, they stay with a file that is about to be thrown away. */
    if (dry_os_set_size(p->fd, held) == 0) p->size = held;
    return status;
}

enum dry_status dry_pages_claim(struct dry_pages *p, uint64_t end, struct dry_error *err)
{
    if (end <= p->promised) return DRY_OK;
    if (end > p->held) DRY_TRY(check_room(p, p->held, end - p->held, err));
    if (wants_window(p, end)) {
        int sys = dry_window_grow(p, end);
        /* Without a window bytes are written, but for pieces. Reserved pages are reserved for it now, or refused. */
        if (sys == ENOMEM && p->reserved) return refused(p, end, ENOSPC, err);
        if (sys && p->must_hold) return dry_window_refused(sys, end, err);
        if (sys && p->nodes) dry_window_forgo_nodes(p, sys);
    }
    if (end > p->held)
        DRY_TRY(claim_behind_held(p, end, err));
    else if (p->window.at)
        DRY_TRY(make_long(p, end, err)); /* into the rest of a huge page */
    p->promised = end;
    if (p->must_hold) p->solid = end;
    return DRY_OK;
}

/* Where the file system cannot allocate, what is promised but not written yet has no pages. */
static enum dry_status fill_holes(struct dry_pages *p, uint64_t from, struct dry_error *err)
{
    for (uint64_t at = from, next; at < p->promised; at = next) {
        next = least(chunk_of(at) + CHUNK, p->promised);
        if (dry_window_is_huge(p, at)) continue;
        int sys = write_zeros(p, at, next);
        if (sys) return refused(p, p->promised, sys, err);
    }
    return DRY_OK;
}

enum dry_status dry_pages_hold(struct dry_pages *p, uint64_t written, struct dry_error *err)
{
    if (p->must_hold) return DRY_OK;
    int sys = dry_window_grow(p, p->promised);
    if (sys) return dry_window_refused(sys, p->promised, err);
    if (p->promised > 0) DRY_TRY(make_long(p, p->promised, err));
    if (!p->may_allocate || p->has_holes) DRY_TRY(fill_holes(p, written, err));
    p->must_hold = true;
    p->solid = p->promised;
    return DRY_OK;
}

int dry_pages_trim(struct dry_pages *p, uint64_t size, bool keep_window)
{
    struct dry_os_stat now;
    uint64_t whole = p->reserved ? chunk_of(size + CHUNK - 1) : size;
    int sys = dry_os_stat(p->fd, &now);
    if (!sys && now.size_bytes != whole) sys = dry_os_set_size(p->fd, whole);
    if (sys) return sys;
    /* A huge page that is cut is not one any more. With the size untouched the last one is whole, beyond the end of
     * the file too. */
    if (p->reserved)
        p->huge_bytes = whole;
    else if (now.size_bytes != size)
        p->huge_bytes -= dry_window_forget(p, chunk_of(size));
    if (p->solid > whole) p->solid = whole;
    if (!keep_window) dry_window_close(p);
    p->size = p->promised = p->held = whole;
    return 0;
}

int dry_pages_map_all(struct dry_pages *p)
{
    int sys = dry_window_grow(p, p->promised);
    if (!sys) p->solid = p->promised;
    return sys;
}

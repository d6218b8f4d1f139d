/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * From front to back: room, bytes, the end.
 */
#include "inside.h"
#include "../base/check.h"
#include "../base/size.h"

#include <errno.h>
#include <string.h>

/* ---- room ---- */
/* Where a growth by at least `missing` bytes ends, if it can be had: on the grid when it is large, because a chunk
 * that is begun in two steps gets no huge page. */
static uint64_t wide_end(const struct dry_segment *s, uint64_t missing)
{
    uint64_t end = s->pages.promised + (missing > s->step ? missing : s->step);
    return end - s->pages.promised < DRY_HUGE_BYTES / 2 ? end : (end + DRY_HUGE_BYTES - 1) & ~(DRY_HUGE_BYTES - 1);
}

static enum dry_status claim(struct dry_segment *s, uint64_t end, struct dry_error *err)
{
    const uint8_t *before = s->pages.window.at;
    enum dry_status status = dry_pages_claim(&s->pages, end, err);
    if (s->pages.window.at != before) dry_pieces_follow(s);
    return status;
}

static enum dry_status make_room(struct dry_segment *s, uint64_t n, struct dry_error *err)
{
    uint64_t end;
    DRY_TRY(dry_segment_check_own(s, err));
    if (s->finished) return dry_fail(err, DRY_FIXED, "the segment is finished, nothing more can be appended");
    if (__builtin_add_overflow(s->used, n, &end) || end > (uint64_t)INT64_MAX - LAST_STEP)
        return dry_fail(err, DRY_TOO_BIG, "a segment cannot have %s and %s more", dry_size_text(s->used).text,
                        dry_size_text(n).text);
    if (end <= s->pages.promised) return DRY_OK;
    if (s->size_sealed)
        return dry_fail(err, DRY_FIXED,
                        "the segment was protected before, so it keeps its size of %s, and %s are needed",
                        dry_size_text(s->pages.promised).text, dry_size_text(end).text);
    if (s->step > 0) {
        uint64_t wide = wide_end(s, end - s->pages.promised);
        uint64_t growth = wide - s->pages.promised;
        if (claim(s, wide, NULL) == DRY_OK) {
            s->step = growth < LAST_STEP / 2 ? growth * 2 : LAST_STEP;
            return DRY_OK;
        }
    }
    DRY_TRY(claim(s, end, err));
    if (s->step == 0) s->step = FIRST_STEP;
    return DRY_OK;
}

enum dry_status dry_segment_reserve(struct dry_segment *s, uint64_t n, struct dry_error *err)
{
    return make_room(s, n, err);
}

enum dry_status dry_segment_grow(struct dry_segment *s, uint64_t n, struct dry_error *err)
{
    if (s->step == 0) s->step = FIRST_STEP; /* nobody has reserved: grow by steps from the beginning */
    return make_room(s, n, err);
}

void dry_segment_give_back(struct dry_segment *s)
{
    if (s->finished || s->size_sealed || dry_segment_check_own(s, NULL) != DRY_OK) return;
    if (dry_segment_flush(s, NULL) != DRY_OK) return; /* a shortage, which who fills or finishes it will hear of */
    if (dry_pages_trim(&s->pages, s->used, true)) return;
    if (s->dirty > s->pages.promised) s->dirty = s->pages.promised;
}

/* ---- bytes ---- */
static enum dry_status write_out(struct dry_segment *s, const void *bytes, size_t n, uint64_t at,
                                 struct dry_error *err)
{
    int sys = dry_os_write_at(s->own.fd, bytes, n, at);
    if (sys) return dry_fail_errno(err, sys, "%s cannot be written to a segment", dry_size_text(n).text);
    return DRY_OK;
}

enum dry_status dry_segment_flush(struct dry_segment *s, struct dry_error *err)
{
    if (s->staged == 0) return DRY_OK;
    DRY_TRY(write_out(s, s->stage, s->staged, s->used - s->staged, err));
    s->staged = 0;
    return DRY_OK;
}

static enum dry_status stage(struct dry_segment *s, const void *bytes, size_t n, struct dry_error *err)
{
    if (s->staged + n > STAGE_BYTES) DRY_TRY(dry_segment_flush(s, err));
    if (!s->stage) s->stage = dry_allocate(s->allocator, STAGE_BYTES, DRY_ALIGN);
    if (!s->stage) return dry_fail(err, DRY_NOMEM, "out of memory for a segment");
    memcpy(s->stage + s->staged, bytes, n);
    s->staged += n;
    return DRY_OK;
}

/* What is less than this is copied before a thread has begun. */
#define SHARED_COPY ((size_t)32 << 20)

struct copy {
    uint8_t *to;
    const uint8_t *from;
    size_t n, part;
    size_t lead; /* from the beginning of its huge page to `to` */
};

static size_t part_begin(const struct copy *c, unsigned i)
{
    size_t at = i > 0 ? i * c->part - c->lead : 0;
    return at < c->n ? at : c->n;
}

static void copy_part(void *self, unsigned i)
{
    const struct copy *c = self;
    size_t begin = part_begin(c, i);
    memcpy(c->to + begin, c->from + begin, part_begin(c, i + 1) - begin);
}

/* Into ready pages: cannot fail. Parts end with a huge page, so that two threads never meet in one. */
static void copy(struct dry_segment *s, uint8_t *to, const uint8_t *from, size_t n)
{
    unsigned threads = s->options.threads;
    if (n < SHARED_COPY || threads < 2) {
        memcpy(to, from, n);
        return;
    }
    struct copy c = {.to = to, .from = from, .n = n, .lead = (uintptr_t)to % DRY_HUGE_BYTES};
    c.part = ((c.lead + n) / threads + DRY_HUGE_BYTES) & ~(DRY_HUGE_BYTES - 1);
    dry_os_in_parallel(threads, copy_part, &c);
    if (threads > s->threads_used) s->threads_used = threads;
}

static enum dry_status put(struct dry_segment *s, const uint8_t *bytes, size_t n, struct dry_error *err)
{
    while (n > 0) {
        size_t run;
        uint8_t *at = dry_pages_at(&s->pages, s->used, n, &run);
        if (run > n) run = n;
        if (!at && run < STAGE_BYTES) {
            DRY_TRY(stage(s, bytes, run, err));
        } else {
            if (s->staged > 0) DRY_TRY(dry_segment_flush(s, err)); /* what is staged must end at `used` */
            if (at)
                copy(s, at, bytes, run);
            else
                DRY_TRY(write_out(s, bytes, run, s->used, err));
        }
        s->used += run;
        bytes += run;
        n -= run;
    }
    return DRY_OK;
}

void dry_segment_end_at(struct dry_segment *s, uint64_t end)
{
    uint64_t written = s->used - s->staged;
    if (s->used > s->dirty) s->dirty = s->used;
    s->staged = end > written ? (size_t)(end - written) : 0;
    s->used = end;
}

static enum dry_status make_appendable(struct dry_segment *s, size_t n, struct dry_error *err)
{
    if (s->pages.reserved)
        return dry_fail(err, DRY_UNSUPPORTED,
                        "nothing can be appended to reserved huge pages, which have no write(2); make a piece");
    return dry_segment_grow(s, n, err);
}

/* The common case, seen at a glance: there is room. */
static bool is_appendable(const struct dry_segment *s, size_t n)
{
    return n <= s->pages.promised - s->used && s->own.fd >= 0 && !s->finished && !s->pages.reserved;
}

enum dry_status dry_segment_append(struct dry_segment *s, const void *bytes, size_t n, struct dry_error *err)
{
    uint64_t start = s->used;
    if (!is_appendable(s, n)) DRY_TRY(make_appendable(s, n, err));
    enum dry_status status = put(s, bytes, n, err);
    if (status != DRY_OK) dry_segment_end_at(s, start);
    return status;
}

enum dry_status dry_segment_append_zeros(struct dry_segment *s, size_t n, struct dry_error *err)
{
    static const uint8_t zeros[1 << 14];
    uint64_t start = s->used;
    if (!is_appendable(s, n)) DRY_TRY(make_appendable(s, n, err));
    while (n > 0) {
        size_t piece = n < sizeof zeros ? n : sizeof zeros;
        enum dry_status status = put(s, zeros, piece, err);
        if (status != DRY_OK) {
            dry_segment_end_at(s, start);
            return status;
        }
        n -= piece;
    }
    return DRY_OK;
}

enum dry_status dry_segment_store(struct dry_segment *s, uint64_t at, const void *bytes, size_t n,
                                  struct dry_error *err)
{
    const uint8_t *from = bytes;
    if (at + n > s->used - s->staged) DRY_TRY(dry_segment_flush(s, err));
    while (n > 0) {
        size_t run;
        uint8_t *to = dry_pages_at(&s->pages, at, n, &run);
        if (run > n) run = n;
        if (to)
            memcpy(to, from, run);
        else
            DRY_TRY(write_out(s, from, run, at, err));
        at += run;
        from += run;
        n -= run;
    }
    return DRY_OK;
}

enum dry_status dry_segment_write_at(struct dry_segment *s, uint64_t at, const void *bytes, size_t n,
                                     struct dry_error *err)
{
    uint64_t end;
    DRY_TRY(dry_segment_check_own(s, err));
    if (s->protection != DRY_CLASS_OPEN)
        return dry_fail(err, DRY_DENIED, "the segment is protected (%s), nothing in it can be written",
                        dry_class_name(s->protection));
    if (__builtin_add_overflow(at, n, &end) || end > s->used)
        return dry_fail(err, DRY_INVALID, "%s at %llu lie outside of the %llu bytes that were appended",
                        dry_size_text(n).text, (unsigned long long)at, (unsigned long long)s->used);
    return dry_segment_store(s, at, bytes, n, err);
}

/* ---- the end ---- */
enum dry_status dry_segment_cut(struct dry_segment *s, uint64_t size, struct dry_error *err)
{
    DRY_TRY(dry_segment_check_own(s, err));
    if (s->finished) return dry_fail(err, DRY_FIXED, "the segment is finished, nothing of it can be cut");
    const char *fault = size > s->used                           ? "it is not so long"
                        : size % DRY_ALIGN && size != s->used    ? "that is no multiple of 64"
                        : s->formatted && size < DRY_HEADER_SIZE ? "its header stays"
                                                                 : NULL;
    if (fault)
        return dry_fail(err, DRY_INVALID, "a segment of %llu bytes cannot be cut at %llu: %s",
                        (unsigned long long)s->used, (unsigned long long)size, fault);
    if (size == s->used) return DRY_OK;
    dry_pieces_cut(s, size);
    dry_segment_end_at(s, size);
    return DRY_OK;
}

static bool keeps_window(const struct dry_segment *s)
{
    return s->options.keep_mapped || s->first || s->pages.reserved;
}

/* Where the file cannot be as short as what was added, because its size is sealed or comes in huge pages: what an
 * earlier filling left there becomes zeros. */
static void clear_rest(struct dry_segment *s)
{
    uint64_t rest = s->pages.promised - s->used;
    if (rest > 0) memset(s->pages.window.at + s->used, 0, (size_t)rest);
}

static enum dry_status trim(struct dry_segment *s, bool keep_window, struct dry_error *err)
{
    int sys = dry_pages_trim(&s->pages, s->used, keep_window);
    if (sys) return dry_fail_errno(err, sys, "a segment cannot be cut to %s", dry_size_text(s->used).text);
    return DRY_OK;
}

enum dry_status dry_segment_finish(struct dry_segment *s, struct dry_error *err)
{
    DRY_TRY(dry_segment_check_own(s, err));
    if (s->finished) return DRY_OK;
    DRY_TRY(dry_segment_flush(s, err));
    if (!s->is_memfd) DRY_TRY(dry_header_complete(s, err));
    if (!s->size_sealed) DRY_TRY(trim(s, keeps_window(s), err));
    clear_rest(s);
    if (s->options.keep_mapped) s->not_mapped = dry_pages_map_all(&s->pages) != 0;
    dry_release(s->allocator, s->stage, STAGE_BYTES, DRY_ALIGN);
    s->stage = NULL;
    s->finished = true;
    return DRY_OK;
}

/* A hole in a file that somebody else made would kill who stores into it on a full mount. The kernel fills it, or
 * says that it cannot; where it does not know how to, by allocating. */
static enum dry_status make_sure(struct dry_segment *s, struct dry_error *err)
{
    int sys = dry_os_populate(s->pages.window.at, (size_t)s->pages.promised, true);
    if (sys == ENOSYS) sys = dry_os_allocate(s->own.fd, 0, s->pages.promised);
    if (sys)
        return dry_fail_sys(err, DRY_FULL, sys, "the pages of a file of %s are not all there to be used again",
                            dry_size_text(s->pages.promised).text);
    s->unsure = false;
    return DRY_OK;
}

enum dry_status dry_segment_rewind(struct dry_segment *s, struct dry_error *err)
{
    DRY_TRY(dry_segment_check_own(s, err));
    if (!s->finished || s->protection != DRY_CLASS_OPEN || s->lent)
        return dry_fail(err, DRY_INVALID,
                        "a segment is rewound after it was finished or taken back, and this one is %s",
                        !s->finished ? "being filled"
                        : s->lent    ? "offered"
                                     : dry_class_name(s->protection));
    if (s->pages.promised > 0 && !dry_segment_bytes(s))
        return dry_fail(err, DRY_INVALID,
                        "a segment that is to be rewound has to stay mapped: set keep_mapped before "
                        "it is filled");
    if (s->unsure) DRY_TRY(make_sure(s, err));
    DRY_TRY(dry_header_begin_again(s, err));
    dry_pieces_cut(s, 0);
    s->used = s->dirty = 0;
    s->moved_bytes = s->lost_bytes = 0;
    s->finished = s->formatted = false;
    return DRY_OK;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "segment.h"
#include "pages.h"
#include "../base/check.h"
#include "../base/os.h"
#include "../base/size.h"

#include <errno.h>
#include <string.h>

#define NAME_BYTES 200u
/* Small pieces are gathered here, so that a small table costs a few system calls in all. */
#define STAGE_BYTES ((size_t)64 << 10)
/* What is reserved beyond what was asked for: this first, twice as much every time, this at most. */
#define FIRST_STEP ((uint64_t)64 << 10)
#define LAST_STEP ((uint64_t)64 << 20)

struct dry_segment {
    int fd;
    const struct dry_allocator *allocator;
    struct dry_pages pages;
    uint64_t used;  /* appended, the staged bytes included */
    uint8_t *stage; /* STAGE_BYTES, or NULL: not needed yet */
    size_t staged;  /* bytes in it: the last ones of `used`, not in the file yet */
    uint64_t step;  /* the next growth; 0 = nothing was reserved yet */
    bool finished;
};

/* ---- life ---- */
enum dry_status dry_segment_adopt_fd(int fd, const struct dry_allocator *a, struct dry_segment **out,
                                     struct dry_error *err)
{
    struct dry_os_stat st;
    struct dry_os_mount mount;
    int sys = dry_os_stat(fd, &st);
    if (!sys) sys = dry_os_mount(fd, &mount);
    if (sys) return dry_fail_errno(err, sys, "the file for a segment cannot be looked at");
    if (st.kind != DRY_OS_FILE || st.size_bytes > 0)
        return dry_fail(err, DRY_INVALID, "a segment needs an empty regular file, and this one is %s",
                        st.kind == DRY_OS_FILE ? "not empty" : "none");
    struct dry_segment *s = dry_allocate(a, sizeof *s, _Alignof(struct dry_segment));
    if (!s) return dry_fail(err, DRY_NOMEM, "out of memory for a segment");
    *s = (struct dry_segment){.fd = fd, .allocator = a};
    dry_pages_init(&s->pages, fd, a, mount.in_memory);
    *out = s;
    return DRY_OK;
}

enum dry_status dry_segment_new(const char *name, const struct dry_allocator *a, struct dry_segment **out,
                                struct dry_error *err)
{
    int fd;
    if (strlen(name) > NAME_BYTES)
        return dry_fail(err, DRY_INVALID, "the name of a segment has %zu bytes, and %u is the most", strlen(name),
                        NAME_BYTES);
    int sys = dry_os_memfd(name, &fd);
    if (sys) return dry_fail_errno(err, sys, "segment '%s' cannot be made (memfd)", name);
    enum dry_status status = dry_segment_adopt_fd(fd, a, out, err);
    if (status != DRY_OK) dry_os_close(fd);
    return status;
}

static void drop_stage(struct dry_segment *s)
{
    dry_release(s->allocator, s->stage, STAGE_BYTES, DRY_ALIGN);
    s->stage = NULL;
    s->staged = 0;
}

void dry_segment_free(struct dry_segment *s)
{
    if (!s) return;
    drop_stage(s);
    dry_pages_fini(&s->pages);
    dry_os_close(s->fd);
    dry_release(s->allocator, s, sizeof *s, _Alignof(struct dry_segment));
}

int dry_segment_fd(const struct dry_segment *s) { return s->fd; }

uint64_t dry_segment_size(const struct dry_segment *s) { return s->used; }

/* ---- room ---- */
/* Where a growth by at least `missing` bytes ends, if it can be had: on the grid when it is large, because a chunk
 * that is begun in two steps gets no huge page. */
static uint64_t wide_end(const struct dry_segment *s, uint64_t missing)
{
    uint64_t end = s->pages.promised + (missing > s->step ? missing : s->step);
    return end - s->pages.promised < DRY_HUGE_BYTES / 2 ? end : (end + DRY_HUGE_BYTES - 1) & ~(DRY_HUGE_BYTES - 1);
}

static enum dry_status make_room(struct dry_segment *s, uint64_t n, struct dry_error *err)
{
    uint64_t end;
    if (s->finished) return dry_fail(err, DRY_FIXED, "the segment is finished, nothing more can be appended");
    if (__builtin_add_overflow(s->used, n, &end) || end > (uint64_t)INT64_MAX - LAST_STEP)
        return dry_fail(err, DRY_TOO_BIG, "a segment cannot have %s and %s more", dry_size_text(s->used).text,
                        dry_size_text(n).text);
    if (end <= s->pages.promised) return DRY_OK;
    if (s->step > 0) {
        uint64_t wide = wide_end(s, end - s->pages.promised);
        uint64_t growth = wide - s->pages.promised;
        if (dry_pages_claim(&s->pages, s->used, wide, NULL) == DRY_OK) {
            s->step = growth < LAST_STEP / 2 ? growth * 2 : LAST_STEP;
            return DRY_OK;
        }
    }
    DRY_TRY(dry_pages_claim(&s->pages, s->used, end, err));
    if (s->step == 0) s->step = FIRST_STEP;
    return DRY_OK;
}

enum dry_status dry_segment_reserve(struct dry_segment *s, uint64_t n, struct dry_error *err)
{
    return make_room(s, n, err);
}

/* ---- bytes ---- */
static enum dry_status write_out(struct dry_segment *s, const void *bytes, size_t n, uint64_t at,
                                 struct dry_error *err)
{
    int sys = dry_os_write_at(s->fd, bytes, n, at);
    if (sys) return dry_fail_errno(err, sys, "%s cannot be written to a segment", dry_size_text(n).text);
    return DRY_OK;
}

static enum dry_status flush(struct dry_segment *s, struct dry_error *err)
{
    if (s->staged == 0) return DRY_OK;
    DRY_TRY(write_out(s, s->stage, s->staged, s->used - s->staged, err));
    s->staged = 0;
    return DRY_OK;
}

static enum dry_status stage(struct dry_segment *s, const void *bytes, size_t n, struct dry_error *err)
{
    if (s->staged + n > STAGE_BYTES) DRY_TRY(flush(s, err));
    if (!s->stage) s->stage = dry_allocate(s->allocator, STAGE_BYTES, DRY_ALIGN);
    if (!s->stage) return dry_fail(err, DRY_NOMEM, "out of memory for a segment");
    memcpy(s->stage + s->staged, bytes, n);
    s->staged += n;
    return DRY_OK;
}

static enum dry_status put(struct dry_segment *s, const uint8_t *bytes, size_t n, struct dry_error *err)
{
    while (n > 0) {
        size_t run;
        uint8_t *at = dry_pages_at(&s->pages, s->used, &run);
        if (run > n) run = n;
        if (!at && run < STAGE_BYTES) {
            DRY_TRY(stage(s, bytes, run, err));
        } else {
            DRY_TRY(flush(s, err)); /* what is staged must end at `used` */
            if (at)
                memcpy(at, bytes, run);
            else
                DRY_TRY(write_out(s, bytes, run, s->used, err));
        }
        s->used += run;
        bytes += run;
        n -= run;
    }
    return DRY_OK;
}

/* After a failure: as if nothing from `start` on had been appended. What of it is in the file will be written
 * over. */
static void unwind(struct dry_segment *s, uint64_t start)
{
    uint64_t written = s->used - s->staged;
    s->staged = start > written ? (size_t)(start - written) : 0;
    s->used = start;
}

enum dry_status dry_segment_append(struct dry_segment *s, const void *bytes, size_t n, struct dry_error *err)
{
    uint64_t start = s->used;
    if (s->step == 0) s->step = FIRST_STEP; /* nobody has reserved: grow by steps from the beginning */
    DRY_TRY(make_room(s, n, err));
    enum dry_status status = put(s, bytes, n, err);
    if (status != DRY_OK) unwind(s, start);
    return status;
}

enum dry_status dry_segment_append_zeros(struct dry_segment *s, size_t n, struct dry_error *err)
{
    static const uint8_t zeros[1 << 14];
    uint64_t start = s->used;
    if (s->step == 0) s->step = FIRST_STEP;
    DRY_TRY(make_room(s, n, err));
    while (n > 0) {
        size_t piece = n < sizeof zeros ? n : sizeof zeros;
        enum dry_status status = put(s, zeros, piece, err);
        if (status != DRY_OK) {
            unwind(s, start);
            return status;
        }
        n -= piece;
    }
    return DRY_OK;
}

enum dry_status dry_segment_finish(struct dry_segment *s, struct dry_error *err)
{
    if (s->finished) return DRY_OK;
    DRY_TRY(flush(s, err));
    int sys = dry_pages_trim(&s->pages, s->used);
    if (sys) return dry_fail_errno(err, sys, "a segment cannot be cut to %s", dry_size_text(s->used).text);
    drop_stage(s);
    s->finished = true;
    return DRY_OK;
}

static enum dry_fill fill_of(const struct dry_segment *s)
{
    if (s->pages.huge_bytes > 0) return s->pages.huge_bytes >= s->pages.promised ? DRY_FILL_COLLAPSE : DRY_FILL_MIXED;
    return s->pages.promised > 0 ? DRY_FILL_WRITE : DRY_FILL_NONE;
}

enum dry_status dry_segment_stat(const struct dry_segment *s, struct dry_segment_stat *out, struct dry_error *err)
{
    struct dry_os_stat st;
    int sys = dry_os_stat(s->fd, &st);
    if (sys) return dry_fail_errno(err, sys, "a segment cannot be looked at");
    *out = (struct dry_segment_stat){
        .used_bytes = s->used,
        .held_bytes = st.held_bytes,
        .huge_bytes = s->pages.huge_bytes,
        .fill = fill_of(s),
    };
    return DRY_OK;
}

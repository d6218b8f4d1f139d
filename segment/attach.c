/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What another process made. Nothing that it says is used before it was checked, and what was checked cannot change
 * any more: a description of our own, the seals, a copy of the header.
 */
#include "inside.h"
#include "../base/check.h"
#include "../base/memory.h"
#include "../base/size.h"

#include <errno.h>

/* ---- reading ---- */
/* A description of our own, so that nobody moves our position and the owner's lease counts us. Where it cannot be had
 * (another user's memory, no /proc) the one that came will do, if nobody can write through it. */
static enum dry_status open_own(int fd, int *own, struct dry_error *err)
{
    bool writable = true;
    int sys = dry_os_reopen_read(fd, own);
    if (!sys) return DRY_OK;
    if (dry_os_is_writable(fd, &writable) == 0 && !writable && dry_os_duplicate(fd, own) == 0) return DRY_OK;
    if (sys == EACCES || sys == EPERM)
        return dry_fail_errno(err, sys,
                              "the segment is not open to this user; its owner can pass a read-only descriptor over "
                              "a Unix socket");
    return dry_fail_errno(err, sys, "the segment cannot be opened for reading (through /proc/self/fd)");
}

/* rule: segment.class. What the kernel guarantees of it from now on. A file's seals are no seals: the kernel refuses
 * to set any. */
static int look_at_protection(int fd, const struct dry_os_stat *st, enum dry_class *out)
{
    const unsigned sealed = DRY_OS_SEAL_WRITE | DRY_OS_SEAL_SHRINK,
                   anonymous = DRY_OS_SEAL_FUTURE_WRITE | DRY_OS_SEAL_SHRINK | DRY_OS_SEAL_GROW;
    unsigned seals = 0;
    int sys = dry_os_get_seals(fd, &seals);
    if (sys && sys != EINVAL) return sys;
    bool named = st->links > 0 && (st->mode & 0222) == 0;
    *out = (seals & sealed) == sealed         ? DRY_CLASS_SEALED
           : (seals & anonymous) == anonymous ? DRY_CLASS_ANONYMOUS
           : named                            ? DRY_CLASS_NAMED
                                              : DRY_CLASS_OPEN;
    return 0;
}

static enum dry_status check_protection(int fd, const struct dry_os_stat *st, enum dry_class at_least,
                                        struct dry_attached *about, struct dry_error *err)
{
    int sys = look_at_protection(fd, st, &about->protection);
    if (sys) return dry_fail_errno(err, sys, "the seals of a segment cannot be looked at");
    if (about->protection >= at_least) return DRY_OK;
    return dry_fail(err, DRY_DENIED,
                    "the segment is %s, and %s is asked for; its owner has to %s it, or ask for less and "
                    "trust its owner",
                    dry_class_name(about->protection), dry_class_name(at_least),
                    at_least == DRY_CLASS_SEALED ? "seal" : "protect");
}

static void note_header(struct dry_attached *about, const struct dry_os_stat *st, const struct dry_header *h,
                        enum dry_header_state state)
{
    about->formatted = state == DRY_HEADER_WHOLE;
    about->layout = about->formatted ? h->layout : 0;
    about->file_bytes = st->size_bytes;
}

static enum dry_status attach_own(int own, const struct dry_attach_options *options, const struct dry_allocator *a,
                                  struct dry_storage **out, struct dry_attached *about, struct dry_error *err)
{
    struct dry_os_stat st;
    struct dry_header h;
    enum dry_header_state state;
    DRY_TRY(dry_check_regular(own, &st, err));
    if (st.size_bytes == 0) return dry_fail(err, DRY_INVALID, "there is nothing in the segment: its file is empty");
    DRY_TRY(check_protection(own, &st, options->at_least, about, err));
    DRY_TRY(dry_header_check(own, st.size_bytes, options->layout, false, &h, &state, err));
    note_header(about, &st, &h, state);
    return dry_mapping_new(own, st.size_bytes, about->formatted ? DRY_HEADER_SIZE : 0,
                           about->formatted ? h.payload_bytes : st.size_bytes, own, a, out, err);
}

enum dry_status dry_attach_own(int own, const struct dry_attach_options *options, const struct dry_allocator *a,
                               struct dry_view *out, struct dry_attached *about, struct dry_error *err)
{
    static const struct dry_attach_options anything;
    struct dry_attached found = {0};
    struct dry_storage *bytes;
    DRY_TRY(attach_own(own, options ? options : &anything, a, &bytes, &found, err));
    *out = dry_view_adopt(bytes);
    if (about) *about = found;
    return DRY_OK;
}

enum dry_status dry_segment_attach(int fd, const struct dry_attach_options *options, const struct dry_allocator *a,
                                   struct dry_view *out, struct dry_attached *about, struct dry_error *err)
{
    struct dry_os_stat st;
    int own;
    DRY_TRY(dry_check_regular(fd, &st, err)); /* before it is opened: a pipe would wait for a writer */
    DRY_TRY(open_own(fd, &own, err));
    enum dry_status status = dry_attach_own(own, options, a, out, about, err);
    if (status != DRY_OK) dry_os_close(own);
    return status;
}

enum dry_status dry_segment_about(int fd, struct dry_attached *out, struct dry_error *err)
{
    struct dry_os_stat st;
    struct dry_header h;
    enum dry_header_state state;
    struct dry_attached found = {0};
    DRY_TRY(dry_check_regular(fd, &st, err));
    DRY_TRY(check_protection(fd, &st, DRY_CLASS_OPEN, &found, err));
    DRY_TRY(dry_header_check(fd, st.size_bytes, NULL, true, &h, &state, err));
    note_header(&found, &st, &h, state);
    *out = found;
    return DRY_OK;
}

/* ---- writing ---- */
struct shared {
    struct dry_memory base; /* first, so that the dry_memory is this */
    const struct dry_allocator *allocator;
    int fd;
    uint8_t *at; /* all that is mapped, with the header */
    size_t mapped;
    size_t skip;
};

static void show(struct shared *m, size_t file_bytes)
{
    m->base.size_bytes = file_bytes - m->skip;
    m->base.at = m->base.size_bytes ? m->at + m->skip : NULL;
}

static enum dry_status resize_shared(struct dry_memory *memory, size_t size)
{
    struct shared *m = (struct shared *)(void *)memory;
    struct dry_os_stat st;
    size_t whole;
    void *at = m->at;
    if (size <= memory->size_bytes) return DRY_OK;
    if (dry_os_stat(m->fd, &st)) return DRY_NOMEM;
    if (size > PTRDIFF_MAX || st.size_bytes < m->skip + size) return DRY_FIXED;
    if (dry_round_up_overflows((size_t)st.size_bytes, dry_os_page_bytes(), &whole)) return DRY_TOO_BIG;
    if (whole > m->mapped && dry_os_map_grow(&at, m->mapped, whole)) return DRY_NOMEM;
    m->at = at;
    if (whole > m->mapped) m->mapped = whole;
    show(m, (size_t)st.size_bytes);
    return DRY_OK;
}

static void release_shared(struct dry_memory *memory)
{
    struct shared *m = (struct shared *)(void *)memory;
    dry_os_unmap(m->at, m->mapped);
    dry_os_close(m->fd);
    dry_release(m->allocator, m, sizeof *m, _Alignof(struct shared));
}

static enum dry_status not_offered(int sys, struct dry_error *err)
{
    return dry_fail_sys(err, DRY_DENIED, sys,
                        "the segment is not offered for writing, or not any more; its owner can offer "
                        "it (dry_segment_offer) until it is protected, or attach it for reading");
}

/* rule: segment.offer. Root may open what its owner does not offer, so the mode is looked at here. */
static enum dry_status open_offered(int fd, int *own, struct dry_error *err)
{
    struct dry_os_stat st;
    unsigned seals = 0;
    DRY_TRY(dry_check_regular(fd, &st, err));
    if ((st.mode & 0222) == 0) return not_offered(0, err);
    int sys = dry_os_get_seals(fd, &seals);
    if (!sys && seals & (DRY_OS_SEAL_WRITE | DRY_OS_SEAL_FUTURE_WRITE)) return not_offered(0, err);
    sys = dry_os_reopen_write(fd, own);
    if (sys == EACCES || sys == EPERM || sys == EROFS || sys == ETXTBSY) return not_offered(sys, err);
    if (sys) return dry_fail_errno(err, sys, "the segment cannot be opened for writing (through /proc/self/fd)");
    return DRY_OK;
}

static enum dry_status map_offered(struct shared *m, const char *layout, struct dry_error *err)
{
    struct dry_os_stat st;
    struct dry_header h;
    enum dry_header_state state;
    void *at;
    DRY_TRY(dry_check_regular(m->fd, &st, err));
    if (st.size_bytes == 0) return dry_fail(err, DRY_INVALID, "there is nothing in the segment: its file is empty");
    DRY_TRY(dry_header_check(m->fd, st.size_bytes, layout, true, &h, &state, err));
    if (dry_round_up_overflows((size_t)st.size_bytes, dry_os_page_bytes(), &m->mapped))
        return dry_fail(err, DRY_TOO_BIG, "a file of %s cannot be mapped", dry_size_text(st.size_bytes).text);
    int sys = dry_os_map_shared(m->fd, m->mapped, &at);
    if (sys == EPERM || sys == EACCES) return not_offered(sys, err);
    if (sys) return dry_window_refused(sys, st.size_bytes, err);
    m->at = at;
    m->skip = state == DRY_HEADER_NONE ? 0 : DRY_HEADER_SIZE;
    show(m, (size_t)st.size_bytes);
    return DRY_OK;
}

enum dry_status dry_segment_attach_write(int fd, const char *layout, const struct dry_allocator *a,
                                         struct dry_memory **out, struct dry_error *err)
{
    struct shared *m = dry_allocate(a, sizeof *m, _Alignof(struct shared));
    if (!m) return dry_fail(err, DRY_NOMEM, "out of memory for a mapping");
    *m = (struct shared){.base = {.resize = resize_shared, .release = release_shared}, .allocator = a, .fd = -1};
    enum dry_status status = open_offered(fd, &m->fd, err);
    if (status == DRY_OK) status = map_offered(m, layout, err);
    if (status != DRY_OK) {
        if (m->fd >= 0) dry_os_close(m->fd);
        dry_release(a, m, sizeof *m, _Alignof(struct shared));
        return status;
    }
    *out = &m->base;
    return DRY_OK;
}

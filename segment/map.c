/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Files mapped read-only, as storages.
 */
#include "inside.h"
#include "../base/check.h"
#include "../base/size.h"

/* The header of a storage of this kind; 64 bytes in all. */
struct mapping {
    struct dry_storage base;
    void *at; /* all that is mapped */
    size_t len;
    const struct dry_allocator *allocator;
    int fd; /* or -1 */
};
_Static_assert(sizeof(struct mapping) == 64, "as every header of a storage");

static void release_mapping(struct dry_storage *s)
{
    struct mapping *m = (struct mapping *)(void *)s;
    dry_os_unmap(m->at, m->len);
    if (m->fd >= 0) dry_os_close(m->fd);
    dry_release(m->allocator, m, sizeof *m, DRY_ALIGN);
}

static const struct dry_storage_kind mapping_kind = {.name = "mapped file", .release = release_mapping};

enum dry_status dry_mapping_new(int fd, uint64_t file_bytes, uint64_t skip, uint64_t len, int keep,
                                const struct dry_allocator *a, struct dry_storage **out, struct dry_error *err)
{
    void *at;
    struct mapping *m = dry_allocate(a, sizeof *m, DRY_ALIGN);
    if (!m) return dry_fail(err, DRY_NOMEM, "out of memory for a mapping");
    int sys = dry_os_map_read(fd, (size_t)file_bytes, &at);
    if (sys) {
        dry_release(a, m, sizeof *m, DRY_ALIGN);
        return dry_window_refused(sys, file_bytes, err);
    }
    *m = (struct mapping){.at = at, .len = (size_t)file_bytes, .allocator = a, .fd = keep};
    dry_storage_init(&m->base, &mapping_kind, (const uint8_t *)at + skip, (size_t)len);
    *out = &m->base;
    return DRY_OK;
}

enum dry_status dry_check_regular(int fd, struct dry_os_stat *out, struct dry_error *err)
{
    struct dry_os_stat st;
    int sys = dry_os_stat(fd, &st);
    if (sys) return dry_fail_errno(err, sys, "a file to be mapped cannot be looked at");
    if (st.kind != DRY_OS_FILE)
        return dry_fail(err, DRY_INVALID, "only a regular file can be mapped, and this is %s",
                        st.kind == DRY_OS_DIRECTORY ? "a directory" : "a pipe, a socket or a device");
    *out = st;
    return DRY_OK;
}

enum dry_status dry_segment_map(int fd, const struct dry_allocator *a, struct dry_storage **out,
                                struct dry_error *err)
{
    struct dry_os_stat st;
    DRY_TRY(dry_check_regular(fd, &st, err));
    if (st.size_bytes > 0) return dry_mapping_new(fd, st.size_bytes, 0, st.size_bytes, -1, a, out, err);
    if (dry_storage_adopt(NULL, 0, NULL, NULL, a, out) != DRY_OK)
        return dry_fail(err, DRY_NOMEM, "out of memory for a mapping");
    return DRY_OK;
}

int dry_segment_fd_of(const struct dry_storage *s)
{
    return s && s->kind == &mapping_kind ? ((const struct mapping *)(const void *)s)->fd : -1;
}

enum dry_status dry_segment_view(struct dry_segment *s, struct dry_view *out, struct dry_error *err)
{
    struct dry_storage *bytes;
    struct dry_os_stat st;
    int fd;
    uint64_t skip = s->formatted ? DRY_HEADER_SIZE : 0;
    DRY_TRY(dry_segment_check_own(s, err));
    if (s->is_memfd ? s->protection == DRY_CLASS_OPEN : !s->finished)
        return dry_fail(err, DRY_INVALID, "a segment is read when it is %s, and this one is still written",
                        s->is_memfd ? "protected" : "finished");
    if (s->claimed) /* to open it would wait for ourselves */
        return dry_fail(err, DRY_INVALID, "a segment that is claimed cannot be opened; disclaim it first");
    int sys = dry_os_reopen_read(s->own.fd, &fd);
    if (sys) return dry_fail_errno(err, sys, "a segment cannot be opened for reading (through /proc/self/fd)");
    enum dry_status status = dry_check_regular(fd, &st, err);
    if (status == DRY_OK && st.size_bytes == 0)
        status = dry_fail(err, DRY_INVALID, "there is nothing in the segment");
    if (status == DRY_OK) {
        uint64_t len = s->formatted ? s->used - skip : st.size_bytes;
        status = dry_mapping_new(fd, st.size_bytes, skip, len, fd, s->allocator, &bytes, err);
    }
    if (status != DRY_OK) {
        dry_os_close(fd);
        return status;
    }
    *out = dry_view_adopt(bytes);
    return DRY_OK;
}

/* ---- pages in memory ---- */
void dry_segment_prefault(const void *bytes, size_t n)
{
    uintptr_t from = (uintptr_t)bytes & ~(uintptr_t)(dry_os_page_bytes() - 1);
    size_t len = n + ((uintptr_t)bytes - from);
    /* A kernel that cannot do it leaves it to the first reader, who can. */
    if (n > 0) (void)dry_os_populate((void *)from, len, false);
}

enum dry_status dry_segment_resident(const void *bytes, size_t n, uint64_t *out, struct dry_error *err)
{
    uint64_t resident = 0;
    int sys = n > 0 ? dry_os_resident(bytes, n, &resident) : 0;
    if (sys)
        return dry_fail_errno(err, sys, "the kernel cannot be asked how many of %s are in memory",
                              dry_size_text(n).text);
    *out = resident;
    return DRY_OK;
}

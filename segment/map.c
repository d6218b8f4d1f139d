/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "segment.h"
#include "../base/check.h"
#include "../base/os.h"
#include "../base/size.h"

struct mapping {
    void *at;
    size_t len;
    const struct dry_allocator *allocator;
};

static void unmap(void *owner)
{
    struct mapping *m = owner;
    dry_os_unmap(m->at, m->len);
    dry_release(m->allocator, m, sizeof *m, _Alignof(struct mapping));
}

static enum dry_status map_bytes(int fd, size_t n, const struct dry_allocator *a, struct dry_storage **out,
                                 struct dry_error *err)
{
    struct mapping *m = dry_allocate(a, sizeof *m, _Alignof(struct mapping));
    if (!m) return dry_fail(err, DRY_NOMEM, "out of memory for a mapping");
    *m = (struct mapping){.len = n, .allocator = a};
    int sys = dry_os_map_read(fd, n, &m->at);
    if (sys) {
        dry_release(a, m, sizeof *m, _Alignof(struct mapping));
        return dry_fail_errno(err, sys, "a file of %s cannot be mapped", dry_size_text(n).text);
    }
    enum dry_status status = dry_storage_adopt(m->at, n, m, unmap, a, out);
    if (status != DRY_OK) unmap(m);
    return status == DRY_OK ? DRY_OK : dry_fail(err, status, "out of memory for a mapping");
}

enum dry_status dry_segment_map(int fd, const struct dry_allocator *a, struct dry_storage **out,
                                struct dry_error *err)
{
    struct dry_os_stat st;
    int sys = dry_os_stat(fd, &st);
    if (sys) return dry_fail_errno(err, sys, "a file to be mapped cannot be looked at");
    if (st.kind != DRY_OS_FILE)
        return dry_fail(err, DRY_INVALID, "only a regular file can be mapped, and this is %s",
                        st.kind == DRY_OS_DIRECTORY ? "a directory" : "a pipe, a socket or a device");
    if (st.size_bytes > 0) return map_bytes(fd, (size_t)st.size_bytes, a, out, err);
    if (dry_storage_adopt(NULL, 0, NULL, NULL, a, out) != DRY_OK)
        return dry_fail(err, DRY_NOMEM, "out of memory for a mapping");
    return DRY_OK;
}

void dry_segment_prefault(const void *bytes, size_t n)
{
    uintptr_t from = (uintptr_t)bytes & ~(uintptr_t)(dry_os_page_bytes() - 1);
    size_t len = n + ((uintptr_t)bytes - from);
    /* A kernel that cannot do it leaves it to the first reader, who can. */
    if (n > 0) (void)dry_os_populate((void *)from, len, false);
}

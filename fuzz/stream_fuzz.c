/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Property: any bytes read from a descriptor (file or stream format, compressed or not) end in batches or an error, and
 * what is handed out can be written.
 */
#define _GNU_SOURCE
#include "../arrow/arrow.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static enum dry_status count(void *self, const void *bytes, size_t n, struct dry_error *err)
{
    uint64_t *sum = self;
    (void)bytes, (void)err;
    *sum += n;
    return *sum > (uint64_t)64 << 20 ? DRY_FULL : DRY_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint64_t sum = 0;
    struct dry_sink sink = {.self = &sum, .append = count};
    struct dry_ipc_write_options options = {.format = DRY_IPC_STREAM};
    struct ArrowArrayStream stream;
    int fd = memfd_create("stream_fuzz", MFD_CLOEXEC);
    if (fd < 0) return 0;
    if (write(fd, bytes, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0 &&
        dry_ipc_read_fd(fd, "input", NULL, &stream, NULL) == DRY_OK)
        (void)!dry_ipc_write(&stream, &sink, &options, NULL, NULL);
    close(fd);
    return 0;
}

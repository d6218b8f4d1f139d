/* SPDX-License-Identifier: Apache-2.0 OR MIT
 * One segment, filled by four workers at once, each in bytes of its own; then sealed for good and read by another. */
#include <drystone/drystone.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 1000000, WORKERS = 4, PART = ROWS / WORKERS };
static const char layout[] = "u64[1000000]: squares";

static int fill(const char *handle, uint64_t worker)
{
    struct dry_memory *m;
    int fd;
    if (dry_handle_open(handle, true, &fd, NULL) || dry_segment_attach_write(fd, layout, NULL, &m, NULL)) return 1;
    uint64_t *squares = m->at;
    for (uint64_t i = worker * PART; i < (worker + 1) * PART; i++) squares[i] = i * i;
    m->release(m); /* the parent waits for this */
    return 0;
}

static int sum(const char *handle)
{
    const struct dry_attach_options trusted = {.at_least = DRY_CLASS_SEALED, .layout = layout};
    struct dry_view v;
    uint64_t all = 0;
    int fd;
    if (dry_handle_open(handle, false, &fd, NULL) || dry_segment_attach(fd, &trusted, NULL, &v, NULL, NULL)) return 1;
    for (size_t i = 0; i < ROWS; i++) all += ((const uint64_t *)(const void *)v.data)[i];
    printf("%zu bytes, sum %" PRIu64 "\n", v.len, all);
    return fflush(stdout) != 0;
}

int main(void)
{
    char handle[DRY_HANDLE_SIZE];
    struct dry_error err = {0};
    struct dry_segment *s;
    struct dry_memory *elements;
    int fd, failed = 0, code;
    if (dry_segment_new_array("squares", layout, ROWS, 8, NULL, &s, &elements, &err)) goto failed;
    if (dry_segment_offer(s, true, &err) || dry_segment_handle(s, handle, &err)) goto failed;
    for (unsigned i = 0; i < WORKERS; i++)
        if (fork() == 0) _exit(fill(handle, i));
    while (wait(&code) > 0) failed |= code;
    if (failed || dry_segment_seal(s, &err) || dry_segment_handle(s, handle, &err)) goto failed;
    printf("one more writer: %s\n", dry_status_text(dry_handle_open(handle, true, &fd, NULL)));
    fflush(stdout);
    if (fork() == 0) _exit(sum(handle));
    wait(&code);
    dry_segment_free(s);
    return code != 0;
failed:
    return fprintf(stderr, "%s\n", err.text), 1;
}
/* Output:
 * one more writer: not permitted, or not safe
 * 8000000 bytes, sum 333332833333500000
 */

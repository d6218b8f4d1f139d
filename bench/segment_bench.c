/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What a segment of 4 KiB costs beside the system calls that nobody can do without, the protective reopen included:
 *     create   memfd_create, open of /proc/self/fd/N, close, fchmod, fallocate, mmap, madvise (not inherited over fork),
 *              munmap, close
 *     reopen   of /proc/PID/fd/N, first as a path only, so that nothing else that has the number by now is opened: open,
 *              fstat, open of /proc/self/fd/N, close, fstat, seals, pread of the header, mmap, munmap, close
 * Usage: segment_bench ROUNDS; prints one line of JSON, nanoseconds.
 */
#define _GNU_SOURCE
#include "../drystone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, SIZE = 4096 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static void create_bare(void)
{
    char path[64];
    int first = memfd_create("bare", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    snprintf(path, sizeof path, "/proc/self/fd/%d", first);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    close(first);
    if (fd < 0 || fchmod(fd, 0400) || fallocate(fd, 0, 0, SIZE)) die("memfd");
    char *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED || madvise(at, SIZE, MADV_DONTFORK)) die("mmap");
    at[0] = 1;
    munmap(at, SIZE);
    close(fd);
}

static void create(void)
{
    struct dry_segment *s;
    struct dry_memory *piece;
    struct dry_error err = {0};
    if (dry_segment_new("ours", NULL, &s, &err) != DRY_OK) die(err.text);
    if (dry_segment_piece(s, SIZE, &piece, &err) != DRY_OK) die(err.text);
    *(char *)piece->at = 1;
    dry_segment_free(s);
}

/* What is reopened. */
static struct dry_segment *shared;
static char handle[DRY_HANDLE_SIZE];

static void reopen_bare(void)
{
    char path[64], header[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", getpid(), dry_segment_fd(shared));
    int found = open(path, O_PATH | O_CLOEXEC);
    if (found < 0 || fstat(found, &st)) die("reopen");
    snprintf(path, sizeof path, "/proc/self/fd/%d", found);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    close(found);
    if (fd < 0 || fstat(fd, &st) || fcntl(fd, F_GET_SEALS) < 0 || pread(fd, header, sizeof header, 0) < 0) die("reopen");
    char *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) die("mmap");
    munmap(at, (size_t)st.st_size);
    close(fd);
}

static void reopen(void)
{
    struct dry_view view;
    struct dry_error err = {0};
    if (dry_handle_attach(handle, NULL, NULL, &view, NULL, &err) != DRY_OK) die(err.text);
    dry_view_unref(&view);
}

static double best_of(int rounds, void (*run)(void))
{
    double best = 1e18;
    for (int round = 0; round < rounds; round++) {
        double start = now_ns();
        for (int i = 0; i < BATCH; i++) run();
        double took = (now_ns() - start) / BATCH;
        if (took < best) best = took;
    }
    return best;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 100;
    struct dry_memory *piece;
    struct dry_error err = {0};
    if (dry_segment_new("shared", NULL, &shared, &err) != DRY_OK || dry_segment_piece(shared, SIZE, &piece, &err) != DRY_OK ||
        dry_segment_protect(shared, &err) != DRY_OK || dry_segment_handle(shared, handle, &err) != DRY_OK)
        die(err.text);
    printf("{\"create_bare_min_ns\": %.0f, \"create_min_ns\": %.0f, \"reopen_bare_min_ns\": %.0f, \"reopen_min_ns\": %.0f}\n",
           best_of(rounds, create_bare), best_of(rounds, create), best_of(rounds, reopen_bare), best_of(rounds, reopen));
    dry_segment_free(shared);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * How long it takes to open a table, beside the system calls that nobody can do without: open, fstat, pread of the
 * footer, mmap, munmap, close. Usage: open_bench STORE NAME ROUNDS; prints one line of JSON, nanoseconds.
 */
#define _GNU_SOURCE
#include "../drystone.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, FOOTER = 4096 };

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

static void open_bare(int directory, const char *name)
{
    static char footer[FOOTER];
    struct stat st;
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0) die("the table cannot be opened");
    off_t n = st.st_size < FOOTER ? st.st_size : FOOTER;
    if (pread(fd, footer, (size_t)n, st.st_size - n) != n) die("the footer cannot be read");
    void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) die("mmap");
    munmap(at, (size_t)st.st_size);
    close(fd);
}

static void open_table(struct dry_store *store, const char *name)
{
    struct dry_table *t;
    struct dry_error err;
    if (dry_store_get(store, name, DRY_CHECK_AUTO, &t, &err) != DRY_OK) die(err.text);
    dry_table_unref(t);
}

static int ascending(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    struct dry_store *store;
    struct dry_error err;
    if (argc != 4) die("usage: open_bench STORE NAME ROUNDS");
    int rounds = atoi(argv[3]), directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || rounds < 1) die("usage: open_bench STORE NAME ROUNDS");
    if (dry_store_open(argv[1], DRY_STORE_READ, NULL, &store, NULL, &err) != DRY_OK) die(err.text);
    double *bare = calloc((size_t)rounds, sizeof *bare), *ours = calloc((size_t)rounds, sizeof *ours);
    if (!bare || !ours) die("no memory");
    for (int r = -1; r < rounds; r++) { /* in turn, so that a slow moment meets both; round -1 warms up */
        double a = now_ns();
        for (int i = 0; i < BATCH; i++) open_bare(directory, argv[2]);
        double b = now_ns();
        for (int i = 0; i < BATCH; i++) open_table(store, argv[2]);
        double c = now_ns();
        if (r >= 0) bare[r] = (b - a) / BATCH, ours[r] = (c - b) / BATCH;
    }
    qsort(bare, (size_t)rounds, sizeof *bare, ascending);
    qsort(ours, (size_t)rounds, sizeof *ours, ascending);
    printf("{\"bare_min_ns\": %.0f, \"bare_median_ns\": %.0f, \"get_min_ns\": %.0f, \"get_median_ns\": %.0f}\n", bare[0],
           bare[rounds / 2], ours[0], ours[rounds / 2]);
    free(bare);
    free(ours);
    dry_store_close(store);
    close(directory);
    return 0;
}

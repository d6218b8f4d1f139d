/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the C and the C++ program of this bench share; the Rust one does the same in its own words.
 *
 *     PROGRAM             all rows: "row <tab> who <tab> least ns <tab> median ns", per element
 *     PROGRAM ROW         the same for one row
 *     PROGRAM ROW WHO N   the body of one row, N times, untimed: for callgrind
 *
 * A row is timed in repetitions of about 4 ms, 9 of them. A body hides its object from the compiler by moving it
 * behind a barrier at the end, as Rust's black_box(object) does.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BARRIER(x) __asm__ volatile("" : : "r"(&(x)) : "memory")
#define OUT_OF_LINE __attribute__((noinline))

struct row {
    const char *row, *who;
    void (*body)(void);
    double elements;    /* one body handles so many */
    void (*prepare)(void); /* before each body, untimed; or NULL */
};

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double time_bodies(const struct row *r, long n)
{
    double sum = 0;
    if (!r->prepare) {
        double from = now_ns();
        for (long i = 0; i < n; i++)
            r->body();
        return now_ns() - from;
    }
    for (long i = 0; i < n; i++) {
        r->prepare();
        double from = now_ns();
        r->body();
        sum += now_ns() - from;
    }
    return sum;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void time_row(const struct row *r)
{
    enum { TIMES = 9 };
    double ns[TIMES];
    long n = 1;
    while (time_bodies(r, n) < 4e6 && n < (1l << 40))
        n *= 2;
    for (int i = 0; i < TIMES; i++)
        ns[i] = time_bodies(r, n) / ((double)n * r->elements);
    qsort(ns, TIMES, sizeof *ns, by_value);
    printf("%s\t%s\t%.4f\t%.4f\n", r->row, r->who, ns[0], ns[TIMES / 2]);
    fflush(stdout);
}

static int run_rows(const struct row *rows, size_t n, int argc, char **argv)
{
    const char *heap = getenv("SHUFFLE_HEAP"); /* shuffle.py: what comes first in the heap moves all that follows */
    char *padding = (char *)malloc(heap ? (size_t)atol(heap) + 1 : 1);
    BARRIER(padding);
    for (size_t i = 0; i < n; i++) {
        if (argc > 1 && strcmp(rows[i].row, argv[1]) != 0) continue;
        if (argc < 4) time_row(&rows[i]);
        if (argc < 4 || strcmp(rows[i].who, argv[2]) != 0) continue;
        for (long k = atol(argv[3]); k > 0; k--) {
            if (rows[i].prepare) rows[i].prepare();
            rows[i].body();
        }
    }
    free(padding);
    return 0;
}

#endif

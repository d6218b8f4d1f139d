/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The least time of one operation: `REPEATS` times about two milliseconds of it. C and C++.
 */
#ifndef BENCH_TIMING_H
#define BENCH_TIMING_H

#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum { REPEATS = 9 };

static inline double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline void pin(unsigned cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/* The compiler must believe that `p` and all memory are looked at. */
#define LOOK_AT(p) __asm__ volatile("" : : "r"(p) : "memory")

/* BENCH("row", "who", body): prints one line. */
#define BENCH(row, who, ...)                                                                                          \
    do {                                                                                                              \
        double least_ = 1e18;                                                                                         \
        size_t n_ = 16;                                                                                               \
        for (int repeat_ = 0; repeat_ < REPEATS + 1; repeat_++) {                                                     \
            double took_, start_;                                                                                     \
            do {                                                                                                      \
                start_ = now_ns();                                                                                    \
                for (size_t i_ = 0; i_ < n_; i_++) __VA_ARGS__                                                        \
                took_ = now_ns() - start_;                                                                            \
            } while (repeat_ == 0 && took_ < 2e6 && (n_ *= 2));                                                       \
            if (took_ / (double)n_ < least_) least_ = took_ / (double)n_;                                             \
        }                                                                                                             \
        printf("%s\t%s\t%.4f\n", row, who, least_);                                                                   \
    } while (0)

/* Two threads run `work` at once, each `n` operations on its own cpu; prints the time of one of each. */
struct two {
    void (*work)(void *arg, size_t n);
    void *arg;
    size_t n;
    unsigned cpu;
    pthread_barrier_t *barrier;
    double ns;
};

static inline void *two_run(void *arg)
{
    struct two *t = (struct two *)arg;
    pin(t->cpu);
    pthread_barrier_wait(t->barrier);
    double start = now_ns();
    t->work(t->arg, t->n);
    t->ns = (now_ns() - start) / (double)t->n;
    return NULL;
}

static inline void bench_two(const char *row, const char *who, void (*work)(void *arg, size_t n), void *arg, size_t n)
{
    double times[REPEATS];
    for (int r = 0; r < REPEATS; r++) {
        pthread_barrier_t barrier;
        pthread_t thread;
        pthread_barrier_init(&barrier, NULL, 2);
        struct two a = {work, arg, n, 0, &barrier, 0}, b = {work, arg, n, 1, &barrier, 0};
        if (pthread_create(&thread, NULL, two_run, &b) != 0) return;
        two_run(&a);
        pthread_join(thread, NULL);
        pthread_barrier_destroy(&barrier);
        double mine = a.ns < b.ns ? b.ns : a.ns;
        int at = r;
        for (; at > 0 && times[at - 1] > mine; at--) times[at] = times[at - 1];
        times[at] = mine;
    }
    printf("%s\t%s\t%.4f\n", row, who, times[REPEATS / 2]);
    pin(0);
}

#endif

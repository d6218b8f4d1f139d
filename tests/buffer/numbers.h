/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The naive model of a vec: an array of numbers, edited in the most obvious way.
 */
#ifndef DRY_TEST_NUMBERS_H
#define DRY_TEST_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBERS = 256 };
struct numbers {
    size_t len;
    uint32_t x[2 * NUMBERS];
};

/* Puts m numbers in the place of n from i on. */
static inline void numbers_replace(struct numbers *s, size_t i, size_t n, const uint32_t *from, size_t m)
{
    uint32_t behind[2 * NUMBERS];
    size_t rest = s->len - i - n;
    memcpy(behind, s->x + i + n, rest * sizeof *behind);
    if (m) memcpy(s->x + i, from, m * sizeof *from);
    memcpy(s->x + i + m, behind, rest * sizeof *behind);
    s->len = i + m + rest;
}

static inline void numbers_swap(struct numbers *s, size_t i, size_t j)
{
    uint32_t x = s->x[i];
    s->x[i] = s->x[j];
    s->x[j] = x;
}

static inline void numbers_reverse(struct numbers *s, size_t from, size_t to)
{
    while (from + 1 < to)
        numbers_swap(s, from++, --to);
}

static inline int numbers_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}
static inline void numbers_sort(struct numbers *s) { qsort(s->x, s->len, sizeof *s->x, numbers_order); }

/* Keeps all but every `every`-th that it is asked for (0: none, 1: all go). */
struct numbers_sieve {
    uint32_t every, asked;
};
static inline bool numbers_keep(void *context)
{
    struct numbers_sieve *sieve = context;
    return sieve->every == 0 || sieve->asked++ % sieve->every != 0;
}

static inline void numbers_retain(struct numbers *s, uint32_t every)
{
    struct numbers_sieve sieve = {.every = every};
    size_t kept = 0;
    for (size_t i = 0; i < s->len; i++)
        if (numbers_keep(&sieve)) s->x[kept++] = s->x[i];
    s->len = kept;
}

static inline void numbers_dedup(struct numbers *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->len; i++)
        if (kept == 0 || s->x[kept - 1] != s->x[i]) s->x[kept++] = s->x[i];
    s->len = kept;
}

/* Steps of each model test; DRY_LONG=1 makes it a million for all together and more. */
static inline long model_steps(void)
{
    const char *is_long = getenv("DRY_LONG");
    return is_long && *is_long == '1' ? 250000 : 5000;
}

#endif

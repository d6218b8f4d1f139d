/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Two operators over one column in four threads: each thread filters its slice into a bitmap and then sums what is left.
 * The column is shared, nothing of it is copied, and the count of holders is touched once a thread: every slice that a
 * thread makes on its way comes out of its purse.
 */
#include <drystone/drystone.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, ROWS = 100000, MORSEL = 1000 };

struct work {
    struct dry_view column; /* a reference of this thread's own */
    size_t from, to;        /* rows */
    long long sum;
    enum dry_status status;
};

/* Operator 1: which of the numbers are divisible by three. */
static enum dry_status filter(const struct dry_view *part, bool *keep, struct dry_bitmap *out)
{
    const int *x = (const void *)part->data;
    size_t n = part->len / sizeof *x;
    for (size_t i = 0; i < n; i++) keep[i] = x[i] % 3 == 0;
    return dry_bitmap_from_bools(keep, n, NULL, out);
}

/* Operator 2: the sum of those. */
static long long sum(const struct dry_view *part, const struct dry_bitmap *mask)
{
    const int *x = (const void *)part->data;
    long long total = 0;
    struct dry_bits it = dry_bits_of(mask);
    for (size_t i; dry_bits_next(&it, &i);) total += x[i];
    return total;
}

static void *run(void *arg)
{
    struct work *w = arg;
    struct dry_purse purse;
    bool keep[MORSEL];
    dry_purse_init(&purse, w->column.storage);
    for (size_t at = w->from; at < w->to && w->status == DRY_OK; at += MORSEL) {
        struct dry_view part = dry_purse_ref(&purse, &w->column);
        struct dry_bitmap mask = {0};
        w->status = dry_view_narrow(&part, at * sizeof(int), MORSEL * sizeof(int));
        if (w->status == DRY_OK) w->status = filter(&part, keep, &mask);
        if (w->status == DRY_OK) w->sum += sum(&part, &mask);
        dry_bitmap_unref(&mask);
        dry_purse_unref(&purse, &part);
    }
    dry_purse_fini(&purse);
    dry_view_unref(&w->column);
    return NULL;
}

int main(void)
{
    struct dry_storage *s;
    struct work work[THREADS];
    pthread_t threads[THREADS];
    long long total = 0;

    if (dry_storage_new(ROWS * sizeof(int), NULL, &s) != DRY_OK) return 1;
    int *rows = dry_storage_try_mut(s);
    for (int i = 0; i < ROWS; i++) rows[i] = i;
    struct dry_view column = dry_view_adopt(s);
    for (size_t i = 0; i < THREADS; i++) {
        work[i] = (struct work){dry_view_ref(&column), i * ROWS / THREADS, (i + 1) * ROWS / THREADS, 0, DRY_OK};
        if (pthread_create(&threads[i], NULL, run, &work[i]) != 0) abort();
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        if (work[i].status != DRY_OK) return 1;
        total += work[i].sum;
    }
    printf("sum of those divisible by 3: %lld\n", total);
    printf("the column is mine alone again: %s\n", dry_storage_is_exclusive(s) ? "yes" : "no");
    dry_view_unref(&column);
    return 0;
}
/* Output:
 * sum of those divisible by 3: 1666683333
 * the column is mine alone again: yes
 */

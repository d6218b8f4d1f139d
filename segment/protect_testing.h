/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the tests of protected segments share: one that is filled, and the way to it for another process.
 */
#ifndef DRY_PROTECT_TESTING_H
#define DRY_PROTECT_TESTING_H

#include "segment_testing.h"

#include "../base/memory.h"

#define SIZE (3 * MIB + 100)

static inline struct dry_segment *filled(struct dry_memory **piece)
{
    struct dry_segment *s = NULL;
    assert_int_equal(dry_segment_new("drystone-segment", NULL, &s, NULL), DRY_OK);
    assert_int_equal(dry_segment_piece(s, SIZE, piece, NULL), DRY_OK);
    memcpy((*piece)->at, pattern(SIZE), SIZE);
    return s;
}

static inline struct dry_segment_stat stat_of(const struct dry_segment *s)
{
    struct dry_segment_stat st;
    assert_int_equal(dry_segment_stat(s, &st, NULL), DRY_OK);
    return st;
}

static inline struct dry_os_stat file_of(const struct dry_segment *s)
{
    struct dry_os_stat st;
    assert_int_equal(dry_os_stat(dry_segment_fd(s), &st), 0);
    return st;
}

static inline enum dry_class class_of(const struct dry_segment *s)
{
    return stat_of(s).protection;
}

/* What another process gets to know of a segment: where its descriptor is to be found. */
struct place {
    pid_t pid;
    int number;
    size_t size;
};

static inline struct place place_of(const struct dry_segment *s)
{
    return (struct place){getpid(), dry_segment_fd(s), (size_t)file_of(s).size_bytes};
}

/* Minus errno where it is refused; never waits for a lease. */
static inline int open_place(const struct place *at, bool writable)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)at->pid, at->number);
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}
/* One that stays mapped, over a file in `where`, or anonymous (NULL). */
static inline struct dry_segment *filled_to_be_rewound(const char *where, size_t n)
{
    struct dry_segment *s;
    const struct dry_segment_options options = {.keep_mapped = true};
    if (where)
        assert_int_equal(dry_segment_adopt_fd(file_in(where), NULL, &s, NULL), DRY_OK);
    else
        assert_int_equal(dry_segment_new("drystone-segment", NULL, &s, NULL), DRY_OK);
    assert_int_equal(dry_segment_set_options(s, &options, NULL), DRY_OK);
    assert_int_equal(dry_segment_append_zeros(s, n, NULL), DRY_OK);
    assert_int_equal(dry_segment_finish(s, NULL), DRY_OK);
    assert_non_null(dry_segment_bytes(s));
    return s;
}

#endif

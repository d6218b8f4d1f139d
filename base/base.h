/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * base: what every module speaks: status, error text, allocator, assertions, checked sizes.
 *
 * Errors are values. There are three kinds, and each has its own means:
 *   a programmer's mistake    DRY_ASSERT, never a status;
 *   an expected outcome       a status to branch on (NOT_FOUND, SHARED, TIMEOUT ...);
 *   the world failed          a status, and words for a person in the caller's struct dry_error.
 * Outputs are untouched on failure. Nothing aborts in a release build, logs, or keeps an error per thread.
 *
 *     struct dry_error err = {0};
 *     if (dry_store_open(NULL, DRY_STORE_WRITE, NULL, &store, &err) != DRY_OK)
 *         fprintf(stderr, "%s\n", err.text);
 *
 * Thread rules: everything here is pure or works on the caller's memory; any thread may call it.
 */
#ifndef DRY_BASE_H
#define DRY_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DRY_VERSION_MAJOR 0
#define DRY_VERSION_MINOR 1
#define DRY_VERSION_PATCH 0
#define DRY_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

#define DRY_API __attribute__((visibility("default")))
#define DRY_MUST_CHECK __attribute__((warn_unused_result))
#define DRY_PRINTF(fmt_at, args_at) __attribute__((format(printf, fmt_at, args_at)))

/* Alignment and padding of every buffer that drystone makes, in bytes (a cache line, and what Arrow recommends). */
#define DRY_ALIGN 64u

/* ---- status ------------------------------------------------------------------------------------------------------
 * One list makes the enum, the names, the texts, and (in python/) the exceptions. A new row needs a caller that acts
 * differently because of it. The numbers are part of the ABI: rows are only ever added at the end. */
#define DRY_STATUS_LIST(X)                                                                                            \
    X(OK, "ok")                                                                                                       \
    X(NOMEM, "out of memory")                                                                                         \
    X(INVALID, "an argument cannot be used")                                                                          \
    X(NOT_FOUND, "there is nothing of that name")                                                                     \
    X(EXISTS, "the name is taken")                                                                                    \
    X(DENIED, "not permitted, or not safe")                                                                           \
    X(FULL, "there is no room")                                                                                       \
    X(CORRUPT, "the bytes break the format")                                                                          \
    X(UNSUPPORTED, "not supported")                                                                                   \
    X(SHARED, "somebody else holds it")                                                                               \
    X(TOO_BIG, "larger than can be addressed")                                                                        \
    X(FIXED, "the size cannot change")                                                                                \
    X(TIMEOUT, "the time is over")                                                                                    \
    X(IO, "the system refused")                                                                                       \
    X(STALE, "it was freed, given away or used anew")                                                                 \
    X(LAYOUT, "made with another layout")

enum dry_status {
#define DRY_STATUS_ROW(name, text) DRY_##name,
    DRY_STATUS_LIST(DRY_STATUS_ROW)
#undef DRY_STATUS_ROW
        DRY_STATUS_COUNT
};

/* The short name ("NOT_FOUND") and the general text of a status; "UNKNOWN" for a number that is none. Static. */
DRY_API const char *dry_status_name(enum dry_status status);
DRY_API const char *dry_status_text(enum dry_status status);

/* What went wrong, for a person. Owned by the caller, who may pass NULL where it does not care. */
struct dry_error {
    enum dry_status status;
    int sys;        /* errno of the call that failed, 0 where there was none */
    char text[504]; /* one line without a newline: what failed, why, and what to do; always NUL-terminated */
};

/* ---- memory ------------------------------------------------------------------------------------------------------
 * Where the library allocates, it takes one of these; NULL means the C library's malloc. An allocator must outlive
 * all that was allocated through it, and must serve every thread that releases through it. */
struct dry_allocator {
    /* `size` > 0, `align` a power of two. Returns NULL when there is no memory. */
    void *(*allocate)(void *self, size_t size, size_t align);
    /* Like realloc: contents up to the smaller size survive, NULL leaves the old block valid. The member may be NULL:
     * then allocate + copy + release is used. */
    void *(*resize)(void *self, void *block, size_t old_size, size_t new_size, size_t align);
    /* `size` and `align` are those of the last allocate or resize. */
    void (*release)(void *self, void *block, size_t size, size_t align);
    void *self;
};

DRY_API void *dry_allocate(const struct dry_allocator *a, size_t size, size_t align) DRY_MUST_CHECK;
DRY_API void *dry_resize(const struct dry_allocator *a, void *block, size_t old_size, size_t new_size, size_t align)
    DRY_MUST_CHECK;
/* `block` may be NULL: nothing happens. */
DRY_API void dry_release(const struct dry_allocator *a, void *block, size_t size, size_t align);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#define _GNU_SOURCE
#include "base.h"
#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *text;
} rows[] = {
#define ROW(name, text) {#name, text},
    DRY_STATUS_LIST(ROW)
#undef ROW
};

const char *dry_status_name(enum dry_status status)
{
    return (unsigned)status < DRY_STATUS_COUNT ? rows[status].name : "UNKNOWN";
}

const char *dry_status_text(enum dry_status status)
{
    return (unsigned)status < DRY_STATUS_COUNT ? rows[status].text : "an unknown status";
}

static void say(struct dry_error *err, enum dry_status status, int sys, const char *fmt, va_list args)
{
    if (!err) return;
    err->status = status;
    err->sys = sys;
    int n = vsnprintf(err->text, sizeof err->text, fmt, args);
    if (n < 0) n = 0;
    if (sys && (size_t)n < sizeof err->text) {
        char words[96];
        snprintf(err->text + n, sizeof err->text - (size_t)n, ": %s", strerror_r(sys, words, sizeof words));
    }
}

enum dry_status dry_fail(struct dry_error *err, enum dry_status status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(err, status, 0, fmt, args);
    va_end(args);
    return status;
}

enum dry_status dry_fail_sys(struct dry_error *err, enum dry_status status, int sys, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(err, status, sys, fmt, args);
    va_end(args);
    return status;
}

static enum dry_status meaning(int sys)
{
    switch (sys) {
    case ENOMEM: return DRY_NOMEM;
    case ENOENT: return DRY_NOT_FOUND;
    case EEXIST: return DRY_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS: return DRY_DENIED;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return DRY_FULL;
    default: return DRY_IO;
    }
}

enum dry_status dry_fail_errno(struct dry_error *err, int sys, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(err, meaning(sys), sys, fmt, args);
    va_end(args);
    return meaning(sys);
}

enum dry_status dry_fail_in(struct dry_error *err, enum dry_status status, const char *fmt, ...)
{
    if (!err) return status;
    char below[sizeof err->text];
    memcpy(below, err->text, sizeof below);
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof err->text)
        snprintf(err->text + n, sizeof err->text - (size_t)n, "%s", below);
    return status;
}

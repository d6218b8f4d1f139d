/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * What the tests of recycled pages share.
 */
#ifndef DRY_STORE_SPARE_TESTING_H
#define DRY_STORE_SPARE_TESTING_H

#include "spare.h"
#include "../tests/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#define ROWS 100000 /* 800 kB */

static inline void put(const struct fixture *f, const char *name, int64_t first, int64_t rows)
{
    struct dry_error err = {0};
    if (put_count(f->s, name, first, rows, &err) != DRY_OK) fail_msg("put: %s", err.text);
}

static inline struct stat stat_of(const struct fixture *f, const char *name)
{
    char path[FIXTURE_PATH_BYTES];
    struct stat st;
    fixture_path(f, name, path);
    assert_int_equal(stat(path, &st), 0);
    return st;
}

static inline ino_t inode_of(const struct fixture *f, const char *name)
{
    return stat_of(f, name).st_ino;
}

static inline uint64_t spares(const struct fixture *f)
{
    struct dry_store_info info;
    assert_int_equal(dry_store_info(f->s, &info, NULL), DRY_OK);
    assert_true((info.spares == 0) == (info.spare_bytes == 0));
    return info.spares;
}

static inline void copy_hidden(void *self, const char *name)
{
    if (dry_store_hidden_kind(name) == DRY_HIDDEN_SPARE) memcpy(self, name, HIDDEN_SIZE);
}

static inline void hidden_name(const struct fixture *f, char out[HIDDEN_SIZE])
{
    out[0] = '\0';
    harness_dir_each(f->dir.path, copy_hidden, out);
    assert_true(out[0] != '\0');
}

static inline int in_memory(void **state)
{
    if (!harness_where(true)) {
        print_message("skipped: no file system in memory\n");
        return -1;
    }
    return fixture_setup(state);
}

#endif

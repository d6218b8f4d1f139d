/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * A fresh store for one cmocka test, open for writing; the teardown fails when the test left a descriptor or a
 * mapping.
 *
 *     cmocka_unit_test_setup_teardown(a_test, fixture_setup, fixture_teardown)
 */
#ifndef DRY_TESTS_FIXTURE_H
#define DRY_TESTS_FIXTURE_H

#include "harness.h"
#include "tables.h"

struct fixture {
    struct harness_dir dir;
    struct dry_store *s;
    int fds;
};

int fixture_setup(void **state);
int fixture_setup_on_disk(void **state);
int fixture_teardown(void **state);

/* The entries of the directory, hidden ones too, as any program sees them. */
int fixture_entries(const struct fixture *f);
#define FIXTURE_PATH_BYTES 512
void fixture_path(const struct fixture *f, const char *name, char out[FIXTURE_PATH_BYTES]);
/* A file in the directory that no store made. */
void fixture_write(const struct fixture *f, const char *name, const void *bytes, size_t n, unsigned mode);

#endif

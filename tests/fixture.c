/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "fixture.h"

#include "../base/os.h"
#include "../base/step.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int set_up(void **state, bool in_memory)
{
    struct dry_error err;
    const char *where = harness_where(in_memory);
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) return -1;
    f->fds = harness_open_fds();
    if (!where) where = harness_where(!in_memory);
    if (!where || !harness_dir_make(where, &f->dir) ||
        dry_store_open(f->dir.path, DRY_STORE_WRITE, NULL, &f->s, NULL, &err) != DRY_OK) {
        free(f);
        return -1;
    }
    *state = f;
    return 0;
}

int fixture_setup(void **state)
{
    return set_up(state, true);
}

int fixture_setup_on_disk(void **state)
{
    return set_up(state, false);
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    dry_os_fault = NULL;
    dry_step_hook = NULL;
    dry_store_close(f->s);
    int fds = harness_open_fds() - f->fds, mappings = harness_mappings(f->dir.path);
    harness_dir_remove(f->dir.path);
    free(f);
    if (fds || mappings) fprintf(stderr, "left: %d descriptors, %d mappings\n", fds, mappings);
    return fds || mappings ? -1 : 0;
}

int fixture_entries(const struct fixture *f)
{
    return harness_dir_each(f->dir.path, NULL, NULL);
}

void fixture_path(const struct fixture *f, const char *name, char out[FIXTURE_PATH_BYTES])
{
    snprintf(out, FIXTURE_PATH_BYTES, "%s/%s", f->dir.path, name);
}

void fixture_write(const struct fixture *f, const char *name, const void *bytes, size_t n, unsigned mode)
{
    char path[FIXTURE_PATH_BYTES];
    fixture_path(f, name, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || (n && write(fd, bytes, n) != (ssize_t)n) || fchmod(fd, mode)) abort();
    close(fd);
}

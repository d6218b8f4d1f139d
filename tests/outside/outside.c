/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The least program that uses each part of an installed library: it opens a store of its own and finds it empty.
 */
#include <drystone/drystone.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int look(const char *path)
{
    struct dry_error err = {0};
    struct dry_store *store;
    if (dry_store_open(path, DRY_STORE_WRITE, NULL, &store, NULL, &err) != DRY_OK) {
        fprintf(stderr, "%s: %s\n", dry_status_name(err.status), err.text);
        return 1;
    }
    struct dry_table *table;
    enum dry_status status = dry_store_get(store, "nothing", DRY_CHECK_AUTO, &table, &err);
    dry_store_close(store);
    if (status == DRY_NOT_FOUND) return 0;
    fprintf(stderr, "an empty store answered %s\n", dry_status_name(status));
    return 1;
}

int main(void)
{
    char path[] = "/tmp/drystone-outside-XXXXXX";
    if (!mkdtemp(path)) return 1;
    int failed = look(path);
    return rmdir(path) ? 1 : failed;
}

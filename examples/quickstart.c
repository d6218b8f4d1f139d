/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Puts the Arrow file or stream that comes on stdin under a name, gets it back as any other process would, and reads
 * a value where it lies: no byte of the table is copied on the way out.
 *
 *     cc quickstart.c $(pkg-config --cflags --libs drystone) && ./a.out < trades.arrow
 */
#include <drystone/drystone.h>
#include <stdio.h>

int main(void)
{
    struct dry_error err = {0};
    struct dry_store *store;
    struct ArrowArrayStream in;
    struct dry_table *table;
    struct ArrowArray batch;

    if (dry_store_open(NULL, DRY_STORE_WRITE, NULL, &store, NULL, &err) != DRY_OK ||
        dry_ipc_read_fd(0, "stdin", NULL, &in, &err) != DRY_OK ||
        dry_store_put(store, "trades", &in, NULL, &err) != DRY_OK ||
        dry_store_get(store, "trades", DRY_CHECK_AUTO, &table, &err) != DRY_OK ||
        dry_table_batch(table, 0, &batch) != DRY_OK) {
        fprintf(stderr, "quickstart: %s\n", err.text[0] ? err.text : "the table has no rows");
        return 1;
    }
    const int64_t *price = batch.children[0]->buffers[1];
    printf("%lld trades, the first at %lld\n", (long long)batch.length, (long long)price[0]);

    batch.release(&batch);
    dry_table_unref(table);
    dry_store_close(store);
    return 0;
}
/* Output:
 * 3 trades, the first at 101
 */

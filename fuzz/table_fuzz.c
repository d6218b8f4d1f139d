/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Property: any bytes opened as an IPC file end in a status; whatever opens can be exported; whatever verifies can be
 * written again, and the copy opens and verifies.
 */
#include "../arrow/arrow.h"

#include <stdlib.h>
#include <string.h>

struct memory {
    uint8_t *bytes;
    size_t len;
};

static enum dry_status append(void *self, const void *bytes, size_t n, struct dry_error *err)
{
    struct memory *m = self;
    (void)err;
    if (m->len + n > (size_t)64 << 20) return DRY_FULL; /* a null column may be longer than any memory */
    uint8_t *grown = realloc(m->bytes, m->len + n + 1);
    if (!grown) return DRY_NOMEM;
    m->bytes = grown;
    if (n) memcpy(m->bytes + m->len, bytes, n);
    m->len += n;
    return DRY_OK;
}

static struct dry_table *open_bytes(const uint8_t *bytes, size_t n)
{
    struct dry_storage *s;
    struct dry_table *t = NULL;
    if (dry_storage_adopt(bytes, n, NULL, NULL, NULL, &s) != DRY_OK) return NULL;
    struct dry_view v = dry_view_adopt(s);
    if (dry_table_open(&v, -1, NULL, &t, NULL) != DRY_OK) t = NULL;
    dry_view_unref(&v);
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct memory copy = {0};
    struct dry_sink sink = {.self = &copy, .append = append};
    struct dry_ipc_write_options options = {.format = DRY_IPC_FILE};
    struct ArrowArrayStream stream;
    struct ArrowArray batch;
    struct dry_table *t = open_bytes(bytes, n);
    if (!t) return 0;
    bool good = dry_table_verify(t, 0, -1, NULL) == DRY_OK;
    if (dry_table_stream(t, &stream) == DRY_OK) {
        if (good) {
            if (dry_ipc_write(&stream, &sink, &options, NULL, NULL) == DRY_OK) {
                struct dry_table *again = open_bytes(copy.bytes, copy.len);
                if (!again || dry_table_verify(again, 0, -1, NULL) != DRY_OK) abort();
                dry_table_unref(again);
            }
        } else {
            while (stream.get_next(&stream, &batch) == 0 && batch.release) batch.release(&batch);
            stream.release(&stream);
        }
    }
    free(copy.bytes);
    dry_table_unref(t);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Property: any bytes taken for IPC metadata end in a status; what is accepted survives export, import, writing and
 * reading unchanged. The first byte says what they are taken for: 1 a footer, else a message. Seeds: drystone_schema
 * has one of every type; the others come from other writers through tests/golden_metadata.py.
 */
#include "arrow/message_testing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1 << 20) return 0;
    /* A copy: the sanitizer then sees a read one byte behind the end. */
    uint32_t n = (uint32_t)size - 1;
    uint8_t *bytes = malloc(n ? n : 1);
    if (!bytes) return 0;
    memcpy(bytes, data + 1, n);
    enum dry_status status = data[0] == 1 ? try_footer(bytes, n) : try_message(bytes, n);
    free(bytes);
    return status == DRY_NOMEM ? -1 : 0;
}

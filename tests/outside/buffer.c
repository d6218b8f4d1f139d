/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The composable buffers need no library: this program is linked to none.
 */
#define DRY_NAME numbers
#define DRY_ELEM int
#include <drystone/buffer/vec.h>

int main(void)
{
    struct numbers v;
    int sum = 0;
    numbers_init(&v);
    for (int i = 0; i < 100; i++)
        if (numbers_push(&v, i) != DRY_OK) return 1;
    for (size_t i = 0; i < numbers_len(&v); i++) sum += *numbers_at(&v, i);
    numbers_fini(&v);
    return sum == 4950 ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 * A pool of 4 slots, two children. One is killed while it holds two slots; the other goes on; nothing is lost. */
#include <drystone/drystone.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_alive(void *self, unsigned peer) { return *(unsigned *)self != peer; }

int main(void)
{
    struct dry_pool_config slots = {.slot_size = 64, .slot_count = 4};
    struct dry_pool_memory memory = {.length = 1 << 16};
    struct dry_slot slot;
    struct dry_pool *pool;
    unsigned dead = 2;
    size_t n = 0;
    memory.base = mmap(NULL, memory.length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory.base == MAP_FAILED || dry_pool_init(memory, &slots, 1, 0, NULL) != DRY_OK) return 1;
    for (unsigned peer = 2; peer <= 3; peer++) {
        if (fork() == 0) {
            if (dry_pool_open(memory, peer, NULL, &pool, NULL) || dry_pool_allocate(pool, 5, &slot)) _exit(1);
            if (peer == dead && dry_pool_allocate(pool, 5, &slot) == DRY_OK) raise(SIGKILL);
            _exit(dry_pool_free(pool, slot) != DRY_OK);
        }
        wait(NULL);
    }
    if (dry_pool_open(memory, 1, NULL, &pool, NULL) != DRY_OK) return 1;
    enum dry_status status = dry_pool_reclaim(pool, dead, is_alive, &dead, &n);
    printf("reclaimed %zu slots: %s\n", n, dry_status_text(status));
    for (n = 0; dry_pool_allocate(pool, 5, &slot) == DRY_OK;) n++;
    printf("%zu slots to be had, the pool is %s\n", n, dry_status_name(dry_pool_check(pool, NULL)));
    dry_pool_close(pool);
    return 0;
}
/* Output:
 * reclaimed 2 slots: ok
 * 4 slots to be had, the pool is OK
 */

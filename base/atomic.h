/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Atomics whose order stands in their name; the only place that touches <stdatomic.h>. With -DDRY_MODEL the same names
 * are extern functions, so that the real code runs under a model checker. tools/orders refuses an atomic elsewhere and
 * an access without its labelled comment (STYLE.md, "Atomics").
 */
#ifndef DRY_ATOMIC_H
#define DRY_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#ifndef DRY_MODEL
#include <stdatomic.h>

struct dry_atomic_u64 {
    _Atomic uint64_t word;
};
struct dry_atomic_u32 {
    _Atomic uint32_t word;
};

#define DRY_ATOMIC_FUNCTIONS(bits, value)                                                                             \
    static inline value dry_load_relaxed_##bits(const struct dry_atomic_##bits *a)                                    \
    {                                                                                                                 \
        return atomic_load_explicit(&((struct dry_atomic_##bits *)(uintptr_t)a)->word, memory_order_relaxed);         \
    }                                                                                                                 \
    static inline value dry_load_acquire_##bits(const struct dry_atomic_##bits *a)                                    \
    {                                                                                                                 \
        return atomic_load_explicit(&((struct dry_atomic_##bits *)(uintptr_t)a)->word, memory_order_acquire);         \
    }                                                                                                                 \
    static inline void dry_store_relaxed_##bits(struct dry_atomic_##bits *a, value v)                                 \
    {                                                                                                                 \
        atomic_store_explicit(&a->word, v, memory_order_relaxed);                                                     \
    }                                                                                                                 \
    static inline void dry_store_release_##bits(struct dry_atomic_##bits *a, value v)                                 \
    {                                                                                                                 \
        atomic_store_explicit(&a->word, v, memory_order_release);                                                     \
    }                                                                                                                 \
    static inline value dry_add_relaxed_##bits(struct dry_atomic_##bits *a, value v)                                  \
    {                                                                                                                 \
        return atomic_fetch_add_explicit(&a->word, v, memory_order_relaxed);                                          \
    }                                                                                                                 \
    static inline value dry_sub_release_##bits(struct dry_atomic_##bits *a, value v)                                  \
    {                                                                                                                 \
        return atomic_fetch_sub_explicit(&a->word, v, memory_order_release);                                          \
    }                                                                                                                 \
    static inline value dry_sub_acq_rel_##bits(struct dry_atomic_##bits *a, value v)                                  \
    {                                                                                                                 \
        return atomic_fetch_sub_explicit(&a->word, v, memory_order_acq_rel);                                          \
    }                                                                                                                 \
    static inline bool dry_cas_relaxed_##bits(struct dry_atomic_##bits *a, value *seen, value v)                      \
    {                                                                                                                 \
        return atomic_compare_exchange_strong_explicit(&a->word, seen, v, memory_order_relaxed,                       \
                                                       memory_order_relaxed);                                         \
    }                                                                                                                 \
    static inline bool dry_cas_acquire_##bits(struct dry_atomic_##bits *a, value *seen, value v)                      \
    {                                                                                                                 \
        return atomic_compare_exchange_strong_explicit(&a->word, seen, v, memory_order_acquire,                       \
                                                       memory_order_relaxed);                                         \
    }                                                                                                                 \
    static inline bool dry_cas_release_##bits(struct dry_atomic_##bits *a, value *seen, value v)                      \
    {                                                                                                                 \
        return atomic_compare_exchange_strong_explicit(&a->word, seen, v, memory_order_release,                       \
                                                       memory_order_relaxed);                                         \
    }                                                                                                                 \
    static inline bool dry_cas_acq_rel_##bits(struct dry_atomic_##bits *a, value *seen, value v)                      \
    {                                                                                                                 \
        return atomic_compare_exchange_strong_explicit(&a->word, seen, v, memory_order_acq_rel,                       \
                                                       memory_order_acquire);                                         \
    }

#else /* a model checker supplies the words and the functions */

struct dry_atomic_u64 {
    uint64_t word;
};
struct dry_atomic_u32 {
    uint32_t word;
};

#define DRY_ATOMIC_FUNCTIONS(bits, value)                                                                             \
    extern value dry_load_relaxed_##bits(const struct dry_atomic_##bits *a);                                          \
    extern value dry_load_acquire_##bits(const struct dry_atomic_##bits *a);                                          \
    extern void dry_store_relaxed_##bits(struct dry_atomic_##bits *a, value v);                                       \
    extern void dry_store_release_##bits(struct dry_atomic_##bits *a, value v);                                       \
    extern value dry_add_relaxed_##bits(struct dry_atomic_##bits *a, value v);                                        \
    extern value dry_sub_release_##bits(struct dry_atomic_##bits *a, value v);                                        \
    extern value dry_sub_acq_rel_##bits(struct dry_atomic_##bits *a, value v);                                        \
    extern bool dry_cas_relaxed_##bits(struct dry_atomic_##bits *a, value *seen, value v);                            \
    extern bool dry_cas_acquire_##bits(struct dry_atomic_##bits *a, value *seen, value v);                            \
    extern bool dry_cas_release_##bits(struct dry_atomic_##bits *a, value *seen, value v);                            \
    extern bool dry_cas_acq_rel_##bits(struct dry_atomic_##bits *a, value *seen, value v);

#endif

DRY_ATOMIC_FUNCTIONS(u64, uint64_t)
DRY_ATOMIC_FUNCTIONS(u32, uint32_t)

#endif

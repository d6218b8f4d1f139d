/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Atomics whose order stands in their name; the only place that touches the compiler's. With -DDRY_MODEL the same names
 * are extern functions, so that the real code runs under a model checker (models/). tools/orders refuses an atomic
 * elsewhere and an access without its labelled comment (STYLE.md, "Atomics").
 *
 * Can be included from C++: storage.h counts inline.
 */
#ifndef DRY_ATOMIC_H
#define DRY_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Accessed through the functions below only. */
struct dry_atomic_u64 {
    uint64_t word;
};
struct dry_atomic_u32 {
    uint32_t word;
};

#ifndef DRY_MODEL

#define DRY_ATOMIC_CAS(bits, value, name, order, order_when_other)                                                    \
    static inline bool dry_cas_##name##_##bits(struct dry_atomic_##bits *a, value *seen, value v)                     \
    {                                                                                                                 \
        return __atomic_compare_exchange_n(&a->word, seen, v, false, order, order_when_other);                        \
    }

#define DRY_ATOMIC_FUNCTIONS(bits, value)                                                                             \
    static inline value dry_load_relaxed_##bits(const struct dry_atomic_##bits *a)                                    \
    {                                                                                                                 \
        return __atomic_load_n(&a->word, __ATOMIC_RELAXED);                                                           \
    }                                                                                                                 \
    static inline value dry_load_acquire_##bits(const struct dry_atomic_##bits *a)                                    \
    {                                                                                                                 \
        return __atomic_load_n(&a->word, __ATOMIC_ACQUIRE);                                                           \
    }                                                                                                                 \
    static inline void dry_store_relaxed_##bits(struct dry_atomic_##bits *a, value v)                                 \
    {                                                                                                                 \
        __atomic_store_n(&a->word, v, __ATOMIC_RELAXED);                                                              \
    }                                                                                                                 \
    static inline void dry_store_release_##bits(struct dry_atomic_##bits *a, value v)                                 \
    {                                                                                                                 \
        __atomic_store_n(&a->word, v, __ATOMIC_RELEASE);                                                              \
    }                                                                                                                 \
    static inline value dry_add_relaxed_##bits(struct dry_atomic_##bits *a, value v)                                  \
    {                                                                                                                 \
        return __atomic_fetch_add(&a->word, v, __ATOMIC_RELAXED);                                                     \
    }                                                                                                                 \
    static inline value dry_sub_release_##bits(struct dry_atomic_##bits *a, value v)                                  \
    {                                                                                                                 \
        return __atomic_fetch_sub(&a->word, v, __ATOMIC_RELEASE);                                                     \
    }                                                                                                                 \
    static inline value dry_sub_acq_rel_##bits(struct dry_atomic_##bits *a, value v)                                  \
    {                                                                                                                 \
        return __atomic_fetch_sub(&a->word, v, __ATOMIC_ACQ_REL);                                                     \
    }                                                                                                                 \
    DRY_ATOMIC_CAS(bits, value, relaxed, __ATOMIC_RELAXED, __ATOMIC_RELAXED)                                          \
    DRY_ATOMIC_CAS(bits, value, acquire, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)                                          \
    DRY_ATOMIC_CAS(bits, value, release, __ATOMIC_RELEASE, __ATOMIC_RELAXED)                                          \
    DRY_ATOMIC_CAS(bits, value, acq_rel, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)

#else /* a model checker supplies the functions */

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

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The vecs of this bench, and a vector written by hand the way most C programs do.
 */
#ifndef BENCH_VECS_H
#define BENCH_VECS_H

#include "../../buffer/buffer.h"

#define DRY_NAME growing
#define DRY_ELEM uint32_t
#define DRY_RECIPE GROWING
#include "../../buffer/recipe.h"
#define DRY_NAME usual
#define DRY_ELEM uint32_t
#include "../../buffer/vec.h"
#define DRY_NAME small
#define DRY_ELEM uint32_t
#define DRY_RECIPE SMALL
#define DRY_COUNT 4
#include "../../buffer/recipe.h"
#define DRY_NAME stack
#define DRY_ELEM uint32_t
#define DRY_RECIPE STACK
#define DRY_COUNT 4
#include "../../buffer/recipe.h"
#define DRY_NAME mapped
#define DRY_ELEM uint32_t
#define DRY_RECIPE MAPPED
#include "../../buffer/recipe.h"

#define DRY_NAME f64_heap
#define DRY_ELEM double
#include "../../buffer/heap.h"
#define DRY_NAME f64_pow2
#define DRY_INNER f64_heap
#include "../../buffer/pow2.h"
#define POINT_FIELDS(X) X(f64_pow2, a) X(f64_pow2, b) X(growing_room, c)
#define DRY_NAME point_columns
#define DRY_FIELDS POINT_FIELDS
#include "../../buffer/soa.h"
#define DRY_NAME points
#define DRY_INNER point_columns
#include "../../buffer/vec.h"
#define DRY_NAME f64_mapped
#define DRY_ELEM double
#include "../../buffer/mapped.h"
#define DRY_NAME f64_mapped_pow2
#define DRY_INNER f64_mapped
#include "../../buffer/pow2.h"
#define MAPPED_POINT_FIELDS(X) X(f64_mapped_pow2, a) X(f64_mapped_pow2, b) X(mapped_room, c)
#define DRY_NAME mapped_point_columns
#define DRY_FIELDS MAPPED_POINT_FIELDS
#include "../../buffer/soa.h"
#define DRY_NAME mapped_points
#define DRY_INNER mapped_point_columns
#include "../../buffer/vec.h"
struct point {
    double a, b;
    uint32_t c;
};
#define DRY_NAME point_structs
#define DRY_ELEM struct point
#define DRY_RECIPE GROWING
#include "../../buffer/recipe.h"

struct by_hand {
    uint32_t *at;
    size_t len, cap;
};

static __attribute__((noinline, cold)) int by_hand_grow(struct by_hand *v)
{
    size_t cap = v->cap ? 2 * v->cap : 4;
    uint32_t *at = (uint32_t *)realloc(v->at, cap * sizeof *at);
    if (!at) return -1;
    v->at = at;
    v->cap = cap;
    return 0;
}

static inline int by_hand_push(struct by_hand *v, uint32_t x)
{
    if (v->len == v->cap && by_hand_grow(v) != 0) return -1;
    v->at[v->len++] = x;
    return 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The rows of drystone's vecs, and of C without them (who: "C ..."). bench/buffer/run.py runs it beside the rivals.
 */
#include "harness.h"
#include "vecs.h"

#define MUST(expr) ((expr) == 0 ? (void)0 : abort())
enum { MILLION = 1000000, THOUSAND = 1000, LARGE = 32 << 20, POINTS = MILLION, SMALLS = 1000 };

/* ---- pushing ---- */
#define PUSH_ROW(vec, name, n, reserved)                                                                              \
    static OUT_OF_LINE void name(void)                                                                                \
    {                                                                                                                 \
        struct vec v, moved;                                                                                          \
        vec##_init(&v);                                                                                               \
        if (reserved) MUST(vec##_reserve(&v, n));                                                                     \
        for (uint32_t i = 0; i < n; i++)                                                                              \
            MUST(vec##_push(&v, i));                                                                                  \
        moved = v;                                                                                                    \
        BARRIER(moved);                                                                                               \
        vec##_fini(&moved);                                                                                           \
    }
PUSH_ROW(growing, push_million, MILLION, false)
PUSH_ROW(growing, push_thousand, THOUSAND, false)
PUSH_ROW(growing, push_million_reserved, MILLION, true)
PUSH_ROW(growing, push_thousand_reserved, THOUSAND, true)
PUSH_ROW(usual, push_million_usual, MILLION, false)
PUSH_ROW(usual, push_thousand_usual, THOUSAND, false)
PUSH_ROW(usual, push_million_reserved_usual, MILLION, true)
PUSH_ROW(usual, push_thousand_reserved_usual, THOUSAND, true)
PUSH_ROW(mapped, push_million_mapped, MILLION, false)
PUSH_ROW(growing, push_large, LARGE, false)
PUSH_ROW(mapped, push_large_mapped, LARGE, false)

/* Never moved: four stores and one wide load would stall. Many in one body, as the call would be a third of it. */
#define SMALL_ROW(vec, name)                                                                                          \
    static OUT_OF_LINE void name(void)                                                                                \
    {                                                                                                                 \
        for (int n = 0; n < SMALLS; n++) {                                                                            \
            struct vec v;                                                                                             \
            vec##_init(&v);                                                                                           \
            for (uint32_t i = 0; i < 4; i++)                                                                          \
                MUST(vec##_push(&v, i));                                                                              \
            BARRIER(v);                                                                                               \
            vec##_fini(&v);                                                                                           \
        }                                                                                                             \
    }
SMALL_ROW(small, small4)
SMALL_ROW(usual, small4_usual)
SMALL_ROW(stack, small4_stack)

#define PUSH_BY_HAND(name, n, reserved)                                                                               \
    static OUT_OF_LINE void name(void)                                                                                \
    {                                                                                                                 \
        struct by_hand v = {0}, moved;                                                                                \
        if (reserved) v.at = malloc(n * sizeof *v.at), v.cap = n;                                                     \
        for (uint32_t i = 0; i < n; i++)                                                                              \
            MUST(by_hand_push(&v, i));                                                                                \
        moved = v;                                                                                                    \
        BARRIER(moved);                                                                                               \
        free(moved.at);                                                                                               \
    }
PUSH_BY_HAND(hand_million, MILLION, false)
PUSH_BY_HAND(hand_thousand, THOUSAND, false)
PUSH_BY_HAND(hand_million_reserved, MILLION, true)
PUSH_BY_HAND(hand_thousand_reserved, THOUSAND, true)
PUSH_BY_HAND(hand_large, LARGE, false)
PUSH_BY_HAND(hand_small4, 4, false)

/* ---- a vec that stays: a thousand elements ---- */
static struct growing kept;
static struct usual kept_usual;
static uint32_t source[THOUSAND], copied[THOUSAND];

#define KEPT_ROWS(vec, v, name)                                                                                       \
    static OUT_OF_LINE void name##_insert_remove(void)                                                                \
    {                                                                                                                 \
        BARRIER(v);                                                                                                   \
        MUST(vec##_insert(&v, THOUSAND / 2, 7));                                                                      \
        BARRIER(v);                                                                                                   \
        uint32_t x = vec##_remove(&v, THOUSAND / 2);                                                                  \
        BARRIER(x);                                                                                                   \
    }                                                                                                                 \
    static OUT_OF_LINE void name##_swap_remove(void)                                                                  \
    {                                                                                                                 \
        for (uint32_t i = 0; i < THOUSAND; i++) {                                                                     \
            BARRIER(v);                                                                                               \
            uint32_t x = vec##_swap_remove(&v, i);                                                                    \
            MUST(vec##_push(&v, x));                                                                                  \
        }                                                                                                             \
    }                                                                                                                 \
    static OUT_OF_LINE void name##_pop_push(void)                                                                     \
    {                                                                                                                 \
        for (uint32_t i = 0; i < THOUSAND; i++) {                                                                     \
            uint32_t x = 0;                                                                                           \
            BARRIER(v);                                                                                               \
            (void)vec##_pop(&v, &x);                                                                                  \
            MUST(vec##_push(&v, x + 1));                                                                              \
        }                                                                                                             \
    }                                                                                                                 \
    static OUT_OF_LINE void name##_clear_extend(void)                                                                 \
    {                                                                                                                 \
        vec##_clear(&v);                                                                                              \
        BARRIER(v);                                                                                                   \
        MUST(vec##_extend(&v, source, THOUSAND));                                                                     \
        BARRIER(v);                                                                                                   \
    }                                                                                                                 \
    static OUT_OF_LINE void name##_pop_all(void)                                                                      \
    {                                                                                                                 \
        uint32_t x, sum = 0;                                                                                          \
        while (vec##_pop(&v, &x))                                                                                     \
            sum += x;                                                                                                 \
        BARRIER(sum);                                                                                                 \
        MUST(vec##_extend(&v, source, THOUSAND));                                                                     \
    }
KEPT_ROWS(growing, kept, on_growing)
KEPT_ROWS(usual, kept_usual, on_usual)

static OUT_OF_LINE void floor_memmove(void)
{
    BARRIER(copied);
    memmove(copied + THOUSAND / 2 + 1, copied + THOUSAND / 2, (THOUSAND / 2 - 1) * sizeof *copied);
    BARRIER(copied);
    memmove(copied + THOUSAND / 2, copied + THOUSAND / 2 + 1, (THOUSAND / 2 - 1) * sizeof *copied);
    BARRIER(copied);
}

static OUT_OF_LINE void floor_memcpy(void)
{
    BARRIER(source);
    memcpy(copied, source, sizeof copied);
    BARRIER(copied);
}

static OUT_OF_LINE void floor_store(void)
{
    static uint32_t room[MILLION];
    for (uint32_t i = 0; i < MILLION; i++)
        room[i] = i;
    BARRIER(room);
}

/* ---- growth alone: 64 MiB that are there become 128 ---- */
static struct growing growing_large;
static struct mapped mapped_large;
enum { SIXTY_FOUR = (64 << 20) / sizeof(uint32_t) };

static void prepare_growing(void)
{
    growing_fini(&growing_large);
    MUST(growing_reserve_exact(&growing_large, SIXTY_FOUR));
    MUST(growing_resize(&growing_large, SIXTY_FOUR, 1));
}
static OUT_OF_LINE void grow_growing(void) { MUST(growing_push(&growing_large, 1)); }
static void prepare_mapped(void)
{
    mapped_fini(&mapped_large);
    MUST(mapped_reserve_exact(&mapped_large, SIXTY_FOUR));
    MUST(mapped_resize(&mapped_large, SIXTY_FOUR, 1));
}
static OUT_OF_LINE void grow_mapped(void) { MUST(mapped_push(&mapped_large, 1)); }

/* ---- structs of arrays ---- */
#define PUSH_POINTS(vec, name)                                                                                        \
    static OUT_OF_LINE void name(void)                                                                                \
    {                                                                                                                 \
        struct vec v, moved;                                                                                          \
        vec##_init(&v);                                                                                               \
        for (uint32_t i = 0; i < POINTS; i++)                                                                         \
            MUST(vec##_push(&v, (vec##_elem){.a = i, .b = i * 2.0, .c = i}));                                         \
        moved = v;                                                                                                    \
        BARRIER(moved);                                                                                               \
        vec##_fini(&moved);                                                                                           \
    }
PUSH_POINTS(points, push_points)
PUSH_POINTS(mapped_points, push_mapped_points)

static OUT_OF_LINE void push_structs(void)
{
    struct point_structs v, moved;
    point_structs_init(&v);
    for (uint32_t i = 0; i < POINTS; i++)
        MUST(point_structs_push(&v, (struct point){.a = i, .b = i * 2.0, .c = i}));
    moved = v;
    BARRIER(moved);
    point_structs_fini(&moved);
}

static struct points points_kept;
static struct point_structs structs_kept;
static double *bare_a;
static uint32_t *bare_c;

#define SUM_ROWS(name, setup, value_a, value_c)                                                                       \
    static OUT_OF_LINE void name##_sum_u32(void)                                                                      \
    {                                                                                                                 \
        setup uint32_t sum = 0;                                                                                       \
        for (size_t i = 0; i < POINTS; i++)                                                                           \
            sum += value_c;                                                                                           \
        uint32_t total = sum; /* only what is finished is shown to the barrier */                                     \
        BARRIER(total);                                                                                               \
    }                                                                                                                 \
    static OUT_OF_LINE void name##_sum_f64(void)                                                                      \
    {                                                                                                                 \
        setup double sum = 0;                                                                                         \
        for (size_t i = 0; i < POINTS; i++)                                                                           \
            sum += value_a;                                                                                           \
        double total = sum;                                                                                           \
        BARRIER(total);                                                                                               \
    }                                                                                                                 \
    static OUT_OF_LINE void name##_sum_f64_x8(void)                                                                   \
    {                                                                                                                 \
        setup double sums[8] = {0};                                                                                   \
        for (size_t block = 0; block < POINTS; block += 8)                                                            \
            for (size_t k = 0; k < 8; k++) {                                                                          \
                size_t i = block + k;                                                                                 \
                sums[k] += value_a;                                                                                   \
            }                                                                                                         \
        double total = 0;                                                                                             \
        for (size_t k = 0; k < 8; k++)                                                                                \
            total += sums[k];                                                                                         \
        BARRIER(total);                                                                                               \
    }
SUM_ROWS(soa, const struct points *v = &points_kept; const double *a = point_columns_span_a(&v->buf, 0, POINTS);
         const uint32_t *c = growing_room_span(&v->buf.c, 0, POINTS); (void)a; (void)c;, a[i], c[i])
SUM_ROWS(aos, const struct point *p = point_structs_span(&structs_kept);, p[i].a, p[i].c)
SUM_ROWS(bare, const double *a = bare_a; const uint32_t *c = bare_c; (void)a; (void)c;, a[i], c[i])

static void prepare_all(void)
{
    growing_init(&kept);
    usual_init(&kept_usual);
    growing_init(&growing_large);
    mapped_init(&mapped_large);
    points_init(&points_kept);
    point_structs_init(&structs_kept);
    bare_a = malloc(POINTS * sizeof *bare_a);
    bare_c = malloc(POINTS * sizeof *bare_c);
    for (uint32_t i = 0; i < THOUSAND; i++)
        source[i] = i;
    MUST(growing_reserve(&kept, THOUSAND + 1));
    MUST(growing_extend(&kept, source, THOUSAND));
    MUST(usual_reserve(&kept_usual, THOUSAND + 1));
    MUST(usual_extend(&kept_usual, source, THOUSAND));
    for (uint32_t i = 0; i < POINTS; i++) {
        MUST(points_push(&points_kept, (points_elem){.a = i, .b = i, .c = i}));
        MUST(point_structs_push(&structs_kept, (struct point){.a = i, .b = i, .c = i}));
        bare_a[i] = i;
        bare_c[i] = i;
    }
}

#define GROWING "vec(pow2(heap))"
#define USUAL "vec, default"
#define MAPPED "vec(pow2(mapped))"
static const struct row rows[] = {
    {"push_1e6_grow", GROWING, push_million, MILLION, NULL},
    {"push_1e6_grow", USUAL, push_million_usual, MILLION, NULL},
    {"push_1e6_grow", MAPPED, push_million_mapped, MILLION, NULL},
    {"push_1e6_grow", "C by hand", hand_million, MILLION, NULL},
    {"push_1e6_grow", "C store loop", floor_store, MILLION, NULL},
    {"push_1e3_grow", GROWING, push_thousand, THOUSAND, NULL},
    {"push_1e3_grow", USUAL, push_thousand_usual, THOUSAND, NULL},
    {"push_1e3_grow", "C by hand", hand_thousand, THOUSAND, NULL},
    {"push_1e6_reserved", GROWING, push_million_reserved, MILLION, NULL},
    {"push_1e6_reserved", USUAL, push_million_reserved_usual, MILLION, NULL},
    {"push_1e6_reserved", "C by hand", hand_million_reserved, MILLION, NULL},
    {"push_1e3_reserved", GROWING, push_thousand_reserved, THOUSAND, NULL},
    {"push_1e3_reserved", USUAL, push_thousand_reserved_usual, THOUSAND, NULL},
    {"push_1e3_reserved", "C by hand", hand_thousand_reserved, THOUSAND, NULL},
    {"small4", "vec(pow2(svo 4(heap)))", small4, SMALLS, NULL},
    {"small4", USUAL, small4_usual, SMALLS, NULL},
    {"small4", "vec(inline 4) (fixed)", small4_stack, SMALLS, NULL},
    {"small4", "C by hand", hand_small4, 1, NULL},
    {"insert_remove_mid_1000", GROWING, on_growing_insert_remove, 1, NULL},
    {"insert_remove_mid_1000", USUAL, on_usual_insert_remove, 1, NULL},
    {"insert_remove_mid_1000", "C memmove", floor_memmove, 1, NULL},
    {"swap_remove_push_1000", GROWING, on_growing_swap_remove, THOUSAND, NULL},
    {"swap_remove_push_1000", USUAL, on_usual_swap_remove, THOUSAND, NULL},
    {"pop_push_1000", GROWING, on_growing_pop_push, THOUSAND, NULL},
    {"pop_push_1000", USUAL, on_usual_pop_push, THOUSAND, NULL},
    {"clear_extend_1000", GROWING, on_growing_clear_extend, 1, NULL},
    {"clear_extend_1000", USUAL, on_usual_clear_extend, 1, NULL},
    {"clear_extend_1000", "C memcpy", floor_memcpy, 1, NULL},
    {"extend_pop_all_1000", GROWING, on_growing_pop_all, THOUSAND, NULL},
    {"extend_pop_all_1000", USUAL, on_usual_pop_all, THOUSAND, NULL},
    {"push_128MiB_grow", GROWING, push_large, LARGE, NULL},
    {"push_128MiB_grow", MAPPED, push_large_mapped, LARGE, NULL},
    {"push_128MiB_grow", "C by hand", hand_large, LARGE, NULL},
    {"grow_64MiB_once", GROWING, grow_growing, 1, prepare_growing},
    {"grow_64MiB_once", MAPPED, grow_mapped, 1, prepare_mapped},
    {"soa_push_1e6_grow", "soa(pow2(heap))", push_points, POINTS, NULL},
    {"soa_push_1e6_grow", "soa(pow2(mapped))", push_mapped_points, POINTS, NULL},
    {"soa_push_1e6_grow", "array of structs", push_structs, POINTS, NULL},
    {"soa_sum_u32", "soa(pow2(heap))", soa_sum_u32, POINTS, NULL},
    {"soa_sum_u32", "array of structs", aos_sum_u32, POINTS, NULL},
    {"soa_sum_u32", "C bare array", bare_sum_u32, POINTS, NULL},
    {"soa_sum_f64_strict", "soa(pow2(heap))", soa_sum_f64, POINTS, NULL},
    {"soa_sum_f64_strict", "array of structs", aos_sum_f64, POINTS, NULL},
    {"soa_sum_f64_strict", "C bare array", bare_sum_f64, POINTS, NULL},
    {"soa_sum_f64_x8", "soa(pow2(heap))", soa_sum_f64_x8, POINTS, NULL},
    {"soa_sum_f64_x8", "array of structs", aos_sum_f64_x8, POINTS, NULL},
    {"soa_sum_f64_x8", "C bare array", bare_sum_f64_x8, POINTS, NULL},
};

int main(int argc, char **argv)
{
    prepare_all();
    return run_rows(rows, sizeof rows / sizeof *rows, argc, argv);
}

/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * recipe: named vecs for who does not want to compose.
 *
 *     #define DRY_NAME   u32s
 *     #define DRY_ELEM   uint32_t
 *     #define DRY_RECIPE GROWING
 *     #include "buffer/recipe.h"
 *
 *     recipe    made of                        choose it when                         struct        access
 *     DEFAULT   zsto(pow2(svo(heap)))          nothing is known of the use            48 bytes      1 branch, 1 load
 *     GROWING   pow2(heap)                     it is usually long, or is to be        24 bytes      1 load
 *                                              frozen into shared storage
 *     SMALL     pow2(svo DRY_COUNT(heap))      it is usually at most DRY_COUNT long   16 bytes and  1 branch, 1 load
 *                                              (then it never calls malloc)           the elements
 *     STACK     inline DRY_COUNT               its length has a limit                 8 bytes and   nothing
 *                                              (then it never calls malloc at all)    the elements
 *     POOLED    pow2(alloc)                    its memory comes from your allocator   32 bytes      1 load
 *                                              (init_in(&v, &allocator))
 *     MAPPED    pow2(mapped)                   it is very long, or other processes    24 bytes      2 loads
 *                                              are to map it (init_in(&v, memory))
 *
 * The struct is that of the vec on a 64-bit machine; the loads are those of the buffer, before the element itself.
 * All but STACK grow by powers of two. Makes NAME, a vec, and its buffer NAME_room (for a deque: give that to
 * deque.h). Parameters DRY_NAME DRY_ELEM DRY_RECIPE, DRY_COUNT for SMALL and STACK, [DRY_DROP DRY_COPY].
 */
#include "buffer.h"

#define DRY_RECIPE_IS_DEFAULT 1
#define DRY_RECIPE_IS_GROWING 2
#define DRY_RECIPE_IS_SMALL 3
#define DRY_RECIPE_IS_STACK 4
#define DRY_RECIPE_IS_POOLED 5
#define DRY_RECIPE_IS_MAPPED 6
#define DRY_RECIPE_NUMBER DRY_PASTE(DRY_RECIPE_IS, DRY_RECIPE)

#define DRY_NEEDS (DRY_P_ELEM | DRY_P_RECIPE)
#define DRY_MAY (DRY_P_LIFE | DRY_P_COUNT)
#include "begin.h"
#define DRY_NESTED
#include "end.h"

#if (DRY_RECIPE_NUMBER == 3 || DRY_RECIPE_NUMBER == 4) && !defined DRY_COUNT
#error "DRY_COUNT is missing: how many elements the struct itself has room for"
#elif DRY_RECIPE_NUMBER != 3 && DRY_RECIPE_NUMBER != 4 && defined DRY_COUNT
#error "DRY_COUNT is for the recipes SMALL and STACK"
#endif

#if DRY_RECIPE_NUMBER == 1
#define DRY_ROOM DRY_PASTE(DRY_NAME, room)
#include "default.h"
#define DRY_NESTED
#elif DRY_RECIPE_NUMBER == 2
#define DRY_SELF DRY_PASTE(DRY_NAME, heap)
#include "heap.h"
#define DRY_SELF DRY_PASTE(DRY_NAME, room)
#define DRY_IN DRY_PASTE(DRY_NAME, heap)
#include "pow2.h"
#elif DRY_RECIPE_NUMBER == 3
#define DRY_SELF DRY_PASTE(DRY_NAME, heap)
#include "heap.h"
#define DRY_SELF DRY_PASTE(DRY_NAME, svo)
#define DRY_IN DRY_PASTE(DRY_NAME, heap)
#define DRY_N DRY_COUNT
#include "svo.h"
#define DRY_SELF DRY_PASTE(DRY_NAME, room)
#define DRY_IN DRY_PASTE(DRY_NAME, svo)
#include "pow2.h"
#elif DRY_RECIPE_NUMBER == 4
#define DRY_SELF DRY_PASTE(DRY_NAME, room)
#define DRY_N DRY_COUNT
#include "inline.h"
#elif DRY_RECIPE_NUMBER == 5
#define DRY_SELF DRY_PASTE(DRY_NAME, alloc)
#include "alloc.h"
#define DRY_SELF DRY_PASTE(DRY_NAME, room)
#define DRY_IN DRY_PASTE(DRY_NAME, alloc)
#include "pow2.h"
#elif DRY_RECIPE_NUMBER == 6
#define DRY_SELF DRY_PASTE(DRY_NAME, mapped)
#include "mapped.h"
#define DRY_SELF DRY_PASTE(DRY_NAME, room)
#define DRY_IN DRY_PASTE(DRY_NAME, mapped)
#include "pow2.h"
#else
#error "DRY_RECIPE must be DEFAULT, GROWING, SMALL, STACK, POOLED or MAPPED"
#endif

#define DRY_SELF DRY_NAME
#define DRY_IN DRY_PASTE(DRY_NAME, room)
#include "vec.h"
#undef DRY_NESTED
#include "end.h"
#undef DRY_RECIPE_NUMBER

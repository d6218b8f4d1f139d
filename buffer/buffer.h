/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * buffer: the memory of a collection, composed from layers in a recipe that reads top to bottom. No library is
 * needed.
 *
 *     // vec(pow2(svo 8(heap u32)))
 *     #define DRY_NAME  u32_heap            // heap: room from malloc
 *     #define DRY_ELEM  uint32_t
 *     #include "buffer/heap.h"
 *     #define DRY_NAME  u32_svo             // svo: the first 8 live in the struct
 *     #define DRY_INNER u32_heap
 *     #define DRY_COUNT 8
 *     #include "buffer/svo.h"
 *     #define DRY_NAME  u32_pow2            // pow2: grows by powers of two
 *     #define DRY_INNER u32_svo
 *     #include "buffer/pow2.h"
 *     #define DRY_NAME  u32s                // gives struct u32s, u32s_init, u32s_push, u32s_at, u32s_fini ...
 *     #define DRY_INNER u32_pow2
 *     #include "buffer/vec.h"
 *
 * Who does not want to compose writes DRY_NAME and DRY_ELEM before vec.h and gets the default (default.h), or takes a
 * named recipe (recipe.h). docs/buffers.md is the page with the pictures.
 *
 * A template is a header that is included once for each type. All take their parameters from this closed list,
 * complain about one that is missing or not theirs, and undefine all of them at the end. There are no flags: other
 * behaviour is another layer.
 *
 *     parameter    what it is                                               taken by
 *     DRY_NAME     the struct to make, and the prefix of its functions      all
 *     DRY_ELEM     the type of an element                                   leaves; vec, deque (default); recipe
 *     DRY_DROP     void f(ELEM *): ends an element's life                   as DRY_ELEM, optional
 *     DRY_COPY     enum dry_status f(ELEM *to, const ELEM *from)            as DRY_ELEM, optional
 *     DRY_INNER    the buffer below                                         composites, vec, deque
 *     DRY_INNER2   the second buffer below                                  either
 *     DRY_COUNT    a number of elements (soa_array: of columns)             inline, svo, at_least, either, soa_array;
 *                                                                           recipe
 *     DRY_FIELDS   X-macro list of X(buffer, field)                         soa
 *     DRY_STATE    a type; the layer has one as its member `own`            forward, optional
 *     DRY_OWN_*    functions that you write yourself (DRY_OWN_GROW ...)     forward, optional
 *     DRY_COMPARE  int f(NAME_ref a, NAME_ref b): < 0, 0, > 0               order, optional for scalars
 *     DRY_EQUAL    bool f(NAME_ref a, NAME_ref b)                           equal, optional for scalars
 *     DRY_HASH     uint64_t f(NAME_ref a): equal elements, equal numbers    equal, optional for scalars
 *     DRY_RECIPE   DEFAULT GROWING SMALL STACK POOLED MAPPED               recipe
 *
 * Layers. Leaves: inline.h heap.h zst.h slice.h alloc.h mapped.h. Composites: svo.h pow2.h at_least.h zsto.h soa.h
 * soa_array.h either.h ref.h boxed.h forward.h; test doubles: grow_mock.h life_counter.h. Collections: vec.h deque.h.
 * For a collection whose elements have an order or an equality: order.h equal.h.
 *
 * THE CONTRACT of a buffer B: room, never contents. Cells are numbered from 0 below cap; only the collection knows
 * which are filled. A buffer holds no pointer into itself, so it moves by memcpy. contract.h checks it at compile
 * time.
 *
 *     struct B, B_elem            the buffer; the type of its elements
 *     B_ref                       what reaches an element in its cell: B_elem *, or a struct of pointers to fields
 *     B_seed                      what fresh room is made from; all zeros is always legal (and the smallest)
 *     B_columns                   how many struct dry_raw it comes apart into (constant)
 *     B_contiguous                elements lie side by side: B_span works (constant)
 *     B_drops                     elements have a destructor (constant)
 *     B_copies                    DRY_COPY_BITS, DRY_COPY_CALL or DRY_COPY_NONE: how elements are copied (constant)
 *
 *     init(b, seed)               no room, or what the seed brings (taken over); allocates nothing
 *     fini(b)                     every cell is empty; gives the room back and is again as init can leave it
 *     seed_of(b)                  of a buffer that has just been initialised or finished: what init made it from
 *     cap(b)                      how many cells there are
 *     grow(b, want)               want > cap. OK: cap >= want, and what is in the cells is kept. NOMEM, TOO_BIG, FIXED
 *                                 (it cannot): nothing has changed
 *     grow_exact(b, want)         the same, and no layer asks for more than `want` of its own accord
 *     shrink(b, want)             want < cap, cells from `want` up are empty. OK: want <= cap <= before (it may do
 *                                 nothing); FIXED or NOMEM: nothing has changed
 *     put(b, i, x)                fills the empty cell i
 *     take(b, i)                  empties the filled cell i
 *     at(b, i)                    refers to cell i (like strchr, it takes const and gives mutable)
 *     copy(b, i, out)             makes a copy of the element in the filled cell i; what DRY_COPY answers
 *     drop(b, i)                  ends the life of the element in the filled cell i
 *     drop_range(b, from, n)      the same for n cells
 *     shift_right(b, from, n, by) moves the filled cells [from, from + n) up by `by`
 *     shift_left(b, from, n, by)  moves them down
 *     span(b, from, n)            contiguous buffers only: the address of cell `from`, n cells from there on; does not
 *                                 compile elsewhere
 *     elem_drop(x)                ends the life of an element that is not in a cell
 *     elem_copy(to, x)            makes a copy; does not compile where DRY_DROP came without DRY_COPY
 *     ref_of(x)                   refers to an element that is not in a cell
 *     into_raw(b, len, out)       gives room and elements out, one dry_raw a column; OK: b is empty, and NOT finished
 *                                 (fini is still due). NOMEM or UNSUPPORTED (borrowed room): nothing has changed
 *     from_raw(b, raw)            takes them over, `raw` is then empty; b has just been initialised. INVALID: not of
 *                                 this kind and element
 *
 * C11 with GNU C, gcc and clang. Not for C++: of what the target drystone::buffer installs, base/base.h and
 * base/memory.h can be included from C++. One object is one thread's at a time; nothing here is shared.
 */
#ifndef DRY_BUFFER_H
#define DRY_BUFFER_H

#ifdef __cplusplus
#error "buffer/ is C11 with GNU C; from C++ only base/base.h and base/memory.h can be included"
#endif

#include "../base/base.h"
#include "../base/check.h"
#include "../base/memory.h"

/* The seed of a buffer that needs none: a struct of size 0. */
struct dry_nothing {
};

/* B_copies: elements cannot be copied; by their bits; by DRY_COPY. */
#define DRY_COPY_NONE 0
#define DRY_COPY_BITS 1
#define DRY_COPY_CALL 2

/* Growth is out of line, so that the hot path of push stays short. Not marked cold: what follows a first reserve is
 * not. */
#define DRY_OUT_OF_LINE __attribute__((noinline, unused))
#define DRY_LIKELY(cond) __builtin_expect(!!(cond), 1)

/* An assertion that release builds take for granted, so that compilers do not look at (and warn of) what cannot
 * be. */
#if DRY_DEBUG >= 1
#define DRY_KNOWN(cond) DRY_ASSERT(cond)
#else
#define DRY_KNOWN(cond) ((cond) ? (void)0 : __builtin_unreachable())
#endif

/* A capability that is missing compiles until it is used. */
extern void dry_no_span(void)
    __attribute__((error("the elements of this buffer do not lie side by side: it has no span")));
extern void dry_no_copy(void)
    __attribute__((error("the elements have a DRY_DROP and no DRY_COPY: they cannot be copied")));

/* Parameters as bits: each template says which it needs (DRY_NEEDS) and which it may have (DRY_MAY); begin.h
 * checks. */
#define DRY_P_ELEM 1
#define DRY_P_INNER 2
#define DRY_P_INNER2 4
#define DRY_P_COUNT 8
#define DRY_P_FIELDS 16
#define DRY_P_LIFE 32 /* DRY_DROP, DRY_COPY */
#define DRY_P_OWN 64  /* DRY_STATE, DRY_OWN_* */
#define DRY_P_COMPARE 128
#define DRY_P_EQUAL 256 /* DRY_EQUAL, DRY_HASH */
#define DRY_P_RECIPE 512

#define DRY_PASTE_(a, b) a##_##b
#define DRY_PASTE(a, b) DRY_PASTE_(a, b)
#define DRY_WORDS_(text) #text
#define DRY_WORDS(text) DRY_WORDS_(text)

#endif

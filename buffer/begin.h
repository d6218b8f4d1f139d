/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * Opens a template: checks its parameters against DRY_NEEDS and DRY_MAY and gives the short names that bodies are
 * written with. end.h closes it. A template that makes layers for itself (default.h) defines DRY_NESTED and the
 * DRY_SELF, DRY_IN ... of each; then the parameters are its own matter and survive.
 */
#include "buffer.h"

#ifndef DRY_MAY
#define DRY_MAY 0
#endif

#ifndef DRY_NESTED
#ifndef DRY_NAME
#error "DRY_NAME is missing: the name of the struct to make"
#endif
#if (DRY_NEEDS & DRY_P_ELEM) && !defined DRY_ELEM
#error "DRY_ELEM is missing: the type of an element"
#endif
#if (DRY_NEEDS & DRY_P_INNER) && !defined DRY_INNER
#error "DRY_INNER is missing: the buffer below this layer"
#endif
#if (DRY_NEEDS & DRY_P_INNER2) && !defined DRY_INNER2
#error "DRY_INNER2 is missing: the second buffer below this layer"
#endif
#if (DRY_NEEDS & DRY_P_COUNT) && !defined DRY_COUNT
#error "DRY_COUNT is missing: a number of elements"
#endif
#if (DRY_NEEDS & DRY_P_FIELDS) && !defined DRY_FIELDS
#error "DRY_FIELDS is missing: the list of X(buffer, field)"
#endif
#if (DRY_NEEDS & DRY_P_RECIPE) && !defined DRY_RECIPE
#error "DRY_RECIPE is missing: DEFAULT, GROWING, SMALL, STACK, POOLED or MAPPED"
#endif

#define DRY_TAKES (DRY_NEEDS | DRY_MAY)
#if !(DRY_TAKES & DRY_P_ELEM) && defined DRY_ELEM
#error "DRY_ELEM is not a parameter of this template: the buffer below knows its element"
#endif
#if !(DRY_TAKES & DRY_P_INNER) && defined DRY_INNER
#error "DRY_INNER is not a parameter of this template: a leaf has no buffer below"
#endif
#if !(DRY_TAKES & DRY_P_INNER2) && defined DRY_INNER2
#error "DRY_INNER2 is not a parameter of this template"
#endif
#if !(DRY_TAKES & DRY_P_COUNT) && defined DRY_COUNT
#error "DRY_COUNT is not a parameter of this template"
#endif
#if !(DRY_TAKES & DRY_P_FIELDS) && defined DRY_FIELDS
#error "DRY_FIELDS is not a parameter of this template"
#endif
#if !(DRY_TAKES & DRY_P_LIFE) && (defined DRY_DROP || defined DRY_COPY)
#error "DRY_DROP and DRY_COPY are parameters of the leaf that holds the element"
#endif
#if !(DRY_TAKES & DRY_P_OWN) && defined DRY_STATE
#error "DRY_STATE is a parameter of forward.h"
#endif
#if !(DRY_TAKES & DRY_P_COMPARE) && defined DRY_COMPARE
#error "DRY_COMPARE is a parameter of order.h"
#endif
#if !(DRY_TAKES & DRY_P_EQUAL) && (defined DRY_EQUAL || defined DRY_HASH)
#error "DRY_EQUAL and DRY_HASH are parameters of equal.h"
#endif
#if !(DRY_TAKES & DRY_P_RECIPE) && defined DRY_RECIPE
#error "DRY_RECIPE is a parameter of recipe.h"
#endif
#undef DRY_TAKES

#define DRY_SELF DRY_NAME
#define DRY_IN DRY_INNER
#define DRY_IN2 DRY_INNER2
#define DRY_N DRY_COUNT
#endif

#define SELF(name) DRY_PASTE(DRY_SELF, name)
#define IN(name) DRY_PASTE(DRY_IN, name)
#define IN2(name) DRY_PASTE(DRY_IN2, name)
/* Where the inner buffer is: `ref` and `boxed` reach it through a pointer and say so themselves. */
#define IN_OF(b) (&(b)->in)

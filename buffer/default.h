/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * default: zsto(pow2(svo(heap))), a good choice where nothing is known of the use; vec.h and deque.h take it when no
 * DRY_INNER is named. DRY_DEFAULT_INLINE_BYTES of elements live in the struct, whatever their size; elements of size
 * 0 take no memory. Why these bytes, and why pow2 stands above svo: docs/decisions/buffers-default.md.
 * Recipe; parameters DRY_NAME DRY_ELEM [DRY_DROP DRY_COPY]. Makes NAME_heap, NAME_svo, NAME_pow2 on the way.
 */
#include "buffer.h"

#ifndef DRY_DEFAULT_INLINE_BYTES
#define DRY_DEFAULT_INLINE_BYTES 32
#endif

/* vec.h and deque.h have defined DRY_ROOM, the name that the buffer gets; a user's is the name itself. */
#ifndef DRY_ROOM
#define DRY_ROOM DRY_NAME
#define DRY_ROOM_IS_ALL
#define DRY_NEEDS DRY_P_ELEM
#define DRY_MAY DRY_P_LIFE
#include "begin.h"
#define DRY_NESTED
#include "end.h"
#undef DRY_NESTED
#endif

#define DRY_NESTED
#define DRY_SELF DRY_PASTE(DRY_ROOM, heap)
#include "heap.h"
#define DRY_SELF DRY_PASTE(DRY_ROOM, svo)
#define DRY_IN DRY_PASTE(DRY_ROOM, heap)
#define DRY_N (DRY_DEFAULT_INLINE_BYTES / (sizeof(DRY_ELEM) + (sizeof(DRY_ELEM) == 0)))
#include "svo.h"
#define DRY_SELF DRY_PASTE(DRY_ROOM, pow2)
#define DRY_IN DRY_PASTE(DRY_ROOM, svo)
#include "pow2.h"
#define DRY_SELF DRY_ROOM
#define DRY_IN DRY_PASTE(DRY_ROOM, pow2)
#include "zsto.h"
#undef DRY_NESTED

#ifdef DRY_ROOM_IS_ALL
#undef DRY_ROOM_IS_ALL
#include "end.h"
#endif
#undef DRY_ROOM

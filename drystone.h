/* SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * drystone: memory for columnar data, from the stack to other processes, without copies and without a server.
 *
 * This header is the table of contents, bottom up. Each line is a module; its header is its manual.
 */
#ifndef DRYSTONE_H
#define DRYSTONE_H

#include "base/base.h"       /* status, error text, allocator */
#include "storage/storage.h" /* refcounted bytes; views */
#include "segment/segment.h" /* memory with a descriptor: reserve, fill, build in place, protect, attach */
#include "segment/pass.h"    /* how it gets to other processes: handles, sockets, inheritance */
#include "pool/pool.h"       /* lock-free slots in shared memory that survive killed peers */
#include "arrow/arrow.h"     /* Arrow C data and stream interface, Arrow IPC */
#include "store/store.h"     /* names -> tables: put, get, list, wait, remove */
#include "store/writer.h"    /* tables built in place; anonymous tables and their handles */

#endif

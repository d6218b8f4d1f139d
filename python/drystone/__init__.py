# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Share Arrow tables between processes of one machine, without copies and without a server.

    import drystone
    drystone.put("trades", table)        # pyarrow, Polars, pandas, DuckDB, anything that speaks Arrow
    drystone.get("trades").to_polars()   # in any other process: the same physical bytes

    shared = drystone.share(table)       # or without a name: pickles to workers as a handle of a hundred bytes
    with drystone.Writer("t", schema) as writer:  # or built where it will be read: no copy at all
        with writer.block(rows) as block:
            block["price"][:] = ...

A store is a directory (a per-user one in memory by default), a table in it is an Arrow IPC file. Nothing runs in
between, and a process that is killed leaves nothing behind.

Lifetime. A Table, and every buffer that pyarrow, Polars, DuckDB, pandas or numpy took from one, holds the mapping. It
goes with the last of them, whichever thread that is on, and whether or not the table is still in the store.

Fork, spawn, exit. After fork the child may go on using tables it inherited, and the functions here; a put that is
running in another thread stays the parent's, and a Writer too. Under spawn and forkserver pass the name of a table, or
a Table that was made by share(): a table from a store does not pickle. At exit the system takes the mappings back; a buffer that is still in use then stays valid to the
last. No thread, lock, or exit handler is involved.

Threads. Tables are immutable: any thread may use one. The functions let other threads run while they work. The state
of the module belongs to its interpreter; it can be imported in sub-interpreters that share the main one's lock (GIL),
not in those with a lock of their own, and not in builds of Python without that lock, which have no stable interface.

Errors are Error or one of its subclasses, one for each status of the C library; the text is the library's.
"""

from . import _drystone
from ._drystone import *  # noqa: F403  (functions, Table, Entry, and an exception for each status)
from ._drystone import __version__ as __version__
from ._writer import Block, Writer  # noqa: F401

__all__ = sorted({name for name in vars(_drystone) if not name.startswith("_")} | {"Block", "Writer"})

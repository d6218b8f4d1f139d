# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A table without a name goes to worker processes as a handle of a hundred bytes; they read the same physical bytes."""

import concurrent.futures
import multiprocessing
import pickle

import drystone
import pyarrow as pa
import pyarrow.compute as pc


def total(table, part, parts):
    rows = table.num_rows // parts
    return pc.sum(table.to_arrow()["price"].slice(part * rows, rows)).as_py()


if __name__ == "__main__":
    shared = drystone.share(pa.table({"price": range(1_000_000)}))
    print(shared.nbytes, "bytes, pickled:", len(pickle.dumps(shared)) < 200, shared.protection)
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=spawn) as pool:
        print(sum(pool.map(total, [shared] * 4, range(4), [4] * 4)))
# Output:
# 8000000 bytes, pickled: True anonymous
# 499999500000

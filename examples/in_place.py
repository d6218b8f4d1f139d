# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Ten columns are computed straight into the file of a table: NumPy writes where all readers will read."""

import drystone
import numpy as np
import pyarrow as pa

rows = 100_000
schema = pa.schema([(f"c{i}", pa.float64()) for i in range(10)])

with drystone.Writer("waves", schema) as writer, writer.block(rows) as block:
    for i in range(10):
        np.sin(np.arange(rows) * i, out=block[i])

print("copied:", writer.stat["copied_bytes"], "bytes")
waves = drystone.get("waves")
print(len(waves), "rows,", waves.num_columns, "columns, c1 begins with", waves.to_arrow()["c1"][:2].to_pylist())
# Output:
# copied: 0 bytes
# 100000 rows, 10 columns, c1 begins with [0.0, 0.8414709848078965]

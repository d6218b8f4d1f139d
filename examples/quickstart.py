# SPDX-License-Identifier: Apache-2.0 OR MIT
"""One process puts a table under a name; another one, a second Python here, reads the same bytes with Polars."""

import subprocess
import sys

import drystone
import pyarrow as pa

drystone.put("trades", pa.table({"price": [101, 102, 99], "symbol": ["AAA", "BBB", "AAA"]}))

other = "import drystone; print(drystone.get('trades').to_polars().group_by('symbol').sum().sort('symbol').rows())"
subprocess.run([sys.executable, "-c", other], check=True)

print([entry.name for entry in drystone.ls()])
drystone.rm("trades")
# Output:
# [('AAA', 200), ('BBB', 102)]
# ['trades']

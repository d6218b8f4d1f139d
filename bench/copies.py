# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which column types each engine takes over from a mapped table without a copy: prints a table in Markdown.

    ./dev python bench/copies.py [ROWS]

For each type one column is put into a store of its own; a fresh process for each engine gets it, converts it, and
looks at its own memory that belongs to no file (RssAnon) before, meanwhile and after. A cell is the most that it grew,
in percent of the column's bytes; 0 (less than 1 MiB) means that the engine works on the mapping itself. What an engine
takes once, whatever the size, is not in it: a quarter of the column was converted before, and is kept.
"""

import concurrent.futures
import multiprocessing
import pathlib
import shutil
import sys
import tempfile
import threading

import numpy as np
import pyarrow as pa

import drystone

MIB = 1 << 20


# ---- the columns ----

def columns(rows):
    """(name, array) for each line of the table."""
    numbers = np.arange(rows)
    ints = pa.array(numbers)
    texts = pa.array([f"passenger number {i}" for i in range(rows // 100)])
    many = pa.array(numbers % (rows // 100), pa.int32())
    strings = texts.take(many)
    pairs = pa.array(np.arange(0, rows + 1, 2), pa.int32())
    yield "int64, float64 ...", ints
    yield "int64 with nulls", pa.array(numbers, mask=numbers % 7 == 0)
    yield "bool", pa.array(np.arange(rows * 16) % 3 == 0)
    yield "float16", pa.array((numbers % 100).astype(np.float16))
    yield "date32", pa.array((numbers % 20000).astype(np.int32)).view(pa.date32())
    yield "time64[us]", pa.array(numbers % 86_400_000_000).view(pa.time64("us"))
    yield "timestamp[us]", ints.view(pa.timestamp("us"))
    yield "timestamp[us, UTC]", ints.view(pa.timestamp("us", "UTC"))
    yield "duration[us]", ints.view(pa.duration("us"))
    yield "decimal128", ints.cast(pa.decimal128(20, 0))
    yield "string", strings
    yield "large_string", strings.cast(pa.large_string())
    yield "string_view", strings.cast(pa.string_view())
    yield "binary", strings.cast(pa.binary())
    yield "fixed-size binary", pa.array(np.arange(rows * 2).view("S16"), pa.binary(16))
    yield "dictionary of string", pa.DictionaryArray.from_arrays(many, texts)
    yield "list of int64", pa.ListArray.from_arrays(pairs, ints)
    yield "fixed-size list", pa.FixedSizeListArray.from_arrays(ints, 2)
    yield "struct of int64", pa.StructArray.from_arrays([ints, ints], ["a", "b"])
    yield "map", pa.MapArray.from_arrays(pairs, strings, ints)


# ---- the engines: each holds what it made until the memory was looked at ----

def pyarrow_table(table):
    return table.to_arrow()


def polars_frame(table):
    return table.to_polars()


def duckdb_query(table):
    import duckdb

    # One thread: how many of them a query starts depends on its size, and each takes memory.
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("t", table)
        return connection.execute("select sum(hash(x)) from t").fetchall()


def pandas_frame(table):
    return table.to_pandas()


def pandas_split(table):
    return table.to_pandas(split_blocks=True)


def pandas_arrow(table):
    import pandas

    return table.to_pandas(types_mapper=pandas.ArrowDtype)


ENGINES = {
    "pyarrow": pyarrow_table,
    "Polars": polars_frame,
    "DuckDB, while it scans": duckdb_query,
    "pandas": pandas_frame,
    "pandas, `split_blocks=True`": pandas_split,
    "pandas, `types_mapper=ArrowDtype`": pandas_arrow,
}


# ---- measuring ----

def private_bytes():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


class Peak(threading.Thread):
    """Looks at this process's memory again and again; `with` gives the most that it grew."""

    def __enter__(self):
        self.over, self.before, self.grown = threading.Event(), private_bytes(), 0
        self.start()
        return self

    def run(self):
        while not self.over.wait(0.0005):
            self.look()

    def look(self):
        self.grown = max(self.grown, private_bytes() - self.before)

    def __exit__(self, *error):
        self.look()
        self.over.set()
        self.join()


def measure(engine, store):
    """Runs in a process of its own: bytes that it took, or the name of the error."""
    convert = ENGINES[engine]
    try:
        held = [convert(drystone.get("quarter", store=store))]
        table = drystone.get("whole", store=store)
        with Peak() as peak:
            held.append(convert(table))
        return peak.grown
    except Exception as error:  # what an engine cannot read is a result
        return type(error).__name__


def cell(result, table):
    if isinstance(result, str):
        return "cannot read it"
    return "**0**" if result < MIB else f"{100 * result / table.nbytes:.0f} %"


def fresh_process(*args):
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(measure, *args).result()


def main(rows):
    directory = "/dev/shm" if shutil.disk_usage("/dev/shm").free > 512 * MIB else None
    store = pathlib.Path(tempfile.mkdtemp(prefix="drystone-copies-", dir=directory))
    try:
        print("| column |", " | ".join(ENGINES), "|")
        print("|---|" + "--:|" * len(ENGINES))
        for name, array in columns(rows):
            drystone.put("whole", pa.table({"x": array}), store=store)
            drystone.put("quarter", pa.table({"x": array.slice(0, len(array) // 4)}), store=store)
            table = drystone.get("whole", store=store)
            cells = [cell(fresh_process(engine, store), table) for engine in ENGINES]
            print(f"| {name} |", " | ".join(cells), "|", flush=True)
    finally:
        shutil.rmtree(store)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000_000)

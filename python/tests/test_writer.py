# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Writer: tables that are built where they are read."""

import gc
import os
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from support import mappings, run_python

import drystone

SCHEMA = pa.schema([("id", pa.int64()), ("price", pa.float64())])


def hidden(store):
    return [name for name in os.listdir(store) if name.startswith(".")]


# ---- in place ----

def test_columns_in_place(store):
    with drystone.Writer("t", SCHEMA) as writer:
        with writer.block(1000) as block:
            block["id"][:] = np.arange(1000)
            block["price"][:] = np.arange(1000) / 2
    stat = writer.stat
    assert (stat["copied_bytes"], stat["moved_bytes"], stat["protection"]) == (0, 0, "named")
    arrow = drystone.get("t").to_arrow()
    arrow.validate(full=True)
    assert arrow.equals(pa.table({"id": np.arange(1000), "price": np.arange(1000) / 2}))


def test_every_type_that_numpy_has(store):
    values = {
        "i1": (pa.int8(), np.int8), "u1": (pa.uint8(), np.uint8), "i2": (pa.int16(), np.int16), "u2": (pa.uint16(), np.uint16),
        "i4": (pa.int32(), np.int32), "u4": (pa.uint32(), np.uint32), "i8": (pa.int64(), np.int64), "u8": (pa.uint64(), np.uint64),
        "f2": (pa.float16(), np.float16), "f4": (pa.float32(), np.float32), "f8": (pa.float64(), np.float64),
        "ts": (pa.timestamp("us", "UTC"), "M8[us]"), "d": (pa.duration("ms"), "m8[ms]"), "d64": (pa.date64(), "M8[ms]"),
    }
    writer = drystone.Writer("t", pa.schema([(name, type) for name, (type, _) in values.items()]))
    with writer, writer.block(5) as block:
        for name, (_, dtype) in values.items():
            assert block[name].dtype == np.dtype(dtype)
            block[name][:] = (np.arange(5) * 86400000 if name == "d64" else np.arange(5)).astype(dtype)
    arrow = drystone.get("t").to_arrow()
    arrow.validate(full=True)
    assert arrow["u8"].to_pylist() == list(range(5)) and arrow["f2"].to_pylist() == [0, 1, 2, 3, 4]
    assert arrow["d64"].cast(pa.int64()).to_pylist() == [i * 86400000 for i in range(5)]


def test_bools_nulls_and_strings(store):
    schema = pa.schema([("flag", pa.bool_()), ("x", pa.int32()), ("s", pa.utf8()), ("b", pa.large_binary())])
    with drystone.Writer("t", schema) as writer:
        with writer.block(10) as block:
            valid = block.validity("x")
            valid[:] = np.packbits(np.arange(10) % 3 != 0, bitorder="little")
            del valid
            block["flag"][:] = np.packbits(np.arange(10) % 2 == 0, bitorder="little")
            block["x"][:] = np.arange(10)
            block.set_strings("s", [None if i == 4 else "äb"[: i % 3] for i in range(10)])
            block.set_strings("b", [b"x" * i for i in range(10)])
    arrow = drystone.get("t").to_arrow()
    arrow.validate(full=True)
    assert arrow.to_pydict() == {
        "flag": [i % 2 == 0 for i in range(10)], "x": [i if i % 3 else None for i in range(10)],
        "s": [None if i == 4 else "äb"[: i % 3] for i in range(10)], "b": [b"x" * i for i in range(10)]}


def test_blocks_and_copies_alternate(store):
    part = pa.table({"id": [7, 8], "price": [0.5, 1.5]}, schema=SCHEMA)
    with drystone.Writer("t", SCHEMA) as writer:
        writer.append(part)
        for n in (3, 1):
            with writer.block(n) as block:
                block["id"][:] = 1
                block["price"][:] = 2
        writer.append(part)
        writer.append(part.to_batches()[0])
    arrow = drystone.get("t").to_arrow()
    assert arrow["id"].to_pylist() == [7, 8, 1, 1, 1, 1, 7, 8, 7, 8] and drystone.get("t").num_batches == 5


def test_fewer_rows_than_expected(store):
    with drystone.Writer("t", SCHEMA) as writer:
        block = writer.block(1_000_000)
        block["id"][:3] = [1, 2, 3]
        block["price"][:3] = 0.25
        block.end(3)
    assert drystone.get("t").to_arrow().to_pydict() == {"id": [1, 2, 3], "price": [0.25] * 3}
    assert writer.stat["gap_bytes"] < 4096 and os.stat(drystone.path("t")).st_size < 8192


# ---- publishing ----

def test_nothing_is_seen_before_commit_and_nothing_left_after_an_error(store):
    with pytest.raises(ZeroDivisionError), drystone.Writer("t", SCHEMA) as writer:
        with writer.block(10) as block:
            x = block["id"]
            x[:] = 1
        assert drystone.ls() == []
        1 / 0
    del writer, block, x
    gc.collect()
    assert drystone.ls() == [] and hidden(store) == [] and mappings(store) == []


def test_a_killed_writer_leaves_nothing(store):
    code = """
import os, signal, pyarrow as pa, drystone
writer = drystone.Writer("t", pa.schema([("id", pa.int64())]))
writer.block(1000)["id"][:] = 1
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert run_python(code, check=False).returncode == -signal.SIGKILL
    assert drystone.ls() == [] and hidden(store) == []


def test_no_clobber(store):
    drystone.put("t", pa.table({"id": [1]}))
    with pytest.raises(drystone.ExistsError), drystone.Writer("t", SCHEMA, no_clobber=True) as writer:
        writer.append(pa.table({"id": [2], "price": [1.0]}))
    assert drystone.get("t").to_arrow().to_pydict() == {"id": [1]}


def test_arrays_that_are_still_in_use(store):
    writer = drystone.Writer("t", SCHEMA)
    block = writer.block(3)
    x = block["id"]
    x[:] = 1
    block["price"][:] = 1
    block.end()
    with pytest.raises(BufferError, match="still in use"):
        writer.commit()
    del x
    writer.commit()
    assert drystone.get("t").num_rows == 3


def test_arrays_stay_where_they_are_while_the_writer_grows(store):
    schema = pa.schema([("id", pa.int64())])
    writer = drystone.Writer("t", schema)
    arrays = []
    for i in range(20):
        block = writer.block(100_000)
        arrays.append(block["id"])
        arrays[-1][:] = i
        block.end()
    for i, array in enumerate(arrays):
        assert (array == i).all()
        array[0] = -i
    del array
    arrays.clear()
    writer.commit()
    column = drystone.get("t").to_arrow()["id"]
    assert [chunk[0].as_py() for chunk in column.chunks] == [-i for i in range(20)]


def test_broken_columns_are_not_published(store):
    writer = drystone.Writer("t", pa.schema([("s", pa.utf8())]))
    block = writer.block(2)
    block.bytes("s", 4)[:] = 0xFF
    block.offsets("s")[:] = [0, 2, 4]
    block.end()
    with pytest.raises(drystone.CorruptError, match="UTF-8"):
        writer.commit()
    assert drystone.ls() == []


@pytest.mark.parametrize("type", [pa.list_(pa.int64()), pa.dictionary(pa.int8(), pa.utf8()), pa.string_view(),
                                  pa.struct([("a", pa.int8())])])
def test_what_cannot_be_built_is_appended(store, type):
    schema = pa.schema([("c", type)])
    with drystone.Writer("t", schema) as writer:
        with pytest.raises(drystone.UnsupportedError, match="'c'"):
            writer.block(10)
        writer.append(pa.table({"c": pa.array([], type)}, schema=schema))
    assert drystone.get("t").to_arrow().schema.equals(schema)


def test_wrong_use(store):
    writer = drystone.Writer("t", SCHEMA)
    with pytest.raises(drystone.InvalidError):
        writer.append(pa.table({"id": [1]}))
    with pytest.raises(drystone.InvalidError):
        writer.block(-1)
    block = writer.block(4)
    with pytest.raises(KeyError, match="'nope'.*'id', 'price'"):
        block["nope"]
    with pytest.raises(drystone.InvalidError):
        writer.block(4)
    with pytest.raises(drystone.InvalidError):
        writer.commit()
    with pytest.raises(ValueError, match="room for 4 rows"):
        block.end(5)
    block.end(0)
    writer.commit()
    with pytest.raises(drystone.Error):
        writer.commit()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.stat
    with pytest.raises(TypeError, match="__arrow_c_schema__"):
        drystone.Writer("t", {"id": "int64"})
    with pytest.raises(drystone.InvalidError):
        drystone.Writer("../x", SCHEMA)


# ---- anonymous tables and taking back ----

def test_anonymous(store):
    with drystone.Writer(None, SCHEMA) as writer:
        with writer.block(3) as block:
            block["id"][:] = [1, 2, 3]
            block["price"][:] = 1
    table = writer.table()
    assert table.protection == "anonymous" and table.to_arrow()["id"].to_pylist() == [1, 2, 3]
    assert drystone.attach(table.handle).num_rows == 3
    writer.seal()
    assert table.protection == "sealed"
    with pytest.raises(drystone.Error):
        writer.take_back()


def test_take_back(store):
    with drystone.Writer(None, SCHEMA) as writer:
        with writer.block(3) as block:
            block["id"][:] = 1
            block["price"][:] = 1
    table = writer.table()
    handle = table.handle
    with pytest.raises(drystone.SharedError):
        writer.take_back()
    arrow = table.to_arrow()
    del table
    with pytest.raises(drystone.SharedError):
        writer.take_back()
    del arrow
    (block,) = writer.take_back()
    with pytest.raises(drystone.NotFoundError):
        drystone.attach(handle)
    block["id"][:] = 9
    block.end(2)
    writer.commit()
    table = writer.table()
    assert table.to_arrow().to_pydict() == {"id": [9, 9], "price": [1, 1]}
    with pytest.raises(drystone.NotFoundError):
        drystone.attach(handle)


def test_take_back_asks_other_processes_too(store):
    with drystone.Writer(None, SCHEMA) as writer:
        with writer.block(3) as block:
            block["id"][:] = 1
            block["price"][:] = 1
    table = writer.table()
    code = """
import sys, drystone
arrow = drystone.attach(sys.argv[1]).to_arrow()
print(len(arrow), flush=True)
sys.stdin.read()
assert arrow['id'].to_pylist() == [1, 1, 1]
"""
    reader = subprocess.Popen([sys.executable, "-c", code, table.handle], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reader.stdout.readline() == b"3\n"
    del table
    with pytest.raises(drystone.SharedError):
        writer.take_back()
    reader.kill()
    reader.wait()
    reader.stdin.close()
    reader.stdout.close()
    (block,) = writer.take_back()
    block["id"][:] = 2
    block.end()
    writer.commit()
    assert writer.table().to_arrow()["id"].to_pylist() == [2, 2, 2]


FORK = """
import os, pyarrow as pa, drystone
schema = pa.schema([("id", pa.int64())])
writer = drystone.Writer(None, schema)
block = writer.block(3)
block["id"][:] = 1
child = os.fork()
if child == 0:
    try:
        block.end()
        writer.commit()
    except drystone.DeniedError as error:
        assert "fork" in str(error), error
        del block, writer
        os._exit(0)
    os._exit(1)
assert os.waitpid(child, 0)[1] == 0
block.end()
writer.commit()
assert writer.table().to_arrow()["id"].to_pylist() == [1, 1, 1]
"""


def test_a_forked_child_leaves_the_writer_to_its_parent(store):
    run_python(FORK)

# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A mapping lives exactly as long as somebody uses it, and nothing is copied meanwhile."""

import gc

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from support import MIB, buffer_addresses, in_mappings, mappings, run_python

import drystone

ROWS = MIB


def wide():
    """About 40 MiB: numbers, nulls, strings, string views, lists, a dictionary."""
    numbers = np.arange(ROWS)
    strings = pa.array([f"row {i % 1000}" for i in range(ROWS)])
    return pa.table(
        {
            "int": numbers,
            "float": numbers / 2,
            "null": pa.array(numbers, mask=numbers % 3 == 0),
            "string": strings,
            "view": strings.cast(pa.string_view()),
            "list": pa.ListArray.from_arrays(pa.array(np.arange(0, ROWS + 1, 4), pa.int32()), numbers).take(
                pa.array(np.zeros(ROWS, dtype=np.int8))
            ),
            "dictionary": strings.dictionary_encode(),
        }
    )


@pytest.fixture
def big(store):
    drystone.put("big", wide())
    return store


def test_every_buffer_lies_in_the_mapping(big):
    table = drystone.get("big").to_arrow()
    places = buffer_addresses(table)
    assert len(places) >= 12
    assert in_mappings(places, mappings(big))
    assert all(address % 64 == 0 for address, _ in places)


def test_the_mapping_is_read_only(big):
    table = drystone.get("big").to_arrow()
    assert {m.rights for m in mappings(big)} == {"r--s"}
    column = table["int"].chunk(0).to_numpy()
    assert not column.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 1


def test_engines_use_the_same_bytes(big):
    t = drystone.get("big")
    frame = t.to_polars()
    for name in ("int", "float"):
        address = frame[name].to_numpy(allow_copy=False).__array_interface__["data"][0]
        assert in_mappings([(address, 8 * ROWS)], mappings(big)), name
        address = t.to_arrow()[name].chunk(0).to_numpy().__array_interface__["data"][0]
        assert in_mappings([(address, 8 * ROWS)], mappings(big)), name


def test_opening_costs_no_memory(big):
    grown = run_python(
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import pyarrow, drystone\n"
        "from support import anonymous_bytes, buffer_addresses\n"
        "import pyarrow as pa\n"
        "drystone.put('small', pa.table({'x': ['a']})); drystone.get('small').to_arrow()  # what is loaded lazily\n"
        "before = anonymous_bytes()\n"
        "table = drystone.get('big').to_arrow()\n"
        "assert len(buffer_addresses(table)) >= 12\n"
        "print(anonymous_bytes() - before)",
        __file__.rpartition("/")[0],
    )
    assert int(grown) < MIB


def test_the_last_user_lets_the_mapping_go(big):
    assert mappings(big) == []
    t = drystone.get("big")
    arrow = t.to_arrow()
    column = arrow["int"]
    view = column.chunk(0).to_numpy()[10:20]
    drystone.rm("big")
    del t, arrow, column
    gc.collect()
    assert view.tolist() == list(range(10, 20)), "a view of ten numbers holds the mapping of a removed table"
    assert len(mappings(big)) == 1
    del view
    gc.collect()
    assert mappings(big) == []


@pytest.mark.parametrize(
    "take",
    [
        lambda t: t,
        lambda t: t.__arrow_c_stream__(),
        lambda t: pa.RecordBatchReader.from_stream(t),
        lambda t: pa.table(t).slice(5, 1),
        lambda t: pa.table(t)["dictionary"].chunk(0).dictionary,
        lambda t: memoryview(pa.table(t)["int"].chunk(0).buffers()[1]),
        lambda t: pl.DataFrame(t)["float"],
    ],
    ids=["table", "capsule", "reader", "slice", "dictionary", "memoryview", "polars series"],
)
def test_whoever_holds_a_part_holds_the_mapping(big, take):
    held = take(drystone.get("big"))
    gc.collect()
    assert len(mappings(big)) == 1
    del held
    gc.collect()
    assert mappings(big) == []


def test_every_get_maps_anew_and_lets_go(big):
    for _ in range(300):
        drystone.get("big").to_arrow()
    gc.collect()
    assert mappings(big) == []


def test_readers_of_a_replaced_table_keep_theirs(store):
    drystone.put("t", pa.table({"x": [1]}))
    tables = []
    for i in range(2, 20):
        tables.append(drystone.get("t").to_arrow())
        drystone.put("t", pa.table({"x": [i]}))
    assert [t["x"][0].as_py() for t in tables] == list(range(1, 19))

# SPDX-License-Identifier: Apache-2.0 OR MIT
"""nanoarrow: the interval types that pyarrow cannot hold, and a second reader of our IPC."""

import io

import nanoarrow as na
import nanoarrow.ipc
import pyarrow as pa
import pytest
import zoo

import drystone


def table_of(schema, values, item):
    """A struct array of one column from raw little-endian values; the second value is null."""
    validity = na.c_buffer([True, False, True], na.bool_())
    column = na.c_array_from_buffers(schema, 3, [validity, na.c_buffer(values, item)], null_count=1)
    return na.c_array_from_buffers(na.struct({"x": schema}), 3, [None], children=[column])


@pytest.mark.parametrize(
    ("schema", "values", "item"),
    [
        (na.interval_months(), [1, 0, -14], na.int32()),
        (na.interval_day_time(), [1, 2, 0, 0, -3, 4], na.int32()),
    ],
    ids=["months", "days and milliseconds"],
)
def test_intervals(store, command, schema, values, item):
    source = table_of(schema, values, item)
    drystone.put("t", source)
    wanted = na.Array(source).to_pylist()
    assert na.Array(drystone.get("t")).to_pylist() == wanted
    with na.ipc.InputStream.from_readable(command("get", "t", "--format", "stream").stdout) as stream:
        assert na.Array(stream).to_pylist() == wanted
    command("put", "u", "-", input=command("get", "t").stdout)
    assert na.Array(drystone.get("u")).to_pylist() == wanted


@pytest.mark.parametrize("column", ["bool", "int64", "string", "list", "struct", "decimal128(38, 2)", "fixed list"])
def test_reads_what_we_write(store, command, column):
    table = zoo.table().select([column])
    drystone.put("t", table)
    wanted = na.Array(table).to_pylist()
    assert na.Array(drystone.get("t")).to_pylist() == wanted
    with na.ipc.InputStream.from_readable(command("get", "t", "--format", "stream").stdout) as stream:
        assert na.Array(stream).to_pylist() == wanted


@pytest.mark.parametrize("column", ["bool", "int64", "string", "list", "struct"])
def test_we_read_what_it_writes(store, command, column):
    table = zoo.table().select([column])
    sink = io.BytesIO()
    with na.ipc.StreamWriter.from_writable(sink) as writer:
        writer.write_stream(table)
    command("put", "t", "-", input=sink.getvalue())
    assert drystone.get("t").to_arrow().equals(pa.table(table))

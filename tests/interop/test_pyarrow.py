# SPDX-License-Identifier: Apache-2.0 OR MIT
"""pyarrow, both ways: through the C stream interface, files and streams."""

import io
import itertools
import pathlib

import pyarrow as pa
import pytest
import zoo
from support import buffer_addresses

import drystone

ZOO = zoo.table()


def file_bytes(table, **options):
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue()


def stream_bytes(table, **options):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue()


def same(got, wanted):
    """Equal in schema, metadata and values, by pyarrow's own check of every buffer."""
    got.validate(full=True)
    assert got.schema.equals(wanted.schema, check_metadata=True), (got.schema, wanted.schema)
    assert got.num_rows == wanted.num_rows
    for name, a, b in zip(wanted.schema.names, got.columns, wanted.columns):
        assert a.to_pylist() == b.to_pylist(), name


def got(name="t"):
    """The table twice: through the C stream, and as pyarrow reads our file."""
    by_stream = drystone.get(name).to_arrow()
    with pa.memory_map(drystone.path(name)) as source:
        by_file = pa.ipc.open_file(source).read_all()
    return by_stream, by_file


def place(store, data, name="t"):
    """A file that another program placed in the store."""
    (store / name).write_bytes(data)


@pytest.mark.parametrize("column", ZOO.column_names)
def test_every_type(store, command, column):
    table = ZOO.select([column])
    drystone.put("t", table)
    for result in got():
        same(result, table)
    place(store, file_bytes(table), "foreign")
    same(drystone.get("foreign").to_arrow(), table)
    command("put", "stream", "-", input=stream_bytes(table))
    for result in got("stream"):
        same(result, table)


def test_all_types_in_one_table(store, command):
    for how in ("put", "foreign", "file", "stream"):
        if how == "put":
            drystone.put("t", ZOO)
        elif how == "foreign":
            (store / "t").unlink()
            place(store, file_bytes(ZOO))
        else:
            data = file_bytes(ZOO) if how == "file" else stream_bytes(ZOO)
            command("put", "t", "-", input=data)
        for result in got():
            same(result, ZOO)


@pytest.mark.parametrize("format", ["file", "stream"])
def test_what_the_command_writes(store, command, format):
    drystone.put("t", ZOO)
    out = command("get", "t", "--format", format).stdout
    reader = pa.ipc.open_file(out) if format == "file" else pa.ipc.open_stream(out)
    same(reader.read_all(), ZOO)


@pytest.mark.parametrize("column", ZOO.column_names)
@pytest.mark.parametrize("cut", [(0, 0), (8, 0), (0, 3), (3, 4), (1, 7), (7, 1)])
def test_slices(store, column, cut):
    """An offset in the array; every level below has the whole data or offsets of its own."""
    table = ZOO.select([column]).slice(*cut)
    drystone.put("t", table)
    for result in got():
        same(result, table)


@pytest.mark.parametrize("cut", [(3, 4), (5, 3)])
def test_slices_of_slices_inside_nested_arrays(store, cut):
    """Children that have offsets of their own under parents that have offsets too."""
    ints = pa.array(range(100), pa.int16()).slice(7)
    texts = pa.array([str(i) if i % 5 else None for i in range(100)]).slice(9)
    bits = pa.array([i % 3 == 0 if i % 7 else None for i in range(100)]).slice(3)
    lists = pa.ListArray.from_arrays(pa.array([9, 9, 1, 4, 6, 6, 8, 10, 12, 13, 20], pa.int32()).slice(2), texts)
    structs = pa.StructArray.from_arrays([ints[:40], texts[:40], bits[:40]], ["i", "t", "b"]).slice(5, 30)
    fixed = pa.FixedSizeListArray.from_arrays(structs.slice(2, 24), 3).slice(1)
    ends = pa.array([0, 2, 2, 5, 6, 7, 9, 9, 9, 10], pa.int32())
    maps = pa.MapArray.from_arrays(ends, texts.drop_null()[3:53], ints[:50])
    table = pa.table(
        {
            "lists": lists.slice(0, 7),
            "structs": structs.slice(1, 7),
            "fixed": fixed.slice(0, 7),
            "maps": maps.slice(1, 7),
            "deep": pa.StructArray.from_arrays([lists.slice(1, 7), fixed.slice(0, 7)], ["l", "f"]),
            "bits": bits.slice(11, 7),
        }
    ).slice(*cut)
    drystone.put("t", table)
    for result in got():
        same(result, table)


def test_a_slice_is_stored_without_what_it_does_not_show(store):
    whole = pa.table({"x": range(1_000_000), "s": ["text"] * 1_000_000})
    drystone.put("t", whole.slice(500_000, 10))
    assert drystone.get("t").nbytes < 1000
    assert pathlib.Path(drystone.path("t")).stat().st_size < 10_000


@pytest.mark.parametrize("batches", [[], [0], [0, 0], [3], [0, 3, 0], [1, 2, 5, 0, 1], [1] * 200])
def test_batches(store, command, batches):
    ends = list(itertools.accumulate(batches))
    parts = [ZOO.slice(end - n, n) if end <= 8 else ZOO.slice(0, n) for end, n in zip(ends, batches)]
    table = pa.concat_tables(parts) if parts else ZOO.slice(0, 0)
    rows = pa.Table.from_batches([b for p in parts for b in p.combine_chunks().to_batches()] or [], ZOO.schema)
    sources = {
        "put": rows,
        "reader": pa.RecordBatchReader.from_batches(ZOO.schema, (b for b in rows.to_batches())),
    }
    for source in sources.values():
        drystone.put("t", source)
        for result in got():
            same(result, table)
    command("put", "t", "-", input=stream_bytes(rows))
    for result in got():
        same(result, table)


@pytest.mark.parametrize(
    "table",
    [
        pa.table({}),
        pa.Table.from_batches([], pa.schema([])),
        pa.schema([], metadata={"k": "v"}).empty_table(),
        pa.table({"x": pa.array([], pa.int64())}),
        ZOO.schema.empty_table(),
        ZOO.slice(4, 0),
    ],
    ids=["no columns", "no batches", "only metadata", "no rows", "no rows of all types", "an empty slice"],
)
def test_nothing(store, command, table):
    drystone.put("t", table)
    for result in got():
        same(result, table)
    for data in (file_bytes(table), stream_bytes(table)):
        command("put", "u", "-", input=data)
        for result in got("u"):
            same(result, table)


def test_rows_without_columns(store):
    batch = pa.RecordBatch.from_struct_array(pa.array([{}] * 5, pa.struct([])))
    assert batch.num_rows == 5
    drystone.put("t", batch)
    assert len(drystone.get("t")) == 5
    for result in got():
        assert result.num_rows == 5 and result.num_columns == 0


def test_metadata_order_flags_and_odd_names(store):
    schema = pa.schema(
        [
            pa.field("", pa.int8(), nullable=False),
            pa.field("same", pa.list_(pa.field("odd item", pa.int8(), nullable=False, metadata={"in": "side"}))),
            pa.field("same", pa.struct([pa.field("ä€😀", pa.string(), metadata={"k": ""})])),
            # (pyarrow itself gives the fields inside a map their usual names when it reads.)
            pa.field("m", pa.map_(pa.string(), pa.field("value", pa.int8(), nullable=False))),
        ],
        metadata={"": "empty key", "z": "1", "a": "2", "long": "x" * 100_000},
    )
    table = pa.table([[1], [[1]], [{"ä€😀": "x"}], [[("k", 1)]]], schema=schema)
    drystone.put("t", table)
    for result in got():
        same(result, table)
        assert list(result.schema.metadata) == list(schema.metadata)


def test_extension_types(store):
    """They are metadata: a reader that knows the type sees it again."""
    table = pa.table(
        {
            "uuid": pa.array([b"0123456789abcdef", None], pa.uuid()),
            "json": pa.array(['{"a": 1}', None], pa.json_()),
            "bool8": pa.array([1, None], pa.bool8()),
            "tensor": pa.FixedShapeTensorArray.from_numpy_ndarray(
                pa.array(range(8), pa.int32()).to_numpy().reshape(2, 2, 2)
            ),
            "opaque": pa.ExtensionArray.from_storage(pa.opaque(pa.int8(), "a", "b"), pa.array([1, 2], "i1")),
        }
    )
    drystone.put("t", table)
    for result in got():
        same(result, table)
        assert result.schema.field("uuid").type == pa.uuid()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1], None], pa.list_view(pa.int8())),
        pa.array([[1], None], pa.large_list_view(pa.int8())),
        pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array(["a"])),
        pa.UnionArray.from_sparse(pa.array([0, 0], pa.int8()), [pa.array([1, 2])]),
        pa.UnionArray.from_dense(pa.array([0, 0], pa.int8()), pa.array([0, 1], pa.int32()), [pa.array([1, 2])]),
    ],
    ids=lambda column: str(column.type).partition("<")[0],
)
def test_types_that_are_not_supported_are_named(store, command, column):
    for table, path in (
        (pa.table({"good": [1, 2], "the column": column}), "the column"),
        (pa.table({"outer": pa.StructArray.from_arrays([column], ["inner"])}), "inner"),
    ):
        with pytest.raises(drystone.UnsupportedError, match=path):
            drystone.put("t", table)
        for data in (file_bytes(table), stream_bytes(table)):
            failed = command("put", "t", "-", input=data, check=False)
            assert failed.returncode == 1 and path in failed.stderr.decode()
        place(store, file_bytes(table), "foreign")
        with pytest.raises(drystone.UnsupportedError, match=path):
            drystone.get("foreign")
    assert [e.name for e in drystone.ls()] == ["foreign"]


def test_buffers_are_aligned_whatever_the_writer_did(store, command):
    """pyarrow aligns to 8 bytes."""
    command("put", "t", "-", input=stream_bytes(ZOO))
    for table in got():
        assert {address % 64 for address, _ in buffer_addresses(table)} == {0}


def test_legacy_framing_and_no_padding_of_other_writers(store, command):
    """Streams of Arrow before 0.15 have no continuation marker."""
    for options in ({"use_legacy_format": True}, {"metadata_version": pa.ipc.MetadataVersion.V4}):
        table = ZOO.select(["int64", "string", "list", "dictionary int8"])
        command("put", "t", "-", input=stream_bytes(table, **options))
        for result in got():
            same(result, table)


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
@pytest.mark.parametrize("make", [file_bytes, stream_bytes])
def test_compressed_bodies_are_stored_decompressed(store, command, codec, make):
    plain = pa.concat_tables([ZOO] * 50).combine_chunks()
    command("put", "t", "-", input=make(plain, compression=codec))
    for result in got():
        same(result, plain)
    path = pathlib.Path(drystone.path("t"))
    with pa.memory_map(str(path)) as source:
        before = pa.total_allocated_bytes()
        table = pa.ipc.open_file(source).read_all()
        assert pa.total_allocated_bytes() - before < table.nbytes / 100, "nothing had to be decompressed"


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_compressed_file_in_the_store_is_refused_with_a_cure(store, command, codec):
    place(store, file_bytes(ZOO, compression=codec))
    with pytest.raises(drystone.UnsupportedError, match="compress"):
        drystone.get("t")
    command("put", "u", store / "t")
    same(got("u")[0], ZOO)


def test_buffers_that_do_not_shrink_are_stored_raw_by_the_writer(store, command):
    """Arrow marks those with a length of -1."""
    import os

    noise = pa.table({"x": pa.array([os.urandom(1000)] * 3), "y": pa.array([0] * 3)})
    for codec in ("lz4", "zstd"):
        command("put", "t", "-", input=stream_bytes(noise, compression=codec))
        same(got()[0], noise)

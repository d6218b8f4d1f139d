# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Polars, both ways: frames, the files and streams that it writes, and its readers over our files."""

import datetime
import decimal
import io

import polars as pl
import polars.testing
import pytest

import drystone

LONG = "longer than the twelve bytes of a view"
DAY = datetime.datetime(2020, 2, 29, 12, 30, 1, 5)

COLUMNS = {
    "null": pl.Series([None] * 4),
    "bool": pl.Series([True, None, False, True]),
    **{str(t): pl.Series([0, None, 1, 127], dtype=t) for t in (pl.Int8, pl.Int16, pl.Int32, pl.Int64)},
    **{str(t): pl.Series([0, None, 1, 255], dtype=t) for t in (pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)},
    "f32": pl.Series([0.5, None, float("inf"), -1], dtype=pl.Float32),
    "f64": pl.Series([0.5, None, float("-inf"), -1], dtype=pl.Float64),
    "decimal": pl.Series([decimal.Decimal("1.25"), None, decimal.Decimal("-3"), None], dtype=pl.Decimal(20, 2)),
    "string": pl.Series(["", None, LONG, "exactly 12 b"]),
    "binary": pl.Series([b"", None, LONG.encode(), b"\0"]),
    "date": pl.Series([DAY.date(), None] * 2),
    "time": pl.Series([DAY.time(), None] * 2),
    "datetime": pl.Series([DAY, None] * 2, dtype=pl.Datetime("ns")),
    "zoned": pl.Series([DAY, None] * 2).dt.replace_time_zone("Asia/Kathmandu"),
    "duration": pl.Series([datetime.timedelta(days=-1, microseconds=3), None] * 2),
    "categorical": pl.Series(["b", None, "a", "b"], dtype=pl.Categorical),
    "enum": pl.Series(["b", None, "a", "b"], dtype=pl.Enum(["a", "b", "c"])),
    "list": pl.Series([[1, None], [], None, [2]], dtype=pl.List(pl.Int16)),
    "array": pl.Series([[1, 2], None, [3, None], [4, 5]], dtype=pl.Array(pl.Int16, 2)),
    "struct": pl.Series([{"a": 1, "b": LONG}, None, {"a": None, "b": ""}, {"a": 2, "b": None}]),
    "list of struct of list": pl.Series([[{"x": ["a", LONG]}, None], [], None, [{"x": None}]]),
    "list of categorical": pl.Series([["p"], None, [], ["q", "p"]], dtype=pl.List(pl.Categorical)),
}


def same(got, wanted):
    pl.testing.assert_frame_equal(got, wanted, categorical_as_str=True)


def frame(column):
    return COLUMNS[column].alias(column).to_frame()


@pytest.mark.parametrize("column", COLUMNS)
def test_every_type(store, command, column):
    wanted = frame(column)
    drystone.put("t", wanted)
    same(drystone.get("t").to_polars(), wanted)
    same(pl.read_ipc(drystone.path("t")), wanted)
    same(pl.scan_ipc(drystone.path("t")).collect(), wanted)
    for write in (wanted.write_ipc, wanted.write_ipc_stream):
        sink = io.BytesIO()
        write(sink)
        command("put", "u", "-", input=sink.getvalue())
        same(drystone.get("u").to_polars(), wanted)
    wanted.write_ipc(store / "foreign")
    same(drystone.get("foreign").to_polars(), wanted)
    same(pl.read_ipc_stream(command("get", "t", "--format", "stream").stdout), wanted)


def test_all_types_in_one_frame(store):
    wanted = pl.DataFrame({name: series for name, series in COLUMNS.items()})
    drystone.put("t", wanted)
    same(drystone.get("t").to_polars(), wanted)
    same(pl.read_ipc(drystone.path("t")), wanted)


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_compressed(store, command, compression):
    wanted = pl.concat([pl.DataFrame(COLUMNS)] * 100)
    sink = io.BytesIO()
    wanted.write_ipc(sink, compression=compression)
    command("put", "t", "-", input=sink.getvalue())
    same(drystone.get("t").to_polars(), wanted)


def test_older_layout_without_views(store):
    wanted = pl.DataFrame(COLUMNS)
    sink = io.BytesIO()
    wanted.write_ipc(sink, compat_level=pl.CompatLevel.oldest())
    (store / "t").write_bytes(sink.getvalue())
    same(drystone.get("t").to_polars(), wanted)


@pytest.mark.parametrize("cut", [(0, 0), (1, 2), (3, 1), (0, 4)])
def test_slices_and_chunks(store, cut):
    wanted = pl.concat([pl.DataFrame(COLUMNS), pl.DataFrame(COLUMNS).slice(*cut)], rechunk=False)
    drystone.put("t", wanted)
    same(drystone.get("t").to_polars(), wanted)
    same(pl.read_ipc(drystone.path("t")), wanted)
    drystone.put("t", wanted.slice(3, 3))
    same(drystone.get("t").to_polars(), wanted.slice(3, 3))


def test_columns_that_are_chunked_differently(store):
    a, b = pl.Series("a", range(10)), pl.Series("b", [str(i) for i in range(10)])
    wanted = pl.DataFrame([a[:3].append(a[3:]), b[:7].append(b[7:])])
    drystone.put("t", wanted)
    same(drystone.get("t").to_polars(), wanted)


@pytest.mark.parametrize("wanted", [pl.DataFrame(), pl.DataFrame({"x": []}), pl.DataFrame(COLUMNS).clear()])
def test_nothing(store, command, wanted):
    drystone.put("t", wanted)
    same(drystone.get("t").to_polars(), wanted)
    same(pl.read_ipc(drystone.path("t")), wanted)
    sink = io.BytesIO()
    wanted.write_ipc_stream(sink)
    command("put", "u", "-", input=sink.getvalue())
    same(drystone.get("u").to_polars(), wanted)


def test_a_series_is_no_table(store):
    with pytest.raises(drystone.Error):
        drystone.put("t", pl.Series([1, 2]))
    drystone.put("t", pl.Series([{"a": 1}]))
    assert drystone.get("t").column_names == ["a"]


def test_scan_reads_parts(store):
    drystone.put("t", pl.DataFrame({"x": range(1000), "s": [f"{i}" for i in range(1000)]}))
    got = pl.scan_ipc(drystone.path("t")).filter(pl.col("x") > 990).select("s").collect()
    assert got["s"].to_list() == [str(i) for i in range(991, 1000)]
    same(pl.scan_ipc(drystone.path("t"), n_rows=7).collect(), drystone.get("t").to_polars().head(7))

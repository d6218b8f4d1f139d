# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Tables that were built in place (built.c), as other programs read the file: mapped, copied, lazily, as a query."""

import decimal
import io
import os
import pathlib
import shutil
import subprocess

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import drystone

HERE = pathlib.Path(__file__).resolve().parent

INTEGERS = {f: t for f, t in zip("cCsSiIlL", (pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(),
                                            pa.int64(), pa.uint64()))}
TEXTS = {"u": pa.string(), "U": pa.large_string(), "z": pa.binary(), "Z": pa.large_binary()}
TIMES = {
    "tdD": (pa.date32(), pa.int32()),
    "tts": (pa.time32("s"), pa.int32()),
    "ttm": (pa.time32("ms"), pa.int32()),
    "ttu": (pa.time64("us"), pa.int64()),
    "ttn": (pa.time64("ns"), pa.int64()),
    "tss:": (pa.timestamp("s"), pa.int64()),
    "tsm:": (pa.timestamp("ms"), pa.int64()),
    "tsu:UTC": (pa.timestamp("us", "UTC"), pa.int64()),
    "tsn:": (pa.timestamp("ns"), pa.int64()),
    "tDs": (pa.duration("s"), pa.int64()),
    "tDm": (pa.duration("ms"), pa.int64()),
    "tDu": (pa.duration("us"), pa.int64()),
    "tDn": (pa.duration("ns"), pa.int64()),
}
DECIMALS = {
    "d:9,2,32": pa.decimal32(9, 2),
    "d:18,2,64": pa.decimal64(18, 2),
    "d:38,10": pa.decimal128(38, 10),
    "d:76,0,256": pa.decimal256(76, 0),
}
FORMATS = ["n", "b", "e", "f", "g", "tdm", "w:3", "w:16", "tin", *INTEGERS, *TEXTS, *TIMES, *DECIMALS]
COMMON = ["b", "f", "g", *INTEGERS, "u", "U", "z", "tdD", "ttn", "tsm:", "tsu:UTC", "tsn:", "tDu", "d:38,10"]


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The program, linked with the library that stands beside the command under test."""
    compiler, command = shutil.which("cc"), os.environ.get("DRYSTONE_COMMAND") or shutil.which("drystone")
    build = pathlib.Path(command).parent if command else None
    if compiler is None or build is None or not (build / "libdrystone.so").exists():
        pytest.skip("there is no C compiler, or no libdrystone.so beside the command")
    program = tmp_path_factory.mktemp("built") / "built"
    subprocess.run([compiler, "-std=gnu11", "-O1", f"-I{build}/include", HERE / "built.c", "-o", program, f"-L{build}",
                    "-ldrystone", f"-Wl,-rpath,{build}"], check=True)
    return program


@pytest.fixture
def build(built, store):
    def run(name, rows, block, room, formats):
        subprocess.run([built, name, *map(str, (rows, block, room)), *formats], check=True, timeout=60,
                       env={**os.environ, "DRYSTONE_STORE": str(store)})
        return drystone.path(name)

    return run


def expected_column(format, rows):
    null = [i % 7 == 3 for i in range(rows)]
    numbers = [i * 37 % 100 for i in range(rows)]

    def with_nulls(values, type):
        return pa.array([None if n else v for v, n in zip(values, null)], type)

    if format == "n":
        return pa.nulls(rows)
    if format == "b":
        return with_nulls([v % 2 == 1 for v in numbers], pa.bool_())
    if format == "e":
        return with_nulls(np.array(numbers, np.uint16).view(np.float16), pa.float16())
    if format in "fg":
        return with_nulls([v / 4 for v in numbers], {"f": pa.float32(), "g": pa.float64()}[format])
    if format == "tdm":
        return with_nulls([v * 86400000 for v in numbers], pa.int64()).cast(pa.date64())
    if format == "tin":
        return with_nulls([(v, 0, 0) for v in numbers], pa.month_day_nano_interval())
    if format.startswith("w:"):
        width = int(format[2:])
        return with_nulls([v.to_bytes(width, "little") for v in numbers], pa.binary(width))
    if format in INTEGERS:
        return with_nulls(numbers, INTEGERS[format])
    if format in TEXTS:
        return with_nulls([str(v) * (v % 5) for v in numbers], pa.string()).cast(TEXTS[format])
    if format in TIMES:
        type, storage = TIMES[format]
        return with_nulls(numbers, storage).cast(type)
    type = DECIMALS[format]
    return with_nulls([decimal.Decimal(v).scaleb(-type.scale) for v in numbers], type)


def expected(formats, rows):
    return pa.table({f: expected_column(f, rows) for f in formats})


# rows, rows of a block, rows announced for it: exact, several, wide, narrow, none at all
SHAPES = [(1000, 1000, 1000), (1000, 100, 100), (1000, 300, 5000), (1000, 1000, 10), (100, 7, 0), (3, 3, 1_000_000)]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "-".join(map(str, s)))
def test_pyarrow_maps_it_reads_it_and_finds_no_fault(build, shape):
    path = build("t", *shape, FORMATS)
    wanted = expected(FORMATS, shape[0])
    with pa.memory_map(path) as source:
        mapped = pa.ipc.open_file(source).read_all()
        mapped.validate(full=True)
        assert mapped.equals(wanted)
    copied = pa.ipc.open_file(io.BytesIO(pathlib.Path(path).read_bytes())).read_all()
    copied.validate(full=True)
    assert copied.equals(wanted)
    ours = drystone.get("t").to_arrow()
    ours.validate(full=True)
    assert ours.equals(wanted)


def test_its_messages_are_a_stream_too(build):
    """What follows the magic is the stream format: metadata rooms and gaps are nothing special to it."""
    path = build("t", 1000, 300, 330, FORMATS)
    data = pathlib.Path(path).read_bytes()[8:]
    assert pa.ipc.open_stream(io.BytesIO(data)).read_all().equals(expected(FORMATS, 1000))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "-".join(map(str, s)))
def test_polars_reads_and_scans_it(build, shape):
    path = build("t", *shape, COMMON)
    wanted = pl.from_arrow(expected(COMMON, shape[0]))
    assert pl.read_ipc(path).equals(wanted)
    assert pl.read_ipc(io.BytesIO(pathlib.Path(path).read_bytes())).equals(wanted)
    assert pl.scan_ipc(path).collect().equals(wanted)
    assert pl.scan_ipc(path).select("l", "u").filter(pl.col("l") > 50).collect().equals(
        wanted.select("l", "u").filter(pl.col("l") > 50)
    )


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "-".join(map(str, s)))
def test_duckdb_queries_it(build, shape):
    path = build("t", *shape, COMMON)
    with pa.memory_map(path) as source:
        t = pa.ipc.open_file(source).read_all()  # noqa: F841
        wanted = expected(COMMON, shape[0])  # noqa: F841
        connection = duckdb.connect()
        assert connection.execute("select count(*) from (select * from t except all select * from wanted)").fetchone() == (0,)
        assert connection.execute('select sum(l), count(u), sum(length(u)) from t').fetchone() == connection.execute(
            'select sum(l), count(u), sum(length(u)) from wanted'
        ).fetchone()

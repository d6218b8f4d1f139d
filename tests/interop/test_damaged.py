# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Every bit of a file flipped, every prefix of one: an error with words, or a table that is sound.

The work is done by other processes with little memory (damage.py), so that a crash, a hang or an absurd allocation is
seen, with the case that caused it.
"""

import io
import json
import os
import pathlib
import re
import subprocess
import sys

import pyarrow as pa
import pytest

import drystone

HERE = pathlib.Path(__file__).parent


def small(strings=pa.string()):
    """A little of everything, so that every bit can be flipped: offsets, views, bits, a dictionary, nesting."""
    words = ["", "a", None, "longer than the twelve bytes of a view"]
    columns = {
        "i": pa.array([1, None, 3, 4], pa.int32()),
        "s": pa.array(words, strings),
        "b": pa.array([True, False, None, True]),
        "d": pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 0], pa.int8()), pa.array(["x", "yy"])),
        "l": pa.array([[1], [], None, [2, 3]], pa.list_(pa.int16())),
        "v": pa.StructArray.from_arrays([pa.array(words, pa.string_view())], ["w"]),
    }
    return pa.table(columns, metadata={"k": "v"})


def batches():
    return pa.concat_tables([small(), small().slice(1, 2)])


def foreign_file():
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, batches().schema) as writer:
        writer.write_table(batches())
    return sink.getvalue()


def foreign_stream(table, **options):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue()


def tiny():
    return small().select(["s", "d", "l"])


def our_file(store):
    drystone.put("ours", batches())
    data = pathlib.Path(drystone.path("ours")).read_bytes()
    drystone.rm("ours")
    return data


def run(store, tmp_path, data, way, damage, stride=1, program=""):
    """damage.py in a process of its own; its report."""
    source = tmp_path / "source"
    source.write_bytes(data)
    done = subprocess.run(
        [sys.executable, HERE / "damage.py", source, way, damage, str(stride), program],
        capture_output=True,
        text=True,
        timeout=500,
        env={**os.environ, "PYTHONPATH": ":".join(p for p in sys.path if p)},
    )
    assert done.returncode == 0, f"case {done.stdout[-200:]}: ended with {done.returncode}\n{done.stderr[-2000:]}"
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["bad"] == []
    assert [p.name for p in store.iterdir()] == [], "nothing is left behind"
    return report


@pytest.mark.parametrize("damage", ["bits", "prefixes"])
@pytest.mark.parametrize("writer", ["pyarrow", "drystone"])
def test_files_in_the_store(store, tmp_path, writer, damage):
    data = foreign_file() if writer == "pyarrow" else our_file(store)
    report = run(store, tmp_path, data, "get", damage)
    assert report["cases"] >= len(data)
    assert report["refused"] > report["cases"] / 10
    if damage == "prefixes":
        assert report["accepted"] == 0


@pytest.mark.parametrize("damage", ["bytes", "prefixes"])
@pytest.mark.parametrize("kind", ["file", "stream", "pipe", "lz4", "zstd"])
def test_what_the_command_reads(store, tmp_path, command, kind, damage):
    """A file by position; a stream; a file through a pipe; compressed bodies."""
    options = {"compression": kind} if kind in ("lz4", "zstd") else {}
    data = foreign_file() if kind in ("file", "pipe") else foreign_stream(tiny(), **options)
    way = "put file" if kind == "file" else "put pipe"
    # Every byte of the small streams; of the files, which test_files_in_the_store reads whole, a sample.
    stride = 7 if kind in ("file", "pipe") else 1 if kind == "stream" else 3
    report = run(store, tmp_path, data, way, damage, stride, command.program)
    assert report["refused"] > report["cases"] / 10


def test_lengths_that_promise_too_much(store, command):
    """A stream of 8 bytes that announces 2 GiB of metadata; a batch that announces an exabyte."""
    for size in (0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 1 << 20):
        data = b"\xff\xff\xff\xff" + size.to_bytes(4, "little")
        failed = command("put", "t", "-", input=data, check=False)
        assert failed.returncode == 1 and failed.stderr.startswith(b"drystone: ")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PAR1" + b"\0" * 100 + b"PAR1", "[Pp]arquet"),
        (b"FEA1" + b"\0" * 100 + b"FEA1", "[Ff]eather"),
        (b"id,name\n1,a\n2,b\n", "CSV"),
        (b"", "empty|nothing|end"),
        (b"\x7fELF" + b"\0" * 100, "."),
        (b"{}" * 100, "."),
        (b"ARROW1\0\0", "."),
        (b"ARROW1", "."),
        (b"\0" * 4096, "."),
        (b"\xff" * 4096, "."),
    ],
    ids=["parquet", "feather", "csv", "empty", "elf", "json", "only magic", "short magic", "zeros", "ones"],
)
def test_what_is_no_arrow_data(store, command, tmp_path, data, words):
    path = tmp_path / "input"
    path.write_bytes(data)
    for args in (("put", "t", path), ("put", "t", "-")):
        failed = command(*args, input=data, check=False)
        lines = failed.stderr.decode().splitlines()
        assert failed.returncode == 1 and len(lines) == 1 and lines[0].startswith("drystone: "), lines
        assert re.search(words, lines[0]) or (not data and args[-1] == "-" and "end" in lines[0]), lines
    (store / "placed").write_bytes(data)
    with pytest.raises(drystone.Error):
        drystone.get("placed")



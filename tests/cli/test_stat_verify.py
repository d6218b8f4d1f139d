# SPDX-License-Identifier: Apache-2.0 OR MIT
"""stat of tables and of the store, and verify."""

import fcntl
import os
import struct
import subprocess
import sys

import pyarrow as pa
import pytest

MAP = """
import mmap, sys
with open(sys.argv[1], "rb") as f:
    m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
sum(m[::4096])
print("mapped", flush=True)
sys.stdin.read()
"""


def facts(text):
    return dict(line.split(None, 1) for line in text.splitlines() if line.strip())


def test_stat_of_a_table(drystone):
    drystone.put("t", pa.table({"x": range(1000)}))
    got = drystone.json("stat", "t")
    assert got | {"rows": 1000, "columns": 1, "batches": 1, "bytes": 8000} == got
    assert got["verified"] == "full" and got["alignment"] == 64 and got["mappers"] == []
    assert got["held_bytes"] >= 8000 and got["path"] == str(drystone.store / "t")
    text = facts(drystone.text("stat", "t"))
    assert text["rows"] == "1000" and text["bytes"] == "7.8 KiB (8000 bytes)" and text["verified"] == "full"
    assert text["mode"] == f"0400, owner {os.getuid()}" and "Z (" in text["created"]
    assert "0 processes" in text["mapped"]
    assert "'u'" in drystone("stat", "u", status=1)


def test_stat_names_who_maps_it(drystone):
    drystone.put("t", pa.table({"x": range(100000)}))
    words = [sys.executable, "-c", MAP, drystone.store / "t"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout.readline() == b"mapped\n"
        (mapper,) = drystone.json("stat", "t")["mappers"]
        text = drystone.text("stat", "t")
        reader.stdin.close()
    assert mapper["pid"] == reader.pid and mapper["command"].startswith("python")
    assert 800000 <= mapper["resident_bytes"] and 0 < mapper["share_bytes"] <= mapper["resident_bytes"]
    assert facts(text)["mapped"].split() == ["by", "1", "process"] and str(reader.pid) in text
    assert drystone.json("stat", "t")["mappers"] == []


def test_stat_of_a_table_of_another_program(drystone, table, as_file):
    drystone.put("seed", table)
    (drystone.store / "t").write_bytes(as_file(table).read_bytes())
    got = drystone.json("stat", "t")
    assert got["verified"] == "ranges" and got["alignment"] in (8, 16, 32, 64) and got["rows"] == 3


def test_stat_of_the_store(drystone, table):
    drystone.put("a", table)
    drystone.put("b", table)
    got = drystone.json("stat")
    assert got["path"] == str(drystone.store) and got["tables"] == 2 and got["held_bytes"] > 0
    assert got["spares"] == 0 and got["spare_bytes"] == 0
    vfs = os.statvfs(drystone.store)
    assert got["size_bytes"] in (None, vfs.f_blocks * vfs.f_frsize)
    if got["size_bytes"] is not None:
        assert got["used_bytes"] + got["free_bytes"] == got["size_bytes"]
    text = facts(drystone.text("stat"))
    assert text["path"] == str(drystone.store) and text["tables"] == "2"
    assert {"file", "held", "size", "cgroup"} <= set(text) and "spares" not in text


def test_stat_counts_spares_of_living_writers_and_removes_those_of_dead_ones(drystone, table):
    drystone.put("a", table)
    spare = drystone.store / (".spare-" + 32 * "0")
    spare.write_bytes(bytes(5000))
    with open(spare, "r+b") as writer:
        whole_file = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        fcntl.fcntl(writer, fcntl.F_OFD_SETLK, whole_file)
        got = drystone.json("stat")
        assert got["tables"] == 1 and got["spares"] == 1 and got["spare_bytes"] >= 5000
        assert "spares" in facts(drystone.text("stat"))
    assert drystone.json("stat")["spares"] == 0 and not spare.exists()


@pytest.mark.parametrize("kind", ["name", "file", "compressed", "stream"])
def test_verify_what_is_well(drystone, table, as_file, as_stream, tmp_path, kind):
    if kind == "name":
        drystone.put("t", table)
        argument = "t"
    elif kind == "stream":
        argument = tmp_path / "t.arrows"
        argument.write_bytes(as_stream(table))
    else:
        argument = as_file(table, compression="lz4" if kind == "compressed" else None)
    assert drystone.text("verify", argument).startswith(f"{argument}: ok, 3 rows, 2 columns, 1 batch, ")
    got = drystone.json("verify", argument)
    assert got | {"ok": True, "error": None, "rows": 3, "columns": 2, "name": str(argument)} == got
    status, seen = drystone.terminal("verify", argument, columns=200)
    assert status == 0 and seen.count(b"\n") == 1 and b": ok, " in seen


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_verify_finds_values_that_lead_astray(drystone, as_file, as_stream, tmp_path, stream, compressed):
    """UTF-8 that is none; pyarrow writes it without a look when it is handed to it as buffers."""
    binary = pa.array([b"fine", b"\xff\xfe\x1b[2J"])
    bad = pa.Array.from_buffers(pa.string(), 2, binary.buffers())
    table = pa.table({"good": [1, 2], "s": bad})
    options = {"compression": "zstd"} if compressed else {}
    path = tmp_path / "bad"
    if stream:
        path.write_bytes(as_stream(table, **options))
    else:
        path = as_file(table, "bad", **options)
    line = drystone("verify", path, status=1)
    assert "'s'" in line and "row 1" in line and "\x1b" not in line
    words = drystone.words(["verify", path, "--json"])
    done = subprocess.run(words, capture_output=True, env=drystone.environment, timeout=60)
    assert done.returncode == 1 and done.stderr.count(b"\n") == 1 and b'"ok": false' in done.stdout
    drystone("put", "t", path, status=1)


def test_verify_of_what_is_no_table(drystone, tmp_path):
    (tmp_path / "x").write_bytes(b"ARROW1\0\0 and then nothing")
    for argument in (tmp_path / "x", tmp_path / "nothing", tmp_path, "nothing"):
        drystone("verify", argument, status=1)

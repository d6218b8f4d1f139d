# SPDX-License-Identifier: Apache-2.0 OR MIT
"""ls, path, rm, mv, and which store is used."""

import datetime
import os
import pathlib
import re
import subprocess

import pyarrow as pa
import pytest


def names(drystone, *args):
    return [entry["name"] for entry in drystone.json("ls", *args)]


def test_ls(drystone, table):
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=1)
    drystone.put("b", table)
    drystone.put("a", pa.table({}))
    first, second = drystone.json("ls")
    assert (first["name"], first["rows"], first["columns"]) == ("a", 0, 0)
    assert (second["name"], second["rows"], second["columns"], second["batches"]) == ("b", 3, 2, 1)
    # 3 integers; 4 offsets, 8 letters, 1 byte of validity
    assert second["bytes"] == 24 + 16 + 8 + 1
    assert second["verified"] == "full" and second["alignment"] == 64 and second["mode"] == "0400"
    created = re.sub(r"\.(\d{6})\d{3}Z$", r".\1+00:00", second["created"])
    assert before <= datetime.datetime.fromisoformat(created) <= datetime.datetime.now(datetime.UTC)
    head, a, b = drystone.text("ls").splitlines()
    assert head.split() == ["NAME", "ROWS", "COLUMNS", "BATCHES", "BYTES", "CREATED"]
    assert a.split()[:3] == ["a", "0", "0"]
    assert b.split()[:6] == ["b", "3", "2", "1", "49", "B"]


def test_ls_of_nothing(drystone):
    drystone.store.mkdir(mode=0o700)
    assert drystone("ls") == b"" and drystone.json("ls") == []


def test_ls_shows_what_cannot_be_read(drystone, table):
    drystone.put("good", table)
    (drystone.store / "bad").write_bytes(b"this is no table")
    bad, good = drystone.json("ls")
    assert bad["name"] == "bad" and bad["rows"] is None and bad["bytes"] is None and bad["error"]
    assert "error" not in good
    text = drystone.text("ls")
    assert "ERROR" in text and bad["error"] in text
    for words in (["stat", "bad"], ["head", "bad"], ["get", "bad"], ["schema", "bad"], ["verify", "bad"]):
        drystone(*words, status=1)


def test_path_is_mapped_by_others(drystone, table):
    drystone.put("t", table)
    path = pathlib.Path(drystone.text("path", "t").removesuffix("\n"))
    assert path.is_absolute() and path.parent == drystone.store
    assert pa.ipc.open_file(pa.memory_map(str(path))).read_all() == table
    drystone("path", "u", status=1)


def test_rm(drystone, table):
    for name in "abc":
        drystone.put(name, table)
    drystone("rm", "a", "b")
    assert names(drystone) == ["c"]
    assert "more" not in drystone("rm", "a", "c", status=1)
    assert names(drystone) == []
    assert "'x'" in drystone("rm", "x", "y", status=1)


def test_mv(drystone, table):
    other = pa.table({"x": [1]})
    drystone.put("a", table)
    drystone.put("b", other)
    drystone("mv", "--no-clobber", "a", "b", status=1)
    assert names(drystone) == ["a", "b"]
    drystone("mv", "a", "b")
    assert names(drystone) == ["b"] and drystone.json("ls")[0]["columns"] == 2
    drystone("mv", "a", "c", status=1)
    drystone("mv", "b", "c", "--no-clobber")
    assert names(drystone) == ["c"]


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "a b", "n\u00e4me", "x" * 201, "a\x1b[2J", "a\nb"])
def test_hostile_names(drystone, as_stream, table, name):
    for words in (["put", name], ["get", name], ["rm", name], ["mv", name, "b"], ["path", name], ["stat", name]):
        line = drystone(*words, input=as_stream(table), status=1)
        assert not set(line[:-1]) & set(map(chr, range(32)))
    assert not drystone.store.exists() or list(drystone.store.iterdir()) == []


def test_store_option_on_both_sides(drystone, table, tmp_path):
    drystone.put("here", table)
    there = tmp_path / "there"
    drystone("--store", there, "put", "x", input=drystone("get", "here"))
    assert names(drystone) == ["here"]
    assert names(drystone, "--store", there) == ["x"] == names(drystone, f"--store={there}")
    assert names(drystone, "--store", there, "--store", drystone.store) == ["here"]
    assert drystone.text("--store", there, "path", "x") == f"{there}/x\n"


def test_a_store_that_is_not_there_is_an_error(drystone, tmp_path):
    assert "nowhere" in drystone("ls", "--store", tmp_path / "nowhere", status=1)
    for words in (["ls"], ["rm", "t"], ["mv", "t", "u"], ["stat"], ["get", "t"]):
        drystone(*words, status=1)
    assert not drystone.store.exists()


def test_a_store_with_hostile_letters(drystone, table, tmp_path):
    store = tmp_path / "s\x1b[2J"
    drystone("put", "--store", store, "t", input=None, stdin=subprocess.DEVNULL, status=1)
    store.mkdir(mode=0o700, exist_ok=True)
    drystone.store = store
    drystone.environment["DRYSTONE_STORE"] = str(store)
    drystone.put("t", table)
    assert "\x1b" not in drystone("rm", "nothing", status=1)
    assert "\x1b" not in drystone.text("stat", "t") and "\\x1b[2J" in drystone.text("stat")
    assert drystone.json("stat")["path"] == str(store)
    assert drystone.text("path", "t") == f"{store}/t\n"
    _, seen = drystone.terminal("path", "t")
    assert b"\x1b" not in seen and b"\\x1b[2J" in seen


@pytest.mark.skipif(os.getuid() != 0, reason="only root can plant a file of another user")
def test_somebody_elses_store_is_refused(drystone, table, as_stream):
    drystone.put("t", table)
    os.chown(drystone.store, 12345, 12345)
    drystone("put", "t", input=as_stream(table), status=1)

# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Tables into the store and out of it."""

import os
import signal
import socket
import stat
import subprocess

import pyarrow as pa
import pytest


def read_file(path):
    with pa.OSFile(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def read_stream(data):
    return pa.ipc.open_stream(data).read_all()


def test_file_in_stream_out(drystone, table, as_file):
    assert drystone("put", "t", as_file(table)) == b""
    assert read_stream(drystone("get", "t")) == table


def test_stream_in_file_out(drystone, table, as_stream, tmp_path):
    for words in (["put", "t"], ["put", "u", "-"]):
        drystone(*words, input=as_stream(table))
        drystone("get", words[1], "-o", tmp_path / "out.arrow")
        assert read_file(tmp_path / "out.arrow") == table


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_compressed_input(drystone, table, as_file, as_stream, codec):
    drystone("put", "file", as_file(table, compression=codec))
    drystone("put", "stream", input=as_stream(table, compression=codec))
    assert read_stream(drystone("get", "file")) == read_stream(drystone("get", "stream")) == table


def test_a_put_replaces_unless_told_not_to(drystone, table):
    drystone.put("t", table)
    other = pa.table({"x": [1.5]})
    drystone.put("t", other)
    assert read_stream(drystone("get", "t")) == other
    message = drystone("put", "--no-clobber", "t", input=b"", status=1)
    assert "drystone: " in message
    drystone("put", "t", "--no-clobber", input=drystone("get", "t"), status=1)
    assert read_stream(drystone("get", "t")) == other
    drystone("put", "--no-clobber", "new", input=drystone("get", "t"))


def test_format_follows_the_output(drystone, table, tmp_path):
    drystone.put("t", table)
    file = tmp_path / "redirected"
    with file.open("wb") as out:
        drystone("get", "t", stdout=out, capture_output=False)
    assert read_file(file) == table
    ours, theirs = socket.socketpair()
    with ours, theirs:
        drystone("get", "t", stdout=theirs, capture_output=False)
        theirs.shutdown(socket.SHUT_WR)
        assert read_stream(ours.makefile("rb").read()) == table
    assert drystone("get", "t").startswith(b"\xff\xff\xff\xff")
    assert drystone("get", "--format", "file", "t").startswith(b"ARROW1")
    assert drystone("get", "t", "--format=stream", "-o", tmp_path / "s") == b""
    assert read_stream((tmp_path / "s").read_bytes()) == table


def test_binary_is_kept_from_terminals(drystone, table):
    drystone.put("t", table)
    for words in (["get", "t"], ["get", "t", "-o", "-"], ["put", "u"]):
        status, seen = drystone.terminal(*words)
        assert status == 1 and seen.count(b"\n") == 1 and seen.startswith(b"drystone: standard"), seen


def test_an_output_file_is_whole_or_as_it_was(drystone, table, tmp_path):
    drystone.put("t", table)
    folder = tmp_path / "out"
    folder.mkdir()
    out = folder / "t.arrow"
    out.write_bytes(b"before")
    out.chmod(0o640)
    drystone("get", "nothing", "-o", out, status=1)
    assert out.read_bytes() == b"before"

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    message = drystone("get", "t", "-o", out, status=1, preexec_fn=small_files)
    assert "drystone: " in message
    assert out.read_bytes() == b"before" and list(folder.iterdir()) == [out]
    drystone("get", "t", "-o", out)
    assert read_file(out) == table and list(folder.iterdir()) == [out]
    assert stat.S_IMODE(out.stat().st_mode) == 0o640


def test_an_output_link_stays_and_its_target_is_replaced(drystone, table, tmp_path):
    drystone.put("t", table)
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    drystone("get", "t", "-o", link)
    assert link.is_symlink() and read_file(target) == table


def test_an_output_that_is_no_file_is_written_to(drystone, table, tmp_path):
    drystone.put("t", table)
    drystone("get", "t", "-o", "/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    message = drystone("get", "t", "-o", tmp_path, status=1)
    assert str(tmp_path) in message
    message = drystone("get", "t", "-o", tmp_path / "no" / "such", status=1)
    assert "No such file" in message


def test_waiting(drystone, table, tmp_path):
    message = drystone("get", "--wait", "0.05", "t", status=1)
    assert "'t'" in message
    waiting = subprocess.Popen(
        drystone.words(["get", "--wait", "50", "t"]), stdout=subprocess.PIPE, env=drystone.environment
    )
    drystone.put("t", table)
    out, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0 and read_stream(out) == table
    assert read_stream(drystone("get", "--wait", "0", "t")) == table


def test_other_formats_are_recognised(drystone, tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n3,4\n")
    (tmp_path / "t.feather").write_bytes(b"FEA1" + bytes(100) + b"FEA1")
    for name, word in [("t.parquet", "Parquet"), ("t.csv", "CSV"), ("t.feather", "Feather")]:
        message = drystone("put", "t", tmp_path / name, status=1)
        assert word in message and "python" in message
    assert drystone.json("ls") == []


def test_bad_input_leaves_what_was_there(drystone, table, as_stream):
    drystone.put("t", table)
    data = as_stream(table)
    for bad in (b"", b"\0", data[: len(data) // 2], os.urandom(1000)):
        drystone("put", "t", input=bad, status=1)
    assert read_stream(drystone("get", "t")) == table


def test_missing_input(drystone, tmp_path):
    message = drystone("put", "t", tmp_path / "nothing\x1b[2J", status=1)
    assert "No such file" in message and "\\x1b[2J" in message and "\x1b" not in message
    drystone("put", "t", tmp_path, status=1)

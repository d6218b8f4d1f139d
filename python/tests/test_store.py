# SPDX-License-Identifier: Apache-2.0 OR MIT
"""put, get, ls, stat, path, rm, mv: what they do and what they say when they cannot."""

import datetime
import os
import pathlib
import shutil
import subprocess
import sys

import pyarrow as pa
import pytest
from support import mappings, run_python

import drystone

TABLE = pa.table({"id": [1, 2, 3], "name": ["a", None, "c"]})


def test_what_was_put_comes_back(store):
    drystone.put("t", TABLE)
    assert pa.table(drystone.get("t")).equals(TABLE, check_metadata=True)


def test_a_table_of_a_store_can_be_put_again(store):
    drystone.put("t", TABLE)
    drystone.put("u", drystone.get("t"))
    drystone.put("t", drystone.get("t"))
    assert drystone.get("t").to_arrow().equals(TABLE) and drystone.get("u").to_arrow().equals(TABLE)


def test_the_store_can_be_named(store, tmp_path):
    for where in (str(tmp_path), tmp_path, os.fsencode(tmp_path)):
        drystone.put("elsewhere", TABLE, store=where)
        assert len(drystone.get("elsewhere", store=where)) == 3
        assert [e.name for e in drystone.ls(where)] == ["elsewhere"]
        drystone.mv("elsewhere", "moved", store=where)
        assert drystone.stat("moved", where).rows == 3
        assert drystone.path("moved", where) == f"{tmp_path}/moved"
        drystone.rm("moved", where)
    assert drystone.ls() == []


def test_a_store_that_is_not_there(store, tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(drystone.NotFoundError, match="missing"):
        drystone.get("t", store=missing)
    with pytest.raises(drystone.NotFoundError, match="missing"):
        drystone.ls(missing)
    drystone.put("t", TABLE, store=missing)
    assert missing.stat().st_mode & 0o777 == 0o700


def test_a_store_that_stays_open_is_still_the_one_that_was_asked_for(store, tmp_path, monkeypatch):
    """Between two calls a path may come to lead elsewhere."""
    a, b, link = tmp_path / "a", tmp_path / "b", tmp_path / "link"

    def names(where=None):
        return [e.name for e in drystone.ls(where)]

    drystone.put("in_a", TABLE, store=a)
    drystone.put("in_b", TABLE, store=b)
    link.symlink_to(tmp_path)
    assert names(link / "a") == ["in_a"]
    link.unlink()
    link.mkdir()
    drystone.put("in_link", TABLE, store=link / "a")
    assert names(link / "a") == ["in_link"] and names(a) == ["in_a"]

    a.rename(tmp_path / "moved")
    b.rename(a)
    assert names(a) == ["in_b"]
    drystone.put("more", TABLE, store=a)
    assert names(a) == ["in_b", "more"] and names(tmp_path / "moved") == ["in_a"]

    monkeypatch.setenv("DRYSTONE_STORE", str(a))
    assert names() == ["in_b", "more"]
    monkeypatch.setenv("DRYSTONE_STORE", str(tmp_path / "moved"))
    assert names() == ["in_a"]

    monkeypatch.chdir(a)
    assert names(".") == ["in_b", "more"]
    monkeypatch.chdir(tmp_path / "moved")
    assert names(".") == ["in_a"]

    a.chmod(0o777)
    with pytest.raises(drystone.DeniedError, match="0777"):
        drystone.get("in_b", store=a)
    a.chmod(0o700)
    for path in a.iterdir():
        path.unlink()
    a.rmdir()
    with pytest.raises(drystone.NotFoundError):
        names(a)


def test_rm_and_mv_make_no_store(tmp_path):
    missing = tmp_path / "missing"
    for call in (lambda: drystone.rm("t", missing), lambda: drystone.mv("t", "u", missing)):
        with pytest.raises(drystone.NotFoundError):
            call()
    assert not missing.exists()


ON_DISK = """
import os, sys, warnings
warnings.simplefilter(sys.argv[1])
import drystone, pyarrow as pa
try:
    drystone.put("t", pa.table({"x": [1]}))
except RuntimeWarning as warning:
    print("raised", warning)
else:
    print(drystone.path("t"))
"""


def test_where_memory_is_small_the_default_is_on_disk_with_a_warning(tmp_path):
    """As in a container with a /dev/shm of 64 MB, here in a mount namespace."""
    environment = {k: v for k, v in os.environ.items() if k not in ("DRYSTONE_STORE", "XDG_CACHE_HOME")}
    script = 'mount -t tmpfs -o size=64m tmpfs /dev/shm && exec "$@"'
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    if not shutil.which("unshare") or subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
        pytest.skip("no user namespaces here")

    def put(action):
        command = [*unshare, sys.executable, "-c", ON_DISK, action]
        return subprocess.run(command, env=environment | {"HOME": str(tmp_path)}, capture_output=True, text=True)

    (tmp_path / ".cache").mkdir()
    done = put("error")
    assert done.stdout.startswith("raised") and "/dev/shm" in done.stdout, done.stderr
    done = put("default")
    assert done.stdout == f"{tmp_path}/.cache/drystone/t\n", done.stderr
    assert done.stderr.count("RuntimeWarning") == 2, "once for each line that used the store"


NO_ROOM = """
import resource, drystone, pyarrow as pa
drystone.put("t", pa.table({"x": [1]}))
big = pa.table({"x": range(1 << 20)})
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
try:
    drystone.put("t", big)
except drystone.FullError as error:
    print(error)
assert len(drystone.get("t")) == 1
"""


def test_no_room_is_an_error_that_names_the_limit(store):
    words = run_python(NO_ROOM)
    assert "'t'" in words and "RLIMIT_FSIZE" in words or "ulimit" in words, words
    assert [p.name for p in store.iterdir()] == ["t"]


def test_a_store_that_is_no_directory(store, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(drystone.DeniedError, match="file"):
        drystone.put("t", TABLE, store=file)


def test_put_replaces_and_readers_keep_what_they_have(store):
    drystone.put("t", TABLE)
    old = drystone.get("t")
    drystone.put("t", pa.table({"x": [9]}))
    assert drystone.get("t").column_names == ["x"]
    assert old.to_arrow().equals(TABLE)


def test_no_clobber(store):
    drystone.put("t", TABLE, no_clobber=True)
    with pytest.raises(drystone.ExistsError, match="'t'") as caught:
        drystone.put("t", pa.table({"x": [9]}), no_clobber=True)
    assert isinstance(caught.value, FileExistsError)
    assert drystone.get("t").to_arrow().equals(TABLE)


def test_rm(store):
    drystone.put("t", TABLE)
    kept = drystone.get("t")
    drystone.rm("t")
    assert list(store.iterdir()) == []
    for missing in (drystone.get, drystone.rm, drystone.path, drystone.stat):
        with pytest.raises(drystone.NotFoundError, match="'t'"):
            missing("t")
    assert kept.to_arrow().equals(TABLE)


def test_mv(store):
    drystone.put("a", TABLE)
    drystone.put("b", pa.table({"x": [9]}))
    with pytest.raises(drystone.ExistsError):
        drystone.mv("a", "b", no_clobber=True)
    drystone.mv("a", "b")
    assert [e.name for e in drystone.ls()] == ["b"]
    assert drystone.get("b").to_arrow().equals(TABLE)
    with pytest.raises(drystone.NotFoundError):
        drystone.mv("a", "c")


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../a", "a b", "ä", "a\n", "x" * 201])
def test_names_that_cannot_be(store, name):
    calls = [
        lambda: drystone.put(name, TABLE),
        lambda: drystone.get(name),
        lambda: drystone.get(name, timeout=0),
        lambda: drystone.rm(name),
        lambda: drystone.path(name),
        lambda: drystone.stat(name),
        lambda: drystone.mv("t", name),
        lambda: drystone.mv(name, "t"),
    ]
    drystone.put("t", TABLE)
    for call in calls:
        with pytest.raises(drystone.InvalidError):
            call()
    assert [p.name for p in store.iterdir()] == ["t"]


def test_names_that_are_no_text(store):
    with pytest.raises(ValueError, match="null"):
        drystone.get("a\0b")
    with pytest.raises(UnicodeEncodeError):
        drystone.get("\udc80")
    with pytest.raises(TypeError):
        drystone.get(1)


def test_ls(store):
    assert drystone.ls() == []
    before = datetime.datetime.now(datetime.timezone.utc)
    drystone.put("b", TABLE)
    drystone.put("a", pa.Table.from_batches([*TABLE.to_batches(), *TABLE.to_batches()]))
    (store / "c").write_text("no table")
    a, b, c = drystone.ls()
    assert (a.name, a.rows, a.columns, a.batches, a.error) == ("a", 6, 2, 2, None)
    assert (b.name, b.rows, b.columns, b.batches, b.error) == ("b", 3, 2, 1, None)
    assert b == drystone.stat("b")
    assert b.bytes == drystone.get("b").nbytes > 24
    assert b.held_bytes > 0
    assert b.created.tzinfo is datetime.timezone.utc
    # A file's time comes from the kernel's clock tick, up to 10 ms behind.
    tick = datetime.timedelta(milliseconds=20)
    assert before - tick <= b.created <= a.created <= datetime.datetime.now(datetime.timezone.utc)
    assert c.name == "c" and c.rows is None and c.bytes is None and c.error in ("CORRUPT", "UNSUPPORTED")
    assert repr(b).startswith("drystone.Entry(name='b', rows=3, columns=2, batches=1, bytes=")


def test_path_is_an_arrow_file(store):
    drystone.put("t", TABLE)
    path = pathlib.Path(drystone.path("t"))
    assert path.is_absolute() and path.parent == store
    assert path.stat().st_mode & 0o777 == 0o400
    with pa.memory_map(str(path)) as source:
        assert pa.ipc.open_file(source).read_all().equals(TABLE)


def test_a_file_that_is_no_table(store):
    (store / "t").write_text("id,name\n1,a\n")
    with pytest.raises(drystone.Error, match="'t'") as caught:
        drystone.get("t")
    assert caught.value.status in ("CORRUPT", "UNSUPPORTED")


def test_table(store):
    drystone.put("t", pa.Table.from_batches([*TABLE.to_batches(), *TABLE.to_batches()]))
    t = drystone.get("t")
    assert (t.num_rows, len(t), t.num_columns, t.num_batches) == (6, 6, 2, 2)
    assert t.column_names == ["id", "name"]
    assert t.verify() is None
    assert repr(t) == "drystone.Table: 6 rows, 2 columns, 2 batches\nid: int64\nname: utf8"
    with pytest.raises(TypeError):
        drystone.Table()
    with pytest.raises(AttributeError):
        t.num_rows = 1
    with pytest.raises(TypeError):
        t["id"]


def test_repr_of_a_wide_table_is_short(store):
    drystone.put("t", pa.table({f"c{i}": [1] for i in range(100)}))
    lines = repr(drystone.get("t")).splitlines()
    assert lines[1] == "c0: int64" and lines[-1] == "... and 60 more columns" and len(lines) == 42


def test_column_names_that_are_odd(store):
    names = ["", "a\nb", "ä€😀", "same", "same"]
    drystone.put("t", pa.table([[1]] * 5, names=names))
    t = drystone.get("t")
    assert t.column_names == names
    assert "ä€😀: int64" in repr(t)


def test_arguments():
    with pytest.raises(TypeError):
        drystone.put("t")
    with pytest.raises(TypeError):
        drystone.get("t", None, None, False, None)
    with pytest.raises(TypeError):
        drystone.get("t", nonsense=1)
    with pytest.raises(TypeError, match="str, bytes or os.PathLike"):
        drystone.get("t", store=1)
    with pytest.raises(ValueError, match="null"):
        drystone.get("t", store="a\0b")
    with pytest.raises(TypeError):
        drystone.get("t", timeout="1")
    for seconds in (-1, float("nan"), float("-inf")):
        with pytest.raises(ValueError, match="timeout"):
            drystone.get("t", timeout=seconds)


def test_a_private_copy_survives_what_a_mapping_does_not(store):
    drystone.put("t", pa.table({"id": [1, 2, 3]}))
    path = drystone.path("t")
    arrow = drystone.get("t", private=True).to_arrow()
    assert mappings(store) == []
    os.chmod(path, 0o600)
    os.truncate(path, 0)
    assert arrow["id"].to_pylist() == [1, 2, 3]
    with pytest.raises(drystone.Error):
        drystone.get("t", private=True)

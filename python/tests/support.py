# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the Python tests and the interop tests share."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import pytest

MIB = 1 << 20


def memory_directory():
    """Where a store in memory may be made; None when there is little room: tests then use the disk."""
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return None
    if not os.access("/dev/shm", os.W_OK) or room.f_bavail * room.f_frsize < 512 * MIB:
        return None
    return "/dev/shm"


@pytest.fixture
def store(monkeypatch):
    """A fresh store that is the default one while a test runs, also for programs that the test starts."""
    path = tempfile.mkdtemp(prefix="drystone-test-", dir=memory_directory())
    monkeypatch.setenv("DRYSTONE_STORE", path)
    yield pathlib.Path(path)
    shutil.rmtree(path)


@pytest.fixture
def command():
    """Runs the drystone command: command("put", "x", input=bytes) -> CompletedProcess."""
    program = os.environ.get("DRYSTONE_COMMAND") or shutil.which("drystone")
    if not program:
        pytest.skip("there is no drystone command: set DRYSTONE_COMMAND")

    def run(*args, input=b"", check=True):
        done = subprocess.run([program, *map(str, args)], input=input, capture_output=True, timeout=120)
        if check:
            assert done.returncode == 0, done.stderr.decode()
        return done

    run.program = program
    return run


def run_python(code, *args, check=True):
    """A new Python that runs `code`; what it printed."""
    done = subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True, timeout=120)
    if check:
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
    return done


# ---- mappings of this process ----

class Mapping:
    def __init__(self, line):
        span, self.rights, _, _, _, *path = line.split(None, 5)
        self.start, self.end = (int(x, 16) for x in span.split("-"))
        self.path = path[0].rstrip("\n") if path else ""

    def holds(self, address, size=1):
        return self.start <= address and address + size <= self.end


def mappings(store):
    """The mappings of files of that store; removed files too."""
    with open("/proc/self/maps") as lines:
        return [m for m in map(Mapping, lines) if m.path.startswith(f"{store}/")]


def anonymous_bytes():
    """Memory of this process that belongs to no file."""
    with open("/proc/self/smaps_rollup") as lines:
        return int(re.search(r"^Anonymous:\s+(\d+) kB", lines.read(), re.M)[1]) * 1024


def buffer_addresses(table):
    """(address, size) of every buffer of a pyarrow table that has bytes, nested ones and dictionaries too."""
    import pyarrow as pa

    def of(array):
        yield from ((b.address, b.size) for b in array.buffers() if b is not None and b.size)
        if isinstance(array, pa.DictionaryArray):
            yield from of(array.dictionary)

    return [place for column in table.columns for chunk in column.chunks for place in of(chunk)]


def in_mappings(places, maps):
    return all(any(m.holds(address, size) for m in maps) for address, size in places)




# ---- what other processes do; top-level functions, so that spawn can import them ----

def read_ids(name):
    """Runs in a worker process: the sum of a column of a table that another process put."""
    import drystone

    return sum(drystone.get(name).to_arrow()["id"].to_pylist())


def put_ids(name, ids):
    """Runs in a worker process: puts a table that others read."""
    import pyarrow as pa

    import drystone

    drystone.put(name, pa.table({"id": ids}))
    return os.getpid()


def sum_ids(table):
    """Runs in a worker process: the sum of a column of a Table that came as an argument."""
    return sum(table.to_arrow()["id"].to_pylist())


def attach_and_sum(handle):
    """Runs in a worker process."""
    import drystone

    return sum_ids(drystone.attach(handle))

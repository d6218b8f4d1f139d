# SPDX-License-Identifier: Apache-2.0 OR MIT
"""share and attach: anonymous tables, handles, pickling to worker processes."""

import concurrent.futures
import gc
import json
import multiprocessing
import os
import pickle
import re
import subprocess
import sys

import pyarrow as pa
import pytest
from support import MIB, attach_and_sum, buffer_addresses, run_python, sum_ids

import drystone

TABLE = pa.table({"id": [1, 2, 3], "name": ["a", None, "ccc"]})


def held():
    """Descriptors and mappings of shared memory that this process has."""
    links = []
    for number in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{number}"))
        except OSError:  # the directory's own
            pass
    with open("/proc/self/maps") as lines:
        return sum("/memfd:share" in line for line in [*links, *lines])


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    gc.collect()
    assert held() == 0


def test_it_is_the_same_table():
    shared = drystone.share(TABLE)
    assert shared.to_arrow().equals(TABLE)
    assert shared.protection == "anonymous"
    assert drystone.share(TABLE, sealed=True).protection == "sealed"
    again = drystone.attach(shared.handle)
    assert again.to_arrow().equals(TABLE)


def test_a_handle_is_short_plain_text():
    handle = drystone.share(TABLE).handle
    assert len(handle) <= 127 and re.fullmatch(r"[0-9A-Za-z_.:-]+", handle)


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_workers_get_it_as_an_argument(method):
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["support"])
    shared = drystone.share(TABLE)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(sum_ids, [shared] * 4)) == [6] * 4
        assert list(pool.map(attach_and_sum, [shared.handle] * 2)) == [6] * 2


def test_joblib_workers_get_it():
    joblib = pytest.importorskip("joblib")
    shared = drystone.share(TABLE)
    assert joblib.Parallel(n_jobs=2)(joblib.delayed(sum_ids)(shared) for _ in range(4)) == [6] * 4
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True, kill_workers=True)


def test_a_worker_maps_the_same_pages():
    """What is pickled does not grow with the table, and the worker's own memory does not either."""
    big = pa.table({"id": range(4 * MIB)})
    shared = drystone.share(big)
    assert len(pickle.dumps(shared)) < 256
    code = """
import sys, drystone
def anonymous():
    return sum(int(l.split()[1]) for l in open('/proc/self/smaps_rollup') if l.startswith('Anonymous:')) * 1024
import pyarrow
drystone.attach(sys.argv[1]).to_arrow()
before = anonymous()
column = drystone.attach(sys.argv[1]).to_arrow()['id']
assert column[-1].as_py() == len(column) - 1
print(anonymous() - before)
"""
    assert int(run_python(code, shared.handle)) < MIB


def test_it_goes_with_its_last_user():
    shared = drystone.share(TABLE)
    handle, arrow = shared.handle, shared.to_arrow()
    del shared
    assert arrow.equals(TABLE)  # the arrays hold the memory, and its descriptor
    assert drystone.attach(handle).to_arrow().equals(TABLE)
    del arrow
    with pytest.raises(drystone.NotFoundError, match="let it go|let go|no longer|closed"):
        drystone.attach(handle)


def test_a_creator_that_ended():
    handle = run_python("import pyarrow as pa, drystone; print(drystone.share(pa.table({'id': [1]})).handle)")
    with pytest.raises(drystone.NotFoundError, match="ended"):
        drystone.attach(handle)


def test_a_reader_outlives_the_creator():
    code = """
import sys, pyarrow as pa, drystone
table = drystone.share(pa.table({'id': [1, 2, 3]}))
print(table.handle, flush=True)
sys.stdin.read()
"""
    creator = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    table = drystone.attach(creator.stdout.readline().strip())
    creator.kill()
    creator.wait()
    creator.stdin.close()
    creator.stdout.close()
    assert table.to_arrow()["id"].to_pylist() == [1, 2, 3]
    # And it can be handed on by whoever has it.
    total = "import sys, drystone; print(sum(drystone.attach(sys.argv[1]).to_arrow()['id'].to_pylist()))"
    assert int(run_python(total, table.handle)) == 6


@pytest.mark.parametrize("handle", ["", "x", "dry1", "dry1-", "a" * 500, "dry1-\0", "../../etc/passwd"])
def test_what_is_no_handle(handle):
    with pytest.raises((drystone.InvalidError, ValueError)):
        drystone.attach(handle)


def test_a_mutilated_handle():
    shared = drystone.share(TABLE)
    handle = shared.handle
    for at in range(len(handle)):
        wrong = handle[:at] + ("1" if handle[at] != "1" else "2") + handle[at + 1 :]
        with pytest.raises(drystone.InvalidError):
            drystone.attach(wrong)
        with pytest.raises(drystone.InvalidError):
            drystone.attach(handle[:at])


def test_sealed_can_be_demanded():
    shared = drystone.share(TABLE)
    with pytest.raises(drystone.DeniedError, match="sealed"):
        drystone.attach(shared.handle, sealed=True)
    sealed = drystone.share(TABLE, sealed=True)
    assert drystone.attach(sealed.handle, sealed=True).num_rows == 3


def test_the_bytes_are_read_only():
    """A program that writes dies of it (SIGSEGV); the table does not change."""
    code = """
import ctypes, sys, pyarrow as pa, drystone
table = drystone.attach(sys.argv[1]).to_arrow()
ctypes.memset(table['id'].chunk(0).buffers()[1].address, 255, 8)
"""
    shared = drystone.share(TABLE)
    assert run_python(code, shared.handle, check=False).returncode != 0
    assert shared.to_arrow().equals(TABLE)


def test_nothing_is_copied_on_the_way_out():
    shared = drystone.share(TABLE)
    assert buffer_addresses(shared.to_arrow()) == buffer_addresses(shared.to_arrow())


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        drystone.share([1, 2, 3])

    def batches():
        yield pa.record_batch({"id": [1]})
        raise RuntimeError("the source is broken")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("id", pa.int64())]), batches())
    with pytest.raises(drystone.IoError, match="the source is broken"):
        drystone.share(reader)


def test_shared_again_and_empty():
    empty = drystone.share(TABLE.slice(0, 0))
    assert empty.num_rows == 0 and drystone.attach(empty.handle).num_rows == 0
    assert drystone.share(drystone.share(TABLE)).to_arrow().equals(TABLE)


def test_the_command_opens_handles(command, tmp_path):
    shared = drystone.share(TABLE)
    stat = json.loads(command("stat", "--json", shared.handle).stdout)
    assert (stat["rows"], stat["protection"], stat["path"]) == (3, "anonymous", None)
    assert [m["pid"] for m in stat["mappers"]] == [os.getpid()]
    assert b"sealed" in command("stat", drystone.share(TABLE, sealed=True).handle).stdout
    assert pa.ipc.open_stream(command("get", shared.handle).stdout).read_all().equals(TABLE)
    assert b"ccc" in command("head", shared.handle).stdout and b"utf8" in command("schema", shared.handle).stdout
    handle = shared.handle
    del shared
    failed = command("head", handle, check=False)
    assert failed.returncode == 1 and b"let the memory go" in failed.stderr

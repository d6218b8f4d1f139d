# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Fork, spawn, threads, signals, sub-interpreters, the end of the interpreter."""

import concurrent.futures
import itertools
import math
import multiprocessing
import os
import signal
import sys
import threading
import time

import pyarrow as pa
import pytest
from support import put_ids, read_ids, run_python

import drystone

TABLE = pa.table({"id": [1, 2, 3]})


# ---- processes ----

@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_worker_processes(store, method):
    drystone.put("t", TABLE)
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["support"])
    with context.Pool(2) as pool:
        assert pool.map(read_ids, ["t"] * 4) == [6] * 4
        pids = pool.starmap(put_ids, [(f"w{i}", [i, i]) for i in range(4)])
    assert os.getpid() not in pids
    assert [read_ids(f"w{i}") for i in range(4)] == [0, 2, 4, 6]


def test_a_table_does_not_pickle(store):
    drystone.put("t", TABLE)
    import pickle

    with pytest.raises(TypeError, match="drystone.Table"):
        pickle.dumps(drystone.get("t"))


FORK = """
import os, pyarrow as pa, drystone
drystone.put("t", pa.table({"id": [1, 2, 3]}))
t = drystone.get("t")
arrow, capsule = t.to_arrow(), t.__arrow_c_stream__()
child = os.fork()
good = arrow["id"].to_pylist() == [1, 2, 3] and t.to_arrow().equals(arrow)
if child == 0:
    reader = pa.RecordBatchReader._import_from_c_capsule(capsule)
    good = good and reader.read_all().equals(arrow)
    del t, arrow, capsule, reader
    drystone.put("child", drystone.get("t"))
    os._exit(0 if good else 1)
_, status = os.waitpid(child, 0)
assert good and status == 0
assert t.to_arrow().equals(arrow) and drystone.get("child").to_arrow().equals(arrow)
assert pa.RecordBatchReader._import_from_c_capsule(capsule).read_all().equals(arrow)
"""


def test_fork_shares_tables_and_streams(store):
    run_python(FORK)


FORK_IN_PUT = """
import os, threading, pyarrow as pa, drystone
batch = pa.record_batch({"id": [1, 2, 3]})
begun, forked = threading.Event(), threading.Event()
def batches():
    yield batch
    begun.set()
    forked.wait()
    yield batch
reader = pa.RecordBatchReader.from_batches(batch.schema, batches())
putting = threading.Thread(target=drystone.put, args=("t", reader))
putting.start()
begun.wait()
child = os.fork()
if child == 0:
    names = [e.name for e in drystone.ls()]
    drystone.put("child", batch)
    os._exit(0 if names == [] else 1)
_, status = os.waitpid(child, 0)
assert status == 0, status
forked.set()
putting.join()
assert [(e.name, e.rows) for e in drystone.ls()] == [("child", 3), ("t", 6)]
"""


def test_a_put_that_runs_while_another_thread_forks_stays_the_parents(store):
    run_python(FORK_IN_PUT)
    assert sorted(os.listdir(store)) == ["child", "t"]


# ---- the end ----

EXIT = """
import atexit, os, sys, threading, numpy, pyarrow as pa, drystone
drystone.put("t", pa.table({"id": list(range(100000))}))
t = drystone.get("t")
view = t.to_arrow()["id"].chunk(0).to_numpy()
stream, schema = t.__arrow_c_stream__(), t.__arrow_c_schema__()
atexit.register(lambda: print(int(view.sum())))
class Late:
    def __del__(self, view=view, t=t, write=os.write):
        write(1, b"%d %d\\n" % (view[-1], len(t)))
sys.late = Late()
cycle = [t, view, stream, schema]
cycle.append(cycle)
threading.Thread(target=lambda: drystone.get("never", timeout=float("inf")), daemon=True).start()
"""


def test_buffers_are_good_till_the_end_of_the_interpreter(store):
    assert sorted(run_python(EXIT).split()) == ["100000", "4999950000", "99999"]


SUBINTERPRETER = """
import sys
try:
    import _interpreters
    make, run = (lambda: _interpreters.create("legacy")), _interpreters.exec
except ImportError:
    import _xxsubinterpreters as _interpreters
    make, run = (lambda: _interpreters.create(isolated=False)), _interpreters.run_string
import drystone, pyarrow as pa
drystone.put("t", pa.table({"id": [1, 2, 3]}))
code = f"import sys; sys.path[:] = {sys.path!r}\\n" + '''
import drystone
t = drystone.get("t")
assert t.num_rows == 3 and t.column_names == ["id"]
drystone.put("u", t)
try:
    drystone.get("missing")
    raise AssertionError("found what is missing")
except drystone.NotFoundError as error:
    assert "missing" in str(error)
'''
for _ in range(3):
    interpreter = make()
    assert run(interpreter, code) is None
    _interpreters.destroy(interpreter)
assert drystone.get("u").to_arrow().equals(drystone.get("t").to_arrow())
try:
    drystone.get("missing")
except drystone.NotFoundError:
    print("good")
"""


def test_sub_interpreters_have_their_own_state(store):
    assert run_python(SUBINTERPRETER) == "good"


# ---- threads ----

def test_threads_share_a_table(store):
    drystone.put("t", TABLE)
    t = drystone.get("t")

    def use(i):
        drystone.put(f"t{i % 3}", t)
        assert drystone.get(f"t{i % 3}").to_arrow().equals(TABLE)
        return repr(t), pa.table(t).equals(TABLE), t.column_names, len(drystone.ls()) > 0

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert set(map(str, pool.map(use, range(200)))) == {str(use(0))}


def test_a_waiting_get_lets_other_threads_run(store):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(drystone.get, "t", timeout=60)
        drystone.put("t", TABLE)
        assert waiting.result().to_arrow().equals(TABLE)


def test_put_lets_other_threads_run(store, tmp_path):
    """The producer waits inside read(2), without the GIL, for what this thread writes meanwhile."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def put():
        with open(fifo, "rb", buffering=0) as file:
            drystone.put("t", pa.ipc.open_stream(pa.PythonFile(file)))

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        putting = pool.submit(put)
        with open(fifo, "wb") as file, pa.ipc.new_stream(file, TABLE.schema) as writer:
            for _ in range(10):
                writer.write_table(TABLE)
                file.flush()
        putting.result()
    assert len(drystone.get("t")) == 30


# ---- waiting ----

def test_a_get_that_waits(store):
    with pytest.raises(drystone.TimeoutError, match="'t' after 0.02 s") as caught:
        drystone.get("t", timeout=0.02)
    assert isinstance(caught.value, TimeoutError)
    with pytest.raises(drystone.TimeoutError):
        drystone.get("t", timeout=0)
    drystone.put("t", TABLE)
    for timeout in (0, 0.5, 1, math.inf, None):
        assert len(drystone.get("t", timeout=timeout)) == 3


def test_who_waits_may_come_before_the_store(tmp_path):
    late = tmp_path / "late"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(drystone.get, "t", timeout=60, store=late)
        while not late.is_dir():
            assert not waiting.done(), waiting.result()
            time.sleep(0)
        drystone.put("t", TABLE, store=late)
        assert len(waiting.result()) == 3


def test_another_process_is_waited_for(store):
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        putting = pool.submit(put_ids, "t", [7])
        assert drystone.get("t", timeout=60).to_arrow()["id"].to_pylist() == [7]
        assert putting.result() != os.getpid()


# ---- signals ----

class Alarm(Exception):
    pass


@pytest.fixture
def alarm():
    """alarm() has a signal handler raise Alarm in this thread a moment later."""

    def handler(number, frame):
        raise Alarm

    old = signal.signal(signal.SIGALRM, handler)
    yield lambda: signal.setitimer(signal.ITIMER_REAL, 0.02)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, old)


def test_a_signal_ends_a_wait(store, alarm):
    with pytest.raises(Alarm):
        alarm()
        drystone.get("never", timeout=math.inf)
    assert drystone.ls() == []


def test_a_signal_ends_a_put(store, alarm):
    drystone.put("t", TABLE)
    endless = pa.RecordBatchReader.from_batches(TABLE.schema, itertools.repeat(TABLE.to_batches()[0]))
    with pytest.raises(Alarm):
        alarm()
        drystone.put("t", endless)
    assert drystone.get("t").to_arrow().equals(TABLE), "the old table stays"
    assert [p.name for p in store.iterdir()] == ["t"]


def test_ctrl_c_ends_a_wait(store):
    code = (
        "import os, signal, threading, drystone\n"
        "threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try: drystone.get('never', timeout=float('inf'))\n"
        "except KeyboardInterrupt: print('interrupted')"
    )
    assert run_python(code) == "interrupted"


def test_a_handler_that_raises_nothing_does_not_end_a_wait(store, alarm):
    seen = threading.Event()
    signal.signal(signal.SIGALRM, lambda number, frame: (seen.set(), drystone.put("t", TABLE)))
    alarm()
    assert len(drystone.get("t", timeout=60)) == 3
    assert seen.is_set()



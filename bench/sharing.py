# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Tables between processes, beside what one would use without drystone: pyarrow writing an IPC file into the same
memory file system and mapping it, and pickle through a pipe. `sharing.py [MEBIBYTES]`, 1024 by default."""

import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa

import drystone
from measure import each, human, plot, save, spread, table, take_turns, verdict

MIB = 1 << 20
BENCH = Path(__file__).resolve().parent.parent / "build" / "bench" / "bench"


def mixed(nbytes, columns=10):
    """About `nbytes` in `columns` columns: numbers, numbers with nulls, bools, times, strings, categories."""
    rng = np.random.default_rng(7)
    rows = max(1, int(nbytes / (columns * 7.3)))
    kinds = [
        lambda: pa.array(rng.integers(0, 1 << 40, rows)),
        lambda: pa.array(rng.random(rows)),
        lambda: pa.array(rng.random(rows), mask=rng.random(rows) < 0.1),
        lambda: pa.array(rng.integers(0, 1000, rows, dtype=np.int32), mask=rng.random(rows) < 0.1),
        lambda: pa.array(rng.random(rows) < 0.5),
        lambda: pa.array(rng.integers(0, 1 << 50, rows), pa.timestamp("us")),
        lambda: texts(rng, rows, 6),
        lambda: texts(rng, rows, 12),
        lambda: pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, 5, rows, dtype=np.int8)), list("abcde")),
        lambda: pa.array(rng.integers(0, 100, rows, dtype=np.int16)),
    ]
    return pa.table({f"c{i}": kinds[i % len(kinds)]() for i in range(columns)})


def texts(rng, rows, length):
    letters = rng.integers(ord("a"), ord("z") + 1, rows * length, dtype=np.uint8)
    offsets = np.arange(0, (rows + 1) * length, length, dtype=np.int32)
    return pa.Array.from_buffers(pa.utf8(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(letters)])


def narrow(columns, rows=1000):
    return pa.table({f"c{i}": np.arange(rows, dtype=np.int64) for i in range(columns)})


class Places:
    """A fresh store, and a file beside it in the same file system for the rivals."""

    def __init__(self):
        memory = "/dev/shm" if os.path.isdir("/dev/shm") else tempfile.gettempdir()
        self.top = tempfile.mkdtemp(prefix="drystone-bench-", dir=memory)
        self.store = os.path.join(self.top, "store")
        os.mkdir(self.store, 0o700)
        self.file = os.path.join(self.top, "rival.arrow")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.top)


def write_ipc(path, data):
    with pa.OSFile(path, "wb") as f, pa.ipc.new_file(f, data.schema) as writer:
        writer.write_table(data)


def write_bare(path, source):
    """write(2) of bytes that are there already: what the kernel needs for fresh pages."""
    fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    view, at = memoryview(source), 0
    while at < len(view):
        at += os.write(fd, view[at : at + (8 << 20)])
    os.close(fd)


def through_pickle(data):
    """What multiprocessing does with an argument: pickle it, push it through a pipe, unpickle it."""
    read_end, write_end = os.pipe()

    def send():
        with os.fdopen(write_end, "wb") as f:
            pickle.dump(data, f, protocol=5)

    sender = threading.Thread(target=send)
    sender.start()
    with os.fdopen(read_end, "rb") as f:
        received = pickle.load(f)
    sender.join()
    return received.num_rows


def bench_put(places, mebibytes, figures):
    data = mixed(mebibytes * MIB)
    raw = np.random.default_rng(1).bytes(64 * MIB)
    bytes_like = (raw * (data.nbytes // len(raw) + 1))[: data.nbytes]

    def reset():
        if os.path.exists(places.file):
            os.unlink(places.file)
        if any(e.name == "t" for e in drystone.ls(store=places.store)):
            drystone.rm("t", store=places.store)

    candidates = {
        "drystone.put (verified)": lambda: drystone.put("t", data, store=places.store),
        "pyarrow IPC file, same tmpfs": lambda: write_ipc(places.file, data),
        "bare write(2) of as many bytes": lambda: write_bare(places.file, bytes_like),
    }
    times, first = take_turns(candidates, rounds=7, reset=reset)
    del bytes_like
    best = {name: min(t) for name, t in times.items()}
    ours = best["drystone.put (verified)"]
    rival = best["pyarrow IPC file, same tmpfs"]
    rows = [
        [name, human(min(t)), human(spread(t)["median"]), human(max(t)), human(first[name]), f"{data.nbytes / min(t) / 2**30:.2f}", f"{min(t) / ours:.2f}"]
        for name, t in times.items()
    ]
    table(f"put of {data.nbytes / MIB:.0f} MiB, 10 columns, into fresh pages", rows,
          ["", "min", "median", "max", "first", "GiB/s", "of ours"])
    print(f"  target: at least 1.25x the rate of pyarrow: {rival / ours:.2f}x, {verdict(rival / ours >= 1.25)}")
    figures["put"] = {"bytes": data.nbytes, "times": {n: spread(t) for n, t in times.items()}, "first": first, "ratio": rival / ours}
    plot("put", f"put of {data.nbytes / MIB:.0f} MiB", {n: [x * 1e3 for x in t] for n, t in times.items()}, "milliseconds")
    small = mixed(16 * MIB)
    pickled = each(lambda: through_pickle(small), 3, 1)
    print(f"  pickle through a pipe, 16 MiB: {human(min(pickled))}, that is {human(min(pickled) / small.nbytes * data.nbytes)} for this size")
    figures["pickle_16MiB"] = spread(pickled)


def bench_open(places, mebibytes, figures):
    rows = []
    for label, data in (("1 MiB", mixed(MIB)), (f"{mebibytes} MiB", mixed(mebibytes * MIB))):
        drystone.put("t", data, store=places.store)
        del data
        found = json.loads(subprocess.run([str(BENCH / "open_bench"), places.store, "t", "200"], check=True, stdout=subprocess.PIPE).stdout)
        ratio = found["get_min_ns"] / found["bare_min_ns"]
        rows.append([label, human(found["bare_min_ns"] / 1e9), human(found["get_min_ns"] / 1e9), human(found["get_median_ns"] / 1e9), f"{ratio:.2f}", verdict(ratio <= 2)])
        figures[f"open_{label}"] = found
    table("open in C, 10 columns, warm (target: at most 2x the bare calls, whatever the size)", rows,
          ["table", "bare min", "drystone min", "median", "ratio", ""])


def bench_get(places, figures):
    rows = []
    for columns in (1, 10, 100, 1000):
        data = narrow(columns)
        drystone.put("t", data, store=places.store)
        write_ipc(places.file, data)

        def ours():
            return drystone.get("t", store=places.store).to_arrow()

        def rival():
            return pa.ipc.open_file(pa.memory_map(places.file)).read_all()

        assert ours().equals(rival())
        batch = 200 if columns <= 100 else 20
        a, b = [], []
        for _ in range(15):
            a += each(ours, 1, batch)
            b += each(rival, 1, batch)
        ratio = min(b) / min(a)
        target = {10: 3.0, 100: 1.0}.get(columns)
        rows.append([columns, human(min(a)), human(spread(a)["median"]), human(min(b)), human(spread(b)["median"]), f"{ratio:.2f}",
                     f"{target:.0f}x: {verdict(ratio >= target)}" if target else "no target"])
        figures[f"get_{columns}"] = {"ours": spread(a), "pyarrow": spread(b), "ratio": ratio}
    table("get in Python, to a pyarrow table, beside pa.memory_map + open_file + read_all", rows,
          ["columns", "drystone min", "median", "pyarrow min", "median", "ratio", "target"])


READER = """
import ctypes, json, sys, time, numpy as np, pyarrow as pa, drystone
def anonymous():
    return sum(int(l.split()[1]) for l in open('/proc/self/smaps_rollup') if l.startswith('Anonymous:')) * 1024
store, how, name, path = sys.argv[1:]
drystone.get('small', store=store).to_arrow()
before = anonymous()
start = time.perf_counter()
if how == 'ours':
    table = drystone.get(name, store=store).to_arrow()
else:
    table = pa.ipc.open_file(pa.memory_map(path)).read_all()
opened = time.perf_counter()
grown = anonymous() - before
buffers = [np.frombuffer(b, np.uint8) for c in table.columns for k in c.chunks for b in k.buffers() if b is not None and b.size]
start_touch = time.perf_counter()
total = sum(int(b[::4096].sum()) for b in buffers)
print(json.dumps({'open': opened - start, 'touch': time.perf_counter() - start_touch, 'anonymous': grown, 'sum': total}))
"""


def bench_read(places, mebibytes, figures):
    drystone.put("small", narrow(1), store=places.store)
    data = mixed(mebibytes * MIB)
    drystone.put("t", data, store=places.store)
    write_ipc(places.file, data)
    del data
    path = drystone.path("t", store=places.store)
    ways = {"drystone.get": ("ours", path), "pyarrow maps our file by path": ("path", path), "pyarrow maps its own file": ("path", places.file)}
    found = {name: [] for name in ways}
    for _ in range(5):
        for name, (how, where) in ways.items():
            run = subprocess.run([sys.executable, "-c", READER, places.store, how, "t", where], check=True, stdout=subprocess.PIPE)
            found[name].append(json.loads(run.stdout))
    rows = [[name, human(min(r["open"] for r in runs)), human(min(r["touch"] for r in runs)), f"{max(r['anonymous'] for r in runs) / 1024:.0f} KiB"]
            for name, runs in found.items()]
    table(f"a fresh process opens {mebibytes} MiB and touches every page", rows, ["", "open min", "touch min", "Anonymous grew (max)"])
    worst = max(r["anonymous"] for r in found["drystone.get"])
    print(f"  target: Anonymous grows by less than 1 MiB: {worst / 1024:.0f} KiB, {verdict(worst < MIB)}")
    figures["read"] = found
    plot("touch", f"a fresh process touches every page of {mebibytes} MiB", {n: [r["touch"] * 1e3 for r in runs] for n, runs in found.items()}, "milliseconds")
    os.unlink(places.file)


def main():
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    figures = {"cpus": os.cpu_count(), "kernel": os.uname().release, "pyarrow": pa.__version__}
    print(f"drystone {drystone.__version__}, pyarrow {pa.__version__}, Linux {figures['kernel']}, {figures['cpus']} cores; read the minima")
    with Places() as places:
        bench_put(places, mebibytes, figures)
        bench_open(places, mebibytes, figures)
        bench_get(places, figures)
        bench_read(places, mebibytes, figures)
    save("sharing", figures)
    print("\nwritten: build/bench/sharing.json put.png touch.png")


if __name__ == "__main__":
    main()

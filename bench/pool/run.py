# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The slot pool beside its rivals: what one allocate with its free costs, in nanoseconds.

Ours in C and the rivals in Rust and C++ (Boost) run the same rows in turn, round by round, each compiled with link-time
optimisation; a row's figure is the least of all rounds, for rows of two threads the median. Needs a C compiler; without
cargo, c++ or Boost (Debian: libboost-dev) those rivals are left out, aloud. `--rounds N`, default 3.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))
from measure import OUT, save, table, verdict  # noqa: E402

BUILD = Path(os.environ.get("DRY_BENCH_BUILD", OUT)) / "pool"

# row: (what it is, how often faster than the best shared-memory rival it is to be, or None)
ROWS = {
    "pair_1t": ("allocate and free", 2),
    "pair_called": ("the same through a shared library's calls", None),
    "pair_shared": ("the same without a cache", None),
    "pair_2t": ("allocate and free, two threads", 10),
    "pair_shared_2t": ("the same without a cache", None),
    "batch1024_1t": ("1,024 times allocate, then free in any order", None),
    "batch1024_2t": ("the same, two threads", None),
    "call1024_1t": ("1,024 slots by one call, freed by one call", 2),
    "call1024_shared": ("the same without a cache", None),
    "call1024_2t": ("the same, two threads", 10),
    "handoff": ("allocate and offer here, accept and free there (rivals: allocate here, free there)", 3),
    "handoff_shared": ("allocate here, free there, without a cache", None),
    "ring_alone": ("what the ring has of the two rows before", None),
    "reclaim_10000": ("reclaim of a peer with 10,000 slots", None),
}
RIVAL_ROW = {"pair_called": "pair_1t", "pair_shared": "pair_1t", "pair_shared_2t": "pair_2t", "call1024_1t": "batch1024_1t",
             "call1024_shared": "batch1024_1t", "call1024_2t": "batch1024_2t", "handoff_shared": "handoff"}
RECLAIM_NS = 10e6


def compile_ours():
    BUILD.mkdir(parents=True, exist_ok=True)
    sources = [p for folder in ("pool", "base") for p in sorted((ROOT / folder).glob("*.c")) if not p.name.endswith("_test.c")]
    flags = ["-std=gnu11", "-O3", "-flto", "-pthread"]
    subprocess.run([os.environ.get("CC", "cc"), *flags, HERE / "ours.c", *sources, "-o", BUILD / "ours"], check=True)
    return BUILD / "ours"


def compile_rust():
    if not shutil.which("cargo"):
        return print("pool: the Rust rivals left out: there is no cargo (https://rustup.rs)", file=sys.stderr)
    target = os.environ.get("CARGO_TARGET_DIR", str(BUILD / "rust"))
    manifest = ROOT / "bench" / "rivals" / "pool" / "Cargo.toml"
    subprocess.run(["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", manifest],
                   env={**os.environ, "CARGO_TARGET_DIR": target}, check=True)
    return Path(target) / "release" / "pool-rivals"


def compile_cpp():
    source, program = ROOT / "bench" / "rivals" / "pool" / "rivals.cpp", BUILD / "boost"
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    if not compiler or subprocess.run([compiler, "-E", "-x", "c++", "-include", "boost/interprocess/managed_shared_memory.hpp",
                                       os.devnull], capture_output=True).returncode:
        return print("pool: Boost's rivals left out: there is no C++ compiler or no Boost (libboost-dev)", file=sys.stderr)
    subprocess.run([compiler, "-std=c++17", "-O3", "-flto", "-pthread", source, "-o", program, "-lrt"], check=True)
    return program


def run(programs, rounds):
    """{row: {name: nanoseconds}}"""
    figures = {}
    for _ in range(rounds):
        for program in programs:
            for line in subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines():
                row, name, ns = line.split("\t")
                figures.setdefault(row, {}).setdefault(name, []).append(float(ns))
    two_threads = ("handoff", "ring")
    least = {row: statistics.median if row.endswith("_2t") or row.startswith(two_threads) else min for row in figures}
    return {row: {name: least[row](ns) for name, ns in names.items()} for row, names in figures.items()}


def judge(row, figures):
    ours, target = figures[row]["drystone"], ROWS[row][1]
    if row == "reclaim_10000":
        return verdict(ours < RECLAIM_NS)
    rivals = [ns for name, ns in figures.get(RIVAL_ROW.get(row, row), {}).items() if name.startswith("shm ")]
    if not rivals:
        return ""
    return f"{min(rivals) / ours:.2f}x faster" + (f", {verdict(min(rivals) >= target * ours)} ({target}x)" if target else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    figures = run([p for p in (compile_ours(), compile_rust(), compile_cpp()) if p], rounds)
    for row, (what, _) in ROWS.items():
        names = {**figures.get(RIVAL_ROW.get(row, row), {}), **figures[row]}
        lines = [[name, f"{ns:.1f}"] for name, ns in sorted(names.items(), key=lambda item: item[1])]
        table(f"{what} ({row}): {judge(row, figures)}", lines, ["", "ns"])
    save("pool", figures)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The slot pool beside its rivals: what one allocate with its free costs, in nanoseconds.

Ours in C and the rivals in Rust run the same rows in turn, round by round; a row's figure is the least of all rounds, for
rows of two threads the median. Needs a C compiler; without cargo the rivals are left out, aloud. `--rounds N`, default 3.
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
    "pair_2t": ("allocate and free, two threads", 10),
    "batch1024_1t": ("1,024 times allocate, then free in any order", None),
    "batch1024_2t": ("the same, two threads", None),
    "call1024_1t": ("1,024 slots by one call, freed by one call", 2),
    "call1024_2t": ("the same, two threads", 10),
    "handoff": ("allocate here, free there", 3),
    "handoff_offered": ("the same with offer and accept", None),
    "reclaim_10000": ("reclaim of a peer with 10,000 slots", None),
}
RIVAL_ROW = {"call1024_1t": "batch1024_1t", "call1024_2t": "batch1024_2t", "handoff_offered": "handoff"}
RECLAIM_NS = 10e6


def compile_ours():
    BUILD.mkdir(parents=True, exist_ok=True)
    sources = [p for folder in ("pool", "base") for p in sorted((ROOT / folder).glob("*.c")) if not p.name.endswith("_test.c")]
    flags = ["-std=gnu11", "-O2", "-pthread"]
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


def run(programs, rounds):
    """{row: {name: nanoseconds}}"""
    figures = {}
    for _ in range(rounds):
        for program in programs:
            for line in subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines():
                row, name, ns = line.split("\t")
                figures.setdefault(row, {}).setdefault(name, []).append(float(ns))
    least = {row: min if row.endswith("_1t") or row.startswith("reclaim") else statistics.median for row in figures}
    return {row: {name: least[row](ns) for name, ns in names.items()} for row, names in figures.items()}


def judge(row, figures):
    ours, target = figures[row]["drystone"], ROWS[row][1]
    if row == "reclaim_10000":
        return verdict(ours < RECLAIM_NS)
    rivals = [ns for name, ns in figures.get(RIVAL_ROW.get(row, row), {}).items() if "shm" in name]
    if not rivals:
        return ""
    return f"{min(rivals) / ours:.2f}x faster" + (f", {verdict(min(rivals) >= target * ours)} ({target}x)" if target else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    figures = run([p for p in (compile_ours(), compile_rust()) if p], rounds)
    for row, (what, _) in ROWS.items():
        names = {**figures.get(RIVAL_ROW.get(row, row), {}), **figures[row]}
        lines = [[name, f"{ns:.1f}"] for name, ns in sorted(names.items(), key=lambda item: item[1])]
        table(f"{what} ({row}): {judge(row, figures)}", lines, ["", "ns"])
    save("pool", figures)


if __name__ == "__main__":
    main()

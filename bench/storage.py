# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Shared storage beside its rivals: what one operation costs, in nanoseconds.

Each program (ours in C, the rivals in C++ and Rust) runs the same rows in turn, round by round; a row's figure is the
least of all rounds, and the median of the rounds where two threads fight for a cache line. Needs a C and a C++
compiler; without cargo, boost or glib their rivals are left out, aloud. `--rounds N` (default 3).
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from measure import OUT, save, table, verdict

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "bench" / "storage"
BUILD = Path(os.environ.get("DRY_BENCH_BUILD", OUT)) / "storage"
SOURCES = [*sorted(p for p in (ROOT / "storage").glob("*.c") if not p.name.endswith("_test.c")), ROOT / "base" / "memory.c"]

# row: (what it is, the target as the greatest allowed ratio of ours to the best rival, or None)
ROWS = {
    "clone_drop": ("clone and drop", None),
    "slice_drop": ("slice and drop", None),
    "clone_drop_static": ("clone and drop, static bytes", None),
    "wrap_takeback": ("vector to storage and back", 1 / 1.5),
    "unique_mut": ("uniqueness test and store", 1.05),
    "create_64": ("make and free 64 B", 1.0),
    "create_4k": ("make and free 4 KiB", 1.0),
    "create_1m": ("make and free 1 MiB", 1.0),
    "clone_drop_2t": ("two threads clone one storage", 1.0),
    "bitmap_count": ("count 65,536 bits", 1.0),
    "bitmap_slice_count": ("slice and count 63,534 bits", 1.0),
    "bitmap_and": ("and of 65,536 bits", 1.0),
    "bitmap_and_unequal": ("the same, other offset", 1.0),
}


def left_out(who, why):
    print(f"storage: {who} left out: {why}", file=sys.stderr)


def compile_ours():
    BUILD.mkdir(parents=True, exist_ok=True)
    program = BUILD / "ours"
    flags = ["-std=gnu11", "-O2", "-fno-plt", "-pthread"]
    subprocess.run([os.environ.get("CC", "cc"), *flags, HERE / "ours.c", *SOURCES, "-o", program], check=True)
    return program


def compile_cpp():
    cxx = os.environ.get("CXX", "c++")
    program, flags, libs = BUILD / "rivals_cpp", ["-std=gnu++20", "-O2", "-pthread"], []
    glib = subprocess.run(["pkg-config", "--cflags", "--libs", "glib-2.0"], capture_output=True, text=True)
    if glib.returncode == 0:
        libs = glib.stdout.split()
        flags.append("-DHAVE_GLIB")
    else:
        left_out("GBytes", "glib's headers were not found (Debian: libglib2.0-dev)")
    done = subprocess.run([cxx, *flags, HERE / "rivals.cpp", *libs, "-o", program], capture_output=True, text=True)
    if done.returncode != 0:
        left_out("std::shared_ptr and boost::intrusive_ptr", "c++ or boost's headers are missing (Debian: g++, libboost-dev)")
        return None
    return program


def compile_rust():
    if not shutil.which("cargo"):
        return left_out("the Rust rivals", "there is no cargo (https://rustup.rs)")
    target = os.environ.get("CARGO_TARGET_DIR", str(BUILD / "rust"))
    manifest = ROOT / "bench" / "rivals" / "storage" / "Cargo.toml"
    subprocess.run(["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", manifest],
                   env={**os.environ, "CARGO_TARGET_DIR": target}, check=True)
    return Path(target) / "release" / "storage-rivals"


def run(programs, rounds):
    """{row: {name: [ns of each round]}}"""
    figures = {}
    for _ in range(rounds):
        for program in programs:
            pinned = ["taskset", "-c", "0,1", program] if shutil.which("taskset") else [program]
            for line in subprocess.run(pinned, check=True, capture_output=True, text=True).stdout.splitlines():
                row, name, ns = line.split("\t")
                figures.setdefault(row, {}).setdefault(name, []).append(float(ns))
    pick = {"clone_drop_2t": statistics.median}
    return {row: {name: pick.get(row, min)(ns) for name, ns in names.items()} for row, names in figures.items()}


def judge(row, names):
    """The word for one row: (ratio as text, reached or not, or nothing)."""
    ours = names["drystone"]
    rivals = {n: ns for n, ns in names.items() if not n.startswith(("drystone", "("))}
    any_best = min(rivals.values(), default=None)
    best = min((ns for n, ns in rivals.items() if "not 64-aligned" not in n), default=None)
    if row in ("clone_drop", "slice_drop"):
        return f"{ours / FLOOR['ns']:.2f}x two atomics", verdict(ours <= 1.15 * FLOOR["ns"])
    if row == "clone_drop_static":
        return "", verdict(ours < 2)
    if best is None:
        return "", ""
    beside = f" ({any_best / ours:.2f}x the best that is not 64-byte aligned)" if any_best < best else ""
    return f"{best / ours:.2f}x faster than the best{beside}", verdict(ours <= ROWS[row][1] * best * 1.02)


FLOOR = {"ns": float("nan")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    programs = [p for p in (compile_ours(), compile_cpp(), compile_rust()) if p]
    figures = run(programs, rounds)
    FLOOR["ns"] = figures["clone_drop"]["(two atomics)"]
    for row, (what, _) in ROWS.items():
        names = figures.get(row, {})
        if "drystone" not in names:
            continue
        ratio, word = judge(row, names)
        lines = [[name, f"{ns:.2f}"] for name, ns in sorted(names.items(), key=lambda item: item[1])]
        table(f"{what} ({row}): {ratio} {word}".rstrip(), lines, ["", "ns"])
    two = figures["clone_drop_2t"]
    print(f"\na purse: {two['drystone'] / two['drystone purse']:.0f}x faster than the shared count with two threads, "
          f"{verdict(two['drystone'] >= 5 * two['drystone purse'])} (5x)")
    save("storage", figures)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""bench/buffer/shuffle.py [--links N] ROW...: is a difference between two bodies real, or the luck of where they lie?

Links our program N times (default 30), each time with its functions in another order (ld's --section-ordering by a
shuffled list of -ffunction-sections), another padding between them, and runs it with another size of environment
(which moves the stack) and another first allocation (which moves the heap). Prints, for each body of the row, the
distribution of its minima; a ratio of two bodies is claimed only where the middle halves do not overlap.
"""
import argparse
import collections
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BODIES = "buffer.c"


def compile_once(out):
    obj = os.path.join(out, "buffer.o")
    subprocess.run(["gcc", "-std=gnu11", "-O3", "-ffunction-sections", "-c", os.path.join(HERE, BODIES), "-o", obj], check=True)
    text = subprocess.run(["objdump", "-h", obj], check=True, capture_output=True, text=True).stdout
    return obj, [word for line in text.splitlines() for word in line.split() if word.startswith(".text.")]


def link(out, obj, sections, dice):
    """A program with the sections in random order and random gaps: a linker script that adds to the default one."""
    dice.shuffle(sections)
    script = os.path.join(out, "order.ld")
    body = "\n".join(f"    . = . + {16 * dice.randrange(16)};\n    *({name})" for name in sections)
    with open(script, "w", encoding="utf-8") as f:
        f.write(f"SECTIONS {{ .text.shuffled : {{\n{body}\n}} }} INSERT AFTER .text;\n")
    program = os.path.join(out, "program")
    subprocess.run(["gcc", obj, "-o", program, "-Wl,-T," + script], check=True)
    return program


def run(program, dice, row):
    env = {**os.environ, "SHUFFLE_PADDING": "x" * dice.randrange(4096), "SHUFFLE_HEAP": str(16 * dice.randrange(4096))}
    pin = ["taskset", "-c", "0"] if shutil.which("taskset") else []
    text = subprocess.run([*pin, program, row], check=True, capture_output=True, text=True, env=env).stdout
    return [(who, float(least)) for _, who, least, _ in (line.split("\t") for line in text.splitlines())]


def show(row, figures):
    print(f"\n{row}: ns per element over {len(next(iter(figures.values())))} links")
    print(f"  {'':28} {'least':>9} {'1st quarter':>12} {'median':>9} {'3rd quarter':>12} {'most':>9}")
    middle = {}
    for who, ns in figures.items():
        low, mid, high = statistics.quantiles(ns, n=4)
        middle[who] = (low, mid, high)
        print(f"  {who:28} {min(ns):9.3f} {low:12.3f} {mid:9.3f} {high:12.3f} {max(ns):9.3f}")
    (first, (low, mid, high)), *others = middle.items()
    for who, (low2, mid2, high2) in others:
        apart = high < low2 or high2 < low
        print(f"  {first} beside {who}: " + (f"{mid2 / mid:.2f}x" if apart else "no difference can be claimed"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--links", type=int, default=30)
    parser.add_argument("row", nargs="+")
    args = parser.parse_args()
    dice = random.Random(1)
    figures = {row: collections.OrderedDict() for row in args.row}
    with tempfile.TemporaryDirectory() as out:
        obj, sections = compile_once(out)
        for n in range(args.links):
            program = link(out, obj, sections, dice)
            for row in args.row:
                for who, least in run(program, dice, row):
                    figures[row].setdefault(who, []).append(least)
            print(f"\r{n + 1} of {args.links} links", end="", file=sys.stderr)
        print(file=sys.stderr)
    for row in args.row:
        show(row, figures[row])


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""bench/buffer/run.py [--instructions] [--sizes] [ROW...]: drystone's vecs beside the rivals, in one run.

Builds into a temporary directory: our rows with gcc and, where it is, clang; the C++ rivals; the Rust rivals (cargo).
What is not installed is skipped and said. Prints for each row the least and the median ns per element, and how the best
of ours stands to the best rival (above 1: faster). --instructions counts those of our own rows under callgrind, which
is repeatable; --sizes shows code size and compile time of ten recipes beside ten std::vector.
"""
import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RIVALS = os.path.join(os.path.dirname(HERE), "rivals", "buffer")
WARN = ["-Wall", "-Wextra"]


def build(out, missing):
    """{name: program} of what can be built."""
    programs = {}
    for cc in ("gcc", "clang", "clang-19"):
        name = cc.partition("-")[0]
        if shutil.which(cc) and name not in programs:
            programs[name] = os.path.join(out, "ours-" + name)
            subprocess.run([cc, "-std=gnu11", "-O3", *WARN, os.path.join(HERE, "buffer.c"), "-o", programs[name]], check=True)
    if "clang" not in programs:
        missing.append("clang: our rows are those of gcc only")
    if shutil.which("g++"):
        programs["C++"] = os.path.join(out, "cpp")
        subprocess.run(["g++", "-std=c++17", "-O3", "-w", os.path.join(RIVALS, "rivals.cpp"), "-o", programs["C++"]], check=True)
    else:
        missing.append("g++: no C++ rivals")
    if shutil.which("cargo"):
        env = {**os.environ, "CARGO_TARGET_DIR": os.path.join(out, "cargo")}
        done = subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=RIVALS, env=env)
        if done.returncode == 0:
            programs["Rust"] = os.path.join(out, "cargo", "release", "buffer-rivals")
        else:
            missing.append("cargo could not build the Rust rivals")
    else:
        missing.append("cargo: no Rust rivals")
    return programs


def pinned():
    return ["taskset", "-c", "0"] if shutil.which("taskset") else []


def measure(programs, wanted):
    """{row: {who: (least, median)}}, ours with the compiler in its name."""
    rows = collections.OrderedDict()
    for name, program in programs.items():
        text = subprocess.run([*pinned(), program], check=True, capture_output=True, text=True)
        sys.stderr.write(text.stderr)
        for line in text.stdout.splitlines():
            row, who, least, median = line.split("\t")
            if wanted and row not in wanted:
                continue
            who = f"{who} [{name}]" if name in ("gcc", "clang") else who
            rows.setdefault(row, {})[who] = (float(least), float(median))
    return rows


def is_by_our_compilers(who):
    return who.endswith(("[gcc]", "[clang]"))


def is_ours(who):
    return is_by_our_compilers(who) and not who.startswith(("C ", "array of")) and "(fixed)" not in who


def is_rival(who):
    return not is_by_our_compilers(who) and who != "Vec of structs"


def show(rows):
    for row, whos in rows.items():
        ours = [v[0] for w, v in whos.items() if is_ours(w)]
        rivals = [(v[0], w) for w, v in whos.items() if is_rival(w) and "(fixed)" not in w]
        print(f"\n{row}")
        for who, (least, median) in sorted(whos.items(), key=lambda item: item[1][0]):
            mark = "*" if is_ours(who) else " "
            print(f"  {mark} {who:42} {least:12.3f} {median:12.3f}")
        if ours and rivals:
            best, who = min(rivals)
            print(f"    best rival that can grow: {who}; ours is {best / min(ours):.2f}x")


def instructions(program, wanted):
    listed = ["push_1e6_grow", "push_1e6_reserved", "small4", "insert_remove_mid_1000"]
    for row in wanted or listed:
        for who in ("vec(pow2(heap))", "vec, default", "vec(pow2(svo 4(heap)))", "C by hand"):
            counts = []
            for n in (1, 3):  # the difference is two bodies, without what comes before
                with tempfile.NamedTemporaryFile() as out:
                    run = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out.name}", program,
                                          row, who, str(n)], capture_output=True, text=True)
                found = re.search(r"Collected : (\d+)", run.stderr)
                if run.returncode != 0 or not found:
                    break
                counts.append(int(found[1]))
            if len(counts) == 2:
                per = 1e6 if "1e6" in row else 1e3 if "1e3" in row else 1
                print(f"{row:26} {who:26} {(counts[1] - counts[0]) / 2 / per:10.3f} instructions")


def compile_facts(what, command, source, out):
    with open(os.path.join(out, source[0]), "w", encoding="utf-8") as f:
        f.write(source[1])
    obj = os.path.join(out, source[0] + ".o")
    times = []
    for _ in range(3):
        start = time.monotonic()
        subprocess.run([*command, "-O2", "-c", f.name, "-o", obj], check=True)
        times.append(time.monotonic() - start)
    text = subprocess.run(["size", obj], capture_output=True, text=True, check=True).stdout.splitlines()[1].split()[0]
    print(f"{what:44} {int(text):8} bytes of code, {min(times):5.2f} s to compile")


def sizes(out):
    """Ten vecs of ten element types, each pushed to, and nothing else."""
    types = ["uint8_t", "uint16_t", "uint32_t", "uint64_t", "int8_t", "int16_t", "int32_t", "int64_t", "float", "double"]
    root = os.path.dirname(os.path.dirname(HERE))
    for count in (1, 10):
        ours, cpp = ['#include "buffer/buffer.h"'], ["#include <cstdint>", "#include <vector>"]
        for i, t in enumerate(types[:count]):
            ours += [f"#define DRY_NAME v{i}", f"#define DRY_ELEM {t}", '#include "buffer/vec.h"',
                     f"int push{i}(struct v{i} *v, {t} x) {{ return (int)v{i}_push(v, x); }}"]
            cpp += [f"void push{i}(std::vector<{t}> &v, {t} x) {{ v.push_back(x); }}"]
        compile_facts(f"{count} default vec, gcc -O2", ["gcc", "-I", root], (f"ours{count}.c", "\n".join(ours) + "\n"), out)
        if shutil.which("g++"):
            compile_facts(f"{count} std::vector, g++ -O2", ["g++"], (f"cpp{count}.cc", "\n".join(cpp) + "\n"), out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instructions", action="store_true")
    parser.add_argument("--sizes", action="store_true")
    parser.add_argument("row", nargs="*")
    args = parser.parse_args()
    missing = []
    with tempfile.TemporaryDirectory() as out:
        if args.sizes:
            return sizes(out)
        programs = build(out, missing)
        if args.instructions:
            for name in ("gcc", "clang"):
                if name in programs and shutil.which("valgrind"):
                    print(f"{name}:")
                    instructions(programs[name], args.row)
            return None
        show(measure(programs, args.row))
    for what in missing:
        print(f"skipped: {what}")
    return None


if __name__ == "__main__":
    sys.exit(main())

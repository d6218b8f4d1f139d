# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Damages a file in many ways and has drystone read each: damage.py SOURCE WAY DAMAGE STRIDE PROGRAM.

Runs in a process of its own, of which test_damaged.py looks at the end. Says each case before it is tried; the last
line is a report in JSON.
"""

import json
import os
import pathlib
import random
import re
import resource
import subprocess
import sys

import pyarrow as pa

import drystone

ROOM = 1 << 30  # bytes of address space beyond what a process starts with

# What pyarrow's full validation wants beyond memory safety: a flipped bit may turn a type into one with such a rule.
# drystone does not look at the values of these types.
RULES_OF_VALUES = re.compile("whole number of days|within the range|does not fit in precision")


def damaged(data, damage, stride):
    """(name, bytes) of each case; with a stride only every n-th place."""
    for at in range(0, len(data), stride):
        if damage == "prefixes":
            yield f"first {at}", data[:at]
        elif damage == "bits":
            for bit in range(8):
                yield f"byte {at} bit {bit}", data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        else:
            value = random.Random(at).choice([b for b in (0, 0x7F, 0x80, 0xFF, data[at] ^ 1) if b != data[at]])
            yield f"byte {at} is {value}", data[:at] + bytes([value]) + data[at + 1 :]


def unsound():
    """Why the table 't' of the store is not sound, though it was accepted; None if it is."""
    table = drystone.get("t")
    table.verify()
    arrow = table.to_arrow()
    try:
        arrow.validate(full=True)
    except pa.ArrowInvalid as error:
        if not RULES_OF_VALUES.search(str(error)):
            return f"pyarrow: {error}"
    except pa.ArrowNotImplementedError:
        pass  # a type that pyarrow's validation does not know
    return None


def try_get(data):
    """The damaged file lies in the store. Answers (accepted, what is wrong)."""
    path = pathlib.Path(os.environ["DRYSTONE_STORE"], "t")
    path.write_bytes(data)
    try:
        return True, unsound()
    except drystone.NomemError as error:
        return False, f"an absurd allocation: {error}"
    except drystone.Error as error:
        return False, None if str(error) and "\n" not in str(error) else f"words: {error!r}"
    finally:
        path.unlink()


class Command:
    """`drystone put t` over the damaged bytes, by file or by pipe."""

    def __init__(self, program, by_file):
        self.program, self.file = program, pathlib.Path(os.environ["DRYSTONE_STORE"] + ".input") if by_file else None

    def __call__(self, data):
        if self.file:
            self.file.write_bytes(data)
        args = [self.program, "put", "t", self.file or "-"]
        done = subprocess.run(args, input=b"" if self.file else data, capture_output=True, timeout=60)
        if self.file:
            self.file.unlink()
        if done.returncode == 0:
            try:
                return True, unsound()
            except drystone.Error as error:
                return True, f"was put, but then: {error}"
            finally:
                drystone.rm("t")
        lines = done.stderr.decode(errors="replace").splitlines()
        if done.returncode != 1 or len(lines) != 1 or not lines[0].startswith("drystone: "):
            return False, f"ended with {done.returncode}: {lines[:20]}"
        return False, f"an absurd allocation: {lines}" if "no memory" in lines[0] else None


def limit_memory(program):
    """For this process and those that it starts; not where a sanitizer needs the address space."""
    with open("/proc/self/statm") as statm:
        size = int(statm.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + ROOM, before[1]))
    if program and subprocess.run([program, "--version"], capture_output=True).returncode != 0:
        resource.setrlimit(resource.RLIMIT_AS, before)


def main(source, way, damage, stride, program):
    data = pathlib.Path(source).read_bytes()
    attempt = try_get if way == "get" else Command(program, way == "put file")
    limit_memory(program)
    report = {"cases": 0, "accepted": 0, "refused": 0, "bad": []}
    for name, bytes_ in damaged(data, damage, int(stride)):
        print(name, flush=True)
        accepted, wrong = attempt(bytes_)
        report["cases"] += 1
        report["accepted" if accepted else "refused"] += 1
        if wrong and len(report["bad"]) < 20:
            report["bad"].append(f"{name}: {wrong}")
    print(json.dumps(report))


main(*sys.argv[1:])

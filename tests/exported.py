#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 OR MIT
"""exported.py LIBRARY SONAME HEADER...

The shared library exports exactly what the public headers declare with DRY_API: nothing that is private leaks, and
nothing that is promised is missing. Its soname is SONAME.
"""
import re
import subprocess
import sys

NO_DECLARATION = re.compile(r"/\*.*?\*/|^[ \t]*#[^\n]*", re.DOTALL | re.MULTILINE)
DECLARATION = re.compile(r"\bDRY_API\b[^;(]*?\b(\w+)\s*\(")


def declared(headers):
    names = set()
    for header in headers:
        with open(header, encoding="utf-8") as f:
            names |= set(DECLARATION.findall(NO_DECLARATION.sub("", f.read())))
    return names


def exported(library):
    lines = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True).stdout
    return {line.split()[2].partition("@")[0] for line in lines.splitlines()}


def soname(library):
    lines = subprocess.run(["objdump", "-p", library], check=True, capture_output=True, text=True).stdout
    return next((line.split()[1] for line in lines.splitlines() if line.strip().startswith("SONAME")), None)


def main(library, wanted_soname, *headers):
    want, have = declared(headers), exported(library)
    faults = [f"{name} is exported and in no public header" for name in sorted(have - want)]
    faults += [f"{name} is declared DRY_API and not exported" for name in sorted(want - have)]
    faults += [f"{name} does not begin with dry_" for name in sorted(want) if not name.startswith("dry_")]
    if soname(library) != wanted_soname:
        faults.append(f"the soname is {soname(library)}, not {wanted_soname}")
    if not want:
        faults.append("no DRY_API was found in the headers: this check is blind")
    print("\n".join(faults) or f"{len(have)} names exported, all of them declared")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

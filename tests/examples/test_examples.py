# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Examples run, and print what they say at their end; the README shows them word by word.

An example states its output in its last comment, after "Output:". It finds a store of its own in $DRYSTONE_STORE, and
three trades on stdin: an Arrow file with the columns price (int64: 101, 102, 99) and symbol (utf8).
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pyarrow as pa
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = sorted(p for p in (ROOT / "examples").glob("*.*") if p.suffix in (".c", ".py"))
ARGUMENTS = {"writer_columns.c": ["100000"]}  # less than by default: tests run on small machines, too
INCLUDED = re.compile(r"<!-- (examples/[\w.]+) -->\n```(?:c|python)\n(.*?)```", re.DOTALL)


def expected_output(example):
    """The lines after "Output:" in the example's last comment; None if it states none."""
    _, found, tail = example.read_text("utf-8").partition("* Output:\n" if example.suffix == ".c" else "# Output:\n")
    if not found:
        return None
    prefix = " * " if example.suffix == ".c" else "# "
    return "".join(line.removeprefix(prefix) + "\n" for line in tail.splitlines() if line.startswith(prefix))


def command_of(example):
    if example.suffix == ".py":
        return [sys.executable, example]
    drystone = shutil.which("drystone")
    built = pathlib.Path(drystone).parent / "examples" / example.stem if drystone else None
    if not built or not built.exists():
        pytest.skip("the C examples are not built")
    return [built, *ARGUMENTS.get(example.name, [])]


@pytest.fixture
def trades(tmp_path):
    path = tmp_path / "trades.arrow"
    table = pa.table({"price": pa.array([101, 102, 99], pa.int64()), "symbol": ["AAA", "BBB", "AAA"]})
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    return path


@pytest.mark.parametrize("example", [e for e in EXAMPLES if expected_output(e) is not None], ids=lambda e: e.name)
def test_an_example_prints_what_it_says(example, trades, tmp_path):
    store = tmp_path / "store"
    store.mkdir(mode=0o700)
    with open(trades, "rb") as stdin:
        done = subprocess.run(command_of(example), stdin=stdin, capture_output=True, text=True, timeout=120,
                              env={**os.environ, "DRYSTONE_STORE": str(store)})
    assert (done.returncode, done.stdout, done.stderr) == (0, expected_output(example), "")


def test_there_are_a_c_and_a_python_example_with_output():
    assert {e.suffix for e in EXAMPLES if expected_output(e) is not None} == {".c", ".py"}


def test_the_readme_shows_the_examples_word_by_word():
    included = INCLUDED.findall((ROOT / "README.md").read_text("utf-8"))
    assert {pathlib.Path(path).suffix for path, _ in included} == {".c", ".py"}
    for path, shown in included:
        assert shown == (ROOT / path).read_text("utf-8"), path

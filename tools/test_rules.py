# SPDX-License-Identifier: Apache-2.0 OR MIT
"""tools/rules says what is missing."""
import pathlib
import subprocess
import sys

import pytest

RULES = pathlib.Path(__file__).resolve().parent / "rules"
PAGE, CODE, TEST = str(pathlib.PurePosixPath("docs", "formats", "x.md")), "x/x.c", "x/x_test.c"
WHOLE = {
    PAGE: "1. **x.one** First.\n2. **x.two** Second.\n",
    CODE: "/* rule: x.one */\n/* rule: x.two. And words. */\n",
    TEST: "/* rule: x.one, x.two */\n",
}
BROKEN = [
    (CODE, "/* rule: x.one */\n", "no code says that it keeps x.two"),
    (TEST, "/* rule: x.two */\n", "no test says that it tries x.one"),
    (TEST, WHOLE[TEST] + "/* rule: x.three */\n", "x.three is no rule"),
    (PAGE, WHOLE[PAGE].replace("2.", "3."), "rule 3 where 2 was expected"),
    (PAGE, WHOLE[PAGE] + "3. **x.one** Again.\n", "x.one stands at"),
]


def run(root, files):
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return subprocess.run([sys.executable, RULES, root], capture_output=True, text=True)


def test_rules_with_code_and_tests_are_fine(tmp_path):
    done = run(tmp_path, WHOLE)
    assert (done.returncode, done.stdout) == (0, "rules: 2 rules, each in code and in tests\n")


@pytest.mark.parametrize("name, text, words", BROKEN)
def test_what_is_missing_is_said(tmp_path, name, text, words):
    done = run(tmp_path, {**WHOLE, name: text})
    assert done.returncode == 1
    assert words in done.stdout


def test_the_tree_keeps_its_rules():
    done = subprocess.run([sys.executable, RULES], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout

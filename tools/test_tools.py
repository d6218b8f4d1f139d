# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The checks can fail: each violation is planted in a small tree of its own and must be found where it is.

Standard library only: python3 -m unittest tools/test_tools.py
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent


class Planted(unittest.TestCase):
    """A temporary tree; run(tool) gives the lines that the tool says about it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def plant(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run_tool(self, tool):
        done = subprocess.run([sys.executable, TOOLS / tool, self.root], capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout.splitlines()

    def assert_good(self, tool):
        status, lines = self.run_tool(tool)
        self.assertEqual((status, len(lines)), (0, 1), lines)

    def assert_fault(self, tool, place, words):
        status, lines = self.run_tool(tool)
        self.assertEqual((status, len(lines)), (1, 1), f"{place}: {words}: {lines}")
        self.assertTrue(lines[0].startswith(place + ": "), lines)
        self.assertIn(words, lines[0])


class Layers(Planted):
    def setUp(self):
        super().setUp()
        for module in ("base", "storage", "segment", "arrow", "store"):
            self.plant(f"{module}/{module}.h", "")
        for header in ("base/os.h", "base/check.h", "arrow/abi.h", "arrow/schema.h", "buffer/vec.h", "cli/text.h",
                       "arrow/array_testing.h", "tests/fixture.h"):
            self.plant(header, "")
        self.plant("drystone.h", '#include "store/store.h"\n')

    def test_what_the_map_allows(self):
        self.plant("store/put.c", '#include "store.h"\n#include "../base/base.h"\n#include "../segment/segment.h"\n'
                                  '#include "../base/os.h"\n#include "../arrow/abi.h"\n#include <string.h>\n')
        self.plant("base/os.c", '#include "os.h"\n#include <sys/mman.h>\n')
        self.plant("arrow/read_test.c", '#include "schema.h"\n#include <fcntl.h>\n#include <cmocka.h>\n')
        self.plant("cli/put.c", '#include "../drystone.h"\n#include "text.h"\n#include <unistd.h>\n')
        self.plant("examples/one.c", "#include <drystone/drystone.h>\n#include <drystone/buffer/vec.h>\n")
        self.plant("tests/fixture.h", '#include "../base/os.h"\n#include "../store/store.h"\n')
        self.plant("tests/kill_test.c", '#include "fixture.h"\n#include <fcntl.h>\n')
        self.plant("arrow/array_testing.h", '#include "schema.h"\n#include <fcntl.h>\n')
        self.plant("fuzz/array_fuzz.c", '#include "../arrow/array_testing.h"\n')
        self.plant("store/store_test.c", '#include "../tests/fixture.h"\n#include "../arrow/array_testing.h"\n')
        self.assert_good("layers")

    def faults(self):
        return {
            ("storage/a.c", '#include "../arrow/arrow.h"'): "storage/ is not above arrow/",
            ("base/a.c", '#include "../storage/storage.h"'): "base/ is not above storage/",
            ("segment/a.c", '#include "../arrow/abi.h"'): "segment/ is not above arrow/",
            ("store/a.c", '#include "../arrow/schema.h"'): "private to arrow/",
            ("store/a.c", '#include "arrow/schema.h"'): "private to arrow/",
            ("store/a.c", '#include "../drystone.h"'): "not the table of contents",
            ("buffer/a.h", '#include "../base/os.h"'): "buffer/ may not use it",
            ("buffer/a.h", '#include "../storage/storage.h"'): "buffer/ is not above storage/",
            ("cli/a.c", '#include "../store/store.h"'): "sees only drystone.h",
            ("cli/a.c", '#include "../base/check.h"'): "sees only drystone.h",
            ("python/src/a.c", '#include "../../arrow/arrow.h"'): "sees only drystone.h",
            ("examples/a.c", "#include <drystone/arrow/schema.h>"): "may not include",
            ("tests/outside/a.c", '#include "../../drystone.h"'): "a project outside",
            ("tests/a_test.c", '#include "../arrow/schema.h"'): "private to arrow/",
            ("arrow/a.c", '#include "array_testing.h"'): "is for tests",
            ("store/a.c", '#include "../tests/fixture.h"'): "is for tests",
            ("store/a_test.c", '#include "../arrow/schema.h"'): "private to arrow/",
            ("arrow/a.c", "#include <sys/mman.h>"): "only base/os*.c",
            ("storage/a.c", "#include <stdatomic.h>"): "only base/os*.c",
            ("base/a.c", "#  include <fcntl.h>"): "only base/os*.c",
            ("store/a.c", "#include <zstd.h>"): "only base/os*.c",
            ("store/a.c", "#include <base/base.h>"): "included in quotes",
            ("store/a.c", "#include <drystone/drystone.h>"): "may not include",
            ("store/a.c", '#include "../nowhere/x.h"'): "is not in the tree",
            ("store/a.c", "#include HEADER"): "cannot be read",
            ("misc/a.c", "int x;"): "has no place in the map",
        }

    def test_what_the_map_refuses(self):
        for (path, line), words in self.faults().items():
            self.plant(path, line + "\n" if path.startswith("misc") else "/* one */\n\n" + line + "\n")
            self.assert_fault("layers", path + (":1" if path.startswith("misc") else ":3"), words)
            os.unlink(self.root / path)

    def test_drystone_h_shows_public_headers_only(self):
        self.plant("drystone.h", '#include "arrow/schema.h"\n')
        self.assert_fault("layers", "drystone.h:1", "public headers only")

    def test_a_comment_is_no_include(self):
        self.plant("base/a.c", '/*\n#include "../store/store.h"\n*/\n')
        self.assert_good("layers")


class Orders(Planted):
    PAIR = """
/* R1: pairs with A1: what was written before it. */
dry_store_release_u32(&w, 1);
seen = dry_load_acquire_u32(&w); /* A1: pairs with R1, the bytes */
n = dry_load_relaxed_u64(&n); /* X0: a guess */
/* AR1: pairs with itself, AR1: the last one sees what all others did. */
dry_sub_acq_rel_u64(&n, 1);
"""

    def test_labelled_atomics_are_good(self):
        self.plant("storage/a.c", self.PAIR)
        self.plant("base/atomic.h", "_Atomic int x; atomic_load_explicit(&x, memory_order_relaxed);\n")
        self.plant("storage/words.c", '/* volatile */ const char *s = "_Atomic";\n')
        self.plant("storage/storage_test.c", "static volatile int stop;\n")
        self.assert_good("orders")

    def test_raw_atomics_are_refused(self):
        for raw in ("atomic_load(&x)", "__atomic_load_n(&x, 0)", "__sync_synchronize()", "_Atomic int x",
                    "volatile int x", "f(memory_order_seq_cst)"):
            self.plant("pool/a.c", f"int y;\n{raw};\n")
            self.assert_fault("orders", "pool/a.c:2", "base/atomic.h only")

    def refuse(self, text, line, words):
        self.plant("store/a.c", text)
        self.assert_fault("orders", f"store/a.c:{line}", words)

    def test_silent_or_wrongly_labelled(self):
        self.refuse("\nx = dry_load_relaxed_u32(&w);\n", 2, "without a comment that begins with X1:")
        self.refuse("/* the count */\nx = dry_load_relaxed_u32(&w);\n", 2, "without a comment")
        self.refuse("/* X0: far away */\n\nx = dry_load_relaxed_u32(&w);\n", 3, "without a comment")
        self.refuse("/* X0: not so relaxed */\nx = dry_load_acquire_u32(&w);\n", 2, "begins with A1:")
        self.refuse("/* A1: pairs with R1 */\ndry_store_release_u32(&w, 1);\n/* R1: */\n", 2, "begins with R1:")

    def test_partners(self):
        self.refuse("/* A1: sees the bytes */\nx = dry_load_acquire_u32(&w);\n", 2, "names no partner")
        self.refuse("/* A1: pairs with R7 */\nx = dry_load_acquire_u32(&w);\n", 2, "R7, which is no label")
        self.refuse("/* A1: pairs with A2 */\nx = dry_load_acquire_u32(&w);\n", 2, "names no partner")


class Shape(Planted):
    HEAD = "/* SPDX-License-Identifier: Apache-2.0 OR MIT */\n"

    def test_at_the_limits(self):
        body = "    x++;\n" * 57
        self.plant("base/a.c", self.HEAD + "int f(void)\n{\n" + body + "}\n" + "int g(void)\n{\n" + body + "}\n")
        self.plant("base/b.h", self.HEAD + "\n" * 598)
        self.plant("tools/t", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0 OR MIT\n")
        self.plant("docs/notes.txt", "\n" * 1000)
        self.assert_good("shape")

    def test_beyond_them(self):
        for path, text, line, words in (
                ("base/a.c", "int x;\n", 1, "no licence"),
                ("tools/t", "#!/bin/sh\ntrue\n", 1, "no licence"),
                ("base/a.c", self.HEAD + "\n" * 599, 600, "600 lines"),
                ("base/a.c", self.HEAD + "int f(void)\n{\n" + "    x++;\n" * 58 + "}\n", 3, "function of 60 lines")):
            self.plant(path, text)
            self.assert_fault("shape", f"{path}:{line}", words)
            os.unlink(self.root / path)


class Links(Planted):
    def test_good_pages(self):
        self.plant("README.md", "[a](pages/a.md) [b](pages/a.md#two-words) [c](https://example.org) [d](#here)\n"
                                "# Here\n"
                                "```\n[no link](nowhere.md)\n```\n")
        self.plant("pages/a.md", "# One\n## Two words!\n[back](../README.md)\n")
        self.plant("base/a.c", "/* pages/a.md has the figures */\n")
        self.assert_good("links")

    def test_broken_pages(self):
        self.plant("pages/a.md", "# One\n")
        for path, text, words in (("README.md", "\n[a](pages/b.md)\n", "leads nowhere"),
                                  ("README.md", "\n[a](pages/a.md#three)\n", "no heading #three"),
                                  ("base/a.c", "\n/* see do" "cs/c.md */\n", "is not there")):
            self.plant(path, text)
            self.assert_fault("links", path + ":2", words)
            os.unlink(self.root / path)


class Tally(unittest.TestCase):
    CTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="Linux-c++" tests="6" failures="2" disabled="0" skipped="1">
 <testcase name="a" classname="a" time="0.1" status="run"><system-out>[==========] 5 test(s) run.
[  PASSED  ] 4 test(s).
[  SKIPPED ] 1 test(s), listed below:
</system-out></testcase>
 <testcase name="b" classname="b" time="0.1" status="fail"><failure message=""/><system-out>[  PASSED  ] 7 test(s).
[  FAILED  ] 2 test(s), listed below:
</system-out></testcase>
 <testcase name="died" classname="d" time="0.1" status="fail"><failure message="SEGFAULT"/>
  <system-out>[ RUN      ] x</system-out></testcase>
 <testcase name="script" classname="s" time="0.1" status="run"><system-out>fine</system-out></testcase>
 <testcase name="s77" classname="s" time="0.1" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/>
  <system-out></system-out></testcase>
</testsuite>
"""
    PYTEST = ('<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" '
              'errors="1" failures="2" skipped="3" tests="20" time="1.0"><testcase classname="t" name="n" time="0.1">'
              '<system-out>[  PASSED  ] 99 test(s)</system-out></testcase></testsuite></testsuites>\n')

    def tally(self, text):
        return subprocess.run(["awk", "-f", TOOLS / "dev" / "tally.awk"], input=text, capture_output=True, text=True,
                              check=True).stdout.strip()

    def test_cmocka_programs_count_with_their_tests(self):
        self.assertEqual(self.tally(self.CTEST), "12 3 2")

    def test_pytest_counts_by_its_heading(self):
        self.assertEqual(self.tally(self.PYTEST), "14 3 3")

    def test_they_add_up_in_any_order(self):
        self.assertEqual(self.tally(self.CTEST + self.PYTEST + self.CTEST), "38 9 7")

    def test_nothing_is_zero(self):
        self.assertEqual(self.tally(""), "0 0 0")


class Dev(unittest.TestCase):
    ROOT = TOOLS.parent

    def test_the_usage_names_what_there_is(self):
        text = (self.ROOT / "dev").read_text("utf-8")
        usage = re.findall(r"^  ([a-z-]+) ", text, re.MULTILINE)
        cases = re.findall(r"^([a-z-]+)\) ", text, re.MULTILINE)
        self.assertEqual(usage, cases)

    def test_which_prints_a_path_and_nothing_else(self):
        if not (self.ROOT / "build" / "release" / "drystone").exists():
            self.skipTest("the command is not built")
        done = subprocess.run([self.ROOT / "dev", "which"], capture_output=True, text=True, cwd="/")
        self.assertEqual((done.returncode, done.stdout), (0, f"{self.ROOT}/build/release/drystone\n"))

    def test_python_packages_are_pinned(self):
        for line in (self.ROOT / "tools" / "requirements.txt").read_text().splitlines():
            self.assertRegex(line, r"^(#.*|[A-Za-z0-9-]+==[0-9.]+)$")


if __name__ == "__main__":
    unittest.main()

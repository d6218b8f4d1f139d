# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The line about long work. Its beginning is set back, so that no test waits for it."""

import pytest

PROGRAM = """
#define _GNU_SOURCE
#include <stdio.h>
#include "cli.h"
#include "progress.h"

static size_t screen;

size_t dry_cli_terminal_width(int fd)
{
    return fd == 2 ? screen : 0;
}

/* What standard error gets of work that has gone on for `seconds`, in two steps, and has come to its end. */
void play(const char *path, size_t columns, uint64_t total, uint64_t seconds, uint64_t first, uint64_t second);
void play(const char *path, size_t columns, uint64_t total, uint64_t seconds, uint64_t first, uint64_t second)
{
    struct dry_progress p;
    FILE *before = stderr;
    stderr = fopen(path, "w");
    screen = columns;
    dry_progress_begin(&p, "na\\x1bme", total);
    p.started_ns -= seconds * 1000000000u;
    dry_progress_step(&p, first);
    p.drawn_ns = 0;
    dry_progress_step(&p, second);
    dry_progress_end(&p);
    fclose(stderr);
    stderr = before;
}
"""

MIB = 1 << 20
DAY = 100000  # seconds: so many that the time which the test itself takes is not seen in the rate


@pytest.fixture(scope="module")
def library(compiled):
    return compiled(PROGRAM, "progress", "human", "text")


@pytest.fixture
def play(library, tmp_path):
    def drawn(*numbers):
        import ctypes

        library.play(str(tmp_path / "out").encode(), *map(ctypes.c_uint64, numbers))
        return (tmp_path / "out").read_bytes().decode()

    return drawn


def test_done_rate_and_time_left(play):
    _, first, second, gone, end = play(100, 2 * DAY * 10 * MIB, DAY, DAY * 10 * MIB, 2 * DAY * 10 * MIB).split("\r")
    assert first == "na\\x1bme: 977 GiB of 1.9 TiB, 50%, 10 MiB/s, 1 d 3 h left"
    assert second.rstrip() == "na\\x1bme: 1.9 TiB of 1.9 TiB, 100%, 20 MiB/s" and len(second) == len(first)
    assert gone == " " * len(second.rstrip()) and end == ""


def test_a_total_that_is_not_known(play):
    assert play(100, 0, DAY, DAY * MIB, DAY * MIB).split("\r")[1] == "na\\x1bme: 98 GiB, 1.0 MiB/s"


def test_the_line_stays_inside_the_terminal(play):
    for line in play(20, 2 * DAY * 10 * MIB, DAY, DAY * 10 * MIB, DAY * 11 * MIB).split("\r"):
        assert len(line) <= 19


def test_what_is_no_terminal_gets_nothing(play):
    assert play(0, MIB, DAY, MIB, MIB) == ""

# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Timing that can be trusted on a noisy machine: the candidates take turns, round by round, so that a slow moment meets
all of them; the minimum is what to read, the median and the spread say how noisy it was."""

import json
import statistics
import time
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "build" / "bench"


def take_turns(candidates, rounds, warmups=1, reset=lambda: None, primed=False):
    """candidates: {name: function}. Returns {name: [seconds of each round]} and {name: seconds of the very first}.
    primed: each runs once more, untimed, before it is timed, so that the free memory is as it leaves it itself: on a
    virtual host whoever comes after another kind of pages pays for the change."""
    times = {name: [] for name in candidates}
    first = {}
    for turn in range(warmups + rounds):
        for name, run in candidates.items():
            if primed and turn:
                run()
                reset()
            start = time.perf_counter()
            run()
            took = time.perf_counter() - start
            first.setdefault(name, took)
            if turn >= warmups:
                times[name].append(took)
            reset()
    return times, first


def each(run, rounds, batch):
    """Seconds of one call, for `rounds` rounds of `batch` calls each."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(batch):
            run()
        times.append((time.perf_counter() - start) / batch)
    return times


def spread(times):
    return {"min": min(times), "median": statistics.median(times), "max": max(times)}


def human(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def table(title, rows, columns):
    """Prints rows (lists of text) under column names, aligned."""
    widths = [max(len(str(line[i])) for line in [columns, *rows]) for i in range(len(columns))]
    print(f"\n{title}")
    for line in [columns, *rows]:
        print("  " + "  ".join(str(cell).ljust(w) if i == 0 else str(cell).rjust(w) for i, (cell, w) in enumerate(zip(line, widths))))


def verdict(reached):
    return "reached" if reached else "FALLS SHORT"


def save(name, figures):
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(figures, indent=2) + "\n")


def plot(name, title, bars, unit):
    """Horizontal bars of the minimum, with a line from minimum to maximum. bars: {label: [values]}"""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    labels = list(bars)
    lows = [min(bars[label]) for label in labels]
    highs = [max(bars[label]) for label in labels]
    figure, axes = pyplot.subplots(figsize=(8, 0.6 * len(labels) + 1.4), layout="constrained")
    ours = ["#b5532a" if label.startswith("drystone") else "#8a9199" for label in labels]
    axes.barh(labels, lows, color=ours)
    axes.hlines(labels, lows, highs, color="black", linewidth=1)
    for label, low in zip(labels, lows):
        axes.text(low, label, f" {low:.3g}", va="center", ha="left", color="black")
    axes.invert_yaxis()
    axes.set_title(f"{title} (bar: minimum; line: to the slowest)", fontsize=10)
    axes.set_xlabel(unit)
    axes.spines[["top", "right"]].set_visible(False)
    OUT.mkdir(parents=True, exist_ok=True)
    figure.savefig(OUT / f"{name}.png", dpi=130)
    pyplot.close(figure)

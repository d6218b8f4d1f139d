# SPDX-License-Identifier: Apache-2.0 OR MIT
"""One family of exceptions, one class for each status of the C library."""

import ast
import copy
import pathlib
import pickle
import re

import pytest

import drystone

ROOT = pathlib.Path(__file__).parents[2]
STATUSES = [s for s in re.findall(r"^ +X\((\w+), \"", (ROOT / "base/base.h").read_text(), re.M) if s != "OK"]


def class_of(status):
    return getattr(drystone, "".join(w.capitalize() for w in status.split("_")) + "Error")


def test_every_status_has_a_class():
    assert len(STATUSES) >= 13
    for status in STATUSES:
        cls = class_of(status)
        assert issubclass(cls, drystone.Error)
        assert cls.status == status and cls.errno is None and cls.__doc__ and cls.__module__ == "drystone"
    assert drystone.Error.status is None
    family = {c for c in vars(drystone).values() if isinstance(c, type) and issubclass(c, drystone.Error)}
    assert family == {drystone.Error, *map(class_of, STATUSES)}


@pytest.mark.parametrize(
    ("status", "kin"),
    [
        ("NOMEM", MemoryError),
        ("INVALID", ValueError),
        ("NOT_FOUND", FileNotFoundError),
        ("EXISTS", FileExistsError),
        ("DENIED", PermissionError),
        ("FULL", OSError),
        ("CORRUPT", ValueError),
        ("TIMEOUT", TimeoutError),
        ("IO", OSError),
    ],
)
def test_where_python_has_a_class_ours_is_that_too(status, kin):
    assert issubclass(class_of(status), kin)


def test_words_and_errno(store, monkeypatch):
    with pytest.raises(drystone.NotFoundError) as caught:
        drystone.get("trades")
    assert "'trades'" in str(caught.value) and str(store) in str(caught.value)
    assert caught.value.status == "NOT_FOUND" and caught.value.errno is None
    with pytest.raises(drystone.IoError) as caught:
        drystone.get("t", store="x" * 300)
    assert caught.value.errno == 36 and "File name too long" in str(caught.value)


def test_errors_can_be_copied_and_pickled(store):
    with pytest.raises(drystone.NotFoundError) as caught:
        drystone.get("t")
    for again in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert type(again) is drystone.NotFoundError and str(again) == str(caught.value)


def test_the_stub_names_what_there_is():
    tree = ast.parse((ROOT / "python/drystone/__init__.pyi").read_text())
    classes = {n.name: n for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_")}
    functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    assert sorted([*classes, *functions]) == sorted(drystone.__all__)
    for name, node in classes.items():
        cls = getattr(drystone, name)
        if issubclass(cls, drystone.Error):
            bases = [b.id if isinstance(b, ast.Name) else b.attr for b in node.bases]
            assert bases == [b.__name__ for b in cls.__bases__]
    table = {n.name for n in classes["Table"].body}
    assert table == {n for n in vars(drystone.Table) if not n.startswith("__") or "arrow" in n or n == "__len__"}
    fields = [n.target.id for n in classes["Entry"].body]
    assert fields == list(drystone.Entry.__match_args__)


def test_everything_has_a_docstring():
    for name in drystone.__all__:
        assert getattr(drystone, name).__doc__, name
    assert re.fullmatch(r"\d+\.\d+\.\d+", drystone.__version__)

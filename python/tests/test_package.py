# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pip install .` makes one wheel that serves every CPython from 3.11 on, and that needs nothing of the build tree."""

import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

import drystone

ROOT = pathlib.Path(__file__).parents[2]

USE = """
import sys, drystone
sys.path.append(sys.argv[1])
from c_stream import Producer, int32_column
drystone.put("t", Producer(batches=[int32_column(), int32_column([4])]))
t = drystone.get("t", timeout=1)
capsule, schema = t.__arrow_c_stream__(), t.__arrow_c_schema__()
try:
    drystone.get("missing")
except drystone.NotFoundError as error:
    assert "missing" in str(error)
print(drystone.__file__, len(t), t.column_names, [e.rows for e in drystone.ls()], drystone.ls()[0].created.tzinfo)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    if not importlib.util.find_spec("scikit_build_core") or not shutil.which("cmake"):
        pytest.skip("scikit-build-core or cmake is missing")
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "--no-build-isolation"]
    args = ["--quiet", "--wheel-dir", out, f"--config-settings=build-dir={out}/build", ROOT]
    done = subprocess.run([*pip, *args], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def unpacked(wheel):
    place = wheel.parent / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


def test_its_name_says_what_it_serves(wheel):
    assert re.fullmatch(rf"drystone-{drystone.__version__}-cp311-abi3-linux_\w+\.whl", wheel.name)


def test_it_has_the_package_and_nothing_else(unpacked):
    files = {str(p.relative_to(unpacked)) for p in unpacked.rglob("*") if p.is_file()}
    package = {f for f in files if not f.startswith(f"drystone-{drystone.__version__}.dist-info/")}
    names = {"__init__.py", "__init__.pyi", "_writer.py", "py.typed", "_drystone.abi3.so"}
    assert package == {f"drystone/{n}" for n in names}
    assert {"LICENSE-APACHE", "LICENSE-MIT"} <= {pathlib.Path(f).name for f in files - package}


def test_it_exports_one_function(unpacked):
    if not shutil.which("nm"):
        pytest.skip("there is no nm")
    library = unpacked / "drystone/_drystone.abi3.so"
    listing = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
    assert [line.split()[-1] for line in listing.stdout.splitlines()] == ["PyInit__drystone"]


def pythons():
    """This one, and the later ones that are there and run."""
    found = [sys.executable]
    for minor in range(12, 20):
        path = shutil.which(f"python3.{minor}")
        if path and subprocess.run([path, "-c", ""], capture_output=True).returncode == 0:
            found.append(path)
    return found


@pytest.mark.parametrize("python", pythons())
def test_it_runs(unpacked, store, python):
    code = f"import sys; sys.path.insert(0, {str(unpacked)!r})\n{USE}"
    command = [python, "-I", "-B", "-c", code, pathlib.Path(__file__).parent]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout == f"{unpacked}/drystone/__init__.py 4 ['x'] [4] UTC\n", done.stderr
    assert done.stderr == ""

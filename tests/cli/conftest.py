# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Runs the built command, whose path is in $DRYSTONE_COMMAND, on a fresh store."""

import ctypes
import fcntl
import io
import json
import os
import pathlib
import pty
import shutil
import struct
import subprocess
import termios

import pyarrow as pa
import pytest


class Command:
    """drystone on one store. Every call has a limit in time, so that a hang is a failure."""

    def __init__(self, path, store, environment):
        self.path, self.store = path, store
        self.environment = environment | {"DRYSTONE_STORE": str(store)}

    def words(self, args):
        return [self.path, *map(str, args)]

    def __call__(self, *args, status=0, **options):
        """What it printed, as bytes. On failure exactly one line is checked for, and returned."""
        options = {"capture_output": True, "timeout": 60, "env": self.environment} | options
        done = subprocess.run(self.words(args), check=False, **options)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        if status == 1:
            line = done.stderr.decode()
            assert line.startswith("drystone: ") and line.endswith("\n") and line.count("\n") == 1, line
            return line
        assert status != 0 or not done.stderr, done.stderr
        return done.stderr.decode() if status else done.stdout

    def text(self, *args, **options):
        return self(*args, **options).decode()

    def json(self, *args, **options):
        return json.loads(self(*args, "--json", **options))

    def put(self, name, table, **options):
        return self("put", name, input=stream(table), **options)

    def terminal(self, *args, columns=80, **environment):
        """Exit status, and what is seen on a terminal of that width that is input, output and error."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = self.environment | environment
        child = subprocess.Popen(self.words(args), stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 65536):
                seen += piece
        except OSError:  # how a terminal says that nobody has its other end any more
            pass
        os.close(ours)
        return child.wait(timeout=60), seen.replace(b"\r\n", b"\n")


def stream(table, **options):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue()


@pytest.fixture
def drystone(tmp_path):
    path = os.environ.get("DRYSTONE_COMMAND")
    assert path, "DRYSTONE_COMMAND names the built command"
    environment = {k: v for k, v in os.environ.items() if k not in ("POSIXLY_CORRECT", "ARGP_HELP_FMT", "COLUMNS")}
    return Command(os.path.abspath(path), tmp_path / "store", environment)


@pytest.fixture
def table():
    return pa.table({"id": [1, 2, 3], "word": ["one", None, "three"]})


@pytest.fixture
def as_stream():
    return stream


@pytest.fixture
def as_file(tmp_path):
    """Writes an Arrow IPC file and returns its path."""

    def write(table, name="table.arrow", **options):
        path = tmp_path / name
        with pa.ipc.new_file(path, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
            writer.write_table(table)
        return path

    return write


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Makes a library of a program in C and of parts of the command, for what cannot be reached from outside."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    cli = pathlib.Path(__file__).parents[2] / "cli"

    def make(program, *parts):
        folder = tmp_path_factory.mktemp("compiled")
        (folder / "program.c").write_text(program)
        sources = [folder / "program.c", *(cli / f"{part}.c" for part in parts)]
        options = ["-std=c11", "-O1", "-shared", "-fPIC", f"-I{cli}", "-o", folder / "program.so"]
        subprocess.run([compiler, *options, *sources, "-lm"], check=True)
        return ctypes.CDLL(str(folder / "program.so"))

    return make

# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The command line itself: help, wrong usage, outputs that go away, completions."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import pyarrow as pa
import pytest

COMMANDS = ["put", "get", "ls", "path", "schema", "head", "stat", "rm", "mv", "verify", "completion"]
MANUAL = pathlib.Path(__file__).parents[2] / "docs" / "man"


def test_help_and_version(drystone):
    help = drystone.text("--help")
    for command in COMMANDS:
        assert re.search(rf"^  {command} +\w", help, re.M)
        own = drystone.text(command, "--help")
        assert own.startswith(f"Usage: drystone {command} ") and "--store" in own
    assert re.fullmatch(r"drystone \d+\.\d+\.\d+\n", drystone.text("--version"))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nonsense"],
        ["--nonsense"],
        ["put"],
        ["put", "a", "b", "c"],
        ["put", "a", "--json"],
        ["get"],
        ["get", "a", "--format", "parquet"],
        ["get", "a", "--wait", "soon"],
        ["get", "a", "--wait", "-1"],
        ["get", "a", "--wait", "1e3"],
        ["get", "a", "--wait"],
        ["ls", "a"],
        ["head", "a", "-n", "many"],
        ["head", "a", "-n", "-5"],
        ["head", "a", "-n", "99999999999999999999"],
        ["head", "a", "-n", ""],
        ["rm"],
        ["mv", "a"],
        ["verify"],
        ["completion", "csh"],
        ["ls", "--sto\x1b[2J"],
        ["\x1b[2J"],
        ["--store"],
    ],
)
def test_wrong_usage(drystone, words):
    message = drystone(*words, status=2)
    assert message.startswith("drystone") and message.count("\n") <= 4
    assert "\x1b" not in message


def test_a_dash_may_begin_a_name(drystone, table):
    drystone("put", "--", "-t", input=None, stdin=subprocess.DEVNULL, status=1)
    drystone("ls", "--json")


def test_options_may_stand_anywhere(drystone, table):
    drystone.put("t", table)
    drystone.environment["POSIXLY_CORRECT"] = "1"
    assert len(drystone.json("head", "t", "-n", "1")) == 1
    assert len(drystone.json("head", "-n1", "t")) == 1
    assert len(drystone.json("head", "--rows=2", "t")) == 2


def test_a_reader_that_goes_away_is_no_error(drystone):
    drystone.put("t", pa.table({"x": range(200000)}))
    for words in (["head", "t", "-n", "200000"], ["head", "t", "-n", "200000", "--json"], ["get", "t"]):
        for action in (signal.SIG_DFL, signal.SIG_IGN):
            with subprocess.Popen(
                drystone.words(words),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=drystone.environment,
                preexec_fn=lambda action=action: signal.signal(signal.SIGPIPE, action),
                restore_signals=False,
            ) as child:
                child.stdout.read(1)
                child.stdout.close()
                assert child.stderr.read() == b""
                assert child.wait(timeout=60) == -signal.SIGPIPE


def test_an_output_without_room_is_an_error(drystone, table):
    drystone.put("t", table)
    with open("/dev/full", "wb") as full:
        for words in (["ls"], ["head", "t"], ["get", "t"], ["schema", "t", "--json"], ["completion", "bash"]):
            drystone(*words, stdout=full, capture_output=False, stderr=subprocess.PIPE, status=1)


def test_progress_leaves_nothing_behind(drystone, table, as_file):
    status, seen = drystone.terminal("put", "t", as_file(table))
    *drawn, last = seen.split(b"\r")  # more than one only where the put took long
    assert status == 0 and last == b"" and not (drawn[-1].strip() if drawn else b"")


def test_every_command_has_a_manual_page():
    pages = {page.name for page in MANUAL.glob("*.scd")}
    assert pages == {"drystone.1.scd"} | {f"drystone-{command}.1.scd" for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_manual_page_has_every_option(drystone, command):
    page = (MANUAL / f"drystone-{command}.1.scd").read_text() + (MANUAL / "drystone.1.scd").read_text()
    for option in re.findall(r"--[a-z-]+", drystone.text(command, "--help")):
        assert option == "--usage" or f"*{option}*" in page, option


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"there is no {program}")


@pytest.fixture
def completing(drystone, table, tmp_path):
    """A store, and a folder with one file, for completions to find; `drystone` is in the PATH."""
    drystone.put("flights", table)
    drystone.put("planes", table)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "data.arrow").touch()
    (folder / "drystone").symlink_to(drystone.path)
    drystone.environment["PATH"] = f"{folder}:{drystone.environment['PATH']}"
    drystone.folder = folder
    return drystone


CASES = [
    ("drystone p", {"put", "path"}),
    ("drystone --store /tmp r", {"rm"}),
    ("drystone get ", {"flights", "planes"}),
    ("drystone get --wait 5 fl", {"flights"}),
    ("drystone get --format ", {"file", "stream"}),
    ("drystone get --format fi", {"file"}),
    ("drystone put flights da", {"data.arrow"}),
    ("drystone get flights -o da", {"data.arrow"}),
    ("drystone rm flights pl", {"planes"}),
    ("drystone completion f", {"fish"}),
    ("drystone put --no", {"--no-clobber"}),
    ("drystone ls --js", {"--json"}),
]


def run_shell(completing, words):
    done = subprocess.run(
        words, capture_output=True, timeout=60, env=completing.environment, cwd=completing.folder, text=True
    )
    assert done.returncode == 0 and not done.stderr, (done.stdout, done.stderr)
    return done.stdout


@needs("bash")
@pytest.mark.parametrize("line, wanted", CASES)
def test_bash(completing, line, wanted):
    script = """
        source <(drystone completion bash)
        compopt() { :; }
        IFS=' ' read -ra COMP_WORDS <<<"$1"; [[ $1 == *' ' ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _drystone
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    assert set(run_shell(completing, ["bash", "-c", script, "bash", line]).split()) == wanted


@needs("fish")
@pytest.mark.parametrize("line, wanted", CASES)
def test_fish(completing, line, wanted):
    completing.environment["HOME"] = str(completing.folder)
    script = "drystone completion fish | source; complete -C $argv[1]"
    out = run_shell(completing, ["fish", "--no-config", "-c", script, line])
    assert {row.split("\t")[0] for row in out.splitlines()} == wanted


# An interactive zsh on a terminal of its own: what compadd is given for each line is printed between two marks, which
# stand in the commands in two halves, because the terminal echoes them.
ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
see() { seen=; local piece; while [[ $seen != *$1* ]] && zpty -r shell piece; do seen+=$piece; done }
zpty -w shell 'PS1= RPS1= ; autoload -U compinit; compinit -u -d $PWD/.zcompdump; source <(drystone completion zsh)'
zpty -w shell 'compadd() { local -a got; builtin compadd -O got "$@"; shown+=($got); builtin compadd "$@" }'
zpty -w shell 'show() { print -rl -- "<BE""GIN>" $shown "<E""ND>"; BUFFER=; shown=() }; zle -N show'
zpty -w shell 'bindkey "^I" complete-word; bindkey "^X" show; stty cols 200; print "<RE""ADY>"'
see '<READY>'
for line; do
    zpty -w -n shell "$line"$'\t\C-x'
    see '<END>'
    print -r -- "$seen"
done
"""


@needs("zsh")
def test_zsh_reads_the_script(completing):
    script = completing("completion", "zsh")
    done = subprocess.run(["zsh", "-f", "-n"], input=script, capture_output=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stderr


@needs("zsh")
def test_zsh(completing):
    out = run_shell(completing, ["zsh", "-f", "-c", ZSH, "zsh", *(line for line, _ in CASES)])
    blocks = re.findall(r"<BEGIN>(.*?)<END>", out, re.S)
    assert len(blocks) == len(CASES)
    for block, (line, wanted) in zip(blocks, CASES):
        assert set(block.split()) == wanted, line

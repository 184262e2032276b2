"""Completion by TAB, asked as the shells ask it; what bash makes of the completed line is what counts."""

import json
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Call
from gbvis.attribution.methods import METHODS
from gbvis.cli import complete
from gbvis.cli.completion import SHELLS, script_of
from gbvis.cli.shell_words import quote_rest, read_line
from gbvis.cli.words import describe_words
from gbvis.store.keys import video_key

HOSTILE = [
    "my clip", "a:b", "a=b", "it's", 'q"q', "$(touch pwned)", "`touch pwned`", "x;touch pwned", "wei!rd", "~root", "*",
    "back\\slash", "tab\there", "\x1b[31mred", "étoile", "-dash", "\udce9", "#no comment", "a&b|c>d", "{1..3}",
    "new\nline",
]  # fmt: skip
"""Names of videos that a shell would make something else of."""

START = "import sys; from gbvis.cli.start import main; main()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a store of such names, some files, and a `gbvis` that keeps the words it is called with."""
    for name in [*HOSTILE, "turn-left-3"]:
        (tmp_path / "gbvis.zarr" / video_key(name)).mkdir(parents=True)
    record = tmp_path / "gbvis.zarr/weights" / ("0" * 64)
    record.mkdir(parents=True)
    (record / "zarr.json").write_text('{"attributes": {"name": "mine too"}}')
    (tmp_path / "my films").mkdir()
    (tmp_path / "my films/one two.mp4").touch()
    (tmp_path / "weights.pth").touch()
    program = tmp_path / "bin/gbvis"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/bash\nif [[ -n $GBVIS_COMPLETE ]]; then exec {sys.executable} -c "{START}" "$@"; fi\n'
        f"printf '%s\\0' \"$@\" > {tmp_path}/called\n"
    )
    program.chmod(0o755)
    return tmp_path


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8", "TERM": "dumb"}


def ask_bash(lines: list[tuple[str, str]], folder: Path, environment: dict[str, str]) -> list[list[str]]:
    """Return COMPREPLY for each line and the part of it that bash would replace."""
    script = [f"source {script_of('bash')}", 'words() { printf "%s\\0" "${COMPREPLY[@]}" | tr "\\0" "\\036"; echo; }']
    for line, replaced in lines:
        quoted = [f"'{word.replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}'" for word in (line, replaced)]
        script += [f"COMP_LINE={quoted[0]}; COMP_POINT=${{#COMP_LINE}}; _gbvis_completion gbvis {quoted[1]}; words"]
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=folder, env=environment, capture_output=True, check=True
    )
    assert not done.stderr
    return [os.fsdecode(line).strip("\x1e").split("\x1e") for line in done.stdout.split(b"\n")[:-1]]


ASKED = [
    ("gbvis ", "", ["predict", "explain", "render", "extract", "demo", "store"]),
    ("gbvis ex", "ex", ["explain", "extract"]),
    ("gbvis store ", "", ["ls", "verify", "rm"]),
    ("gbvis explain --lab", "--lab", ["--labels", "--label", "--labels-from-one"]),
    ("gbvis explain -e Conv3d_4", "Conv3d_4", ["Conv3d_4_x"]),
    ("gbvis explain --endpoint=SO", "SO", ["SOFTMAX"]),
    ("gbvis render --layout o", "o", ["overlay"]),
    ("gbvis explain --checkpoint-format old", "old", ["old-script"]),
    ("gbvis explain --flow-algorithm ", "", ["tvl1", "dis", "farneback"]),
    ("gbvis explain --method ", "", [*METHODS.names]),
    ("gbvis explain -m ", "", ["rgb", "flow"]),
    ("gbvis render --panels frame,neg", "frame,neg", ["frame,negative"]),
    ("gbvis explain sample:turn-r", "turn-r", ["turn-right-"]),
    ("gbvis render sample:turn-l", "turn-l", ["turn-left-3"]),
    ("gbvis render a:", "", ["b"]),
    ("gbvis store rm turn", "turn", ["turn-left-3"]),
    ("gbvis render --store elsewhere.zarr turn", "turn", []),
    ("gbvis explain -w w", "w", ["weights.pth"]),
    ("gbvis explain -w s", "s", ["sample"]),
    ("gbvis explain -w mi", "mi", []),
    ("gbvis render -w mi", "mi", ["mine\\ too"]),
    ("gbvis store ls --weights=mi", "mi", ["mine\\ too"]),
    ("gbvis --install-completion z", "z", ["zsh"]),
    ("gbvis --show-completion=f", "f", ["fish"]),
    ("gbvis extract my\\ f", "my\\ f", ["my\\ films/"]),
    ('gbvis extract "my films/o', "my films/o", ["my films/one two.mp4"]),
    ("gbvis render $HO", "$HO", []),
    ("gbvis render > w", "w", []),
    ("gbvis render no-such", "no-such", []),
]


def test_what_bash_is_told(folder: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for line, replaced, wanted in ASKED:
        words = complete.complete_line(line, replaced)
        assert {*wanted} <= {*words}, (line, words)
        assert len(wanted) > 1 or words == wanted, (line, words)
    some = ASKED[1::5]
    assert ask_bash([(line, replaced) for line, replaced, _ in some], folder, environment) == [
        complete.complete_line(line, replaced) or [""] for line, replaced, _ in some
    ]


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_every_name_arrives_as_one_word_and_none_is_run(folder: Path, environment: dict[str, str], quote: str) -> None:
    """The line with what completion says behind it is read by bash, the quote closed as a TAB closes it."""
    (words,) = ask_bash([(f"gbvis render {quote}", "")], folder, environment)
    assert all(word.isprintable() for word in words)
    script = "".join(f"printf '%s\\0' {quote}{word}{quote}\n" for word in words)
    done = subprocess.run(
        ["bash", "-c", os.fsencode(script)], cwd=folder, env=environment, capture_output=True, check=True
    )
    arrived = {os.fsdecode(word).removeprefix("./") for word in done.stdout.split(b"\0")}
    assert {*HOSTILE} <= arrived
    assert not (folder / "pwned").exists()


class Terminal:
    """A bash that somebody types into."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._process, self._terminal = pty.fork()
        if self._process == 0:
            os.chdir(folder)
            os.execvpe("bash", ["bash", "--noprofile", "-i"], environment)
        self._wait()

    def _wait(self, seconds: float = 60) -> None:
        """Read until the prompt is there."""
        self.type("PS1=; echo re''ady\n")
        shown, end = b"", time.monotonic() + seconds
        while b"ready" not in shown and time.monotonic() < end:
            if select.select([self._terminal], [], [], 0.1)[0]:
                shown += os.read(self._terminal, 4096)

    def type(self, keys: str) -> None:
        os.write(self._terminal, os.fsencode(keys))

    def call(self, keys: str) -> list[str]:
        """Return the words that `gbvis` is called with, once this line is typed."""
        called = self._folder / "called"
        called.unlink(missing_ok=True)
        self.type(keys)
        end = time.monotonic() + 60
        while not called.exists() and time.monotonic() < end:
            if select.select([self._terminal], [], [], 0.05)[0]:
                os.read(self._terminal, 4096)
        time.sleep(0.1)
        return [os.fsdecode(word) for word in called.read_bytes().split(b"\0")[:-1]]

    def close(self) -> None:
        os.close(self._terminal)
        os.waitpid(self._process, 0)


@pytest.fixture
def terminal(
    folder: Path, environment: dict[str, str], call: Call, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Terminal]:
    """A bash that reads the .bashrc in which completion has been installed, twice."""
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert call("--install-completion", "bash").code == call("--install-completion", "bash").code == 0
    assert (folder / ".bashrc").read_text().count("gbvis.bash ]") == 1
    environment.pop("XDG_DATA_HOME", None)
    opened = Terminal(folder, environment)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("gbvis expl\t-e SOF\t\n", ["explain", "-e", "SOFTMAX"]),
        ("gbvis render a:\t\n", ["render", "a:b"]),
        ("gbvis render sample:turn\t\n", ["render", "sample:turn-left-3"]),
        ("gbvis render my\\ c\t\n", ["render", "my clip"]),
        ("gbvis render 'my c\t\n", ["render", "my clip"]),
        ('gbvis render "my c\t\n', ["render", "my clip"]),
        ("gbvis render \\$\\(t\t\n", ["render", "$(touch pwned)"]),
        ("gbvis render 'it\t\n", ["render", "it's"]),
        ("gbvis extract 'my f\tone\t\n", ["extract", "my films/one two.mp4"]),
        ("gbvis extract my\\ f\tone\t\n", ["extract", "my films/one two.mp4"]),
        ("gbvis explain sample:turn-l\t7\n", ["explain", "sample:turn-left-7"]),
        ("gbvis render --layout=ov\t\n", ["render", "--layout=overlay"]),
    ],
)
def test_tab_in_a_real_bash(terminal: Terminal, folder: Path, keys: str, words: list[str]) -> None:
    assert terminal.call(keys) == words
    assert not (folder / "pwned").exists()


def test_it_is_quick_because_it_loads_next_to_nothing(folder: Path) -> None:
    code = (
        "import sys; before = {*sys.modules}; from gbvis.cli.start import main; main();"
        "loaded = {name.split('.')[0] for name in {*sys.modules} - before};"
        "print(loaded & {'typer', 'rich', 'torch', 'numpy', 'dataclasses', 'shutil'}, file=sys.stderr)"
    )
    environment = {**os.environ, "GBVIS_COMPLETE": "bash"}
    words = [sys.executable, "-c", code, "gbvis render tu", "tu"]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "turn-left-3\n" and done.stderr == "set()\n"


def test_whatever_is_asked_is_answered(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`answer` hides an error, since it would stand in the line that is typed: what it calls has none."""
    monkeypatch.chdir(folder)
    for arguments in ([], [""], ["gbvis"], ["gbvis", "no", "such", "-x", "--y=", ""], ["gbvis store 'a"]):
        assert complete.complete_words(arguments)[0] in ("files", "words")
        assert isinstance(complete.complete_line(" ".join(arguments)), list)
    for shell in SHELLS:
        complete.answer(shell, [])
    assert not capfd.readouterr().err


def test_the_words_are_up_to_date() -> None:
    """After a change of commands or options: `python -m gbvis.cli.words`."""
    assert complete.WORDS.read_text() == describe_words()
    known = json.loads(complete.WORDS.read_text())
    assert "--layout" in known["commands"]["commands"]["render"]["options"]


@pytest.mark.parametrize(
    ("line", "words", "prefix", "quote", "is_plain"),
    [
        ("a 'b", ["a"], "b", "'", True),
        ('a "b c', ["a"], "b c", '"', True),
        ("a b\\ c", ["a"], "b c", "", True),
        ("a $'\\x41", ["a"], "x41", "$'", False),
        ("a $HOME/b", ["a"], "$HOME/b", "", False),
        ("a '$HOME", ["a"], "$HOME", "'", True),
        ("a b >", ["a", "b"], "", "", False),
        ("a;b", ["a"], "b", "", True),
        ("a \\", ["a"], "", "", True),
        ("", [], "", "", True),
        ("  ", [], "", "", True),
        ("a''b", [], "ab", "", True),
        ("a b\u2028\xa0c", ["a"], "b\u2028\xa0c", "", True),  # blanks for Python, letters for bash
    ],
)
def test_a_line_is_read_as_bash_reads_it(line: str, words: list[str], prefix: str, quote: str, is_plain: bool) -> None:
    read = read_line(line)
    assert (read.words, read.prefix, read.quote, read.is_plain) == (words, prefix, quote, is_plain)
    assert quote_rest("", read.quote) == ""


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_read_their_part(folder: Path, environment: dict[str, str], shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    checks = {
        "fish": f"source {script_of('fish')}; complete -C 'gbvis render turn'; complete -C 'gbvis explain -w w'",
        "zsh": f"autoload -Uz compinit; compinit -u; source {script_of('zsh')}; echo $_comps[gbvis]",
    }
    done = subprocess.run([shell, "-c", checks[shell]], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    wanted = {"fish": ["turn-left-3", "weights.pth"], "zsh": ["_gbvis_completion"]}
    assert done.stdout.split() == wanted[shell]


def test_an_unknown_shell(call: Call) -> None:
    call("--install-completion", "ksh").check_error(2, "unknown shell 'ksh'", "bash, zsh, fish")
    assert call("--show-completion", "fish").out == script_of("fish").read_text()

"""What is printed steers no terminal, and nothing of it is interpreted or cut."""

import pytest

from conftest import Call
from gbvis.cli.bars import describe_rate
from gbvis.cli.console import Console, make_table, printable
from gbvis.cli.options import Printing, VerbosePrinting

HOSTILE = "\x1b]0;t\x07\x9b31m\x7f\n\u202e\u2066\u200b\u2028\udce9"
"""Escape codes with 7 and 8 bits, a line's end, bidi controls, what is invisible, a separator, no UTF-8."""


def test_no_control_character_is_left() -> None:
    assert printable(HOSTILE).isascii() and printable(HOSTILE).isprintable()
    assert printable("e\u0301 \u05d0 \u4e2d") == "e\u0301 \u05d0 \u4e2d"


@pytest.mark.parametrize("text", [":smile: [red]x[/red] {0} %s"])
def test_nothing_is_interpreted(capsys: pytest.CaptureFixture[str], text: str) -> None:
    console = Console(VerbosePrinting(verbose=True))
    console.say(text)
    console.warn(text)
    console.print(text)
    captured = capsys.readouterr()
    assert captured.err == f"{text}\nwarning: {text}\n"
    assert captured.out == f"{text}\n"


def test_a_traceback_steers_no_terminal(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GBVIS_DEBUG", "1")
    done = call("predict", "x", "-w", HOSTILE)
    assert done.code == 2 and "Traceback" in done.err
    assert all(line.isprintable() for line in done.err.split("\n"))


def test_nothing_of_a_table_is_cut_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    label, title = "w" * 5000, "t" * 3000
    Console(Printing()).print(make_table(title, ("score", "label"), [("1", label)]))
    assert label in capsys.readouterr().out
    Console(Printing()).print(make_table(title, ("score", "label"), [("1", "x")]))
    assert capsys.readouterr().out.startswith(f"{title}\n")


@pytest.mark.parametrize(
    ("speed", "words"), [(None, ""), (0.0, ""), (12.34, "12.3/s"), (1.0, "1.0/s"), (0.25, "4.0 s each")]
)
def test_a_rate_is_told_by_the_second_or_by_the_piece(speed: float | None, words: str) -> None:
    assert describe_rate(speed) == words

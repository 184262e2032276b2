import shutil
import subprocess

import pytest

from gbvis.shell import as_argument, join_words

WORDS = [
    "plain", "with space", "", "a'b\"c", "$(touch pwned)", "`id`", "!!", "*", "~", "#", "a;b|c&", "\\", "\\n", "-rf",
    "new\nline", "tab\t'quote'\\", "\x1b[31mred\x1b]0;title\x07", "\x01f", "\x7f", "\u202egpj.exe", "\u2028", "\x9b31m",
    "e\u0301", "\u05d0\u05d1", "\udce9 no utf-8", "$'\\x41'\x01", "[b]x[/b]", "{1..3}", "a\rb", "=ls",
]  # fmt: skip


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_pasted_into_a_shell_every_word_arrives(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    line = join_words(["printf", r"%s\0", *WORDS])
    assert line.isprintable()
    done = subprocess.run([shell, "-c", line], capture_output=True, check=True)
    assert done.stdout.split(b"\0")[:-1] == [word.encode("utf-8", "surrogateescape") for word in WORDS]


def test_zsh_looks_for_no_program() -> None:
    assert join_words(["=ls", "a=b"]) == "$'=ls' a=b"


def test_what_needs_no_quotes_has_none() -> None:
    assert join_words(["gbvis", "explain", "a b", "x"]) == "gbvis explain 'a b' x"


@pytest.mark.parametrize(("location", "word"), [("-x.mp4", "./-x.mp4"), ("x", "x"), ("/-x", "/-x")])
def test_a_video_is_no_option(location: str, word: str) -> None:
    assert as_argument(location) == word

"""`--run`: runs by their digests; and the command in a picture's file, which chooses its runs so."""

import json
import shlex
from pathlib import Path

import pytest
from PIL import Image

from conftest import Call, CopyStore


@pytest.fixture
def digests(call: Call, copy_store: CopyStore) -> list[str]:
    """Explain one class of one sample at two starts, which no other option tells apart, and give the runs' digests."""
    words = ["sample:up-4", "-w", "sample", "-m", "rgb", "-e", "FC", "-l", "2", "-n", "4"]
    copy_store(*words, "--start", 0)
    assert call("explain", *words, "--start", 4).code == 0
    listed = call("store", "ls", "--json").out.splitlines()
    return [json.loads(line)["group"].rsplit("-", 1)[1] for line in listed]


@pytest.mark.parametrize("layout", ["strip", "sheet", "overlay"])
def test_the_command_in_a_picture_draws_it_again(call: Call, digests: list[str], tmp_path: Path, layout: str) -> None:
    look = ["--layout", layout, "--size", "56", "--saliency-scale", "own", "--percentile", "98.7654321"]
    assert call("render", "--format", "png", *look, "-o", "first").code == 0
    first = {path.name: path.read_bytes() for path in Path("first").iterdir()}
    assert len(first) == 2
    for number, name in enumerate(first):
        with Image.open(tmp_path / "first" / name) as image:
            command = image.text["Command"]  # type: ignore[attr-defined]
        again = call(*shlex.split(command)[1:], "-o", f"again-{number}")
        assert again.code == 0, again.err
        (path,) = Path(f"again-{number}").iterdir()
        assert path.read_bytes() == first[name] and path.name == name


def test_runs_are_chosen_by_their_digests(call: Call, digests: list[str]) -> None:
    first, second = digests
    shown = call("render", "-o", "x.gif")
    shown.check_error(2, "2 runs match and x.gif is one file", f"--run DIGEST, such as {first[:8]} or {second[:8]}")
    assert call("render", "--run", first[:8].upper(), "-o", "x.gif").code == 0
    assert call("store", "ls", "--run", second[:5]).out.count("up-4") == 1
    assert call("store", "ls", "--run", first, "--run", second[:4], "--json").out.count("\n") == 2
    assert call("store", "rm", "--run", first[:6], "--yes").code == 0
    (left,) = call("store", "ls", "--json").out.splitlines()
    assert json.loads(left)["group"].endswith(second)
    call("render", "--run", first).check_error(1, "nothing to render", "choose other runs")


@pytest.mark.parametrize("typed", ["", "146", "nothex", "1" * 17])
def test_what_is_no_digest(call: Call, digests: list[str], typed: str) -> None:
    for command in (["render"], ["store", "ls"], ["store", "rm", "--yes"]):
        call(*command, "--run", typed).check_error(2, f"--run {typed!r}", "4 to 16 letters")

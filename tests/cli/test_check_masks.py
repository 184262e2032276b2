"""`gbvis check` with masks: each kind from the command line, left out without one, hostile ones, pictures of it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import Call, Called
from gbvis.videos.synthetic import draw_sample

SAMPLE = "sample:turn-left-3"
WORDS = ["-w", "sample", "-e", "FC", "--test", "pointing", "--test", "mass", "--json", "-q"]


def lines(called: Called, code: int = 0) -> list[dict]:
    assert called.code == code, called.err
    return [json.loads(line) for line in called.out.splitlines()]


def write_masks(folder: Path, masks: np.ndarray) -> Path:
    """Write masks, bool (time, y, x), as PNG from number 1 on."""
    folder.mkdir(parents=True)
    for number, mask in enumerate(masks, start=1):
        Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).save(folder / f"frame{number:06d}.png")
    return folder.parent


def test_masks_of_a_folder_are_those_of_the_sample(call: Call, tmp_path: Path) -> None:
    """The same mover, from PNG: the same numbers, as groups of their own, and cached again."""
    own = lines(call("check", SAMPLE, *WORDS))
    assert [one["test"] for one in own] == ["pointing", "mass"] * 2
    assert all(one["value"] > one["baselines"]["random"] for one in own if one["test"] == "mass")
    masks = write_masks(tmp_path / "masks/turn-left-3", draw_sample("turn-left", 3).mover)
    given = lines(call("check", SAMPLE, *WORDS, "--masks", masks))
    assert [one["value"] for one in given] == [one["value"] for one in own]
    assert not {one["group"] for one in given} & {one["group"] for one in own}
    assert lines(call("check", SAMPLE, *WORDS, "--masks", masks)) == [{**one, "cached": True} for one in given]
    (masks / "turn-left-3/frame000009.png").unlink()
    changed = lines(call("check", SAMPLE, *WORDS, "--masks", masks), 1)
    assert {"no mask of frame 8" in one["error"] for one in changed} == {True}


def test_what_moves_is_a_mask_of_both_streams(call: Call, dataset: Path, weights: dict[str, Path]) -> None:
    """The drawn clip's disc, by the flow of its data set, and by flow that is estimated from its frames."""
    words = ["-w", weights["rgb"], "-w", weights["flow"], "-n", 4, "-e", "FC", "--test", "mass", "--json", "-q"]
    for more in ([], ["--flow-algorithm", "farneback"]):
        found = lines(call("check", "moving-disc", "-d", dataset, *words, "--masks", "motion", *more))
        assert {one["modality"] for one in found} == {"rgb", "flow"}
        assert all(one["baselines"]["motion"] > 2 for one in found), found


def test_without_a_mask_they_are_left_out_and_it_is_said(
    call: Call, video_file: Path, weights: dict[str, Path]
) -> None:
    words = ["-w", weights["rgb"], "-n", 4, "-e", "FC"]
    done = call("check", video_file, *words, "--test", "mass", "--test", "pointing")
    assert done.code == 0 and done.out == ""
    assert "mass is left out" in done.err and "--masks" in done.err


@pytest.mark.parametrize(
    ("masks", "code", "word"),
    [
        ("nowhere", 2, "no such masks"),
        ("boxes.pkl", 2, "pickle"),
        ("mover", 1, "for samples"),
        ("empty", 1, "no masks"),
    ],
)
def test_masks_that_are_none(
    call: Call, tmp_path: Path, video_file: Path, weights: dict[str, Path], masks: str, code: int, word: str
) -> None:
    (tmp_path / "boxes.pkl").write_bytes(b"cos\nsystem\n(S'touch it'\ntR.")
    (tmp_path / "empty").mkdir()
    words = ["-w", weights["rgb"], "-n", 4, "-e", "FC", "--test", "mass"]
    call("check", video_file, *words, "--masks", masks).check_error(code, word)
    assert not (tmp_path / "it").exists()


def test_a_picture_of_it(call: Call, tmp_path: Path) -> None:
    assert call("explain", SAMPLE, "-w", "sample", "-e", "FC", "-q").code == 0
    call("render", "turn-left-3", "-m", "rgb", "--layout", "check").check_error(1, "was not tested", "gbvis check")
    assert call("check", SAMPLE, *WORDS).code == 0
    made = call("render", "turn-left-3", "--layout", "check", "-o", "pictures")
    assert made.code == 0, made.err
    pictures = sorted((tmp_path / "pictures").iterdir())
    assert [path.name for path in pictures] == [f"turn-left-3.{one}.FC.4.check.png" for one in ("flow", "rgb")]
    for path in pictures:
        with Image.open(path) as image:
            assert np.asarray(image).std() > 0

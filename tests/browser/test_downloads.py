"""What a view is saved as: a picture of the panels, and the numbers of the curves."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import pytest

from browser.fixtures import run
from browser.panels import read_canvases, read_run_keys, show_run

pytestmark = pytest.mark.browser

MARGIN, LEAST_SIDE, GAP, TOP = 12, 200, 8, 84
"""Where panels stand in the picture, in pixels: `run_picture.js` says so."""


@pytest.fixture
def shown(report: Path, open_page: Callable[..., Any]) -> tuple[Any, str]:
    """The page of a run, and the run's key."""
    page = open_page(report).page
    key = next(key for key in read_run_keys(page) if "up-4/rgb/FC/" in key and "guided" in key)
    show_run(page, key)
    return page, key


def save(page: Any, name: str, path: Path) -> Path:
    """Press a button that saves something, and return where it is."""
    with page.expect_download() as download:
        page.get_by_role("button", name=name).first.click()
    download.value.save_as(path)
    assert download.value.suggested_filename.endswith(path.suffix)
    return path


def test_picture_has_the_panels(shown: tuple[Any, str], tmp_path: Path) -> None:
    """Each panel is there, enlarged without a change of its colours: the middle of each pixel has them."""
    page, key = shown
    picture = imageio.imread(save(page, "PNG", tmp_path / "view.png"))[..., :3]
    frame = int(page.locator("canvas[data-panel]").first.get_attribute("data-frame"))
    for column, (place, pixels) in enumerate(read_canvases(page, key, frame).items()):
        factor = -(-LEAST_SIDE // len(pixels))
        middles = factor * np.arange(len(pixels)) + factor // 2
        left = MARGIN + column * (factor * len(pixels) + GAP)
        assert (picture[np.ix_(TOP + middles, left + middles)] == pixels).all(), place


def test_table_is_that_of_render(shown: tuple[Any, str], sixty: Path, tmp_path: Path) -> None:
    """The same columns, and the same numbers within what six digits tell."""
    page, key = shown
    found = read_rows(save(page, "CSV", tmp_path / "view.csv"))
    run("render", "up-4", "-e", "FC", "-m", "rgb", "--store", sixty, "-o", tmp_path / "all.csv", "-q")
    wanted = [row for row in read_rows(tmp_path / "all.csv") if row["group"] == key]
    assert len(found) == len(wanted) == 8
    for mine, theirs in zip(found, wanted, strict=True):
        assert list(mine) == list(theirs)
        for name, word in theirs.items():
            if name in ("importance", "share", "seconds"):
                assert float(mine[name]) == pytest.approx(float(word), rel=1e-4, abs=1e-6)
            else:
                assert mine[name] == word


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return a table's rows by their columns."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))

"""Names that mean harm are shown as text."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browser.fixtures import run
from browser.panels import read_run_keys, show_run
from conftest import MATERIAL

pytestmark = pytest.mark.browser

VIDEOS = (
    "<img src=x onerror=alert(1)>",
    "\u05d0\u05d1\u05d2 \u202egpj.1",
    "l" * 255,
    "\u6f22" * 85,  # 255 bytes
    "&lt;b&gt; \"'`",
)
CLASS = "</script><script>alert(2)</script><!--<script>"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, weights: dict[str, Path]) -> Path:
    """The report of videos and a class with such names."""
    folder = tmp_path_factory.mktemp("hostile")
    frames = MATERIAL / "two-stream/example_jpegs_256/jpegs_256/moving-disc"
    for name in VIDEOS:
        shutil.copytree(frames, folder / "videos" / name)
    (folder / "labels.txt").write_text("".join(f"{CLASS} {number}\n" for number in range(101)), encoding="utf-8")
    videos = [folder / "videos" / name for name in VIDEOS]
    words = ("-w", weights["rgb"], "--labels", folder / "labels.txt", "-e", "FC", "--store", folder / "a.zarr", "-q")
    run("explain", *videos, *words)
    run("report", "--store", folder / "a.zarr", "-o", folder / "r.html", "-q")
    return folder / "r.html"


def test_names_are_text(hostile: Path, open_page: Callable[..., Any]) -> None:
    """In the index and on the page of a run; no dialog opens, no picture is asked for."""
    watched = open_page(hostile)
    page = watched.page
    assert page.locator("img[src='x']").count() == 0
    text = page.locator("main").inner_text()
    assert VIDEOS[0] in text and VIDEOS[4] in text and CLASS in text
    keys = read_run_keys(page)
    assert len(keys) == len(VIDEOS)
    for key in keys:
        show_run(page, key)
        assert CLASS in page.locator("main").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), key
    titles = [read_title(page, key) for key in keys]
    assert any(VIDEOS[0] in title for title in titles)


def read_title(page: Any, key: str) -> str:
    """Return the heading of a run's page."""
    show_run(page, key)
    title: str = page.get_by_role("heading", level=1).inner_text()
    return title

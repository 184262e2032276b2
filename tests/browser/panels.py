"""Panels of the page and of pictures, as pixels."""

import time
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import imageio.v3 as imageio
import numpy as np

from gbvis.figures.layouts.strip import STRIP
from gbvis.figures.panel import count_rows, panels_of
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style

if TYPE_CHECKING:
    from playwright.sync_api import Page

Pixels = np.ndarray
"""uint8 (side, side, 3), RGB."""

Panels = dict[tuple[int, str], Pixels]
"""By row and kind."""

DRAWN = """
([run, frame]) => {
  const shown = [...document.querySelectorAll("canvas[data-panel]")].filter((one) => one.dataset.run === run);
  return shown.length > 0 && shown.every((one) => one.dataset.frame === String(frame));
}
"""

SHOWN = """
(run) => {
  const shown = [...document.querySelectorAll("canvas[data-panel]")];
  return shown.some((one) => one.dataset.run === run) && shown.every((one) => one.dataset.frame);
}
"""

READ = """
(run) => [...document.querySelectorAll("canvas[data-panel]")]
  .filter((one) => one.dataset.run === run && !["overlay", "wheel"].includes(one.dataset.panel))
  .map((one) => {
    const { width, height } = one;
    const bytes = one.getContext("2d").getImageData(0, 0, width, height).data;
    let text = "";
    for (let place = 0; place < bytes.length; place += 4096) {
      text += String.fromCharCode(...bytes.subarray(place, place + 4096));
    }
    return { row: Number(one.dataset.row), kind: one.dataset.panel, width, height, pixels: btoa(text) };
  })
"""


def wait_until(page: "Page", claim: str, argument: object = None, seconds: float = 60) -> None:
    """Wait until JavaScript returns a truth; playwright's own way evaluates text in the page: its policy forbids it."""
    end = time.monotonic() + seconds
    while not page.evaluate(claim, argument):
        assert time.monotonic() < end, f"it never came true: {claim.strip()} of {argument}"
        page.wait_for_timeout(20)


def read_canvases(page: "Page", run: str, frame: int) -> Panels:
    """Return what the canvases of a run show, once they show this frame of the video."""
    wait_until(page, DRAWN, [run, frame])
    found: Panels = {}
    for one in page.evaluate(READ, run):
        pixels = np.frombuffer(b64decode(one["pixels"]), np.uint8).reshape(one["height"], one["width"], 4)
        assert (pixels[..., 3] == 255).all()
        found[one["row"], one["kind"]] = pixels[..., :3]
    return found


def cut_panels(picture: Path, view: RunView, style: Style) -> Panels:
    """Return the panels of a strip that a command wrote, less the wheel, which is no panel."""
    pixels = imageio.imread(picture)
    plan = STRIP.plan([view], style)
    side, found = plan.side, {}
    for row in range(count_rows(view, style)):
        top = plan.row_top(0, row) + plan.line
        for column, kind in enumerate(panels_of(view, style)):
            if kind != "frame" or row == 0 or not style.has_wheel:
                left = plan.column(column)
                found[row, kind] = pixels[top : top + side, left : left + side]
    return found


def check_same(shown: Panels, drawn: Panels, what: Sequence[object]) -> None:
    """Check that panels are the same within one level on 99 % and four levels on all pixels."""
    assert shown.keys() == drawn.keys(), what
    for place, pixels in drawn.items():
        assert shown[place].shape == pixels.shape, (what, place)
        apart = np.abs(shown[place].astype(int) - pixels.astype(int)).max(-1)
        assert apart.max() <= 4 and (apart <= 1).mean() >= 0.99, (what, place, apart.max(), (apart <= 1).mean())


def read_run_keys(page: "Page") -> list[str]:
    """Return the keys of all runs in a report, in its order."""
    keys: list[str] = page.evaluate(
        "JSON.parse(document.getElementById('data').textContent).runs.map((run) => run.key)"
    )
    return keys


def show_run(page: "Page", key: str, **state: object) -> None:
    """Go to a run, and wait until its panels are drawn."""
    page.evaluate("(state) => { location.hash = state; }", urlencode({"run": key, **state}))
    wait_until(page, SHOWN, key)

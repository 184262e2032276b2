"""Who sees little, uses no mouse, or wants nothing to move: axe-core, the keyboard, reduced motion."""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from browser.fixtures import AXE, DESKTOP, PHONE, refuse
from browser.panels import read_run_keys, show_run, wait_until

pytestmark = pytest.mark.browser

RUN_AXE = """
async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map((one) => one.target.join(" ")),
    why: nodes[0].failureSummary }));
}
"""

MOVING = """
() => document.getAnimations().filter((one) => one.playState === "running").map((one) => one.effect.target.outerHTML)
"""


CHANGED = "(frame) => document.querySelector('canvas[data-panel]').dataset.frame !== frame"


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe-core."""
    if not AXE.exists():
        refuse("axe-core is not installed: npm ci")
    return AXE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("scheme", "size"), [*product(["light", "dark"], [DESKTOP, PHONE])], ids=str)
def test_axe_finds_nothing_serious(
    report: Path, open_page: Callable[..., Any], axe: str, scheme: str, size: tuple[int, int]
) -> None:
    """Neither in the index nor in a run of each stream with another beside it; it looks at contrast too."""
    page = open_page(report, size=size, color_scheme=scheme).page
    page.evaluate(axe)
    rgb, flow = find_keys(page)
    serious = {}
    for place in ("", rgb, flow):
        if place:
            show_run(page, place, beside=rgb if place == flow else flow)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.wait_for_timeout(200)
        found = page.evaluate(RUN_AXE)
        serious[place] = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not any(serious.values()), serious


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_page_scrolls_sideways(report: Path, open_page: Callable[..., Any], width: int) -> None:
    """The index and runs of both streams beside each other, all that folds open, in light and dark."""
    page = open_page(report, size=(width, 740)).page
    keys = find_keys(page)
    wide = []
    for scheme, place in product(("light", "dark"), ("", *keys)):
        page.emulate_media(color_scheme=scheme)
        if place:
            show_run(page, place, beside=next(key for key in keys if key != place))
        else:
            page.evaluate("location.hash = ''")
            page.get_by_role("searchbox").wait_for()
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        page.wait_for_timeout(100)
        reaches = page.evaluate("document.documentElement.scrollWidth")
        wide += [(scheme, place, reaches)] if reaches > width else []
    assert not wide


def find_keys(page: Any) -> tuple[str, str]:
    """Return the keys of an RGB and a flow run of the same video."""
    keys = [key for key in read_run_keys(page) if "/FC/" in key and "guided" in key]
    rgb, flow = (next(key for key in keys if f"/{stream}/" in key) for stream in ("rgb", "flow"))
    return rgb, flow


def test_nothing_moves_where_motion_is_not_wanted(report: Path, open_page: Callable[..., Any]) -> None:
    """Nothing moves by itself; a run plays where that is asked for."""
    page = open_page(report, reduced_motion="reduce").page
    assert page.evaluate(MOVING) == []
    show_run(page, read_run_keys(page)[0])
    assert page.evaluate(MOVING) == []
    before = shown_frame(page)
    page.wait_for_timeout(600)
    assert shown_frame(page) == before
    page.get_by_role("button", name="Play").first.click()
    wait_until(page, CHANGED, before)


def shown_frame(page: Any) -> str:
    """Return the number of the frame that the panels show."""
    number: str = page.locator("canvas[data-panel]").first.get_attribute("data-frame")
    return number

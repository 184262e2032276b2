"""Everything by the keyboard alone: no mouse is moved here."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browser.panels import wait_until

pytestmark = pytest.mark.browser

MOST_TABS = 150

WHERE = """
() => {
  const one = document.activeElement;
  const label = one.labels?.[0]?.innerText ?? "";
  const named = one.getAttribute("aria-label") ?? "";
  return `${one.tagName.toLowerCase()} ${one.type ?? ""} ${named} ${label} ${one.innerText ?? ""}`.toLowerCase();
}
"""


def go_to(page: Any, *words: str, key: str = "Tab") -> str:
    """Press TAB until what has the focus is named so; return what it is."""
    for _ in range(MOST_TABS):
        page.keyboard.press(key)
        where: str = page.evaluate(WHERE)
        if all(word in where for word in words):
            return where
    raise AssertionError(f"TAB does not reach {words}")


def shown_frame(page: Any) -> int:
    """Return the number of the frame that the panels show."""
    return int(page.locator("canvas[data-panel]").first.get_attribute("data-frame"))


def test_keyboard_does_everything(report: Path, open_page: Callable[..., Any], tmp_path: Path) -> None:
    """From the index to a run, through all that can be done there, and back."""
    page = open_page(report, permissions=["clipboard-read", "clipboard-write"]).page
    page.get_by_role("link").filter(has_text="down-5").first.wait_for()
    go_to(page, "input", "search")
    page.keyboard.type("grow-1")
    wait_until(page, "!document.querySelector('main').innerText.includes('down-5')")
    go_to(page, "a ", "grow-1")
    page.keyboard.press("Enter")
    page.locator("canvas[data-frame]").first.wait_for()
    _scrub(page)
    _choose(page)
    _play(page)
    _put_beside(page)
    _copy(page)
    _download(page, tmp_path)
    go_to(page, "a ", "all runs", key="Shift+Tab")
    page.keyboard.press("Enter")
    page.get_by_role("link").filter(has_text="grow-1").first.wait_for()


def _scrub(page: Any) -> None:
    go_to(page, "range", "frame")
    first = shown_frame(page)
    page.keyboard.press("ArrowRight")
    wait_until(page, f"document.querySelector('canvas[data-panel]').dataset.frame === '{first + 1}'")
    page.keyboard.press("End")
    wait_until(page, f"document.querySelector('canvas[data-panel]').dataset.frame === '{first + 7}'")
    page.keyboard.press("Home")
    wait_until(page, f"document.querySelector('canvas[data-panel]').dataset.frame === '{first}'")


def _choose(page: Any) -> None:
    for label, word in (("percentile", "90"), ("scale", "each")):
        go_to(page, "select", label)
        page.keyboard.type(word)
        wait_until(page, f"location.hash.includes('{label}=')")
    go_to(page, "range", "opacity")
    page.keyboard.press("ArrowLeft")
    wait_until(page, "location.hash.includes('opacity=')")


def _play(page: Any) -> None:
    before = shown_frame(page)
    go_to(page, "button", "play", key="Shift+Tab")
    page.keyboard.press("Space")
    wait_until(page, f"document.querySelector('canvas[data-panel]').dataset.frame !== '{before}'")
    go_to(page, "button", "pause") if "pause" not in page.evaluate(WHERE) else None
    page.keyboard.press("Space")
    rests = shown_frame(page)
    page.wait_for_timeout(500)
    assert shown_frame(page) == rests


def _put_beside(page: Any) -> None:
    runs = "new Set([...document.querySelectorAll('canvas[data-panel]')].map((one) => one.dataset.run)).size"
    go_to(page, "summary", "beside")
    page.keyboard.press("Enter")
    go_to(page, "checkbox", "grad-cam")
    page.keyboard.press("Space")
    wait_until(page, f"{runs} === 2")


def _copy(page: Any) -> None:
    go_to(page, "button", "copy")
    page.keyboard.press("Enter")
    wait_until(page, "navigator.clipboard.readText().then((text) => text.startsWith('gbvis '))")


def _download(page: Any, folder: Path) -> None:
    for suffix in ("png", "csv"):
        go_to(page, "button", suffix)
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        download.value.save_as(folder / f"x.{suffix}")
    assert (folder / "x.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "x.csv").read_text(encoding="utf-8").startswith("video,modality,")

"""What is chosen stays in the address: it comes back on loading, and the browser's button goes back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from browser.panels import read_canvases, read_run_keys, show_run, wait_until

pytestmark = pytest.mark.browser


def test_address_brings_a_view_back(report: Path, open_page: Callable[..., Any]) -> None:
    """The same picture in another window."""
    first = open_page(report).page
    key = next(key for key in read_run_keys(first) if "/rgb/FC/" in key and "guided" in key)
    show_run(first, key)
    first.get_by_label("percentile").first.select_option(label="90 %")
    first.get_by_label("Scale").first.select_option(label="each frame")
    last = 7 + first.evaluate("Number(document.querySelector('canvas[data-panel]').dataset.frame)")
    first.get_by_role("slider", name="Frame").first.press("End")
    wait_until(first, f"['percentile=90', 'scale=frame', 'frame={last}'].every((one) => location.hash.includes(one))")
    state = first.evaluate("location.hash").removeprefix("#")
    second = open_page(report, state).page
    for place, pixels in read_canvases(first, key, last).items():
        assert (read_canvases(second, key, last)[place] == pixels).all()


def test_browser_goes_back(report: Path, open_page: Callable[..., Any]) -> None:
    """From a run to the index, as it was filtered."""
    page = open_page(report).page
    page.get_by_role("searchbox").fill("grow-1")
    link = page.get_by_role("link").filter(has_text="grow-1")
    wait_until(page, "!document.querySelector('main').innerText.includes('down-5')")
    link.first.click()
    page.locator("canvas[data-frame]").first.wait_for()
    page.go_back()
    link.first.wait_for()
    assert page.get_by_role("searchbox").input_value() == "grow-1"
    assert "down-5" not in page.locator("main").inner_text()


@pytest.mark.parametrize(
    "state",
    [
        {"run": "no/such/run"},
        {"run": "up-4", "frame": "x", "percentile": "-3", "scale": "none"},
        {"frame": "99999999", "percentile": "1e999", "opacity": "NaN", "clip": "-7", "beside": "../x", "scale": "all"},
    ],
)
def test_nonsense_in_the_address_is_no_error(
    report: Path, open_page: Callable[..., Any], state: dict[str, str]
) -> None:
    """A run that is not there is said in words, a value that is none is not taken."""
    page = open_page(report).page
    key = state.get("run") or read_run_keys(page)[0]
    page.evaluate("(state) => { location.hash = state; }", urlencode({"run": key, **state}))
    if "run" in state:
        page.get_by_text("no such run").first.wait_for()
    else:
        page.locator("canvas[data-frame]").first.wait_for()


def test_the_index_leaves_the_address_of_a_run_alone(report: Path, open_page: Callable[..., Any]) -> None:
    """What it notes later of its filter does not undo a step to a run that the page has not been told of yet."""
    page = open_page(report).page
    key = read_run_keys(page)[0]
    page.get_by_role("searchbox").fill("grow-1")
    page.evaluate("(state) => { history.pushState(null, '', state); }", address := f"#{urlencode({'run': key})}")
    page.wait_for_timeout(1000)
    assert page.evaluate("location.hash") == address

"""A report is whole: it asks for nothing, complains of nothing, and is small."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gbvis
from browser.panels import read_run_keys, show_run
from gbvis.store import Store

pytestmark = pytest.mark.browser


def test_sixty_runs_ask_for_nothing(report: Path, open_page: Callable[..., Any]) -> None:
    """The index, and every tenth run; `open_page` checks that the page was quiet, and its policy never broken."""
    watched = open_page(report)
    keys = read_run_keys(watched.page)
    assert len(keys) == 60
    watched.page.get_by_role("link").filter(has_text="down-5").first.wait_for()
    for key in keys[::10]:
        show_run(watched.page, key)
    assert watched.asked == [report.as_uri()]


def test_policy_lets_nothing_else_run(report: Path, open_page: Callable[..., Any]) -> None:
    """A script that gets into the page by some way does not run, and nothing is fetched."""
    watched = open_page(report, is_quiet=False)
    watched.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.hasRun = true";
          document.body.append(script);
          const image = new Image();
          image.src = "https://example.org/x.png";
          document.body.append(image);
          return fetch("https://example.org/x").catch(() => null);
        }"""
    )
    violations = watched.page.evaluate("window.violations")
    assert {"script-src-elem", "img-src", "connect-src"} <= set(violations)
    assert watched.page.evaluate("window.hasRun === undefined")


def test_sizes(make_report: Callable[..., Path], clip: Path) -> None:
    """Of a real clip of 16 frames with 112x112 pixels."""
    one = make_report("-m", "rgb", "-e", "SOFTMAX", "--store", clip)
    assert one.stat().st_size <= 1e6
    assert make_report("--store", clip).stat().st_size <= 6e6


def test_prints(report: Path, open_page: Callable[..., Any], tmp_path: Path) -> None:
    """The index and a run have something on paper."""
    page = open_page(report).page
    index = page.pdf(path=tmp_path / "index.pdf")
    show_run(page, read_run_keys(page)[0])
    run = page.pdf(path=tmp_path / "run.pdf")
    assert min(len(index), len(run)) > 20_000
    page.emulate_media(media="print")
    assert page.locator("canvas[data-panel]").first.is_visible()


def test_works_inside_a_notebook(sixty: Path, browser: Any) -> None:
    """In the frame that `gbvis.show` makes, which has no origin of its own."""
    runs = [run for run in Store.open(sixty).runs() if run.video == "down-5"]
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(error.message))
    page.on("console", lambda message: message.type in ("error", "warning") and complaints.append(message.text))
    page.set_content(f"<h1>notebook</h1>{gbvis.show(runs)._repr_html_()}")
    inside = page.frame_locator("iframe")
    inside.get_by_role("link").filter(has_text="down-5").first.click()
    inside.locator("canvas[data-frame]").first.wait_for()
    inside.get_by_role("link", name="All runs").first.click()
    inside.get_by_role("link").filter(has_text="down-5").first.wait_for()
    page.close()
    assert complaints == []

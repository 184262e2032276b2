"""The index: filtered, sorted, and of ten thousand runs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browser.many_runs import repeat_runs
from browser.panels import wait_until

pytestmark = pytest.mark.browser

MANY = 10_000
MOST_ROWS = 200
COUNT_ROWS = "document.querySelectorAll('main tr, main [role=row]').length"


@pytest.fixture(scope="module")
def many(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of ten thousand runs."""
    return repeat_runs(report, tmp_path_factory.mktemp("many") / "many.html", MANY)


def test_ten_thousand_runs_are_usable(many: Path, open_page: Callable[..., Any]) -> None:
    """Only rows in view exist, wherever the reader scrolls to."""
    page = open_page(many).page
    page.get_by_role("link").filter(has_text="-00000").first.wait_for()
    for share in (0.0, 0.3, 0.77, 1.0):
        page.evaluate(
            """(share) => {
              const all = [document.scrollingElement, ...document.querySelectorAll("main, main *")];
              const high = all.reduce((one, other) => (other.scrollHeight - other.clientHeight >
                one.scrollHeight - one.clientHeight ? other : one));
              high.scrollTop = share * high.scrollHeight;
            }""",
            share,
        )
        page.wait_for_timeout(150)
        assert 3 < page.evaluate(COUNT_ROWS) < MOST_ROWS, share
    page.get_by_role("link").filter(has_text=f"-{MANY - 1:05}").first.wait_for()


def test_filter_is_quick(many: Path, open_page: Callable[..., Any]) -> None:
    """What is typed is found among ten thousand."""
    page = open_page(many).page
    search = page.get_by_role("searchbox").or_(page.get_by_label("search")).first
    search.fill("-09876")
    page.get_by_role("link").filter(has_text="-09876").first.wait_for()
    wait_until(page, "document.querySelectorAll('main tbody tr').length <= 3")
    search.fill("")
    page.get_by_role("link").filter(has_text="-00000").first.wait_for()
    seconds = page.evaluate(
        """async () => {
          const field = document.querySelector("input[type=search]");
          const begin = performance.now();
          field.value = "turn-left";
          field.dispatchEvent(new Event("input", { bubbles: true }));
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          return (performance.now() - begin) / 1000;
        }"""
    )
    assert seconds < 1.0  # a crowded machine; `benchmarks/page.py` measures it


def test_sorted_by_a_column(report: Path, open_page: Callable[..., Any]) -> None:
    """A click on a column's head sorts, another one turns the order around."""
    page = open_page(report).page
    head = page.get_by_role("columnheader", name="Endpoint")
    head.get_by_role("button").click()
    assert page.locator("[aria-sort=ascending]").count() == 1
    head.get_by_role("button").click()
    assert page.locator("[aria-sort=descending]").count() == 1

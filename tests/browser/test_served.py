"""The pages of `gbvis view`, from a real server."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from browser.fixtures import run
from browser.panels import read_canvases, read_run_keys, show_run

pytestmark = pytest.mark.browser


@pytest.fixture
def store(sixty: Path, tmp_path: Path) -> Path:
    """A store that may be changed."""
    return Path(shutil.copytree(sixty, tmp_path / "store.zarr"))


@pytest.fixture
def server(store: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a server of that store, and its process."""
    words = [sys.executable, "-m", "gbvis", "view", "--store", str(store), "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    yield json.loads(process.stdout.readline())["url"], process
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)


def test_shows_what_a_report_does(
    server: tuple[str, Any], report: Path, open_page: Callable[..., Any], store: Path
) -> None:
    """Nothing else is asked for than this server, and the panels are the same."""
    url, _ = server
    page = open_page(url).page
    page.get_by_role("link").filter(has_text="down-5").first.wait_for()
    other = open_page(report).page
    key = next(key for key in read_run_keys(other) if "/flow/FC/" in key and "guided" in key)
    show_run(page, key)
    show_run(other, key)
    frame = int(other.locator("canvas[data-panel]").first.get_attribute("data-frame"))
    served, written = read_canvases(page, key, frame), read_canvases(other, key, frame)
    assert served.keys() == written.keys()
    assert all((served[place] == pixels).all() for place, pixels in written.items())


def test_new_runs_appear(server: tuple[str, Any], open_page: Callable[..., Any], store: Path) -> None:
    """Without loading the page again."""
    page = open_page(server[0]).page
    page.get_by_role("link").filter(has_text="down-5").first.wait_for()
    run("explain", "sample:right-1", "-w", "sample", "-m", "rgb", "-e", "FC", "--store", store, "-q")
    page.get_by_role("searchbox").fill("right-1")
    page.get_by_role("link").filter(has_text="right-1").first.wait_for(timeout=30_000)


def test_says_that_the_server_has_ended(server: tuple[str, Any], open_page: Callable[..., Any]) -> None:
    """In words, above the page."""
    url, process = server
    page = open_page(url, is_quiet=False).page
    page.get_by_role("link").filter(has_text="down-5").first.wait_for()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    page.locator("#banner").filter(has_text="ended").wait_for()

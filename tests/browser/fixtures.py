"""What tests in a browser share: Chromium, reports that the real commands made, and pages that watch what happens."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from browser.chromium import find_chromium, launch_chromium
from conftest import ROOT
from gbvis.cli.app import run_command_line

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SAMPLES = ("sample:up-4", "sample:turn-left-3", "sample:grow-1", "sample:left-2", "sample:down-5")
SIXTY = (
    *(*SAMPLES, "-w", "sample", "-e", "Conv3d_3_x", "-e", "AP", "-e", "FC"),
    *("--method", "guided-backprop", "--method", "grad-cam"),
)
"""Five videos, two streams, three endpoints, two methods: signed and positive values, and some that are all 0."""

AXE = ROOT / "node_modules/axe-core/axe.min.js"

DESKTOP, PHONE = (1280, 900), (390, 844)

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""

ChoosePage = Callable[..., "Watched"]
"""Opens a page; see `open_page`."""


def refuse(lacking: str) -> None:
    """Skip what needs something that is not here, or fail where it must be here."""
    if os.environ.get("NEED_BROWSER"):
        pytest.fail(f"{lacking}, and NEED_BROWSER is set")
    pytest.skip(lacking)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Chromium of the system, without a window."""
    if find_chromium() is None:
        refuse("there is no Chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        refuse("playwright of the extra `browser` is not installed")
    with sync_playwright() as driver:
        chromium = launch_chromium(driver)
        yield chromium
        chromium.close()


@dataclass
class Watched:
    """A page, and what happened in it.

    Attributes:
        page: The page.
        requests: Addresses that were asked for, but data and blobs in memory.
        complaints: Errors and warnings, of the console and of scripts.
        dialogs: What dialogs said; there should be none.
    """

    page: "Page"
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note from now on what happens."""
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(f"{error.message}\n{error.stack}"))
        self.page.on("console", self._hear)
        self.page.on("dialog", self._close)
        self.page.add_init_script(WATCH)

    @property
    def asked(self) -> list[str]:
        """The addresses that were asked for, less what is in memory."""
        return [url for url in self.requests if not url.startswith(("blob:", "data:", "about:"))]

    def check(self, whole: str) -> None:
        """Check that nothing was asked for but `whole`, and nobody complained."""
        assert self.complaints == []
        assert self.dialogs == []
        assert [url for url in self.asked if not url.startswith(whole)] == []
        assert self.page.evaluate("window.violations") == []

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    def _close(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def open_page(browser: "Browser") -> Iterator[ChoosePage]:
    """Open a report in a browser of its own; at the end of the test all pages must have been quiet.

    `open_page(path or URL, hash, **context)`: `context` is what playwright's `new_context` takes.
    """
    opened: list[tuple[Watched, str]] = []
    contexts = []

    def open_one(
        where: Path | str, state: str = "", size: Sequence[int] = DESKTOP, is_quiet: bool = True, **options: Any
    ) -> Watched:
        whole = where.resolve().as_uri() if isinstance(where, Path) else where
        viewport = {"width": size[0], "height": size[1]}
        context = browser.new_context(viewport=viewport, **options)  # type: ignore[arg-type]
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.set_default_timeout(10_000)
        watched.watch()
        watched.page.goto(f"{whole}#{state}" if state else whole)
        if is_quiet:
            opened.append((watched, whole))
        return watched

    yield open_one
    try:
        for watched, whole in opened:
            watched.check(whole)
    finally:
        for context in contexts:
            context.close()


@contextmanager
def no_settings() -> Iterator[None]:
    """Keep the developer's own environment out, as `_no_settings` does for one test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GBVIS_")]:
            patch.delenv(name)
        yield


def run(*words: object) -> None:
    """Run a command line in this process, which must succeed."""
    with no_settings():
        code = run_command_line([str(word) for word in words])
    assert code == 0, f"gbvis {' '.join(map(str, words))} ended with {code}"


@pytest.fixture(scope="session")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of sixty runs of samples; nobody may change it."""
    store = tmp_path_factory.mktemp("sixty") / "sixty.zarr"
    run("explain", *SIXTY, "--store", store, "-q")
    return store


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory, shared: Path, weights: dict[str, Path]) -> Path:
    """A store of one real clip of 16 frames of 112x112 pixels: two streams, three endpoints, random weights."""
    store = tmp_path_factory.mktemp("clip") / "clip.zarr"
    data, labels = shared / "data/UCF-101", shared / "labels/ucf101_classInd.txt"
    network = ("-w", weights["rgb"], "-w", weights["flow"], "--labels", labels, "-n", 16)
    endpoints = ("-e", "Conv3d_3_x", "-e", "AP", "-e", "SOFTMAX")
    run("explain", "v_SoccerJuggling_g23_c01", "-d", data, *network, *endpoints, "--store", store, "-q")
    return store


@pytest.fixture(scope="session")
def make_report(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make the report of some words of `gbvis report` once; nobody may change it."""
    folder = tmp_path_factory.mktemp("reports")

    @cache
    def make(*words: object) -> Path:
        path = folder / f"{sum(1 for _ in folder.iterdir())}.html"
        run("report", *words, "-o", path, "-q")
        return path

    return make


@pytest.fixture(scope="session")
def report(make_report: Callable[..., Path], sixty: Path) -> Path:
    """The report of sixty runs."""
    return make_report("--store", sixty)

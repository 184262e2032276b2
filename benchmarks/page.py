"""The page of a report in Chromium: scrubbing, the first sight of an index from `gbvis view`, and opening a run.

    python benchmarks/page.py VIDEO [--runs 1000]

Explains a clip of 16 frames of the video with random weights, and adds runs of nothing to its store until there are so
many. Needs the extra `browser` and a Chromium.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from store import GBVIS, make_store

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests/browser"))

STEPS, ROUNDS = 200, 5

SCRUB = """
async (steps) => {
  const slider = document.querySelector("input[type=range]");
  const took = [];
  const next = () => new Promise(requestAnimationFrame);
  await next();
  for (let step = 0; step < steps; step += 1) {
    const begin = performance.now();
    slider.value = String(Number(slider.min) + (step % (Number(slider.max) - Number(slider.min) + 1)));
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await next();
    took.push(performance.now() - begin);
  }
  return took;
}
"""
"""Milliseconds from each step of the slider to the next picture of the screen."""

OPEN = """
async (run) => {
  const begin = performance.now();
  location.hash = new URLSearchParams({ run });
  const isDrawn = () => [...document.querySelectorAll("canvas[data-panel=gradient]")].some((one) => one.dataset.frame);
  while (!isDrawn()) {
    await new Promise(requestAnimationFrame);
  }
  return (performance.now() - begin) / 1000;
}
"""

SEARCH = """
async (words) => {
  const field = document.querySelector("input[type=search]");
  const begin = performance.now();
  field.value = words;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return (performance.now() - begin) / 1000;
}
"""


def run(*words: object) -> str:
    """Run a command line, and return what it prints."""
    done = subprocess.run([*GBVIS, *map(str, words)], capture_output=True, text=True, check=True)
    return done.stdout


def explain_clip(video: str, folder: Path) -> str:
    """Explain a clip of two streams into `clip.zarr`; return the key of the RGB run."""
    subprocess.run([sys.executable, ROOT / "tests/material/make_weights.py", folder], check=True)
    store = ("--store", folder / "clip.zarr")
    run("explain", video, "-w", folder / "rgb.pth", "-n", 16, "-e", "FC", *store, "-q")
    return str(json.loads(run("store", "ls", "--json", *store).splitlines()[0])["group"])


@contextmanager
def serve(store: Path) -> Iterator[tuple[str, float]]:
    """Run `gbvis view`; gives its address, and when it was started."""
    started = time.perf_counter()
    process = subprocess.Popen([*GBVIS, "view", "--store", store, "--json"], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    yield json.loads(process.stdout.readline())["url"], started
    process.send_signal(signal.SIGINT)
    process.wait()


def measure_scrubbing(browser: Browser, report: Path, key: str) -> float:
    """Return the frames a second while one run of four panels is scrubbed: the median step's."""
    page = browser.new_page()
    page.goto(report.as_uri())
    page.evaluate(OPEN, key)
    took: list[float] = page.evaluate(SCRUB, STEPS)
    page.close()
    return 1000 / statistics.median(took)


def measure_index(browser: Browser, store: Path, key: str) -> dict[str, list[float]]:
    """Return seconds from the command and from the browser's request to the first rows, to a run, and of a search."""
    found: dict[str, list[float]] = {"command": [], "request": [], "run": [], "again": [], "search": []}
    for _ in range(ROUNDS):
        page: Any = browser.new_page()
        with serve(store) as (url, started):
            asked = time.perf_counter()
            page.goto(url)
            page.locator("a[href*='run=']").first.wait_for()
            shown = time.perf_counter()
            found["command"].append(shown - started)
            found["request"].append(shown - asked)
            page.wait_for_timeout(1500)
            found["search"].append(page.evaluate(SEARCH, "clip-0007"))
            found["run"].append(page.evaluate(OPEN, key))
            page.evaluate("location.hash = ''")
            page.wait_for_timeout(500)
            found["again"].append(page.evaluate(OPEN, key))
            page.close()
    return found


def measure(browser: Browser, video: str, runs: int, folder: Path) -> dict[str, float]:
    """Return the medians of all that is measured, in seconds, and `rate`, frames a second."""
    key = explain_clip(video, folder)
    report, store = folder / "clip.html", folder / "clip.zarr"
    run("report", "--store", store, "-o", report, "-q")
    print(f"two runs of 16 frames of 112x112: {report.stat().st_size / 1e6:.2f} MB\n")
    make_store(store, runs - 2)
    rate = measure_scrubbing(browser, report, key)
    measured = measure_index(browser, store, key)
    return {"rate": rate} | {what: statistics.median(seconds) for what, seconds in measured.items()}


def main() -> None:
    """Print a table in Markdown."""
    from chromium import launch_chromium

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video")
    parser.add_argument("--runs", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        browser = launch_chromium(driver)
        took = measure(browser, arguments.video, arguments.runs, Path(name))
        browser.close()
    print("| what | target | measured |\n| --- | --- | --- |")
    print(f"| scrubbing four panels, frames a second | at least 50 | {took['rate']:.0f} |")
    print(f"| first rows of {arguments.runs} runs, from the command | at most 2 s | {took['command']:.2f} s |")
    print(f"| the same, from the browser's request | | {took['request']:.2f} s |")
    print(f"| a run, from the click to its panels | at most 0.3 s | {took['run']:.2f} s |")
    print(f"| the same run again | | {took['again']:.2f} s |")
    print(f"| a search among all runs | at most 0.1 s | {took['search']:.3f} s |")


if __name__ == "__main__":
    main()

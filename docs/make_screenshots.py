"""Makes the pictures of pages in `docs/report/`: `python docs/make_screenshots.py`. It needs the extra `browser`."""

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from browser.chromium import launch_chromium  # type: ignore[import-not-found]  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PICTURES = HERE / "report"

CLASSES = ("left", "right", "up", "down", "turn-left", "turn-right", "grow", "shrink")
COMMAND = "gbvis explain --videos-from list.txt -w sample -e Conv3d_3_x -e FC --report report.html"

DESKTOP, PHONE = (1280, 900), (390, 844)


def main() -> None:
    """Explain samples with their classes, open the report, and photograph it as people see it."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        lines = [f"sample:{name}-{seed} {index}\n" for seed in (3, 5) for index, name in enumerate(CLASSES)]
        (Path(folder) / "list.txt").write_text("".join(lines))
        subprocess.run(shlex.split(COMMAND), cwd=folder, check=True)
        browser, address = launch_chromium(driver), (Path(folder) / "report.html").as_uri()
        for name, size, colors in (("desktop", DESKTOP, "light"), ("phone", PHONE, "dark")):
            page = open_page(browser, address, size, colors)
            page.screenshot(path=PICTURES / f"index-{name}.png")
            open_run(page, "turn-left-3", "rgb", "FC")
            page.screenshot(path=PICTURES / f"run-{name}.png", full_page=name == "desktop")
            page.close()
        page = open_page(browser, address, DESKTOP, "light")
        page.get_by_text("Importance over time").click()
        page.wait_for_timeout(1000)
        page.screenshot(path=PICTURES / "classes.png")
        browser.close()


def open_page(browser: "Browser", address: str, size: tuple[int, int], colors: str) -> "Page":
    """Return the report's index in a window of this size."""
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if colors == "dark" else "light",
        reduced_motion="reduce",
    )
    page.goto(address)
    page.locator('a[href^="#run="]').first.wait_for(state="attached")
    page.wait_for_timeout(500)
    return page


def open_run(page: "Page", video: str, stream: str, endpoint: str) -> None:
    """Open a run, and go to the frame in its middle."""
    page.get_by_label("Search").fill(video)
    link = page.locator(f'a[href*="{video}%2F{stream}%2F{endpoint}"]').first
    link.wait_for()
    link.click()
    page.locator("canvas[data-panel=gradient]").first.wait_for()
    slider = page.get_by_role("slider", name="frame").first
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_timeout(500)


if __name__ == "__main__":
    main()

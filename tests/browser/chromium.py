"""The system's Chromium, driven by playwright; nothing is downloaded."""

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-quic"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
"""For root, little shared memory and a closed network; the project trusts the pages that it opens."""


def find_chromium() -> str | None:
    """Return the program, or None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def launch_chromium(driver: "Playwright") -> "Browser":
    """Start it without a window."""
    return driver.chromium.launch(executable_path=find_chromium(), args=[*FLAGS])

"""Broken files of every kind: never a traceback, a hang, a full memory or a wrong exit code; good videos are done."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parent / "broken_files.py"


@pytest.mark.parametrize("options", [["--kind", "hostile"], ["--cases", "21", "--no-hostile"]])
def test_broken_files(options: list[str]) -> None:
    """A short form of what the script does; in a process of its own, since it forks, and torch must not have run."""
    done = subprocess.run([sys.executable, SCRIPT, *options], capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr

"""Short forms of the scripts beside this. Figures of the long ones: `docs/RELIABILITY.md`."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SHORT = {
    "kills.py": ["--count", "5"],
    "crowds.py": ["--rounds", "2", "--processes", "3"],
    "flips.py": ["--count", "5"],
    "hammer.py": ["--seconds", "2"],
    "forged.py": ["--count", "4"],
    "shards.py": ["--videos", "60", "--shards", "4", "--pause", "1.5"],
}


@pytest.mark.parametrize("script", SHORT)
def test_nothing_is_lost(script: str) -> None:
    """In a process of its own, since it forks, and torch must not have run."""
    words = [sys.executable, Path(__file__).parent / script, *SHORT[script]]
    done = subprocess.run(words, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr

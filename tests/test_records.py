"""Records, read by threads at once."""

import subprocess
import sys

import pytest

SCRIPT = """
import threading
from dataclasses import make_dataclass
from gbvis.records import read_record

def read():
    barrier.wait()
    read_record(data, kind)

data = {**{f"field{number}": [1] for number in range(20)}, "part": {"words": {"a": 1.0}}}
for _ in range(3000):
    part = make_dataclass("Part", [("words", dict[str, float])])
    kind = make_dataclass("Kind", [*((f"field{number}", list[int]) for number in range(20)), ("part", part)])
    barrier = threading.Barrier(8)
    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


@pytest.mark.slow
def test_threads_may_meet_a_class_at_once() -> None:
    """Without a lock msgspec ended the process after 180 to 1,300 classes, four times of four."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

"""A small store of both streams, and calls on it, for the scripts beside this."""

import json
import os
import sys
from pathlib import Path

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before anything starts threads: they do not survive a fork

from gbvis.store import Store

MATERIAL = Path(__file__).parent.parent / "material"
SAMPLES = ["sample:up-4", "sample:turn-left-3"]
EXPLAIN = ["explain", *SAMPLES, "-w", "sample", "-e", "Conv3d_4_x", "-e", "FC", "--clips", "2"]
FLOW = ["explain", str(MATERIAL / "moving-disc.mp4"), "-w", "sample", "-m", "flow", "--flow-algorithm", "farneback"]
EXTRACT = ["extract", str(MATERIAL / "moving-disc.mp4"), "-o", "data", "--flow-algorithm", "farneback"]
RUNS = 9
"""Two videos, two streams, two endpoints; and one run of flow that was estimated."""


def run(folder: Path, *words: str) -> None:
    """Be a process that runs `gbvis WORDS` in a folder."""
    from gbvis.cli.app import run  # not `main`, which would also end what the parent of this process has begun

    os.chdir(folder)
    sys.argv = ["gbvis", *words]
    sys.exit(run())


def read_all(store: Path) -> dict[str, bytes]:
    """Return every gradient of a store, by its key."""
    return {one.key: one.to_numpy().tobytes() for one in Store.open(store).runs()}


def read_files(folder: Path, pattern: str) -> dict[str, bytes]:
    """Return every file below a folder that has its final name, by its path."""
    found = (path for path in folder.glob(pattern) if path.is_file())
    paths = ((path, path.relative_to(folder)) for path in found)
    return {str(name): path.read_bytes() for path, name in paths if not any(part[0] == "." for part in name.parts)}


def find_command(err: str) -> str:
    """Return the shell command that a hint ends with."""
    return " ".join(err.split()).partition("write it again: ")[2]


def read_lines(out: str) -> list[dict[str, object]]:
    """Return the results of a call with `--json` that are no failures."""
    return [line for line in map(json.loads, out.splitlines()) if "error" not in line]

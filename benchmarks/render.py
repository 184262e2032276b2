"""Rendering: a 64-frame strip of 920x280 pixels from real video, against `imageio.v3.imwrite(path, frames)`.

    python benchmarks/render.py VIDEO

Explains 64 frames of the video with random weights, lays a strip out, and writes the very same frames as GIF, MP4, WebP
and APNG. Each figure is the median of five rounds in which all take turns.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from PIL import Image

from gbvis.figures.encoders.ffmpeg import write_apng, write_mp4, write_webp
from gbvis.figures.encoders.pillow import write_gif
from gbvis.figures.layouts.strip import STRIP
from gbvis.figures.picture import Picture
from gbvis.figures.style import Style
from gbvis.steps.run_views import find_source_frames, make_run_view
from gbvis.store import Store

FRAMES, HEIGHT = 64, 280
ROUNDS = 5
MATERIAL = Path(__file__).parent.parent / "tests/material"


def make_strip(video: Path, folder: Path) -> tuple[np.ndarray, float, np.ndarray | None]:
    """Return the frames, uint8 (64, 280, 920, 3), the seconds that laying them out took, and the legend's colours."""
    subprocess.run([sys.executable, MATERIAL / "make_weights.py", folder], check=True)
    store = folder / "gbvis.zarr"
    words = ["explain", video, "-w", folder / "rgb.pth", "-n", FRAMES, "--store", store]
    subprocess.run([sys.executable, "-m", "gbvis", *map(str, words)], check=True)
    opened = Store.open(store)
    (run,) = opened.runs()
    view = make_run_view(opened, run, partial(find_source_frames, opened, run, None))
    (picture,) = STRIP.lay_out([view], Style())
    started = time.perf_counter()
    frames = np.stack(list(picture.frames()))
    return frames[:, :HEIGHT], time.perf_counter() - started, picture.kept


def timed(write: Callable[[], None]) -> float:
    """Return the seconds that a call takes."""
    started = time.perf_counter()
    write()
    return time.perf_counter() - started


def fidelity(path: Path, frames: np.ndarray) -> float:
    """Return the mean PSNR of a GIF's frames, decibels."""
    found = []
    with Image.open(path) as image:
        for number, frame in enumerate(frames):
            image.seek(number)
            error = np.mean((np.asarray(image.convert("RGB"), float) - frame) ** 2)
            found.append(10 * np.log10(255**2 / error))
    return float(np.mean(found))


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    video: Path = parser.parse_args().video
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frames, drawing, kept = make_strip(video, folder)
        picture = Picture(frames.shape[2], HEIGHT, FRAMES, 25.0, lambda step=1: iter(frames[::step]), kept=kept)
        writers: dict[str, Callable[[], None]] = {"imageio": lambda: imageio.imwrite(folder / "imageio.gif", frames)}
        for kind, write in {"gif": write_gif, "mp4": write_mp4, "webp": write_webp, "apng": write_apng}.items():
            writers[kind] = partial(write, picture, folder / f"gbvis.{kind}")
        seconds: dict[str, list[float]] = {name: [] for name in writers}
        for _ in range(ROUNDS):
            for name, run in writers.items():
                seconds[name].append(timed(run))
        median = {name: statistics.median(found) for name, found in seconds.items()}
        rival, ours = folder / "imageio.gif", folder / "gbvis.gif"
        ratios = [theirs / mine for theirs, mine in zip(seconds["imageio"], seconds["gif"], strict=True)]
        print(f"Frames {frames.shape}; drawing them took {drawing:.2f} s ({FRAMES / drawing:.0f} a second).\n")
        print("| writer | seconds | frames a second | bytes |\n| --- | --- | --- | --- |")
        for kind, path in {**{kind: folder / f"gbvis.{kind}" for kind in writers}, "imageio": rival}.items():
            if path.exists():
                pace = FRAMES / median[kind]
                print(f"| {kind} | {median[kind]:.2f} | {pace:.0f} | {path.stat().st_size:,} |")
        print(
            f"\nGIF: {statistics.median(ratios):.1f} times as fast as imageio (median of {ROUNDS} rounds), "
            f"{ours.stat().st_size / rival.stat().st_size:.2f} of its size, "
            f"{fidelity(ours, frames) - fidelity(rival, frames):+.1f} dB."
        )


if __name__ == "__main__":
    main()

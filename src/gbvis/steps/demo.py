"""`gbvis demo`: a few samples as a two-stream data set and as MP4, and the commands to try on them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gbvis.atomic_file import publish
from gbvis.errors import GbvisError, UsageError
from gbvis.figures.picture import Picture
from gbvis.networks.sample import SAMPLE_WEIGHTS
from gbvis.shell import as_argument
from gbvis.store import Store
from gbvis.videos.motion import encode_motion
from gbvis.videos.synthetic import RATE, SIZE, Sample, draw_sample, read_sample_name
from gbvis.videos.two_stream import FLOW_FOLDER, RGB_FOLDER, write_frames

SAMPLES = ("turn-left-3", "right-5", "grow-2")
ENDPOINTS = ("Conv3d_1", "Conv3d_3_x", "FC")


@dataclass(frozen=True)
class DemoRequest:
    """What to show.

    Attributes:
        folder: Where everything goes.
        samples: Names of samples, `CLASS-SEED`.
    """

    folder: Path
    samples: tuple[str, ...] = SAMPLES

    @property
    def dataset(self) -> Path:
        """The two-stream data set to write."""
        return self.folder / "two-stream"

    @property
    def store(self) -> Path:
        """The store to explain into."""
        return self.folder / "gbvis.zarr"

    @property
    def pictures(self) -> Path:
        """Where the pictures go."""
        return self.folder / "pictures"

    @property
    def report(self) -> Path:
        """Where the page with all runs goes."""
        return self.folder / "report.html"

    def video_file(self, name: str) -> Path:
        """Return where the MP4 of a sample goes."""
        return self.folder / "videos" / f"{name}.mp4"


@dataclass(frozen=True)
class WrittenSample:
    """A sample on disk, as a video of the data set and as an MP4."""

    name: str
    dataset: Path
    file: Path

    def to_json(self) -> dict[str, Any]:
        """Return the sample as a line of `--json`."""
        return {"video": self.name, "dataset": str(self.dataset), "file": str(self.file)}


def run(request: DemoRequest) -> Iterator[WrittenSample]:
    """Yield every sample once it is written.

    Raises:
        UsageError: There is no such sample, or its place cannot be written, or holds something else.
    """
    _check_folder(request)
    try:
        named = {name: read_sample_name(name) for name in request.samples}
        for name, (motion, seed) in named.items():
            sample = draw_sample(motion, seed)
            _write_dataset(request.dataset, name, sample)
            _write_video_file(request.video_file(name), sample)
            yield WrittenSample(name, request.dataset, request.video_file(name))
    except GbvisError as error:  # elsewhere one video fails; here it is the call
        raise UsageError(error.problem, error.hint) from error


def _check_folder(request: DemoRequest) -> None:
    """Check that the folder can be written to, before anything is drawn.

    Raises:
        UsageError: A file lies in its place, or something else than a store in the store's.
    """
    folder = request.folder
    hint = "give another folder: gbvis demo DIR"
    file = next((place for place in (folder, *folder.parents) if os.path.isfile(place)), None)  # noqa: PTH113
    if file is not None:
        raise UsageError(f"the demo cannot be written to {folder}: {file} is a file", hint)
    try:
        Store.find(request.store)
    except UsageError as error:
        raise UsageError(error.problem, hint) from error


def make_commands(request: DemoRequest) -> list[list[str]]:
    """Return the command lines that show what gbvis does with the samples, less the `gbvis` before them."""
    names = list(request.samples)
    store = ["--store", str(request.store)]
    data = ["-d", str(request.dataset), "-w", SAMPLE_WEIGHTS]
    endpoints = [word for endpoint in ENDPOINTS for word in ("-e", endpoint)]
    return [
        ["predict", *names, *data, "--clips", "1", "--top", "3", *store],
        ["explain", *names, *data, *endpoints, "--top-filters", "1", *store],
        ["render", *names, "-o", str(request.pictures), *store],
        ["report", *names, "-o", str(request.report), *store],
    ]


def suggest_commands(request: DemoRequest) -> list[list[str]]:
    """Return command lines to try next."""
    name, store = request.samples[0], ["--store", str(request.store)]
    return [
        ["explain", as_argument(str(request.video_file(name))), "-w", SAMPLE_WEIGHTS, "-m", "rgb", "-e", "all", *store],
        ["render", name, *store, "-e", "FC", "--format", "png", "-o", str(request.pictures)],
        ["view", *store, "--open"],
        ["predict", "sample:shrink-7", "-w", SAMPLE_WEIGHTS, *store],
        ["inspect-shapes", "-w", SAMPLE_WEIGHTS],
    ]


def _write_dataset(dataset: Path, name: str, sample: Sample) -> None:
    levels = encode_motion(sample.flow)
    flow = dataset / f"sample_{FLOW_FOLDER}" / FLOW_FOLDER
    write_frames(dataset / f"sample_{RGB_FOLDER}" / RGB_FOLDER / name, sample.frames)
    for channel, number in (("u", 0), ("v", 1)):
        write_frames(flow / channel / name, levels[..., number])


def _write_video_file(path: Path, sample: Sample) -> None:
    from gbvis.figures.encoders.ffmpeg import write_mp4

    picture = Picture(SIZE, SIZE, len(sample.frames), RATE, lambda step=1: iter(sample.frames[::step]))
    publish(path, partial(write_mp4, picture), force=False, hint="choose another folder")

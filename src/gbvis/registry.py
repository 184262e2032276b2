"""Every interchangeable part, one line each, imported when it is first asked for."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from gbvis.errors import GbvisError

if TYPE_CHECKING:  # the command line asks this file for names alone
    from gbvis.attribution.attribution import PendingAttributions
    from gbvis.figures import Picture, RunView, Style
    from gbvis.networks.endpoint import Endpoint, Target
    from gbvis.networks.network import Network, ShapeWatcher
    from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
    from gbvis.networks.transfer import HostCopy
    from gbvis.videos.clip import ClipPixels
    from gbvis.videos.motion import Grey, Motion
    from gbvis.videos.video import Video

FLOWS = {"tvl1": "tvl1", "dis": "dis", "farneback": "farneback"}
SOURCES = ("synthetic", "two_stream_folder", "frame_folder", "video_file")
"""Asked in this order; the first that knows a location reads it."""

CHECKPOINTS = {
    "old-script": "old_script",
    "torchvision": "torchvision",
    "vmz": "vmz",
    "r2plus1d-pytorch": "r2plus1d_pytorch",
    "vmz-caffe2": "vmz_caffe2",
}
METHODS = {"guided-backprop": "guided_backprop"}
LAYOUTS = {
    "strip": "strip",
    "sheet": "sheet",
    "sheet-transposed": "sheet_transposed",
    "overlay": "overlay",
    "streams": "streams",
    "endpoints": "endpoints",
}
RENDERERS = {"gif": "gif", "mp4": "mp4", "webp": "webp", "apng": "apng", "png": "png"}


class Flow(Protocol):
    """A file of `flows/`."""

    SETTINGS: Mapping[str, Any]
    """What of the algorithm decides its numbers, as plain data."""

    def estimate(self, before: Grey, after: Grey) -> Motion:
        """Return the motion from one frame to the next: float32 (H, W, 2), pixels. Any thread may call this."""


class Source(Protocol):
    """A file of `sources/`."""

    def read(self, location: str, modality: str, dataset: Path | None) -> Video | None:
        """Return the video at `location`, or None where another source is to be asked."""


class Method(Protocol):
    """A file of `methods/`."""

    def attribute(
        self,
        network: Network,
        clips: Sequence[ClipPixels],
        endpoints: Collection[Endpoint],
        choose: Callable[[Mapping[Endpoint, HostCopy]], Sequence[Target]],
        watch: ShapeWatcher | None = None,
    ) -> Iterator[PendingAttributions]:
        """Yield the attributions of every target that `choose` picks from the responses at `endpoints`."""


class Layout(Protocol):
    """A file of `layouts/`."""

    IS_MOVING: bool
    """True where the picture has a frame for every frame of the clip, False where it is a single one."""

    JOINS: str | None
    """`streams` or `endpoints` where runs that differ in these make one picture; None for a picture a run."""

    NEEDS_SOURCE: bool
    """True where the exhibit must come with the frames at their own size."""

    def lay_out(self, exhibits: Sequence[RunView], style: Style) -> list[Picture]:
        """Return the pages of one picture; most have one."""


class Encoder(Protocol):
    """A file of `renderers/`."""

    CAN_MOVE: bool
    """False where the format holds a single frame."""

    def write(self, picture: Picture, path: Path) -> None:
        """Write the picture to `path`, which is free."""


def sources() -> Iterator[Source]:
    """Yield the sources in the order in which they are asked."""
    for name in SOURCES:
        yield cast(Source, import_module(f"gbvis.videos.readers.{name}"))


def flow(name: str) -> Flow:
    """Return the way of estimating motion that has that name; GbvisError (exit code 2) where there is none."""
    return cast(Flow, _load("flow algorithm", FLOWS, name))


def families() -> list[CheckpointFormat]:
    """Return the checkpoint families."""
    return [family(name) for name in CHECKPOINTS]


def family(name: str) -> CheckpointFormat:
    """Return the checkpoint family of that name; GbvisError (exit code 2) where there is none."""
    return cast("CheckpointFormat", _load("family", CHECKPOINTS, name).FAMILY)


def method(name: str) -> Method:
    """Return the method of that name; GbvisError (exit code 2) where there is none."""
    return cast(Method, _load("method", METHODS, name))


def layout(name: str) -> Layout:
    """Return the layout of that name; GbvisError (exit code 2) where there is none."""
    return cast(Layout, _load("layout", LAYOUTS, name))


def renderer(name: str) -> Encoder:
    """Return the renderer of that format; GbvisError (exit code 2) where there is none."""
    return cast(Encoder, _load("format", RENDERERS, name))


def check_name(kind: str, known: Collection[str], name: str) -> str:
    """Return `name` if it is known; `kind` says in the error what it should name.

    Raises:
        GbvisError: It is not (exit code 2).
    """
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise GbvisError(f"unknown {kind} {name!r}", f"{meant}known: {', '.join(known)}", exit_code=2)
    return name


def _load(kind: str, modules: Mapping[str, str], name: str) -> Any:
    rooms = {
        "flow algorithm": "flow.algorithms",
        "family": "networks.r2plus1d.formats",
        "method": "attribution.methods",
        "layout": "figures.layouts",
    }
    room = rooms.get(kind, "figures.encoders")
    return import_module(f"gbvis.{room}.{modules[check_name(kind, modules, name)]}")

"""Arguments of the Python API, turned into parts of requests."""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbvis.attribution.checks.check import Check
from gbvis.attribution.method import Method
from gbvis.errors import UsageError
from gbvis.networks.input_format import InputFormat, InputFormats
from gbvis.networks.sample import find_weights
from gbvis.steps.networks import WeightsRequest
from gbvis.steps.own_networks import GivenNetwork
from gbvis.videos.clip_request import ClipRequest, read_clip_request
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.video import Video

if TYPE_CHECKING:
    from gbvis.networks.network import Network

Videos = str | Path | Video | Iterable[str | Path | Video]
"""Paths, patterns, names in a data set, `sample:CLASS-SEED`, or videos themselves (`gbvis.Video.from_frames`)."""

Paths = str | Path | Iterable[str | Path]
Names = str | Iterable[str]
Labels = str | int | Iterable[str | int]


def take_network(given: Any) -> GivenNetwork | None:
    """Return a network that is in memory, as steps take it; None for what is none."""
    module = sys.modules.get("gbvis.networks.network")  # who has a network has loaded torch
    return GivenNetwork(given) if module and isinstance(given, module.Network) else None


def make_entries(videos: Videos) -> tuple[VideoEntry, ...]:
    """Return videos as steps take them."""
    given = [videos] if isinstance(videos, str | Path | Video) else list(videos)
    if not given:
        raise UsageError("no video given", "give a path, a name or a Video")
    return tuple(
        VideoEntry(one.location, video=one) if isinstance(one, Video) else VideoEntry(str(one)) for one in given
    )


def make_weights(
    given: "Paths | Network",
    modality: str | None,
    device: str,
    precision: str,
    class_names: str | Path | None,
    checkpoint_format: str | None,
    state: str | None,
    inputs: InputFormat | Mapping[str, InputFormat] | None,
) -> WeightsRequest:
    """Return networks as steps take them.

    Raises:
        UsageError: Weights are neither a network nor files.
    """
    own = take_network(given)
    return WeightsRequest(
        paths=() if own else tuple(find_weights(Path(path)) for path in _list_files(given)),
        modality=modality,
        device=device,
        precision=precision,
        labels=as_path(class_names),
        checkpoint_format=checkpoint_format,
        state=state,
        inputs=InputFormats({"": inputs} if isinstance(inputs, InputFormat) else dict(inputs or {})),
        network=own,
    )


def _list_files(given: Any) -> tuple[str | os.PathLike[str], ...]:
    """Return weights files that may be given alone or several times.

    Raises:
        UsageError: They are none: a module, a function, a state dict, a number.
    """
    is_list = isinstance(given, Iterable) and not (callable(given) or isinstance(given, str | Path | Mapping | bytes))
    files = tuple(given) if is_list else (given,)
    for one in files:
        if not isinstance(one, str | os.PathLike):
            hint = "give a file; a torch module goes to gbvis.load_network, with input=(frames, rows, columns)"
            is_function = callable(one) and not hasattr(one, "state_dict")
            raise UsageError(
                f"weights are a file, or what gbvis.load_network returns, and not a {type(one).__name__}",
                f"call the function; {hint}" if is_function else hint,
            )
    return files


def make_clips(frames: int | None, clips: int | str, start: int | str | None, stride: int) -> ClipRequest:
    """Return which clips, as steps take it."""
    return read_clip_request(frames, str(clips), None if start is None else str(start), stride)


def as_path(given: str | Path | None) -> Path | None:
    """Return a path, if one is given."""
    return None if given is None else Path(given)


def as_tuple(given: Any) -> tuple[Any, ...]:
    """Return what may be given alone or several times as a tuple."""
    is_single = isinstance(given, str | int | Path | Method | Check)
    return (given,) if is_single else tuple(given)

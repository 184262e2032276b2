"""What was typed, as the parts of a request."""

from __future__ import annotations

import io
import math
import re
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from gbvis import registry
from gbvis.errors import GbvisError

if TYPE_CHECKING:
    from gbvis.figures import Style
    from gbvis.networks.endpoint import Endpoint
    from gbvis.steps.selection import Selection
    from gbvis.steps.streams import FlowRequest
    from gbvis.videos.locate import VideoEntry


def read_videos(typed: list[str] | None, list_file: str | None, is_from_one: bool) -> tuple[VideoEntry, ...]:
    """Return the videos typed and those of the list, `-` being standard input.

    Raises:
        GbvisError: There are none, or the list cannot be read (exit code 2).
    """
    from gbvis.videos.locate import VideoEntry, read_video_list
    from gbvis.videos.name_list import read_text

    entries = [VideoEntry(video) for video in typed or []]
    if list_file:
        try:
            with _open_list(list_file) as file:
                text = read_text(file, f"the list {list_file}", "surrogateescape")
            entries += read_video_list(text, is_from_one)
        except OSError as error:
            problem = f"cannot read the list {list_file}: {error.strerror}"
            raise GbvisError(problem, "check the path after --videos-from", exit_code=2) from error
    if not entries:
        raise GbvisError("no video given", "give files, folders or names, or a list with --videos-from", exit_code=2)
    return tuple(entries)


def _open_list(name: str) -> AbstractContextManager[BinaryIO]:
    """Open a list of videos, `-` being standard input, which stays open."""
    if name == "-":
        return nullcontext(sys.stdin.buffer if sys.stdin else io.BytesIO())
    return Path(name).open("rb")


def read_weights(typed: list[Path] | None) -> tuple[Path, ...]:
    """Return the weights files typed; an empty name, as behind the last `:` of GBVIS_WEIGHTS, is none."""
    from gbvis.networks.sample import find_weights

    return tuple(find_weights(path) for path in typed or [] if path != Path())


def read_selection(
    modality: str | None,
    endpoints: list[str] | None,
    labels: list[str] | None,
    filters: list[int] | None,
    frames: int | None,
    clips: int | None,
    method: str | None,
    precision: str | None,
    weights: list[Path] | None,
    flow_algorithm: str | None,
) -> Selection:
    """Return what narrows the runs of a store down.

    Raises:
        GbvisError: There is no such endpoint (exit code 2).
    """
    from gbvis.networks.endpoint import read_endpoints
    from gbvis.steps.selection import Selection

    return Selection(
        modality=modality,
        endpoints=tuple(read_endpoints(endpoints or [])),
        labels=tuple(labels or ()),
        filters=tuple(filters or ()),
        frames=frames,
        clips=clips,
        method=method,
        precision=precision,
        weights=read_weights(weights),
        flow_algorithm=flow_algorithm,
    )


def read_flow(algorithm: str | None, is_jpeg: bool, is_mean_subtracted: bool, is_stretched: bool) -> FlowRequest:
    """Return how the flow stream is to be had.

    Raises:
        GbvisError: The algorithm is unknown, or both remedies against camera motion are named (exit code 2).
    """
    from gbvis.steps.streams import FlowRequest

    if is_mean_subtracted and is_stretched:
        raise GbvisError("both --flow-mean-subtract and --meansub are given", "give one of them", exit_code=2)
    remedy = "mean-subtract" if is_mean_subtracted else "meansub" if is_stretched else None
    return FlowRequest(algorithm, is_jpeg, remedy)


def read_folder(typed: str) -> Path:
    """Return the folder typed after `-o`; an empty name, as an unset variable leaves it, is none.

    Raises:
        GbvisError: It is empty (exit code 2).
    """
    if not typed:
        raise GbvisError("-o names no folder", "give the data set's folder; the current one is .", exit_code=2)
    return Path(typed)


def read_explained_endpoints(
    names: list[str] | None, labels: list[str] | None, filters: list[int] | None, top_filters: int | None
) -> tuple[Endpoint, ...]:
    """Return the endpoints to explain, `SOFTMAX` where none is named.

    Raises:
        GbvisError: An endpoint is unknown, or classes or filters are named that no endpoint has (exit code 2).
    """
    from gbvis.networks.endpoint import read_endpoints

    endpoints = tuple(read_endpoints(names or ["SOFTMAX"]))
    if labels and not any(endpoint.is_class for endpoint in endpoints):
        raise GbvisError("--label goes with FC and SOFTMAX", "add -e FC, or pick a filter with -f", exit_code=2)
    if (filters or top_filters) and all(endpoint.is_class for endpoint in endpoints):
        raise GbvisError(
            "--filter and --top-filters go with the conv endpoints and AP",
            "add -e Conv3d_5_x, say, or pick a class with -l",
            exit_code=2,
        )
    if filters and top_filters:
        raise GbvisError("both --filter and --top-filters are given", "give one of them", exit_code=2)
    return endpoints


def read_style(
    panels: str,
    flow: str,
    flow_colors: str,
    scale: str,
    percentile: float,
    colors: str,
    rate: float,
    loops: str,
    size: int | None,
    font: Path | None,
) -> Style:
    """Return how pictures are to look.

    Raises:
        GbvisError: A name is unknown, a number is none, or the font cannot be used (exit code 2).
    """
    from gbvis.figures import COLORS, FLOW_CHANNELS, FLOW_COLORS, PANELS, SCALES, Style
    from gbvis.figures.text import check_font

    if font:
        check_font(font)
    if not math.isfinite(rate) or not math.isfinite(percentile):
        raise GbvisError(
            "--fps and --percentile want numbers", "give one from 0.1 to 60, and from 50 to 100", exit_code=2
        )
    names = [registry.check_name("panel", PANELS, name.strip()) for name in panels.split(",")]
    return Style(
        panels=tuple(dict.fromkeys(names)),
        flow=registry.check_name("flow channel", FLOW_CHANNELS, flow),
        flow_colors=registry.check_name("flow colours", FLOW_COLORS, flow_colors),
        scale=registry.check_name("scale", SCALES, scale),
        percentile=percentile,
        colors=registry.check_name("colours", COLORS, colors),
        rate=rate,
        loops=_read_loops(loops),
        size=size,
        font=font,
    )


def _read_loops(typed: str) -> int | None:
    """Return how often a picture is to be played, None for ever."""
    if not re.fullmatch("forever|[1-9][0-9]{0,3}", typed):
        problem = f"--loop {typed!r} is no number of times"
        raise GbvisError(problem, "give a number from 1 to 9999, or forever", exit_code=2)
    return None if typed == "forever" else int(typed)

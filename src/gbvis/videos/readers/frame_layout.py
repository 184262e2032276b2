"""Frame layouts: where in a folder of image files one video's RGB frames are, and where its flow.

As they are, or as TSN's dense_flow, denseflow and MMAction2 lay them out:

```
VIDEO/img_00001.jpg, VIDEO/flow_x_00001.jpg, VIDEO/flow_y_00001.jpg
VIDEO/img_00001.jpg, VIDEO/{x,y}/00001.jpg
VIDEO/{img,flow_x,flow_y}/00001.jpg
```
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gbvis.errors import VideoError
from gbvis.videos.readers.frame_numbers import describe_ranges
from gbvis.videos.readers.frame_series import (
    Series,
    check_doubles,
    choose_series,
    describe_left_out,
    group_names,
    list_images,
    list_names,
)
from gbvis.videos.readers.image_file import SUFFIXES
from gbvis.videos.two_stream import is_folder

_RGB_FOLDERS = ("img", "imgs", "image", "images", "rgb", "frames", "jpegs", "jpg", "i")
_FLOW_FOLDERS = ("flow", "flows", "tvl1_flow", "optical_flow")
_PAIRS = (("x", "y"), ("u", "v"), ("flow_x", "flow_y"), ("flow_u", "flow_v"), ("flowx", "flowy"), ("flowu", "flowv"))
_CHANNEL = re.compile(r"(?<![^\W\d_])(flow)?(?:([xu])|([yv]))(?![^\W\d_])")


@dataclass(frozen=True)
class Channel:
    """The image files of a video's RGB frames, or of one channel of its flow.

    Attributes:
        folder: Where they lie.
        series: Their names and numbers.
        others: What else lies there, and was left out.
        told: What a user should know besides.
    """

    folder: Path
    series: Series
    others: tuple[Series, ...] = ()
    told: tuple[str, ...] = ()

    @property
    def files(self) -> list[Path]:
        """The paths, in order."""
        return [self.folder / name for name in self.series.names]

    @property
    def notices(self) -> list[str]:
        """What a user should know of them."""
        gaps = self.series.gaps
        told = [describe_left_out(self.others, self.series)] if self.others else []
        if gaps:
            told.append(
                f"missing in {self.series.pattern}: {describe_ranges(gaps)}; the frames before and behind are read as "
                "neighbours"
            )
        return [*(f"{self.folder}: {text}" for text in told), *self.told]


def find_frames(folder: Path) -> Channel | None:
    """Return the RGB frames of the video in `folder`, or None where there are none.

    Raises:
        UsageError: Two series of pictures may be them.
        VideoError: The folder cannot be listed.
    """
    series = group_names(list_images(folder))
    flow = _find_pair(series) or ()
    rest = [one for one in series if one not in flow]
    if not rest:
        inner = _find_folders(folder)
        found = (inner[name] for name in _RGB_FOLDERS if name in inner)
        return next((channel for channel in map(_find_channel, found) if channel), None)
    return _choose(folder, rest)


def find_flow(folder: Path) -> tuple[Channel, Channel] | None:
    """Return u and v of the flow that lies with the video in `folder`, or None where there is none.

    Raises:
        UsageError: Two series of pictures may be one of them, or two files one frame.
        VideoError: A folder cannot be listed.
    """
    pair = _find_pair(group_names(list_images(folder)))
    if pair:
        for half in pair:
            check_doubles(folder, half)
        return Channel(folder, pair[0]), Channel(folder, pair[1])
    inner = _find_folders(folder)
    for x, y in _PAIRS:
        if x in inner and y in inner:
            channels = _find_channel(inner[x], True), _find_channel(inner[y], True)
            if channels[0] and channels[1]:
                return channels[0], channels[1]
    found = (find_flow(inner[name]) for name in _FLOW_FOLDERS if name in inner)
    return next((flow for flow in found if flow), None)


def find_channel(folder: Path) -> Channel:
    """Return the image files of a folder that holds one channel of flow.

    Raises:
        GbvisError: It has none, or two series may be them.
    """
    channel = _find_channel(folder, True)
    if channel is None:
        raise no_frames(folder)
    return channel


def no_frames(folder: Path) -> VideoError:
    """Return the error for a folder without frames."""
    return VideoError(
        f"no frames in {folder}: expected {', '.join(suffix[1:] for suffix in SUFFIXES)} files",
        "point to the folder that holds the frames themselves",
    )


def _find_channel(folder: Path, is_flow: bool = False) -> Channel | None:
    return _choose(folder, group_names(list_images(folder)), is_flow)


def _choose(folder: Path, series: Sequence[Series], is_flow: bool = False) -> Channel | None:
    chosen = choose_series(folder, series, is_flow)
    return Channel(folder, chosen, tuple(one for one in series if one != chosen)) if chosen else None


def _find_pair(series: Sequence[Series]) -> tuple[Series, Series] | None:
    """Return the series that are u and v of one flow by their names, `flow_x_` and `flow_y_` say; the largest such."""
    halves: dict[str, dict[bool, Series]] = {}
    for one in series:
        name = Path(one.pattern).stem.lower()
        match = _CHANNEL.search(name)
        rest = name[: match.start()] + (match[1] or "") + name[match.end() :] if match else ""
        if match and (one.is_flow or not re.search(r"[^\W\d_]", rest)):
            letters = "xy" if (match[2] or match[3]) in "xy" else "uv"
            halves.setdefault(f"{letters} {rest}", {}).setdefault(bool(match[2]), one)
    return next(((half[True], half[False]) for half in halves.values() if len(half) == 2), None)


def _find_folders(folder: Path) -> dict[str, Path]:
    """Return the folders right below `folder` by their names in small letters."""
    return {name.lower(): folder / name for name in sorted(list_names(folder, is_folder), reverse=True)}

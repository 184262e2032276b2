"""Frame series: which image files of a folder are the frames of one video."""

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from gbvis.errors import UsageError, VideoError
from gbvis.videos.readers.frame_numbers import (
    MOST_NAMED,
    SHORTEST_RUN,
    are_evenly_spaced,
    count_before_outliers,
    find_gaps,
    find_step,
)
from gbvis.videos.readers.image_file import SUFFIXES, is_grey

_FLOW = frozenset(("flow", "flows", "flowx", "flowy", "flowu", "flowv", "tvl", "farneback", "optical"))
_ASIDE = frozenset(
    (
        *("mask", "masks", "seg", "segmentation", "matte", "alpha", "annotation", "annotations", "gt", "depth"),
        *("copy", "kopie", "copie", "copia", "cópia", "kopia", "副本"),
        *("thumb", "thumbs", "thumbnail", "thumbnails", "poster", "posters", "preview", "cover", "fanart", "icon"),
    )
)
"""Words in names of pictures that are no frames, where other pictures are there."""

_COPY = re.compile(r"[0-9*].*\(([0-9]+|\*)\)$")
"""`frame_0003 (1)`: what file managers call a copy. `frame (1)` alone may be a frame."""

_SAME = {".jpeg": ".jpg", ".tiff": ".tif"}
_TIME_SEPARATORS = frozenset("-_.:,hm")


@dataclass(frozen=True)
class Series:
    """Image files of one folder whose names have one pattern.

    Attributes:
        pattern: The name with `*` for the number: `img_*.jpg`; the name itself where it is one file, and empty where
            they have none.
        names: In order.
        numbers: The frames' numbers, rising; None where the names are in order, and nothing tells numbers.
    """

    pattern: str
    names: tuple[str, ...]
    numbers: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def __str__(self) -> str:
        if len(self) == 1:
            return self.names[0]
        if not self.pattern:
            return ", ".join(self.names[:3]) + (f" and {len(self) - 3} more" if len(self) > 3 else "")
        return f"{self.pattern} ({len(self)} files)"

    @property
    def words(self) -> frozenset[str]:
        """The words of its pattern, in small letters."""
        return frozenset(re.findall(r"[^\W\d_]+", Path(self.pattern).stem.lower()))

    @property
    def is_flow(self) -> bool:
        """Whether its name says that it is optical flow."""
        return bool(self.words & _FLOW)

    @property
    def is_aside(self) -> bool:
        """Whether its name says that it holds masks, copies, thumbnails or the like."""
        return bool(self.words & _ASIDE) or bool(_COPY.search(Path(self.pattern).stem))

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """The first and last of the numbers that are missing, for each place where some are.

        Those of a video of which only every fifth frame is kept, or of times, miss nothing.
        """
        return find_gaps(self.numbers or ())

    @property
    def is_consecutive(self) -> bool:
        """Whether its numbers are counted one by one."""
        return find_step(self.numbers or ()) == 1


def list_images(folder: Path) -> list[str]:
    """Return the names of the image files of `folder`; see `list_names`."""
    return list_names(folder, _is_image)


def list_names(folder: Path, is_wanted: Callable[[os.DirEntry[str]], bool]) -> list[str]:
    """Return the names of those entries of `folder` that are wanted, those hidden left out.

    Raises:
        VideoError: The folder cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:  # macOS leaves `._frame.jpg` about
            return [entry.name for entry in entries if not entry.name.startswith(".") and is_wanted(entry)]
    except OSError as error:
        raise VideoError(f"cannot list {folder}: {error.strerror}", "check the folder's permissions") from error


def _is_image(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is an image file; a link that leads nowhere is a lost frame, and not one fewer."""
    if not entry.name.lower().endswith(SUFFIXES):
        return False
    if not entry.is_symlink():
        return entry.is_file()
    path = Path(entry.path)
    return path.is_file() or not path.exists()


def natural_order(name: str) -> list[tuple[bool, int, str]]:
    """Return the key by which names are sorted: frame 2 before frame 10."""
    parts = re.split(r"([0-9]+)", name.lower())
    return [(bool(place % 2), int(part) if place % 2 else 0, part) for place, part in enumerate(parts)]


def group_names(names: Iterable[str]) -> list[Series]:
    """Return the series that these names of image files make, the largest first.

    Files whose names differ in one number alone are a series. Names that have nothing in common with any other are
    one too, in their order, unless they say what they are.
    """
    return list(_group(tuple(names)))


@lru_cache(maxsize=8)  # a folder is looked into again for its flow, and when it is read; 10,000 names take 0.2 s
def _group(names: tuple[str, ...]) -> tuple[Series, ...]:
    shapes: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in names:
        path = Path(name.lower())
        parts = re.split(r"[0-9]+", path.stem)
        shapes[(*parts, _SAME.get(path.suffix, path.suffix)) if len(parts) > 1 else (name,)].append(name)
    series = [one for alike in shapes.values() if len(alike) > 1 for one in _split(sorted(alike, key=natural_order))]
    series = [part for one in _join_negative(series) for part in _split_outliers(one)]
    single = [Series(alike[0], (alike[0],), _last_number(alike[0])) for alike in shapes.values() if len(alike) == 1]
    odd = [one for one in single if not (one.is_flow or one.is_aside)]
    if len(odd) > 1:
        series.append(Series("", tuple(sorted((one.names[0] for one in odd), key=natural_order))))
    series += [one for one in single if len(odd) < 2 or one not in odd]
    return tuple(sorted(series, key=lambda one: (-len(one), one.pattern)))


def _last_number(name: str) -> tuple[int, ...] | None:
    found = re.findall(r"[0-9]+", Path(name).stem)
    return (int(found[-1]),) if found else None


def _split(names: list[str]) -> list[Series]:
    """Return the series of files whose names differ in their numbers alone."""
    runs = [re.findall(r"[0-9]+", Path(name).stem) for name in names]
    values = [tuple(map(int, run)) for run in runs]
    varying = [place for place in range(len(values[0])) if len({value[place] for value in values}) > 1]
    if len(varying) < 2:
        return [_number(names, values, varying[0] if varying else len(values[0]) - 1)]
    counters = [place for place in varying if all(one[place] < other[place] for one, other in pairwise(values))]
    if counters:  # one of them rises from file to file, and others go with it: a time, say
        return [_number(names, values, min(counters, key=lambda place: (_span(values, place), -place)))]
    groups = min((_group_by(names, values, place) for place in reversed(varying)), key=len)
    if _are_times(names[0], runs) or 2 * len(groups) > len(names):
        return [Series(_pattern(names[0], varying), tuple(names))]
    return groups


def _split_outliers(series: Series) -> list[Series]:
    """Return a series, and apart from it what is far behind the others: `9999.jpg`, say, which is the poster."""
    numbers = series.numbers or ()
    count = count_before_outliers(numbers)
    if count == len(numbers):
        return [series]
    rest = series.names[count:]
    pattern = series.pattern if len(rest) > 1 else rest[0]
    return [Series(series.pattern, series.names[:count], numbers[:count]), Series(pattern, rest, numbers[count:])]


def _join_negative(series: Sequence[Series]) -> list[Series]:
    """Return series, with `f-*.jpg` and `f*.jpg` as one where their numbers rise evenly from -6 to 5, say."""
    joined = list(series)
    for above in series:
        name, digits, end = above.pattern.rpartition("*")
        below = next((one for one in joined if digits and one.pattern.lower() == f"{name}-*{end}".lower()), None)
        if below and below.numbers and above.numbers and above in joined:
            numbers = (*(-number for number in reversed(below.numbers)), *above.numbers)
            if are_evenly_spaced(numbers):
                whole = Series(above.pattern, (*reversed(below.names), *above.names), numbers)
                joined = [whole, *(one for one in joined if one not in (above, below))]
    return joined


def _group_by(names: list[str], values: list[tuple[int, ...]], place: int) -> list[Series]:
    """Return the series whose numbers stand at one place, one for each choice of the others."""
    members: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, value in enumerate(values):
        members[value[:place] + value[place + 1 :]].append(number)
    return [_number([names[n] for n in group], [values[n] for n in group], place) for group in members.values()]


def _number(names: list[str], values: list[tuple[int, ...]], place: int) -> Series:
    ordered = sorted(zip((value[place] for value in values), names, strict=True), key=lambda pair: pair[0])
    pattern = _pattern(names[0], [place]) if len(names) > 1 else names[0]
    return Series(pattern, tuple(name for _, name in ordered), tuple(number for number, _ in ordered))


def _pattern(name: str, places: Sequence[int]) -> str:
    path = Path(name)
    parts = re.split(r"([0-9]+)", path.stem)
    return "".join("*" if part % 2 and part // 2 in places else text for part, text in enumerate(parts)) + path.suffix


def _span(values: list[tuple[int, ...]], place: int) -> int:
    numbers = [value[place] for value in values]
    return max(numbers) - min(numbers)


def _are_times(name: str, runs: list[list[str]]) -> bool:
    """Return whether names end with times such as `10-59-58`."""
    between = re.split(r"[0-9]+", Path(name).stem)[-3:-1]
    are_fields = all(len(field) == 2 and int(field) < 60 for run in runs for field in run[-2:])
    return len(runs[0]) > 2 and are_fields and all(text in _TIME_SEPARATORS for text in between)


def choose_series(folder: Path, series: Sequence[Series], is_flow: bool = False) -> Series | None:
    """Return the series that is the frames of the video in `folder`; None where there is none.

    The largest is it, where it has twice the next one's frames, or the next one's name says that it is something else.
    A grey series beside a coloured one of the same names is its masks.

    Args:
        folder: Where they lie.
        series: As `group_names` returns them.
        is_flow: Whether flow is wanted, which is no frames else.

    Raises:
        UsageError: Another series would do as well.
    """
    named = [one for one in series if is_flow or not one.is_flow] or series
    frames = [one for one in named if not one.is_aside] or named
    if not frames:
        return None
    best, *rest = frames
    rivals = [one for one in rest if 2 * len(one) > len(best) or _is_likelier(one, best)]
    coloured = [one for one in (best, *rivals) if rivals and not is_grey(folder / one.names[0])]
    grey = [one for one in (best, *rivals) if one not in coloured]
    if len(coloured) == 1 and all(_lie_beside(one, best) and not _is_jpeg(one) for one in grey):
        best, rivals = coloured[0], []
    rivals += [one for one in named if one.is_aside and not best.is_aside and len(one) >= 2 * len(best)]
    if rivals:
        raise UsageError(
            f"{folder} holds two series of pictures that may be the frames: {best} and {rivals[0]}",
            "move one of them into a folder of its own",
        )
    check_doubles(folder, best)
    return best


def _is_likelier(one: Series, best: Series) -> bool:
    """Return whether a smaller series may be the frames for its numbers, which are better ones."""
    is_run = one.is_consecutive and not best.is_consecutive and 4 * len(one) > len(best)
    return (not best.numbers and bool(one.numbers) and len(one) > 1) or (is_run and len(one) >= SHORTEST_RUN)


def _lie_beside(one: Series, other: Series) -> bool:
    """Return whether two series have the same names but for their suffix."""
    return Path(one.pattern).stem.lower() == Path(other.pattern).stem.lower()


def _is_jpeg(series: Series) -> bool:
    return series.names[0].lower().endswith((".jpg", ".jpeg"))  # which no masks are kept as


def check_doubles(folder: Path, series: Series) -> None:
    """Check that no two files of a series are one frame.

    Raises:
        UsageError: Two are.
    """
    for (before, name), (after, other) in pairwise(zip(series.numbers or (), series.names, strict=False)):
        if before == after:
            raise UsageError(
                f"{name} and {other} in {folder} are both frame {before}", "move one of them into a folder of its own"
            )


def describe_left_out(others: Iterable[Series], chosen: Series) -> str:
    """Return what to say of the series beside the one chosen."""
    left = [str(one) for one in others]
    more = [f"{len(left) - MOST_NAMED} more"] if len(left) > MOST_NAMED else []
    return f"the frames are {chosen}; left out: {', '.join(left[:MOST_NAMED] + more)}"

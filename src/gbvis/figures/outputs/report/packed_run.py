"""A run as the page takes it: its facts, and blobs with its numbers and frames, each made when first asked for."""

from collections.abc import Mapping
from functools import cached_property
from threading import RLock
from typing import Any

from gbvis.errors import GbvisError, NothingFound
from gbvis.figures.outputs.report.facts import Facts, summarize, tell_run
from gbvis.figures.outputs.report.limits import Ends
from gbvis.figures.outputs.report.shown import (
    RunMeasure,
    make_frame_panels,
    measure_run,
    name_frame_panels,
    name_rows,
    pick_rows,
    stack_values,
)
from gbvis.figures.outputs.report.strips import (
    Strip,
    divide_into_strips,
    encode_exactly,
    encode_roughly,
    fit_overlay,
    resize,
)
from gbvis.figures.outputs.report.values import pack_values
from gbvis.figures.run_view import Box, ClipView, RunView, SourceFrames
from gbvis.figures.scale import Values
from gbvis.figures.style import Style

Place = tuple[tuple[int, int], Box]
"""Height and width of a source frame, and where the clip lies in it, pixels."""


class PackedRun:
    """A run as the page takes it. Several threads may ask it at once; one at a time is served.

    Blobs are named `CLIP.values`, `CLIP.frame.ROW.STRIP` and `CLIP.overlay.STRIP`, all counted from 0.
    """

    def __init__(
        self,
        view: RunView,
        style: Style,
        is_quick: bool = False,
        measure: RunMeasure | None = None,
        of_all: Ends | None = None,
        overlay_problem: str | None = None,
        rows: Mapping[int, Values] | None = None,
    ) -> None:
        """Take a run; nothing is read yet.

        Args:
            view: The run.
            style: How it looks.
            is_quick: Encode quickly, where blobs do not stay.
            measure: What is known of its values; None where that is to be found out.
            of_all: The limits of all runs, float64 (percentile, 3); None where they cannot be chosen.
            overlay_problem: Why there are no source frames; empty where there are; None where nobody has looked.
            rows: Values of some clips by their numbers, as `pick_rows` gives them, which need not be read again.
        """
        self.view, self._style, self._is_quick, self._of_all = view, style, is_quick, of_all
        self._measure, self._lock = measure, RLock()
        self._overlay_problem = overlay_problem
        self._rows = dict(rows or {})
        self._clip: tuple[int, ClipView] | None = None
        self._scales: dict[int, tuple[float, float]] = {}
        self._blobs: dict[str, bytes] = {}

    @cached_property
    def measure(self) -> RunMeasure:
        """What is known of its values.

        Raises:
            GbvisError: Clips are missing or damaged.
        """
        with self._lock:
            return self._measure or measure_run(self.view, self._style)

    @cached_property
    def summary(self) -> Facts:
        """The run as the index lists it, with its curve and its thumbnail.

        Raises:
            GbvisError: As `measure`.
        """
        drawn = {"importance": self.measure.importance, "thumbnail": self.measure.thumbnail}
        return {**summarize(self.view), **drawn}

    @cached_property
    def run(self) -> dict[str, Any]:
        """All of the run but its numbers, with the names of its blobs; see `Run` in `page/types.js`.

        Raises:
            GbvisError: As `measure`.
        """
        with self._lock:
            clips = [self._tell_clip(number) for number in range(self.view.clip_count)]
            return {**tell_run(self.view, self._style, self.summary, self.measure.level), "clips": clips}

    @property
    def byte_count(self) -> int:
        """The memory that its blobs take, bytes."""
        return sum(map(len, self._blobs.values()))

    def read_blob(self, name: str) -> bytes:
        """Return a blob, and keep it.

        Raises:
            NothingFound: There is none of that name.
            GbvisError: What it is made of is missing or damaged.
        """
        with self._lock:
            if name not in self._blobs:
                self._blobs[name] = self._make_blob(name)
            return self._blobs[name]

    def take_blob(self, name: str) -> bytes:
        """Return a blob, and do not keep it.

        Raises:
            GbvisError: As `read_blob`.
        """
        with self._lock:
            return self._blobs.pop(name) if name in self._blobs else self._make_blob(name)

    def list_blobs(self, number: int, kind: str) -> list[str]:
        """Return the names of a clip's blobs of a kind: `values`, `frame` or `overlay`."""
        if kind == "values":
            return [f"{number}.values"]
        rows = self._frame_strips(number) if kind == "frame" else [self._overlay_strips(number)]
        return [strip.name for strips in rows for strip in strips]

    def refuse_overlay(self, problem: str) -> None:
        """Say why there are no source frames; the facts of a run that were told already stay as they are."""
        self._overlay_problem = problem

    @property
    def overlay_problem(self) -> str:
        """Why there are no source frames; empty where there are."""
        if self._overlay_problem is None:
            try:
                _ = self._source
            except GbvisError as error:
                self._overlay_problem = error.problem
            else:
                self._overlay_problem = ""
        return self._overlay_problem

    @cached_property
    def _source(self) -> SourceFrames:
        return self.view.find_source()

    @cached_property
    def _picture_names(self) -> list[str]:
        return name_frame_panels(self.view, self._style)

    def _read_clip(self, number: int) -> ClipView:
        if self._clip is None or self._clip[0] != number:
            self._clip = None
            self._clip = number, self.view.clip(number)
        return self._clip[1]

    def _tell_clip(self, number: int) -> Facts:
        """Return a clip as the page takes it."""
        view, measure = self.view, self.measure.clips[number]
        frames = view.frames[number]
        seconds = [view.second_of(frame) for frame in frames]
        size, box = self._find_place(number)
        strips = self._overlay_strips(number)
        return {
            "frames": frames,
            "seconds": None
            if None in seconds
            else [float(f"{second:.6g}") for second in seconds if second is not None],
            "value": measure.value,
            "importance": measure.importance,
            "values": self._tell_values(number),
            "pictures": [
                {"name": name, "strips": [strip.to_json() for strip in row]}
                for name, row in zip(self._picture_names, self._frame_strips(number), strict=True)
            ],
            "overlay": _tell_overlay(strips, size, box) if strips else None,
            "overlayProblem": self.overlay_problem,
            "box": [round(edge, 3) for edge in box],
            "sourceSize": list(size),
            "limits": measure.limits.to_json(),
            "overlayLimits": measure.overlay_limits.to_json(),
        }

    def _tell_values(self, number: int) -> Facts:
        name = f"{number}.values"
        if number not in self._scales:
            self.read_blob(name)
        unit, steps = self._scales[number]
        height, width = self.measure.clips[number].size
        shape = {"frameCount": len(self.view.frames[number]), "height": height, "width": width}
        return {"blob": name, "unit": unit, "steps": steps, "rows": name_rows(self.view, self._style), **shape}

    def _frame_strips(self, number: int) -> list[list[Strip]]:
        """Return the strips of each panel of frames."""
        count, size = len(self.view.frames[number]), self.measure.clips[number].size
        rows, is_film = range(len(self._picture_names)), self.view.modality == "rgb"
        return [divide_into_strips(f"{number}.frame.{row}", count, size, is_film) for row in rows]

    def _overlay_strips(self, number: int) -> list[Strip]:
        """Return the strips of source frames; none where there are no source frames."""
        if self.overlay_problem:
            return []
        size = fit_overlay(*self._find_place(number)[0])
        return divide_into_strips(f"{number}.overlay", len(self.view.frames[number]), size)

    def _find_place(self, number: int) -> Place:
        if self.view.find_place:
            return self.view.find_place(number)
        if self.overlay_problem:
            height, width = self.measure.clips[number].size
            return (height, width), (0.0, 0.0, float(width), float(height))
        return (self._source.height, self._source.width), self._source.box

    def _make_blob(self, name: str) -> bytes:
        """Return a blob; that of values says too how they were packed."""
        number, _, rest = name.partition(".")
        if not (number.isascii() and number.isdigit() and int(number) < self.view.clip_count):
            raise self._lacks(name)
        kind = rest.partition(".")[0]
        if name not in self.list_blobs(int(number), kind if kind in ("values", "overlay") else "frame"):
            raise self._lacks(name)
        make = {"values": self._pack_values, "overlay": self._encode_overlay}.get(kind, self._encode_frames)
        return make(int(number), name)

    def _lacks(self, name: str) -> GbvisError:
        return NothingFound(f"{self.view.key} has no {name!r}", "reload the page")

    def _pack_values(self, number: int, name: str) -> bytes:
        rows = self._rows.pop(number, None)
        if rows is None:
            rows = pick_rows(stack_values(self._read_clip(number), self.view, self._style), self.view, self._style)
        packed = pack_values(rows, self.measure.clips[number].limits, self._of_all)
        self._scales[number] = packed.unit, packed.steps
        return packed.compress(1 if self._is_quick else 6)

    def _encode_frames(self, number: int, name: str) -> bytes:
        panels = make_frame_panels(self._read_clip(number), self.view, self._style)
        for panel, strips in zip(panels, self._frame_strips(number), strict=True):
            for strip in strips:
                if strip.name == name:
                    return encode_exactly(strip.stack(panel.image), self._is_quick)
        raise self._lacks(name)

    def _encode_overlay(self, number: int, name: str) -> bytes:
        strip = next(strip for strip in self._overlay_strips(number) if strip.name == name)
        frames, size = self.view.frames[number], (strip.height, strip.width)
        return encode_roughly(strip.stack(lambda step: resize(self._source.read(frames[step]), size)), self._is_quick)


def _tell_overlay(strips: list[Strip], size: tuple[int, int], box: Box) -> Facts:
    """Return the source frames under the overlay as the page takes them.

    Args:
        strips: Of them.
        size: Height and width of a source frame.
        box: Where the clip lies in one.
    """
    down, across = strips[0].height / size[0], strips[0].width / size[1]
    edges = [edge * share for edge, share in zip(box, (across, down, across, down), strict=True)]
    return {"strips": [strip.to_json() for strip in strips], "box": [round(edge, 3) for edge in edges]}

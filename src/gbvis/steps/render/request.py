"""What can be asked of `render`, and what comes back."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gbvis import registry
from gbvis.errors import GbvisError
from gbvis.figures import Style
from gbvis.shell import as_argument, join_words
from gbvis.steps.selection import Selection
from gbvis.store import StoredRun

SUFFIXES = {f".{name}": name for name in registry.RENDERERS}
TABLE_SUFFIX = ".csv"


@dataclass(frozen=True)
class RenderRequest:
    """What to render.

    Attributes:
        store: Where the runs are.
        videos: Names or paths; empty for all videos.
        selection: What narrows the runs down.
        output: A file, whose suffix is its format, or a folder; None for the current one.
        formats: Formats to write into a folder.
        layout: The layout's name; None for what suits the format.
        style: How the pictures look.
        dataset: Where the frames lie, for layouts that read them again.
        is_forced: Overwrite other pictures.
    """

    store: str | Path
    videos: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    output: Path | None = None
    formats: tuple[str, ...] = ()
    layout: str | None = None
    style: Style = field(default_factory=Style)
    dataset: Path | None = None
    is_forced: bool = False

    @property
    def output_file(self) -> Path | None:
        """The one file to write, or None where a folder is meant: it is one, or has no suffix and is no file."""
        if self.output is None or self.output.is_dir() or not (self.output.suffix or self.output.is_file()):
            return None
        return self.output

    @property
    def is_table(self) -> bool:
        """True where not pictures are wanted but the numbers of the curves below them."""
        return self.output_file is not None and self.output_file.suffix.lower() == TABLE_SUFFIX

    def choose_formats(self) -> list[str]:
        """Return the formats to write, checked against the layout asked for.

        Raises:
            GbvisError: There is no such format, or it cannot hold the layout (exit code 2).
        """
        file = self.output_file
        if file and file.suffix.lower() not in SUFFIXES:
            raise GbvisError(
                f"no format has the suffix {file.suffix!r} of {file}",
                f"choose one of {', '.join([*SUFFIXES, TABLE_SUFFIX])}",
                exit_code=2,
            )
        for name in self.formats:
            registry.renderer(name)
        if file and self.formats:
            raise GbvisError(
                f"--format is given, and {file} says its format by its suffix", "leave --format out", exit_code=2
            )
        is_still = bool(self.layout) and not registry.layout(str(self.layout)).IS_MOVING
        formats = [SUFFIXES[file.suffix.lower()]] if file else list(dict.fromkeys(self.formats))
        for name in formats:
            if self.layout and not is_still and not registry.renderer(name).CAN_MOVE:
                raise GbvisError(
                    f"the layout {self.layout} moves, and {name} holds a single picture",
                    "choose gif, mp4, webp or apng, or --layout sheet",
                    exit_code=2,
                )
        return formats or ["png" if is_still else "gif"]

    def check(self) -> None:
        """Check the names in the selection, and whether they leave what the layout needs.

        Raises:
            GbvisError: There is no such stream, precision or method, or the layout needs another (exit code 2).
        """
        if self.layout and registry.layout(self.layout).JOINS == "streams" and self.selection.modality:
            problem = f"the layout {self.layout} shows both streams, and -m {self.selection.modality} leaves one"
            raise GbvisError(problem, "leave out -m", exit_code=2)
        self.selection.check()

    def explain_call(self, video: str | None) -> str:
        """Return the command that makes what was looked for."""
        wanted = self.selection
        words = ["gbvis", "explain", as_argument(video or "VIDEO")]
        words += [word for path in wanted.weights or ("WEIGHTS",) for word in ("-w", str(path))]
        words += ["-m", wanted.modality] if wanted.modality else []
        words += [word for endpoint in wanted.endpoints for word in ("-e", endpoint.name)]
        words += [word for label in wanted.labels for word in ("-l", label)]
        words += [word for index in wanted.filters for word in ("-f", str(index))]
        words += ["-n", str(wanted.frames)] if wanted.frames else []
        words += ["--clips", str(wanted.clips)] if wanted.clips else []
        words += ["--flow-algorithm", wanted.flow_algorithm] if wanted.flow_algorithm else []
        words += ["--method", wanted.method] if wanted.method else []
        words += ["--precision", wanted.precision] if wanted.precision else []
        return join_words([*words, "--store", str(self.store)])


@dataclass(frozen=True)
class RenderedPicture:
    """A picture on disk.

    Attributes:
        runs: What it shows, from top to bottom.
        importance: Per run and clip, how much of |gradient| lies in each frame.
        path: Where it is.
        format: The format's name.
        layout: The layout's name.
        frames: Number of frames.
        width: Pixels.
        height: Pixels.
        seconds: What it took.
        is_unchanged: True where the very same picture was there already.
    """

    runs: list[StoredRun]
    importance: list[list[list[float]]]
    path: Path
    format: str
    layout: str
    frames: int
    width: int
    height: int
    seconds: float
    is_unchanged: bool

    def to_json(self) -> dict[str, Any]:
        """Return the picture as a line of `--json`; what its runs do not share is null."""
        shared = {
            name: found.pop() if len(found := {getattr(run, name) for run in self.runs}) == 1 else None
            for name in ("video", "modality", "target")
        }
        endpoints = {run.endpoint.name for run in self.runs}
        return {
            **shared,
            "endpoint": endpoints.pop() if len(endpoints) == 1 else None,
            "layout": self.layout,
            "path": str(self.path),
            "format": self.format,
            "frames": self.frames,
            "width": self.width,
            "height": self.height,
            "seconds": round(self.seconds, 4),
            "runs": [
                {
                    "group": run.key,
                    "modality": run.modality,
                    "endpoint": run.endpoint.name,
                    "target": run.target,
                    "importance": importance,
                }
                for run, importance in zip(self.runs, self.importance, strict=True)
            ],
        }


@dataclass(frozen=True)
class RenderedTable:
    """A table on disk: how much of |gradient| lies in each frame.

    Attributes:
        path: Where it is.
        rows: Number of rows, less the names of the columns.
        is_unchanged: True where the very same table was there already.
    """

    path: Path
    rows: int
    is_unchanged: bool

    def to_json(self) -> dict[str, Any]:
        """Return the table as a line of `--json`."""
        return {"path": str(self.path), "format": "csv", "rows": self.rows}

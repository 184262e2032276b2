"""The request of `render`, and its results."""

import os
from collections.abc import Hashable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gbvis.atomic_file import check_place
from gbvis.errors import UsageError
from gbvis.figures.layouts import LAYOUTS
from gbvis.figures.output import Output
from gbvis.figures.outputs import OUTPUTS
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style
from gbvis.steps.selection import Selection


@dataclass(frozen=True)
class RenderRequest:
    """What to render.

    Attributes:
        store: Where the runs are.
        videos: Names or paths; empty for all videos.
        selection: Which runs.
        output: A file, whose suffix is its format, or a folder; None for the current one.
        formats: Formats to write into a folder.
        style: How the pictures look, and in which layout.
        dataset: Where the frames lie, for layouts that read them again.
        labels: A file with class names, in place of those that the store knows.
        is_forced: Overwrite other files.
    """

    store: str | Path
    videos: tuple[str, ...] = ()
    selection: Selection = field(default_factory=Selection)
    output: Path | None = None
    formats: tuple[str, ...] = ()
    style: Style = field(default_factory=Style)
    dataset: Path | None = None
    labels: Path | None = None
    is_forced: bool = False

    @property
    def output_file(self) -> Path | None:
        """The one file to write, or None where a folder is meant: it is one, or has no suffix and is no file."""
        if self.output is None or os.path.isdir(self.output):  # False where it cannot be there  # noqa: PTH112
            return None
        is_file = bool(self.output.suffix) or os.path.isfile(self.output)  # noqa: PTH113
        return self.output if is_file else None

    def __post_init__(self) -> None:
        """Take `~` for the home folder, as a shell does where it is not quoted, and refuse what holds no file.

        Raises:
            UsageError: The output is standard output, a pipe or a device.
        """
        if self.output is not None:
            object.__setattr__(self, "output", _find_place(self.output))

    def choose_outputs(self) -> dict[str, Output]:
        """Return the outputs to write by name, checked against the style.

        Raises:
            UsageError: There is no such format, or it cannot hold the layout.
        """
        file = self.output_file
        if file and self.formats:
            problem = f"--format is given, and {file} says its format by its suffix"
            raise UsageError(problem, "leave --format out")
        style = self.style
        is_still = bool(style.at) or (bool(style.layout) and not LAYOUTS.load(str(style.layout)).is_moving)
        names = [_name_of_suffix(file)] if file else list(dict.fromkeys(self.formats))
        outputs = {name: OUTPUTS.load(name) for name in names or ["png" if is_still else "gif"]}
        for name, output in outputs.items():
            output.check(style)
            if output.scope == "all" and file is None:
                raise UsageError(
                    f"{name} holds all runs in one file, and --format goes with one file for each",
                    f"name the file: -o runs{output.suffix}",
                )
        return outputs

    def check(self) -> None:
        """Check the names in the selection, and whether they leave what the layout needs.

        Raises:
            UsageError: There is no such stream, precision or method, or the layout needs another.
        """
        layout = self.style.layout
        if layout and LAYOUTS.load(layout).needs_streams and self.selection.modality:
            problem = f"the layout {layout} shows both streams, and -m {self.selection.modality} leaves one"
            raise UsageError(problem, "leave out -m")
        if self.style.rows != "method" and layout != "methods":
            problem = f"--rows {self.style.rows} goes with --layout methods"
            raise UsageError(problem, "add --layout methods, or leave out --rows")
        if self.selection.tests and layout != "check":
            problem = "--test goes with --layout check: other layouts show nothing that tests found"
            raise UsageError(problem, "add --layout check, or leave out --test")
        self.selection.check()


def _find_place(output: Path) -> Path:
    """Return the file or folder that was asked for.

    Raises:
        UsageError: It is standard output, a pipe or a device.
    """
    with suppress(RuntimeError):  # no such user: then it is a name like any other
        output = output.expanduser()
    hint = "name a file, such as -o picture.gif, and pass it on from there"
    check_place(output, f"-o {output}", ("a file", "tables and pictures"), hint)
    return output


def _name_of_suffix(file: Path) -> str:
    """Return the name of the output whose files end like this one."""
    suffix = file.suffix.lower()
    if suffix[1:] in OUTPUTS.names:
        return suffix[1:]
    by_suffix = {OUTPUTS.load(name).suffix: name for name in OUTPUTS.all_names() if name not in OUTPUTS.names}
    if suffix not in by_suffix:
        known = [*(f".{name}" for name in OUTPUTS.names), *by_suffix]
        raise UsageError(f"no format has the suffix {file.suffix!r} of {file}", f"choose one of {', '.join(known)}")
    return by_suffix[suffix]


@dataclass(frozen=True)
class RenderedFile:
    """A file on disk.

    Attributes:
        views: What it shows, from top to bottom.
        importance: Per run and clip, the sum of |gradient| in each frame; None where one file holds all runs.
        path: Where it is.
        format: The output's name.
        about: Facts about the file: layout, frames, width and height of a picture; rows of a table.
        seconds: How long it took.
        is_unchanged: True where exactly this file was there already.
    """

    views: list[RunView]
    importance: list[list[list[float]]] | None
    path: Path
    format: str
    about: Mapping[str, Any]
    seconds: float
    is_unchanged: bool

    def to_json(self) -> dict[str, Any]:
        """Return the file as a line of `--json`; what its runs do not share is null."""
        file = {"path": str(self.path), "format": self.format, **self.about}
        if self.importance is None:
            return file
        about: dict[str, Any] = {
            "video": _shared(view.video for view in self.views),
            "modality": _shared(view.modality for view in self.views),
            "target": _shared(view.target for view in self.views),
            "method": _shared(view.recipe.method_name for view in self.views),
            "endpoint": _shared(view.endpoint.name for view in self.views),
            "relevance": str(self.views[0].relevance or "all"),
        }
        runs = [
            {
                "group": view.key,
                "modality": view.modality,
                "endpoint": view.endpoint.name,
                "target": view.target,
                "method": view.method_name,
                "settings": view.recipe.method["settings"],
                "importance": importance,
            }
            for view, importance in zip(self.views, self.importance, strict=True)
        ]
        return {**about, **file, "seconds": round(self.seconds, 4), "runs": runs}


def _shared(values: Iterable[Hashable]) -> Any:
    """Return the one value that all have; None where they differ."""
    found = set(values)
    return found.pop() if len(found) == 1 else None

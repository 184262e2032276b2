"""Output: a kind of file that runs are written to, such as an animation or a table."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from gbvis.errors import UsageError
from gbvis.figures.layout import Groups
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style

FileWriter = Callable[[Path], Mapping[str, Any]]
"""Writes a file to a path that is free, and returns what `--json` is to say of it beside its path."""


@dataclass(frozen=True)
class NamedPage:
    """A page whose file is named after what is on it, and not numbered.

    Attributes:
        write: Writes it.
        name: The last part of the file's name.
    """

    write: FileWriter
    name: str

    def __call__(self, path: Path) -> Mapping[str, Any]:
        """Write the page."""
        return self.write(path)


class Output(ABC):
    """A kind of file that runs are written to.

    Attributes:
        suffix: What its files' names end with.
        scope: What one file holds: a `group` of runs that belong together, or `all` that was asked for.
        takes_stills: True where a style may say which frame is shown.
    """

    suffix: ClassVar[str]
    scope: ClassVar[Literal["group", "all"]] = "group"
    takes_stills: ClassVar[bool] = False

    @abstractmethod
    def write(self, views: Sequence[RunView], style: Style, path: Path) -> Mapping[str, Any]:
        """Write the runs to `path`, which does not exist yet, and return the fields that `--json` prints for the file.

        Raises:
            GbvisError: They cannot be shown so.
        """

    def check(self, style: Style) -> None:
        """Check that runs can be written in this style at all.

        Raises:
            UsageError: They cannot.
        """
        if style.at and not self.takes_stills:
            problem = f"--at chooses a still, and {self.suffix[1:]} holds none"
            raise UsageError(problem, "choose --format png, or leave out --at")

    def group(self, views: Sequence[RunView], style: Style) -> Groups:
        """Return which runs one file holds."""
        return Groups([list(views)] if self.scope == "all" else [[view] for view in views])

    def name_parts(self, views: Sequence[RunView], style: Style) -> tuple[str, ...]:
        """Return the parts of the file name that follow the video's name, for a file of these runs."""
        return views[0].modality, views[0].endpoint.name, str(views[0].target)

    def pages(self, views: Sequence[RunView], style: Style) -> Sequence[FileWriter]:
        """Return the files that these runs make, where one is not enough; by default it is one.

        Raises:
            GbvisError: As `write`.
        """
        return [partial(self.write, views, style)]

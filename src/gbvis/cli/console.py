"""Console: everything that gbvis prints. Results go to stdout, progress and messages to stderr."""

import json
import os
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from rich.console import Console as RichConsole
from rich.text import Text

from gbvis.cli.warm import resumed
from gbvis.progress import Failure, Progress

if TYPE_CHECKING:  # rich's bars and tables are imported where one is shown: a quiet call is quicker by 15 ms
    from rich.progress import Progress as Bars
    from rich.progress import TaskID
    from rich.table import Table

    from gbvis.cli.options import Printing

_WIDE = 100_000
"""Columns of a table that no terminal shows: nothing is cut in a pipe."""


_WRAPPED = {"video", "target", "label", "method", "weights", "also called", "one activation sees"}
"""Columns whose cells go on in the next line where a terminal is too narrow; the others are short."""


class Result(Protocol):
    """What a step yields."""

    def to_json(self) -> dict[str, Any]:
        """Return the result as a line of `--json`."""


class Console(Progress):
    """Shows a step's progress, results and failures, and remembers which videos failed."""

    def __init__(self, printing: "Printing") -> None:
        self.is_json, self.is_verbose = printing.as_json, getattr(printing, "verbose", False)
        self.failures: list[Failure] = []
        self._out = RichConsole(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
        self._err = RichConsole(stderr=True, highlight=False, soft_wrap=True)
        self._is_quiet, self._started = printing.quiet, time.perf_counter()
        is_shown = not printing.quiet and sys.stderr.isatty() and self._err.is_terminal  # whatever FORCE_COLOR says
        self._bars = self._make_bars() if is_shown else None
        self._videos: TaskID | None = None
        self._work: dict[str, TaskID] = {}
        self._warned: set[str] = set()
        self._noted: set[str] = set()
        for note in resumed.notes:
            self.say(note)

    def _make_bars(self) -> "Bars":
        from gbvis.cli.bars import make_bars

        return make_bars(self._err)

    @property
    def columns(self) -> int | None:
        """How long a line may be: of a terminal, or as COLUMNS says; None in a pipe, where nothing is cut."""
        if sys.stdout.isatty():
            return self._out.width
        said = os.environ.get("COLUMNS", "")
        return int(said) if said.isdecimal() and int(said) else None

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    def expect_videos(self, count: int) -> None:
        """Show a bar over the videos."""
        if self._bars:
            self._videos = self._bars.add_task("videos", total=count)

    def finish_video(self) -> None:
        """Move the bar over the videos on."""
        if self._bars and self._videos is not None:
            self._bars.advance(self._videos)

    def expect(self, count: int, what: str) -> None:
        """Show a bar over the clips, gradients or pairs of frames of one video."""
        if self._bars:
            self._drop(what)
            self._work[what] = self._bars.add_task(printable(what), total=count)

    def advance(self, what: str) -> None:
        """Move that bar on, and take it away when it is full."""
        if self._bars and what in self._work:
            self._bars.advance(self._work[what])
            if self._bars.tasks[self._bars.task_ids.index(self._work[what])].finished:
                self._drop(what)

    def _drop(self, what: str) -> None:
        if self._bars and what in self._work:
            self._bars.remove_task(self._work.pop(what))

    def say(self, line: str) -> None:
        """Print a detail on stderr, with `--verbose`."""
        if self.is_verbose:
            self._err.print(Text(printable(line)))

    def note(self, line: str, once: str) -> None:
        """Print a note on stderr; of those with one `once`, the first."""
        if not self._is_quiet and once not in self._noted and resumed.should_print(once):
            self._noted.add(once)
            self._err.print(Text(f"note: {printable(line)}"))

    def warn(self, line: str) -> None:
        """Print a warning on stderr, each once."""
        if line not in self._warned and resumed.should_print(line):
            self._warned.add(line)
            self._err.print(Text(f"warning: {printable(line)}"))

    def fail(self, failure: Failure) -> None:
        """Print a failed video on stderr, and on stdout too with `--json`."""
        self.failures.append(failure)
        if not resumed.should_print(failure):
            return
        if self.is_json:
            self.print_json(failure)
        is_named = failure.video in failure.problem
        problem = failure.problem if is_named else f"{failure.video}: {failure.problem}"
        print_error(problem, failure.hint, self._err)

    def sum_up(self, line: str) -> None:
        """Print on stderr what came of the call, and how long it took."""
        if not self._is_quiet:
            self._err.print(Text(f"{line}, in {time.perf_counter() - self._started:.1f} s"))

    def sum_up_failures(self, lines: Iterable[str]) -> None:
        """Print on stderr what is to be known of the failures as a whole."""
        for line in [] if self._is_quiet else lines:
            self._err.print(Text(printable(line)))

    def print_json(self, result: Result) -> None:
        """Print a result as one line on stdout."""
        with _writing_output():
            print(f"{json.dumps(result.to_json())}\n", end="", flush=True)  # a signal comes before or after it

    def print(self, line: "str | Table") -> None:
        """Print a line or a table of results on stdout."""
        # a live bar and a result on one terminal: rich puts the result above the bar
        console = self._err if self._bars and sys.stdout.isatty() else self._out
        with _writing_output():
            if isinstance(line, str):
                console.print(Text(printable(line)), soft_wrap=True)  # a terminal breaks lines itself, but no cells
            else:
                _print_table(console, line)
            sys.stdout.flush()


def _print_table(console: RichConsole, table: "Table") -> None:
    """Print a table without the blanks that fill its lines."""
    from rich.segment import Segment, Segments

    if table.title:  # in the table it would be no wider than that
        console.print(table.title)
        table.title = None
    shown: list[Segment] = []
    for line in console.render_lines(table, pad=False):
        while line and not line[-1].text.strip():
            line.pop()
        if line:
            line[-1] = Segment(line[-1].text.rstrip(), line[-1].style)
        shown += [*line, Segment.line()]
    console.print(Segments(shown), end="", soft_wrap=False)


class OutputClosed(Exception):
    """Standard output cannot be written to.

    Attributes:
        problem: What to say of it; empty where whoever reads it has had enough.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@contextmanager
def _writing_output() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise OutputClosed("") from error
    except OSError as error:
        raise OutputClosed(f"cannot write to standard output: {error.strerror}") from error


def make_table(title: str | None, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> "Table":
    """Return a table whose cells are shown as they are, markup and all."""
    from rich.table import Table

    table = Table(
        title=Text(printable(title)) if title else None,
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column not in _WRAPPED)
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    return table


def print_error(problem: str, hint: str, console: RichConsole | None = None) -> None:
    """Print what is wrong and what to do next on stderr."""
    console = console or RichConsole(stderr=True, highlight=False, soft_wrap=True)
    console.print(Text.assemble(("error: ", "bold red"), printable(problem)))
    console.print(Text.assemble(("hint: ", "bold"), printable(hint)))


def print_traceback() -> None:
    """Print on stderr where the error that is being handled comes from."""
    print(*map(printable, traceback.format_exc().splitlines()), sep="\n", file=sys.stderr)


def printable(text: str) -> str:
    """Return the text with escapes in place of everything that could steer a terminal, or turn a line around."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)

"""Two outputs that another package adds: all runs as lines of one text, and a note on each run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gbvis.figures.output import Output
from gbvis.figures.run_view import RunView
from gbvis.figures.style import Style


class Lines(Output):
    """A line a run."""

    suffix = ".txt"
    scope = "all"

    def write(self, views: Sequence[RunView], style: Style, path: Path) -> Mapping[str, Any]:
        """Write the lines, and return how many there are."""
        path.write_text("".join(f"{view.video} {view.endpoint} {view.target} {view.method}\n" for view in views))
        return {"rows": len(views)}


class Note(Output):
    """A note on one run: in which frame most of the gradient lies."""

    suffix = ".md"

    def write(self, views: Sequence[RunView], style: Style, path: Path) -> Mapping[str, Any]:
        """Write the note, and return that frame."""
        (view,) = views
        clip = next(iter(view.clips()))
        frame = clip.frames[int(clip.importance.argmax())]
        path.write_text(f"# {view.video}\n\nMost of it lies in frame {frame}.\n")
        return {"strongest": frame}


TEXT, NOTE = Lines(), Note()

"""Options of `render` about which frame of a picture is shown, and what a picture's file says of the call."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from gbvis.cli.option_groups import option
from gbvis.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from gbvis.figures.style import Style

At = Annotated[
    str | None,
    option(
        "--at",
        metavar="FRAME[,FRAME...]",
        text="With png: draw these frames of a layout that moves; 2.0s is the frame at that second. "
        "Default: the one with the most gradient.",
    ),
]


def with_stills(style: Style, at: str | None) -> Style:
    """Return a style with the frames typed after `--at`.

    Raises:
        UsageError: They are no frames.
    """
    if at is None:
        return style
    return replace(style, at=tuple(dict.fromkeys(_read_moment(word.strip()) for word in at.split(","))))


def _read_moment(word: str) -> int | float:
    match = re.fullmatch(r"(?P<frame>[0-9]{1,9})|(?P<seconds>[0-9]{1,9}(\.[0-9]*)?|\.[0-9]+)s", word)
    if match is None:
        raise UsageError(
            f"--at {word!r} is no frame",
            "give frame numbers counted from 0, such as 12 or 12,40, or seconds, such as 2.5s",
        )
    return float(match["seconds"]) if match["seconds"] else int(match["frame"])


def with_call(style: Style, store: str | Path, labels: Path | None = None) -> Style:
    """Return a style whose pictures say what of this call they themselves do not show: `--store` and `--labels`.

    A store that the environment names was not said in the call.
    """
    words = ["--labels", str(labels)] if labels else []
    if str(store) not in ("gbvis.zarr", os.environ.get("GBVIS_STORE")):
        words += ["--store", re.sub("//[^/@]*@", "//", str(store))]  # never a password
    return replace(style, words=tuple(words))

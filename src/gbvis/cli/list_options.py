"""Options for lists of videos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from gbvis.cli.option_groups import option

if TYPE_CHECKING:
    from gbvis.videos.video_list import ListRequest

VideosFrom = Annotated[
    str | None,
    option(
        "--videos-from",
        metavar="FILE",
        text="Take the videos from this list too: NAME, NAME LABEL, NAME FRAMES LABEL, or NAME CLASS, per line; - is "
        "stdin. With --split, a folder of the split files of HMDB-51 or UCF-101.",
    ),
]
Split = Annotated[
    int | None,
    option(
        "--split",
        metavar="N",
        min=1,
        text="Take this split of the list, as HMDB-51 and UCF-101 have them. Default: the list is of one.",
    ),
]
Part = Annotated[
    str | None, option("--part", metavar="train|test|val", text="Take only this part of the list. Default: all.")
]


def read_list_request(
    videos_from: str | None, is_from_one: bool, split: int | None, part: str | None, dataset: Path | None
) -> ListRequest | None:
    """Return which list is read, and how; None where none is.

    Raises:
        UsageError: A split or a part is named, and no list.
    """
    from gbvis.errors import UsageError
    from gbvis.videos.video_list import ListRequest

    if not videos_from:
        if split is not None or part is not None:
            raise UsageError("--split and --part are for lists of videos", "name one with --videos-from")
        return None
    return ListRequest(videos_from, is_from_one, split, part, dataset)

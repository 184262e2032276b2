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
        text="A list: NAME, NAME LABEL, NAME FRAMES LABEL, or NAME CLASS, per line; - is stdin. A folder of the split "
        "files of HMDB-51 or UCF-101 with --split.",
    ),
]
Split = Annotated[
    int | None, option("--split", metavar="N", min=1, text="With --videos-from: the split of HMDB-51 or UCF-101.")
]
Part = Annotated[
    str | None, option("--part", metavar="train|test|val", text="With --videos-from: only this part of the list.")
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

"""Options and arguments that name videos."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gbvis.cli.failure_list import parse_failure_list
from gbvis.cli.option_groups import option, switch
from gbvis.cli.parse import parse_videos
from gbvis.errors import UsageError

if TYPE_CHECKING:
    from gbvis.videos.name_list import VideoEntry
    from gbvis.videos.shard import Shard

ShownVideos = Annotated[
    list[str] | None,
    typer.Argument(metavar="VIDEO", help="Names or paths, as they were explained. Default: every video in the store."),
]
RemovedVideos = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="VIDEO",
        help="Names or paths, as they were explained. Default: none; with filters, every video in the store.",
    ),
]


@dataclass
class Videos:
    """Which videos, typed or in a list."""

    videos: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VIDEO", help="Files, folders of frames or of videos, 'quoted*', names with -d, sample:CLASS-SEED."
        ),
    ] = None
    videos_from: Annotated[
        str | None,
        option(
            "--videos-from",
            metavar="FILE",
            text="Take the videos from this list too: NAME, NAME LABEL, NAME FRAMES LABEL, or NAME CLASS, per line; - "
            "is stdin. With --split, a folder of the split files of HMDB-51 or UCF-101.",
        ),
    ] = None
    split: Annotated[
        int | None,
        option(
            "--split",
            metavar="N",
            min=1,
            text="Take this split of the list, as HMDB-51 and UCF-101 have them. Default: the only one.",
        ),
    ] = None
    part: Annotated[
        str | None, option("--part", metavar="train|test|val", text="Take only this part of the list. Default: all.")
    ] = None
    shard: Annotated[
        str | None,
        option(
            "--shard",
            metavar="K/N|auto",
            text="Take only part K of N of the videos, by their names; auto: of SLURM's array or MPI. Default: all.",
        ),
    ] = None
    failed_to: Annotated[
        Path | None,
        option(
            "--failed-to",
            metavar="FILE",
            text="Write the videos that failed to this list, which --videos-from reads. Default: none.",
        ),
    ] = None
    labels_from_one = False  # no option here: without an annotation it is no field

    def entries(self, dataset: Path | None = None) -> tuple[VideoEntry, ...]:
        """Return the videos typed and those of the list.

        Raises:
            UsageError: There are none, the list cannot be read, or a split or a part is named and no list.
        """
        if self.videos_from:
            from gbvis.videos.video_list import ListRequest

            listed = ListRequest(self.videos_from, self.labels_from_one, self.split, self.part, dataset)
            return parse_videos(self.videos, listed)
        if self.split is not None or self.part is not None:
            raise UsageError("--split and --part are for lists of videos", "name one with --videos-from")
        return parse_videos(self.videos, None)

    def chosen_shard(self) -> Shard | None:
        """Return which part of the videos to take; None for all.

        Raises:
            UsageError: It is none, or nothing tells which.
        """
        if self.shard is None:
            return None
        from gbvis.videos.shard import read_shard

        return read_shard(self.shard)

    def failure_list(self) -> Path | None:
        """Return where the list of the videos that failed goes; None for nowhere.

        Raises:
            UsageError: No file can be written there.
        """
        return parse_failure_list(self.failed_to)


@dataclass
class LabelledVideos(Videos):
    """The same, where the list may say which class to explain."""

    labels_from_one: Annotated[
        bool, switch("--labels-from-one", text="Count the classes in --videos-from from 1, not from 0.")
    ] = False

"""Folders of masks: one image a frame, in which all pixels but black ones are of the object."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

from gbvis.errors import UsageError, VideoError
from gbvis.provenance import hash_file
from gbvis.videos.masks import FrameMask, FrameMasks
from gbvis.videos.readers.frame_series import Series, choose_series, group_names, list_images
from gbvis.videos.readers.image_file import read_image
from gbvis.videos.video import Video

_LOSSY = (".jpg", ".jpeg", ".webp")
"""What blurs the edges of a mask: there the brighter half of the levels is of the object."""


class MaskFolder(FrameMasks):
    """The masks of one video: as many as frames, in their order; or numbered, from 0 where there is a 0, else from 1.

    Numbered ones may be those of a part of the frames; where a number is missing between them, numbers count.
    """

    def __init__(self, folder: Path, video: Video) -> None:
        """Name the folder and the video."""
        super().__init__(video)
        self._folder = folder

    @property
    def recipe(self) -> dict[str, Any]:
        """The content and the names of the files."""
        return {"kind": "folder", "content": self._fingerprint}

    @cached_property
    def _fingerprint(self) -> str:
        try:
            lines = [f"{hash_file(self._folder / name)} {name}" for name in self._series.names]
        except OSError as error:
            raise VideoError(f"cannot read the masks in {self._folder}: {error.strerror}", "check them") from error
        return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()

    @cached_property
    def _series(self) -> Series:
        try:
            series = choose_series(self._folder, group_names(list_images(self._folder)), is_flow=True)
        except UsageError as error:  # the other videos go on
            raise VideoError(error.problem, error.hint) from error
        if series is None:
            raise VideoError(f"no masks in {self._folder}", "put an image for each frame of the video there")
        return series

    @cached_property
    def _files(self) -> dict[int, str]:
        """The names of the files by the number of the frame."""
        names, numbers, count = self._series.names, self._series.numbers, self._video.shape.frame_count
        counts = (count, count + 1) if self._video.modality == "flow" else (count,)
        if len(names) in counts and not self._series.gaps:
            return dict(enumerate(names))
        if numbers is None:
            raise VideoError(
                f"{self._folder} holds {len(names)} masks whose names tell no numbers, and {self._video.name} has "
                f"{count} frames",
                "number the masks as the frames are, from 0 or 1",
            )
        first = 0 if numbers[0] == 0 else 1
        return {number - first: name for number, name in zip(numbers, names, strict=True)}

    def read(self, number: int) -> FrameMask:
        """Return the mask of frame `number`: bool (H, W)."""
        name = self._files.get(number)
        if name is None:
            raise VideoError(
                f"no mask of frame {number} of {self._video.name}, counted from 0, in {self._folder}, which holds "
                f"{len(self._series)}: {self._series}",
                "give a mask for each frame of the clip, black where nothing is; or take other frames with --start",
            )
        levels = read_image(self._folder / name, "L")
        return levels > (127 if name.lower().endswith(_LOSSY) else 0)

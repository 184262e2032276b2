"""Find masks: `mover`, `motion`, a folder or a file becomes the `Masks` of a video."""

from collections.abc import Callable
from pathlib import Path

from gbvis.errors import UsageError, VideoError
from gbvis.provenance import hash_file
from gbvis.videos.masks import Masks, Mover, MovingRegion, is_sample
from gbvis.videos.readers.boxes import BoxMasks
from gbvis.videos.readers.frame_series import list_images, list_names
from gbvis.videos.readers.mask_folder import MaskFolder
from gbvis.videos.readers.ucf_24 import read_ucf_24
from gbvis.videos.readers.viper_file import read_viper
from gbvis.videos.two_stream import find_video_folder, is_folder, is_video_name
from gbvis.videos.video import Video

WORDS = ("mover", "motion")
"""What `--masks` takes beside paths."""

_XML, _MATLAB = (".xgtf", ".xml"), ".mat"
_EXPECTED = (
    "expected mover, motion, a folder with one folder of images a video, or boxes of UCF-101-24: a folder of XML, one "
    "file of it, or finalAnnots.mat"
)


def check_masks(typed: str | None) -> None:
    """Check what `--masks` says, before anything is computed.

    Raises:
        UsageError: It is no word, folder or file that can hold masks.
    """
    if typed is None or typed in WORDS:
        return
    path = Path(typed)
    try:
        is_there, is_kind = path.exists(), path.is_dir() or path.suffix.lower() in (*_XML, _MATLAB)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot look for {typed}: {error}", _EXPECTED) from error
    if not is_there:
        raise UsageError(f"no such masks: {typed}", _EXPECTED)
    if path.suffix.lower() in (".pkl", ".pickle"):
        raise UsageError(f"{typed} is a pickle, which is a program: gbvis runs none", _EXPECTED)
    if not is_kind:
        raise UsageError(f"{typed} is no file of masks", _EXPECTED)


def find_masks(typed: str | None, video: Video, find_flow: Callable[[], Video]) -> Masks | None:
    """Return the masks of a video; None where nothing is said and the video is no sample.

    Args:
        typed: As `--masks` has it; None for the mover of samples alone.
        video: The stream.
        find_flow: Returns the flow of the video, for `motion`.

    Raises:
        UsageError: As `check_masks`.
        VideoError: There are none of this video, or they cannot be read.
    """
    check_masks(typed)
    if typed is None:
        return Mover(video) if is_sample(video) else None
    if typed == "mover":
        return Mover(video)
    if typed == "motion":
        return MovingRegion(find_flow())
    path = Path(typed)
    try:
        return _find_in_folder(path, video) if path.is_dir() else _read_file(path, video)
    except OSError as error:
        raise VideoError(f"cannot read the masks in {path}: {error.strerror}", "check their permissions") from error


def _read_file(path: Path, video: Video) -> Masks:
    boxes = read_ucf_24(path, video.name) if path.suffix.lower() == _MATLAB else read_viper(path)
    return BoxMasks(boxes, hash_file(path), video)


def _find_in_folder(folder: Path, video: Video) -> Masks:
    """Return the masks of a video in `folder`, in a folder of a class there, or in those files that are there alone."""
    inner = [folder / name for name in sorted(list_names(folder, is_folder))]
    for parent in (folder, *inner):
        found = _find_by_name(parent, video)
        if found:
            return found
    if not inner and list_images(folder):
        return MaskFolder(folder, video)
    raise VideoError(
        f"no masks of {video.name} in {folder}",
        f"expected a folder {video.name} with an image a frame, or {video.name}{_XML[0]}, there or in a folder of it",
    )


def _find_by_name(parent: Path, video: Video) -> Masks | None:
    """Return the masks of a video in `parent`: its folder of images, or its file of boxes."""
    if not is_video_name(video.name):
        return None
    below = find_video_folder(parent, video.name)
    if below and list_images(below):
        return MaskFolder(below, video)
    names = {video.name.lower() + suffix for suffix in _XML}
    files = list_names(parent, lambda entry: entry.name.lower() in names and entry.is_file())
    return _read_file(parent / min(files), video) if files else None

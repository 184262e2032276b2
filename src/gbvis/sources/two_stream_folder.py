"""Videos of a two-stream data set, by bare name."""

from pathlib import Path

from gbvis.errors import GbvisError
from gbvis.sources.frame_folder import FrameFolder
from gbvis.two_stream import TwoStreamDataset, find_dataset, find_video_folder
from gbvis.video import Video, video_name


def read(location: str, modality: str, dataset: Path | None) -> Video | None:
    """Return the video of the data set that `location` names, or None where there is no such video.

    The name is as the folders have it; a list's `Class/v_name.avi` means the same. The flow of a video file is looked
    for here too, under the file's stem.

    Raises:
        GbvisError: The data set holds one flow channel of the video and not the other.
    """
    if dataset is None:
        return None
    name = video_name(location)
    folders = find_dataset(dataset)
    rgb = find_video_folder(folders.rgb, name) if folders.rgb else None
    if Path(location).exists():  # the file or folder itself is the RGB stream, and gives the video its name
        return None if modality == "rgb" else _read_flow(folders, name, name, dataset)
    if modality == "rgb":
        return FrameFolder(rgb.name, modality, (rgb,), is_numbered=True) if rgb else None
    return _read_flow(folders, name, rgb.name if rgb else None, dataset)


def _read_flow(folders: TwoStreamDataset, name: str, called: str | None, dataset: Path) -> Video | None:
    """Return the flow of video `name`; it is `called` as its RGB stream is, so that both go by one name."""
    u = find_video_folder(folders.u, name) if folders.u else None
    v = find_video_folder(folders.v, name) if folders.v else None
    if u and v:
        return FrameFolder(called or u.name, "flow", (u, v), is_numbered=True)
    if u or v:
        there, lacking = ("u", "v") if u else ("v", "u")
        raise GbvisError(
            f"{name} has a flow folder {there} and no {lacking} in {dataset}",
            f"expected {lacking}/{name} beside {there}/{name}; extract this video's flow again",
        )
    return None

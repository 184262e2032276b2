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
    if modality == "rgb":
        found = find_video_folder(folders.rgb, name) if folders.rgb and not Path(location).exists() else None
        return FrameFolder(found.name, modality, (found,), is_numbered=True) if found else None
    return _read_flow(folders, name, dataset)


def _read_flow(folders: TwoStreamDataset, name: str, dataset: Path) -> Video | None:
    u = find_video_folder(folders.u, name) if folders.u else None
    v = find_video_folder(folders.v, name) if folders.v else None
    if u and v:
        return FrameFolder(u.name, "flow", (u, v), is_numbered=True)
    if u or v:
        there, lacking = ("u", "v") if u else ("v", "u")
        raise GbvisError(
            f"{name} has a flow folder {there} and no {lacking} in {dataset}",
            f"expected {lacking}/{name} beside {there}/{name}; extract this video's flow again",
        )
    return None

from pathlib import Path

import pytest

from gbvis.errors import UsageError, VideoError
from gbvis.videos.locate import check_dataset, find_video, look_for


def test_a_video_is_found_by_path_by_name_and_among_the_samples(video_file: Path, dataset: Path) -> None:
    assert find_video(str(video_file), "rgb", None).location == str(video_file)
    for modality, count in (("rgb", 12), ("flow", 11)):
        assert find_video("moving-disc", modality, dataset).shape.frame_count == count
        assert find_video(str(video_file), modality, dataset).shape.frame_count == count
    assert find_video("sample:left-1", "flow", dataset).location == "sample:left-1"


def test_what_is_not_there_says_where_it_was_looked_for(dataset: Path, video_file: Path) -> None:
    assert look_for("moving-disk", "rgb", dataset) is None
    with pytest.raises(VideoError, match="no such video: moving-disk") as error:
        find_video("moving-disk", "rgb", None)
    assert "-d" in error.value.hint
    with pytest.raises(VideoError, match="no flow of moving-disk: no such path, and no such video in") as error:
        find_video("moving-disk", "flow", dataset)
    assert error.value.hint == "did you mean moving-disc?"
    with pytest.raises(VideoError, match="no rgb of elsewhere: no such path, and no such video in") as error:
        find_video("elsewhere", "rgb", dataset)
    assert "jpegs_256" in error.value.hint


def test_a_folder_that_is_no_data_set_is_refused(tmp_path: Path, dataset: Path) -> None:
    check_dataset(None)
    check_dataset(dataset)
    with pytest.raises(UsageError, match="no two-stream data set in") as error:
        check_dataset(tmp_path)
    assert "jpegs_256" in error.value.hint
    with pytest.raises(UsageError, match="no such folder: .*nowhere"):
        check_dataset(tmp_path / "nowhere")

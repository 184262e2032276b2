from pathlib import Path

import pytest

from gbvis.errors import VideoError
from gbvis.flow.preprocess import scaled_size
from gbvis.videos.two_stream import find_dataset, find_video_folder

LAYOUTS = {
    "outer and inner": ("ucf101_jpegs_256/jpegs_256", "ucf101_tvl1_flow/tvl1_flow"),
    "outer": ("hmdb51_jpegs_256", "hmdb51_tvl1_flow"),
    "inner": ("jpegs_256", "tvl1_flow"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_either_folder_may_be_missing(tmp_path: Path, layout: str) -> None:
    rgb, flow = (tmp_path / part for part in LAYOUTS[layout])
    for folder in (rgb, flow / "u", flow / "v"):
        (folder / "clip").mkdir(parents=True)
    found = find_dataset(tmp_path)
    assert (found.rgb, found.u, found.v) == (rgb, flow / "u", flow / "v")


def test_a_part_alone(tmp_path: Path) -> None:
    (tmp_path / "x_jpegs_256/clip").mkdir(parents=True)
    found = find_dataset(tmp_path)
    assert found.rgb == tmp_path / "x_jpegs_256" and found.u is None and found.v is None
    assert find_dataset(tmp_path / "x_jpegs_256").rgb == tmp_path / "x_jpegs_256"


@pytest.mark.parametrize("name", ["a[b]c", "100%!", "#1*?", "it's", "with space", "_under", "ünï"])
def test_names_are_compared_and_never_globbed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / "abc").mkdir()
    assert find_video_folder(tmp_path, name) == tmp_path / name


def test_case_may_differ_and_the_exact_name_goes_first(tmp_path: Path) -> None:
    (tmp_path / "v_HandstandPushups_g01_c01").mkdir()
    assert find_video_folder(tmp_path, "v_HandStandPushups_g01_c01") == tmp_path / "v_HandstandPushups_g01_c01"
    (tmp_path / "v_HandStandPushups_g01_c01").mkdir()
    assert find_video_folder(tmp_path, "v_HandStandPushups_g01_c01") == tmp_path / "v_HandStandPushups_g01_c01"


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc", "missing"])
def test_no_name_leads_out(tmp_path: Path, name: str) -> None:
    assert find_video_folder(tmp_path, name) is None


def test_two_names_that_differ_in_case_alone_are_not_guessed_between(tmp_path: Path) -> None:
    for name in ("CLIP", "Clip"):
        (tmp_path / name).mkdir()
    assert find_video_folder(tmp_path, "Clip") == tmp_path / "Clip"
    with pytest.raises(VideoError, match="clip may be CLIP or Clip"):
        find_video_folder(tmp_path, "clip")


def test_a_link_in_a_circle_hides_no_other_video(tmp_path: Path) -> None:
    for part in ("x_jpegs_256", "x_jpegs_256/jpegs_256", "x_jpegs_256/jpegs_256/Clip"):
        (tmp_path / part).mkdir()
    for link in ("a_jpegs_256", "x_jpegs_256/jpegs_256/loop"):
        (tmp_path / link).symlink_to(Path(link).name)
    rgb = find_dataset(tmp_path).rgb
    assert rgb == tmp_path / "x_jpegs_256/jpegs_256"
    assert find_video_folder(rgb, "clip") == rgb / "Clip"
    assert find_video_folder(rgb, "loop") is None


def test_a_mere_line_is_not_scaled() -> None:
    assert scaled_size(10, 320) == (256, 8192)
    for size in ((1, 60_000), (60_000, 1)):
        with pytest.raises(VideoError, match="cannot be scaled to 256"):
            scaled_size(*size)

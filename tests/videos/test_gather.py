"""Folders of videos and patterns, and what comes before them."""

from pathlib import Path

import pytest
from PIL import Image

from gbvis.errors import UsageError
from gbvis.progress import Progress
from gbvis.videos.gather import gather_videos
from gbvis.videos.name_list import VideoEntry


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with videos, frames and what lies about."""
    monkeypatch.chdir(tmp_path)
    for name in (
        *("videos/b10.mp4", "videos/b9.MP4", "videos/sub/deep/c.webm", "videos/notes.txt", "videos/labels.csv"),
        *("videos/._b9.mp4", "videos/.DS_Store", "videos/Thumbs.db", "videos/.hidden/d.mp4", "other.mkv"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    draw("videos/frames", 3)
    return tmp_path


def draw(folder: str, count: int, pattern: str = "img_%05d.jpg") -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        Image.new("RGB", (8, 6)).save(Path(folder) / (pattern % number))


def gather(*locations: str, dataset: Path | None = None, is_listed: bool = False, **more: Progress) -> list[str]:
    entries = [VideoEntry(location, 7, is_listed=is_listed) for location in locations]
    found = gather_videos(entries, dataset, **more)
    assert {one.class_index for one in found} <= {7}
    return [one.location for one in found]


ALL = ["videos/b9.MP4", "videos/b10.mp4", "videos/frames", "videos/sub/deep/c.webm"]


@pytest.mark.parametrize(
    ("location", "found"),
    [
        ("videos", ALL),
        ("videos/", ALL),
        ("videos/sub", ALL[3:]),
        ("videos/frames", ["videos/frames"]),
        ("videos/*.mp4", ["videos/b10.mp4"]),
        ("videos/b*", ALL[:2]),
        ("videos/*", ALL),
        ("videos/**", ALL),
        ("videos/**/*.webm", ALL[3:]),
        ("**/*.mkv", ["other.mkv"]),
        ("videos/frames/*.jpg", ["videos/frames"]),
        ("videos/frames/img_*", ["videos/frames"]),
        ("v*/[fg]rames", ["videos/frames"]),
        ("*.nothing", ["*.nothing"]),
        ("sample:left-1", ["sample:left-1"]),
        ("missing", ["missing"]),
        ("videos/notes.txt", ["videos/notes.txt"]),
    ],
)
def test_folders_and_patterns(here: Path, location: str, found: list[str]) -> None:
    assert sorted(gather(location)) == sorted(found)
    if location in ("videos", "videos/b*"):
        assert gather(location) == found  # 9 before 10
    absolute = location if location in ("sample:left-1",) else f"{here}/{location}"
    assert {one.removeprefix(f"{here}/") for one in gather(absolute)} == set(found)


@pytest.mark.parametrize("name", ["videos/*.mp4", "videos/[b]10.mp4", "videos/b?.MP4"])
def test_a_file_of_the_very_name_goes_first(here: Path, name: str) -> None:
    assert gather(name) != [name]
    (here / name).touch()
    assert gather(name) == [name]


def test_a_name_in_the_data_set_goes_first(here: Path) -> None:
    for name in ("[b]10", "b*"):
        draw(f"data/jpegs_256/{name}", 2)
    assert gather("videos/[b]10.mp4", "videos/b*", dataset=here / "data") == ["videos/[b]10.mp4", "videos/b*"]
    assert gather("videos/[b]9.*", dataset=here / "data") == ["videos/b9.MP4"]


def test_a_list_names_videos_and_patterns_none(here: Path) -> None:
    assert gather("videos/*.mp4", "videos/b[9].MP4", is_listed=True) == ["videos/*.mp4", "videos/b[9].MP4"]
    assert gather("videos/sub", is_listed=True) == ["videos/sub/deep/c.webm"]


def test_a_data_set_is_no_folder_of_videos(here: Path) -> None:
    """Its flow would be taken for pictures."""
    for part in ("jpegs_256", "tvl1_flow/u", "tvl1_flow/v"):
        draw(f"data/{part}/v1", 2)
    with pytest.raises(UsageError, match="data is a two-stream data set"):
        gather("data")
    assert gather("data", dataset=here / "data") == ["v1"]
    assert gather("data/jpegs_256") == ["data/jpegs_256/v1"]


def test_a_data_set_of_one_folder_a_video(here: Path) -> None:
    for name in ("A/v1", "B/v2"):
        draw(f"raw/{name}", 2)
    assert gather("raw", dataset=here / "raw") == ["raw/A/v1", "raw/B/v2"]


def test_pictures_among_videos(here: Path) -> None:
    told: list[str] = []

    class Told(Progress):
        def warn(self, line: str) -> None:
            told.append(line)

    for name in ("b9.jpg", "b10.png", "cover.jpg", "poster1.jpg", "poster2.jpg"):  # of the videos, or beside them
        Image.new("RGB", (8, 6)).save(here / "videos" / name)
    assert gather("videos") == ALL and not told
    for name in ("d", "e", "f"):
        (here / f"videos/sub/deep/{name}.webm").touch()
    draw("videos/sub/deep", 2, "red%d.png")
    draw("videos/sub/deep", 2, "blue%d.png")
    assert [Path(one).name for one in gather("videos/sub/deep")] == ["c.webm", "d.webm", "e.webm", "f.webm"]
    draw("mixed", 12)
    (here / "mixed/source.mp4").touch()
    assert gather("mixed", progress=Told()) == ["mixed"]
    assert "img_*.jpg (12 files); left out: source.mp4" in told[0]
    for number in range(9):
        (here / f"mixed/{number}.mp4").touch()
    with pytest.raises(UsageError, match=r"mixed holds pictures, img_\*.jpg \(12 files\), and 0.mp4 and 9 more videos"):
        gather("mixed")


def test_two_series_in_a_folder_are_refused_at_once(here: Path) -> None:
    draw("two", 5)
    draw("two", 5, "other%d.png")
    with pytest.raises(UsageError, match="two series of pictures"):
        gather("two")
    first, second = gather_videos([VideoEntry("two"), VideoEntry("videos/b9.MP4")], None)
    assert "two series of pictures" in str(first.problem) and second.problem is None
    with pytest.raises(UsageError, match="picks some of the pictures"):
        gather("videos/frames/img_0000[12].jpg")
    draw("videos/two", 5)
    draw("videos/two", 5, "other%d.png")
    assert "videos/two" in gather("videos")  # among others it fails alone


def test_links_that_lead_back(here: Path) -> None:
    (here / "videos/sub/up").symlink_to(here / "videos")
    (here / "videos/linked.mp4").symlink_to(here / "videos/b10.mp4")
    (here / "videos/lost.mp4").symlink_to(here / "nowhere")
    assert gather("videos") == [*ALL[:3], "videos/linked.mp4", "videos/lost.mp4", *ALL[3:]]

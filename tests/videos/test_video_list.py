"""Lists as data sets bring them; which file is meant is decided by which is there."""

from pathlib import Path

import pytest

from gbvis.errors import UsageError
from gbvis.videos.name_list import VideoEntry
from gbvis.videos.video_list import ListRequest, find_split_files, read_video_list

FILES = ["clip.mp4", "a b.mp4", "a, b.mp4", "a;b.mp4", "dir/img_1.jpg", "clip.xyz", "take 2/1.jpg", "umlaut ü.avi"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, beside `lists/` with some videos."""
    for name in FILES:
        (tmp_path / "lists" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lists" / name).touch()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "lists"


def read(text: str, folder: Path | None = None, **request: object) -> list[tuple[str, object]]:
    """Return what a list `list.txt` in the folder says: each name, without that folder, and its class."""
    name = str(folder / "list.txt") if folder else "-"
    entries = read_video_list(text, ListRequest(**{"name": name, **request}))  # type: ignore[arg-type]
    return [
        (one.location.removeprefix(f"{folder}/"), one.class_index if one.class_name is None else one.class_name)
        for one in entries
    ]


@pytest.mark.parametrize(
    ("line", "name", "label"),
    [
        ("clip.mp4", "clip.mp4", None),
        ("clip.mp4 3", "clip.mp4", 3),
        ("clip.mp4\t3", "clip.mp4", 3),
        ("clip.mp4,3", "clip.mp4", 3),
        ("clip.mp4, 3", "clip.mp4", 3),
        ("clip.mp4;3", "clip.mp4", 3),
        ("clip.mp4 Playing Guitar", "clip.mp4", "Playing Guitar"),
        ("clip.mp4,playing guitar", "clip.mp4", "playing guitar"),
        ("clip.xyz 3", "clip.xyz", 3),
        ("clip.xyz wave", "clip.xyz", "wave"),
        ("dir 12 3", "dir", 3),
        ("dir,12,3", "dir", 3),
        ("dir 3", "dir", 3),
        ("dir wave", "dir", "wave"),
        ("dir 12 wave", "dir", "wave"),
        ("dir,12,wave", "dir", "wave"),
        ("dir 12 -1", "dir", None),
        ("clip.mp4 3 waves", "clip.mp4", "3 waves"),
        ("clip.mp4 1.0", "clip.mp4", 1),
        ("clip.mp4,1.0", "clip.mp4", 1),
        ("clip.mp4 -1", "clip.mp4", None),
        ("'a b.mp4' 3", "a b.mp4", 3),
        ("'a, b.mp4',3", "a, b.mp4", 3),
        ("a b.mp4", "a b.mp4", None),
        ("a b.mp4 3", "a b.mp4", 3),
        ("a b.mp4 wave", "a b.mp4", "wave"),
        ('"a b.mp4" 3', "a b.mp4", 3),
        ('"a b.mp4"', "a b.mp4", None),
        ("'a b.mp4'", "a b.mp4", None),
        ('"a, b.mp4",3', "a, b.mp4", 3),
        ("a, b.mp4,3", "a, b.mp4", 3),
        ("a, b.mp4", "a, b.mp4", None),
        ("a;b.mp4;wave", "a;b.mp4", "wave"),
        ("take 2", "take 2", None),
        ("take 2 7", "take 2", 7),
        ("umlaut ü.avi 1", "umlaut ü.avi", 1),
        ("../lists/clip.mp4 1", "../lists/clip.mp4", 1),
    ],
)
def test_a_line_means_the_video_that_is_there(here: Path, line: str, name: str, label: object) -> None:
    assert read(f"{line}\r\n", here) == [(name, label)]


def test_a_name_from_the_current_folder_goes_first(here: Path) -> None:
    Path("clip.mp4").touch()
    assert read("clip.mp4 3", here) == [("clip.mp4", 3)]
    (found,) = read_video_list("clip.xyz 3", ListRequest(str(here / "list.txt")))
    assert Path(found.location) == here / "clip.xyz"
    absolute = str(here / "clip.xyz")
    assert read(f"{absolute} 3") == [(absolute, 3)]


def test_a_tilde_is_home(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    assert read("~/clip.mp4 3\n~\n~nobody\n") == [(str(here / "clip.mp4"), 3), ("~", None), ("~nobody", None)]


def test_what_is_nowhere_is_read_by_its_suffix_or_as_the_other_lines(here: Path) -> None:
    text = "one.avi 3\nClass/two.mp4 wave\nthree, 4.mkv\nfour 4\nfive.gif 1\nsix.avi 12 3"
    assert read(text) == [
        ("one.avi", 3),
        ("Class/two.mp4", "wave"),
        ("three, 4.mkv", None),
        ("four 4", None),
        ("five.gif", 1),
        ("six.avi", 3),
    ]
    assert read("dir 12 3\ngone 14 5", here) == [("dir", 3), ("gone", 5)]


def test_a_line_that_can_be_read_in_two_ways(here: Path) -> None:
    (here / "dir 12").mkdir()
    with pytest.raises(
        UsageError, match="'dir 12 3' can be read in two ways: 'dir 12' and 'dir' are both there"
    ) as error:
        read("dir 12 3", here)
    assert "NAME FRAMES LABEL" in error.value.hint


@pytest.mark.parametrize("line", ["clip.mp4 1 2", "clip.mp4,1,2", "clip.mp4,1,wave"])
def test_a_file_has_no_column_of_frames(here: Path, line: str) -> None:
    with pytest.raises(UsageError, match=r"has a column more, .*clip\.mp4 is a file") as error:
        read(line, here)
    assert "FRAMES is for a folder" in error.value.hint


def test_a_negative_label_is_none(here: Path) -> None:
    with pytest.raises(UsageError, match="label -2 in the line"):
        read("clip.mp4 -2", here)
    with pytest.raises(UsageError, match="counted from 1"):
        read("clip.mp4 0", here, is_from_one=True)


def test_what_a_list_says_besides(here: Path) -> None:
    counted, lost = read_video_list("dir 12 3\nwave/clip.mp4 1", ListRequest(str(here / "list.txt")))
    assert counted.frame_count == 12 and lost.location == "wave/clip.mp4"
    assert lost.near == str(here / "clip.mp4")
    table = "path,num_frames,label\ndir,12,3\nwave/clip.mp4,,1"
    counted, lost = read_video_list(table, ListRequest(str(here / "list.txt")))
    assert counted.frame_count == 12 and counted.near is None
    assert lost.near == str(here / "clip.mp4") and lost.frame_count is None


@pytest.mark.parametrize(
    ("head", "row", "label"),
    [
        ("video_name,tag,path", "gone,wave,clip.mp4", "wave"),
        ("path,label", "'clip.mp4',1.0", 1),
        ("video,label", "clip.mp4,3", 3),
        ("label,path", "wave,clip.mp4", "wave"),
        ("Video Name;Class", "clip.mp4;wave", "wave"),
        ("filename\tframes\tlabel", "clip.mp4\t60\t3", 3),
        (",video_path,class_name,label", "0,clip.mp4,wave,3", 3),
        ("name label", '"a b.mp4" 3', 3),
        ("path", "clip.mp4", None),
    ],
)
def test_columns_with_headings(here: Path, head: str, row: str, label: object) -> None:
    ((name, found),) = read(f"{head}\r\n{row}\r\n", here)
    assert name in FILES and found == label


def test_a_column_that_tells_parts(here: Path) -> None:
    text = "path,label,split\nclip.mp4,1,train\nclip.xyz,2,testing\ndir,3,val\n"
    assert read(text, here, part="test") == [("clip.xyz", 2)]
    assert len(read(text, here)) == 3
    with pytest.raises(UsageError, match="has 2 columns, and the first line names 3"):
        read("path,label,split\nclip.mp4,1\n", here)


def test_hmdbs_split_files_hold_parts_and_no_classes(here: Path) -> None:
    text = "clip.mp4 1 \na b.mp4 2 \nclip.xyz 0 \n"
    request = {"name": str(here / "brush_hair_test_split2.txt")}
    assert read(text, here, **request) == [("clip.mp4", "brush_hair"), ("a b.mp4", "brush_hair")]
    assert read(text, here, **request, split=2, part="test") == [("a b.mp4", "brush_hair")]
    assert read(text, here, **request, part="train") == [("clip.mp4", "brush_hair")]
    assert read(text, here, **request, is_from_one=True) == read(text, here, **request)
    with pytest.raises(UsageError, match="is of split 2"):
        read(text, here, **request, split=1)
    assert read("clip.mp4 7", here, **request) == [("clip.mp4", 7)]  # called like one, and none


def test_a_folder_of_split_files(tmp_path: Path) -> None:
    for name in ("wave_test_split1.txt", "run_test_split1.txt", "run_test_split2.txt", "notes.txt"):
        (tmp_path / name).touch()
    found = find_split_files(tmp_path, ListRequest(split=1, part="test"))
    assert [path.name for path in found] == ["run_test_split1.txt", "wave_test_split1.txt"]
    with pytest.raises(UsageError, match="holds the splits 1, 2"):
        find_split_files(tmp_path, ListRequest())
    with pytest.raises(UsageError, match="no list of videos that is asked for"):
        find_split_files(tmp_path, ListRequest(split=3))
    for name in ("trainlist01.txt", "testlist01.txt", "classInd.txt"):
        (tmp_path / name).touch()
    found = find_split_files(tmp_path, ListRequest(split=1, part="train"))
    assert [path.name for path in found if "list" in path.name] == ["trainlist01.txt"]


def test_ucfs_lists(here: Path) -> None:
    text = "ApplyEyeMakeup/v_ApplyEyeMakeup_g08_c01.avi 1\r\nArchery/v_Archery_g08_c01.avi 3\r\n"
    assert [label for _, label in read(text, is_from_one=True)] == [0, 2]
    assert [label for _, label in read(text, name="trainlist01.txt", split=1, part="train")] == [1, 3]
    with pytest.raises(UsageError, match="is the part train"):
        read(text, name="trainlist01.txt", part="test")
    with pytest.raises(UsageError, match="label 0"):
        read("a.avi 0", is_from_one=True)


@pytest.mark.parametrize("request_", [{"split": 1}, {"part": "test"}])
def test_a_list_that_tells_no_parts(request_: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="nothing tells the"):
        read("a.avi 1", **request_)
    with pytest.raises(UsageError, match="unknown part 'best'"):
        ListRequest(part="best")


def test_names_of_a_data_set_come_before_what_they_could_mean(tmp_path: Path) -> None:
    names = ["take 2", "a,b", "x;y z", "v [1] 3", "dir 12 3", "'q'"]
    for name in names:
        (tmp_path / "jpegs_256" / name).mkdir(parents=True)
    assert read("\n".join(names), dataset=tmp_path) == [(name, None) for name in names]
    assert read("Class/TAKE 2.avi 5\nx;y z;5", dataset=tmp_path) == [("Class/TAKE 2.avi", 5), ("x;y z", 5)]


@pytest.mark.parametrize(
    "name", ["a\u2028b", "a\x85b", "a\x0bb", "a\x1cb", "\u3000wide\u3000", "a\rb", "\x0cx", "a\0b"]
)
def test_only_line_feeds_divide_a_list(name: str) -> None:
    assert read(f"one.mp4\r\n\n \t{name} \n{name}.avi 3\r\n") == [("one.mp4", None), (name, None), (f"{name}.avi", 3)]


def test_a_number_of_many_digits_is_part_of_the_name() -> None:
    line = "one.avi " + "9" * 5000
    assert read_video_list(line, ListRequest()) == [VideoEntry(line, is_listed=True)]

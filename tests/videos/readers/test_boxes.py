"""Boxes of UCF-101-24: ViPER's XML and MATLAB's file; broken and hostile ones."""

import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gbvis.errors import VideoError
from gbvis.videos.clip import ClipFormat
from gbvis.videos.locate import find_video
from gbvis.videos.locate_masks import find_masks
from gbvis.videos.readers import matlab_file
from gbvis.videos.readers.boxes import Box, Boxes, BoxMasks
from gbvis.videos.readers.matlab_file import read_matlab
from gbvis.videos.readers.viper_file import read_viper
from gbvis.videos.video import Video

SQUARE = ClipFormat(16, 128, 171, 112, 8, 29, 255.0, (0.5,) * 3, (0.5,) * 3)

VIPER = """<?xml version="1.0" encoding="UTF-8"?>
<viper xmlns="http://lamp.cfar.umd.edu/viper#" xmlns:data="http://lamp.cfar.umd.edu/viperdata#">
  <config><descriptor name="PERSON" type="OBJECT"><attribute dynamic="true" name="Location" type="bbox"/></descriptor>
  </config>
  <data>
    <sourcefile filename="v_Biking_g01_c01.avi">
      <file id="0" name="Information">
        <attribute name="H-FRAME-SIZE"><data:dvalue value="{width}"/></attribute>
        <attribute name="V-FRAME-SIZE"><data:dvalue value="{height}"/></attribute>
      </file>
      <object framespan="1:8" id="0" name="PERSON">
        <attribute name="Location">
          <data:bbox framespan="1:3" height="100" width="40" x="10" y="20"/>
          <data:bbox framespan="4:8" height="100" width="40" x="200" y="-30"/>
        </attribute>
        <attribute name="Occlusion"><data:bvalue framespan="1:8" value="true"/></attribute>
        <attribute name="Biking"><data:bvalue framespan="{acting}" value="{acts}"/></attribute>
        <attribute name="Diving"><data:bvalue framespan="1:8" value="false"/></attribute>
      </object>
      <object framespan="1:8" id="1" name="PERSON">
        <attribute name="Location"><data:bbox framespan="1:8" height="10" width="10" x="300" y="200"/></attribute>
        <attribute name="Biking"><data:bvalue framespan="1:8" value="false"/></attribute>
      </object>
      <object framespan="1:8" id="2" name="CAR">
        <attribute name="Location"><data:bbox framespan="1:8" height="90" width="90" x="0" y="0"/></attribute>
      </object>
    </sourcefile>
    <sourcefile filename="old.avi">
      <object framespan="1:8" id="0" name="PERSON">
        <attribute name="Location"><data:bbox framespan="1:8" height="9" width="9" x="0" y="0"/></attribute>
      </object>
    </sourcefile>
  </data>
</viper>
"""


def write_viper(path: Path, **changed: object) -> Path:
    """Write a file as UCF-101-24 has them: of two persons one acts."""
    words: dict[str, object] = {"width": 320, "height": 240, "acting": "2:5", "acts": "true", **changed}
    path.write_text(VIPER.format(**words))
    return path


def make_video(height: int = 240, width: int = 320, name: str = "v_Biking_g01_c01") -> Video:
    return Video.from_frames(name, np.zeros((8, height, width, 3), np.uint8))


def test_persons_count_while_they_act(tmp_path: Path) -> None:
    boxes = read_viper(write_viper(tmp_path / "a.xgtf"))
    assert boxes == Boxes([Box(1, 2, 10, 20, 50, 120), Box(3, 4, 200, -30, 240, 70)], (240, 320))


def test_where_nobody_is_marked_all_persons_count(tmp_path: Path) -> None:
    boxes = read_viper(write_viper(tmp_path / "a.xgtf", acts="false"))
    assert [(box.first, box.last) for box in boxes.all] == [(0, 2), (3, 7), (0, 7)]


def test_a_span_may_have_several_parts(tmp_path: Path) -> None:
    boxes = read_viper(write_viper(tmp_path / "a.xgtf", acting="1:2 7:7"))
    assert [(box.first, box.last) for box in boxes.all] == [(0, 1), (6, 6)]


@pytest.mark.parametrize(("width", "height", "size"), [(640, 480, (480, 640)), (0, 0, (240, 320))])
def test_frames_are_of_ucf_101_where_nothing_tells_their_size(
    tmp_path: Path, width: int, height: int, size: tuple[int, int]
) -> None:
    assert read_viper(write_viper(tmp_path / "a.xml", width=width, height=height)).size == size


@pytest.mark.parametrize("typed", ["", "Biking", "v_Biking_g01_C01.xgtf"], ids=["folder", "class", "file"])
def test_boxes_of_a_video_become_masks(tmp_path: Path, typed: str) -> None:
    (tmp_path / "Biking").mkdir()
    write_viper((tmp_path / typed if not typed.endswith("xgtf") else tmp_path) / "v_Biking_g01_C01.xgtf")
    path = tmp_path / typed if typed.endswith("xgtf") else tmp_path
    masks = find_masks(str(path), make_video(), lambda: make_video())
    assert isinstance(masks, BoxMasks)
    expected = np.zeros((240, 320), np.bool_)
    expected[20:120, 10:50] = True
    np.testing.assert_array_equal(masks.read(2), expected)
    expected[:] = False
    expected[:70, 200:240] = True
    np.testing.assert_array_equal(masks.read(3), expected)
    assert not masks.read(7).any()


def test_boxes_are_scaled_with_the_frames(tmp_path: Path) -> None:
    """As in the two-stream data set, where frames have 256 rows."""
    path = write_viper(tmp_path / "a.xgtf")
    whole, scaled = (find_masks(str(path), make_video(*size), make_video) for size in ((240, 320), (256, 341)))
    assert whole and scaled
    np.testing.assert_array_equal(whole.cut(range(1, 5), SQUARE), scaled.cut(range(1, 5), SQUARE))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<viper", "<!DOCTYPE viper [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><viper", "document type"),
        ("</viper>", "", "no element found"),
        ('x="10"', 'x="nan"', "no place in a frame"),
        ('x="10"', 'x="1e300"', "no place in a frame"),
        ('x="10" ', "", "'x'"),
        ('"320"', '"wide"', "wide"),
        ("sourcefile", "movie", "no sourcefile"),
        ('encoding="UTF-8"', 'encoding="nonsense"', "encoding"),
    ],
)
def test_broken_xml_is_refused_in_words(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = write_viper(tmp_path / "a.xgtf")
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(VideoError, match="cannot read the boxes in .*a.xgtf: .*" + re.escape(words)):
        read_viper(path)


def test_bytes_that_changed_fail_in_words(tmp_path: Path) -> None:
    whole = write_viper(tmp_path / "a.xgtf").read_bytes()
    random = np.random.default_rng(5)
    refused = 0
    for case in range(400):
        content = bytearray(whole)
        for place in random.integers(0, len(content), 1 + case % 3):
            content[place] = random.integers(256)
        path = tmp_path / f"{case}.xgtf"
        path.write_bytes(content[: int(random.integers(len(content))) if case % 4 == 0 else None])
        try:
            masks = find_masks(str(path), make_video(), make_video)
            assert masks
            masks.cut(range(8), SQUARE)
        except VideoError:
            refused += 1
    assert refused > 100


def test_huge_spans_and_many_boxes_take_no_time(tmp_path: Path) -> None:
    path = write_viper(tmp_path / "a.xgtf", acting="1:999999999")
    assert len(read_viper(path).all) == 2
    text = path.read_text()
    box, mark = (
        '<data:bbox framespan="1:3" height="100" width="40" x="10" y="20"/>',
        "<data:bvalue framespan='1:9' value='true'/>",
    )
    begin = '<attribute name="Biking">'
    path.write_text(text.replace(box, box * 4000).replace(begin, begin + mark * 4000))
    with pytest.raises(VideoError, match="acts 4001 times"):
        read_viper(path)


def test_too_large_a_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xgtf"
    with path.open("wb") as file:
        file.truncate((1 << 26) + 1)
    with pytest.raises(VideoError, match="more than 67,108,864 bytes"):
        read_viper(path)


MakeMatlab = Callable[..., Path]


@pytest.fixture
def make_matlab(tmp_path: Path) -> MakeMatlab:
    """Write a file of MATLAB's with SciPy."""
    scipy_io = pytest.importorskip("scipy.io")

    def make(is_compressed: bool = True, **variables: Any) -> Path:
        path = tmp_path / "finalAnnots.mat"
        scipy_io.savemat(path, variables, do_compression=is_compressed)
        return path

    return make


def make_annotations(**changed: object) -> np.ndarray[Any, Any]:
    """Return what is in `finalAnnots.mat`, of two videos."""
    tube_type = [(name, "O") for name in ("ef", "sf", "class", "boxes")]
    boxes = np.array([[11, 21, 40, 100], [12, 21, 40, 100], [300, 1, 20, 239]], np.uint16)
    values = {"ef": 5, "sf": 3, "class": 2, "boxes": boxes, **changed}
    tubes = np.array([[tuple(values[name] for name, _ in tube_type)]], tube_type)
    videos = [(8, "Biking/v_Biking_g01_c01", tubes), (9, "Diving/v_Diving_g02_c03", tubes)]
    return np.array([videos], [("num_imgs", "O"), ("name", "O"), ("tubes", "O")])


@pytest.mark.parametrize("is_compressed", [True, False])
def test_a_file_of_matlabs_is_read_as_scipy_reads_it(make_matlab: MakeMatlab, is_compressed: bool) -> None:
    random = np.random.default_rng(0)
    arrays = {
        f"of_{name}": random.integers(0, 100, (3, 4)).astype(name)
        for name in ("uint8", "int16", "uint16", "int32", "int64", "float32", "float64")
    }
    given: dict[str, Any] = {**arrays, "text": "Größe", "annot": make_annotations(), "long": np.arange(5000.0)}
    found = read_matlab(make_matlab(is_compressed, **given))
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
    assert found["text"] == "Größe"
    np.testing.assert_array_equal(found["long"].ravel(), given["long"])
    assert [one["name"] for one in found["annot"]] == ["Biking/v_Biking_g01_c01", "Diving/v_Diving_g02_c03"]
    (tube,) = found["annot"][1]["tubes"]
    np.testing.assert_array_equal(tube["boxes"], make_annotations()[0, 1]["tubes"][0, 0]["boxes"])


def test_boxes_of_matlabs_file_become_masks(make_matlab: MakeMatlab) -> None:
    path = make_matlab(annot=make_annotations())
    masks = find_masks(str(path), make_video(), make_video)
    assert isinstance(masks, BoxMasks)
    filled = [masks.read(number).any() for number in range(8)]
    assert filled == [False, False, True, True, True, False, False, False]
    expected = np.zeros((240, 320), np.bool_)
    expected[20:120, 10:50] = True
    np.testing.assert_array_equal(masks.read(2), expected)
    with pytest.raises(VideoError, match="has no boxes of v_Other"):
        find_masks(str(path), make_video(name="v_Other"), make_video)


@pytest.mark.parametrize(
    "annotations",
    [
        {"other": np.arange(3)},
        {"annot": make_annotations(boxes=np.zeros((3, 5)))},
        {"annot": make_annotations(boxes="text")},
        {"annot": make_annotations(boxes=np.full((1, 4), np.nan))},
        {"annot": make_annotations(sf=np.zeros(3))},
        {"annot": make_annotations(sf=np.inf)},
        {"annot": np.array([[("v_Biking_g01_c01", 5)]], [("name", "O"), ("tubes", "O")])},
    ],
)
def test_other_contents_are_no_boxes(make_matlab: MakeMatlab, annotations: dict[str, Any]) -> None:
    with pytest.raises(VideoError, match="no boxes"):
        find_masks(str(make_matlab(**annotations)), make_video(), make_video)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no file of MATLAB's level 5"),
        (b"MATLAB 7.3 MAT-file" + bytes(200), "HDF5"),
        (b"MATLAB 5.0".ljust(124) + b"\0\1MI" + bytes(16), "low byte first"),
        (b"MATLAB 5.0".ljust(124) + b"\0\1IM" + b"\x0e\0\0\0\xff\xff\xff\xff", "cut short"),
    ],
)
def test_other_files_are_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.mat"
    path.write_bytes(content)
    with pytest.raises(VideoError, match=words):
        read_matlab(path)


def test_what_is_compressed_is_bounded(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(matlab_file.LARGEST + 1000), 9)
    path = tmp_path / "a.mat"
    path.write_bytes(
        b"MATLAB 5.0".ljust(124) + b"\0\1IM" + bytes([15, 0, 0, 0]) + len(bomb).to_bytes(4, "little") + bomb
    )
    with pytest.raises(VideoError, match="decompressed it has more than"):
        read_matlab(path)


def test_broken_files_of_matlabs_fail_in_words(make_matlab: MakeMatlab, tmp_path: Path) -> None:
    """Bytes changed, cut off and doubled: what is read may be other boxes, and the error is in words."""
    whole = make_matlab(False, annot=make_annotations()).read_bytes()
    random = np.random.default_rng(3)
    refused = 0
    for case in range(400):
        content = bytearray(whole)
        for place in random.integers(116, len(content), 1 + case % 4):
            content[place] = random.integers(256)
        cut = int(random.integers(128, len(content))) if case % 3 == 0 else len(content)
        path = tmp_path / f"{case}.mat"
        path.write_bytes(content[:cut])
        try:
            find_masks(str(path), make_video(), make_video)
        except VideoError:
            refused += 1
    assert refused > 100


def test_boxes_of_real_videos_lie_on_what_moves(shared: Path, make_matlab: MakeMatlab) -> None:
    """The first rows of the corrected annotations of two videos of UCF-101."""
    video = find_video(str(shared / "data/videos/v_SoccerJuggling_g23_c01.avi"), "rgb", None)
    boxes = np.array([[135, 55, 64, 124]] * 16, np.uint8)
    tubes = np.array([[(16, 1, 1, boxes)]], [(name, "O") for name in ("ef", "sf", "class", "boxes")])
    annotations = np.array([[("SoccerJuggling/v_SoccerJuggling_g23_c01", tubes)]], [("name", "O"), ("tubes", "O")])
    masks = find_masks(str(make_matlab(annot=annotations)), video, make_video)
    assert masks
    frames = np.stack([video.read(number).astype(np.float32) for number in range(16)])
    change = np.abs(np.diff(frames, axis=0)).sum((0, 3))
    mask = masks.read(0)  # type: ignore[attr-defined]
    assert change[mask].mean() > 3 * change[~mask].mean()

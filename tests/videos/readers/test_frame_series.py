"""Which of a folder's pictures are frames; each case is a listing, and what a person would say of it."""

from pathlib import Path

import pytest
from PIL import Image

from gbvis.errors import UsageError
from gbvis.videos.readers.frame_numbers import describe_ranges, find_ranges
from gbvis.videos.readers.frame_series import choose_series, group_names


def numbered(pattern: str, numbers: range) -> list[str]:
    return [pattern % number for number in numbers]


TWELVE = numbered("img_%05d.jpg", range(1, 13))

CHOSEN = {
    "numbers alone": ([*numbered("%d.png", range(12))], "*.png", 12),
    "not padded": (numbered("frame%d.jpg", range(1, 12)), "frame*.jpg", 11),
    "suffixes in capitals": ([*numbered("%03d.jpg", range(5)), *numbered("%03d.JPG", range(5, 9))], "*.jpg", 9),
    "two spellings of JPEG": ([*numbered("%03d.jpg", range(5)), *numbered("%03d.jpeg", range(5, 9))], "*.jpg", 9),
    "a number in the name": (numbered("v_Archery_g01_c02_%04d.jpg", range(9)), "v_archery_g01_c02_*.jpg", 9),
    "a number behind": (numbered("%04d_left2.png", range(9)), "*_left2.png", 9),
    "a time beside the number": ([f"f{n:05d}_{n * 40 + n % 3}.png" for n in range(9)], "f*_0.png", 9),
    "copies": ([*TWELVE, "img_00003 (1).jpg", "img_00003 copy.jpg", "img_00004 - Kopie.jpg"], "img_*.jpg", 12),
    "copies of all": ([*TWELVE, *numbered("img_%05d (1).jpg", range(1, 13))], "img_*.jpg", 12),
    "copies of all, in words": ([*TWELVE, *numbered("img_%05d - Copy.jpg", range(1, 13))], "img_*.jpg", 12),
    "named by Windows": (numbered("frame (%d).jpg", range(1, 13)), "frame (*).jpg", 12),
    "masks by name": ([*TWELVE, *numbered("mask_%05d.png", range(1, 13))], "img_*.jpg", 12),
    "masks by suffix": ([*TWELVE, *numbered("img_%05d_mask.png", range(1, 13))], "img_*.jpg", 12),
    "a poster": ([*TWELVE, "poster.jpg", "thumb.jpg"], "img_*.jpg", 12),
    "thumbnails": ([*TWELVE, *numbered("thumb_%05d.jpg", range(1, 13))], "img_*.jpg", 12),
    "few others": ([*TWELVE, *numbered("other%d.jpg", range(6))], "img_*.jpg", 12),
    "one flow picture of all": ([*TWELVE, *numbered("flow_%05d.jpg", range(1, 12))], "img_*.jpg", 12),
    "masks alone": (numbered("mask_%05d.png", range(9)), "mask_*.png", 9),
    "flow in a name": (numbered("lava_flow_%05d.png", range(9)), "lava_flow_*.png", 9),
    "no numbers": (["a.jpg", "b.jpg", "c.jpg"], "", 3),
    "hashes": (["a3f9.png", "b7c.png", "0d1e2.png"], "", 3),
    "times of day": ([f"cam_10-{59 - (n < 3)}-{(57 + n) % 60:02d}.jpg" for n in range(6)], "cam_10-*-*.jpg", 6),
    "a single picture": (["7.png"], "7.png", 1),
    "a number far away": ([*numbered("%04d.jpg", range(12)), "9999.jpg"], "*.jpg", 12),
    "numbers below 0": (numbered("f%d.jpg", range(-6, 6)), "f*.jpg", 12),
    "few of every seventh": ([*numbered("b_%d.jpg", range(0, 210, 7)), *numbered("a_%d.jpg", range(5))], "b_*.jpg", 30),
}

REFUSED = {
    "every seventh": [*numbered("a_%03d.jpg", range(12)), *numbered("b_%03d.jpg", range(0, 210, 7))],
    "a minus that is none": [*numbered("f-%d.jpg", range(1, 9)), *numbered("f%d.jpg", range(1, 9))],
    "two of a size": [*TWELVE, *numbered("other%d.jpg", range(12))],
    "more than half": [*TWELVE, *numbered("other%d.jpg", range(7))],
    "two cameras": [f"cam{camera}_{n:04d}.jpg" for camera in (1, 2) for n in range(9)],
    "twice in colour": [*numbered("%d.jpg", range(9)), *numbered("%d.png", range(9))],
    "one number twice": ["1.jpg", "01.jpg", "2.jpg"],
    "masks that are many": ["a.jpg", *numbered("mask_%d.jpg", range(9))],
}


def touch(folder: Path, names: list[str], mode: str = "RGB") -> None:
    for name in names:
        Image.new(mode, (8, 6)).save(folder / name)


@pytest.mark.parametrize("case", CHOSEN)
def test_the_frames_are_chosen(tmp_path: Path, case: str) -> None:
    names, pattern, count = CHOSEN[case]
    touch(tmp_path, names)
    chosen = choose_series(tmp_path, group_names(names))
    assert chosen is not None and (chosen.pattern.lower(), len(chosen)) == (pattern, count)
    assert choose_series(tmp_path, group_names(reversed(names))) == chosen


@pytest.mark.parametrize("case", REFUSED)
def test_two_series_are_refused(tmp_path: Path, case: str) -> None:
    touch(tmp_path, REFUSED[case])
    with pytest.raises(UsageError) as error:
        choose_series(tmp_path, group_names(REFUSED[case]))
    assert "folder of its own" in error.value.hint


@pytest.mark.parametrize("mode", ["L", "P", "1"])
def test_grey_pictures_of_the_same_names_are_masks(tmp_path: Path, mode: str) -> None:
    touch(tmp_path, numbered("%05d.jpg", range(9)))
    touch(tmp_path, numbered("%05d.png", range(9)), mode)
    names = [path.name for path in tmp_path.iterdir()]
    chosen = choose_series(tmp_path, group_names(names))
    assert chosen is not None and chosen.pattern == "*.jpg"


def test_times_are_in_their_order() -> None:
    names = [f"10-{59 - (n < 3)}-{(57 + n) % 60:02d}.jpg" for n in range(6)]
    (series,) = group_names(reversed(names))
    assert list(series.names) == names


def test_order_and_numbers() -> None:
    (series,) = group_names(["f10.png", "f2.png", "F1.png", "f9.png"])
    assert series.names == ("F1.png", "f2.png", "f9.png", "f10.png") and series.numbers == (1, 2, 9, 10)
    assert series.gaps == [(3, 8)]


@pytest.mark.parametrize(
    ("numbers", "gaps"),
    [
        ([1, 2, 3], []),
        ([1, 2, 5, 6, 9], [(3, 4), (7, 8)]),
        ([0, 5, 10, 15], []),
        ([0, 5, 15, 20], [(10, 10)]),
        ([7, 20, 100, 230], []),
        ([115900, 115930, 120000, 120030], []),
        ([115958, 115959, 120002, 120003, 120004], [(120000, 120001)]),
        ([20240130, 20240131, 20240201], []),
        ([20240131235959, 20240201000000, 20240201000001], []),
        ([1, 2, 3, 10**200], [(4, 10**200 - 1)]),
    ],
)
def test_gaps(numbers: list[int], gaps: list[tuple[int, int]]) -> None:
    (series,) = group_names([f"{number}.png" for number in numbers])
    assert series.gaps == gaps


def test_numbers_below_0_are_in_their_order() -> None:
    (series,) = group_names(numbered("f%d.jpg", range(-6, 6)))
    assert series.numbers == tuple(range(-6, 6)) and series.names[:2] == ("f-6.jpg", "f-5.jpg")


def test_ranges_in_words() -> None:
    assert find_ranges([9, 1, 2, 3, 6, 7]) == [(1, 3), (6, 7), (9, 9)]
    assert describe_ranges([(1, 3), (6, 7), (9, 9)]) == "1 to 3, 6, 7 and 9"
    assert describe_ranges([(4, 4)]) == "4"
    assert describe_ranges([(n, n) for n in range(0, 40, 2)]).endswith("10 and 14 more")

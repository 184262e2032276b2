import pytest

from gbvis.videos.locate import VideoEntry, read_video_list


@pytest.mark.parametrize(
    "name", ["a\u2028b", "a\x85b", "a\x0bb", "a\x1cb", "\u3000wide\u3000", "a\rb", "\x0cx", "a\0b"]
)
def test_only_line_feeds_divide_a_list(name: str) -> None:
    entries = read_video_list(f"one.mp4\r\n\n \t{name} \n{name}.avi 3\r\n", is_from_one=False)
    assert entries == [VideoEntry("one.mp4"), VideoEntry(name), VideoEntry(f"{name}.avi", 3)]


def test_a_number_of_many_digits_is_part_of_the_name() -> None:
    line = "one.avi " + "9" * 5000
    assert read_video_list(line, is_from_one=False) == [VideoEntry(line)]

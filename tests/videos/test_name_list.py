import io

import pytest

from gbvis.errors import UsageError
from gbvis.videos.name_list import VideoEntry, read_text, read_video_list


def test_names_come_as_they_are() -> None:
    assert read_text(io.BytesIO(b"\xef\xbb\xbfone\r\ntwo\n"), "names") == "one\r\ntwo\n"
    assert read_text(io.BytesIO(b"\xff"), "names", "surrogateescape") == "\udcff"
    with pytest.raises(UnicodeDecodeError):
        read_text(io.BytesIO(b"\xff"), "names")


@pytest.mark.parametrize(("content", "found"), [(b"a" * 20_000, "20,000 characters"), (bytes(1 << 27), "67,108,864")])
def test_what_is_no_file_of_names(content: bytes, found: str) -> None:
    with pytest.raises(UsageError, match=f"names is no file of names: .*{found}"):
        read_text(io.BytesIO(content), "names")


@pytest.mark.parametrize(
    "name", ["a\u2028b", "a\x85b", "a\x0bb", "a\x1cb", "\u3000wide\u3000", "a\rb", "\x0cx", "a\0b"]
)
def test_only_line_feeds_divide_a_list(name: str) -> None:
    entries = read_video_list(f"one.mp4\r\n\n \t{name} \n{name}.avi 3\r\n", is_from_one=False)
    assert entries == [VideoEntry("one.mp4"), VideoEntry(name), VideoEntry(f"{name}.avi", 3)]


def test_a_number_of_many_digits_is_part_of_the_name() -> None:
    line = "one.avi " + "9" * 5000
    assert read_video_list(line, is_from_one=False) == [VideoEntry(line)]

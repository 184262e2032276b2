import codecs
import io

import pytest

from gbvis.errors import UsageError
from gbvis.videos.name_list import read_text


def test_names_come_as_they_are() -> None:
    assert read_text(io.BytesIO(b"\xef\xbb\xbfone\r\ntwo\n"), "names") == "one\r\ntwo\n"
    assert read_text(io.BytesIO(b"\xff"), "names", "surrogateescape") == "\udcff"
    with pytest.raises(UnicodeDecodeError):
        read_text(io.BytesIO(b"\xff"), "names")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", ["one.mp4 1\r\nzwö.mp4 2\r\n", "a.avi\nb.avi", "x"])
def test_any_encoding_of_unicode(text: str, encoding: str) -> None:
    assert read_text(io.BytesIO(text.encode(encoding)), "names") == text


def test_a_byte_order_mark_decides_what_zeros_cannot() -> None:
    content = codecs.BOM_UTF16_BE + "漢字.mp4\n".encode("utf-16-be")
    assert read_text(io.BytesIO(content), "names") == "漢字.mp4\n"


@pytest.mark.parametrize("content", [b"a\0b.mp4\n\0\n", b"\0\0\0\0", b"good.mp4\0 3\n"])
def test_zeros_alone_are_no_utf_16(content: bytes) -> None:
    assert read_text(io.BytesIO(content), "names") == content.decode()


@pytest.mark.parametrize(("content", "found"), [(b"a" * 20_000, "20,000 characters"), (bytes(1 << 27), "67,108,864")])
def test_what_is_no_file_of_names(content: bytes, found: str) -> None:
    with pytest.raises(UsageError, match=f"names is no file of names: .*{found}"):
        read_text(io.BytesIO(content), "names")

import io

import pytest

from gbvis.errors import GbvisError
from gbvis.videos.name_list import read_text


def test_names_come_as_they_are() -> None:
    assert read_text(io.BytesIO(b"\xef\xbb\xbfone\r\ntwo\n"), "names") == "one\r\ntwo\n"
    assert read_text(io.BytesIO(b"\xff"), "names", "surrogateescape") == "\udcff"
    with pytest.raises(UnicodeDecodeError):
        read_text(io.BytesIO(b"\xff"), "names")


@pytest.mark.parametrize(("content", "found"), [(b"a" * 20_000, "20,000 characters"), (bytes(1 << 27), "67,108,864")])
def test_what_is_no_file_of_names(content: bytes, found: str) -> None:
    with pytest.raises(GbvisError, match=f"names is no file of names: .*{found}") as error:
        read_text(io.BytesIO(content), "names")
    assert error.value.exit_code == 2

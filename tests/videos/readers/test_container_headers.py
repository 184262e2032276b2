import struct
from pathlib import Path

import pytest

from gbvis.errors import VideoError
from gbvis.videos.readers.container_headers import check_headers


def box(name: bytes, body: bytes = b"", size: int | None = None) -> bytes:
    return struct.pack(">I4s", size if size is not None else 8 + len(body), name) + body


def track(size: int, count: int) -> bytes:
    return box(b"moov", box(b"stsz", struct.pack(">III", 0, size, count)))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (box(b"ftyp") + box(b"mdat", bytes(8)), None),
        (box(b"ftyp") + box(b"mdat", bytes(8), size=0), None),
        (box(b"ftyp") + box(b"mdat", size=4), None),  # no size that a box can have: nothing is known
        (box(b"ftyp") + box(b"mdat", bytes(8), size=1000), "24 of 1,008 bytes"),
        (box(b"ftyp") + struct.pack(">I4sQ", 1, b"mdat", (1 << 64) - 1), "24 of 18,446,744,073,709,551,623 bytes"),
        (track(0, 1 << 30), None),
        (track(1, 1 << 20), None),
        (track(1, 1 << 30), "more frames than it has bytes"),
        (box(b"free") * 1_000_002, "more than 1,000,000 boxes"),
        (b"RIFF" + struct.pack("<I", 92) + b"AVI " + bytes(88), None),
        (b"RIFF" + struct.pack("<I", 93) + b"AVI " + bytes(88), "100 of 101 bytes"),
        (b"RIFF" + struct.pack("<I", 93) + b"WAVE" + bytes(88), None),
        (b"\x1a\x45\xdf\xa3\x18\x53\x80\x67\x84" + bytes(20), None),
        (b"\x1a\x45\xdf\xa3\x18\x53\x80\x67\xc0" + bytes(20), "29 of 73 bytes"),
        (b"\x1a\x45\xdf\xa3\x18\x53\x80\x67\xff" + bytes(20), None),
        (b"", None),
        (b"\0\0\0\1moov", None),
    ],
)
def test_what_headers_claim(tmp_path: Path, content: bytes, found: str | None) -> None:
    (tmp_path / "film").write_bytes(content)
    if found is None:
        check_headers(tmp_path / "film")
    else:
        with pytest.raises(VideoError, match=found):
            check_headers(tmp_path / "film")

"""Notes put into finished files of formats for which FFmpeg writes none."""

import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

_PNG_END = 12
"""Bytes of a PNG's last chunk, IEND."""

_DESCRIPTION = 0x010E
"""EXIF's tag ImageDescription."""

_HAS_EXIF = 0x08
"""A flag of WebP's chunk VP8X."""


def add_png_texts(path: Path, notes: Mapping[str, str]) -> None:
    """Put notes into an animated PNG as iTXt chunks, behind its last frame.

    Before the first one they would keep FFmpeg, which looks at a file's first 2 kB alone, from seeing that it moves.

    Raises:
        OSError: It cannot be written.
    """
    texts = b"".join(_png_chunk(b"iTXt", _encode_text(name, text)) for name, text in notes.items())
    with path.open("r+b") as file:
        file.seek(-_PNG_END, os.SEEK_END)
        end = file.read()
        file.seek(-_PNG_END, os.SEEK_END)
        file.write(texts + end)


def _encode_text(name: str, text: str) -> bytes:
    """Return the content of an iTXt chunk: keyword, not compressed, no language, no translated keyword, UTF-8."""
    return name.encode("latin-1") + b"\0\0\0\0\0" + text.encode(errors="backslashreplace")


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def add_webp_comment(path: Path, comment: str, size: tuple[int, int]) -> None:
    """Put a comment into a WebP as EXIF's description of the image.

    Args:
        path: The file.
        comment: ASCII.
        size: Width and height.

    Raises:
        OSError: It cannot be written.
    """
    exif = Image.Exif()
    exif[_DESCRIPTION] = comment
    chunks = path.read_bytes()[12:]
    if not chunks.startswith(b"VP8X"):  # a single frame alone: what stands beside it needs this header
        extent = b"".join(struct.pack("<I", side - 1)[:3] for side in size)
        chunks = _riff_chunk(b"VP8X", bytes(4) + extent) + chunks
    flags = chunks[8] | _HAS_EXIF
    chunks = chunks[:8] + bytes([flags]) + chunks[9:] + _riff_chunk(b"EXIF", exif.tobytes())
    path.write_bytes(b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks)


def _riff_chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)

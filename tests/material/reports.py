"""A report read as a browser reads it, in Python."""

import io
import json
import re
import zlib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gbvis.figures.outputs.report.base85 import decode_base85


class ReadReport:
    """A report's file, or a page of one."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text(encoding="utf-8")
        self.blobs = dict(re.findall('<script type="text/plain" id="blob-([0-9a-z]+)">([^<]*)</script>', self.text))
        (found,) = re.findall('<script id="data" type="application/json">([^<]*)</script>', self.text)
        self.data: dict[str, Any] = json.loads(found)

    def read_blob(self, name: str) -> bytes:
        return decode_base85(self.blobs[name].encode())

    @cached_property
    def runs(self) -> list[dict[str, Any]]:
        """All runs, in the index's order; the index says the same of each."""
        summaries = self.data["runs"]
        runs = [self.read_run(summary["key"]) for summary in summaries]
        assert [run["summary"] for run in runs] == summaries
        return runs

    def read_run(self, key: str) -> dict[str, Any]:
        run = json.loads(zlib.decompress(self.read_blob(self.data["runBlobs"][key])))
        assert isinstance(run, dict)
        return run

    def read_values(self, clip: dict[str, Any]) -> np.ndarray:
        """Return a clip's values: float32 (row, time, y, x)."""
        return unpack_values(self.read_blob(clip["values"]["blob"]), clip["values"])

    def read_strips(self, strips: list[dict[str, Any]]) -> np.ndarray:
        """Return frames: uint8 (time, y, x, 3)."""
        return np.concatenate([read_strip(self.read_blob(strip["blob"]), strip) for strip in strips])


def unpack_values(blob: bytes, packed: dict[str, Any]) -> np.ndarray:
    """Return values as `page/values.js` does: float32 (row, time, y, x)."""
    high, low = np.frombuffer(zlib.decompress(blob), np.uint8).reshape(2, -1).astype(np.int64)
    values = packed["unit"] * np.sinh((256 * high + low - 32768) / packed["steps"])
    shape = len(packed["rows"]), packed["frameCount"], packed["height"], packed["width"]
    return values.astype(np.float32).reshape(shape)


def read_strip(blob: bytes, strip: dict[str, Any]) -> np.ndarray:
    """Return the frames of a strip: uint8 (count, height, width, 3)."""
    with Image.open(io.BytesIO(blob)) as image:
        frames = np.asarray(image.convert("RGB"))
    frames = frames.reshape(strip["count"], strip["height"], strip["width"], 3)
    return np.cumsum(frames, axis=0, dtype=np.uint8) if strip["isDifference"] else frames

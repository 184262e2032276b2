"""Frames stand upright, whatever their EXIF orientation says; Pillow turns pictures by its own code."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from gbvis.errors import VideoError
from gbvis.videos.locate import look_for
from gbvis.videos.readers.image_file import read_image

COLORS = np.array([[[250, 20, 20], [20, 250, 20], [20, 20, 250]], [[240, 240, 20], [240, 20, 240], [20, 240, 240]]])


def write(path: Path, orientation: int | None, **options: object) -> np.ndarray:
    """Write a picture of 48x32 with six colours, and return it as Pillow shows it."""
    image = Image.fromarray(COLORS.astype(np.uint8).repeat(16, 0).repeat(16, 1))
    if orientation is not None:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
    image.save(path, **options)  # type: ignore[arg-type]
    with Image.open(path) as read:
        return np.asarray(ImageOps.exif_transpose(read).convert("RGB"))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("orientation", [None, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
def test_a_frame_stands_upright(tmp_path: Path, suffix: str, orientation: int | None) -> None:
    expected = write(tmp_path / f"1{suffix}", orientation)
    np.testing.assert_array_equal(read_image(tmp_path / f"1{suffix}", "RGB"), expected)
    assert read_image(tmp_path / f"1{suffix}", "L").shape == expected.shape[:2]
    assert expected.shape[:2] == ((48, 32) if orientation in (5, 6, 7, 8) else (32, 48))


def test_each_frame_of_a_folder_has_its_own(tmp_path: Path) -> None:
    expected = [write(tmp_path / f"{orientation}.jpg", orientation, quality=95) for orientation in range(1, 9)]
    video = look_for(str(tmp_path), "rgb", None)
    assert video is not None
    for number, picture in enumerate(expected):
        np.testing.assert_array_equal(video.read(number), picture)


def test_tiff_of_16_bit_and_of_more(tmp_path: Path) -> None:
    Image.fromarray(np.full((6, 8), 200 * 257, np.uint16)).save(tmp_path / "1.tif")
    assert (read_image(tmp_path / "1.tif", "RGB") == 200).all()
    Image.fromarray(np.full((6, 8), 0.5, np.float32)).save(tmp_path / "2.tif")
    with pytest.raises(VideoError, match=r"cannot read frame .*2\.tif"):
        read_image(tmp_path / "2.tif", "RGB")

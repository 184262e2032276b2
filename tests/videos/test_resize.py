"""Resizing as OpenCV and as torchvision do it, bit for bit, at many sizes; torch and OpenCV themselves are asked."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch.nn import functional

from gbvis.networks.r2plus1d import FORMATS
from gbvis.networks.r2plus1d.formats import R2PLUS1D_PYTORCH, TORCHVISION, VMZ, VMZ_CAFFE2
from gbvis.videos.clip import ClipFormat
from gbvis.videos.resize import resize_and_crop

SIZES = [(240, 320), (256, 340), (256, 342), (128, 171), (480, 640), (90, 61), (61, 90), (1, 1), (1, 300), (300, 1)]
SIZES += [(2, 3), (113, 112), (333, 777), (127, 172), (64, 64), (720, 1280)]


@pytest.fixture
def two_threads() -> Iterator[None]:
    """On one thread torch takes another way, which falls otherwise within 1e-5 of half a level."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def resize_as_torchvision(frame: np.ndarray, height: int, width: int, divisor: float = 1.0) -> np.ndarray:
    """Return float32 (height, width, 3), as torchvision's `resize(antialias=False)` has it before it rounds."""
    image = torch.from_numpy(frame).permute(2, 0, 1)[None].float() / divisor
    resized = functional.interpolate(image, (height, width), mode="bilinear", align_corners=False, antialias=False)
    return resized[0].permute(1, 2, 0).numpy()


def draw(random: np.random.Generator, size: tuple[int, int]) -> list[np.ndarray]:
    """Return frames of one size: noise, black and white alone, and a slope, on which halves are frequent."""
    noise = random.integers(0, 256, (*size, 3), dtype=np.uint8)
    slope = (np.arange(size[0])[:, None] + np.arange(size[1]))[..., None] % 256 + np.zeros(3)
    return [noise, (noise > 127).astype(np.uint8) * 255, slope.astype(np.uint8)]


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("target", [(128, 171), (112, 112), (171, 128), (224, 301)], ids=str)
def test_torchvisions_pixels(random: np.random.Generator, size: tuple[int, int], target: tuple[int, int]) -> None:
    side = min(target)
    for frame in draw(random, size):
        resized = resize_as_torchvision(frame, *target).round().astype(np.uint8)
        for top, left in ((0, 0), (target[0] - side, target[1] - side)):
            found = resize_and_crop(frame, target, (top, left, side), "torch")
            np.testing.assert_array_equal(found, resized[top : top + side, left : left + side])


@pytest.mark.parametrize("threads", [1, 2])
def test_how_many_threads_torch_has_hardly_counts(random: np.random.Generator, threads: int) -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        frame = draw(random, (256, 340))[0]
        exact = resize_as_torchvision(frame, 128, 171)[8:120, 30:142]
    finally:
        torch.set_num_threads(before)
    found = TORCHVISION.formats["rgb"].resize_and_crop(frame)
    differs = found != exact.round()
    assert differs.mean() < 1e-3
    assert np.abs(np.abs(found - exact)[differs] - 0.5).max(initial=0) < 1e-4  # all of them are halves but for rounding


def test_vmz_gets_the_nearest_levels_of_its_floats(random: np.random.Generator) -> None:
    frame = draw(random, (240, 320))[0]
    exact = 255 * resize_as_torchvision(frame, 128, 171, divisor=255)[8:120, 30:142]
    found = VMZ.formats["rgb"].resize_and_crop(frame)
    assert np.abs(found - exact).max() <= 0.5 + 1e-4
    assert abs(np.sqrt(np.mean((found - exact) ** 2)) - 12**-0.5) < 0.01  # what any rounding to whole levels loses


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("target", [(128, 171), (112, 112), (171, 128), (224, 301)], ids=str)
def test_opencvs_pixels(random: np.random.Generator, size: tuple[int, int], target: tuple[int, int]) -> None:
    """The rim too, which the crop of most networks leaves out."""
    opencv = pytest.importorskip("cv2")
    side = min(target)
    for frame in draw(random, size):
        resized = opencv.resize(frame, target[::-1], interpolation=opencv.INTER_LINEAR)
        for top, left in ((0, 0), (target[0] - side, target[1] - side)):
            found = resize_and_crop(frame, target, (top, left, side))
            np.testing.assert_array_equal(found, resized[top : top + side, left : left + side])


def test_families_have_the_rule_that_they_were_trained_with(random: np.random.Generator) -> None:
    as_torch = {name for name, form in FORMATS.load_all().items() if form.formats["rgb"].interpolation == "torch"}
    assert as_torch == {TORCHVISION.name, VMZ.name}
    assert VMZ_CAFFE2.formats["flow"].interpolation == R2PLUS1D_PYTORCH.formats["rgb"].interpolation == "opencv"


def test_the_rule_is_in_the_recipe_and_in_the_clips_key() -> None:
    form = TORCHVISION.formats["rgb"]
    other = ClipFormat(**{**vars(form), "interpolation": "opencv"})
    assert form.geometry != other.geometry and form.to_json() != other.to_json()
    assert ClipFormat.from_json(form.to_json()) == form
    with pytest.raises(ValueError, match="interpolation"):
        ClipFormat(**{**vars(form), "interpolation": "bicubic"})

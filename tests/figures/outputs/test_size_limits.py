"""What no format can hold is refused before a pixel is drawn, and what fits is said, in every layout."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import NoReturn

import av
import numpy as np
import pytest
from PIL import Image

from gbvis.errors import OutputError
from gbvis.figures.encoders.ffmpeg import write_apng, write_mp4, write_webp
from gbvis.figures.encoders.pillow import write_gif
from gbvis.figures.encoders.size_limit import SIZE_LIMITS
from gbvis.figures.layouts import LAYOUTS
from gbvis.figures.outputs import OUTPUTS, PICTURES
from gbvis.figures.picture import Picture
from gbvis.figures.run_view import ClipView, RunView, SourceFrames
from gbvis.figures.style import Style
from material.views import view_of


def never(*_: object) -> NoReturn:
    """Fail: something is drawn."""
    raise AssertionError("drawn before it was checked")


def fake_run(modality: str = "rgb", frames: int = 8, source: tuple[int, int] = (200, 150)) -> RunView:
    """Return a run whose clips and frames cannot be read."""
    empty = np.zeros((1, 1, 1, 1))
    clip = ClipView(list(range(frames)), empty.astype(np.uint8), empty.astype(np.float32), 0.0)
    box = (0.0, 0.0, float(source[0]), float(source[1]))
    view = view_of([clip], modality, source=lambda: SourceFrames(*source, box, never))
    return replace(view, clips=never)


TOO_LARGE: dict[str, tuple[Callable[[int], list[RunView]], int | None]] = {
    "strip": (lambda side: [fake_run("flow")], None),
    "streams": (lambda side: [fake_run(), fake_run("flow")], None),
    "endpoints": (lambda side: [fake_run("flow")] * (side // 300), 224),
    "methods": (lambda side: [fake_run("flow")] * (side // 300), 224),
    "difference": (lambda side: [fake_run("flow"), fake_run("flow")], None),
    "sheet": (lambda side: [fake_run(frames=side // 100)], 112),
    "sheet-transposed": (lambda side: [fake_run(frames=side // 100)], 112),
    "overlay": (lambda side: [fake_run(source=(side + 8, 64))], None),
}
"""By layout: runs that make it larger than so many pixels a side, and with which size of a panel."""


@pytest.mark.parametrize("layout", ["endpoints", "methods", "overlay"])
@pytest.mark.parametrize("name", ["gif", "webp", "mp4"])
def test_sides_that_a_format_cannot_hold(layout: str, name: str) -> None:
    make_runs, size = TOO_LARGE[layout]
    side = SIZE_LIMITS[name].side
    with pytest.raises(OutputError) as raised:
        OUTPUTS.load(name).pages(make_runs(side), Style(layout=layout, size=size))
    assert f"{side:,} pixels a side" in raised.value.problem
    assert f"the {layout} of video would be" in raised.value.problem
    assert "this fits: " in raised.value.hint
    assert "--format apng" in raised.value.hint and f"--format {name}" not in raised.value.hint


@pytest.mark.parametrize("layout", ["sheet", "sheet-transposed"])
@pytest.mark.parametrize("name", PICTURES)
def test_sheets_that_nothing_can_show(layout: str, name: str) -> None:
    make_runs, size = TOO_LARGE[layout]
    with pytest.raises(OutputError, match="would be"):
        OUTPUTS.load(name).pages(make_runs(70_000), Style(layout=layout, size=size))


@pytest.mark.parametrize("layout", ["strip", "streams", "difference"])
def test_more_pixels_than_a_level_of_h264_has(layout: str) -> None:
    """Four panels of 2048 pixels side by side, flow's in two rows: within the sides, but not within level 6.2."""
    make_runs, _ = TOO_LARGE[layout]
    style = Style(layout=layout, size=2048)
    with pytest.raises(OutputError, match="H.264 holds 35,651,584 pixels a frame") as raised:
        OUTPUTS.load("mp4").pages(make_runs(0), style)
    assert "--format gif" in raised.value.hint
    size = int(raised.value.hint.split("--size ")[1].split(",")[0])
    (picture,) = LAYOUTS.load(layout).lay_out(make_runs(0), replace(style, size=size))
    blocks = -(-picture.width // 16) * -(-picture.height // 16)
    assert 0.98 * 139_264 < blocks <= 139_264
    for name in ("gif", "webp", "apng"):
        assert OUTPUTS.load(name).pages(make_runs(0), style)


@pytest.mark.parametrize("name", PICTURES)
def test_what_python_programs_refuse_to_open(name: str) -> None:
    with pytest.raises(OutputError, match="would be"):
        OUTPUTS.load(name).pages([fake_run(source=(14_000, 14_000))], Style(layout="overlay"))
    assert Image.MAX_IMAGE_PIXELS
    assert SIZE_LIMITS["png"].holds(2 * Image.MAX_IMAGE_PIXELS // 10_000, 10_000)
    assert not SIZE_LIMITS["png"].holds(2 * Image.MAX_IMAGE_PIXELS // 10_000 + 1, 10_000)


def test_a_layout_of_another_package_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that heeds no size: then no size is said to fit."""
    wide = type("Wide", (type(LAYOUTS.load("strip")),), {
        "lay_out": lambda self, views, style: [Picture(20_000, 10, 3, 5.0, never)]
    })()  # fmt: skip
    load = type(LAYOUTS).load
    monkeypatch.setattr(type(LAYOUTS), "load", lambda self, name: wide if name == "wide" else load(self, name))
    for name in ("webp", "mp4"):
        with pytest.raises(OutputError, match="the wide of video would be 20000x10 pixels") as raised:
            OUTPUTS.load(name).pages([fake_run()], Style(layout="wide"))
        assert "--size" not in raised.value.hint and "--format gif, or --format apng" in raised.value.hint
    assert len(OUTPUTS.load("gif").pages([fake_run()], Style(layout="wide"))) == 1


def picture(width: int, height: int) -> Picture:
    def frames(step: int = 1) -> Iterator[np.ndarray]:
        yield np.full((height, width, 3), 90, np.uint8)

    return Picture(width, height, 1, 5.0, frames)


@pytest.mark.parametrize(("write", "name"), [(write_webp, "webp"), (write_gif, "gif"), (write_mp4, "mp4")])
@pytest.mark.parametrize("is_tall", [False, True])
def test_the_limits_are_those_of_the_formats(
    tmp_path: Path, write: Callable[[Picture, Path], None], name: str, is_tall: bool
) -> None:
    """A picture at the limit is written and read; one pixel more is what the encoder itself does not take."""
    side = SIZE_LIMITS[name].side
    size = (17, side) if is_tall else (side, 17)
    assert SIZE_LIMITS[name].holds(*size) and not SIZE_LIMITS[name].holds(side + 1, 17)
    write(picture(*size), tmp_path / f"x.{name}")
    if name == "mp4":
        with av.open(str(tmp_path / "x.mp4")) as container:
            (frame,) = container.decode(video=0)
            assert (frame.width, frame.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    else:
        with Image.open(tmp_path / f"x.{name}") as image:
            assert image.size == size
            image.load()
    with pytest.raises((av.FFmpegError, OverflowError)):
        write(picture(side + 2, 17), tmp_path / f"y.{name}")


def test_a_narrow_picture_that_ffmpeg_takes(tmp_path: Path) -> None:
    """Of one pixel a side FFmpeg takes fewer than Pillow opens."""
    height = 2**28 // 129 - 129
    assert SIZE_LIMITS["apng"].holds(1, height) and not SIZE_LIMITS["apng"].holds(1, height + 2)
    write_apng(picture(1, height), tmp_path / "x.apng")
    with Image.open(tmp_path / "x.apng") as image:
        assert image.size == (1, height)
    with pytest.raises(av.FFmpegError):
        write_apng(picture(1, height + 2), tmp_path / "y.apng")


def test_the_level_is_the_highest_that_h264_has() -> None:
    """Of level 6.2: 139,264 macroblocks a frame (Rec. ITU-T H.264, table A-1)."""
    assert SIZE_LIMITS["mp4"].blocks == 139_264
    assert SIZE_LIMITS["mp4"].holds(16_384, 2_176) and not SIZE_LIMITS["mp4"].holds(16_384, 2_177)
    assert SIZE_LIMITS["mp4"].holds(8_192, 4_320)  # 8K
    assert Fraction(16_384 * 2_176, 256) == 139_264

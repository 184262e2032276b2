"""The contract of an encoder: what it wrote, opened again, is the picture."""

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from gbvis.figures.encoders.ffmpeg import write_apng, write_mp4, write_webp
from gbvis.figures.encoders.pillow import write_gif, write_png
from gbvis.figures.outputs import PICTURES
from gbvis.figures.picture import Picture

WRITERS: dict[str, Callable[[Picture, Path], None]] = {
    "gif": write_gif, "mp4": write_mp4, "webp": write_webp, "apng": write_apng, "png": write_png
}  # fmt: skip


def make_picture(count: int, width: int = 96, height: int = 64, loops: int | None = None) -> Picture:
    """Return a picture with a few plain colours, in which a white square walks."""

    def frames(step: int = 1) -> Iterator[np.ndarray]:
        for number in range(0, count, step):
            frame = np.zeros((height, width, 3), np.uint8)
            frame[:, : width // 2] = (200, 40, 40)
            frame[:, width // 2 :] = (128, 128, 128)
            frame[8:16, 8 * number % (width - 8) :][:, :8] = 255
            yield frame

    return Picture(width, height, count, 5.0, frames, loops)


def read_back(path: Path) -> tuple[np.ndarray, float]:
    """Return the frames, uint8 (T, H, W, 3), and the seconds that each is shown."""
    if path.suffix == ".mp4":
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
            assert stream.average_rate
            return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)]), 1 / stream.average_rate
    with Image.open(path) as image:
        frames = np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)])
        return frames, image.info.get("duration", 200) / 1000


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("size", [(96, 64), (95, 63)])
def test_what_was_written_is_the_picture(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    picture = make_picture(9 if name != "png" else 1, *size)
    path = tmp_path / f"picture.{name}"
    WRITERS[name](picture, path)
    frames, seconds = read_back(path)
    expected = np.stack(list(picture.frames()))
    assert frames.shape[0] == picture.frame_count
    assert seconds == pytest.approx(0.2)
    cut = frames[:, : size[1], : size[0]]
    assert np.abs(cut.astype(int) - expected).mean() < 3
    centres = cut[:, 40, [10, size[0] - 10]].astype(int)
    assert np.abs(centres - [(200, 40, 40), (128, 128, 128)]).max() <= 4


@pytest.mark.parametrize("name", ["gif", "webp", "apng"])
@pytest.mark.parametrize("loops", [None, 1, 4])
def test_how_often_it_is_played(tmp_path: Path, name: str, loops: int | None) -> None:
    """GIF counts repetitions after the first time, and has no word for none; the others count all, 0 being for ever."""
    WRITERS[name](make_picture(3, loops=loops), tmp_path / f"picture.{name}")
    with Image.open(tmp_path / f"picture.{name}") as image:
        found = image.info.get("loop")
    assert found == {None: 0, 1: None if name == "gif" else 1, 4: 3 if name == "gif" else 4}[loops]


def test_apng_is_exact(tmp_path: Path) -> None:
    picture = make_picture(5)
    write_apng(picture, tmp_path / "picture.apng")
    frames, _ = read_back(tmp_path / "picture.apng")
    np.testing.assert_array_equal(frames, list(picture.frames()))


def test_a_gif_of_frames_that_do_not_change(tmp_path: Path) -> None:
    still = np.full((20, 30, 3), 77, np.uint8)
    write_gif(Picture(30, 20, 4, 10.0, lambda step=1: iter([still] * 4)), tmp_path / "still.gif")
    with Image.open(tmp_path / "still.gif") as image:
        assert image.n_frames == 4 and image.info["duration"] == 100


@pytest.mark.parametrize("name", ["gif", "mp4", "webp", "apng"])
def test_frames_stream_through(tmp_path: Path, name: str) -> None:
    """However many frames there are, only a few of them live at any time."""
    alive: set[int] = set()
    most = 0

    class Frame(np.ndarray):
        def __del__(self) -> None:
            alive.discard(id(self))

    def frames(step: int = 1) -> Iterator[np.ndarray]:
        nonlocal most
        for number in range(0, 120, step):
            frame = np.full((40, 60, 3), number, np.uint8).view(Frame)
            alive.add(id(frame))
            most = max(most, len(alive))
            yield frame

    WRITERS[name](Picture(60, 40, 120, 25.0, frames), tmp_path / f"long.{name}")
    assert most < 12


def test_gif_does_not_flicker(tmp_path: Path) -> None:
    """A colour that stands still is the very same in every frame."""
    write_gif(make_picture(9), tmp_path / "picture.gif")
    frames, _ = read_back(tmp_path / "picture.gif")
    assert (frames[:, 40:] == frames[:1, 40:]).all()


@pytest.mark.parametrize("rate", [5.0, 12.0, 30.0, 50.0])
def test_gif_keeps_to_the_rate(tmp_path: Path, rate: float) -> None:
    """Delays are whole hundredths of a second: mixed, they add up."""
    frames = [np.full((8, 8, 3), number, np.uint8) for number in range(60)]
    picture = Picture(8, 8, 60, rate, lambda step=1: iter(frames[::step]))
    write_gif(picture, tmp_path / "x.gif")
    with Image.open(tmp_path / "x.gif") as image:
        delays = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
    assert sum(delays) == pytest.approx(60_000 / rate, abs=10)


@pytest.mark.parametrize("is_colorful", [False, True])
def test_grey_stays_grey_in_a_gif(tmp_path: Path, random: np.random.Generator, is_colorful: bool) -> None:
    """Flow is grey; beside a photograph too, nothing of it may look coloured."""
    grey = np.linspace(90, 166, 64).astype(np.uint8)[None, :, None]
    still = np.broadcast_to(grey, (64, 64, 3))
    photograph = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    frame = np.concatenate([still, photograph if is_colorful else still], axis=1)
    picture = Picture(128, 64, 3, 5.0, lambda step=1: iter([frame] * 3))
    write_gif(picture, tmp_path / "x.gif")
    shown = read_back(tmp_path / "x.gif")[0][0, :, :64].astype(int)
    assert np.ptp(shown, axis=-1).max() == 0
    assert np.abs(shown - still).max() <= 6


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_picture_is_the_same_file(tmp_path: Path, random: np.random.Generator, name: str) -> None:
    """Or `render` would take its own work for somebody else's. What once differed did so in one file of a hundred."""
    drawn = random.integers(0, 256, (9 if name != "png" else 1, 64, 96, 3), dtype=np.uint8)
    picture = Picture(96, 64, len(drawn), 5.0, lambda step=1: iter(drawn[::step]))
    contents = set()
    for _ in range(40):
        WRITERS[name](picture, tmp_path / f"picture.{name}")
        contents.add((tmp_path / f"picture.{name}").read_bytes())
    assert len(contents) == 1


def test_every_picture_format_has_its_encoder() -> None:
    assert tuple(WRITERS) == PICTURES

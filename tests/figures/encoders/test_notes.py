"""What a picture's file says of itself, read back with Pillow and FFmpeg."""

import json
import shlex
from dataclasses import fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from figures.encoders.test_encoders import WRITERS, make_picture
from gbvis.cli.look import Look
from gbvis.cli.picture_options import with_stills
from gbvis.figures.notes import as_comment, make_notes
from gbvis.figures.outputs import OUTPUTS
from gbvis.figures.style import Style
from gbvis.version import __version__
from material.views import make_run_view

NOTES = {
    "Software": "gbvis 1",
    "Command": f"gbvis render 'Stra\N{LATIN SMALL LETTER SHARP S}e \udcff' {'x' * 300}",
    "Recipe": json.dumps([{"group": "a/rgb/FC/1", "recipe": {"clips": [list(range(2000))]}}]),
}


def read_notes(path: Path, name: str) -> Any:
    """Return the notes as one object."""
    if name == "mp4":
        with av.open(str(path)) as container:
            return json.loads(container.metadata["comment"])
    with Image.open(path) as image:
        if name == "gif":
            return json.loads(image.info["comment"])
        if name == "webp":
            return json.loads(image.getexif()[0x010E])
        texts = {key.lower(): value for key, value in image.text.items() if key in NOTES}  # type: ignore[attr-defined]
        return {**texts, "recipe": json.loads(texts["recipe"])}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("count", [1, 3])
def test_notes_are_read_back_and_change_no_pixel(tmp_path: Path, name: str, count: int) -> None:
    if name == "png" and count > 1:
        return
    picture = make_picture(count, 95, 63)
    plain, noted = tmp_path / f"plain.{name}", tmp_path / f"noted.{name}"
    WRITERS[name](picture, plain)
    WRITERS[name](replace(picture, notes=NOTES), noted)
    found = read_notes(noted, name)
    assert found["software"] == "gbvis 1" and found["recipe"] == json.loads(NOTES["Recipe"])
    assert found["command"].startswith("gbvis render 'Stra\N{LATIN SMALL LETTER SHARP S}e ")
    np.testing.assert_array_equal(read_pixels(noted, name), read_pixels(plain, name))


def read_pixels(path: Path, name: str) -> np.ndarray:
    if name == "mp4":
        with av.open(str(path)) as container:
            return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    with Image.open(path) as image:
        return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)])


@pytest.mark.parametrize("name", ["gif", "apng", "png", "mp4"])
def test_ffmpeg_reads_a_noted_file(tmp_path: Path, name: str) -> None:
    count = 1 if name == "png" else 3
    WRITERS[name](replace(make_picture(count), notes=NOTES), tmp_path / f"noted.{name}")
    with av.open(str(tmp_path / f"noted.{name}")) as container:
        assert len(list(container.decode(video=0))) == count


@pytest.mark.parametrize("is_still", [True, False])
def test_a_webp_is_whole(tmp_path: Path, is_still: bool) -> None:
    """Its chunks fill the file, VP8X stands first and says what there is: WebP Container Specification."""
    WRITERS["webp"](replace(make_picture(1 if is_still else 3, 95, 63), notes=NOTES), tmp_path / "x.webp")
    content = (tmp_path / "x.webp").read_bytes()
    assert content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    assert int.from_bytes(content[4:8], "little") == len(content) - 8 and len(content) % 2 == 0
    kinds, place = [], 12
    while place < len(content):
        kinds.append(content[place : place + 4])
        place += 8 + (length := int.from_bytes(content[place + 4 : place + 8], "little")) + length % 2
    assert place == len(content)
    assert kinds[0] == b"VP8X" and kinds.count(b"VP8X") == 1 and kinds[-1] == b"EXIF"
    assert content[20] & 0x08 and bool(content[20] & 0x02) == (b"ANIM" in kinds)
    assert [int.from_bytes(content[24 + 3 * axis : 27 + 3 * axis], "little") + 1 for axis in (0, 1)] == [95, 63]


def test_the_command_draws_this_picture(random: np.random.Generator) -> None:
    view = make_run_view(random, clips=1, video="a b")
    notes = make_notes([view], Style(size=80, rate=7.5, panels=("frame", "gradient"), loops=2), "strip", "gif")
    assert notes["Command"] == (
        f"gbvis render 'a b' --run {view.recipe.digest[:8]} "
        "--layout strip --panels frame,gradient --fps 7.5 --loop 2 --size 80 --format gif"
    )
    assert notes["Software"] == f"gbvis {__version__}"
    assert json.loads(notes["Recipe"]) == [{"group": view.key, "recipe": view.recipe.to_json()}]
    json.loads(as_comment(notes))
    flow = make_run_view(random, "flow", clips=1)
    still = make_notes([view, flow], Style(at=(3, 0.5), words=("--labels", "my.txt")), "streams", "png")["Command"]
    assert still.count(" --run ") == 2 and still.endswith("--layout streams --at 3,0.5s --format png --labels my.txt")


OTHER_LOOKS: dict[str, Any] = {
    "panels": "frame",
    "flow": "u",
    "flow_colors": "grey",
    "scale": "frame",
    "saliency_scale": "own",
    "percentile": 98.7654321,
    "colors": "old",
    "fps": 12.3456789,
    "loop": "3",
    "size": 99,
    "rows": "target",
    "relevance": "temporal:s=2.5",
    "font": Path(str(resources.files("ttf_opensans"))) / "ttf/OpenSans-Bold.ttf",
}
"""For each option of a look another value than its default."""


def test_what_a_command_leaves_out_is_the_default() -> None:
    assert Look().style() == Style()


def test_the_command_says_all_of_a_style(random: np.random.Generator) -> None:
    """What it says, read as `render` reads it, is the same style; `limits` follows from `--scale all`."""
    assert {*OTHER_LOOKS, "layout"} == {field.name for field in fields(Look)}
    style = replace(
        Look(**OTHER_LOOKS).style(), at=(7, 0.00001, 1234.56789), words=("--labels", "my.txt"), layout="strip"
    )
    unchanged = {field.name for field in fields(Style) if getattr(style, field.name) == field.default}
    assert unchanged == {"limits"}
    words = shlex.split(make_notes([make_run_view(random, clips=1)], style, "strip", "png")["Command"])
    assert words[-2:] == ["--labels", "my.txt"]
    typed = dict(zip(words[5:-2:2], words[6:-2:2], strict=True))
    at, made = typed.pop("--at"), typed.pop("--format")
    again = {name.removeprefix("--").replace("-", "_"): value for name, value in typed.items()}
    kinds = {"size": int, "percentile": float, "fps": float, "font": Path}
    look = Look(**{name: kinds.get(name, str)(value) for name, value in again.items()})
    assert made == "png" and replace(with_stills(look.style(), at), words=style.words) == style


@pytest.mark.parametrize("name", ["gif", "mp4", "webp", "apng", "png"])
def test_every_format_carries_them(tmp_path: Path, random: np.random.Generator, name: str) -> None:
    """The same however often it is written, whenever, and wherever."""
    views = [make_run_view(random, clips=1)]
    contents = set()
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        OUTPUTS.load(name).write(views, Style(size=56), tmp_path / folder / f"x.{name}")
        contents.add((tmp_path / folder / f"x.{name}").read_bytes())
    assert len(contents) == 1
    assert str(tmp_path).encode() not in contents.pop()
    assert read_notes(tmp_path / f"one/x.{name}", name)["recipe"][0]["recipe"] == views[0].recipe.to_json()

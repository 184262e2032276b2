"""Makes the picture of masks in `docs/check.md`: `python docs/make_check.py`.

One frame of a sample, and how relevant its pixels are to guided back-propagation and to what knows nothing of the
network; the mask is outlined, the most relevant pixel of the frame is marked.
"""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gbvis.attribution.checks.check import find_relevance
from gbvis.attribution.checks.laboratory import Laboratory
from gbvis.attribution.checks.mass import concentrate
from gbvis.attribution.checks.uninformed import make_uninformed
from gbvis.attribution.iterative import Clip
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.figures.color import SEQUENTIAL, color_map, color_wheel
from gbvis.figures.panel import WHEEL_BOUND, paint
from gbvis.figures.style import BACKGROUND, FAINT_TEXT, TEXT
from gbvis.figures.text import draw_text
from gbvis.networks.endpoint import Target
from gbvis.networks.sample import find_weights
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.videos.clip import cut_clip
from gbvis.videos.masks import Mover
from gbvis.videos.motion import decode_motion
from gbvis.videos.synthetic import MOTIONS, SyntheticVideo, read_sample_name

SAMPLE = "turn-left-3"
NUMBERS = range(4, 12)
STEP = 3
SCALE, GAP, LINE = 3, 6, 20
MASK, MAXIMUM = (255, 255, 255), (0, 255, 128)

Pixels = NDArray[np.uint8]


def draw_panel(picture: Pixels, mask: NDArray[np.bool_], maximum: tuple[int, int] | None) -> Image.Image:
    """Return a picture of one frame, the mask outlined and the maximum, row and column, marked."""
    image = Image.fromarray(picture).resize(
        (picture.shape[1] * SCALE, picture.shape[0] * SCALE), Image.Resampling.NEAREST
    )
    large = np.kron(mask, np.ones((SCALE, SCALE), np.bool_))
    inner = large[1:-1, 1:-1] & large[:-2, 1:-1] & large[2:, 1:-1] & large[1:-1, :-2] & large[1:-1, 2:]
    pixels = np.array(image)
    pixels[large & ~np.pad(inner, 1)] = MASK
    image = Image.fromarray(pixels)
    if maximum:
        y, x = (round((place + 0.5) * SCALE) for place in maximum)
        ImageDraw.Draw(image).ellipse((x - 6, y - 6, x + 6, y + 6), outline=MAXIMUM, width=2)
    return image


def draw_row(modality: str) -> list[tuple[str, str, Image.Image]]:
    """Return the panels of a stream, each with its name and its mass."""
    network = Networks(WeightsRequest((find_weights(Path("sample")),))).load(modality)
    video, clip_format = SyntheticVideo(SAMPLE, modality), network.info.clip_format
    pixels, mask = cut_clip(video, NUMBERS, clip_format), Mover(video).cut(NUMBERS, clip_format)
    laboratory = Laboratory(network, Clip(pixels, clip_format, modality))
    assert network.info.scores
    target = Target(network.info.scores, MOTIONS.index(read_sample_name(SAMPLE)[0]))
    values = laboratory.attribute(GuidedBackprop(), target)
    maps = {"guided-backprop": find_relevance(values, "signed"), **make_uninformed(laboratory)}
    frame = pixels[STEP].astype(np.uint8)
    shown = frame if modality == "rgb" else color_wheel(decode_motion(frame), WHEEL_BOUND)
    panels = [(modality, "the frame and its mask", draw_panel(shown, mask[STEP], None))]
    for name, relevance in maps.items():
        one = relevance[STEP]
        row, column = (int(place) for place in np.unravel_index(one.argmax(), one.shape))
        colored = paint((one / np.percentile(one, 99.8)).astype(np.float32), color_map(SEQUENTIAL))
        panels.append(
            (name, f"mass {concentrate(relevance, mask).value:.1f}", draw_panel(colored, mask[STEP], (row, column)))
        )
    return panels


def main() -> None:
    """Draw both streams below each other."""
    rows = [draw_row(modality) for modality in ("rgb", "flow")]
    side = rows[0][0][2].width
    width, height = len(rows[0]) * (side + GAP) + GAP, len(rows) * (side + 2 * LINE + GAP)
    canvas = Image.new("RGB", (width, height), BACKGROUND)
    write = partial(draw_text, canvas, size=14, width=side)
    for number, row in enumerate(rows):
        for column, (name, words, panel) in enumerate(row):
            left, top = GAP + column * (side + GAP), number * (side + 2 * LINE + GAP)
            write((left, top), name, color=TEXT)
            write((left, top + LINE), words, color=FAINT_TEXT)
            canvas.paste(panel, (left, top + 2 * LINE))
    folder = Path(__file__).parent / "check"
    folder.mkdir(exist_ok=True)
    canvas.save(folder / "masks.png", optimize=True)


if __name__ == "__main__":
    main()

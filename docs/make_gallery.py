"""Makes `docs/gallery.md` and its pictures: `python docs/make_gallery.py`. Every picture stands under its command."""

import shlex
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PICTURES = HERE / "gallery"

PREPARE = "gbvis explain sample:turn-left-3 sample:right-5 -w sample -e Conv3d_1 -e Conv3d_3_x -e FC --top-filters 1"

GALLERY = [
    (
        "One run: the frame, the signed gradient, positive and negative saliency. Zero is grey, blue is less, red is "
        "more; the curve says how much of the gradient each frame has.",
        "gbvis render turn-left-3 -m rgb -e FC -o strip.gif",
    ),
    (
        "Both streams on one clock. Flow is a colour: the hue is the direction, the saturation the speed.",
        "gbvis render turn-left-3 -e FC --layout streams --size 160 -o streams.gif",
    ),
    (
        "The same clip from the network's beginning to its end, below each other: the first layer sees every edge, the "
        "last one what it needs.",
        "gbvis render right-5 -m rgb --layout endpoints -o endpoints.gif",
    ),
    (
        "The gradient's magnitude over the video's own frames, exactly where the network saw it; what it never saw is "
        "dimmed.",
        "gbvis render right-5 -m rgb -e FC --layout overlay -o overlay.gif",
    ),
    (
        "Everything at once, for paper.",
        "gbvis render turn-left-3 -m flow -e FC --flow u --layout sheet --size 96 -o sheet.png",
    ),
    (
        "The 2019 figure's colours, where the gradient itself is taken for a colour.",
        "gbvis render turn-left-3 -m rgb -e FC --colors old --percentile 100 --saliency-scale own -o old.gif",
    ),
    (
        "A class that the network does not predict: the picture says so, and what it predicts.",
        "gbvis explain sample:turn-left-3 -w sample -m rgb -e FC -l turn-right\n"
        "gbvis render turn-left-3 -m rgb -e FC -l turn-right -o other-class.gif",
    ),
]

DEMO = "gbvis demo"
ABOUT_DEMO = (
    "All runs of the demo on one page, to browse, scrub and mail: save [report.html](gallery/report.html) and open it "
    "in a browser. The picture shows such a page, made by `python docs/make_screenshots.py`; [Browse many "
    "runs](how-to/browse.md) has more of them."
)
SCREENSHOT = "![The page of a run: panels, overlay, curve, predictions, facts and commands.](report/run-desktop.png)"


def main() -> None:
    """Run the commands in an empty folder, and keep what they made."""
    PICTURES.mkdir(exist_ok=True)
    text = ["# Gallery", "", "Made by `python docs/make_gallery.py`, after", "", "```sh", PREPARE, "```", ""]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(shlex.split(PREPARE), cwd=folder, check=True)
        for about, commands in GALLERY:
            for command in commands.splitlines():
                words = shlex.split(command)
                subprocess.run(words, cwd=folder, check=True)
            name = words[-1]
            (PICTURES / name).write_bytes((Path(folder) / name).read_bytes())
            text += [about, "", "```sh", commands, "```", "", f"![{name}](gallery/{name})", ""]
        subprocess.run(shlex.split(DEMO), cwd=folder, check=True)
        (PICTURES / "report.html").write_bytes((Path(folder) / "gbvis-demo/report.html").read_bytes())
    text += [ABOUT_DEMO, "", "```sh", DEMO, "```", "", SCREENSHOT, ""]
    (HERE / "gallery.md").write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()

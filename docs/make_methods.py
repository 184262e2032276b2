"""Makes the pictures of `docs/methods.md`: `python docs/make_methods.py [CLIP]`.

Every method on one sample, and, where a clip is given, on that; the clip's runs are of the sample network too, which
was trained on drawn shapes.
"""

import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gbvis.attribution.methods import METHODS

HERE = Path(__file__).parent
PICTURES = HERE / "methods"

SAMPLE = "turn-left-3"
EXPLAIN = "gbvis explain {} -w sample -m rgb -e FC -n 16 --method all"
ONE = "gbvis render {} -m rgb -e FC --method {} --panels {} --size 144 --fps 8"
ALL = f"gbvis render {SAMPLE} -m rgb -e FC --layout methods --size 112 --at 12 -o methods.png"


def run(command: str, folder: str) -> None:
    """Run a command in a folder."""
    subprocess.run(shlex.split(command), cwd=folder, check=True)


def draw(video: str, location: str, methods: Sequence[str], suffix: str, folder: str) -> None:
    """Draw every method on one video, in moving pictures."""
    run(EXPLAIN.format(shlex.quote(location)), folder)
    for method in methods:
        panel = "positive" if METHODS.load(method)().kind == "positive" else "gradient"
        picture = f"{method}{suffix}.gif"
        run(f"{ONE.format(shlex.quote(video), method, f'frame,{panel}')} -o {picture}", folder)
        (PICTURES / picture).write_bytes((Path(folder) / picture).read_bytes())


def main() -> None:
    """Draw everything in an empty folder, and keep the pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        draw(SAMPLE, f"sample:{SAMPLE}", METHODS.names, "", folder)
        run(ALL, folder)
        (PICTURES / "methods.png").write_bytes((Path(folder) / "methods.png").read_bytes())
        for clip in map(Path, sys.argv[1:2]):
            draw(clip.stem, str(clip.resolve()), METHODS.names, "-clip", folder)


if __name__ == "__main__":
    main()

r"""Runs the tests of `gbvis check` over all methods, with trained networks and with networks that have learned nothing.

    python training/evaluate.py > docs/check/samples.md
    python training/evaluate.py -w i3d_rgb_kinetics400.safetensors -n 16 --networks 3 --parts 3 CLIP... \
        > docs/check/clips.md

Without videos it takes the sample networks and 160 samples that they were not trained on, each class in turn. The
networks that have learned nothing are several: random ones (of the samples alone), and the trained one's numbers
shuffled within each tensor. Videos are dealt to them in turn, since what is found follows the network as much as the
video. Everything is in the store: a call that was stopped goes on where it was. Tests of many attributions get fewer
videos.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from check_tables import Found, lay_out
from untrained import randomise, shuffle, write_untrained

import gbvis
from gbvis.attribution.methods import METHODS
from gbvis.networks.sample import SAMPLE_WEIGHTS, find_weights
from gbvis.progress import Failure
from gbvis.videos.synthetic import MOTIONS

NETWORKS = 9
"""How many networks have learned nothing, of each kind: odd, so that each gets samples of every class."""

HEADS = {
    "samples": """# All methods on samples

`training/evaluate.py` made this page with the sample networks. Tests at `FC` of the class that each network predicts.
Samples are those of seeds from 0, the classes in turn.""",
    "clips": """# All methods on real clips

`training/evaluate.py` made this page, with `{weights}`, on
{videos}. Tests at `{endpoint}` of the class that each network
predicts; masks are `motion`.""",
}
NOTES = {
    "samples": """\
[Tests of attributions](../check.md) says what the numbers are, and what one may conclude. *Random*: {count}
networks as training begins with. *Shuffled*: {count} times the trained one's numbers, in random order within
each tensor. Videos are dealt to these in turn. In brackets is the 95 % bootstrap interval: over videos for the
trained network, over networks for the others. Rows in italics know nothing of the network. Tests of many passes had
fewer videos, for want of time.""",
    "clips": """\
[Tests of attributions](../check.md) says what the numbers are, and what one may conclude. *Shuffled*: {count}
times the trained one's numbers, in random order within each tensor. Videos are dealt to these in turn. In
brackets is the 95 % bootstrap interval: over videos for the trained network, over networks for the shuffled
ones. Rows in italics know nothing of the network. Methods of many passes had the quick tests alone, with
coarser settings, and tests of many attributions are left out, for want of time.""",
}

MANY_PASSES = ("smoothgrad", "integrated-gradients", "occlusion")

FEWER_PASSES = ("smoothgrad", "integrated-gradients:steps=20", "occlusion:box=8x56x56,stride=8x28x28")
"""The same, so that a network of real clips is done in minutes."""


@dataclass(frozen=True)
class Part:
    """Tests of methods on some videos.

    Attributes:
        tests: As `--test` takes them.
        methods: As `--method` takes them.
        videos: How many, at most.
    """

    tests: Sequence[str]
    methods: Sequence[str]
    videos: int


ONE_PASS = [name for name in METHODS.names if name not in MANY_PASSES]


def plan_samples() -> list[Part]:
    """Return what is computed of samples, the quick first."""
    quick = ["deletion:steps=8", "pointing", "mass"]
    return [
        Part(quick, ONE_PASS, 160),
        Part(["insertion:steps=8", "random-logit", "randomisation", "efficient-randomisation"], ONE_PASS, 36),
        Part(["time"], ONE_PASS[:1], 36),
        Part(["infidelity", "sensitivity"], ONE_PASS, 36),
        Part(quick, MANY_PASSES, 160),
        Part(["insertion:steps=8", "infidelity"], MANY_PASSES, 36),
        Part(["smooth-randomisation:samples=10"], ONE_PASS[:2], 36),
    ]


@dataclass(frozen=True)
class Subject:
    """What is looked at.

    Attributes:
        weights: Files by what was learned, `trained` first.
        videos: As `gbvis check` takes them.
        store: Where everything is kept.
        options: Others of `gbvis.check`.
    """

    weights: Mapping[str, Sequence[Path]]
    videos: Sequence[str]
    store: Path
    options: Mapping[str, Any]

    def run(self, part: Part) -> Iterator[Found]:
        """Yield what the tests find, with every network."""
        videos = self.videos[: part.videos]
        for learned, files in self.weights.items():
            for number, file in enumerate(files):
                yield from self._check(part, videos[number :: len(files)], file, learned)

    def _check(self, part: Part, videos: Sequence[str], file: Path, learned: str) -> Iterator[Found]:
        if not videos:
            return
        asked = {"tests": part.tests, "methods": part.methods, "store": self.store, "device": "cpu", **self.options}
        for result in gbvis.check(videos, file, **asked):
            if isinstance(result, Failure):
                print(f"{result.video}: {result.problem}", file=sys.stderr)
            else:
                yield Found.of(result.check, learned, file.stem)


def plan_clips() -> list[Part]:
    """Return what is computed of real clips, with a network that takes a hundred times as long; the quick first."""
    quick = ["deletion:steps=4", "pointing", "mass"]
    return [
        Part([*quick, "random-logit", "efficient-randomisation"], ONE_PASS, 3),
        Part(["time:shuffles=2"], ONE_PASS[:1], 3),
        Part(quick, FEWER_PASSES, 3),
        Part(["randomisation"], ONE_PASS[:2], 3),
    ]


def list_samples() -> list[str]:
    """Return samples that no network was trained on, the classes in turn."""
    return [f"sample:{MOTIONS[seed % len(MOTIONS)]}-{seed}" for seed in range(160)]


def make_subject(
    weights: Path | None, videos: Sequence[str], store: Path, count: int, options: Mapping[str, Any]
) -> Subject:
    """Return what is asked for; networks that have learned nothing are written beside the store."""
    ways = {"shuffled": shuffle} if weights else {"random": randomise, "shuffled": shuffle}
    trained = find_weights(weights or Path(SAMPLE_WEIGHTS))
    folder = store.with_suffix(".weights")
    files: dict[str, Sequence[Path]] = {"trained": [trained]}
    for learned, way in ways.items():
        paths = [folder / f"{learned}-{number}.safetensors" for number in range(count)]
        files[learned] = [write_untrained(way, trained, number, path) for number, path in enumerate(paths)]
    return Subject(files, videos or list_samples(), store, options)


def main() -> None:
    """Run the tests, and print a page of tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="*", help="by default samples")
    parser.add_argument("-w", "--weights", type=Path, help="by default the networks that come with gbvis")
    parser.add_argument("-e", "--endpoint", default="FC")
    parser.add_argument("-n", "--frames", type=int, help="by default as many as the network was trained with")
    parser.add_argument("-m", "--modality", choices=("rgb", "flow"), help="by default both")
    parser.add_argument("--store", type=Path, default=Path("evaluate.zarr"))
    parser.add_argument("--networks", type=int, default=NETWORKS, help="how many have learned nothing, of each kind")
    parser.add_argument("--count", type=int, default=160, help="the most videos that any test gets")
    parser.add_argument("--parts", type=int, help="do the first parts of the plan alone; the quick ones come first")
    asked = parser.parse_args()
    options = {"endpoints": asked.endpoint, "modality": asked.modality, "frames": asked.frames}
    options["masks"] = "motion" if asked.videos else None
    subject = make_subject(asked.weights, asked.videos, asked.store, asked.networks, options)
    subject = replace(subject, videos=subject.videos[: asked.count])
    plan = (plan_clips() if asked.videos else plan_samples())[: asked.parts]
    found = [one for part in plan for one in subject.run(part)]
    names = ", ".join(f"`{Path(video).stem}`" for video in asked.videos)
    page = "clips" if asked.videos else "samples"
    about = {"weights": asked.weights and asked.weights.name, "videos": names, "endpoint": asked.endpoint}
    print("\n\n".join([HEADS[page].format(**about), NOTES[page].format(count=asked.networks), *lay_out(found)]))


if __name__ == "__main__":
    main()

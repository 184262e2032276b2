"""Runs the tests of `gbvis check` over all methods, with trained networks and with networks that have learned nothing.

    python training/evaluate.py > docs/check/samples.md
    python training/evaluate.py -w i3d.safetensors -e Logits CLIP... > docs/check/clips.md

Without videos it takes the sample networks and 160 samples that they were not trained on, each class in turn. The
networks that have learned nothing are several: random ones (of the samples alone), and the trained one's numbers
shuffled within each tensor. Videos are dealt to them in turn, since what is found follows the network as much as the
video. Everything is in the store: a call that was stopped goes on where it was. Methods of many passes, and tests of
many attributions, get fewer videos.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from check_tables import Found, lay_out
from train import measure_accuracy
from untrained import randomise, shuffle, write_untrained

import gbvis
from gbvis.attribution.methods import METHODS
from gbvis.networks.sample import SAMPLE_WEIGHTS, find_weights
from gbvis.progress import Failure
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.videos.synthetic import MOTIONS

NETWORKS = 9
"""How many networks have learned nothing, of each kind: odd, so that each gets samples of every class."""

MANY_PASSES = ("smoothgrad", "integrated-gradients", "occlusion")


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


def plan() -> list[Part]:
    """Return what is computed, the quick first."""
    one_pass = [name for name in METHODS.names if name not in MANY_PASSES]
    quick = ["deletion:steps=8", "pointing", "mass"]
    return [
        Part(quick, one_pass, 160),
        Part(["insertion:steps=8", "random-logit", "randomisation", "efficient-randomisation"], one_pass, 18),
        Part(["time"], one_pass[:1], 18),
        Part(["infidelity", "sensitivity"], one_pass, 18),
        Part([*quick, "insertion:steps=8", "infidelity"], MANY_PASSES, 9),
        Part(["smooth-randomisation:samples=10"], one_pass[:2], 9),
    ]


@dataclass(frozen=True)
class Subject:
    """What is looked at.

    Attributes:
        weights: Files by what was learned, `trained` first.
        videos: As `gbvis check` takes them.
        endpoint: Where the class's value is.
        store: Where everything is kept.
        modality: `rgb` or `flow`, for one stream only.
    """

    weights: Mapping[str, Sequence[Path]]
    videos: Sequence[str]
    endpoint: str
    store: Path
    modality: str | None = None

    def run(self, part: Part) -> Iterator[Found]:
        """Yield what the tests find, with every network."""
        videos = self.videos[: part.videos]
        for learned, files in self.weights.items():
            for number, file in enumerate(files):
                yield from self._check(part, videos[number :: len(files)], file, learned)

    def _check(self, part: Part, videos: Sequence[str], file: Path, learned: str) -> Iterator[Found]:
        if not videos:
            return
        asked = {"tests": part.tests, "methods": part.methods, "endpoints": self.endpoint, "store": self.store}
        for result in gbvis.check(videos, file, device="cpu", modality=self.modality, **asked):  # type: ignore[arg-type]
            if isinstance(result, Failure):
                print(f"{result.video}: {result.problem}", file=sys.stderr)
            else:
                yield Found.of(result.check, learned, file.stem)


def list_samples() -> list[str]:
    """Return samples that no network was trained on, the classes in turn."""
    return [f"sample:{MOTIONS[seed % len(MOTIONS)]}-{seed}" for seed in range(160)]


def make_subject(weights: Path | None, videos: Sequence[str], endpoint: str, store: Path, count: int) -> Subject:
    """Return what is asked for; networks that have learned nothing are written beside the store."""
    ways = {"shuffled": shuffle} if weights else {"random": randomise, "shuffled": shuffle}
    trained = find_weights(weights or Path(SAMPLE_WEIGHTS))
    folder = store.with_suffix(".weights")
    files: dict[str, Sequence[Path]] = {"trained": [trained]}
    for learned, way in ways.items():
        paths = [folder / f"{learned}-{number}.safetensors" for number in range(count)]
        files[learned] = [write_untrained(way, trained, number, path) for number, path in enumerate(paths)]
    return Subject(files, videos or list_samples(), endpoint, store)


def describe_accuracy() -> str:
    """Return in one line how often the sample networks are right on held-out videos."""
    opened = Networks(WeightsRequest((find_weights(Path(SAMPLE_WEIGHTS)),)))
    accuracy = measure_accuracy({modality: opened.load(modality) for modality in ("rgb", "flow")})
    return ", ".join(f"{name} {share:.1%}" for name, share in accuracy.items())


def main() -> None:
    """Run the tests, and print a page of tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="*", help="by default samples")
    parser.add_argument("-w", "--weights", type=Path, help="by default the networks that come with gbvis")
    parser.add_argument("-e", "--endpoint", default="FC")
    parser.add_argument("-m", "--modality", choices=("rgb", "flow"), help="by default both")
    parser.add_argument("--store", type=Path, default=Path("evaluate.zarr"))
    parser.add_argument("--networks", type=int, default=NETWORKS, help="how many have learned nothing, of each kind")
    parser.add_argument("--count", type=int, default=160, help="the most videos that any test gets")
    asked = parser.parse_args()
    subject = make_subject(asked.weights, asked.videos, asked.endpoint, asked.store, asked.networks)
    subject = replace(subject, videos=subject.videos[: asked.count], modality=asked.modality)
    found = [one for part in plan() for one in subject.run(part)]
    words = "your own" if asked.videos else f"samples; accuracy on 400 others: {describe_accuracy()}"
    print("\n\n".join([f"Videos: {words}.", *lay_out(found)]))


if __name__ == "__main__":
    main()

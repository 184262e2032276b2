"""What tests of attributions cost, in gradients.

    python benchmarks/check.py [--rounds 3]

R(2+1)D-18, RGB, 16 frames, guided back-propagation of one logit, float32, two threads. The weights of six stages are
randomised from the input on, and the attribution is compared each time.
"""

import argparse
import statistics
from collections.abc import Callable
from functools import partial

import torch
from rivals import THREADS, make_network, make_pixels, ratio, take_turns

from gbvis.attribution.checks.check import Check, Subject
from gbvis.attribution.checks.efficient_randomisation import EfficientRandomisation
from gbvis.attribution.checks.laboratory import Laboratory
from gbvis.attribution.checks.randomisation import Randomisation
from gbvis.attribution.iterative import Clip
from gbvis.attribution.methods.guided_backprop import GuidedBackprop
from gbvis.networks.endpoint import FC, Target
from gbvis.networks.network import Network

CLASS, FRAMES = 3, 16
CHECKS: dict[str, Check] = {
    "bottom-up": Randomisation(),
    "top-down": Randomisation(order="top-down"),
    "independent": Randomisation(order="independent"),
    "efficient": EfficientRandomisation(),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds: int = parser.parse_args().rounds
    torch.set_num_threads(THREADS)
    network = make_network()
    clip = Clip(make_pixels(FRAMES), network.info.clip_format, "rgb")
    target, method = Target(FC, CLASS), GuidedBackprop()
    subject = Subject(clip, target, method, Laboratory(network, clip).attribute(method, target))
    ways: dict[str, Callable[[], object]] = {
        name: partial(_measure, network, subject, check) for name, check in CHECKS.items()
    }
    ways["gradient"] = lambda: Laboratory(network, clip).attribute(method, target)
    seconds = take_turns(ways, rounds)
    print("| test | s | gradients |\n| --- | --- | --- |")
    for name in ways:
        print(f"| {name} | {statistics.median(seconds[name]):.2f} | {ratio(seconds, name, 'gradient'):.2f} |")


def _measure(network: Network, subject: Subject, check: Check) -> object:
    return list(check.measure([subject], Laboratory(network, subject.clip)))


if __name__ == "__main__":
    main()

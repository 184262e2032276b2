"""The contract of a test: every registered one keeps it."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gbvis.attribution.checks import BASELINES, CHECKS, parse_check, parse_checks
from gbvis.attribution.checks.check import Check, Finding, Subject, average_findings
from gbvis.attribution.checks.laboratory import Laboratory
from gbvis.attribution.iterative import Clip
from gbvis.attribution.methods import METHODS
from gbvis.errors import NumbersError, UsageError
from gbvis.networks.endpoint import Target
from gbvis.networks.network import Network
from gbvis.networks.sample import find_weights
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.videos.clip import cut_clip
from gbvis.videos.locate import find_video
from gbvis.videos.masks import Mover
from material.scoring_kind import make_scoring_network

REGISTERED = CHECKS.load_all()

QUICK: dict[str, dict[str, Any]] = {
    "smooth-randomisation": {"samples": 2},
    "deletion": {"steps": 3},
    "insertion": {"steps": 3},
    "infidelity": {"samples": 2},
    "sensitivity": {"samples": 1},
    "time": {"shuffles": 2},
}
"""Settings with which tests of many passes need few, by the test's name."""

QUICK_METHODS: dict[str, dict[str, Any]] = {
    "smoothgrad": {"samples": 1},
    "integrated-gradients": {"steps": 1},
    "occlusion": {"box": "8x36x72", "stride": "8x36x72"},
}

ALL = pytest.mark.parametrize("kind", REGISTERED.values(), ids=lambda kind: kind.name)
NETWORKS = pytest.mark.parametrize("name", ["rgb", "flow", "small"])


def make(kind: type[Check]) -> Check:
    """Return the test with settings that make it quick."""
    return kind(**QUICK.get(kind.name, {}))


@cache
def open_samples() -> Networks:
    return Networks(WeightsRequest((find_weights(Path("sample")),), device="cpu"))


@cache
def make_laboratory(name: str, seed: int = 0) -> Laboratory:
    """Return a laboratory: a sample video's stream in the network that comes with gbvis, or noise in a small one."""
    network = make_scoring_network() if name == "small" else open_samples().load(name)
    clip_format = network.info.clip_format
    if name == "small":
        pixels = np.random.default_rng(3).integers(0, 256, (6, 24, 24, 3), dtype=np.uint8)
        mask = np.zeros((6, 24, 24), bool)
        mask[:, 8:14, 10:15] = True
        return Laboratory(network, Clip(pixels, clip_format, "rgb"), seed, lambda clip: mask)
    video, numbers = find_video("sample:turn-left-3", name, None), range(4, 12)
    cut = Mover(video).cut(numbers, clip_format)
    return Laboratory(network, Clip(cut_clip(video, numbers, clip_format), clip_format, name), seed, lambda clip: cut)


def make_subjects(laboratory: Laboratory, names: tuple[str, ...]) -> list[Subject]:
    """Return attributions of the last class at the first endpoint of classes, by each method that the network takes."""
    info, subjects = laboratory.info, []
    endpoint = next(one for one in info.endpoints if one.is_class)
    target = Target(endpoint, info.targets[endpoint.name] - 1)
    for name in names:
        with suppress(UsageError):  # a network may have no layer for it
            method = METHODS.load(name)(**QUICK_METHODS.get(name, {})).settled(
                info, endpoint, len(laboratory.clip.pixels)
            )
            subjects.append(Subject(laboratory.clip, target, method, laboratory.attribute(method, target)))
    return subjects


def measure(test: Check, laboratory: Laboratory, names: tuple[str, ...]) -> list[Finding]:
    settled = test.settled(laboratory.info, len(laboratory.clip.pixels))
    return list(settled.measure(make_subjects(laboratory, names), laboratory))


def fingerprint(network: Network) -> list[bytes]:
    """Return all that a test could change of a network."""
    modules = (network.module, network.fused)
    tensors = [tensor for module in modules for tensor in module.state_dict().values()]
    names = [" ".join(type(one).__name__ for one in module.modules()) for module in modules]
    flags = [f"{one.training} {len(one._forward_hooks)}" for module in modules for one in module.modules()]
    grads = [f"{one.requires_grad}" for module in modules for one in module.parameters()]
    return [*(tensor.numpy().tobytes() for tensor in tensors), " ".join([*names, *flags, *grads]).encode()]


@ALL
def test_it_is_its_settings_and_each_has_a_default(kind: type[Check]) -> None:
    test = kind()
    assert is_dataclass(kind) and test == kind() and hash(test) == hash(kind())
    assert kind.__doc__ and kind.version >= 1 and REGISTERED[kind.name] is kind
    for field in fields(kind):
        with pytest.raises(FrozenInstanceError):
            setattr(test, field.name, getattr(test, field.name))
    recipe = test.recipe()
    assert json.loads(json.dumps(recipe, allow_nan=False)) == recipe
    assert parse_check(kind.name) == test


@ALL
@pytest.mark.parametrize("name", ["rgb", "flow"])
def test_it_is_read_back_from_its_words_once_it_is_settled(kind: type[Check], name: str) -> None:
    info = make_laboratory(name).info
    settled = make(kind).settled(info, 8)
    assert settled.settled(info, 8) == settled and None not in settled.settings.values()
    assert parse_check(str(settled)) == settled


def test_torch_is_loaded_only_to_compute() -> None:
    """What the store has is looked up without it."""
    script = (
        "import sys; from gbvis.attribution.checks import parse_checks; [one.recipe() for one in parse_checks([])];"
        "import gbvis.store; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert done.stdout.split() == [b"False"], done.stderr


@ALL
@NETWORKS
def test_it_judges_every_method_in_finite_numbers_and_leaves_the_network_alone(kind: type[Check], name: str) -> None:
    laboratory = make_laboratory(name)
    before = fingerprint(laboratory.network)
    names = METHODS.names if name == "small" else ("guided-backprop", "grad-cam", "occlusion")
    subjects = make_subjects(laboratory, names)
    found = measure(make(kind), laboratory, names)
    assert len(found) == len(subjects) > 0
    for finding in found:
        assert set(finding.baselines) == (set() if kind.is_of_network else set(BASELINES))
        assert json.loads(json.dumps(finding.details, allow_nan=False)) is not None
        curves = finding.curves.values()
        assert all(curve.dtype == np.float64 and curve.ndim == 1 and np.isfinite(curve).all() for curve in curves)
        assert all(name.partition("@")[2] in ("", *BASELINES) for name in finding.curves)
        verdict = make(kind).describe(finding)
        assert any(letter.isdigit() for letter in verdict) and "\n" not in verdict and not verdict.endswith(".")
    assert fingerprint(laboratory.network) == before


@ALL
def test_the_same_seed_gives_the_same_bytes(kind: type[Check]) -> None:
    names = ("gradient", "grad-cam")
    one, other = (measure(make(kind), replace(make_laboratory("small")), names) for _ in range(2))
    for first, second in zip(one, other, strict=True):
        assert (first.value, first.baselines, first.details) == (second.value, second.baselines, second.details)
        assert all(np.array_equal(curve, second.curves[name]) for name, curve in first.curves.items())


@ALL
def test_an_attribution_is_judged_by_itself(kind: type[Check]) -> None:
    """Others that are judged with it have no part in its number."""
    laboratory = make_laboratory("small")
    (alone,) = measure(make(kind), laboratory, ("gradient",))
    together = measure(make(kind), laboratory, ("guided-backprop", "gradient"))[1]
    assert together.value == pytest.approx(alone.value, rel=1e-5, abs=1e-7)


@ALL
def test_the_network_comes_back_when_it_is_interrupted(kind: type[Check], monkeypatch: pytest.MonkeyPatch) -> None:
    laboratory = replace(make_laboratory("small"))
    subjects = make_subjects(laboratory, ("guided-backprop",))
    test = make(kind).settled(laboratory.info, len(laboratory.clip.pixels))
    before, calls = fingerprint(laboratory.network), 0
    original = Network.endpoints

    def interrupt(network: Network, batch: torch.Tensor, *wanted: Any) -> Iterator[Any]:
        nonlocal calls
        calls += 1
        yield next(iter(original(network, batch, *wanted)))
        raise KeyboardInterrupt

    monkeypatch.setattr(Network, "endpoints", interrupt)
    with suppress(KeyboardInterrupt):
        list(test.measure(subjects, laboratory))
        assert not calls  # a test that asks the network nothing
    monkeypatch.undo()
    assert fingerprint(laboratory.network) == before


def test_all_tests_are_meant_where_none_is_named() -> None:
    assert parse_checks([]) == parse_checks(["all"]) == tuple(kind() for kind in REGISTERED.values())
    assert parse_checks(["time", "time:shuffles=10"]) == (parse_check("time"),)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("tme", "unknown test 'tme'"),
        ("all:shuffles=2", "gives settings to all tests"),
        ("time:shuffle=2", "unknown setting of time 'shuffle'"),
        ("time:shuffles=many", "is no value for it"),
        ("time:shuffles=0", "--test time:shuffles=0: shuffles=0"),
        ("mass:margin=2", "has no settings|unknown setting"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(typed: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        parse_checks([typed])


def test_a_finding_of_no_number_is_none() -> None:
    with pytest.raises(NumbersError, match="edges"):
        Finding(1.0, {"edges": math.nan})
    with pytest.raises(ValueError, match="baselines"):
        Finding(1.0, {"corners": 1.0})


def test_findings_of_several_clips_are_averaged() -> None:
    first = Finding(1.0, {"edges": 0.0}, (0.5, 1.5), {"score": 1.0, "each": [1.0, 2.0], "name": "a"}, {"c": np.ones(2)})
    second = Finding(
        3.0, {"edges": 1.0}, (2.5, 3.5), {"score": 2.0, "each": [3.0, 4.0], "name": "b"}, {"c": np.zeros(2)}
    )
    mean = average_findings([first, second])
    assert (mean.value, mean.baselines, mean.interval) == (2.0, {"edges": 0.5}, (1.5, 2.5))
    assert mean.details == {"score": 1.5, "each": [2.0, 3.0], "name": "a"} and mean.curves["c"].tolist() == [0.5, 0.5]
    assert average_findings([first]) is first


def test_random_numbers_follow_from_the_seed_the_clip_and_the_names() -> None:
    laboratory = make_laboratory("small")

    def draw(laboratory: Laboratory, *names: object) -> float:
        return float(laboratory.random(*names).random())

    other = replace(laboratory.clip, pixels=laboratory.clip.pixels[::-1].copy())
    drawn = [
        draw(laboratory, "a", 1),
        draw(laboratory, "a", 2),
        draw(replace(laboratory, seed=1), "a", 1),
        draw(replace(laboratory, clip=other), "a", 1),
    ]
    assert len(set(drawn)) == 4 and draw(replace(laboratory), "a", 1) == drawn[0]


@pytest.mark.parametrize("method", METHODS.names)
def test_the_laboratory_finds_what_explain_does(method: str) -> None:
    """Of the pixels, and of the same clip as what is normalised already."""
    from gbvis.videos.clip import Inputs

    laboratory = make_laboratory("rgb")
    (subject,) = make_subjects(laboratory, (method,))
    given = laboratory.attribute(subject.method, subject.target, Inputs(laboratory.clip.values[None]))
    time, rows, columns = laboratory.clip.pixels.shape[:3]
    assert subject.values.shape[1:] == (time, rows, columns) and subject.relevance.shape == (time, rows, columns)
    assert np.allclose(given, subject.values, rtol=1e-5, atol=1e-7)

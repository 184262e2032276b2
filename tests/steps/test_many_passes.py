"""`explain` with methods of many passes: one forward pass for all targets, and what was done is not done again."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

import gbvis
from gbvis.attribution.graph import Graph
from gbvis.attribution.method import Method
from gbvis.attribution.methods.integrated_gradients import IntegratedGradients
from gbvis.networks.endpoint import Target
from gbvis.networks.sample import find_weights
from gbvis.progress import Failure, Progress
from gbvis.steps.explain import ExplainedRun, iteration
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.steps.store.rm import RemoveRequest, plan_removal
from gbvis.store import Store
from gbvis.store.inventory import find_damage, list_entries
from gbvis.store.keys import ESTIMATES
from gbvis.videos.clip import Inputs
from material.methods import Brighter, ExactlyBrighter, PlainGradient

SAMPLE = "sample:turn-left-3"


class Stopping(Progress):
    """Stops the call, as Ctrl-C does, after so many passes; counts them, and keeps what it is told."""

    def __init__(self, after: int = 10**9) -> None:
        self.after, self.passes = after, 0
        self.notes: dict[str, str] = {}
        self.lines: list[str] = []
        self.warnings: list[str] = []

    def advance(self, what: str) -> None:
        """Count a pass."""
        self.passes += 1
        if self.passes > self.after:
            raise KeyboardInterrupt

    def note(self, line: str, once: str) -> None:
        """Keep it."""
        self.notes.setdefault(once, line)

    def say(self, line: str) -> None:
        """Keep it."""
        self.lines.append(line)

    def warn(self, line: str) -> None:
        """Keep it."""
        self.warnings.append(line)


def explain(
    store: Path, methods: Sequence[Method], progress: Progress | None = None, **options: object
) -> list[ExplainedRun]:
    """Return the runs of the sample's RGB stream at two targets."""
    asked: dict[str, object] = {"frames": 8, "endpoints": ["FC", "Conv3d_5_x"], "modality": "rgb", **options}
    results = gbvis.explain(SAMPLE, "sample", store=store, methods=methods, progress=progress, **asked)  # type: ignore[arg-type]
    found = list(results)
    assert not any(isinstance(one, Failure) for one in found)
    return found  # type: ignore[return-value]


def values_of(runs: list[ExplainedRun]) -> list[np.ndarray]:
    return [one.run.to_numpy() for one in runs]


def kept_in(store: Path) -> list[str]:
    """Return the keys of the estimates in a store, all of it sound."""
    opened = Store.open(store)
    entries = list(list_entries(opened))
    assert not any(find_damage(opened, entry) for entry in entries)
    return [entry.key for entry in entries if entry.kind == ESTIMATES]


def test_it_finds_what_the_method_finds_by_itself(tmp_path: Path) -> None:
    """Clip by clip, through a graph, on the clips as the store has them."""
    runs = explain(tmp_path / "s", [Brighter()], clips=2)
    assert [one.run.recipe.method["settings"] for one in runs] == [{"steps": 6}] * 2
    network = Networks(WeightsRequest((find_weights(Path("sample")),))).load("rgb")
    for one in runs:
        clips, target = one.run.read_clips(), Target(one.run.endpoint, one.run.target)
        for number, frames in enumerate(clips.frames):
            expected = np.zeros(one.run.gradient(number).shape)
            for step in range(6):
                brighter = 0.01 * step + 0.001 * frames[0]
                with Graph(network, [clips.pixels(number)]) as graph:
                    graph.batch = (graph.batch.detach() + np.float32(brighter)).requires_grad_()
                    graph.forward({target.endpoint})
                    expected += graph.backward(target)[0].numpy()
            found = one.run.gradient(number)
            np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())


def test_all_targets_share_the_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forward: list[object] = []
    original = Graph.forward
    monkeypatch.setattr(Graph, "forward", lambda *given, **named: (forward.append(1), original(*given, **named))[1])
    progress = Stopping()
    runs = explain(tmp_path / "s", [Brighter()], progress, top_filters=3)
    assert len(runs) == 4 and {one.run.endpoint.name for one in runs} == {"FC", "Conv3d_5_x"}
    assert (len(forward), progress.passes) == (6, 7)  # the last pass needs no graph


@pytest.mark.parametrize("after", [3, 6, 9])
def test_a_killed_call_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """In the first clip, at its end, and in the second one: the same bits, and no pass twice but the last."""
    expected = values_of(explain(tmp_path / "whole", [Brighter()], clips=2))
    monkeypatch.setattr(iteration, "_SECONDS_KEPT", 0.0)
    with pytest.raises(KeyboardInterrupt):
        explain(tmp_path / "s", [Brighter()], Stopping(after), clips=2)
    assert len(kept_in(tmp_path / "s")) == (2 if after < 7 else 4)  # of two targets, a clip each
    progress = Stopping()
    runs = explain(tmp_path / "s", [Brighter()], progress, clips=2)
    assert progress.passes == 14 - after
    assert any("goes on after" in line for line in progress.lines)
    for found, one in zip(values_of(runs), expected, strict=True):
        np.testing.assert_array_equal(found, one)
    assert kept_in(tmp_path / "s") == []


def test_what_was_finished_of_other_methods_and_targets_is_there(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        explain(tmp_path / "s", [PlainGradient(), Brighter(), Brighter(9)], Stopping(2 + 7 + 3))
    store = Store.open(tmp_path / "s")
    found = [one.recipe.method_name for one in store.runs()]
    assert sorted(found) == ["brighter:steps=6"] * 2 + ["plain-gradient"] * 2
    runs = explain(tmp_path / "s", [PlainGradient(), Brighter(), Brighter(9)])
    assert [one.is_cached for one in runs] == [True] * 4 + [False] * 2


def test_another_settings_estimate_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iteration, "_SECONDS_KEPT", 0.0)
    with pytest.raises(KeyboardInterrupt):
        explain(tmp_path / "s", [Brighter()], Stopping(3))
    progress = Stopping()
    explain(tmp_path / "s", [Brighter(5)], progress)
    assert progress.passes == 6
    assert len(kept_in(tmp_path / "s")) == 2


def test_a_damaged_estimate_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iteration, "_SECONDS_KEPT", 0.0)
    with pytest.raises(KeyboardInterrupt):
        explain(tmp_path / "s", [Brighter()], Stopping(3))
    for key in kept_in(tmp_path / "s"):
        (chunk,) = (tmp_path / "s" / key / "sums").glob("c.*")
        chunk.write_bytes(chunk.read_bytes()[:-9] + b"other" + chunk.read_bytes()[-4:])
    progress = Stopping()
    explain(tmp_path / "s", [Brighter()], progress)
    assert progress.passes == 7 and kept_in(tmp_path / "s") == []


def test_force_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iteration, "_SECONDS_KEPT", 0.0)
    with pytest.raises(KeyboardInterrupt):
        explain(tmp_path / "s", [Brighter()], Stopping(3))
    progress = Stopping()
    explain(tmp_path / "s", [Brighter()], progress, force=True)
    assert progress.passes == 7


def test_what_lasts_is_said_beforehand_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iteration, "_SECONDS_TOLD", 0.0)
    progress = Stopping()
    explain(tmp_path / "s", [Brighter()], progress, clips=2)
    assert progress.notes["brighter"].startswith("brighter: 7 passes a clip, about ")


def test_a_method_may_ask_for_float32(tmp_path: Path) -> None:
    """Under another precision its runs are those of float32, and the others are not."""
    methods: list[Method] = [PlainGradient(), Brighter(), ExactlyBrighter()]
    progress = Stopping()
    low = explain(tmp_path / "low", methods, progress, precision="bfloat16")
    assert [one.run.recipe.precision for one in low] == ["bfloat16"] * 4 + ["float32"] * 2
    assert "exactly-brighter: computed in float32, since bfloat16" in progress.notes["float32"]
    high = explain(tmp_path / "high", methods)
    for found, expected in zip(values_of(low)[4:], values_of(high)[4:], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert np.abs(low[2].run.to_numpy() - high[2].run.to_numpy()).max() > 0
    again = explain(tmp_path / "low", [ExactlyBrighter()])
    assert [one.is_cached for one in again] == [True, True]


def test_integrated_gradients_say_how_much_they_leave_out(tmp_path: Path) -> None:
    """Also where they are in the store already; and a large part is warned of."""
    for _ in range(2):
        progress = Stopping()
        (few, enough) = explain(
            tmp_path / "s", [IntegratedGradients(1), IntegratedGradients(40)], progress, endpoints=["FC"]
        )
        for one, steps in ((few, 1), (enough, 40)):
            (details,) = one.to_json()["details"]
            total, (value,) = float(one.run.to_numpy().sum(dtype=np.float64)), one.run.value
            baseline = predict_mean_colour(one)
            expected = abs(total - (value - baseline)) / abs(value - baseline)
            assert details["nodes"] == steps and details["gap_is_relative"] == 1.0
            assert details["completeness_gap"] == pytest.approx(expected, rel=0.02, abs=1e-4)
        assert few.run.completeness_gap and few.run.completeness_gap > 0.05
        assert few.run.describe_completeness() == f"gap {100 * few.run.completeness_gap:.2g} %"
        assert [few.run.key in line for line in progress.warnings] == [True]


def predict_mean_colour(explained: ExplainedRun) -> float:
    """Return the target's value for a clip that is the mean colour everywhere."""
    network = Networks(WeightsRequest((find_weights(Path("sample")),))).load("rgb")
    shape = explained.run.gradient(0).shape
    endpoint = explained.run.endpoint
    responses = network.predict(Inputs(np.zeros((1, *shape), np.float32)), {endpoint})
    return float(responses[endpoint].array()[0, explained.run.target])


def test_between_results_torch_is_as_it_was(tmp_path: Path) -> None:
    """The precision is set while something is computed, and not while somebody else has the results."""
    before = torch.backends.cudnn.allow_tf32
    results = gbvis.explain(
        SAMPLE, "sample", store=tmp_path / "s", methods=[PlainGradient(), Brighter(1), Brighter(2)], modality="rgb"
    )
    assert before and [torch.backends.cudnn.allow_tf32 for _ in results] == [before] * 3


def test_removing_a_videos_runs_takes_its_estimates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iteration, "_SECONDS_KEPT", 0.0)
    explain(tmp_path / "s", [PlainGradient()])
    with pytest.raises(KeyboardInterrupt):
        explain(tmp_path / "s", [Brighter()], Stopping(3))
    assert len(kept_in(tmp_path / "s")) == 2
    list(plan_removal(RemoveRequest(tmp_path / "s", ("turn-left-3",))).run(is_dry=False))
    assert kept_in(tmp_path / "s") == []

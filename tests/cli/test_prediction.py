"""`explain` says what the network predicts, as `predict` finds it; and a run of an older release says nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from conftest import Call
from gbvis.store import Store
from gbvis.store.run import StoredRun

SAMPLE = ("sample:up-4", "-w", "sample", "-m", "rgb")


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("clips", [1, 2])
def test_explain_says_what_predict_finds(call: Call, clips: int) -> None:
    """Whatever the endpoint, from the same pass; and again where the run was in the store."""
    (seen,) = lines(call("predict", *SAMPLE, "--clips", clips, "--json").out)
    best = seen["top"][0]
    wanted = ["explain", *SAMPLE, "-e", "Conv3d_1", "-e", "FC", "-e", "SOFTMAX", "-l", "down", "--clips", clips]
    for _ in range(2):
        found = lines(call(*wanted, "--json").out)
        assert len(found) == 3
        for run in found:
            assert (run["prediction"]["index"], run["prediction"]["name"]) == (best["index"], best["label"])
            assert run["prediction"]["score"] == pytest.approx(best["score"], abs=1e-6)
    shown = call(*wanted).out.splitlines()
    facts = f"score {best['score']:.4f}" if best["score"] < 0.99995 else "score above 0.9999"
    facts += " over 2 clips" if clips == 2 else ""
    assert f"  predicted: {best['label']}, {facts}  " in shown[0]
    assert all(f"  not predicted; predicted: {best['label']}, {facts}  " in line for line in shown[1:])
    own = call("explain", *SAMPLE, "-e", "FC", "--clips", clips).out
    assert f"  predicted, {facts}  " in own and "not predicted" not in own


def test_the_prediction_is_no_part_of_a_runs_key(call: Call) -> None:
    (run,) = lines(call("explain", *SAMPLE, "-e", "FC", "-l", "down", "--json").out)
    (stored,) = Store.open("gbvis.zarr").runs()
    assert stored.key == run["group"] and "scores" not in json.dumps(stored.recipe.to_json())


def test_a_run_without_scores_says_nothing(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """As one of a network that has no class probabilities."""
    assert call("explain", *SAMPLE, "-e", "FC", "-l", "down").code == 0
    read = StoredRun.read

    def forget(*arguments: Any) -> StoredRun | None:
        run = read(*arguments)
        if run:
            run.scores = []
        return run

    monkeypatch.setattr(StoredRun, "read", forget)
    (run,) = lines(call("explain", *SAMPLE, "-e", "FC", "-l", "down", "--json").out)
    assert run["prediction"] is None and run["cached"]
    assert "predicted" not in call("explain", *SAMPLE, "-e", "FC", "-l", "down").out
    assert call("render", "-o", "x.png").code == 0


@pytest.mark.parametrize(("scale", "is_same"), [("shared", True), ("own", False)])
def test_the_scale_of_saliency(call: Call, scale: str, is_same: bool) -> None:
    """Asked for by its name, two scales make another picture of a gradient that is not the same on both sides."""
    assert call("explain", *SAMPLE, "-e", "FC").code == 0
    panels = ["--panels", "positive,negative", "--layout", "sheet"]
    assert call("render", *panels, "-o", "default.png").code == 0
    assert call("render", *panels, "-o", "asked.png", "--saliency-scale", scale).code == 0
    assert (Path("default.png").read_bytes() == Path("asked.png").read_bytes()) == is_same
    call("render", "--saliency-scale", "both").check_error(2, "saliency scale", "shared")

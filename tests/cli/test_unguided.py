"""A network with an activation that no rule for ReLUs reaches: refused, or gone on with when the user says so."""

import json
from pathlib import Path
from typing import Any

import pytest
import zarr
from torch import nn

import gbvis
from conftest import Call, Called
from gbvis.errors import UsageError
from gbvis.networks.r2plus1d.module import ResidualBlock
from gbvis.steps.run_views import make_run_view
from gbvis.store import Store

EXPLAIN = ["explain", "sample:left-3", "-w", "sample", "-m", "rgb", "--json"]


def lines(called: Called) -> list[dict[str, Any]]:
    assert called.code == 0, called.err
    return [json.loads(line) for line in called.out.splitlines()]


@pytest.fixture
def gelus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have every block of an R(2+1)D end with a GELU."""
    make = ResidualBlock.__init__

    def make_other(self: ResidualBlock, *about: Any) -> None:
        make(self, *about)
        self.relu = nn.GELU()

    monkeypatch.setattr(ResidualBlock, "__init__", make_other)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_what_is_guided_is_said_and_kept(call: Call, tmp_path: Path) -> None:
    methods = ["guided-backprop", "deconvnet", "guided-grad-cam", "gradient", "grad-cam", "smoothgrad:samples=2"]
    asked = [word for name in methods for word in ("--method", name)]
    said = call(*EXPLAIN, "-e", "Conv3d_1", "-e", "SOFTMAX", *asked, "-v")
    runs, with_rule = lines(said), methods[:3]
    for run in runs:
        count = {"guided": 2, "unguided": [], "others": {}}
        if run["endpoint"] == "SOFTMAX":
            count = {"guided": 18, "unguided": [], "others": {"softmax": 1}}
        assert run["relus"] == (count if run["method"] in with_rule else None), run["method"]
        kept = zarr.open_group(tmp_path / "gbvis.zarr", mode="r")[run["group"]].attrs.get("relus")
        assert kept == run["relus"]
    assert len(runs) == 12
    assert said.err.count("2 of 2 ReLUs guided (Conv3d_1)") == said.err.count("18 of 18 ReLUs guided (SOFTMAX)") == 1
    again = lines(call(*EXPLAIN, "-e", "SOFTMAX"))
    assert again[0]["cached"] and again[0]["relus"]["guided"] == 18


@pytest.mark.usefixtures("gelus")
def test_an_activation_without_a_rule_ends_the_call(call: Call, tmp_path: Path) -> None:
    words = "does not reach GELU in stages.0.0.relu, GELU in stages.1.0.relu, GELU in stages.2.0.relu and 1 more"
    hints = "--method gradient", "--allow-unguided"
    call(*EXPLAIN).check_error(2, words, "it decides at 14 of 18 activations before SOFTMAX", *hints)
    call(*EXPLAIN, "--method", "smoothgrad:samples=2,of=guided-backprop").check_error(2, words, *hints)
    call("check", *EXPLAIN[1:], "--test", "random-logit").check_error(2, words, *hints)
    assert not list(Store.open(tmp_path / "gbvis.zarr").runs())
    (run,) = lines(call(*EXPLAIN, "--method", "gradient"))
    assert run["relus"] is None
    (run,) = lines(call(*EXPLAIN, "-e", "Conv3d_1"))  # before the first of them
    assert run["relus"]["unguided"] == []
    with pytest.raises(UsageError, match="does not reach GELU"):
        list(gbvis.explain("sample:left-3", "sample", modality="rgb", store=tmp_path / "new.zarr"))


@pytest.mark.usefixtures("gelus")
def test_the_user_may_allow_it_and_the_run_keeps_it(call: Call, tmp_path: Path) -> None:
    said = call(*EXPLAIN, "--allow-unguided", "-v")
    (run,) = lines(said)
    assert run["relus"]["guided"] == 14
    assert run["relus"]["unguided"] == [f"GELU in stages.{stage}.0.relu" for stage in range(4)]
    assert said.err.count("note: 14 of 18 activations guided, not GELU in stages.0.0.relu, ") == 1
    assert said.err.count("14 of 18 activations guided") == 1  # with --verbose too
    (again,) = lines(call(*EXPLAIN, "--allow-unguided"))
    assert again == {**run, "cached": True, "seconds": again["seconds"]}
    call(*EXPLAIN).check_error(2, "does not reach GELU")  # nor from the store
    tests = [
        "--test",
        "randomisation:order=top-down",
        "--test",
        "random-logit",
        "-e",
        "FC",
        "--method",
        "guided-grad-cam",
    ]
    assert len(lines(call("check", *EXPLAIN[1:], *tests, "--allow-unguided"))) == 2
    noisy = ["--method", "smoothgrad:samples=2,of=guided-backprop", "--allow-unguided"]
    assert lines(call(*EXPLAIN, *noisy))[0]["relus"] == run["relus"]
    allowed = gbvis.explain("sample:left-3", "sample", modality="rgb", store=tmp_path / "n.zarr", allow_unguided=True)
    (explained,) = allowed
    assert explained.run.relus and explained.run.relus.total == 18
    view = make_run_view(Store.open(tmp_path / "n.zarr"), explained.run, find_source=pytest.fail)
    assert view.remark == "14 of 18 activations guided"  # pictures say it
    shown = call("inspect-shapes", "-w", "sample", "-m", "rgb")
    assert "14 of 18" in shown.out and "a rule for ReLUs does not reach GELU in stages.0.0.relu, GELU in" in shown.out


def test_runs_of_before_serve_as_before(call: Call, tmp_path: Path) -> None:
    """They say nothing of ReLUs, and stay what they were."""
    from gbvis.store.group import read_attributes, write_attributes

    (run,) = lines(call(*EXPLAIN))
    store = Store.open(tmp_path / "gbvis.zarr")
    attributes = read_attributes(store.storage, run["group"])
    assert attributes is not None
    del attributes["relus"]
    write_attributes(store.storage, run["group"], attributes)
    (again,) = lines(call(*EXPLAIN))
    assert again == {**run, "relus": None, "cached": True, "seconds": again["seconds"]}
    assert call("store", "verify").code == 0

"""`gbvis check`: from the command line into the store and out of it again."""

import json
from pathlib import Path

import numpy as np
import pytest
import zarr

import gbvis
from conftest import Call, Called
from gbvis.attribution.checks.needs_time import NeedsTime
from gbvis.networks.network import Network
from gbvis.steps.check.report import estimate
from gbvis.store import Store

SAMPLE, OTHER = "sample:turn-left-3", "sample:grow-5"
FIELDS = [
    *("video", "modality", "endpoint", "target", "method", "settings", "test", "test_settings", "value", "baselines"),
    *("interval", "verdict", "cached", "group"),
]
QUICK = ["-w", "sample", "-e", "FC", "--test", "time:shuffles=2", "--test", "random-logit", "-q"]


def lines(called: Called, code: int = 0) -> list[dict]:
    assert called.code == code, called.err
    return [json.loads(line) for line in called.out.splitlines()]


def test_it_finds_keeps_and_finds_again(call: Call, tmp_path: Path) -> None:
    words = ["check", SAMPLE, *QUICK, "--method", "guided-backprop", "--method", "grad-cam", "--json"]
    first, again = lines(call(*words)), lines(call(*words))
    assert [list(one) for one in first] == [FIELDS] * 8  # two streams, methods and tests
    assert {one["cached"] for one in first} == {False} and {one["cached"] for one in again} == {True}
    assert again == [{**one, "cached": True} for one in first]
    one = next(one for one in first if one["test"] == "random-logit")
    assert one["group"].startswith("turn-left-3/rgb/FC/check-random-logit-4-guided-backprop-")
    assert set(one["baselines"]) == {"edges", "motion", "center", "random"} and one["settings"] == {}
    assert first[0]["test_settings"] == {"shuffles": 2} and set(first[0]["baselines"].values()) == {None}
    verified = lines(call("store", "verify", "--json"))
    assert [one["kind"] for one in verified].count("check") == 8 and {one["problem"] for one in verified} == {None}
    group = zarr.open_group(tmp_path / "gbvis.zarr" / first[0]["group"], mode="r")
    assert group.attrs["kind"] == "check" and group.attrs["value"] == first[0]["value"]
    assert np.isfinite(group["curves"][:]).all() and group["curves"].metadata.dimension_names == ("curve", "step")


def test_another_seed_setting_or_method_is_another_result(call: Call) -> None:
    words = ["check", SAMPLE, "-w", "sample", "-m", "rgb", "-e", "FC", "-q", "--json"]
    groups = {
        lines(call(*words, *more))[0]["group"]
        for more in (
            ["--test", "time"],
            ["--test", "time", "--seed", 1],
            ["--test", "time:shuffles=2"],
            ["--test", "time", "--method", "gradient"],
            ["--test", "time", "-n", 6],
        )
    }
    assert len(groups) == 5
    assert lines(call(*words, "--test", "time", "--force"))[0]["cached"] is False


def test_the_same_seed_gives_the_same_bytes(call: Call, tmp_path: Path) -> None:
    for store in ("a.zarr", "b.zarr"):
        assert call("check", SAMPLE, *QUICK, "-m", "rgb", "--store", store).code == 0
    one, other = (
        {check.key: check for check in Store.open(tmp_path / store).checks()} for store in ("a.zarr", "b.zarr")
    )
    assert one.keys() == other.keys() and len(one) == 2
    for key, check in one.items():
        again = other[key]
        assert (check.value, check.details, check.verdict) == (again.value, again.details, again.verdict)
        assert all(curve.tobytes() == again.drawn[name].tobytes() for name, curve in check.drawn.items())


def test_a_killed_call_goes_on_with_what_is_missing(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["check", SAMPLE, *QUICK, "-m", "rgb", "--json"]

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(NeedsTime, "measure", stop)
        tests = ["--test", "random-logit", "--test", "time:shuffles=2"]
        stopped = call("check", SAMPLE, "-w", "sample", "-m", "rgb", "-e", "FC", *tests, "--json")
    assert stopped.code == 130 and len(stopped.out.splitlines()) == 1
    assert [(one["test"], one["cached"]) for one in lines(call(*words))] == [("time", False), ("random-logit", True)]
    with monkeypatch.context() as context:  # what is there needs no network
        context.setattr(Network, "predict", stop)
        assert {one["cached"] for one in lines(call(*words))} == {True}


def test_one_line_a_test_and_a_summary(call: Call) -> None:
    called = call("check", SAMPLE, "-w", "sample", "-m", "rgb", "-e", "FC", "--test", "random-logit")
    assert called.code == 0 and len(called.out.splitlines()) == 1
    for words in (
        "turn-left-3  rgb  FC  class 4 turn-left  guided-backprop  random-logit",
        "edges 1",
        "chance",
        "computed",
    ):
        assert words in called.out
    assert "1 test done, 0 cached, 0 failed" in called.err


def test_a_test_that_does_not_apply_is_left_out(call: Call) -> None:
    called = call("check", SAMPLE, "-w", "sample", "-m", "rgb", "-e", "Conv3d_2_x", "--test", "time", "--test", "mass")
    assert called.code == 0 and "mass" in called.out and "  time  " not in called.out
    assert "time needs a class" in called.err


def test_what_is_wrong_is_said_in_words(call: Call) -> None:
    call("check", SAMPLE, "-w", "sample", "--test", "tme").check_error(2, "unknown test 'tme'", "did you mean time")
    call("check", SAMPLE, "-w", "sample", "--masks", "nowhere").check_error(2, "no such masks")
    call("check", "--report").check_error(1, "no store")
    failed = call("check", "nothing.mp4", "-w", "sample", "--json")
    assert failed.code == 1 and "error" in json.loads(failed.out.splitlines()[0])


def test_the_report_is_over_videos(call: Call) -> None:
    assert call("check", SAMPLE, OTHER, *QUICK).code == 0
    found = {one["modality"]: one for one in lines(call("check", "--report", "--json", "--test", "time"))}
    values = [
        one["value"] for one in lines(call("check", SAMPLE, OTHER, *QUICK[:-1], "--json")) if one["test"] == "time"
    ]
    assert found["rgb"]["value"]["mean"] == pytest.approx((values[0] + values[2]) / 2)
    assert found["rgb"]["videos"] == 2 and found["rgb"]["baselines"]["edges"] is None
    low, high = found["flow"]["value"]["interval"]
    assert low == pytest.approx(min(values[1], values[3])) and high == pytest.approx(max(values[1], values[3]))
    printed = call("check", "--report")
    assert printed.code == 0 and "bootstrap" in printed.out and "random-logit" in printed.out
    only = call("check", "--report", "turn-left-3", "-m", "rgb", "--test", "time").out
    assert "flow" not in only and "[" not in only.splitlines()[1]
    call("check", "--report", "-e", "AP").check_error(1, "no such result of a test")


def test_bootstrap_intervals_are_those_of_the_mean() -> None:
    numbers = list(np.random.default_rng(0).normal(3, 2, 160))
    found = estimate(numbers, seed=0)
    assert found.interval and found.mean == pytest.approx(np.mean(numbers))
    half = 1.96 * np.std(numbers) / np.sqrt(160)
    assert found.interval == pytest.approx((found.mean - half, found.mean + half), abs=0.05 * half + 0.02)
    assert estimate(numbers, seed=0) == found != estimate(numbers, seed=1)
    assert estimate([2.0], 0).interval is None


def test_ls_and_rm_know_what_tests_found(call: Call) -> None:
    assert call("check", SAMPLE, OTHER, *QUICK, "-m", "rgb").code == 0
    listed = lines(call("store", "ls", "--json"))
    assert [one["kind"] for one in listed].count("check") == 4 and [one["kind"] for one in listed].count("run") == 2
    assert "4 tests" in call("store", "ls").out
    assert {one["test"] for one in lines(call("store", "ls", "--test", "time", "--json"))} == {"time"}
    call("store", "ls", "--test", "mass").check_error(1, "no such result of a test")
    assert [one["kind"] for one in lines(call("store", "rm", "--test", "time", "grow-5", "--json"))] == ["check"]
    gone = lines(call("store", "rm", "turn-left-3", "--json"))
    assert sorted(one["kind"] for one in gone) == ["check", "check", "clips", "run"]
    assert [one["kind"] for one in lines(call("store", "ls", "--json"))] == ["run", "check"]
    assert call("store", "verify").code == 0
    assert call("store", "rm", "--all", "-y").code == 0 and not Store.open("gbvis.zarr").videos()


def test_pictures_are_of_the_tests_named(call: Call) -> None:
    assert call("check", SAMPLE, *QUICK, "-m", "rgb").code == 0
    words = ["render", "--layout", "check", "--json"]
    (both,), (one,) = lines(call(*words, "-o", "both.png")), lines(call(*words, "--test", "time", "-o", "one.png"))
    assert both["height"] > one["height"] and both["layout"] == "check"
    call("render", "--test", "time").check_error(2, "--test goes with --layout check")
    call(*words, "--test", "mass").check_error(1, "was not tested")


def test_a_damaged_result_is_found_and_made_again(call: Call, tmp_path: Path) -> None:
    words = ["check", SAMPLE, "-w", "sample", "-m", "rgb", "-e", "FC", "--test", "time", "-q", "--json"]
    (made,) = lines(call(*words))
    chunk = tmp_path / "gbvis.zarr" / made["group"] / "curves/c.0.0"
    content = bytearray(chunk.read_bytes())
    content[-6] ^= 1
    chunk.write_bytes(content)
    assert [one["group"] for one in lines(call("store", "verify", "--json"), 1) if one["problem"]] == [made["group"]]
    assert lines(call(*words)) == [made]
    assert call("store", "verify").code == 0


def test_python(call: Call, tmp_path: Path) -> None:
    del call
    (found,) = gbvis.check(SAMPLE, "sample", tests="time:shuffles=2", modality="rgb", store=tmp_path / "a.zarr")
    assert not isinstance(found, gbvis.Failure) and found.check.value > 0.5
    assert list(found.check.drawn["frame alone"].shape) == [8]

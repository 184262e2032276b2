"""The call that makes a run, told from the store: repeated, it computes nothing."""

import shlex
from pathlib import Path

import pytest

from conftest import Call
from gbvis.steps.shown_runs import ShownRuns
from gbvis.store import Store

RGB = "-m rgb -e FC -l 3 -n 4"

CALLS = {
    "a sample": "sample:left-1 -w sample {RGB}",
    "a sample's flow": "sample:left-1 -w sample -m flow -e Conv3d_1 -f 2 -n 4",
    "a method with settings": "sample:left-1 -w sample {RGB} --method smoothgrad:samples=2,noise=0.1",
    "a video file": "{video} -w sample {RGB} --clips 2",
    "frames of it": "{video} -w sample {RGB} --start 2 --stride 2",
    "all of it": "{video} -w sample {RGB} --clips all",
    "estimated flow": "{video} -w sample -m flow -e FC -l 3 -n 4 --flow-algorithm farneback --flow-mean-subtract",
    "a data set": "moving-disc -d {dataset} -w sample {RGB}",
    "a data set's flow": "moving-disc -d {dataset} -w sample -m flow -e FC -l 3 -n 4",
    "weights with a name": "{video} -w mine={weights} {RGB} --store other.zarr",
}


@pytest.mark.parametrize("name", CALLS)
def test_repeated_it_computes_nothing(
    name: str, call: Call, tmp_path: Path, video_file: Path, dataset: Path, weights: dict[str, Path]
) -> None:
    given = {"RGB": RGB, "video": video_file, "dataset": dataset, "weights": weights["rgb"]}
    done = call("explain", "-q", *CALLS[name].format(**given).split())
    assert done.code == 0, done.err
    store = Store.open(tmp_path / ("other.zarr" if "other" in CALLS[name] else "gbvis.zarr"))
    store.storage.location = Path(store.location).name
    (run,) = store.runs()
    words = shlex.split(ShownRuns(store).view(run).explain_command())
    assert words[:2] == ["gbvis", "explain"]
    again = call(*words[1:], "-q")
    assert again.code == 0 and "cached, nothing computed" in again.out, (words, again.out, again.err)


def test_what_options_cannot_say_is_not_told(call: Call, tmp_path: Path) -> None:
    assert call("explain", "sample:left-1", "-w", "sample", *RGB.split(), "--mean", "0.4,0.4,0.4", "-q").code == 0
    store = Store.open(tmp_path / "gbvis.zarr")
    (run,) = store.runs()
    assert ShownRuns(store).view(run).explain_command() == ""

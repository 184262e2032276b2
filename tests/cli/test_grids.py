"""Methods that find a grid: computed, kept with where its cells lie, and drawn there."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conftest import Call
from gbvis.networks.grid import Grid
from gbvis.steps.run_views import make_run_view
from gbvis.store import Store, StoredRun

LAYER = "Conv3d_4_x"
EXPLAIN = ("--method", f"grad-cam:at={LAYER}", "--frames", 8, "--clips", 1)


def runs(folder: Path) -> list[StoredRun]:
    return sorted(Store.open(folder / "gbvis.zarr").runs(), key=lambda run: run.position)


@pytest.mark.parametrize("stream", ["rgb", "flow"])
def test_where_cells_lie_is_measured_once_and_kept(
    call: Call, weights: dict[str, Path], dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: str
) -> None:
    explain = ["explain", "moving-disc", "-d", dataset, "-w", weights[stream], *EXPLAIN]
    assert call(*explain, "-e", "FC").code == 0

    def fail(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr("gbvis.networks.network.measure_start", fail)
    done = call(*explain, "-e", "SOFTMAX")
    assert done.code == 0, done.err
    first, second = runs(tmp_path)
    (info,) = Store.open(tmp_path / "gbvis.zarr").weights.all()
    assert first.grid == second.grid and isinstance(first.grid, Grid)
    assert first.grid.endpoint == LAYER and first.grid.places_per_frame == info.places_per_frame
    assert info.starts == {f"{LAYER} 24x112": first.grid.start} and max(first.grid.start) > 0.5
    assert first.axes == ("time", "y", "x") and first.kind == "positive"


def test_a_grid_is_drawn_on_the_centres_of_its_cells(
    call: Call, weights: dict[str, Path], dataset: Path, tmp_path: Path
) -> None:
    explain = ["explain", "moving-disc", "-d", dataset, "-w", weights["flow"], *EXPLAIN, "-e", "FC"]
    assert call(*explain, "-l", 1, "-l", 2, "-l", 3).code == 0
    for run in runs(tmp_path):
        view = make_run_view(Store.open(tmp_path / "gbvis.zarr"), run, find_source=pytest.fail)
        assert view.remark == "Conv3d_4_x, 4x14x14 cells"  # of u and v
        (clip,) = view.clips()
        assert run.grid and clip.gradient.shape == (2, 8, 112, 112) and clip.gradient.dtype == np.float32
        values, (time, row, column) = run.gradient(0), np.rint(run.grid.start).astype(int)
        moved = replace(run.grid, start=(time, row, column))  # to where cells are centred on pixels
        at = moved.spread(values, (8, 112, 112))[:, :, row::8, column::8].swapaxes(0, 1).reshape(16, 14, 14)
        np.testing.assert_allclose(at[time::4], values, atol=1e-6 * values.max())
    done = call("render", "moving-disc", "--layout", "overlay", "-d", dataset, "-o", "pictures")
    assert done.code == 0, done.err


@pytest.mark.slow
def test_a_worker_measures_too(warm: dict[str, str], weights: dict[str, Path], dataset: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "gbvis", "explain", "moving-disc", "-d", dataset, "-w", weights["rgb"], *EXPLAIN]
    for endpoint in ("FC", "SOFTMAX"):
        environment = {**os.environ, **warm}
        done = subprocess.run([*map(str, words), "-e", endpoint], cwd=tmp_path, env=environment, capture_output=True)
        assert done.returncode == 0, done.stderr
    (info,) = Store.open(tmp_path / "gbvis.zarr").weights.all()
    assert [*info.starts] == [f"{LAYER} 24x112"]
    assert {run.grid.start for run in runs(tmp_path) if run.grid} == {*info.starts.values()}

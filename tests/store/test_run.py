"""Stored runs as arrays: any method's axes, and where each number lies in the source."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from written_runs import FORMAT, FRAMES, Still, make_gradient, make_recipe, write_run

from gbvis.errors import StoreError, UsageError
from gbvis.networks.grid import Grid
from gbvis.store import Store
from gbvis.store.group import read_attributes, write_attributes
from gbvis.videos.resize import resize_and_crop
from gbvis.videos.video import VideoShape

WIDE = replace(FORMAT, height=20, width=30, crop=12, top=5, left=9)


class Wide(Still):
    """A video whose pixels are of another size than those of the resized frame, in each direction another."""

    shape = VideoShape(9, 12.5, 75, 40)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open_or_create(tmp_path / "gbvis.zarr")


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((2, 7, 7), ("time", "y", "x")),  # a grid, as Grad-CAM's
        ((3, 6, 6), ("time", "y", "x")),
        ((3,), ("time",)),
        ((3, 6, 6), ("channel", "y", "x")),
        ((), ()),
    ],
)
def test_a_run_of_a_method_with_other_axes_keeps_its_shape(
    store: Store, shape: tuple[int, ...], axes: tuple[str, ...]
) -> None:
    pytest.importorskip("xarray")
    made = [np.random.default_rng(clip).random(shape, np.float32) for clip in range(2)]
    write_run(store, make_recipe(), values=made, axes=axes)
    (run,) = Store.open(store.location).runs()
    assert run.axes == axes and run.gradient(1).shape == shape
    np.testing.assert_array_equal(run.to_numpy(), made)
    labelled = run.to_xarray()
    assert labelled.dims == ("clip", *axes)
    np.testing.assert_array_equal(labelled, made)
    steps = shape[axes.index("time")] if "time" in axes else 0
    assert ("frame" in labelled.coords) == (steps == 3)  # a step for each frame of the clip
    assert ("source_row" in labelled.coords) == ("y" in axes)


def middle_of(pixel: int, offset: int, resized: int, size: int) -> float:
    """Return where a pixel of a crop lies in the source: its middle's place, where the first pixel's middle is 0."""
    return (offset + pixel + 0.5) / resized * size - 0.5


@pytest.mark.parametrize("side", [12, 4])
def test_coordinates(store: Store, side: int) -> None:
    """Of the clip's own pixels, and of a grid that is coarser."""
    pytest.importorskip("xarray")
    recipe = make_recipe(preprocessing=WIDE.to_json(), clips=[[0, 1, 2], [6, 7, 8]])
    made = [np.zeros((3, 3, side, side), np.float32)] * 2
    write_run(store, recipe, Wide("wide", "/", "rgb"), clip_format=WIDE, values=made)
    (run,) = store.runs()
    labelled = run.to_xarray()
    coarseness = 12 // side
    inside = [coarseness * number + (coarseness - 1) / 2 for number in range(side)]
    np.testing.assert_allclose(labelled.source_row, [middle_of(row, 5, 20, 40) for row in inside])
    np.testing.assert_allclose(labelled.source_column, [middle_of(column, 9, 30, 75) for column in inside])
    assert labelled.name == "gradient" and list(labelled.channel.values) == ["red", "green", "blue"]
    np.testing.assert_array_equal(labelled.frame, recipe.clips)
    np.testing.assert_allclose(labelled.seconds, np.array(recipe.clips) / 12.5)
    assert labelled.frame.dims == labelled.seconds.dims == ("clip", "time")
    assert labelled.sel(channel="green").isel(clip=1).dims == ("time", "y", "x")


def test_coordinates_of_a_grid_are_where_its_cells_are_centred(store: Store) -> None:
    pytest.importorskip("xarray")
    recipe = make_recipe(preprocessing=WIDE.to_json(), clips=[[0, 1, 2], [4, 6, 8]])
    grid = Grid("Conv3d_3_x", (1.0, 3.0, 2.0), (2.0, 4.0, 8.0), places_per_frame=2)
    made = [np.ones((3, 3, 2), np.float32)] * 2
    video = Wide("wide", "/", "rgb")
    write_run(store, recipe, video, clip_format=WIDE, values=made, axes=("time", "y", "x"), grid=grid)
    (run,) = store.runs()
    assert run.grid == grid
    labelled = run.to_xarray()
    np.testing.assert_allclose(labelled.source_row, [middle_of(row, 5, 20, 40) for row in (3, 7, 11)])
    np.testing.assert_allclose(labelled.source_column, [middle_of(column, 9, 30, 75) for column in (2, 10)])
    np.testing.assert_allclose(labelled.frame, [[0.25, 1.25, 2], [4.5, 6.5, 8]])  # none is beyond the last frame
    np.testing.assert_allclose(labelled.seconds, labelled.frame / 12.5)


def test_numbers_beside_each_clip(store: Store) -> None:
    write_run(store, make_recipe())
    write_run(store, make_recipe(target=6), details=[{"gap": 0.01}, {"gap": 0.02, "steps": 40.0}])
    without, with_numbers = sorted(store.runs(), key=lambda run: run.target)
    assert without.details == [] and with_numbers.details == [{"gap": 0.01}, {"gap": 0.02, "steps": 40.0}]
    assert without.grid is None and with_numbers.grid is None
    attributes = json.loads((Path(store.location) / without.key / "zarr.json").read_text())["attributes"]
    assert not {"grid", "details"} & {*attributes}  # as older releases wrote it


@pytest.mark.parametrize(
    "lie",
    [
        {"grid": {"endpoint": "a", "start": [0, 0, 0], "step": [1, 1, 1]}},  # of what is in line with pixels
        {"grid": {"endpoint": "a", "start": [0, 0], "step": [1, 1, 1]}},
        {"details": [{"gap": 1.0}]},  # of one clip of two
        {"details": [{"gap": "wide"}, {}]},
    ],
)
def test_a_grid_and_numbers_that_make_no_sense(store: Store, lie: dict[str, object]) -> None:
    write_run(store, make_recipe())
    (run,) = store.runs()
    attributes = read_attributes(store.storage, run.key)
    assert attributes is not None
    write_attributes(store.storage, run.key, {**attributes, **lie})
    assert [*Store.open(store.location).runs()] == []


def test_coordinates_are_where_pixels_are_taken_from(store: Store) -> None:
    """A ramp that is resized and cropped has, in each pixel, the place in the source that it was taken from."""
    pytest.importorskip("xarray")
    recipe = make_recipe(preprocessing=WIDE.to_json())
    made = [np.zeros((3, 3, 12, 12), np.float32)] * 2
    write_run(store, recipe, Wide("wide", "/", "rgb"), clip_format=WIDE, values=made)
    (run,) = store.runs()
    labelled = run.to_xarray()
    rows, columns = 3 * np.mgrid[:40, :75].astype(np.uint8)
    taken = resize_and_crop(np.stack([columns, rows, rows], -1), (20, 30), (5, 9, 12)) / 3
    np.testing.assert_allclose(taken[0, :, 0], labelled.source_column, atol=0.2)
    np.testing.assert_allclose(taken[:, 0, 1], labelled.source_row, atol=0.2)


def test_a_rate_that_nobody_knows(store: Store) -> None:
    pytest.importorskip("xarray")
    write_run(store, make_recipe())
    (run,) = store.runs()
    labelled = run.to_xarray()
    assert "seconds" not in labelled.coords
    np.testing.assert_array_equal(labelled.frame, FRAMES)


def test_without_xarray(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xarray", None)
    write_run(store, make_recipe())
    (run,) = store.runs()
    with pytest.raises(UsageError, match="xarray is not installed") as error:
        run.to_xarray()
    assert "to_numpy()" in error.value.hint
    np.testing.assert_array_equal(run.to_numpy()[0], make_gradient(0))


def test_clips_that_are_gone(store: Store) -> None:
    """The numbers are there all the same; where they lie is not known."""
    pytest.importorskip("xarray")
    write_run(store, make_recipe())
    (run,) = store.runs()
    store.storage.remove(run.clips_key)
    np.testing.assert_array_equal(run.to_numpy()[1], make_gradient(1))
    for read in (run.to_xarray, run.read_clips):
        with pytest.raises(StoreError, match="are missing") as error:
            read()
        assert "gbvis explain" in error.value.hint

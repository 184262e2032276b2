"""Where the cells of an activation lie: what is drawn of one cell lies where that cell's gradient does."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor

from gbvis.errors import UsageError
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.grid import Cells, Grid
from gbvis.networks.load import build_network
from gbvis.networks.network import Network
from gbvis.networks.r2plus1d.architecture import STAGES, STEM, Architecture
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.networks.r2plus1d.formats import OLD_SCRIPT, TORCHVISION
from gbvis.networks.r2plus1d.module import R2Plus1D
from gbvis.networks.registration import find_centroid, infer_cells, measure_start
from gbvis.networks.weights import NamedTensors
from material.checkpoints import make_tensors
from material.small_kind import EDGES, FORMAT, SHAPES, SmallKind, SmallNet, make_small_tensors

FRAMES = 32
FORMS = pytest.mark.parametrize("form", [TORCHVISION, OLD_SCRIPT], ids=["symmetric", "same"])
CELLS = {
    STAGES[3]: [(2, 2, 4), (2, 3, 3), (2, 4, 2)],
    STAGES[2]: [(3, 4, 9), (4, 7, 7), (4, 9, 5), (3, 6, 6)],
}
"""Cells whose fields are not cut off by the clip's borders: a field that is has its centroid further in."""


def make_network(architecture: Architecture, form: CheckpointFormat, seed: int) -> Network:
    """Return a network with random weights."""
    torch.manual_seed(seed)
    module = R2Plus1D(architecture, form.variant)
    tensors = {str(form.name_of(name)): tensor for name, tensor in module.state_dict().items()}
    return build_network(NamedTensors(Path("made.pth"), tensors))


def locate(network: Network, endpoint: Endpoint, cell: Sequence[int], noise: Sequence[Tensor]) -> np.ndarray:
    """Return the centroid of a cell's |gradient| on noise, in places of the network's input."""
    total: np.ndarray | float = 0.0
    for one in noise:
        one = one.clone().requires_grad_()
        activation = next(values for found, values in network.endpoints(one) if found == endpoint)
        time, row, column = cell
        (gradient,) = torch.autograd.grad(activation[0, :, time, row, column].sum(), one)
        total = total + gradient[0].abs().double().sum(0).numpy()
    assert isinstance(total, np.ndarray)
    return find_centroid(total)


def draw(grid: Grid, counts: Sequence[int], cell: tuple[int, ...]) -> np.ndarray:
    """Return the centroid of what is drawn of a grid with one hot cell, in places of the network's input."""
    values = np.zeros(counts, np.float32)
    values[cell] = 1
    drawn = grid.spread(values, (FRAMES, 112, 112))  # (channel, frame, row, column)
    return find_centroid(np.moveaxis(drawn, 0, 1).reshape(-1, 112, 112))


def check_drawn(network: Network, endpoint: Endpoint, cells: Sequence[tuple[int, int, int]], clips: int) -> None:
    """Check that each cell is drawn within a pixel and half a frame of its gradient on some clips of noise."""
    info = network.info
    places = FRAMES * info.places_per_frame
    torch.manual_seed(7)
    noise = [torch.randn(1, info.input_channels, places, 112, 112) for _ in range(clips)]
    grid = network.grid(endpoint.name, FRAMES)
    step = np.array(grid.step)
    counts = tuple(np.ceil(np.array([places, 112, 112]) / step).astype(int))
    for cell in cells:
        middle = cell if not info.interleaved else (counts[0] // 2 + cell[0] % 2, *cell[1:])
        off = np.abs(draw(grid, counts, middle) - locate(network, endpoint, middle, noise))
        assert off[0] <= 0.5 * info.places_per_frame and off[1:].max() <= 1, (endpoint, cell, off)


@FORMS
def test_one_cell_is_drawn_where_its_gradient_lies(make_weights: ModuleType, form: CheckpointFormat) -> None:
    check_drawn(make_network(make_weights.make_architecture(3), form, 0), STAGES[2], CELLS[STAGES[2]][1:2], clips=2)


@pytest.mark.slow
@FORMS
@pytest.mark.parametrize("channels", [3, 2, 1])
@pytest.mark.parametrize("seed", range(3))
def test_cells_are_drawn_where_their_gradients_lie(
    make_weights: ModuleType, form: CheckpointFormat, channels: int, seed: int
) -> None:
    """On several clips: of few filters fewer are active, and a single clip's gradient lies where these look."""
    if channels < 3 and form is TORCHVISION:
        pytest.skip("torchvision has no flow")
    network = make_network(make_weights.make_architecture(channels), form, seed)
    for endpoint, cells in CELLS.items():
        check_drawn(network, endpoint, cells[seed : seed + 1], clips=4)


@pytest.mark.slow
@FORMS
def test_cells_of_a_network_of_full_size(form: CheckpointFormat) -> None:
    network = make_network(Architecture.of_depth(18, 3, 400), form, 0)
    for endpoint, cells in CELLS.items():
        check_drawn(network, endpoint, cells[:1], clips=1)


def test_where_padding_is_symmetric_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_network(NamedTensors(Path("made.pth"), make_tensors(TORCHVISION)))
    monkeypatch.setattr("gbvis.networks.network.measure_start", None)
    assert network.grid("Conv3d_5_x", 16) == Grid("Conv3d_5_x", (0, 0, 0), (8, 16, 16))
    assert network.grid("Conv3d_1", 16) == Grid("Conv3d_1", (0, 0, 0), (1, 2, 2))


def test_what_is_measured_is_remembered(weights: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for all clips whose padding is the same; and not at all where a record has it."""
    from gbvis.networks.load import load_networks

    (network,) = load_networks(weights["flow"], "0" * 64)
    measured = []

    def measure(activate: object, name: str, step: object, noise: Tensor) -> tuple[float, float, float]:
        measured.append((name, tuple(noise.shape)))
        return 1.0, 2.0, float(len(measured))

    monkeypatch.setattr("gbvis.networks.network.measure_start", measure)
    assert network.grid("Conv3d_5_x", 16) == Grid("Conv3d_5_x", (1, 2, 1), (8, 16, 16), 2)
    assert network.grid("Conv3d_5_x", 16) == network.grid("Conv3d_5_x", 32) == network.grid("Conv3d_5_x", 4)
    assert network.grid("Conv3d_5_x", 17).start == (1, 2, 2)
    assert measured == [("Conv3d_5_x", (1, 1, 32, 112, 112)), ("Conv3d_5_x", (1, 1, 34, 112, 112))]
    assert network.starts == {"Conv3d_5_x 32x112": (1, 2, 1), "Conv3d_5_x 34x112": (1, 2, 2)}


def test_the_cells_of_the_architecture_are_those_of_its_shapes(weights: dict[str, Path]) -> None:
    for tensors in (make_tensors(TORCHVISION), make_tensors(OLD_SCRIPT, channels=1)):
        network = build_network(NamedTensors(Path("made.pth"), tensors))
        info = network.info
        found = infer_cells(network.trace_shapes, info.clip_format, info.input_channels)
        assert {name: one.step for name, one in found.items()} == {name: one.step for name, one in info.cells.items()}
        assert list(found) == [STEM.name, *(stage.name for stage in STAGES)]


def test_a_kind_that_says_nothing_of_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its shapes tell the steps; where its cells lie is measured."""
    from gbvis.registry import Registry

    monkeypatch.setattr("gbvis.networks.load.KINDS", Registry("network kind", {"small": "material.small_kind:KIND"}))
    network = build_network(NamedTensors(Path("small.pth"), make_small_tensors()))
    assert network.info.cells == {"edges": Cells((1.0, 1.0, 1.0)), "shapes": Cells((2.0, 2.0, 2.0))}
    grid = network.grid(SHAPES.name, 6)
    assert grid.step == (2, 2, 2) and np.abs(grid.start).max() < 0.3
    assert np.abs(network.grid(EDGES.name, 6).start).max() < 0.2


class OneSize(SmallNet):
    """Takes clips of 6 frames and 24 rows and columns."""

    def endpoints(self, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        for endpoint, activation in super().endpoints(clips):
            yield endpoint, activation + torch.zeros_like(activation) if clips.shape[2:] == (6, 24, 24) else None  # type: ignore[misc]


def test_a_kind_that_takes_one_size_only() -> None:
    network = Network(OneSize(), SmallKind().build(NamedTensors(Path("a"), make_small_tensors()), None)[1], SmallKind())
    found = infer_cells(network.trace_shapes, FORMAT, 3)
    assert found == {
        "edges": Cells((1.0, 1.0, 1.0), has_any_size=False),
        "shapes": Cells((2.0, 2.0, 2.0), has_any_size=False),
    }
    assert [found["shapes"].choose_length(frames) for frames in (6, 32)] == [6, 32]


def test_a_network_that_cannot_be_traced() -> None:
    def fail(shape: tuple[int, ...]) -> dict[Endpoint, tuple[int, ...]]:
        raise NotImplementedError("no such operator on meta tensors")

    assert infer_cells(fail, FORMAT, 3) == {}


@pytest.mark.parametrize(
    ("step", "frames", "length"),
    [(8, 32, 32), (8, 16, 32), (8, 9, 33), (8, 15, 39), (8, 40, 32), (4, 32, 24), (4, 5, 25), (1, 3, 24), (2, 7, 25)],
)
def test_a_start_is_measured_where_cells_are_far_from_both_ends(step: int, frames: int, length: int) -> None:
    """The remainder decides how the frames are padded."""
    assert Cells((float(step), 16.0, 16.0)).choose_length(frames) == length


def test_centres_in_frames_and_pixels_of_the_clip() -> None:
    grid = Grid("a", (1.0, 3.0, 4.0), (4.0, 8.0, 16.0), places_per_frame=2)
    np.testing.assert_array_equal(grid.centres(0, 3), [0.25, 2.25, 4.25])  # the middle of frame 0 is at place 0.5
    np.testing.assert_array_equal(grid.centres(1, 2), [3, 11])
    np.testing.assert_array_equal(grid.centres(2, 2), [4, 20])


def test_one_cell_fills_the_whole_clip() -> None:
    spread = Grid("a", (3.0, 1.0, 1.0), (8.0, 16.0, 16.0)).spread(np.full((1, 1, 1), 2.5, np.float32), (4, 6, 6))
    assert spread.dtype == np.float32 and spread.shape == (1, 4, 6, 6) and (spread == 2.5).all()


@pytest.mark.parametrize(
    "numbers", [((0, 0, float("nan")), (1, 1, 1), 1), ((0, 0, 0), (1, 0, 1), 1), ((0, 0, 0), (1, 1, 1), 3)]
)
def test_numbers_that_make_no_grid(numbers: tuple[tuple[float, ...], tuple[float, ...], int]) -> None:
    with pytest.raises(ValueError, match="expected 1 or 2|cells at"):
        Grid("a", *numbers)  # type: ignore[arg-type]


def activate_some(noise: Tensor, living: slice) -> Iterator[tuple[Endpoint, Tensor]]:
    """Yield an endpoint whose cells are the input's, and only some frames of which have a gradient."""
    mask = torch.zeros_like(noise)
    mask[:, :, living] = 1
    yield Endpoint("Mixed_4f"), noise * mask


def test_cells_without_a_gradient_do_not_count() -> None:
    noise = torch.ones(1, 1, 12, 12, 12)
    start = measure_start(lambda batch: activate_some(batch, slice(5, None)), "Mixed_4f", (1.0, 1.0, 1.0), noise)
    assert start == (0, 0, 0)


def test_where_no_cell_has_a_gradient_an_error_says_so() -> None:
    noise = torch.ones(1, 1, 12, 12, 12)
    with pytest.raises(UsageError, match="Mixed_4f lie cannot be measured"):
        measure_start(lambda batch: activate_some(batch, slice(0)), "Mixed_4f", (1.0, 1.0, 1.0), noise)

from pathlib import Path

import numpy as np
import pytest
import torch

from gbvis.errors import DeviceError, UsageError
from gbvis.networks.endpoint import AP, FC, SOFTMAX
from gbvis.networks.load import load_networks
from gbvis.networks.network import Network, find_device
from gbvis.networks.r2plus1d.architecture import ENDPOINTS, STEM


def load(path: Path) -> Network:
    (network,) = load_networks(path, "0" * 64)
    return network


def test_flow_is_taken_apart_into_u_and_v(weights: dict[str, Path], random: np.random.Generator) -> None:
    network = load(weights["flow"])
    clip = random.integers(0, 256, (4, 112, 112, 2), dtype=np.uint8)
    tensor = network.preprocess([clip])
    assert tensor.shape == (1, 1, 8, 112, 112)
    np.testing.assert_allclose(tensor[0, 0, 5], (clip[2, ..., 1].astype(np.float32) - 128) / 128)  # u1 v1 u2 v2 u3 v3
    np.testing.assert_array_equal(
        network.align_gradients(tensor)[0], (clip.transpose(3, 0, 1, 2).astype("f4") - 128) / 128
    )


def test_what_is_predicted_is_what_the_module_gives(weights: dict[str, Path], random: np.random.Generator) -> None:
    network = load(weights["rgb"])
    clips = [random.integers(0, 256, (4, 112, 112, 3), dtype=np.uint8) for _ in range(2)]
    found = network.predict(clips, {STEM, AP, SOFTMAX})
    with torch.no_grad():
        expected = dict(network.module.endpoints(network.preprocess(clips)))
    assert set(found) == {STEM, AP, SOFTMAX}
    for endpoint, values in found.items():
        theirs = expected[endpoint].abs().sum((2, 3, 4)) if endpoint is STEM else expected[endpoint]
        np.testing.assert_allclose(values.array(), theirs, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found[SOFTMAX].array().sum(1), 1, rtol=1e-5)


def test_shapes_are_traced_and_nothing_is_computed(weights: dict[str, Path]) -> None:
    shapes = load(weights["rgb"]).trace_shapes((3, 16, 112, 112))
    assert list(shapes) == list(ENDPOINTS)
    assert (shapes[STEM], shapes[FC]) == ((8, 16, 56, 56), (101,))


def test_devices_and_precisions_that_are_not_there(weights: dict[str, Path]) -> None:
    assert find_device("cpu") == torch.device("cpu")
    with pytest.raises(UsageError, match="no device cuda:99"):
        find_device("cuda:99")
    with pytest.raises(UsageError, match="tf32 needs a CUDA device"):
        load(weights["rgb"]).to(torch.device("cpu"), "tf32")


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")], ids=repr)
def test_a_clip_that_does_not_fit_says_so(weights: dict[str, Path], error: Exception) -> None:
    network = load(weights["rgb"])
    with pytest.raises(DeviceError, match="not enough memory on cpu") as found, network.precision_scope():
        raise error
    assert "-n" in found.value.hint
    with pytest.raises(RuntimeError, match="a bug"), network.precision_scope():
        raise RuntimeError("a bug")


def test_the_precision_is_torchs_only_inside_its_scope(weights: dict[str, Path]) -> None:
    network = load(weights["rgb"])
    network.precision = "tf32"
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    with network.precision_scope():
        assert torch.backends.cuda.matmul.allow_tf32 and torch.backends.cudnn.allow_tf32
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == before

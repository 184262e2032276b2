"""`gbvis.load_network`: a module goes in, and a module comes out: Captum's methods find on it what gbvis finds."""

from pathlib import Path

import numpy as np
import pytest
from torch import Tensor, nn

import gbvis
from gbvis.errors import UsageError
from gbvis.networks.input_format import InputFormat
from gbvis.networks.network import Network
from material.own_networks import BottleneckNet, Decides, make

SIZE = (8, 24, 24)

pytestmark = pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU")  # Captum says so


class Plain(nn.Module):
    """ReLUs that Captum finds too."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.relu = nn.Conv3d(3, 4, 3, 2, 1), nn.ReLU()
        self.conv, self.relu2 = nn.Conv3d(4, 5, 3, 2, 1), nn.ReLU()
        self.head = nn.Linear(5, 4)

    def forward(self, clips: Tensor) -> Tensor:
        """Return (N, classes)."""
        made = self.relu2(self.conv(self.relu(self.stem(clips))))
        logits: Tensor = self.head(made.mean((2, 3, 4)))
        return logits


def explain(network: object, method: str, folder: Path, **more: object) -> np.ndarray:
    """Return what gbvis finds for class 2 at FC: float32, without the axis of clips."""
    (result,) = gbvis.explain(
        "sample:left-1", network, endpoints="FC", labels=2, methods=method, store=folder / "s.zarr", **more
    )
    assert not isinstance(result, gbvis.Failure), result
    return result.run.to_numpy()[0]


def find_clip(folder: Path, network: Network) -> Tensor:
    store = gbvis.open_store(folder / "s.zarr")
    pixels = store.clips_of(next(iter(store.runs()))).pixels(0)
    return network.preprocess([np.asarray(pixels)]).requires_grad_()


def find_black(network: Network) -> Tensor:
    form = network.info.clip_format
    return network.preprocess([np.zeros((form.frames, form.crop, form.crop, 3), np.uint8)])


CAPTUM = {
    "gradient": lambda attr, module, clip, _: attr.Saliency(module).attribute(clip, target=2, abs=False),
    "guided-backprop": lambda attr, module, clip, _: attr.GuidedBackprop(module).attribute(clip, target=2),
    "integrated-gradients:steps=16": lambda attr, module, clip, black: attr.IntegratedGradients(module).attribute(
        clip, black, target=2, n_steps=16
    ),
}


def ask_captum(method: str, module: nn.Module, clip: Tensor, black: Tensor) -> np.ndarray:
    """Return what Captum finds for class 2: float32 (channel, time, y, x)."""
    from captum import attr

    found: Tensor = CAPTUM[method](attr, module, clip, black)
    return found[0].detach().numpy()


def ask_captum_for_grad_cam(module: nn.Module, layer: nn.Module, clip: Tensor) -> np.ndarray:
    """Return Captum's Grad-CAM of class 2 at a layer: float32 (time, y, x), not below 0."""
    from captum.attr import LayerGradCam

    cam: Tensor = LayerGradCam(module, layer).attribute(clip, target=2)
    return cam[0, 0].clamp(min=0).detach().numpy()


DEAR = ("gradient", "integrated-gradients:steps=16", "grad-cam")
"""Methods that go through the same code as guided back-propagation, at every call's cost."""


@pytest.mark.parametrize("method", CAPTUM)
def test_a_module_is_explained_as_captum_does_it(tmp_path: Path, method: str) -> None:
    module = make(Plain)
    network = gbvis.load_network(module, input=SIZE)
    asked = method + (",baseline=black" if ":" in method else "")
    found = explain(network, asked, tmp_path)
    expected = ask_captum(method, module.eval(), find_clip(tmp_path, network), find_black(network))
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


def test_grad_cam_as_captum_does_it(tmp_path: Path) -> None:
    module = make(Plain)
    network = gbvis.load_network(module, input="8x24x24")
    found = explain(network, "grad-cam:at=conv", tmp_path)
    expected = ask_captum_for_grad_cam(module.eval(), module.conv, find_clip(tmp_path, network))
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("method", ["guided-backprop", *(pytest.param(one, marks=pytest.mark.slow) for one in DEAR)])
def test_captum_works_on_a_network_that_gbvis_loads(tmp_path: Path, method: str) -> None:
    """The networks that come along: `network.module` takes what `preprocess` returns, and returns logits."""
    network = gbvis.load_network("sample", modality="rgb")
    asked = {"grad-cam": "grad-cam:at=conv5_x"}.get(method, method + (",baseline=black" if ":" in method else ""))
    found = explain("sample", asked, tmp_path, modality="rgb")
    clip = find_clip(tmp_path, network)
    if method == "grad-cam":
        expected = ask_captum_for_grad_cam(network.module, network.module.stages[-1], clip)  # type: ignore[union-attr]
    else:
        expected = ask_captum(method, network.module, clip, find_black(network))
    tolerance = 2e-3 if "integrated" in method else 1e-4  # at some node a ReLU is as near to 0 as rounding goes
    np.testing.assert_allclose(found, expected, atol=tolerance * np.abs(expected).max())


def test_what_changes_a_module_in_memory_finds_no_old_numbers(tmp_path: Path) -> None:
    def keys(module: nn.Module) -> str:
        return gbvis.load_network(module, input=SIZE).info.identity

    class Other(Plain):
        def forward(self, clips: Tensor) -> Tensor:
            return 2 * super().forward(clips)

    class Third(Plain):
        def forward(self, clips: Tensor) -> Tensor:
            return 3 * super().forward(clips)

    Third.__qualname__ = Other.__qualname__
    hooked, scaled = make(Plain), make(Plain)
    hooked.conv.register_forward_hook(lambda part, given, output: 2 * output)
    scaled.stem.padding = (0, 0, 0)
    found = [keys(module) for module in (make(Plain), make(Other), make(Third), hooked, scaled)]
    assert len(set(found)) == len(found)
    assert keys(make(Plain)) == found[0]


def test_a_network_that_is_changed_after_loading_is_refused(tmp_path: Path) -> None:
    network = gbvis.load_network(Plain(), input=SIZE)
    explain(network, "gradient", tmp_path)
    network.module.get_parameter("head.bias").add_(1)
    with pytest.raises(UsageError, match="Plain was changed after it was loaded"):
        explain(network, "gradient", tmp_path)


@pytest.mark.parametrize(("name", "other"), [("relu", nn.GELU()), ("head", nn.Linear(5, 4))])
def test_a_network_with_another_module_in_it_is_refused(tmp_path: Path, name: str, other: nn.Module) -> None:
    """With tensors of its own or without; loaded again, it is explained as it is now."""
    network = gbvis.load_network(make(Plain), input=SIZE)
    before = explain(network, "gradient", tmp_path)
    setattr(network.module, name, other)
    with pytest.raises(UsageError, match="Plain was changed after it was loaded"):
        explain(network, "gradient", tmp_path)
    again = gbvis.load_network(network.module, input=SIZE)
    assert not np.array_equal(explain(again, "gradient", tmp_path), before)


def test_the_input_is_said_as_for_a_file(tmp_path: Path) -> None:
    said = InputFormat(mean=(0.4, 0.4, 0.4), std=(0.2, 0.2, 0.2), channel_order="bgr")
    network = gbvis.load_network(make(Plain), input=SIZE, inputs=said)
    assert network.info.clip_format.is_bgr and network.info.clip_format.mean == (0.4, 0.4, 0.4)
    plain = explain(gbvis.load_network(make(Plain), input=SIZE), "gradient", tmp_path / "a")
    assert not np.array_equal(explain(network, "gradient", tmp_path / "b"), plain)
    (predicted,) = gbvis.predict("sample:left-1", network, clips=1, store=tmp_path / "s.zarr")
    assert len(predicted.top) == 4


def test_a_function_is_loaded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = "from torch import nn\nbuild = lambda: nn.Sequential(nn.Conv3d(3, 2, 1), nn.ReLU())\n"
    (tmp_path / "nets.py").write_text(source)
    network = gbvis.load_network(network="nets.py:build", input=SIZE)
    assert [one.name for one in network.info.endpoints] == ["0", "1"]
    chosen = gbvis.load_network(network="nets.py:build", input=SIZE, endpoints="1")
    assert [one.name for one in chosen.info.endpoints] == ["1"]


@pytest.mark.parametrize("given", [5, None, 2.5, b"rgb.pth", {"fc.weight": 1}, ["rgb.pth", 5]])
def test_weights_that_are_no_file_are_refused(given: object) -> None:
    for call in (gbvis.load_network, lambda weights: gbvis.explain("sample:left-1", weights)):
        with pytest.raises(UsageError, match="weights are a file, or what gbvis.load_network returns, and not a "):
            call(given)  # type: ignore[arg-type, operator]


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--input '5' is no input"):
        gbvis.load_network(make(BottleneckNet), input=5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="nothing says what the module takes"):
        gbvis.load_network(make(BottleneckNet))
    for given in (make(BottleneckNet), lambda: make(BottleneckNet)):
        with pytest.raises(UsageError, match="weights are a file, or what gbvis.load_network returns"):
            gbvis.explain("sample:left-1", given)
    with pytest.raises(UsageError, match="weights are a file, or what gbvis.load_network returns"):
        gbvis.load_network(lambda: make(BottleneckNet), input=SIZE)
    with pytest.raises(UsageError, match="a module and a function"):
        gbvis.load_network(make(BottleneckNet), network="nets.py:build", input=SIZE)
    with pytest.raises(UsageError, match="endpoints are chosen of a module"):
        gbvis.load_network("sample", modality="rgb", endpoints="conv1")
    with pytest.raises(UsageError, match="unknown endpoint 'stom'"):
        gbvis.load_network(make(BottleneckNet), input=SIZE, endpoints="stom")
    network = gbvis.load_network(make(Decides), input=SIZE)
    with pytest.raises(UsageError, match="cannot be given to workers"):
        list(gbvis.explain("sample:left-1", network, devices="cpu:1x1", store=tmp_path / "s.zarr"))

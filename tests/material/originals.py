"""Other people's networks, from packages of the registry that only tests use; nothing of them is in this repository.

    pip install --no-deps torchvision cd-fvd

- torchvision (BSD): its own `s3d`.
- cd-fvd (MIT) carries `pytorch_i3d.py` of github.com/piergiaj/pytorch-i3d (Apache-2.0), the I3D that most people copy.
  Its norms have another epsilon than the original's; `make_i3d` sets that back.
"""

import importlib.util
import os
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest
import torch
from torch import nn


def _leave_out(reason: str) -> NoReturn:
    """Skip the test, or fail where all originals have to be there."""
    (pytest.fail if os.environ.get("NEED_ORIGINALS") else pytest.skip)(reason)


def import_torchvision() -> ModuleType:
    """Return torchvision; beside a CPU build of torch its own operators have no kernels, and must be named first."""
    if importlib.util.find_spec("torchvision") is None:
        _leave_out("torchvision is not installed: pip install --no-deps torchvision")
    if not hasattr(torch.ops.torchvision, "nms"):
        torch.library.define("torchvision::nms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        torch.library.define("torchvision::qnms", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("torchvision")


def import_pytorch_i3d() -> ModuleType:
    """Return the module `pytorch_i3d`, without the package around it."""
    spec = importlib.util.find_spec("cdfvd")
    if spec is None or not spec.submodule_search_locations:
        _leave_out("the original I3D is not installed: pip install --no-deps cd-fvd")
    path = Path(spec.submodule_search_locations[0]) / "third_party/i3d/pytorch_i3d.py"
    found = importlib.util.spec_from_file_location("pytorch_i3d", path)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def make_i3d(channels: int, classes: int, thinness: int = 1, has_modules: bool = True) -> Any:
    """Return the original I3D in evaluation mode.

    Args:
        channels: Of the clip.
        classes: Of the classifier.
        thinness: Every other layer has this share of its channels.
        has_modules: Its ReLUs are modules; else functions, as they were written.
    """
    original = import_pytorch_i3d()
    network = original.InceptionI3d(classes, in_channels=channels)
    for unit in network.modules():
        if isinstance(unit, original.Unit3D):
            _rebuild(unit, channels, thinness)
            if has_modules and unit._activation_fn is not None:
                unit._activation_fn = nn.ReLU()
    return network.eval()


def _rebuild(unit: Any, channels: int, thinness: int) -> None:
    """Give a unit fewer channels, and its norm the original's epsilon; the first one takes what it took."""
    old, is_head = unit.conv3d, not unit._use_batch_norm
    inputs = old.in_channels if old.in_channels == channels else old.in_channels // thinness
    outputs = old.out_channels if is_head else old.out_channels // thinness
    if thinness > 1:
        unit.conv3d = nn.Conv3d(inputs, outputs, old.kernel_size, old.stride, bias=is_head)
    if not is_head:
        unit.bn = nn.BatchNorm3d(outputs, eps=1e-3)


def randomise_norms(network: nn.Module) -> None:
    """Give norms statistics and factors that matter, and convolutions weights that keep activations alive."""
    torch.manual_seed(3)
    for part in network.modules():
        if isinstance(part, nn.Conv3d):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
        elif isinstance(part, nn.BatchNorm3d):
            nn.init.normal_(part.weight, 1, 0.1)
            nn.init.normal_(part.bias, 0, 0.1)
            nn.init.normal_(part.running_mean, 0, 0.1)
            nn.init.uniform_(part.running_var, 0.5, 1.5)

"""Inception-v1 in time and space, as I3D and S3D have it: its layers, its endpoints and its head."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from gbvis.networks.endpoint import AP, FC, SOFTMAX, Endpoint
from gbvis.networks.shaped.format import Shapes
from gbvis.networks.shaped.module import ShapedModule
from gbvis.videos.clip import ClipFormat

Triple = tuple[int, int, int]


@dataclass(frozen=True)
class Layer:
    """One layer of the network; the names are those of DeepMind's kinetics-i3d.

    Attributes:
        name: Its name, which is also its endpoint's.
        what: A convolution, a pooling, or a block of four branches.
        kernel: Along time, y and x; of a block, that of its widest branch.
        stride: Along time, y and x.
    """

    name: str
    what: Literal["convolution", "pooling", "block"]
    kernel: Triple
    stride: Triple = (1, 1, 1)


LAYERS = (
    Layer("Conv3d_1a_7x7", "convolution", (7, 7, 7), (2, 2, 2)),
    Layer("MaxPool3d_2a_3x3", "pooling", (1, 3, 3), (1, 2, 2)),
    Layer("Conv3d_2b_1x1", "convolution", (1, 1, 1)),
    Layer("Conv3d_2c_3x3", "convolution", (3, 3, 3)),
    Layer("MaxPool3d_3a_3x3", "pooling", (1, 3, 3), (1, 2, 2)),
    *(Layer(f"Mixed_{name}", "block", (3, 3, 3)) for name in ("3b", "3c")),
    Layer("MaxPool3d_4a_3x3", "pooling", (3, 3, 3), (2, 2, 2)),
    *(Layer(f"Mixed_{name}", "block", (3, 3, 3)) for name in ("4b", "4c", "4d", "4e", "4f")),
    Layer("MaxPool3d_5a_2x2", "pooling", (2, 2, 2), (2, 2, 2)),
    *(Layer(f"Mixed_{name}", "block", (3, 3, 3)) for name in ("5b", "5c")),
)

ENDPOINTS = tuple(Endpoint(layer.name, (f"features.{number}",)) for number, layer in enumerate(LAYERS))
"""Those with time and space, by DeepMind's names and torchvision's."""

_LOGITS = replace(FC, aliases=(*FC.aliases, "logits"))

WIDTHS: dict[str, tuple[int, ...]] = {
    "Conv3d_1a_7x7": (64,),
    "Conv3d_2b_1x1": (64,),
    "Conv3d_2c_3x3": (192,),
    "Mixed_3b": (64, 96, 128, 16, 32, 32),
    "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64),
    "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64),
    "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128),
    "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}
"""Output channels of the published network's convolutions: of a block branch by branch, in the order of the forward
pass. They come from GoogLeNet (Szegedy et al. 2015, "Going Deeper with Convolutions", table 1)."""

CLIP_FORMAT = ClipFormat(
    frames=64,
    height=256,
    width=256,
    crop=224,
    top=16,
    left=16,
    scale=127.5,
    mean=(1.0,) * 3,
    std=(1.0,) * 3,
    keeps_aspect=True,
)
"""The middle 224x224 pixels of RGB frames whose shorter side is 256, from -1 to 1; the papers train on 64 frames."""

_WINDOW = (2, 7, 7)
"""What the head averages over at once: all of a frame of 224x224 pixels."""


class Block(nn.Module):
    """Four branches side by side, whose channels are put one behind the other."""

    @abstractmethod
    def branches(self, activation: Tensor) -> Iterator[Tensor]:
        """Yield what the branches make of an activation, in the order of their channels."""

    def forward(self, activation: Tensor) -> Tensor:
        """Return (N, all outputs, T, H, W) for (N, inputs, T, H, W)."""
        return torch.cat(list(self.branches(activation)), 1)


class InceptionNetwork(ShapedModule):
    """What I3D and S3D share: one layer after the other, then the mean over time of the logits of windows."""

    @abstractmethod
    def layers(self) -> Iterator[nn.Module]:
        """Yield the layers in the order of `LAYERS`."""

    @abstractmethod
    def find_head(self) -> nn.Conv3d:
        """Return the classifier: a convolution of 1x1x1."""

    def endpoints(self, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield every endpoint and its activation, each computed when it is asked for.

        The classifier is linear: the mean of its logits over windows, as the authors have it, is the logit of the mean,
        which is computed here. Where a clip is smaller than a window of the head, it is one window.

        Args:
            clips: float32 (N, channels, T, H, W), normalised.

        Yields:
            (N, filters, T', H', W') up to `Mixed_5c`, (N, features) at `AP`, (N, classes) at `FC` and `SOFTMAX`.
        """
        activation = clips
        for endpoint, layer in zip(ENDPOINTS, self.layers(), strict=True):
            activation = layer(activation)
            yield endpoint, activation
        head = self.find_head()
        features = average(activation.to(head.weight.dtype))
        yield AP, features
        logits = head(features[:, :, None, None, None]).flatten(1)
        yield _LOGITS, logits
        yield SOFTMAX, logits.softmax(1)

    def receptive_fields(self) -> dict[Endpoint, tuple[int, int]]:
        """Return the frames and pixels that one activation sees at every endpoint with time and space."""
        fields: dict[Endpoint, tuple[int, int]] = {}
        frames = pixels = frame_step = pixel_step = 1
        for endpoint, layer in zip(ENDPOINTS, LAYERS, strict=True):
            frames += (layer.kernel[0] - 1) * frame_step
            pixels += (layer.kernel[1] - 1) * pixel_step
            frame_step *= layer.stride[0]
            pixel_step *= layer.stride[1]
            fields[endpoint] = frames, pixels
        return fields


def average(activation: Tensor) -> Tensor:
    """Return the mean over windows of each window's mean: (N, C) for (N, C, T, H, W).

    Frames in the middle are in two windows, the first and the last in one.
    """
    sizes = activation.shape[2:]
    window = [min(size, width) for size, width in zip(sizes, _WINDOW, strict=True)]
    return functional.avg_pool3d(activation, window, 1).mean((2, 3, 4))


def read_outputs(shapes: Shapes, name: str) -> int:
    """Return the output channels of the convolution whose weight has this name.

    Raises:
        LookupError: It is missing, or no weight of a 3-D convolution; the argument is its name.
    """
    shape = shapes.get(name)
    if shape is None or len(shape) != 5 or 0 in shape:
        raise LookupError(name)
    return shape[0]


def read_inputs(shapes: Shapes, name: str) -> int:
    """Return the input channels of the convolution whose weight has this name.

    Raises:
        LookupError: As `read_outputs`.
    """
    read_outputs(shapes, name)
    return shapes[name][1]

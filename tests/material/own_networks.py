"""Networks as users write them, for tests: everything that is odd about other people's modules."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class Bottleneck(nn.Module):
    """A block whose one ReLU runs three times in place, and whose sum is made in place."""

    def __init__(self, inputs: int, middle: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv3d(inputs, middle, 1), nn.BatchNorm3d(middle)
        self.conv2, self.bn2 = nn.Conv3d(middle, middle, 3, 2, 1), nn.BatchNorm3d(middle)
        self.conv3, self.bn3 = nn.Conv3d(middle, outputs, 1), nn.BatchNorm3d(outputs)
        self.downsample = nn.Conv3d(inputs, outputs, 1, 2)
        self.relu: nn.Module = nn.ReLU(inplace=True)

    def forward(self, clips: Tensor) -> Tensor:
        """Return (N, outputs, T', H', W')."""
        made: Tensor = self.relu(self.bn1(self.conv1(clips)))
        made = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(made)))))
        made += self.downsample(clips)
        out: Tensor = self.relu(made)
        return out


class BottleneckNet(nn.Module):
    """A functional ReLU, a bottleneck, `view`, and a head of several layers."""

    def __init__(self, classes: int = 4, channels: int = 3) -> None:
        super().__init__()
        self._stem = nn.Conv3d(channels, 6, 3, (1, 2, 2), 1)
        self.blocks = nn.ModuleDict({"first/block": Bottleneck(6, 4, 8), "Blöck": Bottleneck(8, 4, 10)})
        self.head = nn.Sequential(nn.Dropout(), nn.Linear(10 * 2 * 3 * 3, classes))

    def forward(self, clips: Tensor) -> Tensor:
        """Return (N, classes)."""
        made = functional.relu(self._stem(clips))
        for block in self.blocks.values():
            made = block(made)
        logits: Tensor = self.head(made.view(len(made), -1))
        return logits


class Wrapped(nn.Module):
    """Does something with what `BottleneckNet` returns."""

    def __init__(self, change: Any, classes: int = 4) -> None:
        super().__init__()
        self.inner = BottleneckNet(classes)
        self.change = change

    def forward(self, clips: Tensor) -> Any:
        """Return what `change` makes of the logits."""
        return self.change(self.inner(clips))


class Decides(BottleneckNet):
    """Looks at numbers on the way, so that it cannot be followed without them; and takes one clip at a time."""

    def forward(self, clips: Tensor) -> Tensor:
        """Return (N, classes)."""
        assert len(clips) == 1
        return super().forward(clips if clips.sum().item() > -1e9 else 0 * clips)


def make(kind: Any = BottleneckNet, *arguments: Any) -> Any:
    """Return a network with random weights and norms, always the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        module = kind(*arguments)
        for part in module.modules():
            if isinstance(part, nn.BatchNorm3d):
                nn.init.uniform_(part.running_mean, -0.3, 0.3)
                nn.init.uniform_(part.running_var, 0.5, 2)
    return module

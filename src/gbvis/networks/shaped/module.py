"""ShapedModule: a network whose sizes were read from the shapes of its tensors."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from gbvis.networks.endpoint import Endpoint
from gbvis.networks.grid import Cells
from gbvis.networks.shaped.format import Shapes


@dataclass(frozen=True)
class Plan:
    """What a network is made from again, without its weights.

    Attributes:
        shapes: Of its parameters and buffers.
        details: What shapes do not tell; see `ShapedFormat.details`.
    """

    shapes: Shapes = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


class ShapedModule(nn.Module):
    """A network; the names in its `state_dict()` are those of the checkpoints that most people have.

    A norm stands right behind its convolution among the children of one module; ReLUs are `nn.ReLU` modules.

    Attributes:
        title: What people call it: `R3D-18`.
        plan: What it is made from again; set by the kind.
    """

    title: str = ""
    plan: Plan = Plan()

    @abstractmethod
    def endpoints(self, clips: Tensor) -> Iterator[tuple[Endpoint, Tensor]]:
        """Yield every endpoint and its activation, each computed when it is asked for.

        Args:
            clips: float32 (N, channels, T, H, W), normalised.

        Yields:
            (N, filters, T', H', W') where there are time and space; (N, targets) behind them.
        """

    def cells(self) -> Mapping[str, Cells]:
        """Return how cells lie at the endpoints with time and space; nothing where that has to be measured."""
        return {}

    def receptive_fields(self) -> dict[Endpoint, tuple[int, int]]:
        """Return the frames and pixels that one activation sees, for endpoints with time and space, where known."""
        return {}

    def forward(self, clips: Tensor) -> Tensor:
        """Return the logits: float32 (N, classes) for clips float32 (N, channels, T, H, W)."""
        return next(activation for endpoint, activation in self.endpoints(clips) if endpoint.value_name == "logit")

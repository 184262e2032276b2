"""A network's target as Captum wants it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gbvis.networks.endpoint import Endpoint
from gbvis.networks.network import Network


class AtEndpoint(nn.Module):
    """The network as its file has it, up to an endpoint: (N, targets), for `Network.preprocess`'s result."""

    def __init__(self, network: Network, endpoint: Endpoint) -> None:
        super().__init__()
        self.plain, self._endpoint = network.module, endpoint

    def forward(self, batch: Tensor) -> Tensor:
        """Return the value of every target."""
        yielded = self.plain.endpoints(batch)
        activation: Tensor = next(found for endpoint, found in yielded if endpoint == self._endpoint)
        return activation.abs().sum((2, 3, 4)) if activation.ndim == 5 else activation


class Rounded(AtEndpoint):
    """The same, given an input rounded to float32: no ReLU falls the other way for it."""

    def forward(self, batch: Tensor) -> Tensor:
        """Return the value of every target."""
        rounded: Tensor = super().forward(batch.to(torch.float32).to(batch.dtype))
        return rounded

"""Endpoints: where a forward pass stops and the backward pass starts; and the targets that lie there."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import GbvisError


@dataclass(frozen=True)
class Endpoint:
    """A named place in the network.

    Attributes:
        name: The old script's name, which is also the store's key.
        aliases: Other names for the same place, the paper's and torchvision's.
        target_kind: What one target here is: a `filter`, a `feature` or a `class`.
    """

    name: str
    aliases: tuple[str, ...]
    target_kind: str

    def __str__(self) -> str:
        return self.name

    @property
    def is_class(self) -> bool:
        """True where a target is a class, so that `--label` and not `--filter` picks it."""
        return self.target_kind == "class"


STEM = Endpoint("Conv3d_1", ("conv1", "stem"), "filter")
STAGES = tuple(
    Endpoint(f"Conv3d_{number}_x", (f"conv{number}_x", f"layer{number - 1}"), "filter") for number in (2, 3, 4, 5)
)
AP = Endpoint("AP", ("avgpool",), "feature")
FC = Endpoint("FC", ("linear",), "class")
SOFTMAX = Endpoint("SOFTMAX", ("probabilities",), "class")

ENDPOINTS = (STEM, *STAGES, AP, FC, SOFTMAX)
"""All endpoints, in the order in which the forward pass reaches them."""

_BY_NAME = {name.lower(): endpoint for endpoint in ENDPOINTS for name in (endpoint.name, *endpoint.aliases)}


def read_endpoint(name: str) -> Endpoint:
    """Return the endpoint that `name` means, in any case and by any of its names.

    Raises:
        GbvisError: No endpoint has that name (exit code 2).
    """
    endpoint = _BY_NAME.get(name.strip().lower())
    if endpoint is None:
        raise GbvisError(f"unknown endpoint {name!r}", _nearest(name), exit_code=2)
    return endpoint


def read_endpoints(names: list[str]) -> list[Endpoint]:
    """Return the endpoints that `names` mean, in the network's order, each once; `all` means all eight.

    Raises:
        GbvisError: As `read_endpoint`.
    """
    if any(name.strip().lower() == "all" for name in names):
        return list(ENDPOINTS)
    wanted = {read_endpoint(name) for name in names}
    return [endpoint for endpoint in ENDPOINTS if endpoint in wanted]


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name.strip().lower(), _BY_NAME, n=3)
    known = ", ".join(endpoint.name for endpoint in ENDPOINTS)
    meant = f"did you mean {' or '.join(dict.fromkeys(_BY_NAME[key].name for key in near))}? " if near else ""
    return f"{meant}endpoints are {known}, and `all` for every one of them"


@dataclass(frozen=True)
class Target:
    """One number at an endpoint, the thing a gradient is taken of.

    Conv endpoints: the sum over t, h, w of abs(activation) of filter `index`. `AP`: feature `index`.
    `FC`: the logit of class `index`; `SOFTMAX`: its probability.
    """

    endpoint: Endpoint
    index: int


Responses = Mapping[Endpoint, NDArray[np.float32]]
"""Per endpoint the value of every target there: float32 (targets,)."""


@dataclass(frozen=True)
class TargetRequest:
    """A target as it was asked for: by its index, or by its rank among all targets of its endpoint.

    Attributes:
        endpoint: Where the target lies.
        index: The target itself; or None, and then
        rank: 0 for the most active filter or the class predicted, 1 for the next, and so on.
    """

    endpoint: Endpoint
    index: int | None = None
    rank: int | None = None

    def __post_init__(self) -> None:
        assert (self.index is None) != (self.rank is None)

    @property
    def ranked_at(self) -> Endpoint:
        """The endpoint whose responses rank the targets: classes are ranked by their probability."""
        return SOFTMAX if self.endpoint.is_class else self.endpoint

    def resolve(self, responses: Responses) -> Target:
        """Return the target meant, given the network's `responses` (the mean over the clips in question)."""
        if self.index is not None:
            return Target(self.endpoint, self.index)
        ranking = np.argsort(-responses[self.ranked_at], kind="stable")
        return Target(self.endpoint, int(ranking[self.rank]))

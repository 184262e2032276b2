"""Endpoints: places in a network where the forward pass stops and the backward pass starts; and their targets.

Which endpoints there are is the network's own matter: they travel in its `WeightsInfo`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gbvis.errors import GbvisError, UsageError


@dataclass(frozen=True)
class Endpoint:
    """A named place in a network.

    Attributes:
        name: Its name, which is also the store's key.
        aliases: Other names for the same place.
        target_kind: What one target here is: a `filter`, a `feature` or a `class`.
        value_name: What a target's value is called: `activation`, `feature`, `logit`, or `score` for a probability.
    """

    name: str
    aliases: tuple[str, ...] = ()
    target_kind: str = "filter"
    value_name: str = "activation"

    def __post_init__(self) -> None:
        """Check the name: it stands in the keys of runs, and the store has a use for `clips` and `estimates`.

        Raises:
            ValueError: It cannot.
        """
        is_taken = self.name.lower() in ("clips", "estimates")
        if is_taken or not re.fullmatch("[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}", self.name):
            raise ValueError(f"{self.name!r} is no name for an endpoint")

    def __str__(self) -> str:
        return self.name

    @property
    def is_class(self) -> bool:
        """True where a target is a class, so that `--label` and not `--filter` picks it."""
        return self.target_kind == "class"

    @property
    def is_score(self) -> bool:
        """True where values are the probabilities of the classes."""
        return self.is_class and self.value_name == "score"

    def goes_by(self, name: str) -> bool:
        """Return whether `name` means this endpoint, in any case and by any of its names."""
        return name.strip().lower() in (known.lower() for known in (self.name, *self.aliases))


AP = Endpoint("AP", ("avgpool",), "feature", "feature")
FC = Endpoint("FC", ("linear",), "class", "logit")
SOFTMAX = Endpoint("SOFTMAX", ("probabilities",), "class", "score")
"""What follows the convolutions in every kind: pooled features, logits, probabilities; by the old script's names."""


def find_endpoints(names: Iterable[str], endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """Return the endpoints that `names` mean, each once, in the order of `endpoints`; `all` means all of them.

    Raises:
        UsageError: A name means none of them.
    """
    wanted: set[Endpoint] = set()
    for name in names:
        found = endpoints if is_all(name) else [endpoint for endpoint in endpoints if endpoint.goes_by(name)]
        if not found:
            raise unknown_endpoint(name, endpoints)
        wanted.update(found)
    return [endpoint for endpoint in endpoints if endpoint in wanted]


def is_all(name: str) -> bool:
    """Return whether a name means every endpoint there is."""
    return name.strip().lower() == "all"


def unknown_endpoint(name: str, endpoints: Sequence[Endpoint]) -> GbvisError:
    """Return the error for a name that means none of the endpoints."""
    import difflib  # here: it takes some milliseconds

    by_name = {known.lower(): endpoint.name for endpoint in endpoints for known in (endpoint.name, *endpoint.aliases)}
    near = difflib.get_close_matches(name.strip().lower(), by_name, n=3)
    meant = f"did you mean {' or '.join(dict.fromkeys(by_name[key] for key in near))}? " if near else ""
    known = ", ".join(dict.fromkeys(endpoint.name for endpoint in endpoints))
    return UsageError(f"unknown endpoint {name!r}", f"{meant}endpoints are {known}, and `all` for every one of them")


@dataclass(frozen=True)
class Target:
    """One number at an endpoint: what is explained.

    Where activations have time and space it is the sum over them of abs(activation) of filter `index`; else the
    feature, logit or probability `index`.
    """

    endpoint: Endpoint
    index: int


Responses = Mapping[Endpoint, NDArray[np.float32]]
"""Per endpoint the value of every target there: float32 (targets,)."""


@dataclass(frozen=True)
class TargetRequest:
    """A target as it was asked for: by its index, or by its rank among the targets of its endpoint.

    Attributes:
        endpoint: Where the target lies.
        ranked_at: The endpoint whose responses rank the targets: classes are ranked by their probability.
        index: The target's index; None if it is asked for by rank.
        rank: 0 for the most active filter or the predicted class, 1 for the next, and so on; None if asked by index.
    """

    endpoint: Endpoint
    ranked_at: Endpoint
    index: int | None = None
    rank: int | None = None

    def __post_init__(self) -> None:
        assert (self.index is None) != (self.rank is None)

    def resolve(self, responses: Responses) -> Target:
        """Return the target meant, given the network's `responses` (the mean over the clips in question)."""
        if self.index is not None:
            return Target(self.endpoint, self.index)
        ranking = np.argsort(-responses[self.ranked_at], kind="stable")
        return Target(self.endpoint, int(ranking[self.rank]))

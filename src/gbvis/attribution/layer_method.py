"""LayerMethod: a method that looks at the activation of a layer; which one, the setting `at` says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from gbvis.attribution.method import Method
from gbvis.errors import UsageError
from gbvis.networks.endpoint import find_endpoints

if TYPE_CHECKING:
    from gbvis.networks.endpoint import Endpoint
    from gbvis.networks.info import WeightsInfo

FEWEST_STEPS = 4
"""Time steps of a layer that is looked at where none is named, if one has so many."""


@dataclass(frozen=True)
class LayerMethod(Method):
    """A method that looks at the activation of a layer.

    Attributes:
        at: The layer: an endpoint with time and space, no deeper than the target's. None for the deepest that has at
            least 4 time steps, or else for the one that has most.
    """

    at: str | None = None

    @property
    def layers(self) -> tuple[str, ...]:
        """The layer; none before `settled` has decided it."""
        return (self.at,) if self.at else ()

    def settled(self, info: WeightsInfo, endpoint: Endpoint, frames: int) -> Self:
        """Return it with the layer decided, by its own name.

        Raises:
            UsageError: There is no such layer, or it is behind the target.
        """
        before = info.endpoints[: info.endpoints.index(endpoint) + 1]
        possible = [one.name for one in before if one.name in info.cells]
        if not possible:
            raise UsageError(
                f"{self.name} needs a layer with time and space, and {info.title} has none up to {endpoint}",
                "take another endpoint, or another method",
            )
        if self.at is None:
            return replace(self, at=_choose(possible, info, frames))
        named = [one.name for one in find_endpoints([self.at], info.endpoints)]
        if len(named) != 1 or named[0] not in possible:
            raise UsageError(
                f"{self.name} of a target at {endpoint} cannot look at {', '.join(named)}",
                f"give one of these: at={', at='.join(possible)}",
            )
        return replace(self, at=named[0])

    def _layer(self) -> str:
        assert self.at is not None, "settled() comes first"
        return self.at


def _choose(possible: list[str], info: WeightsInfo, frames: int) -> str:
    """Return the deepest layer with enough time steps, else the deepest of those that have most."""
    steps = {name: info.cells[name].count_steps(frames * info.places_per_frame) for name in possible}
    fewest = min(FEWEST_STEPS, max(steps.values()))
    return [name for name in possible if steps[name] >= fewest][-1]

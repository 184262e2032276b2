"""Method: a way to attribute a target to the clip."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from gbvis.attribution.recipe import describe_method

if TYPE_CHECKING:  # what is cached is looked up without torch
    from gbvis.attribution.attribution import Pending
    from gbvis.attribution.graph import Graph
    from gbvis.networks.endpoint import Endpoint, Target
    from gbvis.networks.info import WeightsInfo


class Method(ABC):
    """An attribution method: a frozen dataclass whose fields are its settings, each with a default.

    Its file imports torch, if it needs it, only where something is computed.

    Attributes:
        name: As `--method` has it.
        version: Raised when the same settings give other numbers.
        quantity: What its values are: a `gradient`, or a share of the target's value, a `relevance`.
        needs_float32: True where lower precisions would spoil it: it is computed in float32 whatever was asked for.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    quantity: ClassVar[Literal["gradient", "relevance"]] = "gradient"
    needs_float32: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Check the name: it stands in the keys of runs."""
        if not re.fullmatch("[a-z0-9-]+", getattr(cls, "name", "-")):
            raise TypeError(f"the name of a method is of a-z, 0-9 and -, and not {cls.name!r}")

    @property
    @abstractmethod
    def kind(self) -> Literal["signed", "positive"]:
        """`signed` where values have a sign, else `positive`."""

    @property
    def layers(self) -> tuple[str, ...]:
        """The endpoints whose activations it looks at beside the target's; none by default."""
        return ()

    @property
    def needs_motion(self) -> bool:
        """True where it looks at how things move, `Clip.motion`; only a method of many passes can."""
        return False

    def settled(self, info: WeightsInfo, endpoint: Endpoint, frames: int) -> Self:
        """Return it with every setting decided that is left to the network, the target or the clip; itself by default.

        Args:
            info: What is known of the network.
            endpoint: Where the target lies.
            frames: Frames of a clip.

        Raises:
            UsageError: A setting makes no sense for them.
        """
        return self

    @abstractmethod
    def attribute(self, graph: Graph, target: Target) -> Pending:
        """Return what is found for one target of the graph's clips."""

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as plain data."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]

    def recipe(self) -> dict[str, Any]:
        """Return the method's part of a run's recipe: what decides the numbers."""
        return {"name": self.name, "version": self.version, "settings": self.settings}

    def __str__(self) -> str:
        return describe_method(self.recipe())

"""Method: a way to attribute a target to the clip."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from gbvis.attribution.recipe import describe_method

if TYPE_CHECKING:  # what is cached is looked up without torch
    from gbvis.attribution.attribution import PendingAttribution
    from gbvis.attribution.graph import Graph
    from gbvis.networks.endpoint import Target


class Method(ABC):
    """An attribution method: a frozen dataclass whose fields are its settings, each with a default.

    Its file imports torch, if it needs it, only where something is computed.

    Attributes:
        name: As `--method` has it.
        version: Raised when the same settings give other numbers.
        kind: `signed` where values have a sign, else `positive`.
        quantity: What pictures call the values.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    kind: ClassVar[Literal["signed", "positive"]]
    quantity: ClassVar[Literal["gradient", "relevance"]] = "gradient"

    def __init_subclass__(cls) -> None:
        """Check the name: it stands in the keys of runs."""
        if not re.fullmatch("[a-z0-9-]+", getattr(cls, "name", "-")):
            raise TypeError(f"the name of a method is of a-z, 0-9 and -, and not {cls.name!r}")

    @abstractmethod
    def attribute(self, graph: Graph, target: Target) -> PendingAttribution:
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

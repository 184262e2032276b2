"""Check: a test of whether attributions say anything about the network, and what it gives back."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.checks import BASELINES as BASELINES
from gbvis.attribution.recipe import describe_method
from gbvis.errors import NumbersError

if TYPE_CHECKING:  # what is cached is looked up without torch
    from gbvis.attribution.attribution import Values
    from gbvis.attribution.checks.laboratory import Laboratory
    from gbvis.attribution.iterative import Clip
    from gbvis.attribution.method import Method
    from gbvis.networks.endpoint import Target
    from gbvis.networks.info import WeightsInfo

Relevance = NDArray[np.float32]
"""float32 (time, y, x), at least 0 for signed kinds: how relevant each pixel is; see `find_relevance`."""


def find_relevance(values: Values, kind: Literal["signed", "positive"]) -> Relevance:
    """Return the relevance of each pixel: float32 (time, y, x).

    It is the sum over the channels, of |values| for a signed kind, of the values for a positive one.

    Args:
        values: float32 (channel, time, y, x).
        kind: The method's.
    """
    summed: Relevance = (np.abs(values) if kind == "signed" else values).sum(0, dtype=np.float32)
    return summed


@dataclass(frozen=True)
class Subject:
    """One attribution of a clip: what a test judges.

    Attributes:
        clip: What is attributed to.
        target: What is attributed.
        method: How, with settled settings.
        values: float32 (channel, time, y, x), in line with the clip's pixels; grids are spread.
    """

    clip: Clip = field(repr=False)
    target: Target
    method: Method
    values: Values = field(repr=False, compare=False)

    @property
    def kind(self) -> Literal["signed", "positive"]:
        """`signed` where values have a sign, else `positive`."""
        return self.method.kind

    @cached_property
    def relevance(self) -> Relevance:
        """How relevant each pixel is: float32 (time, y, x)."""
        return find_relevance(self.values, self.kind)


@dataclass(frozen=True)
class Finding:
    """What a test finds for one subject.

    Attributes:
        value: The test's number.
        baselines: The same number for the attributions of `BASELINES`; what has no such number is left out.
        interval: The lower and upper end of the value's interval, 95 %, where the test has one.
        details: More numbers, as plain data for JSON.
        curves: What pictures draw, by name: float64 (steps,). A baseline's curve is called as the value's with `@` and
            its name behind, as in `spearman@edges`; `x` is along which all are drawn, where it is not 0, 1, 2, ...
    """

    value: float
    baselines: Mapping[str, float] = field(default_factory=dict)
    interval: tuple[float, float] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    curves: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            NumbersError: A number is NaN or infinity.
            ValueError: A baseline has another name.
        """
        numbers = {"the value": self.value, **self.baselines}
        broken = [name for name, number in numbers.items() if not math.isfinite(number)]
        if broken or not all(map(math.isfinite, self.interval or ())):
            raise NumbersError(
                f"a test finds what is no number: {', '.join(broken) or 'its interval'}",
                "look at the attribution: it may be 0 everywhere",
            )
        if not set(self.baselines) <= set(BASELINES):
            raise ValueError(f"baselines {', '.join(self.baselines)}: expected some of {', '.join(BASELINES)}")


def average_findings(findings: Sequence[Finding]) -> Finding:
    """Return the mean over clips: of values, baselines, ends of intervals, and the numbers among details.

    Details that are no numbers, or lists that differ in length, are those of the first clip; and so are curves whose
    length differs.
    """
    first = findings[0]
    if len(findings) == 1:
        return first
    baselines = {name: _mean([one.baselines[name] for one in findings]) for name in first.baselines}
    intervals = [one.interval for one in findings if one.interval]
    interval = (_mean([low for low, _ in intervals]), _mean([high for _, high in intervals])) if intervals else None
    details = {name: _average_details([one.details.get(name) for one in findings]) for name in first.details}
    curves = {}
    for name, curve in first.curves.items():
        alike = [one.curves[name] for one in findings if one.curves[name].shape == curve.shape]
        curves[name] = np.mean(alike, axis=0)
    return Finding(_mean([one.value for one in findings]), baselines, interval, details, curves)


def _mean(numbers: Sequence[float]) -> float:
    return float(np.mean(numbers))


def _average_details(given: Sequence[Any]) -> Any:
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in given):
        return _mean(given)
    if all(isinstance(one, list) and len(one) == len(given[0]) for one in given):
        return [_average_details(together) for together in zip(*given, strict=True)]
    return given[0]


class Check(ABC):
    """A test: a frozen dataclass whose fields are its settings, each with a default.

    Its file imports torch, if it needs it, only where something is computed.

    Attributes:
        name: As `--test` has it.
        version: Raised when the same settings give other numbers.
        needs_class: True where the target must be a class of a network with class probabilities.
        needs_mask: True where it looks at `Laboratory.mask`; it is left out where nothing gives a mask.
        is_of_network: True where the attribution has no part in the number: it is the same for all methods.
        better: `higher` or `lower`, where one of them speaks for the attribution; None where neither does.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    needs_class: ClassVar[bool] = False
    needs_mask: ClassVar[bool] = False
    is_of_network: ClassVar[bool] = False
    better: ClassVar[Literal["higher", "lower"] | None] = None

    def __init_subclass__(cls) -> None:
        """Check the name: it stands in the keys of a store."""
        if not re.fullmatch("[a-z0-9-]+", getattr(cls, "name", "-")):
            raise TypeError(f"the name of a test is of a-z, 0-9 and -, and not {cls.name!r}")

    def settled(self, info: WeightsInfo, frames: int) -> Self:
        """Return it with every setting decided that is left to the network or the clip; itself by default.

        Args:
            info: What is known of the network.
            frames: Frames of a clip.

        Raises:
            UsageError: A setting makes no sense for them.
        """
        return self

    @abstractmethod
    def measure(self, subjects: Sequence[Subject], laboratory: Laboratory) -> Iterator[Finding]:
        """Yield what is found for each subject, in their order.

        Args:
            subjects: All methods and targets of one clip; what they need in common is computed once.
            laboratory: The network, the clip and what can be done with them.
        """

    @abstractmethod
    def describe(self, finding: Finding) -> str:
        """Return the verdict: one sentence with its number."""

    @property
    def settings(self) -> dict[str, Any]:
        """The settings as plain data."""
        return asdict(self)  # type: ignore[call-overload, no-any-return]

    def recipe(self) -> dict[str, Any]:
        """Return the test's part of a recipe: what decides the numbers."""
        return {"name": self.name, "version": self.version, "settings": self.settings}

    def __str__(self) -> str:
        return describe_method(self.recipe())

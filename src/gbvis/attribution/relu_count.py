"""ReluCount: at how many ReLUs of a forward pass a rule decides, and which activations it does not reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gbvis.errors import UsageError

_NAMED = 3
"""Activations that a message names."""


@dataclass(frozen=True)
class ReluCount:
    """What lies between the input and an endpoint, as a forward pass went.

    Attributes:
        guided: ReLUs, each as often as it ran: a rule for ReLUs decides at them.
        unguided: Activations, scripted modules and foreign functions at which no rule decides, each in words.
        others: What keeps its own gradient under any rule, by kind: max pooling, softmax, gates; how often it ran.
    """

    guided: int
    unguided: tuple[str, ...] = ()
    others: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All activations."""
        return self.guided + len(self.unguided)

    @property
    def summary(self) -> str:
        """How many are guided, in words: `57 of 57 ReLUs guided`."""
        return f"{self.guided} of {self.total} {'activations' if self.unguided else 'ReLUs'} guided"

    def describe(self) -> str:
        """Return the summary, and which are not guided."""
        return f"{self.summary}, not {name_some(self.unguided)}" if self.unguided else self.summary

    def joined(self, other: ReluCount | None) -> ReluCount:
        """Return what is true of this pass and of another one: the fewest guided, all that were not."""
        if other is None or other == self:
            return self
        unguided = tuple(dict.fromkeys([*self.unguided, *other.unguided]))
        return ReluCount(min(self.guided, other.guided), unguided, self.others | other.others)

    def check(self, endpoint: str) -> None:
        """Check that a rule for ReLUs reaches every activation.

        Raises:
            UsageError: It does not.
        """
        if self.unguided:
            raise UsageError(
                f"a rule for ReLUs does not reach {name_some(self.unguided)}: it decides at {self.guided} of "
                f"{self.total} activations before {endpoint}",
                "take a method without such a rule, such as --method gradient, or accept it with --allow-unguided: "
                "what is not guided is then kept with the run",
            )


def name_others(counts: Iterable[ReluCount]) -> str:
    """Return in words what keeps its own gradient on the way to several endpoints; empty where there is nothing.

    Args:
        counts: Of each endpoint. Of each kind, the largest is given: `max pooling (4), softmax (1)`.
    """
    most: dict[str, int] = {}
    for one in counts:
        most |= {name: max(count, most.get(name, 0)) for name, count in one.others.items()}
    return ", ".join(f"{name} ({count})" for name, count in most.items())


def name_some(names: Sequence[str]) -> str:
    """Return the first names of a list in words, each once, and how many there are more."""
    each = list(dict.fromkeys(names))
    more = f" and {len(each) - _NAMED} more" if len(each) > _NAMED else ""
    return ", ".join(each[:_NAMED]) + more

"""Replay: forward passes of networks that share their first stages, which are computed once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from gbvis.networks.kind import NetworkKind


@dataclass(frozen=True)
class _Kept:
    """What a part of the network made.

    Attributes:
        output: Its activation.
        state: The stages up to this part that were randomised then.
    """

    output: Tensor
    state: frozenset[int]


class Replay:
    """Runs networks that differ in some stages; a part gives what it gave before if nothing up to it has changed.

    Parts are the outermost modules that the network calls. A kind that computes everything in one call is run whole.
    """

    def __init__(self, kind: NetworkKind, batch: Tensor, stages: Mapping[int, Collection[str]]) -> None:
        """Name the parts.

        Args:
            kind: Of the networks.
            batch: What they are given.
            stages: Names of tensors and modules of each stage, by its place among the endpoints.
        """
        self._kind, self._batch = kind, batch
        self._place_of = {name: place for place, names in stages.items() for name in names}
        self._kept: list[_Kept | None] = []

    def run(self, module: nn.Module, randomised: Collection[int], first: int, last: int) -> None:
        """Pass the batch forward as far as an endpoint.

        Args:
            module: A plain network; it comes back as it was.
            randomised: Places of the stages that differ from those of other runs: two in which the same ones do are the
                same network, as far as the last of them.
            first: The place of the first stage that is computed in any case.
            last: The endpoint's place.
        """
        self._depth, self._number, self._reach, self._is_alike = 0, 0, -1, not list(module.parameters(recurse=False))
        self._randomised, self._first = frozenset(randomised), first
        clips = self._batch.to(next(module.parameters()).dtype)
        with self._watched(module):
            for place, _ in enumerate(self._kind.endpoints(module, clips)):
                if place >= last:
                    break
        del self._kept[self._number :]

    @contextmanager
    def _watched(self, module: nn.Module) -> Iterator[None]:
        """Have every part ask here before it computes, while the context lasts."""
        parts = [(name, part) for name, part in module.named_modules() if part is not module]
        try:
            for name, part in parts:
                part.forward = _Watched(self, self._find_place(name, part), part.forward)
            yield
        finally:
            for _, part in parts:
                part.__dict__.pop("forward", None)

    def _find_place(self, name: str, part: nn.Module) -> int:
        """Return the place of the last stage that a part has tensors of; -1 where it has none."""
        named = (part.named_parameters(remove_duplicate=False), part.named_modules(remove_duplicate=False))
        names = [name, *(f"{name}.{own}" for parts in named for own, _ in parts)]
        return max((self._place_of.get(one, -1) for one in names), default=-1)

    def call(self, forward: Any, place: int, given: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
        """Return what a part makes of what it is given: from memory, or computed."""
        if self._depth:
            return forward(*given, **named)
        number, self._number = self._number, self._number + 1
        self._reach = max(self._reach, place)
        state = frozenset(one for one in self._randomised if one <= self._reach)
        kept = self._kept[number] if number < len(self._kept) else None
        self._is_alike = self._is_alike and self._reach < self._first
        if self._is_alike and kept is not None and kept.state == state:
            return kept.output.clone()  # what follows may change it in place
        self._is_alike = False
        self._depth += 1
        try:
            made = forward(*given, **named)
        finally:
            self._depth -= 1
        self._kept[number:] = [_Kept(made.clone(), state) if isinstance(made, Tensor) else None]
        return made


@dataclass(frozen=True)
class _Watched:
    """A part's `forward`, which asks first whether it has to compute."""

    replay: Replay
    place: int
    forward: Any

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Return what the part makes."""
        return self.replay.call(self.forward, self.place, given, named)

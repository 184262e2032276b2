"""ShapedFormat: how the checkpoints of one origin name and feed networks whose sizes are read from tensors' shapes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from torch import Tensor

from gbvis.networks.weights import NamedTensors
from gbvis.videos.clip import ClipFormat

Shapes = Mapping[str, tuple[int, ...]]
"""The shapes of tensors, by the names that the module gives them."""

_LONGEST = 1_000
"""Letters of a tensor's name; a longer one is no network's, and looking for patterns in it takes long."""

_AS_THEY_ARE = (("{rest}", "{rest}"),)


@dataclass(frozen=True)
class ShapedFormat:
    """How checkpoints of one origin name and feed their networks.

    Attributes:
        name: Its name, as `inspect-shapes` shows it; no two kinds of network share one.
        formats: Per modality the input that its networks expect.
        names: Pairs of patterns: the checkpoint's name of a tensor, and the module's. A word in braces stands for the
            same in both: `{rest}` for anything, another one for what has no dot. The first pair that fits counts; a
            tensor that none fits is not the network's.
        class_lists: Per class count the class list that gbvis carries for it.
        extras: A pattern of names that may stand beside the network and are not used.
        details: What its networks share and shapes do not tell, as plain data: norms' epsilons, paddings.
        fits: Given shapes, returns whether networks of this origin have such.
        probes: Names in the file, one of which every such file has; by default those of the kind's own probes.
    """

    name: str
    formats: Mapping[str, ClipFormat]
    names: tuple[tuple[str, str], ...] = _AS_THEY_ARE
    class_lists: Mapping[int, str] = field(default_factory=dict)
    extras: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    fits: Callable[[Shapes], bool] = lambda shapes: True
    probes: tuple[str, ...] = ()

    def own_name(self, name: str) -> str | None:
        """Return what the module calls a tensor of the file; None where it is not the network's."""
        return _rename(name, self.names)

    def their_name(self, name: str) -> str:
        """Return what the file calls a tensor of the module; its own name where no pair fits."""
        return _rename(name, tuple((own, theirs) for theirs, own in self.names)) or name

    def find_shapes(self, named: NamedTensors) -> dict[str, tuple[int, ...]]:
        """Return the shapes of a file's tensors by the module's names; what is not the network's is left out."""
        found = {self.own_name(name): one for name, one in named.tensors.items()}
        return {name: tuple(one.shape) for name, one in found.items() if name and isinstance(one, Tensor)}


def _rename(name: str, pairs: tuple[tuple[str, str], ...]) -> str | None:
    if len(name) > _LONGEST:
        return None
    for before, after in pairs:
        match = _compile(before).fullmatch(name)
        if match:
            return after.format(**match.groupdict())
    return None


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    words = {word: f"(?P<{word}>{'.+' if word == 'rest' else '[^.]+'})" for word in parts[1::2]}
    return re.compile("".join(words[part] if number % 2 else re.escape(part) for number, part in enumerate(parts)))

"""The class that a network predicts, beside what is explained, and the one that a list says is true."""

from dataclasses import dataclass
from typing import Any

from gbvis.networks.labels import Labels, class_name, label_key

_SURE = 0.99995
"""Higher scores would be rounded to 1, which none is."""


@dataclass(frozen=True)
class TrueClass:
    """The class that a list gives a video.

    Attributes:
        index: Its index, or None where the network does not know the name.
        name: Its name, or None where the list gives a number.
    """

    index: int | None
    name: str | None = None

    def completed(self, labels: Labels | None) -> "TrueClass":
        """Return it with the name of a class whose index is known, or the index of one whose name is."""
        if self.index is not None:
            return TrueClass(self.index, class_name(labels, self.index) or self.name)
        by_key = {label_key(name): index for index, name in enumerate(labels or ())}
        return TrueClass(by_key.get(label_key(self.name or "")), self.name)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"index": self.index, "name": self.name}


@dataclass(frozen=True)
class PredictedClass:
    """The class with the highest score.

    Attributes:
        index: Its index.
        name: Its name, or None where that is not known.
        score: Its probability: the mean over the clips.
        clips: How many clips these are.
    """

    index: int
    name: str | None
    score: float
    clips: int = 1

    @property
    def label(self) -> str:
        """The class's name, else its index."""
        return self.name or f"class {self.index}"

    def describe(self, explained: int | None, label: str | None = None, shortness: int = 0) -> str:
        """Return in words what was predicted, and whether it is what is explained.

        Args:
            explained: The class that is explained, or None where it is no class.
            label: What the class predicted is called; without it, by its name.
            shortness: 1: say in fewer words of how many clips; 2: do not say it.
        """
        score = f"score {self.score:.4f}" if self.score < _SURE else "score above 0.9999"
        over = (f" over {self.clips} clips", f", {self.clips} clips", "")[shortness]
        facts = score if self.clips == 1 else f"{score}{over}"
        if explained == self.index:
            return f"predicted, {facts}"
        denied = "" if explained is None else "not predicted; "
        return f"{denied}predicted: {label or self.label}, {facts}"

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"index": self.index, "name": self.name, "score": self.score}

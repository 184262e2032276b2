"""The request of `check`, and its results."""

from dataclasses import dataclass
from typing import Any

from gbvis.attribution.checks.check import Check
from gbvis.networks.labels import class_name
from gbvis.steps.explain import ExplainedRun, ExplainRequest
from gbvis.store import StoredCheck


@dataclass(frozen=True)
class CheckRequest:
    """What to check.

    Attributes:
        explained: Which attributions; those that are not in the store are computed and kept, as `explain` would.
        tests: By which tests; those that do not apply to an attribution are left out.
        seed: Decides all that is random.
        masks: Where the object is: `mover`, `motion`, or a path; None for the samples' mover alone.
        is_forced: Run tests again whose results are there.
    """

    explained: ExplainRequest
    tests: tuple[Check, ...]
    seed: int = 0
    masks: str | None = None
    is_forced: bool = False


@dataclass(frozen=True)
class CheckedRun:
    """What a test found of a run; it is in the store now.

    Attributes:
        check: What was found.
        explained: The run.
        is_cached: True where it was there before.
        seconds: How long it took.
    """

    check: StoredCheck
    explained: ExplainedRun
    is_cached: bool
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """What the video is called; where there are several of its name in the call, with what tells them apart."""
        return self.explained.name or self.check.video

    @property
    def class_name(self) -> str | None:
        """The name of the class that is attributed; None where the target is no class, or it is not known."""
        is_class = self.check.endpoint.is_class
        return class_name(self.explained.info.labels, self.check.target) if is_class else None

    def to_json(self) -> dict[str, Any]:
        """Return it as a line of `--json`."""
        about = self.check.describe()
        return {**about, "cached": self.is_cached, "group": self.check.key}

"""CheckView: what a test found of a run, as layouts show it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Line = tuple[NDArray[np.float64], NDArray[np.float64]]
"""A curve: where its points are along x, and how high; float64 (points,) each."""

VALUE = "value"
"""What curves and numbers of the attribution itself are called, beside those of the uninformed ones."""

ALONG = "x"


@dataclass(frozen=True)
class Plot:
    """Curves that belong together.

    Attributes:
        name: What they show; empty for the test's own numbers.
        lines: By what they are of: `VALUE`, an uninformed attribution, or another name.
        stages: What the points are called, if anything.
    """

    name: str
    lines: Mapping[str, Line]
    stages: Sequence[str] = ()

    @property
    def ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The lowest and the highest place along x, and along y."""
        along, high = (np.concatenate([line[axis] for line in self.lines.values()]) for axis in (0, 1))
        return (float(along.min()), float(along.max())), (float(high.min()), float(high.max()))


@dataclass(frozen=True)
class CheckView:
    """What a test found of a run.

    Attributes:
        test: The test, as `--test` takes it, with the settings that are not as by default.
        value: Its number.
        baselines: The same for attributions that know nothing of the network, by name.
        verdict: One sentence.
        curves: As `Finding.curves`.
        stages: What the points of curves are called that have as many.
    """

    test: str
    value: float
    baselines: Mapping[str, float]
    verdict: str
    curves: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    stages: Sequence[str] = ()

    @property
    def plots(self) -> list[Plot]:
        """Its curves: those with uninformed ones beside them in a plot each, all others in one."""
        bases = dict.fromkeys(name.partition("@")[0] for name in self.curves if name != ALONG)
        families = {base: [name for name in self.curves if name.startswith(f"{base}@")] for base in bases}
        plots = [
            Plot(
                base,
                {VALUE: self._line(base), **{name.partition("@")[2]: self._line(name) for name in names}},
                self.stages if len(self.stages) == len(self.curves[base]) else (),
            )
            for base, names in families.items()
            if names and base in self.curves
        ]
        alone = {base: self._line(base) for base, names in families.items() if not names}
        plots += [Plot("", alone)] if alone else []
        return plots

    def _line(self, name: str) -> Line:
        curve = self.curves[name]
        along = self.curves.get(ALONG)
        fits = along is not None and len(along) == len(curve)
        return (np.asarray(along) if fits else np.arange(len(curve), dtype=np.float64)), curve

"""Which runs of a store, as options and as the `Selection` that they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from gbvis.attribution.methods import METHODS
from gbvis.cli import parse
from gbvis.cli.option_groups import option
from gbvis.flow import ALGORITHMS

if TYPE_CHECKING:
    from gbvis.steps.selection import Selection

_FLOW_NAMES = ", ".join(ALGORITHMS.names)
_METHOD_NAMES = ", ".join(METHODS.names)


@dataclass
class Selected:
    """Which runs of a store."""

    modality: Annotated[
        str | None, option("-m", "--modality", metavar="rgb|flow", text="Take only this stream. Default: all.")
    ] = None
    endpoint: Annotated[
        list[str] | None,
        option("-e", "--endpoint", metavar="NAME", text="Take only this endpoint; repeatable. Default: all."),
    ] = None
    label: Annotated[
        list[str] | None,
        option(
            "-l",
            "--label",
            metavar="INDEX|NAME",
            text="Take only this class at FC and SOFTMAX; repeatable. Default: all.",
        ),
    ] = None
    filters: Annotated[
        list[int] | None,
        option(
            "-f",
            "--filter",
            metavar="N",
            min=0,
            text="Take only this filter at the other endpoints; repeatable. Default: all.",
        ),
    ] = None
    frames: Annotated[
        int | None,
        option("-n", "--frames", metavar="T", min=1, max=4096, text="Take only clips of so many frames. Default: all."),
    ] = None
    clips: Annotated[
        int | None,
        option("--clips", metavar="K", min=1, text="Take only what was explained with so many clips. Default: all."),
    ] = None
    method: Annotated[
        str | None,
        option("--method", metavar="NAME", text=f"Take only results of this method: {_METHOD_NAMES}. Default: all."),
    ] = None
    precision: Annotated[
        str | None,
        option(
            "--precision",
            metavar="float32|tf32|bfloat16",
            text="Take only results in this precision. Default: all.",
        ),
    ] = None
    weights: Annotated[
        list[str] | None,
        option(
            "-w",
            "--weights",
            metavar="FILE|NAME",
            text="Take only results of these weights; repeatable. Default: all.",
        ),
    ] = None
    flow_algorithm: Annotated[
        str | None,
        option(
            "--flow-algorithm",
            metavar="NAME",
            text=f"Take only flow of this algorithm: {_FLOW_NAMES}. Default: all.",
        ),
    ] = None
    run: Annotated[
        list[str] | None,
        option(
            "--run",
            metavar="DIGEST",
            text="Take only the run whose digest begins so, 4 letters or more; repeatable. Default: all.",
        ),
    ] = None

    def selection(self) -> Selection:
        """Return it as steps take it."""
        from gbvis.steps.selection import Selection

        several = {
            "endpoints": tuple(self.endpoint or ()),
            "labels": tuple(self.label or ()),
            "filters": tuple(self.filters or ()),
            "weights": parse.parse_weights(self.weights),
            "runs": tuple(self.run or ()),
        }
        single = {name: getattr(self, name) for name in ("modality", "frames", "clips", "method", "precision")}
        return Selection(**single, **several, flow_algorithm=self.flow_algorithm)  # type: ignore[arg-type]

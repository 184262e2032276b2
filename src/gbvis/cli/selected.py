"""Which runs of a store, as options and as the `Selection` that they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from gbvis.cli import options
from gbvis.cli.option_groups import option
from gbvis.cli.parse import parse_weights

if TYPE_CHECKING:
    from gbvis.steps.selection import Selection


@dataclass
class Selected:
    """Which runs of a store."""

    modality: Annotated[str | None, options.modality_option(text="Take only this stream. Default: all.")] = None
    endpoint: Annotated[
        list[str] | None, options.endpoint_option(text="Take only this endpoint; repeatable. Default: all.")
    ] = None
    label: Annotated[
        list[str] | None,
        options.label_option(text="Take only this class at FC and SOFTMAX; repeatable. Default: all."),
    ] = None
    filters: Annotated[
        list[int] | None,
        options.filter_option(text="Take only this filter at the other endpoints; repeatable. Default: all."),
    ] = None
    frames: Annotated[int | None, options.frames_option(text="Take only clips of so many frames. Default: all.")] = None
    clips: Annotated[
        int | None,
        option("--clips", metavar="K", min=1, text="Take only what was explained with so many clips. Default: all."),
    ] = None
    method: Annotated[
        list[str] | None,
        option(
            "--method",
            metavar="NAME",
            text=f"Take only results of this method: {options.METHOD_NAMES}; repeatable. Default: all.",
        ),
    ] = None
    precision: Annotated[
        str | None, options.precision_option(text="Take only results in this precision. Default: all.")
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
        options.flow_algorithm_option(
            text=f"Take only flow of this algorithm: {options.FLOW_NAMES}. Default: all.",
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

    test: Annotated[
        list[str] | None,
        option(
            "--test",
            metavar="NAME",
            text=f"Take only what this test found: {options.CHECK_NAMES}; repeatable. Default: all.",
        ),
    ] = None

    def selection(self) -> Selection:
        """Return it as steps take it."""
        from gbvis.steps.selection import Selection

        return Selection(
            modality=self.modality,
            endpoints=tuple(self.endpoint or ()),
            labels=tuple(self.label or ()),
            filters=tuple(self.filters or ()),
            frames=self.frames,
            clips=self.clips,
            methods=tuple(self.method or ()),
            precision=self.precision,
            weights=parse_weights(self.weights),
            flow_algorithm=self.flow_algorithm,
            runs=tuple(self.run or ()),
            tests=tuple(self.test or ()),
        )

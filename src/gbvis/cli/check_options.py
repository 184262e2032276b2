"""Options of `gbvis check --report` as steps take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gbvis.cli.parse import parse_weights

if TYPE_CHECKING:
    from gbvis.cli.options import RunningWeights, Targets
    from gbvis.cli.video_options import Videos
    from gbvis.steps.check.report import ReportRequest


def make_report_request(
    which: Videos,
    weights: RunningWeights,
    targets: Targets,
    methods: Sequence[str] | None,
    tests: Sequence[str] | None,
    seed: int,
    store: str,
) -> ReportRequest:
    """Return of which results a report is: what is not given restricts nothing."""
    from gbvis.steps.check.report import ReportRequest
    from gbvis.steps.selection import Selection

    selection = Selection(
        modality=weights.modality,
        endpoints=tuple(targets.endpoint or ()),
        labels=tuple(targets.label or ()),
        filters=tuple(targets.filters or ()),
        methods=() if "all" in (methods or ()) else tuple(methods or ()),
        weights=parse_weights(weights.weights),
        tests=tuple(test.partition(":")[0] for test in tests or () if test != "all"),
    )
    return ReportRequest(store, tuple(which.videos or ()), selection, seed)

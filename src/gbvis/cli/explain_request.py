"""Options that say what to explain, as steps take them: of `explain`, and of `check`, which explains first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gbvis.attribution.methods import parse_methods

if TYPE_CHECKING:
    from gbvis.cli.options import Clips, Flow, RunningWeights, Targets
    from gbvis.cli.video_options import Videos
    from gbvis.steps.explain import ExplainRequest


def make_explain_request(
    which: Videos,
    weights: RunningWeights,
    targets: Targets,
    clips: Clips,
    flow: Flow,
    methods: Sequence[str] | None,
    dataset: Path | None,
    store: str,
    allow_unguided: bool = False,
) -> ExplainRequest:
    """Return what to explain; what it needs beside these options is left as by default."""
    from gbvis.steps.explain import ExplainRequest

    return ExplainRequest(
        videos=which.entries(dataset),
        weights=replace(weights.request(), allows_unguided=allow_unguided),
        store=store,
        dataset=dataset,
        endpoints=tuple(targets.endpoint or ()),
        labels=tuple(targets.label or ()),
        filters=tuple(targets.filters or ()),
        top_filters=targets.top_filters,
        clips=clips.request(),
        methods=parse_methods(methods or ()),
        flow=flow.request(),
        shard=which.chosen_shard(),
    )

"""What `explain` does with each video, as other processes are given it."""

import copy
from dataclasses import dataclass, replace

from gbvis.progress import Progress
from gbvis.steps.engines.engine import Work
from gbvis.steps.explain.request import ExplainedRun, ExplainRequest
from gbvis.steps.explain.session import ExplainSession
from gbvis.steps.networks import Networks
from gbvis.store import Store


@dataclass
class ExplainWork(Work[ExplainedRun]):
    """The request of a call that has been checked, and whose store and records are there.

    Attributes:
        request: Its videos do not count.
        stream_count: How many networks there are.
        folder: The store's, if it is no URL; else empty.
    """

    request: ExplainRequest
    stream_count: int
    folder: str

    def open(self, device: str, progress: Progress) -> ExplainSession:
        """Open the networks and the store."""
        request = replace(self.request, weights=replace(self.request.weights, device=device))
        store = Store.open(request.store)
        return ExplainSession(request, Networks(request.weights, store, progress.say), store, progress)

    def detach(self, result: ExplainedRun) -> ExplainedRun:
        """Return a run without its store's files, which are open in this process."""
        run = copy.copy(result.run)
        run.storage = None
        return replace(result, run=run)

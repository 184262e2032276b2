"""Which runs make one picture, and what it is called."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from gbvis.networks.endpoint import ENDPOINTS
from gbvis.store import Store, StoredRun
from gbvis.store.keys import readable_name

Joined = list[StoredRun]


def join_runs(runs: Sequence[StoredRun], joins: str | None) -> tuple[list[Joined], list[StoredRun]]:
    """Return the runs of each picture, and the runs that found nothing to be shown with.

    Args:
        runs: In the store's order.
        joins: As a layout says.
    """
    if joins == "streams":
        return _pair_streams(runs)
    if joins == "endpoints":
        return _gather_endpoints(runs), []
    return [[run] for run in runs], []


def _pair_streams(runs: Sequence[StoredRun]) -> tuple[list[Joined], list[StoredRun]]:
    """Pair each RGB run with a flow run of the same video, endpoint and clips: of the same target, else the next."""
    groups: defaultdict[tuple[object, ...], dict[str, list[StoredRun]]] = defaultdict(lambda: {"rgb": [], "flow": []})
    for run in runs:
        clips = run.recipe["clips"]
        groups[run.video, run.endpoint, run.recipe["method"], len(clips), len(clips[0])][run.modality].append(run)
    pairs, alone = [], []
    for streams in groups.values():
        flows = streams["flow"]
        for rgb in sorted(streams["rgb"], key=lambda run: run.target not in {flow.target for flow in streams["flow"]}):
            if not flows:
                alone.append(rgb)
                continue
            flow = next((flow for flow in flows if flow.target == rgb.target), flows[0])
            flows.remove(flow)
            pairs.append([rgb, flow])
        alone += flows
    return pairs, alone


def _gather_endpoints(runs: Sequence[StoredRun]) -> list[Joined]:
    """Gather the runs of the same clips and weights, in the network's order."""
    groups: defaultdict[tuple[object, ...], Joined] = defaultdict(list)
    for run in runs:
        recipe = run.recipe
        same = (run.video, run.modality, recipe["weights"], recipe["family"], recipe["method"], recipe["precision"])
        groups[(*same, run.attributes["clips"])].append(run)
    return [sorted(group, key=lambda run: ENDPOINTS.index(run.endpoint)) for group in groups.values()]


class PictureNames:
    """Names for pictures: `VIDEO.MODALITY.ENDPOINT.TARGET`, and more where another picture would have that name."""

    def __init__(self, store: Store, pictures: Sequence[Joined], layout: str | None, joins: str | None) -> None:
        self._store, self._layout, self._joins = store, layout, joins
        self._namesakes: dict[tuple[str, str, str], Counter[int]] = {}
        self._count = Counter(self._plain_name(runs) for runs in pictures)

    def of(self, runs: Joined, format_name: str) -> str:
        """Return a picture's name, less its suffix; the digest's first 8 make it the only one.

        Strips, and sheets in PNG, need no word for their layout: the suffix tells.
        """
        name = self._plain_name(runs)
        has_namesake = self._count[name] > 1 if self._joins else self._has_namesake(runs[0])
        name = f"{name}.{runs[0].digest[:8]}" if has_namesake else name
        is_plain = self._layout in (None, "strip") or (self._layout == "sheet" and format_name == "png")
        return name if is_plain or self._joins else f"{name}.{self._layout}"

    def _plain_name(self, runs: Joined) -> str:
        first = runs[0]
        parts = {
            "streams": ("streams", first.endpoint.name, "-".join(dict.fromkeys(str(run.target) for run in runs))),
            "endpoints": (first.modality, "endpoints"),
        }.get(self._joins or "", (first.modality, first.endpoint.name, str(first.target)))
        return ".".join((readable_name(first.video), *parts))

    def _has_namesake(self, run: StoredRun) -> bool:
        """Return whether the store holds another run that would have the same plain name."""
        place = (run.video, run.modality, run.endpoint.name)
        if place not in self._namesakes:
            found = self._store.runs(run.video, run.modality, run.endpoint)
            self._namesakes[place] = Counter(other.target for other in found)
        return self._namesakes[place][run.target] > 1

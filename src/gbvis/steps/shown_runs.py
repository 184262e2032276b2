"""The runs of a store that a call shows: which are meant, what their videos are called, and how they are viewed."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from gbvis.errors import GbvisError, NothingFound
from gbvis.figures.relevance import TemporalRelevance
from gbvis.figures.run_view import RunView
from gbvis.networks.labels import read_labels
from gbvis.progress import Failure
from gbvis.shell import as_argument, join_words
from gbvis.steps.explain_command import describe_explain
from gbvis.steps.run_views import find_source_frames, make_run_view
from gbvis.steps.selection import Selection, select_runs, sort_as_named
from gbvis.steps.video_names import find_name, name_sources, source_of, suggest_labels, suggest_name
from gbvis.store import Store, StoredRun
from gbvis.store.keys import readable_name, video_key
from gbvis.videos.source import Source


class ShownRuns:
    """Finds runs in a store, and makes views of them."""

    def __init__(
        self,
        store: Store,
        videos: tuple[str, ...] = (),
        selection: Selection | None = None,
        dataset: Path | None = None,
        labels: Path | None = None,
        relevance: TemporalRelevance | None = None,
    ) -> None:
        """Name the parts.

        Args:
            store: Where the runs are.
            videos: Names or paths; empty for all videos.
            selection: Which runs; None for all.
            dataset: Where frames are looked for whose place is gone.
            labels: A file with class names, in place of those that the store knows.
            relevance: What to show of the values; None for all.

        Raises:
            UsageError: The class names cannot be read.
        """
        self.store, self.videos, self.selection = store, videos, selection or Selection()
        self.labels = read_labels(labels) if labels else None
        self._dataset, self._relevance = dataset, relevance
        self._stored: dict[str, StoredRun] = {}
        self._namesakes: dict[str, list[StoredRun]] = {}
        self._names: dict[str, dict[Source, str]] = {}

    def select(self, runs: list[StoredRun], purpose: str) -> Iterator[Failure]:
        """Put the runs asked for into `runs`, and yield a failure for each video that has none, each damaged run.

        Args:
            runs: The list to fill.
            purpose: What they are wanted for, such as `render`.

        Raises:
            NothingFound: No video is named, and no run of the store is meant.
        """
        for video in self.videos or (None,):
            try:
                runs += self._select(video, purpose)
            except GbvisError as error:
                prefix = f"{video_key(find_name(self.store, video))}/" if video is not None else ""
                if any(key.startswith(prefix) for key in self.store.damaged):
                    continue  # there is one, and what is wrong with it is said below
                if video is None:
                    raise
                yield Failure.of(video, error)
        for key in sorted(self.store.damaged):
            problem = f"{key} in {self.store.location} is damaged"
            yield Failure(key, problem, "run the same `gbvis explain` again: it computes it once more")

    def _select(self, video: str | None, purpose: str) -> list[StoredRun]:
        runs = select_runs(self.store, video, self.selection, self.labels, spares_rgb=True)
        if not runs:
            meant = suggest_name(self.store, video) if video is not None else ""
            meant += suggest_labels(self.store, self.selection.labels) if self.labels is None else ""
            if self.selection.runs:
                next_step = "choose other runs: `gbvis store ls --json` has their digests"
            else:
                next_step = f"explain it first: {self._explain_call(video)}"
            raise NothingFound(
                f"nothing to {purpose}{f' of {video}' if video is not None else ''}: no such run in "
                f"{self.store.location}",
                f"{meant}{'else ' if meant else ''}{next_step}",
            )
        return sort_as_named(self.store, runs, self.selection, self.labels)

    def _explain_call(self, video: str | None) -> str:
        """Return the command that makes what was looked for."""
        wanted = self.selection
        words = ["gbvis", "explain", as_argument(video or "VIDEO")]
        words += [word for path in wanted.weights or ("WEIGHTS",) for word in ("-w", str(path))]
        words += ["-m", wanted.modality] if wanted.modality else []
        words += [word for endpoint in wanted.endpoints for word in ("-e", endpoint)]
        words += [word for label in wanted.labels for word in ("-l", label)]
        words += [word for index in wanted.filters for word in ("-f", str(index))]
        words += ["-n", str(wanted.frames)] if wanted.frames else []
        words += ["--clips", str(wanted.clips)] if wanted.clips else []
        words += ["--flow-algorithm", wanted.flow_algorithm] if wanted.flow_algorithm else []
        words += [word for method in wanted.methods for word in ("--method", method)]
        words += ["--precision", wanted.precision] if wanted.precision else []
        return join_words([*words, "--store", self.store.location])

    def view(self, stored: StoredRun, name: str | None = None) -> RunView:
        """Return a run as layouts and outputs take it.

        Args:
            stored: The run.
            name: What its video is called; None where that is still to be found out.
        """
        find_source = partial(find_source_frames, self.store, stored, self._dataset, self.videos)
        command = partial(describe_explain, self.store, stored)
        named = name or self._find_name(stored)
        tests = self.selection.tests
        return make_run_view(self.store, stored, find_source, self.labels, named, self._relevance, command, tests)

    def _find_name(self, stored: StoredRun) -> str | None:
        self._stored[stored.key] = stored
        if stored.video not in self._names:
            self._namesakes[stored.video] = list(self.store.runs(stored.video))
            self._names[stored.video] = name_sources(self.store, [*self._namesakes[stored.video], stored])
        return self._name_video(stored)

    def _name_video(self, stored: StoredRun) -> str | None:
        """Return what a run's video is called; None where another process made the run just now."""
        return self._names[stored.video].get(source_of(self.store, stored))

    def file_name(self, view: RunView) -> str:
        """Return the video's name as a part of file names; one that tells namesakes apart, `a/clip`, is `a-clip`."""
        is_own = view.video == self._stored[view.key].video
        return readable_name(view.video if is_own else view.video.replace("/", "-"))

    def has_namesake(self, view: RunView) -> bool:
        """Return whether the store holds another run whose file would have the same plain name."""
        video = self._stored[view.key].video
        place = (view.video, view.modality, view.endpoint, view.target)
        alike = [
            one
            for one in self._namesakes[video]
            if place == (self._name_video(one), one.modality, one.endpoint, one.target)
        ]
        is_other_name = view.video != video and self.store.has_video(self.file_name(view))
        return len(alike) > 1 or is_other_name

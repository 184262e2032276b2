"""Store: opened, planned from, written, read."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from gbvis.attribution import Recipe
from gbvis.clip import ClipFormat, ClipPixels
from gbvis.endpoint import ENDPOINTS, Endpoint
from gbvis.errors import GbvisError
from gbvis.estimation import Estimation
from gbvis.fingerprint import digest_of
from gbvis.store.cards import Cards
from gbvis.store.group import StoredClips, StoredFlow, StoredRun
from gbvis.store.key import CLIPS, WEIGHTS, clips_key, flow_key, run_key, video_key
from gbvis.store.metadata import read_attributes
from gbvis.store.opening import check_store, is_empty, make_writable
from gbvis.store.publishing import leads_out, publishing
from gbvis.store.writing import MOTION_AXES, PIXEL_AXES, RunWriter, create_array, describe_clips, digest_of_clips
from gbvis.video import Video, VideoShape

REQUIRED = {"video", "location", "recipe", "clips", "value", "label", "scores", "requests", "state"}
"""Attributes without which a run is damaged."""

RECIPE_PARTS = {field.name for field in fields(Recipe)} - {"flow"}


class Store:
    """A store in a plain directory.

    Attributes:
        path: The directory.
        cards: What is known of weights files.
        damaged: Keys of the runs that `runs` passed over because a part of them is missing or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cards = Cards(path)
        self.damaged: set[str] = set()

    @classmethod
    def open(cls, path: Path) -> "Store":
        """Return the store at `path`.

        Raises:
            GbvisError: There is none (exit code 1), or what is there is no store, or a newer one (exit code 2).
        """
        check_store(path)
        return cls(path)

    @classmethod
    def find(cls, path: Path) -> "Store | None":
        """Return the store at `path`, or None where there is nothing, or an empty folder.

        Raises:
            GbvisError: As `open` (exit code 2).
        """
        return cls.open(path) if path.exists() and not is_empty(path) else None

    @classmethod
    def open_or_create(cls, path: Path) -> "Store":
        """Return the store at `path`, made if there is nothing yet.

        Raises:
            GbvisError: As `open`, or it cannot be made (exit code 2).
        """
        make_writable(path)
        return cls.open(path)

    def runs(
        self, video: str | None = None, modality: str | None = None, endpoint: Endpoint | None = None
    ) -> Iterator[StoredRun]:
        """Yield the finished runs, of one video, modality or endpoint where given, in a fixed order.

        Runs that are damaged are passed over; `damaged` holds their keys afterwards.
        """
        for name in [video_key(video)] if video is not None else self._names(""):
            for stream in [modality] if modality else ("rgb", "flow"):
                for place in [endpoint] if endpoint else ENDPOINTS:
                    for key in self._keys(f"{name}/{stream}/{place}"):
                        found = self._find_whole(key)
                        if found is None:
                            self.damaged.add(key)
                        else:
                            yield found

    def find_answers(
        self, video: str, modality: str, endpoint: Endpoint, requests: Iterable[str]
    ) -> dict[str, StoredRun]:
        """Return the finished runs that answer these digests of requests, as far as there are any."""
        wanted = set(requests)
        answers: dict[str, StoredRun] = {}
        for key in self._keys(f"{video_key(video)}/{modality}/{endpoint}"):
            answered = wanted & set((self._find(key) or {}).get("requests", ()))
            run = self._find_whole(key) if answered else None
            if run is not None:
                answers.update(dict.fromkeys(answered, run))
        return answers

    def find_run(self, video: str, recipe: Recipe) -> StoredRun | None:
        """Return the finished run of `video` made by `recipe`, or None where it is not there or damaged."""
        return self._find_whole(_run_key(video, recipe))

    def clips_of(self, run: StoredRun) -> StoredClips:
        """Return the clips that a run was computed from.

        Raises:
            GbvisError: They are gone.
        """
        return self._clips(clips_key(run.video, run.modality, run.attributes["clips"]))

    def find_shape(self, video: str, modality: str, fingerprint: str) -> VideoShape | None:
        """Return what is known of the video with that content from clips that were cut of it, or None."""
        for key in self._keys(f"{video_key(video)}/{modality}/{CLIPS}"):
            clips = self._find_clips(key)
            if clips is not None and clips.attributes["fingerprint"] == fingerprint:
                return clips.video_shape
        return None

    def write_clips(
        self,
        video: Video,
        clip_format: ClipFormat,
        frames: list[list[int]],
        clips: Iterator[ClipPixels],
        is_forced: bool,
    ) -> StoredClips:
        """Return the clips of a video from the store; what is not there is taken from `clips`, one at a time.

        Raises:
            GbvisError: A frame cannot be read, or the store cannot be written.
        """
        key = clips_key(video.name, video.modality, digest_of_clips(video, clip_format, frames))
        stored = None if is_forced else self._find_clips(key)
        if stored is None:
            kept = lambda: not is_forced and self._find_clips(key) is not None  # noqa: E731
            with publishing(self.path, key, kept) as group:
                square = (clip_format.crop, clip_format.crop)
                shape = (len(frames), len(frames[0]), *square, clip_format.channels)
                pixels = create_array(group, "pixels", shape, clip_format.dtype, PIXEL_AXES)
                for index, clip in enumerate(clips):
                    pixels[index] = clip
                group.update_attributes(describe_clips(video, clip_format, frames))
        return stored or self._clips(key)

    def open_flow(self, video: Video, estimation: Estimation, describe: Callable[[], Mapping[str, Any]]) -> StoredFlow:
        """Return the motion kept of an RGB video, as it was estimated that way; made empty if there is none yet.

        Args:
            video: The frames.
            estimation: How.
            describe: Returns what does not decide the numbers and is worth recording beside them.

        Raises:
            GbvisError: The video has no two frames, or the store cannot be written.
        """
        about = {"fingerprint": video.fingerprint, "estimation": estimation.to_json()}
        key = flow_key(video.name, estimation.algorithm, digest_of(about))
        if self._find_flow(key) is None:
            kept = lambda: self._find_flow(key) is not None  # noqa: E731
            with publishing(self.path, key, kept) as group:
                pairs = video.shape.frame_count - 1
                size = estimation.frame_size(video.shape)
                create_array(group, "motion", (pairs, *size, 2), estimation.dtype, MOTION_AXES, is_flat=True)
                group.update_attributes({"video": video.name, "location": video.location, **about, "made": describe()})
        flow = self._find_flow(key)
        assert flow is not None
        return flow

    @contextmanager
    def writing(self, video: str, recipe: Recipe, clip_format: ClipFormat, is_forced: bool) -> Iterator[RunWriter]:
        """Give a writer for the gradients of one run; the run is in the store once the context ends without error."""
        key = _run_key(video, recipe)
        kept = lambda: not is_forced and self._find_whole(key) is not None  # noqa: E731
        with publishing(self.path, key, kept) as group:
            square = (clip_format.crop, clip_format.crop)
            shape = (len(recipe.clips), clip_format.channels, len(recipe.clips[0]), *square)
            writer = RunWriter(group, shape)
            yield writer
            made = {"video": video, "recipe": recipe.to_json(), "value": writer.values}
            group.update_attributes({**made, **writer.attributes, "state": "complete"})

    def _find_flow(self, key: str) -> StoredFlow | None:
        attributes = self._find(key)
        flow = None if attributes is None else StoredFlow(self.path, key, attributes)
        return flow if flow and flow.is_usable else None

    def _keys(self, parent: str) -> list[str]:
        return [f"{parent}/{name}" for name in self._names(parent)]

    def _names(self, parent: str) -> list[str]:
        """Return the names of the finished groups below a group, in order.

        The folder is listed and not Zarr asked: unfinished groups come and go while other processes work.
        """
        folder = self.path / parent
        if not folder.is_dir():
            return []
        names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
        return [name for name in names if name != WEIGHTS and (folder / name).is_dir()]

    def _find(self, key: str) -> dict[str, Any] | None:
        """Return the attributes of the group with that key, or None where it is not there or cannot be read."""
        if leads_out(self.path, key):
            return None
        return read_attributes(self.path / key)

    def _find_whole(self, key: str) -> StoredRun | None:
        """Return the run with that key, or None where a part of it or of its clips is missing."""
        attributes = self._find(key) or {}
        if not attributes.keys() >= REQUIRED or not attributes["recipe"].keys() >= RECIPE_PARTS:
            return None
        run = StoredRun(self.path, key, attributes)
        if not run.is_in_place:
            return None
        clips = self._find_clips(clips_key(run.video, run.modality, run.attributes["clips"]))
        return run if clips and run.is_whole else None

    def _clips(self, key: str) -> StoredClips:
        clips = self._find_clips(key)
        if clips is None:
            raise GbvisError(
                f"the frames {key} are missing in {self.path}", "run the same `gbvis explain` to make them again"
            )
        return clips

    def _find_clips(self, key: str) -> StoredClips | None:
        attributes = self._find(key) or {}
        clips = StoredClips(self.path, key, attributes) if "frames" in attributes else None
        return clips if clips and clips.is_whole else None


def _run_key(video: str, recipe: Recipe) -> str:
    return run_key(video, recipe.modality, recipe.endpoint, recipe.target, recipe.method, recipe.digest)

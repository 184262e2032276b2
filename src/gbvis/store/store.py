"""Store: opened, planned from, written, read."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gbvis.attribution.attribution import Recipe
from gbvis.errors import GbvisError
from gbvis.networks.endpoint import ENDPOINTS, Endpoint
from gbvis.store.array import ArrayFormat
from gbvis.store.clips import StoredClips
from gbvis.store.flow import KeptFlow
from gbvis.store.keys import CLIPS, WEIGHTS, clips_key, run_key, video_key, weights_key
from gbvis.store.metadata import fits, read_group
from gbvis.store.root import check_store, lost_its_root, make_store
from gbvis.store.run import StoredRun
from gbvis.store.storage import Storage, open_storage
from gbvis.store.transaction import publishing
from gbvis.store.weights import WeightsRecords
from gbvis.store.writing import PIXEL_AXES, RunWriter, describe_clips, digest_of_clips, identify_clips
from gbvis.videos.clip import ClipFormat, ClipPixels
from gbvis.videos.video import Video, VideoShape


class Store:
    """A store at a place.

    Attributes:
        place: Its files.
        cards: What is known of weights files.
        flow: The motion that was estimated.
        damaged: Keys of the runs that `runs` passed over because a part of them is missing or cannot be read.
    """

    def __init__(self, place: Storage) -> None:
        self.place = place
        self.cards = WeightsRecords(place)
        self.flow = KeptFlow(place)
        self.damaged: set[str] = set()

    @property
    def location(self) -> str:
        """The path or URL, as the user gave it."""
        return self.place.location

    @classmethod
    def open(cls, location: str | Path, needs_root: bool = True) -> "Store":
        """Return the store at a path or an fsspec URL.

        Args:
            location: The path or URL.
            needs_root: Refuse a store whose root's metadata is lost or damaged, too.

        Raises:
            GbvisError: There is none (exit code 1), or what is there is no store, or a newer one (exit code 2).
        """
        place = open_storage(location)
        check_store(place, needs_root)
        return cls(place)

    @classmethod
    def find(cls, location: str | Path) -> "Store | None":
        """Return the store at a path or URL, or None where one is still to be made, or to get its root again.

        Raises:
            GbvisError: As `open` (exit code 2).
        """
        place = open_storage(location)
        with suppress(OSError):
            if place.is_empty() or lost_its_root(place):
                return None
        return cls.open(location)

    @classmethod
    def open_or_create(cls, location: str | Path) -> "Store":
        """Return the store at a path or URL, made if there is nothing yet, and rid of what killed processes left.

        Raises:
            GbvisError: As `open`, or it cannot be made.
        """
        place = open_storage(location)
        make_store(place)
        check_store(place)
        place.sweep()
        return cls(place)

    def runs(
        self, video: str | None = None, modality: str | None = None, endpoint: Endpoint | None = None
    ) -> Iterator[StoredRun]:
        """Yield the finished runs, of one video, modality or endpoint where given, in a fixed order.

        Runs that are damaged are passed over; `damaged` holds their keys afterwards.
        """
        for name in [video_key(video)] if video is not None else self.videos():
            for stream in [modality] if modality else ("rgb", "flow"):
                for place in [endpoint] if endpoint else ENDPOINTS:
                    for key in self.keys(f"{name}/{stream}/{place}"):
                        found = self._find_whole(key, is_thorough=False)
                        if found is None:
                            self.damaged.add(key)
                        else:
                            yield found

    def find_answers(
        self, video: str, modality: str, endpoint: Endpoint, requests: Iterable[str]
    ) -> dict[str, StoredRun]:
        """Return the finished runs that answer these digests of requests, as far as there are any.

        Every byte of what is returned has been checked.
        """
        wanted = set(requests)
        answers: dict[str, StoredRun] = {}
        for key in self.keys(f"{video_key(video)}/{modality}/{endpoint}"):
            attributes = read_group(self.place, key) or {}
            answered = wanted & set(attributes["requests"] if fits(attributes, {"requests": [str]}) else ())
            run = self._find_whole(key) if answered else None
            if run is not None:
                self._mend_levels(run)
                answers.update(dict.fromkeys(answered, run))
        return answers

    def find_run(self, video: str, recipe: Recipe) -> StoredRun | None:
        """Return the run of `video` made by `recipe`, every byte checked; None where it is not there, or damaged."""
        return self._find_whole(_run_key(video, recipe))

    def clips_of(self, run: StoredRun) -> StoredClips:
        """Return the clips that a run was computed from.

        Raises:
            GbvisError: They are gone.
        """
        return self._clips(run.clips_key)

    def find_shape(self, video: str, modality: str, fingerprint: str) -> VideoShape | None:
        """Return what is known of the video with that content from clips that were cut of it, or None."""
        for key in self.keys(f"{video_key(video)}/{modality}/{CLIPS}"):
            clips = self._find_clips(key, is_thorough=False)
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
        identity = identify_clips(video, clip_format, frames)
        key = clips_key(video.name, video.modality, digest_of_clips(identity))
        stored = None if is_forced else self._find_clips(key)
        if stored is None:
            kept = lambda: not is_forced and self._find_clips(key) is not None  # noqa: E731
            with publishing(self.place, key, kept) as group:
                square = (clip_format.crop, clip_format.crop)
                shape = (len(frames), len(frames[0]), *square, clip_format.channels)
                pixels = group.create_array("pixels", ArrayFormat.create(shape, clip_format.dtype, PIXEL_AXES))
                for clip in clips:
                    pixels.write(clip)
                group.attributes = {**identity, **describe_clips(video, clip_format)}
        return stored or self._clips(key)

    @contextmanager
    def writing(self, video: str, recipe: Recipe, clip_format: ClipFormat, is_forced: bool) -> Iterator[RunWriter]:
        """Give a writer for the gradients of one run; the run is in the store once the context ends without error."""
        key = _run_key(video, recipe)
        kept = lambda: not is_forced and self._find_whole(key) is not None  # noqa: E731
        with publishing(self.place, key, kept) as group:
            square = (clip_format.crop, clip_format.crop)
            shape = (len(recipe.clips), clip_format.channels, len(recipe.clips[0]), *square)
            writer = RunWriter(group, shape)
            yield writer
            if group.is_given_up:
                return
            writer.finish()
            made = {"video": video, "recipe": recipe.to_json(), "value": writer.values}
            group.attributes = {**made, **writer.attributes, "state": "complete"}

    def videos(self) -> list[str]:
        """Return the keys of the videos that something is kept of."""
        return [name for name in self.place.list_folders("") if name != WEIGHTS]

    def keys(self, parent: str) -> list[str]:
        """Return the keys of the groups below a group, in order; those that are being made are not among them."""
        return [f"{parent}/{name}" for name in self.place.list_folders(parent)]

    def _mend_levels(self, run: StoredRun) -> None:
        """Write the metadata of the groups above a run and what it uses, where it is not as it should be."""
        with suppress(OSError):  # a store that cannot be written serves what it has
            for key in (run.key, run.clips_key, weights_key(run.recipe["weights"], None)):
                self.place.ensure_levels(key)

    def _find_whole(self, key: str, is_thorough: bool = True) -> StoredRun | None:
        """Return the run with that key, or None where it or its clips are missing or damaged."""
        attributes = read_group(self.place, key)
        run = None if attributes is None else StoredRun(self.place, key, attributes)
        if run is None or run.find_damage(is_thorough):
            return None
        return run if self._find_clips(run.clips_key, is_thorough) else None

    def _clips(self, key: str) -> StoredClips:
        clips = self._find_clips(key, is_thorough=False)
        if clips is None:
            raise GbvisError(
                f"the frames {key} are missing in {self.location}", "run the same `gbvis explain` to make them again"
            )
        return clips

    def _find_clips(self, key: str, is_thorough: bool = True) -> StoredClips | None:
        attributes = read_group(self.place, key)
        clips = None if attributes is None else StoredClips(self.place, key, attributes)
        return clips if clips and not clips.find_damage(is_thorough) else None


def _run_key(video: str, recipe: Recipe) -> str:
    return run_key(video, recipe.modality, recipe.endpoint, recipe.target, recipe.method, recipe.digest)

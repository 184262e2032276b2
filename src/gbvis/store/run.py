"""Runs: one attribution per clip, and all that decided it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.attribution import Attribution, Values, are_pixel_axes
from gbvis.attribution.recipe import Recipe
from gbvis.attribution.relu_count import ReluCount
from gbvis.errors import StoreError, UsageError
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.grid import GRID_AXES, Grid
from gbvis.networks.labels import Labels, class_name
from gbvis.networks.prediction import PredictedClass, TrueClass
from gbvis.store.array import StoredArray
from gbvis.store.clips import StoredClips
from gbvis.store.coordinates import find_coordinates
from gbvis.store.group import StoredGroup, read_attributes, write_attributes
from gbvis.store.keys import clips_key, run_key
from gbvis.store.storage import Storage
from gbvis.store.transaction import GroupWriter, transaction

if TYPE_CHECKING:
    import xarray


def put_percent(share: float) -> str:
    """Return a share in percent, in words: two digits, or all before the point."""
    return f"{100 * share:.0f} %" if share >= 1 else f"{100 * share:.2g} %"


_NEARLY_ONE, _NEARLY_NONE = 1e-6, 1e-30
"""Where a probability is nearer to 1, or to 0, than this, its gradient is tiny and says less than the logit's."""


@dataclass(frozen=True)
class Score:
    """A class and its probability."""

    index: int
    score: float


@dataclass(kw_only=True)
class StoredRun(StoredGroup):
    """One run of a store.

    Attributes:
        video: The video's true name.
        location: Where it was read from.
        recipe: What decided the numbers.
        endpoint: Where the target lies.
        position: The endpoint's place in the forward pass, from 0.
        kind: `signed` where values have a sign, else `positive`.
        clips: The digest of the clips.
        value: Per clip the target's value.
        scores: The highest class scores, the mean over all clips, best first.
        requests: Digests of the requests that this run answers.
        made: What it was made with: versions, device, time.
        grid: Where its cells lie in the clips; None where values are in line with pixels.
        details: Per clip, numbers that say how good it is, by name; empty where the method gives none.
        truth: The class that a list gives the video; None where none was given. It decides no number.
        relus: What a rule for ReLUs reached, in all clips; None of a method without one, and where nobody knows.
    """

    video: str
    location: str
    recipe: Recipe
    endpoint: Endpoint
    position: int
    kind: Literal["signed", "positive"]
    clips: str
    value: list[float]
    scores: list[Score]
    requests: list[str]
    made: dict[str, Any]
    grid: Grid | None = None
    details: list[dict[str, bool | int | float]] = field(default_factory=list)
    truth: TrueClass | None = None
    relus: ReluCount | None = None

    def __post_init__(self) -> None:
        counts = {len(self.recipe.clips), len(self.value), *(array.shape[0] for array in self.arrays.values())}
        has_all = {*self.arrays} == {"gradient", "value"} and all(array.chunks for array in self.arrays.values())
        clip, *axes = self.arrays["gradient"].axes
        is_of_clips = has_all and clip == "clip" and are_pixel_axes(tuple(axes))
        if len(counts) != 1 or not is_of_clips or self.endpoint.name != self.recipe.endpoint:
            raise ValueError("its clips, values and gradients do not go together")
        if (self.grid and tuple(axes) != GRID_AXES) or len(self.details) not in (0, *counts):
            raise ValueError("its grid and its details are of something else")
        method, flow = self.recipe.method, self.recipe.flow
        words = method["name"], flow.get("algorithm", ""), flow.get("camera_motion", "")
        if not isinstance(method["settings"], dict) or not all(isinstance(word, str) for word in words):
            raise ValueError("its recipe is none")

    @property
    def own_key(self) -> str:
        """The key of a run with this recipe."""
        return key_of_run(self.video, self.recipe)

    @property
    def modality(self) -> str:
        """`rgb` or `flow`."""
        return self.recipe.modality

    @property
    def target(self) -> int:
        """The filter, feature or class."""
        return self.recipe.target

    @property
    def digest(self) -> str:
        """The last part of the key's last part."""
        return self.key.rsplit("-", 1)[1]

    @property
    def clips_key(self) -> str:
        """The key of the clips that the run was computed from."""
        return clips_key(self.video, self.modality, self.clips)

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of one clip's axes: (channel, time, y, x) where values are in line with the clip's pixels."""
        return self.arrays["gradient"].axes[1:]

    @property
    def is_saturated(self) -> bool:
        """True where the target is a probability and, in some clip, so near to 1 or 0 that its gradient is tiny."""
        near = (value > 1 - _NEARLY_ONE or value < _NEARLY_NONE for value in self.value)
        return self.endpoint.is_score and any(near)

    @property
    def completeness_gap(self) -> float | None:
        """The largest part, in any clip, that values lack of what they should sum to; None where nobody knows."""
        gaps = (one.get("completeness_gap") for one in self.details if one.get("gap_is_relative", 1.0))
        return max((gap for gap in gaps if gap is not None), default=None)

    def describe_completeness(self) -> str:
        """Return in words how far the values are from summing to what they should; empty where nobody knows."""
        largest = max(self.details, key=lambda one: one.get("completeness_gap", 0.0), default={})
        if "completeness_gap" not in largest:
            return ""
        gap, absolute = self.completeness_gap, largest["completeness_gap"]
        amount = f"{absolute:.2g} in {self.endpoint.value_name}" if gap is None else put_percent(gap)
        return f"gap {'up to ' if len(self.details) > 1 else ''}{amount}"

    def describe_saturation(self, endpoints: Sequence[Endpoint]) -> str:
        """Return which of the network's endpoints to look at instead of at a gradient that is next to nothing.

        Nothing is returned where the run is not saturated.
        """
        if not self.is_saturated:
            return ""
        logits = [one.name for one in endpoints if one.is_class and not one.is_score]
        return f"saturated: see -e {logits[0]}" if logits else "saturated"

    def predicted(self, labels: Labels | None) -> PredictedClass | None:
        """Return the class with the highest score over the clips, or None where the network gives no scores."""
        return next(iter(self.top_classes(labels)), None)

    def top_classes(self, labels: Labels | None) -> tuple[PredictedClass, ...]:
        """Return the classes with the highest scores over the clips, best first; none where there are no scores."""
        count = len(self.recipe.clips)
        named = ((one.index, class_name(labels, one.index), one.score) for one in self.scores)
        return tuple(PredictedClass(*about, count) for about in named)

    def gradient(self, clip: int) -> Values:
        """Return what the method gave for a clip: float32 (channel, time, y, x), or what `axes` says.

        Of a gradient it is d target / d normalised input; of flow, channel 0 is u and 1 is v.

        Raises:
            GbvisError: It is missing or damaged.
        """
        return self._read_chunk("gradient", clip)

    def to_numpy(self) -> NDArray[np.float32]:
        """Return all clips at once: float32 (clip, *axes).

        Raises:
            GbvisError: As `gradient`.
        """
        return np.stack([self.gradient(clip) for clip in range(len(self.value))])

    def to_xarray(self) -> "xarray.DataArray":
        """Return all clips at once with coordinates, where xarray is installed.

        Coordinates, as far as the method's axes allow: `frame` (clip, time), the frame numbers; `seconds`
        (clip, time), where the rate is known; `source_row` (y) and `source_column` (x), where the middle of each pixel
        lies among those of the source, of each frame (clip, time, ...) where they differ in size; `channel`: red,
        green, blue; or u, v. Of a grid they are where its cells are centred; a cell may lie between frames.

        Raises:
            UsageError: xarray is not installed.
            StoreError: As `gradient`, or the clips are gone.
        """
        try:
            import xarray
        except ImportError as error:
            raise UsageError("xarray is not installed", "pip install 'gbvis[xarray]', or use to_numpy()") from error
        array = self.arrays["gradient"]
        coordinates = find_coordinates(self.read_clips(), array.axes, array.shape, self.grid)
        return xarray.DataArray(self.to_numpy(), dims=array.axes, coords=coordinates, name="gradient")

    def find_damage(self, is_thorough: bool) -> str | None:
        """As `StoredGroup`; a run whose clips are missing is damaged too. Their bytes are not read."""
        damage = self.find_own_damage(is_thorough)
        is_complete = damage or self.find_clips() is not None
        return damage if is_complete else f"its clips {self.clips_key} are missing or damaged"

    def find_own_damage(self, is_thorough: bool) -> str | None:
        """As `find_damage`, without a look at its clips."""
        return super().find_damage(is_thorough)

    def read_clips(self) -> StoredClips:
        """Return the clips that the run was computed from.

        Raises:
            StoreError: They are missing or damaged.
        """
        clips = self.find_clips()
        if clips is None:
            raise StoreError(
                f"the frames {self.clips_key} are missing in {self.storage.location}",
                "run the same `gbvis explain` to make them again",
            )
        return clips

    def find_clips(self, is_thorough: bool = False) -> StoredClips | None:
        """Return the clips that the run was computed from; None where they are missing or damaged."""
        clips = StoredClips.find(self.storage, self.clips_key, is_thorough)
        return clips if clips and clips.frames == self.recipe.clips else None

    def add_requests(self, digests: Iterable[str]) -> None:
        """Keep with the run that it answers these requests too, if the store lets us; if not, nothing is lost."""
        self._update(lambda now: {"requests": sorted({*now["requests"], *digests})})

    def keep_truth(self, truth: TrueClass | None) -> None:
        """Keep with the run which class a list gives its video now, if the store lets us; None says nothing new."""
        if truth is not None and truth != self.truth:
            self._update(lambda now: {"truth": asdict(truth)})
            self.truth = truth

    def _update(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Replace attributes that decide no number, as `change` says of those that are there now."""
        now = read_attributes(self.storage, self.key)  # another process may have added to them
        if now is not None and StoredRun.read(self.storage, self.key) == self:
            with suppress(OSError):
                write_attributes(self.storage, self.key, {**now, **change(now)})


class RunWriter:
    """Writes the attributions of one run, clip by clip."""

    def __init__(self, group: GroupWriter, recipe: Recipe) -> None:
        self._group, self._recipe = group, recipe
        self._value: list[float] = []
        self._details: list[dict[str, bool | int | float]] = []
        self._relus: ReluCount | None = None

    def describe(self, **attributes: Any) -> None:
        """Add to what is kept with the run; see `StoredRun`. May be called until the context ends."""
        self._group.attributes |= attributes

    def write(self, attribution: Attribution) -> None:
        """Write the next clip's attribution, of which the first decides the run's axes; remember its value.

        Raises:
            NumbersError: It holds what is no number: such a run is given up, and never in the store.
        """
        attribution.check_numbers(len(self._value))
        if not self._value:
            shape, axes = (len(self._recipe.clips), *attribution.values.shape), ("clip", *attribution.axes)
            self._group.add_array("gradient", StoredArray(shape, "float32", axes))
            if attribution.grid:
                self.describe(grid=asdict(attribution.grid))
        self._group.write("gradient", attribution.values)
        self._value.append(attribution.value)
        self._details.append(dict(attribution.details))
        if attribution.relus:
            self._relus = attribution.relus.joined(self._relus)

    def give_up(self) -> None:
        """Leave nothing of the run, when the context ends."""
        self._group.is_given_up = True

    def finish(self) -> None:
        """Write the values."""
        count = len(self._value)
        self._group.add_array("value", StoredArray((count,), "float32", ("clip",), chunk_length=count))
        self._group.write("value", self._value)
        self.describe(value=self._value)
        if any(self._details):
            self.describe(details=self._details)
        if self._relus:
            self.describe(relus=asdict(self._relus))


@contextmanager
def write_run(storage: Storage, video: str, recipe: Recipe, force: bool) -> Iterator[RunWriter]:
    """Give a writer for one run; the run is in the store once the context ends without error.

    Args:
        storage: The store's files.
        video: The video's name.
        recipe: What decides the numbers.
        force: Replace a run that another process has made meanwhile.

    Raises:
        StoreError: The store cannot be written.
    """
    with transaction(storage, key_of_run(video, recipe), None if force else StoredRun) as group:
        writer = RunWriter(group, recipe)
        yield writer
        if not group.is_given_up:
            writer.describe(video=video, recipe=recipe.to_json())
            writer.finish()


def key_of_run(video: str, recipe: Recipe) -> str:
    """Return the key of the run of a video by a recipe."""
    return run_key(video, recipe.modality, recipe.endpoint, recipe.target, recipe.method["name"], recipe.digest)

"""RunView: a run as layouts and outputs show it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gbvis.attribution.attribution import PIXEL_AXES, Values
from gbvis.attribution.recipe import Recipe, describe_flow
from gbvis.figures.check_view import CheckView
from gbvis.figures.picture import Pixels
from gbvis.figures.relevance import TemporalRelevance
from gbvis.networks.endpoint import Endpoint
from gbvis.networks.prediction import PredictedClass, TrueClass
from gbvis.videos.clip import ClipPixels
from gbvis.videos.source import Source

Box = tuple[float, float, float, float]
"""A rectangle in a frame's own pixels: left, top, right, bottom."""


@dataclass(frozen=True)
class ClipView:
    """One clip of a run and what was found in it.

    Attributes:
        frames: The frame numbers.
        pixels: (T, H, W, C), what the network saw before normalisation.
        gradient: float32 (C, T, H, W), the attribution; see `spread_over_frames`.
        value: The target's value.
    """

    frames: list[int]
    pixels: ClipPixels
    gradient: Values
    value: float

    @property
    def importance(self) -> NDArray[np.float64]:
        """How much of the gradient there is in each frame: float64 (T,), |g| summed over channels and places."""
        steps = range(self.gradient.shape[1])
        return np.array([np.abs(self.gradient[:, step]).sum(dtype=np.float64) for step in steps])


def spread_over_frames(values: Values, axes: tuple[str, ...], frame_count: int) -> Values:
    """Return an attribution as float32 (C, T, H, W), with a step for every frame of the clip.

    An axis that is not there gets one place. What has fewer steps than frames is repeated in equal parts.

    Args:
        values: float32 with these axes.
        axes: Their names, in the order of `PIXEL_AXES`.
        frame_count: T.
    """
    lacking = [place for place, axis in enumerate(PIXEL_AXES) if axis not in axes]
    values = np.expand_dims(values, tuple(lacking))
    steps = values.shape[1]
    if steps == frame_count:
        return values
    return values[:, (np.arange(frame_count) * steps) // frame_count]


@dataclass(frozen=True)
class SourceFrames:
    """The frames that clips were cut from, at their own size.

    Attributes:
        width: Pixels of the widest.
        height: Pixels of the highest.
        box: Where the clips' square lies in a frame of this width and height.
        read: Returns a frame by its number: uint8 (height, width, 3), RGB; it may be smaller.
    """

    width: int
    height: int
    box: Box
    read: Callable[[int], Pixels]

    def box_in(self, frame: Pixels) -> Box:
        """Return where the clips' square lies in one frame: the same part of it, whatever its size."""
        down, across = frame.shape[0] / self.height, frame.shape[1] / self.width
        left, top, right, bottom = self.box
        return left * across, top * down, right * across, bottom * down


@dataclass(frozen=True)
class RunView:
    """A run as layouts and outputs show it; nothing is read before it is asked for.

    Attributes:
        video: The video's name.
        recipe: Everything that decided the numbers.
        endpoint: Where the target lies.
        position: The endpoint's place in the forward pass, from 0.
        key: The run's group in the store.
        clips_digest: Of the pixels that the network saw.
        class_name: Of the target, or None.
        prediction: What the network predicted for these clips; None where nobody knows.
        clips: Reads the clips anew, one by one.
        read_rate: Returns the video's frames per second, or None.
        find_source: Returns the frames at their own size; raises a GbvisError where they are gone.
        source: Where the stream came from; its name is that of all namesakes, which `video` tells apart.
        weights_name: What the user calls the weights; empty where they have no name.
        read_seconds: Returns when frames are shown, by their numbers; none where the rate tells it.
        saturation: Where to look instead, where the target is a probability whose gradient is next to nothing; else
            empty.
        remark: What is to be known of the values: the size of the grid that is drawn, or how good they are, and at how
            many activations a rule for ReLUs decided where it was not all; or nothing.
        kind: `signed` where values have a sign, else `positive`.
        quantity: What the values are called: `gradient`, or else `relevance`.
        is_one_channel: True where one value stands for all channels of a pixel.
        relevance: What was done to show a part of the values alone; None where all are shown.
        truth: The class that a list gives the video, or None.
        values: The target's value in each clip; empty where only the clips tell.
        read_clip: Reads one clip, given by its number; None where they are read in turn alone.
        scores: The classes with the highest scores, best first; none where the network gives no scores.
        find_place: Returns the height and width of the largest frame that a clip, given by its number, was cut from,
            and where the clip lies in it; the video itself is not needed for it. None where nobody knows.
        explain_command: Returns the call of `gbvis explain` that makes the run; empty where it cannot be told.
        checks: Reads what tests found of the run.
    """

    video: str
    recipe: Recipe
    endpoint: Endpoint
    position: int
    key: str
    clips_digest: str
    class_name: str | None
    prediction: PredictedClass | None
    clips: Callable[[], Iterator[ClipView]]
    read_rate: Callable[[], float | None]
    find_source: Callable[[], SourceFrames]
    source: Source
    weights_name: str = ""
    read_seconds: Callable[[], Mapping[int, float]] = dict
    saturation: str = ""
    remark: str = ""
    kind: Literal["signed", "positive"] = "signed"
    quantity: str = "gradient"
    is_one_channel: bool = False
    relevance: TemporalRelevance | None = None
    truth: TrueClass | None = None
    values: tuple[float, ...] = ()
    read_clip: Callable[[int], ClipView] | None = None
    scores: tuple[PredictedClass, ...] = ()
    find_place: Callable[[int], tuple[tuple[int, int], Box]] | None = None
    explain_command: Callable[[], str] = str
    checks: Callable[[], list[CheckView]] = list

    @property
    def digest(self) -> str:
        """The first letters of the run's digest, which tell it from all others, as `store ls` shows them."""
        return self.recipe.digest[:8]

    @property
    def modality(self) -> str:
        """`rgb` or `flow`."""
        return self.recipe.modality

    @property
    def target(self) -> int:
        """The filter, feature or class."""
        return self.recipe.target

    @property
    def frames(self) -> list[list[int]]:
        """The frame numbers of each clip."""
        return self.recipe.clips

    @property
    def clip_count(self) -> int:
        """The number of clips."""
        return len(self.frames)

    @property
    def frames_per_clip(self) -> int:
        """T."""
        return len(self.frames[0])

    def clip(self, number: int) -> ClipView:
        """Return one clip."""
        return self.read_clip(number) if self.read_clip else next(islice(self.clips(), number, None))

    @cached_property
    def rate(self) -> float | None:
        """The video's frames per second, or None."""
        return self.read_rate()

    @cached_property
    def _seconds(self) -> Mapping[int, float]:
        return self.read_seconds()

    def second_of(self, frame: int) -> float | None:
        """Return when a frame is shown, counted from the video's first, or None where nothing tells it."""
        if self._seconds:
            return self._seconds.get(frame)
        return frame / self.rate if self.rate else None

    @property
    def stream(self) -> str:
        """The modality, and how its flow was computed."""
        flow = ", ".join(describe_flow(self.recipe.flow))
        return f"{self.modality} ({flow})" if flow else self.modality

    @property
    def method(self) -> str:
        """The method, as `--method` takes it, with the settings that are not as by default."""
        return self.recipe.short_method

    @property
    def asked_method(self) -> str:
        """The method without settings that are decided for the network and the target where nobody does."""
        return self.recipe.asked_method

    @property
    def method_name(self) -> str:
        """The method's name without its settings."""
        return str(self.recipe.method["name"])

    @property
    def method_settings(self) -> str:
        """The method's settings, as `--method` takes them."""
        return self.recipe.method_name.partition(":")[2]

    @property
    def magnitude(self) -> str:
        """What the values are called where their sign is left out."""
        return f"|{self.quantity}|" if self.kind == "signed" else self.quantity

    @property
    def target_name(self) -> str:
        """The target in words, without its value."""
        return f"{self.numbered_target} {self.class_name}" if self.class_name else self.numbered_target

    @property
    def numbered_target(self) -> str:
        """The target in words, without its name."""
        return f"{self.endpoint.target_kind} {self.target}"

    @property
    def is_not_predicted(self) -> bool:
        """True where a class is explained that the network does not predict."""
        return self.endpoint.is_class and self.prediction is not None and self.prediction.index != self.target

    @property
    def has_warning(self) -> bool:
        """True where the line about the prediction says what must not be overlooked."""
        return self.is_not_predicted or bool(self.saturation)

    def describe_prediction(self, label: str | None = None, shortness: int = 0) -> str:
        """Return what the network predicts in words, and whether that is the target; nothing where nobody knows.

        Before it stands whether the target is saturated.

        Args:
            label: What the class predicted is called; without it, by its name.
            shortness: As `PredictedClass.describe` takes it.
        """
        if self.prediction is None:
            return self.saturation
        explained = self.target if self.endpoint.is_class else None
        said = self.prediction.describe(explained, label, shortness)
        return f"{self.saturation}; {said}" if self.saturation else said

    def describe_value(self, value: float) -> str:
        """Return the target's value in words."""
        return f"{self.endpoint.value_name} {value:.4g}"

    def describe(self, value: float) -> str:
        """Return the title of a clip whose target has this value, without the video's name."""
        target = f"{self.target_name}   {self.describe_value(value)}"
        parts = [self.stream, self.weights_name, str(self.endpoint), target, self.method]
        parts += [self.describe_relevance()]
        return "   ".join(filter(None, parts))

    def describe_relevance(self) -> str:
        """Return in words which part of the values is shown; nothing where all are."""
        return f"only what changes in time ({self.relevance})" if self.relevance else ""

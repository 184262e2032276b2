"""One stream of one video to be explained, and where its runs go."""

from dataclasses import dataclass, replace

from gbvis.attribution.method import Method
from gbvis.attribution.recipe import Recipe, StreamRecipe
from gbvis.networks.endpoint import Target, TargetRequest
from gbvis.networks.info import WeightsInfo
from gbvis.networks.prediction import TrueClass
from gbvis.progress import Progress
from gbvis.store import Store
from gbvis.videos.video import Video, reading_of

Question = tuple[Method, TargetRequest]
"""What is asked: how, and of what."""

Answer = tuple[Method, Target]
"""What a run is of."""


@dataclass(frozen=True)
class Task:
    """One stream of one video, and where its runs go.

    Attributes:
        video: The stream.
        info: The network.
        recipe: What all runs of it share, but that some methods need float32, and some motion.
        store: Where runs are kept.
        progress: An object that is told how far the work is.
        is_forced: Compute again what is there.
        motion: The flow that tells how things move in it; None where no method asks.
        truth: The class that a list gives the video, or None.
    """

    video: Video
    info: WeightsInfo
    recipe: StreamRecipe
    store: Store
    progress: Progress
    is_forced: bool
    motion: Video | None = None
    truth: TrueClass | None = None

    def recipe_for(self, method: Method) -> StreamRecipe:
        """Return what all runs of a method share."""
        recipe = replace(self.recipe, precision="float32") if method.needs_float32 else self.recipe
        if not method.needs_motion:
            return recipe
        assert self.motion
        video = reading_of(self.motion.motion_fingerprint)
        return replace(recipe, motion={**self.motion.flow_recipe, "video": video})

    def recipe_of(self, answer: Answer, frames: list[list[int]]) -> Recipe:
        """Return the recipe of a run over the clips with these frames."""
        method, target = answer
        return self.recipe_for(method).of_run(method.recipe(), target, frames)

    def say(self, line: str) -> None:
        """Tell a detail of this stream."""
        self.progress.say(f"{self.video.name} {self.video.modality}: {line}")

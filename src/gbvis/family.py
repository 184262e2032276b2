"""Family: what all checkpoints of one origin have in common. One file of `checkpoints/` holds one `FAMILY`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gbvis.clip import ClipFormat


@dataclass(frozen=True)
class Family:
    """How a family of checkpoints names, pads, normalises and feeds its networks.

    Attributes:
        name: The family's name, as `inspect-shapes` shows it.
        names: For every layer of `R2Plus1D` (those inside a block without `stages.0.0.`) the family's name of it,
            in which `{stage}` and `{block}` stand for the family's numbers.
        first_stage: The family's number of the first residual stage.
        first_block: The family's number of a stage's first block.
        padding: How its convolutions pad.
        norm_epsilon: What its batch norms add to the variance.
        has_equal_middles: True where both convolutions of a down-sampling block have the middle channels of the
            first; False where each has its own.
        formats: Per modality the input that its networks expect.
        class_lists: Per class count the class list that gbvis carries for it.
    """

    name: str
    names: Mapping[str, str]
    first_stage: int
    first_block: int
    padding: Literal["same", "symmetric"]
    norm_epsilon: float
    has_equal_middles: bool
    formats: Mapping[str, ClipFormat]
    class_lists: Mapping[int, str]

    def name_of(self, parameter: str) -> str:
        """Return what the family calls `parameter`, a name of `R2Plus1D` such as `stages.0.1.shortcut.norm.bias`."""
        layer, value = parameter.rsplit(".", 1)
        if not layer.startswith("stages."):
            return f"{self.names[layer]}.{value}"
        _, stage, block, layer = layer.split(".", 3)
        numbers = {"stage": int(stage) + self.first_stage, "block": int(block) + self.first_block}
        return f"{self.names[layer].format(**numbers)}.{value}"

"""Family: what all checkpoints of one origin have in common. One file of `checkpoints/` holds one `FAMILY`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gbvis.networks.r2plus1d.architecture import Variant
from gbvis.videos.clip import ClipFormat

_PARTS = ("spatial.convolution", "spatial.norm", "temporal.convolution", "temporal.norm")
_IN_A_BLOCK = "stages.{stage}.{block}."

OWN_NAMES = (
    {f"stem.{part}": f"stem.{part}" for part in _PARTS}
    | {f"{unit}.{part}": f"{_IN_A_BLOCK}{unit}.{part}" for unit in ("first", "second", "shortcut") for part in _PARTS}
    | {f"shortcut.{layer}": f"{_IN_A_BLOCK}shortcut.{layer}" for layer in ("convolution", "norm")}
    | {"classifier": "classifier"}
)
"""For every layer its name in `R2Plus1D` itself, as `CheckpointFormat.names` wants it."""


@dataclass(frozen=True)
class CheckpointFormat:
    """How a family of checkpoints names, pads, normalises and feeds its networks.

    Attributes:
        name: The family's name, as `inspect-shapes` shows it.
        variant: What its networks share beyond the paper.
        names: For every layer of `R2Plus1D` (those inside a block without `stages.0.0.`) the family's name of it,
            in which `{stage}` and `{block}` stand for what the family calls them.
        first_stage: The family's number of the first residual stage.
        block_name: What the family calls a block, given its stage and its number there, both counted from 0.
        has_equal_middles: True where both convolutions of a down-sampling block have the middle channels of the
            first; False where each has its own.
        formats: Per modality the input that its networks expect.
        class_lists: Per class count the class list that gbvis carries for it.
        suffixes: What follows a layer's name, by kind of layer and value, where that is not a dot and the value.
        extras: A pattern of names that may stand beside the network and are not used.
    """

    name: str
    variant: Variant
    names: Mapping[str, str]
    first_stage: int
    block_name: Callable[[int, int], str]
    has_equal_middles: bool
    formats: Mapping[str, ClipFormat]
    class_lists: Mapping[int, str]
    suffixes: Mapping[str, str] = field(default_factory=dict)
    extras: str = ""

    def name_of(self, parameter: str) -> str | None:
        """Return what the family calls a parameter of `R2Plus1D` such as `stages.0.1.shortcut.norm.bias`.

        None where its networks have no such layer.
        """
        layer, value = parameter.rsplit(".", 1)
        stage = block = "0"
        if layer.startswith("stages."):
            _, stage, block, layer = layer.split(".", 3)
        if layer not in self.names:
            return None
        called = {"stage": int(stage) + self.first_stage, "block": self.block_name(int(stage), int(block))}
        suffix = self.suffixes.get(f"{layer.rsplit('.', 1)[-1]}.{value}", f".{value}")
        return f"{self.names[layer].format(**called)}{suffix}"

"""CheckpointFormat: what the checkpoints of one origin have in common. `formats.py` has one for each."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from gbvis.networks.r2plus1d import FORMATS
from gbvis.networks.r2plus1d.architecture import Variant
from gbvis.videos.clip import ClipFormat

_PARTS = ("spatial.convolution", "spatial.norm", "temporal.convolution", "temporal.norm")
_IN_A_BLOCK = "stages.{stage}.{block}."

MODULE_NAMES = (
    {f"stem.{part}": f"stem.{part}" for part in _PARTS}
    | {f"{unit}.{part}": f"{_IN_A_BLOCK}{unit}.{part}" for unit in ("first", "second", "shortcut") for part in _PARTS}
    | {f"shortcut.{layer}": f"{_IN_A_BLOCK}shortcut.{layer}" for layer in ("convolution", "norm")}
    | {"classifier": "classifier"}
)
"""For every layer its name in `R2Plus1D` itself, as `CheckpointFormat.names` wants it."""


@dataclass(frozen=True)
class CheckpointFormat:
    """How checkpoints of one origin name, pad, normalise and feed their networks.

    Attributes:
        name: Its name, as `inspect-shapes` shows it.
        variant: What its networks share beyond the paper.
        names: For every layer of `R2Plus1D` (those inside a block without `stages.0.0.`) the checkpoint's name of it,
            in which `{stage}` and `{block}` stand for what the checkpoint calls them.
        first_stage: The checkpoint's number of the first residual stage.
        block_name: What the checkpoint calls a block, given its stage and its number there, both counted from 0.
        has_equal_middles: True where both convolutions of a down-sampling block have the middle channels of the
            first; False where each has its own.
        formats: Per modality the input that its networks expect.
        class_lists: Per class count the class list that gbvis carries for it.
        suffixes: What follows a layer's name, by kind of layer and value, where that is not a dot and the value.
        extras: A pattern of names that may stand beside the network and are not used.
        fit: Given the format and the names in one file, returns the format as that file has it, where files differ.
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
    fit: Callable[["CheckpointFormat", Collection[str]], "CheckpointFormat"] | None = None

    def fitted(self, names: Collection[str]) -> "CheckpointFormat":
        """Return the format as it is in a file with tensors of these names."""
        return self.fit(self, names) if self.fit else self

    def name_of(self, parameter: str) -> str | None:
        """Return what the checkpoint calls a parameter of `R2Plus1D` such as `stages.0.1.shortcut.norm.bias`.

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

    def names_of(self, parameters: Iterable[str]) -> dict[str, str]:
        """Return per parameter what the checkpoint calls it; its own name where the format has no such layer."""
        return {parameter: self.name_of(parameter) or parameter for parameter in parameters}

    def fits_some(self, names: Collection[str]) -> bool:
        """Return whether the stem, the classifier or the first block's convolution has one of these names."""
        probes = ("stem.spatial.convolution", "classifier", "stages.0.0.first.spatial.convolution")
        return any(self.name_of(f"{layer}.weight") in names for layer in probes)

    def find_weights(self, names: Collection[str]) -> dict[str, str]:
        """Return, per parameter of `R2Plus1D`, its name in the file, for every layer whose weight the file holds.

        The blocks of a stage are counted up to the first that has no weight in the file.
        """
        outside = [layer for layer in self.names if layer.startswith(("stem", "classifier"))]
        inside = [layer for layer in self.names if layer not in outside]
        found = {f"{layer}.weight": self.name_of(f"{layer}.weight") for layer in outside}
        for stage in range(4):
            for block in count():
                layers = [f"stages.{stage}.{block}.{layer}.weight" for layer in inside]
                there = {layer: name for layer in layers if (name := self.name_of(layer)) in names}
                found |= there
                if not there:
                    break
        return {parameter: name for parameter, name in found.items() if name is not None and name in names}


def read_description(description: Mapping[str, Any]) -> CheckpointFormat:
    """Return the format of a file that says itself what its network is; its tensors have `R2Plus1D`'s own names.

    Args:
        description: As `WeightsInfo.to_json` wrote it.

    Raises:
        LookupError, TypeError, ValueError: It makes no sense.
    """
    modality = description["modality"]
    clip_format = ClipFormat.from_json(_with_interpolation(description))
    if clip_format.channels != {"rgb": 3, "flow": 2}[modality]:
        raise ValueError("a format for another stream")
    return CheckpointFormat(
        name=str(description["checkpoint_format"]),
        variant=Variant(**description["details"]["variant"]),
        names=MODULE_NAMES,
        first_stage=0,
        block_name=lambda stage, block: str(block),
        has_equal_middles=False,
        formats={modality: clip_format},
        class_lists={},
    )


def _with_interpolation(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's input format; one that gbvis wrote before it knew two ways to resize means its family's."""
    own = FORMATS.load(description["checkpoint_format"]) if description["checkpoint_format"] in FORMATS.names else None
    known = own.formats.get(description["modality"]) if own else None
    return {"interpolation": known.interpolation if known else "opencv", **description["clip_format"]}

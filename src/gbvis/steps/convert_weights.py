"""`gbvis convert-weights`: any checkpoint that gbvis reads, as a file that needs no pickle."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gbvis.atomic_file import check_place, publish
from gbvis.errors import OutputError, UsageError
from gbvis.networks.info import WeightsInfo
from gbvis.steps.networks import Networks, WeightsRequest


@dataclass(frozen=True)
class ConvertRequest:
    """What to convert.

    Attributes:
        weights: The checkpoint; one file, which may hold both streams.
        output: The file to write, `.safetensors`.
        is_forced: Overwrite a file that is there.
    """

    weights: WeightsRequest
    output: Path
    is_forced: bool = False


@dataclass(frozen=True)
class ConvertedWeights:
    """A file that was written.

    Attributes:
        infos: The networks in it.
        source: The checkpoint it was made from.
        path: Where it is.
        size: Bytes.
    """

    infos: list[WeightsInfo]
    source: Path
    path: Path
    size: int

    def to_json(self) -> dict[str, Any]:
        """Return the file as a line of `--json`."""
        networks = [
            {"modality": info.modality, "family": info.checkpoint_format, "depth": info.details.get("depth")}
            for info in self.infos
        ]
        return {"source": str(self.source), "path": str(self.path), "bytes": self.size, "networks": networks}


def run(request: ConvertRequest) -> Iterator[ConvertedWeights]:
    """Yield the file once it is written.

    Raises:
        UsageError: The checkpoint cannot be read, or the output has another suffix, is there already or cannot be
            written.
    """
    from gbvis.networks.weights.safetensors_file import SUFFIX, write_safetensors

    output = request.output
    hint = f"name a file, such as weights{SUFFIX}, and pass it on from there"
    check_place(output, str(output), ("a file", "weights"), hint)
    if output.suffix != SUFFIX:
        raise UsageError(f"{output} does not end in {SUFFIX}", f"name it {output.with_suffix(SUFFIX)}")
    if os.path.exists(output) and not request.is_forced:  # False where it cannot be there  # noqa: PTH110
        raise UsageError(f"{output} is there already", "overwrite it with --force")
    networks = Networks(request.weights)
    loaded = [networks.load(modality, is_used=False) for modality in networks.infos]
    source = {"name": request.weights.paths[0].name, "sha256": loaded[0].info.sha256}

    def write(path: Path) -> None:
        write_safetensors(path, loaded, {"source": source})

    try:
        publish(output, write, request.is_forced, "choose a place you may write to")
    except OutputError as error:  # elsewhere one file of many fails; here it is the call
        raise UsageError(error.problem, error.hint) from error
    infos = list(networks.infos.values())
    yield ConvertedWeights(infos, request.weights.paths[0], output, output.stat().st_size)

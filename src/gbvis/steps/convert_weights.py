"""`gbvis convert-weights`: any checkpoint that gbvis reads, as a file that needs no pickle."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gbvis.errors import GbvisError
from gbvis.networks.info import WeightsInfo
from gbvis.steps.networks import Networks, WeightsRequest
from gbvis.steps.publishing import publish


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
        cards: The networks in it.
        source: The checkpoint it was made from.
        path: Where it is.
        size: Bytes.
    """

    cards: list[WeightsInfo]
    source: Path
    path: Path
    size: int

    def to_json(self) -> dict[str, Any]:
        """Return the file as a line of `--json`."""
        networks = [{"modality": card.modality, "family": card.family, "depth": card.depth} for card in self.cards]
        return {"source": str(self.source), "path": str(self.path), "bytes": self.size, "networks": networks}


def run(request: ConvertRequest) -> Iterator[ConvertedWeights]:
    """Yield the file once it is written.

    Raises:
        GbvisError: The checkpoint cannot be read, or the output has another suffix, is there already or cannot be
            written (exit code 2).
    """
    from gbvis.networks.weights.safetensors_file import SUFFIX, write_safetensors

    output = request.output
    if output.suffix != SUFFIX:
        raise GbvisError(f"{output} does not end in {SUFFIX}", f"name it {output.with_suffix(SUFFIX)}", exit_code=2)
    if output.exists() and not request.is_forced:
        raise GbvisError(f"{output} is there already", "overwrite it with --force", exit_code=2)
    networks = Networks(request.weights)
    loaded = [networks.load(modality, is_used=False) for modality in networks.cards]
    source = {"name": request.weights.paths[0].name, "sha256": loaded[0].card.sha256}

    def write(path: Path) -> None:
        write_safetensors(path, loaded, {"source": source})
        umask = os.umask(0)  # asking is setting
        os.umask(umask)
        path.chmod(0o666 & ~umask)  # safetensors leaves it to its owner alone

    publish(output, write, request.is_forced, "choose a place you may write to", exit_code=2)
    cards = list(networks.cards.values())
    yield ConvertedWeights(cards, request.weights.paths[0], output, output.stat().st_size)

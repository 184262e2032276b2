"""What a call asks the worker to load, and what it is told of it."""

from dataclasses import dataclass
from pathlib import Path

from gbvis.networks.info import WeightsInfo


@dataclass(frozen=True)
class Opening:
    """Which weights a call computes with; equal ones are the same networks.

    Attributes:
        path: The file.
        sha256: Of its content, as the call knows it.
        checkpoint_format: As in `WeightsRequest`.
        state: As in `WeightsRequest`.
        device: As in `WeightsRequest`.
        precision: As in `WeightsRequest`.
    """

    path: Path
    sha256: str
    checkpoint_format: str | None
    state: str | None
    device: str
    precision: str


@dataclass(frozen=True)
class Opened:
    """A network that is ready.

    Attributes:
        info: What is known of it, as the file has it.
        environment: As `Network.environment`.
        device: Its name.
        has_gpu: Whether that is a CUDA GPU.
    """

    info: WeightsInfo
    environment: dict[str, object]
    device: str
    has_gpu: bool

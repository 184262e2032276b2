"""Networks of the user's own: from the call to a network that is open in this process."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gbvis.errors import UsageError
from gbvis.networks.own.spec import OwnNetwork

if TYPE_CHECKING:  # torch is loaded where the network is
    from gbvis.networks.network import Network


@dataclass(frozen=True)
class GivenNetwork:
    """A network that is in memory already.

    Attributes:
        network: The network.
    """

    network: Network


def check_own(paths: Sequence[Path], checkpoint_format: str | None, state: str | None) -> None:
    """Check that what is said beside a network of the user's own goes with it.

    Args:
        paths: Weights files.
        checkpoint_format: As for a checkpoint.
        state: As for a checkpoint.

    Raises:
        UsageError: It does not.
    """
    if checkpoint_format:
        raise UsageError(
            "--checkpoint-format says what network a file holds, and --network builds one", "leave one of them out"
        )
    if len(paths) > 1:
        raise UsageError(f"--network builds one network, and {len(paths)} weights files are given", "give one with -w")
    if state is not None and not paths:
        raise UsageError("--state names a network in a weights file, and none is given", "give one with -w")


def open_own(
    own: OwnNetwork | GivenNetwork, modality: str | None, state: str | None, path: Path | None, sha256: str
) -> Network:
    """Return a network of the user's own; their code runs.

    Args:
        own: Which.
        modality: Its stream, where the user says it.
        state: Which state in the file is meant, where the user says it.
        path: The file with its weights; None where it has them already.
        sha256: Of the file.

    Raises:
        UsageError: It cannot be built, it was changed after it was loaded, or it is another one than the
            process that sent `own` has built.
    """
    if isinstance(own, GivenNetwork):
        if own.network.is_changed:
            raise UsageError(
                f"{own.network.info.title} was changed after it was loaded",
                "load it again as it is now: gbvis.load_network(network.module, input=(frames, rows, columns))",
            )
        return copy.copy(own.network)
    from gbvis.networks.own.load import build_network

    network = build_network(own, modality, path, sha256, state)
    if own.identity not in ("", network.info.identity):
        raise UsageError(
            f"{own.spec.name} builds another network in another process",
            "let it build the same each time: from what it is given alone, neither the time nor the process",
        )
    return network


def gives_probabilities(network: Network) -> bool:
    """Return whether a network's own output is the probabilities of classes."""
    plan: Any = getattr(network.kind, "plan", None)
    return plan is not None and plan.gives_probabilities


def describe_own(network: Network) -> str:
    """Return in words what is odd about the endpoints of such a network."""
    has_logits = any(one.is_class and not one.is_score for one in network.info.endpoints)
    logits = "FC is what its softmax is given" if has_logits else "there is no FC"
    return f"{network.info.path}: its output is probabilities already: SOFTMAX is the output itself, and {logits}"

"""Options that name a network of the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from gbvis.cli.option_groups import option

if TYPE_CHECKING:
    from gbvis.networks.own.spec import OwnNetwork


@dataclass
class OwnNetworkOptions:
    """Which function builds the network, and what the network takes."""

    network: Annotated[
        str | None,
        option(
            "--network",
            metavar="FILE.py:FUNCTION|MODULE:FUNCTION",
            text="Run this function, which returns a torch module, and take that network; -w FILE sets its weights. "
            "Default: none.",
        ),
    ] = None
    input_size: Annotated[
        str | None,
        option(
            "--input",
            metavar="FRAMESxROWSxCOLUMNS",
            text="With --network, give the network clips of this size, such as 16x112x112. Default: none.",
        ),
    ] = None

    def own_network(self) -> OwnNetwork | None:
        """Return the network as steps take it; None where none is named.

        Raises:
            UsageError: What is typed cannot be read.
        """
        if self.network is None and self.input_size is None:
            return None
        from gbvis.networks.own.spec import read_own_network

        return read_own_network(self.network, self.input_size)

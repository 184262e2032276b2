"""Optical flow: how the motion between frames is estimated, and what is done against a moving camera."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from gbvis.registry import Registry

if TYPE_CHECKING:  # the command line asks for names alone
    from gbvis.flow.preprocess import Grey
    from gbvis.videos.motion import Motion


class Algorithm(Protocol):
    """A way to estimate motion."""

    SETTINGS: ClassVar[Mapping[str, Any]]
    """What of the algorithm decides its numbers, as plain data."""

    @classmethod
    def check(cls) -> None:
        """Check that what it needs is installed.

        Raises:
            UsageError: It is not.
        """

    @classmethod
    def estimate(cls, before: Grey, after: Grey) -> Motion:
        """Return the motion from one frame to the next: float32 (H, W, 2), pixels. Any thread may call this."""


ALGORITHMS: Registry[type[Algorithm]] = Registry(
    "flow algorithm",
    {
        "tvl1": "gbvis.flow.algorithms:TVL1",
        "dis": "gbvis.flow.algorithms:DIS",
        "farneback": "gbvis.flow.algorithms:Farneback",
    },
)

"""I3D (Carreira & Zisserman 2017), Inception-v1 in three dimensions: its modules and its checkpoint formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbvis.registry import Registry

if TYPE_CHECKING:  # the command line asks for names alone
    from gbvis.networks.shaped.format import ShapedFormat

FORMATS: Registry[ShapedFormat] = Registry(
    "checkpoint format",
    {
        "pytorch-i3d": "gbvis.networks.i3d.formats:PYTORCH_I3D",
        "kinetics-i3d-pytorch": "gbvis.networks.i3d.formats:KINETICS_I3D_PYTORCH",
    },
)

"""S3D (Xie et al. 2018), Inception-v1 with separable convolutions: its modules and its checkpoint formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbvis.registry import Registry

if TYPE_CHECKING:  # the command line asks for names alone
    from gbvis.networks.shaped.format import ShapedFormat

FORMATS: Registry[ShapedFormat] = Registry(
    "checkpoint format",
    {
        "torchvision-s3d": "gbvis.networks.s3d.formats:TORCHVISION",
        "kylemin-s3d": "gbvis.networks.s3d.formats:KYLEMIN",
    },
)

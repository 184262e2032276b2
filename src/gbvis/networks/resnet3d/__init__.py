"""3-D residual networks in torchvision's layout: R3D, MCx, rMCx, R(2+1)D with bottlenecks, CSN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbvis.registry import Registry

if TYPE_CHECKING:  # the command line asks for names alone
    from gbvis.networks.shaped.format import ShapedFormat

FORMATS: Registry[ShapedFormat] = Registry(
    "checkpoint format",
    {
        "torchvision-r3d": "gbvis.networks.resnet3d.formats:TORCHVISION_R3D",
        "vmz-csn": "gbvis.networks.resnet3d.formats:VMZ_CSN",
        "vmz-csn-unpooled": "gbvis.networks.resnet3d.formats:VMZ_CSN_UNPOOLED",
        "vmz-r2plus1d-152": "gbvis.networks.resnet3d.formats:VMZ_R2PLUS1D_152",
        "vmz-r2plus1d-152-unpooled": "gbvis.networks.resnet3d.formats:VMZ_R2PLUS1D_152_UNPOOLED",
        "mmaction2-ircsn": "gbvis.networks.resnet3d.formats:MMACTION2_IRCSN",
        "mmaction2-ipcsn": "gbvis.networks.resnet3d.formats:MMACTION2_IPCSN",
        "mmaction2-r2plus1d": "gbvis.networks.resnet3d.formats:MMACTION2_R2PLUS1D",
        "pytorchvideo-csn": "gbvis.networks.resnet3d.formats:PYTORCHVIDEO_CSN",
        "pytorchvideo-r2plus1d": "gbvis.networks.resnet3d.formats:PYTORCHVIDEO_R2PLUS1D",
    },
)

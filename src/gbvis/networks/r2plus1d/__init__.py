"""R(2+1)D (Tran et al. 2018): its architecture, its modules, its checkpoint formats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbvis.registry import Registry

if TYPE_CHECKING:  # the command line asks for names alone
    from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat

FORMATS: Registry[CheckpointFormat] = Registry(
    "checkpoint format",
    {
        "old-script": "gbvis.networks.r2plus1d.formats:OLD_SCRIPT",
        "torchvision": "gbvis.networks.r2plus1d.formats:TORCHVISION",
        "vmz": "gbvis.networks.r2plus1d.formats:VMZ",
        "r2plus1d-pytorch": "gbvis.networks.r2plus1d.formats:R2PLUS1D_PYTORCH",
        "vmz-caffe2": "gbvis.networks.r2plus1d.formats:VMZ_CAFFE2",
    },
)

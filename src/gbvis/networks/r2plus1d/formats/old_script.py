"""Checkpoints of the 2019 research script: SAME padding, eps 1e-3, pixels as (p - 128) / 128.

Checked against the original programs' numbers in `golden/seed-*.npz`, the pixels against `golden/preprocess.npz`.
"""

from dataclasses import replace

from gbvis.networks.r2plus1d.architecture import Variant
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.videos.clip import ClipFormat

_BLOCK = "net.conv{stage}_x.res_module.conv{stage}_{block}."
_UNIT = _BLOCK + "res_block.conv{stage}_{block}_"
_SHORTCUT = _BLOCK + "downsample_block.conv{stage}_{block}_downsample_"

_RGB = ClipFormat(
    frames=8, height=128, width=171, crop=112, top=8, left=29, scale=1.0, mean=(128.0,) * 3, std=(128.0,) * 3
)

FAMILY = CheckpointFormat(
    name="old-script",
    variant=Variant(padding="same", norm_epsilon=1e-3),
    names={
        "stem.spatial.convolution": "net.conv1.spatial_conv.conv.spatial_conv",
        "stem.spatial.norm": "net.conv1.spatial_conv.conv.spatial_bn",
        "stem.temporal.convolution": "net.conv1.temporal_conv.conv.temporal_conv",
        "stem.temporal.norm": "net.conv1.temporal_conv.conv.temporal_bn",
        "first.spatial.convolution": _UNIT + "conv1.spatial_conv.conv.spatial_conv",
        "first.spatial.norm": _UNIT + "conv1.spatial_conv.conv.spatial_bn",
        "first.temporal.convolution": _UNIT + "conv1.temporal_conv.conv.temporal_conv",
        "first.temporal.norm": _UNIT + "bn1",
        "second.spatial.convolution": _UNIT + "conv2.spatial_conv.conv.spatial_conv",
        "second.spatial.norm": _UNIT + "conv2.spatial_conv.conv.spatial_bn",
        "second.temporal.convolution": _UNIT + "conv2.temporal_conv.conv.temporal_conv",
        "second.temporal.norm": _UNIT + "bn2",
        "shortcut.convolution": _SHORTCUT + "1x1x1_conv",
        "shortcut.norm": _SHORTCUT + "bn",
        "classifier": "linear1",
    },
    first_stage=2,
    block_name=lambda stage, block: str(block + 1),
    has_equal_middles=False,
    formats={"rgb": _RGB, "flow": replace(_RGB, mean=(128.0,) * 2, std=(128.0,) * 2)},
    class_lists={101: "ucf101", 51: "hmdb51"},
)

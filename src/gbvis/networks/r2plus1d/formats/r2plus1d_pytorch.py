"""R2Plus1D-PyTorch (`model_data.pth.tar`): biases, a stem without last norm and ReLU, factorised shortcuts.

Checked against that program's numbers in `golden/r2plus1d-pytorch.npz`. Its classes are in the order of the training
folders' names, which the file does not hold.
"""

from gbvis.networks.r2plus1d.architecture import Variant
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.networks.r2plus1d.formats import old_script

_BLOCK = "res2plus1d.conv{stage}.{block}."

FAMILY = CheckpointFormat(
    name="r2plus1d-pytorch",
    variant=Variant(
        padding="symmetric",
        norm_epsilon=1e-5,
        has_biases=True,
        has_bare_stem=True,
        has_factorized_shortcuts=True,
    ),
    names={
        "stem.spatial.convolution": "res2plus1d.conv1.spatial_conv",
        "stem.spatial.norm": "res2plus1d.conv1.bn",
        "stem.temporal.convolution": "res2plus1d.conv1.temporal_conv",
        "first.spatial.convolution": _BLOCK + "conv1.spatial_conv",
        "first.spatial.norm": _BLOCK + "conv1.bn",
        "first.temporal.convolution": _BLOCK + "conv1.temporal_conv",
        "first.temporal.norm": _BLOCK + "bn1",
        "second.spatial.convolution": _BLOCK + "conv2.spatial_conv",
        "second.spatial.norm": _BLOCK + "conv2.bn",
        "second.temporal.convolution": _BLOCK + "conv2.temporal_conv",
        "second.temporal.norm": _BLOCK + "bn2",
        "shortcut.spatial.convolution": _BLOCK + "downsampleconv.spatial_conv",
        "shortcut.spatial.norm": _BLOCK + "downsampleconv.bn",
        "shortcut.temporal.convolution": _BLOCK + "downsampleconv.temporal_conv",
        "shortcut.temporal.norm": _BLOCK + "downsamplebn",
        "classifier": "linear",
    },
    first_stage=2,
    block_name=lambda stage, block: f"blocks.{block - 1}" if block else "block1",
    has_equal_middles=False,
    formats={"rgb": old_script.FAMILY.formats["rgb"]},  # dataset.py there: 128x171, (p - 128) / 128, 8 frames
    class_lists={},
)

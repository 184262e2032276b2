"""torchvision's `r2plus1d_18` and what was fine-tuned from it: symmetric padding, eps 1e-5.

Checked against torchvision's numbers in `golden/torchvision.npz`. Its `CenterCrop` rounds 29.5 up to column 30, where
the old script cuts at 29 (torchvision/transforms/functional.py, `center_crop`).
"""

from gbvis.networks.r2plus1d.architecture import Variant
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.videos.clip import ClipFormat

_BLOCK = "layer{stage}.{block}."

FAMILY = CheckpointFormat(
    name="torchvision",
    variant=Variant(padding="symmetric", norm_epsilon=1e-5),
    names={
        "stem.spatial.convolution": "stem.0",
        "stem.spatial.norm": "stem.1",
        "stem.temporal.convolution": "stem.3",
        "stem.temporal.norm": "stem.4",
        "first.spatial.convolution": _BLOCK + "conv1.0.0",
        "first.spatial.norm": _BLOCK + "conv1.0.1",
        "first.temporal.convolution": _BLOCK + "conv1.0.3",
        "first.temporal.norm": _BLOCK + "conv1.1",
        "second.spatial.convolution": _BLOCK + "conv2.0.0",
        "second.spatial.norm": _BLOCK + "conv2.0.1",
        "second.temporal.convolution": _BLOCK + "conv2.0.3",
        "second.temporal.norm": _BLOCK + "conv2.1",
        "shortcut.convolution": _BLOCK + "downsample.0",
        "shortcut.norm": _BLOCK + "downsample.1",
        "classifier": "fc",
    },
    first_stage=1,
    block_name=lambda stage, block: str(block),
    has_equal_middles=True,
    formats={
        "rgb": ClipFormat(
            frames=16,
            height=128,
            width=171,
            crop=112,
            top=8,
            left=30,
            scale=255.0,
            mean=(0.43216, 0.394666, 0.37645),
            std=(0.22803, 0.22145, 0.216989),
        )
    },
    class_lists={400: "kinetics400", 101: "ucf101"},
)

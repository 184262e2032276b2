"""The checkpoint formats of R(2+1)D: how the files of each origin name, pad, normalise and feed their networks."""

import re
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import replace

from gbvis.networks.r2plus1d.architecture import Variant
from gbvis.networks.r2plus1d.checkpoint_format import CheckpointFormat
from gbvis.videos.clip import ClipFormat

_OLD_SCRIPT_BLOCK = "net.conv{stage}_x.res_module.conv{stage}_{block}."
_OLD_SCRIPT_UNIT = _OLD_SCRIPT_BLOCK + "res_block.conv{stage}_{block}_"
_OLD_SCRIPT_SHORTCUT = _OLD_SCRIPT_BLOCK + "downsample_block.conv{stage}_{block}_downsample_"

_OLD_SCRIPT_RGB = ClipFormat(
    frames=8, height=128, width=171, crop=112, top=8, left=29, scale=1.0, mean=(128.0,) * 3, std=(128.0,) * 3
)

OLD_SCRIPT = CheckpointFormat(
    name="old-script",
    variant=Variant(padding="same", norm_epsilon=1e-3),
    names={
        "stem.spatial.convolution": "net.conv1.spatial_conv.conv.spatial_conv",
        "stem.spatial.norm": "net.conv1.spatial_conv.conv.spatial_bn",
        "stem.temporal.convolution": "net.conv1.temporal_conv.conv.temporal_conv",
        "stem.temporal.norm": "net.conv1.temporal_conv.conv.temporal_bn",
        "first.spatial.convolution": _OLD_SCRIPT_UNIT + "conv1.spatial_conv.conv.spatial_conv",
        "first.spatial.norm": _OLD_SCRIPT_UNIT + "conv1.spatial_conv.conv.spatial_bn",
        "first.temporal.convolution": _OLD_SCRIPT_UNIT + "conv1.temporal_conv.conv.temporal_conv",
        "first.temporal.norm": _OLD_SCRIPT_UNIT + "bn1",
        "second.spatial.convolution": _OLD_SCRIPT_UNIT + "conv2.spatial_conv.conv.spatial_conv",
        "second.spatial.norm": _OLD_SCRIPT_UNIT + "conv2.spatial_conv.conv.spatial_bn",
        "second.temporal.convolution": _OLD_SCRIPT_UNIT + "conv2.temporal_conv.conv.temporal_conv",
        "second.temporal.norm": _OLD_SCRIPT_UNIT + "bn2",
        "shortcut.convolution": _OLD_SCRIPT_SHORTCUT + "1x1x1_conv",
        "shortcut.norm": _OLD_SCRIPT_SHORTCUT + "bn",
        "classifier": "linear1",
    },
    first_stage=2,
    block_name=lambda stage, block: str(block + 1),
    has_equal_middles=False,
    formats={"rgb": _OLD_SCRIPT_RGB, "flow": replace(_OLD_SCRIPT_RGB, mean=(128.0,) * 2, std=(128.0,) * 2)},
    class_lists={101: "ucf101", 51: "hmdb51"},
)
"""Checkpoints of the 2019 research script: SAME padding, eps 1e-3, pixels as (p - 128) / 128.

Checked against the original programs' numbers in `golden/seed-*.npz`, the pixels against `golden/preprocess.npz`.
"""


_TORCHVISION_BLOCK = "layer{stage}.{block}."

TORCHVISION = CheckpointFormat(
    name="torchvision",
    variant=Variant(padding="symmetric", norm_epsilon=1e-5),
    names={
        "stem.spatial.convolution": "stem.0",
        "stem.spatial.norm": "stem.1",
        "stem.temporal.convolution": "stem.3",
        "stem.temporal.norm": "stem.4",
        "first.spatial.convolution": _TORCHVISION_BLOCK + "conv1.0.0",
        "first.spatial.norm": _TORCHVISION_BLOCK + "conv1.0.1",
        "first.temporal.convolution": _TORCHVISION_BLOCK + "conv1.0.3",
        "first.temporal.norm": _TORCHVISION_BLOCK + "conv1.1",
        "second.spatial.convolution": _TORCHVISION_BLOCK + "conv2.0.0",
        "second.spatial.norm": _TORCHVISION_BLOCK + "conv2.0.1",
        "second.temporal.convolution": _TORCHVISION_BLOCK + "conv2.0.3",
        "second.temporal.norm": _TORCHVISION_BLOCK + "conv2.1",
        "shortcut.convolution": _TORCHVISION_BLOCK + "downsample.0",
        "shortcut.norm": _TORCHVISION_BLOCK + "downsample.1",
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
            interpolation="torch",
        )
    },
    class_lists={400: "kinetics400", 101: "ucf101"},
)
"""torchvision's `r2plus1d_18` and what was fine-tuned from it: symmetric padding, eps 1e-5.

Checked against torchvision's numbers in `golden/torchvision.npz`. Its pixels are those of the weights' own
`transforms()` (torchvision/transforms/_presets.py, `VideoClassification`): 8 bit, resized in float32 and rounded. Its
training script resized floats that were not rounded (references/video_classification/presets.py). Its `CenterCrop`
rounds 29.5 up to column 30, where the old script cuts at 29 (torchvision/transforms/functional.py, `center_crop`).
"""


VMZ = replace(
    TORCHVISION,
    name="vmz",
    variant=Variant(padding="symmetric", norm_epsilon=1e-3),
    has_equal_middles=False,
    class_lists={400: "kinetics400"},
)
"""VMZ's PyTorch networks, 18 and 34 layers, IG-65M's among them: torchvision's names and input, eps 1e-3.

Unlike torchvision, VMZ gives each convolution of a down-sampling block middle channels of its own, 230 and 288 in the
first one; that tells the two apart. VMZ resizes floats (pt/vmz/common/transforms.py); gbvis keeps the nearest of 256
levels, which `docs/notes/rounding.md` measures. IG-65M's networks saw 8 or 32 frames: `-n 8`, `-n 32`.
"""


_R2PLUS1D_PYTORCH_BLOCK = "res2plus1d.conv{stage}.{block}."

R2PLUS1D_PYTORCH = CheckpointFormat(
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
        "first.spatial.convolution": _R2PLUS1D_PYTORCH_BLOCK + "conv1.spatial_conv",
        "first.spatial.norm": _R2PLUS1D_PYTORCH_BLOCK + "conv1.bn",
        "first.temporal.convolution": _R2PLUS1D_PYTORCH_BLOCK + "conv1.temporal_conv",
        "first.temporal.norm": _R2PLUS1D_PYTORCH_BLOCK + "bn1",
        "second.spatial.convolution": _R2PLUS1D_PYTORCH_BLOCK + "conv2.spatial_conv",
        "second.spatial.norm": _R2PLUS1D_PYTORCH_BLOCK + "conv2.bn",
        "second.temporal.convolution": _R2PLUS1D_PYTORCH_BLOCK + "conv2.temporal_conv",
        "second.temporal.norm": _R2PLUS1D_PYTORCH_BLOCK + "bn2",
        "shortcut.spatial.convolution": _R2PLUS1D_PYTORCH_BLOCK + "downsampleconv.spatial_conv",
        "shortcut.spatial.norm": _R2PLUS1D_PYTORCH_BLOCK + "downsampleconv.bn",
        "shortcut.temporal.convolution": _R2PLUS1D_PYTORCH_BLOCK + "downsampleconv.temporal_conv",
        "shortcut.temporal.norm": _R2PLUS1D_PYTORCH_BLOCK + "downsamplebn",
        "classifier": "linear",
    },
    first_stage=2,
    block_name=lambda stage, block: f"blocks.{block - 1}" if block else "block1",
    has_equal_middles=False,
    formats={"rgb": OLD_SCRIPT.formats["rgb"]},  # dataset.py there: 128x171, (p - 128) / 128, 8 frames
    class_lists={},
)
"""R2Plus1D-PyTorch (`model_data.pth.tar`): biases, a stem without last norm and ReLU, factorised shortcuts.

Checked against that program's numbers in `golden/r2plus1d-pytorch.npz`. Its classes are in the order of the training
folders' names, which the file does not hold.
"""


_VMZ_CAFFE2_BLOCK = "comp_{block}_"
_VMZ_CAFFE2_SHORTCUT = "shortcut_projection_{block}"

_VMZ_CAFFE2_RGB = replace(VMZ.formats["rgb"], left=29, interpolation="opencv")
_VMZ_CAFFE2_FLOW = replace(
    _VMZ_CAFFE2_RGB,
    frames=32,
    scale=1.0,
    mean=(0.0046635, 0.0046261),
    std=(0.972347, 0.755146),
    is_motion=True,
)


def _fit(checkpoint_format: CheckpointFormat, names: Collection[str]) -> CheckpointFormat:
    """Return the format as it counts blocks in a file with tensors of these names, and calls its classifier.

    Caffe2 counts blocks through all stages; a stage but the first begins where there is a shortcut.
    """
    shortcuts = (re.match(r"shortcut_projection_(\d+)_", name) for name in names)
    starts = [0, *sorted({int(match[1]) for match in shortcuts if match})]
    heads = [match[1] for name in names if (match := re.fullmatch(r"(last_out_L\d+)_[wb]", name))]

    def block_name(stage: int, block: int) -> str:
        index = starts[stage] + block if stage < len(starts) else -1
        return str(index) if bisect_right(starts, index) == stage + 1 else "that is not there"

    classifier = heads[0] if heads else checkpoint_format.names["classifier"]
    return replace(
        checkpoint_format, names={**checkpoint_format.names, "classifier": classifier}, block_name=block_name
    )


VMZ_CAFFE2 = replace(
    VMZ,
    name="vmz-caffe2",
    names={
        "stem.spatial.convolution": "conv1_middle",
        "stem.spatial.norm": "conv1_middle_spatbn_relu",
        "stem.temporal.convolution": "conv1",
        "stem.temporal.norm": "conv1_spatbn_relu",
        "first.spatial.convolution": _VMZ_CAFFE2_BLOCK + "conv_1_middle",
        "first.spatial.norm": _VMZ_CAFFE2_BLOCK + "spatbn_1_middle",
        "first.temporal.convolution": _VMZ_CAFFE2_BLOCK + "conv_1",
        "first.temporal.norm": _VMZ_CAFFE2_BLOCK + "spatbn_1",
        "second.spatial.convolution": _VMZ_CAFFE2_BLOCK + "conv_2_middle",
        "second.spatial.norm": _VMZ_CAFFE2_BLOCK + "spatbn_2_middle",
        "second.temporal.convolution": _VMZ_CAFFE2_BLOCK + "conv_2",
        "second.temporal.norm": _VMZ_CAFFE2_BLOCK + "spatbn_2",
        "shortcut.convolution": _VMZ_CAFFE2_SHORTCUT,
        "shortcut.norm": _VMZ_CAFFE2_SHORTCUT + "_spatbn",
        "classifier": "last_out_L400",
    },
    suffixes={
        "convolution.weight": "_w",
        "norm.weight": "_s",
        "norm.bias": "_b",
        "norm.running_mean": "_rm",
        "norm.running_var": "_riv",
        "classifier.weight": "_w",
        "classifier.bias": "_b",
    },
    formats={"rgb": _VMZ_CAFFE2_RGB, "flow": _VMZ_CAFFE2_FLOW},
    extras=r".*_momentum|lr|iter|model_iter|optimizer_iteration|epoch",
    fit=_fit,
)
"""VMZ's Caffe2 networks (`.pkl`), 18 and 34 layers, RGB and flow; a VMZ network under other names.

`s` is a norm's weight, `b` its bias, `rm` its running mean, `riv` its running variance
(VMZ's utilities/model_conversion/convert_models.py). The one flow network that VMZ gave out,
`r2.5d_d34_l32_ft_sports1m_optical_flow.pkl`, sees 32 frames of motion in pixels of the 128x171 frames, neither cut
off nor rounded (c2/scripts/extract_feature_kinetics_of.sh; mean and deviation: ops/av_input_op.h). The crop begins at
(171 - 112) / 2 cut off to 29 there, where torchvision rounds up.
"""

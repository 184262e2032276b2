"""The checkpoint formats of 3-D residual networks: how the files of each origin name and feed their networks."""

from dataclasses import replace
from typing import Any

from gbvis.networks.r2plus1d.formats import TORCHVISION
from gbvis.networks.shaped.format import ShapedFormat, Shapes
from gbvis.videos.clip import ClipFormat

_KINETICS = {400: "kinetics400"}

_SMALL = TORCHVISION.formats["rgb"]
"""16 frames of 112x112 pixels, as `r3d_18`, `mc3_18` and `r2plus1d_18` have them."""


def _details(epsilon: float, *, has_pool: bool, middle_epsilon: float | None = None) -> dict[str, Any]:
    """Return a `Variant` as plain data, with torchvision's steps."""
    return {
        "norm_epsilon": epsilon,
        "middle_epsilon": epsilon if middle_epsilon is None else middle_epsilon,
        "has_pool": has_pool,
        "frame_steps": [1, 2, 2, 2],
        "pixel_steps": [1, 2, 2, 2],
    }


def _large(frames: int, mean: tuple[float, ...], std: tuple[float, ...], scale: float) -> ClipFormat:
    """Return an input of 224x224 pixels, from frames whose shorter side is 256."""
    return ClipFormat(frames, 256, 256, 224, 16, 16, scale, mean, std, interpolation="torch", keeps_aspect=True)


def _is_depthwise(shapes: Shapes, name: str) -> bool:
    shape = shapes.get(name, ())
    return len(shape) == 5 and shape[1] == 1 and shape[2:] == (3, 3, 3)


def _is_ir(shapes: Shapes) -> bool:
    return _is_depthwise(shapes, "layer1.0.conv2.0.weight")


def _is_ip(shapes: Shapes) -> bool:
    return _is_depthwise(shapes, "layer1.0.conv2.0.2.weight")


def _is_factorized(shapes: Shapes) -> bool:
    return "layer1.0.conv2.0.3.weight" in shapes


def _only_the_user_knows(shapes: Shapes) -> bool:
    """Return False: a pool has no tensors, so `--checkpoint-format` has to say that there is none."""
    return False


TORCHVISION_R3D = ShapedFormat(
    name="torchvision-r3d",
    formats={"rgb": _SMALL},
    class_lists={400: "kinetics400", 101: "ucf101"},
    details=_details(1e-5, has_pool=False),
    fits=lambda shapes: "layer1.0.conv3.0.weight" not in shapes,
)
"""torchvision's `r3d_18` and `mc3_18`, and what was fine-tuned from them (torchvision/models/video/resnet.py).

Kernels of one frame do not thin out time there (`Conv3DNoTemporal`). Scores are quoted for 15 frames per second.
"""

VMZ_CSN = ShapedFormat(
    name="vmz-csn",
    formats={"rgb": _large(32, _SMALL.mean, _SMALL.std, 255.0)},
    class_lists=_KINETICS,
    details=_details(1e-3, has_pool=True),
    fits=lambda shapes: _is_ir(shapes) or _is_ip(shapes),
)
"""VMZ's PyTorch networks `ir_csn_152` and `ip_csn_152` (pt/vmz/models/csn.py, utils.py): eps 1e-3, a pooled stem.

They saw 32 frames of 224x224 pixels (c2/tutorials/model_zoo.md). Mean and deviation are those of pt/vmz/func/test.py.
"""

VMZ_CSN_UNPOOLED = replace(
    VMZ_CSN, name="vmz-csn-unpooled", details=_details(1e-3, has_pool=False), fits=_only_the_user_knows
)
"""The same, made with `use_pool1=False`; none of VMZ's published networks is."""

VMZ_R2PLUS1D_152 = ShapedFormat(
    name="vmz-r2plus1d-152",
    formats={"rgb": ClipFormat.from_json({**_SMALL.to_json(), "frames": 32})},
    class_lists=_KINETICS,
    details=_details(1e-3, has_pool=True),
    fits=_is_factorized,
)
"""VMZ's PyTorch network `r2plus1d_152` (pt/vmz/models/r2plus1d.py): bottlenecks, eps 1e-3, a pooled stem.

It saw 32 frames of 112x112 pixels (c2/tutorials/model_zoo.md).
"""

VMZ_R2PLUS1D_152_UNPOOLED = replace(
    VMZ_R2PLUS1D_152,
    name="vmz-r2plus1d-152-unpooled",
    details=_details(1e-3, has_pool=False),
    fits=_only_the_user_knows,
)
"""The same, made with `use_pool1=False`."""

_IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
"""Mean and deviation of MMAction2's inputs, 0-255."""

_MMACTION2 = (
    ("layer{s}.{b}.conv{n}.conv.{v}", "layer{s}.{b}.conv{n}.0.{v}"),
    ("layer{s}.{b}.conv{n}.bn.{v}", "layer{s}.{b}.conv{n}.1.{v}"),
    ("layer{s}.{b}.downsample.conv.{v}", "layer{s}.{b}.downsample.0.{v}"),
    ("layer{s}.{b}.downsample.bn.{v}", "layer{s}.{b}.downsample.1.{v}"),
    ("conv1.conv.{v}", "stem.0.{v}"),
    ("conv1.bn.{v}", "stem.1.{v}"),
    ("cls_head.fc_cls.{v}", "fc.{v}"),
)

MMACTION2_IRCSN = ShapedFormat(
    name="mmaction2-ircsn",
    formats={"rgb": _large(32, *_IMAGENET, 1.0)},
    names=(
        ("layer{s}.{b}.conv2.0.conv.{v}", "layer{s}.{b}.conv2.0.{v}"),
        ("layer{s}.{b}.conv2.0.bn.{v}", "layer{s}.{b}.conv2.1.{v}"),
        *_MMACTION2,
    ),
    class_lists=_KINETICS,
    details=_details(1e-3, has_pool=True),
    fits=_is_ir,
)
"""MMAction2's ir-CSN (configs/recognition/csn; mmaction/models/backbones/resnet3d_csn.py): 32 frames of 224x224."""

MMACTION2_IPCSN = ShapedFormat(
    name="mmaction2-ipcsn",
    formats=MMACTION2_IRCSN.formats,
    names=(
        ("layer{s}.{b}.conv2.0.conv.{v}", "layer{s}.{b}.conv2.0.0.{v}"),
        ("layer{s}.{b}.conv2.0.bn.{v}", "layer{s}.{b}.conv2.0.1.{v}"),
        ("layer{s}.{b}.conv2.1.conv.{v}", "layer{s}.{b}.conv2.0.2.{v}"),
        ("layer{s}.{b}.conv2.1.bn.{v}", "layer{s}.{b}.conv2.1.{v}"),
        *_MMACTION2,
    ),
    class_lists=_KINETICS,
    details=_details(1e-3, has_pool=True),
    fits=_is_ip,
)
"""MMAction2's ip-CSN, likewise."""

MMACTION2_R2PLUS1D = ShapedFormat(
    name="mmaction2-r2plus1d",
    formats={"rgb": _large(8, *_IMAGENET, 1.0)},
    names=(
        ("conv1.conv.conv_s.{v}", "stem.0.{v}"),
        ("conv1.conv.bn_s.{v}", "stem.1.{v}"),
        ("conv1.conv.conv_t.{v}", "stem.3.{v}"),
        ("conv1.bn.{v}", "stem.4.{v}"),
        ("layer{s}.{b}.{unit}.conv.conv_s.{v}", "layer{s}.{b}.{unit}.0.0.{v}"),
        ("layer{s}.{b}.{unit}.conv.bn_s.{v}", "layer{s}.{b}.{unit}.0.1.{v}"),
        ("layer{s}.{b}.{unit}.conv.conv_t.{v}", "layer{s}.{b}.{unit}.0.3.{v}"),
        ("layer{s}.{b}.{unit}.bn.{v}", "layer{s}.{b}.{unit}.1.{v}"),
        ("cls_head.fc_cls.{v}", "fc.{v}"),
    ),
    class_lists=_KINETICS,
    details=_details(1e-3, has_pool=True, middle_epsilon=1e-5),
    fits=lambda shapes: "layer1.0.conv1.0.3.weight" in shapes,
    probes=tuple(f"layer{stage}.0.conv1.conv.conv_s.weight" for stage in (1, 2, 3, 4)),
)
"""MMAction2's `r2plus1d_r34` (configs/recognition/r2plus1d): 8 or 32 frames (`-n 32`) of 224x224, a pooled stem.

The norms inside its (2+1)D convolutions keep torch's epsilon (mmaction/models/common/conv2plus1d.py).
"""

_PYTORCHVIDEO = (
    ("blocks.0.conv.{v}", "stem.0.{v}"),
    ("blocks.0.norm.{v}", "stem.1.{v}"),
    ("blocks.{s}.res_blocks.{b}.branch1_conv.{v}", "layer{s}.{b}.downsample.0.{v}"),
    ("blocks.{s}.res_blocks.{b}.branch1_norm.{v}", "layer{s}.{b}.downsample.1.{v}"),
    ("blocks.{s}.res_blocks.{b}.branch2.conv_a.{v}", "layer{s}.{b}.conv1.0.{v}"),
    ("blocks.{s}.res_blocks.{b}.branch2.norm_a.{v}", "layer{s}.{b}.conv1.1.{v}"),
    ("blocks.{s}.res_blocks.{b}.branch2.conv_b.conv_t.{v}", "layer{s}.{b}.conv2.0.0.{v}"),
    ("blocks.{s}.res_blocks.{b}.branch2.conv_b.norm.{v}", "layer{s}.{b}.conv2.0.1.{v}"),
    ("blocks.{s}.res_blocks.{b}.branch2.conv_b.conv_xy.{v}", "layer{s}.{b}.conv2.0.3.{v}"),
    ("blocks.{s}.res_blocks.{b}.branch2.conv_b.{v}", "layer{s}.{b}.conv2.0.{v}"),
    ("blocks.{s}.res_blocks.{b}.branch2.norm_b.{v}", "layer{s}.{b}.conv2.1.{v}"),
    ("blocks.{s}.res_blocks.{b}.branch2.conv_c.{v}", "layer{s}.{b}.conv3.0.{v}"),
    ("blocks.{s}.res_blocks.{b}.branch2.norm_c.{v}", "layer{s}.{b}.conv3.1.{v}"),
    ("blocks.5.proj.{v}", "fc.{v}"),
)

_GREY = ((0.45,) * 3, (0.225,) * 3, 255.0)
"""Mean, deviation and scale of PyTorchVideo's inputs."""

PYTORCHVIDEO_CSN = ShapedFormat(
    name="pytorchvideo-csn",
    formats={"rgb": _large(32, *_GREY)},
    names=_PYTORCHVIDEO,
    class_lists=_KINETICS,
    details=_details(1e-5, has_pool=True),
    fits=_is_ir,
)
"""PyTorchVideo's `csn_r101` (pytorchvideo/models/csn.py, hub/csn.py): 32 frames of 224x224, where its head is one mean.

Of larger inputs that head averages over overlapping windows; gbvis averages over everything.
"""

PYTORCHVIDEO_R2PLUS1D = ShapedFormat(
    name="pytorchvideo-r2plus1d",
    formats={"rgb": _large(16, *_GREY)},
    names=_PYTORCHVIDEO,
    class_lists=_KINETICS,
    details={**_details(1e-5, has_pool=False), "frame_steps": [1, 1, 2, 2], "pixel_steps": [2, 2, 2, 2]},
    fits=_is_factorized,
)
"""PyTorchVideo's `r2plus1d_r50` (pytorchvideo/models/r2plus1d.py, hub/r2plus1d.py): along time first, then in space."""

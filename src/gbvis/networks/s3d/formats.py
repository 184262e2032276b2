"""The checkpoint formats of S3D: how the files of each origin name and feed their networks."""

from dataclasses import replace

from gbvis.networks.r2plus1d.formats import TORCHVISION as R2PLUS1D
from gbvis.networks.shaped.format import ShapedFormat
from gbvis.networks.shaped.inception import CLIP_FORMAT

TORCHVISION = ShapedFormat(
    name="torchvision-s3d",
    formats={"rgb": replace(R2PLUS1D.formats["rgb"], frames=64, height=256, width=256, crop=224, top=16, left=16)},
    class_lists={400: "kinetics400"},
)
"""torchvision's `s3d`: frames of 256x256, its middle 224x224 (`S3D_Weights`, torchvision/models/video/s3d.py).

Its scores are quoted for 128 frames at 15 a second; 64, as the paper trains with, fit shorter videos.
"""

_SPATIAL = (("conv_s.{value}", "0.0.{value}"), ("bn_s.{value}", "0.1.{value}"))
_TEMPORAL = (("conv_t.{value}", "1.0.{value}"), ("bn_t.{value}", "1.1.{value}"))
_SEPARABLE = (*_SPATIAL, *_TEMPORAL)
_PLAIN = (("conv.{value}", "0.{value}"), ("bn.{value}", "1.{value}"))

KYLEMIN = ShapedFormat(
    name="kylemin-s3d",
    formats={"rgb": CLIP_FORMAT},
    names=(
        ("fc.0.{value}", "classifier.1.{value}"),
        *((f"base.{{layer}}.{theirs}", f"features.{{layer}}.{own}") for theirs, own in (*_SEPARABLE, *_PLAIN)),
        *((f"base.{{layer}}.branch0.0.{theirs}", f"features.{{layer}}.branch0.{own}") for theirs, own in _PLAIN),
        *(
            (f"base.{{layer}}.{{branch}}.{unit}.{theirs}", f"features.{{layer}}.{{branch}}.{unit}.{own}")
            for unit, pairs in (("0", _PLAIN), ("1", (*_SEPARABLE, *_PLAIN)))
            for theirs, own in pairs
        ),
    ),
    class_lists={400: "kinetics400"},
)
"""github.com/kylemin/S3D (`S3D_kinetics400.pt`): the same network; values from -1 to 1, its classes in the same order.

What size frames had it does not say; 224x224 of a shorter side of 256 are the paper's.
"""

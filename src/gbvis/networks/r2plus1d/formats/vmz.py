"""VMZ's PyTorch networks, 18 and 34 layers, IG-65M's among them: torchvision's names and input, eps 1e-3.

Unlike torchvision, VMZ gives each convolution of a down-sampling block middle channels of its own, 230 and 288 in the
first one; that tells the two apart. IG-65M's networks saw 8 or 32 frames: `-n 8`, `-n 32`.
"""

from dataclasses import replace

from gbvis.networks.r2plus1d.architecture import Variant
from gbvis.networks.r2plus1d.formats import torchvision

FAMILY = replace(
    torchvision.FAMILY,
    name="vmz",
    variant=Variant(padding="symmetric", norm_epsilon=1e-3),
    has_equal_middles=False,
    class_lists={400: "kinetics400"},
)

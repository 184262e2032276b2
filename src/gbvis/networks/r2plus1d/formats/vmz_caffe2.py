"""VMZ's Caffe2 networks (`.pkl`), 18 and 34 layers, RGB and flow; a VMZ network under other names.

`s` is a norm's weight, `b` its bias, `rm` its running mean, `riv` its running variance
(VMZ's utilities/model_conversion/convert_models.py). The one flow network that VMZ gave out,
`r2.5d_d34_l32_ft_sports1m_optical_flow.pkl`, sees 32 frames of motion in pixels of the 128x171 frames, neither cut
off nor rounded (c2/scripts/extract_feature_kinetics_of.sh; mean and deviation: ops/av_input_op.h). The crop begins at
(171 - 112) / 2 cut off to 29 there, where torchvision rounds up.
"""

from dataclasses import replace

from gbvis.networks.r2plus1d.formats import vmz

_BLOCK = "comp_{block}_"
_SHORTCUT = "shortcut_projection_{block}"

_RGB = replace(vmz.FAMILY.formats["rgb"], left=29)
_FLOW = replace(
    _RGB,
    frames=32,
    scale=1.0,
    mean=(0.0046635, 0.0046261),
    std=(0.972347, 0.755146),
    is_motion=True,
)

FAMILY = replace(
    vmz.FAMILY,
    name="vmz-caffe2",
    names={
        "stem.spatial.convolution": "conv1_middle",
        "stem.spatial.norm": "conv1_middle_spatbn_relu",
        "stem.temporal.convolution": "conv1",
        "stem.temporal.norm": "conv1_spatbn_relu",
        "first.spatial.convolution": _BLOCK + "conv_1_middle",
        "first.spatial.norm": _BLOCK + "spatbn_1_middle",
        "first.temporal.convolution": _BLOCK + "conv_1",
        "first.temporal.norm": _BLOCK + "spatbn_1",
        "second.spatial.convolution": _BLOCK + "conv_2_middle",
        "second.spatial.norm": _BLOCK + "spatbn_2_middle",
        "second.temporal.convolution": _BLOCK + "conv_2",
        "second.temporal.norm": _BLOCK + "spatbn_2",
        "shortcut.convolution": _SHORTCUT,
        "shortcut.norm": _SHORTCUT + "_spatbn",
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
    formats={"rgb": _RGB, "flow": _FLOW},
    extras=r".*_momentum|lr|iter|model_iter|optimizer_iteration|epoch",
)

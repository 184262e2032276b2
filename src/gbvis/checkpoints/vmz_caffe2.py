"""VMZ's Caffe2 networks (`.pkl`): RGB, 18 and 34 layers; a VMZ network under other names.

`s` is a norm's weight, `b` its bias, `rm` its running mean, `riv` its running variance.
"""

from dataclasses import replace

from gbvis.checkpoints import vmz

_BLOCK = "comp_{block}_"
_SHORTCUT = "shortcut_projection_{block}"

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
    extras=r".*_momentum|lr|iter|model_iter|optimizer_iteration|epoch",
)

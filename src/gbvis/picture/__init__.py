"""What is drawn: runs as exhibits, panels and their colours, text; and the picture that comes of it."""

from gbvis.picture.exhibit import Exhibit, ExhibitClip
from gbvis.picture.picture import Picture, Pixels
from gbvis.picture.scale import Limits
from gbvis.picture.style import COLORS, FLOW_CHANNELS, FLOW_COLORS, PANELS, SCALES, Style

__all__ = [
    "COLORS",
    "FLOW_CHANNELS",
    "FLOW_COLORS",
    "PANELS",
    "SCALES",
    "Exhibit",
    "ExhibitClip",
    "Limits",
    "Picture",
    "Pixels",
    "Style",
]

"""What is drawn: runs as exhibits, panels and their colours, text; and the picture that comes of it."""

from gbvis.figures.exhibit import Exhibit, ExhibitClip
from gbvis.figures.picture import Picture, Pixels
from gbvis.figures.scale import Limits
from gbvis.figures.style import COLORS, FLOW_CHANNELS, FLOW_COLORS, PANELS, SCALES, Style

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

"""What is drawn: runs as exhibits, panels and their colours, text; and the picture that comes of it."""

from gbvis.figures.picture import Picture, Pixels
from gbvis.figures.run_view import ClipView, RunView
from gbvis.figures.scale import Limits
from gbvis.figures.style import COLORS, FLOW_CHANNELS, FLOW_COLORS, PANELS, SCALES, Style

__all__ = [
    "COLORS",
    "FLOW_CHANNELS",
    "FLOW_COLORS",
    "PANELS",
    "SCALES",
    "ClipView",
    "Limits",
    "Picture",
    "Pixels",
    "RunView",
    "Style",
]

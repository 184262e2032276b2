"""Layouts, a file each; another package adds one by the entry point `gbvis.layouts`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbvis.registry import Registry

if TYPE_CHECKING:  # the command line asks for names alone
    from gbvis.figures.layout import Layout

LAYOUTS: Registry[Layout] = Registry(
    "layout",
    {
        "strip": "gbvis.figures.layouts.strip:STRIP",
        "sheet": "gbvis.figures.layouts.sheet:SHEET",
        "sheet-transposed": "gbvis.figures.layouts.sheet:TRANSPOSED",
        "overlay": "gbvis.figures.layouts.overlay:OVERLAY",
        "streams": "gbvis.figures.layouts.streams:STREAMS",
        "endpoints": "gbvis.figures.layouts.rows:ENDPOINTS",
        "methods": "gbvis.figures.layouts.rows:METHODS",
        "difference": "gbvis.figures.layouts.difference:DIFFERENCE",
        "check": "gbvis.figures.layouts.check:CHECK",
    },
    group="gbvis.layouts",
)

"""Outputs, a file each; another package adds one by the entry point `gbvis.outputs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gbvis.registry import Registry

if TYPE_CHECKING:  # the command line asks for names alone
    from gbvis.figures.output import Output

PICTURES = ("gif", "mp4", "webp", "apng", "png")
"""Names of outputs that are pictures, and of their encoders."""

OUTPUTS: Registry[Output] = Registry(
    "format",
    {
        **{name: f"gbvis.figures.outputs.animation:{name.upper()}" for name in PICTURES},
        "csv": "gbvis.figures.outputs.table:CSV",
        "html": "gbvis.figures.outputs.report.output:HTML",
    },
    group="gbvis.outputs",
)

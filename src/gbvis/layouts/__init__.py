"""Layouts, one file each: `lay_out(exhibit, style)` makes a picture of one run."""

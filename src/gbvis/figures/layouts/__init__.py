"""Layouts, one file each: `lay_out(exhibits, style)` makes the pages of one run, or of those that `JOINS` names."""

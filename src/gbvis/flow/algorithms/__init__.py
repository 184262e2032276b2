"""How motion is estimated, one file each: `estimate(before, after)` returns where the pixels of one grey frame went.

`SETTINGS` is plain data: what of the algorithm decides its numbers.
"""

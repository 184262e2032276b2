"""Where videos come from, one file each: `read(location, modality, dataset)` returns the Video there, or None.

None means "not mine, ask the next"; a GbvisError means "mine, and broken".
"""

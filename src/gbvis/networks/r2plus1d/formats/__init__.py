"""Checkpoint families, one file each: `FAMILY` says how its files name, pad, normalise and feed a network."""

"""Readers of videos, one file per kind of source; each gives a `Video`."""

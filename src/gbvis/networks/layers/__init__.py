"""Layers that several kinds of network share, and what makes them quick."""

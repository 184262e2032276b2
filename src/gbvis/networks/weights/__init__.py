"""Weights files: named tensors, and what they say of themselves."""

"""Encoders of pictures: each function writes one to a path that is free."""
